//! What can be wrong with a scenario, said in one line that names the file, the line and what was expected.

use std::path::PathBuf;

use breakwater_market::MarketError;

use super::source::Source;

/// A scenario that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// No shipped scenario has this name, and no file is there.
    #[error(
        "unknown scenario `{name}`: expected one of {known}, or a .toml file (nearest: `{nearest}`)"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// The shipped ones.
        known: String,
        /// The shipped one whose name is most like it.
        nearest: String,
    },
    /// The file cannot be read as text.
    #[error("{}: expected a scenario file ({source})", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A key that no scenario has.
    #[error("{}: line {line}: unknown key `{key}`, the nearest known key is `{nearest}`", file.display())]
    UnknownKey {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The key that belongs there and is most like it.
        nearest: String,
    },
    /// Text that is not TOML, a missing key, or a value of the wrong type.
    #[error("{}: line {line}: {message}", file.display())]
    Malformed {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What was found and expected.
        message: String,
    },
    /// A value that no world can have.
    #[error("{}: line {line}: {key} is {value}, expected {expected}", file.display())]
    Value {
        /// Which file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// Dotted key.
        key: String,
        /// What it is.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// A value given on the command line that no world can have.
    #[error("{option}: {value}, expected {expected}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// What it is.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// A file of prices, gas prices, reserves or accounts.
    #[error(transparent)]
    Market(#[from] MarketError),
}

impl ScenarioError {
    /// Puts the TOML library's complaint into the form of the others.
    pub(crate) fn from_toml(source: &Source, error: &toml::de::Error) -> Self {
        let file = source.file.clone();
        let message = error
            .message()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let line = error.span().map_or(1, |span| source.line_at(span.start));
        let Some((key, expected)) = unknown_field(&message) else {
            return Self::Malformed {
                file,
                line,
                message,
            };
        };
        let nearest = nearest(&key, expected.iter().map(String::as_str))
            .unwrap_or_default()
            .to_owned();
        // Inside a tagged table the library points at the table, not at the key.
        let line = if source
            .text
            .lines()
            .nth(line - 1)
            .is_some_and(|text| text.contains(&key))
        {
            line
        } else {
            source.line_of(&key)
        };
        Self::UnknownKey {
            file,
            line,
            key,
            nearest,
        }
    }

    /// Adds file and line to a value that the market refused.
    pub(super) fn from_market(source: &Source, error: MarketError) -> Self {
        match error {
            MarketError::Impossible {
                key,
                value,
                expected,
            } => Self::Value {
                file: source.file.clone(),
                line: source.line_of(&key),
                key,
                value,
                expected,
            },
            other => Self::Market(other),
        }
    }
}

/// The key and the known keys in serde's "unknown field `a`, expected one of `b`, `c`".
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field ")?;
    let mut quoted = rest.split('`').skip(1).step_by(2).map(str::to_owned);
    Some((quoted.next()?, quoted.collect()))
}

/// The candidate that is most like `name`.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let likeness = |candidate: &str| strsim::normalized_damerau_levenshtein(name, candidate);
    candidates.max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}
