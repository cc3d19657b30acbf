//! Every metric: what it is called, what it counts, in which unit. The exporter, the README and the dashboard's test use it.

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only rises while the process runs.
    Counter,
    /// A reading.
    Gauge,
    /// A distribution.
    Histogram,
}

impl MetricKind {
    /// As Prometheus calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// How it behaves.
    pub kind: MetricKind,
    /// Unit of its value.
    pub unit: &'static str,
    /// Labels, separated by commas.
    pub labels: &'static str,
    /// What it says.
    pub help: &'static str,
}

const fn metric(
    name: &'static str,
    kind: MetricKind,
    unit: &'static str,
    labels: &'static str,
    help: &'static str,
) -> Metric {
    Metric {
        name,
        kind,
        unit,
        labels,
        help,
    }
}

/// Seconds from a head's arrival to the candidates planned on it.
pub const HEAD_TO_PLAN: &str = "breakwater_head_to_plan_seconds";

/// Seconds from a head's arrival to a bid submitted on it.
pub const HEAD_TO_SUBMIT: &str = "breakwater_head_to_submit_seconds";

/// Every metric, in the order of the reference.
pub const METRICS: &[Metric] = {
    use MetricKind::{Counter, Gauge, Histogram};
    &[
        metric(
            "breakwater_info",
            Gauge,
            "1",
            "version, chain_id, pool, debt_symbol",
            "What runs, where; always 1.",
        ),
        metric(
            "breakwater_ready",
            Gauge,
            "0 or 1",
            "",
            "Whether the keeper can liquidate now, as /ready says it.",
        ),
        metric(
            "breakwater_synced",
            Gauge,
            "0 or 1",
            "",
            "Whether the mirror is at the head.",
        ),
        metric(
            "breakwater_status_age_seconds",
            Gauge,
            "seconds",
            "",
            "Time since the keeper last published its status.",
        ),
        metric(
            "breakwater_head_block",
            Gauge,
            "block number",
            "",
            "The latest canonical block.",
        ),
        metric(
            "breakwater_head_timestamp_seconds",
            Gauge,
            "Unix seconds",
            "",
            "What that block says of its time.",
        ),
        metric(
            "breakwater_head_age_seconds",
            Gauge,
            "seconds",
            "",
            "Time since that block arrived, by this machine's clock.",
        ),
        metric(
            "breakwater_base_fee_wei",
            Gauge,
            "wei per gas",
            "",
            "Base fee of that block.",
        ),
        metric(
            "breakwater_breaker_level",
            Gauge,
            "0 normal, 1 stressed, 2 paused, 3 halted",
            "",
            "The circuit breaker's level.",
        ),
        metric(
            "breakwater_price",
            Gauge,
            "debt tokens per collateral token",
            "collateral, symbol, source",
            "Prices; source is fast, slow or venue.",
        ),
        metric(
            "breakwater_price_status",
            Gauge,
            "0 ok, 1 degraded, 2 down",
            "collateral, symbol",
            "Whether a collateral's price can be used.",
        ),
        metric(
            "breakwater_bucket_level",
            Gauge,
            "debt tokens",
            "collateral, symbol",
            "What is in the volume bucket.",
        ),
        metric(
            "breakwater_bucket_cap",
            Gauge,
            "debt tokens",
            "collateral, symbol",
            "What the volume bucket holds at most.",
        ),
        metric(
            "breakwater_bucket_refill_per_minute",
            Gauge,
            "debt tokens per minute",
            "collateral, symbol",
            "Refill of the volume bucket.",
        ),
        metric(
            "breakwater_venue_depth",
            Gauge,
            "debt tokens",
            "collateral, symbol",
            "What the venue takes within 2% of its price.",
        ),
        metric(
            "breakwater_positions",
            Gauge,
            "positions",
            "zone",
            "Positions with debt, by zone.",
        ),
        metric(
            "breakwater_debt",
            Gauge,
            "debt tokens",
            "zone",
            "Debt, by zone.",
        ),
        metric(
            "breakwater_debt_at_drop",
            Gauge,
            "debt tokens",
            "collateral, symbol, drop",
            "Debt liquidatable if the price falls by at most this share of itself, cumulative.",
        ),
        metric(
            "breakwater_pending_bids",
            Gauge,
            "bids",
            "state",
            "Bids that are not final, by how far they have come.",
        ),
        metric(
            "breakwater_oldest_bid_age_seconds",
            Gauge,
            "seconds",
            "",
            "Age of the oldest bid that is not final; 0 without one.",
        ),
        metric(
            "breakwater_profit_gross",
            Gauge,
            "debt tokens",
            "",
            "Earned by final transactions before gas, over the life of the state directory.",
        ),
        metric(
            "breakwater_profit_gas",
            Gauge,
            "debt tokens",
            "",
            "Gas of final transactions, reverted ones included.",
        ),
        metric(
            "breakwater_profit_net",
            Gauge,
            "debt tokens",
            "",
            "Gross less gas.",
        ),
        metric(
            "breakwater_transactions_total",
            Counter,
            "transactions",
            "result",
            "Final transactions; result is succeeded or reverted.",
        ),
        metric(
            "breakwater_missed_liquidations_total",
            Counter,
            "liquidations",
            "reason",
            "Liquidations by others, by why they were not ours.",
        ),
        metric(
            "breakwater_mirror_accounts",
            Gauge,
            "accounts",
            "",
            "Accounts in the mirror.",
        ),
        metric(
            "breakwater_mirror_drift_wei",
            Gauge,
            "wei",
            "",
            "Greatest difference that an audit found between mirror and pool; must be 0.",
        ),
        metric(
            "breakwater_mirror_audited_total",
            Counter,
            "accounts",
            "",
            "Accounts audited since the start.",
        ),
        metric(
            "breakwater_reorgs_total",
            Counter,
            "reorganisations",
            "",
            "Reorganisations followed since the start.",
        ),
        metric(
            "breakwater_reorg_depth_max",
            Gauge,
            "blocks",
            "",
            "The deepest of them.",
        ),
        metric(
            "breakwater_rpc_healthy",
            Gauge,
            "0 or 1",
            "node, endpoint",
            "Whether a node is used.",
        ),
        metric(
            "breakwater_rpc_requests_total",
            Counter,
            "requests",
            "node, endpoint",
            "Requests to a node.",
        ),
        metric(
            "breakwater_rpc_failures_total",
            Counter,
            "requests",
            "node, endpoint",
            "Requests that failed.",
        ),
        metric(
            "breakwater_rpc_latency_seconds",
            Gauge,
            "seconds",
            "node, endpoint",
            "Typical time of an answer.",
        ),
        metric(
            "breakwater_sender_balance",
            Gauge,
            "native tokens",
            "",
            "Balance of the sending account.",
        ),
        metric(
            "breakwater_sender_nonce",
            Gauge,
            "nonce",
            "",
            "Its next nonce.",
        ),
        metric(
            "breakwater_sender_unlocked",
            Gauge,
            "0 or 1",
            "",
            "Whether its key is there and nobody else holds its lock.",
        ),
        metric(
            "breakwater_task_alive",
            Gauge,
            "0 or 1",
            "task",
            "Whether a supervised task runs.",
        ),
        metric(
            "breakwater_warnings",
            Gauge,
            "warnings",
            "",
            "Warnings that stand.",
        ),
        metric(
            HEAD_TO_PLAN,
            Histogram,
            "seconds",
            "",
            "From a head's arrival to the candidates planned on it.",
        ),
        metric(
            HEAD_TO_SUBMIT,
            Histogram,
            "seconds",
            "",
            "From a head's arrival to a node's acknowledgement of a bid planned on it, its simulation included.",
        ),
    ]
};

/// The reference as a Markdown table.
#[must_use]
pub fn reference() -> String {
    let mut text =
        String::from("| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n");
    for metric in METRICS {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            metric.name,
            metric.kind.name(),
            metric.unit,
            metric.labels,
            metric.help
        ));
    }
    text
}
