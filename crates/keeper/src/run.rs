//! Starting a keeper, supervising its tasks, stopping it.

use std::sync::Arc;
use std::time::Duration;

use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::Address;
use breakwater_deploy::ManifestFile;
use breakwater_operator::account::{self, AccountError, Secrets};
use breakwater_operator::config::KeeperConfig;
use breakwater_operator::http::{Server, View};
use breakwater_operator::metrics::Latencies;
use breakwater_operator::redact::Redactor;
use breakwater_operator::status::{Identity, Status, unix_now};
use breakwater_protocol::{BlockRef, Mirror};
use breakwater_rpc::follower::{self, FollowerConfig, Start};
use breakwater_rpc::{Client, Endpoint, Endpoints};
use breakwater_sender::{Sender, Settings};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::engine::{Context, Ended, Engine, Follow, Sending};
use crate::error::RunError;
use crate::history;
use crate::planner::{Planner, Strategy};
use crate::store::{Store, WriteHook};
use crate::system::System;

/// Rebuilding the mirror from the chain helps against a damaged mirror, not against a wrong one: after so many it is over.
const MAX_RESYNCS: u32 = 3;

/// How long tasks may take to end once they were told to.
const END_WITHIN: Duration = Duration::from_secs(5);

/// What a keeper is run with beside its configuration.
#[derive(Debug, Default)]
pub struct Options {
    /// Plan and try everything, send nothing. No account is needed.
    pub dry_run: bool,
    /// The account, instead of the configured one: a drill's, on a chain of its own.
    pub signer: Option<PrivateKeySigner>,
    /// Where the locks of sending accounts are; `None` for the user's own, which every keeper shares. Only a chain that is
    /// private to the process may have its own.
    pub lock_directory: Option<std::path::PathBuf>,
    /// Called around every durable write of the sender; for tests that kill the process there.
    pub stage_hook: Option<breakwater_sender::StageHook>,
    /// The same for the keeper's own store.
    pub write_hook: Option<WriteHook>,
}

/// A keeper that has started.
#[derive(Debug)]
pub struct Keeper {
    /// Where its pages are served.
    pub http: std::net::SocketAddr,
    /// The account that sends; zero on a dry run without one.
    pub address: Address,
    /// What it publishes.
    pub status: watch::Receiver<Status>,
    supervision: JoinHandle<Result<(), RunError>>,
}

impl Keeper {
    /// Waits until it has stopped: after the cancellation of the token it was started with, or by a failure.
    ///
    /// # Errors
    /// [`RunError::Ended`] with the task that ended and why.
    pub async fn stopped(self) -> Result<(), RunError> {
        self.supervision.await.unwrap_or_else(|error| {
            Err(RunError::Ended {
                task: "supervision",
                reason: error.to_string(),
            })
        })
    }
}

/// Starts a keeper and runs it until `stop` is cancelled.
///
/// # Errors
/// See [`RunError`].
pub async fn run(
    config: KeeperConfig,
    options: Options,
    stop: CancellationToken,
) -> Result<(), RunError> {
    start(config, options, stop).await?.stopped().await
}

/// Connects to the configured chain.
///
/// # Errors
/// [`RunError::Endpoint`], [`RunError::Connect`].
pub async fn connect(config: &KeeperConfig) -> Result<Client, RunError> {
    let chain = &config.chain;
    let urls = chain
        .rpc_urls
        .iter()
        .map(|url| Endpoint::new(url.clone()))
        .collect::<Result<Vec<_>, _>>()?;
    let endpoints = Endpoints {
        request_timeout: chain.request_timeout,
        poll_interval: chain.poll_interval,
        ..Endpoints::new(chain.chain_id, urls)
    };
    Ok(breakwater_rpc::connect(&endpoints).await?)
}

/// Reads the configured system.
///
/// # Errors
/// [`RunError::Manifest`], [`RunError::System`].
pub async fn read_system(config: &KeeperConfig, client: &Client) -> Result<System, RunError> {
    let manifest = ManifestFile::open(&config.chain.manifest)?;
    let deployment = manifest.deployment(config.chain.chain_id)?;
    Ok(System::read(client, deployment, config.chain.backstop).await?)
}

