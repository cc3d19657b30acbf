// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {SharesMath} from "../../contracts/libraries/SharesMath.sol";

contract SharesMathTest is Test {
    uint256 private constant MAX = type(uint104).max;

    function toSharesDown(uint256 assets, uint256 totalAssets, uint256 totalShares) external pure returns (uint256) {
        return SharesMath.toSharesDown(assets, totalAssets, totalShares);
    }

    function debtToSharesUp(uint256 assets, uint256 totalDebt, uint256 totalShares) external pure returns (uint256) {
        return SharesMath.debtToSharesUp(assets, totalDebt, totalShares);
    }

    /// An empty vault: 1,000 shares a unit, exactly, both ways.
    function test_lenders_EmptyTradesAtAThousand() public pure {
        assertEq(SharesMath.toSharesDown(7, 0, 0), 7000);
        assertEq(SharesMath.toSharesUp(7, 0, 0), 7000);
        assertEq(SharesMath.toAssetsDown(7999, 0, 0), 7);
        assertEq(SharesMath.toAssetsUp(7001, 0, 0), 8);
    }

    /// 10 units at (5000 + 1000) shares per (8 + 1) units: 6666.67; 10 shares: 0.015.
    function test_lenders_RoundingIsInTheName() public pure {
        assertEq(SharesMath.toSharesDown(10, 8, 5000), 6666);
        assertEq(SharesMath.toSharesUp(10, 8, 5000), 6667);
        assertEq(SharesMath.toAssetsDown(10, 8, 5000), 0);
        assertEq(SharesMath.toAssetsUp(10, 8, 5000), 1);
    }

    /// No debt: 1,000 shares a unit. 10 units at 5,000 shares per 8 units: 6,250; 7 at 3 per 2: 10.5; 7 shares: 4.67.
    function test_debt_RoundingIsInTheName() public pure {
        assertEq(SharesMath.debtToSharesUp(7, 0, 0), 7000);
        assertEq(SharesMath.debtToSharesUp(10, 8, 5000), 6250);
        assertEq(SharesMath.debtToSharesUp(7, 2, 3), 11);
        assertEq(SharesMath.debtToSharesDown(7, 2, 3), 10);
        assertEq(SharesMath.debtToAssetsUp(7, 2, 3), 5);
        assertEq(SharesMath.debtToAssetsUp(0, 2, 3), 0);
        assertEq(SharesMath.debtToAssetsUp(0, 0, 0), 0);
    }

    function test_RevertWhen_theResultDoesNotFit() public {
        vm.expectRevert(FixedPointMathLib.FullMulDivFailed.selector);
        this.toSharesDown(type(uint256).max, 0, MAX);
        vm.expectRevert();
        this.debtToSharesUp(type(uint256).max, 0, 0);
        vm.expectRevert(FixedPointMathLib.FullMulDivFailed.selector);
        this.debtToSharesUp(1, 0, 5); // shares without debt cannot be priced
    }

    /// There and back never gains, in either direction, at any totals that the books hold.
    function testFuzz_lenders_RoundTripNeverGains(uint256 assets, uint256 totalAssets, uint256 totalShares)
        public
        pure
    {
        totalAssets = bound(totalAssets, 0, MAX);
        totalShares = bound(totalShares, 0, MAX);
        assets = bound(assets, 0, MAX);
        uint256 down = SharesMath.toSharesDown(assets, totalAssets, totalShares);
        uint256 up = SharesMath.toSharesUp(assets, totalAssets, totalShares);
        assertLe(up - down, 1);
        assertLe(SharesMath.toAssetsDown(down, totalAssets, totalShares), assets);
        assertGe(SharesMath.toAssetsUp(up, totalAssets, totalShares), assets);
        assertLe(SharesMath.toAssetsUp(down, totalAssets, totalShares), assets);
        assertGe(SharesMath.toAssetsDown(up, totalAssets, totalShares), assets);
    }

    /// A loan owes at least what was taken, on the totals that include it; and a repayment below the debt never burns all of
    /// the shares.
    function testFuzz_debt_NeverFavoursTheBorrower(uint256 assets, uint256 debt, uint256 shares, uint256 part)
        public
        pure
    {
        debt = bound(debt, 1, 1e28);
        shares = bound(shares, 1, 1e31);
        assets = bound(assets, 1, 1e18);
        uint256 minted = SharesMath.debtToSharesUp(assets, debt, shares);
        (debt, shares) = (debt + assets, shares + minted);
        uint256 owed = SharesMath.debtToAssetsUp(minted, debt, shares);
        assertGe(owed, assets);
        if (owed == 1) return;
        part = bound(part, 1, owed - 1);
        assertLt(SharesMath.debtToSharesDown(part, debt, shares), minted);
    }

    /// What all owe is at least the total.
    function testFuzz_debt_PartsCoverTheWhole(uint256 debt, uint256 a, uint256 b, uint256 c) public pure {
        debt = bound(debt, 1, MAX);
        a = bound(a, 0, MAX / 3);
        b = bound(b, 0, MAX / 3);
        c = bound(c, 1, MAX / 3);
        uint256 all = a + b + c;
        uint256 sum = SharesMath.debtToAssetsUp(a, debt, all) + SharesMath.debtToAssetsUp(b, debt, all)
            + SharesMath.debtToAssetsUp(c, debt, all);
        assertGe(sum, debt);
        assertLe(sum, debt + 2);
    }
}
