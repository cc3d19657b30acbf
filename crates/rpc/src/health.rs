//! What the requests cost and who answered them, for metrics.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::RpcError;

/// Upper bounds of [`RequestHealth::latencies`], milliseconds; one more bucket holds what was slower.
pub const LATENCY_BOUNDS_MS: [u64; 11] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500];

/// Everything counted since the client connected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// By JSON-RPC method.
    pub requests: BTreeMap<String, RequestHealth>,
    /// In order of preference.
    pub endpoints: Vec<EndpointHealth>,
    /// Index into `endpoints` of the one that answered last.
    pub active: usize,
    /// How often another endpoint than the one before answered.
    pub failovers: u64,
    /// Block headers that came by subscription, which cost no request.
    pub pushed_headers: u64,
}

impl Health {
    /// Requests sent, of every kind, repetitions included.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.requests.values().map(|method| method.sent).sum()
    }
}

/// One method's requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHealth {
    /// Sent, repetitions included; a batch counts each of its requests.
    pub sent: u64,
    /// Answered by a node, be it with an error of its own.
    pub answered: u64,
    /// By kind ([`RpcError::kind`]), repetitions included. A revert is an answer and counted in both.
    pub errors: BTreeMap<&'static str, u64>,
    /// Time spent on answered requests.
    pub latency_total: Duration,
    /// The slowest answer.
    pub latency_max: Duration,
    /// Answers by latency: one count for each of [`LATENCY_BOUNDS_MS`], not cumulative, and one for what was slower.
    pub latencies: [u64; LATENCY_BOUNDS_MS.len() + 1],
}

/// One endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndpointHealth {
    /// Scheme, host and port.
    pub endpoint: String,
    /// Whether requests go to it.
    pub up: bool,
    /// Requests sent to it.
    pub sent: u64,
    /// Failures of its own: transport, limits, malformed answers, stale heads.
    pub failures: u64,
    /// The latest of them.
    pub last_failure: Option<String>,
}

/// The counters behind [`Health`].
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<Health>);

impl Counters {
    pub(crate) fn new(endpoints: impl IntoIterator<Item = String>) -> Self {
        let endpoints = endpoints
            .into_iter()
            .map(|endpoint| EndpointHealth {
                endpoint,
                ..Default::default()
            })
            .collect();
        Self(Mutex::new(Health {
            endpoints,
            ..Default::default()
        }))
    }

    pub(crate) fn snapshot(&self) -> Health {
        self.lock().clone()
    }

    pub(crate) fn sent(&self, node: usize, methods: &[String]) {
        let mut health = self.lock();
        for method in methods {
            health.requests.entry(method.clone()).or_default().sent += 1;
        }
        health.endpoints[node].sent += methods.len() as u64;
    }

    pub(crate) fn answered(&self, methods: &[String], latency: Duration) {
        let mut health = self.lock();
        let milliseconds = latency.as_secs_f64() * 1e3;
        let bucket = LATENCY_BOUNDS_MS
            .iter()
            .take_while(|bound| milliseconds > **bound as f64)
            .count();
        for method in methods {
            let method = health.requests.entry(method.clone()).or_default();
            method.answered += 1;
            method.latency_total += latency;
            method.latency_max = method.latency_max.max(latency);
            method.latencies[bucket] += 1;
        }
    }

    /// `node` served a request, as opposed to a probe.
    pub(crate) fn served(&self, node: usize) {
        let mut health = self.lock();
        if health.active != node {
            health.active = node;
            health.failovers += 1;
        }
    }

    pub(crate) fn error(&self, methods: &[String], error: &RpcError) {
        let mut health = self.lock();
        for method in methods {
            *health
                .requests
                .entry(method.clone())
                .or_default()
                .errors
                .entry(error.kind())
                .or_default() += 1;
        }
    }

    pub(crate) fn failed(&self, node: usize, reason: String) {
        let mut health = self.lock();
        let endpoint = &mut health.endpoints[node];
        endpoint.failures += 1;
        endpoint.up = false;
        endpoint.last_failure = Some(reason);
    }

    pub(crate) fn up(&self, node: usize) {
        self.lock().endpoints[node].up = true;
    }

    pub(crate) fn pushed(&self) {
        self.lock().pushed_headers += 1;
    }

    /// A panic elsewhere while counting leaves counters that are still counters.
    fn lock(&self) -> MutexGuard<'_, Health> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
