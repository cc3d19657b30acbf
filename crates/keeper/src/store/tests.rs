//! Tests of the store.

use breakwater_operator::status::MissedReason;
use breakwater_protocol::{BlockRef, Description, Mirror, MirroredPolicy, RateParameters};

use super::*;

const POOL: Address = Address::repeat_byte(0x11);

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(folder.path(), 31_337, POOL).unwrap()
}

fn order(byte: u8) -> Ordered {
    Ordered {
        id: alloy_primitives::B256::repeat_byte(byte),
        kind: ActionKind::Liquidate,
        account: Address::repeat_byte(byte),
        collateral: 0,
        planned_block: 7,
        planned_at: 100,
        expected: 12.5,
        native_price: 2_000.0,
    }
}

fn entry(block: u64, doer: Doer) -> Entry {
    Entry {
        block,
        log_index: 3,
        timestamp: 1_000 + block,
        hash: alloy_primitives::B256::repeat_byte(block as u8),
        kind: Kind::Liquidated,
        account: Address::repeat_byte(1),
        liquidator: Address::repeat_byte(2),
        collateral: Some(0),
        repaid: 100.0,
        seized: 0.05,
        bonus: 0.02,
        doer,
    }
}

fn missed(reason: MissedReason) -> Doer {
    Doer::Others {
        reason,
        detail: "detail".to_owned(),
    }
}

#[test]
fn refuses_another_pools_file() {
    let folder = folder();
    drop(open(&folder));
    let error = Store::open(folder.path(), 1, POOL).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Belongs {
                found_chain: 31_337,
                chain: 1,
                ..
            }
        ),
        "{error}"
    );
    let error = Store::open(folder.path(), 31_337, Address::ZERO).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("one state directory serves one keeper"),
        "{error}"
    );
}

#[test]
fn refuses_another_layout() {
    let folder = folder();
    open(&folder)
        .sqlite(|connection| connection.pragma_update(None, "user_version", 99))
        .unwrap();
    assert!(matches!(
        Store::open(folder.path(), 31_337, POOL).unwrap_err(),
        StoreError::Schema { found: 99, .. }
    ));
}

fn description() -> Description {
    let rate = RateParameters {
        target_utilisation: 900_000_000_000_000_000,
        low_multiplier: 250_000_000_000_000_000,
        high_multiplier: 4_000_000_000_000_000_000,
        adaptation_speed: 1_585_489_599_188,
        initial_rate_at_target: 1_268_391_679,
        min_rate_at_target: 31_709_791,
        max_rate_at_target: 63_419_583_967,
    };
    Description {
        chain_id: 31_337,
        pool: POOL,
        asset: Address::repeat_byte(0x12),
        rate,
        policy: MirroredPolicy {
            address: Address::repeat_byte(0x13),
            needs_confirmation: true,
        },
    }
}

fn mirror(number: u64) -> Mirror {
    let block = BlockRef {
        number,
        hash: alloy_primitives::B256::repeat_byte(number as u8),
        ..BlockRef::default()
    };
    Mirror::new(description(), block).unwrap()
}

#[test]
fn keeps_the_last_mirror() {
    let folder = folder();
    let mut store = open(&folder);
    assert!(store.restore_mirror(&description()).unwrap().is_none());
    store.save_mirror(&mirror(5)).unwrap();
    store.save_mirror(&mirror(6)).unwrap();
    drop(store);
    let mut store = open(&folder);
    let restored = store.restore_mirror(&description()).unwrap().unwrap();
    assert_eq!(restored.snapshot(), mirror(6).snapshot());
    let other = Description {
        pool: Address::repeat_byte(0x77),
        ..description()
    };
    assert!(store.restore_mirror(&other).unwrap().is_none());
    store.drop_snapshot().unwrap();
    assert!(store.restore_mirror(&description()).unwrap().is_none());
}

#[test]
fn a_mirror_of_the_policy_before_is_rebuilt() {
    let folder = folder();
    let mut store = open(&folder);
    store.save_mirror(&mirror(5)).unwrap();
    let stored = description();
    let policies = [
        MirroredPolicy {
            address: Address::repeat_byte(0x14),
            ..stored.policy
        },
        MirroredPolicy {
            needs_confirmation: false,
            ..stored.policy
        },
    ];
    for policy in policies {
        let other = Description { policy, ..stored };
        assert!(store.restore_mirror(&other).unwrap().is_none());
    }
    assert!(store.restore_mirror(&stored).unwrap().is_some());
}

#[test]
fn does_not_believe_a_mirror_of_another_block_or_a_damaged_one() {
    for damage in [
        "UPDATE snapshot SET number = 6",
        "UPDATE snapshot SET hash = zeroblob(32)",
        "UPDATE snapshot SET state = zeroblob(length(state))",
        "UPDATE snapshot SET state = substr(state, 1, length(state) - 1)",
    ] {
        let folder = folder();
        let mut store = open(&folder);
        store.save_mirror(&mirror(5)).unwrap();
        store
            .sqlite(|connection| connection.execute(damage, []).map(drop))
            .unwrap();
        let restored = store.restore_mirror(&description()).unwrap();
        assert!(restored.is_none(), "{damage}");
    }
}

#[test]
fn a_purchase_closes_nothing_and_is_raced_for_all_the_same() {
    use ActionKind::{
        Absorb, BuyInventory, Flag, Liquidate, ObserveSale, RecordDepth, Settle, SettleByBackstop,
    };
    assert!(BuyInventory.competes() && !BuyInventory.closes());
    for kind in [Liquidate, Settle, Absorb, SettleByBackstop] {
        assert!(kind.competes() && kind.closes(), "{kind:?}");
    }
    for kind in [Flag, RecordDepth, ObserveSale] {
        assert!(!kind.competes() && kind.prepares(), "{kind:?}");
    }
}

