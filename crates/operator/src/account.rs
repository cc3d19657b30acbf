//! The sending account's key: from an encrypted keystore or the environment, never from the configuration or the command
//! line, never into a message.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use alloy::signers::local::PrivateKeySigner;
use zeroize::Zeroizing;

use crate::config::AccountConfig;

/// Holds the key itself, in hexadecimal.
const PRIVATE_KEY: &str = "BREAKWATER_PRIVATE_KEY";

/// Holds the keystore's password.
const PASSWORD: &str = "BREAKWATER_KEYSTORE_PASSWORD";

/// A key that cannot be had. No variant holds any part of a secret.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Nothing names a key.
    #[error(
        "no account: expected `account.keystore` in the configuration, or {PRIVATE_KEY} in the environment"
    )]
    NoKey,
    /// Two sources name one.
    #[error("two accounts: `account.keystore` names {} and {PRIVATE_KEY} is set; remove one of them", keystore.display())]
    TwoKeys {
        /// The keystore.
        keystore: PathBuf,
    },
    /// The variable is not a key.
    #[error(
        "{PRIVATE_KEY} (environment): expected 64 hexadecimal digits of a secp256k1 key, with or without 0x"
    )]
    NotAKey,
    /// A variable is not Unicode.
    #[error("{name} (environment): expected text in UTF-8")]
    NotUnicode {
        /// Which.
        name: &'static str,
    },
    /// A file cannot be read.
    #[error("{}: {source}", file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others may read the password.
    #[error("{}: others can read this password file (mode {mode:04o}); expected 0600 or less", file.display())]
    Exposed {
        /// Which.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The password file has none.
    #[error("{}: expected the keystore's password in the first line", file.display())]
    EmptyPassword {
        /// Which.
        file: PathBuf,
    },
    /// There is nobody to ask.
    #[error("no password for {}: expected {PASSWORD} in the environment, `account.password_file`, or a terminal to ask on ({source})", keystore.display())]
    NoPassword {
        /// The keystore.
        keystore: PathBuf,
        /// Why nobody could be asked.
        source: io::Error,
    },
    /// The keystore did not open.
    #[error("{}: {reason}", keystore.display())]
    Keystore {
        /// Which.
        keystore: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The environment's secrets, wiped from memory when dropped. (The operating system keeps its own copy of an environment.)
#[derive(Default)]
pub struct Secrets {
    private_key: Option<Zeroizing<String>>,
    password: Option<Zeroizing<String>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// Those of this process's environment. An empty variable is one that is not set.
    ///
    /// # Errors
    /// [`AccountError::NotUnicode`].
    pub fn of_process() -> Result<Self, AccountError> {
        let read = |name| match std::env::var(name) {
            Ok(value) => Ok(Some(Zeroizing::new(value)).filter(|value| !value.is_empty())),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(AccountError::NotUnicode { name }),
        };
        Ok(Self {
            private_key: read(PRIVATE_KEY)?,
            password: read(PASSWORD)?,
        })
    }

    /// Given ones.
    #[must_use]
    pub fn new(private_key: Option<String>, password: Option<String>) -> Self {
        Self {
            private_key: private_key.map(Zeroizing::new),
            password: password.map(Zeroizing::new),
        }
    }
}

/// Asks for a keystore's password on the terminal, without showing it.
///
/// # Errors
/// If there is no terminal.
pub fn ask(keystore: &Path) -> io::Result<Zeroizing<String>> {
    rpassword::prompt_password(format!("password for {}: ", keystore.display())).map(Zeroizing::new)
}

/// The signer that the configuration and the environment name. The password is taken from the environment, else from the
/// password file, else from `ask`.
///
/// Deriving a keystore's key takes a second or so by design: do not call it on an asynchronous task.
///
/// # Errors
/// [`AccountError`].
pub fn unlock(
    config: &AccountConfig,
    secrets: Secrets,
    ask: impl FnOnce(&Path) -> io::Result<Zeroizing<String>>,
) -> Result<PrivateKeySigner, AccountError> {
    let Some(keystore) = &config.keystore else {
        return from_hex(&secrets.private_key.ok_or(AccountError::NoKey)?);
    };
    let keystore = keystore.clone();
    if secrets.private_key.is_some() {
        return Err(AccountError::TwoKeys { keystore });
    }
    // Before the password is asked for: a mistyped path is the commoner mistake.
    if let Err(source) = std::fs::File::open(&keystore) {
        return Err(AccountError::Unreadable {
            file: keystore,
            source,
        });
    }
    let password = match (secrets.password, &config.password_file) {
        (Some(password), _) => password,
        (None, Some(file)) => from_file(file)?,
        (None, None) => ask(&keystore).map_err(|source| AccountError::NoPassword {
            keystore: keystore.clone(),
            source,
        })?,
    };
    PrivateKeySigner::decrypt_keystore(&keystore, password.as_bytes()).map_err(|error| {
        AccountError::Keystore {
            keystore,
            reason: error.to_string(),
        }
    })
}

fn from_hex(text: &str) -> Result<PrivateKeySigner, AccountError> {
    let mut key = Zeroizing::new([0_u8; 32]);
    alloy::hex::decode_to_slice(text.trim(), key.as_mut()).map_err(|_| AccountError::NotAKey)?;
    PrivateKeySigner::from_slice(key.as_ref()).map_err(|_| AccountError::NotAKey)
}

fn from_file(file: &Path) -> Result<Zeroizing<String>, AccountError> {
    let unreadable = |source| AccountError::Unreadable {
        file: file.to_owned(),
        source,
    };
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(unreadable)?);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(file)
            .map_err(unreadable)?
            .permissions()
            .mode()
            & 0o7777;
        if mode & 0o077 != 0 {
            return Err(AccountError::Exposed {
                file: file.to_owned(),
                mode,
            });
        }
    }
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(Zeroizing::new(line.to_owned())),
        _ => Err(AccountError::EmptyPassword {
            file: file.to_owned(),
        }),
    }
}