/// Starts a keeper: connects, unlocks, restores or begins the mirror, starts every task.
///
/// # Errors
/// See [`RunError`]; nothing runs then.
pub async fn start(
    config: KeeperConfig,
    options: Options,
    stop: CancellationToken,
) -> Result<Keeper, RunError> {
    // The address first: a port in use is known before anything else happens.
    let server = Server::bind(&config.http).await?;
    let client = connect(&config).await?;
    let system = Arc::new(read_system(&config, &client).await?);
    let signer = match options.signer {
        Some(signer) => Some(signer),
        None => unlock(&config, options.dry_run).await?,
    };
    let us = signer
        .as_ref()
        .map_or(Address::ZERO, |signer| signer.address());
    let mut store = Store::open(&config.state.directory, system.chain_id, system.pool)?;
    // A dry run writes to it as well, and has no sender whose journal is locked.
    let lock = breakwater_sender::lock_database(store.path())?;
    if let Some(hook) = options.write_hook {
        store.set_hook(hook);
    }
    let mirror = match store.restore_mirror(&system.description)? {
        Some(mirror) => mirror,
        None => fresh(&client, &system).await?,
    };

    let identity = Identity {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        chain_id: system.chain_id,
        pool: system.pool,
        debt_symbol: system.debt.symbol.clone(),
        started_at: unix_now(),
        dry_run: options.dry_run,
    };
    let (status_sender, status) = watch::channel(Status::starting(identity));
    let latencies = Latencies::new();
    let context = Context {
        client: client.clone(),
        system: system.clone(),
        slot: config.chain.slot.as_secs().max(1),
        dry_run: options.dry_run,
        latencies: latencies.clone(),
    };
    let sender = match signer.filter(|_| !options.dry_run) {
        None => None,
        Some(signer) => {
            let mut settings = Settings::new(
                config.state.directory.join("sender.sqlite"),
                options
                    .lock_directory
                    .or_else(Settings::user_lock_dir)
                    .unwrap_or_else(|| config.state.directory.join("locks")),
                system.chain_id,
            );
            settings.low_balance = config.account.min_balance;
            settings.cancel_ceiling = config.strategy.max_gas_price;
            settings.stage_hook = options.stage_hook;
            let provider = client.provider().clone();
            Some(Sender::start(provider, signer, settings, stop.clone()).await?)
        }
    };
    tracing::info!(
        pool = %system.pool, chain = system.chain_id, account = %us, dry_run = options.dry_run,
        block = mirror.head().number, http = %server.address(), "the keeper starts"
    );
    let planner = Planner::new(Strategy::new(&config.strategy, us));
    let (handle, reports, sender_task) = match sender {
        None => (None, None, None),
        Some(started) => (
            Some(started.handle),
            Some(started.reports),
            Some(started.task),
        ),
    };
    let mut engine = Engine::new(context, mirror, store, planner, handle, status_sender);
    if system.native.is_none() {
        engine.note_unknown_native();
    }
    let address = server.address();
    let view = View {
        status: status.clone(),
        latencies,
        max_head_age: config.chain.max_head_age,
        redactor: Redactor::new(&config.chain.rpc_urls),
    };
    let supervision = tokio::spawn(supervise(Parts {
        engine,
        client,
        system,
        slot: config.chain.slot,
        reports,
        sender_task,
        server,
        view,
        stop,
        lock,
    }));
    Ok(Keeper {
        http: address,
        address: us,
        status,
        supervision,
    })
}

