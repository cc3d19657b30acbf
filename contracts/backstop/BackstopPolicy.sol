// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {BreakerLevel} from "../interfaces/ICircuitBreaker.sol";
import {ILiquidationPolicy, LiquidationGrant, LiquidationRequest, Refusal} from "../interfaces/ILiquidationPolicy.sol";
import {LiquidationMath} from "../libraries/LiquidationMath.sol";
import {WAD} from "../types/Constants.sol";

/// @dev What is used of a backstop.
interface IPolicyBackstop {
    function POOL() external view returns (address);
    function absorbable() external view returns (uint256);
}

/// @title A liquidation policy with a backstop before it
/// @notice Answers what the backstop asks, and hands everything else to the policy behind it, any one. A position that is eligible
/// is absorbed at min(2%, b), b being what that policy would pay now: to the target health in the damped zone, the whole debt
/// in the hard zone, without turn, bucket, slice or pause, and without charging them: nothing is sold.
///
/// Priority: while the backstop can take all that a damped position needs, at the whole bonus that the policy behind pays (b at
/// most 2%, of a collateral that may pay more, and no more than that with what the breaker's stress adds for gas), others are refused
/// with `Backstop`. An auction passes 2% after a quarter of its time, and then the position is
/// open to all, so a backstop that nobody calls delays it by five minutes from its flag at the default parameters. The hard
/// zone is never refused.
/// @dev The policy behind runs by delegate call in this contract's storage, of which this contract uses none, and keeps its
/// state by the calling pool as if it were asked itself: its views and events are at this address. Therefore nothing here
/// is `view`, though `quote` writes nothing.
contract BackstopPolicy {
    /// @notice The most that the backstop is paid, WAD.
    uint256 public constant MAX_ABSORPTION_BONUS = 0.02e18;

    /// @notice The policy behind.
    address public immutable BEHIND;
    IPolicyBackstop public immutable BACKSTOP;
    /// @notice HF_t of absorptions, WAD.
    uint256 public immutable ABSORPTION_HEALTH;
    address private immutable POOL;

    /// @dev The position that the backstop is about to absorb: good for one `commit`.
    address private transient _account;
    uint256 private transient _collateralId;

    error NotBackstop(address caller);
    error InvalidAbsorptionHealth(uint256 health);
    error NotAPolicy(address target);

    constructor(address behind, IPolicyBackstop backstop, uint256 absorptionHealth) {
        if (absorptionHealth <= WAD || absorptionHealth > 2 * WAD) revert InvalidAbsorptionHealth(absorptionHealth);
        if (behind.code.length == 0) revert NotAPolicy(behind);
        BEHIND = behind;
        BACKSTOP = backstop;
        ABSORPTION_HEALTH = absorptionHealth;
        POOL = backstop.POOL();
    }

    /// @notice The next `commit` of the pool for this position is the backstop's.
    function openAbsorption(address account, uint256 collateralId) external {
        if (msg.sender != address(BACKSTOP)) revert NotBackstop(msg.sender);
        (_account, _collateralId) = (account, collateralId);
    }

    /// @notice `ILiquidationPolicy.commit`.
    function commit(LiquidationRequest calldata request) external returns (LiquidationGrant memory) {
        if (msg.sender == POOL) {
            if (_account != address(0) && _account == request.account && _collateralId == request.collateralId) {
                _account = address(0);
                return _absorption(POOL, request, request.asked);
            }
            if (_comesFirst(request)) {
                _flag(request);
                return _refused(Refusal.Backstop);
            }
        }
        return _ask(abi.encodeCall(ILiquidationPolicy.commit, (request)));
    }

    /// @notice `ILiquidationPolicy.quote`.
    function quote(address pool, LiquidationRequest calldata request) external returns (LiquidationGrant memory) {
        if (pool == POOL && _comesFirst(request)) return _refused(Refusal.Backstop);
        return _ask(abi.encodeCall(ILiquidationPolicy.quote, (pool, request)));
    }

    /// @notice What `commit` would grant the backstop now.
    function quoteAbsorption(LiquidationRequest calldata request) external returns (LiquidationGrant memory) {
        return _absorption(POOL, request, request.asked);
    }

    fallback() external {
        address target = BEHIND;
        assembly ("memory-safe") {
            calldatacopy(0, 0, calldatasize())
            let success := delegatecall(gas(), target, 0, calldatasize(), 0, 0)
            returndatacopy(0, 0, returndatasize())
            if success { return(0, returndatasize()) }
            revert(0, returndatasize())
        }
    }

    /// @dev Whether the backstop takes all that the position needs, and nobody would be paid more than it for as much, gas included: where
    /// gas is paid for, a caller of `absorb` may not be able to afford it. A flag is never refused:
    /// it takes nothing, and it is what starts the clock that ends the priority. Where the listing allows no more than the
    /// backstop is paid, no clock would end it, and there is none.
    function _comesFirst(LiquidationRequest calldata request) private returns (bool) {
        if (request.asked == 0 || request.maxBonus <= MAX_ABSORPTION_BONUS) return false;
        if (request.healthFast <= request.healthHard || request.healthFast >= WAD) return false;
        uint256 room = BACKSTOP.absorbable();
        if (room == 0) return false;
        uint256 bonus = _bonusNow(POOL, request, request.debt, BreakerLevel.Normal);
        if (bonus == 0 || bonus > MAX_ABSORPTION_BONUS) return false;
        LiquidationGrant memory most = _granted(request, bonus, request.debt);
        if (most.refusal != Refusal.None || most.repay > room) return false;
        if (request.breaker == BreakerLevel.Normal) return true;
        return _bonusNow(POOL, request, most.repay, request.breaker) <= MAX_ABSORPTION_BONUS;
    }

    function _absorption(address pool, LiquidationRequest calldata request, uint256 room)
        private
        returns (LiquidationGrant memory)
    {
        if (request.healthFast >= WAD) return _refused(Refusal.Healthy);
        uint256 bonus = _bonusNow(pool, request, request.debt, BreakerLevel.Normal);
        bonus = FixedPointMathLib.min(bonus, MAX_ABSORPTION_BONUS);
        return _granted(request, bonus, room);
    }

    /// @dev Size and seizure at `bonus`, at most `room`. A position that does not pay the whole bonus is left to settlement.
    function _granted(LiquidationRequest calldata request, uint256 bonus, uint256 room)
        private
        view
        returns (LiquidationGrant memory)
    {
        bool hard = request.healthFast <= request.healthHard;
        if (!hard && request.healthConfirmed >= WAD) return _refused(Refusal.Unconfirmed);
        if (bonus == 0) return _refused(Refusal.ZeroAmount);
        uint256 multiplier = WAD + bonus;
        if (
            request.collateralValue < FixedPointMathLib.fullMulDivUp(request.debt, multiplier, WAD)
                || (!hard
                    && FixedPointMathLib.fullMulDivUp(multiplier, request.liquidationThreshold, WAD)
                        >= request.healthFast)
        ) return _refused(Refusal.WrongCollateral);

        uint256 target = hard
            ? request.debt
            : LiquidationMath.targetRepayUp(
                request.debt, request.healthFast, ABSORPTION_HEALTH, multiplier, request.liquidationThreshold
            );
        uint256 repay = FixedPointMathLib.min(room, target);
        repay = LiquidationMath.withoutDustLeft(repay, request.debt, request.minDebt, hard);
        // Room for less than the debt, and dust would be left: then more is left.
        if (repay > room) repay = FixedPointMathLib.zeroFloorSub(request.debt, request.minDebt);
        if (repay > room) repay = 0;
        uint256 seize;
        (repay, seize) = LiquidationMath.seizeDown(repay, multiplier, request.price, request.collateral);
        if (seize == 0) return _refused(Refusal.ZeroAmount);
        return LiquidationGrant(repay, seize, bonus, Refusal.None);
    }

    /// @dev What the policy behind would pay for `asked` at that level of the breaker if nothing dampened it (as in the hard zone) and
    /// solvency did not cap it. 0 if it would grant nothing. For the whole debt and without stress, where no gas is due, it is b.
    function _bonusNow(address pool, LiquidationRequest calldata request, uint256 asked, BreakerLevel breaker)
        private
        returns (uint256)
    {
        LiquidationRequest memory probe = request;
        probe.asked = asked;
        probe.healthHard = WAD;
        probe.collateralValue = type(uint128).max;
        probe.breaker = breaker;
        LiquidationGrant memory grant = _ask(abi.encodeCall(ILiquidationPolicy.quote, (pool, probe)));
        return grant.refusal == Refusal.None ? grant.bonus : 0;
    }

    /// @dev Starts the clocks of the policy behind, as its own refusal would: a batch goes on after it.
    function _flag(LiquidationRequest calldata request) private {
        LiquidationRequest memory flagged = request;
        flagged.asked = 0;
        _ask(abi.encodeCall(ILiquidationPolicy.commit, (flagged)));
    }

    function _ask(bytes memory call) private returns (LiquidationGrant memory) {
        (bool success, bytes memory answer) = BEHIND.delegatecall(call);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
        return abi.decode(answer, (LiquidationGrant));
    }

    function _refused(Refusal refusal) private pure returns (LiquidationGrant memory) {
        return LiquidationGrant(0, 0, 0, refusal);
    }
}
