//! The configuration of one simulated world: what a scenario file's tables say. Every key is required or has a documented
//! default; unknown keys are refused.

mod backstop;

use serde::{Deserialize, Serialize};

pub use backstop::BackstopParameters;

/// Which liquidation policy the pool runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Aave v3's rules.
    Rigid,
    /// Aave v4's rules.
    TargetHealth,
    /// Breakwater's.
    Damped,
    /// No policy of Breakwater's pool: the real Aave v3 pool in its place.
    AaveV3,
    /// Aave v3's rules, and keepers who take all that is granted with capital of their own and sell it at any price.
    Dumped,
}

impl Policy {
    /// All policies, in the order in which they are reported.
    pub const ALL: [Self; 5] = [
        Self::Rigid,
        Self::TargetHealth,
        Self::Damped,
        Self::AaveV3,
        Self::Dumped,
    ];

    /// Those that run where nobody chose: all that need nothing but this program.
    pub const USUAL: [Self; 3] = [Self::Rigid, Self::TargetHealth, Self::Damped];

    /// The name used on the command line and in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rigid => "rigid",
            Self::TargetHealth => "target-health",
            Self::Damped => "damped",
            Self::AaveV3 => "aave-v3",
            Self::Dumped => "dumped",
        }
    }
}

/// How the collateral is listed. Ratios, not basis points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollateralParameters {
    /// LTV up to which new debt may be taken.
    pub borrow_ltv: f64,
    /// LT.
    pub liquidation_threshold: f64,
    /// bmax.
    pub max_bonus: f64,
    /// σ: slippage, feed jump and inclusion delay.
    pub slippage_margin: f64,
    /// δ: the confirmation band.
    pub confirmation_band: f64,
}

/// The venue: a Uniswap v3 pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VenueParameters {
    /// Fee in hundredths of a basis point: 500, 3000 or 10000.
    pub fee: u32,
    /// x/C: the venue's virtual collateral reserve over all posted collateral, at the start.
    pub depth: f64,
    /// The share of that liquidity held by providers who withdraw as volatility rises.
    pub flighty_share: f64,
    /// The one-hour realised volatility (as a ratio, not annualised) at which they have withdrawn entirely; they begin at half.
    pub flight_volatility: f64,
    /// φ: the share of on-chain net selling that passes through to the reference price.
    pub pass_through: f64,
    /// Half-life in seconds of what passed through; 0 for never recovering.
    pub recovery_half_life: f64,
}

/// The price feed that reports the reference price on chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedParameters {
    /// Relative deviation at which the reporter sends an update.
    pub deviation: f64,
    /// Seconds after which it sends one anyway.
    pub heartbeat: u64,
    /// Seconds by which the price it reports lags the reference price.
    pub delay: u64,
    /// Seconds for which the oracle believes an answer; heartbeat, delay and ten minutes by default.
    #[serde(default)]
    pub believed_for: Option<u64>,
    /// When the reporter writes something else than it saw.
    #[serde(default)]
    pub errors: Vec<FeedError>,
    /// When it writes nothing.
    #[serde(default)]
    pub outages: Vec<FeedOutage>,
}

/// A stretch of a run in which the feed is mis-set. Seconds from block 0; `from` belongs to it, `until` does not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedError {
    /// Where it begins.
    pub from: u64,
    /// Where it ends.
    pub until: u64,
    /// What the reporter writes over what it saw, less 1.
    pub ratio: f64,
}

/// A stretch of a run in which the feed is silent. Seconds from block 0; `from` belongs to it, `until` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedOutage {
    /// Where it begins.
    pub from: u64,
    /// Where it ends.
    pub until: u64,
}

impl FeedParameters {
    /// Seconds after which the oracle calls an answer missing.
    #[must_use]
    pub fn believed_for(&self) -> u64 {
        self.believed_for
            .unwrap_or(self.heartbeat + self.delay + 600)
    }

    /// What the reporter writes `elapsed` seconds after block 0 when it has seen `price`; `None` for nothing. Errors that
    /// overlap multiply.
    #[must_use]
    pub fn written(&self, elapsed: u64, price: f64) -> Option<f64> {
        let silent = |outage: &FeedOutage| (outage.from..outage.until).contains(&elapsed);
        if self.outages.iter().any(silent) {
            return None;
        }
        let errors = self.errors.iter();
        Some(
            errors
                .filter(|error| (error.from..error.until).contains(&elapsed))
                .fold(price, |price, error| price * (1.0 + error.ratio)),
        )
    }
}

/// The network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkParameters {
    /// Seconds between blocks.
    pub slot_seconds: u64,
    /// Gas limit of a block.
    pub gas_limit: u64,
    /// Price elasticity of the rest of the network's demand for gas around the scenario's going price.
    pub demand_elasticity: f64,
    /// When slots go by without a block.
    #[serde(default)]
    pub missed: Vec<MissedSlots>,
}

