//! Prometheus metrics. What the status says is written out anew for each scrape, so that a collateral or a node that is
//! gone leaves no series behind; only the latency histograms live on between scrapes.

mod table;

use std::sync::Arc;
use std::time::Duration;

use ::metrics::{
    counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    with_local_recorder,
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};

pub use table::{HEAD_TO_PLAN, HEAD_TO_SUBMIT, METRICS, Metric, MetricKind, reference};

use crate::status::{
    BidState, BreakerLevel, CollateralStatus, PriceStatus, ServedStatus, Status, Zone,
};

/// Bounds of the histograms' buckets, seconds: from a hundred microseconds to a slot.
const LATENCY_BUCKETS: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 12.0,
];

/// What the keeper measures itself. Clones share their readings.
#[derive(Clone)]
pub struct Latencies {
    recorder: Arc<PrometheusRecorder>,
}

impl std::fmt::Debug for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Latencies").finish_non_exhaustive()
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

impl Latencies {
    /// Empty histograms; they are exported from the start.
    #[must_use]
    pub fn new() -> Self {
        let recorder = Arc::new(recorder());
        with_local_recorder(&*recorder, || {
            describe(|metric| metric.kind == MetricKind::Histogram);
            for name in [HEAD_TO_PLAN, HEAD_TO_SUBMIT] {
                let _ = histogram!(name);
            }
        });
        Self { recorder }
    }

    /// Time from a head's arrival to the candidates planned on it.
    pub fn planned(&self, elapsed: Duration) {
        self.record(HEAD_TO_PLAN, elapsed);
    }

    /// Time from a head's arrival to a node's acknowledgement of a bid planned on it.
    pub fn submitted(&self, elapsed: Duration) {
        self.record(HEAD_TO_SUBMIT, elapsed);
    }

    fn record(&self, name: &'static str, elapsed: Duration) {
        with_local_recorder(&*self.recorder, || {
            histogram!(name).record(elapsed.as_secs_f64());
        });
    }
}

/// Everything in Prometheus' text format.
#[must_use]
pub fn render(served: &ServedStatus, latencies: &Latencies) -> String {
    let recorder = recorder();
    with_local_recorder(&recorder, || {
        describe(|metric| metric.kind != MetricKind::Histogram);
        export(served);
    });
    let mut text = recorder.handle().render();
    let handle = latencies.recorder.handle();
    handle.run_upkeep();
    text.push_str(&handle.render());
    text
}

fn recorder() -> PrometheusRecorder {
    let builder = PrometheusBuilder::new();
    match builder.set_buckets(&LATENCY_BUCKETS) {
        Ok(builder) => builder.build_recorder(),
        Err(_) => unreachable!("the list of buckets is not empty"),
    }
}

fn describe(which: impl Fn(&Metric) -> bool) {
    for metric in METRICS.iter().filter(|metric| which(metric)) {
        match metric.kind {
            MetricKind::Counter => describe_counter!(metric.name, metric.help),
            MetricKind::Gauge => describe_gauge!(metric.name, metric.help),
            MetricKind::Histogram => describe_histogram!(metric.name, metric.help),
        }
    }
}

/// Counts in blocks, seconds and accounts stay below 2^53, where `f64` is exact.
const fn count(number: u64) -> f64 {
    number as f64
}

const fn flag(truth: bool) -> f64 {
    if truth { 1.0 } else { 0.0 }
}

fn export(served: &ServedStatus) {
    let status = &served.status;
    let keeper = &status.keeper;
    gauge!("breakwater_info",
        "version" => keeper.version.clone(),
        "chain_id" => keeper.chain_id.to_string(),
        "pool" => keeper.pool.to_string(),
        "debt_symbol" => keeper.debt_symbol.clone())
    .set(1.0);
    gauge!("breakwater_ready").set(flag(served.not_ready.is_empty()));
    gauge!("breakwater_synced").set(flag(status.synced));
    gauge!("breakwater_status_age_seconds")
        .set(count(served.now.saturating_sub(status.updated_at)));
    if let Some(head) = status.head {
        gauge!("breakwater_head_block").set(count(head.number));
        gauge!("breakwater_head_timestamp_seconds").set(count(head.timestamp));
        gauge!("breakwater_head_age_seconds").set(count(head.age(served.now)));
        gauge!("breakwater_base_fee_wei").set(count(head.base_fee));
    }
    gauge!("breakwater_breaker_level").set(match status.breaker.level {
        BreakerLevel::Normal => 0.0,
        BreakerLevel::Stressed => 1.0,
        BreakerLevel::Paused => 2.0,
        BreakerLevel::Halted => 3.0,
    });
    gauge!("breakwater_warnings").set(count(status.warnings.len() as u64));
    for task in &status.tasks {
        gauge!("breakwater_task_alive", "task" => task.name.clone()).set(flag(task.alive));
    }
    for collateral in &status.collaterals {
        export_collateral(collateral);
    }
    export_positions(status);
    export_bids(served);
    export_mirror(status);
    export_nodes(status);
}

