//! When bids land and how many transactions revert: keepers as processes in a falling market, judged by the chain.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use alloy_primitives::Address;
use breakwater_deploy::local::SLOT;
use rusqlite::{Connection, OpenFlags};

use crate::figure::{Figure, Samples, share};
use crate::harness::{Keeper, Setup, World, all_healthy, books, borrower, crowd, slide};

/// What the native coin is worth in the middle of the fall.
const NATIVE: f64 = 1_800.0;

/// Positions whose bids are planned long before.
const WAITING: u64 = 32;

pub fn measure() -> Vec<Figure> {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut figures = waiting().await;
        figures.push(alone().await);
        figures.push(three().await);
        figures
    })
}

/// What the keeper said of when it will bid for an account.
#[derive(Clone, Copy, Debug)]
struct Forecast {
    /// The time of the head at which it said so.
    said: u64,
    /// The time that it named.
    planned: u64,
}

/// How many blocks each bid was off.
#[derive(Debug, Default)]
struct Off(Vec<u64>);

impl Off {
    fn within_one(&self) -> f64 {
        share(self.0.iter().filter(|off| **off <= 1).count(), self.0.len())
    }

    fn figure(&self, plan: &str, asked: bool) -> Figure {
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        for off in &self.0 {
            *counts.entry(*off).or_default() += 1;
        }
        let counts: Vec<_> = counts
            .iter()
            .map(|(off, bids)| format!("{off}: {bids}"))
            .collect();
        Figure {
            name: format!("bid within one block of the planned one, by {plan}"),
            asked: if asked { "all" } else { "told" }.to_owned(),
            reached: format!("{:.1}% of {} bids", self.within_one(), self.0.len()),
            met: asked.then(|| self.0.iter().all(|off| *off <= 1)),
            conditions: format!("bids by blocks off: {}", counts.join(", ")),
        }
    }
}

/// Small positions, whose bonus has to rise until it pays for their gas: each clock is started, and its bid is planned minutes
/// before it is due.
async fn waiting() -> Vec<Figure> {
    let mut world = World::start().await;
    world.base_fee = 10_000_000_000;
    let mut borrowers = Vec::new();
    for number in 0..WAITING {
        let owner = borrower(number);
        let falls_at = 96.0 - 0.25 * number as f64;
        world
            .open_worth(owner, 0.6 + 0.02 * number as f64, falls_at)
            .await;
        borrowers.push(owner);
    }
    world.record_depth().await;
    let mut keeper = Keeper::start(&world, &Setup::alone(5)).await;
    let from = world.head().await + 1;
    let mut forecasts: BTreeMap<Address, Vec<Forecast>> = BTreeMap::new();
    let mut percent = 96.0;
    while percent > 96.0 - 0.25 * WAITING as f64 - 1.0 {
        percent -= 0.5;
        world.price(percent).await;
        let keepers = [&keeper];
        let done = async || {
            let status = keeper.status().await.unwrap();
            let said = status.head.unwrap().timestamp;
            for position in &status.positions {
                if let (Some(_), Some(planned)) = (position.flagged_since, position.planned_at) {
                    let of_account = forecasts.entry(position.account).or_default();
                    of_account.push(Forecast { said, planned });
                }
            }
            all_healthy(&world, &borrowers).await
        };
        world.run(&keepers, 200, "everybody is healthy", done).await;
    }
    let found = books(&world, world.account(5), from, NATIVE).await;
    assert!(keeper.terminate().await.success());

    // Each liquidation, by what was said of it since the account's last one.
    let (mut first, mut last) = (Off::default(), Off::default());
    let mut since: BTreeMap<Address, u64> = BTreeMap::new();
    let mut ahead = Vec::new();
    for (at, closing) in found
        .sent
        .iter()
        .flat_map(|sent| sent.closings.iter().map(|one| (sent.timestamp, one)))
    {
        let before = since.insert(closing.account, at).unwrap_or(0);
        let said: Vec<Forecast> = forecasts
            .get(&closing.account)
            .into_iter()
            .flatten()
            .filter(|forecast| (before..at).contains(&forecast.said))
            .copied()
            .collect();
        // At the last head it did not plan to bid but bid: the one before is the last forecast.
        let Some((_, earlier)) = said.split_last() else {
            continue;
        };
        let off = |forecast: &Forecast| at.abs_diff(forecast.planned).div_ceil(SLOT);
        if let (Some(said_first), Some(said_last)) = (earlier.first(), earlier.last()) {
            first.0.push(off(said_first));
            last.0.push(off(said_last));
            ahead.push(Duration::from_secs(at - said_first.said));
        }
    }
    let ahead = Samples::new(ahead);
    let (sent, cancelled) = ordered(&world);
    let mut sent = sent.figure("the plan it was sent by", true);
    let _ = write!(sent.conditions, "; {cancelled} more were cancelled");
    let by_first = format!(
        "the first plan, {:?} before in the middle and {:?} at most",
        ahead.percentile(50),
        ahead.longest()
    );
    vec![
        sent,
        last.figure("the last plan before that", true),
        first.figure(&by_first, false),
    ]
}

