//! What makes two orders the same: whose position, in which state, by which action, in which epoch, and how many orders of the same
//! ended without effect before. The sender takes an identifier once in the life of its journal, so what is planned again after a
//! restart or a reorg is not sent again; an order that reverted or ran out is not the last that the account sees in its epoch.

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
    /// The identifier of the order after `ended` ones that came to nothing.
    #[must_use]
    pub fn id(&self, ended: u64) -> B256 {
        let words = [
            U256::from(self.chain_id).to_be_bytes::<32>(),
            self.pool.into_word().0,
            keccak256(self.kind.name()).0,
            self.account.into_word().0,
            U256::from(self.collateral).to_be_bytes(),
            self.debt_shares.to_be_bytes(),
            U256::from(self.epoch).to_be_bytes(),
            U256::from(ended).to_be_bytes(),
        ];
        keccak256(words.as_flattened())
    }

    /// The identifier that an order may have now: the first that no order had, if all before it came to nothing. `None` while one of
    /// them may still have an effect, or had one: of a subject there is never more than one of those.
    ///
    /// # Errors
    /// Whatever `fate` fails with.
    pub fn free<E>(
        &self,
        mut fate: impl FnMut(B256) -> Result<Fate, E>,
    ) -> Result<Option<B256>, E> {
        for ended in 0.. {
            let id = self.id(ended);
            match fate(id)? {
                Fate::Unknown => return Ok(Some(id)),
                Fate::Spent => {}
                Fate::Taken => return Ok(None),
            }
        }
        Ok(None)
    }
}

/// What is known of an order by its identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// There never was one.
    Unknown,
    /// It came to nothing: it reverted, was cancelled or replaced, ran out, or was never sent.
    Spent,
    /// It may have an effect, or had one.
    Taken,
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
        let subjects = others.iter().chain([&SUBJECT]);
        let mut ids: HashSet<B256> = subjects.map(|subject| subject.id(0)).collect();
        ids.insert(SUBJECT.id(1));
        assert_eq!(ids.len(), others.len() + 2);
        assert_eq!(SUBJECT.id(0), { SUBJECT }.id(0));
    }

    #[test]
    fn what_came_to_nothing_leaves_the_next_identifier_and_what_did_not_none() {
        let free = |known: &[Fate]| {
            let fate = |id| {
                let place = (0..known.len() as u64).find(|&ended| SUBJECT.id(ended) == id);
                Ok::<_, ()>(place.map_or(Fate::Unknown, |place| known[place as usize]))
            };
            SUBJECT.free(fate).unwrap()
        };
        assert_eq!(free(&[]), Some(SUBJECT.id(0)));
        assert_eq!(free(&[Fate::Taken]), None);
        assert_eq!(free(&[Fate::Spent]), Some(SUBJECT.id(1)));
        assert_eq!(free(&[Fate::Spent, Fate::Spent]), Some(SUBJECT.id(2)));
        assert_eq!(free(&[Fate::Spent, Fate::Taken]), None);
        // A reorganisation takes back the revert of the first: it may have an effect again, and nothing is added to it.
        assert_eq!(free(&[Fate::Taken, Fate::Spent]), None);
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
