// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";

import {CircuitBreaker} from "../../contracts/breaker/CircuitBreaker.sol";
import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {AccountHealth, LiquidationResult} from "../../contracts/interfaces/ILendingPool.sol";
import {LiquidationGrant, LiquidationRequest, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {PoolClosing} from "../../contracts/lending/PoolClosing.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {SystemPlan} from "../../script/SystemPlan.sol";
import {SystemFixture} from "./SystemFixture.sol";

/// @dev The default deployment, whole: pool, oracle, breaker, damped policy, real venue, flash liquidator.
contract DampedSystemTest is SystemFixture {
    bool private obeysPause;

    function _plan(SystemPlan memory plan) internal view override returns (SystemPlan memory) {
        if (obeysPause) plan.policy.damped.obeysPause = true;
        return plan;
    }

    /// @dev 100 ether at 2,000 against 155,000: HF = 166,000 / 155,000 = 1.071.
    function _openBorrower() private {
        _open(borrower, 100e18, 155_000e18);
    }

    function _refused(Refusal refusal) private view returns (bytes memory) {
        return abi.encodeWithSelector(PoolClosing.NotLiquidatable.selector, borrower, refusal);
    }

    function test_liquidate_RefusedWhileHealthy() public {
        _openBorrower();
        vm.expectRevert(_refused(Refusal.Healthy));
        liquidator.liquidate(borrower, type(uint256).max, 0);
    }

    /// @dev The feed alone falls by 8.5% (HF 0.98); the venue stays at 2,000, which the
    /// band holds to P_e = 1.05 * 1,830 = 1,921.5 and HF(P_e) = 100 * 1,921.5 * 0.83 / 155,000 = 1.0289.
    function test_liquidate_RefusedWhileTheVenueDisagrees() public {
        _openBorrower();
        _pass(120);
        _setFeed(1830e8);
        AccountHealth memory health = lending.accountHealth(borrower);
        assertApproxEqRel(health.healthFast, 0.97993e18, 1e14);
        assertApproxEqRel(health.healthConfirmed, 1.02893e18, 1e14);
        vm.expectRevert(_refused(Refusal.Unconfirmed));
        liquidator.liquidate(borrower, type(uint256).max, 0);
    }

    /// @dev The feed alone falls by 11.5% (HF 0.948, above HF_hard 0.8715): below 1/(1 + δ) = 0.952 the band is not enough to hold it back,
    /// HF(P_e) = 100 * 1.05 * 1,770 * 0.83 / 155,000 = 0.9952. It is still dampened.
    function test_liquidate_BelowTheBandTheFeedAloneDecides() public {
        _openBorrower();
        _pass(120);
        _setFeed(1770e8);
        AccountHealth memory health = lending.accountHealth(borrower);
        assertApproxEqRel(health.healthFast, 0.9478e18, 1e14);
        assertApproxEqRel(health.healthConfirmed, 0.99519e18, 1e14);
        assertGt(health.healthFast, health.healthHard);
        vm.prank(keeper);
        liquidator.liquidate(borrower, type(uint256).max, 0);
        AccountHealth memory afterwards = lending.accountHealth(borrower);
        assertGt(afterwards.healthFast, health.healthFast);
        assertLe(afterwards.healthFast, 1.0501e18);
    }

    /// @dev Confirmed: liquidated to the target health, without capital, at a profit that grows with the auction.
    function test_liquidate_ToTargetHealthThroughTheVenue() public {
        _openBorrower();
        _fallTo(1830);
        AccountHealth memory before = lending.accountHealth(borrower);
        assertLt(before.healthConfirmed, 1e18);
        assertApproxEqRel(before.healthHard, 0.8715e18, 1e14);
        lending.flag(borrower, 0);
        _pass(20 minutes);
        _setFeed(1830e8);
        (, LiquidationGrant memory grant) = lending.quoteLiquidation(borrower, 0, type(uint256).max);
        assertEq(grant.bonus, 0.05e18, "the auction has ended at its maximum");

        vm.prank(keeper);
        uint256 profit = liquidator.liquidate(borrower, type(uint256).max, 1);
        assertGt(profit, 0);
        assertEq(debt.balanceOf(keeper), profit);
        AccountHealth memory afterwards = lending.accountHealth(borrower);
        assertApproxEqRel(afterwards.healthFast, 1.05e18, 1e12);
        // x = D (1.05 - HF) / (1.05 - 1.05 * 0.83) with HF and D as they were
        assertApproxEqRel(
            before.debt - afterwards.debt, before.debt * (1.05e18 - before.healthFast) / 0.1785e18, 0.001e18
        );
    }

    /// @dev By default not even a halt by governance holds a liquidation back.
    function test_liquidate_HaltHoldsNothingByDefault() public {
        _openBorrower();
        _haltAndFall();
        liquidator.liquidate(borrower, 10_000e18, 0);
        assertLt(lending.debtOf(borrower), 155_000e18);
    }

    /// @dev Where the policy obeys it, a halt leaves the hard zone open and the damped zone shut.
    function test_liquidate_HaltHoldsOnlyTheDampedZone() public {
        obeysPause = true;
        setUp();
        _openBorrower();
        _haltAndFall();
        vm.expectRevert(_refused(Refusal.Paused));
        liquidator.liquidate(borrower, type(uint256).max, 0);

        // HF = 100 * 1,620 * 0.83 / 155,000 = 0.867
        _fallTo(1620);
        liquidator.liquidate(borrower, 50_000e18, 0);
        assertLt(lending.debtOf(borrower), 155_000e18);
    }

    function _haltAndFall() private {
        vm.prank(system.timelock);
        CircuitBreaker(system.breaker).halt(system.pool, 1 hours);
        _fallTo(1830);
        assertEq(uint8(CircuitBreaker(system.breaker).levelOf(system.pool)), uint8(BreakerLevel.Halted));
    }

    function test_repayAndTopUp_NeverBlocked() public {
        _openBorrower();
        vm.prank(makeAddr("guardian"));
        (bool frozen,) = system.pool.call(abi.encodeWithSignature("freezeNewRisk()"));
        assertTrue(frozen);
        vm.prank(system.timelock);
        CircuitBreaker(system.breaker).halt(system.pool, 1 hours);
        // no feed for a week: the price is down
        _pass(7 days);
        assertTrue(lending.accountHealth(borrower).priceDown);
        debt.mint(borrower, 10_000e18);
        vm.startPrank(borrower);
        lending.supplyCollateral(0, 1e18, borrower, "");
        lending.repay(type(uint256).max, borrower, "");
        // and without debt everything can leave
        lending.withdrawCollateral(0, 101e18, borrower, borrower);
        vm.stopPrank();
        assertEq(lending.debtOf(borrower), 0);
    }

    function test_liquidate_RefusedWhilePriceIsDown() public {
        _openBorrower();
        _pass(7 days);
        vm.expectRevert(_refused(Refusal.PriceDown));
        liquidator.liquidate(borrower, type(uint256).max, 0);
    }

    /// @dev Many positions break at once: the bucket ends the damped sales of the minute, and refills.
    function test_bucket_LimitsWhatIsSoldAtOnce() public {
        // each HF = 166,000 * n / (155,000 n)
        address[6] memory accounts;
        for (uint256 i; i < accounts.length; ++i) {
            accounts[i] = makeAddr(string(abi.encodePacked("account", i)));
            collateral.mint(accounts[i], 100e18);
            vm.prank(accounts[i]);
            collateral.approve(system.pool, type(uint256).max);
            _open(accounts[i], 100e18, 155_000e18);
        }
        _fallTo(1830);
        uint256 sold;
        uint256 refused;
        debt.mint(address(this), 10_000_000e18);
        debt.approve(system.pool, type(uint256).max);
        for (uint256 i; i < accounts.length; ++i) {
            try lending.liquidate(accounts[i], 0, type(uint256).max, "") returns (LiquidationResult memory result) {
                sold += result.repaid;
            } catch {
                ++refused;
            }
        }
        (uint256 level, uint256 cap,) = DampedPolicy(system.policy).bucketOf(system.pool, 0);
        assertGt(refused, 0, "the bucket never ran dry");
        assertLe(sold, cap * 7 / 10 + 1, "more than what lies above the reserve");
        _pass(30 minutes);
        _setFeed(1830e8);
        (uint256 refilled,,) = DampedPolicy(system.policy).bucketOf(system.pool, 0);
        assertGt(refilled, level);
    }

    function test_quoteLiquidation_EqualsWhatLiquidateDoes() public {
        _openBorrower();
        _fallTo(1830);
        (LiquidationRequest memory request, LiquidationGrant memory grant) =
            lending.quoteLiquidation(borrower, 0, type(uint256).max);
        assertEq(request.asked, request.debt);
        debt.mint(address(this), 1_000_000e18);
        debt.approve(system.pool, type(uint256).max);
        LiquidationResult memory result = lending.liquidate(borrower, 0, type(uint256).max, "");
        assertEq(result.repaid, grant.repay);
        assertEq(result.seized, grant.seize);
    }

    function test_settle_ClosesAnInsolventPosition() public {
        _openBorrower();
        // C = 100 * 1,500 = 150,000 < 155,000
        _fallTo(1500);
        vm.prank(keeper);
        liquidator.settle(borrower, 0);
        assertEq(lending.debtOf(borrower), 0);
        assertEq(lending.collateralOf(borrower, 0), 0);
        // what lenders are owed fell by what 150,000 / 1.03 does not cover, less the reserves
        assertLt(lending.marketState().lenderAssets, 5_000_000e18);
    }

    function test_governance_OnlyThroughTheTimelock() public {
        address governance = makeAddr("governance");
        bytes memory call = abi.encodeWithSignature("setReserveFactor(uint8)", 20);
        vm.prank(governance);
        (bool direct,) = system.pool.call(call);
        assertFalse(direct);
        TimelockController timelock = TimelockController(payable(system.timelock));
        vm.prank(governance);
        timelock.schedule(system.pool, 0, call, 0, 0, 2 days);
        vm.warp(block.timestamp + 2 days);
        vm.prank(governance);
        timelock.execute(system.pool, 0, call, 0, 0);
        (, bytes memory answer) = system.pool.call(abi.encodeWithSignature("reserveFactor()"));
        assertEq(abi.decode(answer, (uint256)), 20);
    }
}
