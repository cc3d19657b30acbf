//! Accounts with the same set of several collaterals.
//!
//! Each account was last looked at in some *epoch*, at reference prices p_i⁰ and a reference r⁰, when R = Σ c_i p_i⁰ / (s r⁰).
//! With m the least p_i / p_i⁰ over the set, Σ c_i p_i >= m Σ c_i p_i⁰, so whoever is below HF_F = 1 now has
//!
//! > R / (1 + slop / s) <= (r / r⁰) / m,
//!
//! the same right-hand side for all accounts of the epoch: an ordered set, of which one end is looked at. In logarithms it is a
//! heap keyed by the distance that the worst price may move. Accounts that were looked at in vain go over to a new epoch at
//! present prices, where their distance is exact; so prices that go to and fro, or that have moved far since an epoch began,
//! cost no more than those that move for the first time.

use std::collections::BTreeSet;

use alloy_primitives::map::HashMap;

use super::{MARGIN, SLOP, ordered};
use crate::mirror::{AccountId, Accounts};
use crate::moment::Moment;

/// The most epochs beside each other; each is one search a block.
const MOST_EPOCHS: usize = 8;

/// As many accounts looked at in vain are not worth a new epoch.
const TOLERATED: usize = 32;

/// How far, relatively, prices may be from an epoch's reference for accounts to be added to it.
const NEAR: f64 = 0.002;

#[derive(Clone, Debug)]
struct Epoch {
    number: u32,
    /// p_i⁰ by collateral; 0 for those that are not in the set.
    weights: Vec<f64>,
    /// r⁰.
    share_price: f64,
    by_distance: BTreeSet<(u64, AccountId)>,
}

/// Where an account is.
#[derive(Clone, Copy, Debug)]
struct Slot {
    epoch: u32,
    key: u64,
}

/// All accounts with one certain set of collaterals.
#[derive(Clone, Debug)]
pub(super) struct Several {
    bitmap: u16,
    epochs: Vec<Epoch>,
    next_epoch: u32,
    slots: HashMap<AccountId, Slot>,
    /// New or changed since the last look.
    pending: BTreeSet<AccountId>,
}

impl Several {
    pub fn of(bitmap: u16) -> Self {
        Self {
            bitmap,
            epochs: Vec::new(),
            next_epoch: 0,
            slots: HashMap::default(),
            pending: BTreeSet::new(),
        }
    }

    pub fn insert(&mut self, number: AccountId) {
        self.pending.insert(number);
    }

    pub fn remove(&mut self, number: AccountId) {
        self.pending.remove(&number);
        let Some(slot) = self.slots.remove(&number) else {
            return;
        };
        if let Some(epoch) = self.epochs.iter_mut().find(|e| e.number == slot.epoch) {
            epoch.by_distance.remove(&(slot.key, number));
        }
    }

    /// Those that may be below HF_F = 1 at prices that are only supposed.
    pub fn suppose(&self, moment: &Moment, reached: &mut Vec<AccountId>) {
        reached.extend(&self.pending);
        for epoch in &self.epochs {
            reached.extend(epoch.reached(self.bitmap, moment));
        }
    }

    /// Those below HF_F = 1, found and added to `below`; the others that were looked at are put where they are not looked at
    /// again soon.
    pub fn candidates(
        &mut self,
        moment: &Moment,
        accounts: &Accounts,
        floor: f64,
        below: &mut Vec<AccountId>,
    ) {
        let mut vain = Vec::new();
        for epoch in &self.epochs {
            for number in epoch.reached(self.bitmap, moment) {
                if moment.is_below_one(accounts, number) == Some(true) {
                    below.push(number);
                } else {
                    vain.push(number);
                }
            }
        }
        let pending = std::mem::take(&mut self.pending);
        let found = |number: &AccountId| moment.is_below_one(accounts, *number) == Some(true);
        below.extend(pending.iter().copied().filter(found));

        if vain.len() > TOLERATED {
            self.begin_epoch(moment);
            for number in vain {
                self.place(number, accounts, floor);
            }
        } else if !pending.is_empty() && !self.near_the_last(moment) {
            self.begin_epoch(moment);
        }
        for number in pending {
            self.place(number, accounts, floor);
        }
        self.merge(accounts, floor);
    }

