//! The backstop of a world.

use breakwater_agents::depositor::Habits;
use serde::{Deserialize, Serialize};

/// A backstop before the policy: its capital, its parameters and its depositors. Everything but the capital has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackstopParameters {
    /// Deposits that are active in block 0, over the value of all posted collateral; 0 for no backstop.
    pub capital: f64,
    /// How many depositors hold them, in equal parts.
    #[serde(default = "defaults::depositors")]
    pub depositors: u32,
    /// Depositors who may come, over those who are there; each brings as much as one of those.
    #[serde(default = "defaults::newcomers")]
    pub newcomers: f64,
    /// Depositors who asked to leave before block 0 and leave at the first start of a period after it; a share.
    #[serde(default = "defaults::leaving_share")]
    pub leaving_share: f64,
    /// Depositors who leave when prices fall; a share.
    #[serde(default = "defaults::stress_share")]
    pub stress_share: f64,
    /// The fall of the reference price from its highest at which the last of them leaves; the first does at half of it.
    #[serde(default = "defaults::stress_fall")]
    pub stress_fall: f64,
    /// Depositors who leave when they have lost; a share.
    #[serde(default = "defaults::loss_share")]
    pub loss_share: f64,
    /// The loss, over what they deposited, at which the last of them leaves; the first does at half of it.
    #[serde(default = "defaults::loss")]
    pub loss: f64,
    /// Depositors who take what was absorbed for them in kind and sell it at once when they leave for one of these two reasons; a
    /// share of those.
    #[serde(default = "defaults::flight_share")]
    pub flight_share: f64,
    /// Depositors who leave when the premium yields less than at the start; a share.
    #[serde(default = "defaults::yield_share")]
    pub yield_share: f64,
    /// How much less the last of them bears, and how much more the last newcomer asks; both begin at half of it.
    #[serde(default = "defaults::yield_change")]
    pub yield_change: f64,
    /// Mean seconds until a depositor acts on what he sees.
    #[serde(default = "defaults::reaction_time")]
    pub reaction_time: f64,
    /// The length of a period: entries and exits take effect one to two of them after they are asked for; seconds.
    #[serde(default = "defaults::period_seconds")]
    pub period_seconds: u64,
    /// HF_t of absorptions in the damped zone.
    #[serde(default = "defaults::absorption_health")]
    pub absorption_health: f64,
    /// What may be sold of the inventory in 12 seconds, over the venue's depth within 2%.
    #[serde(default = "defaults::release_share")]
    pub release_share: f64,
    /// The share of what reserves grow by that is paid to depositors.
    #[serde(default = "defaults::premium_share")]
    pub premium_share: f64,
    /// The share of depositors' discount that who triggers absorptions counts as its own gain.
    #[serde(default = "defaults::caller_interest")]
    pub caller_interest: f64,
    /// Whether absorptions stand first in a block, as by an agreement with builders, rather than by their bid.
    #[serde(default = "defaults::first")]
    pub first: bool,
}

mod defaults {
    pub const fn depositors() -> u32 {
        20
    }
    pub const fn newcomers() -> f64 {
        0.5
    }
    pub const fn leaving_share() -> f64 {
        0.1
    }
    pub const fn stress_share() -> f64 {
        0.3
    }
    pub const fn stress_fall() -> f64 {
        0.2
    }
    pub const fn loss_share() -> f64 {
        0.3
    }
    pub const fn loss() -> f64 {
        0.1
    }
    pub const fn flight_share() -> f64 {
        0.5
    }
    pub const fn yield_share() -> f64 {
        0.2
    }
    pub const fn yield_change() -> f64 {
        0.5
    }
    pub const fn reaction_time() -> f64 {
        900.0
    }
    pub const fn period_seconds() -> u64 {
        43_200
    }
    pub const fn absorption_health() -> f64 {
        1.05
    }
    /// A fifth of the most that the contract allows, as deployed by default.
    pub const fn release_share() -> f64 {
        0.009_94
    }
    pub const fn premium_share() -> f64 {
        0.5
    }
    pub const fn caller_interest() -> f64 {
        0.25
    }
    pub const fn first() -> bool {
        true
    }
}

