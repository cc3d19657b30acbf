//! An anvil of one's own.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy::node_bindings::{Anvil, AnvilInstance};
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, U256};
use breakwater_deploy::config::CollateralConfiguration;
use breakwater_deploy::defaults::SystemPlan;
use breakwater_deploy::local::{COLLATERAL_DECIMALS, DEBT_DECIMALS, FEED_DECIMALS, Market, tokens};
use breakwater_deploy::{
    Account, Configuration, DeployError, Deployment, Execution, ManifestFile, Plan, Settings,
};

/// The workspace's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap().to_owned()
}

/// A fresh anvil on a port that the system chooses; killed when dropped.
pub fn anvil() -> AnvilInstance {
    Anvil::at(root().join("node_modules/.bin/anvil"))
        // Else it leaves the states of old blocks in files behind.
        .args(["--prune-history", "600"])
        .port(0_u16)
        .try_spawn()
        .unwrap()
}

/// A connection to it.
pub fn connect(anvil: &AnvilInstance) -> DynProvider {
    ProviderBuilder::new()
        .disable_recommended_fillers()
        .connect_http(anvil.endpoint_url())
        .erased()
}

/// The configuration of another system over a local market's tokens, feed and venue, governed by others.
pub fn configuration(market: &Market, name: &str) -> Configuration {
    let deployment = market.deployment();
    let collateral = market.collateral();
    Configuration {
        chain_id: Some(deployment.chain_id),
        asset: deployment.asset,
        governance: Address::repeat_byte(0x60),
        guardian: Address::repeat_byte(0x61),
        name: name.to_owned(),
        symbol: "bwT".to_owned(),
        supply_cap: tokens(1_000_000, DEBT_DECIMALS),
        borrow_cap: tokens(900_000, DEBT_DECIMALS),
        min_debt: tokens(100, DEBT_DECIMALS),
        settlement_stipend: tokens(5, DEBT_DECIMALS),
        native_collateral: Some(0),
        collaterals: vec![CollateralConfiguration {
            token: collateral.token,
            feed: collateral.feed,
            heartbeat: 3_900,
            // 0.0001 to 10^8, of a feed of 8 decimals: the default, which the chain need not be asked for.
            min_answer: Some(tokens(1, FEED_DECIMALS) / U256::from(10_000)),
            max_answer: Some(tokens(100_000_000, FEED_DECIMALS)),
            quote_feed: None,
            quote_heartbeat: None,
            quote_min_answer: None,
            quote_max_answer: None,
            venue: collateral.venue,
            venue_min_depth: Some(tokens(1_000, DEBT_DECIMALS)),
            cap: tokens(1_000, COLLATERAL_DECIMALS),
        }],
        backstop: None,
    }
}

/// A fresh anvil with a local market, and a folder for manifests.
pub struct Ground {
    pub anvil: AnvilInstance,
    pub provider: DynProvider,
    pub market: Market,
    pub folder: tempfile::TempDir,
}

impl Ground {
    pub async fn new() -> Self {
        let anvil = anvil();
        let provider = connect(&anvil);
        let folder = tempfile::tempdir().unwrap();
        let file = ManifestFile::open(folder.path().join("market.json")).unwrap();
        let market = Market::deploy(provider.clone(), file, |_| ())
            .await
            .unwrap();
        Self {
            anvil,
            provider,
            market,
            folder,
        }
    }

    /// An account with a key of its own.
    pub fn account(&self, number: usize) -> Account {
        let key = self.anvil.nth_key(number).unwrap();
        Account::Key(PrivateKeySigner::from_slice(&key.to_bytes()).unwrap())
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("system.json")
    }

    pub fn file(&self) -> ManifestFile {
        ManifestFile::open(self.path()).unwrap()
    }

    pub fn plan(&self, system: SystemPlan, account: &Account) -> Plan {
        let multicall = Some(self.market.deployment().multicall);
        Plan::new(system, 31_337, account.address(), multicall).unwrap()
    }

    pub async fn open(&self, account: &Account, plan: &Plan) -> Result<Execution, DeployError> {
        let settings = Settings {
            inclusion: Duration::from_secs(10),
            poll: Duration::from_millis(20),
        };
        Execution::open(
            self.provider.clone(),
            account.clone(),
            plan.clone(),
            self.file(),
            settings,
        )
        .await
    }

    /// Carries a plan out to the end.
    pub async fn deploy(&self, account: &Account, plan: &Plan) -> Result<Deployment, DeployError> {
        let mut execution = self.open(account, plan).await?;
        while execution.advance().await?.is_some() {}
        execution.finish().await
    }

    /// How many transactions an account has sent.
    pub async fn sent(&self, account: &Account) -> u64 {
        let count = self.provider.get_transaction_count(account.address());
        count.await.unwrap()
    }
}
