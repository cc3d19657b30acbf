// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {PoolShares} from "../../contracts/lending/PoolShares.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice ERC-20's rules of transfers and allowances, for a share that `holder` has. Its errors are those of the lender's share.
abstract contract Erc20Rules is PoolFixture {
    IERC20 internal share;
    address internal holder;
    address internal spender = makeAddr("spender");

    /// @dev Any market in which the holder has shares, and the keeper and the spender none.
    function _market(uint256 seed) internal virtual;

    // -- transfer

    /// "Transfers _value amount of tokens to address _to, and MUST fire the Transfer event."
    function testFuzz_transfer_MovesTheValueAndFiresTransfer(uint256 seed, uint256 shares, address to) public {
        vm.assume(to != address(0));
        _market(seed);
        uint256 held = share.balanceOf(holder);
        shares = bound(shares, 0, held);
        uint256 before = share.balanceOf(to);
        vm.expectEmit(address(share));
        emit IERC20.Transfer(holder, to, shares);
        vm.prank(holder);
        assertTrue(share.transfer(to, shares));
        if (to == holder) {
            assertEq(share.balanceOf(holder), held);
        } else {
            assertEq(share.balanceOf(to), before + shares);
            assertEq(share.balanceOf(holder), held - shares);
        }
    }

    /// "The function SHOULD throw if the message caller's account balance does not have enough tokens to spend."
    function testFuzz_transfer_ThrowsBeyondTheBalance(uint256 seed, uint256 more) public {
        _market(seed);
        uint256 held = share.balanceOf(holder);
        uint256 shares = bound(more, held + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientShares.selector, holder, held, shares));
        vm.prank(holder);
        share.transfer(spender, shares);
    }

    /// "Transfers of 0 values MUST be treated as normal transfers and fire the Transfer event." By anybody, shares or not.
    function test_transfer_OfZeroIsANormalTransfer() public {
        _market(0);
        vm.expectEmit(address(share));
        emit IERC20.Transfer(spender, holder, 0);
        vm.prank(spender);
        assertTrue(share.transfer(holder, 0));
    }

    // -- transferFrom

    /// "Transfers _value amount of tokens from address _from to address _to, and MUST fire the Transfer event."
    function testFuzz_transferFrom_MovesTheValueAndFiresTransfer(uint256 seed, uint256 shares, uint256 allowed) public {
        _market(seed);
        uint256 held = share.balanceOf(holder);
        shares = bound(shares, 0, held);
        allowed = bound(allowed, shares, type(uint256).max - 1);
        vm.prank(holder);
        share.approve(spender, allowed);
        vm.expectEmit(address(share));
        emit IERC20.Transfer(holder, keeper, shares);
        vm.prank(spender);
        assertTrue(share.transferFrom(holder, keeper, shares));
        assertEq(share.balanceOf(keeper), shares);
        assertEq(share.balanceOf(holder), held - shares);
        assertEq(share.allowance(holder, spender), allowed - shares);
    }

    /// "The function SHOULD throw unless the _from account has deliberately authorized the sender of the message."
    function testFuzz_transferFrom_ThrowsBeyondTheAllowance(uint256 seed, uint256 shares, uint256 allowed) public {
        _market(seed);
        shares = bound(shares, 1, share.balanceOf(holder));
        allowed = bound(allowed, 0, shares - 1);
        vm.prank(holder);
        share.approve(spender, allowed);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientAllowance.selector, spender, allowed, shares));
        vm.prank(spender);
        share.transferFrom(holder, keeper, shares);
    }

    /// "Transfers of 0 values MUST be treated as normal transfers and fire the Transfer event." Nothing needs no allowance.
    function test_transferFrom_OfZeroIsANormalTransfer() public {
        _market(0);
        vm.expectEmit(address(share));
        emit IERC20.Transfer(holder, keeper, 0);
        vm.prank(spender);
        assertTrue(share.transferFrom(holder, keeper, 0));
    }

    // -- approve and allowance

    /// "If this function is called again it overwrites the current allowance with _value." Approval "MUST trigger on any
    /// successful call to approve".
    function testFuzz_approve_OverwritesAndFiresApproval(uint256 first, uint256 second) public {
        vm.startPrank(holder);
        share.approve(spender, first);
        vm.expectEmit(address(share));
        emit IERC20.Approval(holder, spender, second);
        assertTrue(share.approve(spender, second));
        assertEq(share.allowance(holder, spender), second);
        assertEq(share.allowance(spender, holder), 0);
    }

    /// Allows "to withdraw from your account multiple times, up to the _value amount", and not a share beyond it.
    function testFuzz_approve_AllowsSeveralTimesUpToTheValue(uint256 seed, uint256 first, uint256 second) public {
        _market(seed);
        uint256 allowed = share.balanceOf(holder) / 2;
        first = bound(first, 0, allowed);
        second = bound(second, 0, allowed - first);
        vm.prank(holder);
        share.approve(spender, allowed);
        vm.startPrank(spender);
        share.transferFrom(holder, keeper, first);
        share.transferFrom(holder, keeper, second);
        uint256 left = allowed - first - second;
        assertEq(share.allowance(holder, spender), left);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientAllowance.selector, spender, left, left + 1));
        share.transferFrom(holder, keeper, left + 1);
    }

    /// The greatest allowance is spent by nothing, as elsewhere.
    function test_transferFrom_TheGreatestAllowanceStays() public {
        _market(0);
        vm.prank(holder);
        share.approve(spender, type(uint256).max);
        vm.prank(spender);
        share.transferFrom(holder, keeper, 1e6);
        assertEq(share.allowance(holder, spender), type(uint256).max);
    }
}
