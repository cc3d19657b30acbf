//! A keeper that is going to die at a durable write, and what makes each of these writes happen.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may panic, and says then what the process said"
)]

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use alloy::rpc::types::TransactionRequest;
use alloy::rpc::types::anvil::ReorgOptions;
use alloy::transports::http::reqwest;
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::{ILendingPool, SimToken};
use breakwater_deploy::local::SLOT;
use breakwater_deploy::{RpcViews, Views};
use breakwater_keeper::store::Write;
use breakwater_operator::status::{BidState, ServedStatus};
use breakwater_sender::Stage;

use crate::PLACE;
use crate::due::{self, owner};
use crate::harness::{self, Setup, World, until};

/// What the sender reads of its account, and nobody else reads; it is not read at start.
pub const READS_ACCOUNT: &str = "eth_getBalance";

const GWEI: u128 = 1_000_000_000;

/// A base fee, gwei, above what is offered first, and one near the most that is ever offered.
const DEAR: u128 = 150;
const DEAREST: u128 = 1_900;

/// A keeper that is going to die; killed when it is dropped.
pub struct Doomed {
    child: Child,
    log: PathBuf,
    client: reqwest::Client,
}

impl Drop for Doomed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let text = std::fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("{}:\n{text}", self.log.display());
        }
    }
}

impl Doomed {
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// SIGTERM.
    fn stop(&self) {
        let sent = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Whether it has planned on block `number` and handed on what it meant to send; not while it starts.
    pub async fn rests(&self, number: u64) -> bool {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let Some((_, rest)) = log.split_once(" http=") else {
            return false;
        };
        let address = rest.split_whitespace().next().unwrap();
        let request = self.client.get(format!("http://{address}/status.json"));
        let Ok(answer) = request.send().await else {
            return false;
        };
        let text = answer.text().await.unwrap_or_default();
        serde_json::from_str::<ServedStatus>(&text).is_ok_and(|served| {
            let mut bids = served.status.pending.iter();
            served
                .status
                .planned
                .is_some_and(|planned| planned >= number)
                && !bids.any(|bid| bid.state == BidState::Prepared)
        })
    }
}

/// Starts a keeper that is killed at `crash`: this test binary, at [`child`]; the configuration is that of `setup`.
pub fn doomed(world: &World, setup: &Setup, crash: &str) -> Doomed {
    let folder = world.folder.path();
    let config = folder.join(format!("{}.toml", setup.name));
    std::fs::write(&config, harness::configuration(world, setup)).unwrap();
    let path = folder.join(format!("{}.log", setup.name));
    let log = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "child", "--nocapture"])
        .env("HOME", folder)
        .env("BREAKWATER_PRIVATE_KEY", world.key(PLACE))
        .env("KEEPER_CHILD_CONFIG", &config)
        .env("KEEPER_CHILD_CRASH", crash)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    Doomed {
        child,
        log: path,
        client: reqwest::Client::new(),
    }
}

/// A transaction of the keeper's account that the keeper does not know: to itself, with this nonce and so many gwei a gas.
pub async fn stranger(world: &World, nonce: u64, fee: u128) {
    let account = world.account(PLACE);
    let request = TransactionRequest::default()
        .with_from(account)
        .with_to(account)
        .with_nonce(nonce)
        .with_gas_limit(21_000)
        .with_max_fee_per_gas(fee * GWEI)
        .with_max_priority_fee_per_gas(fee * GWEI);
    drop(world.provider.send_transaction(request).await.unwrap());
}

/// The next block's base fee, gwei.
pub async fn base_fee(world: &World, fee: u128) {
    world
        .provider
        .anvil_set_next_block_base_fee_per_gas(fee * GWEI)
        .await
        .unwrap();
}

/// Makes a block with this base fee, gwei.
pub async fn mine(world: &World, fee: u128) {
    base_fee(world, fee).await;
    let mined = world.provider.anvil_mine(Some(1), Some(SLOT)).await;
    mined.unwrap();
}

/// Whether the sender's journal has a row there.
fn journalled(world: &World, setup: &Setup, rows: &str) -> bool {
    let journal = world.folder.path().join(&setup.name).join("sender.sqlite");
    let query = format!("SELECT COUNT(*) FROM {rows}");
    rusqlite::Connection::open(journal)
        .and_then(|journal| journal.query_row(&query, [], |row| row.get::<_, i64>(0)))
        .is_ok_and(|count| count > 0)
}

/// A durable write of the keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durable {
    /// Of the sender's journal.
    Send(Stage),
    /// Of the keeper's store.
    Keep(Write),
}

impl Durable {
    /// Every kind there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let journal = Stage::ALL.into_iter().map(Self::Send);
        journal.chain(Write::ALL.into_iter().map(Self::Keep))
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Send(stage) => stage.name(),
            Self::Keep(write) => write.name(),
        }
    }

    /// What has to be done for it to happen.
    pub const fn deed(self) -> Deed {
        match self {
            Self::Send(Stage::ReplacementSigned) => Deed::Outbid,
            Self::Send(Stage::CancelSigned) => Deed::RunOut,
            Self::Send(Stage::FillSigned) => Deed::Gap,
            Self::Send(Stage::Reopened) | Self::Keep(Write::Unrealised | Write::Rewound) => {
                Deed::Reorganise
            }
            Self::Send(Stage::Expired) => Deed::Expire,
            Self::Send(Stage::Foreign) => Deed::TakeNonce,
            Self::Keep(Write::Reverted) => Deed::Overtake,
            Self::Keep(Write::Snapshot) => Deed::Stop,
            Self::Keep(Write::SnapshotDropped) => Deed::ReorganiseDeeply,
            _ => Deed::Nothing,
        }
    }
}

