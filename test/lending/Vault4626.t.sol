// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice ERC-4626: previews are what the action does in the same block, `max*` can be executed and one more cannot, under
/// interest, little cash, caps and losses; and no rounding favours who acts.
contract Vault4626Test is PoolFixture {
    function setUp() public override {
        super.setUp();
        vm.prank(owner);
        pool.setReserveFactor(10);
    }

    // -- previews are true

    function testFuzz_previewDeposit_IsWhatDepositDoes(uint256 seed, uint256 assets) public {
        _anyMarket(seed);
        assets = bound(assets, 1, 1e6 * USDC);
        uint256 preview = pool.previewDeposit(assets);
        vm.assume(preview != 0);
        uint256 before = usdc.balanceOf(stranger);
        assertEq(_deposit(stranger, assets), preview);
        assertEq(before - usdc.balanceOf(stranger), assets);
        assertEq(pool.balanceOf(stranger), preview);
        assertEq(pool.convertToShares(assets), pool.previewDeposit(assets));
    }

    function testFuzz_previewMint_IsWhatMintDoes(uint256 seed, uint256 shares) public {
        _anyMarket(seed);
        shares = bound(shares, 1, 1e9 * USDC);
        uint256 preview = pool.previewMint(shares);
        uint256 before = usdc.balanceOf(stranger);
        vm.prank(stranger);
        assertEq(pool.mint(shares, stranger), preview);
        assertEq(before - usdc.balanceOf(stranger), preview);
        assertEq(pool.balanceOf(stranger), shares);
    }

    function testFuzz_previewWithdraw_IsWhatWithdrawDoes(uint256 seed, uint256 assets) public {
        _anyMarket(seed);
        uint256 most = pool.maxWithdraw(lender);
        vm.assume(most != 0);
        assets = bound(assets, 1, most);
        uint256 preview = pool.previewWithdraw(assets);
        uint256 shares = pool.balanceOf(lender);
        vm.prank(lender);
        assertEq(pool.withdraw(assets, stranger, lender), preview);
        assertEq(shares - pool.balanceOf(lender), preview);
        assertEq(usdc.balanceOf(stranger), 1e9 * USDC + assets);
    }

    function testFuzz_previewRedeem_IsWhatRedeemDoes(uint256 seed, uint256 shares) public {
        _anyMarket(seed);
        uint256 most = pool.maxRedeem(lender);
        vm.assume(most != 0);
        shares = bound(shares, 1, most);
        uint256 preview = pool.previewRedeem(shares);
        assertEq(pool.convertToAssets(shares), preview);
        vm.assume(preview != 0);
        vm.prank(lender);
        assertEq(pool.redeem(shares, stranger, lender), preview);
        assertEq(usdc.balanceOf(stranger), 1e9 * USDC + preview);
    }

    // -- max*: executable, and one more is not

    function testFuzz_maxWithdraw_IsTheMost(uint256 seed) public {
        _anyMarket(seed);
        uint256 most = pool.maxWithdraw(lender);
        vm.startPrank(lender);
        vm.expectRevert();
        pool.withdraw(most + 1, lender, lender);
        if (most != 0) pool.withdraw(most, lender, lender);
    }

    function testFuzz_maxRedeem_IsTheMost(uint256 seed) public {
        _anyMarket(seed);
        uint256 most = pool.maxRedeem(lender);
        vm.startPrank(lender);
        vm.expectRevert();
        pool.redeem(most + 1, lender, lender);
        if (most != 0) pool.redeem(most, lender, lender);
    }

    function testFuzz_maxDeposit_IsTheMost(uint256 seed, uint256 capSeed) public {
        _anyMarket(seed);
        _anyCap(capSeed);
        uint256 most = pool.maxDeposit(stranger);
        usdc.mint(stranger, 1e30);
        vm.startPrank(stranger);
        vm.expectRevert();
        pool.deposit(most + 1, stranger);
        if (most != 0) pool.deposit(most, stranger);
    }

    function testFuzz_maxMint_IsTheMost(uint256 seed, uint256 capSeed) public {
        _anyMarket(seed);
        _anyCap(capSeed);
        uint256 most = pool.maxMint(stranger);
        usdc.mint(stranger, 1e30);
        vm.startPrank(stranger);
        vm.expectRevert();
        pool.mint(most + 1, stranger);
        if (most != 0) pool.mint(most, stranger);
    }

    /// Regression: 10 units of cash at 1000 shares each. 10,999 shares pay 10 units too; 11,000 would pay 11.
    function test_maxRedeem_CountsSharesThatRoundDownToTheCash() public {
        _deposit(lender, 1000);
        _supply(borrower, WETH_ID, ETHER);
        _borrow(borrower, 990);
        assertEq(pool.maxRedeem(lender), 10_999);
        vm.prank(lender);
        assertEq(pool.redeem(10_999, lender, lender), 10);
    }

    /// Regression: 999 shares are worth 0.999 units, which `redeem` refuses.
    function test_maxRedeem_IsZeroForSharesWorthNothing() public {
        _deposit(lender, 1000);
        vm.prank(lender);
        pool.transfer(stranger, 999);
        assertEq(pool.maxRedeem(stranger), 0);
        vm.prank(stranger);
        vm.expectRevert(LendingPool.ZeroAmount.selector);
        pool.redeem(999, stranger, stranger);
    }

    function test_maxRedeem_WithoutCash() public {
        _deposit(lender, 1000);
        _supply(borrower, WETH_ID, ETHER);
        _borrow(borrower, 1000);
        assertEq(pool.maxRedeem(lender), 0);
        assertEq(pool.maxWithdraw(lender), 0);
    }

    /// Regression: after a total loss a unit buys 1e12 + 1000 shares. The cap leaves 1e28 units of room, but the books have
    /// room for 2^104 - 1 - 1e12 shares only: one unit less than what buys more than those.
    function test_maxDeposit_AfterALossIsHeldToTheSharesLeft() public {
        _totalLoss();
        uint256 most = pool.maxDeposit(stranger);
        assertLt(most, 1e28);
        uint256 shareRoom = type(uint104).max - pool.totalSupply();
        assertEq(most, (shareRoom + 1 + pool.totalSupply() + 999) / (pool.totalSupply() + 1000) - 1);
        usdc.mint(stranger, most);
        _deposit(stranger, most);
    }

    function test_maxMint_AfterALossIsHeldToTheSharesLeft() public {
        _totalLoss();
        assertEq(pool.maxMint(stranger), type(uint104).max - pool.totalSupply());
        uint256 cost = pool.previewMint(pool.maxMint(stranger));
        usdc.mint(stranger, cost);
        vm.startPrank(stranger);
        pool.mint(pool.maxMint(stranger), stranger);
        assertEq(pool.totalSupply(), type(uint104).max);
        assertEq(pool.maxMint(stranger), 0);
    }

    function test_maxDeposit_AtTheCap() public {
        _deposit(lender, 1000);
        vm.prank(owner);
        pool.setCaps(1000, 0);
        assertEq(pool.maxDeposit(lender), 0);
        assertEq(pool.maxMint(lender), 0);
        vm.prank(owner);
        pool.setCaps(10, 0); // below what is supplied: nothing is forced out
        assertEq(pool.maxDeposit(lender), 0);
        vm.prank(lender);
        pool.withdraw(1000, lender, lender);
    }

    // -- rounding never favours who acts

    function testFuzz_depositThenRedeem_NeverGains(uint256 seed, uint256 assets) public {
        _anyMarket(seed);
        assets = bound(assets, 1, 1e6 * USDC);
        vm.assume(pool.previewDeposit(assets) != 0);
        uint256 shares = _deposit(stranger, assets);
        assertLe(pool.previewRedeem(shares), assets);
        assertGe(pool.previewWithdraw(assets), shares);
        assertGe(pool.previewMint(shares), 1);
        _assertBooksClose();
    }

    function testFuzz_mintThenWithdraw_NeverGains(uint256 seed, uint256 shares) public {
        _anyMarket(seed);
        shares = bound(shares, 1, 1e9 * USDC);
        vm.startPrank(stranger);
        uint256 cost = pool.mint(shares, stranger);
        assertLe(pool.previewRedeem(shares), cost);
        assertGe(pool.previewWithdraw(cost), shares);
    }

    /// Splitting a withdrawal never pays more than one call.
    function testFuzz_redeem_SplitNeverGains(uint256 seed, uint256 first, uint256 second) public {
        _anyMarket(seed);
        uint256 most = pool.maxRedeem(lender);
        vm.assume(most > 4000);
        first = bound(first, 2000, most / 2);
        second = bound(second, 2000, most / 2);
        vm.assume(pool.previewRedeem(first) != 0 && pool.previewRedeem(second) != 0);
        uint256 whole = pool.previewRedeem(first + second);
        vm.startPrank(lender);
        uint256 paid = pool.redeem(first, lender, lender);
        // The virtual shares' part of what the first call left behind may come back as one unit.
        assertLe(paid + pool.redeem(second, lender, lender), whole + 1);
    }

    /// The share price, (assets + 1) / (shares + 1000), never falls by a lender's action.
    function testFuzz_sharePrice_NeverFallsByLenders(uint256 seed, uint256 assets, uint256 shares) public {
        _anyMarket(seed);
        assets = bound(assets, 1, 1e6 * USDC);
        (uint256 a, uint256 s) = (pool.totalAssets(), pool.totalSupply());
        if (pool.previewDeposit(assets) != 0) _deposit(stranger, assets);
        (a, s) = _assertPriceNotBelow(a, s);
        uint256 most = pool.maxRedeem(lender);
        if (most != 0) {
            shares = bound(shares, 1, most);
            if (pool.previewRedeem(shares) != 0) {
                vm.prank(lender);
                pool.redeem(shares, lender, lender);
            }
        }
        (a, s) = _assertPriceNotBelow(a, s);
        most = pool.maxWithdraw(lender);
        if (most != 0) {
            vm.prank(lender);
            pool.withdraw(bound(assets, 1, most), lender, lender);
        }
        _assertPriceNotBelow(a, s);
        _assertBooksClose();
    }

    // -- states

    /// @dev Lenders, a borrower, time, a fall with a loss or none, and sometimes a market that is drained of cash.
    function _anyMarket(uint256 seed) private {
        _deposit(lender, bound(seed, 1e6, 1e12));
        _supply(borrower, WETH_ID, 1000 * ETHER);
        uint256 cash = usdc.balanceOf(address(pool));
        _borrow(borrower, bound(seed >> 40, 1, cash));
        skip(bound(seed >> 80, 0, 3 * 365 days));
        if (seed >> 128 & 1 == 0) return;
        if (seed >> 129 & 1 == 0) usdc.mint(address(pool), bound(seed >> 140, 0, 1e9));
        // What the collateral is worth after the fall: nothing, or up to all of the debt.
        uint256 debt = pool.debtOf(borrower);
        ethOracle.setPrice(bound(seed >> 180, 0, debt) * 1e15);
        vm.prank(keeper);
        pool.settle(borrower, "");
        if (seed >> 130 & 1 == 0) skip(12);
    }

    function _anyCap(uint256 seed) private {
        vm.prank(owner);
        pool.setCaps(seed & 1 == 0 ? 1e28 : bound(seed, 0, 1e13), 1e28);
    }

    function _totalLoss() private {
        _deposit(lender, 1e9);
        _supply(borrower, WETH_ID, ETHER);
        _borrow(borrower, 1e9);
        ethOracle.setPrice(0);
        vm.prank(keeper);
        pool.settle(borrower, "");
        assertEq(pool.totalAssets(), 0);
    }

    function _assertPriceNotBelow(uint256 assets, uint256 shares) private view returns (uint256 a, uint256 s) {
        (a, s) = (pool.totalAssets(), pool.totalSupply());
        assertGe((a + 1) * (shares + 1000), (assets + 1) * (s + 1000), "share price fell");
    }
}
