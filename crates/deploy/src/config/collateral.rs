//! What is said of one collateral.

use alloy_primitives::{Address, U256};
use breakwater_bindings::system_deployer::SystemDeployer::FeedParameters;
use serde::Deserialize;

use super::{CAP_EXPECTED, MAX_CAP};
use crate::defaults::CollateralPlan;
use crate::scale::{Bounds, never_fits};

/// The widest confirmation band of a collateral without a venue, basis points: `script/Deployment.sol` refuses more.
const BAND_WITHOUT_VENUE: u16 = 200;

/// The longest heartbeat that `contracts/oracle/TwapOracle.sol` accepts, seconds: 30 days.
const MAX_HEARTBEAT: u32 = 2_592_000;
const HEARTBEAT_EXPECTED: &str = "expected 1 to 2592000 seconds";

const RATIO_EXPECTED: &str = "expected bounds whose ratio, times that of the quote feed's, is below 2^88 / 10^9, some 3 * 10^17: an oracle \
                              keeps prices in 88 bits, the lowest to a billionth";

/// Keys of a collateral.
pub(super) const KEYS: [&str; 12] = [
    "token",
    "feed",
    "heartbeat",
    "minAnswer",
    "maxAnswer",
    "quoteFeed",
    "quoteHeartbeat",
    "quoteMinAnswer",
    "quoteMaxAnswer",
    "venue",
    "venueMinDepth",
    "cap",
];

/// What is wrong: a key, its value, and why.
type Wrong = (&'static str, String, &'static str);

/// A collateral.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CollateralConfiguration {
    /// The token.
    pub token: Address,
    /// The feed of its price.
    pub feed: Address,
    /// Seconds after which an answer of `feed` counts as missing: the longest it is ever silent, and a margin.
    pub heartbeat: u32,
    /// The answer of `feed` at and below which none is believed, in its decimals; with `max_answer`, or by default 0.0001.
    #[serde(default)]
    pub min_answer: Option<U256>,
    /// The answer of `feed` at and above which none is believed, in its decimals; with `min_answer`, or by default 10^8.
    #[serde(default)]
    pub max_answer: Option<U256>,
    /// The feed of the debt token's price, where `feed` does not answer in the debt token.
    #[serde(default)]
    pub quote_feed: Option<Address>,
    /// As `heartbeat`, of `quote_feed`; needed with it.
    #[serde(default)]
    pub quote_heartbeat: Option<u32>,
    /// As `min_answer`, of `quote_feed`; by default 0.01.
    #[serde(default)]
    pub quote_min_answer: Option<U256>,
    /// As `max_answer`, of `quote_feed`; by default 100.
    #[serde(default)]
    pub quote_max_answer: Option<U256>,
    /// A Uniswap v3 pool of the token and the debt token.
    #[serde(default)]
    pub venue: Option<Address>,
    /// Depth within 2% below which the venue does not answer, base units of the debt token; needed with a venue.
    #[serde(default)]
    pub venue_min_depth: Option<U256>,
    /// The most that the pool accepts, base units of the token.
    pub cap: U256,
}

