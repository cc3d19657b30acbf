//! When a damped policy will grant: its curves, inverted.

use super::{
    damped::DampedPolicy,
    liquidation::interpolate_down,
    parameters::TurnMode,
    state::{Bucket, Seed},
    turns::{
        ROTATION, bernoulli_draw, current_seed, draw_at, probability_down, rotation_phase,
        systematic_draw,
    },
    types::Environment,
};
use crate::math::WAD;
use alloy_primitives::{Address, U256};

/// Epochs in which a systematic turn comes: two rotations, because the phase jumps between them.
const SYSTEMATIC_HORIZON: u64 = 2 * ROTATION;

/// Epochs in which a Bernoulli turn is looked for. At the least floor, 1/64, none of so many is open once in e^64 times.
const BERNOULLI_HORIZON: u64 = 64 * ROTATION;

/// When an account's turn is open next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextTurn {
    /// At this time, unix seconds, if the probability does not fall until then.
    At(u64),
    /// Not before this time, when a rotation begins whose seed is not known yet. It is open then if nobody has committed
    /// in that rotation in an earlier block.
    Unseeded(u64),
    /// Not within the epochs looked at.
    Never,
}

impl DampedPolicy {
    /// The epoch of a time.
    #[must_use]
    pub fn epoch(&self, timestamp: u64) -> u64 {
        timestamp / self.parameters().epoch_seconds
    }

    /// The auction's bonus after `elapsed` seconds, WAD, before gas and fullness. `max_bonus` is the collateral's.
    #[must_use]
    pub fn bonus_after(&self, elapsed: u64, max_bonus: U256) -> U256 {
        let p = self.parameters();
        let share = (U256::from(elapsed) * WAD / U256::from(p.auction_seconds)).min(WAD);
        let cap = p.bonus_max.min(max_bonus);
        // both ends are below 1, so this cannot fail; the cap would be the contract's answer to a share of 1
        interpolate_down(p.bonus_min, cap, share).unwrap_or(cap)
    }

    /// The least elapsed time, in seconds, after which [`DampedPolicy::bonus_after`] is at least `bonus`; `None` if it
    /// never is.
    #[must_use]
    pub fn seconds_until_bonus(&self, bonus: U256, max_bonus: U256) -> Option<u64> {
        let p = self.parameters();
        let cap = p.bonus_max.min(max_bonus);
        if bonus > cap {
            return None;
        }
        if p.bonus_min >= cap || bonus <= p.bonus_min {
            return Some(0);
        }
        // ⌊(cap - bmin) share / WAD⌋ >= bonus - bmin iff share >= ⌈(bonus - bmin) WAD / (cap - bmin)⌉, and likewise for
        // share = ⌊elapsed WAD / τ⌋
        let share = ((bonus - p.bonus_min) * WAD).div_ceil(cap - p.bonus_min);
        let elapsed = (share * U256::from(p.auction_seconds)).div_ceil(WAD);
        Some(elapsed.to())
    }

    /// An account's draw in an epoch, WAD: its turn is open iff it is below [`DampedPolicy::turn_probability`]. `seed` is
    /// the rotation's, 0 if there is none; only seeded turns read it.
    #[must_use]
    pub fn turn_draw(
        &self,
        chain_id: u64,
        pool: Address,
        account: Address,
        epoch: u64,
        seed: U256,
    ) -> U256 {
        match self.parameters().turn_mode {
            TurnMode::Off => U256::ZERO,
            TurnMode::Bernoulli => bernoulli_draw(chain_id, pool, account, epoch),
            TurnMode::Systematic => systematic_draw(chain_id, pool, account, epoch, U256::ZERO),
            // without a seed every turn is open
            TurnMode::Seeded if seed.is_zero() => U256::ZERO,
            TurnMode::Seeded => systematic_draw(chain_id, pool, account, epoch, seed),
        }
    }

    /// p for a bucket's fullness and a depth of distress z, both WAD and at most 1.
    #[must_use]
    pub fn turn_probability(&self, fullness: U256, zone_depth: U256) -> U256 {
        probability_down(fullness, zone_depth, self.parameters().turn_floor)
    }

