// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ILendingPoolEvents, LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {PoolClosing} from "../../contracts/lending/PoolClosing.sol";
import {PoolSettlement} from "../../contracts/lending/PoolSettlement.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice Insolvency, protocol.md §7: closed whole iff C < D (1 + 3%), for min(D, ceil(C / 1.03)), reserves before lenders.
contract SettlementTest is PoolFixture {
    function setUp() public override {
        super.setUp();
        _openMarket();
    }

    /// D = 10,000 USDC, C = 10,300 USDC by one unit less, exactly, one unit more: 1e17 of price are one unit for 10 WETH.
    function test_settle_AtTheEdgeToTheUnit() public {
        _setEthPrice(1030); // C = 10,300,000,000 units; C / 1.03 = 10,000,000,000
        uint256 snapshot = vm.snapshotState();

        // C = D (1 + b): not insolvent.
        bytes memory solvent =
            abi.encodeWithSelector(PoolSettlement.NotInsolvent.selector, borrower, 10_300 * USDC, 10_000 * USDC);
        vm.expectRevert(solvent);
        _settle(borrower);

        // C = D (1 + b) - 1 unit: closed for exactly D = min(D, ceil(10,299,999,999 / 1.03) = ceil(9,999,999,999.03)).
        ethOracle.setPrice(1030e24 - 1);
        assertEq(pool.accountHealth(borrower).collateralValue, 10_300 * USDC - 1);
        LiquidationResult memory result = _settle(borrower);
        assertEq(result.repaid, 10_000 * USDC);
        assertEq(result.writtenOff, 0);
        assertEq(pool.totalAssets(), 100_000 * USDC);

        // C = D (1 + b) + 1 unit: not insolvent.
        vm.revertToState(snapshot);
        ethOracle.setPrice(1030e24 + 1e17);
        assertEq(pool.accountHealth(borrower).collateralValue, 10_300 * USDC + 1);
        vm.expectRevert();
        _settle(borrower);

        // The first price at which something is lost: C <= 1.03 (D - 1), ceil(10,299,999,998 / 1.03) = 9,999,999,999.
        vm.revertToState(snapshot);
        ethOracle.setPrice(1030e24 - 2e17);
        assertEq(pool.accountHealth(borrower).collateralValue, 10_300 * USDC - 2);
        result = _settle(borrower);
        assertEq(result.repaid, 10_000 * USDC - 1);
        assertEq(result.writtenOff, 1);
        assertEq(pool.totalAssets(), 100_000 * USDC - 1);
        _assertBooksClose();
    }

    /// At 824: C = 8,240, repaid = 8,240 / 1.03 = 8,000, written off = 2,000: reserves of 500 first, 1,500 from lenders.
    function test_settle_ReservesThenLenders() public {
        usdc.mint(address(pool), 500 * USDC);
        _setEthPrice(824);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.BadDebtWrittenOff(borrower, 500 * USDC, 1500 * USDC);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.CollateralWithdrawn(WETH_ID, borrower, keeper, keeper, 10 ether, 0);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.Settled(borrower, keeper, 8000 * USDC, 0);
        LiquidationResult memory result = _settle(borrower);
        assertEq(result.repaid, 8000 * USDC);
        assertEq(result.writtenOff, 2000 * USDC);
        assertEq(pool.totalAssets(), 98_500 * USDC);
        assertEq(pool.marketState().reserves, 0);
        assertEq(pool.debtSharesOf(borrower), 0);
        assertEq(pool.collateralBitmap(borrower), 0);
        assertEq(pool.collateralState(WETH_ID).total, 0);
        assertEq(weth.balanceOf(keeper), 1e6 ether + 10 ether);
        assertEq(usdc.balanceOf(keeper), 1e9 * USDC - 8000 * USDC);
        _assertBooksClose();
    }

    /// All reserves are enough: lenders lose nothing.
    function test_settle_ReservesSuffice() public {
        usdc.mint(address(pool), 5000 * USDC);
        _setEthPrice(824);
        _settle(borrower);
        assertEq(pool.totalAssets(), 100_000 * USDC);
        assertEq(pool.marketState().reserves, 3000 * USDC);
    }

    /// Repaid rounds up: C = 10 * 823 = 8,230; 8,230 / 1.03 = 7,990.29126213..., so 7,990.291263.
    function test_settle_RepaidRoundsUp() public {
        _setEthPrice(823);
        assertEq(_settle(borrower).repaid, 7_990_291_263);
    }

    function test_settle_TakesEveryCollateral() public {
        _supply(borrower, WBTC_ID, 1_000_000); // 300 USDC
        _setEthPrice(700);
        LiquidationResult memory result = _settle(borrower);
        assertEq(result.repaid, 7_087_378_641); // 7,300 / 1.03 = 7,087.37864077...
        assertEq(result.seized, 0);
        assertEq(weth.balanceOf(keeper), 1e6 ether + 10 ether);
        assertEq(wbtc.balanceOf(keeper), 1e5 * BTC + 1_000_000);
        assertEq(pool.collateralState(WBTC_ID).total, 0);
        assertEq(pool.collateralBitmap(borrower), 0);
        _assertBooksClose();
    }

    /// A slow or degraded price does not stop a settlement; no price does.
    function test_settle_DegradedPriceSettles() public {
        _setEthPrice(824);
        ethOracle.setStatus(PriceStatus.Degraded);
        _settle(borrower);
    }

    function test_RevertWhen_settle_PriceDown() public {
        _setEthPrice(824); // at twice that it would be solvent
        ethOracle.setStatus(PriceStatus.Down);
        vm.expectRevert(abi.encodeWithSelector(PoolSettlement.NotInsolvent.selector, borrower, 0, 10_000 * USDC));
        _settle(borrower);
    }

    function test_RevertWhen_settle_NoDebt() public {
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, stranger, Refusal.NotHeld));
        _settle(stranger);
    }

    function test_RevertWhen_settle_Solvent() public {
        vm.expectRevert(
            abi.encodeWithSelector(PoolSettlement.NotInsolvent.selector, borrower, 20_000 * USDC, 10_000 * USDC)
        );
        _settle(borrower);
    }

    /// Whatever the price, one of three holds: healthy, liquidatable with C >= 1.03 D, or settled. No band between.
    function testFuzz_settle_IffBelowTheEdge(uint256 price, uint256 elapsed, uint256 donation) public {
        skip(bound(elapsed, 0, 365 days));
        usdc.mint(address(pool), bound(donation, 0, 5000 * USDC));
        ethOracle.setPrice(bound(price, 0, 1300e24));
        uint256 debt = pool.debtOf(borrower);
        uint256 value = pool.accountHealth(borrower).collateralValue;
        uint256 lent = pool.totalAssets();
        uint256 reserves = pool.marketState().reserves;
        vm.prank(keeper);
        try pool.settle(borrower, "") returns (LiquidationResult memory result) {
            assertLt(value * 100, debt * 103);
            assertEq(result.repaid, (value * 100 + 102) / 103);
            assertEq(result.repaid + result.writtenOff, debt);
            uint256 fromReserves = result.writtenOff < reserves ? result.writtenOff : reserves;
            // The debt is rounded up, the books are not: a unit of the loss may not be there to lose.
            assertApproxEqAbs(pool.totalAssets(), lent - (result.writtenOff - fromReserves), 1);
        } catch {
            assertGe(value * 100, debt * 103);
        }
        _assertBooksClose();
    }

    // -- the stipend

    /// A position of 10,000 that is worth 4 pays 5, from reserves: 5 - 4 / 1.03 = 1.116504.
    function test_settle_PaysAStipendForTheWorthless() public {
        _setStipend();
        usdc.mint(address(pool), 1000 * USDC);
        ethOracle.setPrice(0.4e24);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.Settled(borrower, keeper, 3_883_496, 5 * USDC);
        LiquidationResult memory result = _settle(borrower);
        assertEq(result.repaid, 3_883_496);
        assertEq(usdc.balanceOf(keeper), 1e9 * USDC + 5 * USDC - 3_883_496);
        assertEq(pool.totalAssets(), 100_000 * USDC - (result.writtenOff - 995 * USDC));
        _assertBooksClose();
    }

    /// Worth as much as the stipend, it is worth settling without one.
    function test_settle_PaysNoStipendForWhatIsWorthIt() public {
        _setStipend();
        usdc.mint(address(pool), 1000 * USDC);
        ethOracle.setPrice(0.5e24);
        _settle(borrower);
        assertLt(usdc.balanceOf(keeper), 1e9 * USDC);
    }

    /// It never comes from lenders: with 2 USDC of reserves it is 2, with none it is nothing.
    function test_settle_StipendIsAtMostTheReserves() public {
        _setStipend();
        _setEthPrice(0);
        uint256 snapshot = vm.snapshotState();
        _settle(borrower);
        assertEq(usdc.balanceOf(keeper), 1e9 * USDC);
        assertEq(pool.totalAssets(), 90_000 * USDC);
        vm.revertToState(snapshot);
        usdc.mint(address(pool), 2 * USDC);
        _settle(borrower);
        assertEq(usdc.balanceOf(keeper), 1e9 * USDC + 2 * USDC);
        assertEq(pool.totalAssets(), 90_000 * USDC);
        _assertBooksClose();
    }

    /// Regression: somebody borrows, repays down to one unit of debt beside two of collateral, waits until interest makes it
    /// two and the price takes a unit of value, and is paid a stipend for settling it, again and again.
    function test_settle_PaysNoStipendForDustDebt() public {
        _setStipend();
        usdc.mint(address(pool), 1000 * USDC);
        skip(30 days); // so that a unit of debt is not a whole number of shares
        vm.startPrank(stranger);
        pool.supplyCollateral(WETH_ID, ETHER, stranger, "");
        pool.borrow(100 * USDC, stranger, stranger);
        pool.repay(pool.debtOf(stranger) - 1, stranger, "");
        pool.withdrawCollateral(WETH_ID, ETHER - 2e9, stranger, stranger); // worth 4 units
        vm.stopPrank();
        skip(365 days);
        ethOracle.setPrice(0.4e27); // 0.8 units
        assertEq(pool.accountHealth(stranger).collateralValue, 0);
        uint256 reserves = pool.marketState().reserves;
        _settle(stranger);
        assertEq(pool.debtOf(stranger), 0);
        assertEq(usdc.balanceOf(keeper), 1e9 * USDC, "paid for dust");
        assertApproxEqAbs(pool.marketState().reserves, reserves, 2);
    }

    function _setStipend() private {
        vm.prank(owner);
        pool.setMinDebt(uint88(100 * USDC), 5 * USDC);
    }

    function _settle(address account) private returns (LiquidationResult memory) {
        vm.prank(keeper);
        return pool.settle(account, "");
    }
}
