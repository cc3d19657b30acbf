//! Whether all of it happened, by the chain; and whether the keeper says the same of it.

use std::collections::BTreeSet;
use std::path::Path;

use alloy::providers::DynProvider;
use alloy_primitives::{Address, I256, U256};
use breakwater_deploy::local::{Market, SLOT};
use breakwater_operator::status::Status;

use super::accounts::{Closing, sent};
use super::cast::{Borrower, Drama, Fate, name_of};
use super::error::DrillError;
use super::report::{Checks, Report, Row};
use super::stage::Stage;
use super::tell::{clock, grouped, percent};
use super::watch::{Forecast, Wait};
use crate::store::{Doer, Kind, Store};
use crate::units::{ratio, whole, whole_signed};

/// How far the keeper's account of the gas may be from ours, as a share: it counts at the price when it planned, we at the one of the
/// block before, and between the two the feed may move.
const GAS_TOLERANCE: f64 = 0.01;

/// The same of what it keeps: how far traders let the venue be from the feed, and as much for the time between block and receipt.
const KEPT_TOLERANCE: f64 = 0.002;

/// What was seen while it went on.
pub(super) struct Watched {
    pub drama: Drama,
    /// Its address; zero without one.
    pub backstop: Address,
    pub seen: BTreeSet<(Wait, Address)>,
    pub forecasts: Vec<(Address, Forecast)>,
    /// The feed's reports: from which block on, and the price. The native coin is the collateral.
    pub prices: Vec<(u64, f64)>,
    pub start: u64,
    pub symbols: (String, String),
    pub decimals: (u8, u8),
}

/// What an account has, base units and wei.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Balances {
    pub debt: U256,
    pub collateral: U256,
    pub native: U256,
}

/// Where the books are.
pub(super) struct Books<'a> {
    pub provider: &'a DynProvider,
    pub market: &'a Market,
    pub keeper: Address,
    /// The block at which the keeper had sent nothing.
    pub from: u64,
    /// What it had then.
    pub before: Balances,
    /// The same at the end.
    pub after: Balances,
    /// What it said at last.
    pub said: Status,
    /// Its state directory.
    pub state: &'a Path,
}

/// How every position ended, by the pool.
pub(super) async fn positions(
    stage: &Stage<'_>,
    untouched: (U256, U256),
    checks: &mut Checks,
) -> Result<(), DrillError> {
    let mut ends = Vec::new();
    let mut solvent = true;
    for borrower in stage.cast {
        let account = borrower.address();
        let (shares, held) = stage.position(account).await?;
        let closed = shares.is_zero();
        let health = ratio(stage.health(account).await?);
        solvent &= closed || health >= 1.0;
        ends.push(if closed {
            format!("{} closed", borrower.name)
        } else {
            format!("{} {health:.4}", borrower.name)
        });
        if borrower.fate == Fate::Healthy {
            checks.expect(
                format!(
                    "{}, who was healthy throughout, is untouched",
                    borrower.name
                ),
                (shares, held) == untouched,
                format!("{shares} debt shares and {held} of collateral, as before the first fall"),
            );
        }
    }
    checks.expect(
        "every position ends healthy or closed",
        solvent,
        ends.join(", "),
    );
    Ok(())
}

/// What was earned, and every expectation about how.
pub(super) async fn books(
    books: Books<'_>,
    watched: Watched,
    mut checks: Checks,
) -> Result<Report, DrillError> {
    let Books {
        provider, market, ..
    } = books;
    let transactions = sent(provider, market.deployment(), books.keeper, books.from + 1).await?;
    let mut rows = Vec::new();
    for one in transactions {
        let reports = watched.prices.iter();
        let before = reports.rev().find(|(from, _)| *from < one.block);
        let native = before.map_or(0.0, |(_, price)| *price);
        let account = one
            .closings
            .first()
            .map(|closing| closing.account)
            .or(one.flagged.first().copied());
        rows.push(Row {
            at: one.timestamp.saturating_sub(watched.start),
            name: account.map_or_else(String::new, name_of),
            gas: whole(one.gas, 18) * native,
            kept: whole_signed(one.kept, watched.decimals.1) * native,
            sent: one,
        });
    }
    let report = Report {
        rows,
        checks: Vec::new(),
        gross: difference(books.after.debt, books.before.debt),
        kept: difference(books.after.collateral, books.before.collateral),
        spent: books.before.native.saturating_sub(books.after.native),
        keeper: books.said.profit,
        decimals: watched.decimals,
        symbols: watched.symbols.clone(),
    };
    path(&report, &watched, &mut checks);
    let price = watched.prices.last().map_or(0.0, |(_, price)| *price);
    sums(&report, price, &mut checks);
    ledger(&report, &books, &mut checks)?;
    Ok(Report {
        checks: checks.0,
        ..report
    })
}

