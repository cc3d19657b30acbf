// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {BreakerLevel} from "../../contracts/interfaces/ICircuitBreaker.sol";
import {CampaignLedger} from "../invariants/system/CampaignLedger.sol";
import {BreakerHandler} from "./handlers/BreakerHandler.sol";

/// @notice The breaker's properties after every call of a random campaign.
///
/// forge-config: default.invariant.runs = 2
/// forge-config: default.invariant.depth = 600
/// forge-config: default.invariant.fail-on-revert = true
/// forge-config: default.invariant.shrink-run-limit = 20
/// forge-config: ci.invariant.runs = 8
/// forge-config: ci.invariant.depth = 1000
/// forge-config: ci.invariant.fail-on-revert = true
/// forge-config: deep.invariant.runs = 128
/// forge-config: deep.invariant.depth = 1000
/// forge-config: deep.invariant.fail-on-revert = true
contract CircuitBreakerInvariantTest is Test {
    string private constant ACCOUNT = "cache/campaign-breaker.txt";

    BreakerHandler private handler;
    CampaignLedger private ledger;

    function setUp() public {
        vm.warp(1_800_000_000);
        vm.roll(25_000_000);
        vm.fee(10 gwei);
        ledger = new CampaignLedger();
        handler = new BreakerHandler(ledger);
        targetContract(address(handler));
    }

    /// Whatever happened, with nobody calling: no stress or pause is left after the longest duration (an hour), no halt after
    /// six hours.
    function invariant_alwaysReleases() public {
        uint256 time = vm.getBlockTimestamp();
        vm.warp(time + 1 hours);
        BreakerLevel later = handler.breaker().levelOf(address(handler));
        assertTrue(later == BreakerLevel.Normal || later == BreakerLevel.Halted);
        vm.warp(time + 6 hours);
        assertEq(uint256(handler.breaker().levelOf(address(handler))), 0);
        vm.warp(time);
    }

    /// Pauses last at most 15 minutes and start at least five of the earlier one's lengths apart: of any window of that length at
    /// most a fifth is paused, and of all time since the first pause, beyond the pause that runs.
    function invariant_pausesAreBounded() public view {
        assertEq(handler.pausesTooClose(), 0);
        assertEq(handler.pausesTooLong(), 0);
        if (handler.pauses() != 0) {
            uint256 elapsed = vm.getBlockTimestamp() - handler.firstPauseAt();
            assertLe(5 * handler.pausedSeconds(), elapsed + 5 * 15 minutes);
        }
    }

    /// Halts are no closer than four of the earlier one's lengths, and refused for no other reason.
    function invariant_haltsAreBounded() public view {
        assertEq(ledger.broken(), "");
        assertEq(handler.haltsTooClose(), 0);
    }

    function invariant_levelOfAgreesWithObserve() public view {
        assertEq(handler.disagreements(), 0);
    }

    /// At the end of every run: no action was idle.
    function afterInvariant() public {
        vm.writeFile(ACCOUNT, ledger.report());
        assertEq(ledger.idle(), bytes32(0), "idle action");
    }

    /// The invariants above would hold of a breaker that never pauses: this crash does pause, twice in half an hour.
    function test_handler_ReachesPauses() public {
        for (uint256 i = 0; i < 15; ++i) {
            handler.crash(200, 10);
        }
        assertEq(handler.pauses(), 2);
        assertEq(handler.pausedSeconds(), 6 minutes);
    }
}
