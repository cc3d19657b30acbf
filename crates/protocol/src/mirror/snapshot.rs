//! A whole mirror as bytes: what it knows and what undoes its last blocks, so that a reorg while the keeper was down is undone
//! as if it had been up.
//!
//! `BWMIRROR`, version (u32), length of the body (u64), body, keccak-256 of all of that. The layout of the body is that of
//! [`super::codec`]; the index is not in it, it is built from the accounts. A layout of its own rather than a general format:
//! accounts are 55 bytes each and are read in one pass, and there is one dependency less between a keeper and its state.

use std::convert::Infallible;

use alloy_primitives::{Address, Keccak256, keccak256};

use super::codec::{Code, Input};
use super::journal::{DEPTH, Journal, Undo};
use super::state::{MAX_COLLATERALS, State};
use super::{Description, Mirror, MirrorError};
use crate::policy::PolicyState;

const MAGIC: &[u8; 8] = b"BWMIRROR";

/// Changes with the layout.
const VERSION: u32 = 1;

/// Magic, version, length.
const HEADER: usize = 20;

const CHECKSUM: usize = 32;

/// Bytes that are gathered before they are passed on.
const PIECE: usize = 1 << 16;

/// Why bytes are no snapshot of the pool's mirror. Rebuild the mirror from the pool's deployment.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SnapshotError {
    /// They do not begin as a snapshot does.
    #[error("not a mirror's snapshot")]
    NotASnapshot,
    /// Another version wrote them.
    #[error("the snapshot is of version {found}, this is version {known}")]
    Version {
        /// The snapshot's.
        found: u32,
        /// This one's.
        known: u32,
    },
    /// There are more bytes or fewer.
    #[error("the snapshot should have {expected} bytes and has {found}")]
    Length {
        /// What its header says.
        expected: u64,
        /// What there is.
        found: u64,
    },
    /// The bytes have changed.
    #[error("the snapshot's checksum does not match: it is damaged")]
    Checksum,
    /// It is another pool's, or another chain's.
    #[error(
        "the snapshot is of pool {pool} on chain {chain_id}, or of another asset or rate curve, not of the pool described"
    )]
    OtherPool {
        /// The snapshot's chain.
        chain_id: u64,
        /// The snapshot's pool.
        pool: Address,
    },
    /// The checksum matches and the content makes no sense.
    #[error("the snapshot's content is malformed: {what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// Its rate curve is no pool's.
    #[error(transparent)]
    Curve(#[from] MirrorError),
}

impl Mirror {
    /// The mirror as bytes.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.snapshot_length());
        let Ok(()) = self.write_snapshot(|piece| {
            out.extend_from_slice(piece);
            Ok::<_, Infallible>(())
        });
        out
    }

    /// The bytes that [`Mirror::snapshot`] has.
    #[must_use]
    pub fn snapshot_length(&self) -> usize {
        HEADER + self.body_length() + CHECKSUM
    }

    /// The same bytes in pieces, in order, so that a large mirror is never there twice.
    ///
    /// # Errors
    /// The first that `put` gives.
    pub fn write_snapshot<E>(&self, mut put: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(MAGIC);
        VERSION.put(&mut header);
        (self.body_length() as u64).put(&mut header);
        let mut hasher = Keccak256::new();
        hasher.update(&header);
        put(&header)?;
        self.body(|piece| {
            hasher.update(piece);
            put(piece)
        })?;
        put(hasher.finalize().as_slice())
    }

    fn body_length(&self) -> usize {
        let mut length = 0;
        let Ok(()) = self.body(|piece| {
            length += piece.len();
            Ok::<_, Infallible>(())
        });
        length
    }

    fn body<E>(&self, mut put: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut out = Vec::with_capacity(2 * PIECE);
        let mut pass_on = |out: &mut Vec<u8>, least: usize| {
            if out.len() >= least {
                put(out)?;
                out.clear();
            }
            Ok(())
        };
        let state = &self.state;
        self.description().put(&mut out);
        self.head.put(&mut out);
        state.settings.put(&mut out);
        state.market.put(&mut out);
        state.cash.put(&mut out);
        state.collaterals.put(&mut out);
        (state.accounts.len() as u64).put(&mut out);
        for (_, address, position) in state.accounts.all() {
            address.put(&mut out);
            position.put(&mut out);
            pass_on(&mut out, PIECE)?;
        }
        let mut further: Vec<_> = state.accounts.all_further().collect();
        further.sort_unstable();
        (further.len() as u64).put(&mut out);
        for (number, id, amount) in further {
            number.put(&mut out);
            id.put(&mut out);
            amount.put(&mut out);
            pass_on(&mut out, PIECE)?;
        }
        state.policy.put(&mut out);
        self.journal.base.put(&mut out);
        (self.journal.entries.len() as u64).put(&mut out);
        for entry in &self.journal.entries {
            entry.put(&mut out);
            pass_on(&mut out, PIECE)?;
        }
        pass_on(&mut out, 1)
    }

    /// The mirror that [`Mirror::snapshot`] was taken of. `description` is what the pool is known to be; the policy may have
    /// changed since, which the blocks to come will say.
    ///
    /// # Errors
    /// [`SnapshotError`].
    pub fn restore(bytes: &[u8], description: &Description) -> Result<Self, SnapshotError> {
        let body = verified(bytes)?;
        let mut input = Input(body);
        let stored = Description::take(&mut input)?;
        let same = Description {
            policy: description.policy,
            ..stored
        };
        if same != *description {
            return Err(SnapshotError::OtherPool {
                chain_id: stored.chain_id,
                pool: stored.pool,
            });
        }
        let mut mirror = Self::new(stored, Code::take(&mut input)?)?;
        mirror.state = state(&mut input, &stored)?;
        mirror.journal = journal(&mut input, mirror.state.accounts.len())?;
        if !input.0.is_empty() {
            return Err(SnapshotError::Malformed {
                what: "there is more than belongs to it",
            });
        }
        if mirror.blocks().next_back() != Some(&mirror.head) {
            return Err(SnapshotError::Malformed {
                what: "the changes that it can undo do not lead to its head",
            });
        }
        Ok(mirror)
    }
}

