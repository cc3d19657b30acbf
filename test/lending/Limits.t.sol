// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {CollateralConfig} from "../../contracts/interfaces/ILendingPool.sol";
import {Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {PoolAccounting} from "../../contracts/lending/PoolAccounting.sol";
import {PoolClosing} from "../../contracts/lending/PoolClosing.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolOneSlotOracleMock, PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice The ends of the ranges: amounts of 1e28, sixteen collaterals, debts and shares of one unit.
contract LimitsTest is PoolFixture {
    // -- amounts

    function test_largestAmounts_FitTheBooks() public {
        uint256 most = 1e28;
        usdc.mint(lender, most);
        weth.mint(borrower, most);
        ethOracle.setPrice(1e36);
        assertEq(pool.maxDeposit(lender), most);
        _deposit(lender, most);
        assertEq(pool.totalSupply(), most * 1000);
        assertEq(pool.maxDeposit(lender), 0);
        _supply(borrower, WETH_ID, most);
        _borrow(borrower, most * 8 / 10);
        assertEq(pool.debtSharesOf(borrower), most * 800);
        skip(365 days);
        assertGt(pool.totalAssets(), most);
        ethOracle.setPrice(0.9e36);
        usdc.mint(keeper, 2 * most);
        _liquidate(borrower, WETH_ID, most / 10);
        _assertBooksClose();
        ethOracle.setPrice(0.1e36);
        vm.prank(keeper);
        pool.settle(borrower, "");
        _assertBooksClose();
    }

    function test_RevertWhen_amountsOverflow() public {
        vm.startPrank(lender);
        vm.expectRevert();
        pool.deposit(type(uint256).max, lender);
        vm.expectRevert();
        pool.mint(type(uint256).max, lender);
        vm.expectRevert();
        pool.withdraw(type(uint256).max, lender, lender);
        vm.expectRevert();
        pool.redeem(type(uint256).max, lender, lender);
        vm.expectRevert();
        pool.supplyCollateral(WETH_ID, type(uint256).max, lender, "");
        vm.expectRevert();
        pool.supplyCollateral(WETH_ID, uint256(type(uint128).max) + 1, lender, "");
        vm.expectRevert();
        pool.withdrawCollateral(WETH_ID, type(uint256).max, lender, lender);
        vm.expectRevert();
        pool.borrow(type(uint256).max, lender, lender);
        vm.stopPrank();
        assertEq(pool.collateralState(WETH_ID).total, 0);
    }

    /// Regression: the cap does not hold a top-up of an account in debt, and beyond 2^128 units an amount was cut off silently.
    function test_RevertWhen_topUp_BeyondTheBooks() public {
        _openMarket();
        uint256 amount = 1 << 128;
        weth.mint(borrower, amount);
        vm.expectRevert(abi.encodeWithSelector(PoolAccounting.AmountTooLarge.selector, amount + 10 ether));
        _supply(borrower, WETH_ID, amount);
    }

    // -- one unit

    /// A debt of one unit: closed by one unit, and it cannot be left with less than one.
    function test_oneUnitOfDebt() public {
        _deposit(lender, 1000);
        _supply(borrower, WETH_ID, 1e10);
        _borrow(borrower, 1);
        assertEq(pool.debtOf(borrower), 1);
        assertEq(_repay(borrower, 1), 1);
        assertEq(pool.debtSharesOf(borrower), 0);
    }

    /// A market whose only debt is a unit grows by at most a unit an accrual, however often somebody accrues.
    function test_dustDebt_GrowsByAUnitAnAccrual() public {
        _deposit(lender, 1000);
        _supply(borrower, WETH_ID, 1e12);
        _borrow(borrower, 1);
        for (uint256 i = 1; i <= 20; ++i) {
            skip(12);
            _deposit(lender, 1);
            assertEq(pool.marketState().totalDebt, 1 + i);
        }
        assertEq(pool.debtOf(borrower), 21);
        assertEq(_repay(borrower, type(uint256).max), 21);
        assertEq(pool.marketState().totalDebt, 0);
        _assertBooksClose();
    }

    /// Debt shares that somebody drove up in an empty market are burnt by whoever repays the units that are left: a
    /// repayment needs nobody's permission.
    function test_debtShares_InflationIsUndoneForAUnit() public {
        _deposit(lender, 1000 * USDC);
        _supply(borrower, WETH_ID, ETHER);
        _supply(stranger, WETH_ID, ETHER);
        _borrow(borrower, 1000);
        skip(10 days);
        _borrow(stranger, 1000);
        for (uint256 i; i < 5; ++i) {
            // Leaves less than a unit's worth of shares, which a unit then over-pays.
            _repay(borrower, pool.debtOf(borrower) - 1);
            _borrow(borrower, 1000);
        }
        _repay(borrower, pool.debtOf(borrower) - 1);
        _repay(stranger, pool.debtOf(stranger) - 1);
        vm.startPrank(keeper);
        pool.repay(type(uint256).max, borrower, "");
        pool.repay(type(uint256).max, stranger, "");
        vm.stopPrank();
        assertEq(pool.marketState().debtShares, 0);
        assertEq(pool.marketState().totalDebt, 0);
        _borrow(borrower, 1000 * USDC);
        assertLe(pool.debtOf(borrower), 1000 * USDC + 1);
        _assertBooksClose();
    }

    // -- sixteen collaterals

    function test_sixteenCollaterals_BorrowAndLiquidate() public {
        SimToken[] memory tokens = _holdSixteen();
        assertEq(pool.collateralBitmap(borrower), 0xffff);
        assertEq(pool.collateralCount(), 16);
        _borrow(borrower, 1600 * 16 * USDC);
        assertEq(pool.accountHealth(borrower).borrowLimit, 1600 * 16 * USDC);
        _setEthPrice(1850); // 16 * 1,850 * 0.85 = 25,160 < 25,600
        for (uint256 id = 2; id < 16; ++id) {
            PoolOneSlotOracleMock(pool.collateralState(id).oracle).setPrice(1850e24);
        }
        btcOracle.setPrice(1850e34);
        assertLt(pool.accountHealth(borrower).healthFast, 1e18);
        _liquidate(borrower, 15, 1000 * USDC);
        assertEq(tokens[13].balanceOf(keeper), uint256(1050e18) / 1850);
        _assertBooksClose();
    }

    function test_sixteenCollaterals_SettleAndWithdraw() public {
        SimToken[] memory tokens = _holdSixteen();
        _borrow(borrower, 20_000 * USDC);
        vm.prank(borrower);
        pool.withdrawCollateral(7, 0.5 ether, borrower, borrower);
        for (uint256 id = 2; id < 16; ++id) {
            PoolOneSlotOracleMock(pool.collateralState(id).oracle).setPrice(100e24);
        }
        _setEthPrice(100);
        btcOracle.setPrice(100e34);
        vm.prank(keeper);
        pool.settle(borrower, "");
        assertEq(pool.collateralBitmap(borrower), 0);
        for (uint256 i; i < 14; ++i) {
            assertEq(tokens[i].balanceOf(address(pool)), 0);
            assertEq(tokens[i].balanceOf(keeper), i == 5 ? 0.5 ether : 1 ether);
        }
        _assertBooksClose();
    }

    /// A collateral without a price keeps the account from being liquidated in the damped zone only, until its oracle is
    /// replaced: HF = 0.85 * (15 * 1,700 + 2 * 2,000) / 25,600 = 0.9795 with WETH at twice its last price.
    function test_oneOfSixteenDown_HoldsTheDampedZoneUntilReplaced() public {
        _holdSixteen();
        _borrow(borrower, 1600 * 16 * USDC);
        for (uint256 id = 2; id < 16; ++id) {
            PoolOneSlotOracleMock(pool.collateralState(id).oracle).setPrice(1700e24);
        }
        btcOracle.setPrice(1700e34);
        ethOracle.setStatus(PriceStatus.Down);
        assertEq(pool.accountHealth(borrower).healthFast, uint256(0.85 * 29_500 * 1e18) / 25_600);
        vm.expectRevert(abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, Refusal.PriceDown));
        _liquidate(borrower, 3, 1000 * USDC);
        address replacement = address(new PoolOracleMock(1700e24));
        vm.prank(owner);
        pool.setCollateralOracle(WETH_ID, replacement);
        _liquidate(borrower, 3, 1000 * USDC);
    }

    function test_RevertWhen_seventeenth() public {
        _holdSixteen();
        vm.expectRevert();
        _supply(borrower, 16, 1);
    }

    /// @dev A WETH, a WBTC at the same price, and 14 more tokens of 18 decimals at 2,000, one of each.
    function _holdSixteen() private returns (SimToken[] memory tokens) {
        btcOracle.setPrice(2000e34);
        _supply(borrower, WETH_ID, 1 ether);
        _supply(borrower, WBTC_ID, BTC);
        tokens = new SimToken[](14);
        for (uint256 i; i < 14; ++i) {
            tokens[i] = new SimToken("Token", "T", 18);
            CollateralConfig memory config = _config(address(tokens[i]), address(new PoolOneSlotOracleMock(ETH_PRICE)));
            vm.prank(owner);
            uint256 id = pool.listCollateral(config);
            tokens[i].mint(borrower, 1 ether);
            vm.startPrank(borrower);
            tokens[i].approve(address(pool), 1 ether);
            pool.supplyCollateral(id, 1 ether, borrower, "");
            vm.stopPrank();
        }
        _deposit(lender, 1e6 * USDC); // after the listings, which would ramp beside lenders' money
    }
}
