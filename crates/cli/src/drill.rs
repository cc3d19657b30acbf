//! `breakwater keeper drill`: shows what happens as it happens, then the account of it.

use breakwater_keeper::drill::{
    self, Drama, DrillError, Report, Told, amount, clock, grouped, percent, signed_amount,
};
use breakwater_keeper::store::Kind;
use comfy_table::{CellAlignment, Table, presets};
use eyre::{Report as Cause, eyre};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::print;

/// Runs a drill. Succeeds only if every expectation was met.
pub async fn run(stop: CancellationToken, drama: Drama) -> Result<(), Failure> {
    let mut part = 0;
    let mut closed = None;
    let halt = stop.clone();
    let report = drill::run(stop, drama, |told| {
        if let Err(failure) = print(&shown(&told, &mut part)) {
            // Where nobody listens any more, nobody waits for the end.
            closed.get_or_insert(failure);
            halt.cancel();
        }
    })
    .await;
    if let Some(failure) = closed {
        return Err(failure);
    }
    let report = report.map_err(|error| match error {
        DrillError::Interrupted => Failure::Stopped(
            "interrupted: the drill's anvil, keeper and folder are gone".to_owned(),
        ),
        DrillError::NoAnvil { .. } => Failure::Input(Cause::new(error)),
        other => Failure::other(other),
    })?;
    print(&account(&report))?;
    judged(&report)
}

/// An error, and so another exit code than 0, as soon as one expectation was not met.
fn judged(report: &Report) -> Result<(), Failure> {
    let failed: Vec<String> = report
        .failed()
        .map(|check| format!("{} ({})", check.what, check.found))
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::Other(eyre!(
        "the drill did not go as expected: {}",
        failed.join("; ")
    )))
}

fn shown(told: &Told, part: &mut u32) -> String {
    match told {
        Told::Part(text) => {
            *part += 1;
            format!("\n{part}. {text}\n")
        }
        Told::Note(text) => format!("   {text}\n"),
        Told::Event { at, block, text } => {
            format!("   {:>7}  block {block:<5} {text}\n", clock(*at))
        }
    }
}

/// The closing table, the sums and what was expected.
fn account(report: &Report) -> String {
    let (debt, collateral) = &report.symbols;
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header([
        "time".to_owned(),
        "block".to_owned(),
        "what".to_owned(),
        "repaid".to_owned(),
        "seized".to_owned(),
        "bonus".to_owned(),
        "left".to_owned(),
        "gas".to_owned(),
        "profit".to_owned(),
    ]);
    for row in &report.rows {
        let closing = row.sent.closings.first();
        let what = match closing {
            _ if !row.sent.success => "reverted",
            None if row.sent.recorded => "depth recorded",
            None if row.sent.bought.is_some() => "inventory bought",
            None if row.sent.observed => "sale's clock started",
            None if row.sent.cancels => "taken back",
            None => "clock started:",
            Some(closing) if closing.kind == Kind::Settled => "settled:",
            Some(closing) if closing.kind == Kind::Absorbed => "absorbed:",
            Some(_) => "liquidated:",
        };
        let earned = signed_amount(row.sent.earned, report.decimals.0);
        let net = signed(row.sent.earned, report.decimals.0) - row.gas;
        table.add_row([
            clock(row.at),
            row.sent.block.to_string(),
            format!("{what} {}", row.name),
            closing.map_or_else(String::new, |one| amount(one.repaid, report.decimals.0)),
            closing.map_or_else(String::new, |one| amount(one.seized, report.decimals.1)),
            closing
                .filter(|one| one.kind != Kind::Settled)
                .map_or_else(String::new, |one| percent(one.bonus)),
            if closing.is_some() || row.sent.bought.is_some() {
                earned
            } else {
                String::new()
            },
            grouped(row.gas),
            grouped(net),
        ]);
    }
    let closings = || report.rows.iter().flat_map(|row| &row.sent.closings);
    table.add_row([
        String::new(),
        String::new(),
        format!("{} transactions", report.rows.len()),
        amount(closings().map(|one| one.repaid).sum(), report.decimals.0),
        amount(closings().map(|one| one.seized).sum(), report.decimals.1),
        String::new(),
        grouped(report.earned()),
        grouped(report.gas()),
        grouped(report.earned() - report.gas()),
    ]);
    for column in [0, 1, 3, 4, 5, 6, 7, 8] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let said = report.keeper;
    let mut text = format!(
        "\nWhat the chain says, by the receipts of the keeper's account; {debt}, seized in {collateral}\n\
         (left: what the sale of the seized leaves after the repayment; profit: that less the gas)\n\
         {table}\n\
         The keeper says of itself: {} before gas, {} for gas, {} net; {} transactions succeeded, {} reverted.\n\n\
         What had to happen\n",
        grouped(said.gross),
        grouped(said.gas),
        grouped(said.net),
        said.succeeded,
        said.reverted,
    );
    if !report.kept.is_zero() {
        text = text.replacen(
            "What had to happen",
            &format!(
                "It keeps {} {collateral} that the backstop paid and sold it.\n\nWhat had to happen",
                signed_amount(report.kept, report.decimals.1)
            ),
            1,
        );
    }
    for check in &report.checks {
        let mark = if check.met { "yes" } else { "NO " };
        text.push_str(&format!("   {mark}  {}: {}\n", check.what, check.found));
    }
    let failed = report.failed().count();
    text.push_str(&if failed == 0 {
        format!("\nAll {} expectations were met.\n", report.checks.len())
    } else {
        format!(
            "\n{failed} of {} expectations were not met.\n",
            report.checks.len()
        )
    });
    text
}

fn signed(base: alloy_primitives::I256, decimals: u8) -> f64 {
    breakwater_keeper::units::whole_signed(base, decimals)
}

#[cfg(test)]
mod tests {
    use std::process::ExitCode;

    use breakwater_keeper::drill::Check;

    use super::*;

    #[test]
    fn one_expectation_that_is_not_met_fails_the_command() {
        let check = |place: u32, met| Check {
            what: format!("expectation {place}"),
            met,
            found: format!("finding {place}"),
        };
        let report = |unmet: Option<u32>| Report {
            rows: Vec::new(),
            checks: (0..22)
                .map(|place| check(place, Some(place) != unmet))
                .collect(),
            gross: Default::default(),
            kept: Default::default(),
            spent: Default::default(),
            keeper: Default::default(),
            decimals: (6, 18),
            symbols: ("debt".to_owned(), "collateral".to_owned()),
        };
        assert!(judged(&report(None)).is_ok());
        for unmet in 0..22 {
            let report = report(Some(unmet));
            let failure = judged(&report).expect_err("an unmet expectation");
            assert_eq!(failure.code(), ExitCode::FAILURE);
            assert!(failure.message().contains(&format!("finding {unmet}")));
            assert!(account(&report).contains("NO "));
        }
    }
}
