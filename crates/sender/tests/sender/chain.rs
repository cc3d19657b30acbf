//! An anvil that mines when told, a counter on it, and a sender driven by a follower.

use std::time::Duration;

use alloy::consensus::BlockHeader;
use alloy::eips::eip1559::BaseFeeParams;
use alloy::network::EthereumWallet;
use alloy::node_bindings::AnvilInstance;
use alloy::providers::ext::AnvilApi;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::types::TransactionRequest;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256, Bytes, U256, address, bytes};
use breakwater_rpc::testing;
use breakwater_sender::{Head, Order, Outcome, Report, Sender, Settings, Started};
use tempfile::TempDir;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

pub const CHAIN_ID: u64 = 31_337;
pub const GWEI: u128 = 1_000_000_000;
pub const PATIENCE: Duration = Duration::from_secs(90);
pub const COUNTER: Address = address!("00000000000000000000000000000000c0ffee00");
/// `storage[calldata word 0] += 1`.
const COUNTER_CODE: Bytes = bytes!("5f35805460010190555f00");

pub struct Chain {
    pub anvil: AnvilInstance,
    pub node: DynProvider,
    pub directory: TempDir,
    pub key: PrivateKeySigner,
}

pub fn connect(url: &str) -> DynProvider {
    ProviderBuilder::new()
        .disable_recommended_fillers()
        .connect_http(url.parse().unwrap())
        .erased()
}

impl Chain {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub async fn start_with(arguments: &[&str]) -> Self {
        let anvil = testing::anvil(|anvil| anvil.args(["--no-mining"]).args(arguments));
        let node = connect(&anvil.endpoint());
        node.anvil_set_code(COUNTER, COUNTER_CODE).await.unwrap();
        let key = PrivateKeySigner::from(anvil.first_key().clone());
        Self {
            anvil,
            node,
            directory: tempfile::tempdir().unwrap(),
            key,
        }
    }

    pub fn settings(&self) -> Settings {
        let mut settings = Settings::new(
            self.directory.path().join("journal.sqlite"),
            self.directory.path().join("locks"),
            CHAIN_ID,
        );
        settings.shutdown_grace = Duration::from_millis(50);
        settings
    }

    pub async fn run(&self) -> Run {
        self.run_with(self.node.clone(), self.settings()).await
    }

    /// The sender reads and sends by `provider`; its follower sees the node itself.
    pub async fn run_with(&self, provider: DynProvider, settings: Settings) -> Run {
        let token = CancellationToken::new();
        let started = Sender::start(provider, self.key.clone(), settings, token.clone())
            .await
            .unwrap();
        let follower = tokio::spawn(follow(self.node.clone(), started.handle.clone()));
        Run {
            started,
            token,
            follower,
            seen: Vec::new(),
        }
    }

    pub async fn mine(&self, blocks: u64) {
        self.node.anvil_mine(Some(blocks), None).await.unwrap();
    }

    pub async fn base_fee(&self, wei: u128) {
        self.node
            .anvil_set_next_block_base_fee_per_gas(wei)
            .await
            .unwrap();
    }

    /// Time of the last block.
    pub async fn now(&self) -> u64 {
        head(&self.node).await.timestamp
    }

    /// How often an order's call was executed.
    pub async fn executed(&self, id: B256) -> u64 {
        self.node
            .get_storage_at(COUNTER, id.into())
            .await
            .unwrap()
            .to()
    }

    pub async fn nonce(&self) -> u64 {
        self.node
            .get_transaction_count(self.key.address())
            .await
            .unwrap()
    }

    pub async fn pending(&self) -> u64 {
        self.node
            .get_transaction_count(self.key.address())
            .pending()
            .await
            .unwrap()
    }

    /// Waits, without mining, until the pool has all nonces below `nonce`.
    pub async fn until_pending(&self, nonce: u64) {
        eventually("the pool to have our transactions", async || {
            self.pending().await >= nonce
        })
        .await;
    }

    /// An order that counts, valid for an hour.
    pub async fn order(&self, number: u64) -> Order {
        order(number, self.now().await + 3600)
    }

