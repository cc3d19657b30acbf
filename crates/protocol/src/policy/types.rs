//! What goes into a decision and what comes out.

use super::{bucket::Observed, clock::ClockEvent, state::Write};
use alloy_primitives::{Address, B256, U256};
use breakwater_bindings::ILiquidationPolicy;
use std::fmt;
use thiserror::Error;

/// A number that names no variant of an enum of the contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{value} is no {name}")]
pub struct UnknownVariant {
    /// The enum.
    pub name: &'static str,
    /// The number.
    pub value: u8,
}

/// Declares an enum that mirrors one of the contracts: its numbers both ways.
macro_rules! mirrored_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$note:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { #[default] $($(#[$note])* $variant),+ }

        impl $name {
            /// Every variant, in order of its number.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
        }

        impl TryFrom<u8> for $name {
            type Error = UnknownVariant;

            fn try_from(value: u8) -> Result<Self, UnknownVariant> {
                Self::ALL
                    .get(usize::from(value))
                    .copied()
                    .ok_or(UnknownVariant { name: stringify!($name), value })
            }
        }

        impl From<$name> for u8 {
            fn from(value: $name) -> Self {
                value as Self
            }
        }
    };
}
pub(super) use mirrored_enum;

mirrored_enum! {
    /// Why nothing is granted.
    Refusal {
        /// Something is granted.
        None,
        /// The position is not below a health factor of 1 at the price that decides.
        Healthy,
        /// The fast price says unhealthy, the confirming price does not.
        Unconfirmed,
        /// The account's turn is not open in this epoch.
        Turn,
        /// The collateral's volume bucket is empty.
        Bucket,
        /// The account's slice of this epoch is used up.
        Slice,
        /// The circuit breaker holds the damped zone.
        Paused,
        /// Selling this collateral at this bonus would not raise the health factor.
        WrongCollateral,
        /// The amount asked for, or what it would seize, rounds to nothing.
        ZeroAmount,
        /// Said by the pool, never by a policy: a held collateral has no price.
        PriceDown,
        /// Said by the pool, never by a policy: the account does not hold the collateral or has no debt.
        NotHeld,
        /// The backstop takes the position, and comes first.
        Backstop,
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "granted",
            Self::Healthy => "healthy",
            Self::Unconfirmed => "not confirmed by the second price",
            Self::Turn => "its turn is not open",
            Self::Bucket => "the volume bucket is empty",
            Self::Slice => "its slice of the epoch is used up",
            Self::Paused => "held by the circuit breaker",
            Self::WrongCollateral => "selling this collateral would not help",
            Self::ZeroAmount => "the amount rounds to nothing",
            Self::PriceDown => "a collateral has no price",
            Self::NotHeld => "no debt, or the collateral is not held",
            Self::Backstop => "the backstop comes first",
        })
    }
}

mirrored_enum! {
    /// What the market's condition permits.
    BreakerLevel {
        /// Everything.
        Normal,
        /// No new risk; the bonus pays for gas.
        Stressed,
        /// Also, damped-zone liquidations wait where the policy obeys it.
        Paused,
        /// The same, declared by governance.
        Halted,
    }
}

/// What a pool asks its policy. Debt and values are base units of the debt token, prices scaled by 1e36, ratios WAD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiquidationRequest {
    /// The position's owner.
    pub account: Address,
    /// The pool's index of the collateral to be seized.
    pub collateral_id: u64,
    /// Debt that the liquidator offers to repay; 0 only starts clocks.
    pub asked: U256,
    /// D, rounded up. Never 0.
    pub debt: U256,
    /// What the account holds of the collateral, base units.
    pub collateral: U256,
    /// F of that collateral. Never 0.
    pub price: U256,
    /// The integral of F over time, price * seconds.
    pub price_cumulative: U256,
    /// The value of all the account's collateral at the fast prices, rounded down.
    pub collateral_value: U256,
    /// HF_F, rounded down.
    pub health_fast: U256,
    /// The health factor at the confirmed prices; `health_fast` where the policy does not ask for it.
    pub health_confirmed: U256,
    /// HF_hard: at or below it nothing dampens. 1 where damping is off.
    pub health_hard: U256,
    /// LT of the collateral.
    pub liquidation_threshold: U256,
    /// The collateral's own cap of the bonus.
    pub max_bonus: U256,
    /// All of that collateral in the pool, base units.
    pub total_collateral: U256,
    /// Dust: the smallest debt that is worth a liquidation.
    pub min_debt: U256,
    /// The collateral's oracle, asked for its depth.
    pub oracle: Address,
    /// The circuit breaker's level.
    pub breaker: BreakerLevel,
}

