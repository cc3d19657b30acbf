//! The policies that dampen nothing and store nothing: `RigidPolicy.sol` and `TargetHealthPolicy.sol`.

use super::{
    liquidation::{
        interpolate_down, repay_for_up, seize_down, target_repay_up, without_dust_left,
        zone_depth_down,
    },
    types::{Decision, LiquidationGrant, LiquidationRequest, Reasoning, Refusal, Zone},
};
use crate::math::{ArithmeticError, WAD, add, mul, value_down};
use alloy_primitives::U256;
use thiserror::Error;

/// The share of debt that may be repaid at once under the rigid rules, 0.5 WAD.
const CLOSE_FACTOR: U256 = U256::from_limbs([500_000_000_000_000_000, 0, 0, 0]);

/// At or below this health factor all of it may be, 0.95 WAD.
const FULL_CLOSE_HEALTH: U256 = U256::from_limbs([950_000_000_000_000_000, 0, 0, 0]);

/// Fixed close factor, fixed bonus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RigidPolicy {
    /// The bonus, WAD; a collateral's own maximum caps it.
    pub bonus: U256,
}

impl RigidPolicy {
    /// What the contract decides.
    ///
    /// # Errors
    /// [`ArithmeticError`] where the contract reverts.
    pub fn decide(&self, request: &LiquidationRequest) -> Result<Decision, ArithmeticError> {
        if request.health_fast >= WAD {
            return Ok(refused(Refusal::Healthy, Reasoning::default()));
        }
        let full = full_close_allowed(request)?;
        let most = if full {
            request.debt
        } else {
            mul(request.debt, CLOSE_FACTOR)? / WAD
        };
        let limit = request.asked.min(most);
        let repay = without_dust_left(limit, request.debt, request.min_debt, full)?;
        let bonus = self.bonus.min(request.max_bonus);
        let multiplier = add(WAD, bonus)?;
        let reasoning = reasoning(request, bonus, multiplier, most);
        let (repay, seize) = seize_down(repay, multiplier, request.price, request.collateral)?;
        if seize.is_zero() {
            return Ok(refused(Refusal::ZeroAmount, reasoning));
        }
        Ok(granted(repay, seize, bonus, reasoning))
    }
}

/// Small is less than twice the dust, so that half of it is not dust.
fn full_close_allowed(request: &LiquidationRequest) -> Result<bool, ArithmeticError> {
    let half = |value: U256| value >> 1;
    if request.health_fast <= FULL_CLOSE_HEALTH || half(request.debt) < request.min_debt {
        return Ok(true);
    }
    Ok(half(value_down(request.collateral, request.price)?) < request.min_debt)
}

/// Close to a target health factor, at a bonus that rises as health falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetHealthPolicy {
    target_health: U256,
    full_bonus_health: U256,
    bonus_share_at_one: U256,
}

/// A target below 1, a health factor for the full bonus of 1 or more, or a share above 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "target health {target_health}, health of the full bonus {full_bonus_health}, share at one {bonus_share_at_one}"
)]
pub struct InvalidTarget {
    /// WAD.
    pub target_health: U256,
    /// WAD.
    pub full_bonus_health: U256,
    /// WAD.
    pub bonus_share_at_one: U256,
}

impl TargetHealthPolicy {
    /// All WAD. `target_health` is HF_t; at or below `full_bonus_health` the bonus is the collateral's maximum, just below
    /// a health factor of 1 it is `bonus_share_at_one` of it.
    ///
    /// # Errors
    /// [`InvalidTarget`] where the contract's constructor reverts.
    pub fn new(
        target_health: U256,
        full_bonus_health: U256,
        bonus_share_at_one: U256,
    ) -> Result<Self, InvalidTarget> {
        if target_health < WAD || full_bonus_health >= WAD || bonus_share_at_one > WAD {
            return Err(InvalidTarget {
                target_health,
                full_bonus_health,
                bonus_share_at_one,
            });
        }
        Ok(Self {
            target_health,
            full_bonus_health,
            bonus_share_at_one,
        })
    }

    /// The bonus at a health factor, WAD, rounded down.
    ///
    /// # Errors
    /// [`ArithmeticError`] where the contract reverts: a maximum of 2^196 or more.
    pub fn bonus_at(&self, health: U256, max_bonus: U256) -> Result<U256, ArithmeticError> {
        interpolate_down(
            mul(max_bonus, self.bonus_share_at_one)? / WAD,
            max_bonus,
            zone_depth_down(health, self.full_bonus_health),
        )
    }

    /// What the contract decides.
    ///
    /// # Errors
    /// [`ArithmeticError`] where the contract reverts.
    pub fn decide(&self, request: &LiquidationRequest) -> Result<Decision, ArithmeticError> {
        if request.health_fast >= WAD {
            return Ok(refused(Refusal::Healthy, Reasoning::default()));
        }
        let bonus = self.bonus_at(request.health_fast, request.max_bonus)?;
        let multiplier = add(WAD, bonus)?;
        let target = target_repay_up(
            request.debt,
            request.health_fast,
            self.target_health,
            multiplier,
            request.liquidation_threshold,
        )?;
        let reasoning = reasoning(request, bonus, multiplier, target);
        let repay = request.asked.min(target);
        let repay = without_dust_left(repay, request.debt, request.min_debt, true)?;
        let (repay, seize) = seize_down(repay, multiplier, request.price, request.collateral)?;
        if seize.is_zero() {
            return Ok(refused(Refusal::ZeroAmount, reasoning));
        }
        let leaves_dust = repay < request.debt
            && seize < request.collateral
            && value_down(request.collateral - seize, request.price)? < request.min_debt;
        if leaves_dust {
            let repay = repay_for_up(request.collateral, multiplier, request.price)?;
            return Ok(granted(
                repay.min(request.debt),
                request.collateral,
                bonus,
                reasoning,
            ));
        }
        Ok(granted(repay, seize, bonus, reasoning))
    }
}

fn reasoning(
    request: &LiquidationRequest,
    bonus: U256,
    multiplier: U256,
    target_repay: U256,
) -> Reasoning {
    Reasoning {
        zone: Zone::Damped,
        bonus_cap: request.max_bonus,
        base_bonus: bonus,
        multiplier,
        target_repay,
        limit: request.asked,
        limited_by: Refusal::ZeroAmount,
        ..Reasoning::default()
    }
}

fn granted(repay: U256, seize: U256, bonus: U256, reasoning: Reasoning) -> Decision {
    Decision {
        grant: LiquidationGrant {
            repay,
            seize,
            bonus,
            refusal: Refusal::None,
        },
        writes: Vec::new(),
        reasoning,
    }
}

fn refused(refusal: Refusal, reasoning: Reasoning) -> Decision {
    Decision {
        grant: LiquidationGrant::refused(refusal),
        writes: Vec::new(),
        reasoning,
    }
}
