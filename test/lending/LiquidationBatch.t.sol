// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {LiquidationCall, LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {PoolClosing} from "../../contracts/lending/PoolClosing.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice Several liquidations in one call: refused members, duplicates, losses, and that nothing is counted twice.
contract LiquidationBatchTest is PoolFixture {
    address private second = makeAddr("second");
    address private third = makeAddr("third");

    function setUp() public override {
        super.setUp();
        _openMarket();
        _fund(second);
        _fund(third);
        _supply(second, WETH_ID, 5 ether);
        _borrow(second, 5000 * USDC);
        _supply(third, WBTC_ID, BTC);
        _borrow(third, 1000 * USDC);
    }

    /// At 1,150 the first two have HF = 0.9775; the third is healthy, and a stranger owes nothing.
    function test_liquidateBatch_SkipsAndReportsTheRefused() public {
        _setEthPrice(1150);
        LiquidationCall[] memory calls = new LiquidationCall[](5);
        calls[0] = LiquidationCall(borrower, WETH_ID, type(uint256).max);
        calls[1] = LiquidationCall(third, WBTC_ID, type(uint256).max);
        calls[2] = LiquidationCall(stranger, WETH_ID, type(uint256).max);
        calls[3] = LiquidationCall(second, WETH_ID, 0);
        calls[4] = LiquidationCall(second, WETH_ID, type(uint256).max);
        uint256 cash = usdc.balanceOf(address(pool));
        LiquidationResult[] memory results = _batch(calls);
        assertEq(results[0].repaid, 5000 * USDC);
        assertEq(uint256(results[1].refusal), uint256(Refusal.Healthy));
        assertEq(uint256(results[2].refusal), uint256(Refusal.NotHeld));
        assertEq(uint256(results[3].refusal), uint256(Refusal.ZeroAmount));
        assertEq(results[4].repaid, 2500 * USDC);
        assertEq(results[1].repaid + results[2].repaid + results[3].repaid, 0);
        assertEq(usdc.balanceOf(address(pool)), cash + 7500 * USDC);
        assertEq(weth.balanceOf(keeper), 1e6 ether + results[0].seized + results[4].seized);
        _assertBooksClose();
    }

    /// The same account twice is what two calls are.
    function test_liquidateBatch_DuplicateIsASecondCall() public {
        _setEthPrice(1000);
        LiquidationCall[] memory calls = new LiquidationCall[](3);
        calls[0] = LiquidationCall(borrower, WETH_ID, 1000 * USDC);
        calls[1] = LiquidationCall(borrower, WETH_ID, 2000 * USDC);
        calls[2] = LiquidationCall(borrower, WETH_ID, 500 * USDC);
        uint256 snapshot = vm.snapshotState();
        LiquidationResult[] memory results = _batch(calls);
        uint256 debt = pool.debtOf(borrower);
        uint256 collateral = pool.collateralOf(borrower, WETH_ID);
        uint256 paid = usdc.balanceOf(keeper);
        vm.revertToState(snapshot);
        for (uint256 i; i < 3; ++i) {
            LiquidationResult memory alone = _liquidate(borrower, WETH_ID, calls[i].maxRepay);
            assertEq(abi.encode(alone), abi.encode(results[i]));
        }
        assertEq(pool.debtOf(borrower), debt);
        assertEq(pool.collateralOf(borrower, WETH_ID), collateral);
        assertEq(usdc.balanceOf(keeper), paid);
    }

    /// A member that was closed by an earlier member is refused as not held.
    function test_liquidateBatch_ClosedTwice() public {
        _setEthPrice(900);
        LiquidationCall[] memory calls = new LiquidationCall[](2);
        calls[0] = LiquidationCall(borrower, WETH_ID, type(uint256).max);
        calls[1] = calls[0];
        LiquidationResult[] memory results = _batch(calls);
        assertEq(results[0].seized, 10 ether);
        assertEq(uint256(results[1].refusal), uint256(Refusal.NotHeld));
        assertEq(weth.balanceOf(keeper), 1e6 ether + 10 ether);
        _assertBooksClose();
    }

    /// What earlier members repay has not arrived when a later one writes off: it must count as cash, or lenders would be
    /// charged for it. Losses: 10,000 - 8,571.428572 and 5,000 - 4,285.714286.
    function test_liquidateBatch_PendingRepaymentsAreNotALoss() public {
        usdc.mint(address(pool), 2000 * USDC); // reserves
        _setEthPrice(900);
        LiquidationCall[] memory calls = new LiquidationCall[](2);
        calls[0] = LiquidationCall(borrower, WETH_ID, type(uint256).max);
        calls[1] = LiquidationCall(second, WETH_ID, type(uint256).max);
        uint256 lent = pool.totalAssets();
        LiquidationResult[] memory results = _batch(calls);
        assertEq(results[0].writtenOff, 1_428_571_428);
        assertEq(results[1].writtenOff, 714_285_714);
        assertEq(pool.totalAssets(), lent - (1_428_571_428 + 714_285_714 - 2000 * USDC));
        assertEq(pool.marketState().reserves, 0);
        _assertBooksClose();
    }

    function testFuzz_liquidateBatch_EqualsSingleCalls(uint256 price, uint256 a, uint256 b, uint256 donation) public {
        usdc.mint(address(pool), bound(donation, 0, 3000 * USDC));
        ethOracle.setPrice(bound(price, 1e24, 1176e24));
        LiquidationCall[] memory calls = new LiquidationCall[](3);
        calls[0] = LiquidationCall(borrower, WETH_ID, bound(a, 1, 12_000 * USDC));
        calls[1] = LiquidationCall(second, WETH_ID, bound(b, 1, 6000 * USDC));
        calls[2] = calls[0];
        uint256 snapshot = vm.snapshotState();
        LiquidationResult[] memory results = _batch(calls);
        uint256 lent = pool.totalAssets();
        uint256 reserves = pool.marketState().reserves;
        _assertBooksClose();
        vm.revertToState(snapshot);
        for (uint256 i; i < 3; ++i) {
            if (results[i].refusal != Refusal.None) continue;
            _liquidate(calls[i].account, calls[i].collateralId, calls[i].maxRepay);
        }
        assertEq(pool.totalAssets(), lent);
        assertEq(pool.marketState().reserves, reserves);
    }

    function test_RevertWhen_liquidateBatch_AllRefused() public {
        LiquidationCall[] memory calls = new LiquidationCall[](2);
        calls[0] = LiquidationCall(borrower, WETH_ID, 1);
        calls[1] = LiquidationCall(stranger, WETH_ID, 1);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.Healthy));
        _batch(calls);
    }

    function test_RevertWhen_liquidateBatch_Empty() public {
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, address(0), Refusal.ZeroAmount));
        _batch(new LiquidationCall[](0));
    }

    function _batch(LiquidationCall[] memory calls) private returns (LiquidationResult[] memory) {
        vm.prank(keeper);
        return pool.liquidateBatch(calls, "");
    }
}
