// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {WAD} from "../types/Constants.sol";

/// @notice How turns are drawn. `Off`: every turn is open. See `TurnSampler` for the others.
enum TurnMode {
    Off,
    Systematic,
    Seeded,
    Bernoulli
}

/// @title Whose turn it is to be liquidated
/// @notice Time is cut into epochs, 64 epochs make a rotation. In every epoch an account has a draw u in [0, 1), and its
/// turn is open iff u < p. The draw does not depend on p, so turns are nested: a position whose p rises keeps every turn it
/// had and gains more.
/// @dev Systematic: k = (epoch + phase) mod 64 visits every residue once a rotation, and u = reverse(k) / 64 with the six
/// bits of k reversed (the van der Corput sequence in base 2). For 2^-j <= p the draws below p include every k that is a
/// multiple of 2^j, so within one phase a turn comes at least every 2^ceil(log2(1/p)) epochs; over a change of rotation,
/// where the phase jumps, the wait is less than twice that. In a rotation exactly ceil(64 p) of 64 turns are open.
library TurnSampler {
    /// @notice Epochs in a rotation.
    uint256 internal constant ROTATION = 64;

    /// @dev WAD / 64, exact.
    uint256 private constant STEP = WAD / ROTATION;

    /// @notice p = max(fullness, p0 + (1 - p0) z^2), WAD, rounded down.
    /// @param fullness The bucket's level over its cap, WAD.
    /// @param zone z, WAD.
    /// @param floor p0, WAD. Neither may exceed 1.
    function probabilityDown(uint256 fullness, uint256 zone, uint256 floor) internal pure returns (uint256 p) {
        unchecked {
            // At most 1 + 1e36: both are at most 1.
            p = floor + (WAD - floor) * zone / WAD * zone / WAD;
        }
        if (fullness > p) p = fullness;
    }

    /// @notice The systematic draw, WAD, below 1.
    /// @param seed 0 for the unseeded sequence.
    function systematicDraw(address pool, address account, uint256 epoch, uint256 seed)
        internal
        view
        returns (uint256)
    {
        uint256 rotation = epoch / ROTATION;
        uint256 phase = uint256(keccak256(abi.encode(block.chainid, pool, account, rotation, seed)));
        unchecked {
            // wraps with the phase; 2^256 is a multiple of 64
            return reverse6((epoch + phase) % ROTATION) * STEP;
        }
    }

    /// @notice An independent draw every epoch, WAD, below 1: for comparison. Its waits have no bound.
    function bernoulliDraw(address pool, address account, uint256 epoch) internal view returns (uint256) {
        uint256 word = uint256(keccak256(abi.encode(block.chainid, pool, account, epoch)));
        return ((word >> 128) * WAD) >> 128;
    }

    /// @notice The six low bits of `k` in reverse order.
    /// @param k Below 64.
    function reverse6(uint256 k) internal pure returns (uint256) {
        return (k & 1) << 5 | (k & 2) << 3 | (k & 4) << 1 | (k & 8) >> 1 | (k & 16) >> 3 | (k & 32) >> 5;
    }
}
