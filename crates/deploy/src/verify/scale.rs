//! The unit in which an oracle keeps its prices: the one thing of it that follows neither from its code nor from its
//! constructor's arguments, but from what tokens and feeds said of their decimals when it was created.

use alloy_primitives::{Address, U256};
use breakwater_bindings::{SimToken, TwapOracle};

use super::Mismatch;
use crate::chain::Views;
use crate::defaults::CollateralPlan;
use crate::error::DeployError;
use crate::plan::Plan;

/// Decimals of 1e36, by which prices are scaled.
const PRICE_DECIMALS: u64 = 36;

/// The largest price that a record holds: 88 bits.
const MAX_PRICE: U256 = U256::from_limbs([u64::MAX, (1 << 24) - 1, 0, 0]);

/// Compares every oracle's unit, and with it its multiplier, with the one that follows from the decimals as they are now.
///
/// # Errors
/// As [`Views::view`].
pub async fn compare_units(views: &impl Views, plan: &Plan) -> Result<Vec<Mismatch>, DeployError> {
    let mut mismatches = Vec::new();
    let system = &plan.system;
    for (collateral, there) in system.collaterals.iter().zip(&plan.deployment.collaterals) {
        let unit = views
            .read(there.oracle, TwapOracle::PRICE_UNITCall {})
            .await?;
        let exponent = exponent(views, collateral, system.asset).await?;
        let expected = exponent.map(|exponent| unit_of(exponent, collateral));
        if expected != Some(unit) {
            mismatches.push(Mismatch {
                contract: format!("oracle[{}]", there.id),
                parameter: "priceUnit".to_owned(),
                expected: expected.map_or_else(
                    || "one that suits the decimals of tokens and feeds; there is none".to_owned(),
                    |unit| unit.to_string(),
                ),
                found: unit.to_string(),
            });
        }
    }
    Ok(mismatches)
}

/// Of ten, in `price = base / quote * 10^exponent`; `None` where the decimals allow none.
async fn exponent(
    views: &impl Views,
    collateral: &CollateralPlan,
    asset: Address,
) -> Result<Option<u64>, DeployError> {
    let decimals = async |of: Address| views.read(of, SimToken::decimalsCall {}).await;
    let quote = if collateral.quote.source.is_zero() {
        0
    } else {
        decimals(collateral.quote.source).await?
    };
    let up = PRICE_DECIMALS + u64::from(decimals(asset).await?) + u64::from(quote);
    let down = u64::from(decimals(collateral.listing.token).await?)
        + u64::from(decimals(collateral.base.source).await?);
    Ok(up.checked_sub(down).filter(|exponent| *exponent <= 63))
}

/// The smallest power of ten in which the highest believed price fits, as `OracleScale.choose` finds it.
fn unit_of(exponent: u64, collateral: &CollateralPlan) -> U256 {
    let ten = U256::from(10);
    let least_quote = if collateral.quote.source.is_zero() {
        U256::ONE
    } else {
        U256::from(collateral.quote.minAnswer) + U256::ONE
    };
    let highest_base = U256::from(collateral.base.maxAnswer);
    let (mut unit, mut divisor) = (U256::ONE, U256::ONE);
    let mut multiplier = ten.pow(U256::from(exponent));
    loop {
        if multiplier <= U256::from(u128::MAX)
            && highest_base * multiplier / (divisor * least_quote) <= MAX_PRICE
        {
            return unit;
        }
        unit *= ten;
        if multiplier > U256::ONE {
            multiplier /= ten;
        } else {
            divisor *= ten;
        }
    }
}
