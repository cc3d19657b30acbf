//! What end-to-end tests of the keeper share: a local market on an anvil of its own, and the real `breakwater` as processes.
//! Everything is killed when it is dropped, on a panic too; every wait is bounded; all traffic is loopback.

#![allow(
    dead_code,
    unused_imports,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "each test file uses its part, and a test may panic"
)]

mod market;
mod process;
mod world;

use std::time::{Duration, Instant};

pub use market::{Books, DEBT, all_healthy, books, borrower, crowd, slide, tell_reverts};
pub use process::{Keeper, Setup, breakwater, command, configuration};
pub use world::{Lenders, World, wad};

/// Every wait's limit: generous, since other tests share the cores.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
pub const LOOK: Duration = Duration::from_millis(10);

/// Waits until `look` finds something; panics with `what` after [`PATIENCE`].
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(LOOK).await;
    }
}
