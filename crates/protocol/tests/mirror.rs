//! Blocks, ranges, going back and snapshots, with logs written by hand.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use alloy_primitives::{Address, B256, U256};
use breakwater_bindings::{DampedPolicy, LendingPool};
use breakwater_protocol::policy::BreakerLevel;
use breakwater_protocol::{
    BlockRef, Description, LogError, Mirror, MirrorError, MirroredPolicy, Reading, SnapshotError,
    ViewError,
};
use support::{Feeder, POLICY, POOL, account, description, log, policy_log, price};

fn populated() -> Feeder {
    let mut feeder = Feeder::new(3);
    feeder.set_market(10_u128.pow(24), 10_u128.pow(27));
    for number in 0..20 {
        feeder.set_debt(account(number), 10_u128.pow(21));
        feeder.set_collateral(account(number), number % 3, 10_u128.pow(18));
    }
    feeder.block();
    feeder
}

fn flagged(account: Address, since: u64) -> alloy_primitives::Log {
    policy_log(&DampedPolicy::Flagged {
        pool: POOL,
        account,
        collateralId: U256::ZERO,
        since: U256::from(since),
        cumulative: U256::from(77),
    })
}

#[test]
fn goes_back_sixty_four_blocks_and_no_further() {
    let mut feeder = populated();
    let mut snapshots = Vec::new();
    for number in 0..70 {
        snapshots.push((*feeder.mirror.head(), feeder.mirror.snapshot_state()));
        feeder.set_debt(account(number % 25), 1_000 + u128::from(number));
        feeder.set_collateral(account(number % 5), number % 3, u128::from(number % 2) * 50);
        feeder.logs.push(flagged(account(number % 7), number + 1));
        feeder.block();
    }
    assert_eq!(feeder.mirror.blocks().count(), 65);
    let (old, _) = snapshots[70 - 65];
    let refused = feeder.mirror.rewind(old.number, old.hash).unwrap_err();
    assert!(matches!(refused, MirrorError::UnknownBlock { number, .. } if number == old.number));
    let (other, _) = snapshots[60];
    let refused = feeder.mirror.rewind(other.number, B256::repeat_byte(1));
    assert!(matches!(refused, Err(MirrorError::UnknownBlock { .. })));

    let head = *feeder.mirror.head();
    let nothing = feeder.mirror.rewind(head.number, head.hash).unwrap();
    assert_eq!(nothing, breakwater_protocol::Changes::default());
    let (block, state) = snapshots[70 - 64].clone();
    let changes = feeder.mirror.rewind(block.number, block.hash).unwrap();
    assert_eq!(*feeder.mirror.head(), block);
    assert_eq!(feeder.mirror.snapshot_state(), state);
    assert!(!changes.accounts.is_empty() && changes.accounts.is_sorted_by(|a, b| a < b));
}

/// What of a mirror is its pool's: everything but the blocks that it can go back to.
trait State {
    fn snapshot_state(&self) -> String;
}

impl State for Mirror {
    fn snapshot_state(&self) -> String {
        let accounts: Vec<_> = self
            .accounts()
            .map(|account| {
                let held: Vec<_> = (0..3).map(|id| self.collateral_of(&account, id)).collect();
                let flag = self.policy_state().flag(account, 0);
                (account, self.debt_shares_of(&account), held, flag)
            })
            .collect();
        let market = self.market_state_at(self.head().timestamp);
        format!(
            "{:?} {market:?} {:?} {:?} {accounts:?}",
            self.head(),
            self.settings(),
            self.collaterals()
        )
    }
}

#[test]
fn a_large_snapshot_is_written_in_small_pieces() {
    let mut feeder = Feeder::new(3);
    feeder.set_market(10_u128.pow(24), 10_u128.pow(27));
    for number in 0..5_000_u64 {
        let mut bytes = [7; 20];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        let owner = Address::from(bytes);
        feeder.set_debt(owner, 10_u128.pow(21) + u128::from(number));
        feeder.set_collateral(owner, number % 3, 10_u128.pow(18));
        feeder.set_collateral(owner, (number + 1) % 3, 10_u128.pow(17));
    }
    feeder.block();
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let written = feeder.mirror.write_snapshot(|piece| {
        pieces.push(piece.to_vec());
        Ok::<_, std::convert::Infallible>(())
    });
    assert!(written.is_ok() && pieces.len() > 5);
    // The last block's changes, which are undone together, are one piece.
    let longest = pieces.iter().rev().skip(2).map(Vec::len).max().unwrap();
    assert!(longest < 100_000, "{longest}");
    let whole = pieces.concat();
    assert_eq!(whole.len(), feeder.mirror.snapshot_length());
    assert_eq!(whole, feeder.mirror.snapshot());
    let restored = Mirror::restore(&whole, &description()).unwrap();
    assert_eq!(restored.snapshot(), whole);

    // The first failure ends it.
    let mut put = 0;
    let failed = feeder.mirror.write_snapshot(|_| {
        put += 1;
        if put == 3 { Err("full") } else { Ok(()) }
    });
    assert_eq!((failed, put), (Err("full"), 3));
}

