//! From what stands there to what a keeper uses: types, ranges, defaults, and what must fit together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use alloy::primitives::utils::parse_units;
use alloy_primitives::{Address, U256};
use toml::de::DeValue;
use url::Url;

use super::error::Origin;
use super::read::{Found, Raw};
use super::settings::{Kind, Presence, SETTINGS, Setting};
use super::{
    AccountConfig, Capital, ChainConfig, ConfigError, HttpConfig, KeeperConfig, LogConfig,
    LogFormat, StateConfig, StrategyConfig,
};

/// The most nodes.
const MAX_NODES: usize = 8;

/// Everything that stands somewhere, by key.
pub(super) struct Values<'a> {
    file: &'a Path,
    found: BTreeMap<&'static str, Found>,
}

impl<'a> Values<'a> {
    pub(super) const fn new(file: &'a Path, found: BTreeMap<&'static str, Found>) -> Self {
        Self { file, found }
    }
}

impl Values<'_> {
    pub(super) fn keeper(&self) -> Result<KeeperConfig, ConfigError> {
        let config = KeeperConfig {
            chain: ChainConfig {
                rpc_urls: self.urls("chain.rpc_urls")?,
                chain_id: self.integer("chain.chain_id")?,
                manifest: self.path("chain.manifest")?.unwrap_or_default(),
                backstop: self.address("chain.backstop")?,
                slot: Duration::from_secs(self.integer("chain.slot_seconds")?),
                request_timeout: Duration::from_millis(self.integer("chain.request_timeout_ms")?),
                poll_interval: Duration::from_millis(self.integer("chain.poll_interval_ms")?),
                max_head_age: Duration::from_secs(self.integer("chain.max_head_age_seconds")?),
            },
            account: AccountConfig {
                keystore: self.path("account.keystore")?,
                password_file: self.path("account.password_file")?,
                min_balance: self.scaled("account.min_balance", 18)?,
            },
            strategy: StrategyConfig {
                capital: match self.word("strategy.capital")? {
                    "inventory" => Capital::Inventory,
                    _ => Capital::Flash,
                },
                min_profit: self.number("strategy.min_profit")?,
                risk_margin: self.number("strategy.risk_margin")?,
                max_gas_price: self
                    .scaled("strategy.max_gas_price_gwei", 9)?
                    .saturating_to(),
                competitors: u32::try_from(self.integer("strategy.competitors")?)
                    .unwrap_or(u32::MAX),
            },
            state: StateConfig {
                directory: self.path("state.directory")?.unwrap_or_default(),
            },
            http: HttpConfig {
                listen: self.socket("http.listen")?,
                allow_non_loopback: self.flag("http.allow_non_loopback")?,
                allowed_hosts: self.hosts("http.allowed_hosts")?,
            },
            log: LogConfig {
                format: match self.word("log.format")? {
                    "json" => LogFormat::Json,
                    _ => LogFormat::Text,
                },
                filter: self.filter("log.filter")?,
            },
        };
        self.check_together(&config)?;
        Ok(config)
    }

    /// Refuses values that are possible alone and not together.
    fn check_together(&self, config: &KeeperConfig) -> Result<(), ConfigError> {
        let http = &config.http;
        if !http.listen.ip().is_loopback() && !http.allow_non_loopback {
            return Err(self.refuse(
                "http.listen",
                http.listen.to_string(),
                "a loopback address, or http.allow_non_loopback = true: anyone who reaches it reads everything",
            ));
        }
        let chain = &config.chain;
        if chain.max_head_age < 2 * chain.slot {
            return Err(self.refuse(
                "chain.max_head_age_seconds",
                chain.max_head_age.as_secs().to_string(),
                &format!("at least two slots, {}", 2 * chain.slot.as_secs()),
            ));
        }
        if config.account.password_file.is_some() && config.account.keystore.is_none() {
            return Err(self.refuse(
                "account.password_file",
                "given".to_owned(),
                "account.keystore beside it, which it opens",
            ));
        }
        Ok(())
    }

    /// What stands for a key, or its default; `None` where it is optional and absent.
    fn find(&self, key: &'static str) -> Result<Option<(&'static Setting, Found)>, ConfigError> {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.key == key) else {
            unreachable!("`{key}` is not in SETTINGS");
        };
        if let Some(found) = self.found.get(key) {
            return Ok(Some((setting, found.clone())));
        }
        match setting.presence {
            Presence::Required(_) => Err(ConfigError::Missing {
                file: self.file.to_owned(),
                key,
                expected: setting.expected(),
                variable: setting.variable(),
            }),
            Presence::Optional(_) => Ok(None),
            Presence::Default(text) => {
                let raw = DeValue::parse(text).map_or(Raw::Other("no TOML"), |value| {
                    Raw::from_toml(value.get_ref())
                });
                let origin = Origin::File(self.file.to_owned(), 1);
                Ok(Some((setting, Found { raw, origin })))
            }
        }
    }

    /// Finds, and converts by `convert`, which says `None` to what it does not take.
    fn take<T>(
        &self,
        key: &'static str,
        convert: impl FnOnce(&Setting, &Raw) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        let Some((setting, found)) = self.find(key)? else {
            return Ok(None);
        };
        convert(setting, &found.raw)
            .map(Some)
            .ok_or_else(|| ConfigError::Value {
                origin: found.origin.clone(),
                key,
                // A node's address may hold credentials.
                value: match setting.kind {
                    Kind::Urls => "not shown".to_owned(),
                    _ => found.raw.shown(),
                },
                expected: setting.expected(),
            })
    }

    /// The same for a key that is required or has a default.
    fn need<T>(
        &self,
        key: &'static str,
        convert: impl FnOnce(&Setting, &Raw) -> Option<T>,
    ) -> Result<T, ConfigError> {
        match self.take(key, convert)? {
            Some(value) => Ok(value),
            None => unreachable!("`{key}` is optional"),
        }
    }

    fn refuse(&self, key: &'static str, value: String, expected: &str) -> ConfigError {
        let origin = self.found.get(key).map_or_else(
            || Origin::File(self.file.to_owned(), 1),
            |found| found.origin.clone(),
        );
        ConfigError::Value {
            origin,
            key,
            value,
            expected: expected.to_owned(),
        }
    }

    fn integer(&self, key: &'static str) -> Result<u64, ConfigError> {
        self.need(key, |setting, raw| match (setting.kind, raw) {
            (Kind::Integer(low, high), Raw::Integer(number)) => u64::try_from(*number)
                .ok()
                .filter(|number| (low..=high).contains(number)),
            _ => None,
        })
    }

    fn number(&self, key: &'static str) -> Result<f64, ConfigError> {
        self.need(key, |setting, raw| {
            let number = match raw {
                Raw::Number(number) => *number,
                // Whole numbers in the ranges here are exact.
                Raw::Integer(number) => *number as f64,
                _ => return None,
            };
            match setting.kind {
                Kind::Number(low, high) => (low..=high).contains(&number).then_some(number),
                _ => None,
            }
        })
    }

    /// A number times 10^`decimals`, exactly as it was written; further decimals are cut off.
    fn scaled(&self, key: &'static str, decimals: u8) -> Result<U256, ConfigError> {
        let number = self.number(key)?;
        // Display never writes an exponent, and writes the shortest text that reads back as the number.
        let text = number.to_string();
        parse_units(&text, decimals)
            .map(|units| units.get_absolute())
            .map_err(|_| self.refuse(key, text, "a number that can be scaled"))
    }

    fn flag(&self, key: &'static str) -> Result<bool, ConfigError> {
        self.need(key, |_, raw| match raw {
            Raw::Flag(flag) => Some(*flag),
            _ => None,
        })
    }

    fn word(&self, key: &'static str) -> Result<&'static str, ConfigError> {
        self.need(key, |setting, raw| match (setting.kind, raw) {
            (Kind::Choice(words), Raw::Text(text)) => {
                words.iter().find(|word| *word == text).copied()
            }
            _ => None,
        })
    }

    fn filter(&self, key: &'static str) -> Result<String, ConfigError> {
        self.need(key, |_, raw| match raw {
            Raw::Text(text) if tracing_subscriber::EnvFilter::try_new(text).is_ok() => {
                Some(text.clone())
            }
            _ => None,
        })
    }

    /// A path of the file is relative to the file; one of the environment to the working directory.
    fn path(&self, key: &'static str) -> Result<Option<PathBuf>, ConfigError> {
        let from_variable = matches!(
            self.found.get(key),
            Some(Found {
                origin: Origin::Variable(_),
                ..
            })
        );
        let base = match self.file.parent() {
            Some(parent) if !from_variable => parent,
            _ => Path::new(""),
        };
        self.take(key, |_, raw| match raw {
            Raw::Text(text) if !text.is_empty() => Some(base.join(text)),
            _ => None,
        })
    }

    fn address(&self, key: &'static str) -> Result<Option<Address>, ConfigError> {
        self.take(key, |_, raw| match raw {
            Raw::Text(text) if text.starts_with("0x") => text
                .parse()
                .ok()
                .filter(|address: &Address| !address.is_zero()),
            _ => None,
        })
    }

    fn socket(&self, key: &'static str) -> Result<SocketAddr, ConfigError> {
        self.need(key, |_, raw| match raw {
            Raw::Text(text) => text.parse().ok(),
            _ => None,
        })
    }

    fn hosts(&self, key: &'static str) -> Result<Vec<String>, ConfigError> {
        self.need(key, |_, raw| match raw {
            Raw::List(names) => names
                .iter()
                .map(|name| url::Host::parse(name).ok().map(|host| host.to_string()))
                .collect(),
            _ => None,
        })
    }

    fn urls(&self, key: &'static str) -> Result<Vec<Url>, ConfigError> {
        self.need(key, |_, raw| match raw {
            Raw::List(texts) if (1..=MAX_NODES).contains(&texts.len()) => {
                texts.iter().map(|text| node(text)).collect()
            }
            _ => None,
        })
    }
}

/// A node's address.
fn node(text: &str) -> Option<Url> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https" | "ws" | "wss") && url.has_host())
}
