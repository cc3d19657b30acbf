//! The loop around the engine: commands in, requests out, one at a time decided.

use alloy::providers::{DynProvider, Provider};
use alloy::signers::local::PrivateKeySigner;
use tokio::runtime::Handle as Runtime;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::engine::Engine;
use crate::handle::Command;
use crate::journal::{Journal, Owner};
use crate::lock::Locks;
use crate::observe::{Client, Observation};
use crate::rejection::Rejection;
use crate::{Failure, Handle, Settings, StartError, Started, Status, Stopped};

/// Transactions that the pool may hold of the account at start: more is a provider that lies.
const MOST_PENDING: u64 = 64;

/// Answers of the provider.
enum Answer {
    Observed(u64, Result<Observation, String>),
    Broadcast(u64, alloy_primitives::B256, Result<(), Rejection>),
}

struct Task {
    engine: Engine,
    client: Client,
    commands: mpsc::UnboundedReceiver<Command>,
    answers: (
        mpsc::UnboundedSender<Answer>,
        mpsc::UnboundedReceiver<Answer>,
    ),
    status: watch::Sender<Status>,
    shutdown: CancellationToken,
    grace: std::time::Duration,
    _locks: Locks,
}

pub(crate) async fn start(
    provider: DynProvider,
    signer: PrivateKeySigner,
    settings: Settings,
    shutdown: CancellationToken,
) -> Result<Started, StartError> {
    let address = signer.address();
    // Before anything is read: a second process must not even look.
    let locks = Locks::take(
        &settings.lock_dir,
        &settings.journal,
        address,
        settings.chain_id,
    )?;
    let client = Client {
        provider,
        timeout: settings.request_timeout,
        address,
    };
    let (genesis, pending) = greet(&client, settings.chain_id).await?;
    let owner = Owner {
        address,
        chain_id: settings.chain_id,
        genesis,
    };
    let (journal, loaded) = Journal::open(&settings.journal, owner, settings.stage_hook.clone())?;
    info!(
        %address, chain_id = settings.chain_id, in_flight = loaded.slots.len(), planned = loaded.planned.len(),
        "sender started"
    );
    let (reporting, reports) = mpsc::unbounded_channel();
    let (command_sender, commands) = mpsc::unbounded_channel();
    let grace = settings.shutdown_grace;
    let engine = Engine::new(settings, signer, journal, loaded, pending, reporting);
    let (status, status_reader) = watch::channel(engine.status());
    let task = Task {
        engine,
        client,
        commands,
        answers: mpsc::unbounded_channel(),
        status,
        shutdown,
        grace,
        _locks: locks,
    };
    // A thread of its own: every durable write waits for the disk.
    let runtime = Runtime::current();
    let task = tokio::task::spawn_blocking(move || runtime.block_on(task.run()));
    Ok(Started {
        handle: Handle::new(command_sender, status_reader),
        reports,
        task,
    })
}

/// Checks who answers; gives the hash of block 0 and the first nonce free in the pool.
async fn greet(
    client: &Client,
    chain_id: u64,
) -> Result<(alloy_primitives::B256, u64), StartError> {
    let fail =
        |request: &'static str| move |message: String| StartError::Provider { request, message };
    let provider = &client.provider;
    let found = client
        .read("eth_chainId", provider.get_chain_id())
        .await
        .map_err(fail("eth_chainId"))?;
    if found != chain_id {
        return Err(StartError::WrongChain {
            expected: chain_id,
            found,
        });
    }
    let request = provider.get_block_by_number(0.into());
    let first = client
        .read("eth_getBlockByNumber", request)
        .await
        .map_err(fail("eth_getBlockByNumber 0"))?;
    let first =
        first.ok_or_else(|| fail("eth_getBlockByNumber 0")("it does not have block 0".into()))?;
    let request = provider.get_transaction_count(client.address).latest();
    let latest = client
        .read("eth_getTransactionCount", request)
        .await
        .map_err(fail("eth_getTransactionCount latest"))?;
    let request = provider.get_transaction_count(client.address).pending();
    let pending = client
        .read("eth_getTransactionCount", request)
        .await
        .map_err(fail("eth_getTransactionCount pending"))?;
    if pending > latest.saturating_add(MOST_PENDING) {
        return Err(StartError::Pending {
            latest,
            pending,
            most: MOST_PENDING,
        });
    }
    Ok((first.header.hash, pending))
}

impl Task {
    async fn run(mut self) -> Result<Stopped, Failure> {
        let mut deadline: Option<Instant> = None;
        loop {
            self.step()?;
            if deadline
                .is_some_and(|deadline| self.engine.is_drained() || Instant::now() >= deadline)
            {
                break;
            }
            let wake = [
                deadline,
                self.engine.observation_due(),
                self.engine.broadcast_due(),
            ]
            .into_iter()
            .flatten()
            .min();
            tokio::select! {
                biased;
                () = self.shutdown.cancelled(), if deadline.is_none() => {
                    info!("sender is shutting down");
                    self.engine.drain();
                    deadline = Some(Instant::now() + self.grace);
                }
                Some(answer) = self.answers.1.recv() => match answer {
                    Answer::Observed(generation, answer) => self.engine.observed(generation, answer)?,
                    Answer::Broadcast(nonce, hash, answer) => self.engine.broadcast_done(nonce, hash, answer)?,
                },
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command)?,
                    // Nobody is left to tell us of heads: waiting is of no use.
                    None => break,
                },
                () = wait_until(wake) => {}
            }
        }
        let handed_over = self.engine.under_way();
        info!(handed_over, "sender ended");
        Ok(Stopped { handed_over })
    }

    fn obey(&mut self, command: Command) -> Result<(), Failure> {
        // A caller that stopped waiting for the answer finds it by `lookup`.
        match command {
            Command::Submit(order, reply) => drop(reply.send(self.engine.submit(*order)?)),
            Command::Lookup(id, reply) => drop(reply.send(self.engine.lookup(id)?)),
            Command::Head(head) => self.engine.new_head(head)?,
            Command::Reorged(ancestor) => self.engine.reorged(ancestor)?,
        }
        Ok(())
    }

    /// Decides, then starts the requests that follow from it.
    fn step(&mut self) -> Result<(), Failure> {
        self.engine.decide()?;
        let now = Instant::now();
        if let Some((head, probes, generation)) = self.engine.next_observation(now) {
            let (client, answers) = (self.client.clone(), self.answers.0.clone());
            tokio::spawn(async move {
                let answer = client.observe(head, probes).await;
                // The task may have ended meanwhile.
                let _ = answers.send(Answer::Observed(generation, answer));
            });
        }
        for (nonce, hash, raw) in self.engine.next_broadcasts(now) {
            let (client, answers) = (self.client.clone(), self.answers.0.clone());
            tokio::spawn(async move {
                let answer = client.broadcast(raw).await;
                let _ = answers.send(Answer::Broadcast(nonce, hash, answer));
            });
        }
        self.status.send_replace(self.engine.status());
        Ok(())
    }
}

async fn wait_until(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}
