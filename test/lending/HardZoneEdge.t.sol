// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {AccountHealth, CollateralConfig} from "../../contracts/interfaces/ILendingPool.sol";
import {LiquidationGrant, LiquidationRequest, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {DampedParameters, DampedParametersLib} from "../../contracts/liquidation/DampedParameters.sol";
import {PoolOracleMock} from "../mocks/PoolOracleMock.sol";
import {SimToken} from "../mocks/SimToken.sol";
import {PoolFixture} from "../utils/PoolFixture.sol";

/// @notice The edge of the hard zone without a margin: just above it the whole bonus is still paid for, and all that can be settled is
/// at or below it.
contract HardZoneEdgeTest is PoolFixture {
    function testFuzz_aboveTheEdge_TheWholeBonusIsPaidFor(
        uint256 threshold,
        uint256 bonus,
        uint256 debt,
        uint256 above,
        uint256 elapsed
    ) public {
        DampedParameters memory p = DampedParametersLib.defaults();
        (p.bonusMax, p.confirmation) = (0.5e18, false);
        DampedPolicy damped = new DampedPolicy(p);
        bonus = bound(bonus, 300, 2000);
        // LT has 18 digits during a ramp.
        threshold = bound(threshold, 1e10, 1e22 / (10_000 + bonus) - 2);
        LiquidationRequest memory r;
        r.account = borrower;
        r.debt = bound(debt, 1e6, 1e28);
        r.healthHard = (threshold * (10_000 + bonus) + 9999) / 10_000;
        r.healthFast = bound(above, r.healthHard + 1, r.healthHard + 1000);
        vm.assume(r.healthFast < 1e18);
        r.healthConfirmed = r.healthFast;
        r.liquidationThreshold = threshold;
        r.maxBonus = bonus * 1e14;
        // the least value that gives this health, at a price of 1
        r.collateralValue = (r.healthFast * r.debt / 1e18 + 1) * 1e18 / threshold + 1;
        (r.price, r.collateral, r.totalCollateral) = (1e36, r.collateralValue, r.collateralValue);
        damped.commit(r);
        elapsed = bound(elapsed, 0, 20 minutes);
        skip(elapsed);
        r.priceCumulative = 1e36 * elapsed;
        r.asked = r.debt;
        LiquidationGrant memory grant = damped.commit(r);
        assertEq(uint256(grant.refusal), uint256(Refusal.None));
        assertGe(r.collateralValue, r.debt + r.debt * bonus / 10_000);
        // the health factor does not fall
        assertGe(r.healthFast * r.debt - grant.seize * threshold, r.healthFast * (r.debt - grant.repay));
    }

    /// Near C = 1.03 D, during a ramp of LT too: settled if and only if below, and then at or below HF_hard.
    function testFuzz_settlement_IsInTheHardZone(
        uint256 threshold,
        uint256 bonus,
        uint256 amount,
        uint256 rampedTo,
        uint256 elapsed,
        uint256 price
    ) public {
        bonus = bound(bonus, 300, 2000);
        threshold = bound(threshold, 300, 1e8 / (10_000 + bonus));
        PoolOracleMock oracle = new PoolOracleMock(2000e24);
        uint256 id = _list(oracle, threshold, bonus);
        _deposit(lender, 10_000_000 * USDC);
        amount = bound(amount, 1e15, 100e18);
        skip(7 days);
        vm.startPrank(borrower);
        pool.supplyCollateral(id, amount, borrower, "");
        pool.borrow(amount * 2000e24 / 1e36 * (threshold - 100) / 10_000 - 1, borrower, borrower);
        vm.stopPrank();
        rampedTo = bound(rampedTo, 200, 1e8 / (10_000 + bonus));
        vm.prank(owner);
        // forge-lint: disable-next-line(unsafe-typecast)
        pool.rampCollateral(id, uint16(rampedTo - 100), uint16(rampedTo));
        skip(bound(elapsed, 0, 8 days));

        // within two units of value of the edge
        uint256 edge = pool.debtOf(borrower) * 103 / 100 * 1e36 / amount;
        uint256 unit = 1e36 / amount;
        price = bound(price, edge > 2 * unit ? edge - 2 * unit : 1, edge + 2 * unit + 1);
        oracle.setPrice(price);
        AccountHealth memory health = pool.accountHealth(borrower);
        bool due = health.collateralValue * 100 < health.debt * 103;
        vm.prank(keeper);
        try pool.settle(borrower, "") {
            assertTrue(due, "settled above the edge");
        } catch {
            assertFalse(due && health.healthFast < 1e18, "not settled below the edge");
        }
        if (due) assertLe(health.healthFast, health.healthHard, "due in the damped zone");
    }

    function _list(PoolOracleMock oracle, uint256 threshold, uint256 bonus) private returns (uint256 id) {
        SimToken token = new SimToken("Other", "OTHER", 18);
        CollateralConfig memory config = _config(address(token), address(oracle));
        // forge-lint: disable-next-line(unsafe-typecast)
        (config.borrowLtv, config.liquidationThreshold) = (uint16(threshold - 100), uint16(threshold));
        // forge-lint: disable-next-line(unsafe-typecast)
        (config.maxBonus, config.slippageMargin, config.confirmationBand) = (uint16(bonus), 0, 0);
        vm.prank(owner);
        id = pool.listCollateral(config);
        token.mint(borrower, 1e30);
        vm.prank(borrower);
        token.approve(address(pool), type(uint256).max);
    }
}
