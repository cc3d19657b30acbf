// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {BucketMode} from "../../contracts/libraries/VolumeBucket.sol";
import {PolicyKind} from "../../script/SystemPlan.sol";
import {CounterexampleFixture} from "./CounterexampleFixture.sol";
import {PolicySketch, WorldPlan} from "./WorldPlan.sol";

/// @notice The deployment's defaults, with turns and a wait for pauses: a dollar of 6 decimals, ether of 18 and bitcoin of 8, systematic turns and a bucket that stops.
abstract contract DefaultWorld is CounterexampleFixture {
    /// @dev 1.0001^-200311 is 2,000e6 / 1e18.
    function _plan() internal pure override returns (WorldPlan memory plan) {
        (plan.assetDecimals, plan.tokenDecimals) = (6, [18, 8]);
        (plan.tick, plan.liquidity) = (-200_311, 1e19);
        plan.warmUp = 31 minutes;
        plan.policies = new PolicySketch[](2);
        plan.policies[0] = PolicySketch(PolicyKind.Damped, TurnMode.Off, BucketMode.HardStop, 1e18);
        plan.policies[1].kind = PolicyKind.Rigid;
    }
}
