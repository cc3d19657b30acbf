// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {ILendingPoolEvents, MarketState} from "../../contracts/interfaces/ILendingPool.sol";
import {PoolAccounting} from "../../contracts/lending/PoolAccounting.sol";
import {RateDefaults} from "../../contracts/rates/RateDefaults.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice Accrual, protocol.md §6, on a flat curve of 1e9 WAD a second: 1e8 seconds are an exponent of 0.1, and
/// 0.1 + 0.1^2/2 + 0.1^3/6 = 0.105166666...
contract InterestTest is PoolFixture {
    function setUp() public override {
        super.setUp();
        vm.prank(owner);
        pool.setReserveFactor(10);
        _deposit(lender, 100_000 * USDC);
        _supply(borrower, WETH_ID, 10_000 * ETHER);
    }

    function _newRateModel() internal override returns (address) {
        return _flatRateModel();
    }

    /// Debt 30,000 -> + 3,155.000000; reserves 315.5; lenders + 2,839.5.
    function test_accrual_SharesInterest() public {
        _borrow(borrower, 30_000 * USDC);
        skip(1e8);
        MarketState memory state = pool.marketState();
        assertEq(state.totalDebt, 33_155 * USDC);
        assertEq(state.lenderAssets, 102_839_500_000);
        assertEq(state.reserves, 315_500_000);
        assertEq(pool.totalAssets(), 102_839_500_000);
        assertEq(pool.debtOf(borrower), 33_155 * USDC);
        assertEq(state.rateAtTarget, 1e9);
    }

    /// Interest rounds up, and of it the reserves' part rounds up: 1,000 units -> 105.1666 -> 106, of which 10.6 -> 11.
    function test_accrual_RoundsUpAndToReserves() public {
        _borrow(borrower, 1000);
        skip(1e8);
        assertEq(pool.marketState().totalDebt, 1106);
        assertEq(pool.marketState().reserves, 11);
        assertEq(pool.totalAssets(), 100_000 * USDC + 95);
    }

    /// Views say what an action in the same block stores.
    function test_accrual_ViewsEqualWhatIsStored() public {
        _borrow(borrower, 30_000 * USDC);
        skip(1e8);
        MarketState memory viewed = pool.marketState();
        vm.expectEmit(address(pool));
        emit ILendingPoolEvents.MarketUpdated(
            102_839_500_000, viewed.supplyShares, 33_155 * USDC, viewed.debtShares, _logRate()
        );
        vm.prank(owner);
        pool.setReserveFactor(10);
        assertEq(abi.encode(pool.marketState()), abi.encode(viewed));
    }

    /// Twice 0.1 charges 1.105166... ^ 2 - 1 = 0.22139336, more than 0.2 + 0.02 + 0.001333 = 0.221333.
    function test_accrual_SplitPaysNoLess() public {
        _borrow(borrower, 30_000 * USDC);
        uint256 snapshot = vm.snapshotState();
        skip(2e8);
        assertEq(pool.marketState().totalDebt, 36_640 * USDC);
        vm.revertToState(snapshot);
        skip(1e8);
        vm.prank(owner);
        pool.setReserveFactor(10);
        skip(1e8);
        assertEq(pool.marketState().totalDebt, 36_641_800_834); // 33,155 * 1.1051666.. = 36,641.80083333
    }

    function testFuzz_accrual_SplitPaysNoLess(uint256 debt, uint256 whole, uint256 part) public {
        _borrow(borrower, bound(debt, 1, 100_000 * USDC));
        whole = bound(whole, 1, 20 * 365 days);
        part = bound(part, 0, whole);
        uint256 snapshot = vm.snapshotState();
        skip(whole);
        uint256 once = pool.marketState().totalDebt;
        vm.revertToState(snapshot);
        skip(part);
        vm.prank(owner);
        pool.setReserveFactor(10);
        skip(whole - part);
        assertGe(pool.marketState().totalDebt, once);
    }

    /// A share's worth rises by the interest: 102,839.5 / 100,000.
    function test_accrual_RaisesTheSharePrice() public {
        _borrow(borrower, 30_000 * USDC);
        skip(1e8);
        assertEq(pool.convertToAssets(1000 * USDC * 1000), 1_028_394_999); // less the virtual shares' part
    }

    function test_accrual_WithoutDebtChangesNothing() public {
        skip(1000 days);
        assertEq(pool.totalAssets(), 100_000 * USDC);
        assertEq(pool.marketState().reserves, 0);
    }

    /// A block without time charges nothing.
    function test_accrual_NothingWithinASecond() public {
        _borrow(borrower, 30_000 * USDC);
        _borrow(borrower, 10);
        assertEq(pool.marketState().totalDebt, 30_000 * USDC + 10);
    }

    /// The exponent saturates at 10: T(10) = 226.666..., after any silence, and repaying works.
    function test_accrual_SaturatesAfterASilence() public {
        _borrow(borrower, 30_000 * USDC);
        vm.warp(type(uint32).max);
        uint256 charged = pool.marketState().totalDebt - 30_000 * USDC;
        uint256 x = (uint256(type(uint32).max) - 1_700_000_000) * 1e9;
        assertLt(x, 10e18); // not yet
        assertApproxEqRel(charged, 30_000 * USDC * (x + x * x / 2e18 + x * x / 1e18 * x / 6e18) / 1e18, 1e8);
        usdc.mint(borrower, pool.debtOf(borrower));
        _repay(borrower, type(uint256).max);
        assertEq(pool.debtSharesOf(borrower), 0);
        _assertBooksClose();
    }

    /// Books end at 2^104 units. Debt that reaches the end stops there; repaying, and a top-up, still work.
    function test_accrual_StopsWhereTheBooksEnd() public {
        uint256 end = type(uint104).max;
        _borrow(borrower, 1000 * USDC);
        uint256 word = uint256(vm.load(address(pool), bytes32(uint256(3))));
        vm.store(address(pool), bytes32(uint256(3)), bytes32(word >> 104 << 104 | (end - 5)));
        skip(1 days);
        assertEq(pool.marketState().totalDebt, end);
        assertEq(pool.totalAssets(), 100_000 * USDC + 4); // 5 less the reserves' 0.5 rounded up
        vm.expectRevert(abi.encodeWithSelector(PoolAccounting.AmountTooLarge.selector, end + 1));
        _borrow(borrower, 1);
        _supply(borrower, WETH_ID, 1);
        _repay(borrower, 500 * USDC);
        usdc.mint(borrower, pool.debtOf(borrower));
        _repay(borrower, type(uint256).max);
        assertEq(pool.debtOf(borrower), 0);
        _assertBooksClose();
    }

    /// The adaptive default: at full utilisation e = 1 and m = 4; over a day x = 50 / 365 = 0.136986. The mean of the rate at
    /// target over the day is 4% * (1 + 2 exp(0.0684932) + exp(0.136986)) / 4 = 4% * 1.0721498, so the exponent is
    /// 0.16 * 1.0721498 / 365 = 4.699835e-4, and 100,000 USDC are charged 47.009391.
    function test_accrual_AdaptiveAtFullUtilisation() public {
        pool = _newPool(address(usdc), super._newRateModel(), address(0));
        _fund(lender);
        _fund(borrower);
        vm.prank(owner);
        pool.listCollateral(_config(address(weth), address(ethOracle)));
        assertApproxEqRel(pool.marketState().rateAtTarget, RateDefaults.INITIAL_RATE_AT_TARGET, 1e9);
        _deposit(lender, 100_000 * USDC);
        _supply(borrower, WETH_ID, 100 * ETHER);
        _borrow(borrower, 100_000 * USDC);
        skip(1 days);
        assertApproxEqRel(pool.marketState().totalDebt - 100_000 * USDC, 47_009_391, 1e13);
        // exp(0.136986) = 1.146812
        assertApproxEqRel(pool.marketState().rateAtTarget, RateDefaults.INITIAL_RATE_AT_TARGET * 1_146_812 / 1e6, 1e12);
    }

    function _logRate() private view returns (int256) {
        return int256(int48(uint48(uint256(vm.load(address(pool), bytes32(uint256(3)))) >> 208)));
    }
}
