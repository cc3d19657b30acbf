//! Borrowers of several temperaments: those who top up, those who repay, those who sell their collateral to repay, and those
//! who sleep. They notice late: an exponential time after their health factor fell below what alarms them.

use crate::observation::{Action, Bid, Intent, Observation};

/// Gas limit of a top-up or repayment.
pub const REPAY_GAS_LIMIT: u64 = 400_000;

/// Gas limit of selling collateral to repay.
pub const DELEVERAGE_GAS_LIMIT: u64 = 1_200_000;

/// A borrower who acts aims at this multiple of the health factor that alarmed him.
pub const TARGET_OVER_ALERT: f64 = 1.05;

/// The most of the venue's collateral reserve that a borrower sells at once: about 2% of price.
pub const SALE_OVER_RESERVE: f64 = 0.01;

/// What a borrower does when alarmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temperament {
    /// Adds collateral bought with savings.
    TopUp,
    /// Repays from savings.
    Repay,
    /// Sells collateral on the venue to repay.
    Deleverage,
    /// Does nothing.
    Sleep,
}

impl Temperament {
    /// The temperament of a borrower whose `draw` in [0, 1) falls into these shares; the rest sleeps.
    #[must_use]
    pub fn of(draw: f64, top_up: f64, repay: f64, deleverage: f64) -> Self {
        if draw < top_up {
            Self::TopUp
        } else if draw < top_up + repay {
            Self::Repay
        } else if draw < top_up + repay + deleverage {
            Self::Deleverage
        } else {
            Self::Sleep
        }
    }
}

/// What all borrowers know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Habits {
    /// LT.
    pub threshold: f64,
    /// The health factor below which they are alarmed.
    pub alert_health: f64,
    /// Mean seconds until they notice.
    pub reaction_time: f64,
}

/// One borrower.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Borrower {
    /// The account's number.
    pub account: u32,
    /// What it does when alarmed.
    pub temperament: Temperament,
    /// What is left of its savings, debt tokens.
    pub savings: f64,
    alarms: u32,
    acts_at: Option<u64>,
}

impl Borrower {
    /// A borrower who has not been alarmed yet.
    #[must_use]
    pub const fn new(account: u32, temperament: Temperament, savings: f64) -> Self {
        Self {
            account,
            temperament,
            savings,
            alarms: 0,
            acts_at: None,
        }
    }

    /// Called while the health factor at F is not below the alarm: whatever was planned is off.
    pub const fn calm(&mut self) {
        self.acts_at = None;
    }

    /// Returns to its savings what a transaction that did not happen would have spent, debt tokens.
    pub fn refund(&mut self, amount: f64) {
        self.savings += amount;
    }

    /// Called each block while the health factor at F is below the alarm. `draw` gives the uniform number in [0, 1) of the
    /// n-th alarm, so that what one borrower draws depends on nobody else.
    pub fn alarmed(
        &mut self,
        observation: &Observation,
        habits: &Habits,
        collateral: f64,
        debt: f64,
        draw: impl Fn(u32) -> f64,
    ) -> Option<Intent> {
        if self.temperament == Temperament::Sleep || debt <= 0.0 {
            return None;
        }
        let now = observation.timestamp;
        let acts_at = *self.acts_at.get_or_insert_with(|| {
            // Inverse of the exponential distribution function.
            let wait = -habits.reaction_time * (1.0 - draw(self.alarms)).ln();
            self.alarms += 1;
            now + wait as u64
        });
        if now < acts_at {
            return None;
        }
        self.acts_at = None;
        self.act(observation, habits, collateral, debt)
    }

