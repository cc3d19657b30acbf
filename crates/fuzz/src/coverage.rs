//! What a sequence reached, and what all of them did.

use std::collections::BTreeMap;

/// Features beyond the jumps: how calls ended, and what the world was like.
const JUMPS: usize = 1 << 16;
const FEATURES: usize = 2 * JUMPS;

/// Feature by feature, the classes of counts that were seen, a bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached(BTreeMap<u32, u8>);

impl Reached {
    /// A jump that one call took so often.
    pub fn jump(&mut self, edge: u16, count: u8) -> bool {
        self.insert(u32::from(edge), class(count))
    }

    /// Anything else that was seen; what it is, is in its hash.
    pub fn mark(&mut self, parts: &[u64]) -> bool {
        let hash = parts.iter().fold(0_u64, |hash, part| {
            (hash ^ part)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29)
        });
        self.insert((JUMPS as u32) + (hash >> 48) as u32, 1)
    }

    fn insert(&mut self, feature: u32, bits: u8) -> bool {
        let known = self.0.entry(feature).or_default();
        let new = *known | bits != *known;
        *known |= bits;
        new
    }

    /// Features, with the classes of each.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u8)> + '_ {
        self.0.iter().map(|(feature, bits)| (*feature, *bits))
    }
}

/// AFL's classes: 1, 2, 3, 4–7, 8–15, 16–31, 32–127, more.
const fn class(count: u8) -> u8 {
    1 << match count {
        0 | 1 => 0,
        2 => 1,
        3 => 2,
        4..=7 => 3,
        8..=15 => 4,
        16..=31 => 5,
        32..=127 => 6,
        _ => 7,
    }
}

/// What all sequences of a campaign reached.
#[derive(Clone, Debug)]
pub struct Coverage {
    seen: Vec<u8>,
    edges: u64,
}

impl Default for Coverage {
    fn default() -> Self {
        Self {
            seen: vec![0; FEATURES],
            edges: 0,
        }
    }
}

impl Coverage {
    /// Adds what a sequence reached; whether any of it is new.
    pub fn add(&mut self, reached: &Reached) -> bool {
        let mut news = false;
        for (feature, bits) in reached.iter() {
            let seen = &mut self.seen[feature as usize];
            news |= bits & !*seen != 0;
            if *seen == 0 && (feature as usize) < JUMPS {
                self.edges += 1;
            }
            *seen |= bits;
        }
        news
    }

    /// Different jumps, in all contracts under search.
    #[must_use]
    pub const fn edges(&self) -> u64 {
        self.edges
    }
}
