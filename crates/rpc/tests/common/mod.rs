//! A chain with a contract that logs, a mirror of its logs that refuses every wrong update, and what both must agree on.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

use std::{future::Future, time::Duration};

use alloy::{
    network::Ethereum,
    node_bindings::{Anvil, AnvilInstance},
    providers::{DynProvider, Provider, ProviderBuilder, ext::AnvilApi},
    rpc::types::{Filter, TransactionRequest, anvil::ReorgOptions},
};
use alloy_primitives::{Address, B256, Bytes, U256, address, hex};
use breakwater_rpc::{
    Client, Endpoint, Endpoints,
    follower::{self, Block, BlockRef, Ended, FollowerConfig, Start, Update},
    testing::{self, Fault, Proxy},
};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

/// Every wait's limit.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Logs its call data as one topic: PUSH0 CALLDATALOAD, then LOG1 of nothing.
pub const LOGGER_CODE: [u8; 6] = hex!("5f355f5fa100");
pub const LOGGER: Address = address!("00000000000000000000000000000000000a11ce");
pub const OTHER_LOGGER: Address = address!("00000000000000000000000000000000000b0b00");

pub struct Chain {
    pub anvil: AnvilInstance,
    /// Straight to the node.
    pub node: DynProvider<Ethereum>,
}

impl Chain {
    pub async fn start() -> Self {
        Self::start_with(|anvil| anvil).await
    }

    pub async fn start_with(configure: impl FnOnce(Anvil) -> Anvil) -> Self {
        let anvil =
            testing::anvil(|anvil| configure(anvil.args(["--no-mining", "--order", "fifo"])));
        let node = ProviderBuilder::default()
            .connect_http(anvil.endpoint_url())
            .erased();
        for logger in [LOGGER, OTHER_LOGGER] {
            node.anvil_set_code(logger, LOGGER_CODE.into())
                .await
                .unwrap();
        }
        Self { anvil, node }
    }

    /// A transaction that makes `logger` log `topic`, for the next block.
    pub async fn log(&self, logger: Address, topic: u64) {
        let transaction = TransactionRequest::default()
            .from(self.anvil.addresses()[0])
            .to(logger)
            .input(Bytes::from(B256::from(U256::from(topic)).to_vec()).into());
        let transaction = TransactionRequest {
            gas: Some(60_000),
            ..transaction
        };
        let _pending = self.node.send_transaction(transaction).await.unwrap();
    }

    pub async fn mine(&self, blocks: u64) {
        self.node.anvil_mine(Some(blocks), None).await.unwrap();
    }

    /// Replaces the last `depth` blocks by as many of other hashes, with logs of `topics` at those offsets.
    pub async fn reorg(&self, depth: u64, topics: &[(u64, u64)]) {
        use alloy::rpc::types::anvil::TransactionData;
        let pairs = topics.iter().map(|(topic, offset)| {
            let transaction = TransactionRequest::default()
                .from(self.anvil.addresses()[1])
                .to(LOGGER)
                .input(Bytes::from(B256::from(U256::from(*topic)).to_vec()).into());
            (
                TransactionData::JSON(TransactionRequest {
                    gas: Some(60_000),
                    ..transaction
                }),
                *offset,
            )
        });
        let options = ReorgOptions {
            depth,
            tx_block_pairs: pairs.collect(),
        };
        self.node.anvil_reorg(options).await.unwrap();
    }

    pub async fn head(&self) -> BlockRef {
        self.at(self.node.get_block_number().await.unwrap()).await
    }

    pub async fn at(&self, number: u64) -> BlockRef {
        let block = self
            .node
            .get_block_by_number(number.into())
            .await
            .unwrap()
            .unwrap();
        BlockRef {
            number,
            hash: block.header.hash,
        }
    }

    /// The canonical logs of `addresses` from `from` on: block hash, index, topic.
    pub async fn logs(&self, from: u64, addresses: &[Address]) -> Vec<(B256, u64, B256)> {
        let filter = Filter::new().from_block(from).address(addresses.to_vec());
        let logs = self.node.get_logs(&filter).await.unwrap();
        logs.iter()
            .map(|log| {
                (
                    log.block_hash.unwrap(),
                    log.log_index.unwrap(),
                    log.topics()[0],
                )
            })
            .collect()
    }
}

/// Patience for tests: attempts of 400 ms, short waits.
pub fn endpoints(urls: impl IntoIterator<Item = Endpoint>) -> Endpoints {
    Endpoints {
        request_timeout: Duration::from_millis(400),
        attempts: 3,
        backoff: Duration::from_millis(10),
        backoff_cap: Duration::from_millis(50),
        cooldown: Duration::from_millis(50),
        ..Endpoints::new(31_337, urls)
    }
}

pub async fn proxied(chain: &Chain) -> (Proxy, Client) {
    let proxy = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let client = breakwater_rpc::connect(&endpoints([proxy.endpoint()]))
        .await
        .unwrap();
    (proxy, client)
}

pub async fn two(chain: &Chain) -> (Proxy, Proxy, Client) {
    let first = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let second = Proxy::start(&chain.anvil.endpoint()).await.unwrap();
    let client = breakwater_rpc::connect(&endpoints([first.endpoint(), second.endpoint()]))
        .await
        .unwrap();
    (first, second, client)
}

/// Every way to fail that a node has for any request.
pub fn faults() -> [Fault; 7] {
    [
        Fault::Hang,
        Fault::Drop,
        Fault::RateLimit,
        Fault::ServerError,
        Fault::Garbage,
        Fault::Truncate,
        Fault::Answer(serde_json::json!({ "a result": "of another type" })),
    ]
}

