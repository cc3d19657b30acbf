//! The unit in which an oracle keeps its prices: the one thing of it that follows neither from its code nor from its
//! constructor's arguments, but from what tokens and feeds said of their decimals when it was created.

use breakwater_bindings::TwapOracle;

use super::Mismatch;
use crate::chain::Views;
use crate::error::DeployError;
use crate::plan::Plan;
use crate::scale::{Bounds, exponent, unit_of};

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
        let (base, quote) = (Bounds::of(&collateral.base), Bounds::of(&collateral.quote));
        let expected = exponent.and_then(|exponent| unit_of(exponent, base, quote));
        if expected != Some(unit) {
            mismatches.push(Mismatch {
                contract: format!("oracle[{}]", there.id),
                parameter: "priceUnit".to_owned(),
                expected: expected.map_or_else(
                    || {
                        "one that suits decimals and bounds of tokens and feeds; there is none"
                            .to_owned()
                    },
                    |unit| unit.to_string(),
                ),
                found: unit.to_string(),
            });
        }
    }
    Ok(mismatches)
}
