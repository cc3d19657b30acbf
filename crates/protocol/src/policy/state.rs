//! What a damped policy stores for one pool, and the changes that its events tell.

use alloy_primitives::{Address, U256, map::HashMap};
use breakwater_bindings::DampedPolicy::{
    AccountEpochUpdated, BucketUpdated, DampedPolicyEvents, DepthObserved, Flagged, SeedUpdated,
};
use thiserror::Error;

/// Where an account's bonus auction for a collateral is counted from. Default: it never began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag {
    /// Unix seconds, 40 bits; 0 if it never began.
    pub since: u64,
    /// The price accumulator at that time without its 40 low bits, 216 bits.
    pub cumulative: U256,
}

/// One collateral's volume bucket. Default: never used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    /// Seconds modulo 2^32 of the last update.
    pub updated_at: u32,
    /// Volume that may be sold, base units of the debt token, 112 bits.
    pub level: u128,
    /// The average depth that sets cap and refill until the next update, base units, 112 bits; 0 before the first.
    pub depth: u128,
}

/// What was last seen of a bucket's market. Default: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DepthObservation {
    /// Seconds modulo 2^32 of the observation.
    pub at: u32,
    /// Whether it is the bucket's first, which nothing confirms yet.
    pub opening: bool,
    /// The least depth assumed then, or the least of it shown since; base units, 104 bits.
    pub floor: u128,
    /// The venue's depth then, base units, 104 bits.
    pub reading: u128,
}

/// What an account used of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccountEpoch {
    /// The epoch that all the rest belongs to, modulo 2^32.
    pub epoch: u32,
    /// The share of the gas of one liquidation that bonuses have paid in it, in parts of 1e9.
    pub gas_paid: u32,
    /// D at the account's first sliced liquidation of that epoch, base units; 0 before.
    pub debt: u128,
    /// What was repaid of it since, WAD.
    pub used: u64,
}

/// A rotation's seed, or the promise of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seed {
    /// The rotation it belongs to, modulo 2^32.
    pub rotation: u32,
    /// The block whose hash is the seed.
    pub anchor: u64,
    /// The hash's low 160 bits once stored; 0 before.
    pub seed: U256,
}

/// What is stored that one decision reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// Of the account and the collateral.
    pub flag: Flag,
    /// Of the collateral.
    pub bucket: Bucket,
    /// Of the collateral.
    pub observation: DepthObservation,
    /// Of the account.
    pub account: AccountEpoch,
    /// Of the pool.
    pub seed: Seed,
}

/// One slot's new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// An auction began, began anew or was moved up.
    Flag {
        /// The position's owner.
        account: Address,
        /// The collateral to be seized.
        collateral_id: u64,
        /// The new value.
        flag: Flag,
    },
    /// A bucket after a call.
    Bucket {
        /// The collateral.
        collateral_id: u64,
        /// The new value.
        bucket: Bucket,
    },
    /// What a bucket last saw of its market.
    Observation {
        /// The collateral.
        collateral_id: u64,
        /// The new value.
        observation: DepthObservation,
    },
    /// An account's epoch after a call.
    Account {
        /// The position's owner.
        account: Address,
        /// The new value.
        epoch: AccountEpoch,
    },
    /// An anchor was named or a seed stored.
    Seed(Seed),
}

/// An event says what no damped policy stores.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{event}: {field} = {value} does not fit its slot")]
pub struct UnexpectedEvent {
    /// The event's name.
    pub event: &'static str,
    /// The field.
    pub field: &'static str,
    /// Its value.
    pub value: U256,
}

/// A field of an event as the type that its slot has.
fn field<T: TryFrom<U256>>(
    event: &'static str,
    field: &'static str,
    value: U256,
    bits: usize,
) -> Result<T, UnexpectedEvent> {
    let unexpected = UnexpectedEvent {
        event,
        field,
        value,
    };
    if value.bit_len() > bits {
        return Err(unexpected);
    }
    T::try_from(value).map_err(|_| unexpected)
}

impl Write {
    /// What an event of a damped policy says was stored, and the pool that it was stored for. `timestamp` is that of the
    /// event's block, which a bucket's event leaves out.
    ///
    /// # Errors
    /// [`UnexpectedEvent`] for a value that no damped policy would store.
    pub fn from_event(
        event: &DampedPolicyEvents,
        timestamp: u64,
    ) -> Result<(Address, Self), UnexpectedEvent> {
        Ok(match event {
            DampedPolicyEvents::Flagged(event) => (event.pool, Self::from_flagged(event)?),
            DampedPolicyEvents::BucketUpdated(event) => {
                (event.pool, Self::from_bucket(event, timestamp)?)
            }
            DampedPolicyEvents::DepthObserved(event) => (event.pool, Self::from_depth(event)?),
            DampedPolicyEvents::AccountEpochUpdated(event) => {
                (event.pool, Self::from_account(event)?)
            }
            DampedPolicyEvents::SeedUpdated(event) => (event.pool, Self::from_seed(event)?),
        })
    }

    fn from_flagged(event: &Flagged) -> Result<Self, UnexpectedEvent> {
        let name = "Flagged";
        Ok(Self::Flag {
            account: event.account,
            collateral_id: field(name, "collateralId", event.collateralId, 64)?,
            flag: Flag {
                since: field(name, "since", event.since, 40)?,
                cumulative: field(name, "cumulative", event.cumulative, 216)?,
            },
        })
    }

