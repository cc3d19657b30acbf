//! The follower's life: where it starts, what wakes it, when it ends.

use std::cmp::Reverse;

use alloy::{pubsub::RawSubscription, rpc::types::Header};
use alloy_primitives::B256;
use tokio::{
    sync::{broadcast::error::RecvError, mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    canonical::Canonical,
    pace::Pace,
    source::{Hitch, Seen, Source},
    types::{BlockRef, Ended, FollowError, FollowerConfig, Start, Update},
};
use crate::{Client, transport::Route};

/// Starts a task that tells what happens to the chain until `token` is cancelled, the receiver is dropped, or it cannot go
/// on. Failing requests do not end it: it asks again, and tells [`Update::Stalled`] meanwhile.
#[must_use]
pub fn spawn(
    client: Client,
    config: FollowerConfig,
    token: CancellationToken,
) -> (mpsc::Receiver<Update>, JoinHandle<Ended>) {
    let (sender, receiver) = mpsc::channel(config.capacity.max(1));
    let task = tokio::spawn(async move {
        let ended = token
            .run_until_cancelled(follow(client, config, sender))
            .await
            .unwrap_or(Ended::Cancelled);
        tracing::info!(?ended, "follower ended");
        ended
    });
    (receiver, task)
}

async fn follow(client: Client, config: FollowerConfig, updates: mpsc::Sender<Update>) -> Ended {
    if config.slot.is_zero()
        || config.stall_after.is_zero()
        || config.max_range == 0
        || config.capacity == 0
    {
        let reason = "slot, stall_after, max_range and capacity must be positive";
        return Ended::Failed(FollowError::Config(reason));
    }
    let (heard, last_heard) = watch::channel(Instant::now());
    let stalled = watch_for_stall(config.stall_after, last_heard, updates.clone());
    let now = Instant::now();
    let follower = Follower {
        source: Source::new(client, &config),
        canonical: Canonical::new(
            BlockRef {
                number: 0,
                hash: B256::ZERO,
            },
            &[],
        ),
        pace: Pace::new(config.slot, now),
        range: config.max_range,
        config,
        updates,
        heard,
        subscription: None,
        subscribe_at: now,
        silent: 0,
        live: false,
        audit_at: 0,
        compared: Vec::new(),
    };
    tokio::select! {
        ended = follower.run() => ended,
        () = stalled => Ended::ReceiverClosed,
    }
}

/// Tells once that nothing was heard for `after`, and again after something was.
async fn watch_for_stall(
    after: std::time::Duration,
    mut heard: watch::Receiver<Instant>,
    updates: mpsc::Sender<Update>,
) {
    loop {
        let last = *heard.borrow_and_update();
        tokio::select! {
            () = sleep_until(last + after) => {}
            changed = heard.changed() => match changed {
                Ok(()) => continue,
                // The follower is gone, and its end is told elsewhere.
                Err(_) => return std::future::pending().await,
            },
        }
        let Ok(permit) = updates.reserve().await else {
            return;
        };
        // It may have been the receiver that was slow: then there is news by now.
        if *heard.borrow() == last {
            permit.send(Update::Stalled {
                since: last.elapsed(),
            });
            if heard.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

/// What keeps a step from being made.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// For now.
    Hitch(Hitch),
    /// For good.
    End(Ended),
}

impl From<Hitch> for Obstacle {
    fn from(hitch: Hitch) -> Self {
        Self::Hitch(hitch)
    }
}

impl From<FollowError> for Obstacle {
    fn from(error: FollowError) -> Self {
        Self::End(Ended::Failed(error))
    }
}

pub(super) struct Follower {
    pub source: Source,
    pub config: FollowerConfig,
    pub canonical: Canonical,
    /// The length of the next range of logs.
    pub range: u64,
    /// The head that was seen last has been reached and told.
    pub live: bool,
    /// The height at which told logs are compared again.
    pub audit_at: u64,
    /// The heads of all nodes, from when they were last compared until the best of them is reached.
    pub compared: Vec<Seen>,
    updates: mpsc::Sender<Update>,
    heard: watch::Sender<Instant>,
    pace: Pace,
    subscription: Option<(usize, RawSubscription)>,
    /// When to try to subscribe again.
    subscribe_at: Instant,
    /// New heads in a row that had to be asked for although somebody should have pushed them.
    silent: u32,
}

impl Follower {
    async fn run(mut self) -> Ended {
        let mut started = false;
        loop {
            let step = async {
                if !started {
                    sleep_until(self.pace.next()).await;
                    self.start().await?;
                    started = true;
                }
                let (seen, pushed) = self.next_head().await?;
                let progress = self.catch_up(seen).await?;
                Ok((progress, pushed))
            };
            match step.await {
                Ok((true, pushed)) => self.progressed(pushed),
                Ok((false, _)) => self
                    .pace
                    .missed(Instant::now(), self.subscription.is_some()),
                Err(Obstacle::Hitch(hitch)) => {
                    tracing::debug!(?hitch, "no step");
                    self.pace.missed(Instant::now(), false);
                }
                Err(Obstacle::End(ended)) => return ended,
            }
        }
    }

    fn progressed(&mut self, pushed: bool) {
        self.silent = if pushed { 0 } else { self.silent + 1 };
        if self.subscription.is_some() && self.silent > 1 {
            self.subscription = None;
        }
        self.pace.found(Instant::now(), self.subscription.is_some());
    }

    /// Finds the block to go on after.
    async fn start(&mut self) -> Result<(), Obstacle> {
        match self.config.start.clone() {
            Start::Block(first) => {
                // The block before it; before the first there is none, and it has no logs.
                let anchor = self
                    .source
                    .at(first.saturating_sub(1), Route::default())
                    .await?
                    .ok_or(Hitch::Gone)?;
                self.canonical.restart(anchor.block());
            }
            Start::Checkpoint { last, recent } => {
                self.canonical = Canonical::new(last, &recent);
                let seen = self
                    .source
                    .at(last.number, Route::default())
                    .await?
                    .ok_or(Hitch::Gone)?;
                if seen.block() != last {
                    self.fall_back(Route::on(seen.node)).await?;
                }
            }
        }
        self.audit_at = self.canonical.tip().number;
        Ok(())
    }

    /// Waits for a head: pushed, or asked for at the time it should come. Says whether it was pushed.
    async fn next_head(&mut self) -> Result<(Seen, bool), Obstacle> {
        self.compared.clear();
        loop {
            self.subscribe().await;
            tokio::select! {
                biased;
                pushed = next_push(&mut self.subscription) => match pushed {
                    Ok((node, header)) => return Ok((self.source.pushed(node, header)?, true)),
                    // The heads in between are found by their links.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => {
                        self.subscription = None;
                        // What was missed since the last push.
                        self.pace.missed(Instant::now(), false);
                    }
                },
                () = sleep_until(self.pace.next()) => {
                    self.pace.ask();
                    let overdue = self.pace.overdue(Instant::now()) > self.config.slot * 2;
                    let alone = self.source.client.failover().len() == 1;
                    let seen = if overdue && !alone { self.best_head().await? } else { self.source.head().await? };
                    return Ok((seen, false));
                }
            }
        }
    }

    /// Subscribes to heads if a WebSocket answers and there is no subscription to one that does.
    async fn subscribe(&mut self) {
        let failover = self.source.client.failover().clone();
        if self
            .subscription
            .as_ref()
            .is_some_and(|(node, _)| !failover.is_up(*node))
        {
            self.subscription = None;
        }
        if self.subscription.is_some() || Instant::now() < self.subscribe_at {
            return;
        }
        if let Some(node) = failover.pushing().first().copied()
            && let Ok(subscription) = failover.subscribe_heads(node).await
        {
            self.subscription = Some((node, subscription));
            self.silent = 0;
        }
        self.subscribe_at = Instant::now() + self.config.slot;
    }

    /// The newest head that any node knows. It may be of another branch: what the other nodes are worth is judged when it is
    /// reached.
    pub(super) async fn best_head(&mut self) -> Result<Seen, Hitch> {
        self.compared = self.source.heads().await;
        // Of several as new, the preferred node's.
        let newest = self
            .compared
            .iter()
            .max_by_key(|seen| (seen.header.number, Reverse(seen.node)));
        match newest.cloned() {
            Some(best) => Ok(best),
            None => self.source.head().await,
        }
    }

    /// Tells `update`, waiting until there is room for it.
    pub(super) async fn tell(&mut self, update: Update) -> Result<(), Obstacle> {
        let news = !matches!(update, Update::Live { .. });
        self.updates
            .send(update)
            .await
            .map_err(|_| Obstacle::End(Ended::ReceiverClosed))?;
        if news {
            self.heard.send_replace(Instant::now());
        }
        Ok(())
    }
}

/// The next pushed header; never, without a subscription. What is not a header is passed over: the next question will tell.
async fn next_push(
    subscription: &mut Option<(usize, RawSubscription)>,
) -> Result<(usize, Header), RecvError> {
    let Some((node, subscription)) = subscription else {
        return std::future::pending().await;
    };
    loop {
        let raw = subscription.recv().await?;
        if let Ok(header) = serde_json::from_str(raw.get()) {
            return Ok((*node, header));
        }
    }
}
