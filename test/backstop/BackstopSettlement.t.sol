// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {console} from "forge-std/console.sol";

import {BackstopPool} from "../../contracts/backstop/BackstopPool.sol";
import {IBackstopPoolEvents} from "../../contracts/interfaces/IBackstopPool.sol";
import {PoolSettlement} from "../../contracts/lending/PoolSettlement.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {BackstopFixture} from "./BackstopFixture.sol";

/// @notice The waterfall of what is insolvent, and what a lender saves who leaves before it.
/// @dev 10 WETH against 10,000. At 900 they are worth 9,000, of which ceil(9,000 / 1.03) = 8,737.864078 are paid and
/// 1,262.135922 are lost.
contract BackstopSettlementTest is BackstopFixture {
    uint256 private constant COVERED = 8_737_864_078;
    uint256 private constant LOST = 1_262_135_922;

    function setUp() public override {
        super.setUp();
        _openMarket();
        _fill();
        uint256 debt = pool.debtOf(borrower);
        _repay(borrower, debt - 10_000 * USDC);
    }

    function test_settle_GoesDownTheWaterfall() public {
        _setEthPrice(900);
        vm.prank(stranger);
        usdc.transfer(address(pool), 500 * USDC);
        uint256 reserves = pool.marketState().reserves;
        assertGe(reserves, 500 * USDC);
        uint256 lenders = pool.marketState().lenderAssets;
        uint256 seized = 10 ether;
        // a tenth of 262.135922 of 9,000
        uint256 reward = seized * (9000e6 - COVERED) / 9000e6 / 10;
        vm.expectEmit(address(backstop));
        emit IBackstopPoolEvents.SettlementCollateral(borrower, WETH_ID, keeper, seized - reward, reward);
        vm.expectEmit(address(backstop));
        emit IBackstopPoolEvents.WaterfallSettled(borrower, keeper, COVERED, 0, reserves, LOST - reserves, 0);
        vm.prank(keeper);
        (uint256 repaid, uint256 writtenOff) = backstop.settle(borrower);
        assertEq(repaid, COVERED);
        assertEq(writtenOff, LOST);
        assertEq(pool.debtOf(borrower), 0);
        assertEq(lenders - pool.marketState().lenderAssets, LOST - reserves);
        assertEq(backstop.backstopState().assets, 40_000 * USDC + 1000 - COVERED);
        assertApproxEqRel(backstop.collateralOf(alice, WETH_ID), (seized - reward) * 3 / 4, 1e11);
        _assertBooksClose();
    }

    function test_settle_OfSeveralCollaterals() public {
        _supply(borrower, WBTC_ID, BTC / 100); // 300
        _setEthPrice(870);
        vm.prank(keeper);
        (uint256 repaid,) = backstop.settle(borrower);
        assertEq(repaid, 8_737_864_078); // 9,000 / 1.03
        (uint256 weths,) = backstop.inventoryOf(WETH_ID);
        (uint256 wbtcs,) = backstop.inventoryOf(WBTC_ID);
        assertApproxEqRel(weths, 9.97e18, 0.001e18);
        assertApproxEqRel(wbtcs, 997_000, 0.001e18);
        assertApproxEqAbs(backstop.collateralOf(bob, WBTC_ID), wbtcs / 4, 2);
    }

    /// Next to worthless: the pool pays a stipend, and it goes to whoever called.
    function test_settle_PassesTheStipendOn() public {
        vm.prank(owner);
        pool.setMinDebt(uint88(1000 * USDC), 50 * USDC);
        vm.prank(stranger);
        usdc.transfer(address(pool), 500 * USDC);
        ethOracle.setPrice(1e24);
        uint256 before = usdc.balanceOf(keeper);
        vm.prank(keeper);
        (uint256 repaid,) = backstop.settle(borrower);
        assertEq(repaid, 9_708_738); // 10 / 1.03, up
        assertEq(usdc.balanceOf(keeper) - before, 50 * USDC);
        assertEq(backstop.backstopState().assets, 40_000 * USDC + 1000 - repaid);
    }

    /// 8,000.001 are left, of which 7,999.001 may be spent: the caller pays 738.863078 of 8,737.864078 and has that part of the
    /// collateral, at the whole discount, and a tenth of the discount on the rest.
    function test_settle_TheCallerPaysWhatTheBackstopHasNot() public {
        _leave(32_000e9);
        _setEthPrice(900);
        uint256 fromBackstop = 7_999_001_000;
        assertEq(backstop.absorbable(), fromBackstop);
        // rounded up: what the division leaves is the backstop's
        uint256 kept = uint256(10 ether) * fromBackstop / COVERED + 1;
        kept -= kept * (9000e6 - COVERED) / 9000e6 / 10;
        uint256 wethBefore = weth.balanceOf(keeper);
        uint256 usdcBefore = usdc.balanceOf(keeper);
        vm.expectEmit(address(backstop));
        emit IBackstopPoolEvents.SettlementCollateral(borrower, WETH_ID, keeper, kept, 10 ether - kept);
        vm.prank(keeper);
        backstop.settle(borrower);
        assertEq(usdcBefore - usdc.balanceOf(keeper), COVERED - fromBackstop);
        assertEq(weth.balanceOf(keeper) - wethBefore, 10 ether - kept);
        assertEq(backstop.backstopState().assets, USDC);
        (uint256 amount,) = backstop.inventoryOf(WETH_ID);
        assertEq(amount, kept);
        // claims of others are not touched: what is left is all there is
        assertGe(usdc.balanceOf(address(backstop)), USDC);
    }

    /// Nobody's money: the caller pays all, has all of the collateral, and what waits in the queues is not spent.
    function test_settle_WithAnEmptyBackstopIsTheCallers() public {
        _leave(40_000e9);
        _enter(bob, 20_000 * USDC);
        _setEthPrice(900);
        uint256 before = usdc.balanceOf(address(backstop));
        uint256 wethBefore = weth.balanceOf(keeper);
        vm.prank(keeper);
        backstop.settle(borrower);
        assertEq(usdc.balanceOf(address(backstop)), before);
        assertEq(weth.balanceOf(keeper) - wethBefore, 10 ether);
    }

    function test_RevertWhen_settle_TheCallerHasNotTheRest() public {
        _leave(32_000e9);
        _setEthPrice(900);
        vm.prank(makeAddr("penniless"));
        vm.expectRevert();
        backstop.settle(borrower);
    }

    function test_RevertWhen_onLiquidate_ByAnybodyElse() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(BackstopPool.UnexpectedCallback.selector, stranger));
        backstop.onLiquidate(1e12, abi.encode(keeper));
    }

    /// @dev Takes `shares` out of the 40,000e9: Bob's first.
    function _leave(uint256 shares) private {
        vm.prank(bob);
        backstop.requestExit(10_000e9);
        vm.prank(alice);
        backstop.requestExit(shares - 10_000e9);
        _nextPeriods(2);
        vm.prank(bob);
        backstop.claimAssets(bob);
        vm.prank(alice);
        backstop.claimAssets(alice);
        uint256 debt = pool.debtOf(borrower);
        _repay(borrower, debt - 10_000 * USDC);
    }

    function test_RevertWhen_settle_TheSlowPriceStandsIn() public {
        _setEthPrice(900);
        ethOracle.setStatus(PriceStatus.Degraded);
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(BackstopPool.NoFastPrice.selector, WETH_ID));
        backstop.settle(borrower);
    }

    function test_RevertWhen_settle_NotInsolvent() public {
        _setEthPrice(1030);
        vm.prank(keeper);
        vm.expectPartialRevert(PoolSettlement.NotInsolvent.selector);
        backstop.settle(borrower);
    }

    // -- leaving before a hidden loss

    /// Lender and leaver lend 100,000 each (half of all); 1,262 are lost but not yet settled, less reserves.
    /// Without settlement the leaver goes with his whole claim and saves his half of the loss. With it, called in the block of
    /// the price by a keeper who needs no capital and is paid, he saves nothing. (Without a backstop a settler must sell the
    /// collateral at once, and where the venue does not take it within 3% nobody settles: `BackstopSystem.t.sol`.)
    function test_hiddenLoss_WhatTheFirstLeaverSaves() public {
        address leaver = stranger;
        _deposit(leaver, 100_000 * USDC);
        uint256 claim = pool.previewRedeem(pool.balanceOf(leaver));
        _setEthPrice(900);

        uint256 snapshot = vm.snapshotState();
        vm.prank(leaver);
        pool.withdraw(claim, leaver, leaver);
        vm.prank(keeper);
        backstop.settle(borrower);
        uint256 stayerAlone = pool.previewRedeem(pool.balanceOf(lender));
        vm.revertToState(snapshot);

        uint256 keepersCollateral = weth.balanceOf(keeper);
        vm.prank(keeper);
        backstop.settle(borrower);
        uint256 reward = weth.balanceOf(keeper) - keepersCollateral;
        uint256 claimAfter = pool.previewRedeem(pool.balanceOf(leaver));
        uint256 stayerBoth = pool.previewRedeem(pool.balanceOf(lender));

        uint256 saved = claim - claimAfter;
        console.log("saved by leaving first", saved);
        console.log("paid to the settler, wei of WETH", reward);
        // His part of the loss, no more: 100,000 of some 200,000; reserves are next to nothing.
        assertApproxEqRel(saved, LOST / 2, 0.01e18);
        // and it is what the other loses
        assertApproxEqAbs(stayerBoth - stayerAlone, saved, 2);
        // After settlement leaving saves nothing: the claim is what it is, first or last.
        vm.prank(leaver);
        pool.withdraw(claimAfter, leaver, leaver);
        uint256 stayerLast = pool.previewRedeem(pool.balanceOf(lender));
        console.log("saved by leaving after it", stayerBoth - stayerLast);
        assertLe(stayerBoth - stayerLast, 2);
        // The keeper is paid 0.029 WETH, some 26 USDC, without capital.
        assertApproxEqRel(reward, 0.029e18, 0.01e18);
    }

    /// A fall without a gap hides nothing: at the edge of settlement the loss is 0, and it grows by a 1.03th of what the collateral
    /// falls further. What can be hidden is bounded by the gap beyond that edge.
    function testFuzz_hiddenLoss_IsBoundedByTheGap(uint256 price) public {
        price = bound(price, 500e24, 1030e24 - 1);
        ethOracle.setPrice(price);
        vm.prank(keeper);
        (, uint256 writtenOff) = backstop.settle(borrower);
        assertApproxEqAbs(writtenOff, (1030e24 - price) * 10 * 100 / 103 / 1e18, 2);
    }
}
