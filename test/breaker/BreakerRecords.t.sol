// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";
import {BreakerThresholds} from "../../contracts/breaker/BreakerParameters.sol";
import {BreakerRecords, Conditions, Velocity} from "../../contracts/breaker/BreakerRecords.sol";

/// @dev Any record comes back from its word: no two fields overlap and none is cut.
contract BreakerRecordsTest is Test {
    function testFuzz_encode_Conditions(Conditions memory c) public pure {
        uint256 word = BreakerRecords.encode(c);
        assertEq(abi.encode(BreakerRecords.conditions(word)), abi.encode(c));
        assertEq(BreakerRecords.timeOf(word), c.time);
        assertEq(BreakerRecords.isCalm(word), c.feeStreak == 0 && c.lateStreak == 0);
        assertEq(BreakerRecords.isActive(word), c.active);
    }

    function testFuzz_encode_Velocity(Velocity memory v) public pure {
        assertEq(abi.encode(BreakerRecords.velocity(BreakerRecords.encode(v))), abi.encode(v));
    }

    function testFuzz_encode_Thresholds(BreakerThresholds memory t) public pure {
        assertEq(abi.encode(BreakerRecords.thresholds(BreakerRecords.encode(t))), abi.encode(t));
    }
}
