//! A running keeper whose first node dies or stands still, as an operating system's process, while a second one knows the same chain.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

#[path = "harness/due.rs"]
mod due;
mod harness;

use std::process::Command;

use breakwater_operator::status::Status;
use due::owner;
use harness::{Keeper, Setup, World};

/// The keeper's account.
const PLACE: usize = 5;

/// How a node stops answering.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// Its process is gone, and its port is closed.
    Killed,
    /// Its process stands still: connections are taken by the system, and nobody answers.
    Stopped,
}

/// A keeper that gives up on a request after half a second, and looks for heads as often as if there were one a second.
fn impatient(urls: Vec<String>) -> Setup {
    Setup {
        urls,
        environment: vec![
            ("BREAKWATER_CHAIN__SLOT_SECONDS".to_owned(), "1".to_owned()),
            (
                "BREAKWATER_CHAIN__REQUEST_TIMEOUT_MS".to_owned(),
                "500".to_owned(),
            ),
        ],
        ..Setup::alone(PLACE)
    }
}

async fn goes_on_with_the_second(end: End, websocket: bool) {
    let first = World::start().await;
    due::open(&first, owner(1)).await;
    let second = first.copy().await;
    assert_eq!(due::head(&first).await.hash, due::head(&second).await.hash);
    let urls = [&first, &second].map(|world| {
        if websocket {
            world.anvil.ws_endpoint()
        } else {
            world.anvil.endpoint()
        }
    });
    let mut keeper = Keeper::start(&first, &impatient(urls.to_vec())).await;
    keeper.planned_on(first.head().await).await;
    let signal = match end {
        End::Killed => "-KILL",
        End::Stopped => "-STOP",
    };
    let sent = Command::new("kill")
        .args([signal, &first.anvil.child().id().to_string()])
        .status();
    assert!(sent.unwrap().success());

    let from = second.head().await;
    due::fall(&second).await;
    due::until_liquidated(&second, &keeper, owner(1), from).await;
    due::mine(&second, &keeper, 3).await;
    let closings = due::closings_of(&second, owner(1), from).await;
    assert_eq!(closings.len(), 1, "{closings:?}");
    let sent = due::sent_by(&second, PLACE, from).await;
    assert!(sent.iter().all(|one| one.success), "{sent:?}");
    let nonce = due::nonce(&second, PLACE).await;
    assert_eq!(
        (sent.len() as u64, due::pending_nonce(&second, PLACE).await),
        (nonce, nonce)
    );
    let failed = |status: &Status| status.rpc[0].failures > 0 && !status.rpc[0].healthy;
    let status = keeper.wait("tells of the node's failure", failed).await;
    assert!(
        status.rpc[1].healthy && status.missed.is_empty(),
        "{status:?}"
    );
    println!("{end:?}, websocket {websocket}: {:?}", status.rpc[0]);
    assert!(keeper.terminate().await.success());
}

/// They mostly wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_process_ends_or_stands_still_is_replaced() {
    tokio::join!(
        goes_on_with_the_second(End::Killed, false),
        goes_on_with_the_second(End::Killed, true),
        goes_on_with_the_second(End::Stopped, false),
        goes_on_with_the_second(End::Stopped, true),
    );
}
