//! `breakwater deploy`.

use std::io::{self, BufRead, IsTerminal, Write};

use breakwater_deploy::local::{LocalError, Market};
use breakwater_deploy::{
    Account, ConfigError, Configuration, DeployError, Deployment, Estimate, Execution,
    ManifestError, ManifestFile, Plan, RpcViews, Settings, StepState, connect, find_multicall,
    inspect_feeds,
};
use breakwater_operator::account::{AccountError, Secrets, ask, unlock};
use breakwater_operator::config::AccountConfig;
use breakwater_operator::redact::Redactor;
use eyre::{Report, eyre};

use crate::arguments::Deploy;
use crate::failure::Failure;
use crate::print;

/// Reads everything, shows the plan, asks, sends, verifies, prints.
pub fn run(options: &Deploy) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::other)?;
    let outcome = if options.local {
        runtime.block_on(local(options))
    } else {
        runtime.block_on(system(options))
    };
    outcome.map_err(|failure| redacted(failure, &options.rpc_url))
}

async fn system(options: &Deploy) -> Result<(), Failure> {
    let Some(file) = &options.config else {
        return Err(Failure::Input(eyre!("expected --config FILE")));
    };
    let configuration = Configuration::read(file)?;
    let manifest = ManifestFile::open(&options.manifest)?;
    let account = account(options)?;
    let provider = connect(&options.rpc_url)?;
    let views = RpcViews::new(provider.clone());
    // Before anything is asked of addresses that may be of another chain.
    let chain_id = breakwater_deploy::chain_id(&provider).await?;
    if let Some(expected) = configuration.chain_id
        && expected != chain_id
    {
        let found = chain_id;
        return Err(DeployError::WrongChain { expected, found }.into());
    }
    let multicall = find_multicall(&views).await?;
    let system = inspect_feeds(&views, configuration.plan()).await?;
    let backstop = configuration.backstop_plan();
    let plan = Plan::with_backstop(system, backstop, chain_id, account.address(), multicall)?;
    let settings = Settings::default();
    let mut execution = Execution::open(provider, account, plan, manifest, settings).await?;
    let estimate = execution.estimate().await?;
    print(&shown(&execution, &estimate))?;
    let open = open_steps(&execution);
    if options.dry_run {
        return Ok(());
    }
    if open > 0 {
        execution.require_funds(&estimate).await?;
        if !options.yes && !confirmed(open, &execution)? {
            return print("Nothing was sent.\n");
        }
    }
    while let Some(progress) = execution.advance().await? {
        let block = progress
            .transaction
            .inclusion
            .map_or_else(String::new, |inclusion| {
                format!(" in block {}, {} gas", inclusion.block, inclusion.gas_used)
            });
        let (number, of) = (progress.step + 1, execution.states().len());
        print(&format!(
            "{number:>3}/{of} {}: {}{block}\n",
            execution.plan().steps[progress.step],
            progress.transaction.hash
        ))?;
    }
    let deployment = execution.finish().await?;
    print(&said(&deployment, options))
}

async fn local(options: &Deploy) -> Result<(), Failure> {
    let manifest = ManifestFile::open(&options.manifest)?;
    let provider = connect(&options.rpc_url)?;
    // Where nobody listens, the market is built all the same.
    let tell = |step: &str| drop(print(&format!("{step}\n")));
    let market = Market::deploy(provider, manifest, tell).await?;
    let deployment = market.deployment();
    print(&format!(
        "A local market is ready: collateral {}, debt token {}, feed {}.\n{}",
        market.collateral().token,
        deployment.asset,
        market.collateral().feed,
        said(deployment, options)
    ))
}

/// The sending account.
fn account(options: &Deploy) -> Result<Account, Failure> {
    if let Some(address) = options.unlocked {
        return Ok(Account::Unlocked(address));
    }
    let secrets = Secrets::of_process()?;
    let config = AccountConfig {
        keystore: options.keystore.clone(),
        password_file: None,
        min_balance: Default::default(),
    };
    match unlock(&config, secrets, ask) {
        Ok(signer) => Ok(Account::Key(signer)),
        Err(AccountError::NoKey) => Err(Failure::Input(eyre!(
            "no account: expected --keystore FILE, BREAKWATER_PRIVATE_KEY in the environment, or --unlocked ADDRESS"
        ))),
        Err(error) => Err(error.into()),
    }
}

