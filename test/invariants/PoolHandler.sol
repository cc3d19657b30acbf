// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {
    AccountHealth,
    LiquidationCall,
    LiquidationResult,
    MarketState
} from "../../contracts/interfaces/ILendingPool.sol";
import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolBreakerMock} from "../mocks/PoolBreakerMock.sol";
import {PoolFlashBorrower} from "../mocks/PoolFlashBorrower.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";
import {PoolMirror} from "../utils/PoolMirror.sol";
import {PoolSpec as S} from "./PoolSpec.sol";

/// @notice Random actions of several actors on a pool with two collaterals, with the properties of single calls checked at
/// each. A broken one is remembered in `broken`, so that no revert can hide it.
contract PoolHandler is Test {
    IPoolUnderTest public immutable pool;
    PoolMirror public immutable mirror;
    SimToken private immutable asset;
    PoolOracleMock[2] private oracles;
    PoolBreakerMock private immutable breaker;
    PoolFlashBorrower private immutable flashBorrower;
    address private immutable owner;

    address[] public actors;
    /// @notice How often each action did something.
    mapping(bytes32 action => uint256) public done;
    /// @notice The first property that did not hold, or empty.
    string public broken;

    uint256[2] private BASE_PRICES = [2000e24, 30_000e34];

    constructor(
        IPoolUnderTest pool_,
        PoolMirror mirror_,
        PoolOracleMock ethOracle,
        PoolOracleMock btcOracle,
        PoolBreakerMock breaker_,
        address owner_
    ) {
        (pool, mirror, breaker, owner) = (pool_, mirror_, breaker_, owner_);
        asset = SimToken(pool_.asset());
        oracles = [ethOracle, btcOracle];
        flashBorrower = new PoolFlashBorrower();
        for (uint256 i; i < 5; ++i) {
            address actor = makeAddr(string.concat("actor", vm.toString(i)));
            actors.push(actor);
            vm.startPrank(actor);
            asset.approve(address(pool), type(uint256).max);
            for (uint256 id; id < 2; ++id) {
                SimToken(pool.collateralState(id).token).approve(address(pool), type(uint256).max);
            }
            vm.stopPrank();
        }
    }

    /// @dev Feeds the mirror and checks that a share's worth did not fall without a loss.
    modifier step(bytes32 action) {
        MarketState memory before = pool.marketState();
        uint256 doneBefore = done[action];
        _;
        mirror.apply_(vm.getRecordedLogs());
        MarketState memory state = pool.marketState();
        bool loss = (action == "liquidate" || action == "batch" || action == "settle") && done[action] != doneBefore;
        if (!loss) {
            _check(
                (state.lenderAssets + 1) * (before.supplyShares + 1000)
                    >= (before.lenderAssets + 1) * (state.supplyShares + 1000),
                S.P7
            );
        }
    }

    // -- lenders

    function deposit(uint256 who, uint256 assets) external step("deposit") {
        address actor = _actor(who);
        uint256 most = pool.maxDeposit(actor);
        assets = _bound(assets, 0, most < 1e11 ? most : 1e11);
        if (pool.previewDeposit(assets) == 0) return;
        asset.mint(actor, assets);
        vm.prank(actor);
        try pool.deposit(assets, actor) {
            ++done["deposit"];
        } catch {
            _check(false, S.P10);
        }
    }

    function mint(uint256 who, uint256 shares) external step("mint") {
        address actor = _actor(who);
        uint256 most = pool.maxMint(actor);
        shares = _bound(shares, 0, most < 1e14 ? most : 1e14);
        if (shares == 0) return;
        asset.mint(actor, pool.previewMint(shares));
        vm.prank(actor);
        try pool.mint(shares, actor) {
            ++done["mint"];
        } catch {
            _check(false, S.P10);
        }
    }

    function withdraw(uint256 who, uint256 assets, uint256 to) external step("withdraw") {
        address actor = _actor(who);
        // One in four takes all that may be taken.
        assets = to % 4 == 0 ? pool.maxWithdraw(actor) : _bound(assets, 0, pool.maxWithdraw(actor));
        if (assets == 0) return;
        vm.prank(actor);
        try pool.withdraw(assets, _actor(to), actor) {
            ++done["withdraw"];
        } catch {
            _check(false, S.P10);
        }
    }

    function redeem(uint256 who, uint256 shares, uint256 to) external step("redeem") {
        address actor = _actor(who);
        shares = to % 4 == 0 ? pool.maxRedeem(actor) : _bound(shares, 0, pool.maxRedeem(actor));
        if (pool.previewRedeem(shares) == 0) return;
        vm.prank(actor);
        try pool.redeem(shares, _actor(to), actor) {
            ++done["redeem"];
        } catch {
            _check(false, S.P10);
        }
    }

    function transferShares(uint256 who, uint256 to, uint256 shares) external step("transfer") {
        address actor = _actor(who);
        shares = _bound(shares, 0, pool.balanceOf(actor));
        vm.prank(actor);
        pool.transfer(_actor(to), shares);
        if (shares != 0) ++done["transfer"];
    }

    // -- borrowers

    function supplyCollateral(uint256 who, uint256 payer, uint256 id, uint256 amount) external step("supply") {
        address actor = _actor(who);
        id = id % 2;
        bool held = pool.collateralOf(actor, id) != 0;
        address from = held ? _actor(payer) : actor;
        amount = _bound(amount, 1, id == 0 ? 10e18 : 1e8);
        SimToken(pool.collateralState(id).token).mint(from, amount);
        vm.prank(from);
        try pool.supplyCollateral(id, amount, actor, "") {
            ++done["supply"];
        } catch {
            // What is not held may be frozen; what is held may always be topped up.
            _check(!held, S.P5);
        }
    }

    function withdrawCollateral(uint256 who, uint256 id, uint256 amount) external step("withdrawCollateral") {
        address actor = _actor(who);
        id = id % 2;
        amount = _bound(amount, 0, pool.collateralOf(actor, id));
        if (amount == 0) return;
        vm.prank(actor);
        try pool.withdrawCollateral(id, amount, actor, actor) {
            ++done["withdrawCollateral"];
            _checkWithinLimit(actor);
        } catch {
            _check(pool.debtSharesOf(actor) != 0, S.P11);
        }
    }

    function borrow(uint256 who, uint256 assets) external step("borrow") {
        // The first who may, from `who` on.
        address actor;
        uint256 room;
        for (uint256 i; i < actors.length && room == 0; ++i) {
            actor = _actor(who % 5 + i);
            AccountHealth memory health = pool.accountHealth(actor);
            if (health.borrowLimit > health.debt) room = health.borrowLimit - health.debt;
        }
        uint256 cash = asset.balanceOf(address(pool));
        // One in two borrows all that it may.
        room = room < cash ? room : cash;
        assets = assets % 2 == 0 ? room : _bound(assets, 0, room);
        if (assets == 0) return;
        vm.prank(actor);
        try pool.borrow(assets, actor, actor) {
            ++done["borrow"];
            _checkWithinLimit(actor);
        } catch {}
    }

    function repay(uint256 who, uint256 payer, uint256 assets) external step("repay") {
        address actor = _actor(who);
        if (pool.debtOf(actor) == 0) actor = _actor(who % 5 + 1);
        uint256 debt = pool.debtOf(actor);
        if (debt == 0) return;
        assets = payer % 4 == 0 ? type(uint256).max : _bound(assets, 1, debt);
        asset.mint(_actor(payer), assets < debt ? assets : debt);
        vm.prank(_actor(payer));
        try pool.repay(assets, actor, "") {
            ++done["repay"];
        } catch {
            _check(false, S.P5);
        }
    }

    // -- liquidators

    function liquidate(uint256 who, uint256 id, uint256 maxRepay) external step("liquidate") {
        address actor = _unhealthy(who);
        id = id % 2;
        if (pool.collateralOf(actor, id) == 0) id = 1 - id;
        AccountHealth memory before = pool.accountHealth(actor);
        asset.mint(address(this), before.debt);
        asset.approve(address(pool), type(uint256).max);
        try pool.liquidate(actor, id, _bound(maxRepay, 0, 2 * before.debt), "") returns (LiquidationResult memory r) {
            ++done["liquidate"];
            if (r.writtenOff != 0) ++done["write-off"];
            _check(before.healthFast < 1e18, S.P4);
            uint256 worth = r.seized * oracles[id].peek().fast / 1e36;
            _check(worth * 10_000 <= (r.repaid + 1) * 10_500 + 10_000, S.P2);
            AccountHealth memory left = pool.accountHealth(actor);
            if (before.collateralValue * 10_000 >= before.debt * 10_500 && left.debt > 2) {
                _check((left.collateralValue + 2) * before.debt >= before.collateralValue * (left.debt - 2), S.P3);
            }
        } catch {}
    }

    function liquidateBatch(uint256 first, uint256 id, uint256 maxRepay) external step("batch") {
        LiquidationCall[] memory calls = new LiquidationCall[](4);
        AccountHealth[4] memory before;
        for (uint256 i; i < 4; ++i) {
            address actor = _actor(first % 5 + i % 3); // one twice
            before[i] = pool.accountHealth(actor);
            calls[i] = LiquidationCall(actor, (id % 2 + i) % 2, _bound(maxRepay, 1, 1e12));
        }
        asset.mint(address(this), 4e12 + pool.marketState().totalDebt);
        asset.approve(address(pool), type(uint256).max);
        try pool.liquidateBatch(calls, "") returns (LiquidationResult[] memory results) {
            ++done["batch"];
            for (uint256 i; i < 4; ++i) {
                _check(results[i].repaid == 0 || before[i].healthFast < 1e18, S.P4);
            }
        } catch {}
    }

    function settle(uint256 who) external step("settle") {
        address actor = _unhealthy(who);
        AccountHealth memory before = pool.accountHealth(actor);
        asset.mint(address(this), before.debt);
        asset.approve(address(pool), type(uint256).max);
        bool insolvent = before.collateralValue * 100 < before.debt * 103;
        try pool.settle(actor, "") returns (LiquidationResult memory r) {
            ++done["settle"];
            if (r.writtenOff != 0) ++done["write-off"];
            _check(insolvent && before.healthFast < 1e18, S.P4);
        } catch {
            // What has no price counts at its bound, which may hold the settlement back.
            _check(!insolvent || before.priceDown, S.P4_SETTLE);
        }
    }

    // -- others

    function flashLoan(uint256 amount) external step("flash") {
        bytes32 before = keccak256(abi.encode(pool.marketState()));
        pool.flashLoan(flashBorrower, address(asset), _bound(amount, 0, asset.balanceOf(address(pool))), "");
        _check(keccak256(abi.encode(pool.marketState())) == before, S.P12);
        ++done["flash"];
    }

    function donate(uint256 amount, uint256 what) external step("donate") {
        if (what % 3 == 0) asset.mint(address(pool), _bound(amount, 0, 1e9));
        else SimToken(pool.collateralState(what % 2).token).mint(address(pool), _bound(amount, 0, 1e9));
        ++done["donate"];
    }

    /// @dev Back to within a quarter of where it began, so that there is always something to lend on.
    function movePrice(uint256 id, uint256 level) external step("price") {
        _setPrice(id % 2, BASE_PRICES[id % 2] * _bound(level, 750, 1250) / 1000);
        ++done["price"];
    }

    /// @dev To where an account's health factor is about 0.7 to 1, if it can be; the worst of it is insolvent. One in four: to
    /// a twentieth of the starting price.
    function squeeze(uint256 who, uint256 target) external step("squeeze") {
        AccountHealth memory health = pool.accountHealth(_actor(who));
        if (health.debt == 0 || health.healthFast > 3e18) return;
        for (uint256 id; id < 2; ++id) {
            uint256 price = oracles[id].peek().fast * _bound(target, 0.7e18, 1e18) / (health.healthFast + 1);
            _setPrice(id, target % 4 == 0 ? 0 : price);
        }
        ++done["squeeze"];
    }

    function moveTime(uint256 elapsed) external step("time") {
        skip(_bound(elapsed, 1, elapsed % 8 == 0 ? 60 days : 3 days));
        ++done["time"];
    }

    /// @dev Breaker and oracle say anything, three times in four that all is well.
    function disturb(uint256 id, uint256 what) external step("disturb") {
        breaker.setLevel(BreakerLevel(what % 4 != 0 ? 0 : (what >> 8) % 4));
        oracles[id % 2].setStatus(PriceStatus(what % 4 != 0 ? 0 : (what >> 16) % 3));
        ++done["disturb"];
    }

    function administer(uint256 what, uint256 value) external step("administer") {
        vm.startPrank(owner);
        what = what % 6;
        if (what == 0) pool.setReserveFactor(uint8(_bound(value, 0, 50)));
        if (what == 1 && value % 8 == 0) pool.freezeNewRisk();
        if (what == 2 && value % 8 == 0) pool.freezeCollateral(value % 2);
        if (what == 3) pool.unfreezeCollateral(value % 2);
        if (what == 4) pool.unfreezeNewRisk();
        if (what >= 3) pool.rampCollateral(value % 2, uint16(_bound(value, 5000, 8400)), 8500);
        vm.stopPrank();
        ++done["administer"];
    }

    function withdrawReserves(uint256 assets) external step("reserves") {
        MarketState memory state = pool.marketState();
        assets = _bound(assets, 0, state.reserves < state.cash ? state.reserves : state.cash);
        vm.prank(owner);
        pool.withdrawReserves(assets, owner);
        _check(pool.totalAssets() == state.lenderAssets, S.P13);
        if (assets != 0) ++done["reserves"];
    }

    // -- checking

    function actorCount() external view returns (uint256) {
        return actors.length;
    }

    function _setPrice(uint256 id, uint256 price) private {
        oracles[id].setPrice(_bound(price, BASE_PRICES[id] / 20, BASE_PRICES[id] * 3));
    }

    function _checkWithinLimit(address actor) private {
        AccountHealth memory health = pool.accountHealth(actor);
        _check(health.debt == 0 || health.debt <= health.borrowLimit, S.P11);
    }

    function _check(bool holds, string memory property) private {
        if (!holds && bytes(broken).length == 0) broken = property;
    }

    /// @dev The first unhealthy actor from `who` on, or `who`.
    function _unhealthy(uint256 who) private view returns (address) {
        for (uint256 i; i < actors.length; ++i) {
            address actor = _actor(who % 5 + i);
            if (pool.accountHealth(actor).healthFast < 1e18) return actor;
        }
        return _actor(who);
    }

    function _actor(uint256 who) private view returns (address) {
        return actors[who % actors.length];
    }
}
