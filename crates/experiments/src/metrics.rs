//! The figures that every run reports, as pure functions of the recorded rows.
//!
//! A figure whose denominator is 0 is *not applicable*: `None` here, `null` in `summary.json`, "n/a" in tables. Nothing in
//! this module reads anything but rows, so whoever holds the Parquet files can recompute every figure.
//!
//! | symbol | column |
//! |---|---|
//! | P, P^cf | `reference_price` of the policy's rows and of the counterfactual's |
//! | D₀ | `debt` in block 0 |
//! | (D − C·P)⁺ summed over accounts | `shortfall` |

mod access;
mod backstop;
mod waiting;

use std::collections::BTreeMap;

use breakwater_sim::trace::{BlockRow, LiquidationRow, Trace};
use serde::{Deserialize, Serialize};

pub use access::{ALARM_FALL, ALARM_SECONDS, breaker_errors, fully_utilised_minutes, oracle_error};
pub use backstop::{BackstopFigures, depositor_drawdown, holding_seconds};
pub use waiting::{bonus_spread, mean_wait_minutes, wait_by_size};

/// Rows from which no figure can be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricsError {
    /// A world without a single block.
    #[error("the world `{world}` has no block rows")]
    NoBlocks {
        /// Which world.
        world: &'static str,
    },
    /// The policy's blocks are not the counterfactual's.
    #[error(
        "row {row}: the policy is at block {policy}, the counterfactual at block {counterfactual}"
    )]
    Misaligned {
        /// The first row, counted from 0, that differs.
        row: usize,
        /// The policy's block there; `u64::MAX` if its rows have ended.
        policy: u64,
        /// The counterfactual's block there; `u64::MAX` if its rows have ended.
        counterfactual: u64,
    },
}

/// The figures of one policy against the counterfactual of the same seed. Shares and multiples are plain ratios (0.1 is
/// 10%), amounts are whole debt tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// OS: max over blocks of 1 − P / P^cf. Never negative, because both worlds start at the same price.
    pub overshoot: f64,
    /// DA: (1 − min P / P₀) / (1 − min P^cf / P₀^cf); n/a if the counterfactual falls by less than 1%.
    pub drawdown_amplification: Option<f64>,
    /// LV: debt repaid in liquidations and settlements, over D₀; n/a without debt.
    pub liquidated_volume: Option<f64>,
    /// LA: LV over the counterfactual's LV; n/a if that is less than a thousandth.
    pub liquidation_amplification: Option<f64>,
    /// BD at the end: losses written off plus shortfall in the last block, over D₀, in basis points; n/a without debt.
    pub bad_debt_bp: Option<f64>,
    /// BD's maximum over the path, in basis points; n/a without debt.
    pub bad_debt_max_bp: Option<f64>,
    /// TOX: debt repaid in calls after which the health factor was lower than before, or that left a loss.
    pub toxic_volume: f64,
    /// TTS: blocks at whose end any account with debt had a health factor below 1.
    pub blocks_to_solvency: u64,
    /// Keepers' profit net of gas at the end, all keepers together; a loss is negative.
    pub keeper_profit: f64,
    /// The adversary's profit net of gas at the end, its short marked at the reference price; 0 without one.
    #[serde(default)]
    pub adversary_profit: f64,
    /// Reverted transactions over included ones; n/a if none was included.
    pub reverted_share: Option<f64>,
    /// Simulated transactions that were included, reverted ones too.
    pub transactions: u64,
    /// Blocks at whose end any account owed more than its collateral was worth.
    pub blocks_with_insolvency: u64,
    /// Liquidations, without settlements.
    pub liquidations: u64,
    /// Settlements of insolvent positions.
    pub settlements: u64,
    /// Accounts that were liquidated or settled, each once.
    pub liquidated_accounts: u64,
    /// Σ (a keeper's share of all debt repaid)²: 1 where one keeper does everything, 1/n where n do the same; n/a if none was repaid.
    pub keeper_concentration: Option<f64>,
    /// Debt repaid in liquidations that began at or below HF_hard, over all debt repaid; n/a if none was.
    pub hard_zone_share: Option<f64>,
    /// Minutes that debt waited: [`mean_wait_minutes`]; n/a if none was repaid.
    pub mean_wait_minutes: Option<f64>,
    /// Whether large debts wait longer than small ones: [`wait_by_size`].
    pub wait_by_size: Option<f64>,
    /// How unlike borrowers pay: [`bonus_spread`]; n/a if none was repaid in liquidations.
    pub bonus_spread: Option<f64>,
    /// Collateral seized, or absorbed, at the reference price less debt repaid: what borrowers paid above their debt.
    pub borrower_cost: f64,
    /// What the collateral that was seized or absorbed has gained in price by the end: what borrowers missed beside their cost, and
    /// negative where they were spared a further fall.
    pub rebound_forgone: f64,
    /// Written-off losses borne by lenders at the end.
    pub lender_loss: f64,
    /// Minutes in which no lender could leave: [`fully_utilised_minutes`].
    pub fully_utilised_minutes: f64,
    /// The mean |F / P − 1|: [`oracle_error`]; n/a without any F.
    pub oracle_error: Option<f64>,
    /// The greatest |F / P − 1|; n/a without any F.
    pub oracle_error_max: Option<f64>,
    /// Minutes of new debt refused without a fall that followed: [`breaker_errors`].
    pub breaker_false_minutes: f64,
    /// Minutes before a fall in which the breaker let new debt in.
    pub breaker_missed_minutes: f64,
    /// The lowest reference price.
    pub lowest_reference_price: f64,
    /// The lowest price at the venue.
    pub lowest_venue_price: f64,
    /// The lowest venue price over the lowest reference price of the counterfactual, less 1; negative when lower.
    pub venue_low_against_counterfactual: f64,
    /// The backstop's figures; none, and not written, without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backstop: Option<BackstopFigures>,
}