fn open_steps(execution: &Execution) -> usize {
    let states = execution.states().iter();
    states.filter(|state| **state == StepState::Open).count()
}

/// The plan: every step, whether it is done, what it costs; and every constructor's arguments.
fn shown(execution: &Execution, estimate: &Estimate) -> String {
    let plan = execution.plan();
    let mut steps = String::new();
    for (number, (step, state)) in plan.steps.iter().zip(execution.states()).enumerate() {
        let gas = match (state, estimate.steps[number]) {
            (StepState::Done, _) => "done".to_owned(),
            (StepState::Open, Some(gas)) => format!("{gas} gas"),
            (StepState::Open, None) => "gas unknown".to_owned(),
        };
        steps.push_str(&format!("{:>3}  {gas:>12}  {step}\n", number + 1));
        if let Some(arguments) = step.arguments() {
            steps.push_str(&format!("{:19}{arguments}\n", ""));
        }
    }
    let total = match estimate.total {
        Some(gas) => {
            let gwei = estimate.fee as f64 / 1e9;
            let coins = gas as f64 * estimate.fee as f64 / 1e18;
            format!("about {gas} gas, at {gwei:.3} gwei {coins:.6} of the native coin at most")
        }
        None => "of unknown cost: the RPC cannot simulate".to_owned(),
    };
    format!(
        "Chain {}, sent from {}; governance {}, guardian {}.\n{steps}{} of {} steps are open, {total}.\n",
        plan.deployment.chain_id,
        plan.deployer,
        plan.deployment.governance,
        plan.deployment.guardian,
        open_steps(execution),
        plan.steps.len(),
    )
}

/// Asks on the terminal.
fn confirmed(open: usize, execution: &Execution) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Input(eyre!(
            "nobody can be asked, standard input is no terminal: pass --yes to send, or --dry-run to see the plan alone"
        )));
    }
    let chain = execution.deployment().chain_id;
    print(&format!(
        "Send {open} transactions to chain {chain}? [y/N] "
    ))?;
    io::stdout().flush().map_err(Failure::other)?;
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(Failure::other)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// What is there now.
fn said(deployment: &Deployment, options: &Deploy) -> String {
    format!(
        "The system on chain {} is as planned: code, parameters and ownership were compared.\n\
         pool {}\ntimelock {}\n{} gas in all\n{}\n",
        deployment.chain_id,
        deployment.pool,
        deployment.timelock,
        deployment.gas_used(),
        options.manifest.display()
    )
}

/// A node's address may be its password, and errors of HTTP libraries repeat it.
fn redacted(failure: Failure, url: &str) -> Failure {
    let urls: Vec<_> = url.parse().into_iter().collect();
    let redactor = Redactor::new(&urls);
    let report = |report: &str| Report::msg(redactor.redact(report).into_owned());
    match failure {
        Failure::Input(error) => Failure::Input(report(&error.to_string())),
        Failure::Other(error) => Failure::Other(report(&format!("{error:#}"))),
        Failure::Interrupted => Failure::Interrupted,
        Failure::Stopped(text) => Failure::Stopped(text),
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::input(error)
    }
}

impl From<ManifestError> for Failure {
    fn from(error: ManifestError) -> Self {
        DeployError::from(error).into()
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        Self::input(error)
    }
}

impl From<DeployError> for Failure {
    fn from(error: DeployError) -> Self {
        match error {
            DeployError::Url { .. }
            | DeployError::WrongChain { .. }
            | DeployError::Plan(_)
            | DeployError::Manifest(_) => Self::input(error),
            other => Self::other(other),
        }
    }
}

impl From<LocalError> for Failure {
    fn from(error: LocalError) -> Self {
        match error {
            LocalError::NotAnvil { .. } => Self::input(error),
            LocalError::Deploy(error) => error.into(),
            other => Self::other(other),
        }
    }
}