#[test]
fn blocks_that_do_not_follow_are_refused() {
    let mut feeder = populated();
    let next = feeder.next_block(12);
    let state = feeder.mirror.snapshot();
    for block in [
        BlockRef {
            number: next.number + 1,
            ..next
        },
        BlockRef {
            number: next.number - 1,
            ..next
        },
        BlockRef {
            parent_hash: B256::ZERO,
            ..next
        },
    ] {
        let refused = feeder.mirror.apply_block(&block, []).unwrap_err();
        assert!(matches!(refused, MirrorError::NotNext { number, .. } if number == block.number));
    }
    assert!(feeder.mirror.snapshot() == state);
    feeder.mirror.apply_block(&next, []).unwrap();
}

#[test]
fn logs_that_no_pool_emits_are_refused_with_the_reason_and_leave_nothing() {
    let mut feeder = populated();
    let block = feeder.next_block(12);
    let state = feeder.mirror.snapshot();
    let supplied = |collateral: u64, amount: U256| {
        log(&LendingPool::CollateralSupplied {
            collateralId: U256::from(collateral),
            account: account(500),
            caller: account(500),
            amount,
            balanceAfter: amount,
        })
    };
    let mut cut = supplied(0, U256::ONE);
    cut.data.data = cut.data.data.slice(..40);
    let mut unknown = supplied(0, U256::ONE);
    unknown.data =
        alloy_primitives::LogData::new_unchecked(vec![B256::repeat_byte(8)], Default::default());
    let mut alien_policy = flagged(account(1), 1);
    alien_policy.data.topics_mut_unchecked()[0] = B256::repeat_byte(8);
    let negative = log(&LendingPool::CollateralWithdrawn {
        collateralId: U256::ZERO,
        account: account(1),
        caller: account(1),
        receiver: account(1),
        amount: U256::from(u128::MAX),
        balanceAfter: U256::ZERO,
    });
    for (bad, expected) in [
        (cut, "undecodable"),
        (unknown, "undecodable"),
        (alien_policy, "undecodable"),
        (supplied(3, U256::ONE), "contradiction"),
        (supplied(99, U256::ONE), "out of range"),
        (supplied(0, U256::MAX), "out of range"),
        (negative, "contradiction"),
        (flagged(account(1), u64::MAX), "policy"),
    ] {
        let logs = [supplied(1, U256::from(5)), flagged(account(600), 3), bad];
        let error = feeder.mirror.apply_block(&block, &logs).unwrap_err();
        let MirrorError::Log {
            index: 2, source, ..
        } = error
        else {
            panic!("{error}");
        };
        let kind = match source {
            LogError::Undecodable { .. } => "undecodable",
            LogError::OutOfRange { .. } => "out of range",
            LogError::Contradiction { .. } => "contradiction",
            LogError::Policy(_) => "policy",
        };
        assert_eq!(kind, expected);
        assert!(feeder.mirror.snapshot() == state);
    }
    // Of others, nothing is known and nothing is asked.
    let mut foreign = flagged(account(1), 1);
    foreign.address = Address::repeat_byte(0x77);
    let mut other_pool = policy_log(&DampedPolicy::SeedUpdated {
        pool: Address::repeat_byte(0x78),
        rotation: U256::ONE,
        anchor: U256::ONE,
        seed: U256::ONE,
    });
    other_pool.address = POLICY;
    let changes = feeder
        .mirror
        .apply_block(&block, &[foreign, other_pool])
        .unwrap();
    assert_eq!(changes, breakwater_protocol::Changes::default());
}