impl CollateralConfiguration {
    /// Every address with its key.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&'static str, Address)> {
        [
            ("token", Some(self.token)),
            ("feed", Some(self.feed)),
            ("quoteFeed", self.quote_feed),
            ("venue", self.venue),
        ]
        .into_iter()
        .filter_map(|(key, address)| Some((key, address?)))
    }

    pub(super) fn check(&self) -> Result<(), Wrong> {
        if !(1..=MAX_HEARTBEAT).contains(&self.heartbeat) {
            return Err(("heartbeat", self.heartbeat.to_string(), HEARTBEAT_EXPECTED));
        }
        check_bounds(
            ("minAnswer", self.min_answer),
            ("maxAnswer", self.max_answer),
        )?;
        self.check_quote()?;
        self.check_ratio()?;
        if self.venue.is_some() && self.venue_min_depth.unwrap_or_default().is_zero() {
            return Err((
                "venueMinDepth",
                shown(self.venue_min_depth),
                "a venue needs a least depth; in next to no liquidity a price is free to set",
            ));
        }
        if self.venue.is_none() && self.venue_min_depth.is_some() {
            return Err((
                "venueMinDepth",
                shown(self.venue_min_depth),
                "there is no `venue` that it could apply to",
            ));
        }
        if self.cap > MAX_CAP {
            return Err(("cap", self.cap.to_string(), CAP_EXPECTED));
        }
        Ok(())
    }

    fn check_quote(&self) -> Result<(), Wrong> {
        let heartbeat = self.quote_heartbeat.map(U256::from);
        if self.quote_feed.is_none() {
            for (key, value) in [
                ("quoteHeartbeat", heartbeat),
                ("quoteMinAnswer", self.quote_min_answer),
                ("quoteMaxAnswer", self.quote_max_answer),
            ] {
                if value.is_some() {
                    let reason = "there is no `quoteFeed` that it could apply to";
                    return Err((key, shown(value), reason));
                }
            }
            return Ok(());
        }
        if heartbeat.unwrap_or_default().is_zero() {
            let reason = "seconds after which an answer of `quoteFeed` counts as missing";
            return Err(("quoteHeartbeat", shown(heartbeat), reason));
        }
        if heartbeat > Some(U256::from(MAX_HEARTBEAT)) {
            return Err(("quoteHeartbeat", shown(heartbeat), HEARTBEAT_EXPECTED));
        }
        check_bounds(
            ("quoteMinAnswer", self.quote_min_answer),
            ("quoteMaxAnswer", self.quote_max_answer),
        )
    }

    /// Bounds that are given must leave an oracle a unit for some decimals; whether for these is seen once they are read.
    fn check_ratio(&self) -> Result<(), Wrong> {
        let given = |least: Option<U256>, most: Option<U256>| Bounds {
            least: least.unwrap_or_default().saturating_to(),
            most: most.unwrap_or(U256::ONE).saturating_to(),
        };
        let base = given(self.min_answer, self.max_answer);
        let quote = given(self.quote_min_answer, self.quote_max_answer);
        if !never_fits(base, quote) {
            return Ok(());
        }
        let (key, value) = if quote.is_wider_than(base) {
            ("quoteMaxAnswer", self.quote_max_answer)
        } else {
            ("maxAnswer", self.max_answer)
        };
        Err((key, shown(value), RATIO_EXPECTED))
    }

    pub(super) fn plan(&self, mut plan: CollateralPlan) -> CollateralPlan {
        plan.listing.token = self.token;
        plan.base = FeedParameters {
            source: self.feed,
            heartbeat: self.heartbeat,
            minAnswer: self.min_answer.unwrap_or_default().saturating_to(),
            maxAnswer: self.max_answer.unwrap_or_default().saturating_to(),
        };
        if let Some(feed) = self.quote_feed {
            plan.quote = FeedParameters {
                source: feed,
                heartbeat: self.quote_heartbeat.unwrap_or_default(),
                minAnswer: self.quote_min_answer.unwrap_or_default().saturating_to(),
                maxAnswer: self.quote_max_answer.unwrap_or_default().saturating_to(),
            };
        }
        match self.venue {
            Some(venue) => {
                plan.venue = venue;
                plan.venueMinDepth = self.venue_min_depth.unwrap_or_default();
            }
            None => plan.listing.confirmationBand = BAND_WITHOUT_VENUE,
        }
        plan.listing.cap = self.cap.saturating_to();
        plan
    }
}

/// Both or neither, and an answer between them.
fn check_bounds(
    (low_key, low): (&'static str, Option<U256>),
    (high_key, high): (&'static str, Option<U256>),
) -> Result<(), Wrong> {
    let (Some(least), Some(most)) = (low, high) else {
        return match (low, high) {
            (None, None) => Ok(()),
            (None, _) => Err((low_key, shown(low), "both bounds of a feed, or neither")),
            _ => Err((high_key, shown(high), "both bounds of a feed, or neither")),
        };
    };
    if most > U256::from(u128::MAX) {
        return Err((high_key, shown(high), "at most 2^128 - 1"));
    }
    if most <= least.saturating_add(U256::ONE) {
        return Err((high_key, shown(high), "no answer lies between the bounds"));
    }
    Ok(())
}

fn shown(value: Option<U256>) -> String {
    value.map_or_else(|| "missing".to_owned(), |value| value.to_string())
}
