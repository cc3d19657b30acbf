// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.34;

import {Test} from "forge-std/Test.sol";

import {TurnSampler} from "../../contracts/libraries/TurnSampler.sol";

/// @notice Turns: the sampler's bounded wait, for every epoch, phase and probability.
contract TurnsSymbolicTest is Test {
    uint256 private constant WAD = 1e18;
    uint256 private constant STEP = WAD / 64;

    /// Reversing six bits twice changes nothing: every draw comes once in a rotation.
    function check_reversalIsItsOwnInverse(uint8 k) public pure {
        vm.assume(k < 64);
        assertEq(TurnSampler.reverse6(TurnSampler.reverse6(k)), k);
    }

    /// A draw is below 1 and a multiple of 1/64, for every pool, account, epoch and seed.
    function check_drawIsBelowOne(address pool, address account, uint64 epoch, uint256 seed) public view {
        uint256 draw = TurnSampler.systematicDraw(pool, account, epoch, seed);
        assertLt(draw, WAD);
        assertEq(draw % STEP, 0);
    }

    /// The bounded wait: of any 2^j epochs of a phase one has a draw below 2^-j, so a turn at p >= 2^-j is at most 2^j epochs away.
    function check_waitIsBounded(uint8 start) public pure {
        vm.assume(start < 64);
        for (uint256 length = 1; length <= 64; length *= 2) {
            uint256 turns;
            for (uint256 i; i < length; ++i) {
                turns |= _isOpen(uint256(start) + i, WAD / length);
            }
            assertEq(turns, 1);
        }
    }

    /// Over a change of rotation, where the phase jumps, less than twice that: at p0 = 1/4 within eight epochs.
    function check_waitOverARotation(uint8 last, uint8 first) public pure {
        vm.assume(last < 64 && first < 64);
        for (uint256 left; left < 8; ++left) {
            uint256 turns;
            for (uint256 i; i < 8; ++i) {
                // `left` epochs of the old phase, ending at `last`, then the new one from `first` on
                uint256 place = i < left ? uint256(last) + 65 + i - left : uint256(first) + i - left;
                turns |= _isOpen(place, WAD / 4);
            }
            assertEq(turns, 1);
        }
    }

    /// @dev 1 where the draw is below `probability`, without a branch: paths would double with every epoch.
    function _isOpen(uint256 place, uint256 probability) private pure returns (uint256 open) {
        uint256 draw = TurnSampler.reverse6(place & 63) * STEP;
        assembly ("memory-safe") {
            open := lt(draw, probability)
        }
    }

    /// p is at least the floor, at most 1, and never falls as the position gets worse: worse health never loses a turn.
    function testFuzz_ProbabilityGrowsWithDistress(uint256 fullness, uint256 zone, uint256 worse, uint256 floor)
        public
        pure
    {
        (fullness, worse, floor) = (_bound(fullness, 0, WAD), _bound(worse, 0, WAD), _bound(floor, 0, WAD));
        zone = _bound(zone, 0, worse);
        uint256 probability = TurnSampler.probabilityDown(fullness, zone, floor);
        assertGe(probability, floor);
        assertLe(probability, WAD);
        assertGe(TurnSampler.probabilityDown(fullness, worse, floor), probability);
    }
}