impl BackstopParameters {
    /// A backstop of this capital and the defaults.
    #[must_use]
    pub const fn with_capital(capital: f64) -> Self {
        Self {
            capital,
            depositors: defaults::depositors(),
            newcomers: defaults::newcomers(),
            leaving_share: defaults::leaving_share(),
            stress_share: defaults::stress_share(),
            stress_fall: defaults::stress_fall(),
            loss_share: defaults::loss_share(),
            loss: defaults::loss(),
            flight_share: defaults::flight_share(),
            yield_share: defaults::yield_share(),
            yield_change: defaults::yield_change(),
            reaction_time: defaults::reaction_time(),
            period_seconds: defaults::period_seconds(),
            absorption_health: defaults::absorption_health(),
            release_share: defaults::release_share(),
            premium_share: defaults::premium_share(),
            caller_interest: defaults::caller_interest(),
            first: defaults::first(),
        }
    }

    /// How many depositors asked to leave before block 0.
    #[must_use]
    pub fn leaving(&self) -> u32 {
        (self.leaving_share * f64::from(self.depositors)).round() as u32
    }

    /// How many depositors there are and may be.
    #[must_use]
    pub fn all_depositors(&self) -> u32 {
        self.depositors + (self.newcomers * f64::from(self.depositors)).round() as u32
    }

    /// What makes depositors come and leave.
    #[must_use]
    pub const fn habits(&self) -> Habits {
        Habits {
            stress_share: self.stress_share,
            stress_fall: self.stress_fall,
            loss_share: self.loss_share,
            loss: self.loss,
            flight_share: self.flight_share,
            yield_share: self.yield_share,
            yield_change: self.yield_change,
            reaction_time: self.reaction_time,
        }
    }

    /// The parameters that are outside what a backstop can have: name, value, what was expected.
    pub(crate) fn wrong(&self) -> Option<(&'static str, f64, &'static str)> {
        let ratio = |value: f64| (0.0..=1.0).contains(&value);
        let checks = [
            (
                "backstop.capital",
                self.capital,
                (0.0..=10.0).contains(&self.capital),
                "0 to 10",
            ),
            (
                "backstop.depositors",
                f64::from(self.depositors),
                (1..=1_000).contains(&self.depositors),
                "1 to 1000",
            ),
            (
                "backstop.newcomers",
                self.newcomers,
                (0.0..=10.0).contains(&self.newcomers),
                "0 to 10",
            ),
            (
                "backstop.leaving_share",
                self.leaving_share,
                ratio(self.leaving_share),
                "0 to 1",
            ),
            (
                "backstop.stress_share",
                self.stress_share + self.loss_share + self.yield_share,
                self.stress_share >= 0.0
                    && self.loss_share >= 0.0
                    && self.yield_share >= 0.0
                    && self.stress_share + self.loss_share + self.yield_share <= 1.0 + 1e-12,
                "shares of 0 or more that sum to at most 1",
            ),
            (
                "backstop.flight_share",
                self.flight_share,
                ratio(self.flight_share),
                "0 to 1",
            ),
            (
                "backstop.reaction_time",
                self.reaction_time,
                self.reaction_time >= 0.0 && self.reaction_time.is_finite(),
                "0 or above",
            ),
            (
                "backstop.period_seconds",
                self.period_seconds as f64,
                (14_400..=2_592_000).contains(&self.period_seconds),
                "14400 to 2592000",
            ),
            (
                "backstop.absorption_health",
                self.absorption_health,
                self.absorption_health > 1.0 && self.absorption_health <= 2.0,
                "above 1, at most 2",
            ),
            (
                "backstop.release_share",
                self.release_share,
                self.release_share >= 1e-6 && self.release_share <= 0.049_7,
                "0.000001 to 0.0497",
            ),
            (
                "backstop.premium_share",
                self.premium_share,
                ratio(self.premium_share),
                "0 to 1",
            ),
            (
                "backstop.caller_interest",
                self.caller_interest,
                ratio(self.caller_interest),
                "0 to 1",
            ),
        ];
        checks
            .into_iter()
            .find(|(.., valid, _)| !valid)
            .map(|(name, value, _, expected)| (name, value, expected))
    }
}
