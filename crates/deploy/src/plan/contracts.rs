//! Whether a plan's addresses are what they are said to be, by the keys of its configuration.

use std::fmt;

use alloy_primitives::Address;
use alloy_sol_types::sol;

use crate::chain::Views;
use crate::defaults::SystemPlan;
use crate::error::DeployError;

sol! {
    interface Venue {
        function token0() external view returns (address);
        function token1() external view returns (address);
        function fee() external view returns (uint24);
        function slot0() external view returns (uint160 sqrtPriceX96, int24 tick);
    }
}

/// Refuses tokens, feeds and venues without code, and a venue of other tokens or of another kind.
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

/// Whether a venue says that its tokens are these, in either order, and answers what a Uniswap v3 pool does and a v2 pair does not.
async fn trades(
    views: &impl Views,
    venue: Address,
    [one, other]: [Address; 2],
) -> Result<bool, DeployError> {
    let told = async {
        views.read(venue, Venue::slot0Call {}).await?;
        views.read(venue, Venue::feeCall {}).await?;
        let first = views.read(venue, Venue::token0Call {}).await?;
        let second = views.read(venue, Venue::token1Call {}).await?;
        Ok((first, second))
    };
    match told.await {
        Ok(pair) => Ok([(one, other), (other, one)].contains(&pair)),
        Err(error @ DeployError::Rpc { .. }) => Err(error),
        Err(_) => Ok(false),
    }
}

/// A key of a collateral.
pub(super) fn at(number: usize, key: &str) -> String {
    format!("collaterals[{number}].{key}")
}

pub(super) fn unexpected(key: &str, value: impl fmt::Display, expected: &str) -> DeployError {
    DeployError::Plan(format!("`{key}` is {value}: expected {expected}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloy_primitives::Bytes;
    use alloy_sol_types::SolCall;

    use super::*;
    use crate::defaults;

    const TOKEN: Address = Address::repeat_byte(3);
    const ASSET: Address = Address::repeat_byte(2);

    /// A pair of both tokens, of the version where it stands.
    struct Pair {
        version: u8,
    }

    impl Views for Pair {
        async fn view(&self, what: &str, _: Address, data: Bytes) -> Result<Bytes, DeployError> {
            let selector = &data[..4];
            Ok(if selector == Venue::token0Call::SELECTOR {
                Venue::token0Call::abi_encode_returns(&ASSET).into()
            } else if selector == Venue::token1Call::SELECTOR {
                Venue::token1Call::abi_encode_returns(&TOKEN).into()
            } else if self.version == 3 {
                // Of slot0 the other five words, too.
                Bytes::from(vec![0; 7 * 32])
            } else {
                return Err(DeployError::Refused {
                    step: what.to_owned(),
                    reason: "execution reverted".to_owned(),
                });
            })
        }

        async fn code(&self, _: Address) -> Result<Bytes, DeployError> {
            Ok(Bytes::from_static(&[1]))
        }
    }

    #[tokio::test]
    async fn a_pair_of_another_version_is_no_venue() {
        let mut system = defaults::system_plan();
        system.asset = ASSET;
        system.collaterals[0].listing.token = TOKEN;
        system.collaterals[0].venue = Address::repeat_byte(5);
        inspect(&Pair { version: 3 }, &system).await.unwrap();
        let said = inspect(&Pair { version: 2 }, &system).await.unwrap_err();
        let expected = "`collaterals[0].venue` is 0x0505050505050505050505050505050505050505: expected a Uniswap v3 pool of";
        assert!(said.to_string().contains(expected), "{said}");
    }
}
