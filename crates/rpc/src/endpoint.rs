//! Where the chain is reached, and how patiently.

use std::{fmt, time::Duration};

use url::Url;

/// The nodes of one chain, in order of preference, and the limits every request to them obeys.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// At least one, the preferred first: `http`, `https`, `ws` or `wss`.
    pub urls: Vec<Endpoint>,
    /// The chain that each must serve.
    pub chain_id: u64,
    /// How long one attempt at one endpoint may take, connecting included.
    pub request_timeout: Duration,
    /// How often a request that may be repeated is attempted altogether, over all endpoints; at least 1.
    pub attempts: u32,
    /// The wait before the first repetition that has no fresh endpoint to go to; doubles up to [`Self::backoff_cap`].
    pub backoff: Duration,
    /// The longest wait between two attempts.
    pub backoff_cap: Duration,
    /// How long an endpoint that failed is left alone before it is probed; doubles with each failure in a row, up to 64
    /// times.
    pub cooldown: Duration,
    /// How often alloy's own pollers (a pending transaction's watcher) ask, over HTTP.
    pub poll_interval: Duration,
}

impl Endpoints {
    /// `urls` of the chain `chain_id` with the limits that suit a public chain: 5 s an attempt, 5 attempts, waits from
    /// 100 ms to 2 s, cooldown from 1 s, polls every second.
    #[must_use]
    pub fn new(chain_id: u64, urls: impl IntoIterator<Item = Endpoint>) -> Self {
        Self {
            urls: urls.into_iter().collect(),
            chain_id,
            request_timeout: Duration::from_secs(5),
            attempts: 5,
            backoff: Duration::from_millis(100),
            backoff_cap: Duration::from_secs(2),
            cooldown: Duration::from_secs(1),
            poll_interval: Duration::from_secs(1),
        }
    }
}

/// A node's address. Shows only scheme, host and port: user, password, path and query may hold an access key.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Checks that `url` is `http(s)` or `ws(s)` and names a host.
    ///
    /// # Errors
    /// [`EndpointError`], which repeats nothing of the URL beyond its scheme.
    pub fn new(url: Url) -> Result<Self, EndpointError> {
        match url.scheme() {
            "http" | "https" | "ws" | "wss" => {}
            scheme => return Err(EndpointError::Scheme(scheme.to_owned())),
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(EndpointError::Host);
        }
        Ok(Self(url))
    }

    /// Parses and checks a URL.
    ///
    /// # Errors
    /// [`EndpointError`], which repeats nothing of the URL beyond its scheme.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        Url::parse(text)
            .map_err(|cause| EndpointError::Url(cause.to_string()))
            .and_then(Self::new)
    }

    /// Whether it can push: a WebSocket.
    #[must_use]
    pub fn is_websocket(&self) -> bool {
        self.0.scheme().starts_with("ws")
    }

    /// The whole URL, credentials included: for connecting, never for display.
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}://{}",
            self.0.scheme(),
            self.0.host_str().unwrap_or_default()
        )?;
        if let Some(port) = self.0.port() {
            write!(formatter, ":{port}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Endpoint({self})")
    }
}

impl std::str::FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        Self::parse(text)
    }
}

/// An address that cannot be a node's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("not a URL: {0}")]
    Url(String),
    /// A scheme that no transport here speaks.
    #[error("scheme {0:?}: expected http, https, ws or wss")]
    Scheme(String),
    /// No host.
    #[error("the URL names no host")]
    Host,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn hides_credentials() {
        let endpoint =
            Endpoint::parse("wss://user:secret@node.example:8443/v3/secret?key=secret").unwrap();
        assert_eq!(endpoint.to_string(), "wss://node.example:8443");
        assert!(!format!("{endpoint:?}").contains("secret"));
    }

    #[test]
    fn rejects_other_schemes_without_repeating_the_address() {
        assert_eq!(
            Endpoint::parse("file:///tmp/node.ipc"),
            Err(EndpointError::Scheme("file".into()))
        );
        assert!(
            matches!(Endpoint::parse("secret"), Err(EndpointError::Url(text)) if !text.contains("secret"))
        );
    }
}
