//! World state as frozen, shared layers under one private overlay.

use alloy_primitives::{
    Address, B256, U256, keccak256,
    map::{AddressMap, U256Map},
};
use revm::{
    Database, DatabaseCommit,
    bytecode::Bytecode,
    state::{Account, AccountInfo},
};
use std::{collections::BTreeMap, convert::Infallible, sync::Arc};

/// What one layer says of one account.
#[derive(Clone, Debug, Default)]
struct Entry {
    /// `None`: the account does not exist. Code is always inline, so that it is never looked up by hash.
    info: Option<AccountInfo>,
    /// Slots that this layer knows; zeros included, as they hide what lies below.
    storage: U256Map<U256>,
    /// Whether slots unknown here are zero instead of what lies below (the account was created or destroyed here).
    opaque: bool,
}

type Accounts = AddressMap<Entry>;

/// Accounts and slots in a layer: what merging it costs.
fn weight(accounts: &Accounts) -> usize {
    accounts.values().map(|entry| 1 + entry.storage.len()).sum()
}

/// An immutable layer of state over an older one.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    accounts: Accounts,
    weight: usize,
    below: Option<Arc<Layer>>,
}

impl Layer {
    /// This layer and all below it, newest first.
    fn chain(&self) -> impl Iterator<Item = &Layer> {
        std::iter::successors(Some(self), |layer| layer.below.as_deref())
    }

    /// Puts `accounts` on top of `below`. A layer is merged into the next one unless that is more than twice as heavy, so
    /// there are at most logarithmically many, and each merge is paid for by the writes that came since the last.
    fn freeze(mut accounts: Accounts, mut below: Option<Arc<Layer>>) -> Arc<Layer> {
        let mut top = weight(&accounts);
        while let Some(layer) = below.take_if(|layer| layer.weight <= 2 * top) {
            let is_bottom = layer.below.is_none();
            let mut merged = layer.accounts.clone();
            for (address, newer) in accounts {
                let older = merged.entry(address).or_default();
                if newer.opaque {
                    *older = newer;
                } else {
                    older.info = newer.info;
                    older.storage.extend(newer.storage);
                }
            }
            if is_bottom {
                for entry in merged.values_mut() {
                    entry.storage.retain(|_, value| !value.is_zero());
                    entry.opaque = false;
                }
                merged.retain(|_, entry| entry.info.is_some());
            }
            accounts = merged;
            top = weight(&accounts);
            below = layer.below.clone();
        }
        Arc::new(Self {
            weight: top,
            accounts,
            below,
        })
    }

    #[cfg(test)]
    fn depth(&self) -> usize {
        self.chain().count()
    }
}

/// The state of one path: what it wrote, over a base that it shares.
#[derive(Debug)]
pub(crate) struct Overlay {
    written: Accounts,
    base: Arc<Layer>,
    block_hash_seed: B256,
    hashes: Arc<BlockHashes>,
}

/// Hashes of blocks whose children said them; no more than the EVM remembers.
pub(crate) type BlockHashes = BTreeMap<u64, B256>;

/// Blocks whose hash `BLOCKHASH` answers.
const HASHES_KEPT: u64 = 256;

impl Overlay {
    pub(crate) fn new(base: Arc<Layer>, block_hash_seed: B256) -> Self {
        Self {
            written: Accounts::default(),
            base,
            block_hash_seed,
            hashes: Arc::default(),
        }
    }

    /// The same with hashes that were said.
    pub(crate) fn knowing(mut self, hashes: Arc<BlockHashes>) -> Self {
        self.hashes = hashes;
        self
    }

    /// Says the hash of a block.
    pub(crate) fn name_block(&mut self, number: u64, hash: B256) {
        let hashes = Arc::make_mut(&mut self.hashes);
        hashes.insert(number, hash);
        hashes.retain(|kept, _| kept + HASHES_KEPT > number);
    }

    /// The hashes that were said.
    pub(crate) fn hashes(&self) -> Arc<BlockHashes> {
        self.hashes.clone()
    }

    /// The hash of a block that the EVM still knows.
    pub(crate) fn hash_of(&self, number: u64) -> B256 {
        if let Some(hash) = self.hashes.get(&number) {
            return *hash;
        }
        let mut preimage = [0; 40];
        preimage[..32].copy_from_slice(self.block_hash_seed.as_slice());
        preimage[32..].copy_from_slice(&number.to_be_bytes());
        keccak256(preimage)
    }

    /// Freezes what was written since the last time and returns the base that now holds everything.
    pub(crate) fn freeze(&mut self) -> Arc<Layer> {
        if !self.written.is_empty() {
            self.base = Layer::freeze(std::mem::take(&mut self.written), Some(self.base.clone()));
        }
        self.base.clone()
    }

