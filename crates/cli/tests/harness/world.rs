//! A local market on an anvil of its own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alloy::eips::BlockId;
use alloy::node_bindings::{Anvil, AnvilInstance};
use alloy::primitives::hex;
use alloy::providers::ext::AnvilApi;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::client::ClientBuilder;
use alloy::rpc::types::Filter;
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolEvent;
use breakwater_bindings::{ILendingPool, LendingPoolExtension, SimToken};
use breakwater_deploy::defaults::SystemPlan;
use breakwater_deploy::local::{
    COLLATERAL_DECIMALS, DEBT_DECIMALS, LocalError, Market, SLOT, START_PRICE, tokens,
};
use breakwater_deploy::{ManifestFile, RpcViews, Views};
use breakwater_keeper::drill::accounts::{Closing, closings};
use tempfile::TempDir;

use super::{Keeper, PATIENCE, until};

/// How far in the past a chain begins, seconds: its time runs ahead of the world's when it is moved, and no further.
const PAST: u64 = 12 * 3_600;

/// A share in the pool's scale of 1e18.
pub fn wad(share: f64) -> U256 {
    U256::from((share * 1e9) as u64) * U256::from(1_000_000_000_u64)
}

/// A market whose blocks are made at a call and are twelve seconds apart.
pub struct World {
    pub anvil: AnvilInstance,
    pub provider: DynProvider,
    pub market: Market,
    pub folder: TempDir,
    /// The base fee of every block, wei.
    pub base_fee: u128,
}

impl World {
    /// A market at 2,000.
    pub async fn start() -> Self {
        Self::with(|anvil| anvil).await
    }

    /// The same with another plan than the default.
    pub async fn planned(adjust: impl FnOnce(&mut SystemPlan)) -> Self {
        Self::deployed(|anvil| anvil, adjust).await
    }

    /// A market on an anvil with more arguments.
    pub async fn with(configure: impl FnOnce(Anvil) -> Anvil) -> Self {
        Self::deployed(configure, |_| {}).await
    }

