//! What a pool of Uniswap v3 core remembers of its ticks and its liquidity, and what `observe` makes of it (whitepaper, 5.1 to 5.3).

use alloy_primitives::U256;

/// One price observation, as stored in one word.
///
/// From the lowest bit: time 32, tick cumulative 56 (signed), seconds per liquidity 160, initialised 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolObservation {
    /// Unix seconds modulo 2^32.
    pub timestamp: u32,
    /// The integrals up to then.
    pub integrals: Integrals,
    /// Whether anything was written there.
    pub initialised: bool,
}

/// Integrals over time. They wrap around; their differences do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integrals {
    /// Of the tick, tick · seconds; 56 bits.
    pub tick: i64,
    /// Of 1 / liquidity, seconds · 2^128; 160 bits.
    pub inverse_liquidity: U256,
}

/// What a pool stands at, and where its last observation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolMemory {
    /// The tick.
    pub tick: i32,
    /// Liquidity in range.
    pub liquidity: u128,
    /// Where in the ring the last observation is.
    pub index: u16,
    /// Observations in the ring, those never written included; not 0.
    pub cardinality: u16,
}

impl From<U256> for PoolObservation {
    fn from(word: U256) -> Self {
        let low = |shift: usize| (word >> shift).as_limbs()[0];
        Self {
            timestamp: low(0) as u32,
            integrals: Integrals::wrapped(low(32).cast_signed(), word >> 88),
            initialised: low(248) != 0,
        }
    }
}

impl Integrals {
    /// With as many bits as the pool keeps.
    fn wrapped(tick: i64, inverse_liquidity: U256) -> Self {
        Self {
            tick: tick << 8 >> 8,
            inverse_liquidity: inverse_liquidity & ((U256::ONE << 160) - U256::ONE),
        }
    }

    fn plus(&self, tick: i64, inverse_liquidity: U256) -> Self {
        Self::wrapped(
            self.tick.wrapping_add(tick),
            self.inverse_liquidity + inverse_liquidity,
        )
    }

    fn since(&self, earlier: &Self) -> Self {
        Self::wrapped(
            self.tick.wrapping_sub(earlier.tick),
            self.inverse_liquidity
                .wrapping_sub(earlier.inverse_liquidity),
        )
    }
}

impl PoolMemory {
    /// The integrals over the last `window` seconds, as the difference of what `observe([window, 0])` answers at `timestamp` (Unix
    /// seconds); `None` where it reverts, because the pool does not remember that long. `observation` reads the ring.
    ///
    /// # Errors
    /// Those of `observation`.
    pub fn over<E>(
        &self,
        window: u32,
        timestamp: u64,
        observation: impl Fn(u16) -> Result<PoolObservation, E>,
    ) -> Result<Option<Integrals>, E> {
        // What the pool counts by.
        let now = timestamp as u32;
        let newest = observation(self.index)?;
        let end = self.continued(&newest, now);
        let age = |observed: &PoolObservation| now.wrapping_sub(observed.timestamp);
        if age(&newest) >= window {
            let start = self.continued(&newest, now.wrapping_sub(window));
            return Ok(Some(end.since(&start)));
        }
        // The ring from the oldest place on; what was never written comes first.
        let places = u32::from(self.cardinality);
        let place = |rank: u32| ((u32::from(self.index) + 1 + rank) % places) as u16;
        let before = |observed: &PoolObservation| !observed.initialised || age(observed) >= window;
        // The last one that is a window old is at `low` or above, and below `high`.
        let (mut low, mut high) = (0, places - 1);
        while high - low > 1 {
            let middle = low.midpoint(high);
            if before(&observation(place(middle))?) {
                low = middle;
            } else {
                high = middle;
            }
        }
        let (start, next) = (observation(place(low))?, observation(place(high))?);
        if !start.initialised || age(&start) < window {
            return Ok(None);
        }
        // Between two observations, both integrals grow evenly: the tick's by a whole number a second.
        let (total, part) = (age(&start) - age(&next), age(&start) - window);
        let growth = next.integrals.since(&start.integrals);
        let at_start = start.integrals.plus(
            (growth.tick / i64::from(total)).wrapping_mul(i64::from(part)),
            growth.inverse_liquidity * U256::from(part) / U256::from(total),
        );
        Ok(Some(end.since(&at_start)))
    }

