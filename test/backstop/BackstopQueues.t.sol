// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BackstopAccounting} from "../../contracts/backstop/BackstopAccounting.sol";
import {BackstopParameters, BackstopParametersLib} from "../../contracts/backstop/BackstopParameters.sol";
import {BackstopPool} from "../../contracts/backstop/BackstopPool.sol";
import {BackstopShares} from "../../contracts/backstop/BackstopShares.sol";
import {BackstopAccount, BackstopState} from "../../contracts/interfaces/IBackstopPool.sol";
import {BackstopFixture} from "./BackstopFixture.sol";

/// @notice Entering, leaving and handing on shares.
contract BackstopQueuesTest is BackstopFixture {
    function test_deposit_IsActiveAfterAWholePeriodAndAtMostTwo() public {
        vm.warp(block.timestamp + PERIOD - 1);
        _enter(alice, 30_000 * USDC);
        assertEq(backstop.backstopState().entering, 30_000 * USDC);
        vm.warp(block.timestamp + PERIOD);
        backstop.roll();
        assertEq(backstop.absorbable(), 0, "active too early");
        assertEq(backstop.balanceOf(alice), 0);
        vm.warp(block.timestamp + 1);
        backstop.roll();
        assertEq(backstop.absorbable(), 29_999 * USDC);
        assertEq(backstop.backstopState().entering, 0);
        // 1,000 shares a unit, less the million that stay locked
        assertEq(backstop.balanceOf(alice), 30_000e9 - 1e6);
        assertEq(backstop.totalSupply(), 30_000e9);
    }

    /// The other end of "one to two periods": asked for at the start of one.
    function test_deposit_AtTheStartOfAPeriodWaitsTwo() public {
        _enter(alice, USDC);
        vm.warp(block.timestamp + 2 * PERIOD - 1);
        backstop.roll();
        assertEq(backstop.totalSupply(), 0);
        vm.warp(block.timestamp + 1);
        backstop.roll();
        assertEq(backstop.totalSupply(), 1e9);
    }

    /// Nobody needs to call at the start: whatever is done later finds it carried out, at the price that it had there.
    function test_deposit_IsActiveThoughNobodyCalledForWeeks() public {
        _enter(alice, 30_000 * USDC);
        vm.warp(block.timestamp + 30 days);
        vm.prank(bob);
        backstop.deposit(USDC);
        assertEq(backstop.balanceOf(alice), 30_000e9 - 1e6);
        assertEq(backstop.backstopState().entering, USDC);
    }

    function test_deposit_AddsUpWithinAPeriodAndWaitsAcrossPeriods() public {
        _enter(alice, USDC);
        _enter(alice, 2 * USDC);
        uint256 period = block.timestamp / PERIOD + 2;
        assertEq(backstop.backstopAccount(alice).entryAssets, 3 * USDC);
        _nextPeriods(1);
        vm.expectRevert(abi.encodeWithSelector(BackstopAccounting.RequestPending.selector, alice, period));
        _enter(alice, USDC);
        _nextPeriods(1);
        _enter(alice, USDC);
        assertEq(backstop.balanceOf(alice), 3e9 - 1e6);
    }

    function test_RevertWhen_deposit_IsTooSmall() public {
        vm.expectRevert(abi.encodeWithSelector(BackstopPool.DepositTooSmall.selector, USDC - 1, USDC));
        _enter(alice, USDC - 1);
    }

    /// 1e28 in all: what is active and what waits count.
    function test_RevertWhen_deposit_ExceedsTheCap() public {
        usdc.mint(alice, 1e28);
        usdc.mint(bob, 1e28);
        _enter(alice, 6e27);
        _nextPeriods(1);
        _enter(bob, 4e27);
        vm.expectRevert(abi.encodeWithSelector(BackstopAccounting.CapExceeded.selector, 1e28 + USDC, 1e28));
        _enter(bob, USDC);
        _nextPeriods(2);
        vm.expectRevert(abi.encodeWithSelector(BackstopAccounting.CapExceeded.selector, 1e28 + USDC, 1e28));
        _enter(bob, USDC);
    }

    // -- leaving

    function test_exit_PaysAtTheStartOfThePeriodAfterTheNext() public {
        _fill();
        vm.startPrank(bob);
        backstop.requestExit(4000e9);
        assertEq(backstop.balanceOf(bob), 6000e9);
        assertEq(backstop.backstopState().leaving, 4000e9);
        vm.warp(block.timestamp + 2 * PERIOD - 1);
        assertEq(backstop.claimAssets(bob), 0);
        vm.warp(block.timestamp + 1);
        uint256 before = usdc.balanceOf(bob);
        assertEq(backstop.claimAssets(bob), 4000 * USDC);
        vm.stopPrank();
        assertEq(usdc.balanceOf(bob) - before, 4000 * USDC);
        assertEq(backstop.backstopState().assets, 36_000 * USDC + 1000);
        assertEq(backstop.totalSupply(), 36_000e9 + 1e6);
    }

    function test_exit_OfAllLeavesTheLockedSharesAndTheirAssets() public {
        _enter(alice, 30_000 * USDC);
        _nextPeriods(2);
        uint256 shares = backstop.balanceOf(alice);
        vm.prank(alice);
        backstop.requestExit(shares);
        _nextPeriods(2);
        assertEq(backstop.backstopAccount(alice).claimable, 30_000 * USDC - 1000);
        assertEq(backstop.totalSupply(), 1e6);
        assertEq(backstop.backstopState().assets, 1000);
        assertEq(backstop.absorbable(), 0);
        // and the next to come pay the same price
        _enter(bob, 10_000 * USDC);
        _nextPeriods(2);
        assertEq(backstop.balanceOf(bob), 10_000e9);
    }

    function test_RevertWhen_exit_IsNotCoveredOrPending() public {
        _fill();
        vm.startPrank(bob);
        vm.expectRevert(
            abi.encodeWithSelector(BackstopAccounting.InsufficientShares.selector, bob, 10_000e9, 10_000e9 + 1)
        );
        backstop.requestExit(10_000e9 + 1);
        vm.expectRevert(BackstopPool.ZeroAmount.selector);
        backstop.requestExit(0);
        backstop.requestExit(1e9);
        uint256 period = block.timestamp / PERIOD + 2;
        vm.warp(block.timestamp + PERIOD);
        vm.expectRevert(abi.encodeWithSelector(BackstopAccounting.RequestPending.selector, bob, period));
        backstop.requestExit(1e9);
        vm.stopPrank();
    }

    // -- shares

    /// What the sender earned stays his; the receiver earns from the transfer on.
    function test_transfer_LeavesWhatWasEarned() public {
        _fill();
        vm.prank(stranger);
        backstop.payPremium(400 * USDC);
        vm.prank(bob);
        assertTrue(backstop.transfer(stranger, 10_000e9));
        vm.prank(keeper);
        backstop.payPremium(40 * USDC);
        // a quarter of each, less what the locked shares own: a millionth of a fortieth
        assertEq(backstop.backstopAccount(bob).claimable, 99_999_997);
        assertEq(backstop.backstopAccount(stranger).claimable, 9_999_999);
        assertEq(backstop.balanceOf(bob), 0);
        assertEq(backstop.balanceOf(stranger), 10_000e9);
    }

    function test_transfer_ToOneselfChangesNothing() public {
        _fill();
        vm.prank(bob);
        backstop.transfer(bob, 5000e9);
        assertEq(backstop.balanceOf(bob), 10_000e9);
    }

    function test_transferFrom_SpendsTheAllowance() public {
        _fill();
        vm.prank(bob);
        backstop.approve(keeper, 7e9);
        vm.startPrank(keeper);
        backstop.transferFrom(bob, keeper, 5e9);
        assertEq(backstop.allowance(bob, keeper), 2e9);
        vm.expectRevert(abi.encodeWithSelector(BackstopShares.InsufficientAllowance.selector, keeper, 2e9, 3e9));
        backstop.transferFrom(bob, keeper, 3e9);
        vm.stopPrank();
        vm.prank(bob);
        backstop.approve(keeper, type(uint256).max);
        vm.prank(keeper);
        backstop.transferFrom(bob, keeper, 3e9);
        assertEq(backstop.allowance(bob, keeper), type(uint256).max);
        assertEq(backstop.balanceOf(keeper), 8e9);
    }

    /// Shares in the exit queue are not transferable.
    function test_RevertWhen_transfer_OfSharesThatLeave() public {
        _fill();
        vm.startPrank(bob);
        backstop.requestExit(10_000e9);
        vm.expectRevert(abi.encodeWithSelector(BackstopAccounting.InsufficientShares.selector, bob, 0, 1));
        backstop.transfer(alice, 1);
        vm.expectRevert(BackstopShares.ZeroAddress.selector);
        backstop.transfer(address(0), 0);
        vm.stopPrank();
    }

    function test_share_Describes() public view {
        assertEq(backstop.decimals(), 9);
        assertEq(backstop.symbol(), "bwBACKSTOP");
        assertEq(backstop.periodSeconds(), PERIOD);
    }

    // -- premium

    function test_premium_GoesToActiveSharesAlone() public {
        _fill();
        vm.prank(stranger);
        backstop.deposit(40_000 * USDC);
        vm.prank(keeper);
        backstop.payPremium(400 * USDC);
        // 400 * 30,000 / 40,000.001
        assertEq(backstop.backstopAccount(alice).claimable, 299_999_992);
        assertEq(backstop.backstopAccount(stranger).claimable, 0);
        // and is not at risk
        assertEq(backstop.backstopState().assets, 40_000 * USDC + 1000);
    }

    function test_RevertWhen_premium_HasNobodyToGoTo() public {
        vm.prank(keeper);
        vm.expectRevert(BackstopAccounting.NoDepositors.selector);
        backstop.payPremium(USDC);
    }

    /// Regression: the locked shares that stay when all have left are nobody's, and a crumb beside them is no depositor.
    function test_RevertWhen_premium_GoesToLockedShares() public {
        _enter(bob, 10_000 * USDC);
        _nextPeriods(2);
        assertTrue(backstop.hasDepositors());
        uint256 shares = backstop.balanceOf(bob);
        vm.prank(bob);
        backstop.requestExit(shares - 1e6 + 1);
        _nextPeriods(2);
        assertFalse(backstop.hasDepositors());
        vm.prank(keeper);
        vm.expectRevert(BackstopAccounting.NoDepositors.selector);
        backstop.payPremium(USDC);
    }

    /// The least deposit still pays for the locked shares.
    function test_deposit_OfTheLeastAmount() public {
        BackstopParameters memory p = _parameters();
        p.minimumDeposit = 10_000;
        backstop = new BackstopPool(p);
        vm.startPrank(alice);
        usdc.approve(address(backstop), type(uint256).max);
        backstop.deposit(10_000);
        vm.stopPrank();
        _nextPeriods(2);
        assertEq(backstop.balanceOf(alice), 9_000_000);
    }

    /// At both ends of every range a backstop is deployed, and one further it is not.
    function test_RevertWhen_parameters_AreOutOfBounds() public {
        _checkBounds("periodSeconds", 3, 4 hours, 30 days);
        _checkBounds("minimumLeft", 4, 1, type(uint80).max);
        _checkBounds("minimumDeposit", 5, 10_000, type(uint80).max);
        _checkBounds("callerShare", 6, 0, 0.5e18);
        _checkBounds("releaseShare", 7, 1, 0.0497e18);
        _checkBounds("auctionSeconds", 8, 12, 30 minutes);
        _checkBounds("startMarkup", 9, 0, 0.1e18);
        _checkBounds("maxDiscount", 10, 0, 0.05e18);
        _checkBounds("venueTolerance", 11, 0, 0.05e18);
    }

    /// @param word The parameter's place in `BackstopParameters`, which is a word each in memory.
    function _checkBounds(bytes32 parameter, uint256 word, uint256 minimum, uint256 maximum) private {
        BackstopParameters memory p = _parameters();
        uint256[4] memory values = [minimum, maximum, maximum + 1, 0];
        uint256 count = 3;
        if (minimum != 0) (values[3], count) = (minimum - 1, 4);
        for (uint256 i; i < count; ++i) {
            uint256 value = values[i];
            assembly ("memory-safe") {
                mstore(add(p, mul(word, 32)), value)
            }
            if (i >= 2) {
                vm.expectRevert(
                    abi.encodeWithSelector(
                        BackstopParametersLib.BackstopParameterOutOfBounds.selector, parameter, value, minimum, maximum
                    )
                );
            }
            this.deploy(p);
        }
    }

    function test_views_OfAnEmptyBackstop() public view {
        BackstopState memory state = backstop.backstopState();
        assertEq(abi.encode(state), abi.encode(BackstopState(0, 0, 0, 0, 0)));
        BackstopAccount memory account = backstop.backstopAccount(alice);
        assertEq(abi.encode(account), abi.encode(BackstopAccount(0, 0, 0, 0, 0, 0)));
        assertEq(backstop.collateralOf(alice, WETH_ID), 0);
    }

    /// @dev Called from outside: a failed deployment reverts the frame it is in, and what follows in a test would never run.
    function deploy(BackstopParameters memory p) external {
        new BackstopPool(p);
    }
}
