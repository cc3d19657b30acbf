//! A status as it is served: with the time of serving and whether the keeper is ready.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Status;

/// The body of `/status.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServedStatus {
    /// When it was served, by the keeper's clock: ages count from here.
    pub now: u64,
    /// Why the keeper is not ready; empty if it is.
    pub not_ready: Vec<String>,
    /// The latest that the keeper published.
    pub status: Status,
}

impl ServedStatus {
    /// Puts the two together.
    #[must_use]
    pub fn new(status: Status, now: u64, max_head_age: Duration) -> Self {
        Self {
            now,
            not_ready: not_ready(&status, now, max_head_age),
            status,
        }
    }
}

/// Blocks that planning may be behind the head: a node that fails once is no news.
const UNPLANNED: u64 = 3;

/// Why a keeper cannot liquidate now: no head or a stale one, a mirror behind it, heads that it could not plan on, a key that is
/// not there. Empty if it can.
#[must_use]
pub fn not_ready(status: &Status, now: u64, max_head_age: Duration) -> Vec<String> {
    let mut reasons: Vec<String> = status
        .tasks
        .iter()
        .filter(|task| !task.alive)
        .map(|task| format!("task {} has ended", task.name))
        .collect();
    match status.head {
        None => reasons.push("no block has been seen yet".to_owned()),
        Some(head) if head.age(now) > max_head_age.as_secs() => reasons.push(format!(
            "the head, block {}, has not changed for {} s (at most {} s)",
            head.number,
            head.age(now),
            max_head_age.as_secs()
        )),
        Some(_) => {}
    }
    if !status.synced {
        reasons.push("the mirror is not at the head yet".to_owned());
    } else if let Some(reason) = unplanned(status) {
        reasons.push(reason);
    }
    match (&status.sender, status.keeper.dry_run) {
        (_, true) => {}
        (None, false) => reasons.push("there is no account to send from".to_owned()),
        (Some(sender), false) if !sender.unlocked => {
            reasons.push(format!("the account {} is not unlocked", sender.address));
        }
        (Some(_), false) => {}
    }
    reasons
}

/// What is wrong where heads come and no plan is made on them.
fn unplanned(status: &Status) -> Option<String> {
    let head = status.head?.number;
    match status.planned {
        None => Some("nothing has been planned yet".to_owned()),
        Some(planned) if head > planned.saturating_add(UNPLANNED) => Some(format!(
            "the head is block {head}, the last that could be planned on is {planned}"
        )),
        Some(_) => None,
    }
}
