// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {CircuitBreaker} from "../../contracts/breaker/CircuitBreaker.sol";
import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {LiquidationGrant, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {SystemPlan} from "../../script/SystemPlan.sol";
import {AdversaryFixture, Sold} from "./AdversaryFixture.sol";

/// @dev Somebody fills blocks until the base fee pauses the pool, to hold back liquidations. As in `CircuitBreakerAttack.t.sol`,
/// everything is in his favour: demand does not react, so he burns only the gas above the target and only while the fee rises.
contract BaseFeeSpamTest is AdversaryFixture {
    uint256 private constant GAS_TARGET = 18_000_000;
    uint256 private constant PAUSE = 3 minutes;

    CircuitBreaker private breaker;

    /// @dev By default nothing waits for a pause, and the first attack has no object: here the policy obeys it.
    function _plan(SystemPlan memory plan) internal pure override returns (SystemPlan memory) {
        plan.policy.damped.obeysPause = true;
        return plan;
    }

    function setUp() public override {
        super.setUp();
        breaker = CircuitBreaker(system.breaker);
        _openFor(borrower, 400e18, 620_000e18);
    }

    /// A pause of three minutes is worth an option on all that the bucket would have passed in it. From a calm market.
    function test_spamToPause_CostsMoreThanAPauseEarns() public {
        uint256 cheapest = _cheapest(1 gwei);
        _report("base fee spam to pause, from a day's fee", cheapest, _gain());
        assertGt(cheapest, _gain());
        // The bound: the floor of 20 gwei pays for a venue this deep, within 2%. Deeper ones need a higher floor.
        uint256 deepest = cheapest * WAD / _delayValue(275 * WAD / 100, PAUSE);
        _figure("deepest venue that the fee floor covers", deepest);
        assertGt(deepest, 15 * _depth());
    }

    /// Where the base fee has risen to 19 times the day's by itself, little is left to pay for: a block. That is still more than the
    /// pause earns at this depth; a deeper venue's pause would then earn more than it costs.
    function test_spamToPause_OnTopOfANaturalRise() public {
        uint256 cheapest = _cheapest(19 gwei);
        _report("base fee spam to pause, from 19 gwei", cheapest, _gain());
        assertGt(cheapest, _gain());
        uint256 deepest = cheapest * WAD / _delayValue(275 * WAD / 100, PAUSE);
        _figure("deepest venue that one block at the floor covers", deepest);
        assertGt(deepest, _depth());
    }

    function _cheapest(uint64 fee) private returns (uint256 cheapest) {
        _fallTo(1830);
        cheapest = type(uint256).max;
        uint16[4] memory heights = [uint16(100), 103, 130, 200];
        for (uint256 k; k < heights.length; ++k) {
            uint256 state = vm.snapshotState();
            uint256 cost = _spam(fee, heights[k]);
            if (cost < cheapest) cheapest = cost;
            assertEq(uint256(_refusal(borrower)), uint256(Refusal.Paused), "not held back");
            vm.revertToState(state);
        }
    }

    /// What is in the hard zone is sold during the pause.
    function test_spamToPause_HoldsNothingInTheHardZone() public {
        _fallTo(1830);
        _spam(1 gwei, 103);
        _fallIntoTheHardZone(borrower);
        assertEq(uint256(breaker.levelOf(system.pool)), uint256(BreakerLevel.Paused));
        assertTrue(_sell(borrower, 0, Sold(0, 0, 0)));
        assertGe(lending.accountHealth(borrower).healthFast, 1.049e18);
    }

    /// A stressed market pays liquidators' gas out of the bonus. What an account pays above the gas that is used is so little that
    /// hundreds of accounts would have to be liquidated to pay for the spam.
    function test_spamForTheGasBonus_NeedsHundredsOfAccounts() public {
        _fallTo(1830);
        uint256 cost = _spam(1 gwei, 103);
        _fallIntoTheHardZone(borrower);
        (, LiquidationGrant memory grant) = lending.quoteLiquidation(borrower, 0, type(uint256).max);
        uint256 paid = grant.repay * (grant.bonus - 0.01e18) / WAD;
        assertGt(paid, 0, "no gas is paid");
        uint256 gas = gasleft();
        vm.prank(attacker);
        lending.liquidate(borrower, 0, type(uint256).max, "");
        uint256 spent = _gasCost(gas - gasleft(), 1620e18);
        uint256 gain = paid > spent ? paid - spent : 0;
        _report("base fee spam for the gas bonus, one account", cost, gain);
        assertGt(cost, 100 * gain);
    }

    /// @dev A full bucket of two depths, and three quarters of one that are refilled meanwhile.
    function _gain() private view returns (uint256) {
        return _delayValue(_depth() * 275 / 100, PAUSE);
    }

    function _depth() private view returns (uint256) {
        return _bucketVolume() * 10 / 14;
    }

    /// @dev Gas burned until the pool is paused, in debt tokens.
    function _spam(uint256 fee, uint256 height) private returns (uint256 cost) {
        vm.fee(fee);
        breaker.poke(system.pool);
        for (uint256 i; i < 1000; ++i) {
            uint256 limit = uint256(breaker.conditionsOf(system.pool).longFee) * 8;
            uint256 floor = breaker.thresholds().feeFloor;
            if (limit < floor) limit = floor;
            if (fee * 100 < limit * height) {
                cost += GAS_TARGET * fee * 1830;
                fee = fee * 9 / 8;
            }
            _nextBlock();
            vm.fee(fee);
            if (breaker.poke(system.pool) == BreakerLevel.Paused) return cost;
        }
        revert("never paused");
    }
}