    fn from_bucket(event: &BucketUpdated, timestamp: u64) -> Result<Self, UnexpectedEvent> {
        let name = "BucketUpdated";
        Ok(Self::Bucket {
            collateral_id: field(name, "collateralId", event.collateralId, 64)?,
            bucket: Bucket {
                updated_at: timestamp as u32,
                level: field(name, "level", event.level, 112)?,
                depth: field(name, "depth", event.depth, 112)?,
            },
        })
    }

    fn from_depth(event: &DepthObserved) -> Result<Self, UnexpectedEvent> {
        let name = "DepthObserved";
        Ok(Self::Observation {
            collateral_id: field(name, "collateralId", event.collateralId, 64)?,
            observation: DepthObservation {
                at: field(name, "at", event.at, 32)?,
                opening: event.opening,
                floor: field(name, "floor", event.floor, 104)?,
                reading: field(name, "reading", event.reading, 104)?,
            },
        })
    }

    fn from_account(event: &AccountEpochUpdated) -> Result<Self, UnexpectedEvent> {
        let name = "AccountEpochUpdated";
        Ok(Self::Account {
            account: event.account,
            epoch: AccountEpoch {
                epoch: field(name, "epoch", event.epoch, 32)?,
                gas_paid: field(name, "gasPaid", event.gasPaid, 32)?,
                debt: field(name, "debt", event.debt, 128)?,
                used: field(name, "used", event.used, 64)?,
            },
        })
    }

    fn from_seed(event: &SeedUpdated) -> Result<Self, UnexpectedEvent> {
        let name = "SeedUpdated";
        Ok(Self::Seed(Seed {
            rotation: field(name, "rotation", event.rotation, 32)?,
            anchor: field(name, "anchor", event.anchor, 64)?,
            seed: field(name, "seed", event.seed, 160)?,
        }))
    }
}

/// Everything that a damped policy stores for one pool. What was never written reads as its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyState {
    flags: HashMap<(Address, u64), Flag>,
    buckets: HashMap<u64, Bucket>,
    observations: HashMap<u64, DepthObservation>,
    accounts: HashMap<Address, AccountEpoch>,
    seed: Seed,
}

impl PolicyState {
    /// Where the auction of an account for a collateral is counted from.
    #[must_use]
    pub fn flag(&self, account: Address, collateral_id: u64) -> Flag {
        read(&self.flags, &(account, collateral_id))
    }

    /// A collateral's bucket as stored.
    #[must_use]
    pub fn bucket(&self, collateral_id: u64) -> Bucket {
        read(&self.buckets, &collateral_id)
    }

    /// What a collateral's bucket last saw of its market.
    #[must_use]
    pub fn observation(&self, collateral_id: u64) -> DepthObservation {
        read(&self.observations, &collateral_id)
    }

    /// What an account used of an epoch.
    #[must_use]
    pub fn account(&self, account: Address) -> AccountEpoch {
        read(&self.accounts, &account)
    }

    /// The pool's seed record.
    #[must_use]
    pub const fn seed(&self) -> Seed {
        self.seed
    }

    /// What a decision about an account and a collateral reads.
    #[must_use]
    pub fn slots(&self, account: Address, collateral_id: u64) -> Slots {
        Slots {
            flag: self.flag(account, collateral_id),
            bucket: self.bucket(collateral_id),
            observation: self.observation(collateral_id),
            account: self.account(account),
            seed: self.seed,
        }
    }

    /// Stores a slot and returns the write that undoes it.
    pub fn apply(&mut self, write: Write) -> Write {
        match write {
            Write::Flag {
                account,
                collateral_id,
                flag,
            } => Write::Flag {
                account,
                collateral_id,
                flag: replace(&mut self.flags, (account, collateral_id), flag),
            },
            Write::Bucket {
                collateral_id,
                bucket,
            } => Write::Bucket {
                collateral_id,
                bucket: replace(&mut self.buckets, collateral_id, bucket),
            },
            Write::Observation {
                collateral_id,
                observation,
            } => Write::Observation {
                collateral_id,
                observation: replace(&mut self.observations, collateral_id, observation),
            },
            Write::Account { account, epoch } => Write::Account {
                account,
                epoch: replace(&mut self.accounts, account, epoch),
            },
            Write::Seed(seed) => Write::Seed(std::mem::replace(&mut self.seed, seed)),
        }
    }

    /// Every slot that is not empty, as the writes that rebuild this state; in no particular order.
    pub fn writes(&self) -> impl Iterator<Item = Write> + '_ {
        let flags = self
            .flags
            .iter()
            .map(|(&(account, collateral_id), &flag)| Write::Flag {
                account,
                collateral_id,
                flag,
            });
        let buckets = self
            .buckets
            .iter()
            .map(|(&collateral_id, &bucket)| Write::Bucket {
                collateral_id,
                bucket,
            });
        let observations = self
            .observations
            .iter()
            .map(|(&collateral_id, &observation)| Write::Observation {
                collateral_id,
                observation,
            });
        let accounts = self
            .accounts
            .iter()
            .map(|(&account, &epoch)| Write::Account { account, epoch });
        let seed = (self.seed != Seed::default()).then_some(Write::Seed(self.seed));
        flags
            .chain(buckets)
            .chain(observations)
            .chain(accounts)
            .chain(seed)
    }
}

fn read<K: Eq + std::hash::Hash, V: Copy + Default>(map: &HashMap<K, V>, key: &K) -> V {
    map.get(key).copied().unwrap_or_default()
}

/// Stores a value, an empty one by forgetting the key, and returns the one before.
fn replace<K: Eq + std::hash::Hash, V: Default + PartialEq>(
    map: &mut HashMap<K, V>,
    key: K,
    value: V,
) -> V {
    if value == V::default() {
        map.remove(&key)
    } else {
        map.insert(key, value)
    }
    .unwrap_or_default()
}
