//! Accounts, compactly: interned addresses, one collateral inline.

use std::{fmt, hash::BuildHasher};

use alloy_primitives::{
    Address,
    map::{DefaultHashBuilder, HashMap},
};
use hashbrown::{HashTable, hash_table::Entry};

/// An account's number in its mirror: the order in which accounts appeared.
pub(crate) type AccountId = u32;

/// What an account owes and holds. Amounts of further collaterals are beside it, in [`Accounts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// Debt shares.
    pub debt_shares: u128,
    /// Base units of `primary`; 0 only if nothing is held.
    pub amount: u128,
    /// Bit i is set while collateral i is held.
    pub bitmap: u16,
    /// The collateral that `amount` is of.
    pub primary: u8,
}

impl Position {
    /// The collaterals held, ascending.
    pub fn held(&self) -> impl Iterator<Item = u8> + use<> {
        let mut rest = self.bitmap;
        std::iter::from_fn(move || {
            let id = u8::try_from(rest.trailing_zeros()).ok()?;
            rest &= rest.checked_sub(1)?;
            Some(id)
        })
    }

    /// Whether collateral `id` is held.
    pub const fn holds(&self, id: u8) -> bool {
        self.bitmap >> id & 1 != 0
    }
}

#[derive(Clone, Copy, Debug)]
struct Record {
    position: Position,
    address: Address,
}

/// All accounts that ever held or owed anything.
#[derive(Clone, Default)]
pub(crate) struct Accounts {
    records: Vec<Record>,
    numbers: HashTable<AccountId>,
    hasher: DefaultHashBuilder,
    further: HashMap<(AccountId, u8), u128>,
}

impl fmt::Debug for Accounts {
    /// Not a million of them.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Accounts")
            .field("count", &self.records.len())
            .finish_non_exhaustive()
    }
}

impl Accounts {
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Makes room, so that a table is built once.
    pub fn reserve(&mut self, count: usize) {
        self.records.reserve_exact(count);
        let (records, hasher) = (&self.records, &self.hasher);
        self.numbers
            .reserve(count, |number| hash(hasher, records, *number));
    }

    pub fn find(&self, address: &Address) -> Option<AccountId> {
        self.numbers
            .find(self.hasher.hash_one(address), |number| {
                self.records[*number as usize].address == *address
            })
            .copied()
    }

    /// The account's number, and whether it is new. `None` where there are more accounts than numbers.
    pub fn intern(&mut self, address: Address) -> Option<(AccountId, bool)> {
        let (records, hasher) = (&self.records, &self.hasher);
        let entry = self.numbers.entry(
            hasher.hash_one(address),
            |number| records[*number as usize].address == address,
            |number| hash(hasher, records, *number),
        );
        match entry {
            Entry::Occupied(entry) => Some((*entry.get(), false)),
            Entry::Vacant(entry) => {
                let number = AccountId::try_from(records.len()).ok()?;
                entry.insert(number);
                self.records.push(Record {
                    position: Position::default(),
                    address,
                });
                Some((number, true))
            }
        }
    }

    /// Forgets the account that appeared last.
    pub fn forget_last(&mut self) {
        let Some(record) = self.records.pop() else {
            return;
        };
        let number = self.records.len();
        let hash = self.hasher.hash_one(record.address);
        if let Ok(entry) = self
            .numbers
            .find_entry(hash, |other| *other as usize == number)
        {
            entry.remove();
        }
    }

    pub fn address(&self, number: AccountId) -> Address {
        self.records[number as usize].address
    }

    pub fn position(&self, number: AccountId) -> Position {
        self.records[number as usize].position
    }

    pub fn set_position(&mut self, number: AccountId, position: Position) {
        self.records[number as usize].position = position;
    }

    /// The amount held of a collateral that is not the position's primary one.
    pub fn further(&self, number: AccountId, id: u8) -> u128 {
        self.further.get(&(number, id)).copied().unwrap_or(0)
    }

    pub fn set_further(&mut self, number: AccountId, id: u8, amount: u128) {
        if amount == 0 {
            self.further.remove(&(number, id));
        } else {
            self.further.insert((number, id), amount);
        }
    }

    /// What the account holds of a collateral.
    pub fn amount(&self, number: AccountId, id: u8) -> u128 {
        let position = self.position(number);
        if !position.holds(id) {
            0
        } else if position.primary == id {
            position.amount
        } else {
            self.further(number, id)
        }
    }

    pub fn all(&self) -> impl Iterator<Item = (AccountId, Address, Position)> + '_ {
        (0..)
            .zip(&self.records)
            .map(|(number, record)| (number, record.address, record.position))
    }

    pub fn all_further(&self) -> impl Iterator<Item = (AccountId, u8, u128)> + '_ {
        self.further
            .iter()
            .map(|(&(number, id), &amount)| (number, id, amount))
    }
}

fn hash(hasher: &DefaultHashBuilder, records: &[Record], number: AccountId) -> u64 {
    hasher.hash_one(records[number as usize].address)
}
