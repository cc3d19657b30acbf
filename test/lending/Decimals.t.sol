// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {IPoolUnderTest} from "../utils/IPoolUnderTest.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice The same position in every pair of 6, 8 and 18 decimals: 10 collateral at 2,000 against 10,000 of debt, then a fall
/// to 1,150 and half of it liquidated, then to 500 and settled.
contract DecimalsTest is PoolFixture {
    function test_everyPairOfDecimals_Agrees() public {
        uint8[3] memory decimals = [6, 8, 18];
        for (uint256 i; i < 3; ++i) {
            for (uint256 k; k < 3; ++k) {
                _life(decimals[i], decimals[k]);
            }
        }
    }

    function _life(uint8 debtDecimals, uint8 collateralDecimals) private {
        uint256 debtUnit = 10 ** debtDecimals;
        uint256 unit = 10 ** collateralDecimals;
        SimToken asset = new SimToken("Asset", "A", debtDecimals);
        SimToken token = new SimToken("Collateral", "C", collateralDecimals);
        PoolOracleMock oracle = new PoolOracleMock(2000 * debtUnit * 1e36 / unit);
        IPoolUnderTest p = _newPool(address(asset), _newRateModel(), address(0));
        assertEq(p.decimals(), debtDecimals + 3);
        vm.prank(owner);
        p.listCollateral(_config(address(token), address(oracle)));
        asset.mint(lender, 100_000 * debtUnit);
        asset.mint(keeper, 100_000 * debtUnit);
        token.mint(borrower, 10 * unit);
        vm.prank(keeper);
        asset.approve(address(p), type(uint256).max);
        vm.startPrank(lender);
        asset.approve(address(p), type(uint256).max);
        p.deposit(100_000 * debtUnit, lender);
        vm.startPrank(borrower);
        token.approve(address(p), 10 * unit);
        p.supplyCollateral(0, 10 * unit, borrower, "");
        assertEq(p.accountHealth(borrower).borrowLimit, 16_000 * debtUnit);
        p.borrow(10_000 * debtUnit, borrower, borrower);
        vm.stopPrank();

        oracle.setPrice(1150 * debtUnit * 1e36 / unit);
        assertEq(p.accountHealth(borrower).healthFast, 0.9775e18);
        vm.prank(keeper);
        LiquidationResult memory result = p.liquidate(borrower, 0, type(uint256).max, "");
        assertEq(result.repaid, 5000 * debtUnit);
        assertEq(result.seized, 5250 * unit / 1150);

        oracle.setPrice(500 * debtUnit * 1e36 / unit);
        vm.prank(keeper);
        result = p.settle(borrower, "");
        assertEq(result.repaid, ((10 * unit - 5250 * unit / 1150) * 500 * debtUnit / unit * 100 + 102) / 103);
        assertEq(p.totalAssets(), 100_000 * debtUnit - result.writtenOff);
        assertEq(asset.balanceOf(address(p)), p.totalAssets());
        assertEq(token.balanceOf(address(p)), 0);
    }

    /// A collateral with no decimals worth 1e-6 of a unit each, and one worth 1e12 units each: dust on either side neither
    /// reverts nor pays.
    function testFuzz_dust_NeverPays(uint256 price, uint256 amount, uint256 debt, uint256 fall, uint256 asked) public {
        _deposit(lender, 1e9 * USDC);
        btcOracle.setPrice(bound(price, 1e30, 1e48));
        amount = bound(amount, 1, 1e6);
        _supply(borrower, WBTC_ID, amount);
        uint256 limit = pool.accountHealth(borrower).borrowLimit;
        vm.assume(limit != 0);
        _borrow(borrower, bound(debt, 1, limit < 1e9 * USDC ? limit : 1e9 * USDC));
        uint256 newPrice = bound(fall, 1, price < 1e30 ? 1e30 : bound(price, 1e30, 1e48));
        btcOracle.setPrice(newPrice);
        uint256 held = wbtc.balanceOf(keeper);
        uint256 paid = usdc.balanceOf(keeper);
        vm.prank(keeper);
        try pool.liquidate(borrower, WBTC_ID, bound(asked, 1, type(uint256).max), "") {} catch {}
        vm.prank(keeper);
        try pool.settle(borrower, "") {} catch {}
        // What the keeper got is worth at most what it paid and 5%, and a unit for rounding a call.
        uint256 got = (wbtc.balanceOf(keeper) - held) * newPrice / 1e36;
        assertLe(got, (paid - usdc.balanceOf(keeper) + 2) * 105 / 100 + 2);
        _assertBooksClose();
    }
}
