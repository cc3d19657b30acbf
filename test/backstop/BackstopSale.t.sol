// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";

import {BackstopPool} from "../../contracts/backstop/BackstopPool.sol";
import {BackstopSale} from "../../contracts/backstop/BackstopSale.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {BackstopFixture} from "./BackstopFixture.sol";

/// @notice The release of inventory, claims in kind, and who gets what.
/// @dev Inventory of some 3.32 WETH at 1,150; the venue takes 100,000 within 2%, so 994 may be sold in 12 seconds: 0.864 WETH.
contract BackstopSaleTest is BackstopFixture {
    uint256 private constant DEPTH = 100_000e6;
    uint256 private constant CAP = 994e6;
    uint256 private constant F = 1150e24;
    uint256 private kept;

    function setUp() public override {
        super.setUp();
        _openMarket();
        _fill();
        _setEthPrice(1150);
        vm.prank(keeper);
        kept = backstop.absorb(borrower, WETH_ID).kept;
    }

    /// @dev Two observations: the depth is believed, the clock runs, the level is full.
    function _open() private {
        _setDepth(DEPTH);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 12);
        backstop.observe(WETH_ID);
    }

    function _buy(uint256 amount) private returns (uint256 bought, uint256 paid) {
        vm.prank(stranger);
        return backstop.buy(WETH_ID, amount, type(uint256).max, stranger);
    }

    function _price() private view returns (uint256 price) {
        (, price,) = backstop.quoteSale(WETH_ID);
    }

    // -- when

    function test_sale_IsClosedWhileThePriceFalls() public {
        _open();
        (bool open,, uint256 available) = backstop.quoteSale(WETH_ID);
        assertTrue(open);
        assertEq(available, CAP * 1e18 / 1150e6);
        ethOracle.setPrices(F, F + 1, F);
        (open,, available) = backstop.quoteSale(WETH_ID);
        assertFalse(open);
        assertEq(available, 0);
        vm.expectRevert(abi.encodeWithSelector(BackstopSale.SaleClosed.selector, WETH_ID));
        _buy(1e18);
    }

    /// V may stand half a percent below F.
    function test_sale_IsClosedWhileTheVenueStandsBelow() public {
        _open();
        ethOracle.setPrices(F, F, 1144.25e24);
        _buy(0.01e18);
        ethOracle.setPrices(F, F, 1144.24e24);
        vm.expectRevert(abi.encodeWithSelector(BackstopSale.SaleClosed.selector, WETH_ID));
        _buy(0.01e18);
    }

    function test_sale_IsClosedWithoutAGoodPrice() public {
        _open();
        ethOracle.setStatus(PriceStatus.Degraded);
        vm.expectRevert(abi.encodeWithSelector(BackstopSale.SaleClosed.selector, WETH_ID));
        _buy(1e18);
    }

    // -- how fast

    function test_sale_NeedsADepthSeenInAnEarlierBlock() public {
        _setDepth(DEPTH);
        vm.expectRevert(abi.encodeWithSelector(BackstopSale.NothingForSale.selector, WETH_ID));
        _buy(1e18);
        backstop.observe(WETH_ID);
        vm.expectRevert(abi.encodeWithSelector(BackstopSale.NothingForSale.selector, WETH_ID));
        _buy(1e18);
        vm.warp(block.timestamp + 12);
        (uint256 bought,) = _buy(1e18);
        assertEq(bought, CAP * 1e18 / 1150e6);
    }

    function test_sale_IsLimitedByTheBlock() public {
        _open();
        (uint256 bought,) = _buy(type(uint256).max);
        assertEq(bought, CAP * 1e18 / 1150e6);
        // what rounding left of the level is worth less than a unit of debt
        vm.expectRevert(abi.encodeWithSelector(BackstopSale.NothingForSale.selector, WETH_ID));
        _buy(type(uint256).max);
        vm.warp(block.timestamp + 3);
        (bought,) = _buy(type(uint256).max);
        assertApproxEqAbs(bought, CAP * 1e18 / 1150e6 / 4, 2e9);
        // an hour does not save up more
        vm.warp(block.timestamp + 1 hours);
        (bought,) = _buy(type(uint256).max);
        assertEq(bought, CAP * 1e18 / 1150e6);
    }

    /// A depth that is shown in one block only counts for nothing, in that block and in the next.
    function test_sale_InflatedDepthCountsForNothing() public {
        _open();
        vm.warp(block.timestamp + 12);
        _setDepth(DEPTH * 1000);
        backstop.observe(WETH_ID);
        (uint256 bought,) = _buy(type(uint256).max);
        assertEq(bought, CAP * 1e18 / 1150e6);
        _setDepth(DEPTH);
        vm.warp(block.timestamp + 12);
        (bought,) = _buy(type(uint256).max);
        assertEq(bought, CAP * 1e18 / 1150e6);
    }

    function test_sale_WithoutAVenueThereIsNone() public {
        _setDepth(0);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 12);
        vm.expectRevert(abi.encodeWithSelector(BackstopSale.NothingForSale.selector, WETH_ID));
        _buy(1e18);
        // in kind it goes on
        vm.prank(bob);
        assertApproxEqRel(backstop.claimCollateral(WETH_ID, bob), kept / 4, 1e11);
    }

    // -- at what price

    function test_sale_PriceFallsFromAboveToBelowTheReference() public {
        _setDepth(DEPTH);
        backstop.observe(WETH_ID);
        assertEq(_price(), 1161.5e24);
        vm.warp(block.timestamp + 5 minutes);
        assertEq(_price(), 1150e24);
        vm.warp(block.timestamp + 5 minutes);
        assertEq(_price(), 1138.5e24);
        vm.warp(block.timestamp + 50 minutes);
        assertEq(_price(), 1138.5e24);
        vm.warp(block.timestamp + 1);
        assertEq(_price(), 1161.5e24, "an old clock is void");
    }

    /// Never under the slow price by more than the discount, whatever F does.
    function testFuzz_sale_PriceIsBoundedByBothPrices(uint256 fast, uint256 slow, uint256 elapsed) public {
        slow = bound(slow, 1e24, 10_000e24);
        fast = bound(fast, slow, 20_000e24);
        backstop.observe(WETH_ID);
        ethOracle.setPrices(fast, slow, fast);
        vm.warp(block.timestamp + bound(elapsed, 0, 2 hours));
        uint256 price = _price();
        assertGe(price, slow * 99 / 100);
        assertGe(price, fast * 99 / 100);
        assertLe(price, fast * 101 / 100 + 1);
    }

    /// All of the cap gives back 24 seconds of the auction, 0.08%; a quarter 6 seconds; dust next to nothing.
    function test_sale_ClockMovesByWhatIsTaken() public {
        _setDepth(DEPTH);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 8 minutes);
        assertEq(_price(), 1143.1e24); // 1 + 1% - 1.6%
        _buy(1e9);
        _assertPrice(1143.1e24);
        _buy(CAP * 1e18 / 1150e6 / 4);
        _assertPrice(1143.33e24);
        vm.warp(block.timestamp + 12);
        _assertPrice(1142.87e24);
        _buy(type(uint256).max);
        _assertPrice(1143.79e24);
        // half of the cap every 12 seconds: it stands
        vm.warp(block.timestamp + 12);
        uint256 before = _price();
        _buy(CAP * 1e18 / 1150e6 / 2);
        vm.warp(block.timestamp + 12);
        _assertPrice(before);
    }

    /// Regression: with a clock in seconds, parts of less than a 24th of the cap did not move it.
    function test_sale_PartsMoveTheClockAsTheWholeDoes() public {
        _setDepth(DEPTH);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 8 minutes);
        for (uint256 i; i < 100; ++i) {
            _buy(CAP * 1e18 / 1150e6 / 100);
        }
        // 0.6% under F and 0.08% back
        _assertPrice(1144.02e24);
    }

    /// @dev To a few microseconds of the auction, each 0.00004 thousandths of the price.
    function _assertPrice(uint256 price) private view {
        assertApproxEqAbs(_price(), price, 0.00002e24);
    }

    function test_sale_APurchaseAtTheFloorLeavesIt() public {
        _setDepth(DEPTH);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 50 minutes);
        assertEq(_price(), 1138.5e24);
        _buy(type(uint256).max);
        assertEq(_price(), 1139.42e24);
    }

    function test_RevertWhen_buy_CostsMoreThanTheLimit() public {
        _open();
        vm.prank(stranger);
        vm.expectRevert();
        backstop.buy(WETH_ID, 0.1e18, 116e6, stranger);
        vm.prank(stranger);
        backstop.buy(WETH_ID, 0.1e18, 116.2e6, stranger);
    }

    // -- who gets what

    function test_sale_ProceedsGoToThoseWhoDidNotClaim() public {
        vm.prank(bob);
        uint256 bobs = backstop.claimCollateral(WETH_ID, bob);
        assertApproxEqRel(bobs, kept / 4, 1e11);
        _open();
        uint256 paidInAll;
        for (uint256 i; i < 3; ++i) {
            (, uint256 paid) = _buy(type(uint256).max);
            paidInAll += paid;
            vm.warp(block.timestamp + 12);
        }
        assertApproxEqAbs(backstop.backstopAccount(alice).claimable, paidInAll, 500);
        assertEq(backstop.backstopAccount(bob).claimable, 0);
        (uint256 left,) = backstop.inventoryOf(WETH_ID);
        assertLt(left, 1e15, "the last purchase takes nearly all");
        assertLe(backstop.collateralOf(alice, WETH_ID), left);
    }

    /// Sold out, and a second absorption: what is claimed then is of the second alone, and the first is paid.
    function test_sale_SoldOutBeginsAnew() public {
        _setDepth(DEPTH * 10);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 12);
        (uint256 bought, uint256 paid) = _buy(type(uint256).max);
        assertEq(bought, kept);
        (uint256 left, uint256 units) = backstop.inventoryOf(WETH_ID);
        assertEq(left, 0);
        assertEq(units, 0);
        assertEq(backstop.collateralOf(alice, WETH_ID), 0);
        _setEthPrice(1000);
        vm.prank(keeper);
        uint256 second = backstop.absorb(borrower, WETH_ID).kept;
        assertApproxEqRel(backstop.collateralOf(alice, WETH_ID), second * 3 / 4, 1e11);
        vm.prank(alice);
        assertApproxEqAbs(backstop.claimAssets(alice), paid * 3 / 4, 100);
        vm.prank(bob);
        assertApproxEqRel(backstop.claimCollateral(WETH_ID, bob), second / 4, 1e11);
    }

    /// Regression: what a sale had left over, a little more than a millionth of a stock, let the least order take all of the next one,
    /// at any multiple of the limit, and no other order came through. Whatever is left, an order takes what it asks for and no more
    /// than the level.
    function testFuzz_sale_ALeftoverDoesNotLiftTheLimit(uint256 bits, uint256 rounds, uint256 asked) public {
        bits = bound(bits, 1, 61);
        for (uint256 i; i < 1 + rounds % 3; ++i) {
            _setDepth(DEPTH * 20);
            backstop.observe(WETH_ID);
            vm.warp(block.timestamp + 12);
            (uint256 stock,) = backstop.inventoryOf(WETH_ID);
            _buy(stock - (stock >> bits) - 1);
            (uint256 left,) = backstop.inventoryOf(WETH_ID);
            assertEq(left, (stock >> bits) + 1);
            left += _absorbAnother(i);
            assertEq(_stock(), left);
        }
        _open();
        asked = bound(asked, 1, 10e18);
        (, uint256 price, uint256 available) = backstop.quoteSale(WETH_ID);
        assertLe(available * 1150 / 1e12, CAP);
        (uint256 bought, uint256 paid) = _buy(asked);
        assertEq(bought, asked < available ? asked : available);
        assertEq(paid, FixedPointMathLib.fullMulDivUp(bought, price, 1e36));
        assertGe(_stock(), 1e17, "there is more than the limit lets out");
    }

    /// @dev Some 1.66 WETH of another borrower's.
    function _absorbAnother(uint256 number) private returns (uint256) {
        address another = address(uint160(uint256(keccak256(abi.encode("another borrower", number)))));
        _fund(another);
        _setEthPrice(2000);
        _supply(another, WETH_ID, 5e18);
        _borrow(another, 5000 * USDC);
        _setEthPrice(1150);
        vm.prank(keeper);
        return backstop.absorb(another, WETH_ID).kept;
    }

    function _stock() private view returns (uint256 stock) {
        (stock,) = backstop.inventoryOf(WETH_ID);
    }

    /// What is left under a millionth of what was taken is left to the next stock, whose owners share it; what was sold is paid to
    /// those whose it was.
    function test_sale_ALeftoverIsOfTheNextStock() public {
        _setDepth(DEPTH * 10);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 12);
        (, uint256 paid) = _buy(kept - (kept >> 20));
        assertGt(backstop.collateralOf(alice, WETH_ID), 0);
        _setEthPrice(1000);
        vm.prank(keeper);
        uint256 second = backstop.absorb(borrower, WETH_ID).kept;
        (uint256 stock, uint256 units) = backstop.inventoryOf(WETH_ID);
        assertEq(stock, (kept >> 20) + second);
        assertEq(units, stock << 16);
        assertApproxEqRel(backstop.collateralOf(alice, WETH_ID), second * 3 / 4, 1e12);
        vm.prank(alice);
        assertApproxEqAbs(backstop.claimAssets(alice), paid * 3 / 4, 100);
    }

    /// Regression: a clock that ran while there was nothing to buy, or next to nothing, had the first stock sold at the lowest price at
    /// once: for whoever had his own position absorbed and bought it back, less than he was paid.
    function test_sale_TheClockDoesNotAgeBeforeTheStockIsThere() public {
        _setDepth(DEPTH * 10);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 12);
        _buy(kept - 1000);
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 10 minutes);
        assertEq(_price(), 1138.5e24);
        _setEthPrice(1000);
        vm.prank(keeper);
        backstop.absorb(borrower, WETH_ID);
        assertEq(_price(), 1010e24);
        vm.warp(block.timestamp + 10 minutes);
        assertEq(_price(), 1010e24, "nor without anybody who starts it");
        backstop.observe(WETH_ID);
        vm.warp(block.timestamp + 5 minutes);
        assertEq(_price(), 1000e24);
    }

    /// More of what is for sale already leaves the clock alone.
    function test_sale_TheClockGoesOnWhereLessIsAdded() public {
        _open();
        vm.warp(block.timestamp + 5 minutes);
        uint256 before = _price();
        assertLt(_absorbAnother(0), kept);
        assertEq(_price(), before);
    }

    /// Who leaves, and who hands his shares on, keeps his part of what was taken before.
    function test_inventory_StaysWithThoseWhoTookIt() public {
        vm.startPrank(bob);
        backstop.transfer(stranger, backstop.balanceOf(bob));
        vm.stopPrank();
        vm.prank(alice);
        backstop.requestExit(30_000e9);
        _nextPeriods(3);
        assertApproxEqRel(backstop.collateralOf(bob, WETH_ID), kept / 4, 1e11);
        assertApproxEqRel(backstop.collateralOf(alice, WETH_ID), kept * 3 / 4, 1e11);
        assertEq(backstop.collateralOf(stranger, WETH_ID), 0);
        vm.prank(alice);
        uint256 amount = backstop.claimCollateral(WETH_ID, stranger);
        assertApproxEqRel(amount, kept * 3 / 4, 1e11);
    }

    /// Claims work while the sale is closed, the price down and the pool's policy gone.
    function test_claim_IsPausedByNothing() public {
        ethOracle.setStatus(PriceStatus.Down);
        vm.prank(owner);
        pool.setPolicy(policy);
        vm.prank(guardian);
        pool.freezeCollateral(WETH_ID);
        uint256 before = weth.balanceOf(bob);
        vm.prank(bob);
        uint256 amount = backstop.claimCollateral(WETH_ID, bob);
        assertEq(weth.balanceOf(bob) - before, amount);
        assertApproxEqRel(amount, kept / 4, 1e11);
    }

    function test_claim_OfNothing() public {
        vm.prank(stranger);
        assertEq(backstop.claimCollateral(WETH_ID, stranger), 0);
        vm.prank(alice);
        assertEq(backstop.claimCollateral(WBTC_ID, alice), 0);
    }
}
