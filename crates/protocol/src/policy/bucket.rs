//! How much collateral may be sold how fast: `VolumeBucket.sol`.
//!
//! Volumes are base units of the debt token. Times of buckets and observations are seconds modulo 2^32, as stored.

use super::state::{Bucket, DepthObservation};
use crate::math::{ArithmeticError, WAD, mul_div_down};
use alloy_primitives::U256;

/// Seconds in which the refill share of the depth is refilled, and the shortest time between two readings.
pub const WINDOW: u64 = 60;

/// cap = 2 depth.
const CAP_DEPTHS: U256 = U256::from_limbs([2, 0, 0, 0]);

/// The most floors that a reading may claim.
const MAX_FLOORS: U256 = U256::from_limbs([16, 0, 0, 0]);

/// The most averages that a reading may claim.
const MAX_RISE: U256 = U256::from_limbs([16, 0, 0, 0]);

/// One reading weighs at most a quarter.
pub(super) const MAX_WEIGHT_DIVISOR: u64 = 4;

/// Depth saturates at 2^104 - 1.
const MAX_DEPTH: U256 = U256::from_limbs([u64::MAX, (1 << 40) - 1, 0, 0]);

/// The least depth assumed: C · 60 s / (ρ T), rounded down, at least 1.
///
/// # Errors
/// [`ArithmeticError`] where the contract reverts: more than 256 bits.
pub fn depth_floor(
    collateral_value: U256,
    refill_share: U256,
    min_refill_seconds: u64,
) -> Result<U256, ArithmeticError> {
    let floor = mul_div_down(
        collateral_value / U256::from(min_refill_seconds),
        U256::from(WINDOW) * WAD,
        refill_share,
    )?;
    Ok(floor.max(U256::ONE))
}

/// What an observation does to a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Observed {
    /// The first of all opens the bucket, full.
    Opens,
    /// The second puts in the first one's place what both agree on, and keeps the fullness.
    Corrects,
    /// Every further one moves the average.
    Averages,
}

impl Bucket {
    /// The most that it holds.
    #[must_use]
    pub fn cap(&self) -> U256 {
        U256::from(self.depth) * CAP_DEPTHS
    }

    /// Level over cap as stored, WAD, rounded down; 0 for a bucket never used.
    #[must_use]
    pub fn fullness_down(&self) -> U256 {
        let cap = self.cap();
        if cap.is_zero() {
            return U256::ZERO;
        }
        U256::from(self.level) * WAD / cap
    }

    /// What a damped call may take of the stored level: what is above `reserve_share` (WAD) of the cap.
    #[must_use]
    pub fn available_down(&self, reserve_share: U256) -> U256 {
        U256::from(self.level).saturating_sub(self.reserve_up(reserve_share))
    }

    /// What it keeps from damped calls, rounded up.
    pub(super) fn reserve_up(&self, reserve_share: U256) -> U256 {
        (self.cap() * reserve_share).div_ceil(WAD)
    }

    /// Refill per second, WAD-scaled base units.
    #[must_use]
    pub fn refill_rate_wad(&self, refill_share: U256) -> U256 {
        U256::from(self.depth) * refill_share / U256::from(WINDOW)
    }

    /// The level at `timestamp`, refilled at the stored rate, if nothing is sold and no depth read until then.
    #[must_use]
    pub fn level_at(&self, timestamp: u64, refill_share: U256) -> U256 {
        let added = self.refill_rate_wad(refill_share)
            * U256::from(since(self.updated_at, timestamp))
            / WAD;
        (U256::from(self.level) + added).min(self.cap())
    }

    /// The bucket at `timestamp`, refilled at the stored rate.
    #[must_use]
    pub fn refilled(&self, timestamp: u64, refill_share: U256) -> Self {
        Self {
            updated_at: timestamp as u32,
            level: self.level_at(timestamp, refill_share).saturating_to(),
            depth: self.depth,
        }
    }

    /// Whether the contract looks at the bucket's observation at all: the bucket is new, or a minute has turned since its
    /// last update.
    #[must_use]
    pub fn may_observe(&self, timestamp: u64) -> bool {
        self.depth == 0
            || u64::from(self.updated_at) % WINDOW + u64::from(since(self.updated_at, timestamp))
                >= WINDOW
    }

    /// Whether an observation may follow `previous`: the bucket is new, or a minute has passed.
    #[must_use]
    pub fn is_due(&self, previous: &DepthObservation, timestamp: u64) -> bool {
        self.depth == 0 || u64::from(since(previous.at, timestamp)) >= WINDOW
    }

    /// Brings the bucket to `timestamp` with a reading of the depth, and returns the observation to store. Only if
    /// [`Bucket::is_due`].
    ///
    /// `reading` is the venue's depth, `floor` [`depth_floor`] now, `memory_seconds` the averaging time of depth.
    pub fn observe(
        &mut self,
        previous: &DepthObservation,
        reading: U256,
        floor: U256,
        refill_share: U256,
        memory_seconds: u64,
        timestamp: u64,
    ) -> (DepthObservation, Observed) {
        let present = DepthObservation {
            at: timestamp as u32,
            opening: self.depth == 0,
            floor: floor.min(MAX_DEPTH).saturating_to(),
            reading: reading.min(MAX_DEPTH).saturating_to(),
        };
        if present.opening {
            self.depth = to_depth(held(present.reading, present.floor));
            self.level = self.cap().saturating_to();
            self.updated_at = present.at;
            return (present, Observed::Opens);
        }
        *self = self.refilled(timestamp, refill_share);
        let counted = held(
            present.reading.min(previous.reading),
            present.floor.min(previous.floor),
        );
        let depth = U256::from(self.depth);
        if previous.opening {
            self.level = (U256::from(self.level) * counted / depth).saturating_to();
            self.depth = to_depth(counted);
            return (present, Observed::Corrects);
        }
        let counted = counted.min(depth * MAX_RISE);
        let weight =
            u64::from(since(previous.at, timestamp)).min(memory_seconds / MAX_WEIGHT_DIVISOR);
        self.depth = to_depth(averaged(depth, counted, weight, memory_seconds));
        self.level = U256::from(self.level).min(self.cap()).saturating_to();
        (present, Observed::Averages)
    }

    /// Takes what a liquidation repaid; the level never goes below 0.
    pub fn charge(&mut self, repaid: U256) {
        self.level = U256::from(self.level)
            .saturating_sub(repaid)
            .saturating_to();
    }
}

/// Rounded up, so that an average of a few units can still rise.
fn averaged(depth: U256, reading: U256, weight: u64, memory_seconds: u64) -> U256 {
    let memory = U256::from(memory_seconds);
    let weight = U256::from(weight);
    (depth * (memory - weight) + reading * weight).div_ceil(memory)
}

/// Held between one floor and [`MAX_FLOORS`], and to what can be stored.
fn held(reading: u128, floor: u128) -> U256 {
    let floor = U256::from(floor);
    U256::from(reading)
        .max(floor)
        .min(floor * MAX_FLOORS)
        .min(MAX_DEPTH)
}

fn to_depth(depth: U256) -> u128 {
    depth.max(U256::ONE).saturating_to()
}

/// Seconds from a stored time to `timestamp`, modulo 2^32.
const fn since(time: u32, timestamp: u64) -> u32 {
    (timestamp as u32).wrapping_sub(time)
}
