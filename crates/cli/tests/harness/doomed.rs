//! A keeper that is going to die at a durable write of its sender, and what makes each of these writes happen.

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
use breakwater_deploy::local::SLOT;
use breakwater_operator::status::{BidState, ServedStatus};
use breakwater_sender::Stage;

use crate::PLACE;
use crate::due::{self, owner};
use crate::harness::{self, Setup, World};

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

/// Starts a keeper that aborts at `crash`: this test binary, at [`child`]; the configuration is that of `setup`.
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

/// What makes a stage happen, done step by step between looks at the process.
pub struct Provocation {
    pub stage: Stage,
    pub done: bool,
}

impl Provocation {
    /// Does what is due now. Gives the base fee, gwei, of the block that may be made now, if one may.
    pub async fn step(&mut self, world: &World, setup: &Setup, process: &Doomed) -> Option<u128> {
        // Whether it waits is looked at after whether the keeper rests: it may have been sent just now.
        let rests = process.rests(world.head().await).await;
        let waits = due::waits(world, PLACE).await;
        if !self.done && self.is_ready(world, setup, waits).await {
            self.provoke(world).await;
            self.done = true;
            return None;
        }
        let holds = waits
            && !self.done
            && matches!(
                self.stage,
                Stage::ReplacementSigned | Stage::CancelSigned | Stage::Foreign
            );
        (rests && !holds).then_some(match (self.stage, self.done) {
            (Stage::ReplacementSigned, true) => DEAR,
            (Stage::CancelSigned, true) => DEAREST,
            // Above what the stranger pays, below what the keeper does.
            (Stage::FillSigned, false) => 8,
            _ => 5,
        })
    }

    async fn is_ready(&self, world: &World, setup: &Setup, waits: bool) -> bool {
        match self.stage {
            // They happen by themselves.
            Stage::Planned | Stage::Signed | Stage::Broadcast | Stage::Included | Stage::Final => {
                false
            }
            Stage::ReplacementSigned | Stage::CancelSigned | Stage::Foreign => waits,
            Stage::FillSigned => due::pending_nonce(world, PLACE).await >= 2,
            Stage::Reopened => journalled(world, setup, "slots WHERE state = 1"),
            Stage::Expired => journalled(world, setup, "orders"),
        }
    }

    async fn provoke(&self, world: &World) {
        let provider = &world.provider;
        match self.stage {
            // Its fee does not pay the block.
            Stage::ReplacementSigned => mine(world, DEAR).await,
            // Nor these, until it has run out.
            Stage::CancelSigned => {
                for _ in 0..4 {
                    mine(world, DEAREST).await;
                }
            }
            Stage::FillSigned => provider.anvil_drop_all_transactions().await.unwrap(),
            Stage::Reopened => {
                let included = due::closings_of(world, owner(1), 0).await[0].block;
                let options = ReorgOptions {
                    depth: world.head().await - included + 1,
                    tx_block_pairs: Vec::new(),
                };
                provider.anvil_reorg(options).await.unwrap();
            }
            Stage::Expired => world.market.advance(60).await.unwrap(),
            Stage::Foreign => {
                provider.anvil_drop_all_transactions().await.unwrap();
                stranger(world, due::nonce(world, PLACE).await, 500).await;
            }
            _ => {}
        }
    }
}
