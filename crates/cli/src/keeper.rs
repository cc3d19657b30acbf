//! `breakwater keeper …`.

use std::path::{Path, PathBuf};

use alloy_primitives::Address;
use breakwater_keeper::drill::Drama;
use breakwater_keeper::{Options, RunError, explain, replay};
use breakwater_operator::config::KeeperConfig;
use breakwater_operator::redact::Redactor;
use breakwater_operator::{telemetry, view};
use clap::{Args, Subcommand};
use eyre::eyre;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::failure::Failure;
use crate::print;

/// What a keeper can be asked to do.
#[derive(Debug, Subcommand)]
pub enum Keeper {
    /// Liquidate what pays, until interrupted
    Run(Run),
    /// Say what the keeper thinks of a position, and why
    Explain(Explain),
    /// Say what the keeper would have done in past blocks, beside what happened; needs an archive node
    Replay(Replay),
    /// Watch a running keeper in the terminal
    Watch(Watch),
    /// Prove the whole path on a chain of its own: deploy, open and break positions, liquidate them at a profit
    Drill(Drill),
    /// Print a commented configuration with every key
    Example,
}

/// Where the configuration is.
#[derive(Debug, Args)]
pub struct Configured {
    /// The keeper's configuration (see `breakwater keeper example`); BREAKWATER_* variables override it
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Options of `keeper run`.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub configured: Configured,
    /// Plan, try on the pending block, and send nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of `keeper explain`.
#[derive(Debug, Args)]
pub struct Explain {
    #[command(flatten)]
    pub configured: Configured,
    /// Whose position
    #[arg(value_name = "ACCOUNT")]
    pub account: Address,
}

/// Options of `keeper replay`.
#[derive(Debug, Args)]
pub struct Replay {
    #[command(flatten)]
    pub configured: Configured,
    /// The first block
    #[arg(long, value_name = "N")]
    pub from_block: u64,
    /// The last block [default: the head]
    #[arg(long, value_name = "N")]
    pub to_block: Option<u64>,
}

/// Options of `keeper watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// Where the keeper's pages are served
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9464/")]
    pub url: Url,
}

/// Options of `keeper drill`.
#[derive(Debug, Args)]
pub struct Drill {
    /// Put a backstop before the policy: absorb, settle and buy inventory through it
    #[arg(long)]
    pub backstop: bool,
}

/// Does it.
pub fn run(command: &Keeper) -> Result<(), Failure> {
    if matches!(command, Keeper::Example) {
        return print(&KeeperConfig::example());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Failure::other)?;
    let outcome = runtime.block_on(async {
        match command {
            Keeper::Run(options) => keep(options).await,
            Keeper::Explain(options) => {
                let config = configured(&options.configured.config)?;
                let redactor = Redactor::new(&config.chain.rpc_urls);
                let text = explain::explain(&config, options.account)
                    .await
                    .map_err(|error| failure(error, &redactor))?;
                print(&text.to_string())
            }
            Keeper::Replay(options) => replayed(options).await,
            Keeper::Watch(options) => {
                // Raw mode keeps Ctrl-C from being a signal: the view reads it as a key.
                let stop = CancellationToken::new();
                view::watch(options.url.clone(), stop)
                    .await
                    .map_err(Failure::other)
            }
            Keeper::Drill(options) => {
                let drama = if options.backstop {
                    Drama::Backstop
                } else {
                    Drama::Market
                };
                crate::drill::run(stop_on_signals()?, drama).await
            }
            Keeper::Example => Ok(()),
        }
    });
    // A password prompt that nobody answers must not keep the process.
    runtime.shutdown_background();
    outcome
}

async fn keep(options: &Run) -> Result<(), Failure> {
    let config = configured(&options.configured.config)?;
    let redactor = Redactor::new(&config.chain.rpc_urls);
    telemetry::init(&config.log, redactor.clone()).map_err(Failure::input)?;
    let stop = stop_on_signals()?;
    let options = Options {
        dry_run: options.dry_run,
        ..Options::default()
    };
    let keeper = breakwater_keeper::start(config, options, stop)
        .await
        .map_err(|error| failure(error, &redactor))?;
    print(&format!(
        "keeper {} serves http://{}/\n",
        keeper.address, keeper.http
    ))?;
    keeper
        .stopped()
        .await
        .map_err(|error| failure(error, &redactor))
}

async fn replayed(options: &Replay) -> Result<(), Failure> {
    if let Some(to) = options.to_block
        && to < options.from_block
    {
        return Err(Failure::Input(eyre!(
            "--to-block is {to}, expected at least --from-block, {}",
            options.from_block
        )));
    }
    let config = configured(&options.configured.config)?;
    let redactor = Redactor::new(&config.chain.rpc_urls);
    let mut closed = None;
    let summary = replay::replay(&config, options.from_block, options.to_block, |block| {
        if closed.is_none() {
            closed = print(&block.to_string()).err();
        }
    })
    .await
    .map_err(|error| failure(error, &redactor))?;
    match closed {
        Some(failure) => Err(failure),
        None => print(&format!("{summary}\n")),
    }
}

fn configured(file: &Path) -> Result<KeeperConfig, Failure> {
    KeeperConfig::load(file).map_err(Failure::input)
}

/// Cancelled by the first SIGINT, SIGTERM or SIGHUP; the second ends the process at once. What is under way then is in the
/// journal, and the next start goes on with it.
fn stop_on_signals() -> Result<CancellationToken, Failure> {
    let stop = CancellationToken::new();
    let token = stop.clone();
    ctrlc::set_handler(move || {
        if token.is_cancelled() {
            std::process::exit(130);
        }
        token.cancel();
    })
    .map_err(Failure::other)?;
    Ok(stop)
}

fn failure(error: RunError, redactor: &Redactor) -> Failure {
    let text = redactor.redact(&error.to_string()).into_owned();
    if error.is_input() {
        Failure::Input(eyre!(text))
    } else {
        Failure::Other(eyre!(text))
    }
}