impl Figures {
    /// Every figure of `policy`, measured against `counterfactual`.
    ///
    /// # Errors
    /// [`MetricsError`] if either world has no block rows or the two do not cover the same blocks.
    pub fn compute(policy: &Trace, counterfactual: &Trace) -> Result<Self, MetricsError> {
        let (blocks, reference) = (&policy.blocks[..], &counterfactual.blocks[..]);
        let sales = &policy.liquidations[..];
        align(blocks, reference)?;
        let last = blocks
            .last()
            .ok_or(MetricsError::NoBlocks { world: "policy" })?;
        let lowest_reference_price = lowest(blocks, |row| row.reference_price);
        let lowest_venue_price = lowest(blocks, |row| row.venue_price);
        let (oracle_error, oracle_error_max) = oracle_error(blocks);
        let (breaker_false_minutes, breaker_missed_minutes) = breaker_errors(blocks);
        Ok(Self {
            overshoot: overshoot(blocks, reference),
            drawdown_amplification: drawdown_amplification(blocks, reference),
            liquidated_volume: liquidated_volume(blocks, sales),
            liquidation_amplification: liquidated_volume(blocks, sales)
                .zip(liquidated_volume(reference, &counterfactual.liquidations))
                .filter(|(_, without_impact)| *without_impact >= LEAST_VOLUME)
                .map(|(volume, without_impact)| volume / without_impact),
            bad_debt_bp: bad_debt_bp(blocks).last().copied().flatten(),
            bad_debt_max_bp: bad_debt_bp(blocks).into_iter().flatten().reduce(f64::max),
            toxic_volume: toxic_volume(sales),
            blocks_to_solvency: count(blocks, |row| row.unhealthy > 0),
            keeper_profit: last.keeper_profit,
            adversary_profit: last.adversary_profit,
            reverted_share: reverted_share(blocks),
            transactions: blocks.iter().map(|row| row.transactions).sum(),
            blocks_with_insolvency: count(blocks, |row| row.insolvent > 0),
            liquidations: sales.iter().filter(|row| !row.settlement).count() as u64,
            settlements: sales.iter().filter(|row| row.settlement).count() as u64,
            liquidated_accounts: repaid_by(sales, |row| row.account).len() as u64,
            keeper_concentration: keeper_concentration(sales),
            hard_zone_share: hard_zone_share(sales),
            mean_wait_minutes: mean_wait_minutes(sales),
            wait_by_size: wait_by_size(sales),
            bonus_spread: bonus_spread(sales),
            borrower_cost: sum(
                taken(policy).map(|taken| taken.collateral * taken.price - taken.repaid)
            ),
            rebound_forgone: sum(
                taken(policy).map(|taken| taken.collateral * (last.reference_price - taken.price))
            ),
            lender_loss: last.lender_loss,
            fully_utilised_minutes: fully_utilised_minutes(blocks),
            oracle_error,
            oracle_error_max,
            breaker_false_minutes,
            breaker_missed_minutes,
            lowest_reference_price,
            lowest_venue_price,
            venue_low_against_counterfactual: lowest_venue_price
                / lowest(reference, |row| row.reference_price)
                - 1.0,
            backstop: BackstopFigures::compute(policy),
        })
    }
}

