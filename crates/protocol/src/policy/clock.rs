//! The clock of the bonus auction: `BonusClock.sol`.

use super::state::Flag;
use crate::math::{ArithmeticError, WAD, div, mul_div_down, sub};
use alloy_primitives::U256;

/// Low bits of the price accumulator that a flag does not keep.
const DROPPED_BITS: usize = 40;

/// Bits of the price accumulator that a flag keeps.
const KEPT_BITS: usize = 216;

/// Auctions after which a flag that a call finds is moved up.
pub const RENEWAL: u64 = 4;

/// Auctions after which a flag is void.
pub const EXPIRY: u64 = 12;

/// What a clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// The seconds that count.
    pub elapsed: u64,
    /// What a commit stores.
    pub flag: Flag,
    /// Why, or whether, that differs from what is stored.
    pub event: ClockEvent,
}

/// What a reading does to a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ClockEvent {
    /// Nothing: the stored flag stands.
    #[default]
    Runs,
    /// The account was never flagged: the clock begins.
    Begins,
    /// The flag is older than [`EXPIRY`] auctions: the clock begins anew.
    Expires,
    /// At the average price since the flag the position would have been healthy: the clock begins anew.
    Restarts,
    /// The flag is at least [`RENEWAL`] auctions old: it moves up to one auction ago.
    Renews,
}

/// Reads the clock of `flag` at `timestamp`.
///
/// `health` is HF_F (WAD), `price` F, `price_cumulative` F's accumulator now, `auction_seconds` τ.
///
/// # Errors
/// [`ArithmeticError`] where the contract reverts: a flag from the future, or a price of 0.
pub fn read(
    flag: Flag,
    health: U256,
    price: U256,
    price_cumulative: U256,
    auction_seconds: u64,
    timestamp: u64,
) -> Result<ClockReading, ArithmeticError> {
    let elapsed = sub(U256::from(timestamp), U256::from(flag.since))?.to::<u64>();
    let begin = |event| ClockReading {
        elapsed: 0,
        flag: Flag {
            since: seconds_40(timestamp),
            cumulative: truncate(price_cumulative),
        },
        event,
    };
    if flag.since == 0 {
        return Ok(begin(ClockEvent::Begins));
    }
    if elapsed > EXPIRY * auction_seconds {
        return Ok(begin(ClockEvent::Expires));
    }
    let running = ClockReading {
        elapsed,
        flag,
        event: ClockEvent::Runs,
    };
    if elapsed == 0 {
        return Ok(running);
    }
    let present = truncate(price_cumulative);
    let passed = wrapping_216(present, flag.cumulative);
    let average = (passed << DROPPED_BITS) / U256::from(elapsed);
    if !unhealthy_at(average, health, price)? {
        return Ok(begin(ClockEvent::Restarts));
    }
    if elapsed < RENEWAL * auction_seconds {
        return Ok(running);
    }
    // below 2^216 * τ, and τ is a day at most
    let kept = passed * U256::from(auction_seconds) / U256::from(elapsed);
    Ok(ClockReading {
        elapsed,
        flag: Flag {
            since: seconds_40(timestamp - auction_seconds),
            cumulative: wrapping_216(present, kept),
        },
        event: ClockEvent::Renews,
    })
}

/// ⌊HF · average / F⌋ < 1.
fn unhealthy_at(average: U256, health: U256, price: U256) -> Result<bool, ArithmeticError> {
    if health.is_zero() {
        return Ok(true);
    }
    if div(average, price)? >= WAD {
        return Ok(false);
    }
    Ok(mul_div_down(health, average, price)? < WAD)
}

/// What a flag keeps of an accumulator.
fn truncate(price_cumulative: U256) -> U256 {
    price_cumulative >> DROPPED_BITS
}

/// A `uint40`.
const fn seconds_40(timestamp: u64) -> u64 {
    timestamp & ((1 << 40) - 1)
}

/// `left - right` modulo 2^216: differences stay right when the accumulator wraps.
fn wrapping_216(left: U256, right: U256) -> U256 {
    left.wrapping_sub(right) & (U256::MAX >> (256 - KEPT_BITS))
}