#[test]
fn orders_survive_and_end() {
    let folder = folder();
    let mut store = open(&folder);
    store.order(&order(1)).unwrap();
    store.order(&order(2)).unwrap();
    // The same order planned again does not change it.
    store
        .order(&Ordered {
            expected: 1.0,
            ..order(1)
        })
        .unwrap();
    drop(store);
    let mut store = open(&folder);
    assert_eq!(store.open_orders().unwrap(), [order(1), order(2)]);
    store.close_order(order(1).id).unwrap();
    assert_eq!(store.open_orders().unwrap(), [order(2)]);
    store.order(&order(1)).unwrap();
    assert_eq!(store.open_orders().unwrap().len(), 2);
    assert_eq!(store.ordered(order(1).id).unwrap(), Some(order(1)));
    assert_eq!(store.ordered(order(9).id).unwrap(), None);
}

#[test]
fn profit_counts_once_and_not_what_left_the_chain() {
    let folder = folder();
    let mut store = open(&folder);
    store.order(&order(1)).unwrap();
    let realised = Realised {
        id: order(1).id,
        hash: alloy_primitives::B256::repeat_byte(8),
        block: 9,
        success: Some(true),
        gross: 20.0,
        gas: 3.0,
    };
    store.realise(&realised).unwrap();
    store.realise(&realised).unwrap();
    assert_eq!(store.totals(true).unwrap(), Totals::default());
    assert_eq!(store.totals(false).unwrap().gross, 20.0);
    store.unrealise(order(1).id).unwrap();
    assert_eq!(store.totals(false).unwrap(), Totals::default());
    store
        .realise(&Realised {
            success: Some(false),
            gross: 0.0,
            ..realised
        })
        .unwrap();
    // A cancellation costs gas and is no revert.
    store.order(&order(2)).unwrap();
    store
        .realise(&Realised {
            id: order(2).id,
            success: None,
            gross: 0.0,
            gas: 0.5,
            ..realised
        })
        .unwrap();
    store.close_order(order(1).id).unwrap();
    store.close_order(order(2).id).unwrap();
    assert_eq!(
        store.totals(true).unwrap(),
        Totals {
            gross: 0.0,
            gas: 3.5,
            succeeded: 0,
            reverted: 1
        }
    );
}

#[test]
fn the_ledger_counts_each_log_once_and_forgets_orphans() {
    let folder = folder();
    let mut store = open(&folder);
    let entries = [
        entry(1, Doer::Us),
        entry(2, missed(MissedReason::Outbid)),
        entry(3, missed(MissedReason::Unseen)),
    ];
    store.record(1..=3, &entries).unwrap();
    store.record(1..=3, &entries).unwrap();
    assert_eq!(
        store.latest(10, false).unwrap(),
        [entries[2].clone(), entries[1].clone(), entries[0].clone()]
    );
    assert_eq!(store.latest(10, true).unwrap().len(), 2);
    store.rewind(2).unwrap();
    assert_eq!(store.missed().unwrap(), [(MissedReason::Outbid, 1)]);
}

#[test]
fn a_late_acknowledgement_makes_an_entry_ours() {
    let folder = folder();
    let mut store = open(&folder);
    store.order(&order(1)).unwrap();
    let theirs = entry(2, missed(MissedReason::Unready));
    store.record(2..=2, std::slice::from_ref(&theirs)).unwrap();
    assert!(!store.is_ours(theirs.hash).unwrap());
    store.sent(order(1).id, theirs.hash).unwrap();
    assert!(store.is_ours(theirs.hash).unwrap());
    assert_eq!(store.latest(1, false).unwrap()[0].doer, Doer::Us);
    assert!(store.missed().unwrap().is_empty());
}

#[test]
fn blocks_that_were_reorganised_while_it_was_away_are_told_anew() {
    let folder = folder();
    let mut store = open(&folder);
    let (stays, replaced, gone) = (
        entry(1, missed(MissedReason::Outbid)),
        entry(2, Doer::Us),
        entry(3, missed(MissedReason::Unseen)),
    );
    store
        .record(1..=3, &[stays.clone(), replaced.clone(), gone])
        .unwrap();
    // What it thought then is no longer known; what it wrote of it stays.
    let again = entry(1, missed(MissedReason::Unready));
    let instead = Entry {
        hash: alloy_primitives::B256::repeat_byte(0xee),
        ..replaced
    };
    store.record(1..=1, &[again]).unwrap();
    store.record(2..=2, std::slice::from_ref(&instead)).unwrap();
    store.record(3..=9, &[]).unwrap();
    assert_eq!(store.latest(10, false).unwrap(), [instead, stays]);
}

#[test]
fn a_receipt_that_comes_late_leaves_what_is_final() {
    let folder = folder();
    let mut store = open(&folder);
    store.order(&order(1)).unwrap();
    let realised = Realised {
        id: order(1).id,
        hash: alloy_primitives::B256::repeat_byte(8),
        block: 9,
        success: Some(true),
        gross: 20.0,
        gas: 3.0,
    };
    store.realise(&realised).unwrap();
    store.close_order(order(1).id).unwrap();
    store.realise(&realised).unwrap();
    assert_eq!(store.totals(true).unwrap().gross, 20.0);
}

#[test]
fn counts_what_the_published_ledger_depends_on() {
    let folder = folder();
    let mut store = open(&folder);
    let before = store.writes();
    store.record(1..=5, &[]).unwrap();
    assert_eq!(store.writes(), before);
    store.record(6..=6, &[entry(6, Doer::Us)]).unwrap();
    assert!(store.writes() > before);
}