/// Collateral that a call took from a borrower.
struct Taken {
    collateral: f64,
    /// The reference price at the time.
    price: f64,
    repaid: f64,
}

/// Of liquidations and settlements, and of a backstop's absorptions.
fn taken(trace: &Trace) -> impl Iterator<Item = Taken> {
    let sold = trace.liquidations.iter().map(|row| Taken {
        collateral: row.seized,
        price: row.reference_price,
        repaid: row.repaid,
    });
    let absorbed = trace.absorptions.iter().map(|row| Taken {
        collateral: row.received + row.handed_over,
        price: row.reference_price,
        repaid: row.repaid,
    });
    sold.chain(absorbed)
}

/// OS: the largest 1 − P / P^cf over blocks.
#[must_use]
pub fn overshoot(policy: &[BlockRow], counterfactual: &[BlockRow]) -> f64 {
    policy
        .iter()
        .zip(counterfactual)
        .map(|(row, without)| 1.0 - row.reference_price / without.reference_price)
        .fold(0.0, f64::max)
}

/// The largest fall of the reference price below its start, as a share of the start; 0 if it never falls below it.
#[must_use]
pub fn drawdown(blocks: &[BlockRow]) -> f64 {
    blocks.first().map_or(0.0, |first| {
        1.0 - lowest(blocks, |row| row.reference_price) / first.reference_price
    })
}

/// A counterfactual's fall, and its liquidated volume, below which nothing is a multiple of it: next to nothing amplifies to anything, and
/// a mean over seeds would be of the seed in which least happened.
const LEAST_DRAWDOWN: f64 = 0.01;
const LEAST_VOLUME: f64 = 0.001;

/// DA: the policy's drawdown over the counterfactual's; `None` where that is below 1%.
#[must_use]
pub fn drawdown_amplification(policy: &[BlockRow], counterfactual: &[BlockRow]) -> Option<f64> {
    let without_impact = drawdown(counterfactual);
    (without_impact >= LEAST_DRAWDOWN).then(|| drawdown(policy) / without_impact)
}

/// LV: debt repaid in liquidations and settlements over the debt in block 0.
#[must_use]
pub fn liquidated_volume(blocks: &[BlockRow], liquidations: &[LiquidationRow]) -> Option<f64> {
    ratio(
        sum(liquidations.iter().map(|row| row.repaid)),
        blocks.first()?.debt,
    )
}

