//! Accounts with one collateral, in the order in which its price reaches them.

use std::collections::BTreeSet;

use super::{MARGIN, SLOP, ordered};
use crate::mirror::{AccountId, Position};
use crate::moment::Moment;

/// (s + slop) / c as ordered bits, and the account.
pub(super) type Entry = (u64, AccountId);

/// The accounts that hold one certain collateral and nothing else.
#[derive(Clone, Debug, Default)]
pub(super) struct Single {
    by_reach: BTreeSet<Entry>,
}

/// An account's place in the order. `floor` is at most the debt per share.
pub(super) fn entry(number: AccountId, position: &Position, floor: f64) -> Entry {
    let reach = (position.debt_shares as f64 + SLOP / floor) / position.amount as f64;
    (ordered(reach), number)
}

impl Single {
    pub fn of(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable();
        Self {
            by_reach: entries.into_iter().collect(),
        }
    }

    pub fn insert(&mut self, number: AccountId, position: &Position, floor: f64) {
        self.by_reach.insert(entry(number, position, floor));
    }

    pub fn remove(&mut self, number: AccountId, position: &Position, floor: f64) {
        self.by_reach.remove(&entry(number, position, floor));
    }

    /// Every account that may be below HF_F = 1, and few others: c p < s r + slop iff (s + slop / r) / c > p / r.
    pub fn reached(&self, id: u8, moment: &Moment) -> impl Iterator<Item = AccountId> + '_ {
        let least = moment
            .priced(id)
            .zip(moment.share_price())
            .map(|(priced, share)| ordered(priced.weight / share * (1.0 - MARGIN)));
        // Without a debt nobody is below; without a price there is nothing to compare with.
        let range = least.map(|least| self.by_reach.range((least, 0)..));
        range.into_iter().flatten().map(|(_, number)| *number)
    }
}
