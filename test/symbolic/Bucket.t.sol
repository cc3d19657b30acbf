// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {Bucket, DepthObservation, VolumeBucket} from "../../contracts/libraries/VolumeBucket.sol";

/// @notice The volume bucket.
contract BucketSymbolicTest is Test {
    using VolumeBucket for Bucket;

    /// A charge takes what was repaid and stops at 0.
    function check_chargeTakesWhatWasRepaid(uint112 level, uint112 repaid) public pure {
        Bucket memory bucket = Bucket(0, level, 1);
        bucket.charge(repaid);
        assertEq(bucket.level, level > repaid ? level - repaid : 0);
    }

    /// What a damped call may take leaves the reserve, rounded up.
    function testFuzz_ReserveIsKept(uint112 level, uint104 depth, uint256 share) public pure {
        share = _bound(share, 0, 0.9e18);
        Bucket memory bucket = Bucket(0, level, depth);
        uint256 available = bucket.availableDown(share);
        assertLe(available, level);
        if (available != 0) assertGe((level - available) * 1e18, bucket.capOf() * share);
    }

    /// Refilling never lowers a level within its cap, and never exceeds the cap.
    function testFuzz_RefillStaysWithinTheCap(uint256 level, uint104 depth, uint32 updatedAt, uint256 refill)
        public
        view
    {
        // forge-lint: disable-next-line(unsafe-typecast)
        Bucket memory bucket = Bucket(updatedAt, uint112(_bound(level, 0, 2 * uint256(depth))), depth);
        refill = _bound(refill, 0, 10e18);
        uint256 filled = bucket.levelDown(refill);
        assertGe(filled, bucket.level);
        assertLe(filled, bucket.capOf());
    }

    /// An update never makes the level exceed the cap, whatever venue and floor say, and the depth is never 0.
    function testFuzz_ObservationKeepsTheBounds(uint256 level, uint104 depth, uint104 reading, uint104 floor) public {
        vm.assume(depth != 0 && floor != 0);
        // forge-lint: disable-next-line(unsafe-typecast)
        Bucket memory bucket = Bucket(0, uint112(_bound(level, 0, 2 * uint256(depth))), depth);
        DepthObservation memory previous = DepthObservation(0, false, floor, reading);
        vm.warp(60);
        bucket.observe(previous, reading, floor, 0.5e18, 3600);
        assertLe(bucket.level, bucket.capOf());
        assertGt(bucket.depth, 0);
    }
}