/// That each fate came about, in the way that it should.
fn path(report: &Report, watched: &Watched, checks: &mut Checks) {
    let of = |account: Address| {
        let all = report.rows.iter().flat_map(|row| &row.sent.closings);
        all.filter(move |closing| closing.account == account)
            .collect::<Vec<&Closing>>()
    };
    let backstop = watched.backstop;
    for borrower in watched.drama.cast() {
        let (name, account) = (borrower.name, borrower.address());
        let closings = of(account);
        let kinds: Vec<Kind> = closings.iter().map(|closing| closing.kind).collect();
        let count = format!("{} liquidations", closings.len());
        match borrower.fate {
            Fate::Parts => {
                // What the gap makes of the rest is not his story.
                let parts = kinds.iter().filter(|kind| **kind == Kind::Liquidated);
                let parts = parts.count();
                checks.expect(
                    format!("{name} is liquidated in parts"),
                    parts >= 2,
                    format!("{parts} parts"),
                );
            }
            Fate::Waits => waited(borrower, &closings, report, watched, checks),
            Fate::Hard | Fate::Late => checks.expect(
                format!("{name} is liquidated"),
                kinds.contains(&Kind::Liquidated),
                count,
            ),
            Fate::Insolvent => checks.expect(
                format!("{name}, insolvent, is settled and never liquidated"),
                kinds == [Kind::Settled],
                format!("{kinds:?}"),
            ),
            Fate::Absorbed => checks.expect(
                format!(
                    "{name}, at whom the backstop comes first, is absorbed by the keeper's call"
                ),
                kinds.first() == Some(&Kind::Absorbed),
                format!("{kinds:?}"),
            ),
            Fate::Covered => checks.expect(
                format!(
                    "{name}, insolvent and too large for the venue, is settled by the backstop"
                ),
                kinds == [Kind::Settled] && closings.iter().all(|closing| closing.by == backstop),
                format!("{kinds:?}"),
            ),
            Fate::Healthy => checks.expect(
                format!("{name} is never liquidated"),
                closings.is_empty(),
                count,
            ),
        }
    }
    // That the bucket holds the large ones to parts is asserted of them; here that the keeper knew. Whether it finds the bucket empty or
    // its own earlier bid in the way depends on the block in which it looks.
    let held = |wait: Wait| watched.seen.iter().filter(move |(seen, _)| *seen == wait);
    match watched.drama {
        Drama::Market => checks.expect(
            "the keeper waits for the bucket or behind its own sales",
            held(Wait::Bucket).chain(held(Wait::Queue)).count() > 0,
            format!(
                "{} positions waited for the one, {} for the other",
                held(Wait::Bucket).count(),
                held(Wait::Queue).count()
            ),
        ),
        Drama::Backstop => purchases(report, watched, checks),
    }
    let reverted = report.rows.iter().filter(|row| !row.sent.success).count();
    checks.expect(
        "no transaction of the keeper reverts",
        reverted == 0,
        format!("{reverted} of {}", report.rows.len()),
    );
}

/// That inventory was bought, after its sale was started, below the price of the market.
fn purchases(report: &Report, watched: &Watched, checks: &mut Checks) {
    let started = report.rows.iter().position(|row| row.sent.observed);
    let first = report.rows.iter().position(|row| row.sent.bought.is_some());
    checks.expect(
        "the clock of the backstop's sale is started, and then inventory is bought",
        started.is_some() && first > started,
        format!(
            "transactions {started:?} and {first:?} of {}",
            report.rows.len()
        ),
    );
    let bought = || report.rows.iter().filter_map(|row| row.sent.bought);
    let amount: U256 = bought().map(|(amount, _)| amount).sum();
    let paid: U256 = bought().map(|(_, paid)| paid).sum();
    let (debt, collateral) = watched.decimals;
    let each = whole(paid, debt) / whole(amount, collateral).max(f64::MIN_POSITIVE);
    let price = watched.prices.last().map_or(0.0, |(_, price)| *price);
    checks.expect(
        "inventory is bought for less than the market's price",
        !amount.is_zero() && each < price,
        format!(
            "{} times, {} each against {}",
            bought().count(),
            grouped(each),
            grouped(price)
        ),
    );
}

