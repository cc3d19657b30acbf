//! Gradual liquidation: `DampedPolicy.sol`.

use super::{
    bucket::{Observed, depth_floor},
    draft::Draft,
    parameters::{BonusMode, DampedParameters, ParameterError},
    state::{Bucket, DepthObservation, Slots, Write},
    types::{Decision, Environment, LiquidationRequest},
};
use crate::math::{ArithmeticError, value_down};
use alloy_primitives::U256;

/// Auctioned bonus, target health, volume bucket and turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DampedPolicy {
    parameters: DampedParameters,
}

impl DampedPolicy {
    /// A policy of these parameters.
    ///
    /// # Errors
    /// [`ParameterError`] where the contract's constructor reverts.
    pub fn new(parameters: DampedParameters) -> Result<Self, ParameterError> {
        parameters.validate()?;
        Ok(Self { parameters })
    }

    /// Its parameters.
    #[must_use]
    pub const fn parameters(&self) -> &DampedParameters {
        &self.parameters
    }

    /// Whether the policy reads [`LiquidationRequest::health_confirmed`] or [`LiquidationRequest::price_cumulative`].
    #[must_use]
    pub fn needs_confirmation(&self) -> bool {
        self.parameters.confirmation || self.parameters.bonus_mode == BonusMode::Time
    }

    /// What the contract decides, and what its `commit` stores.
    ///
    /// # Errors
    /// [`ArithmeticError`] where the contract reverts.
    pub fn decide(
        &self,
        slots: &Slots,
        request: &LiquidationRequest,
        environment: &Environment,
    ) -> Result<Decision, ArithmeticError> {
        Draft::new(self, slots, request, environment).decide()
    }

    /// What `recordDepth` stores for a collateral of which the pool holds `total_collateral` at `price`; nothing, if the
    /// last reading is less than a minute old and the floor has not fallen since. The price must not be 0: the contract
    /// refuses that.
    ///
    /// # Errors
    /// [`ArithmeticError`] where the contract reverts.
    pub fn record_depth(
        &self,
        collateral_id: u64,
        mut bucket: Bucket,
        seen: DepthObservation,
        total_collateral: U256,
        price: U256,
        environment: &Environment,
    ) -> Result<Vec<Write>, ArithmeticError> {
        if bucket.is_due(&seen, environment.timestamp) {
            let (observation, _) =
                self.observe(&mut bucket, &seen, total_collateral, price, environment)?;
            return Ok(vec![
                Write::Bucket {
                    collateral_id,
                    bucket,
                },
                Write::Observation {
                    collateral_id,
                    observation,
                },
            ]);
        }
        let floor = self.depth_floor(total_collateral, price)?;
        if floor >= U256::from(seen.floor) {
            return Ok(Vec::new());
        }
        Ok(vec![Write::Observation {
            collateral_id,
            observation: DepthObservation {
                floor: floor.saturating_to(),
                ..seen
            },
        }])
    }

    pub(super) fn observe(
        &self,
        bucket: &mut Bucket,
        previous: &DepthObservation,
        total_collateral: U256,
        price: U256,
        environment: &Environment,
    ) -> Result<(DepthObservation, Observed), ArithmeticError> {
        Ok(bucket.observe(
            previous,
            environment.depth_reading,
            self.depth_floor(total_collateral, price)?,
            self.parameters.refill_share,
            self.parameters.depth_memory_seconds,
            environment.timestamp,
        ))
    }

    fn depth_floor(&self, total_collateral: U256, price: U256) -> Result<U256, ArithmeticError> {
        depth_floor(
            value_down(total_collateral, price)?,
            self.parameters.refill_share,
            self.parameters.min_refill_seconds,
        )
    }
}
