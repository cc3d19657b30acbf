//! The configuration file, the same that `script/Deploy.s.sol` reads, and the plan that it makes of the defaults.

mod backstop;
mod collateral;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, U256, Uint};
use serde::Deserialize;
use serde_json::Value;

pub use self::backstop::{BackstopConfiguration, BackstopPlan};
pub use self::collateral::CollateralConfiguration;
use crate::defaults::{self, SystemPlan};

/// Keys of the file.
const KEYS: [&str; 13] = [
    "chainId",
    "asset",
    "governance",
    "guardian",
    "name",
    "symbol",
    "supplyCap",
    "borrowCap",
    "minDebt",
    "settlementStipend",
    "nativeCollateral",
    "collaterals",
    "backstop",
];

/// The most that any cap may be: 10^28; `PoolAdministration.sol`.
const MAX_CAP: U256 = U256::from_limbs([4_477_988_020_393_345_024, 542_101_086, 0, 0]);

const CAP_EXPECTED: &str = "expected at most 10^28 base units";

/// How many collaterals a pool can list; `PoolStorage.sol`.
const MAX_COLLATERALS: usize = 16;

/// Of the smallest debt, what settling may pay at most: one part in so many; `PoolAdministration.sol`.
const STIPEND_PART: u64 = 20;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: cannot read the configuration: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not JSON, a key is missing, or a value is of another kind.
    #[error("{path}: {reason}", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, and on which line.
        reason: String,
    },
    /// A key that nothing reads.
    #[error("{path}: unknown key `{key}`; did you mean `{nearest}`?", path = path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key, with where it stands.
        key: String,
        /// The most similar key there is.
        nearest: &'static str,
    },
    /// A value that no system can have.
    #[error("{path}: `{key}` is {value}: {reason}", path = path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Where.
        key: String,
        /// What it is.
        value: String,
        /// What was expected.
        reason: String,
    },
}

/// What an operator chooses: a chain's addresses, its feeds' heartbeats, names and caps. All other parameters are the defaults of
/// `script/Defaults.sol`. Amounts are base units, as decimal strings or numbers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Configuration {
    /// The chain that the addresses are of; without it any chain is believed.
    #[serde(default)]
    pub chain_id: Option<u64>,
    /// The debt token.
    pub asset: Address,
    /// Proposes to the timelock.
    pub governance: Address,
    /// May freeze new risk.
    pub guardian: Address,
    /// Of the share.
    pub name: String,
    /// Of the share.
    pub symbol: String,
    /// Base units of the debt token.
    pub supply_cap: U256,
    /// Base units of the debt token.
    pub borrow_cap: U256,
    /// The smallest debt that may be opened, base units of the debt token.
    pub min_debt: U256,
    /// What settling pays, base units of the debt token; at most a twentieth of `min_debt`.
    pub settlement_stipend: U256,
    /// The number of the collateral that is the chain's native coin; without one the bonus pays for no gas.
    #[serde(default)]
    pub native_collateral: Option<u64>,
    /// Listed in this order.
    pub collaterals: Vec<CollateralConfiguration>,
    /// A backstop before the policy. `script/Deploy.s.sol` does not know the key and refuses it.
    #[serde(default)]
    pub backstop: Option<BackstopConfiguration>,
}

