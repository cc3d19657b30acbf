//! 256-bit arithmetic with the contracts' overflow checks and rounding.
//!
//! Ratios are scaled by [`WAD`], prices by [`PRICE_SCALE`]. Products are 512 bits wide. Where a contract would revert, for
//! an overflow or a division by zero, these functions say so; they never wrap.

use alloy_primitives::{U256, U512};
use thiserror::Error;

/// The scale of ratios, 1e18.
pub const WAD: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

/// The scale of prices, 1e36: `value = amount * price / PRICE_SCALE`.
pub const PRICE_SCALE: U256 =
    U256::from_limbs([0xb34b_9f10_0000_0000, 0x00c0_97ce_7bc9_0715, 0, 0]);

/// One basis point as a WAD ratio, 1e14.
pub const BASIS_POINT: U256 = U256::from_limbs([100_000_000_000_000, 0, 0, 0]);

/// An operation for which a contract reverts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ArithmeticError {
    /// `fullMulDiv`: the quotient does not fit 256 bits, or the divisor is 0.
    #[error("{x} * {y} / {divisor} is not a 256-bit number")]
    MulDiv {
        /// One factor.
        x: U256,
        /// The other factor.
        y: U256,
        /// The divisor.
        divisor: U256,
    },
    /// A checked operation of two numbers overflows, underflows or divides by 0.
    #[error("{left} {operator} {right} is not a 256-bit number")]
    Checked {
        /// The left operand.
        left: U256,
        /// `+`, `-`, `*` or `/`.
        operator: char,
        /// The right operand.
        right: U256,
    },
}

/// `x * y / divisor`, rounded down, with a 512-bit product.
///
/// # Errors
/// [`ArithmeticError::MulDiv`] where solady's `fullMulDiv` reverts.
pub fn mul_div_down(x: U256, y: U256, divisor: U256) -> Result<U256, ArithmeticError> {
    mul_div(x, y, divisor).map(|(quotient, _)| quotient)
}

/// `x * y / divisor`, rounded up, with a 512-bit product.
///
/// # Errors
/// [`ArithmeticError::MulDiv`] where solady's `fullMulDivUp` reverts.
pub fn mul_div_up(x: U256, y: U256, divisor: U256) -> Result<U256, ArithmeticError> {
    let (quotient, exact) = mul_div(x, y, divisor)?;
    if exact {
        return Ok(quotient);
    }
    quotient
        .checked_add(U256::ONE)
        .ok_or(ArithmeticError::MulDiv { x, y, divisor })
}

/// The quotient, rounded down, and whether nothing was rounded off.
fn mul_div(x: U256, y: U256, divisor: U256) -> Result<(U256, bool), ArithmeticError> {
    let failed = ArithmeticError::MulDiv { x, y, divisor };
    if divisor.is_zero() {
        return Err(failed);
    }
    if let Some(product) = x.checked_mul(y) {
        let (quotient, remainder) = product.div_rem(divisor);
        return Ok((quotient, remainder.is_zero()));
    }
    let product: U512 = x.widening_mul(y);
    let (quotient, remainder) = product.div_rem(U512::from(divisor));
    let quotient = U256::checked_from_limbs_slice(quotient.as_limbs()).ok_or(failed)?;
    Ok((quotient, remainder.is_zero()))
}

/// `left + right`.
///
/// # Errors
/// [`ArithmeticError::Checked`] on overflow.
pub fn add(left: U256, right: U256) -> Result<U256, ArithmeticError> {
    left.checked_add(right)
        .ok_or_else(|| checked(left, '+', right))
}

/// `left - right`.
///
/// # Errors
/// [`ArithmeticError::Checked`] on underflow.
pub fn sub(left: U256, right: U256) -> Result<U256, ArithmeticError> {
    left.checked_sub(right)
        .ok_or_else(|| checked(left, '-', right))
}

/// `left * right`.
///
/// # Errors
/// [`ArithmeticError::Checked`] on overflow.
pub fn mul(left: U256, right: U256) -> Result<U256, ArithmeticError> {
    left.checked_mul(right)
        .ok_or_else(|| checked(left, '*', right))
}

/// `left / right`, rounded down.
///
/// # Errors
/// [`ArithmeticError::Checked`] if `right` is 0.
pub fn div(left: U256, right: U256) -> Result<U256, ArithmeticError> {
    left.checked_div(right)
        .ok_or_else(|| checked(left, '/', right))
}

const fn checked(left: U256, operator: char, right: U256) -> ArithmeticError {
    ArithmeticError::Checked {
        left,
        operator,
        right,
    }
}

/// The value of `amount` of a collateral in base units of the debt token, rounded down.
///
/// # Errors
/// [`ArithmeticError::MulDiv`] if it does not fit 256 bits.
pub fn value_down(amount: U256, price: U256) -> Result<U256, ArithmeticError> {
    mul_div_down(amount, price, PRICE_SCALE)
}
