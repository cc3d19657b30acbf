// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {LiquidationGrant, LiquidationRequest, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {DampedParameters, DampedParametersLib} from "../../contracts/liquidation/DampedParameters.sol";
import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {PriceStatus} from "../../contracts/types/Price.sol";
import {DepthOracleMock} from "../mocks/DepthOracleMock.sol";
import {PolicyFixture} from "./PolicyFixture.sol";

/// @notice The protocol's properties 2, 3, 4, 6 and 8, at the policy.
contract DampedPropertiesTest is PolicyFixture {
    DampedPolicy private bare;
    DampedPolicy private full;

    function setUp() public override {
        super.setUp();
        oracle.setDepth(5000e6);
        oracle.setFast(2.5e27, PriceStatus.Ok);
        bare = new DampedPolicy(_bare());
        DampedParameters memory p = DampedParametersLib.defaults();
        p.sliceBase = 0.2e18;
        p.turnMode = TurnMode.Systematic;
        p.obeysPause = true;
        p.liquidationGas = 400_000;
        p.nativeOracle = address(oracle);
        full = new DampedPolicy(p);
    }

    /// @dev 2: in the damped zone collateral over debt rises, exactly and in fast prices, and health ends at the target.
    function testFuzz_dampedSale_ImprovesThePosition(uint256 debt, uint256 health, uint256 asked, uint256 age) public {
        health = bound(health, HARD + 1e12, 1e18 - 1e12);
        debt = bound(debt, 1e6, 1e15);
        Position memory p = _scaled(debt, health);
        bare.commit(_request(p, 0));
        _wait(bound(age, 0, 30 minutes));
        LiquidationRequest memory r = _request(p, bound(asked, 1, type(uint256).max));
        LiquidationGrant memory g = _commit(bare, r);
        assertEq(uint256(g.refusal), uint256(Refusal.None));
        uint256 collateralBefore = p.collateral;
        _apply(p, g);
        assertGt(p.collateral * debt, collateralBefore * p.debt, "C'D > CD'");
        assertGe(_health(p, PRICE) + 2e18 / p.debt, r.healthFast);
        assertLe(_health(p, PRICE), 1.05e18 + 4e18 / p.debt + 1e10);
        assertLe(g.repay, r.asked);
    }

    /// @dev 3: wherever collateral covers the debt, in any zone, the loan-to-value never rises.
    function testFuzz_anySale_NeverRaisesLoanToValueOfTheSolvent(
        uint256 debt,
        uint256 health,
        uint256 asked,
        uint256 dust
    ) public {
        // C / D = HF / 0.8 >= 1
        health = bound(health, 0.8e18 + 1e12, 1e18 - 1e12);
        debt = bound(debt, 1e6, 1e15);
        Position memory p = _scaled(debt, health);
        market.dust = bound(dust, 0, debt);
        bare.commit(_request(p, 0));
        _wait(20 minutes);
        LiquidationRequest memory r = _request(p, bound(asked, 1, debt));
        LiquidationGrant memory g = _commit(bare, r);
        uint256 collateralBefore = p.collateral;
        _apply(p, g);
        assertGe(p.collateral * debt, collateralBefore * p.debt);
    }

    /// @dev 2 and 3 with two collaterals, of which the one seized has the other terms: health rises, C / D never falls.
    function testFuzz_dampedSale_ImprovesAMixedPosition(uint256 health, uint256 weight, uint256 age, bool first)
        public
    {
        health = bound(health, 0.9871e18, 1e18 - 1e12);
        weight = bound(weight, 0.01e18, 0.99e18);
        // LT and bmax of 0.80, 10% and 0.93, 1%; sigma 5%: HF_hard = 0.93 * 1.01 * 1.05, up
        uint256[2] memory thresholds = [uint256(0.8e18), 0.93e18];
        uint256[2] memory bonuses = [uint256(0.1e18), 0.01e18];
        uint256 average = (thresholds[0] * weight + thresholds[1] * (1e18 - weight)) / 1e18;
        DampedParameters memory parameters = _bare();
        parameters.bonusMax = 0.1e18;
        DampedPolicy policy = new DampedPolicy(parameters);

        uint256 debt = 1e15;
        LiquidationRequest memory r = _request(_position(), 0);
        r.debt = debt;
        r.collateralValue = debt * health / average;
        r.healthFast = health;
        r.healthHard = 0.986265e18;
        r.liquidationThreshold = thresholds[first ? 0 : 1];
        r.maxBonus = bonuses[first ? 0 : 1];
        r.price = 1e36;
        r.collateral = r.collateralValue * (first ? weight : 1e18 - weight) / 1e18;
        policy.commit(r);
        _wait(bound(age, 0, 20 minutes));
        r.priceCumulative += 1e36 * (vm.getBlockTimestamp() - 1_700_000_000);
        r.asked = type(uint256).max;

        LiquidationGrant memory g = _commit(policy, r);
        assertEq(uint256(g.refusal), uint256(Refusal.None));
        assertGe((r.collateralValue - g.seize) * debt, r.collateralValue * (debt - g.repay), "C'D >= CD'");
        uint256 weighted = health * debt - g.seize * r.liquidationThreshold;
        assertGt(weighted, health * (debt - g.repay), "health rises");
        assertLe(weighted, (1.05e18 + 1e6) * (debt - g.repay));
    }

    /// @dev 4: at or below HF_hard everything is granted up to the target, whatever the state of every damper.
    function testFuzz_hardZone_IsNeverBlocked(
        uint256 health,
        uint256 time,
        uint256 level,
        uint256 behaviour,
        uint256 fee
    ) public {
        health = bound(health, 0.05e18, HARD - 1e12);
        vm.warp(bound(time, 1_700_000_000, 1_700_000_000 + 64 * 60 * 100));
        full.commit(_request(Position(1e15, 1e24 * 98 / 100), type(uint256).max));
        oracle.setBehaviour(DepthOracleMock.Behaviour(bound(behaviour, 0, 4)));
        oracle.setFast(type(uint256).max, PriceStatus.Ok);
        vm.fee(bound(fee, 0, type(uint64).max));
        Position memory p = _positionAt(health);
        LiquidationRequest memory r = _request(p, type(uint256).max);
        r.healthConfirmed = 2e18;
        r.breaker = BreakerLevel(bound(level, 0, 3));
        LiquidationGrant memory quoted = full.quote(address(this), r);
        LiquidationGrant memory g = full.commit{gas: 1_000_000}(r);
        assertEq(uint256(g.refusal), uint256(Refusal.None));
        assertEq(abi.encode(g), abi.encode(quoted));
        _apply(p, g);
        // restored, closed, or sold out
        assertTrue(p.debt == 0 || p.collateral == 0 || _health(p, PRICE) + 1e18 / p.debt + 1e10 >= 1.05e18);
    }

    /// @dev 4: and nobody healthy at the fast price is ever liquidated.
    function testFuzz_healthy_AreNeverLiquidated(uint256 health, uint256 hard, uint256 confirmed, uint256 level)
        public
    {
        LiquidationRequest memory r = _request(_position(), type(uint256).max);
        r.healthFast = bound(health, 1e18, type(uint256).max);
        r.healthHard = bound(hard, 0, 1e18);
        r.healthConfirmed = confirmed;
        r.breaker = BreakerLevel(bound(level, 0, 3));
        _assertRefused(_commit(full, r), Refusal.Healthy);
        _assertRefused(_commit(bare, r), Refusal.Healthy);
    }

    /// @dev 6: in two calls a liquidator gets no more, for what he repays, than in one.
    function testFuzz_splitting_NeverGains(uint256 debt, uint256 health, uint256 first, uint256 fee, bool damped)
        public
    {
        health = bound(health, 0.8e18, 1e18 - 1e12);
        debt = bound(debt, 1e6, 1e12);
        vm.fee(bound(fee, 0, 100 gwei));
        Position memory p = _scaled(debt, health);
        if (_request(p, 1).healthFast >= 1e18) return;
        DampedPolicy policy = damped ? full : bare;
        uint256 snapshot = vm.snapshotState();

        LiquidationGrant memory whole = policy.commit(_stressed(p, type(uint256).max));
        vm.revertToState(snapshot);
        if (whole.refusal != Refusal.None || whole.repay < 2) return;

        Position memory q = _scaled(debt, health);
        LiquidationGrant memory a = policy.commit(_stressed(q, bound(first, 1, whole.repay - 1)));
        if (a.refusal != Refusal.None) return;
        _apply(q, a);
        if (q.debt == 0 || _request(q, 1).healthFast >= 1e18) return;
        LiquidationGrant memory b = policy.commit(_stressed(q, whole.repay - a.repay));
        // the split may repay less, never seize more than the whole for it
        assertLe(a.repay + b.repay, whole.repay + 2, "repaid");
        uint256 value = (a.seize + b.seize) * PRICE / 1e36;
        assertLe(value + whole.repay - a.repay - b.repay, whole.seize * PRICE / 1e36 + 2, "profit");
    }

    /// @dev 8: with an empty bucket and the least p, no open turn is further than 7 epochs away, from any epoch, over changes
    /// of rotation; and a worse position keeps its turns.
    function testFuzz_turns_AreNearAndNested(address account, uint256 epoch, uint256 zone, uint256 worse) public view {
        epoch = bound(epoch, 1e6, 1e8);
        zone = bound(zone, 0, 1e18);
        worse = bound(worse, zone, 1e18);
        uint256 p = full.turnProbability(0, zone);
        assertGe(full.turnProbability(0, worse), p);
        uint256 wait;
        while (full.turnOf(address(this), account, (epoch + wait) * 60) >= p) ++wait;
        // 2^ceil(log2(1/p))
        uint256 period = p >= 1e18 ? 1 : p >= 0.5e18 ? 2 : 4;
        assertLt(wait, 2 * period);
    }

    /// @dev Largest amounts and prices: nothing overflows, and what is granted stays within what is there.
    function testFuzz_limits_NeverRevert(uint256[8] memory x, bool hard) public {
        LiquidationRequest memory r = _request(_position(), bound(x[0], 0, type(uint256).max));
        r.debt = bound(x[1], 1, type(uint128).max);
        r.collateral = bound(x[2], 0, type(uint128).max);
        r.totalCollateral = bound(x[3], r.collateral, type(uint128).max);
        r.price = bound(x[4], 1, 1e72);
        r.priceCumulative = x[5];
        r.collateralValue = bound(x[6], 0, uint256(type(uint128).max) * 1e36);
        r.healthFast = hard ? bound(x[7], 0, HARD) : bound(x[7], HARD + 1, 1e18 - 1);
        r.healthConfirmed = r.healthFast;
        r.minDebt = x[0] % 1e6;
        r.breaker = BreakerLevel.Stressed;
        full.commit(r);
        _wait(12);
        LiquidationGrant memory g = _commit(full, r);
        assertLe(g.repay, r.debt);
        assertLe(g.seize, r.collateral);
        assertLe(g.bonus, r.maxBonus);
        assertEq(g.repay == 0, g.refusal != Refusal.None);
    }

    /// @dev A position of `debt` at about `health`: c = D HF / (0.8 * 1.25e-9).
    function _scaled(uint256 debt, uint256 health) private pure returns (Position memory) {
        return Position(debt, debt * health / 1e9);
    }

    function _stressed(Position memory p, uint256 asked) private view returns (LiquidationRequest memory r) {
        r = _request(p, asked);
        r.breaker = BreakerLevel.Stressed;
    }
}
