// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {CollateralConfig, CollateralState, ILendingPoolEvents} from "../../contracts/interfaces/ILendingPool.sol";
import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {PoolAdministration} from "../../contracts/lending/PoolAdministration.sol";
import {PoolPositions} from "../../contracts/lending/PoolPositions.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice Listing, ramping, freezing and delisting a collateral.
contract AdministrationCollateralTest is PoolFixture {
    CollateralConfig private config;

    function setUp() public override {
        super.setUp();
        config = _config(address(new SimToken("Other", "OTHER", 18)), address(new PoolOracleMock(1e36)));
    }

    // -- listing

    function test_listCollateral_StoresTheConfig() public {
        config.group = 3;
        config.cap = 777;
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.CollateralListed(2, config);
        vm.prank(owner);
        assertEq(pool.listCollateral(config), 2);
        CollateralState memory state = pool.collateralState(2);
        assertEq(state.token, config.token);
        assertEq(state.oracle, config.oracle);
        assertEq(state.borrowLtv, 0.8e18);
        assertEq(state.liquidationThreshold, 0.85e18);
        assertEq(state.maxBonus, 0.05e18);
        assertEq(state.slippageMargin, 0.05e18);
        assertEq(state.confirmationBand, 0.02e18);
        assertEq(state.group, 3);
        assertTrue(state.damped);
        assertFalse(state.frozen);
        assertEq(state.total, 0);
        assertEq(state.cap, 777);
        assertEq(pool.collateralCount(), 3);
    }

    function test_RevertWhen_collateralState_Unknown() public {
        vm.expectRevert(abi.encodeWithSelector(PoolPositions.UnknownCollateral.selector, 2, 2));
        pool.collateralState(2);
    }

    function test_RevertWhen_listCollateral_TokenUnfit() public {
        config.token = address(usdc);
        _expectInvalid("token");
        config.token = address(pool);
        _expectInvalid("token");
        config.token = stranger;
        _expectInvalid("token code");
        config.token = address(weth);
        _expectInvalid("token listed");
    }

    function test_RevertWhen_listCollateral_OracleDown() public {
        PoolOracleMock(config.oracle).setStatus(PriceStatus.Down);
        _expectInvalid("oracle down");
    }

    function test_RevertWhen_listCollateral_MarginsOutOfRange() public {
        config.damped = false;
        config.liquidationThreshold = 5000;
        config.borrowLtv = 4999;
        config.maxBonus = 2001;
        _expectInvalid("max bonus");
        config.maxBonus = 2000;
        config.slippageMargin = 5001;
        _expectInvalid("slippage margin");
        config.slippageMargin = 5000;
        config.confirmationBand = 501;
        _expectInvalid("confirmation band");
        config.confirmationBand = 500;
        config.cap = 1e28 + 1;
        vm.prank(owner);
        vm.expectRevert(
            abi.encodeWithSelector(PoolAdministration.ValueOutOfRange.selector, bytes32("cap"), 1e28 + 1, 1e28)
        );
        pool.listCollateral(config);
        config.cap = 1e28;
        vm.prank(owner);
        pool.listCollateral(config);
    }

    function test_RevertWhen_listCollateral_LtvNotBelowThreshold() public {
        config.borrowLtv = 8500;
        _expectInvalid("borrow LTV");
        (config.borrowLtv, config.liquidationThreshold) = (0, 0);
        _expectInvalid("borrow LTV");
    }

    /// LT (1 + max(b, 3%)) <= 1: 9,708 * 10,300 = 99,992,400 fits in 1e8 and 9,709 * 10,300 = 100,002,700 does not.
    function test_RevertWhen_listCollateral_ThresholdLeavesNoSettlement() public {
        config.damped = false;
        config.maxBonus = 100;
        config.liquidationThreshold = 9709;
        _expectInvalid("threshold");
        config.liquidationThreshold = 9708;
        vm.prank(owner);
        pool.listCollateral(config);
    }

    /// HF_hard (1 + delta) <= 1: 0.888 * 1.05 * 1.05 * 1.02 = 0.99858 fits, 0.89 * 1.124... = 1.00083 does not; and the latter
    /// is listed without damping.
    function test_RevertWhen_listCollateral_MarginsDoNotFit() public {
        config.liquidationThreshold = 8900;
        _expectInvalid("margins do not fit");
        config.damped = false;
        vm.prank(owner);
        pool.listCollateral(config);
        config.token = address(new SimToken("Third", "THIRD", 18));
        (config.damped, config.liquidationThreshold) = (true, 8880);
        vm.prank(owner);
        pool.listCollateral(config);
    }

    /// A bonus of 1% alone would leave the damped zone down to C = 1.01 D, where settlement, which pays 3% for C < 1.03 D, opens at
    /// once and takes 2% from lenders: whoever keeps others out of the damped zone until then is paid for it. 1.01 * 1.0199 =
    /// 1.030099 fits, 1.01 * 1.0198 = 1.029998 does not; and without damping the hard zone begins at 1.
    function test_RevertWhen_listCollateral_SettlementWithinTheDampedZone() public {
        (config.maxBonus, config.slippageMargin) = (100, 198);
        _expectInvalid("settlement in the damped zone");
        (config.maxBonus, config.slippageMargin) = (299, 0);
        _expectInvalid("settlement in the damped zone");
        config.damped = false;
        vm.prank(owner);
        pool.listCollateral(config);
        config.token = address(new SimToken("Third", "THIRD", 18));
        (config.damped, config.maxBonus, config.slippageMargin) = (true, 100, 199);
        vm.prank(owner);
        pool.listCollateral(config);
        config.token = address(new SimToken("Fourth", "FOURTH", 18));
        (config.maxBonus, config.slippageMargin) = (300, 0);
        vm.prank(owner);
        pool.listCollateral(config);
    }

    function test_RevertWhen_listCollateral_Full() public {
        vm.startPrank(owner);
        for (uint256 i = 2; i < 16; ++i) {
            config.token = address(new SimToken("Other", "OTHER", 18));
            pool.listCollateral(config);
        }
        vm.stopPrank();
        config.token = address(new SimToken("Other", "OTHER", 18));
        _expectInvalid("full");
    }

    // -- ramps

    /// From 80% / 85% to 60% / 70% over seven days: after 3.5 days 70% / 77.5%, after one day 80 - 20/7, 85 - 15/7.
    function test_rampCollateral_IsLinear() public {
        uint256 start = block.timestamp;
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.CollateralRampStarted(WETH_ID, 6000, 7000, start + 7 days);
        vm.prank(owner);
        pool.rampCollateral(WETH_ID, 6000, 7000);
        _assertRatios(0.8e18, 0.85e18);
        vm.warp(start + 1 days);
        _assertRatios(0.771428571428571429e18, 0.828571428571428572e18);
        vm.warp(start + 3.5 days);
        _assertRatios(0.7e18, 0.775e18);
        vm.warp(start + 7 days - 1);
        assertGt(pool.collateralState(WETH_ID).liquidationThreshold, 0.7e18);
        vm.warp(start + 7 days);
        _assertRatios(0.6e18, 0.7e18);
        vm.warp(start + 700 days);
        _assertRatios(0.6e18, 0.7e18);
    }

    function test_rampCollateral_Upwards() public {
        vm.prank(owner);
        pool.rampCollateral(WETH_ID, 8100, 8600);
        skip(3.5 days);
        _assertRatios(0.805e18, 0.855e18);
        skip(3.5 days);
        _assertRatios(0.81e18, 0.86e18);
    }

    /// A ramp may be turned around: it starts where the last one is, less at most a basis point, so nothing jumps.
    function testFuzz_rampCollateral_NeverJumps(uint256 at, uint256 ltv, uint256 threshold) public {
        vm.startPrank(owner);
        pool.rampCollateral(WETH_ID, 6000, 7000);
        skip(bound(at, 0, 8 days));
        CollateralState memory before = pool.collateralState(WETH_ID);
        threshold = bound(threshold, 1, 8880);
        pool.rampCollateral(WETH_ID, uint16(bound(ltv, 0, threshold - 1)), uint16(threshold));
        CollateralState memory state = pool.collateralState(WETH_ID);
        assertLe(state.liquidationThreshold, before.liquidationThreshold);
        assertLe(before.liquidationThreshold - state.liquidationThreshold, 1e14);
        assertLe(state.borrowLtv, before.borrowLtv);
        assertLe(before.borrowLtv - state.borrowLtv, 1e14);
        skip(bound(at, 0, 7 days));
        state = pool.collateralState(WETH_ID);
        assertLt(state.borrowLtv, state.liquidationThreshold);
    }

    function test_RevertWhen_rampCollateral_Unfit() public {
        vm.startPrank(owner);
        vm.expectRevert(abi.encodeWithSelector(PoolPositions.UnknownCollateral.selector, 2, 2));
        pool.rampCollateral(2, 1, 2);
        vm.expectRevert(_invalid("borrow LTV"));
        pool.rampCollateral(WETH_ID, 8500, 8500);
        vm.expectRevert(_invalid("margins do not fit"));
        pool.rampCollateral(WETH_ID, 8000, 8900);
        vm.expectRevert(_invalid("threshold"));
        pool.rampCollateral(WETH_ID, 8000, 9900);
        vm.expectRevert(_invalid("not frozen"));
        pool.rampCollateral(WETH_ID, 0, 0);
    }

    /// An account that was safe at 85% is liquidated as LT falls, not before: 10,000 of 20,000 needs LT < 50%.
    function test_rampCollateral_Delists() public {
        _openMarket();
        vm.prank(guardian);
        pool.freezeCollateral(WETH_ID);
        vm.prank(owner);
        pool.rampCollateral(WETH_ID, 0, 0);
        skip(2.8 days); // LT = 0.85 * 0.6 = 0.51
        vm.expectRevert();
        _liquidate(borrower, WETH_ID, 1000 * USDC);
        skip(0.2 days); // LT = 0.85 * 4 / 7 = 0.4857
        _liquidate(borrower, WETH_ID, 1000 * USDC);
        skip(7 days);
        assertEq(pool.accountHealth(borrower).healthFast, 0);
        _liquidate(borrower, WETH_ID, type(uint256).max);
        assertEq(pool.debtOf(borrower), 0);
        vm.startPrank(borrower);
        pool.withdrawCollateral(WETH_ID, pool.collateralOf(borrower, WETH_ID), borrower, borrower);
    }

    // -- freezing

    function test_freezeCollateral_StopsItsNewDebtOnly() public {
        _openMarket();
        _supply(borrower, WBTC_ID, BTC);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.CollateralFrozen(WETH_ID, true);
        vm.prank(guardian);
        pool.freezeCollateral(WETH_ID);
        assertTrue(pool.collateralState(WETH_ID).frozen);
        _assertRatios(0, 0.85e18);
        // What the other collateral carries, 24,000, may still be borrowed; health is as before.
        assertEq(pool.accountHealth(borrower).borrowLimit, 24_000 * USDC);
        _borrow(borrower, 14_000 * USDC);
        vm.expectRevert();
        _borrow(borrower, 1);
    }

    /// In the middle of a ramp too, LTV is 0 at once and LT goes on.
    function test_freezeCollateral_DuringARamp() public {
        vm.prank(owner);
        pool.rampCollateral(WETH_ID, 6000, 7000);
        skip(3.5 days);
        vm.prank(guardian);
        pool.freezeCollateral(WETH_ID);
        _assertRatios(0, 0.775e18);
        skip(3.5 days);
        _assertRatios(0, 0.7e18);
    }

    /// Regression: a ramp that was scheduled before the guardian froze a collateral brought its LTV back. Its LT goes on.
    function test_rampCollateral_FrozenGetsNoLtv() public {
        vm.prank(guardian);
        pool.freezeCollateral(WETH_ID);
        vm.startPrank(owner);
        pool.rampCollateral(WETH_ID, 7000, 8000);
        skip(7 days);
        _assertRatios(0, 0.8e18);
        pool.unfreezeCollateral(WETH_ID);
        pool.rampCollateral(WETH_ID, 7500, 8000);
        skip(7 days);
        _assertRatios(0.75e18, 0.8e18);
    }

    function test_unfreezeCollateral_LetsItEnterAndRampBack() public {
        vm.prank(guardian);
        pool.freezeCollateral(WETH_ID);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.CollateralFrozen(WETH_ID, false);
        vm.startPrank(owner);
        pool.unfreezeCollateral(WETH_ID);
        _assertRatios(0, 0.85e18);
        pool.rampCollateral(WETH_ID, 8000, 8500);
        vm.stopPrank();
        _supply(borrower, WETH_ID, ETHER);
        skip(3.5 days);
        _assertRatios(0.4e18, 0.85e18);
    }

    function test_RevertWhen_unknownCollateral() public {
        bytes memory unknown = abi.encodeWithSelector(PoolPositions.UnknownCollateral.selector, 2, 2);
        vm.startPrank(owner);
        vm.expectRevert(unknown);
        pool.setCollateralOracle(2, address(ethOracle));
        vm.expectRevert(unknown);
        pool.setCollateralCap(2, 1);
        vm.expectRevert(unknown);
        pool.unfreezeCollateral(2);
        vm.expectRevert(unknown);
        pool.freezeCollateral(2);
    }

    // -- oracle and cap

    function test_setCollateralOracle() public {
        PoolOracleMock(config.oracle).setPrice(ETH_PRICE);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.CollateralOracleSet(WETH_ID, config.oracle);
        vm.startPrank(owner);
        pool.setCollateralOracle(WETH_ID, config.oracle);
        assertEq(pool.collateralState(WETH_ID).oracle, config.oracle);
        _assertRatios(0.8e18, 0.85e18);
        PoolOracleMock(config.oracle).setStatus(PriceStatus.Down);
        vm.expectRevert(_invalid("oracle down"));
        pool.setCollateralOracle(WBTC_ID, config.oracle);
    }

    function test_setCollateralCap() public {
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.CollateralCapSet(WETH_ID, 5);
        vm.startPrank(owner);
        pool.setCollateralCap(WETH_ID, 5);
        assertEq(pool.collateralState(WETH_ID).cap, 5);
        vm.expectRevert(
            abi.encodeWithSelector(PoolAdministration.ValueOutOfRange.selector, bytes32("cap"), 1e28 + 1, 1e28)
        );
        pool.setCollateralCap(WETH_ID, 1e28 + 1);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(LendingPool.CollateralCapExceeded.selector, WETH_ID, 6, 5));
        _supply(borrower, WETH_ID, 6);
    }

    function _assertRatios(uint256 ltv, uint256 threshold) private view {
        assertEq(pool.collateralState(WETH_ID).borrowLtv, ltv);
        assertEq(pool.collateralState(WETH_ID).liquidationThreshold, threshold);
    }

    function _invalid(bytes32 reason) private pure returns (bytes memory) {
        return abi.encodeWithSelector(PoolAdministration.InvalidListing.selector, reason);
    }

    function _expectInvalid(bytes32 reason) private {
        vm.prank(owner);
        vm.expectRevert(_invalid(reason));
        pool.listCollateral(config);
    }
}
