//! The keeper's one loop: blocks and the sender's news come in, the mirror follows, plans go out. It owns mirror and store, so
//! nothing about them is ever concurrent; whatever waits for a node runs beside it and is dropped when a new head makes it stale.

mod audit;
mod blocks;
mod orders;
mod planning;
mod publish;
mod under_way;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, B256};
use breakwater_operator::metrics::Latencies;
use breakwater_operator::status::{Status, Warning};
use breakwater_protocol::Mirror;
use breakwater_rpc::Client;
use breakwater_rpc::follower::{Block, Ended as FollowerEnded, FollowError, Update};
use breakwater_sender::{Handle, Report};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::planner::{Plan, Planner};
use crate::reading::HeadReading;
use crate::store::{Store, StoreError};
use crate::system::System;
use crate::thought::Memory;
pub(crate) use planning::{inclusion_tip, next_block};
pub(crate) use publish::zone_of;

use breakwater_agents::observation::MIN_TIP;
use orders::ReceiptFound;
use planning::{InOrder, Step, Tried};
use under_way::UnderWay;

/// Blocks whose hashes are kept: what the EVM's BLOCKHASH knows.
const HASHES_KEPT: usize = 257;

/// What does not change while the keeper runs.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// To the chain.
    pub client: Client,
    /// What is deployed.
    pub system: Arc<System>,
    /// The chain's block time, seconds.
    pub slot: u64,
    /// Whether nothing is sent.
    pub dry_run: bool,
    /// Where histograms are kept.
    pub latencies: Latencies,
}

/// The last head with what was measured of it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub block: Block,
    /// When it arrived.
    pub received: Instant,
    /// The same by the wall clock, unix seconds.
    pub received_at: u64,
}

/// What was last planned, for people.
#[derive(Clone, Debug)]
pub(crate) struct Latest {
    pub reading: HeadReading,
    pub plan: Plan,
}

/// What tells the engine about the chain.
#[derive(Debug)]
pub(crate) struct Follow {
    pub updates: mpsc::Receiver<Update>,
    pub task: JoinHandle<FollowerEnded>,
}

/// How an engine ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It was asked to, and everything under way was finished or handed over.
    Stopped,
    /// The mirror was found wrong: it has to be rebuilt from the chain.
    Resync(String),
    /// It cannot go on.
    Failed(String),
}

/// What the sender's side gives the engine.
#[derive(Debug)]
pub(crate) struct Sending {
    pub reports: mpsc::UnboundedReceiver<Report>,
}

/// The loop's state.
#[derive(Debug)]
pub(crate) struct Engine {
    context: Context,
    mirror: Mirror,
    store: Store,
    planner: Planner,
    memory: Memory,
    under_way: UnderWay,
    /// Accounts that were ever ordered for: only what was ordered for them can keep an order from being made.
    ordered_for: HashSet<Address>,
    /// The tip that was last known to be included, gwei.
    inclusion_tip: f64,
    hashes: VecDeque<(u64, B256)>,
    head: Option<Seen>,
    /// Whether the mirror is at the head of the chain.
    live: bool,
    stalled: bool,
    draining: bool,
    latest: Option<Latest>,
    steps: JoinSet<Step>,
    /// What of the plan was tried, until it is its turn to be sent.
    tried: InOrder<Tried>,
    receipts: JoinSet<ReceiptFound>,
    audit: audit::Audit,
    sender: Option<Handle>,
    status: watch::Sender<Status>,
    warnings: Vec<Warning>,
    reorgs: (u64, u64),
    saved: (u64, Instant),
    /// When the market was last published, and how long that took.
    shown: Option<(Instant, Duration)>,
    /// Of how many of the store's writes the published ledger knows.
    ledger_of: Option<u64>,
}

impl Engine {
    pub fn new(
        context: Context,
        mirror: Mirror,
        store: Store,
        planner: Planner,
        sender: Option<Handle>,
        status: watch::Sender<Status>,
    ) -> Self {
        let saved = (mirror.head().number, Instant::now());
        Self {
            context,
            mirror,
            store,
            planner,
            memory: Memory::default(),
            under_way: UnderWay::default(),
            ordered_for: HashSet::new(),
            inclusion_tip: MIN_TIP,
            hashes: VecDeque::new(),
            head: None,
            live: false,
            stalled: false,
            draining: false,
            latest: None,
            steps: JoinSet::new(),
            tried: InOrder::default(),
            receipts: JoinSet::new(),
            audit: audit::Audit::default(),
            sender,
            status,
            warnings: Vec::new(),
            reorgs: (0, 0),
            saved,
            shown: None,
            ledger_of: None,
        }
    }

