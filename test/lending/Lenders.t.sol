// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {PoolAccounting} from "../../contracts/lending/PoolAccounting.sol";
import {PoolShares} from "../../contracts/lending/PoolShares.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice Lenders' actions and their share: amounts, events, roundings and every revert.
contract LendersTest is PoolFixture {
    // -- deposit

    /// An empty pool trades at (0 + 1000) shares per (0 + 1) unit: 5 USDC = 5e6 units are 5e9 shares.
    function test_deposit_MintsThousandSharesPerUnit() public {
        vm.expectEmit(address(pool));
        emit IERC20.Transfer(address(0), stranger, 5e9);
        vm.expectEmit(address(pool));
        emit IERC4626.Deposit(lender, stranger, 5 * USDC, 5e9);
        vm.prank(lender);
        assertEq(pool.deposit(5 * USDC, stranger), 5e9);
        assertEq(pool.balanceOf(stranger), 5e9);
        assertEq(pool.balanceOf(lender), 0);
        assertEq(pool.totalSupply(), 5e9);
        assertEq(pool.totalAssets(), 5 * USDC);
        assertEq(usdc.balanceOf(address(pool)), 5 * USDC);
    }

    function test_RevertWhen_deposit_Zero() public {
        vm.expectRevert(LendingPool.ZeroAmount.selector);
        _deposit(lender, 0);
    }

    function test_RevertWhen_deposit_ToZeroAddress() public {
        vm.prank(lender);
        vm.expectRevert(PoolShares.ZeroAddress.selector);
        pool.deposit(USDC, address(0));
    }

    function test_RevertWhen_deposit_AboveCap() public {
        vm.prank(owner);
        pool.setCaps(100 * USDC, 0);
        _deposit(lender, 100 * USDC);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.SupplyCapExceeded.selector, 100 * USDC + 1, 100 * USDC));
        _deposit(lender, 1);
    }

    function test_RevertWhen_deposit_WithoutAllowance() public {
        vm.startPrank(lender);
        usdc.approve(address(pool), 0);
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        pool.deposit(USDC, lender);
    }

    /// A deposit that is worth less than one share would mint none, and is refused.
    function test_RevertWhen_deposit_RoundsToNoShare() public {
        _deposit(lender, 1);
        // lenderAssets 1 -> 3000 with 1000 shares: (3000 + 1) units per (1000 + 1000) shares.
        _storeLenderAssets(3000);
        assertEq(pool.previewDeposit(1), 0);
        vm.expectRevert(LendingPool.ZeroAmount.selector);
        _deposit(lender, 1);
        assertEq(_deposit(lender, 2), 1); // 2 * 2000 / 3001 = 1.33
    }

    // -- mint

    function test_mint_CostsRoundedUp() public {
        vm.expectEmit(address(pool));
        emit IERC4626.Deposit(lender, stranger, 6, 5001);
        vm.prank(lender);
        assertEq(pool.mint(5001, stranger), 6); // 5001 * 1 / 1000 = 5.001
        assertEq(pool.balanceOf(stranger), 5001);
    }

    function test_RevertWhen_mint_Zero() public {
        vm.prank(lender);
        vm.expectRevert(LendingPool.ZeroAmount.selector);
        pool.mint(0, lender);
    }

    function test_RevertWhen_mint_ToZeroAddress() public {
        vm.prank(lender);
        vm.expectRevert(PoolShares.ZeroAddress.selector);
        pool.mint(1e9, address(0));
    }

    function test_RevertWhen_mint_AboveCap() public {
        vm.startPrank(owner);
        pool.setCaps(5, 0);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.SupplyCapExceeded.selector, 6, 5));
        pool.mint(5001, owner);
    }

    /// 2^104 shares are 2^104 / 1000 units: the books end before the cap does.
    function test_RevertWhen_mint_BeyondTheBooks() public {
        uint256 shares = uint256(type(uint104).max) + 1;
        usdc.mint(lender, 1e30);
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.SupplyCapExceeded.selector, shares / 1000 + 1, 1e28));
        pool.mint(shares, lender);
        _deposit(lender, 1000);
        _storeLenderAssets(0); // a loss of everything: (1,000,000 + 1000) shares cost 1
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(PoolAccounting.AmountTooLarge.selector, shares + 1_000_000));
        pool.mint(shares, lender);
    }

    // -- withdraw and redeem

    function test_withdraw_BurnsRoundedUp() public {
        _deposit(lender, 1000);
        _storeLenderAssets(1100); // 1,000,000 + 1000 shares per 1101 units
        vm.expectEmit(address(pool));
        // 10 * 1,001,000 / 1101 = 9091.7
        emit IERC4626.Withdraw(lender, stranger, lender, 10, 9092);
        vm.prank(lender);
        assertEq(pool.withdraw(10, stranger, lender), 9092);
        assertEq(usdc.balanceOf(stranger), 1e9 * USDC + 10);
        assertEq(pool.balanceOf(lender), 1_000_000 - 9092);
        assertEq(pool.totalAssets(), 1090);
    }

    function test_redeem_PaysRoundedDown() public {
        _deposit(lender, 1000);
        _storeLenderAssets(1100);
        vm.expectEmit(address(pool));
        emit IERC4626.Withdraw(lender, stranger, lender, 10, 9999);
        vm.prank(lender);
        assertEq(pool.redeem(9999, stranger, lender), 10); // 9999 * 1101 / 1,001,000 = 10.998
        assertEq(pool.balanceOf(lender), 1_000_000 - 9999);
    }

    function test_redeem_EverythingLeavesNothing() public {
        uint256 shares = _deposit(lender, 1234);
        vm.prank(lender);
        assertEq(pool.redeem(shares, lender, lender), 1234);
        assertEq(pool.totalSupply(), 0);
        assertEq(pool.totalAssets(), 0);
        assertEq(usdc.balanceOf(address(pool)), 0);
    }

    function test_withdraw_ByAllowanceSpendsIt() public {
        _deposit(lender, 1000);
        vm.prank(lender);
        pool.approve(stranger, 10_000);
        vm.startPrank(stranger);
        pool.withdraw(9, stranger, lender);
        assertEq(pool.allowance(lender, stranger), 1000);
        pool.redeem(1000, stranger, lender);
        assertEq(pool.allowance(lender, stranger), 0);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientAllowance.selector, stranger, 0, 1000));
        pool.withdraw(1, stranger, lender);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientAllowance.selector, stranger, 0, 1000));
        pool.redeem(1000, stranger, lender);
    }

    function test_RevertWhen_withdraw_Zero() public {
        _deposit(lender, 1000);
        vm.startPrank(lender);
        vm.expectRevert(LendingPool.ZeroAmount.selector);
        pool.withdraw(0, lender, lender);
        vm.expectRevert(LendingPool.ZeroAmount.selector);
        pool.redeem(0, lender, lender);
        vm.expectRevert(LendingPool.ZeroAmount.selector);
        pool.redeem(999, lender, lender); // worth 0.999 units
    }

    /// Regression: lent tokens must not be burnt by a mistyped receiver, as `borrow` and `withdrawCollateral` refuse it too.
    function test_RevertWhen_withdraw_ToZeroAddress() public {
        _deposit(lender, 1000);
        vm.startPrank(lender);
        vm.expectRevert(PoolShares.ZeroAddress.selector);
        pool.withdraw(1, address(0), lender);
        vm.expectRevert(PoolShares.ZeroAddress.selector);
        pool.redeem(1000, address(0), lender);
    }

    function test_RevertWhen_withdraw_MoreThanOwned() public {
        _deposit(lender, 1000);
        _deposit(stranger, 1000);
        vm.startPrank(lender);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientShares.selector, lender, 1_000_000, 1_001_000));
        pool.withdraw(1001, lender, lender);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientShares.selector, lender, 1_000_000, 1_000_001));
        pool.redeem(1_000_001, lender, lender);
    }

    function test_RevertWhen_withdraw_MoreThanCash() public {
        _openMarket();
        vm.startPrank(lender);
        uint256 cash = 90_000 * USDC;
        vm.expectRevert(abi.encodeWithSelector(PoolAccounting.InsufficientCash.selector, cash, cash + 1));
        pool.withdraw(cash + 1, lender, lender);
        uint256 shares = pool.balanceOf(lender);
        vm.expectRevert(abi.encodeWithSelector(PoolAccounting.InsufficientCash.selector, cash, 100_000 * USDC));
        pool.redeem(shares, lender, lender);
    }

    // -- the share as an ERC-20

    function test_transfer_MovesShares() public {
        _deposit(lender, 1000);
        vm.expectEmit(address(pool));
        emit IERC20.Transfer(lender, stranger, 400);
        vm.prank(lender);
        assertTrue(pool.transfer(stranger, 400));
        assertEq(pool.balanceOf(lender), 999_600);
        assertEq(pool.balanceOf(stranger), 400);
        assertEq(pool.totalSupply(), 1_000_000);
    }

    function test_transfer_ToSelfChangesNothing() public {
        _deposit(lender, 1000);
        vm.prank(lender);
        pool.transfer(lender, 1_000_000);
        assertEq(pool.balanceOf(lender), 1_000_000);
    }

    function test_RevertWhen_transfer_MoreThanOwned() public {
        _deposit(lender, 1000);
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientShares.selector, lender, 1_000_000, 1_000_001));
        pool.transfer(stranger, 1_000_001);
    }

    function test_RevertWhen_transfer_ToZeroAddress() public {
        _deposit(lender, 1000);
        vm.startPrank(lender);
        vm.expectRevert(PoolShares.ZeroAddress.selector);
        pool.transfer(address(0), 1);
        pool.approve(stranger, 1);
        vm.startPrank(stranger);
        vm.expectRevert(PoolShares.ZeroAddress.selector);
        pool.transferFrom(lender, address(0), 1);
    }

    function test_transferFrom_SpendsAllowance() public {
        _deposit(lender, 1000);
        vm.expectEmit(address(pool));
        emit IERC20.Approval(lender, stranger, 500);
        vm.prank(lender);
        assertTrue(pool.approve(stranger, 500));
        vm.startPrank(stranger);
        assertTrue(pool.transferFrom(lender, keeper, 300));
        assertEq(pool.allowance(lender, stranger), 200);
        assertEq(pool.balanceOf(keeper), 300);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientAllowance.selector, stranger, 200, 201));
        pool.transferFrom(lender, keeper, 201);
    }

    function test_transferFrom_InfiniteAllowanceStays() public {
        _deposit(lender, 1000);
        vm.prank(lender);
        pool.approve(stranger, type(uint256).max);
        vm.prank(stranger);
        pool.transferFrom(lender, keeper, 300);
        assertEq(pool.allowance(lender, stranger), type(uint256).max);
    }

    function test_transferFrom_OwnSharesNeedNoAllowance() public {
        _deposit(lender, 1000);
        vm.prank(lender);
        pool.transferFrom(lender, keeper, 300);
        assertEq(pool.balanceOf(keeper), 300);
    }

    function test_RevertWhen_approve_ZeroAddress() public {
        vm.prank(lender);
        vm.expectRevert(PoolShares.ZeroAddress.selector);
        pool.approve(address(0), 1);
    }

    function test_metadata() public view {
        assertEq(pool.name(), "Breakwater USDC");
        assertEq(pool.symbol(), "bwUSDC");
        assertEq(pool.decimals(), 9);
        assertEq(pool.asset(), address(usdc));
        assertEq(pool.assetToken(), address(usdc));
    }

    /// @dev Overwrites `lenderAssets`, the lowest 104 bits of the market's first slot (slot 2, after OpenZeppelin's owners),
    /// and gives the pool the cash for it.
    function _storeLenderAssets(uint256 assets) private {
        uint256 word = uint256(vm.load(address(pool), bytes32(uint256(2))));
        vm.store(address(pool), bytes32(uint256(2)), bytes32(word >> 104 << 104 | assets));
        usdc.mint(address(pool), assets);
        assertEq(pool.totalAssets(), assets);
    }
}
