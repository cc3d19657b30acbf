// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SystemCampaign} from "./SystemCampaign.sol";

/// @notice The same campaign where the damped policy has turns and waits for pauses (D7).
contract TurnsInvariantsTest is SystemCampaign {
    function _withTurns() internal pure override returns (bool) {
        return true;
    }

    function _account() internal pure override returns (string memory) {
        return "cache/campaign-turns.txt";
    }

    /// After every call: no property of a single call is broken, and the books of the pool that was called close.
    ///
    /// forge-config: default.invariant.runs = 1
    /// forge-config: default.invariant.depth = 3000
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.shrink-run-limit = 20
    /// forge-config: ci.invariant.runs = 3
    /// forge-config: ci.invariant.depth = 4000
    /// forge-config: ci.invariant.fail-on-revert = true
    /// forge-config: deep.invariant.runs = 150
    /// forge-config: deep.invariant.depth = 4000
    /// forge-config: deep.invariant.fail-on-revert = true
    function invariant_systemsHold() public view {
        _assertHolds();
    }
}
