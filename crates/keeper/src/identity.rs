//! What makes two orders the same: whose position, in which state, by which action, in which epoch. The sender takes an
//! identifier once in the life of its journal, so what is planned again after a restart or a reorg is not sent again.

use alloy_primitives::{Address, B256, U256, keccak256};

use crate::store::ActionKind;

/// Without turns there are no epochs; then a minute stands for one.
pub const DEFAULT_EPOCH_SECONDS: u64 = 60;

/// What an order is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The chain.
    pub chain_id: u64,
    /// The pool.
    pub pool: Address,
    /// What is done.
    pub kind: ActionKind,
    /// Whose position.
    pub account: Address,
    /// Which collateral.
    pub collateral: u32,
    /// The account's debt shares before: every liquidation changes them.
    pub debt_shares: U256,
    /// The epoch for which it is planned. Within it, an action on an unchanged position is the same action.
    pub epoch: u64,
}

impl Subject {
    /// The identifier.
    #[must_use]
    pub fn id(&self) -> B256 {
        let words = [
            U256::from(self.chain_id).to_be_bytes::<32>(),
            self.pool.into_word().0,
            keccak256(self.kind.name()).0,
            self.account.into_word().0,
            U256::from(self.collateral).to_be_bytes(),
            self.debt_shares.to_be_bytes(),
            U256::from(self.epoch).to_be_bytes(),
        ];
        keccak256(words.as_flattened())
    }
}

/// A number in [0, 1) for an account and a block, different for each keeper: how much of the profit it bids.
#[must_use]
pub fn draw(keeper: Address, account: Address, block: u64) -> f64 {
    let words = [
        keeper.into_word().0,
        account.into_word().0,
        U256::from(block).to_be_bytes(),
    ];
    let hash = keccak256(words.as_flattened());
    let mut head = [0; 8];
    head.copy_from_slice(&hash[..8]);
    (u64::from_be_bytes(head) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const SUBJECT: Subject = Subject {
        chain_id: 1,
        pool: Address::repeat_byte(1),
        kind: ActionKind::Liquidate,
        account: Address::repeat_byte(2),
        collateral: 0,
        debt_shares: U256::from_limbs([1_000, 0, 0, 0]),
        epoch: 5,
    };

    #[test]
    fn every_part_counts() {
        let others = [
            Subject {
                chain_id: 2,
                ..SUBJECT
            },
            Subject {
                pool: Address::repeat_byte(9),
                ..SUBJECT
            },
            Subject {
                kind: ActionKind::Settle,
                ..SUBJECT
            },
            Subject {
                kind: ActionKind::Flag,
                ..SUBJECT
            },
            Subject {
                account: Address::repeat_byte(9),
                ..SUBJECT
            },
            Subject {
                collateral: 1,
                ..SUBJECT
            },
            Subject {
                debt_shares: U256::from(999),
                ..SUBJECT
            },
            Subject {
                epoch: 6,
                ..SUBJECT
            },
        ];
        let ids: HashSet<B256> = others.iter().chain([&SUBJECT]).map(Subject::id).collect();
        assert_eq!(ids.len(), others.len() + 1);
        assert_eq!(SUBJECT.id(), { SUBJECT }.id());
    }

    #[test]
    fn draws_are_spread_and_differ_between_keepers() {
        let mean = (0..1_000)
            .map(|block| draw(Address::ZERO, SUBJECT.account, block))
            .sum::<f64>()
            / 1_000.0;
        assert!((mean - 0.5).abs() < 0.05);
        assert_ne!(
            draw(Address::ZERO, SUBJECT.account, 1),
            draw(Address::repeat_byte(1), SUBJECT.account, 1)
        );
    }
}
