//! Whose turn it is: `TurnSampler.sol` and `RotationSeed.sol`.

use super::state::Seed;
use crate::math::WAD;
use alloy_primitives::{Address, B256, U256, keccak256};

/// Epochs in a rotation.
pub const ROTATION: u64 = 64;

/// WAD / 64, exact.
const STEP: u64 = 15_625_000_000_000_000;

/// Blocks for which the EVM remembers a block's hash.
const HASHES_KEPT: u64 = 256;

/// p = max(fullness, p0 + (1 − p0) z²), WAD, rounded down.
///
/// `fullness`, `zone` and `floor` (p0) are WAD and at most 1.
#[must_use]
pub fn probability_down(fullness: U256, zone: U256, floor: U256) -> U256 {
    let by_zone = floor + (WAD - floor) * zone / WAD * zone / WAD;
    by_zone.max(fullness)
}

/// The draw of the systematic sequence in an epoch, WAD, below 1. `seed` is 0 for the unseeded sequence.
#[must_use]
pub fn systematic_draw(
    chain_id: u64,
    pool: Address,
    account: Address,
    epoch: u64,
    seed: U256,
) -> U256 {
    let phase = rotation_phase(chain_id, pool, account, epoch / ROTATION, seed);
    draw_at(epoch, phase)
}

/// The systematic phase of an account in a rotation, below 64.
pub(super) fn rotation_phase(
    chain_id: u64,
    pool: Address,
    account: Address,
    rotation: u64,
    seed: U256,
) -> u64 {
    let key = [
        U256::from(chain_id).to_be_bytes::<32>(),
        pool.into_word().0,
        account.into_word().0,
        U256::from(rotation).to_be_bytes(),
        seed.to_be_bytes(),
    ];
    u64::from(keccak256(key.as_flattened())[31]) % ROTATION
}

/// The draw of an epoch in a rotation of that phase.
pub(super) fn draw_at(epoch: u64, phase: u64) -> U256 {
    U256::from(reverse_6((epoch + phase) % ROTATION) * STEP)
}

/// An independent draw for an epoch, WAD, below 1.
#[must_use]
pub fn bernoulli_draw(chain_id: u64, pool: Address, account: Address, epoch: u64) -> U256 {
    let key = [
        U256::from(chain_id).to_be_bytes::<32>(),
        pool.into_word().0,
        account.into_word().0,
        U256::from(epoch).to_be_bytes(),
    ];
    let word = U256::from_be_bytes(keccak256(key.as_flattened()).0);
    ((word >> 128) * WAD) >> 128
}

/// The six low bits of `k` in reverse order; `k` is below 64.
const fn reverse_6(k: u64) -> u64 {
    k.reverse_bits() >> 58
}

/// The seed in force in a rotation, 0 if there is none.
///
/// `anchor_hash` is the hash of block `stored.anchor`; outside the 256 blocks before `block_number` the EVM does not know
/// it, and neither does this.
#[must_use]
pub fn current_seed(stored: Seed, rotation: u64, block_number: u64, anchor_hash: B256) -> U256 {
    if stored.rotation != rotation as u32 {
        return U256::ZERO;
    }
    if !stored.seed.is_zero() {
        return stored.seed;
    }
    seed_of(stored.anchor, block_number, anchor_hash)
}

/// What a commit stores, if that differs from what is stored. Arguments as of [`current_seed`].
#[must_use]
pub fn advance_seed(
    stored: Seed,
    rotation: u64,
    block_number: u64,
    anchor_hash: B256,
) -> Option<Seed> {
    if stored.rotation == rotation as u32 && stored.anchor != 0 {
        if !stored.seed.is_zero() || stored.anchor == block_number {
            return None;
        }
        let seed = seed_of(stored.anchor, block_number, anchor_hash);
        if !seed.is_zero() {
            return Some(Seed { seed, ..stored });
        }
    }
    Some(Seed {
        rotation: rotation as u32,
        anchor: block_number,
        seed: U256::ZERO,
    })
}

/// The low 160 bits of what `BLOCKHASH` answers.
fn seed_of(anchor: u64, block_number: u64, anchor_hash: B256) -> U256 {
    if anchor >= block_number || block_number - anchor > HASHES_KEPT {
        return U256::ZERO;
    }
    U256::from_be_slice(&anchor_hash[12..])
}