/// Unlocks the account; on a dry run one that is not there is no error.
async fn unlock(
    config: &KeeperConfig,
    dry_run: bool,
) -> Result<Option<PrivateKeySigner>, RunError> {
    let account = config.account.clone();
    let unlocked = tokio::task::spawn_blocking(move || {
        account::unlock(&account, Secrets::of_process()?, account::ask)
    })
    .await
    .map_err(|error| RunError::Ended {
        task: "unlocking the account",
        reason: error.to_string(),
    })?;
    match unlocked {
        Ok(signer) => Ok(Some(signer)),
        Err(AccountError::NoKey) if dry_run => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// An empty mirror as of before the deployment.
async fn fresh(client: &Client, system: &System) -> Result<Mirror, RunError> {
    let start = history::place(&history::header(client, system.first_block).await?);
    Ok(Mirror::new(system.description, start)?)
}

/// Where a follower goes on after what the mirror has.
pub(crate) fn start_after(mirror: &Mirror) -> Start {
    let place = |block: &BlockRef| follower::BlockRef {
        number: block.number,
        hash: block.hash,
    };
    Start::Checkpoint {
        last: place(mirror.head()),
        recent: mirror.blocks().map(place).collect(),
    }
}

struct Parts {
    engine: Engine,
    client: Client,
    system: Arc<System>,
    slot: Duration,
    reports: Option<mpsc::UnboundedReceiver<breakwater_sender::Report>>,
    sender_task: Option<JoinHandle<Result<breakwater_sender::Stopped, breakwater_sender::Failure>>>,
    server: Server,
    view: View,
    stop: CancellationToken,
    /// Held as long as anything may write to the state directory.
    lock: breakwater_sender::Lock,
}

/// Runs everything until it is told to stop or one part ends by itself; then stops the rest.
async fn supervise(parts: Parts) -> Result<(), RunError> {
    let Parts {
        mut engine,
        client,
        system,
        slot,
        reports,
        sender_task,
        server,
        view,
        stop,
        lock: _lock,
    } = parts;
    let (sender_done, http_stop) = (CancellationToken::new(), CancellationToken::new());
    let http = tokio::spawn(server.run(view, http_stop.clone()));
    let sender = tokio::spawn(watch_sender(sender_task, stop.clone(), sender_done.clone()));
    // Without a sender nobody reports: the channel stays open and empty.
    let (_silent, nobody) = mpsc::unbounded_channel();
    let mut sending = Sending {
        reports: reports.unwrap_or(nobody),
    };

    let mut http = http;
    let outcome = {
        let engine = drive(
            &mut engine,
            &client,
            &system,
            slot,
            &mut sending,
            &stop,
            &sender_done,
        );
        tokio::pin!(engine);
        tokio::select! {
            outcome = &mut engine => outcome,
            ended = &mut http => {
                stop.cancel();
                let _ = engine.await;
                Err(RunError::Ended {
                    task: "the web service",
                    reason: ended.err().map_or_else(|| "it returned".to_owned(), |error| error.to_string()),
                })
            }
        }
    };
    stop.cancel();
    let sent = match tokio::time::timeout(END_WITHIN, sender).await {
        Ok(Ok(sent)) => sent,
        Ok(Err(error)) => Err(ended("the sender", error.to_string())),
        Err(_) => Err(ended("the sender", "it did not end in time".to_owned())),
    };
    http_stop.cancel();
    if !http.is_finished() {
        let _ = tokio::time::timeout(END_WITHIN, http).await;
    }
    outcome.and(sent)
}

const fn ended(task: &'static str, reason: String) -> RunError {
    RunError::Ended { task, reason }
}

/// Waits for the sender; where there is none, for the stop.
async fn watch_sender(
    task: Option<JoinHandle<Result<breakwater_sender::Stopped, breakwater_sender::Failure>>>,
    stop: CancellationToken,
    done: CancellationToken,
) -> Result<(), RunError> {
    let Some(task) = task else {
        stop.cancelled().await;
        done.cancel();
        return Ok(());
    };
    let result = task.await;
    let told = stop.is_cancelled();
    stop.cancel();
    done.cancel();
    match result {
        Ok(Ok(stopped)) if told => {
            tracing::info!(
                handed_over = stopped.handed_over,
                "the sender has ended: what it hands over, the next start goes on with"
            );
            Ok(())
        }
        Ok(Ok(_)) => Err(ended("the sender", "it returned".to_owned())),
        Ok(Err(failure)) => Err(ended("the sender", failure.to_string())),
        Err(error) => Err(ended("the sender", error.to_string())),
    }
}

/// Runs the engine, rebuilding the mirror from the chain where it was found wrong.
async fn drive(
    engine: &mut Engine,
    client: &Client,
    system: &System,
    slot: Duration,
    sending: &mut Sending,
    stop: &CancellationToken,
    sender_done: &CancellationToken,
) -> Result<(), RunError> {
    for _ in 0..=MAX_RESYNCS {
        let following = CancellationToken::new();
        let _guard = following.clone().drop_guard();
        let addresses = vec![system.pool, system.policy_address];
        let start = start_after(engine.mirror());
        let (updates, task) = follower::spawn(
            client.clone(),
            FollowerConfig::new(addresses, start, slot),
            following,
        );
        let mut follow = Follow { updates, task };
        match engine.run(&mut follow, sending, stop, sender_done).await {
            Ended::Stopped => return Ok(()),
            Ended::Failed(reason) => return Err(ended("the engine", reason)),
            Ended::Resync(reason) => {
                tracing::error!(%reason, "the mirror is rebuilt from the chain");
                let mirror = fresh(client, system).await?;
                engine.start_over(mirror)?;
            }
        }
    }
    Err(ended(
        "the engine",
        format!("the mirror was still wrong after it had been rebuilt {MAX_RESYNCS} times"),
    ))
}