/// That the small position's clock was started, and that the keeper then waited for the bonus. When it said that it would bid is told,
/// not judged: bucket and what it learns of its chances move that while others are liquidated.
fn waited(
    borrower: &Borrower,
    closings: &[&Closing],
    report: &Report,
    watched: &Watched,
    checks: &mut Checks,
) {
    let (name, account) = (borrower.name, borrower.address());
    let flag = report
        .rows
        .iter()
        .find(|row| row.sent.flagged.contains(&account) && row.sent.closings.is_empty());
    let bid = closings.first().and_then(|closing| {
        report
            .rows
            .iter()
            .find(|row| row.sent.hash == closing.hash)
            .map(|row| (&row.sent, closing.bonus))
    });
    let (Some(flag), Some((bid, bonus))) = (flag, bid) else {
        checks.expect(
            format!("{name}'s clock is started and {name} is liquidated"),
            false,
            format!("flag: {}, liquidation: {}", flag.is_some(), bid.is_some()),
        );
        return;
    };
    let waited = bid.timestamp.saturating_sub(flag.sent.timestamp);
    let since = |time: u64| clock(time.saturating_sub(watched.start));
    let said = watched
        .forecasts
        .iter()
        .find(|(whose, forecast)| *whose == account && forecast.made >= flag.sent.timestamp)
        .map_or_else(
            || "it said no time then".to_owned(),
            |(_, forecast)| format!("planned then for {}", since(forecast.at)),
        );
    checks.expect(
        format!("{name}'s clock is started, and the bid comes when the bonus pays"),
        // It let a block pass in which it might have bid.
        waited > SLOT && watched.seen.contains(&(Wait::Bonus, account)),
        format!(
            "{} after the clock, at {} and a bonus of {}; {said}",
            clock(waited),
            since(bid.timestamp),
            percent(bonus)
        ),
    );
}

/// That receipts, balances and the keeper agree, and that it pays.
fn sums(report: &Report, price: f64, checks: &mut Checks) {
    let by_receipts = report
        .rows
        .iter()
        .fold(I256::ZERO, |sum, row| sum.saturating_add(row.sent.earned));
    let gas_by_receipts = report
        .rows
        .iter()
        .fold(U256::ZERO, |sum, row| sum.saturating_add(row.sent.gas));
    let kept_by_receipts = report
        .rows
        .iter()
        .fold(I256::ZERO, |sum, row| sum.saturating_add(row.sent.kept));
    checks.expect(
        "receipts and balances agree, to the last unit",
        by_receipts == report.gross
            && gas_by_receipts == report.spent
            && kept_by_receipts == report.kept,
        format!(
            "{by_receipts} base units earned, {kept_by_receipts} of collateral and {gas_by_receipts} wei of gas by receipts, \
             {}, {} and {} by balances",
            report.gross, report.kept, report.spent
        ),
    );
    // What the backstop paid and sold is kept: it counts at the last price.
    let kept = whole_signed(report.kept, report.decimals.1) * price;
    let net = report.earned() + kept - report.gas();
    checks.expect(
        "there is a profit net of gas",
        net > 0.0,
        format!("{} {}", grouped(net), report.symbols.0),
    );
    // The keeper adds fractions up. What it keeps it counts at the lower of feed and venue when it was included, we at the feed's.
    let kept_then: f64 = report.rows.iter().map(|row| row.kept).sum();
    let gross = report.earned() + kept_then;
    let gross_off = (report.keeper.gross - gross).abs();
    let gas_off = (report.keeper.gas - report.gas()).abs();
    checks.expect(
        "the keeper says the same of its profit",
        gross_off < 1e-3 + KEPT_TOLERANCE * kept_then && gas_off <= GAS_TOLERANCE * report.gas(),
        format!(
            "gross {} against {}, gas {} against {}",
            grouped(report.keeper.gross),
            grouped(gross),
            grouped(report.keeper.gas),
            grouped(report.gas())
        ),
    );
    // What takes another one back costs gas and is no success.
    let counts = |row: &&Row| row.sent.success && !row.sent.cancels;
    let succeeded = report.rows.iter().filter(counts).count();
    checks.expect(
        "the keeper counts the same transactions",
        report.keeper.succeeded == succeeded as u64,
        format!("{} against {succeeded}", report.keeper.succeeded),
    );
}

/// That the keeper's ledger has every liquidation, as its own.
fn ledger(report: &Report, books: &Books<'_>, checks: &mut Checks) -> Result<(), DrillError> {
    let deployment = books.market.deployment();
    let mut store = Store::open(books.state, deployment.chain_id, deployment.pool)?;
    let entries = store.latest(10_000, false)?;
    let ours = entries
        .iter()
        .filter(|entry| entry.doer == Doer::Us)
        .count();
    let on_chain: usize = report.rows.iter().map(|row| row.sent.closings.len()).sum();
    checks.expect(
        "the keeper's ledger has every liquidation as its own",
        ours == entries.len() && ours == on_chain,
        format!("{ours} of {} entries, {on_chain} on chain", entries.len()),
    );
    Ok(())
}

/// a − b.
fn difference(a: U256, b: U256) -> I256 {
    I256::from_raw(a).saturating_sub(I256::from_raw(b))
}
