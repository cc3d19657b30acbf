//! The page of a keeper at work, in a headless Chromium: what an operator sees of a falling market.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

#[path = "harness/due.rs"]
mod due;
mod harness;

use alloy_primitives::Address;
use breakwater_operator::{status::Status, testing};
use due::owner;
use harness::{Keeper, Setup, World, until};

/// The keeper's account.
const PLACE: usize = 5;

/// Positions, by the share of the start price at which they fall below 1, percent.
const FALL_AT: [f64; 4] = [60.0, 93.0, 75.0, 85.0];

/// The table with an identifier.
fn table<'a>(page: &'a str, id: &str) -> &'a str {
    let (_, rest) = page
        .split_once(&format!("<table id=\"{id}\""))
        .unwrap_or_else(|| panic!("no table {id} in {page}"));
    rest.split_once("</table>").unwrap().0
}

/// Where an account stands in a table; its whole address is in a title.
fn place(table: &str, account: Address) -> usize {
    let address = account.to_checksum(None);
    table
        .find(&address)
        .or_else(|| table.find(&address.to_lowercase()))
        .unwrap_or_else(|| panic!("{address} is not in {table}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_what_falls_next_what_is_pending_and_what_was_missed() {
    if testing::browser().is_none() {
        println!("skipped: no chromium on the path, and CHROMIUM names none");
        return;
    }
    let world = World::start().await;
    for (number, at) in (1..).zip(FALL_AT) {
        world.open_falling_at(owner(number), 10, at).await;
    }
    world.record_depth().await;
    // Somebody else liquidates the first that falls, before there is a keeper: it is missed, and unready is why.
    world.price(82.0).await;
    world.market.advance(120).await.unwrap();
    let stranger = Keeper::start(&world, &Setup::alone(PLACE + 1)).await;
    due::until_liquidated(&world, &stranger, owner(2), 0).await;
    drop(stranger);

    // Two more are due at once; the last is not below 1.
    world.price(65.0).await;
    world.market.advance(120).await.unwrap();
    let keeper = Keeper::start(&world, &Setup::alone(PLACE)).await;
    until("something is pending", async || {
        due::waits(&world, PLACE).await.then_some(())
    })
    .await;
    let status = keeper.planned_on(world.head().await).await;

    let (profile, pictures) = (
        tempfile::tempdir().unwrap(),
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")),
    );
    let url = format!("http://{}/", keeper.http);
    let page = testing::document(&url, profile.path()).await.unwrap();
    let picture = pictures.join("keeper-page.png");
    testing::picture(&url, profile.path(), &picture)
        .await
        .unwrap();
    println!("the page as it looked: {}", picture.display());

    // By distance to liquidation: the ones below 1 first, then those that fall next.
    let positions = table(&page, "positions");
    let order = [4, 3, 1].map(|number| place(positions, owner(number)));
    assert!(order.is_sorted(), "{order:?} in {positions}");
    place(table(&page, "pending"), owner(4));
    assert!(table(&page, "missed").contains("unready"), "{page}");
    assert!(table(&page, "market").contains("<meter"), "{page}");
    // What falls at each price: the one that is left, 10% below this one.
    let step = page.split_once("(−10%): ").unwrap().1;
    let step = step.split_once("</title>").unwrap().0;
    assert!(step.ends_with(", 1 positions"), "{step}");
    assert!(page.contains(">Ready<"), "{page}");

    // What it earned is shown once it is final, 64 blocks on.
    due::until_liquidated(&world, &keeper, owner(4), 0).await;
    world.market.advance(66 * 12).await.unwrap();
    let paid = keeper
        .wait("counts its profit", |status| status.profit.succeeded > 0)
        .await;
    assert!(paid.profit.net > 0.0, "{:?}", paid.profit);
    assert_eq!(paid.missed, status.missed);
    // Another transaction may become final while the page is read: then it is read again.
    let (page, net) = loop {
        let net = |status: &Status| format!("{:.2}", status.profit.net);
        let before = net(&keeper.status().await.unwrap());
        let page = testing::document(&url, profile.path()).await.unwrap();
        if before == net(&keeper.status().await.unwrap()) {
            break (page, before);
        }
    };
    assert!(
        table(&page, "profit").replace(',', "").contains(&net),
        "{net} in {page}"
    );
}
