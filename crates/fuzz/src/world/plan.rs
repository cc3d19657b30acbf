//! What distinguishes one world from another, as `test/fuzz/WorldPlan.sol` and the contracts beside it say it in Solidity.

use alloy_primitives::U256;
use breakwater_protocol::math::WAD;
use breakwater_protocol::policy::{BucketMode, TurnMode};

use super::COLLATERALS;

/// A liquidation policy; what is not named is as by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyPlan {
    /// The default damped policy with these modes.
    Damped {
        /// How turns are drawn. Where they are, the policy waits for the breaker's pauses too.
        turns: TurnMode,
        /// What the bucket does.
        bucket: BucketMode,
        /// s0, WAD.
        slice_base: U256,
    },
    /// A fixed bonus.
    Rigid,
    /// To a target health factor.
    TargetHealth,
}

/// A world in figures.
#[derive(Debug)]
pub struct WorldPlan {
    /// What a user calls it.
    pub name: &'static str,
    /// The contract of `test/fuzz` that builds it.
    pub fixture: &'static str,
    /// Of the dollar.
    pub asset_decimals: u8,
    /// Of ether and bitcoin.
    pub token_decimals: [u8; COLLATERALS],
    /// The venue's tick at an ether of 2,000 dollars.
    pub tick: i32,
    /// Its liquidity: some four million dollars within 2%.
    pub liquidity: u128,
    /// Seconds from the deployment to the start of sequences: past the oracles' first window, and past the backstop's queue.
    pub warm_up: u64,
    /// The pool begins with the first.
    pub policies: &'static [PolicyPlan],
    /// Whether there is a backstop before the first policy, and the pool belongs to its steward.
    pub with_backstop: bool,
}

/// Every world, the default one first.
pub static WORLDS: [WorldPlan; 3] = [
    WorldPlan {
        name: "default",
        fixture: "DefaultWorld",
        asset_decimals: 6,
        token_decimals: [18, 8],
        tick: -200_311,
        liquidity: 10_000_000_000_000_000_000,
        warm_up: 31 * 60,
        policies: &[
            PolicyPlan::Damped {
                turns: TurnMode::Off,
                bucket: BucketMode::HardStop,
                slice_base: WAD,
            },
            PolicyPlan::Rigid,
        ],
        with_backstop: false,
    },
    WorldPlan {
        name: "variant",
        fixture: "VariantWorld",
        asset_decimals: 18,
        token_decimals: [18, 6],
        tick: 76_013,
        liquidity: 10_000_000_000_000_000_000_000_000,
        warm_up: 31 * 60,
        policies: &[
            PolicyPlan::Damped {
                turns: TurnMode::Seeded,
                bucket: BucketMode::HardStop,
                slice_base: WAD,
            },
            PolicyPlan::Damped {
                turns: TurnMode::Bernoulli,
                bucket: BucketMode::Scaling,
                slice_base: U256::from_limbs([500_000_000_000_000_000, 0, 0, 0]),
            },
            PolicyPlan::TargetHealth,
        ],
        with_backstop: false,
    },
    WorldPlan {
        name: "backstop",
        fixture: "BackstopWorld",
        asset_decimals: 6,
        token_decimals: [18, 8],
        tick: -200_311,
        liquidity: 10_000_000_000_000_000_000,
        warm_up: 25 * 3_600,
        policies: &[PolicyPlan::Damped {
            turns: TurnMode::Off,
            bucket: BucketMode::HardStop,
            slice_base: WAD,
        }],
        with_backstop: true,
    },
];

impl WorldPlan {
    /// Whether anybody may have to wait for a turn.
    #[must_use]
    pub fn draws_turns(&self) -> bool {
        self.policies.iter().any(|policy| match policy {
            PolicyPlan::Damped { turns, .. } => *turns != TurnMode::Off,
            PolicyPlan::Rigid | PolicyPlan::TargetHealth => false,
        })
    }

    /// So many whole dollars, base units.
    #[must_use]
    pub fn dollars(&self, whole: u64) -> U256 {
        U256::from(whole) * power_of_ten(self.asset_decimals.into())
    }

    /// So many whole ether or bitcoin, base units.
    #[must_use]
    pub fn tokens(&self, id: usize, whole: u64) -> U256 {
        U256::from(whole) * power_of_ten(self.token_decimals[id].into())
    }

    /// The smallest debt that may be opened at first, base units.
    #[must_use]
    pub fn minimum_debt(&self) -> U256 {
        self.dollars(100)
    }

    /// The price, scaled by 1e36, of one unit of a feed's answer (8 decimals).
    #[must_use]
    pub fn price_of_answer(&self, id: usize) -> U256 {
        power_of_ten(
            36 + usize::from(self.asset_decimals) - 8 - usize::from(self.token_decimals[id]),
        )
    }

    /// The venue's price at a unit of the first feed's answer. Only ever an input: rounding is no matter.
    #[must_use]
    pub fn venue_scale(&self) -> f64 {
        10_f64.powi(i32::from(self.asset_decimals) - i32::from(self.token_decimals[0]) - 8)
    }
}

fn power_of_ten(exponent: usize) -> U256 {
    U256::from(10).pow(U256::from(exponent))
}
