// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

/// @notice A rotation's seed, or the promise of one.
/// @param rotation The rotation it belongs to.
/// @param anchor The block whose hash is the seed.
/// @param seed The hash's low 160 bits once stored; 0 before.
struct Seed {
    uint32 rotation;
    uint64 anchor;
    uint160 seed;
}

/// @title The block hash behind seeded turns
/// @notice The first commit of a rotation names its own block as the anchor; a later commit stores that block's hash. Whoever
/// commits first therefore cannot know the seed it brings about. The builder of the anchor block can grind it, by reordering
/// his block: he wins open turns for some accounts and closed ones for others, for one rotation, which costs those the
/// bounded wait of the sequence and never touches the hard zone. While no hash is known, every turn is open.
library RotationSeed {
    /// @notice The seed in force, or 0 if there is none: no anchor in this rotation, the anchor is this very block, or its hash
    /// was not stored within 256 blocks.
    function current(Seed memory stored, uint256 rotation) internal view returns (uint256) {
        if (stored.rotation != uint32(rotation)) return 0;
        if (stored.seed != 0) return stored.seed;
        return uint160(uint256(blockhash(stored.anchor)));
    }

    /// @notice What to store now.
    /// @return next The new record.
    /// @return changed Whether it differs from what is stored.
    function advance(Seed memory stored, uint256 rotation) internal view returns (Seed memory next, bool changed) {
        if (stored.rotation == uint32(rotation) && stored.anchor != 0) {
            if (stored.seed != 0 || stored.anchor == block.number) return (stored, false);
            uint160 seed = uint160(uint256(blockhash(stored.anchor)));
            if (seed != 0) return (Seed(stored.rotation, stored.anchor, seed), true);
        }
        return (Seed(uint32(rotation), uint64(block.number), 0), true);
    }
}