impl From<&LiquidationRequest> for ILiquidationPolicy::LiquidationRequest {
    fn from(request: &LiquidationRequest) -> Self {
        Self {
            account: request.account,
            collateralId: U256::from(request.collateral_id),
            asked: request.asked,
            debt: request.debt,
            collateral: request.collateral,
            price: request.price,
            priceCumulative: request.price_cumulative,
            collateralValue: request.collateral_value,
            healthFast: request.health_fast,
            healthConfirmed: request.health_confirmed,
            healthHard: request.health_hard,
            liquidationThreshold: request.liquidation_threshold,
            maxBonus: request.max_bonus,
            totalCollateral: request.total_collateral,
            minDebt: request.min_debt,
            oracle: request.oracle,
            breaker: request.breaker.into(),
        }
    }
}

/// What a policy grants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LiquidationGrant {
    /// Debt to repay, base units: at most the debt, and at most what was asked but for dust.
    pub repay: U256,
    /// Collateral to hand over, base units.
    pub seize: U256,
    /// The bonus over the value of `repay`, WAD.
    pub bonus: U256,
    /// Why nothing is granted; [`Refusal::None`] otherwise.
    pub refusal: Refusal,
}

impl LiquidationGrant {
    /// Nothing, and why.
    #[must_use]
    pub const fn refused(refusal: Refusal) -> Self {
        Self {
            repay: U256::ZERO,
            seize: U256::ZERO,
            bonus: U256::ZERO,
            refusal,
        }
    }
}

impl TryFrom<&ILiquidationPolicy::LiquidationGrant> for LiquidationGrant {
    type Error = UnknownVariant;

    fn try_from(grant: &ILiquidationPolicy::LiquidationGrant) -> Result<Self, UnknownVariant> {
        Ok(Self {
            repay: grant.repay,
            seize: grant.seize,
            bonus: grant.bonus,
            refusal: grant.refusal.try_into()?,
        })
    }
}

/// What the chain supplies to a decision besides the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// The chain.
    pub chain_id: u64,
    /// The pool that asks.
    pub pool: Address,
    /// Of the block in which the decision is made, unix seconds.
    pub timestamp: u64,
    /// Of that block.
    pub block_number: u64,
    /// Of that block, wei per gas. Only the gas bonus reads it.
    pub base_fee: u64,
    /// The hash of the block that the stored [`Seed::anchor`](super::Seed::anchor) names; zero if it is not known. Only
    /// seeded turns read it, and only where the EVM would still know it.
    pub anchor_hash: B256,
    /// The fast price of the chain's native coin in the debt token, scaled by 1e36; 0 if it is down or cannot be read.
    /// Only the gas bonus reads it.
    pub native_price: U256,
    /// `depth` of the collateral's oracle, base units of the debt token; 0 if it cannot be read.
    pub depth_reading: U256,
}

/// Where a position stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Zone {
    /// HF ≥ 1.
    #[default]
    Healthy,
    /// HF_hard < HF < 1. The policies that do not dampen know no other below 1.
    Damped,
    /// HF ≤ HF_hard: nothing dampens.
    Hard,
}

/// How a decision came about. What was not reached is at its default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// Where the position stands.
    pub zone: Zone,
    /// z, how far into the damped zone, WAD.
    pub zone_depth: U256,
    /// Seconds that count for the auction.
    pub elapsed: u64,
    /// What the reading did to the clock.
    pub clock: ClockEvent,
    /// The cap of the bonus, WAD: the lower of the policy's and the collateral's.
    pub bonus_cap: U256,
    /// The bonus of auction or health, after a scaling bucket and before gas, WAD.
    pub base_bonus: U256,
    /// What gas adds to it, WAD.
    pub gas_bonus: U256,
    /// B at the end: 1 + bonus, held to C / D, WAD.
    pub multiplier: U256,
    /// x_t, base units.
    pub target_repay: U256,
    /// The least of what was asked, the slice and the bucket's share, base units.
    pub limit: U256,
    /// What set it: [`Refusal::Slice`], [`Refusal::Bucket`], or [`Refusal::ZeroAmount`] for what was asked.
    pub limited_by: Refusal,
    /// The bucket's level over its cap, WAD.
    pub fullness: U256,
    /// What the bucket's reading did, if there was one.
    pub observed: Option<Observed>,
    /// p, WAD.
    pub turn_probability: U256,
    /// u, WAD: the turn is open if it is below p.
    pub turn_draw: U256,
}

/// What a policy decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// What `quote` answers, and `commit`.
    pub grant: LiquidationGrant,
    /// What `commit` would store, in the order of its events.
    pub writes: Vec<Write>,
    /// How it came about.
    pub reasoning: Reasoning,
}
