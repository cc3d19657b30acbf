// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerLevel, ICircuitBreaker} from "../../../contracts/interfaces/ICircuitBreaker.sol";
import {IPriceOracle} from "../../../contracts/interfaces/IPriceOracle.sol";
import {DampedPolicy} from "../../../contracts/liquidation/DampedPolicy.sol";
import {Prices, PriceStatus} from "../../../contracts/types/Price.sol";
import {System} from "../../../script/SystemPlan.sol";
import {PoolSpec as S} from "../PoolSpec.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice Oracle, depth and breaker: what anybody may record, feeds that break, and a base fee that trips the breaker.
contract SignalHandler is SystemHandler {
    constructor(SystemBooks books, SystemWorld world, CampaignLedger ledger) SystemHandler(books, world, ledger) {
        ledger.declare("update oracle", 60);
        ledger.declare("record depth", 40);
        ledger.declare("break feed", 60);
        ledger.declare("price down", 4);
        ledger.declare("spam base fee", 60);
        ledger.declare("trip breaker", 20);
        ledger.declare("breaker paused", 4);
        ledger.declare("trip ended", 4);
    }

    function selectors() external pure override returns (bytes4[] memory list) {
        list = new bytes4[](4);
        (list[0], list[1]) = (this.updateOracle.selector, this.recordDepth.selector);
        (list[2], list[3]) = (this.breakFeed.selector, this.spamBaseFee.selector);
    }

    /// @dev O1: the fast price is the feeds' ratio while both are fresh.
    function updateOracle(uint256 a, uint256 b, uint256) external counted {
        (uint256 p, uint256 id) = (a % 3, b % 3);
        (uint256 fast,,) = IPriceOracle(world.system(p).oracles[id]).update();
        world.look(p);
        ledger.succeeded("update oracle");
        uint256 token = world.collateralOf(p, id);
        if (!_isFresh(token) || !_isFresh(p)) return;
        // base * 10^decimals(asset) / (quote * 10^decimals(collateral)), scaled by 1e36 and rounded down to the stored unit
        uint256 exact = world.prices(token) * 10 ** (36 + world.decimals(p) - world.decimals(token)) / world.prices(p);
        _check(fast <= exact && exact - fast <= exact / 1e9, S.O1);
    }

    /// @dev Of a venue that has lost all but a thousandth of its depth one time in two: then the bucket binds.
    function recordDepth(uint256 a, uint256, uint256 c) external counted {
        world.setDepth(c % 2 == 0 ? 1 : 1000);
        System memory damped = world.system(world.DAMPED());
        try DampedPolicy(damped.policy).recordDepth(damped.pool, a % 3) {
            ledger.succeeded("record depth");
        } catch (bytes memory answer) {
            ledger.failed("record depth", answer);
        }
    }

    /// @dev Silent, zero, negative, absurd, from the future, or right but five minutes past its heartbeat. Of the others one in four stays so
    /// until the price is down.
    function breakFeed(uint256 a, uint256 b, uint256 c) external counted {
        uint256 time = vm.getBlockTimestamp();
        int256 answer = int256(world.prices(a % 4));
        if (b % 6 == 1) answer = 0;
        if (b % 6 == 2) answer = -answer;
        if (b % 6 == 3) answer *= 1e6;
        world.feeds(a % 4).set(answer, b % 6 == 4 ? time + 1 : b % 6 == 0 ? 0 : time);
        ledger.succeeded("break feed");
        if (b % 6 == 5) world.pass(1 hours + 10 minutes);
        else if (c % 4 == 0) world.pass(5 hours);
        uint256 p = (a % 3 + 1) % 3;
        for (uint256 id; id < 3; ++id) {
            Prices memory price = IPriceOracle(world.system(p).oracles[id]).peek();
            if (price.status == PriceStatus.Down) ledger.succeeded("price down");
            bool broken = world.collateralOf(p, id) == a % 4 || p == a % 4;
            _check(!broken || price.status != PriceStatus.Ok, S.O1);
        }
    }

    /// @dev An hour's base fee of 1 gwei, then up to twelve blocks far above it; whatever trips ends by itself (B1). Three trips in
    /// four are followed to their end.
    function spamBaseFee(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = a % 3;
        ICircuitBreaker breaker = ICircuitBreaker(world.system(p).breaker);
        vm.fee(1 gwei);
        for (uint256 i; i < 3; ++i) {
            world.pass(20 minutes);
            breaker.poke(address(_pool(p)));
        }
        world.refresh();
        vm.fee(_bound(b, 100 gwei, 5000 gwei));
        BreakerLevel level;
        for (uint256 i; i < 12; ++i) {
            world.pass(60);
            level = breaker.poke(address(_pool(p)));
            _check(level == breaker.levelOf(address(_pool(p))), S.B1);
            if (level != BreakerLevel.Normal) break;
        }
        ledger.succeeded("spam base fee");
        if (level == BreakerLevel.Normal) return;
        ledger.succeeded("trip breaker");
        if (level == BreakerLevel.Halted) return;
        uint256 time = vm.getBlockTimestamp();
        vm.warp(time + 15 minutes);
        level = breaker.levelOf(address(_pool(p)));
        _check(level == BreakerLevel.Normal || level == BreakerLevel.Halted, S.B1);
        vm.warp(time);
        if (c % 4 != 0) _followToTheEnd(breaker, address(_pool(p)));
    }

    /// @dev A quarter of an hour more of that fee, of which a pause is three minutes at most, and half an hour of 1 gwei, after which the
    /// fee holds nothing any more although somebody observed it in every minute.
    function _followToTheEnd(ICircuitBreaker breaker, address pool) private {
        uint256 paused;
        BreakerLevel level;
        for (uint256 i; i < 45; ++i) {
            if (i == 15) vm.fee(1 gwei);
            world.pass(1 minutes);
            level = breaker.poke(pool);
            if (level == BreakerLevel.Halted) return;
            if (i < 15 && level == BreakerLevel.Paused) ++paused;
        }
        if (paused != 0) ledger.succeeded("breaker paused");
        _check(paused <= 3 && level == BreakerLevel.Normal, S.B1);
        ledger.succeeded("trip ended");
    }

    function _isFresh(uint256 token) private view returns (bool) {
        (, int256 answer,, uint256 updatedAt,) = world.feeds(token).latestRoundData();
        uint256 time = vm.getBlockTimestamp();
        return answer == int256(world.prices(token)) && updatedAt <= time && time - updatedAt <= 1 hours;
    }
}
