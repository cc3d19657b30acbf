// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {AccountHealth, CollateralConfig} from "../../contracts/interfaces/ILendingPool.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice HF, HF_hard, P_e and the borrow limit, protocol.md §2 and §3, by hand.
contract HealthTest is PoolFixture {
    /// 10 WETH at 2,000 and 0.5 WBTC at 30,000 against 20,000: C = 35,000, HF = 35,000 * 0.85 / 20,000 = 1.4875, limit
    /// 28,000, HF_hard = 0.85 * 1.05 * 1.05 = 0.937125.
    function test_accountHealth_TwoCollaterals() public {
        _deposit(lender, 100_000 * USDC);
        _supply(borrower, WETH_ID, 10 ether);
        _supply(borrower, WBTC_ID, BTC / 2);
        _borrow(borrower, 20_000 * USDC);
        AccountHealth memory health = pool.accountHealth(borrower);
        assertEq(health.debt, 20_000 * USDC);
        assertEq(health.collateralValue, 35_000 * USDC);
        assertEq(health.borrowLimit, 28_000 * USDC);
        assertEq(health.healthFast, 1.4875e18);
        assertEq(health.healthConfirmed, 1.4875e18);
        assertEq(health.healthHard, 0.937125e18);
        assertFalse(health.priceDown);
    }

    /// Each step rounds down: 3 sat at 333.3333 units are 999 (999.9999), of which 85% are 849 (849.15); against 500 units
    /// HF = 849 / 500 = 1.698.
    function test_accountHealth_RoundsDownStepwise() public {
        _deposit(lender, 1000);
        btcOracle.setPrice(333_333_300_000 * 1e27);
        _supply(borrower, WBTC_ID, 3);
        _borrow(borrower, 500);
        AccountHealth memory health = pool.accountHealth(borrower);
        assertEq(health.collateralValue, 999);
        assertEq(health.healthFast, 1.698e18);
        assertEq(health.borrowLimit, 799); // 799.2
    }

    /// HF itself rounds down: 849 / 700 = 1.212857142857142857 142...
    function test_accountHealth_RatioRoundsDown() public {
        _deposit(lender, 1000);
        btcOracle.setPrice(333_333_300_000 * 1e27);
        _supply(borrower, WBTC_ID, 3);
        _borrow(borrower, 700);
        assertEq(pool.accountHealth(borrower).healthFast, 1_212_857_142_857_142_857);
    }

    /// LT = 8501 bp, bmax = 501 bp, sigma = 499 bp: 0.8501 * 1.0501 * 1.0499 = 0.937235241499 to the last digit.
    function test_healthHard_IsExact() public {
        uint256 id = _list(8501, 501, 499, true);
        _supplyNew(id);
        assertEq(pool.accountHealth(borrower).healthHard, 0.937235241499e18);
    }

    /// During a ramp LT has 18 digits and HF_hard rounds up: LT = 0.85 - 0.01 / 7 = 0.848571428571428572 (rounded up),
    /// * 1.1025 = 0.93555000000000000063, up: ...001.
    function test_healthHard_RoundsUp() public {
        _supply(borrower, WETH_ID, 1);
        vm.prank(owner);
        pool.rampCollateral(WETH_ID, 8000, 8400);
        skip(1 days);
        assertEq(pool.collateralState(WETH_ID).liquidationThreshold, 848_571_428_571_428_572);
        assertEq(pool.accountHealth(borrower).healthHard, 935_550_000_000_000_001);
    }

    /// The largest of the collaterals held counts, and only while it is held; without damping it is 1.
    function test_healthHard_LargestOfThoseHeld() public {
        uint256 wide = _list(8600, 500, 600, true); // 0.86 * 1.05 * 1.06 = 0.95718
        uint256 undamped = _list(9000, 500, 600, false);
        uint256 narrow = _list(8000, 500, 300, true); // 0.8652
        assertEq(pool.accountHealth(borrower).healthHard, 0);
        _supply(borrower, WETH_ID, 1);
        assertEq(pool.accountHealth(borrower).healthHard, 0.937125e18);
        _supplyNew(wide);
        assertEq(pool.accountHealth(borrower).healthHard, 0.95718e18);
        _supplyNew(narrow);
        assertEq(pool.accountHealth(borrower).healthHard, 0.95718e18, "the last is not the largest");
        _supplyNew(undamped);
        assertEq(pool.accountHealth(borrower).healthHard, 1e18);
        vm.startPrank(borrower);
        pool.withdrawCollateral(undamped, 1, borrower, borrower);
        pool.withdrawCollateral(wide, 1, borrower, borrower);
        assertEq(pool.accountHealth(borrower).healthHard, 0.937125e18);
    }

    /// P_e = min(max(F, V), (1 + 2%) F), at F = 1,000 and D = 8,000: V = 1,010 counts, V = 2,000 counts as 1,020, V = 900 as F.
    function test_healthConfirmed_IsBanded() public {
        _deposit(lender, 100_000 * USDC);
        _supply(borrower, WETH_ID, 10 ether);
        _borrow(borrower, 8000 * USDC);
        ethOracle.setPrices(1000e24, 1500e24, 1010e24);
        assertEq(pool.accountHealth(borrower).healthFast, 1.0625e18);
        assertEq(pool.accountHealth(borrower).healthConfirmed, 1.073125e18);
        ethOracle.setPrices(1000e24, 1500e24, 2000e24);
        assertEq(pool.accountHealth(borrower).healthConfirmed, 1.08375e18);
        ethOracle.setPrices(1000e24, 1500e24, 900e24);
        assertEq(pool.accountHealth(borrower).healthConfirmed, 1.0625e18);
    }

    /// min(F, L) collateral by collateral, not of the sums.
    function test_borrowLimit_LowerPriceOfEach() public {
        _supply(borrower, WETH_ID, 10 ether);
        _supply(borrower, WBTC_ID, BTC);
        ethOracle.setPrices(2000e24, 1000e24, 0);
        btcOracle.setPrices(20_000e34, 30_000e34, 0);
        assertEq(pool.accountHealth(borrower).borrowLimit, 24_000 * USDC); // (10,000 + 20,000) * 0.8
    }

    /// A collateral without a price is in no value, and in health at twice its last price: (40,000 + 30,000) * 0.85 / 10,000.
    function test_accountHealth_PriceDown() public {
        _openMarket();
        _supply(borrower, WBTC_ID, BTC);
        ethOracle.setStatus(PriceStatus.Down);
        AccountHealth memory health = pool.accountHealth(borrower);
        assertTrue(health.priceDown);
        assertEq(health.collateralValue, 30_000 * USDC);
        assertEq(health.healthFast, 5.95e18);
        assertEq(health.borrowLimit, 0);
    }

    function test_accountHealth_WithoutDebt() public {
        _supply(borrower, WETH_ID, 1 ether);
        assertEq(pool.accountHealth(borrower).healthFast, type(uint256).max);
        assertEq(pool.accountHealth(stranger).healthFast, type(uint256).max);
        assertEq(pool.accountHealth(stranger).borrowLimit, 0);
    }

    /// Against a model in plain arithmetic.
    function testFuzz_accountHealth_IsTheFormula(
        uint256 amount,
        uint256 price,
        uint256 amount2,
        uint256 price2,
        uint256 debt
    ) public {
        _deposit(lender, 1e9 * USDC);
        amount = bound(amount, 1e15, 1e24);
        amount2 = bound(amount2, 1, 1e13);
        _supply(borrower, WETH_ID, amount);
        _supply(borrower, WBTC_ID, amount2);
        uint256 limit = pool.accountHealth(borrower).borrowLimit;
        debt = bound(debt, 1, limit < 1e9 * USDC ? limit : 1e9 * USDC);
        _borrow(borrower, debt);
        price = bound(price, 1, 1e30);
        price2 = bound(price2, 1, 1e41);
        ethOracle.setPrice(price);
        btcOracle.setPrice(price2);
        uint256 first = amount * price / 1e36;
        uint256 second = amount2 * price2 / 1e36;
        AccountHealth memory health = pool.accountHealth(borrower);
        assertEq(health.collateralValue, first + second);
        assertEq(health.healthFast, (first * 8500 / 10_000 + second * 8500 / 10_000) * 1e18 / debt);
        assertEq(health.borrowLimit, first * 8000 / 10_000 + second * 8000 / 10_000);
    }

    /// Nothing overflows at prices of 1e54 (a unit of collateral worth 1e18 units of debt) and amounts of 1e28.
    function test_accountHealth_EnormousPrices() public {
        _deposit(lender, 1e9 * USDC);
        weth.mint(borrower, 1e28);
        _supply(borrower, WETH_ID, 1e28);
        ethOracle.setPrice(1e54);
        _borrow(borrower, 1);
        AccountHealth memory health = pool.accountHealth(borrower);
        assertEq(health.collateralValue, 1e46);
        assertEq(health.healthFast, 0.85e64);
        assertEq(health.borrowLimit, 0.8e46);
        _borrow(borrower, 1e9 * USDC - 1);
        vm.prank(borrower);
        pool.withdrawCollateral(WETH_ID, 1e28 - 10, borrower, borrower);
        assertEq(pool.accountHealth(borrower).collateralValue, 1e19);
        ethOracle.setPrice(1.1e50); // 1.1e15 * 0.85 < 1e15
        _liquidate(borrower, WETH_ID, type(uint256).max);
        _assertBooksClose();
    }

    function _list(uint16 threshold, uint16 bonus, uint16 margin, bool damped) private returns (uint256) {
        address token = address(new SimToken("Other", "OTHER", 18));
        CollateralConfig memory config = _config(token, address(new PoolOracleMock(ETH_PRICE)));
        config.borrowLtv = 1;
        (config.liquidationThreshold, config.maxBonus) = (threshold, bonus);
        (config.slippageMargin, config.damped) = (margin, damped);
        vm.prank(owner);
        return pool.listCollateral(config);
    }

    function _supplyNew(uint256 id) private {
        SimToken token = SimToken(pool.collateralState(id).token);
        token.mint(borrower, 1);
        vm.startPrank(borrower);
        token.approve(address(pool), 1);
        pool.supplyCollateral(id, 1, borrower, "");
        vm.stopPrank();
    }
}