    /// What is known of an account, newest first.
    fn entries(&self, address: Address) -> impl Iterator<Item = &Entry> {
        let layers = self
            .base
            .chain()
            .filter_map(move |layer| layer.accounts.get(&address));
        self.written.get(&address).into_iter().chain(layers)
    }

    pub(crate) fn info(&self, address: Address) -> Option<&AccountInfo> {
        self.entries(address)
            .next()
            .and_then(|entry| entry.info.as_ref())
    }

    pub(crate) fn slot(&self, address: Address, slot: U256) -> U256 {
        for entry in self.entries(address) {
            if let Some(value) = entry.storage.get(&slot) {
                return *value;
            }
            if entry.opaque {
                break;
            }
        }
        U256::ZERO
    }

    /// The account's entry in the overlay, its info copied up from the base.
    fn entry_mut(&mut self, address: Address) -> &mut Entry {
        if !self.written.contains_key(&address) {
            let info = self.info(address).cloned();
            self.written.insert(
                address,
                Entry {
                    info,
                    ..Entry::default()
                },
            );
        }
        self.written.entry(address).or_default()
    }

    pub(crate) fn modify_info(&mut self, address: Address, modify: impl FnOnce(&mut AccountInfo)) {
        modify(self.entry_mut(address).info.get_or_insert_default());
    }

    pub(crate) fn set_slot(&mut self, address: Address, slot: U256, value: U256) {
        let entry = self.entry_mut(address);
        entry.info.get_or_insert_default();
        entry.storage.insert(slot, value);
    }

    /// Everything that is known, in one map.
    fn merged(&self) -> Accounts {
        let flat = Layer::freeze(self.written.clone(), None);
        let mut layers: Vec<&Accounts> = self.base.chain().map(|layer| &layer.accounts).collect();
        layers.reverse();
        let mut merged = Accounts::default();
        for (address, entry) in layers.into_iter().flatten().chain(&flat.accounts) {
            let older = merged.entry(*address).or_default();
            if entry.opaque {
                older.storage.clear();
            }
            older.info.clone_from(&entry.info);
            older.storage.extend(&entry.storage);
        }
        merged
    }

    /// Every account that exists, with its nonzero slots.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (Address, AccountInfo, U256Map<U256>)> {
        self.merged()
            .into_iter()
            .filter_map(|(address, mut entry)| {
                entry.storage.retain(|_, value| !value.is_zero());
                Some((address, entry.info?, entry.storage))
            })
    }

    /// A fingerprint of the whole state: the sum, modulo 2^256, of one hash per account and one per nonzero slot. It does
    /// not depend on order, nor on how the state is spread over layers. It detects divergence, not forgery.
    pub(crate) fn digest(&self) -> B256 {
        let mut sum = U256::ZERO;
        let mut add = |parts: &[&[u8]]| {
            sum = sum.wrapping_add(U256::from_be_bytes(keccak256(parts.concat()).0))
        };
        for (address, info, storage) in self.accounts() {
            let (balance, nonce) = (info.balance.to_be_bytes::<32>(), info.nonce.to_be_bytes());
            add(&[
                address.as_slice(),
                &balance,
                &nonce,
                info.code_hash.as_slice(),
            ]);
            for (slot, value) in storage {
                add(&[
                    address.as_slice(),
                    &slot.to_be_bytes::<32>(),
                    &value.to_be_bytes::<32>(),
                ]);
            }
        }
        sum.into()
    }
}

impl Database for Overlay {
    type Error = Infallible;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.info(address).cloned())
    }

    fn code_by_hash(&mut self, _: B256) -> Result<Bytecode, Infallible> {
        // Code is inline in every account, so nothing is ever left to be asked for.
        Ok(Bytecode::default())
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, Infallible> {
        Ok(self.slot(address, slot))
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, Infallible> {
        Ok(self.hash_of(number))
    }
}

impl DatabaseCommit for Overlay {
    fn commit(&mut self, changes: AddressMap<Account>) {
        for (address, account) in changes {
            if !account.is_touched() {
                continue;
            }
            if account.is_selfdestructed() || account.is_empty() {
                // EIP-161: a touched empty account ceases to exist.
                self.written.insert(
                    address,
                    Entry {
                        opaque: true,
                        ..Entry::default()
                    },
                );
                continue;
            }
            let opaque = account.is_created();
            let entry = self.written.entry(address).or_default();
            if opaque {
                entry.storage.clear();
                entry.opaque = true;
            }
            entry.info = Some(account.info);
            // All slots, not only those that `is_changed` names: it compares with the value at the start of the last
            // transaction that read the slot, and a block has many.
            entry.storage.extend(
                account
                    .storage
                    .into_iter()
                    .map(|(slot, value)| (slot, value.present_value)),
            );
        }
    }
}

#[cfg(test)]
mod tests;