impl Configuration {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Parses the text of `path`.
    ///
    /// # Errors
    /// [`ConfigError`], but not for reading.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let syntax = |error: serde_json::Error| ConfigError::Syntax {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        // Keys first: serde lists what it knows, but does not say what was meant.
        let value: Value = serde_json::from_str(text).map_err(syntax)?;
        known(path, &value, "", &KEYS)?;
        if let Some(collaterals) = value.get("collaterals").and_then(Value::as_array) {
            for (number, collateral) in collaterals.iter().enumerate() {
                known(
                    path,
                    collateral,
                    &format!("collaterals[{number}]."),
                    &collateral::KEYS,
                )?;
            }
        }
        if let Some(backstop) = value.get("backstop") {
            known(path, backstop, "backstop.", &backstop::KEYS)?;
        }
        let mut text = serde_json::Deserializer::from_str(text);
        let configuration: Self = serde_path_to_error::deserialize(&mut text).map_err(|error| {
            let key = error.path().to_string();
            let at = if key == "." {
                String::new()
            } else {
                format!("`{key}`: ")
            };
            ConfigError::Syntax {
                path: path.to_owned(),
                reason: format!("{at}{}", error.inner()),
            }
        })?;
        configuration.check(path)?;
        Ok(configuration)
    }

    /// The plan: the defaults with these values. Bounds of feeds that are left out are 0 and 0 in it;
    /// [`inspect_feeds`](crate::inspect_feeds) fills them in. The values were checked when they were parsed; of one that was built by
    /// hand, what does not fit saturates and the contracts refuse it.
    #[must_use]
    pub fn plan(&self) -> SystemPlan {
        let mut plan = defaults::system_plan();
        let default = plan.collaterals[0].clone();
        plan.asset = self.asset;
        plan.governance = self.governance;
        plan.guardian = self.guardian;
        plan.name.clone_from(&self.name);
        plan.symbol.clone_from(&self.symbol);
        plan.supplyCap = self.supply_cap;
        plan.borrowCap = self.borrow_cap;
        plan.minDebt = self.min_debt.saturating_to();
        plan.settlementStipend = self.settlement_stipend;
        match self.native_collateral {
            Some(number) => plan.nativeCollateral = U256::from(number),
            None => plan.policy.damped.liquidationGas = U256::ZERO,
        }
        plan.collaterals = self
            .collaterals
            .iter()
            .map(|collateral| collateral.plan(default.clone()))
            .collect();
        plan
    }

    /// The backstop beside that plan, where there is one.
    #[must_use]
    pub fn backstop_plan(&self) -> Option<BackstopPlan> {
        self.backstop.as_ref().map(BackstopConfiguration::plan)
    }

    /// Refuses values that no chain accepts, whatever is on it: nothing is asked of a node, and nothing sent, for a plan that must fail by
    /// them. What depends on the chain ([`inspect_feeds`](crate::inspect_feeds)) or on the deployer ([`Plan::new`](crate::Plan::new)) is
    /// left to those. What is read or parsed has been checked; `path` is named.
    ///
    /// # Errors
    /// [`ConfigError::Value`].
    pub fn check(&self, path: &Path) -> Result<(), ConfigError> {
        let wrong = |(key, value, reason): (String, String, String)| ConfigError::Value {
            path: path.to_owned(),
            key,
            value,
            reason,
        };
        self.check_addresses().map_err(wrong)?;
        self.check_amounts().map_err(wrong)?;
        self.check_collaterals().map_err(wrong)?;
        let Some(backstop) = &self.backstop else {
            return Ok(());
        };
        backstop
            .check()
            .map_err(|(key, value, reason)| wrong((format!("backstop.{key}"), value, reason)))
    }

    fn check_addresses(&self) -> Result<(), Wrong> {
        let mut addresses = vec![
            ("asset".to_owned(), self.asset),
            ("governance".to_owned(), self.governance),
            ("guardian".to_owned(), self.guardian),
        ];
        for (number, collateral) in self.collaterals.iter().enumerate() {
            let named = collateral.addresses();
            addresses.extend(named.map(|(key, address)| (at(number, key), address)));
        }
        match addresses.into_iter().find(|(_, address)| address.is_zero()) {
            Some((key, address)) => Err(named(key, address, "the zero address is nobody")),
            None => Ok(()),
        }
    }

    fn check_amounts(&self) -> Result<(), Wrong> {
        for (key, cap) in [
            ("supplyCap", self.supply_cap),
            ("borrowCap", self.borrow_cap),
        ] {
            if cap > MAX_CAP {
                return Err(named(key, cap, CAP_EXPECTED));
            }
        }
        if self.min_debt > U256::from(Uint::<88, 2>::MAX) {
            return Err(named("minDebt", self.min_debt, "at most 2^88 - 1"));
        }
        let most = self.min_debt / U256::from(STIPEND_PART);
        if self.settlement_stipend > most {
            let expected = format!("expected at most {most}, a twentieth of `minDebt`");
            return Err(named(
                "settlementStipend",
                self.settlement_stipend,
                expected,
            ));
        }
        Ok(())
    }

    fn check_collaterals(&self) -> Result<(), Wrong> {
        let count = self.collaterals.len();
        if count == 0 {
            return Err(named("collaterals", "empty", "at least one collateral"));
        }
        if count > MAX_COLLATERALS {
            let expected = format!("expected at most {MAX_COLLATERALS} collaterals");
            return Err(named("collaterals", format!("a list of {count}"), expected));
        }
        for (number, collateral) in self.collaterals.iter().enumerate() {
            if let Err((key, value, reason)) = collateral.check() {
                return Err(named(at(number, key), value, reason));
            }
            let token = collateral.token;
            if token == self.asset {
                let reason = "expected another token than `asset`";
                return Err(named(at(number, "token"), token, reason));
            }
            let mut earlier = self.collaterals[..number].iter();
            if earlier.any(|other| other.token == token) {
                let reason = "expected a token that is not listed already";
                return Err(named(at(number, "token"), token, reason));
            }
        }
        match self.native_collateral {
            Some(number) if number >= count as u64 => Err(named(
                "nativeCollateral",
                number,
                "the number of one of `collaterals`, counted from 0",
            )),
            _ => Ok(()),
        }
    }
}