pub fn config(start: Start) -> FollowerConfig {
    FollowerConfig {
        stall_after: Duration::from_secs(60),
        ..FollowerConfig::new(
            vec![LOGGER, OTHER_LOGGER],
            start,
            Duration::from_millis(200),
        )
    }
}

pub async fn bounded<F: Future>(what: &str, future: F) -> F::Output {
    timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// Applies updates as a mirror would, and panics at any gap, duplicate or wrong order.
#[derive(Debug, Default)]
pub struct Mirror {
    pub blocks: Vec<BlockRef>,
    pub logs: Vec<(u64, B256, u64, B256)>,
    pub rewinds: Vec<(u64, BlockRef)>,
    pub ranges: usize,
    pub live: bool,
    pub stalled: usize,
}

impl Mirror {
    pub fn tip(&self) -> Option<BlockRef> {
        self.blocks.last().copied()
    }

    pub fn apply(&mut self, update: Update) {
        match update {
            Update::Block(block) => {
                if let Some(tip) = self.tip() {
                    assert_eq!(
                        (block.number, block.parent_hash),
                        (tip.number + 1, tip.hash),
                        "a link is missing"
                    );
                }
                self.add(&block);
            }
            Update::Range(range) => {
                if let Some(tip) = self.tip() {
                    assert_eq!(range.from, tip.number + 1, "a range with a gap");
                }
                self.ranges += 1;
                for logged in &range.blocks {
                    assert!((range.from..=range.last.number).contains(&logged.block.number));
                    assert!(!logged.logs.is_empty() && logged.timestamp > 0);
                    self.take_logs(logged.block, &logged.logs);
                }
                assert!(range.last.logs.is_empty());
                self.blocks.push(range.last.block_ref());
            }
            Update::Rewind { to } => {
                let from = self.tip().map_or(0, |tip| tip.number);
                self.rewinds.push((from, to));
                self.blocks.retain(|block| block.number <= to.number);
                self.logs.retain(|(number, ..)| *number <= to.number);
                if let Some(tip) = self.tip() {
                    assert_eq!(tip, to, "back to a block that was never told");
                }
            }
            Update::Live { head } => {
                assert_eq!(self.tip().unwrap_or(head), head);
                self.live = true;
            }
            Update::Stalled { .. } => self.stalled += 1,
        }
    }

    fn add(&mut self, block: &Block) {
        self.take_logs(block.block_ref(), &block.logs);
        self.blocks.push(block.block_ref());
    }

    fn take_logs(&mut self, block: BlockRef, logs: &[alloy::rpc::types::Log]) {
        for log in logs {
            assert_eq!(
                (log.block_number, log.block_hash),
                (Some(block.number), Some(block.hash))
            );
            let entry = (
                block.number,
                block.hash,
                log.log_index.unwrap(),
                log.topics()[0],
            );
            if let Some(last) = self.logs.last() {
                assert!(
                    (last.0, last.2) < (entry.0, entry.2),
                    "{last:?} before {entry:?}"
                );
            }
            self.logs.push(entry);
        }
    }
}

pub struct Following {
    pub mirror: Mirror,
    pub updates: mpsc::Receiver<Update>,
    pub task: JoinHandle<Ended>,
    pub token: CancellationToken,
    from: u64,
}

impl Following {
    /// Follows from block `from` on.
    pub fn start(client: &Client, from: u64) -> Self {
        Self::with(client, config(Start::Block(from)), from)
    }

    pub fn with(client: &Client, config: FollowerConfig, from: u64) -> Self {
        let token = CancellationToken::new();
        let (updates, task) = follower::spawn(client.clone(), config, token.clone());
        Self {
            mirror: Mirror::default(),
            updates,
            task,
            token,
            from,
        }
    }

    /// Applies updates until `done`.
    pub async fn until(&mut self, what: &str, done: impl Fn(&Mirror) -> bool) {
        let all = async {
            while !done(&self.mirror) {
                match self.updates.recv().await {
                    Some(update) => self.mirror.apply(update),
                    None => panic!("ended before {what}: {:?}", (&mut self.task).await),
                }
            }
        };
        let passed = timeout(PATIENCE, all).await.is_ok();
        assert!(
            passed,
            "not within {PATIENCE:?}: {what}; at {:?}",
            self.mirror.tip()
        );
    }

    /// Waits until the mirror has the chain's head, and compares every log.
    pub async fn agree(&mut self, chain: &Chain) {
        let head = chain.head().await;
        self.until(&format!("the head {head:?}"), |mirror| {
            mirror.tip() == Some(head)
        })
        .await;
        let expected = chain.logs(self.from, &[LOGGER, OTHER_LOGGER]).await;
        let mirrored: Vec<_> = self
            .mirror
            .logs
            .iter()
            .map(|(_, hash, index, topic)| (*hash, *index, *topic))
            .collect();
        assert_eq!(mirrored, expected);
    }

    /// Waits until the node has been asked for its head a few times, and takes what is told meanwhile.
    pub async fn agree_with_frozen(&mut self, proxy: &Proxy) {
        let _ = proxy.take_counts();
        let mut asked = 0;
        let all = async {
            while asked < 3 {
                tokio::time::sleep(Duration::from_millis(5)).await;
                asked += proxy
                    .take_counts()
                    .get("eth_getBlockByNumber")
                    .copied()
                    .unwrap_or_default();
                while let Ok(update) = self.updates.try_recv() {
                    self.mirror.apply(update);
                }
            }
        };
        bounded("three questions", all).await;
    }

    pub async fn stop(self) -> Ended {
        self.token.cancel();
        bounded("the end after cancelling", self.task)
            .await
            .unwrap()
    }
}
