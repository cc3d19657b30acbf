//! What can be wrong with a configuration, in one line that names the place and what was expected there.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the file, at a line counted from 1.
    File(PathBuf, usize),
    /// In an environment variable.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file, line) => write!(f, "{}: line {line}", file.display()),
            Self::Variable(name) => write!(f, "{name} (environment)"),
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read as text.
    #[error("{}: expected a keeper's configuration ({source})", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Text that is not TOML.
    #[error("{origin}: {message}")]
    Malformed {
        /// Where.
        origin: Origin,
        /// What was found and expected.
        message: String,
    },
    /// A key or variable that no keeper has.
    #[error("{origin}: unknown key `{key}`, the nearest known key is `{nearest}`")]
    UnknownKey {
        /// Where.
        origin: Origin,
        /// The key.
        key: String,
        /// The known key most like it.
        nearest: String,
    },
    /// A key that looks like it holds a secret.
    #[error(
        "{origin}: `{key}` looks like a secret; keep it out of the file: name an encrypted keystore in `account.keystore`, or set BREAKWATER_PRIVATE_KEY or BREAKWATER_KEYSTORE_PASSWORD in the environment"
    )]
    Secret {
        /// Where.
        origin: Origin,
        /// The key.
        key: String,
    },
    /// A key without which no keeper runs.
    #[error("{}: `{key}` is missing, expected {expected}; it can also be given as {variable}", file.display())]
    Missing {
        /// Which file.
        file: PathBuf,
        /// Dotted key.
        key: &'static str,
        /// What it should be.
        expected: String,
        /// The environment variable that gives it.
        variable: String,
    },
    /// A value of the wrong type or out of range.
    #[error("{origin}: {key} is {value}, expected {expected}")]
    Value {
        /// Where.
        origin: Origin,
        /// Dotted key.
        key: &'static str,
        /// What it is; never a secret.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// A variable whose value is not Unicode.
    #[error("{name} (environment): expected text in UTF-8")]
    NotUnicode {
        /// Which.
        name: String,
    },
}

impl ConfigError {
    pub(super) fn in_file(file: &Path, line: usize, message: impl Into<String>) -> Self {
        Self::Malformed {
            origin: Origin::File(file.to_owned(), line),
            message: message.into(),
        }
    }
}

/// The candidate that is most like `name`.
pub(super) fn nearest<T: AsRef<str>>(
    name: &str,
    candidates: impl IntoIterator<Item = T>,
) -> String {
    candidates
        .into_iter()
        .map(|candidate| candidate.as_ref().to_owned())
        .max_by(|a, b| {
            strsim::normalized_damerau_levenshtein(name, a)
                .total_cmp(&strsim::normalized_damerau_levenshtein(name, b))
        })
        .unwrap_or_default()
}
