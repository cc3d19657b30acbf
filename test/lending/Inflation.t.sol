// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice The first depositor, and whoever donates: what the attack costs and what it takes. Property 7 of protocol.md §9.
contract InflationTest is PoolFixture {
    address private attacker = makeAddr("attacker");

    function setUp() public override {
        super.setUp();
        _fund(attacker);
    }

    /// The classic: one unit in, a donation, a victim whose deposit rounds to nothing. Here the donation is reserves: it
    /// moves no share price, the victim gets all of its shares, and the attacker loses all that it gave.
    function testFuzz_donation_GainsNothing(uint256 first, uint256 donation, uint256 victim) public {
        first = bound(first, 1, 1000 * USDC);
        donation = bound(donation, 1, 1e8 * USDC);
        victim = bound(victim, 1, 1e8 * USDC);
        uint256 shares = _deposit(attacker, first);
        vm.prank(attacker);
        usdc.transfer(address(pool), donation);
        uint256 victimShares = _deposit(lender, victim);
        assertEq(victimShares, victim * 1000);
        vm.prank(attacker);
        uint256 taken = pool.redeem(shares, attacker, attacker);
        assertEq(taken, first);
        vm.prank(lender);
        assertEq(pool.redeem(victimShares, lender, lender), victim);
        assertEq(pool.marketState().reserves, donation);
    }

    function test_donation_DuringAFlashLoanMovesNothing() public {
        _deposit(lender, 1000 * USDC);
        uint256 price = pool.convertToAssets(1e24);
        usdc.mint(address(pool), 12_345);
        assertEq(pool.convertToAssets(1e24), price);
        assertEq(pool.totalAssets(), 1000 * USDC);
        assertEq(pool.maxDeposit(lender), 1e28 - 1000 * USDC);
    }

    /// A donation of collateral is nobody's: it is in no account and in no total.
    function test_donationOfCollateral_IsNobodys() public {
        _supply(borrower, WETH_ID, ETHER);
        weth.mint(address(pool), 5 ether);
        assertEq(pool.collateralState(WETH_ID).total, ETHER);
        vm.prank(borrower);
        vm.expectRevert();
        pool.withdrawCollateral(WETH_ID, ETHER + 1, borrower, borrower);
    }

    /// The only way to raise a share's worth is interest. An attacker who is the only lender and the only borrower, without a
    /// reserve factor, pays it to himself but for the virtual shares' part; raising a share to v units costs at least about
    /// 1,000 v, and takes from a later deposit at most one share's worth, v. Measured over any such attack: it loses.
    /// (A counterexample of this test removed the virtual debt shares: their interest, which nobody paid, paid for the attack.)
    function testFuzz_selfPaidInterest_CostsMoreThanItTakes(
        uint256 first,
        uint256 elapsed,
        uint256 accruals,
        uint256 victim
    ) public {
        first = bound(first, 1, 1000);
        victim = bound(victim, 1e6, 1e12);
        _supply(attacker, WETH_ID, 1000 ether);
        usdc.mint(attacker, 1e30);
        uint256 before = usdc.balanceOf(attacker);
        _deposit(attacker, first);
        _borrow(attacker, first);
        accruals = bound(accruals, 1, 20);
        elapsed = bound(elapsed, 12, 60 days);
        for (uint256 i; i < accruals; ++i) {
            skip(elapsed);
            vm.prank(owner);
            pool.setReserveFactor(0);
        }
        _repay(attacker, type(uint256).max);
        uint256 victimShares = pool.previewDeposit(victim);
        if (victimShares == 0) {
            vm.expectRevert();
            _deposit(lender, victim);
        } else {
            _deposit(lender, victim);
        }
        uint256 shares = pool.maxRedeem(attacker);
        if (shares != 0) {
            vm.prank(attacker);
            pool.redeem(shares, attacker, attacker);
        }
        // Never a gain; and the victim, if it got shares, lost at most a share's worth.
        assertLe(usdc.balanceOf(attacker), before);
        if (victimShares != 0) {
            uint256 worth = pool.previewRedeem(victimShares);
            uint256 share = pool.totalAssets() / (pool.totalSupply() + 1000) + 1;
            assertGe(worth + share + 1, victim);
        }
    }

    /// Depositing and withdrawing dust forever raises a share by less than what is left behind.
    function testFuzz_roundingDust_GainsNothing(uint256 seed) public {
        _deposit(lender, 1000 * USDC);
        _supply(borrower, WETH_ID, 10 ether);
        _borrow(borrower, 900 * USDC);
        skip(200 days);
        uint256 before = usdc.balanceOf(attacker);
        for (uint256 i; i < 16; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            vm.startPrank(attacker);
            if (seed & 1 == 0) pool.deposit(bound(seed >> 8, 1, 5), attacker);
            else pool.mint(bound(seed >> 8, 1, 5000), attacker);
            uint256 most = pool.maxWithdraw(attacker);
            if (most != 0 && seed & 2 == 0) pool.withdraw(bound(seed >> 16, 1, most), attacker, attacker);
            vm.stopPrank();
        }
        uint256 shares = pool.maxRedeem(attacker);
        if (shares != 0) {
            vm.prank(attacker);
            pool.redeem(shares, attacker, attacker);
        }
        assertLe(usdc.balanceOf(attacker), before);
    }
}
