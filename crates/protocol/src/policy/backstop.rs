//! A policy with a backstop before it: `BackstopPolicy.sol`.

use super::{
    Policy,
    liquidation::{seize_down, target_repay_up, without_dust_left},
    state::PolicyState,
    types::{BreakerLevel, Decision, Environment, LiquidationGrant, LiquidationRequest, Refusal},
};
use crate::math::{ArithmeticError, WAD, mul_div_up};
use alloy_primitives::U256;
use thiserror::Error;

/// The most that the backstop is paid, 0.02 WAD.
pub const MAX_ABSORPTION_BONUS: U256 = U256::from_limbs([20_000_000_000_000_000, 0, 0, 0]);

/// A position worth whatever its debt needs: solvency must not cap what the policy behind is asked for.
const SOLVENT: U256 = U256::from_limbs([u64::MAX, u64::MAX, 0, 0]);

/// What the contract puts before a policy. What a policy behind it grants, stores and emits is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackstopPolicy {
    absorption_health: U256,
}

/// HF_t of absorptions is not above 1, or above 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the health of absorptions is {0}, expected above 1 and at most 2 WAD")]
pub struct InvalidAbsorptionHealth(pub U256);

/// What a decision is made from: the policy behind, what it has stored, and what the chain supplies.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'a> {
    /// The policy behind.
    pub policy: &'a Policy,
    /// What it has stored for the environment's pool, at the wrapper's address.
    pub state: &'a PolicyState,
    /// What the chain supplies.
    pub environment: &'a Environment,
}

impl Behind<'_> {
    fn quote(&self, request: &LiquidationRequest) -> Result<Decision, ArithmeticError> {
        self.policy.quote(self.state, request, self.environment)
    }

    /// What it would pay, WAD, for `asked` at that level of the breaker if nothing dampened it and solvency did not cap it; 0 if it
    /// would grant nothing.
    fn bonus_now(
        &self,
        request: &LiquidationRequest,
        asked: U256,
        breaker: BreakerLevel,
    ) -> Result<U256, ArithmeticError> {
        let grant = self
            .quote(&LiquidationRequest {
                asked,
                health_hard: WAD,
                collateral_value: SOLVENT,
                breaker,
                ..*request
            })?
            .grant;
        Ok(match grant.refusal {
            Refusal::None => grant.bonus,
            _ => U256::ZERO,
        })
    }
}

impl BackstopPolicy {
    /// `absorption_health` is HF_t of absorptions, WAD.
    ///
    /// # Errors
    /// [`InvalidAbsorptionHealth`] where the contract's constructor reverts.
    pub fn new(absorption_health: U256) -> Result<Self, InvalidAbsorptionHealth> {
        if absorption_health <= WAD || absorption_health > WAD + WAD {
            return Err(InvalidAbsorptionHealth(absorption_health));
        }
        Ok(Self { absorption_health })
    }

    /// What anybody but the backstop is granted, and what `commit` would store: a refusal with [`Refusal::Backstop`] where it comes
    /// first, `room` being what it can spend (`absorbable`), base units of the debt token.
    ///
    /// # Errors
    /// [`ArithmeticError`] where the contract reverts.
    pub fn quote(
        &self,
        behind: Behind<'_>,
        request: &LiquidationRequest,
        room: U256,
    ) -> Result<Decision, ArithmeticError> {
        if !self.comes_first(behind, request, room)? {
            return behind.quote(request);
        }
        // It is flagged as the policy's own refusal would flag it. How the policy behind would have decided is for whoever plans.
        let flagged = behind.quote(&LiquidationRequest {
            asked: U256::ZERO,
            ..*request
        })?;
        let reasoning = behind
            .quote(request)
            .map_or(flagged.reasoning, |decision| decision.reasoning);
        Ok(Decision {
            grant: LiquidationGrant::refused(Refusal::Backstop),
            writes: flagged.writes,
            reasoning,
        })
    }

    /// `quoteAbsorption(request)`: what the backstop is granted with `request.asked` to spend.
    ///
    /// # Errors
    /// [`ArithmeticError`] where the contract reverts.
    pub fn absorption(
        &self,
        behind: Behind<'_>,
        request: &LiquidationRequest,
    ) -> Result<LiquidationGrant, ArithmeticError> {
        if request.health_fast >= WAD {
            return Ok(LiquidationGrant::refused(Refusal::Healthy));
        }
        let bonus = behind.bonus_now(request, request.debt, BreakerLevel::Normal)?;
        self.granted(request, bonus.min(MAX_ABSORPTION_BONUS), request.asked)
    }

    /// Whether the backstop takes all that the position needs, and nobody would be paid more than it for as much, gas included.
    fn comes_first(
        &self,
        behind: Behind<'_>,
        request: &LiquidationRequest,
        room: U256,
    ) -> Result<bool, ArithmeticError> {
        let hard = request.health_fast <= request.health_hard;
        if request.asked.is_zero()
            || request.max_bonus <= MAX_ABSORPTION_BONUS
            || hard
            || request.health_fast >= WAD
            || room.is_zero()
        {
            return Ok(false);
        }
        let bonus = behind.bonus_now(request, request.debt, BreakerLevel::Normal)?;
        if bonus.is_zero() || bonus > MAX_ABSORPTION_BONUS {
            return Ok(false);
        }
        let most = self.granted(request, bonus, request.debt)?;
        if most.refusal != Refusal::None || most.repay > room {
            return Ok(false);
        }
        Ok(request.breaker == BreakerLevel::Normal
            || behind.bonus_now(request, most.repay, request.breaker)? <= MAX_ABSORPTION_BONUS)
    }

    /// Size and seizure at `bonus`, at most `room`.
    fn granted(
        &self,
        request: &LiquidationRequest,
        bonus: U256,
        room: U256,
    ) -> Result<LiquidationGrant, ArithmeticError> {
        let refused = |refusal| Ok(LiquidationGrant::refused(refusal));
        let hard = request.health_fast <= request.health_hard;
        if !hard && request.health_confirmed >= WAD {
            return refused(Refusal::Unconfirmed);
        }
        if bonus.is_zero() {
            return refused(Refusal::ZeroAmount);
        }
        let multiplier = WAD + bonus;
        let (debt, dust) = (request.debt, request.min_debt);
        let threshold = request.liquidation_threshold;
        if request.collateral_value < mul_div_up(debt, multiplier, WAD)?
            || (!hard && mul_div_up(multiplier, threshold, WAD)? >= request.health_fast)
        {
            return refused(Refusal::WrongCollateral);
        }
        let target = if hard {
            debt
        } else {
            target_repay_up(
                debt,
                request.health_fast,
                self.absorption_health,
                multiplier,
                threshold,
            )?
        };
        let mut repay = without_dust_left(room.min(target), debt, dust, hard)?;
        // Room for less than the debt, and dust would be left: then more is left.
        if repay > room {
            repay = debt.saturating_sub(dust);
        }
        if repay > room {
            repay = U256::ZERO;
        }
        let (repay, seize) = seize_down(repay, multiplier, request.price, request.collateral)?;
        if seize.is_zero() {
            return refused(Refusal::ZeroAmount);
        }
        Ok(LiquidationGrant {
            repay,
            seize,
            bonus,
            refusal: Refusal::None,
        })
    }
}
