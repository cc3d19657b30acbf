//! A liquidator who also proposes blocks. In his own slots his transactions stand first, so a turn that opens in one of them is his. Where
//! turns are seeded by a block's hash, he tries several hashes for a block of his that is to be the seed, and takes the one that
//! opens most of what is due in his slots; or he makes no block at all, and leaves the seed to another.

/// How far ahead proposers are known, slots: an epoch of Ethereum's.
pub const LOOKAHEAD: u64 = 32;

/// A gain below this share of what is at stake is none.
const ROUNDING: f64 = 1e-9;

/// What he has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grinder {
    /// The share of slots that are his.
    pub slots: f64,
    /// Hashes that he tries for a block: others come from another order, or another extra field.
    pub tries: u32,
    /// What a block pays its proposer, debt tokens.
    pub slot_reward: f64,
}

/// What he makes of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A block with the hash of this number.
    Publish(u32),
    /// None.
    Withhold,
}

/// What a position that waits for its turn is worth to who liquidates it, and whether its turn opens in a slot of his.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prize {
    /// Debt tokens.
    pub value: f64,
    /// `None` if it opens after the slots whose proposers are known.
    pub own: Option<bool>,
}

impl Grinder {
    /// What he makes of a slot of his whose block would be the seed: `now` is what he can liquidate in it at once, `prizes` how the
    /// positions that wait would stand under the hash of a number, and `otherwise` what he expects, of both, if another block is
    /// the seed.
    pub fn choose<I: Iterator<Item = Prize>>(
        &self,
        now: f64,
        otherwise: f64,
        prizes: impl Fn(u32) -> I,
    ) -> Choice {
        let (mut best, mut most) = (0, self.worth(prizes(0)));
        for number in 1..self.tries {
            let worth = self.worth(prizes(number));
            if worth > most {
                (best, most) = (number, worth);
            }
        }
        if otherwise > (now + most + self.slot_reward) * (1.0 + ROUNDING) {
            Choice::Withhold
        } else {
            Choice::Publish(best)
        }
    }

    /// What he expects of positions: those whose turns open in his slots, and his share of those of which nobody knows.
    pub fn worth(&self, prizes: impl Iterator<Item = Prize>) -> f64 {
        prizes
            .map(|prize| match prize.own {
                Some(true) => prize.value,
                Some(false) => 0.0,
                None => prize.value * self.slots,
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRINDER: Grinder = Grinder {
        slots: 0.5,
        tries: 4,
        slot_reward: 10.0,
    };

    /// Two positions of 100; by number of the hash none, one, both, one of them in a slot of his.
    fn prizes(number: u32) -> impl Iterator<Item = Prize> {
        let own = [(false, false), (true, false), (true, true), (false, true)];
        let (a, b) = own[number as usize];
        [a, b].into_iter().map(|own| Prize {
            value: 100.0,
            own: Some(own),
        })
    }

    #[test]
    fn he_takes_the_best_of_the_hashes_that_he_tries() {
        for (tries, best) in [(1, 0), (2, 1), (3, 2), (4, 2)] {
            let grinder = Grinder { tries, ..GRINDER };
            assert_eq!(grinder.choose(0.0, 0.0, prizes), Choice::Publish(best));
        }
    }

    #[test]
    fn he_withholds_a_block_that_costs_less_than_a_bad_seed() {
        let choose = |tries, slot_reward, now| {
            let grinder = Grinder {
                slots: 0.5,
                tries,
                slot_reward,
            };
            grinder.choose(now, 100.0, prizes)
        };
        assert_eq!(choose(1, 10.0, 0.0), Choice::Withhold);
        assert_eq!(choose(1, 100.0, 0.0), Choice::Publish(0));
        // What he has at once others would take.
        assert_eq!(choose(1, 10.0, 89.0), Choice::Withhold);
        assert_eq!(choose(1, 10.0, 90.0), Choice::Publish(0));
        // A hash that he can choose is better than one that he cannot.
        assert_eq!(choose(2, 0.0, 0.0), Choice::Publish(1));
    }

    #[test]
    fn of_turns_that_nobody_knows_he_expects_his_share() {
        let prize = |own| Prize { value: 80.0, own };
        let worth = |own| GRINDER.worth([prize(own), prize(Some(true))].into_iter());
        assert_eq!(worth(None), 120.0);
        assert_eq!(worth(Some(false)), 80.0);
        assert_eq!(worth(Some(true)), 160.0);
    }
}
