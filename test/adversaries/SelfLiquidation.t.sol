// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {PoolSettlement} from "../../contracts/lending/PoolSettlement.sol";
import {AdversaryFixture} from "./AdversaryFixture.sol";

/// @dev A borrower liquidates himself from a second account, to earn the bonus.
contract SelfLiquidationTest is AdversaryFixture {
    uint256 private constant HELD = 100e18;
    uint256 private constant OWED = 155_000e18;

    /// The bonus is his own collateral: through the damped and the hard zone he gains nothing, and pays the gas.
    function test_selfLiquidate_GainsNothing() public {
        _openFor(borrower, HELD, OWED);
        uint256[5] memory prices = [uint256(1860), 1830, 1750, 1690, 1610];
        for (uint256 i; i < prices.length; ++i) {
            uint256 state = vm.snapshotState();
            _fallTo(prices[i]);
            uint256 price = prices[i] * WAD;
            uint256 before = _wealth(price);
            uint256 gas = gasleft();
            vm.prank(attacker);
            LiquidationResult memory result = lending.liquidate(borrower, 0, type(uint256).max, "");
            uint256 cost = _gasCost(gas - gasleft(), price);
            assertGt(result.repaid, 0);
            uint256 afterwards = _wealth(price);
            uint256 gain = afterwards > before ? afterwards - before : 0;
            _report(string.concat("self-liquidation at ", vm.toString(prices[i])), cost, gain);
            assertLe(gain, 1, "more than a base unit");
            assertGt(cost, gain);
            vm.revertToState(state);
        }
    }

    /// Once a position is insolvent (C < 1.03 D) whoever settles it is paid 3% of the collateral, its owner too. He gains what his
    /// lenders lose to any settler: at most 3 / 1.03 of the debt, and only where the price has fallen 14.5% below the point of
    /// liquidation with nobody acting.
    function test_selfSettle_GainIsTheSettlementBonus() public {
        _openFor(borrower, HELD, OWED);
        uint256[4] memory prices = [uint256(1590), 1550, 1500, 1300];
        for (uint256 i; i < prices.length; ++i) {
            uint256 state = vm.snapshotState();
            _fallTo(prices[i]);
            uint256 price = prices[i] * WAD;
            vm.prank(keeper);
            lending.settle(borrower, "");
            uint256 others = lending.marketState().lenderAssets;
            vm.revertToState(state);

            _fallTo(prices[i]);
            uint256 before = _wealth(price);
            uint256 gas = gasleft();
            vm.prank(attacker);
            lending.settle(borrower, "");
            uint256 cost = _gasCost(gas - gasleft(), price);
            uint256 gain = _wealth(price) - before;
            _report(string.concat("self-settlement at ", vm.toString(prices[i])), cost, gain);
            assertLe(gain, OWED * 3 / 103 + WAD, "more than the settlement bonus");
            assertEq(lending.marketState().lenderAssets, others, "lenders lose otherwise");
            vm.revertToState(state);
        }
    }

    /// Above the edge there is nothing to settle: C = 1.03 D at 1,596.5.
    function test_RevertWhen_selfSettle_AboveTheEdge() public {
        _openFor(borrower, HELD, OWED);
        _fallTo(1597);
        vm.prank(attacker);
        vm.expectPartialRevert(PoolSettlement.NotInsolvent.selector);
        lending.settle(borrower, "");
    }

    /// @dev Of both accounts at `price`. What is owed beyond the collateral is not his loss: he can leave it.
    function _wealth(uint256 price) private view returns (uint256) {
        uint256 held = lending.collateralOf(borrower, 0) * price / WAD;
        uint256 owed = lending.debtOf(borrower);
        uint256 position = held > owed ? held - owed : 0;
        return position + debt.balanceOf(attacker) + collateral.balanceOf(attacker) * price / WAD;
    }
}