    /// Starts over with an empty mirror.
    pub fn start_over(&mut self, mirror: Mirror) -> Result<(), StoreError> {
        self.store.drop_snapshot()?;
        self.steps.abort_all();
        self.audit.abandon();
        self.memory = Memory::default();
        self.hashes.clear();
        self.mirror = mirror;
        self.live = false;
        self.latest = None;
        Ok(())
    }

    /// Where a follower goes on.
    pub const fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// Runs until `stop` is cancelled and then until the sender has ended, or until it cannot go on.
    pub async fn run(
        &mut self,
        follow: &mut Follow,
        sending: &mut Sending,
        stop: &CancellationToken,
        sender_done: &CancellationToken,
    ) -> Ended {
        match self.store.accounts_ordered() {
            Ok(accounts) => self.ordered_for.extend(accounts),
            Err(error) => return Ended::Failed(error.to_string()),
        }
        if let Err(error) = self.recall().await {
            return Ended::Failed(error.to_string());
        }
        self.publish();
        loop {
            let ended = tokio::select! {
                biased;
                () = sender_done.cancelled() => Some(Ended::Stopped),
                () = stop.cancelled(), if !self.draining => {
                    tracing::info!("stopping: no more plans, what is under way is finished or handed over");
                    self.draining = true;
                    self.steps.abort_all();
                    None
                }
                Some(report) = sending.reports.recv() => self.heard(report),
                update = follow.updates.recv() => match update {
                    Some(update) => self.follow(update, &mut sending.reports, follow.updates.is_empty()),
                    None => Some(follower_ended(&mut follow.task).await),
                },
                Some(step) = self.steps.join_next(), if !self.steps.is_empty() => match step {
                    Ok(step) => self.advance(step).await,
                    Err(error) if error.is_cancelled() => None,
                    Err(error) => Some(Ended::Failed(format!("a planning step failed: {error}"))),
                },
                Some(found) = self.receipts.join_next(), if !self.receipts.is_empty() => match found {
                    Ok(found) => self.realise(found),
                    Err(error) => Some(Ended::Failed(format!("a receipt's reading failed: {error}"))),
                },
                found = self.audit.finished() => self.audited(found),
            };
            let ended = ended.or_else(|| self.save_now_and_then());
            if let Some(ended) = ended {
                self.finish(&ended);
                return ended;
            }
            self.publish();
        }
    }

    /// What a stop leaves on disk: the mirror, if it is right.
    fn finish(&mut self, ended: &Ended) {
        self.steps.abort_all();
        if !matches!(ended, Ended::Resync(_))
            && let Err(error) = self.save()
        {
            tracing::warn!(%error, "the mirror's snapshot was not written: the next start reads more blocks");
        }
    }

    /// A warning that is there once, from when it was first said.
    fn warn(&mut self, text: String) {
        if !self.warnings.iter().any(|warning| warning.text == text) {
            tracing::warn!("{text}");
            self.warnings.push(Warning {
                since: breakwater_operator::status::unix_now(),
                text,
            });
        }
    }

    /// Takes back the warnings that begin so.
    fn clear_warning(&mut self, beginning: &str) {
        self.warnings
            .retain(|warning| !warning.text.starts_with(beginning));
    }

    /// The manifest does not say what the native coin is worth.
    pub fn note_unknown_native(&mut self) {
        self.warn(
            "the manifest names no native collateral: gas is counted at the price of collateral 0"
                .to_owned(),
        );
    }

    fn us(&self) -> Address {
        self.planner.strategy().us
    }
}

async fn follower_ended(task: &mut JoinHandle<FollowerEnded>) -> Ended {
    Ended::Failed(match task.await {
        // Nothing that the mirror knows is in the chain any more; the chain itself has everything.
        Ok(FollowerEnded::Failed(error @ FollowError::TooDeep { .. })) => {
            return Ended::Resync(error.to_string());
        }
        Ok(FollowerEnded::Failed(error)) => format!("following the chain: {error}"),
        Ok(ended) => format!("following the chain ended: {ended:?}"),
        Err(error) => format!("following the chain: {error}"),
    })
}
