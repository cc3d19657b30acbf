//! What happens where there is a backstop, after the first fall.

use breakwater_operator::status::Zone;

use super::FALL_BLOCKS;
use super::cast::{FIRST_FALL, Fate, GAP, RECOVERY};
use super::error::DrillError;
use super::report::Checks;
use super::stage::Stage;
use super::tell::Told;

/// Blocks in which the slow price comes down to the fast one: half an hour, and some to spare.
const REST_BLOCKS: u64 = 170;

/// Blocks in which the sale's price falls to its floor: ten minutes, and some to spare.
const SALE_BLOCKS: u64 = 70;

/// A fall between two reports: what is insolvent then the venue could not take.
pub(super) async fn gap(stage: &mut Stage<'_>, checks: &mut Checks) -> Result<(), DrillError> {
    (stage.tell)(Told::Part(format!(
        "A gap: between two reports the price falls by another {:.1}%",
        100.0 - GAP / FIRST_FALL * 100.0
    )));
    stage.watch.forget();
    stage.mine().await?;
    stage.trade(GAP, "the feed has not reported it").await?;
    stage.report(GAP, "as far as it fell").await?;
    let covered = stage.cast.iter().find(|one| one.fate == Fate::Covered);
    let zone = match covered {
        Some(one) => Some(stage.zone_reported(one.address()).await?),
        None => None,
    };
    checks.expect(
        "the gap leaves a position insolvent that is too large for the venue",
        zone == Some(Zone::Insolvent),
        zone.map_or("nobody", Zone::name),
    );
    stage
        .until_healthy(
            "every position is healthy or closed after the gap",
            FALL_BLOCKS,
        )
        .await
}

/// Nothing is sold into the fall; once the price has turned, the backstop sells.
pub(super) async fn recovery(stage: &mut Stage<'_>, checks: &mut Checks) -> Result<(), DrillError> {
    (stage.tell)(Told::Part(format!(
        "The price comes to rest, and then rises to {RECOVERY:.0}% of what it was"
    )));
    stage.watch.forget();
    let before = stage.bought().await?;
    for _ in 0..REST_BLOCKS {
        stage.pass().await?;
    }
    let resting = stage.bought().await?;
    checks.expect(
        "nothing of the backstop is bought while the price falls",
        before == 0 && resting == 0,
        format!("{before} purchases in the fall, {resting} with the price at rest"),
    );
    stage.report(RECOVERY, "traders follow").await?;
    stage.trade(RECOVERY, "the sale may open").await?;
    for _ in 0..SALE_BLOCKS {
        stage.pass().await?;
    }
    Ok(())
}
