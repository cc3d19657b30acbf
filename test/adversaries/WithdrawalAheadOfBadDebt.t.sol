// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {PoolSettlement} from "../../contracts/lending/PoolSettlement.sol";
import {AdversaryFixture} from "./AdversaryFixture.sol";

/// @dev A lender sees a loss that is not on the books yet and leaves with his money: the others bear his part.
contract WithdrawalAheadOfBadDebtTest is AdversaryFixture {
    uint256 private constant SHARE = 1_000_000e18;

    IERC4626 private vault;
    address[4] private accounts;

    function setUp() public override {
        super.setUp();
        vault = IERC4626(system.pool);
        vm.prank(attacker);
        vault.deposit(SHARE, attacker);
        for (uint256 i; i < accounts.length; ++i) {
            accounts[i] = makeAddr(string.concat("account", vm.toString(i)));
            // HF = 0.83 / 0.775 = 1.071
            _openFor(accounts[i], 125e18, 193_750e18);
        }
    }

    /// A jump of 30% in one round of the feed. In the block of that round he withdraws, settles what is insolvent and lends again: he
    /// saves his part of the loss for the price of gas. This attack pays, and nothing in the pool prevents it.
    function test_leaveBeforeSettlement_GainIsHisPartOfTheLoss() public {
        _setFeed(1400e8);
        uint256 state = vm.snapshotState();
        uint256 before = vault.totalAssets();
        _settleAll(keeper);
        uint256 loss = before - vault.totalAssets();
        uint256 stayed = vault.maxWithdraw(attacker);
        vm.revertToState(state);

        uint256 gas = gasleft();
        vm.startPrank(attacker);
        uint256 left = vault.redeem(vault.balanceOf(attacker), attacker, attacker);
        vm.stopPrank();
        uint256 cost = _gasCost(gas - gasleft(), 1400e18);
        _settleAll(keeper);
        uint256 gain = left - stayed;
        _report(string.concat("leave before a loss of ", _text(loss)), cost, gain);
        assertGt(gain, cost);
        // Never more than his part: one sixth.
        assertApproxEqRel(gain, loss / 6, 0.001e18);
        // The others bear the whole loss.
        assertApproxEqRel(5_000_000e18 - vault.previewRedeem(vault.balanceOf(lender)), loss, 0.01e18);
    }

    /// Once it is settled, by anybody, there is nothing left to avoid.
    function test_leaveAfterSettlement_GainsNothing() public {
        _setFeed(1400e8);
        _settleAll(keeper);
        uint256 stayed = vault.previewRedeem(vault.balanceOf(attacker));
        vm.startPrank(attacker);
        uint256 left = vault.redeem(vault.balanceOf(attacker), attacker, attacker);
        vm.stopPrank();
        _report("leave after settlement", 0, left - stayed);
        assertEq(left, stayed);
    }

    /// He can take no more than the cash: what is lent out stays and bears its part.
    function test_leaveBeforeSettlement_TakesTheCashAtMost() public {
        address taker = makeAddr("taker");
        uint256 cash = debt.balanceOf(system.pool) - SHARE / 10;
        _openFor(taker, cash / 1000, cash);
        _setFeed(1400e8);
        assertEq(vault.maxWithdraw(attacker), SHARE / 10);
        vm.prank(attacker);
        vm.expectRevert();
        vault.withdraw(SHARE / 10 + 1, attacker, attacker);
    }

    /// The bound on the jump: a position at a health factor of 1 hides no loss until the price has fallen by another
    /// 1 - 1.03 * 0.83 = 14.51%, and one at the borrow limit of 80% until it has fallen by 1 - 1.03 * 0.8 = 17.6%.
    function test_hiddenLoss_NeedsAJumpOfAboutFifteenPercent() public {
        // HF = 1 at 2,000 * 0.775 / 0.83 = 1,867.47
        _setFeed(1867.47e8);
        assertApproxEqRel(lending.accountHealth(accounts[0]).healthFast, WAD, 1e14);
        _setFeed(1867.47e8 * 8552 / 10_000);
        vm.prank(keeper);
        vm.expectPartialRevert(PoolSettlement.NotInsolvent.selector);
        lending.settle(accounts[0], "");
        _setFeed(1867.47e8 * 8545 / 10_000);
        vm.prank(keeper);
        lending.settle(accounts[0], "");
    }

    function _settleAll(address settler) private {
        for (uint256 i; i < accounts.length; ++i) {
            vm.prank(settler);
            lending.settle(accounts[i], "");
        }
    }
}