    /// A transfer of somebody else who has the key.
    pub async fn stranger(&self, nonce: u64, max_fee_per_gas: u128) -> B256 {
        let stranger = ProviderBuilder::new()
            .disable_recommended_fillers()
            .wallet(EthereumWallet::from(self.key.clone()))
            .connect_http(self.anvil.endpoint_url());
        let request = TransactionRequest::default()
            .from(self.key.address())
            .to(Address::repeat_byte(0xee))
            .nonce(nonce)
            .gas_limit(21_000)
            .max_fee_per_gas(max_fee_per_gas)
            .max_priority_fee_per_gas(max_fee_per_gas);
        let request = TransactionRequest {
            chain_id: Some(CHAIN_ID),
            ..request
        };
        *stranger.send_transaction(request).await.unwrap().tx_hash()
    }

    /// Mines block after block until the condition holds.
    pub async fn mine_until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        eventually(what, async || {
            let holds = condition().await;
            if !holds {
                self.mine(1).await;
            }
            holds
        })
        .await;
    }
}

pub fn order(number: u64, valid_until: u64) -> Order {
    let id = B256::from(U256::from(0xabcd_0000_u64 + number));
    Order {
        id,
        label: format!("order {number}"),
        to: COUNTER,
        data: id.to_vec().into(),
        value: U256::ZERO,
        gas_limit: 60_000,
        max_fee_per_gas: 2 * GWEI,
        max_priority_fee_per_gas: GWEI,
        max_fee_ceiling: 50 * GWEI,
        valid_until,
    }
}

pub struct Run {
    pub started: Started,
    pub token: CancellationToken,
    follower: tokio::task::JoinHandle<()>,
    pub seen: Vec<Report>,
}

impl Run {
    /// The next outcome of the order that is wanted; whatever else is reported is kept in `seen`.
    pub async fn until(&mut self, id: B256, wanted: impl Fn(&Outcome) -> bool) -> Outcome {
        let reports = &mut self.started.reports;
        match timeout(PATIENCE, next(reports, &mut self.seen, id, wanted)).await {
            Ok(outcome) => outcome,
            Err(_) => panic!(
                "no such report: {:#?}\n{:#?}",
                self.seen,
                self.started.handle.status()
            ),
        }
    }

    /// Stops the sender and gives the number of orders handed over.
    pub async fn stop(self) -> usize {
        self.token.cancel();
        let stopped = timeout(PATIENCE, self.started.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        self.follower.abort();
        stopped.handed_over
    }
}

async fn next(
    reports: &mut UnboundedReceiver<Report>,
    seen: &mut Vec<Report>,
    id: B256,
    wanted: impl Fn(&Outcome) -> bool,
) -> Outcome {
    loop {
        let report = reports.recv().await.expect("the sender ended");
        seen.push(report.clone());
        if let Report::Order {
            id: of, outcome, ..
        } = report
            && of == id
            && wanted(&outcome)
        {
            return outcome;
        }
    }
}

pub async fn eventually(what: &str, condition: impl AsyncFn() -> bool) {
    let poll = async {
        while !condition().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, poll)
        .await
        .unwrap_or_else(|_| panic!("waited in vain for {what}"));
}

async fn block(node: &DynProvider, number: alloy::eips::BlockNumberOrTag) -> (Head, B256) {
    let block = node.get_block_by_number(number).await.unwrap().unwrap();
    let header = &block.header;
    let head = Head {
        number: header.number,
        hash: header.hash,
        timestamp: header.timestamp,
        next_base_fee: header
            .next_block_base_fee(BaseFeeParams::ethereum())
            .unwrap()
            .into(),
    };
    (head, header.parent_hash)
}

pub async fn head(node: &DynProvider) -> Head {
    block(node, alloy::eips::BlockNumberOrTag::Latest).await.0
}

/// Tells the sender of heads and reorgs until it has ended.
pub async fn follow(node: DynProvider, handle: breakwater_sender::Handle) {
    let mut known: Vec<Head> = Vec::new();
    loop {
        let head = head(&node).await;
        if known.last().is_none_or(|last| last.hash != head.hash) {
            let before = known.len();
            while let Some(last) = known.last() {
                if last.number <= head.number
                    && block(&node, last.number.into()).await.0.hash == last.hash
                {
                    break;
                }
                known.pop();
            }
            if known.len() < before {
                handle.reorged(known.last().map_or(0, |last| last.number));
            }
            handle.new_head(head);
            known.push(head);
        }
        sleep(Duration::from_millis(5)).await;
    }
}
