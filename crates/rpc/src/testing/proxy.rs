//! A loopback proxy before a node, with faults that are switched while it runs.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alloy::transports::http::reqwest;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    fault::{self, Decision, Fault},
    http, websocket,
};
use crate::Endpoint;

/// Speaks JSON-RPC over HTTP and WebSocket on the same port and passes it on, except where a fault is set. Dropping it closes
/// the port and every connection.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub upstream: String,
    pub client: reqwest::Client,
    settings: Mutex<Settings>,
    /// Its value changes when every connection is to be closed.
    pub generation: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Settings {
    all: Option<Fault>,
    by_method: BTreeMap<String, Fault>,
    next: BTreeMap<String, VecDeque<Fault>>,
    frozen: Option<Value>,
    counts: BTreeMap<String, u64>,
    recorded: Option<Vec<Value>>,
}

impl Proxy {
    /// Listens on a loopback port for the node at `upstream`, an `http://host:port`.
    ///
    /// # Errors
    /// If no port can be opened.
    pub async fn start(upstream: &str) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: upstream.trim_end_matches('/').to_owned(),
            client: reqwest::Client::new(),
            settings: Mutex::default(),
            generation: watch::channel(0).0,
        });
        let task = AbortOnDropHandle::new(tokio::spawn(accept(listener, shared.clone())));
        Ok(Self {
            address,
            shared,
            _task: task,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its HTTP address.
    ///
    /// # Panics
    /// Never: the address is one.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        Endpoint::parse(&format!("http://{}", self.address))
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Its WebSocket address.
    ///
    /// # Panics
    /// Never: the address is one.
    #[must_use]
    pub fn websocket_endpoint(&self) -> Endpoint {
        Endpoint::parse(&format!("ws://{}", self.address)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Every request suffers `fault` from now on; `None` passes them again (what is set for a method stays).
    pub fn set(&self, fault: Option<Fault>) {
        self.shared.settings().all = fault;
    }

    /// Every request of `method` suffers `fault` from now on, before what is set for all.
    pub fn set_method(&self, method: &str, fault: Option<Fault>) {
        let mut settings = self.shared.settings();
        match fault {
            Some(fault) => settings.by_method.insert(method.to_owned(), fault),
            None => settings.by_method.remove(method),
        };
    }

    /// The next request of `method` suffers `fault`, before what is set otherwise. Several queue up.
    pub fn next(&self, method: &str, fault: Fault) {
        self.shared
            .settings()
            .next
            .entry(method.to_owned())
            .or_default()
            .push_back(fault);
    }

    /// The node's head stands still from now on: no newer block by number, no pushed headers. Other requests pass.
    ///
    /// # Errors
    /// If the node does not tell its head.
    pub async fn freeze(&self) -> io::Result<()> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": ["latest", false] });
        let answer = self.shared.forward(request.to_string()).await?;
        let answer: Value = serde_json::from_str(&answer)?;
        self.shared.settings().frozen = Some(answer["result"].clone());
        Ok(())
    }

    /// The head moves again.
    pub fn thaw(&self) {
        self.shared.settings().frozen = None;
    }

    /// Closes every open connection; new ones are welcome.
    pub fn disconnect(&self) {
        self.shared
            .generation
            .send_modify(|generation| *generation += 1);
    }

    /// Requests received since the last call, by method, whatever became of them.
    #[must_use]
    pub fn take_counts(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.shared.settings().counts)
    }

    /// Keeps every request from now on.
    pub fn record(&self) {
        self.shared.settings().recorded.get_or_insert_default();
    }

    /// Requests received since the last call, in order; none before [`Proxy::record`].
    #[must_use]
    pub fn take_recorded(&self) -> Vec<Value> {
        let mut settings = self.shared.settings();
        settings
            .recorded
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }
}

impl Shared {
    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether pushed headers are held back.
    pub fn holds_pushes(&self) -> bool {
        let settings = self.settings();
        settings.frozen.is_some() || settings.all.is_some()
    }

    /// Counts a request (a batch: each of its own) and says what to do with it.
    pub fn decide(&self, request: &Value) -> Decision {
        let mut settings = self.settings();
        let requests = request
            .as_array()
            .map_or(std::slice::from_ref(request), Vec::as_slice);
        let mut fault = None;
        for request in requests {
            let method = request["method"].as_str().unwrap_or("?");
            *settings.counts.entry(method.to_owned()).or_default() += 1;
            if let Some(recorded) = &mut settings.recorded {
                recorded.push(request.clone());
            }
            let next = settings.next.get_mut(method).and_then(VecDeque::pop_front);
            fault = fault
                .or(next)
                .or_else(|| settings.by_method.get(method).cloned());
        }
        let (id, method, params) = (
            &request["id"],
            request["method"].as_str().unwrap_or("?"),
            &request["params"],
        );
        match fault.or_else(|| settings.all.clone()) {
            Some(Fault::Answer(value)) => Decision::Reply(fault::result(id, value)),
            Some(Fault::Error(code, message)) => Decision::Reply(fault::error(id, code, &message)),
            Some(Fault::MaxRange(limit)) if fault::exceeds(limit, params) => {
                Decision::Reply(fault::error(
                    id,
                    -32602,
                    &format!("query exceeds max block range {limit}"),
                ))
            }
            Some(Fault::MaxRange(_)) => Decision::Forward,
            Some(other) => Decision::Fault(other),
            None => {
                let frozen = settings.frozen.as_ref();
                match frozen.and_then(|frozen| fault::stale_answer(frozen, method, params)) {
                    Some(stale) => Decision::Reply(fault::result(id, stale)),
                    None => Decision::Forward,
                }
            }
        }
    }

    /// The node's answer.
    pub async fn forward(&self, body: String) -> io::Result<String> {
        let request = self
            .client
            .post(&self.upstream)
            .header("content-type", "application/json")
            .body(body);
        let answer = request.send().await.map_err(io::Error::other)?;
        answer.text().await.map_err(io::Error::other)
    }

    pub fn is_dropping(&self) -> bool {
        self.settings().all == Some(Fault::Drop)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let shared = shared.clone();
                    connections.spawn(async move {
                        let mut generation = shared.generation.subscribe();
                        tokio::select! {
                            // A connection that breaks is what this is for.
                            _ = serve(stream, &shared) => {}
                            _ = generation.changed() => {}
                        }
                    });
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    if shared.is_dropping() {
        return Ok(());
    }
    let mut first = [0];
    stream.peek(&mut first).await?;
    // JSON-RPC over HTTP is always a POST, a WebSocket always begins with a GET.
    if first == *b"G" {
        websocket::serve(stream, shared).await
    } else {
        http::serve(stream, shared).await
    }
}
