//! Borrowers and what falls with them.

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};

use super::figure;

/// Where a position stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// Health factor of at least 1.
    Healthy,
    /// Below 1 and liquidated gradually.
    Damped,
    /// Low enough that nothing holds a liquidation.
    Hard,
    /// Worth less than its debt and the settlement's bonus.
    Insolvent,
}

impl Zone {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Healthy, Self::Damped, Self::Hard, Self::Insolvent];

    /// As served.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Damped => "damped",
            Self::Hard => "hard",
            Self::Insolvent => "insolvent",
        }
    }
}

/// What stands in a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ZoneTotal {
    /// How many positions.
    pub positions: u64,
    /// Their debt.
    #[serde(deserialize_with = "figure")]
    pub debt: f64,
}

/// One borrower's debt, with the collateral that would be seized first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PositionStatus {
    /// The borrower.
    pub account: Address,
    /// Number of the collateral in the pool.
    pub collateral_id: u32,
    /// The collateral's symbol, not to be trusted.
    pub collateral: String,
    /// Whole collateral tokens.
    #[serde(deserialize_with = "figure")]
    pub amount: f64,
    /// Debt, accrued.
    #[serde(deserialize_with = "figure")]
    pub debt: f64,
    /// Health factor at the fast prices.
    #[serde(deserialize_with = "figure")]
    pub health: f64,
    /// Price of that collateral at which the health factor is 1, the others unmoved; `None` where no price of it does that.
    pub liquidation_price: Option<f64>,
    /// Fall of the prices of all that is held, by the same share, to where the health factor is 1: 0.05 is 5% away, below 0 is past it.
    pub distance: Option<f64>,
    /// Where it stands.
    pub zone: Zone,
    /// When its auction's clock was started, if it was.
    pub flagged_since: Option<u64>,
    /// When its next turn opens; a time not after the head's means now.
    pub next_turn: Option<u64>,
    /// The bonus that a liquidation would have now.
    pub bonus: Option<f64>,
    /// When this keeper means to bid.
    pub planned_at: Option<u64>,
    /// What it expects to earn then, net of gas and risk margin; debt tokens.
    pub expected_profit: Option<f64>,
    /// Why it does not bid now.
    pub why_not: Option<String>,
}

/// What falls if one collateral's price drops by a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FallStep {
    /// Number of the collateral in the pool.
    pub collateral_id: u32,
    /// Drop from the present price: 0.05 is 5%. The step reaches from the drop before, or 0, to this one.
    #[serde(deserialize_with = "figure")]
    pub drop: f64,
    /// The price after that drop.
    #[serde(deserialize_with = "figure")]
    pub price: f64,
    /// Debt whose liquidation price lies in the step.
    #[serde(deserialize_with = "figure")]
    pub debt: f64,
    /// How many positions that is.
    pub positions: u64,
}