    /// The first time from the environment's on at which an account's turn is open, for a probability (WAD) that does not
    /// fall: turns are nested, so a higher one is only earlier. `seed` is what is stored; only seeded turns read it, and
    /// the environment's block.
    #[must_use]
    pub fn next_open_turn(
        &self,
        account: Address,
        probability: U256,
        seed: Seed,
        environment: &Environment,
    ) -> NextTurn {
        let from = environment.timestamp;
        let first = self.epoch(from);
        let length = self.parameters().epoch_seconds;
        let (chain_id, pool) = (environment.chain_id, environment.pool);
        let found = |epoch: Option<u64>| {
            epoch.map_or(NextTurn::Never, |epoch| {
                NextTurn::At(from.max(epoch * length))
            })
        };
        match self.parameters().turn_mode {
            TurnMode::Off => NextTurn::At(from),
            TurnMode::Bernoulli => found(
                (first..first.saturating_add(BERNOULLI_HORIZON))
                    .find(|&epoch| bernoulli_draw(chain_id, pool, account, epoch) < probability),
            ),
            TurnMode::Systematic => {
                let mut phase = Phase::new(chain_id, pool, account, U256::ZERO);
                found(
                    (first..first.saturating_add(SYSTEMATIC_HORIZON))
                        .find(|&epoch| phase.draw(epoch) < probability),
                )
            }
            TurnMode::Seeded => {
                let rotation = first / ROTATION;
                let seed = current_seed(
                    seed,
                    rotation,
                    environment.block_number,
                    environment.anchor_hash,
                );
                if probability.is_zero() {
                    return NextTurn::Never;
                }
                if seed.is_zero() {
                    return NextTurn::At(from);
                }
                let next_rotation = (rotation + 1) * ROTATION;
                let mut phase = Phase::new(chain_id, pool, account, seed);
                (first..next_rotation)
                    .find(|&epoch| phase.draw(epoch) < probability)
                    .map_or(NextTurn::Unseeded(next_rotation * length), |epoch| {
                        NextTurn::At(from.max(epoch * length))
                    })
            }
        }
    }

    /// A bucket's level at `timestamp`, base units of the debt token, if nothing is sold and no depth read until then.
    #[must_use]
    pub fn bucket_level_at(&self, bucket: &Bucket, timestamp: u64) -> U256 {
        bucket.level_at(timestamp, self.parameters().refill_share)
    }

    /// What a damped call may take from a hard-stop bucket at `timestamp`, under the same conditions.
    #[must_use]
    pub fn bucket_available_at(&self, bucket: &Bucket, timestamp: u64) -> U256 {
        bucket
            .refilled(timestamp, self.parameters().refill_share)
            .available_down(self.parameters().reserve_share)
    }

    /// The least number of seconds after the bucket's last update at which a damped call may take `amount`, under the same
    /// conditions; `None` if the bucket never holds that much.
    #[must_use]
    pub fn bucket_seconds_until(&self, bucket: &Bucket, amount: U256) -> Option<u32> {
        let p = self.parameters();
        let needed = amount.checked_add(bucket.reserve_up(p.reserve_share))?;
        if amount.is_zero() {
            return Some(0);
        }
        if needed > bucket.cap() {
            return None;
        }
        let missing = needed.saturating_sub(U256::from(bucket.level));
        if missing.is_zero() {
            return Some(0);
        }
        // ⌊rate s / WAD⌋ >= missing iff s >= ⌈missing WAD / rate⌉; a bucket with a cap has a depth, and so a rate
        let seconds = (missing * WAD).div_ceil(bucket.refill_rate_wad(p.refill_share));
        u32::try_from(seconds).ok()
    }
}

/// The systematic phase of one account, computed once a rotation.
struct Phase {
    chain_id: u64,
    pool: Address,
    account: Address,
    seed: U256,
    known: Option<(u64, u64)>,
}

impl Phase {
    const fn new(chain_id: u64, pool: Address, account: Address, seed: U256) -> Self {
        Self {
            chain_id,
            pool,
            account,
            seed,
            known: None,
        }
    }

    fn draw(&mut self, epoch: u64) -> U256 {
        let rotation = epoch / ROTATION;
        let phase = match self.known {
            Some((of, phase)) if of == rotation => phase,
            _ => rotation_phase(self.chain_id, self.pool, self.account, rotation, self.seed),
        };
        self.known = Some((rotation, phase));
        draw_at(epoch, phase)
    }
}
