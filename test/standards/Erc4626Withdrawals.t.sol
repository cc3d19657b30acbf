// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {PoolAccounting} from "../../contracts/lending/PoolAccounting.sol";
import {PoolShares} from "../../contracts/lending/PoolShares.sol";
import {StandardsFixture} from "./StandardsFixture.sol";

/// @notice ERC-4626, rule by rule: out of the vault. Every market of `StandardsFixture`.
contract Erc4626WithdrawalsTest is StandardsFixture {
    // -- maxWithdraw, previewWithdraw, withdraw

    /// "MUST return the maximum amount of assets that could be transferred from owner through withdraw and not cause a revert."
    function testFuzz_maxWithdraw_IsNeverRefused(uint256 seed) public {
        _anyMarket(seed);
        uint256 most = pool.maxWithdraw(lender);
        if (most == 0) return;
        uint256 before = usdc.balanceOf(lender);
        vm.prank(lender);
        pool.withdraw(most, lender, lender);
        assertEq(usdc.balanceOf(lender), before + most);
    }

    /// "MUST NOT be higher than the actual maximum": and it is no lower either.
    function testFuzz_maxWithdraw_AUnitMoreIsRefused(uint256 seed) public {
        _anyMarket(seed);
        uint256 more = pool.maxWithdraw(lender) + 1;
        vm.prank(lender);
        vm.expectRevert();
        pool.withdraw(more, lender, lender);
    }

    /// "MUST factor in both global and user-specific limits, like if withdrawals are entirely disabled (even temporarily) it MUST
    /// return 0": without cash, and for an account without shares.
    function testFuzz_maxWithdraw_FactorsInLimits(uint256 seed, address nobody) public {
        vm.assume(nobody != lender && nobody != stranger);
        _anyMarket(seed);
        assertEq(pool.maxWithdraw(nobody), 0);
        assertEq(pool.maxRedeem(nobody), 0);
        deal(address(usdc), address(pool), 0);
        assertEq(pool.maxWithdraw(lender), 0);
        assertEq(pool.maxRedeem(lender), 0);
    }

    /// "MUST NOT revert", for any owner, in any market.
    function testFuzz_maxWithdraw_NeverReverts(uint256 seed, address owner_) public {
        _anyMarket(seed);
        pool.maxWithdraw(owner_);
        pool.maxRedeem(owner_);
    }

    /// "MUST return as close to and no fewer than the exact amount of Vault shares that would be burned in a withdraw call in the
    /// same transaction." "MUST emit the Withdraw event."
    function testFuzz_previewWithdraw_IsNoFewerThanWhatIsBurned(uint256 seed, uint256 assets) public {
        _anyMarket(seed);
        uint256 most = pool.maxWithdraw(lender);
        if (most == 0) return;
        assets = bound(assets, 1, most);
        uint256 preview = pool.previewWithdraw(assets);
        uint256 held = pool.balanceOf(lender);
        vm.expectEmit(address(pool));
        emit IERC4626.Withdraw(lender, keeper, lender, assets, preview);
        vm.prank(lender);
        uint256 burned = pool.withdraw(assets, keeper, lender);
        assertGe(preview, burned);
        assertEq(preview, burned);
        assertEq(held - pool.balanceOf(lender), burned);
    }

    /// "MUST NOT account for withdrawal limits like those returned from maxWithdraw": not the cash, not the owner's shares.
    function testFuzz_previewWithdraw_DoesNotAccountForLimits(uint256 seed, uint256 amount) public {
        _anyMarket(seed);
        amount = bound(amount, 0, REASONABLE);
        uint256 shares = pool.previewWithdraw(amount);
        uint256 assets = pool.previewRedeem(amount);
        deal(address(usdc), address(pool), 0);
        assertEq(pool.previewWithdraw(amount), shares);
        assertEq(pool.previewRedeem(amount), assets);
    }

    /// "MUST support a withdraw flow where the shares are burned from owner directly where owner has EIP-20 approval over the
    /// shares", "where msg.sender has EIP-20 approval over the shares of owner": the approval is used up by what is burned.
    function testFuzz_withdraw_ByApprovalOverTheShares(uint256 assets, uint256 spare) public {
        _plainMarket();
        skip(30 days);
        assets = bound(assets, 1, pool.maxWithdraw(lender));
        uint256 shares = pool.previewWithdraw(assets);
        spare = bound(spare, 0, 1e30);
        vm.prank(lender);
        pool.approve(keeper, shares + spare);
        vm.prank(keeper);
        pool.withdraw(assets, keeper, lender);
        assertEq(pool.allowance(lender, keeper), spare);
    }

    /// Without the whole approval it reverts.
    function testFuzz_withdraw_RevertsBeyondTheApproval(uint256 assets, uint256 short) public {
        _plainMarket();
        skip(30 days);
        assets = bound(assets, 1, pool.maxWithdraw(lender));
        uint256 shares = pool.previewWithdraw(assets);
        uint256 allowed = shares - bound(short, 1, shares);
        vm.prank(lender);
        pool.approve(keeper, allowed);
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientAllowance.selector, keeper, allowed, shares));
        pool.withdraw(assets, keeper, lender);
    }

    /// "MUST revert if all of assets cannot be withdrawn (due to withdrawal limit being reached, slippage, the owner not having
    /// enough shares, etc)."
    function testFuzz_withdraw_RevertsIfNotAllOfIt(uint256 seed, uint256 more) public {
        _anyMarket(seed);
        uint256 held = pool.balanceOf(lender);
        uint256 assets = pool.previewRedeem(held);
        if (assets != 0) {
            assets = bound(more, 1, assets);
            deal(address(usdc), address(pool), assets - 1);
            vm.prank(lender);
            vm.expectRevert(abi.encodeWithSelector(PoolAccounting.InsufficientCash.selector, assets - 1, assets));
            pool.withdraw(assets, lender, lender);
        }
        assets = pool.previewMint(held + 1) + 1;
        usdc.mint(address(pool), assets);
        uint256 shares = pool.previewWithdraw(assets);
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientShares.selector, lender, held, shares));
        pool.withdraw(assets, lender, lender);
    }

    // -- maxRedeem, previewRedeem, redeem

    /// "MUST return the maximum amount of shares that could be transferred from owner through redeem and not cause a revert."
    function testFuzz_maxRedeem_IsNeverRefused(uint256 seed) public {
        _anyMarket(seed);
        uint256 most = pool.maxRedeem(lender);
        if (most == 0) return;
        vm.prank(lender);
        pool.redeem(most, lender, lender);
    }

    /// "MUST NOT be higher than the actual maximum": and it is no lower either.
    function testFuzz_maxRedeem_AShareMoreIsRefused(uint256 seed) public {
        _anyMarket(seed);
        uint256 more = pool.maxRedeem(lender) + 1;
        vm.prank(lender);
        vm.expectRevert();
        pool.redeem(more, lender, lender);
    }

    /// "MUST return as close to and no more than the exact amount of assets that would be withdrawn in a redeem call in the same
    /// transaction." "MUST emit the Withdraw event."
    function testFuzz_previewRedeem_IsNoMoreThanWhatIsPaid(uint256 seed, uint256 shares) public {
        _anyMarket(seed);
        uint256 most = pool.maxRedeem(lender);
        if (most == 0) return;
        shares = bound(shares, 1, most);
        uint256 preview = pool.previewRedeem(shares);
        if (preview == 0) return;
        uint256 before = usdc.balanceOf(keeper);
        vm.expectEmit(address(pool));
        emit IERC4626.Withdraw(lender, keeper, lender, preview, shares);
        vm.prank(lender);
        uint256 paid = pool.redeem(shares, keeper, lender);
        assertLe(preview, paid);
        assertEq(preview, paid);
        assertEq(usdc.balanceOf(keeper) - before, paid);
    }

    /// "MUST support a redeem flow where the shares are burned from owner directly where msg.sender has EIP-20 approval."
    function testFuzz_redeem_ByApprovalOverTheShares(uint256 shares) public {
        _plainMarket();
        shares = bound(shares, 1000, pool.maxRedeem(lender) / 2);
        vm.prank(lender);
        pool.approve(keeper, shares);
        vm.startPrank(keeper);
        pool.redeem(shares, keeper, lender);
        assertEq(pool.allowance(lender, keeper), 0);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientAllowance.selector, keeper, 0, 1000));
        pool.redeem(1000, keeper, lender);
    }

    /// "MUST revert if all of shares cannot be redeemed": the owner's, and what the cash covers.
    function testFuzz_redeem_RevertsIfNotAllOfIt(uint256 more) public {
        _plainMarket();
        uint256 held = pool.balanceOf(lender);
        uint256 shares = bound(more, held + 1, 1e30);
        usdc.mint(address(pool), 1e30);
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(PoolShares.InsufficientShares.selector, lender, held, shares));
        pool.redeem(shares, lender, lender);
        deal(address(usdc), address(pool), 1e6);
        uint256 assets = pool.previewRedeem(held);
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(PoolAccounting.InsufficientCash.selector, 1e6, assets));
        pool.redeem(held, lender, lender);
    }
}
