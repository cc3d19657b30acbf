#![allow(clippy::unwrap_used)]

use super::*;

fn address(index: u64) -> Address {
    Address::left_padding_from(&(index + 1).to_be_bytes())
}

#[test]
fn fork_shares_its_base_and_writes_nothing_down() {
    let mut state = Overlay::new(Arc::default(), B256::ZERO);
    for index in 0..100_000 {
        state.modify_info(address(index), |info| info.balance = U256::from(index + 1));
    }
    let base = state.freeze();
    assert_eq!((base.depth(), base.weight), (1, 100_000));
    let mut forks: Vec<Overlay> = (0..1_000)
        .map(|_| Overlay::new(base.clone(), B256::ZERO))
        .collect();
    // 1,000 forks of 100,000 accounts: one base, shared, and not one entry copied.
    assert_eq!(Arc::strong_count(&base), 1_002);
    assert!(forks.iter().all(|fork| fork.written.is_empty()));
    forks[7].set_slot(address(3), U256::ONE, U256::from(9));
    assert_eq!(forks[7].written.len(), 1);
    assert_eq!(forks[7].slot(address(3), U256::ONE), U256::from(9));
    assert_eq!(forks[7].info(address(3)).unwrap().balance, U256::from(4));
    assert_eq!(forks[8].slot(address(3), U256::ONE), U256::ZERO);
    // A small layer over a large one is not merged into it.
    assert_eq!(forks[7].freeze().depth(), 2);
    assert_eq!(base.weight, 100_000);
}

#[test]
fn layers_stay_logarithmically_few_and_keep_the_newest_values() {
    let mut state = Overlay::new(Arc::default(), B256::ZERO);
    let (mut deepest, mut merged) = (0, Overlay::new(Arc::default(), B256::ZERO));
    for step in 0..1_000_u64 {
        for each in [&mut state, &mut merged] {
            each.set_slot(
                address(step % 37),
                U256::from(step % 11),
                U256::from(step % 5),
            );
        }
        deepest = deepest.max(state.freeze().depth());
    }
    assert!(deepest <= 10, "{deepest}");
    assert_eq!(state.digest(), merged.digest());
    assert_eq!(
        state.slot(address(999 % 37), U256::from(999 % 11)),
        U256::from(999 % 5)
    );
}

#[test]
fn destroyed_and_created_accounts_hide_what_lies_below() {
    let mut state = Overlay::new(Arc::default(), B256::ZERO);
    let empty = state.digest();
    state.set_slot(address(0), U256::ONE, U256::from(5));
    // Heavy enough that the next layers stay on top of it.
    for index in 1..50 {
        state.set_slot(address(index), U256::ONE, U256::from(5));
    }
    state.freeze();
    let full = state.digest();

    let mut account = Account::default();
    account.mark_touch();
    account.mark_selfdestruct();
    state.commit([(address(0), account)].into_iter().collect());
    assert_eq!(state.freeze().depth(), 2);
    assert_eq!(state.slot(address(0), U256::ONE), U256::ZERO);
    assert!(state.info(address(0)).is_none());
    assert_ne!(state.digest(), full);

    let mut account = Account::default();
    account.info.nonce = 1;
    account.mark_touch();
    account.mark_created();
    state.commit([(address(0), account)].into_iter().collect());
    assert_eq!(state.slot(address(0), U256::ONE), U256::ZERO);
    assert_eq!(state.info(address(0)).unwrap().nonce, 1);
    state.freeze();
    assert_eq!(state.slot(address(0), U256::ONE), U256::ZERO);

    // The digest forgets what is gone: an account set and destroyed leaves the empty state's.
    let mut fresh = Overlay::new(Arc::default(), B256::ZERO);
    fresh.set_slot(address(0), U256::ONE, U256::from(5));
    fresh.freeze();
    let mut account = Account::default();
    account.mark_touch();
    fresh.commit([(address(0), account)].into_iter().collect());
    assert_eq!(fresh.digest(), empty);
}

#[test]
fn reads_do_not_count_as_state() {
    let mut state = Overlay::new(Arc::default(), B256::ZERO);
    state.modify_info(address(0), |info| info.nonce = 1);
    let before = state.digest();
    let mut untouched = Account::default();
    untouched.info.balance = U256::from(7);
    state.commit([(address(1), untouched)].into_iter().collect());
    assert_eq!(state.digest(), before);
}