#[test]
fn a_range_is_the_same_as_its_blocks_and_ends_what_can_be_undone() {
    let mut one_by_one = populated();
    let mut at_once = one_by_one.mirror.clone();
    let first = *at_once.head();
    let mut blocks = Vec::new();
    for number in 0..10 {
        if number % 2 == 0 {
            one_by_one.set_debt(account(number), 5);
            one_by_one.set_collateral(account(number + 30), 1, 7);
        }
        let logs = one_by_one.logs.clone();
        one_by_one.block();
        let head = one_by_one.mirror.head();
        if !logs.is_empty() {
            blocks.push((head.number, head.timestamp, logs));
        }
    }
    let last = *one_by_one.mirror.head();
    let borrowed = || {
        blocks
            .iter()
            .map(|(number, timestamp, logs)| (*number, *timestamp, logs))
    };
    let backwards: Vec<_> = borrowed().rev().collect();
    let refused = at_once.apply_range(backwards, &last);
    assert!(matches!(refused, Err(MirrorError::RangeOrder { .. })));
    let refused = at_once.apply_range(borrowed(), &first);
    assert!(matches!(refused, Err(MirrorError::RangeOrder { .. })));
    at_once.apply_range(borrowed(), &last).unwrap();
    assert_eq!(at_once.snapshot_state(), one_by_one.mirror.snapshot_state());
    assert_eq!(at_once.blocks().collect::<Vec<_>>(), [&last]);
    assert!(at_once.rewind(first.number, first.hash).is_err());
}

#[test]
fn another_policy_is_announced_described_and_undone() {
    let mut feeder = populated();
    feeder.logs.push(flagged(account(1), 9));
    feeder.block();
    let before = *feeder.mirror.head();
    let other = Address::repeat_byte(0x22);
    let block = feeder.next_block(12);
    let set = log(&LendingPool::PolicySet { policy: other });
    let changes = feeder.mirror.apply_block(&block, [&set]).unwrap();
    assert_eq!(changes.policy_set, Some(other));
    assert!(changes.configuration && !feeder.mirror.policy_known());
    let moment = feeder
        .mirror
        .moment(&[Reading::flat(price(1)); 3], block.timestamp)
        .unwrap();
    let request =
        |mirror: &Mirror| mirror.request(&account(0), 0, U256::MAX, &moment, BreakerLevel::Normal);
    assert!(
        matches!(request(&feeder.mirror), Err(ViewError::PolicyUnknown { actual, .. }) if actual == other)
    );

    let described = MirroredPolicy {
        address: other,
        needs_confirmation: false,
    };
    let mut history = flagged(account(2), 5);
    history.address = other;
    feeder
        .mirror
        .describe_policy(described, [(1, &history)])
        .unwrap();
    assert!(feeder.mirror.policy_known());
    assert_eq!(feeder.mirror.policy_state().flag(account(1), 0).since, 0);
    assert_eq!(feeder.mirror.policy_state().flag(account(2), 0).since, 5);
    let asked = request(&feeder.mirror).unwrap();
    assert_eq!(asked.health_confirmed, asked.health_fast);

    // Through a snapshot too, what was before comes back.
    let bytes = feeder.mirror.snapshot();
    let mut restored = Mirror::restore(&bytes, &description()).unwrap();
    for mirror in [&mut feeder.mirror, &mut restored] {
        let changes = mirror.rewind(before.number, before.hash).unwrap();
        assert_eq!(changes.policy_set, Some(POLICY));
        assert!(mirror.policy_known() && mirror.description() == description());
        assert_eq!(mirror.policy_state().flag(account(1), 0).since, 9);
        assert_eq!(mirror.policy_state().flag(account(2), 0).since, 0);
    }
}

#[test]
fn cash_is_corrected_and_the_correction_undone() {
    let mut feeder = populated();
    let before = feeder.mirror.market_state_at(feeder.timestamp()).cash;
    let block = *feeder.mirror.head();
    feeder.block();
    feeder.mirror.correct_cash(before + 1_000);
    assert_eq!(
        feeder.mirror.market_state_at(feeder.timestamp()).cash,
        before + 1_000
    );
    feeder.mirror.rewind(block.number, block.hash).unwrap();
    assert_eq!(
        feeder.mirror.market_state_at(feeder.timestamp()).cash,
        before
    );
}

