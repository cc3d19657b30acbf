// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {LiquidationGrant, LiquidationRequest, Refusal} from "../../contracts/interfaces/ILiquidationPolicy.sol";
import {DampedParameters, DampedParametersLib} from "../../contracts/liquidation/DampedParameters.sol";
import {DampedPolicy} from "../../contracts/liquidation/DampedPolicy.sol";
import {RigidPolicy} from "../../contracts/liquidation/RigidPolicy.sol";
import {TargetHealthPolicy} from "../../contracts/liquidation/TargetHealthPolicy.sol";
import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";

/// @notice Lemmas of the policies, for any request that a pool could make. The damped policy has its default parameters,
/// with turns and a wait for pauses, and has not seen the account yet.
contract PoliciesSymbolicTest is Test {
    uint256 private constant WAD = 1e18;

    RigidPolicy private rigid;
    TargetHealthPolicy private target;
    DampedPolicy private damped;

    function setUp() public {
        rigid = new RigidPolicy(0.05e18);
        target = new TargetHealthPolicy(1.05e18, 0.9e18, 0.9e18);
        DampedParameters memory p = DampedParametersLib.defaults();
        p.turnMode = TurnMode.Systematic;
        p.obeysPause = true;
        damped = new DampedPolicy(p);
        vm.warp(1_700_000_000);
    }

    /// P4: whoever has a health factor of 1 or more is granted to nobody.
    function check_theHealthyAreRefused(LiquidationRequest calldata request) public view {
        vm.assume(request.healthFast >= WAD);
        _assertRefused(rigid.quote(address(this), request), Refusal.Healthy);
        _assertRefused(target.quote(address(this), request), Refusal.Healthy);
        _assertRefused(damped.quote(address(this), request), Refusal.Healthy);
    }

    /// The damped zone waits for the second price.
    function check_theUnconfirmedAreRefused(LiquidationRequest calldata request) public view {
        vm.assume(request.healthFast < WAD && request.healthFast > request.healthHard);
        vm.assume(request.healthConfirmed >= WAD);
        _assertRefused(damped.quote(address(this), request), Refusal.Unconfirmed);
    }

    /// D1: in the hard zone no turn, bucket, slice, pause or second price refuses.
    function testFuzz_TheHardZoneIsNotHeldBack(
        uint104 debt,
        uint104 asked,
        uint128 collateral,
        uint128 price,
        uint256 health,
        uint256 healthHard,
        uint256 healthConfirmed,
        uint8 level
    ) public view {
        vm.assume(debt != 0 && asked != 0 && price != 0);
        (healthHard, level) = (_bound(healthHard, 0, WAD - 1), level % 4);
        health = _bound(health, 0, healthHard);
        LiquidationRequest memory request;
        (request.debt, request.asked, request.collateral, request.price) = (debt, asked, collateral, price);
        (request.healthFast, request.healthHard, request.healthConfirmed) = (health, healthHard, healthConfirmed);
        (request.liquidationThreshold, request.maxBonus) = (0.83e18, 0.05e18);
        request.breaker = BreakerLevel(level);
        Refusal refusal = damped.quote(address(this), request).refusal;
        assertTrue(refusal == Refusal.None || refusal == Refusal.ZeroAmount);
    }

    function _assertRefused(LiquidationGrant memory grant, Refusal refusal) private pure {
        assertEq(uint8(grant.refusal), uint8(refusal));
        assertEq(grant.repay, 0);
        assertEq(grant.seize, 0);
    }
}
