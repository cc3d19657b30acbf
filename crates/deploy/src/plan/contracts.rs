//! Whether a plan's addresses are what they are said to be, by the keys of its configuration.

use alloy_primitives::Address;
use alloy_sol_types::sol;

use crate::chain::Views;
use crate::defaults::SystemPlan;
use crate::error::DeployError;

sol! {
    interface Venue {
        function token0() external view returns (address);
        function token1() external view returns (address);
    }
}

/// Refuses tokens, feeds and venues without code, and a venue of other tokens.
///
/// # Errors
/// [`DeployError::Plan`], [`DeployError::Rpc`].
pub(super) async fn inspect(views: &impl Views, system: &SystemPlan) -> Result<(), DeployError> {
    let mut contracts = vec![("asset".to_owned(), system.asset)];
    for (number, collateral) in system.collaterals.iter().enumerate() {
        let named = [
            ("token", collateral.listing.token, true),
            ("feed", collateral.base.source, true),
            ("quoteFeed", collateral.quote.source, false),
            ("venue", collateral.venue, false),
        ];
        let given = named
            .into_iter()
            .filter(|(_, address, needed)| *needed || !address.is_zero());
        contracts.extend(given.map(|(key, address, _)| (at(number, key), address)));
    }
    for (key, address) in contracts {
        if views.code(address).await?.is_empty() {
            return Err(unexpected(&key, address, "a contract, and there is none"));
        }
    }
    for (number, collateral) in system.collaterals.iter().enumerate() {
        let venue = collateral.venue;
        let pair = [collateral.listing.token, system.asset];
        if !venue.is_zero() && !trades(views, venue, pair).await? {
            let expected = "a Uniswap v3 pool of `token` and `asset`";
            return Err(unexpected(&at(number, "venue"), venue, expected));
        }
    }
    Ok(())
}

/// Whether a venue says that its tokens are these, in either order.
async fn trades(
    views: &impl Views,
    venue: Address,
    [one, other]: [Address; 2],
) -> Result<bool, DeployError> {
    let first = views.read(venue, Venue::token0Call {}).await;
    let second = views.read(venue, Venue::token1Call {}).await;
    match (first, second) {
        (Ok(first), Ok(second)) => Ok([(one, other), (other, one)].contains(&(first, second))),
        (Err(error @ DeployError::Rpc { .. }), _) | (_, Err(error @ DeployError::Rpc { .. })) => {
            Err(error)
        }
        _ => Ok(false),
    }
}

/// A key of a collateral.
fn at(number: usize, key: &str) -> String {
    format!("collaterals[{number}].{key}")
}

fn unexpected(key: &str, address: Address, expected: &str) -> DeployError {
    DeployError::Plan(format!("`{key}` is {address}: expected {expected}"))
}