#[test]
fn views_say_what_they_miss() {
    let feeder = populated();
    let now = feeder.timestamp();
    let readings = [Reading::flat(price(1)); 2];
    let missing = feeder.mirror.moment(&readings, now).unwrap_err();
    assert_eq!(
        missing,
        ViewError::MissingReading {
            collateral_id: 2,
            listed: 3
        }
    );
    let past = feeder
        .mirror
        .moment(&[Reading::flat(price(1)); 3], now - 1)
        .unwrap_err();
    assert_eq!(
        past,
        ViewError::Past {
            timestamp: now - 1,
            last_accrual: now
        }
    );
}

#[test]
fn damaged_foreign_and_future_snapshots_are_refused() {
    let mut feeder = populated();
    feeder.logs.push(flagged(account(1), 9));
    feeder.block();
    let bytes = feeder.mirror.snapshot();
    let restore =
        |bytes: &[u8]| Mirror::restore(bytes, &description()).map(|mirror| mirror.snapshot());
    assert!(restore(&bytes).unwrap() == bytes);
    assert_eq!(restore(b"").unwrap_err(), SnapshotError::NotASnapshot);
    assert_eq!(
        restore(&bytes[1..]).unwrap_err(),
        SnapshotError::NotASnapshot
    );
    let cut = restore(&bytes[..bytes.len() - 1]).unwrap_err();
    assert!(matches!(cut, SnapshotError::Length { .. }));
    let mut future = bytes.clone();
    future[8] += 1;
    assert_eq!(
        restore(&future).unwrap_err(),
        SnapshotError::Version { found: 2, known: 1 }
    );
    for place in (20..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        assert_eq!(
            restore(&damaged).unwrap_err(),
            SnapshotError::Checksum,
            "byte {place}"
        );
    }
    let elsewhere = Description {
        chain_id: 5,
        ..description()
    };
    let foreign = Mirror::restore(&bytes, &elsewhere).unwrap_err();
    assert_eq!(
        foreign,
        SnapshotError::OtherPool {
            chain_id: 31_337,
            pool: POOL
        }
    );
}

#[test]
fn no_content_with_a_right_checksum_makes_it_panic() {
    let mut feeder = populated();
    feeder.logs.push(flagged(account(1), 9));
    feeder.block();
    let bytes = feeder.mirror.snapshot();
    let mut restored = 0;
    for place in 20..bytes.len() - 32 {
        let mut forged = bytes[..bytes.len() - 32].to_vec();
        forged[place] ^= 0x81;
        let checksum = alloy_primitives::keccak256(&forged);
        forged.extend_from_slice(checksum.as_slice());
        if let Ok(mut mirror) = Mirror::restore(&forged, &description()) {
            // What was restored can be used and undone.
            let head = *mirror.head();
            let readings = vec![Reading::flat(price(1_000_000)); mirror.collaterals().len()];
            if let Ok(moment) = mirror.moment(&readings, u64::MAX) {
                mirror.candidates(&moment);
            }
            let oldest = *mirror.blocks().next().unwrap();
            mirror.rewind(oldest.number, oldest.hash).unwrap();
            restored += u64::from(head.number != 0);
        }
    }
    assert!(restored > 100);
}

/// Anybody may call the policy from an address of his own, for 55,000 gas, and have it say anything about that address.
#[test]
fn what_the_policy_says_of_another_pool_is_ignored_whatever_it_is() {
    let mut feeder = populated();
    let pool = Address::repeat_byte(0x66);
    let most = U256::MAX;
    feeder.logs.extend([
        policy_log(&DampedPolicy::Flagged {
            pool,
            account: account(1),
            collateralId: most,
            since: most,
            cumulative: most,
        }),
        policy_log(&DampedPolicy::BucketUpdated {
            pool,
            collateralId: most,
            level: most,
            depth: most,
        }),
        policy_log(&DampedPolicy::DepthObserved {
            pool,
            collateralId: most,
            at: most,
            opening: true,
            floor: most,
            reading: most,
        }),
        policy_log(&DampedPolicy::AccountEpochUpdated {
            pool,
            account: account(1),
            epoch: most,
            gasPaid: most,
            debt: most,
            used: most,
        }),
        policy_log(&DampedPolicy::SeedUpdated {
            pool,
            rotation: most,
            anchor: most,
            seed: most,
        }),
    ]);
    feeder.block();
    assert_eq!(
        feeder.mirror.policy_state().flag(account(1), 0),
        Default::default()
    );
}