/// BD block by block: written-off losses plus shortfall over the debt in block 0, in basis points.
#[must_use]
pub fn bad_debt_bp(blocks: &[BlockRow]) -> Vec<Option<f64>> {
    let start = blocks.first().map_or(0.0, |first| first.debt);
    blocks
        .iter()
        .map(|row| ratio((row.written_off + row.shortfall) * 1e4, start))
        .collect()
}

/// TOX: debt repaid in calls that left the account with a lower health factor than it had, or with a loss for lenders. Absorptions by a
/// backstop are not among them.
#[must_use]
pub fn toxic_volume(liquidations: &[LiquidationRow]) -> f64 {
    let harmful =
        |row: &&LiquidationRow| row.health_after < row.health_before || row.written_off > 0.0;
    sum(liquidations.iter().filter(harmful).map(|row| row.repaid))
}

/// Debt repaid in liquidations that began at or below HF_hard over all debt repaid in liquidations. Settlements are in
/// neither.
#[must_use]
pub fn hard_zone_share(liquidations: &[LiquidationRow]) -> Option<f64> {
    let repaid = |hard_only: bool| -> f64 {
        let counted = |row: &&LiquidationRow| {
            !row.settlement && (!hard_only || row.health_before <= row.health_hard)
        };
        sum(liquidations.iter().filter(counted).map(|row| row.repaid))
    };
    ratio(repaid(true), repaid(false))
}

/// Debt repaid by whatever tells calls apart, in the order of that.
fn repaid_by(
    liquidations: &[LiquidationRow],
    key: fn(&LiquidationRow) -> u32,
) -> BTreeMap<u32, f64> {
    let mut repaid = BTreeMap::new();
    for row in liquidations {
        *repaid.entry(key(row)).or_insert(0.0) += row.repaid;
    }
    repaid
}

/// The Herfindahl index of keepers: Σ (repaid by one / repaid by all)², settlements included.
#[must_use]
pub fn keeper_concentration(liquidations: &[LiquidationRow]) -> Option<f64> {
    let all = sum(liquidations.iter().map(|row| row.repaid));
    let squares = repaid_by(liquidations, |row| row.keeper);
    ratio(sum(squares.values().map(|one| one * one)), all * all)
}

/// Reverted over included transactions.
#[must_use]
pub fn reverted_share(blocks: &[BlockRow]) -> Option<f64> {
    let total = |column: fn(&BlockRow) -> u64| blocks.iter().map(column).sum::<u64>() as f64;
    ratio(total(|row| row.reverted), total(|row| row.transactions))
}

/// The sum; a positive zero of nothing.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |sum, value| sum + value)
}

/// The quotient, or `None` for a denominator of 0.
fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator != 0.0).then(|| numerator / denominator)
}

/// The least value of a column; infinite without rows.
fn lowest(blocks: &[BlockRow], column: fn(&BlockRow) -> f64) -> f64 {
    blocks.iter().map(column).fold(f64::INFINITY, f64::min)
}

/// How many rows satisfy a condition.
fn count(blocks: &[BlockRow], condition: fn(&BlockRow) -> bool) -> u64 {
    blocks.iter().filter(|row| condition(row)).count() as u64
}

/// Both worlds have rows, and row by row they are of the same block.
fn align(policy: &[BlockRow], counterfactual: &[BlockRow]) -> Result<(), MetricsError> {
    if policy.is_empty() {
        return Err(MetricsError::NoBlocks { world: "policy" });
    }
    if counterfactual.is_empty() {
        return Err(MetricsError::NoBlocks {
            world: "counterfactual",
        });
    }
    for row in 0..policy.len().max(counterfactual.len()) {
        let block = |rows: &[BlockRow]| rows.get(row).map_or(u64::MAX, |found| found.block);
        if block(policy) != block(counterfactual) {
            return Err(MetricsError::Misaligned {
                row,
                policy: block(policy),
                counterfactual: block(counterfactual),
            });
        }
    }
    Ok(())
}