    /// With h the health factor aimed at: h·D = C·F·LT after the action.
    fn act(
        &mut self,
        observation: &Observation,
        habits: &Habits,
        collateral: f64,
        debt: f64,
    ) -> Option<Intent> {
        let price = observation.prices.fast;
        let target = habits.alert_health * TARGET_OVER_ALERT;
        let value = price * habits.threshold;
        let (action, gas_limit) = match self.temperament {
            Temperament::TopUp => {
                let wanted = (target * debt / value - collateral)
                    .min(self.savings / observation.reference_price);
                if wanted <= 0.0 {
                    return None;
                }
                self.savings -= wanted * observation.reference_price;
                (
                    Action::TopUp {
                        account: self.account,
                        collateral: wanted,
                    },
                    REPAY_GAS_LIMIT,
                )
            }
            Temperament::Repay => {
                let wanted = (debt - collateral * value / target)
                    .min(self.savings)
                    .min(debt);
                if wanted <= 0.0 {
                    return None;
                }
                self.savings -= wanted;
                (
                    Action::Repay {
                        account: self.account,
                        debt: wanted,
                    },
                    REPAY_GAS_LIMIT,
                )
            }
            Temperament::Deleverage => {
                // Selling q at p repays q·p: h(D − q·p) = (C − q)·F·LT.
                let venue = &observation.venue;
                let per_unit = venue.price() * (1.0 - venue.fee);
                let gain = target * per_unit - value;
                if gain <= 0.0 {
                    return None;
                }
                let wanted = ((target * debt - collateral * value) / gain)
                    .min(collateral * 0.9)
                    .min(venue.collateral_reserve() * SALE_OVER_RESERVE);
                let (proceeds, _) = venue.sell(wanted.max(0.0));
                if proceeds <= 0.0 || proceeds >= debt {
                    return None;
                }
                let action = Action::Deleverage {
                    account: self.account,
                    debt: proceeds,
                    max_collateral: wanted * 1.03,
                };
                (action, DELEVERAGE_GAS_LIMIT)
            }
            Temperament::Sleep => return None,
        };
        Some(Intent {
            action,
            bid: Bid::lasting(observation, observation.competitive_tip(), 6),
            gas_limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use crate::venue::Venue;

    const HABITS: Habits = Habits {
        threshold: 0.8,
        alert_health: 1.2,
        reaction_time: 100.0,
    };

    fn observation(timestamp: u64) -> Observation {
        let observation = testing::observation(100.0);
        let venue = Venue {
            liquidity: 1e7,
            fee: 0.0,
            ..observation.venue
        };
        Observation {
            timestamp,
            venue,
            ..observation
        }
    }

    fn acts(temperament: Temperament, savings: f64) -> Option<Action> {
        let mut borrower = Borrower::new(0, temperament, savings);
        borrower
            .alarmed(&observation(0), &HABITS, 100.0, 7_500.0, |_| 0.0)
            .map(|intent| intent.action)
    }

    #[test]
    fn each_temperament_restores_the_target() {
        // Target 1.26: C = 1.26 · 7,500 / 80 = 118.125; D = 8,000 / 1.26 = 6,349.2; q = (9,450 − 8,000)/(126 − 80) = 31.52.
        assert!(matches!(acts(Temperament::TopUp, 1e9),
            Some(Action::TopUp { collateral, .. }) if (collateral - 18.125).abs() < 1e-9));
        assert!(matches!(acts(Temperament::Repay, 1e9),
            Some(Action::Repay { debt, .. }) if (debt - 1_150.793_65).abs() < 1e-4));
        assert!(matches!(acts(Temperament::Deleverage, 0.0),
            Some(Action::Deleverage { debt, .. }) if (debt - 3_152.17).abs() < 0.1));
        assert_eq!(acts(Temperament::Sleep, 1e9), None);
    }

    #[test]
    fn savings_limit_and_run_out() {
        assert!(matches!(acts(Temperament::TopUp, 500.0),
            Some(Action::TopUp { collateral, .. }) if (collateral - 5.0).abs() < 1e-9));
        let mut borrower = Borrower::new(0, Temperament::Repay, 500.0);
        assert!(
            borrower
                .alarmed(&observation(0), &HABITS, 100.0, 7_500.0, |_| 0.0)
                .is_some()
        );
        assert!(
            borrower
                .alarmed(&observation(12), &HABITS, 100.0, 7_000.0, |_| 0.0)
                .is_none()
        );
    }

    #[test]
    fn notices_late_and_forgets_when_calm() {
        // A draw of 1 − 1/e waits the mean, 100 s.
        let draw = |_| 1.0 - (-1.0_f64).exp();
        let mut borrower = Borrower::new(0, Temperament::Repay, 1e9);
        let at = |borrower: &mut Borrower, time| {
            borrower.alarmed(&observation(time), &HABITS, 100.0, 7_500.0, draw)
        };
        assert!(at(&mut borrower, 0).is_none());
        assert!(at(&mut borrower, 84).is_none());
        borrower.calm();
        assert!(at(&mut borrower, 96).is_none());
        assert!(at(&mut borrower, 192).is_none());
        assert!(at(&mut borrower, 196).is_some());
    }

    #[test]
    fn temperaments_take_their_shares() {
        let of = |draw| Temperament::of(draw, 0.1, 0.2, 0.3);
        assert_eq!(of(0.05), Temperament::TopUp);
        assert_eq!(of(0.29), Temperament::Repay);
        assert_eq!(of(0.59), Temperament::Deleverage);
        assert_eq!(of(0.61), Temperament::Sleep);
    }
}
