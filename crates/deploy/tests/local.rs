//! The local market, on a real anvil.
#![allow(clippy::unwrap_used)]

mod support;

use alloy::providers::Provider;
use alloy_primitives::{Address, U256};
use breakwater_bindings::{ILendingPool, LendingPoolExtension, UniswapV3Source};
use breakwater_deploy::local::{COLLATERAL_DECIMALS, DEBT_DECIMALS, Market, START_PRICE, tokens};
use breakwater_deploy::{ManifestFile, RpcViews, Views};
use support::{anvil, connect};

#[tokio::test]
async fn a_market_is_calm_trades_and_follows_its_prices() {
    let anvil = anvil();
    let provider = connect(&anvil);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    let open = || ManifestFile::open(&path).unwrap();
    let market = Market::deploy(provider.clone(), open(), |_| ())
        .await
        .unwrap();
    let deployment = market.deployment().clone();
    // Measured: 24,295,287. A block of 30 million would hold it all.
    let gas = deployment.gas_used();
    assert!((20_000_000..30_000_000).contains(&gas), "{gas}");
    assert!(deployment.complete);
    assert_eq!(market.condition().await.unwrap(), (0, 0));

    // A second run changes nothing.
    let before = provider.get_block_number().await.unwrap();
    let again = Market::deploy(provider.clone(), open(), |_| ())
        .await
        .unwrap();
    assert_eq!(again.deployment(), &deployment);
    assert_eq!(provider.get_block_number().await.unwrap(), before);
    assert_eq!(open().deployment(31_337).unwrap(), &deployment);

    // Positions open, and fall with the price.
    let owner = Address::repeat_byte(7);
    market
        .open_position(
            owner,
            tokens(10, COLLATERAL_DECIMALS),
            tokens(15_900, DEBT_DECIMALS),
        )
        .await
        .unwrap();
    let views = RpcViews::new(provider.clone());
    let health = || async {
        let call = ILendingPool::accountHealthCall { account: owner };
        views.read(deployment.pool, call).await.unwrap().healthFast
    };
    let wad = U256::from(10).pow(U256::from(18));
    assert!(health().await > wad);
    let lower = U256::from(START_PRICE) * U256::from(95) / U256::from(100);
    market.set_price(lower).await.unwrap();
    assert_eq!(market.feed_price().await.unwrap(), lower);
    assert!(health().await < wad);

    // The venue's average follows within a minute of the chain's time.
    market.advance(72).await.unwrap();
    let source = deployment.collaterals[0].venue_source.unwrap();
    let average = views
        .read(source, UniswapV3Source::averagePriceCall {})
        .await
        .unwrap();
    // Prices of the oracle are debt base units for a collateral base unit, scaled by 1e36: 1e36 / 1e18 * 1e6 / 1e8.
    let expected = lower * U256::from(10).pow(U256::from(16));
    assert!(
        average.abs_diff(expected) * U256::from(5_000) < expected,
        "{average} {expected}"
    );
    let minimum = views
        .read(deployment.pool, LendingPoolExtension::minDebtCall {})
        .await
        .unwrap();
    assert_eq!(minimum, tokens(100, DEBT_DECIMALS));
}
