//! The arithmetic of a liquidation: `LiquidationMath.sol`, where each formula is derived.
//!
//! D is the debt, C the value of all collateral, F the price of the collateral to be seized, LT its liquidation threshold,
//! HF the health factor, B = 1 + bonus. Amounts are base units, ratios WAD, prices scaled by 1e36.

use crate::math::{ArithmeticError, WAD, add, mul, mul_div_down, mul_div_up, sub};
use alloy_primitives::U256;

/// `PRICE_SCALE / WAD`, which is WAD: a repayment times B is WAD-scaled, a price is scaled by 1e36.
const PRICE_SCALE_OVER_WAD: U256 = WAD;

/// B = max(1, min(1 + b, ⌊C / D⌋)), WAD.
///
/// # Errors
/// [`ArithmeticError`] where the contract reverts: (1 + b) D over 256 bits.
pub fn bonus_multiplier_down(
    bonus: U256,
    collateral_value: U256,
    debt: U256,
) -> Result<U256, ArithmeticError> {
    let multiplier = add(WAD, bonus)?;
    if collateral_value >= mul_div_up(debt, multiplier, WAD)? {
        return Ok(multiplier);
    }
    Ok(WAD.max(mul_div_down(collateral_value, WAD, debt)?))
}

/// x_t = D (HF_t − HF) / (HF_t − B LT), rounded up, at most D: the repayment that lifts the health factor to
/// `target_health`. 0 if it is there already; D where no partial repayment reaches it.
///
/// # Errors
/// [`ArithmeticError`] where the contract reverts: B LT over 256 bits.
pub fn target_repay_up(
    debt: U256,
    health: U256,
    target_health: U256,
    multiplier: U256,
    liquidation_threshold: U256,
) -> Result<U256, ArithmeticError> {
    if health >= target_health {
        return Ok(U256::ZERO);
    }
    let health_sold = mul_div_up(multiplier, liquidation_threshold, WAD)?;
    if health_sold >= target_health || health_sold >= health {
        return Ok(debt);
    }
    mul_div_up(debt, target_health - health, target_health - health_sold)
}

/// Repayment and collateral for it, ⌊x B / F⌋, held to `collateral`: if it exceeds that, all of it is seized for
/// [`repay_for_up`].
///
/// # Errors
/// [`ArithmeticError`] where the contract reverts: a price of 0, or an amount over 256 bits.
pub fn seize_down(
    repay: U256,
    multiplier: U256,
    price: U256,
    collateral: U256,
) -> Result<(U256, U256), ArithmeticError> {
    let seized = mul_div_down(repay, mul(multiplier, PRICE_SCALE_OVER_WAD)?, price)?;
    if seized <= collateral {
        return Ok((repay, seized));
    }
    Ok((repay_for_up(collateral, multiplier, price)?, collateral))
}

/// What `amount` of collateral costs a liquidator, ⌈amount F / B⌉.
///
/// # Errors
/// [`ArithmeticError`] where the contract reverts: an amount over 256 bits.
pub fn repay_for_up(amount: U256, multiplier: U256, price: U256) -> Result<U256, ArithmeticError> {
    mul_div_up(amount, price, mul(multiplier, PRICE_SCALE_OVER_WAD)?)
}

/// The repayment that leaves no debt between 0 and `dust`: D where a full close is allowed or D is at most twice the dust,
/// D − dust otherwise.
///
/// # Errors
/// [`ArithmeticError`] where the contract reverts: a repayment above the debt.
pub fn without_dust_left(
    repay: U256,
    debt: U256,
    dust: U256,
    full_close_allowed: bool,
) -> Result<U256, ArithmeticError> {
    let left = sub(debt, repay)?;
    if left.is_zero() || left >= dust || repay.is_zero() {
        return Ok(repay);
    }
    if full_close_allowed || debt <= dust || debt - dust <= dust {
        return Ok(debt);
    }
    Ok(debt - dust)
}

/// z = clamp((1 − HF) / (1 − HF_hard), 0, 1), WAD, rounded down: how far into the damped zone a position is.
#[must_use]
pub fn zone_depth_down(health: U256, health_hard: U256) -> U256 {
    if health >= WAD {
        return U256::ZERO;
    }
    if health <= health_hard {
        return WAD;
    }
    (WAD - health) * WAD / (WAD - health_hard)
}

/// `minimum + (maximum - minimum) * share`, rounded down; `minimum` is held to `maximum`. `share` is WAD, at most 1.
///
/// # Errors
/// [`ArithmeticError`] where the contract reverts: `maximum - minimum` of 2^196 or more.
pub fn interpolate_down(
    minimum: U256,
    maximum: U256,
    share: U256,
) -> Result<U256, ArithmeticError> {
    if minimum >= maximum {
        return Ok(maximum);
    }
    add(minimum, mul(maximum - minimum, share)? / WAD)
}

#[cfg(test)]
mod tests {
    use super::PRICE_SCALE_OVER_WAD;
    use crate::math::{PRICE_SCALE, WAD};

    #[test]
    fn a_price_over_a_ratio_is_a_ratio() {
        assert_eq!(PRICE_SCALE, WAD * WAD);
        assert_eq!(PRICE_SCALE / WAD, PRICE_SCALE_OVER_WAD);
    }
}
