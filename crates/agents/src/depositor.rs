//! Depositors of a backstop: some stay whatever happens, some leave when prices fall, when they have lost, or when the premium
//! does not pay any more, and others come when it pays more.

/// What makes a depositor leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Temperament {
    /// Nothing.
    Loyal,
    /// A fall of the outside price from its highest, as a share of it.
    Stress {
        /// How far.
        fall: f64,
    },
    /// A loss of his own, realised or not, as a share of what he deposited.
    Loss {
        /// How much.
        loss: f64,
    },
    /// A premium that yields this much less than it did at the start, as a share of that.
    Yield {
        /// How much less.
        less: f64,
    },
}

/// The shares of depositors and how sensitive they are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Habits {
    /// Of those who leave in stress, a share of all.
    pub stress_share: f64,
    /// The fall at which the last of them leaves; the first does at half of it.
    pub stress_fall: f64,
    /// Of those who leave at a loss, a share of all.
    pub loss_share: f64,
    /// The loss at which the last of them leaves; the first does at half of it.
    pub loss: f64,
    /// Of those who leave in stress or at a loss, who sell what was absorbed for them at once; a share of those.
    pub flight_share: f64,
    /// Of those who leave for the yield, a share of all.
    pub yield_share: f64,
    /// How much less than at the start the last of them bears, and how much more the first newcomer asks; a share of it.
    pub yield_change: f64,
    /// Mean seconds until one acts on what he sees.
    pub reaction_time: f64,
}

impl Habits {
    /// The temperament of a depositor by two draws from [0, 1): which, and how sensitive. The rest is loyal.
    #[must_use]
    pub fn temperament(&self, which: f64, patience: f64) -> Temperament {
        let of = |most: f64| most * 0.5 * (1.0 + patience);
        if which < self.stress_share {
            Temperament::Stress {
                fall: of(self.stress_fall),
            }
        } else if which < self.stress_share + self.loss_share {
            Temperament::Loss {
                loss: of(self.loss),
            }
        } else if which < self.stress_share + self.loss_share + self.yield_share {
            Temperament::Yield {
                less: of(self.yield_change),
            }
        } else {
            Temperament::Loyal
        }
    }
}

/// Where a depositor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Has money and has not come.
    Outside,
    /// Has deposited.
    Inside,
    /// Has asked to leave; bears and earns until this time.
    Leaving {
        /// Unix seconds.
        until: u64,
    },
    /// Has left and taken what was owed.
    Gone,
}

/// What depositors see.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// Unix seconds.
    pub timestamp: u64,
    /// The outside price's fall from its highest.
    pub fall: f64,
    /// What depositors have lost of what they deposited; negative for a gain.
    pub loss: f64,
    /// The premium's yield over that at the start; `None` until there is one.
    pub yield_ratio: Option<f64>,
}

/// What a depositor wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// To deposit.
    Come,
    /// To leave.
    Leave,
}

/// A depositor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Depositor {
    /// Its number.
    pub number: u32,
    /// What makes it leave, or a newcomer stay away.
    pub temperament: Temperament,
    /// Where it stands.
    pub place: Place,
    sells: bool,
    acts_at: Option<u64>,
}

impl Depositor {
    /// A depositor who stands somewhere at the start, and who `sells` or does not when it flees.
    #[must_use]
    pub const fn new(number: u32, temperament: Temperament, sells: bool, place: Place) -> Self {
        Self {
            number,
            temperament,
            place,
            sells,
            acts_at: None,
        }
    }

    /// Whether it takes what was absorbed for it in kind and sells it at once when it leaves, rather than wait for the release.
    #[must_use]
    pub const fn sells(&self) -> bool {
        let flees = matches!(
            self.temperament,
            Temperament::Stress { .. } | Temperament::Loss { .. }
        );
        flees && self.sells
    }

    /// What it wants now. It notices a reason some time after it arises, by a `draw` from [0, 1), and not if it has gone by then.
    pub fn wish(
        &mut self,
        outlook: &Outlook,
        reaction_time: f64,
        draw: impl FnOnce() -> f64,
    ) -> Option<Wish> {
        let wish = self.reason(outlook);
        if wish.is_none() {
            self.acts_at = None;
            return None;
        }
        let acts_at = *self.acts_at.get_or_insert_with(|| {
            // Inverse of the exponential distribution function.
            outlook.timestamp + (-reaction_time * (1.0 - draw()).ln()) as u64
        });
        wish.filter(|_| outlook.timestamp >= acts_at)
    }

