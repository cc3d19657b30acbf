//! Readiness, and that what is served reads back.

use std::time::Duration;

use breakwater_operator::status::{ServedStatus, Status, not_ready};

use super::{NOW, alike, sample};

const AGE: Duration = Duration::from_secs(60);

#[test]
fn a_status_reads_back_as_it_was() {
    for status in [sample::empty(NOW), sample::filled(NOW)] {
        let text = serde_json::to_string(&status).unwrap();
        assert!(alike(&serde_json::from_str(&text).unwrap(), &status));
    }
}

#[test]
fn figures_that_are_not_finite_are_null_and_read_back_as_nan() {
    let text = serde_json::to_string(&ServedStatus::new(sample::troubled(NOW), NOW, AGE)).unwrap();
    let back: ServedStatus = serde_json::from_str(&text).unwrap();
    assert!(back.status.collaterals[0].fast.is_nan() && back.status.positions[0].health.is_nan());
    assert_eq!(back.status.mirror.drift, alloy_primitives::U256::MAX);
}

#[test]
fn a_keeper_at_work_is_ready() {
    assert_eq!(not_ready(&sample::filled(NOW), NOW, AGE), [""; 0]);
    assert_eq!(not_ready(&sample::filled(NOW), NOW + 57, AGE), [""; 0]);
}

#[test]
fn each_reason_is_said() {
    let stale = not_ready(&sample::filled(NOW), NOW + 58, AGE);
    assert_eq!(
        stale,
        ["the head, block 19482113, has not changed for 61 s (at most 60 s)"]
    );
    let spoiled = |spoil: fn(&mut Status)| {
        let mut status = sample::filled(NOW);
        spoil(&mut status);
        not_ready(&status, NOW, AGE)
    };
    assert_eq!(
        spoiled(|status| status.head = None),
        ["no block has been seen yet"]
    );
    assert_eq!(
        spoiled(|status| status.synced = false),
        ["the mirror is not at the head yet"]
    );
    assert_eq!(
        spoiled(|status| status.planned = None),
        ["nothing has been planned yet"]
    );
    assert_eq!(spoiled(|status| status.planned = Some(19_482_110)), [""; 0]);
    assert_eq!(
        spoiled(|status| status.planned = Some(19_482_109)),
        ["the head is block 19482113, the last that could be planned on is 19482109"]
    );
    assert_eq!(
        spoiled(|status| status.tasks[2].alive = false),
        ["task sender has ended"]
    );
    assert_eq!(
        spoiled(|status| status.sender = None),
        ["there is no account to send from"]
    );
    assert_eq!(
        spoiled(|status| status.sender.as_mut().unwrap().unlocked = false),
        ["the account 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266 is not unlocked"]
    );
    // A dry run needs no account.
    assert_eq!(
        spoiled(|status| {
            status.sender = None;
            status.keeper.dry_run = true;
        }),
        [""; 0]
    );
}

#[test]
fn neither_a_clock_set_back_nor_a_chain_ahead_of_it_breaks_ages() {
    let mut status = sample::filled(NOW);
    status.head.as_mut().unwrap().timestamp = u64::MAX;
    assert_eq!(not_ready(&status, NOW - 1_000_000, AGE), [""; 0]);
    status.head.as_mut().unwrap().received_at = 0;
    assert_eq!(not_ready(&status, NOW, AGE).len(), 1);
}
