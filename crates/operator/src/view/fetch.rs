//! Asking a keeper.

use std::time::Duration;

use alloy::transports::http::reqwest::Client;
use alloy::transports::http::reqwest::redirect::Policy;
use url::Url;

use crate::status::ServedStatus;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest answer, bytes; a full status takes a few hundred thousand.
const MOST: usize = 8 * 1024 * 1024;

/// A status that could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address has no `/status.json` below it.
    #[error("{url}: expected an address such as http://127.0.0.1:9464")]
    Address {
        /// What was given.
        url: String,
    },
    /// No client.
    #[error("cannot set up HTTP: {source}")]
    Client {
        /// What went wrong.
        source: alloy::transports::http::reqwest::Error,
    },
    /// No connection, or it broke.
    #[error("no answer from {url}: {source}")]
    Connection {
        /// What was asked.
        url: Url,
        /// What went wrong.
        source: alloy::transports::http::reqwest::Error,
    },
    /// Something else listens there.
    #[error("{url} answered {status}, expected a keeper's status")]
    Refused {
        /// What was asked.
        url: Url,
        /// HTTP's status.
        status: u16,
    },
    /// The answer is not a status.
    #[error("{url} answered something else than a keeper's status: {reason}")]
    Foreign {
        /// What was asked.
        url: Url,
        /// What is wrong with it.
        reason: String,
    },
}

/// A client that goes straight to the keeper: neither a proxy nor a redirect is followed.
///
/// # Errors
/// If TLS cannot be set up.
pub fn client() -> Result<Client, FetchError> {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .build()
        .map_err(|source| FetchError::Client { source })
}

/// The status of the keeper that serves at `base`.
///
/// # Errors
/// [`FetchError`].
pub async fn fetch(client: &Client, base: &Url) -> Result<ServedStatus, FetchError> {
    let url = base
        .join("/status.json")
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| FetchError::Address {
            url: base.to_string(),
        })?;
    let failed = |source: alloy::transports::http::reqwest::Error| FetchError::Connection {
        url: url.clone(),
        source: source.without_url(),
    };
    let mut response = client
        .get(url.clone())
        .timeout(PATIENCE)
        .send()
        .await
        .map_err(failed)?;
    if !response.status().is_success() {
        return Err(FetchError::Refused {
            status: response.status().as_u16(),
            url,
        });
    }
    let mut text = Vec::new();
    while let Some(part) = response.chunk().await.map_err(failed)? {
        if text.len() + part.len() > MOST {
            return Err(FetchError::Foreign {
                url,
                reason: format!("it is longer than {MOST} bytes"),
            });
        }
        text.extend_from_slice(&part);
    }
    serde_json::from_slice(&text).map_err(|error| FetchError::Foreign {
        url,
        reason: error.to_string(),
    })
}