    fn reason(&self, outlook: &Outlook) -> Option<Wish> {
        match (self.place, self.temperament) {
            (Place::Outside, Temperament::Yield { less }) => outlook
                .yield_ratio
                .is_some_and(|ratio| ratio >= 1.0 + less)
                .then_some(Wish::Come),
            (Place::Inside, temperament) => match temperament {
                Temperament::Loyal => false,
                Temperament::Stress { fall } => outlook.fall >= fall,
                Temperament::Loss { loss } => outlook.loss >= loss,
                Temperament::Yield { less } => {
                    outlook.yield_ratio.is_some_and(|ratio| ratio <= 1.0 - less)
                }
            }
            .then_some(Wish::Leave),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HABITS: Habits = Habits {
        stress_share: 0.3,
        stress_fall: 0.2,
        loss_share: 0.3,
        loss: 0.1,
        flight_share: 0.5,
        yield_share: 0.2,
        yield_change: 0.5,
        reaction_time: 0.0,
    };

    const CALM: Outlook = Outlook {
        timestamp: 1_000,
        fall: 0.0,
        loss: 0.0,
        yield_ratio: Some(1.0),
    };

    fn wish(temperament: Temperament, place: Place, outlook: Outlook) -> Option<Wish> {
        Depositor::new(0, temperament, false, place).wish(&outlook, 0.0, || 0.5)
    }

    #[test]
    fn shares_are_drawn_and_thresholds_spread_over_the_upper_half() {
        assert_eq!(
            HABITS.temperament(0.1, 0.0),
            Temperament::Stress { fall: 0.1 }
        );
        assert_eq!(
            HABITS.temperament(0.59, 1.0),
            Temperament::Loss { loss: 0.1 }
        );
        assert_eq!(
            HABITS.temperament(0.7, 0.5),
            Temperament::Yield { less: 0.375 }
        );
        assert_eq!(HABITS.temperament(0.9, 0.5), Temperament::Loyal);
    }

    #[test]
    fn each_leaves_for_his_own_reason_alone() {
        let stress = Outlook { fall: 0.15, ..CALM };
        let loss = Outlook { loss: 0.08, ..CALM };
        let meagre = Outlook {
            yield_ratio: Some(0.4),
            ..CALM
        };
        let temperaments = [
            Temperament::Loyal,
            Temperament::Stress { fall: 0.15 },
            Temperament::Loss { loss: 0.08 },
            Temperament::Yield { less: 0.6 },
        ];
        for (at, outlook) in [CALM, stress, loss, meagre].into_iter().enumerate() {
            for (number, temperament) in temperaments.into_iter().enumerate() {
                let left = wish(temperament, Place::Inside, outlook);
                let expected = (at > 0 && at == number).then_some(Wish::Leave);
                assert_eq!(left, expected, "{temperament:?} {outlook:?}");
            }
        }
    }

    #[test]
    fn newcomers_come_where_it_pays_more_and_nobody_leaves_twice() {
        let rich = Outlook {
            yield_ratio: Some(1.6),
            ..CALM
        };
        let asks = Temperament::Yield { less: 0.5 };
        assert_eq!(wish(asks, Place::Outside, rich), Some(Wish::Come));
        assert_eq!(wish(asks, Place::Outside, CALM), None);
        let fled = Outlook { fall: 0.9, ..CALM };
        let stress = Temperament::Stress { fall: 0.1 };
        assert_eq!(wish(stress, Place::Leaving { until: 5_000 }, fled), None);
        assert_eq!(wish(stress, Place::Gone, fled), None);
    }

    #[test]
    fn only_who_flees_sells() {
        let sells =
            |temperament, sells| Depositor::new(0, temperament, sells, Place::Inside).sells();
        assert!(sells(Temperament::Loss { loss: 0.1 }, true));
        assert!(!sells(Temperament::Loss { loss: 0.1 }, false));
        assert!(!sells(Temperament::Yield { less: 0.1 }, true));
    }

    #[test]
    fn a_reason_that_passes_before_it_is_noticed_is_none() {
        let stress = Temperament::Stress { fall: 0.1 };
        let mut depositor = Depositor::new(0, stress, false, Place::Inside);
        let at = |timestamp, fall| Outlook {
            timestamp,
            fall,
            ..CALM
        };
        // −600 ln(1 − 0.5) = 415 seconds.
        let draw = || 0.5;
        assert_eq!(depositor.wish(&at(1_000, 0.2), 600.0, draw), None);
        assert_eq!(depositor.wish(&at(1_300, 0.05), 600.0, draw), None);
        assert_eq!(depositor.wish(&at(1_500, 0.2), 600.0, draw), None);
        assert_eq!(depositor.wish(&at(1_914, 0.2), 600.0, draw), None);
        let noticed = depositor.wish(&at(1_915, 0.2), 600.0, draw);
        assert_eq!(noticed, Some(Wish::Leave));
    }
}
