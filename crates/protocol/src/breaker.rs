//! The breaker's level, from the words in which `contracts/breaker/CircuitBreaker.sol` keeps a pool.

use alloy_primitives::U256;

use crate::policy::BreakerLevel;

/// Bit of a pool's conditions from which its timers matter: `BreakerRecords.ACTIVE`, the highest in use.
const ACTIVE_BIT: usize = 240;

/// `levelOf(pool)` at `timestamp` (Unix seconds), from the words of the pool's `_conditions` and `_timers`.
#[must_use]
pub fn breaker_level(conditions: U256, timers: U256, timestamp: u64) -> BreakerLevel {
    let until = |shift: usize| (timers >> shift).as_limbs()[0] & u64::from(u32::MAX);
    let (stressed, paused, halted) = (until(0), until(32), until(96));
    if conditions >> ACTIVE_BIT == U256::ZERO {
        BreakerLevel::Normal
    } else if timestamp < halted {
        BreakerLevel::Halted
    } else if timestamp < paused {
        BreakerLevel::Paused
    } else if timestamp < stressed {
        BreakerLevel::Stressed
    } else {
        BreakerLevel::Normal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_time_to_come_of_an_active_pool() {
        let active = U256::ONE << ACTIVE_BIT;
        // Halts and pauses are allowed again at times that are no levels.
        let timers = [40, 30, 90, 20, 95]
            .into_iter()
            .rev()
            .fold(U256::ZERO, |word, time| (word << 32) | U256::from(time));
        for (timestamp, level) in [
            (19, BreakerLevel::Halted),
            (20, BreakerLevel::Paused),
            (29, BreakerLevel::Paused),
            (30, BreakerLevel::Stressed),
            (39, BreakerLevel::Stressed),
            (40, BreakerLevel::Normal),
        ] {
            assert_eq!(breaker_level(active, timers, timestamp), level);
            let calm = active - U256::ONE;
            assert_eq!(breaker_level(calm, timers, timestamp), BreakerLevel::Normal);
        }
    }
}