/// A stretch of a run in which slots are missed. Seconds from block 0; `from` belongs to it, `until` does not.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissedSlots {
    /// Where it begins.
    pub from: u64,
    /// Where it ends.
    pub until: u64,
    /// The probability with which a slot is missed.
    pub share: f64,
}

impl NetworkParameters {
    /// The probability with which the slot `elapsed` seconds after block 0 is missed: the highest of those that apply.
    #[must_use]
    pub fn missed_share(&self, elapsed: u64) -> f64 {
        let missed = self.missed.iter();
        missed
            .filter(|slots| (slots.from..slots.until).contains(&elapsed))
            .map(|slots| slots.share)
            .fold(0.0, f64::max)
    }
}

/// The liquidators.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeeperParameters {
    /// How many compete.
    pub count: u32,
    /// Blocks between what the slowest sees and now; keeper i lags i mod (latency + 1).
    pub max_latency: u64,
    /// The least profit, net of gas, for which one acts; whole debt tokens.
    pub min_profit: f64,
    /// The margin that each asks for the risk that prices move before inclusion, as a share of the repayment.
    pub risk_margin: f64,
}

/// The borrowers' temperaments: shares of accounts, the rest sleeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BorrowerParameters {
    /// Those who add collateral when their health factor is low.
    pub top_up_share: f64,
    /// Those who repay from savings when it is low.
    pub repay_share: f64,
    /// Those who sell collateral on the venue to repay when it is low.
    pub deleverage_share: f64,
    /// The health factor below which they act.
    pub alert_health: f64,
    /// Mean seconds until they notice.
    pub reaction_time: f64,
    /// Savings outside the pool, as a share of their debt.
    pub savings: f64,
}

/// Traders who know nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseParameters {
    /// What they buy and sell in a mean hour, over the venue's virtual collateral reserve.
    pub hourly_volume: f64,
    /// The mean size of a trade, over that reserve; sizes are exponential.
    pub trade: f64,
}

/// What an adversary does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdversaryStrategy {
    /// Sells ahead of liquidations that are due, and buys back after them.
    Predator,
    /// Holds the venue's price down until liquidations are due, and buys back after them.
    Manipulator,
    /// Is keeper 0 and proposes blocks: chooses the seed of turns where his block is to be it.
    Grinder,
}

/// An adversary: see `breakwater_agents::adversary`, and `breakwater_agents::grinder`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdversaryParameters {
    /// What it does.
    pub strategy: AdversaryStrategy,
    /// The most that it is short; whole debt tokens' worth.
    pub capital: f64,
    /// Seconds for which it stays short at most.
    pub patience: u64,
    /// How far below the reference price the manipulator holds the venue; no other uses it.
    pub push: f64,
    /// The share of slots that the grinder proposes; no other uses it.
    #[serde(default = "AdversaryParameters::slots")]
    pub slots: f64,
    /// Hashes among which he chooses for a block that seeds turns; 1 for no choice.
    #[serde(default = "AdversaryParameters::tries")]
    pub tries: u32,
    /// What a block that he withholds would have paid him; whole debt tokens.
    #[serde(default = "AdversaryParameters::slot_reward")]
    pub slot_reward: f64,
}

impl AdversaryParameters {
    /// One with so much capital, and as much of everything else as the shipped scenarios give.
    #[must_use]
    pub const fn with_capital(strategy: AdversaryStrategy, capital: f64) -> Self {
        Self {
            strategy,
            capital,
            patience: 1_800,
            push: 0.03,
            slots: Self::slots(),
            tries: Self::tries(),
            slot_reward: Self::slot_reward(),
        }
    }

    const fn slots() -> f64 {
        0.25
    }

    const fn tries() -> u32 {
        64
    }

    /// 0.05 ether at 2,000.
    const fn slot_reward() -> f64 {
        100.0
    }
}

/// What the damped policy's bonus rises with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BonusMode {
    /// The time since the account was flagged.
    Time,
    /// How deep the position is in the damped zone.
    Health,
}

/// How the damped policy draws turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TurnMode {
    /// Every turn is open.
    Off,
    /// The bit-reversed epoch counter, shifted by a phase an account.
    Systematic,
    /// The same, with a block hash in the phase.
    Seeded,
    /// Independent draws.
    Bernoulli,
}

/// What the damped policy's volume bucket does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BucketMode {
    /// Nothing.
    Off,
    /// Ends damped sales at its reserve.
    HardStop,
    /// Scales slice and bonus.
    Scaling,
}

