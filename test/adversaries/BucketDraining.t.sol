// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {LiquidationGrant, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {SystemPlan} from "../../script/SystemPlan.sol";
import {AdversaryFixture, Sold} from "./AdversaryFixture.sol";

/// @dev A borrower liquidates a position of his own, so that the bucket is empty when his other one breaks. That one is then sold
/// later, and less of it: what the refill passes lifts it above 1 before more can be sold. What he gains is the bonus that he does
/// not pay, all of it counted, and the delay.
abstract contract BucketDraining is AdversaryFixture {
    uint256 internal constant OWED = 387_500e18;

    address internal decoy = makeAddr("decoy");
    address internal main = makeAddr("main");

    function setUp() public override {
        super.setUp();
        _openFor(decoy, 250e18, OWED);
        _openFor(main, 250e18, OWED);
        _fallTo(1830);
    }

    /// With borrowed money he must sell on the venue what he takes from himself: its fee and slippage cost more than he saves.
    function test_drainWithALoan_CostsMoreThanItSaves() public {
        Sold memory usual = _usual();
        uint256 before = _decoyWorth();
        vm.prank(attacker);
        LiquidationResult memory drained = lending.liquidate(decoy, 0, type(uint256).max, "");
        (, int256 received) = pool.swap(address(this), collateralIsToken0, int256(drained.seized), _root(1e36), "");
        _arbitrage(1830e18);
        uint256 cost = before + drained.repaid - _decoyWorth() - uint256(-received);
        uint256 gain = _saved(usual, _sellMain());
        _report("drain the bucket with a loan", cost, gain);
        assertGt(cost, gain);
    }

    /// With capital it costs gas, and saves some of the bonus, at most all that the bucket would have passed would have paid. But
    /// a ninth of that capital, repaid, saves all of it: draining is the worse use.
    function test_drainWithCapital_IsWorseThanRepaying() public {
        Sold memory usual = _usual();
        uint256 state = vm.snapshotState();
        uint256 gas = gasleft();
        vm.prank(attacker);
        LiquidationResult memory drained = lending.liquidate(decoy, 0, type(uint256).max, "");
        uint256 cost = _gasCost(gas - gasleft(), 1830e18);
        assertTrue(_drained(), "not drained");
        uint256 gain = _saved(usual, _sellMain());
        _report(string.concat("drain the bucket with a capital of ", _text(drained.repaid)), cost, gain);
        assertGt(gain, cost);
        assertLt(gain, usual.bonus);
        vm.revertToState(state);

        uint256 repaid = drained.repaid / 9;
        vm.prank(attacker);
        lending.repay(repaid, main, "");
        assertGe(lending.accountHealth(main).healthFast, WAD);
        _figure(string.concat("a repayment of ", _text(repaid), " instead saves"), usual.bonus);
    }

    /// What is in the hard zone is sold at once, whatever the bucket holds.
    function test_drain_HoldsNothingInTheHardZone() public {
        vm.prank(attacker);
        lending.liquidate(decoy, 0, type(uint256).max, "");
        assertTrue(_drained(), "not drained");
        _fallIntoTheHardZone(main);
        assertTrue(_sell(main, 0, Sold(0, 0, 0)));
        assertGe(lending.accountHealth(main).healthFast, 1.049e18);
    }

    /// @dev Whether less of the other position can be sold than restores it.
    function _drained() internal view virtual returns (bool);

    function _usual() private returns (Sold memory usual) {
        uint256 state = vm.snapshotState();
        usual = _sellMain();
        vm.revertToState(state);
    }

    function _saved(Sold memory usual, Sold memory slow) private pure returns (uint256) {
        return usual.bonus - slow.bonus + slow.delayValue - usual.delayValue;
    }

    function _decoyWorth() private view returns (uint256) {
        return lending.collateralOf(decoy, 0) * 1830 - lending.debtOf(decoy);
    }

    function _sellMain() private returns (Sold memory sold) {
        uint256 start = vm.getBlockTimestamp();
        vm.prank(keeper);
        lending.flag(main, 0);
        while (lending.accountHealth(main).healthFast < WAD) {
            _sell(main, vm.getBlockTimestamp() - start, sold);
            _nextBlock();
        }
    }
}

/// @dev By default there are no turns: what is left in the bucket is there for whoever comes, and is less than the position needs.
contract BucketDrainingTest is BucketDraining {
    function _drained() internal view override returns (bool) {
        (, LiquidationGrant memory grant) = lending.quoteLiquidation(main, 0, type(uint256).max);
        // h = 1.05: (1.05 - 0.97994) D / (1.05 - 0.83 (1 + b)) is a third of D.
        return grant.refusal == Refusal.None && grant.repay < OWED / 4;
    }
}

/// @dev With turns it is also the chance of being sold at all.
contract BucketDrainingWithTurnsTest is BucketDraining {
    function _plan(SystemPlan memory plan) internal pure override returns (SystemPlan memory) {
        plan.policy.damped.turnMode = TurnMode.Systematic;
        return plan;
    }

    function _drained() internal view override returns (bool) {
        return _refusal(main) == Refusal.Bucket || _refusal(main) == Refusal.Turn;
    }
}
