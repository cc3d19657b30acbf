//! Operators: those of the price feed write a price when it has moved by the deviation or the heartbeat is due; the
//! protocol's let breaker and bucket observe, so that what these know does not depend on calls that happen to succeed.

use crate::observation::{Action, Bid, Intent, Observation};

/// Gas limit of a report.
pub const REPORT_GAS_LIMIT: u64 = 150_000;

/// Gas limit of an observation by breaker or bucket.
pub const UPKEEP_GAS_LIMIT: u64 = 250_000;

/// Seconds between the observations that operators cause.
pub const UPKEEP_SECONDS: u64 = 60;

/// Breaker and bucket observe once a minute: in the last block, `last` in unix seconds, it was another minute.
#[must_use]
pub fn upkeep(observation: &Observation, last: u64, action: Action) -> Option<Intent> {
    let minute = observation.timestamp / UPKEEP_SECONDS;
    let before = last / UPKEEP_SECONDS;
    (minute != before).then(|| Intent {
        action,
        bid: Bid::lasting(observation, observation.competitive_tip(), 5),
        gas_limit: UPKEEP_GAS_LIMIT,
    })
}

/// When a feed is updated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reporter {
    /// Relative deviation from the last answer at which it reports.
    pub deviation: f64,
    /// Seconds after the last answer at which it reports anyway.
    pub heartbeat: u64,
}

impl Reporter {
    /// Reports `price`, which is the outside world's as the operators know it, if the last answer (`answer`, written at
    /// `answered`) deviates from it or is old at `now`. Operators outbid the going rate, as those of real feeds do.
    #[must_use]
    pub fn decide(
        &self,
        observation: &Observation,
        price: f64,
        answer: f64,
        answered: u64,
        now: u64,
    ) -> Option<Intent> {
        let deviates = (price / answer - 1.0).abs() >= self.deviation && price != answer;
        if !deviates && now < answered + self.heartbeat {
            return None;
        }
        Some(Intent {
            action: Action::Report { price },
            bid: Bid::lasting(observation, observation.competitive_tip() * 1.5, 8),
            gas_limit: REPORT_GAS_LIMIT,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn observation() -> Observation {
        Observation {
            timestamp: 1_000,
            ..testing::observation(100.0)
        }
    }

    #[test]
    fn upkeep_is_once_a_minute() {
        let times = (0..20).filter(|i| {
            let observation = Observation {
                timestamp: 1_200 + 12 * i,
                ..observation()
            };
            upkeep(&observation, observation.timestamp - 12, Action::Poke).is_some()
        });
        assert_eq!(times.collect::<Vec<_>>(), [0, 5, 10, 15]);
    }

    #[test]
    fn reports_on_deviation_or_heartbeat() {
        let observation = observation();
        let reporter = Reporter {
            deviation: 0.005,
            heartbeat: 3_600,
        };
        assert_eq!(
            reporter.decide(&observation, 100.4, 100.0, 1_000, 1_012),
            None
        );
        assert!(
            reporter
                .decide(&observation, 100.51, 100.0, 1_000, 1_012)
                .is_some()
        );
        assert!(
            reporter
                .decide(&observation, 99.49, 100.0, 1_000, 1_012)
                .is_some()
        );
        assert_eq!(
            reporter.decide(&observation, 100.0, 100.0, 1_000, 4_599),
            None
        );
        assert!(
            reporter
                .decide(&observation, 100.0, 100.0, 1_000, 4_600)
                .is_some()
        );
        let eager = Reporter {
            deviation: 0.0,
            heartbeat: 3_600,
        };
        assert_eq!(eager.decide(&observation, 100.0, 100.0, 1_000, 1_012), None);
    }
}