    /// The integrals at `time`, the pool having stood where it stands since the observation.
    fn continued(&self, from: &PoolObservation, time: u32) -> Integrals {
        let elapsed = time.wrapping_sub(from.timestamp);
        from.integrals.plus(
            i64::from(self.tick) * i64::from(elapsed),
            (U256::from(elapsed) << 128_usize) / U256::from(self.liquidity.max(1)),
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn word(timestamp: u32, tick: i64, inverse_liquidity: u64) -> U256 {
        let tick = U256::from(tick.cast_unsigned() & ((1 << 56) - 1));
        U256::from(timestamp)
            | (tick << 32)
            | (U256::from(inverse_liquidity) << 88)
            | (U256::ONE << 248)
    }

    /// Written at 100, 110, 130 and 160 s.
    const WRITTEN: [(u32, i64, u64); 4] = [
        (100, -1_000, 50),
        (110, -1_100, 60),
        (130, -1_505, 81),
        (160, -1_205, 90),
    ];

    /// The ring with its oldest observation in this place of so many; what is never written is grown only.
    fn over(first: usize, cardinality: usize, window: u32, now: u64) -> Option<Integrals> {
        let mut ring = vec![U256::ONE; cardinality];
        for (rank, (timestamp, tick, inverse)) in WRITTEN.into_iter().enumerate() {
            ring[(first + rank) % cardinality] = word(timestamp, tick, inverse);
        }
        let pool = PoolMemory {
            tick: -7,
            liquidity: 1 << 127,
            index: ((first + WRITTEN.len() - 1) % cardinality) as u16,
            cardinality: cardinality as u16,
        };
        pool.over(window, now, |index| {
            Ok::<_, Infallible>(ring[usize::from(index)].into())
        })
        .unwrap()
    }

    fn integrals(tick: i64, inverse_liquidity: u64) -> Option<Integrals> {
        Some(Integrals {
            tick,
            inverse_liquidity: U256::from(inverse_liquidity),
        })
    }

    #[test]
    fn a_word_has_four_fields() {
        let observation = PoolObservation::from(word(u32::MAX, -3, 9));
        assert_eq!(observation.timestamp, u32::MAX);
        assert_eq!(Some(observation.integrals), integrals(-3, 9));
        assert!(observation.initialised);
        assert!(!PoolObservation::from(U256::ONE).initialised);
    }

    #[test]
    fn a_window_begins_at_between_or_after_observations() {
        // At 170 s: 10 s more of tick -7 and of 2 units of 1 / liquidity a second.
        let (tick, inverse) = (-1_205 - 70, 90 + 20);
        for (first, cardinality) in [(0, 4), (1, 4), (3, 4), (0, 9), (0, 5)] {
            let found = |window| over(first, cardinality, window, 170);
            for (timestamp, was, had) in WRITTEN {
                let window = 170 - timestamp;
                assert_eq!(found(window), integrals(tick - was, inverse - had));
            }
            assert_eq!(found(3), integrals(-21, 6));
            // 5 s into the 20 between 110 and 130: -405 / 20 is cut to -20 a second; 21 · 5 / 20 to 5.
            assert_eq!(found(55), integrals(tick + 1_100 + 100, inverse - 60 - 5));
            assert_eq!(found(71), None, "the pool is too young");
        }
    }

    #[test]
    fn one_observation_is_a_memory_of_its_age() {
        let pool = PoolMemory {
            tick: 2,
            liquidity: 0,
            index: 0,
            cardinality: 1,
        };
        let found = |window| {
            let read = |_| Ok::<_, Infallible>(word(100, 0, 0).into());
            pool.over(window, 110, read).unwrap()
        };
        // Without liquidity it counts as 1.
        let expected = Integrals {
            tick: 20,
            inverse_liquidity: U256::from(10) << 128,
        };
        assert_eq!(found(10), Some(expected));
        assert_eq!(found(11), None);
    }

    #[test]
    fn cumulatives_and_clocks_wrap() {
        let most = (1_i64 << 55) - 1;
        let earlier = PoolObservation::from(word(u32::MAX - 4, most - 3, 0));
        let pool = PoolMemory {
            tick: 1,
            liquidity: 1 << 127,
            index: 0,
            cardinality: 1,
        };
        // 10 s later the clock says 5.
        let later = (1 << 32) + 5;
        let found = pool.over(10, later, |_| Ok::<_, Infallible>(earlier));
        assert_eq!(found.unwrap(), integrals(10, 20));
        assert_eq!(
            pool.continued(&earlier, 5).tick,
            -(1_i64 << 55) + 6,
            "56 bits"
        );
    }
}
