//! What the liquidation policies decide, to the wei.
//!
//! A port of `RigidPolicy.sol`, `TargetHealthPolicy.sol`, `DampedPolicy.sol` and of `BackstopPolicy.sol`, which stands before one of
//! them, with their libraries, from the sources under `contracts/liquidation`, `contracts/backstop` and `contracts/libraries`, where
//! every formula is derived. [`Policy::quote`] takes what a pool
//! would ask ([`LiquidationRequest`]), what the policy has stored ([`PolicyState`], built from its events) and what the chain
//! would supply ([`Environment`]), and answers what the contract would grant, what `commit` would store, and why.
//!
//! Same widths, same rounding, same order of checks. Where the contract reverts, for an overflow or for a price or a debt of
//! 0, the port answers [`ArithmeticError`] and never another value. What it leaves out is gas: an oracle that spends its
//! allowance reads as 0 on chain, and whoever fills an [`Environment`] has to say so.
//!
//! For a planner, [`DampedPolicy`] inverts its curves: [`DampedPolicy::seconds_until_bonus`], [`DampedPolicy::next_open_turn`],
//! [`DampedPolicy::bucket_seconds_until`].
//!
//! ```
//! use alloy_primitives::U256;
//! use breakwater_protocol::math::WAD;
//! use breakwater_protocol::policy::{
//!     DampedParameters, DampedPolicy, Environment, LiquidationRequest, Policy, PolicyState, Refusal,
//! };
//!
//! let damped = DampedPolicy::new(DampedParameters::default())?;
//! // 1% at once, 5% after twenty minutes: 3% in half the time.
//! let three_percent = WAD * U256::from(3) / U256::from(100);
//! assert_eq!(damped.seconds_until_bonus(three_percent, WAD), Some(600));
//!
//! let healthy = LiquidationRequest { health_fast: WAD, ..LiquidationRequest::default() };
//! let decision =
//!     Policy::Damped(damped).quote(&PolicyState::default(), &healthy, &Environment::default())?;
//! assert_eq!(decision.grant.refusal, Refusal::Healthy);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod backstop;
mod baseline;
pub mod bucket;
pub mod clock;
mod damped;
mod draft;
pub mod liquidation;
mod parameters;
mod planner;
mod state;
pub mod turns;
mod types;

pub use crate::math::ArithmeticError;
pub use backstop::{BackstopPolicy, Behind, InvalidAbsorptionHealth, MAX_ABSORPTION_BONUS};
pub use baseline::{InvalidTarget, RigidPolicy, TargetHealthPolicy};
pub use bucket::Observed;
pub use clock::ClockEvent;
pub use damped::DampedPolicy;
pub use parameters::{BonusMode, BucketMode, DampedParameters, ParameterError, TurnMode};
pub use planner::NextTurn;
pub use state::{
    AccountEpoch, Bucket, DepthObservation, Flag, PolicyState, Seed, Slots, UnexpectedEvent, Write,
};
pub use types::{
    BreakerLevel, Decision, Environment, LiquidationGrant, LiquidationRequest, Reasoning, Refusal,
    UnknownVariant, Zone,
};

/// A pool's liquidation policy.
#[expect(
    clippy::large_enum_variant,
    reason = "a pool has one, and it is copied seldom"
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// Fixed close factor, fixed bonus.
    Rigid(RigidPolicy),
    /// Close to a target health factor, at a bonus that rises as health falls.
    TargetHealth(TargetHealthPolicy),
    /// Auctioned bonus, target health, volume bucket and turns.
    Damped(DampedPolicy),
}

impl Policy {
    /// What the policy would grant the environment's pool now, and what its `commit` would store for it. `state` is what it
    /// has stored for that pool; the undamped policies store nothing.
    ///
    /// # Errors
    /// [`ArithmeticError`] where the contract reverts.
    pub fn quote(
        &self,
        state: &PolicyState,
        request: &LiquidationRequest,
        environment: &Environment,
    ) -> Result<Decision, ArithmeticError> {
        match self {
            Self::Rigid(policy) => policy.decide(request),
            Self::TargetHealth(policy) => policy.decide(request),
            Self::Damped(policy) => policy.decide(
                &state.slots(request.account, request.collateral_id),
                request,
                environment,
            ),
        }
    }

    /// Whether the policy reads [`LiquidationRequest::health_confirmed`] or [`LiquidationRequest::price_cumulative`].
    #[must_use]
    pub fn needs_confirmation(&self) -> bool {
        match self {
            Self::Rigid(_) | Self::TargetHealth(_) => false,
            Self::Damped(policy) => policy.needs_confirmation(),
        }
    }
}
