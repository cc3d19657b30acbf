// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {SystemCampaign} from "./SystemCampaign.sol";

/// @notice The campaign on what is deployed by default.
contract SystemInvariantsTest is SystemCampaign {
    function _withTurns() internal pure override returns (bool) {
        return false;
    }

    function _account() internal pure override returns (string memory) {
        return "cache/campaign.txt";
    }

    /// After every call: no property of a single call is broken, and the books of the pool that was called close.
    ///
    /// forge-config: default.invariant.runs = 3
    /// forge-config: default.invariant.depth = 3000
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: default.invariant.shrink-run-limit = 20
    /// forge-config: ci.invariant.runs = 8
    /// forge-config: ci.invariant.depth = 4000
    /// forge-config: ci.invariant.fail-on-revert = true
    /// forge-config: deep.invariant.runs = 400
    /// forge-config: deep.invariant.depth = 4000
    /// forge-config: deep.invariant.fail-on-revert = true
    function invariant_systemsHold() public view {
        _assertHolds();
    }

    /// A walk with one idle handler, for each of them, names an action of that handler.
    function test_floors_AnyIdleHandlerFails() public {
        uint256 begun = vm.snapshotState();
        for (uint256 i; i < handlers.length; ++i) {
            handlers[i].setIdle(true);
            _walk(800);
            assertEq(ledger.handlerOf(ledger.idle()), address(handlers[i]), "the idle handler was not noticed");
            vm.revertToState(begun);
        }
    }

    /// The same walk with every handler at work reaches every floor.
    function test_floors_AreReachedByAWalk() public {
        _walk(1200);
        vm.writeFile(_account(), ledger.report());
        assertEq(ledger.broken(), "");
        assertEq(ledger.idle(), bytes32(0), "idle action");
        assertGt(ledger.refused("usurp"), 0, "nobody tried to usurp");
    }
}
