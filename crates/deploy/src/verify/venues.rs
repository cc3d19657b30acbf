//! Whether venues can confirm a price, as `script/Venues.sol` asks.

use alloy_primitives::U256;
use breakwater_bindings::{IPriceVenue, TwapOracle};

use super::Mismatch;
use crate::chain::Views;
use crate::error::DeployError;
use crate::plan::Plan;

/// Compares each venue's average price with the feed's. It is asked once, before a system is called complete: a venue that
/// never answers would leave the slow price to confirm within a band that is meant for one that does. Afterwards the
/// two part in every crash, which is the market's business.
///
/// # Errors
/// [`DeployError::Mismatches`] where a venue does not answer, or not within the collateral's confirmation band;
/// [`DeployError::Rpc`].
pub async fn require_agreement(views: &impl Views, plan: &Plan) -> Result<(), DeployError> {
    let mut mismatches = Vec::new();
    let collaterals = plan.system.collaterals.iter();
    for (collateral, there) in collaterals.zip(&plan.deployment.collaterals) {
        let Some(source) = there.venue_source else {
            continue;
        };
        let fast = views.read(there.oracle, TwapOracle::peekCall {}).await?;
        let fast = fast.fast;
        let answer = views.read(source, IPriceVenue::averagePriceCall {}).await;
        let found = match answer {
            Ok(price) if price.is_zero() => "0: it is shallower than `venueMinDepth`".to_owned(),
            Ok(price) => {
                let band = U256::from(collateral.listing.confirmationBand);
                // Prices are below 2^224.
                if price.abs_diff(fast) * U256::from(10_000) <= fast * band {
                    continue;
                }
                price.to_string()
            }
            Err(DeployError::Refused { reason, .. }) => format!(
                "not answered ({reason}): it does not remember {} s yet; run again after that",
                collateral.venueWindow
            ),
            Err(error) => return Err(error),
        };
        mismatches.push(Mismatch {
            contract: format!("venueSource[{}]", there.id),
            parameter: "averagePrice".to_owned(),
            expected: format!(
                "within {} basis points of the feed's {fast}",
                collateral.listing.confirmationBand
            ),
            found,
        });
    }
    if mismatches.is_empty() {
        Ok(())
    } else {
        Err(DeployError::Mismatches(mismatches))
    }
}
