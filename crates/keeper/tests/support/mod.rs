//! A local market on an anvil of its own, and keepers on it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use alloy::network::TransactionBuilder;
use alloy::node_bindings::{Anvil, AnvilInstance};
use alloy::providers::ext::AnvilApi;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::client::ClientBuilder;
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolConstructor};
use breakwater_bindings::backstop_pool::BackstopPool::BackstopParameters;
use breakwater_bindings::{
    BackstopPolicy, BackstopPool, CircuitBreaker, DampedPolicy, IBackstopPool, ILendingPool,
    LendingPoolExtension, SimToken,
};
use breakwater_deploy::ManifestFile;
use breakwater_deploy::local::{
    COLLATERAL_DECIMALS, DEBT_DECIMALS, Market, SLOT, START_PRICE, tokens,
};
use breakwater_keeper::{Keeper, Options, RunError};
use breakwater_operator::config::{Environment, KeeperConfig};
use breakwater_operator::status::{BidState, Status};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Every wait's limit.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct World {
    pub anvil: AnvilInstance,
    pub provider: DynProvider,
    pub market: Market,
    pub folder: TempDir,
    /// What the keepers' configuration names.
    pub backstop: Option<Address>,
}

impl World {
    /// A market at 2,000, in which every transaction makes a block, twelve seconds after the last.
    pub async fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .find(|path| path.join("node_modules").is_dir())
            .unwrap();
        let anvil = Anvil::at(root.join("node_modules/.bin/anvil"))
            // Else it leaves the states of old blocks in files behind.
            .args(["--prune-history", "600"])
            .host("127.0.0.1")
            .port(0_u16)
            .timeout(30_000)
            .try_spawn()
            .unwrap();
        let client = ClientBuilder::default().http(anvil.endpoint_url());
        client.set_poll_interval(Duration::from_millis(20));
        let provider = ProviderBuilder::default().connect_client(client).erased();
        let folder = tempfile::tempdir().unwrap();
        let file = ManifestFile::open(folder.path().join("manifest.json")).unwrap();
        let market = Market::deploy(provider.clone(), file, |_| {})
            .await
            .unwrap();
        provider
            .anvil_set_block_timestamp_interval(SLOT)
            .await
            .unwrap();
        Self {
            anvil,
            provider,
            market,
            folder,
            backstop: None,
        }
    }

    /// A position that falls at `percent` of the start price: 10 collateral tokens, and debt so that 83% of their value there is it.
    pub async fn open_falling_at(&self, owner: Address, percent: u64) -> U256 {
        let value = 10 * START_PRICE / 100_000_000 * percent / 100;
        let debt = tokens(value * 83 / 100, DEBT_DECIMALS);
        self.market
            .open_position(owner, tokens(10, COLLATERAL_DECIMALS), debt)
            .await
            .unwrap();
        debt
    }

    /// What an operator does who watches over a young pool: lets the bucket record its depth until it has grown to what the
    /// collateral allows. It opened when there was none, and follows at most 4.75-fold in a quarter of an hour.
    pub async fn record_depth(&self, owner: Address) {
        let pool = self.market.deployment().pool;
        let policy = self.view(pool, &ILendingPool::policyCall {}).await;
        for _ in 0..16 {
            self.market.advance(900).await.unwrap();
            self.market
                .set_price(U256::from(START_PRICE))
                .await
                .unwrap();
            let call = DampedPolicy::recordDepthCall {
                pool,
                collateralId: U256::ZERO,
            };
            self.market.send(owner, policy, &call).await.unwrap();
        }
        self.market.advance(120).await.unwrap();
    }

    /// A backstop of so many whole debt tokens on the live system, its policy set by governance; its address. The depositor's hours of
    /// waiting go by.
    pub async fn put_backstop(&mut self, assets: u64) -> Address {
        let deployment = self.market.deployment();
        let pool = deployment.pool;
        let unit = tokens(1, DEBT_DECIMALS);
        let percent = U256::from(10).pow(U256::from(16));
        let parameters = BackstopParameters {
            pool,
            name: "Backstop".to_owned(),
            symbol: "B".to_owned(),
            periodSeconds: U256::from(4 * 3_600),
            minimumLeft: unit,
            minimumDeposit: unit,
            callerShare: U256::from(10) * percent,
            releaseShare: percent,
            auctionSeconds: U256::from(600),
            startMarkup: percent,
            maxDiscount: percent,
            venueTolerance: percent / U256::from(2),
        };
        let arguments = BackstopPool::constructorCall { p: parameters };
        let backstop = self
            .create(&BackstopPool::BYTECODE, arguments.abi_encode())
            .await;
        let arguments = BackstopPolicy::constructorCall {
            behind: deployment.policy.address,
            backstop,
            absorptionHealth: U256::from(105) * percent,
        };
        let policy = self
            .create(&BackstopPolicy::BYTECODE, arguments.abi_encode())
            .await;
        self.market.adopt(deployment.timelock).await.unwrap();
        let set = LendingPoolExtension::setPolicyCall { policy_: policy };
        let owner = deployment.timelock;
        self.market.send(owner, pool, &set).await.unwrap();

        let depositor = Address::repeat_byte(0xd0);
        self.lend_to(depositor, assets, backstop).await;
        let deposit = IBackstopPool::depositCall {
            assets: tokens(assets, DEBT_DECIMALS),
        };
        let market = &self.market;
        market.send(depositor, backstop, &deposit).await.unwrap();
        for _ in 0..33 {
            market.advance(900).await.unwrap();
            market.set_price(U256::from(START_PRICE)).await.unwrap();
        }
        let absorbable = IBackstopPool::absorbableCall {};
        assert!(!self.view(backstop, &absorbable).await.is_zero());
        self.backstop = Some(backstop);
        backstop
    }

    /// Six hours of governance's halt.
    pub async fn halt(&self) {
        let deployment = self.market.deployment();
        self.market.adopt(deployment.timelock).await.unwrap();
        let call = CircuitBreaker::haltCall {
            pool: deployment.pool,
            duration: U256::from(6 * 3_600),
        };
        let breaker = deployment.breaker.unwrap();
        let owner = deployment.timelock;
        self.market.send(owner, breaker, &call).await.unwrap();
    }

    /// Gives an account so many whole debt tokens, which `spender` may take.
    pub async fn lend_to(&self, account: Address, assets: u64, spender: Address) {
        let asset = self.market.deployment().asset;
        self.market.adopt(account).await.unwrap();
        let mint = SimToken::mintCall {
            to: account,
            amount: tokens(assets, DEBT_DECIMALS),
        };
        let operator = self.market.operator();
        self.market.send(operator, asset, &mint).await.unwrap();
        let approve = SimToken::approveCall {
            spender,
            amount: U256::MAX,
        };
        self.market.send(account, asset, &approve).await.unwrap();
    }

    async fn create(&self, code: &Bytes, arguments: Vec<u8>) -> Address {
        let code: Bytes = [code.as_ref(), &arguments].concat().into();
        let request = TransactionRequest::default()
            .with_from(self.market.operator())
            .with_deploy_code(code);
        let sent = self.provider.send_transaction(request).await.unwrap();
        let receipt = sent.get_receipt().await.unwrap();
        receipt.contract_address.unwrap()
    }

    /// Any view.
    pub async fn view<C: SolCall>(&self, to: Address, call: &C) -> C::Return {
        let request = TransactionRequest::default()
            .with_to(to)
            .with_input(call.abi_encode());
        let answer = self.provider.call(request).await.unwrap();
        C::abi_decode_returns(&answer).unwrap()
    }

    /// Feed and venue at `percent` of the start price, and what the venue's average needs to follow.
    pub async fn fall_to(&self, percent: u64) {
        self.market
            .set_price(U256::from(START_PRICE * percent / 100))
            .await
            .unwrap();
    }

    pub fn signer(&self, place: usize) -> PrivateKeySigner {
        PrivateKeySigner::from_slice(&self.anvil.keys()[place].to_bytes()).unwrap()
    }

    pub fn config(&self, state: &str, more: &str) -> KeeperConfig {
        self.config_at(&self.anvil.ws_endpoint(), state, more)
    }

    /// With another way to the chain.
    fn config_at(&self, node: &str, state: &str, more: &str) -> KeeperConfig {
        let backstop = self
            .backstop
            .map_or_else(String::new, |address| format!("backstop = \"{address}\"\n"));
        let text = format!(
            "[chain]\n{backstop}rpc_urls = [\"{node}\"]\nchain_id = 31337\nmanifest = \"manifest.json\"\nslot_seconds = {SLOT}\n\
             poll_interval_ms = 50\n[account]\n[state]\ndirectory = \"{state}\"\n[http]\nlisten = \"127.0.0.1:0\"\n{more}",
        );
        KeeperConfig::parse(
            &text,
            &self.folder.path().join("keeper.toml"),
            &Environment::default(),
        )
        .unwrap()
    }

    pub fn options(&self, place: usize) -> Options {
        Options {
            signer: Some(self.signer(place)),
            lock_directory: Some(self.folder.path().join("locks")),
            ..Options::default()
        }
    }

    /// Starts a keeper with the account `place` of the anvil and waits until it is at the head.
    pub async fn keeper(&self, place: usize, state: &str, more: &str) -> Running {
        let node = self.anvil.ws_endpoint();
        self.keeper_at(&node, place, state, more).await
    }

    /// The same by another way to the chain.
    pub async fn keeper_at(&self, node: &str, place: usize, state: &str, more: &str) -> Running {
        let stop = CancellationToken::new();
        let config = self.config_at(node, state, more);
        let keeper = breakwater_keeper::start(config, self.options(place), stop.clone())
            .await
            .unwrap();
        let mut running = Running { keeper, stop };
        running.wait("is synced", |status| status.synced).await;
        running
    }

    /// Makes a block every now and then until `done` says so of the keeper's status; panics after `blocks`.
    pub async fn mine_until(
        &self,
        running: &mut Running,
        blocks: u64,
        what: &str,
        done: impl Fn(&Status) -> bool,
    ) {
        for _ in 0..blocks {
            if done(&running.keeper.status.borrow()) {
                return;
            }
            self.market.advance(SLOT).await.unwrap();
            running.at_head(self.head().await).await;
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        let status = running.keeper.status.borrow();
        assert!(
            done(&status),
            "{what}: not within {blocks} blocks: {status:#?}"
        );
    }

    pub async fn head(&self) -> u64 {
        self.provider.get_block_number().await.unwrap()
    }

    pub fn manifest(&self) -> PathBuf {
        self.folder.path().join("manifest.json")
    }
}

pub struct Running {
    pub keeper: Keeper,
    pub stop: CancellationToken,
}

impl Running {
    pub async fn wait(&mut self, what: &str, done: impl Fn(&Status) -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            if done(&self.keeper.status.borrow_and_update()) {
                return;
            }
            let left = until.saturating_duration_since(Instant::now());
            let changed = tokio::time::timeout(left, self.keeper.status.changed()).await;
            assert!(
                matches!(changed, Ok(Ok(()))),
                "{what}: not within {PATIENCE:?}: {:#?}",
                self.keeper.status.borrow()
            );
        }
    }

    /// Waits until it has planned on block `number` to the end, and sent what it meant to.
    pub async fn planned_on(&mut self, number: u64) {
        self.wait("has planned on the head", |status| {
            status.planned.is_some_and(|planned| planned >= number)
                && !status
                    .pending
                    .iter()
                    .any(|bid| bid.state == BidState::Prepared)
        })
        .await;
    }

    pub async fn at_head(&mut self, number: u64) {
        self.wait("is at the head", |status| {
            status.head.is_some_and(|head| head.number >= number)
        })
        .await;
    }

    pub async fn stop(self) -> Result<(), RunError> {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.keeper.stopped())
            .await
            .unwrap()
    }
}
