// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {BucketMode} from "../../contracts/libraries/VolumeBucket.sol";
import {PolicyKind} from "../../script/SystemPlan.sol";
import {CounterexampleFixture} from "./CounterexampleFixture.sol";
import {PolicySketch, WorldPlan} from "./WorldPlan.sol";

/// @notice What the default world has not: a dollar of 18 decimals, ether of 18 and bitcoin of 6, turns by seed, turns by lot with slices and
/// a bucket that scales, and the policy that closes to a target health factor.
abstract contract VariantWorld is CounterexampleFixture {
    /// @dev 1.0001^76013 is 2,000.
    function _plan() internal pure override returns (WorldPlan memory plan) {
        (plan.assetDecimals, plan.tokenDecimals) = (18, [18, 6]);
        (plan.tick, plan.liquidity) = (76_013, 1e25);
        plan.warmUp = 31 minutes;
        plan.policies = new PolicySketch[](3);
        plan.policies[0] = PolicySketch(PolicyKind.Damped, TurnMode.Seeded, BucketMode.HardStop, 1e18);
        plan.policies[1] = PolicySketch(PolicyKind.Damped, TurnMode.Bernoulli, BucketMode.Scaling, 0.5e18);
        plan.policies[2].kind = PolicyKind.TargetHealth;
    }
}
