// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {BackstopAccounting} from "../../contracts/backstop/BackstopAccounting.sol";
import {BackstopShares} from "../../contracts/backstop/BackstopShares.sol";
import {BackstopFixture} from "../backstop/BackstopFixture.sol";

/// @notice ERC-20, rule by rule, for the share of a backstop's depositor: of markets in which a part of the capital has been spent on
/// collateral or not, and a part of the shares waits to leave.
contract BackstopErc20Test is BackstopFixture {
    address private spender = makeAddr("spender");

    /// @dev Alice and Bob with free shares, after an absorption or none, and with any of Alice's shares in the exit queue.
    function _anyMarket(uint256 seed) private {
        _fill();
        if (seed & 1 == 1) {
            _openMarket();
            _setEthPrice(1150);
            vm.prank(keeper);
            backstop.absorb(borrower, WETH_ID);
        }
        uint256 leaving = bound(seed >> 1, 0, backstop.balanceOf(alice) / 2);
        if (leaving == 0) return;
        vm.prank(alice);
        backstop.requestExit(leaving);
    }

    // -- transfer

    /// "Transfers _value amount of tokens to address _to, and MUST fire the Transfer event."
    function testFuzz_transfer_MovesTheValueAndFiresTransfer(uint256 seed, uint256 shares, address to) public {
        vm.assume(to != address(0));
        _anyMarket(seed);
        uint256 held = backstop.balanceOf(alice);
        shares = bound(shares, 0, held);
        uint256 before = backstop.balanceOf(to);
        vm.expectEmit(address(backstop));
        emit IERC20.Transfer(alice, to, shares);
        vm.prank(alice);
        assertTrue(backstop.transfer(to, shares));
        if (to == alice) {
            assertEq(backstop.balanceOf(alice), held);
        } else {
            assertEq(backstop.balanceOf(to), before + shares);
            assertEq(backstop.balanceOf(alice), held - shares);
        }
    }

    /// "The function SHOULD throw if the message caller's account balance does not have enough tokens to spend."
    function testFuzz_transfer_ThrowsBeyondTheBalance(uint256 seed, uint256 more) public {
        _anyMarket(seed);
        uint256 held = backstop.balanceOf(alice);
        uint256 shares = bound(more, held + 1, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(BackstopAccounting.InsufficientShares.selector, alice, held, shares));
        vm.prank(alice);
        backstop.transfer(spender, shares);
    }

    /// "Transfers of 0 values MUST be treated as normal transfers and fire the Transfer event." By anybody, shares or not.
    function test_transfer_OfZeroIsANormalTransfer() public {
        _fill();
        vm.expectEmit(address(backstop));
        emit IERC20.Transfer(spender, alice, 0);
        vm.prank(spender);
        assertTrue(backstop.transfer(alice, 0));
    }

    function test_RevertWhen_transfer_IsToNobody() public {
        _fill();
        vm.expectRevert(BackstopShares.ZeroAddress.selector);
        vm.prank(alice);
        backstop.transfer(address(0), 1);
        vm.expectRevert(BackstopShares.ZeroAddress.selector);
        vm.prank(alice);
        backstop.approve(address(0), 1);
    }

    // -- transferFrom

    /// "Transfers _value amount of tokens from address _from to address _to, and MUST fire the Transfer event."
    function testFuzz_transferFrom_MovesTheValueAndFiresTransfer(uint256 seed, uint256 shares, uint256 allowed) public {
        _anyMarket(seed);
        uint256 held = backstop.balanceOf(alice);
        shares = bound(shares, 0, held);
        allowed = bound(allowed, shares, type(uint256).max - 1);
        vm.prank(alice);
        backstop.approve(spender, allowed);
        vm.expectEmit(address(backstop));
        emit IERC20.Transfer(alice, keeper, shares);
        vm.prank(spender);
        assertTrue(backstop.transferFrom(alice, keeper, shares));
        assertEq(backstop.balanceOf(keeper), shares);
        assertEq(backstop.balanceOf(alice), held - shares);
        assertEq(backstop.allowance(alice, spender), allowed - shares);
    }

    /// "The function SHOULD throw unless the _from account has deliberately authorized the sender of the message."
    function testFuzz_transferFrom_ThrowsBeyondTheAllowance(uint256 seed, uint256 shares, uint256 allowed) public {
        _anyMarket(seed);
        shares = bound(shares, 1, backstop.balanceOf(alice));
        allowed = bound(allowed, 0, shares - 1);
        vm.prank(alice);
        backstop.approve(spender, allowed);
        vm.expectRevert(abi.encodeWithSelector(BackstopShares.InsufficientAllowance.selector, spender, allowed, shares));
        vm.prank(spender);
        backstop.transferFrom(alice, keeper, shares);
    }

    /// "Transfers of 0 values MUST be treated as normal transfers and fire the Transfer event." Nothing needs no allowance.
    function test_transferFrom_OfZeroIsANormalTransfer() public {
        _fill();
        vm.expectEmit(address(backstop));
        emit IERC20.Transfer(alice, keeper, 0);
        vm.prank(spender);
        assertTrue(backstop.transferFrom(alice, keeper, 0));
    }

    /// The greatest allowance is spent by nothing, as elsewhere.
    function test_transferFrom_TheGreatestAllowanceStays() public {
        _fill();
        vm.prank(alice);
        backstop.approve(spender, type(uint256).max);
        vm.prank(spender);
        backstop.transferFrom(alice, keeper, 1e9);
        assertEq(backstop.allowance(alice, spender), type(uint256).max);
    }

    // -- approve and allowance

    /// "If this function is called again it overwrites the current allowance with _value." Approval "MUST trigger on any
    /// successful call to approve".
    function testFuzz_approve_OverwritesAndFiresApproval(uint256 first, uint256 second) public {
        vm.startPrank(alice);
        backstop.approve(spender, first);
        vm.expectEmit(address(backstop));
        emit IERC20.Approval(alice, spender, second);
        assertTrue(backstop.approve(spender, second));
        assertEq(backstop.allowance(alice, spender), second);
        assertEq(backstop.allowance(spender, alice), 0);
    }

    /// Allows "to withdraw from your account multiple times, up to the _value amount", and not a share beyond it.
    function testFuzz_approve_AllowsSeveralTimesUpToTheValue(uint256 seed, uint256 first, uint256 second) public {
        _anyMarket(seed);
        uint256 allowed = backstop.balanceOf(alice) / 2;
        first = bound(first, 0, allowed);
        second = bound(second, 0, allowed - first);
        vm.prank(alice);
        backstop.approve(spender, allowed);
        vm.startPrank(spender);
        backstop.transferFrom(alice, keeper, first);
        backstop.transferFrom(alice, keeper, second);
        uint256 left = allowed - first - second;
        assertEq(backstop.allowance(alice, spender), left);
        vm.expectRevert(abi.encodeWithSelector(BackstopShares.InsufficientAllowance.selector, spender, left, left + 1));
        backstop.transferFrom(alice, keeper, left + 1);
    }

    // -- supply

    /// "totalSupply: Returns the total token supply", which no transfer changes, and which is what is free, waits to leave and is locked.
    function testFuzz_totalSupply_IsWhatIsFreeLeavingAndLocked(uint256 seed, uint256 calls) public {
        _anyMarket(seed);
        uint256 supply = backstop.totalSupply();
        uint256 others = supply - backstop.balanceOf(alice) - backstop.balanceOf(bob);
        address[4] memory holders = [alice, bob, keeper, spender];
        for (uint256 i; i < 12; ++i) {
            calls = uint256(keccak256(abi.encode(calls)));
            (address from, address to) = (holders[calls % 4], holders[calls >> 8 & 3]);
            uint256 shares = bound(calls >> 16, 0, backstop.balanceOf(from));
            vm.prank(from);
            backstop.transfer(to, shares);
            uint256 sum = others;
            for (uint256 k; k < 4; ++k) {
                sum += backstop.balanceOf(holders[k]);
            }
            assertEq(backstop.totalSupply(), sum);
            assertEq(sum, supply);
        }
    }

    /// "name", "symbol" and "decimals" of the optional part: three more than the debt token's.
    function test_metadata_IsThere() public view {
        assertGt(bytes(backstop.name()).length, 0);
        assertGt(bytes(backstop.symbol()).length, 0);
        assertEq(backstop.decimals(), usdc.decimals() + 3);
    }
}