    fn near_the_last(&self, moment: &Moment) -> bool {
        self.epochs.last().is_some_and(|epoch| {
            let distance = epoch.least_ratio(self.bitmap, moment);
            (1.0 - NEAR..1.0 + NEAR).contains(&distance)
        })
    }

    fn begin_epoch(&mut self, moment: &Moment) {
        let weights = (0..moment.collateral_count())
            .map(|id| {
                let id = u8::try_from(id).unwrap_or(u8::MAX);
                let held = id < 16 && self.bitmap >> id & 1 != 0;
                moment.priced(id).filter(|_| held).map_or(0.0, |p| p.weight)
            })
            .collect();
        self.epochs.push(Epoch {
            number: self.next_epoch,
            weights,
            share_price: moment.share_price().unwrap_or(1.0),
            by_distance: BTreeSet::new(),
        });
        self.next_epoch = self.next_epoch.wrapping_add(1);
    }

    /// Puts an account into the last epoch.
    fn place(&mut self, number: AccountId, accounts: &Accounts, floor: f64) {
        self.remove(number);
        let Some(epoch) = self.epochs.last_mut() else {
            self.pending.insert(number);
            return;
        };
        let key = epoch.key(number, accounts, floor);
        epoch.by_distance.insert((key, number));
        let slot = Slot {
            epoch: epoch.number,
            key,
        };
        self.slots.insert(number, slot);
    }

    /// Drops empty epochs and moves the smallest of too many into the last.
    fn merge(&mut self, accounts: &Accounts, floor: f64) {
        let last = self.epochs.last().map(|epoch| epoch.number);
        self.epochs
            .retain(|epoch| !epoch.by_distance.is_empty() || Some(epoch.number) == last);
        if self.epochs.len() <= MOST_EPOCHS {
            return;
        }
        let older = self.epochs.len() - 1;
        let smallest = (0..older).min_by_key(|place| self.epochs[*place].by_distance.len());
        let Some(smallest) = smallest else { return };
        for (_, number) in self.epochs.remove(smallest).by_distance {
            self.place(number, accounts, floor);
        }
    }
}

impl Epoch {
    /// R / (1 + slop / s), or less.
    fn key(&self, number: AccountId, accounts: &Accounts, floor: f64) -> u64 {
        let position = accounts.position(number);
        let (mut value, mut slop) = (0.0, 0.0);
        for id in position.held() {
            let weight = self.weights.get(usize::from(id)).copied().unwrap_or(0.0);
            value += accounts.amount(number, id) as f64 * weight;
            slop += SLOP / floor;
        }
        let shares = position.debt_shares as f64;
        ordered(value / (self.share_price * (shares + slop)))
    }

    /// (m / (r / r⁰)): what the worst price makes of a health factor at the reference.
    fn least_ratio(&self, bitmap: u16, moment: &Moment) -> f64 {
        let mut least = f64::INFINITY;
        for (id, weight) in (0_u8..).zip(&self.weights) {
            // What was worth nothing is not counted in R, and can only have gained.
            if bitmap >> id & 1 != 0 && *weight > 0.0 {
                let now = moment.priced(id).map_or(0.0, |priced| priced.weight);
                least = least.min(now / weight);
            }
        }
        least * self.share_price / moment.share_price().unwrap_or(self.share_price)
    }

    fn reached(&self, bitmap: u16, moment: &Moment) -> impl Iterator<Item = AccountId> + '_ {
        let limit = (1.0 + MARGIN) / self.least_ratio(bitmap, moment);
        // Infinite where a collateral became worthless, 0 where none was worth anything: then all have R = 0.
        let end = (ordered(limit), AccountId::MAX);
        self.by_distance.range(..=end).map(|(_, number)| *number)
    }
}
