// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {TurnMode} from "../../contracts/libraries/TurnSampler.sol";
import {BucketMode} from "../../contracts/libraries/VolumeBucket.sol";
import {PolicyKind} from "../../script/SystemPlan.sol";

/// @notice One liquidation policy of a world.
/// @param turns How a damped policy draws turns. Where it does, it waits for the breaker's pauses too.
/// @param bucket What its bucket does.
/// @param sliceBase Its s0, WAD; the rest is as by default.
struct PolicySketch {
    PolicyKind kind;
    TurnMode turns;
    BucketMode bucket;
    uint256 sliceBase;
}

/// @notice What distinguishes one world from another; `crates/fuzz/src/world/plan.rs` says the same.
/// @param tick The venue's tick at an ether of 2,000 dollars.
/// @param liquidity Its liquidity: some four million dollars within 2%.
/// @param warmUp Seconds from the deployment to the start of sequences: past the oracles' first window, and past the backstop's queue.
/// @param policies The pool begins with the first.
/// @param withBackstop Whether there is a backstop before the first policy, and the pool belongs to its steward.
struct WorldPlan {
    uint8 assetDecimals;
    uint8[2] tokenDecimals;
    int24 tick;
    uint128 liquidity;
    uint256 warmUp;
    PolicySketch[] policies;
    bool withBackstop;
}
