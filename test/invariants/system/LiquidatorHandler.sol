// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {
    AccountHealth,
    ILendingPoolCore,
    LiquidationCall,
    LiquidationResult
} from "../../../contracts/interfaces/ILendingPool.sol";
import {BreakerLevel, ICircuitBreaker} from "../../../contracts/interfaces/ICircuitBreaker.sol";
import {LiquidationGrant, Refusal} from "../../../contracts/interfaces/ILiquidationPolicy.sol";
import {IPriceOracle} from "../../../contracts/interfaces/IPriceOracle.sol";
import {PoolClosing} from "../../../contracts/lending/PoolClosing.sol";
import {Bucket} from "../../../contracts/libraries/VolumeBucket.sol";
import {DampedPolicy} from "../../../contracts/liquidation/DampedPolicy.sol";
import {PoolSpec as S} from "../PoolSpec.sol";
import {CampaignLedger} from "./CampaignLedger.sol";
import {SystemBooks} from "./SystemBooks.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {SystemWorld} from "./SystemWorld.sol";

/// @notice Liquidators under the three policies (P2, P3, P4, D2), and what only the damped one promises (D1, D3 to D7).
contract LiquidatorHandler is SystemHandler {
    /// @dev What was so before a liquidation of which `asked` was asked.
    struct Before {
        AccountHealth health;
        uint256 asked;
        LiquidationGrant grant;
        BreakerLevel level;
        Bucket bucket;
    }

    /// @dev The damped policy's target, and what rounding and dust may add to it.
    uint256 private constant TARGET_HEALTH = 1.05e18;
    uint256 private constant HEALTH_ROUNDING = 0.001e18;

    /// @dev Of the average depth, what a damped call leaves in the bucket.
    uint256 private constant RESERVE_PERCENT = 60;

    /// @dev Within which any turn comes: twice four epochs of a minute, at a floor of a quarter.
    uint256 private constant LONGEST_WAIT = 8;

    /// @dev Epochs in which a keeper comes back.
    uint256 private constant ROUNDS = 16;

    constructor(SystemBooks books, SystemWorld world, CampaignLedger ledger) SystemHandler(books, world, ledger) {
        ledger.declare("liquidate rigid", 40);
        ledger.declare("liquidate to target", 30);
        ledger.declare("liquidate damped", 25);
        ledger.declare("liquidate hard", 40);
        ledger.declare("liquidate batch", 40);
        ledger.declare("flag", 30);
        ledger.declare("healthy, not liquidated", 30);
        ledger.declare("healthy, not flagged", 10);
        ledger.declare("LTV lowered", 15);
        ledger.declare("turn waited for", world.withTurns() ? 25 : 0);
        ledger.declare("open position", 0);
    }

    function selectors() external pure override returns (bytes4[] memory list) {
        list = new bytes4[](6);
        (list[0], list[1], list[2]) =
        (this.liquidateRigid.selector, this.liquidateToTarget.selector, this.liquidateDamped.selector);
        (list[3], list[4], list[5]) = (this.liquidateHard.selector, this.liquidateBatch.selector, this.flag.selector);
    }

    function liquidateRigid(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = world.RIGID();
        _liquidate("liquidate rigid", p, _chosen(p, a, b, _bound(c, 0.75e18, 0.999e18), 4), b, c);
    }

    function liquidateToTarget(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = world.TARGET();
        _liquidate("liquidate to target", p, _chosen(p, a, b, _bound(c, 0.75e18, 0.999e18), 4), b, c);
    }

    /// @dev Between the hard zone (0.8715) and what the band lets be confirmed. Where there are turns, again in every epoch for a while: the bucket is
    /// soon empty then, and the next turn has to be waited for.
    function liquidateDamped(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = world.DAMPED();
        address account = _chosen(p, a, b, _bound(c, 0.875e18, 0.975e18), 4);
        uint256 rounds = world.withTurns() ? ROUNDS : 1;
        uint256 waited;
        for (uint256 i; i < rounds && account != address(0); ++i) {
            Refusal refusal = _liquidate("liquidate damped", p, account, b, c);
            bool waits = refusal == Refusal.Turn;
            if (waits) ledger.succeeded("turn waited for");
            waited = waits ? waited + 1 : 0;
            _check(waited < LONGEST_WAIT, S.D7);
            if (!waits && _health(p, account).healthFast >= 1e18) return;
            world.pass(1 minutes);
            world.refresh();
        }
    }

    function liquidateHard(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = world.DAMPED();
        _liquidate("liquidate hard", p, _chosen(p, a, b, _bound(c, 0.75e18, 0.871e18), 4), b, c);
    }

    function liquidateBatch(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = a % 3;
        if (_squeezed(p, a / 3, _bound(c, 0.75e18, 0.999e18)) == address(0)) return;
        LiquidationCall[] memory calls = new LiquidationCall[](6);
        AccountHealth[6] memory before;
        for (uint256 i; i < 6; ++i) {
            address account = world.account(p, a / 3 % 5 + i); // one of them twice
            before[i] = _health(p, account);
            calls[i] = LiquidationCall(account, _heldFrom(p, account, c), _bound(b, 1, 2 * before[i].debt + 1));
        }
        world.mint(p, world.keeper(), 2 * _pool(p).marketState().totalDebt + 10);
        bytes memory data = abi.encodeCall(ILendingPoolCore.liquidateBatch, (calls, ""));
        (bool success, bytes memory answer) = _attempt("liquidate batch", p, world.keeper(), data);
        if (!success) return;
        LiquidationResult[] memory results = abi.decode(answer, (LiquidationResult[]));
        for (uint256 i; i < 6; ++i) {
            if (results[i].repaid == 0) continue;
            _check(before[i].healthFast < 1e18, S.P4);
            _checkBonus(p, calls[i].collateralId, results[i]);
        }
    }

    function flag(uint256 a, uint256 b, uint256 c) external counted {
        uint256 p = world.DAMPED();
        address account = _chosen(p, a, b, _bound(c, 0.85e18, 0.999e18), 2);
        if (account == address(0)) return;
        AccountHealth memory before = _health(p, account);
        bytes memory data = abi.encodeCall(ILendingPoolCore.flag, (account, _heldFrom(p, account, c)));
        (bool success, bytes memory answer) = _attempt("flag", p, world.keeper(), data);
        _check(!success || before.healthFast < 1e18, S.P4);
        if (!success && _refusalOf(answer) == Refusal.Healthy) ledger.succeeded("healthy, not flagged");
    }

    /// @dev Somebody to take on: squeezed to a health factor of `target`, or one time in `n` a borrower as he is, because that
    /// nobody healthy is touched (P4) is shown only by trying.
    function _chosen(uint256 p, uint256 a, uint256 b, uint256 target, uint256 n) private returns (address) {
        if (uint256(keccak256(abi.encode(a, b, target))) % n == 0) return _borrowerFrom(p, a);
        return _squeezed(p, a, target);
    }

    /// @dev One call in two offers more than is owed.
    function _liquidate(bytes32 action, uint256 p, address account, uint256 b, uint256 c)
        private
        returns (Refusal refusal)
    {
        if (account == address(0)) return Refusal.NotHeld;
        uint256 id = _heldFrom(p, account, c);
        Before memory before = _before(p, account, id, b);
        world.mint(p, world.keeper(), before.health.debt);
        bytes memory data = abi.encodeCall(ILendingPoolCore.liquidate, (account, id, before.asked, ""));
        (bool success, bytes memory answer) = _attempt(action, p, world.keeper(), data);
        // Where the call itself trips the breaker, the policy was asked at another level than it was told.
        bool asked = before.level == _levelOf(p);
        if (success) {
            LiquidationResult memory result = abi.decode(answer, (LiquidationResult));
            _check(!asked || (result.repaid == before.grant.repay && result.seized == before.grant.seize), S.D2);
            _checkResult(p, account, id, before.health, result);
            if (p == world.DAMPED()) _checkDamped(account, id, before, result.repaid);
        } else {
            refusal = _checkRefused(p, id, before, answer);
        }
    }

    /// @dev D1, and D2 of what failed. A call that trips the breaker and is refused undoes the trip: what it was told is not known.
    function _checkRefused(uint256 p, uint256 id, Before memory before, bytes memory answer)
        private
        returns (Refusal refusal)
    {
        refusal = _refusalOf(answer);
        if (refusal == Refusal.Healthy) ledger.succeeded("healthy, not liquidated");
        bool held = refusal == Refusal.Turn || refusal == Refusal.Bucket || refusal == Refusal.Slice
            || refusal == Refusal.Paused || refusal == Refusal.Unconfirmed;
        _check(!held || before.health.healthFast > before.health.healthHard, S.D1);
        Refusal quoted = before.grant.refusal;
        if (refusal == Refusal.Paused || quoted == Refusal.Paused || refusal == quoted && refusal != Refusal.None) {
            return refusal;
        }
        // Granted and not done: for want of an honest token alone.
        bool honest = id == 3 || world.isHonest(world.collateralOf(p, id));
        _check(refusal == quoted && !honest, S.D2);
    }

    function _before(uint256 p, address account, uint256 id, uint256 b) private view returns (Before memory before) {
        before.health = _health(p, account);
        before.asked = b % 2 == 0 ? type(uint256).max : _bound(b, 1, before.health.debt);
        (, before.grant) = _pool(p).quoteLiquidation(account, id, before.asked);
        before.level = _levelOf(p);
        before.bucket = _bucketOf(p, id);
    }

    /// @dev Values are those of three collaterals, each rounded down: up to three units off, and two of debt.
    function _checkResult(
        uint256 p,
        address account,
        uint256 id,
        AccountHealth memory before,
        LiquidationResult memory result
    ) private {
        _check(before.healthFast < 1e18, S.P4);
        _checkBonus(p, id, result);
        AccountHealth memory left = _health(p, account);
        bool covered = before.collateralValue * 10_000 >= before.debt * 10_500;
        if ((covered || p == world.DAMPED()) && before.collateralValue >= before.debt && left.debt > 2) {
            _check((left.collateralValue + 4) * before.debt >= before.collateralValue * (left.debt - 2), S.P3);
        }
    }

    function _checkBonus(uint256 p, uint256 id, LiquidationResult memory result) private {
        uint256 price = IPriceOracle(world.system(p).oracles[id]).peek().fast;
        _check(result.seized * price / 1e36 * 10_000 <= (result.repaid + 1) * 10_500 + 10_000, S.P2);
    }

    /// @dev D3 where rounding cannot hide it; D5 but for dust, which is taken with the rest.
    function _checkDamped(address account, uint256 id, Before memory before, uint256 repaid) private {
        uint256 p = world.DAMPED();
        AccountHealth memory left = _health(p, account);
        uint256 minimum = _pool(p).minDebt();
        _check(left.debt <= minimum + 1 || left.healthFast <= TARGET_HEALTH + HEALTH_ROUNDING, S.D4);
        Bucket memory bucket = _bucketOf(p, id);
        if (before.health.healthFast <= before.health.healthHard) {
            _check(keccak256(abi.encode(bucket)) == keccak256(abi.encode(before.bucket)), S.D6);
            bool whole = left.debt == 0 || _pool(p).collateralOf(account, id) == 0;
            bool lifted = left.healthFast >= TARGET_HEALTH - HEALTH_ROUNDING;
            _check(before.asked < before.health.debt || whole || lifted, S.D1);
            return;
        }
        if (repaid >= 1000 && left.debt != 0) {
            ledger.succeeded("LTV lowered");
            // The value is rounded down: just above the hard zone, where the whole bonus is all that there is beyond the debt, a unit decides.
            _check((left.collateralValue + 1) * before.health.debt > before.health.collateralValue * left.debt, S.D3);
        }
        // The bucket of the campaign with turns has no reserve.
        bool reserved = uint256(bucket.level) + minimum >= uint256(bucket.depth) * RESERVE_PERCENT / 100;
        _check(world.withTurns() || reserved, S.D5);
    }

    function _levelOf(uint256 p) private view returns (BreakerLevel) {
        return ICircuitBreaker(world.system(p).breaker).levelOf(address(_pool(p)));
    }

    /// @dev As stored; empty for policies without buckets.
    function _bucketOf(uint256 p, uint256 id) private view returns (Bucket memory bucket) {
        if (p != world.DAMPED()) return bucket;
        return DampedPolicy(world.system(p).policy).storedBucket(address(_pool(p)), id);
    }

    /// @dev `None` of what failed otherwise.
    function _refusalOf(bytes memory answer) private pure returns (Refusal refusal) {
        if (bytes4(answer) != PoolClosing.NotLiquidatable.selector) return Refusal.None;
        // selector, account, refusal
        assembly ("memory-safe") {
            refusal := mload(add(answer, 68))
        }
    }
}
