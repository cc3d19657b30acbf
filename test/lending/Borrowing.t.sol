// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {ILendingPoolEvents} from "../../contracts/interfaces/ILendingPool.sol";
import {LendingPool} from "../../contracts/lending/LendingPool.sol";
import {PoolAccounting} from "../../contracts/lending/PoolAccounting.sol";
import {PoolPositions} from "../../contracts/lending/PoolPositions.sol";
import {PoolShares} from "../../contracts/lending/PoolShares.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice Debt up and down: limits, caps, roundings, and that nothing ever blocks a repayment.
contract BorrowingTest is PoolFixture {
    function setUp() public override {
        super.setUp();
        _deposit(lender, 100_000 * USDC);
        _supply(borrower, WETH_ID, 10 * ETHER);
    }

    // -- borrow

    function test_borrow_PaysAndRecords() public {
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.Borrowed(borrower, borrower, stranger, 1000 * USDC, 1000 * USDC * 1000);
        vm.prank(borrower);
        pool.borrow(1000 * USDC, borrower, stranger);
        assertEq(usdc.balanceOf(stranger), 1e9 * USDC + 1000 * USDC);
        assertEq(pool.debtOf(borrower), 1000 * USDC);
        assertEq(pool.debtSharesOf(borrower), 1000 * USDC * 1000);
        assertEq(pool.marketState().totalDebt, 1000 * USDC);
        assertEq(ethOracle.recorded(), 1);
        assertEq(breaker.observations(), 1);
        assertEq(breaker.lastCollateral(), WETH_ID);
        assertEq(breaker.lastPrice(), ETH_PRICE);
    }

    /// 10 WETH at 2,000 and 80% carry 16,000 USDC, not a unit more.
    function test_borrow_UpToTheLimit() public {
        vm.expectRevert(
            abi.encodeWithSelector(
                PoolPositions.BorrowLimitExceeded.selector, borrower, 16_000 * USDC + 1, 16_000 * USDC
            )
        );
        _borrow(borrower, 16_000 * USDC + 1);
        _borrow(borrower, 16_000 * USDC);
    }

    /// New risk is judged by min(F, L): the lower of the two counts, whichever it is. 10 * 1,500 * 80% = 12,000.
    function test_borrow_LowerOfFastAndSlowCounts() public {
        ethOracle.setPrices(2000e24, 1500e24, 9000e24);
        assertEq(pool.accountHealth(borrower).borrowLimit, 12_000 * USDC);
        vm.expectRevert(
            abi.encodeWithSelector(
                PoolPositions.BorrowLimitExceeded.selector, borrower, 12_000 * USDC + 1, 12_000 * USDC
            )
        );
        _borrow(borrower, 12_000 * USDC + 1);
        ethOracle.setPrices(1500e24, 2000e24, 9000e24);
        assertEq(pool.accountHealth(borrower).borrowLimit, 12_000 * USDC);
        _borrow(borrower, 12_000 * USDC);
    }

    /// Two collaterals: 16,000 of WETH and 0.5 * 30,000 * 80% = 12,000 of WBTC.
    function test_borrow_AddsUpCollaterals() public {
        _supply(borrower, WBTC_ID, BTC / 2);
        _borrow(borrower, 28_000 * USDC);
        vm.expectRevert();
        _borrow(borrower, 1);
        assertEq(btcOracle.recorded(), 1);
        assertEq(breaker.observations(), 2); // the price of each
    }

    /// After interest: 1 unit at 1,000,000 shares per 1010 units is 990.099 shares, charged as 991.
    function test_borrow_SharesRoundUp() public {
        _borrow(borrower, 1000);
        _storeTotalDebt(1010);
        _borrow(borrower, 1);
        assertEq(pool.debtSharesOf(borrower), 1_000_000 + 991);
        assertEq(pool.debtOf(borrower), 1011);
    }

    function test_RevertWhen_borrow_Zero() public {
        vm.expectRevert(LendingPool.ZeroAmount.selector);
        _borrow(borrower, 0);
    }

    function test_RevertWhen_borrow_ToZeroAddress() public {
        vm.prank(borrower);
        vm.expectRevert(PoolShares.ZeroAddress.selector);
        pool.borrow(1, borrower, address(0));
    }

    function test_RevertWhen_borrow_WithoutCollateral() public {
        vm.expectRevert(abi.encodeWithSelector(PoolPositions.BorrowLimitExceeded.selector, stranger, 1, 0));
        _borrow(stranger, 1);
    }

    function test_RevertWhen_borrow_BelowMinimum() public {
        vm.prank(owner);
        pool.setMinDebt(uint88(100 * USDC), 5 * USDC);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.DebtBelowMinimum.selector, 100 * USDC - 1, 100 * USDC));
        _borrow(borrower, 100 * USDC - 1);
        _borrow(borrower, 100 * USDC);
        _borrow(borrower, 1); // what counts is the debt, not the call
    }

    function test_RevertWhen_borrow_AboveCap() public {
        vm.prank(owner);
        pool.setCaps(1e28, 500 * USDC);
        vm.expectRevert(abi.encodeWithSelector(LendingPool.BorrowCapExceeded.selector, 500 * USDC + 1, 500 * USDC));
        _borrow(borrower, 500 * USDC + 1);
        _borrow(borrower, 500 * USDC);
    }

    function test_RevertWhen_borrow_MoreThanCash() public {
        _supply(borrower, WETH_ID, 1000 * ETHER);
        uint256 cash = 100_000 * USDC;
        vm.expectRevert(abi.encodeWithSelector(PoolAccounting.InsufficientCash.selector, cash, cash + 1));
        _borrow(borrower, cash + 1);
    }

    function test_RevertWhen_borrow_NewRiskFrozen() public {
        vm.prank(guardian);
        pool.freezeNewRisk();
        vm.expectRevert(LendingPool.NewRiskIsFrozen.selector);
        _borrow(borrower, 1);
    }

    /// A second collateral whose price is not `Ok` stops new risk even if the first alone would carry it.
    function test_RevertWhen_borrow_AnyPriceNotOk() public {
        _supply(borrower, WBTC_ID, 1);
        btcOracle.setStatus(PriceStatus.Degraded);
        vm.expectRevert(abi.encodeWithSelector(PoolPositions.PriceNotUsable.selector, WBTC_ID, PriceStatus.Degraded));
        _borrow(borrower, 1);
        assertEq(pool.accountHealth(borrower).borrowLimit, 0);
    }

    function test_RevertWhen_borrow_BreakerTripped() public {
        breaker.setLevel(BreakerLevel.Stressed);
        vm.expectRevert(abi.encodeWithSelector(PoolPositions.BreakerTripped.selector, BreakerLevel.Stressed));
        _borrow(borrower, 1);
    }

    // -- repay

    function test_repay_Part() public {
        _borrow(borrower, 1000 * USDC);
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.Repaid(borrower, borrower, 400 * USDC, 600 * USDC * 1000);
        assertEq(_repay(borrower, 400 * USDC), 400 * USDC);
        assertEq(pool.debtOf(borrower), 600 * USDC);
        assertEq(usdc.balanceOf(borrower), 1e9 * USDC + 600 * USDC);
    }

    function test_repay_AllByMax() public {
        _borrow(borrower, 1000 * USDC);
        skip(365 days);
        uint256 debt = pool.debtOf(borrower);
        assertGt(debt, 1000 * USDC);
        vm.prank(stranger);
        assertEq(pool.repay(type(uint256).max, borrower, ""), debt);
        assertEq(pool.debtSharesOf(borrower), 0);
        assertEq(pool.debtOf(borrower), 0);
        assertEq(pool.marketState().debtShares, 0);
        assertEq(usdc.balanceOf(stranger), 1e9 * USDC - debt);
        _assertBooksClose();
    }

    function test_repay_NeverTakesMoreThanTheDebt() public {
        _borrow(borrower, 1000 * USDC);
        assertEq(_repay(borrower, 5000 * USDC), 1000 * USDC);
        assertEq(usdc.balanceOf(borrower), 1e9 * USDC);
    }

    /// The same 990.099 shares, credited as 990 when repaid.
    function test_repay_SharesRoundDown() public {
        _borrow(borrower, 1000);
        _storeTotalDebt(1010);
        _repay(borrower, 1);
        assertEq(pool.debtSharesOf(borrower), 1_000_000 - 990);
    }

    function test_RevertWhen_repay_NothingOwed() public {
        vm.expectRevert(abi.encodeWithSelector(LendingPool.NothingOwed.selector, borrower));
        _repay(borrower, 1);
    }

    function test_RevertWhen_repay_Zero() public {
        _borrow(borrower, 1000);
        vm.expectRevert(LendingPool.ZeroAmount.selector);
        _repay(borrower, 0);
    }

    function test_RevertWhen_repay_WithoutTokens() public {
        _borrow(borrower, 1000);
        vm.startPrank(borrower);
        usdc.approve(address(pool), 999);
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        pool.repay(1000, borrower, "");
    }

    /// Property 5 of protocol.md §9: price down, breaker halted, policy broken, all frozen, caps at zero.
    function test_repayAndTopUp_AreNeverBlocked() public {
        _borrow(borrower, 1000 * USDC);
        ethOracle.setStatus(PriceStatus.Down);
        ethOracle.setPrice(0);
        breaker.setLevel(BreakerLevel.Halted);
        vm.startPrank(owner);
        pool.freezeNewRisk();
        pool.freezeCollateral(WETH_ID);
        pool.setCaps(0, 0);
        pool.setMinDebt(type(uint88).max, 0);
        vm.stopPrank();
        vm.etch(policy, hex"fe");
        vm.etch(address(ethOracle), hex"fe");
        vm.etch(address(breaker), hex"fe");
        skip(1 days);
        _supply(borrower, WETH_ID, 1);
        _repay(borrower, 999 * USDC);
        _repay(borrower, type(uint256).max);
        vm.startPrank(borrower);
        pool.withdrawCollateral(WETH_ID, 10 * ETHER + 1, borrower, borrower);
        vm.stopPrank();
        vm.startPrank(lender);
        pool.redeem(pool.balanceOf(lender), lender, lender);
    }

    /// Splitting a repayment never burns more shares than one call for the sum.
    function testFuzz_repay_SplitNeverGains(uint256 borrowed, uint256 elapsed, uint256 first, uint256 second) public {
        borrowed = bound(borrowed, 1000, 16_000 * USDC);
        _borrow(borrower, borrowed);
        skip(bound(elapsed, 0, 2 * 365 days));
        first = bound(first, 1, borrowed / 2 - 1);
        second = bound(second, 1, borrowed / 2 - 1);
        uint256 snapshot = vm.snapshotState();
        _repay(borrower, first + second);
        uint256 whole = pool.debtSharesOf(borrower);
        vm.revertToState(snapshot);
        _repay(borrower, first);
        _repay(borrower, second);
        assertGe(pool.debtSharesOf(borrower), whole);
    }

    /// Borrowing in parts never owes less, and what is owed is never less than what was taken.
    function testFuzz_borrow_OwesAtLeastWhatWasTaken(uint256 first, uint256 elapsed, uint256 second) public {
        _supply(stranger, WETH_ID, 1000 * ETHER);
        _borrow(stranger, 7 * USDC);
        skip(bound(elapsed, 0, 365 days));
        first = bound(first, 1, 7000 * USDC);
        second = bound(second, 1, 7000 * USDC);
        _borrow(borrower, first);
        assertGe(pool.debtOf(borrower), first);
        _borrow(borrower, second);
        assertGe(pool.debtOf(borrower), first + second);
        assertLe(pool.debtOf(borrower), first + second + 2);
        _assertBooksClose();
    }

    /// @dev Overwrites `totalDebt`, the lowest 104 bits of the market's second slot.
    function _storeTotalDebt(uint256 debt) private {
        uint256 word = uint256(vm.load(address(pool), bytes32(uint256(3))));
        vm.store(address(pool), bytes32(uint256(3)), bytes32(word >> 104 << 104 | debt));
        assertEq(pool.marketState().totalDebt, debt);
    }
}