/// The body of a whole snapshot of this version.
fn verified(bytes: &[u8]) -> Result<&[u8], SnapshotError> {
    if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
        return Err(SnapshotError::NotASnapshot);
    }
    let (header, rest) = bytes.split_at(HEADER);
    let mut input = Input(&header[MAGIC.len()..]);
    let version = u32::take(&mut input)?;
    if version != VERSION {
        return Err(SnapshotError::Version {
            found: version,
            known: VERSION,
        });
    }
    let length = u64::take(&mut input)?;
    let expected = length.saturating_add((HEADER + CHECKSUM) as u64);
    if expected != bytes.len() as u64 {
        return Err(SnapshotError::Length {
            expected,
            found: bytes.len() as u64,
        });
    }
    let (covered, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
    if keccak256(covered).as_slice() != checksum {
        return Err(SnapshotError::Checksum);
    }
    Ok(&rest[..rest.len() - CHECKSUM])
}

fn state(input: &mut Input<'_>, description: &Description) -> Result<State, SnapshotError> {
    let mut state = State::new(description.policy);
    state.settings = Code::take(input)?;
    state.market = Code::take(input)?;
    state.cash = Code::take(input)?;
    state.collaterals = Code::take(input)?;
    if state.collaterals.len() > MAX_COLLATERALS {
        return Err(SnapshotError::Malformed {
            what: "more collaterals than a pool lists",
        });
    }
    let count = input.length()?;
    state.accounts.reserve(count);
    for _ in 0..count {
        let address = Address::take(input)?;
        let interned = state.accounts.intern(address);
        let Some((number, true)) = interned else {
            return Err(SnapshotError::Malformed {
                what: "an account is there twice",
            });
        };
        state.accounts.set_position(number, Code::take(input)?);
    }
    for _ in 0..input.length()? {
        let (number, id) = (u32::take(input)?, u8::take(input)?);
        let amount = u128::take(input)?;
        if number as usize >= count || usize::from(id) >= MAX_COLLATERALS {
            return Err(UNKNOWN_ACCOUNT);
        }
        state.accounts.set_further(number, id, amount);
    }
    state.policy = PolicyState::take(input)?;
    state.index.rebuild(&state.accounts);
    state
        .index
        .share_price_moved(&state.market, &state.accounts);
    Ok(state)
}

fn journal(input: &mut Input<'_>, accounts: usize) -> Result<Journal, SnapshotError> {
    let mut journal = Journal::starting_at(Code::take(input)?);
    let count = input.length()?;
    if count > DEPTH {
        return Err(SnapshotError::Malformed {
            what: "it undoes more blocks than a mirror keeps",
        });
    }
    for _ in 0..count {
        journal.push(Code::take(input)?);
    }
    let known = |change: &Undo| match change {
        Undo::Position(number, _) | Undo::Further(number, ..) => (*number as usize) < accounts,
        _ => true,
    };
    if !journal.entries.iter().flat_map(|e| &e.undo).all(known) {
        return Err(UNKNOWN_ACCOUNT);
    }
    Ok(journal)
}

const UNKNOWN_ACCOUNT: SnapshotError = SnapshotError::Malformed {
    what: "it speaks of an account that it does not have",
};
