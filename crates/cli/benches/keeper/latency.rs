//! From a header to a node's acknowledgement of a bid that was planned on it, one simulation on the pending block included.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use alloy::providers::{Provider, ProviderBuilder, WsConnect};
use breakwater_deploy::local::SLOT;
use breakwater_sender::{Edge, Stage, StageHook};

use crate::figure::{Figure, Samples, milliseconds};
use crate::harness::{Setup, World, all_healthy, crowd};
use crate::running::Running;

const ASKED: Duration = Duration::from_millis(50);

/// Falling markets, one after the other.
const FALLS: usize = 3;

/// Synchronised writes by which the disk is told apart from the rest.
const WRITES: usize = 60;

pub fn measure() -> Vec<Figure> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut samples, mut sent, mut heads) = (Vec::new(), 0, 0);
    for _ in 0..FALLS {
        let fall = runtime.block_on(fall());
        sent += fall.sent;
        heads += fall.heads;
        samples.extend(fall.samples);
    }
    let samples = Samples::new(samples);
    let p50 = samples.percentile(50);
    vec![Figure {
        name: "header to submitted, one simulation included, p50".to_owned(),
        asked: format!("≤ {ASKED:?}"),
        reached: milliseconds(p50),
        met: Some(p50 <= ASKED),
        conditions: format!(
            "{} transactions planned on {heads} heads (of {sent} in all), local anvil by WebSocket, from the pushed header to the answer to \
             eth_sendRawTransaction; p90 {}, p99 {}, longest {}; a synchronised write to the same disk took {}",
            samples.count(),
            milliseconds(samples.percentile(90)),
            milliseconds(samples.percentile(99)),
            milliseconds(samples.longest()),
            milliseconds(synchronised_write()),
        ),
    }]
}

/// How long the disk takes to keep a page, in the middle: a bid waits for it several times.
fn synchronised_write() -> Duration {
    let mut file = tempfile::tempfile().unwrap();
    let times = (0..WRITES).map(|_| {
        let start = Instant::now();
        file.write_all(&[0; 4096]).unwrap();
        file.sync_data().unwrap();
        start.elapsed()
    });
    Samples::new(times.collect()).percentile(50)
}

/// What was measured while a market fell.
struct Fall {
    samples: Vec<Duration>,
    /// Transactions, with those on heads that another followed at once.
    sent: usize,
    /// Heads that samples are of.
    heads: usize,
}

async fn fall() -> Fall {
    let world = World::start().await;
    let borrowers = crowd(&world).await;
    let acknowledged: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let sent = acknowledged.clone();
    // Called as soon as a node's answer to `eth_sendRawTransaction` is there, before that is written down.
    let hook = StageHook::new(move |stage, edge| {
        if (stage, edge) == (Stage::Broadcast, Edge::Before) {
            sent.lock().unwrap().push(Instant::now());
        }
    });
    // A subscription of our own: when the node pushed which header.
    let heads: Arc<Mutex<BTreeMap<u64, Instant>>> = Arc::default();
    let arrived = heads.clone();
    let node = ProviderBuilder::new()
        .connect_ws(WsConnect::new(world.anvil.ws_endpoint()))
        .await
        .unwrap();
    let mut headers = node.subscribe_blocks().await.unwrap();
    let listening = tokio::spawn(async move {
        while let Ok(header) = headers.recv().await {
            arrived
                .lock()
                .unwrap()
                .insert(header.number, Instant::now());
        }
    });
    let mut keeper = Running::start(
        &world,
        &Setup::alone(5),
        Duration::from_secs(SLOT),
        Some(hook),
    )
    .await;

    // Blocks before which nothing was under way, and after which nothing came until all was sent.
    let mut alone = BTreeSet::new();
    for step in 0..24 {
        world.price(96.5 - 0.5 * f64::from(step)).await;
        for _ in 0..120 {
            let head = world.head().await;
            keeper.planned_on(head).await;
            world.arbitrage_if_moved().await;
            if all_healthy(&world, &borrowers).await {
                break;
            }
            if world.head().await == head {
                alone.insert(world.mine().await);
            }
        }
    }
    keeper.planned_on(world.head().await).await;
    keeper.stop().await;
    listening.abort();

    let heads = heads.lock().unwrap();
    let acknowledged = acknowledged.lock().unwrap();
    let mut fall = Fall {
        samples: Vec::new(),
        sent: acknowledged.len(),
        heads: 0,
    };
    let mut measured = BTreeSet::new();
    for at in acknowledged.iter() {
        let before = heads.iter().filter(|(_, arrived)| *arrived <= at);
        let Some((number, arrived)) = before.max_by_key(|(_, arrived)| **arrived) else {
            continue;
        };
        if alone.contains(number) {
            fall.samples.push(*at - *arrived);
            measured.insert(*number);
        }
    }
    fall.heads = measured.len();
    fall
}
