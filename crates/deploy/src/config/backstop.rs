//! What is said of a backstop.

use alloy_primitives::{Address, U256};
use breakwater_bindings::backstop_pool::BackstopPool::BackstopParameters;
use serde::Deserialize;

use crate::defaults;

/// Keys of a backstop.
pub(super) const KEYS: [&str; 13] = [
    "name",
    "symbol",
    "periodSeconds",
    "minimumLeft",
    "minimumDeposit",
    "callerShare",
    "releaseShare",
    "auctionSeconds",
    "startMarkup",
    "maxDiscount",
    "venueTolerance",
    "absorptionHealth",
    "premiumShare",
];

/// The most that amounts may be: they have 80 bits.
const MAX_AMOUNT: U256 = U256::from_limbs([u64::MAX, 0xffff, 0, 0]);

const WAD: u64 = 1_000_000_000_000_000_000;

/// A key with its value, where it is given; the least and the most that the contracts' constructors accept; and the unit of all three.
type Bound = (&'static str, Option<U256>, U256, U256, &'static str);

/// A backstop: `contracts/backstop/BackstopParameters.sol` says what each parameter is. Ratios are WAD; what is left
/// out is that file's default.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BackstopConfiguration {
    /// Of its share.
    #[serde(default)]
    pub name: Option<String>,
    /// Of its share.
    #[serde(default)]
    pub symbol: Option<String>,
    /// Entries and exits take effect at multiples of it, one to two periods after they are asked for.
    #[serde(default)]
    pub period_seconds: Option<U256>,
    /// What is never spent, base units of the debt token.
    pub minimum_left: U256,
    /// The smallest deposit, base units of the debt token.
    pub minimum_deposit: U256,
    /// The share of the discount that goes to whoever calls it.
    #[serde(default)]
    pub caller_share: Option<U256>,
    /// What may be sold in 12 seconds, as a share of the venue's depth.
    #[serde(default)]
    pub release_share: Option<U256>,
    /// In which the sale's price falls to its floor.
    #[serde(default)]
    pub auction_seconds: Option<U256>,
    /// Where it starts, over the fast price.
    #[serde(default)]
    pub start_markup: Option<U256>,
    /// Its floor, under the fast price.
    #[serde(default)]
    pub max_discount: Option<U256>,
    /// How far under the fast price the venue may stand.
    #[serde(default)]
    pub venue_tolerance: Option<U256>,
    /// HF_t of absorptions.
    pub absorption_health: U256,
    /// The share of the growth of reserves that is paid to depositors.
    pub premium_share: U256,
}

/// A backstop that is to be deployed before the plan's policy.
#[derive(Clone, Debug)]
pub struct BackstopPlan {
    /// What `BackstopPool` is created with; the pool's address is filled in by the plan.
    pub parameters: BackstopParameters,
    /// HF_t of absorptions, WAD.
    pub absorption_health: U256,
    /// The share of the growth of reserves that is paid to depositors, WAD.
    pub premium_share: U256,
}

impl BackstopConfiguration {
    /// As `BackstopParametersLib.validate` and the constructors of `BackstopPolicy` and `PremiumSteward` have them.
    fn bounds(&self) -> [Bound; 11] {
        let whole = |key, value, least: u64, most: u64, unit| {
            (key, value, U256::from(least), U256::from(most), unit)
        };
        let amount = |key, value, least: u64| {
            let unit = "base units of the debt token";
            (key, Some(value), U256::from(least), MAX_AMOUNT, unit)
        };
        let ratio = |key, value, least, most| whole(key, value, least, most, "(WAD)");
        [
            whole(
                "periodSeconds",
                self.period_seconds,
                14_400,
                2_592_000,
                "seconds",
            ),
            amount("minimumLeft", self.minimum_left, 1),
            amount("minimumDeposit", self.minimum_deposit, 10_000),
            ratio("callerShare", self.caller_share, 0, WAD / 2),
            ratio("releaseShare", self.release_share, 1, WAD / 10_000 * 497),
            whole("auctionSeconds", self.auction_seconds, 12, 1_800, "seconds"),
            ratio("startMarkup", self.start_markup, 0, WAD / 10),
            ratio("maxDiscount", self.max_discount, 0, WAD / 20),
            ratio("venueTolerance", self.venue_tolerance, 0, WAD / 20),
            ratio(
                "absorptionHealth",
                Some(self.absorption_health),
                WAD + 1,
                2 * WAD,
            ),
            ratio("premiumShare", Some(self.premium_share), 0, WAD),
        ]
    }

    /// What the contracts would refuse: a key, its value, and what was expected.
    pub(super) fn check(&self) -> Result<(), (&'static str, String, String)> {
        for (key, value, least, most, unit) in self.bounds() {
            if let Some(value) = value.filter(|value| *value < least || *value > most) {
                let expected = format!("expected {least} to {most} {unit}");
                return Err((key, value.to_string(), expected));
            }
        }
        Ok(())
    }

    pub(super) fn plan(&self) -> BackstopPlan {
        let defaults = defaults::backstop_parameters();
        let text = |given: &Option<String>, default: String| given.clone().unwrap_or(default);
        BackstopPlan {
            parameters: BackstopParameters {
                pool: Address::ZERO,
                name: text(&self.name, defaults.name),
                symbol: text(&self.symbol, defaults.symbol),
                periodSeconds: self.period_seconds.unwrap_or(defaults.periodSeconds),
                minimumLeft: self.minimum_left,
                minimumDeposit: self.minimum_deposit,
                callerShare: self.caller_share.unwrap_or(defaults.callerShare),
                releaseShare: self.release_share.unwrap_or(defaults.releaseShare),
                auctionSeconds: self.auction_seconds.unwrap_or(defaults.auctionSeconds),
                startMarkup: self.start_markup.unwrap_or(defaults.startMarkup),
                maxDiscount: self.max_discount.unwrap_or(defaults.maxDiscount),
                venueTolerance: self.venue_tolerance.unwrap_or(defaults.venueTolerance),
            },
            absorption_health: self.absorption_health,
            premium_share: self.premium_share,
        }
    }
}
