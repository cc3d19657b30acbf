// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {ILendingPool} from "../../contracts/interfaces/ILendingPool.sol";
import {FlashLiquidator, IFlashLiquidatorVenue} from "../../contracts/liquidation/FlashLiquidator.sol";
import {FlashPoolMock} from "../mocks/FlashPoolMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {SwapVenueMock} from "../mocks/SwapVenueMock.sol";

/// @notice The usual case: 100 repaid, 0.084 seized, sold at 1,240: 104.16.
contract FlashLiquidatorTest is Test {
    address private constant KEEPER = address(0xCEE9E6);
    address private constant ALICE = address(0xA11CE);

    SimToken private asset;
    SimToken private collateral;
    SimToken private other;
    FlashPoolMock private pool;
    SwapVenueMock private venue;
    FlashLiquidator private liquidator;

    function setUp() public {
        asset = new SimToken("Dollar", "USD", 6);
        collateral = new SimToken("Ether", "ETH", 18);
        other = new SimToken("Other", "OTH", 18);
        pool = new FlashPoolMock(address(asset), address(collateral), address(other));
        collateral.mint(address(pool), 100e18);
        other.mint(address(pool), 100e18);
        asset.mint(address(pool), 1000e6);
        venue = new SwapVenueMock(address(collateral), address(asset));
        asset.mint(address(venue), 1_000_000e6);
        venue.set(1240e6, type(uint256).max);
        liquidator = _liquidator(venue);
        pool.grant(100e6, 0.084e18, 0, 0);
    }

    function _liquidator(SwapVenueMock at) private returns (FlashLiquidator) {
        return new FlashLiquidator(ILendingPool(address(pool)), IFlashLiquidatorVenue(address(at)), 0);
    }

    function _assertEmpty() private view {
        assertEq(asset.balanceOf(address(liquidator)), 0);
        assertEq(collateral.balanceOf(address(liquidator)), 0);
        assertEq(other.balanceOf(address(liquidator)), 0);
    }

    function test_liquidate_SellsRepaysAndPaysTheCaller() public {
        vm.prank(KEEPER);
        assertEq(liquidator.liquidate(ALICE, 100e6, 4.16e6), 4.16e6);
        assertEq(asset.balanceOf(KEEPER), 4.16e6);
        assertEq(asset.balanceOf(address(pool)), 1100e6);
        _assertEmpty();
    }

    function test_liquidate_WorksWhereTheCollateralIsTheSecondToken() public {
        SwapVenueMock reversed = new SwapVenueMock(address(asset), address(collateral));
        asset.mint(address(reversed), 1000e6);
        reversed.set(1240e6, type(uint256).max);
        liquidator = _liquidator(reversed);
        vm.prank(KEEPER);
        assertEq(liquidator.liquidate(ALICE, 100e6, 0), 4.16e6);
        _assertEmpty();
    }

    function test_RevertWhen_theProfitIsBelowTheMinimum() public {
        vm.prank(KEEPER);
        vm.expectRevert(
            abi.encodeWithSelector(FlashLiquidator.ProfitBelowMinimum.selector, 104.16e6, 100e6, 4.16e6 + 1)
        );
        liquidator.liquidate(ALICE, 100e6, 4.16e6 + 1);
    }

    /// @dev 0.084 * 1,190 = 99.96: the repayment cannot be pulled, whatever the minimum.
    function test_RevertWhen_theSaleDoesNotCoverTheRepayment() public {
        venue.set(1190e6, type(uint256).max);
        vm.expectRevert();
        liquidator.liquidate(ALICE, 100e6, 0);
    }

    /// @dev The venue takes 0.083 only: 102.92 repay, and the rest of the collateral is the caller's.
    function test_liquidate_HandsOverWhatTheVenueDidNotTake() public {
        venue.set(1240e6, 0.083e18);
        vm.prank(KEEPER);
        assertEq(liquidator.liquidate(ALICE, 100e6, 0), 2.92e6);
        assertEq(collateral.balanceOf(KEEPER), 0.001e18);
        _assertEmpty();
    }

    function test_liquidate_LeavesAnIntruderNothing() public {
        vm.prank(KEEPER);
        liquidator.liquidate(ALICE, 100e6, 0);
        pool.grant(0, 0, 0, 0);
        vm.prank(address(0xBAD));
        assertEq(liquidator.liquidate(ALICE, 100e6, 0), 0);
    }

    function test_settle_PaysStipendAndOtherCollateralsToTheCaller() public {
        pool.grant(100e6, 0.084e18, 2e18, 5e6);
        vm.prank(KEEPER);
        assertEq(liquidator.settle(ALICE, 9.16e6), 9.16e6);
        assertEq(asset.balanceOf(KEEPER), 9.16e6);
        assertEq(other.balanceOf(KEEPER), 2e18);
        _assertEmpty();
    }

    function test_settle_NeedsNoSaleWhereNothingIsLeft() public {
        pool.grant(0, 0, 0, 5e6);
        vm.prank(KEEPER);
        assertEq(liquidator.settle(ALICE, 5e6), 5e6);
        _assertEmpty();
    }

    function test_RevertWhen_aStrangerCallsBack() public {
        vm.expectRevert(abi.encodeWithSelector(FlashLiquidator.UnexpectedCallback.selector, address(this)));
        liquidator.onLiquidate(1, "");
        vm.expectRevert(abi.encodeWithSelector(FlashLiquidator.UnexpectedCallback.selector, address(this)));
        liquidator.uniswapV3SwapCallback(1, -1, "");
        // not even each in the other's place
        vm.prank(address(venue));
        vm.expectRevert(abi.encodeWithSelector(FlashLiquidator.UnexpectedCallback.selector, address(venue)));
        liquidator.onLiquidate(1, "");
        vm.prank(address(pool));
        vm.expectRevert(abi.encodeWithSelector(FlashLiquidator.UnexpectedCallback.selector, address(pool)));
        liquidator.uniswapV3SwapCallback(1, -1, "");
    }

    function test_RevertWhen_theVenueTradesOtherTokens() public {
        SwapVenueMock wrong = new SwapVenueMock(address(other), address(asset));
        vm.expectRevert(abi.encodeWithSelector(FlashLiquidator.VenueTokens.selector, address(other), address(asset)));
        _liquidator(wrong);
    }
}