    async fn deployed(
        configure: impl FnOnce(Anvil) -> Anvil,
        adjust: impl FnOnce(&mut SystemPlan),
    ) -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let anvil = breakwater_rpc::testing::anvil(|anvil| {
            configure(
                anvil
                    .arg("--timestamp")
                    .arg((now - PAST).to_string())
                    .timeout(60_000),
            )
        });
        let client = ClientBuilder::default().http(anvil.endpoint_url());
        let provider = ProviderBuilder::default().connect_client(client).erased();
        let folder = tempfile::tempdir().unwrap();
        let file = ManifestFile::open(folder.path().join("manifest.json")).unwrap();
        let market = Market::deploy_with(provider.clone(), file, None, adjust, |_| {})
            .await
            .unwrap();
        provider
            .anvil_set_block_timestamp_interval(SLOT)
            .await
            .unwrap();
        provider.anvil_set_auto_mine(false).await.unwrap();
        Self {
            anvil,
            provider,
            market,
            folder,
            base_fee: 5_000_000_000,
        }
    }

    /// Another node with the same chain, and the same market on it; what is done on one from here on, the other does not know of.
    pub async fn copy(&self) -> Self {
        let anvil = breakwater_rpc::testing::anvil(|anvil| anvil.timeout(60_000));
        let client = ClientBuilder::default().http(anvil.endpoint_url());
        let provider = ProviderBuilder::default().connect_client(client).erased();
        let state = self.provider.anvil_dump_state().await.unwrap();
        assert!(provider.anvil_load_state(state).await.unwrap());
        provider
            .anvil_set_block_timestamp_interval(SLOT)
            .await
            .unwrap();
        provider.anvil_set_auto_mine(false).await.unwrap();
        Self {
            market: Market::attach(provider.clone(), self.market.deployment()).unwrap(),
            anvil,
            provider,
            folder: tempfile::tempdir().unwrap(),
            base_fee: self.base_fee,
        }
    }

    /// Does something with the market, whose transactions are each put into a block at once (with whatever else waits).
    pub async fn act<T>(&self, deed: impl Future<Output = Result<T, LocalError>>) -> T {
        self.provider.anvil_set_auto_mine(true).await.unwrap();
        let result = deed.await;
        self.provider.anvil_set_auto_mine(false).await.unwrap();
        result.unwrap()
    }

    /// A position of `amount` collateral tokens that falls below a health factor of 1 at `percent` of the start price.
    pub async fn open_falling_at(&self, owner: Address, amount: u64, percent: f64) {
        let value = amount as f64 * START_PRICE as f64 / 1e8 * percent / 100.0;
        let debt = U256::from((value * 0.83 * 1e6) as u64);
        let collateral = tokens(amount, COLLATERAL_DECIMALS);
        self.act(self.market.open_position(owner, collateral, debt))
            .await;
    }

    /// The same for any amount of collateral.
    pub async fn open_worth(&self, owner: Address, amount: f64, percent: f64) {
        let value = amount * START_PRICE as f64 / 1e8 * percent / 100.0;
        let debt = U256::from((value * 0.83 * 1e6) as u64);
        let collateral = U256::from((amount * 1e6) as u64) * tokens(1, COLLATERAL_DECIMALS - 6);
        self.act(self.market.open_position(owner, collateral, debt))
            .await;
    }

    /// What an operator does who watches over a young pool: lets the bucket record its depth, which opens at the first reading
    /// and averages from the third on.
    pub async fn record_depth(&self) {
        for _ in 0..4 {
            self.market.advance(900).await.unwrap();
            self.act(self.market.set_price(U256::from(START_PRICE)))
                .await;
            self.act(self.market.observe()).await;
        }
        self.market.advance(120).await.unwrap();
    }

    /// Feed and venue at `percent` of the start price. The venue's average takes a minute to follow.
    pub async fn price(&self, percent: f64) {
        let price = U256::from((START_PRICE as f64 * percent / 100.0) as u64);
        self.act(self.market.set_price(price)).await;
    }

    /// Arbitrage: the venue back at the feed's price.
    pub async fn arbitrage(&self) {
        self.act(async {
            let price = self.market.feed_price().await?;
            self.market.set_venue(price).await
        })
        .await;
    }

    /// Arbitrage where somebody has sold: the venue back at the feed's price.
    pub async fn arbitrage_if_moved(&self) {
        let head = self.head().await;
        if !self.closings(head).await.is_empty() {
            self.arbitrage().await;
        }
    }

    /// Makes a block, twelve seconds after the last.
    pub async fn mine(&self) -> u64 {
        self.provider
            .anvil_set_next_block_base_fee_per_gas(self.base_fee)
            .await
            .unwrap();
        self.market.advance(SLOT).await.unwrap();
        self.head().await
    }

    /// Makes blocks, each once all keepers have planned on the one before and sent what they meant to; until `done`, and for at
    /// most `blocks`: then it panics with `what`.
    pub async fn run(
        &self,
        keepers: &[&Keeper],
        blocks: u64,
        what: &str,
        mut done: impl AsyncFnMut() -> bool,
    ) -> u64 {
        for made in 0..blocks {
            let head = self.head().await;
            for keeper in keepers {
                keeper.planned_on(head).await;
            }
            if done().await {
                return made;
            }
            // Where `done` has made a block, that one is planned on first.
            if self.head().await == head {
                self.mine().await;
            }
        }
        let mut thoughts = Vec::new();
        for keeper in keepers {
            thoughts.push(keeper.status().await.map(|status| status.positions));
        }
        panic!("{what}: not within {blocks} blocks, and the keepers think: {thoughts:#?}");
    }

    /// The latest block's number.
    pub async fn head(&self) -> u64 {
        self.provider.get_block_number().await.unwrap()
    }

    /// The pool.
    pub fn pool(&self) -> Address {
        self.market.deployment().pool
    }

    /// The private key of the anvil's account `place`, in hexadecimal.
    pub fn key(&self, place: usize) -> String {
        hex::encode(self.anvil.keys()[place].to_bytes())
    }

    /// The anvil's account `place`.
    pub fn account(&self, place: usize) -> Address {
        self.anvil.addresses()[place]
    }

    /// A view of the pool. While it makes a block, anvil may answer with one block's state and another's time, which the pool
    /// rightly refuses: it is asked again.
    pub async fn view<C: alloy_sol_types::SolCall + Clone + Send + Sync>(
        &self,
        call: C,
    ) -> C::Return
    where
        C::Return: Send,
    {
        self.view_of(self.pool(), call).await
    }

    /// The same of any contract.
    pub async fn view_of<C: alloy_sol_types::SolCall + Clone + Send + Sync>(
        &self,
        contract: Address,
        call: C,
    ) -> C::Return
    where
        C::Return: Send,
    {
        let views = RpcViews::new(self.provider.clone());
        for _ in 0..40 {
            if let Ok(answer) = views.read(contract, call.clone()).await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        views.read(contract, call).await.unwrap()
    }

    /// An account's health factor, by the pool itself.
    pub async fn health(&self, account: Address) -> U256 {
        self.view(ILendingPool::accountHealthCall { account })
            .await
            .healthFast
    }

    /// An account's debt, by the pool itself; base units.
    pub async fn debt(&self, account: Address) -> U256 {
        self.view(ILendingPool::debtOfCall { account }).await
    }

    /// Every liquidation and settlement from a block on, in order.
    pub async fn closings(&self, from: u64) -> Vec<Closing> {
        closings(&self.provider, self.market.deployment(), from)
            .await
            .unwrap()
    }

    /// Waits until so many transactions wait for a block.
    pub async fn waits_for_pool(&self, transactions: u64) {
        until("transactions wait for a block", async || {
            let status: serde_json::Value = self
                .provider
                .raw_request("txpool_status".into(), ())
                .await
                .unwrap();
            let pending = status["pending"].as_str()?.strip_prefix("0x")?;
            (u64::from_str_radix(pending, 16).ok()? >= transactions).then_some(())
        })
        .await;
    }
}

/// What lenders are owed, base units.
#[derive(Clone, Copy, Debug)]
pub struct Lenders(U256);

impl Lenders {
    /// As of now.
    pub async fn now(world: &World) -> Self {
        let market = world.view(LendingPoolExtension::marketStateCall {}).await;
        assert!(market.lenderAssets > U256::ZERO);
        Self(market.lenderAssets)
    }

    /// They are owed no less since, and cash with what borrowers owe covers it.
    pub async fn are_whole(&self, world: &World) {
        let market = world.view(LendingPoolExtension::marketStateCall {}).await;
        let owner = world.pool();
        let asset = world.market.deployment().asset;
        let cash = world
            .view_of(asset, SimToken::balanceOfCall { owner })
            .await;
        assert!(
            market.lenderAssets >= self.0,
            "{market:?}, {} before",
            self.0
        );
        assert!(
            cash + market.totalDebt >= market.lenderAssets,
            "{market:?}, cash {cash}"
        );
    }
}