/// What is wrong: a key, its value, and what was expected.
type Wrong = (String, String, String);

fn named(key: impl Into<String>, value: impl ToString, reason: impl Into<String>) -> Wrong {
    (key.into(), value.to_string(), reason.into())
}

/// A key of a collateral.
fn at(number: usize, key: &str) -> String {
    format!("collaterals[{number}].{key}")
}

/// Refuses keys that are not in `keys`.
fn known(
    path: &Path,
    value: &Value,
    prefix: &str,
    keys: &'static [&'static str],
) -> Result<(), ConfigError> {
    let Some(object) = value.as_object() else {
        return Ok(());
    };
    for key in object.keys() {
        if keys.contains(&key.as_str()) {
            continue;
        }
        let similarity = |known: &&&str| (strsim::jaro_winkler(key, known) * 1e6) as u64;
        if let Some(nearest) = keys.iter().max_by_key(similarity) {
            return Err(ConfigError::UnknownKey {
                path: path.to_owned(),
                key: format!("{prefix}{key}"),
                nearest,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../../script/config/example.json");

    fn parse(text: &str) -> Result<Configuration, ConfigError> {
        Configuration::parse(text, Path::new("system.json"))
    }

    fn refused(from: &str, to: &str) -> String {
        assert!(EXAMPLE.contains(from), "{from} is not in the example");
        parse(&EXAMPLE.replacen(from, to, 1))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_example_gives_the_defaults_with_its_values() {
        let plan = parse(EXAMPLE).unwrap().plan();
        assert_eq!(plan.name, "Breakwater DAI");
        assert_eq!(plan.timelockDelay, U256::from(172_800));
        assert_eq!(plan.minDebt.to_string(), "100000000000000000000");
        assert_eq!(plan.collaterals[0].listing.confirmationBand, 500);
        assert_eq!(plan.collaterals[0].quote.source, Address::ZERO);
        assert_eq!(plan.policy.damped.liquidationGas, U256::from(400_000));
    }

    #[test]
    fn what_is_left_out_follows_the_script() {
        let text = EXAMPLE
            .replace("  \"nativeCollateral\": 0,\n", "")
            .replace(
                "      \"venue\": \"0x0000000000000000000000000000000000000006\",\n",
                "",
            )
            .replace(
                "      \"venueMinDepth\": \"100000000000000000000000\",\n",
                "      \"quoteFeed\": \"0x0000000000000000000000000000000000000007\",\n      \"quoteHeartbeat\": 90000,\n",
            );
        let plan = parse(&text).unwrap().plan();
        assert_eq!(plan.policy.damped.liquidationGas, U256::ZERO);
        let collateral = &plan.collaterals[0];
        assert_eq!(collateral.venue, Address::ZERO);
        assert_eq!(collateral.listing.confirmationBand, 200);
        assert_eq!(collateral.base.heartbeat, 3_900);
        assert_eq!(collateral.quote.heartbeat, 90_000);
        assert_eq!(
            (collateral.quote.minAnswer, collateral.quote.maxAnswer),
            (0, 0)
        );
        assert_eq!(collateral.quote.source, Address::with_last_byte(7));
    }

    #[test]
    fn a_backstop_is_optional_and_has_the_scripts_defaults() {
        assert!(parse(EXAMPLE).unwrap().backstop_plan().is_none());
        let with = |section: &str| {
            EXAMPLE.replacen(
                "\"collaterals\"",
                &format!("\"backstop\": {{{section}}}, \"collaterals\""),
                1,
            )
        };
        let least = "\"minimumLeft\": \"7\", \"minimumDeposit\": \"10008\", \"absorptionHealth\": \"1050000000000000000\", \
                     \"premiumShare\": \"100000000000000000\"";
        let plan = parse(&with(least)).unwrap().backstop_plan().unwrap();
        let (p, wad) = (&plan.parameters, U256::from(10).pow(U256::from(18)));
        assert_eq!(
            (p.minimumLeft, p.minimumDeposit),
            (U256::from(7), U256::from(10_008))
        );
        assert_eq!(p.periodSeconds, U256::from(43_200));
        assert_eq!(p.callerShare, wad / U256::from(10));
        assert_eq!(p.symbol, "bwBACKSTOP");
        assert_eq!(plan.premium_share, wad / U256::from(10));
        let more = format!("{least}, \"periodSeconds\": 14400");
        let plan = parse(&with(&more)).unwrap().backstop_plan().unwrap();
        assert_eq!(plan.parameters.periodSeconds, U256::from(14_400));
        for (section, expected) in [
            (
                format!("{least}, \"period\": 1"),
                "unknown key `backstop.period`",
            ),
            (
                "\"minimumLeft\": \"7\"".to_owned(),
                "`backstop`: missing field `minimumDeposit`",
            ),
            (
                format!("{least}, \"callerShare\": \"a tenth\""),
                "`backstop.callerShare`: ",
            ),
        ] {
            let said = parse(&with(&section)).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn a_token_is_listed_once_and_no_more_than_the_pool_holds() {
        let with = |tokens: &[u8]| {
            let mut value: Value = serde_json::from_str(EXAMPLE).unwrap();
            let listed = &mut value["collaterals"];
            let mut one = listed[0].clone();
            let collaterals = tokens.iter().map(|token| {
                one["token"] = Address::repeat_byte(*token).to_string().into();
                one.clone()
            });
            *listed = collaterals.collect();
            parse(&value.to_string())
        };
        let tokens: Vec<u8> = (20..37).collect();
        assert!(with(&tokens[..16]).is_ok());
        for (tokens, expected) in [
            (
                &tokens[..],
                "`collaterals` is a list of 17: expected at most 16",
            ),
            (
                &[20, 21, 20],
                "`collaterals[2].token` is 0x1414141414141414141414141414141414141414: expected a token that is not listed",
            ),
        ] {
            let said = with(tokens).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (
                "\"supplyCap\"",
                "\"suplyCap\"",
                "unknown key `suplyCap`; did you mean `supplyCap`?",
            ),
            (
                "\"feed\"",
                "\"fed\"",
                "unknown key `collaterals[0].fed`; did you mean `feed`?",
            ),
            ("\"symbol\": \"bwDAI\",", "", "missing field `symbol`"),
            (
                "0x0000000000000000000000000000000000000002",
                "0x0000000000000000000000000000000000000000",
                "`governance` is 0x0000000000000000000000000000000000000000",
            ),
            (
                "\"venueMinDepth\": \"100000000000000000000000\",",
                "",
                "`collaterals[0].venueMinDepth` is missing",
            ),
            (
                "\"nativeCollateral\": 0",
                "\"nativeCollateral\": 1",
                "`nativeCollateral` is 1",
            ),
            (
                "\"100000000000000000000\"",
                "\"400000000000000000000000000\"",
                "`minDebt` is 400000000000000000000000000: at most 2^88 - 1",
            ),
            ("\"900000000000000000000000\"", "\"lots\"", "`borrowCap`: "),
            (
                "\"900000000000000000000000\"",
                "\"10000000000000000000000000001\"",
                "`borrowCap` is 10000000000000000000000000001: expected at most 10^28",
            ),
            (
                "\"1000000000000000000000000\"",
                "\"10000000000000000000000000001\"",
                "`supplyCap` is 10000000000000000000000000001: expected at most 10^28",
            ),
            (
                "\"10000000000000000000000\"",
                "\"10000000000000000000000000001\"",
                "`collaterals[0].cap` is 10000000000000000000000000001: expected at most 10^28",
            ),
            (
                "\"5000000000000000000\"",
                "\"5000000000000000001\"",
                "`settlementStipend` is 5000000000000000001: expected at most 5000000000000000000, a twentieth of `minDebt`",
            ),
            (
                "0x0000000000000000000000000000000000000004",
                "0x0000000000000000000000000000000000000001",
                "`collaterals[0].token` is 0x0000000000000000000000000000000000000001: expected another token than `asset`",
            ),
            ("\"heartbeat\": 3900,", "", "missing field `heartbeat`"),
            (
                "\"heartbeat\": 3900,",
                "\"heartbeat\": 0,",
                "`collaterals[0].heartbeat` is 0: expected 1 to 2592000 seconds",
            ),
            (
                "\"heartbeat\": 3900,",
                "\"heartbeat\": 3900000,",
                "`collaterals[0].heartbeat` is 3900000: expected 1 to 2592000 seconds",
            ),
            (
                "\"heartbeat\": 3900,",
                "\"heartbeat\": 3900, \"quoteHeartbeat\": 3900,",
                "`collaterals[0].quoteHeartbeat` is 3900: there is no `quoteFeed`",
            ),
            (
                "\"heartbeat\": 3900,",
                "\"heartbeat\": 3900, \"quoteFeed\": \"0x0000000000000000000000000000000000000007\",",
                "`collaterals[0].quoteHeartbeat` is missing",
            ),
            (
                "\"heartbeat\": 3900,",
                "\"heartbeat\": 3900, \"quoteFeed\": \"0x0000000000000000000000000000000000000007\", \"quoteHeartbeat\": 3900000,",
                "`collaterals[0].quoteHeartbeat` is 3900000: expected 1 to 2592000 seconds",
            ),
            (
                "\"heartbeat\": 3900,",
                "\"heartbeat\": 3900, \"minAnswer\": \"1\",",
                "`collaterals[0].maxAnswer` is missing",
            ),
            (
                "\"heartbeat\": 3900,",
                "\"heartbeat\": 3900, \"minAnswer\": \"0\", \"maxAnswer\": \"1\",",
                "`collaterals[0].maxAnswer` is 1",
            ),
            (
                "\"heartbeat\": 3900,",
                "\"heartbeat\": 3900, \"minAnswer\": \"0\", \"maxAnswer\": \"309485009821345069\",",
                "`collaterals[0].maxAnswer` is 309485009821345069: expected bounds whose ratio",
            ),
            (
                "\"heartbeat\": 3900,",
                "\"heartbeat\": 3900, \"minAnswer\": \"0\", \"maxAnswer\": \"200000000\", \"quoteFeed\": \"0x0000000000000000000000000000000000000007\", \"quoteHeartbeat\": 90000, \"quoteMinAnswer\": \"0\", \"quoteMaxAnswer\": \"2000000000\",",
                "`collaterals[0].quoteMaxAnswer` is 2000000000: expected bounds whose ratio",
            ),
            (
                "\"symbol\": \"bwDAI\",",
                "\"symbol\": \"bwDAI\", \"symbol\": \"x\",",
                "duplicate field `symbol`",
            ),
        ];
        for (from, to, expected) in cases {
            let said = refused(from, to);
            assert!(said.starts_with("system.json: "), "{said}");
            assert!(said.contains(expected), "{said}\nlacks {expected}");
        }
        let said = parse("{\"asset\": ").unwrap_err().to_string();
        assert!(said.contains("EOF"), "{said}");
    }
}