fn export_collateral(collateral: &CollateralStatus) {
    let labels = [
        ("collateral", collateral.id.to_string()),
        ("symbol", collateral.symbol.clone()),
    ];
    let prices = [
        ("fast", Some(collateral.fast)),
        ("slow", Some(collateral.slow)),
        ("venue", collateral.venue),
    ];
    for (source, price) in prices {
        if let Some(price) = price {
            let mut labels = labels.to_vec();
            labels.push(("source", source.to_owned()));
            gauge!("breakwater_price", &labels).set(price);
        }
    }
    gauge!("breakwater_price_status", &labels).set(match collateral.price_status {
        PriceStatus::Ok => 0.0,
        PriceStatus::Degraded => 1.0,
        PriceStatus::Down => 2.0,
    });
    if let Some(bucket) = collateral.bucket {
        gauge!("breakwater_bucket_level", &labels).set(bucket.level);
        gauge!("breakwater_bucket_cap", &labels).set(bucket.cap);
        gauge!("breakwater_bucket_refill_per_minute", &labels).set(bucket.refill_per_minute);
    }
    if let Some(depth) = collateral.venue_depth {
        gauge!("breakwater_venue_depth", &labels).set(depth);
    }
}

fn export_positions(status: &Status) {
    for zone in Zone::ALL {
        let total = status.zones.get(&zone).copied().unwrap_or_default();
        gauge!("breakwater_positions", "zone" => zone.name()).set(count(total.positions));
        gauge!("breakwater_debt", "zone" => zone.name()).set(total.debt);
    }
    for collateral in &status.collaterals {
        let mut debt = 0.0;
        for step in status
            .falls
            .iter()
            .filter(|step| step.collateral_id == collateral.id)
        {
            debt += step.debt;
            gauge!("breakwater_debt_at_drop",
                "collateral" => collateral.id.to_string(),
                "symbol" => collateral.symbol.clone(),
                "drop" => step.drop.to_string())
            .set(debt);
        }
    }
}

fn export_bids(served: &ServedStatus) {
    let status = &served.status;
    for state in BidState::ALL {
        let bids = status
            .pending
            .iter()
            .filter(|bid| bid.state == state)
            .count();
        gauge!("breakwater_pending_bids", "state" => state.name()).set(count(bids as u64));
    }
    let oldest = status.pending.iter().map(|bid| bid.since).min();
    gauge!("breakwater_oldest_bid_age_seconds")
        .set(oldest.map_or(0.0, |since| count(served.now.saturating_sub(since))));
    let profit = &status.profit;
    gauge!("breakwater_profit_gross").set(profit.gross);
    gauge!("breakwater_profit_gas").set(profit.gas);
    gauge!("breakwater_profit_net").set(profit.net);
    counter!("breakwater_transactions_total", "result" => "succeeded").absolute(profit.succeeded);
    counter!("breakwater_transactions_total", "result" => "reverted").absolute(profit.reverted);
    for (reason, number) in &status.missed_total {
        counter!("breakwater_missed_liquidations_total", "reason" => reason.name())
            .absolute(*number);
    }
}

fn export_mirror(status: &Status) {
    let mirror = &status.mirror;
    gauge!("breakwater_mirror_accounts").set(count(mirror.accounts));
    gauge!("breakwater_mirror_drift_wei").set(f64::from(mirror.drift));
    counter!("breakwater_mirror_audited_total").absolute(mirror.audited);
    counter!("breakwater_reorgs_total").absolute(mirror.reorgs);
    gauge!("breakwater_reorg_depth_max").set(count(mirror.deepest_reorg));
}

fn export_nodes(status: &Status) {
    for (position, node) in status.rpc.iter().enumerate() {
        let labels = [
            ("node", (position + 1).to_string()),
            ("endpoint", node.name.clone()),
        ];
        gauge!("breakwater_rpc_healthy", &labels).set(flag(node.healthy));
        counter!("breakwater_rpc_requests_total", &labels).absolute(node.requests);
        counter!("breakwater_rpc_failures_total", &labels).absolute(node.failures);
        if let Some(latency) = node.latency {
            gauge!("breakwater_rpc_latency_seconds", &labels).set(latency);
        }
    }
    if let Some(sender) = &status.sender {
        gauge!("breakwater_sender_balance").set(sender.balance);
        gauge!("breakwater_sender_nonce").set(count(sender.nonce));
        gauge!("breakwater_sender_unlocked").set(flag(sender.unlocked));
    }
}
