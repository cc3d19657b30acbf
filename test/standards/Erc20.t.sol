// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {PoolShares} from "../../contracts/lending/PoolShares.sol";
import {StandardsFixture} from "./StandardsFixture.sol";

/// @notice ERC-20, rule by rule, for the lender's share.
contract Erc20Test is StandardsFixture {
    address private spender = makeAddr("spender");

    // -- transfer

    /// "Transfers _value amount of tokens to address _to, and MUST fire the Transfer event."
    function testFuzz_transfer_MovesTheValueAndFiresTransfer(uint256 seed, uint256 shares, address to) public {
        vm.assume(to != address(0));
        _anyMarket(seed);
        uint256 held = pool.balanceOf(lender);
        shares = bound(shares, 0, held);
        uint256 before = pool.balanceOf(to);
        vm.expectEmit(address(pool));
        emit IERC20.Transfer(lender, to, shares);
        vm.prank(lender);
        assertTrue(pool.transfer(to, shares));
        if (to == lender) {
            assertEq(pool.balanceOf(lender), held);
        } else {
            assertEq(pool.balanceOf(to), before + shares);
            assertEq(pool.balanceOf(lender), held - shares);
        }
    }

    /// "The function SHOULD throw if the message caller's account balance does not have enough tokens to spend."
    function testFuzz_transfer_ThrowsBeyondTheBalance(uint256 seed, uint256 more) public {
        _anyMarket(seed);
        uint256 held = pool.balanceOf(lender);
        uint256 shares = bound(more, held + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientShares.selector, lender, held, shares));
        vm.prank(lender);
        pool.transfer(spender, shares);
    }

    /// "Transfers of 0 values MUST be treated as normal transfers and fire the Transfer event." By anybody, shares or not.
    function test_transfer_OfZeroIsANormalTransfer() public {
        vm.expectEmit(address(pool));
        emit IERC20.Transfer(spender, lender, 0);
        vm.prank(spender);
        assertTrue(pool.transfer(lender, 0));
    }

    // -- transferFrom

    /// "Transfers _value amount of tokens from address _from to address _to, and MUST fire the Transfer event."
    function testFuzz_transferFrom_MovesTheValueAndFiresTransfer(uint256 seed, uint256 shares, uint256 allowed) public {
        _anyMarket(seed);
        uint256 held = pool.balanceOf(lender);
        shares = bound(shares, 0, held);
        allowed = bound(allowed, shares, type(uint256).max - 1);
        vm.prank(lender);
        pool.approve(spender, allowed);
        vm.expectEmit(address(pool));
        emit IERC20.Transfer(lender, keeper, shares);
        vm.prank(spender);
        assertTrue(pool.transferFrom(lender, keeper, shares));
        assertEq(pool.balanceOf(keeper), shares);
        assertEq(pool.balanceOf(lender), held - shares);
        assertEq(pool.allowance(lender, spender), allowed - shares);
    }

    /// "The function SHOULD throw unless the _from account has deliberately authorized the sender of the message."
    function testFuzz_transferFrom_ThrowsBeyondTheAllowance(uint256 seed, uint256 shares, uint256 allowed) public {
        _anyMarket(seed);
        shares = bound(shares, 1, pool.balanceOf(lender));
        allowed = bound(allowed, 0, shares - 1);
        vm.prank(lender);
        pool.approve(spender, allowed);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientAllowance.selector, spender, allowed, shares));
        vm.prank(spender);
        pool.transferFrom(lender, keeper, shares);
    }

    /// "Transfers of 0 values MUST be treated as normal transfers and fire the Transfer event." Nothing needs no allowance.
    function test_transferFrom_OfZeroIsANormalTransfer() public {
        vm.expectEmit(address(pool));
        emit IERC20.Transfer(lender, keeper, 0);
        vm.prank(spender);
        assertTrue(pool.transferFrom(lender, keeper, 0));
    }

    // -- approve and allowance

    /// "If this function is called again it overwrites the current allowance with _value." Approval "MUST trigger on any
    /// successful call to approve".
    function testFuzz_approve_OverwritesAndFiresApproval(uint256 first, uint256 second) public {
        vm.startPrank(lender);
        pool.approve(spender, first);
        vm.expectEmit(address(pool));
        emit IERC20.Approval(lender, spender, second);
        assertTrue(pool.approve(spender, second));
        assertEq(pool.allowance(lender, spender), second);
        assertEq(pool.allowance(spender, lender), 0);
    }

    /// Allows "to withdraw from your account multiple times, up to the _value amount", and not a share beyond it.
    function testFuzz_approve_AllowsSeveralTimesUpToTheValue(uint256 seed, uint256 first, uint256 second) public {
        _anyMarket(seed);
        uint256 allowed = pool.balanceOf(lender) / 2;
        first = bound(first, 0, allowed);
        second = bound(second, 0, allowed - first);
        vm.prank(lender);
        pool.approve(spender, allowed);
        vm.startPrank(spender);
        pool.transferFrom(lender, keeper, first);
        pool.transferFrom(lender, keeper, second);
        uint256 left = allowed - first - second;
        assertEq(pool.allowance(lender, spender), left);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientAllowance.selector, spender, left, left + 1));
        pool.transferFrom(lender, keeper, left + 1);
    }

    // -- events of creation, and supply

    /// "A token contract which creates new tokens SHOULD trigger a Transfer event with the _from address set to 0x0 when tokens
    /// are created"; likewise to 0x0 when they are destroyed.
    function test_Transfer_OfCreationAndDestruction() public {
        vm.expectEmit(address(pool));
        emit IERC20.Transfer(address(0), keeper, 5e9);
        vm.prank(lender);
        pool.deposit(5e6, keeper);
        vm.expectEmit(address(pool));
        emit IERC20.Transfer(keeper, address(0), 5e9);
        vm.prank(keeper);
        pool.redeem(5e9, keeper, keeper);
    }

    /// "totalSupply: Returns the total token supply", which is what all balances add up to after any mixture of calls.
    function testFuzz_totalSupply_IsTheSumOfBalances(uint256 seed, uint256 calls) public {
        _anyMarket(seed);
        address[4] memory holders = [lender, stranger, keeper, spender];
        for (uint256 i; i < 12; ++i) {
            calls = uint256(keccak256(abi.encode(calls)));
            (address from, address to) = (holders[calls % 4], holders[calls >> 8 & 3]);
            uint256 shares = bound(calls >> 16, 0, pool.balanceOf(from));
            vm.startPrank(from);
            if (calls >> 10 & 3 == 0 && pool.maxDeposit(to) > 1e9 && from != spender) {
                pool.deposit(bound(calls >> 16, 1e6, 1e9), to);
            } else if (calls >> 10 & 3 == 1 && pool.maxRedeem(from) != 0) {
                pool.redeem(pool.maxRedeem(from), to, from);
            } else {
                pool.transfer(to, shares);
            }
            vm.stopPrank();
            uint256 sum;
            for (uint256 k; k < 4; ++k) {
                sum += pool.balanceOf(holders[k]);
            }
            assertEq(pool.totalSupply(), sum);
        }
    }
}
