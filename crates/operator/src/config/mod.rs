//! A keeper's configuration: a TOML file, then `BREAKWATER_SECTION__KEY` from the environment.

mod error;
mod read;
mod settings;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy_primitives::Address;
use url::Url;

pub use error::{ConfigError, Origin};
pub use read::Environment;
pub use settings::{Kind, Presence, SETTINGS, Setting, example, reference};

/// Everything a keeper is told. Holds no secret but what an RPC address may carry.
#[derive(Clone, Debug, PartialEq)]
pub struct KeeperConfig {
    /// Which chain and how it is read.
    pub chain: ChainConfig,
    /// Who sends.
    pub account: AccountConfig,
    /// What is worth sending.
    pub strategy: StrategyConfig,
    /// What is kept on disk.
    pub state: StateConfig,
    /// What is served.
    pub http: HttpConfig,
    /// What is written.
    pub log: LogConfig,
}

/// `[chain]`
#[derive(Clone, PartialEq)]
pub struct ChainConfig {
    /// Nodes, the preferred one first; `http`, `https`, `ws` or `wss`. At least one.
    pub rpc_urls: Vec<Url>,
    /// EIP-155 number that every node must answer.
    pub chain_id: u64,
    /// The deployment's manifest; absolute, or relative to the working directory.
    pub manifest: PathBuf,
    /// The backstop of the manifest's system, where the manifest names none.
    pub backstop: Option<Address>,
    /// Time between blocks.
    pub slot: Duration,
    /// How long one request to a node may take.
    pub request_timeout: Duration,
    /// How often a node is asked for its head.
    pub poll_interval: Duration,
    /// A head that did not change for longer than this is stale: `/ready` says so.
    pub max_head_age: Duration,
}

/// `[account]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountConfig {
    /// Encrypted keystore (Web3 Secret Storage, version 3); `None` where the environment holds the key.
    pub keystore: Option<PathBuf>,
    /// File whose first line is the keystore's password.
    pub password_file: Option<PathBuf>,
    /// Balance below which a warning is shown, wei.
    pub min_balance: alloy_primitives::U256,
}

/// With what a keeper repays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capital {
    /// With the proceeds of what it seizes, from the pool's callback: no capital needed.
    Flash,
    /// With debt tokens that the sending account holds; what is seized is kept.
    Inventory,
}

/// `[strategy]`
#[derive(Clone, Debug, PartialEq)]
pub struct StrategyConfig {
    /// With what it repays.
    pub capital: Capital,
    /// The least expected profit net of gas for which it acts; whole debt tokens.
    pub min_profit: f64,
    /// Margin for what prices may do before inclusion, as a share of the repayment.
    pub risk_margin: f64,
    /// The most it pays for gas, base fee and tip together; wei per gas.
    pub max_gas_price: u128,
    /// How many other keepers it reckons with.
    pub competitors: u32,
}

/// `[state]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateConfig {
    /// Where snapshot, journal and ledger are kept; one keeper a directory.
    pub directory: PathBuf,
}

/// `[http]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Where health, metrics and pages are served; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Whether `listen` may be reached from other machines. There is no password: whoever reaches it reads everything.
    pub allow_non_loopback: bool,
    /// Names or addresses, without port, by which the service may be called beside the loopback ones.
    pub allowed_hosts: Vec<String>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// How log lines look.
    pub format: LogFormat,
    /// What is logged: `info`, or directives such as `info,breakwater_sender=debug`.
    pub filter: String,
}

impl KeeperConfig {
    /// Reads a file and the process's environment, which overrides it.
    ///
    /// Paths in the file are relative to the file, those in the environment to the working directory.
    ///
    /// # Errors
    /// [`ConfigError`] with the file and line, or the variable, and what was expected there.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|source| ConfigError::Unreadable {
            file: file.to_owned(),
            source,
        })?;
        Self::parse(&text, file, &Environment::of_process()?)
    }

    /// The same for text that was read already; `file` names it in errors and anchors its paths.
    ///
    /// # Errors
    /// [`ConfigError`] with the file and line, or the variable, and what was expected there.
    pub fn parse(text: &str, file: &Path, environment: &Environment) -> Result<Self, ConfigError> {
        read::read(text, file, environment)
    }

    /// A commented file with every key, that parses.
    #[must_use]
    pub fn example() -> String {
        example()
    }
}

impl std::fmt::Debug for ChainConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChainConfig")
            .field(
                "rpc_urls",
                &self.rpc_urls.iter().map(redacted).collect::<Vec<_>>(),
            )
            .field("chain_id", &self.chain_id)
            .field("manifest", &self.manifest)
            .field("backstop", &self.backstop)
            .field("slot", &self.slot)
            .field("request_timeout", &self.request_timeout)
            .field("poll_interval", &self.poll_interval)
            .field("max_head_age", &self.max_head_age)
            .finish()
    }
}

/// A node's address without what may be a credential: user, password, path and query.
#[must_use]
pub fn redacted(url: &Url) -> String {
    let mut bare = format!("{}://{}", url.scheme(), url.host_str().unwrap_or("?"));
    if let Some(port) = url.port() {
        bare.push_str(&format!(":{port}"));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || !url.username().is_empty() {
        bare.push_str("/…");
    }
    bare
}
