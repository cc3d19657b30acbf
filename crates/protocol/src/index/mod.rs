//! Which accounts a price reaches.
//!
//! Let an account owe s debt shares and hold c_i of collateral i, let r be the debt per share and p_i = F_i LT_i. In real
//! numbers it is below HF_F = 1 iff Σ c_i p_i < s r. The contracts round: with each value and each weighted value rounded down
//! and the debt rounded up to a whole unit,
//!
//! > HF_F < 1  ⟹  Σ c_i p_i < s r + [`SLOP`] n   for n collaterals,
//!
//! since ⌊⌊c p⌋ LT⌋ > c p LT − LT − 1, LT is at most 6.5536 (16 bits of basis points) and D < s r + 1 is a whole number above
//! the sum. The sets below are ordered by floating-point bounds of this; whatever they let through is decided exactly. So no
//! account is missed, and none is named wrongly.
//!
//! With one collateral, price and accrual scale all accounts alike: they are ordered by (s + slop) / c once and for all, and
//! those below are one end of the order ([`single`]). With several, the order depends on the prices' ratios, and each account
//! carries a bound on how far prices may move until it has to be looked at again ([`several`]).

mod outlook;
mod several;
mod single;

use std::collections::BTreeSet;

use alloy_primitives::map::HashMap;

pub use outlook::{DebtAtFall, Distance};
use several::Several;
use single::Single;

use crate::accrual::Market;
use crate::mirror::{AccountId, Accounts, Position};
use crate::moment::{MARGIN, Moment, SLOP, share_price};

/// Half of the price at which a pool opens its debt shares, 1,000 per base unit.
const FIRST_FLOOR: f64 = 0.0005;

/// All accounts with debt, by what they hold.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    /// r has never been below it since the sets were built: it turns base units into shares, upwards.
    floor: f64,
    /// By collateral.
    singles: Vec<Single>,
    /// By the set of collaterals held.
    several: HashMap<u16, Several>,
    /// Debt without any collateral: always below.
    bare: BTreeSet<AccountId>,
}

impl Default for Index {
    fn default() -> Self {
        Self {
            floor: FIRST_FLOOR,
            singles: Vec::new(),
            several: HashMap::default(),
            bare: BTreeSet::new(),
        }
    }
}

impl Index {
    /// Changes what an account owes or holds; amounts beside the position may have changed too.
    pub fn moved(&mut self, number: AccountId, before: &Position, after: &Position) {
        self.remove(number, before);
        self.insert(number, after);
    }

    fn remove(&mut self, number: AccountId, position: &Position) {
        if position.debt_shares == 0 {
            return;
        }
        match position.bitmap.count_ones() {
            0 => {
                self.bare.remove(&number);
            }
            1 => {
                let floor = self.floor;
                self.single(position.primary)
                    .remove(number, position, floor);
            }
            _ => {
                if let Some(several) = self.several.get_mut(&position.bitmap) {
                    several.remove(number);
                }
            }
        }
    }

    fn insert(&mut self, number: AccountId, position: &Position) {
        if position.debt_shares == 0 {
            return;
        }
        match position.bitmap.count_ones() {
            0 => {
                self.bare.insert(number);
            }
            1 => {
                let floor = self.floor;
                self.single(position.primary)
                    .insert(number, position, floor);
            }
            _ => self
                .several
                .entry(position.bitmap)
                .or_insert_with(|| Several::of(position.bitmap))
                .insert(number),
        }
    }

    fn single(&mut self, id: u8) -> &mut Single {
        let place = usize::from(id);
        if self.singles.len() <= place {
            self.singles.resize_with(place + 1, Single::default);
        }
        &mut self.singles[place]
    }

    /// Debt shares never get much cheaper: only rounding and a market that starts anew lower r. If they do, the slop is worth
    /// more shares, and the sets are built again.
    pub fn share_price_moved(&mut self, market: &Market, accounts: &Accounts) {
        let Some(price) = share_price(market) else {
            return;
        };
        if price < self.floor {
            self.floor = price / 2.0;
            self.rebuild(accounts);
        }
    }

    /// Builds all sets.
    pub fn rebuild(&mut self, accounts: &Accounts) {
        let floor = self.floor;
        *self = Self {
            floor,
            ..Self::default()
        };
        let mut singles: Vec<Vec<single::Entry>> = Vec::new();
        for (number, _, position) in accounts.all() {
            if position.debt_shares == 0 || position.bitmap.count_ones() != 1 {
                self.insert(number, &position);
                continue;
            }
            let place = usize::from(position.primary);
            if singles.len() <= place {
                singles.resize_with(place + 1, Vec::new);
            }
            singles[place].push(single::entry(number, &position, floor));
        }
        // From sorted entries, which is several times faster than one by one, and fills the nodes.
        self.singles = singles.into_iter().map(Single::of).collect();
    }

    /// Exactly the accounts below HF_F = 1.
    pub fn candidates(&mut self, moment: &Moment, accounts: &Accounts) -> Vec<AccountId> {
        let mut below = self.certain(moment, accounts);
        for several in self.several.values_mut() {
            several.candidates(moment, accounts, self.floor, &mut below);
        }
        below
    }

    /// The same without learning from it: for prices that are only supposed.
    fn suppose(&self, moment: &Moment, accounts: &Accounts) -> Vec<AccountId> {
        let mut below = self.certain(moment, accounts);
        let mut reached = Vec::new();
        for several in self.several.values() {
            several.suppose(moment, &mut reached);
        }
        let is_below = |number: &AccountId| moment.is_below_one(accounts, *number) == Some(true);
        below.extend(reached.into_iter().filter(is_below));
        below
    }

    /// Those below with at most one collateral.
    fn certain(&self, moment: &Moment, accounts: &Accounts) -> Vec<AccountId> {
        let mut below: Vec<_> = self.bare.iter().copied().collect();
        for (id, single) in (0_u8..).zip(&self.singles) {
            let reached = single.reached(id, moment);
            below.extend(
                reached.filter(|number| moment.is_below_one(accounts, *number) == Some(true)),
            );
        }
        below
    }
}

/// A float that is not negative, as an integer of the same order.
fn ordered(value: f64) -> u64 {
    if value > 0.0 { value.to_bits() } else { 0 }
}