/// Large positions, which are sold in parts as bucket and venue take them.
async fn alone() -> Figure {
    let world = World::start().await;
    let borrowers = crowd(&world).await;
    let keeper = Keeper::start(&world, &Setup::alone(5)).await;
    let from = world.head().await + 1;
    slide(&world, &[&keeper], &borrowers).await;
    let found = books(&world, world.account(5), from, NATIVE).await;
    let reverts = share(found.reverted, found.sent.len());
    let closings = found.sent.iter().map(|sent| sent.closings.len());
    Figure {
        name: "transactions that revert, one keeper".to_owned(),
        asked: "< 2%".to_owned(),
        reached: format!("{reverts:.2}%"),
        met: Some(reverts < 2.0),
        conditions: format!(
            "{} of {} transactions, {} liquidations of 48 positions; {:.0} earned, {:.0} of gas",
            found.reverted,
            found.sent.len(),
            closings.sum::<usize>(),
            found.earned,
            found.gas
        ),
    }
}

/// By the keeper's own books: the block that each liquidation was ordered for, and the one that it came in; and how many never
/// came, since they ran out and were cancelled.
fn ordered(world: &World) -> (Off, usize) {
    let path = world.folder.path().join("keeper-5/keeper.sqlite");
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut query = connection
        .prepare(
            "SELECT abs(block - planned_block), success FROM orders JOIN realised USING (id) WHERE kind = 'liquidate'",
        )
        .unwrap();
    let rows = query.query_map([], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<bool>>(1)?))
    });
    let rows: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
    let came = rows.iter().filter(|(_, success)| success.is_some());
    let off = Off(came.map(|(off, _)| *off as u64).collect());
    let cancelled = rows.len() - off.0.len();
    (off, cancelled)
}

async fn three() -> Figure {
    let world = World::start().await;
    let borrowers = crowd(&world).await;
    let mut keepers = Vec::new();
    for place in 4..7 {
        keepers.push(Keeper::start(&world, &Setup::among(place, 2)).await);
    }
    let from = world.head().await + 1;
    let all: Vec<&Keeper> = keepers.iter().collect();
    slide(&world, &all, &borrowers).await;
    let (mut sent, mut reverted, mut closings) = (0, 0, 0);
    let (mut wasted, mut gas, mut earned) = (0.0, 0.0, 0.0);
    for place in 4..7 {
        let found = books(&world, world.account(place), from, NATIVE).await;
        closings += found
            .sent
            .iter()
            .map(|one| one.closings.len())
            .sum::<usize>();
        sent += found.sent.len();
        reverted += found.reverted;
        wasted += found.wasted;
        gas += found.gas;
        earned += found.earned;
    }
    Figure {
        name: "transactions that revert, three keepers racing".to_owned(),
        asked: "told".to_owned(),
        reached: format!("{:.1}%, {wasted:.0} lost", share(reverted, sent)),
        met: None,
        conditions: format!(
            "{reverted} of {sent} transactions, {closings} liquidations; {wasted:.0} of {gas:.0} of gas; {earned:.0} earned before gas"
        ),
    }
}
