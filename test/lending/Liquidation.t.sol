// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {ILendingPoolEvents, LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {LiquidationGrant, LiquidationRequest, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {PoolClosing} from "../../contracts/lending/PoolClosing.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice Liquidations under the rigid policy (5% bonus): amounts, who is refused, and what becomes of the rest.
contract LiquidationTest is PoolFixture {
    function setUp() public override {
        super.setUp();
        _openMarket();
    }

    /// At 1,150 a WETH: C = 11,500, HF = 11,500 * 0.85 / 10,000 = 0.9775, so half may be closed. 5,000 USDC seize
    /// 5,000 * 1.05 / 1,150 = 4.565217391304347826 WETH.
    function test_liquidate_HalfAtAFixedBonus() public {
        _setEthPrice(1150);
        uint256 seized = 4_565_217_391_304_347_826;
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.Liquidated(
            WETH_ID, borrower, keeper, 5000 * USDC, seized, 0.05e18, 5000 * USDC * 1000, 10 ether - seized
        );
        LiquidationResult memory result = _liquidate(borrower, WETH_ID, type(uint256).max);
        assertEq(result.repaid, 5000 * USDC);
        assertEq(result.seized, seized);
        assertEq(result.writtenOff, 0);
        assertEq(uint256(result.refusal), uint256(Refusal.None));
        assertEq(pool.debtOf(borrower), 5000 * USDC);
        assertEq(pool.collateralOf(borrower, WETH_ID), 10 ether - seized);
        assertEq(pool.collateralState(WETH_ID).total, 10 ether - seized);
        assertEq(weth.balanceOf(keeper), 1e6 ether + seized);
        assertEq(usdc.balanceOf(keeper), 1e9 * USDC - 5000 * USDC);
        assertEq(breaker.lastPrice(), 1150e24);
        _assertBooksClose();
    }

    function test_liquidate_TakesNoMoreThanAsked() public {
        _setEthPrice(1150);
        assertEq(_liquidate(borrower, WETH_ID, 1000 * USDC).repaid, 1000 * USDC);
    }

    /// HF of exactly 1: 10 WETH at 10,000 / (10 * 0.85) = 1,176.470588... A price of 1176.470589 gives C = 11,764.70589, of
    /// which 85% is 10,000.000006; one of 1176.470588 gives 9,999.999998.
    function test_liquidate_OnlyBelowOne() public {
        ethOracle.setPrice(1_176_470_589 * 1e18);
        assertGe(pool.accountHealth(borrower).healthFast, 1e18);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.Healthy));
        _liquidate(borrower, WETH_ID, type(uint256).max);
        ethOracle.setPrice(1_176_470_588 * 1e18);
        assertEq(pool.accountHealth(borrower).healthFast, 0.9999999998e18);
        _liquidate(borrower, WETH_ID, type(uint256).max);
    }

    /// At 900: C = 9,000 < D. All collateral goes for ceil(9,000 / 1.05) = 8,571.428572, and the rest, 1,428.571428, is the
    /// lenders' loss: 100,000 -> 98,571.428572.
    function test_liquidate_WritesOffWhatHasNoCollateral() public {
        _setEthPrice(900);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.BadDebtWrittenOff(borrower, 0, 1_428_571_428);
        LiquidationResult memory result = _liquidate(borrower, WETH_ID, type(uint256).max);
        assertEq(result.repaid, 8_571_428_572);
        assertEq(result.seized, 10 ether);
        assertEq(result.writtenOff, 1_428_571_428);
        assertEq(pool.debtOf(borrower), 0);
        assertEq(pool.debtSharesOf(borrower), 0);
        assertEq(pool.collateralBitmap(borrower), 0);
        assertEq(pool.totalAssets(), 98_571_428_572);
        assertEq(pool.marketState().totalDebt, 0);
        assertEq(pool.marketState().debtShares, 0);
        assertEq(usdc.balanceOf(address(pool)), 98_571_428_572);
        _assertBooksClose();
    }

    /// Reserves bear the loss first. A donation of 1,000 is reserves: 1,000 of 1,428.571428.
    function test_liquidate_ReservesBearTheLossFirst() public {
        usdc.mint(address(pool), 1000 * USDC);
        assertEq(pool.marketState().reserves, 1000 * USDC);
        _setEthPrice(900);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.BadDebtWrittenOff(borrower, 1000 * USDC, 428_571_428);
        _liquidate(borrower, WETH_ID, type(uint256).max);
        assertEq(pool.totalAssets(), 99_571_428_572);
        assertEq(pool.marketState().reserves, 0);
        _assertBooksClose();
    }

    /// With another collateral left, the debt stays: `settle` closes it.
    function test_liquidate_KeepsDebtWhileAnyCollateralIsLeft() public {
        _supply(borrower, WBTC_ID, 1);
        _setEthPrice(900);
        LiquidationResult memory result = _liquidate(borrower, WETH_ID, type(uint256).max);
        assertEq(result.writtenOff, 0);
        assertEq(pool.debtOf(borrower), 1_428_571_428);
        assertEq(pool.collateralBitmap(borrower), 1 << WBTC_ID);
    }

    function test_liquidate_DegradedPriceStillLiquidates() public {
        _setEthPrice(1000);
        ethOracle.setStatus(PriceStatus.Degraded);
        assertGt(_liquidate(borrower, WETH_ID, 1000 * USDC).repaid, 0);
    }

    function test_liquidate_NoBreakerLevelBlocksTheRigidPolicy() public {
        _setEthPrice(1000);
        breaker.setLevel(BreakerLevel.Halted);
        assertGt(_liquidate(borrower, WETH_ID, 1000 * USDC).repaid, 0);
    }

    function test_liquidate_Oneself() public {
        _setEthPrice(1150);
        vm.prank(borrower);
        pool.liquidate(borrower, WETH_ID, type(uint256).max, "");
        _assertBooksClose();
    }

    function test_RevertWhen_liquidate_NothingHeldOrOwed() public {
        _setEthPrice(900);
        bytes memory refused = abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.NotHeld);
        vm.expectRevert(refused);
        _liquidate(borrower, WBTC_ID, 1);
        vm.expectRevert(refused);
        _liquidate(borrower, 77, 1);
        vm.expectRevert(refused);
        _liquidate(borrower, 256, 1);
        _supply(stranger, WETH_ID, 1);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, stranger, Refusal.NotHeld));
        _liquidate(stranger, WETH_ID, 1);
    }

    function test_RevertWhen_liquidate_PriceDown() public {
        _setEthPrice(900);
        ethOracle.setStatus(PriceStatus.Down);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.PriceDown));
        _liquidate(borrower, WETH_ID, 1);
    }

    function test_RevertWhen_liquidate_ZeroAsked() public {
        _setEthPrice(900);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.ZeroAmount));
        _liquidate(borrower, WETH_ID, 0);
    }

    /// 1.05 units of USDC buy 1.05e-4 of a satoshi at 10,000 units each: what would seize nothing takes nothing.
    function test_RevertWhen_liquidate_SeizesNothing() public {
        _supply(borrower, WBTC_ID, 1);
        _setEthPrice(0);
        btcOracle.setPrice(1e40);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.ZeroAmount));
        _liquidate(borrower, WBTC_ID, 1);
    }

    /// Regression: a worthless collateral made the policy grant all of it for nothing, and a whole batch revert.
    function test_liquidate_WorthlessIsRefusedAndSettled() public {
        _setEthPrice(0);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.PriceDown));
        _liquidate(borrower, WETH_ID, type(uint256).max);
        vm.prank(keeper);
        pool.settle(borrower, "");
        assertEq(pool.debtOf(borrower), 0);
    }

    // -- the rest of a liquidation: several collaterals, and borrow and liquidation in one block

    /// C = 10 * 1,000 + 0.05 * 30,000 = 11,500 as above; either may be seized.
    function test_liquidate_EitherOfTwoCollaterals() public {
        _supply(borrower, WBTC_ID, BTC / 20);
        _setEthPrice(1000);
        assertEq(pool.accountHealth(borrower).healthFast, 0.9775e18);
        LiquidationResult memory result = _liquidate(borrower, WBTC_ID, 1000 * USDC);
        assertEq(result.seized, 3_500_000); // 1,050 / 30,000 = 0.035 WBTC
        result = _liquidate(borrower, WETH_ID, 1000 * USDC);
        assertEq(result.seized, 1.05 ether);
        _assertBooksClose();
    }

    function test_liquidate_InTheBlockOfTheBorrow() public {
        _supply(stranger, WETH_ID, ETHER);
        _borrow(stranger, 1600 * USDC);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, stranger, Refusal.Healthy));
        _liquidate(stranger, WETH_ID, type(uint256).max);
        _setEthPrice(1800);
        assertGt(_liquidate(stranger, WETH_ID, type(uint256).max).repaid, 0);
        _assertBooksClose();
    }

    // -- flag

    function test_RevertWhen_flag_NotLiquidatable() public {
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.Healthy));
        pool.flag(borrower, WETH_ID);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.NotHeld));
        pool.flag(borrower, WBTC_ID);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, stranger, Refusal.NotHeld));
        pool.flag(stranger, WETH_ID);
        ethOracle.setStatus(PriceStatus.Down);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.PriceDown));
        pool.flag(borrower, WETH_ID);
    }

    function test_flag_MovesNothing() public {
        _setEthPrice(1150);
        vm.prank(stranger);
        pool.flag(borrower, WETH_ID);
        assertEq(pool.debtOf(borrower), 10_000 * USDC);
        assertEq(pool.collateralOf(borrower, WETH_ID), 10 ether);
        assertEq(breaker.lastPrice(), 1150e24);
    }

    // -- quote

    function test_quoteLiquidation_IsWhatLiquidateDoes() public {
        _setEthPrice(1150);
        (LiquidationRequest memory request, LiquidationGrant memory grant) =
            pool.quoteLiquidation(borrower, WETH_ID, type(uint256).max);
        assertEq(request.asked, 10_000 * USDC);
        assertEq(request.debt, 10_000 * USDC);
        assertEq(request.collateralValue, 11_500 * USDC);
        assertEq(request.healthFast, 0.9775e18);
        LiquidationResult memory result = _liquidate(borrower, WETH_ID, type(uint256).max);
        assertEq(grant.repay, result.repaid);
        assertEq(grant.seize, result.seized);
    }

    function test_quoteLiquidation_SaysWhyNot() public {
        assertEq(_refusal(borrower, WETH_ID), uint256(Refusal.Healthy));
        assertEq(_refusal(borrower, WBTC_ID), uint256(Refusal.NotHeld));
        assertEq(_refusal(borrower, 300), uint256(Refusal.NotHeld));
        assertEq(_refusal(stranger, WETH_ID), uint256(Refusal.NotHeld));
        ethOracle.setStatus(PriceStatus.Down);
        assertEq(_refusal(borrower, WETH_ID), uint256(Refusal.PriceDown));
        ethOracle.setStatus(PriceStatus.Ok);
        _setEthPrice(1000);
        (, LiquidationGrant memory grant) = pool.quoteLiquidation(borrower, WETH_ID, 0);
        assertEq(uint256(grant.refusal), uint256(Refusal.ZeroAmount));
    }

    function testFuzz_quoteLiquidation_IsWhatLiquidateDoes(uint256 price, uint256 asked, uint256 elapsed) public {
        skip(bound(elapsed, 0, 365 days));
        ethOracle.setPrice(bound(price, 1e18, 3000e24));
        asked = bound(asked, 0, 20_000 * USDC);
        (, LiquidationGrant memory grant) = pool.quoteLiquidation(borrower, WETH_ID, asked);
        if (grant.refusal != Refusal.None) {
            vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, grant.refusal));
            _liquidate(borrower, WETH_ID, asked);
            return;
        }
        LiquidationResult memory result = _liquidate(borrower, WETH_ID, asked);
        assertEq(grant.repay, result.repaid);
        assertEq(grant.seize, result.seized);
        _assertBooksClose();
    }

    function _refusal(address account, uint256 id) private view returns (uint256) {
        (, LiquidationGrant memory grant) = pool.quoteLiquidation(account, id, type(uint256).max);
        return uint256(grant.refusal);
    }
}