/// What a run changes of the deployment's default parameters, for ablations; what is left out keeps the default of the
/// contracts. Ratios and seconds, as in `DampedParameters.sol`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DampedOverrides {
    /// Whether a second price must confirm.
    pub confirmation: Option<bool>,
    /// Seconds over which the venue averages the price that confirms, and the depth that it shows beside it.
    pub confirmation_seconds: Option<u32>,
    /// Whether the damped zone waits while the breaker pauses.
    pub obeys_pause: Option<bool>,
    /// What the bonus rises with.
    pub bonus_mode: Option<BonusMode>,
    /// bmin; held to the listing's greatest bonus, so that one figure can say "the whole bonus at once" of every listing.
    pub bonus_min: Option<f64>,
    /// tau, seconds.
    pub auction_seconds: Option<u64>,
    /// HF_t.
    pub target_health: Option<f64>,
    /// s0; 1 is off.
    pub slice_base: Option<f64>,
    /// How turns are drawn.
    pub turn_mode: Option<TurnMode>,
    /// p0.
    pub turn_floor: Option<f64>,
    /// What the bucket does.
    pub bucket_mode: Option<BucketMode>,
    /// rho.
    pub refill_share: Option<f64>,
    /// T: all the collateral's value is refilled in this time at least, seconds.
    pub min_refill_seconds: Option<u64>,
    /// The share of the bucket that damped calls leave.
    pub reserve_share: Option<f64>,
    /// Gas that the bonus pays for in a stressed market; 0 is off.
    pub liquidation_gas: Option<u64>,
    /// Whether the breaker has any signal. Without one it never leaves `Normal`: nothing waits, new risk is never refused, and
    /// no gas is paid for.
    pub breaker: Option<bool>,
    /// σ of the damped listing in place of the scenario's; held to what may be listed beside the other margins.
    pub slippage_margin: Option<f64>,
}

/// A world without its price path, gas path and accounts, which the caller supplies as series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldParameters {
    /// How the collateral is listed.
    pub collateral: CollateralParameters,
    /// The venue.
    pub venue: VenueParameters,
    /// The feed.
    pub feed: FeedParameters,
    /// The network.
    pub network: NetworkParameters,
    /// The liquidators.
    pub keepers: KeeperParameters,
    /// The borrowers.
    pub borrowers: BorrowerParameters,
    /// Noise traders, if there are any.
    #[serde(default)]
    pub noise: Option<NoiseParameters>,
    /// An adversary, if there is one.
    #[serde(default)]
    pub adversary: Option<AdversaryParameters>,
    /// A backstop before the policy, if there is one.
    #[serde(default)]
    pub backstop: Option<BackstopParameters>,
    /// Lenders' deposits over all debt at the start; at least 1.
    pub lender_assets_over_debt: f64,
    /// What differs from the deployment's defaults.
    #[serde(default)]
    pub damped: DampedOverrides,
}

/// One position at the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Account {
    /// Whole collateral tokens.
    pub collateral: f64,
    /// Whole debt tokens.
    pub debt: f64,
}

/// The series and accounts of a run; one entry a block, entry 0 the state at the start.
#[derive(Clone, Debug)]
pub struct WorldInput {
    /// Unix seconds of block 0.
    pub start: u64,
    /// The outside world's price: debt tokens per whole collateral token. Its length is the number of blocks plus 1.
    pub prices: Vec<f64>,
    /// The going gas price in gwei. As long as `prices`.
    pub gas_gwei: Vec<f64>,
    /// The price of the chain's native token in debt tokens, for gas; as long as `prices`.
    pub native_prices: Vec<f64>,
    /// The venue's collateral reserve relative to the start, where a file says so; empty for constant.
    pub depth: Vec<f64>,
    /// The positions.
    pub accounts: Vec<Account>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_outages_hold_from_their_first_second_to_before_their_last() {
        let feed = FeedParameters {
            deviation: 0.005,
            heartbeat: 3_600,
            delay: 0,
            believed_for: None,
            errors: vec![
                FeedError {
                    from: 60,
                    until: 120,
                    ratio: -0.1,
                },
                FeedError {
                    from: 100,
                    until: 110,
                    ratio: 1.0,
                },
            ],
            outages: vec![FeedOutage {
                from: 119,
                until: 130,
            }],
        };
        let written = |elapsed| feed.written(elapsed, 100.0);
        assert_eq!((written(59), written(60)), (Some(100.0), Some(90.0)));
        assert_eq!((written(100), written(118)), (Some(180.0), Some(90.0)));
        assert_eq!((written(119), written(129)), (None, None));
        assert_eq!(written(130), Some(100.0));
        assert_eq!(feed.believed_for(), 4_200);
    }

    #[test]
    fn the_highest_share_of_missed_slots_applies() {
        let slots = |from, until, share| MissedSlots { from, until, share };
        let network = NetworkParameters {
            slot_seconds: 12,
            gas_limit: 30_000_000,
            demand_elasticity: 1.0,
            missed: vec![slots(0, 600, 0.01), slots(120, 240, 0.5)],
        };
        assert_eq!(network.missed_share(119), 0.01);
        assert_eq!(network.missed_share(120), 0.5);
        assert_eq!(network.missed_share(600), 0.0);
    }
}
