// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {LiquidationCall} from "../../contracts/interfaces/ILendingPool.sol";
import {PoolAccounting} from "../../contracts/lending/PoolAccounting.sol";
import {PoolPositions} from "../../contracts/lending/PoolPositions.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolActor} from "../mocks/PoolActor.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice The callbacks of repay, supplyCollateral, liquidate, settle and flash loans: what may be done inside, what may not,
/// and what everybody else sees meanwhile.
contract CallbacksTest is PoolFixture {
    PoolActor private actor;

    function setUp() public override {
        super.setUp();
        _openMarket();
        actor = new PoolActor(pool);
        actor.approve(address(usdc), type(uint256).max);
        actor.approve(address(weth), type(uint256).max);
    }

    // -- what callbacks are for: no capital needed

    /// Collateral on credit carries the loan that pays for it: without the callback the actor owns nothing.
    function test_supplyCollateral_OnCreditAndBorrow() public {
        actor.setStrict(true);
        actor.arm(abi.encodeCall(pool.borrow, (1000 * USDC, address(actor), address(actor))));
        weth.mint(address(actor), ETHER); // stands for what it buys with the loan
        actor.act(abi.encodeCall(pool.supplyCollateral, (WETH_ID, ETHER, address(actor), hex"01")));
        assertEq(pool.debtOf(address(actor)), 1000 * USDC);
        assertEq(pool.collateralOf(address(actor), WETH_ID), ETHER);
        assertEq(actor.callbacks(), 1);
        _assertBooksClose();
    }

    function test_RevertWhen_supplyCollateral_CreditNotPaid() public {
        actor.arm(abi.encodeCall(pool.borrow, (1000 * USDC, address(actor), address(actor))));
        vm.expectRevert();
        actor.act(abi.encodeCall(pool.supplyCollateral, (WETH_ID, ETHER, address(actor), hex"01")));
        assertEq(pool.collateralOf(address(actor), WETH_ID), 0);
    }

    /// A repayment on credit frees the collateral that pays for it.
    function test_repay_OnCreditAndWithdrawCollateral() public {
        _actorBorrows();
        vm.prank(address(actor));
        usdc.transfer(stranger, 1000 * USDC);
        actor.setStrict(true);
        actor.arm(abi.encodeCall(pool.withdrawCollateral, (WETH_ID, ETHER, address(actor), stranger)));
        usdc.mint(address(actor), 1000 * USDC); // stands for what the collateral is sold for
        actor.act(abi.encodeCall(pool.repay, (type(uint256).max, address(actor), hex"01")));
        assertEq(pool.debtOf(address(actor)), 0);
        assertEq(pool.collateralOf(address(actor), WETH_ID), 0);
        _assertBooksClose();
    }

    function test_RevertWhen_repay_CreditNotPaid() public {
        _actorBorrows();
        vm.prank(address(actor));
        usdc.transfer(stranger, 1000 * USDC);
        actor.arm(abi.encodeCall(pool.withdrawCollateral, (WETH_ID, ETHER, address(actor), stranger)));
        vm.expectRevert();
        actor.act(abi.encodeCall(pool.repay, (type(uint256).max, address(actor), hex"01")));
    }

    /// The liquidator has the collateral when it is called and pays after: one callback a batch.
    function test_liquidate_CollateralComesBeforeThePayment() public {
        _setEthPrice(1150);
        usdc.mint(address(actor), 5000 * USDC);
        actor.act(abi.encodeCall(pool.liquidate, (borrower, WETH_ID, type(uint256).max, hex"01")));
        assertEq(actor.callbacks(), 1);
        assertEq(usdc.balanceOf(address(actor)), 0);
        _assertBooksClose();
    }

    function test_liquidateBatch_CallsBackOnce() public {
        _setEthPrice(1000);
        LiquidationCall[] memory calls = new LiquidationCall[](2);
        calls[0] = LiquidationCall(borrower, WETH_ID, 100 * USDC);
        calls[1] = calls[0];
        usdc.mint(address(actor), 200 * USDC);
        actor.act(abi.encodeCall(pool.liquidateBatch, (calls, hex"01")));
        assertEq(actor.callbacks(), 1);
    }

    // -- what is allowed inside, and what is refused, in every callback

    function test_insideSupplyCollateral() public {
        weth.mint(address(actor), ETHER);
        _armEverything();
        actor.act(abi.encodeCall(pool.supplyCollateral, (WETH_ID, ETHER, address(actor), hex"01")));
        _checkEverything();
    }

    function test_insideRepay() public {
        _actorBorrows();
        _armEverything();
        actor.act(abi.encodeCall(pool.repay, (500 * USDC, address(actor), hex"01")));
        _checkEverything();
    }

    function test_insideFlashLoan() public {
        _armEverything();
        actor.act(abi.encodeCall(pool.flashLoan, (actor, address(usdc), 10 * USDC, "")));
        _checkEverything();
    }

    function test_insideLiquidate() public {
        _setEthPrice(1150);
        usdc.mint(address(actor), 5000 * USDC);
        _armEverything();
        actor.act(abi.encodeCall(pool.liquidate, (borrower, WETH_ID, 1000 * USDC, hex"01")));
        _checkEverything();
    }

    function test_insideSettle() public {
        _setEthPrice(900);
        usdc.mint(address(actor), 10_000 * USDC);
        _armEverything();
        actor.act(abi.encodeCall(pool.settle, (borrower, hex"01")));
        _checkEverything();
    }

    /// The lock is gone afterwards, in the same transaction.
    function test_afterACallback_EverythingIsAllowed() public {
        actor.act(abi.encodeCall(pool.flashLoan, (actor, address(usdc), 10 * USDC, "")));
        actor.act(abi.encodeCall(pool.flashLoan, (actor, address(usdc), 10 * USDC, "")));
        _setEthPrice(1150);
        _liquidate(borrower, WETH_ID, 100 * USDC);
    }

    // -- prices inside: read, not recorded, and shown to the breaker

    function test_borrowInside_RecordsNothingButWithTheBreaker() public {
        weth.mint(address(actor), ETHER);
        uint256 recorded = ethOracle.recorded();
        uint256 observed = breaker.observations();
        actor.setStrict(true);
        actor.arm(abi.encodeCall(pool.borrow, (1000 * USDC, address(actor), address(actor))));
        actor.act(abi.encodeCall(pool.supplyCollateral, (WETH_ID, ETHER, address(actor), hex"01")));
        assertEq(ethOracle.recorded(), recorded);
        assertEq(breaker.observations(), observed + 1);
    }

    function test_RevertWhen_borrowInside_PriceNotOkOrBreakerTripped() public {
        weth.mint(address(actor), 2 * ETHER);
        ethOracle.setStatus(PriceStatus.Degraded);
        actor.arm(abi.encodeCall(pool.borrow, (1, address(actor), address(actor))));
        actor.act(abi.encodeCall(pool.supplyCollateral, (WETH_ID, ETHER, address(actor), hex"01")));
        assertEq(actor.reason(0), PoolPositions.PriceNotUsable.selector);
        ethOracle.setStatus(PriceStatus.Ok);
        breaker.setLevel(BreakerLevel.Stressed);
        actor.arm(abi.encodeCall(pool.borrow, (1, address(actor), address(actor))));
        actor.act(abi.encodeCall(pool.supplyCollateral, (WETH_ID, ETHER, address(actor), hex"01")));
        assertEq(actor.reason(1), PoolPositions.BreakerTripped.selector);
    }

    /// A nested callback does not lift the outer one's lock.
    function test_nestedCallback_KeepsTheLock() public {
        _actorBorrows();
        weth.mint(address(actor), ETHER);
        actor.arm(abi.encodeCall(pool.supplyCollateral, (WETH_ID, ETHER, address(actor), hex"01")));
        actor.arm(abi.encodeCall(pool.flashLoan, (actor, address(usdc), 1, "")));
        actor.arm(abi.encodeCall(pool.repay, (1, address(actor), hex"01")));
        actor.arm(abi.encodeCall(pool.flashLoan, (actor, address(usdc), 1, "")));
        actor.act(abi.encodeCall(pool.repay, (10, address(actor), hex"01")));
        assertTrue(actor.succeeded(0));
        assertEq(actor.reason(1), PoolAccounting.CallbackInProgress.selector);
        assertTrue(actor.succeeded(2));
        assertEq(actor.reason(3), PoolAccounting.CallbackInProgress.selector);
    }

    // -- what others see: the share price during each callback is that before and after

    function test_sharePrice_IsRightInsideEachCallback() public {
        skip(100 days);
        usdc.mint(address(actor), 100_000 * USDC);
        weth.mint(address(actor), 10 * ETHER);
        uint256 price = pool.convertToAssets(1e24);
        actor.act(abi.encodeCall(pool.supplyCollateral, (WETH_ID, ETHER, address(actor), hex"01")));
        assertEq(actor.sharePriceInside(), price);
        actor.act(abi.encodeCall(pool.borrow, (500 * USDC, address(actor), address(actor))));
        actor.act(abi.encodeCall(pool.repay, (100 * USDC, address(actor), hex"01")));
        assertEq(actor.sharePriceInside(), price);
        assertEq(actor.debtInside(), pool.debtOf(address(actor)));
        actor.act(abi.encodeCall(pool.flashLoan, (actor, address(usdc), 50_000 * USDC, "")));
        assertEq(actor.sharePriceInside(), price);
        _setEthPrice(1150);
        actor.act(abi.encodeCall(pool.liquidate, (borrower, WETH_ID, 100 * USDC, hex"01")));
        assertEq(actor.sharePriceInside(), price);
        _setEthPrice(500);
        actor.act(abi.encodeCall(pool.settle, (borrower, hex"01")));
        assertLt(actor.sharePriceInside(), price); // the loss is already in it
        assertEq(actor.sharePriceInside(), pool.convertToAssets(1e24));
        assertEq(actor.callbacks(), 5);
    }

    // -- arming

    /// @dev In this order: allowed 0..5, refused 6..11.
    function _armEverything() private {
        weth.mint(address(actor), ETHER);
        usdc.mint(address(actor), 1000 * USDC);
        actor.arm(abi.encodeCall(pool.supplyCollateral, (WETH_ID, ETHER, address(actor), "")));
        actor.arm(abi.encodeCall(pool.deposit, (100 * USDC, address(actor))));
        actor.arm(abi.encodeCall(pool.withdraw, (50 * USDC, address(actor), address(actor))));
        actor.arm(abi.encodeCall(pool.borrow, (20 * USDC, address(actor), address(actor))));
        actor.arm(abi.encodeCall(pool.repay, (10 * USDC, address(actor), "")));
        actor.arm(abi.encodeCall(pool.withdrawCollateral, (WETH_ID, 0.1 ether, address(actor), address(actor))));
        LiquidationCall[] memory calls = new LiquidationCall[](1);
        calls[0] = LiquidationCall(borrower, WETH_ID, 1);
        actor.arm(abi.encodeCall(pool.liquidate, (borrower, WETH_ID, 1, "")));
        actor.arm(abi.encodeCall(pool.liquidateBatch, (calls, "")));
        actor.arm(abi.encodeCall(pool.flag, (borrower, WETH_ID)));
        actor.arm(abi.encodeCall(pool.settle, (borrower, "")));
        actor.arm(abi.encodeCall(pool.flashLoan, (actor, address(usdc), 1, "")));
        vm.startPrank(owner);
        pool.transferOwnership(address(actor));
        vm.stopPrank();
        actor.act(abi.encodeCall(pool.acceptOwnership, ()));
        actor.arm(abi.encodeCall(pool.withdrawReserves, (0, address(actor))));
    }

    function _checkEverything() private view {
        for (uint256 i; i < 6; ++i) {
            assertTrue(actor.succeeded(i), "allowed");
        }
        for (uint256 i = 6; i < 12; ++i) {
            assertFalse(actor.succeeded(i), "refused");
            assertEq(actor.reason(i), PoolAccounting.CallbackInProgress.selector);
        }
        _assertBooksClose();
    }

    function _actorBorrows() private {
        weth.mint(address(actor), ETHER);
        actor.act(abi.encodeCall(pool.supplyCollateral, (WETH_ID, ETHER, address(actor), "")));
        actor.act(abi.encodeCall(pool.borrow, (1000 * USDC, address(actor), address(actor))));
    }
}
