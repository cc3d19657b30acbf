// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Defaults} from "../../script/Defaults.sol";
import {AdversaryFixture} from "./AdversaryFixture.sol";

/// @dev A borrower splits his debt into positions so small that their liquidation does not pay for its gas: while gas is dear nobody
/// sells them, and if the price falls far enough he leaves them to the lenders. A put option for the gas of opening them.
contract DustPositionsTest is AdversaryFixture {
    /// @dev The default minimum.
    uint256 private constant MIN_DEBT = 100e18;
    /// @dev Gas of a transaction beside its calls.
    uint256 private constant INTRINSIC = 21_000;

    /// Opened at 1 gwei and left at -30%. It pays, if gas is dear from the fall of 20% on: the bound is the base fee up to which a
    /// keeper still earns by a position of the minimum debt.
    function test_dust_IsAPutWhileGasIsDear() public {
        uint256 gas = gasleft();
        _openFor(borrower, MIN_DEBT / 1600, MIN_DEBT);
        uint256 cost = _gasCost(gas - gasleft() + INTRINSIC, FAIR);
        _fallTo(1400);
        uint256 gain = lending.debtOf(borrower) - MIN_DEBT / 1600 * 1400;
        _report("a debt of 100 left at -30%", cost, gain);
        assertGt(gain, cost);
        assertLt(gain, MIN_DEBT / 8 + WAD);
    }

    /// At HF 0.905 and the end of the auction, sold on the venue: up to about 7 gwei.
    function test_dust_KeepersActUpToSevenGwei() public {
        uint256 fee = _highestFee(MIN_DEBT);
        _figure("a debt of 100 is liquidated up to this many gwei", fee * 1e9);
        assertGt(fee, 6 gwei);
        assertLt(fee, 9 gwei);
    }

    /// The minimum binds who borrows. Who has borrowed repays half of it and takes the collateral of that half out, in the same transaction:
    /// what is left is half of a put, and is liquidated up to half of the base fee. So nothing but the borrow cap bounds debts below it.
    function test_dust_RepayingDownLeavesLessThanTheMinimum() public {
        uint256 owed = MIN_DEBT / 2;
        uint256 gas = gasleft();
        _openDown(owed, MIN_DEBT / 1600);
        uint256 cost = _gasCost(gas - gasleft() + INTRINSIC, FAIR);
        uint256 held = lending.collateralOf(borrower, 0);
        _fallTo(1400);
        uint256 gain = lending.debtOf(borrower) - held * 1400;
        _report("a debt of 50 that was 100, left at -30%", cost, gain);
        assertGt(gain, cost);
        assertLt(gain, owed / 8 + WAD);
    }

    /// Half of what the minimum lasts to.
    function test_dust_KeepersActOnWhatIsLeftUpToFourGwei() public {
        _openDown(MIN_DEBT / 2, MIN_DEBT / 1550);
        uint256 fee = _highestFeeOfTheOpen();
        _figure("a debt of 50 is liquidated up to this many gwei", fee * 1e9);
        assertLt(fee, 4 gwei);
    }

    /// What is for who borrows in good faith: the minimum debt in proportion to the base fee in which keepers must still act.
    function test_dust_AMinimumDebtOf2000LastsTo100Gwei() public {
        uint256 fee = _highestFee(20 * MIN_DEBT);
        _figure("a debt of 2,000 is liquidated up to this many gwei", fee * 1e9);
        assertGt(fee, 100 gwei);
    }

    /// @dev The base fee, wei, at which a keeper's profit on `owed` is what the bonus counts as the gas of it.
    function _highestFee(uint256 owed) private returns (uint256) {
        // HF = 0.83 * 1,690 / 1,550 = 0.905
        _openFor(borrower, owed / 1550, owed);
        return _highestFeeOfTheOpen();
    }

    /// @dev A debt of the minimum and its collateral, and of both the same part taken back.
    function _openDown(uint256 owed, uint256 collateralAmount) private {
        _openFor(borrower, collateralAmount, MIN_DEBT);
        vm.startPrank(borrower);
        lending.repay(MIN_DEBT - owed, borrower, "");
        lending.withdrawCollateral(0, collateralAmount * (MIN_DEBT - owed) / MIN_DEBT, borrower, borrower);
        vm.stopPrank();
    }

    function _highestFeeOfTheOpen() private returns (uint256) {
        _fallTo(1690);
        lending.flag(borrower, 0);
        _pass(20 minutes);
        _setFeed(1690e8);
        vm.prank(attacker);
        uint256 profit = liquidator.liquidate(borrower, type(uint256).max, 1);
        return profit / (Defaults.LIQUIDATION_GAS * 1690);
    }
}