/// What makes a durable write happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// It happens by itself.
    Nothing,
    /// The base fee rises above what was offered.
    Outbid,
    /// It stays there until the order has run out.
    RunOut,
    /// The pool forgets what fills a nonce before the keeper's.
    Gap,
    /// The block with the liquidation leaves the chain.
    Reorganise,
    /// The order runs out before it is signed.
    Expire,
    /// A stranger with the key takes the nonce.
    TakeNonce,
    /// The borrower repays in the same block, before the keeper's transaction.
    Overtake,
    /// SIGTERM.
    Stop,
    /// More blocks leave the chain than the mirror can go back. Before the fall.
    ReorganiseDeeply,
}

/// A deed, done step by step between looks at the process.
pub struct Provocation {
    pub deed: Deed,
    pub done: bool,
}

impl Provocation {
    /// Does what is due now. Gives the base fee, gwei, of the block that may be made now, if one may.
    pub async fn step(&mut self, world: &World, setup: &Setup, process: &Doomed) -> Option<u128> {
        // Whether it waits is looked at after whether the keeper rests: it may have been sent just now.
        let rests = process.rests(world.head().await).await;
        let waits = due::waits(world, PLACE).await;
        if !self.done && self.is_ready(world, setup, rests, waits).await {
            self.provoke(world, process).await;
            self.done = true;
            return None;
        }
        let holds = waits
            && !self.done
            && matches!(
                self.deed,
                Deed::Outbid | Deed::RunOut | Deed::TakeNonce | Deed::Overtake | Deed::Stop
            );
        (rests && !holds).then_some(match (self.deed, self.done) {
            (Deed::Outbid, true) => DEAR,
            (Deed::RunOut, true) => DEAREST,
            // Above what the stranger pays, below what the keeper does.
            (Deed::Gap, false) => 8,
            _ => 5,
        })
    }

    async fn is_ready(&self, world: &World, setup: &Setup, rests: bool, waits: bool) -> bool {
        match self.deed {
            Deed::Nothing => false,
            Deed::Outbid | Deed::RunOut | Deed::TakeNonce | Deed::Overtake | Deed::Stop => waits,
            Deed::Gap => due::pending_nonce(world, PLACE).await >= 2,
            Deed::Reorganise => journalled(world, setup, "slots WHERE state = 1"),
            Deed::Expire => journalled(world, setup, "orders"),
            Deed::ReorganiseDeeply => rests,
        }
    }

    async fn provoke(&self, world: &World, process: &Doomed) {
        let provider = &world.provider;
        match self.deed {
            Deed::Nothing => {}
            // Its fee does not pay the block.
            Deed::Outbid => mine(world, DEAR).await,
            // Nor these, until it has run out.
            Deed::RunOut => {
                for _ in 0..4 {
                    mine(world, DEAREST).await;
                }
            }
            Deed::Gap => provider.anvil_drop_all_transactions().await.unwrap(),
            Deed::Reorganise => {
                let included = due::closings_of(world, owner(1), 0).await[0].block;
                reorganise(world, world.head().await - included + 1).await;
            }
            Deed::Expire => world.market.advance(60).await.unwrap(),
            Deed::TakeNonce => {
                provider.anvil_drop_all_transactions().await.unwrap();
                stranger(world, due::nonce(world, PLACE).await, 500).await;
            }
            Deed::Overtake => overtake(world, owner(1)).await,
            Deed::Stop => process.stop(),
            Deed::ReorganiseDeeply => {
                // Empty blocks would be replaced by the same.
                let nobody = TransactionRequest::default()
                    .with_from(world.account(PLACE + 1))
                    .with_to(Address::ZERO);
                drop(provider.send_transaction(nobody).await.unwrap());
                world.market.advance(66 * SLOT).await.unwrap();
                let head = world.head().await;
                until("the keeper has the blocks", async || {
                    process.rests(head).await.then_some(())
                })
                .await;
                reorganise(world, 66).await;
            }
        }
    }
}

/// So many blocks leave the chain, for others without transactions.
async fn reorganise(world: &World, depth: u64) {
    let options = ReorgOptions {
        depth,
        tx_block_pairs: Vec::new(),
    };
    world.provider.anvil_reorg(options).await.unwrap();
}

/// `owner` repays all but the interest, at a price for which he comes first in the next block.
async fn overtake(world: &World, owner: Address) {
    let (pool, asset) = (world.pool(), world.market.deployment().asset);
    let views = RpcViews::new(world.provider.clone());
    let balance = SimToken::balanceOfCall { owner };
    let assets = views.read(asset, balance).await.unwrap();
    let approve = SimToken::approveCall {
        spender: pool,
        amount: U256::MAX,
    };
    let repay = ILendingPool::repayCall {
        assets,
        account: owner,
        data: Bytes::new(),
    };
    let nonce = world.provider.get_transaction_count(owner).await.unwrap();
    let calls = [(asset, approve.abi_encode()), (pool, repay.abi_encode())];
    for (place, (to, data)) in (0..).zip(calls) {
        let request = TransactionRequest::default()
            .with_from(owner)
            .with_to(to)
            .with_nonce(nonce + place)
            .with_input(data)
            .with_gas_limit(1_000_000)
            .with_max_fee_per_gas(1_000 * GWEI)
            .with_max_priority_fee_per_gas(1_000 * GWEI);
        drop(world.provider.send_transaction(request).await.unwrap());
    }
}
