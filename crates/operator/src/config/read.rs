//! What stands where: the file's keys and the environment's variables, unknown ones refused.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::error::{Origin, nearest};
use super::settings::{Kind, SETTINGS, Setting};
use super::values::Values;
use super::{ConfigError, KeeperConfig};

/// Variables that hold secrets; `account` reads them.
const SECRETS: [&str; 2] = ["BREAKWATER_PRIVATE_KEY", "BREAKWATER_KEYSTORE_PASSWORD"];

/// Words that no key of ours contains and a misplaced secret's does.
const SECRET_WORDS: [&str; 6] = [
    "private",
    "password",
    "secret",
    "mnemonic",
    "passphrase",
    "seed",
];

/// The variables `BREAKWATER_SECTION__KEY` of an environment. Secrets are not among them.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process.
    ///
    /// # Errors
    /// [`ConfigError::NotUnicode`], [`ConfigError::UnknownKey`].
    pub fn of_process() -> Result<Self, ConfigError> {
        Self::from_variables(std::env::vars_os())
    }

    /// Those among `variables`. Names without `__` belong to other tools, unless they are nearly that of a secret.
    ///
    /// # Errors
    /// [`ConfigError::NotUnicode`], [`ConfigError::UnknownKey`].
    pub fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let mut found = BTreeMap::new();
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with("BREAKWATER_")) else {
                continue;
            };
            if SECRETS.contains(&name) {
                continue;
            }
            let unknown = |candidates: Vec<String>| ConfigError::UnknownKey {
                origin: Origin::Variable(name.to_owned()),
                key: name.to_owned(),
                nearest: nearest(name, candidates),
            };
            let names = || SETTINGS.iter().map(Setting::variable).collect::<Vec<_>>();
            if !name.contains("__") {
                let like =
                    |secret: &&str| strsim::normalized_damerau_levenshtein(name, secret) > 0.8;
                if SECRETS.iter().any(like) {
                    return Err(unknown(SECRETS.map(str::to_owned).to_vec()));
                }
                continue;
            }
            if !names().iter().any(|known| known == name) {
                return Err(unknown(names()));
            }
            let value = value.into_string().map_err(|_| ConfigError::NotUnicode {
                name: name.to_owned(),
            })?;
            found.insert(name.to_owned(), value);
        }
        Ok(Self(found))
    }
}

/// A value as it stands, before it is checked.
#[derive(Clone, Debug)]
pub(super) enum Raw {
    Text(String),
    Integer(i128),
    Number(f64),
    Flag(bool),
    List(Vec<String>),
    /// Anything else, by what it is called.
    Other(&'static str),
}

impl Raw {
    pub(super) fn from_toml(value: &DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.clone().into_owned()),
            DeValue::Integer(digits) => i128::from_str_radix(digits.as_str(), digits.radix())
                .map_or(Self::Other("too large a number"), Self::Integer),
            DeValue::Float(digits) => digits
                .as_str()
                .parse()
                .map_or(Self::Other("not a number"), Self::Number),
            DeValue::Boolean(flag) => Self::Flag(*flag),
            DeValue::Array(entries) => entries
                .iter()
                .map(|entry| entry.get_ref().as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .map_or(Self::Other("a list of other things than text"), Self::List),
            DeValue::Datetime(_) => Self::Other("a date"),
            DeValue::Table(_) => Self::Other("a table"),
        }
    }

    /// What an environment variable's text means for a kind.
    fn from_variable(kind: Kind, text: &str) -> Self {
        let text = text.trim();
        let parsed = match kind {
            Kind::Integer(..) => text.parse().ok().map(Self::Integer),
            Kind::Number(..) => text.parse().ok().map(Self::Number),
            Kind::Flag => text.parse().ok().map(Self::Flag),
            Kind::Urls | Kind::Hosts => Some(Self::List(
                text.split(',')
                    .map(|entry| entry.trim().to_owned())
                    .filter(|entry| !entry.is_empty())
                    .collect(),
            )),
            Kind::Choice(_) | Kind::Path | Kind::Address | Kind::Socket | Kind::Filter => None,
        };
        parsed.unwrap_or_else(|| Self::Text(text.to_owned()))
    }

    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Integer(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::List(entries) => format!("{entries:?}"),
            Self::Other(what) => (*what).to_owned(),
        }
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) raw: Raw,
    pub(super) origin: Origin,
}

pub(super) fn read(
    text: &str,
    file: &Path,
    environment: &Environment,
) -> Result<KeeperConfig, ConfigError> {
    let mut found = collect(text, file)?;
    for setting in SETTINGS {
        let name = setting.variable();
        if let Some(value) = environment.0.get(&name) {
            let raw = Raw::from_variable(setting.kind, value);
            found.insert(
                setting.key,
                Found {
                    raw,
                    origin: Origin::Variable(name),
                },
            );
        }
    }
    Values::new(file, found).keeper()
}

/// What the file holds, by key; unknown keys are refused.
fn collect(text: &str, file: &Path) -> Result<BTreeMap<&'static str, Found>, ConfigError> {
    let line_at = |offset: usize| 1 + text[..offset.min(text.len())].matches('\n').count();
    let document = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(span.start));
        // Only what is wrong, not the line it is in: that may hold credentials.
        let message = error
            .message()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        ConfigError::in_file(file, line, message)
    })?;
    let mut found = BTreeMap::new();
    for (section, value) in document.get_ref() {
        let line = line_at(section.span().start);
        let sections = SETTINGS.iter().map(|setting| setting.parts().0);
        if !sections.clone().any(|known| known == section.get_ref()) {
            return Err(unknown(file, line, section.get_ref(), sections));
        }
        let DeValue::Table(table) = value.get_ref() else {
            return Err(ConfigError::in_file(
                file,
                line,
                format!(
                    "`{}` is not a section, expected [{}]",
                    section.get_ref(),
                    section.get_ref()
                ),
            ));
        };
        for (key, value) in table {
            let line = line_at(key.span().start);
            let dotted = format!("{}.{}", section.get_ref(), key.get_ref());
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key == dotted) else {
                return Err(unknown(
                    file,
                    line,
                    &dotted,
                    SETTINGS.iter().map(|setting| setting.key),
                ));
            };
            found.insert(
                setting.key,
                Found {
                    raw: Raw::from_toml(value.get_ref()),
                    origin: Origin::File(file.to_owned(), line),
                },
            );
        }
    }
    Ok(found)
}

fn unknown<'a>(
    file: &Path,
    line: usize,
    key: &str,
    known: impl Iterator<Item = &'a str>,
) -> ConfigError {
    let origin = Origin::File(file.to_owned(), line);
    let key = key.to_owned();
    let nearest = nearest(&key, known);
    let likeness = strsim::normalized_damerau_levenshtein(&key, &nearest);
    if likeness < 0.9
        && SECRET_WORDS
            .iter()
            .any(|word| key.to_lowercase().contains(word))
    {
        return ConfigError::Secret { origin, key };
    }
    ConfigError::UnknownKey {
        origin,
        key,
        nearest,
    }
}
