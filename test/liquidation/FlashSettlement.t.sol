// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ILendingPool} from "../../contracts/interfaces/ILendingPool.sol";
import {FlashLiquidator, IFlashLiquidatorVenue, Sale} from "../../contracts/liquidation/FlashLiquidator.sol";
import {GreedyVenue} from "../mocks/GreedyVenue.sol";
import {SwapVenueMock} from "../mocks/SwapVenueMock.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice Settlements of positions with two collaterals, against the real pool.
contract FlashSettlementTest is PoolFixture {
    SwapVenueMock private ethVenue;
    SwapVenueMock private btcVenue;
    FlashLiquidator private flash;

    function setUp() public override {
        super.setUp();
        (ethVenue, btcVenue) = (_venue(address(weth)), _venue(address(wbtc)));
        ethVenue.set(1000 * USDC, type(uint256).max);
        // per 1e18 base units, of which a bitcoin has 1e8
        btcVenue.set(15_000 * USDC * 1e10, type(uint256).max);
        flash = new FlashLiquidator(ILendingPool(address(pool)), IFlashLiquidatorVenue(address(ethVenue)), WETH_ID);
    }

    /// @dev Opens a market and lets ether fall to 1,000 beside a worthless amount of bitcoin.
    function _dust() private {
        _openMarket();
        _supply(borrower, WBTC_ID, 100);
        _setEthPrice(1000);
    }

    /// @dev 5 ether and a third of a bitcoin, worth the same, against 10,000; both fall by half.
    function _halves() private {
        _deposit(lender, 100_000 * USDC);
        _supply(borrower, WETH_ID, 5 * ETHER);
        _supply(borrower, WBTC_ID, BTC / 3);
        _borrow(borrower, 10_000 * USDC);
        _setEthPrice(1000);
        btcOracle.setPrice(15_000e34);
    }

    function test_settle_HandsOverDustOfAnotherCollateral() public {
        _dust();
        uint256 before = wbtc.balanceOf(keeper);
        vm.prank(keeper);
        assertGt(flash.settle(borrower, 200 * USDC), 200 * USDC);
        assertEq(wbtc.balanceOf(keeper) - before, 100);
        _assertEmpty();
    }

    /// @dev The pool gives a token that does not move back to the account; there is nothing to hand over then.
    function test_settle_PassesByACollateralThatDoesNotMove() public {
        _dust();
        vm.mockCallRevert(address(wbtc), abi.encodeWithSelector(IERC20.transfer.selector), "paused");
        vm.prank(keeper);
        assertGt(flash.settle(borrower, 200 * USDC), 200 * USDC);
        assertEq(pool.collateralOf(borrower, WBTC_ID), 100, "stays with the account");
        _assertEmpty();
    }

    function test_RevertWhen_settle_AnotherCollateralIsWorthMoreThanTheBonus() public {
        _halves();
        vm.prank(keeper);
        vm.expectRevert();
        flash.settle(borrower, 0);
    }

    /// @dev Worth 9,999.99: 9,708.74 repaid, and the bonus of 3% is the profit.
    function test_settleSelling_ClosesWhatIsHalfInAnotherCollateral() public {
        _halves();
        uint256 before = usdc.balanceOf(keeper);
        vm.prank(keeper);
        uint256 profit = flash.settleSelling(borrower, _sales(btcVenue), 291 * USDC);
        assertApproxEqAbs(profit, 291.262e6, 0.001e6);
        assertEq(usdc.balanceOf(keeper) - before, profit);
        assertEq(pool.debtOf(borrower), 0);
        _assertEmpty();
    }

    function test_settleSelling_HandsOverWhatTheVenueDidNotTake() public {
        _halves();
        btcVenue.set(15_000 * USDC * 1e10, BTC / 3 - 1000);
        uint256 before = wbtc.balanceOf(keeper);
        vm.prank(keeper);
        flash.settleSelling(borrower, _sales(btcVenue), 0);
        assertEq(wbtc.balanceOf(keeper) - before, 1000);
        _assertEmpty();
    }

    function test_settleSelling_PassesByACollateralThatDoesNotMove() public {
        _dust();
        vm.mockCallRevert(address(wbtc), abi.encodeWithSelector(IERC20.transfer.selector), "paused");
        vm.prank(keeper);
        assertGt(flash.settleSelling(borrower, _sales(btcVenue), 0), 0);
        _assertEmpty();
    }

    function test_RevertWhen_settleSelling_TheProfitIsBelowTheMinimum() public {
        _halves();
        vm.prank(keeper);
        vm.expectPartialRevert(FlashLiquidator.ProfitBelowMinimum.selector);
        flash.settleSelling(borrower, _sales(btcVenue), 292 * USDC);
    }

    function test_RevertWhen_settleSelling_TheVenueTradesSomethingElse() public {
        _halves();
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(FlashLiquidator.VenueTokens.selector, address(weth), address(usdc)));
        flash.settleSelling(borrower, _sales(ethVenue), 0);
    }

    /// @dev A venue that takes what it is sold, asks for more, tries to settle, sell and be paid again, and pays nothing: the
    /// caller's minimum reverts it all, and the pool's debt is not written off for nothing.
    function test_RevertWhen_settleSelling_TheVenueIsHostile() public {
        _halves();
        GreedyVenue greedy = new GreedyVenue(address(wbtc), address(usdc), flash, borrower);
        uint256 held = usdc.balanceOf(address(pool));
        Sale[] memory sales = new Sale[](1);
        sales[0] = Sale(WBTC_ID, IFlashLiquidatorVenue(address(greedy)));
        vm.prank(keeper);
        vm.expectRevert();
        flash.settleSelling(borrower, sales, 0);
        assertEq(usdc.balanceOf(address(pool)), held);
        assertGt(pool.debtOf(borrower), 0);
        // Where the rest repays, it has taken what its own caller let it sell, and nothing else.
        _assertEmpty();
    }

    /// @dev Only the collateral that a hostile venue was given to sell can be taken by it.
    function test_settleSelling_AHostileVenueTakesWhatItWasToSellAndNothingElse() public {
        _dust();
        GreedyVenue greedy = new GreedyVenue(address(wbtc), address(usdc), flash, borrower);
        Sale[] memory sales = new Sale[](1);
        sales[0] = Sale(WBTC_ID, IFlashLiquidatorVenue(address(greedy)));
        uint256 before = usdc.balanceOf(keeper);
        vm.prank(keeper);
        uint256 profit = flash.settleSelling(borrower, sales, 200 * USDC);
        assertEq(usdc.balanceOf(keeper) - before, profit);
        assertEq(wbtc.balanceOf(address(greedy)), 100);
        assertEq(usdc.balanceOf(address(greedy)) + weth.balanceOf(address(greedy)), 0);
        assertEq(greedy.refusals(), 3, "settling, selling, being paid afterwards");
        _assertEmpty();
    }

    function test_RevertWhen_uniswapV3SwapCallback_NothingIsBeingSold() public {
        _halves();
        vm.prank(keeper);
        flash.settleSelling(borrower, _sales(btcVenue), 0);
        weth.mint(address(flash), 1);
        vm.prank(address(btcVenue));
        vm.expectRevert(abi.encodeWithSelector(FlashLiquidator.UnexpectedCallback.selector, address(btcVenue)));
        flash.uniswapV3SwapCallback(1, -1, "");
    }

    function _venue(address token) private returns (SwapVenueMock venue) {
        venue = new SwapVenueMock(token, address(usdc));
        usdc.mint(address(venue), 1e7 * USDC);
    }

    function _sales(SwapVenueMock venue) private pure returns (Sale[] memory sales) {
        sales = new Sale[](1);
        sales[0] = Sale(WBTC_ID, IFlashLiquidatorVenue(address(venue)));
    }

    function _assertEmpty() private view {
        assertEq(usdc.balanceOf(address(flash)), 0);
        assertEq(weth.balanceOf(address(flash)), 0);
        assertEq(wbtc.balanceOf(address(flash)), 0);
    }
}
