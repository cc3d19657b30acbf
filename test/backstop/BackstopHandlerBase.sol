// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {BackstopPool} from "../../contracts/backstop/BackstopPool.sol";
import {PremiumSteward} from "../../contracts/backstop/PremiumSteward.sol";
import {BackstopAccount, BackstopState} from "../../contracts/interfaces/IBackstopPool.sol";
import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {IPriceOracle} from "../../contracts/interfaces/IPriceOracle.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {CampaignLedger} from "../invariants/system/CampaignLedger.sol";
import {PoolBreakerMock} from "../mocks/PoolBreakerMock.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";
import {BackstopSpec as K} from "./BackstopSpec.sol";

/// @notice What the handlers of all mechanisms share: the world, the people, and what each of them has (K4).
abstract contract BackstopHandlerBase is Test {
    /// @dev What one has: shares and queues, which no other moves, and what he earned.
    struct Part {
        bytes32 stake;
        // shares, those that leave among them
        uint256 earning;
        uint256 entering;
        bool waits;
        uint256 claimable;
        uint256[2] collateral;
    }

    uint256 internal constant USDC = 1e6;
    uint256 private constant DEPTH = 1e6 * USDC;

    IPoolUnderTest internal immutable pool;
    BackstopPool internal immutable backstop;
    PremiumSteward internal immutable steward;
    SimToken internal immutable usdc;
    CampaignLedger internal immutable ledger;
    PoolBreakerMock private immutable breaker;
    PoolOracleMock[2] internal oracles;

    address[] public actors;
    /// @notice Calls that may have rounded something.
    uint256 public calls;
    /// @notice Debt asset that shares earned.
    uint256 public gains;
    /// @dev The last one that was started.
    uint256 private period;

    /// @param seed A depositor who never acts.
    constructor(
        BackstopPool backstop_,
        PremiumSteward steward_,
        PoolOracleMock[2] memory oracles_,
        address seed,
        CampaignLedger ledger_
    ) {
        (backstop, steward, oracles, ledger) = (backstop_, steward_, oracles_, ledger_);
        pool = IPoolUnderTest(address(backstop_.POOL()));
        breaker = PoolBreakerMock(pool.breaker());
        usdc = SimToken(pool.asset());
        actors.push(seed);
        for (uint256 i; i < 4; ++i) {
            address actor = makeAddr(string.concat("actor", vm.toString(i)));
            actors.push(actor);
            vm.startPrank(actor);
            usdc.approve(address(pool), type(uint256).max);
            usdc.approve(address(backstop), type(uint256).max);
            for (uint256 id; id < 2; ++id) {
                SimToken(pool.collateralState(id).token).approve(address(pool), type(uint256).max);
            }
            vm.stopPrank();
        }
        for (uint256 id; id < 2; ++id) {
            _calm(id);
        }
    }

    modifier counted() {
        ledger.called();
        _;
    }

    function actorCount() external view returns (uint256) {
        return actors.length;
    }

    // -- the market

    /// @dev To within a quarter and three times of where it began. Ends what disturbed it.
    function _movePrice(uint256 id, uint256 permille) internal {
        uint256 price = _fast(id) * permille / 1000;
        uint256 start = id == 0 ? 2000e24 : 30_000e34;
        oracles[id].setPrice(price < start / 4 || price > start * 3 ? start : price);
        _calm(id);
    }

    /// @dev A slow price above or below, a venue that stands elsewhere or is thin or gone, no good price, a breaker that pauses.
    function _disturb(uint256 id, uint256 what) internal {
        uint256 fast = _fast(id);
        oracles[id].setPrices(fast, fast * (990 + what % 21) / 1000, fast * (985 + (what >> 8) % 31) / 1000);
        // one time in two it is the prices alone
        if ((what >> 16) % 2 == 0) oracles[id].setStatus(PriceStatus((what >> 24) % 3));
        if ((what >> 32) % 4 == 0) _setDepth(id, (what >> 40) % (2 * DEPTH));
        breaker.setLevel(BreakerLevel((what >> 96) % 4));
    }

    function _calm(uint256 id) private {
        oracles[id].setStatus(PriceStatus.Ok);
        _setDepth(id, DEPTH);
        breaker.setLevel(BreakerLevel.Normal);
    }

    function _setDepth(uint256 id, uint256 depth) private {
        vm.mockCall(address(oracles[id]), abi.encodeCall(IPriceOracle.depth, ()), abi.encode(depth));
    }

    function _fast(uint256 id) internal view returns (uint256) {
        return oracles[id].peek().fast;
    }

    /// @dev K6 and K4 of the start of a period.
    function _roll() internal {
        uint256 reached = block.timestamp / backstop.periodSeconds();
        if (reached == period) return;
        period = reached;
        Part[] memory before = _parts();
        BackstopState memory old = backstop.backstopState();
        try backstop.roll() {
            _checkStart(before, old);
        } catch (bytes memory answer) {
            _refused("roll", answer);
        }
        ++calls;
    }

    /// @dev Exits and entries are at what a share is worth, and leave it so: an exit but for a base unit, which falls to who stays, an
    /// entry but for a share. A roll is of two starts at most.
    function _checkStart(Part[] memory before, BackstopState memory old) private {
        BackstopState memory state = backstop.backstopState();
        uint256 slack = 4 + 2 * state.shares / (old.shares - old.leaving);
        _check(state.assets * old.shares >= old.assets * state.shares, K.K4_START);
        _check(state.assets * old.shares <= old.assets * (state.shares + 4) + slack * old.shares, K.K4_START);
        Part[] memory parts = _parts();
        for (uint256 i; i < parts.length; ++i) {
            if (!before[i].waits) {
                _check(_isUntouched(before[i], parts[i], 0), K.K4_START);
                continue;
            }
            (uint256 had, uint256 has) = (_worth(before[i], old), _worth(parts[i], state));
            // a unit of each sum that is counted up to the start and from there on, and of what is shared there
            _check(has + 12 >= had && has <= had + slack + 2, K.K4_START);
            for (uint256 id; id < 2; ++id) {
                uint256 collateral = before[i].collateral[id];
                _check(parts[i].collateral[id] + 3 >= collateral && parts[i].collateral[id] <= collateral, K.K4_START);
            }
        }
    }

    function _worth(Part memory part, BackstopState memory state) private pure returns (uint256) {
        return part.claimable + part.entering + part.earning * state.assets / state.shares;
    }

    // -- checking

    function _parts() internal view returns (Part[] memory parts) {
        parts = new Part[](actors.length);
        for (uint256 i; i < actors.length; ++i) {
            BackstopAccount memory a = backstop.backstopAccount(actors[i]);
            parts[i].stake = keccak256(abi.encode(a.shares, a.exitShares, a.entryAssets));
            (parts[i].earning, parts[i].entering) = (a.shares + a.exitShares, a.entryAssets);
            parts[i].waits = a.exitPeriod != 0 || a.entryPeriod != 0;
            parts[i].claimable = a.claimable;
            for (uint256 id; id < 2; ++id) {
                parts[i].collateral[id] = backstop.collateralOf(actors[i], id);
            }
        }
    }

    /// @dev K4 of everybody but `caller`.
    /// @param rounding Units of a collateral that may fall to the others: a claim in kind rounds one off.
    function _checkOthers(Part[] memory before, address caller, uint256 rounding) internal {
        Part[] memory parts = _parts();
        for (uint256 i; i < parts.length; ++i) {
            if (actors[i] == caller) continue;
            _check(_isUntouched(before[i], parts[i], rounding), K.K4);
        }
    }

    function _isUntouched(Part memory before, Part memory part, uint256 rounding) internal pure returns (bool) {
        return part.stake == before.stake && part.claimable == before.claimable
            && _isStill(before.collateral[0], part.collateral[0], rounding)
            && _isStill(before.collateral[1], part.collateral[1], rounding);
    }

    function _isStill(uint256 had, uint256 has, uint256 rounding) internal pure returns (bool) {
        return has >= had && has <= had + rounding;
    }

    function _check(bool holds, string memory property) internal {
        ledger.check(holds, property);
    }

    /// @dev What nothing may refuse was.
    function _refused(bytes32 action, bytes memory answer) internal {
        ledger.failed(action, answer);
        _check(false, K.K6);
    }

    function _count(bytes32 action) internal {
        ledger.succeeded(action);
        ++calls;
    }

    /// @dev The seed depositor, the first, never acts.
    function _actor(uint256 who) internal view returns (address) {
        return actors[1 + who % (actors.length - 1)];
    }
}
