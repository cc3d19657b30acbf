//! What undoes the last blocks.

use std::collections::VecDeque;

use super::accounts::{AccountId, Position};
use super::description::MirroredPolicy;
use super::state::Settings;
use crate::accrual::Market;
use crate::block::BlockRef;
use crate::collateral::Collateral;
use crate::policy::{PolicyState, Write};

/// How many blocks a mirror can go back.
pub(crate) const DEPTH: usize = 64;

/// One change, as the value before it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Undo {
    /// The account that appeared last did not exist.
    NewAccount,
    Position(AccountId, Position),
    Further(AccountId, u8, u128),
    Market(Box<Market>),
    Cash(i128),
    Settings(Box<Settings>),
    /// The collateral listed last did not exist.
    NewCollateral,
    Collateral(u8, Box<Collateral>),
    Total(u8, u128),
    Policy(Box<Write>),
    /// Another policy was mirrored, with this state.
    Described(Box<(MirroredPolicy, PolicyState)>),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The block that was applied.
    pub block: BlockRef,
    /// Its changes, in order.
    pub undo: Vec<Undo>,
}

/// The last blocks, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    /// The block before the first entry.
    pub base: BlockRef,
    pub entries: VecDeque<Entry>,
}

impl Undo {
    pub const fn is_configuration(&self) -> bool {
        matches!(
            self,
            Self::Settings(_) | Self::Collateral(..) | Self::NewCollateral | Self::Described(_)
        )
    }
}

impl Journal {
    pub fn starting_at(base: BlockRef) -> Self {
        Self {
            base,
            entries: VecDeque::new(),
        }
    }

    pub fn push(&mut self, entry: Entry) {
        self.entries.push_back(entry);
        while self.entries.len() > DEPTH {
            if let Some(oldest) = self.entries.pop_front() {
                self.base = oldest.block;
            }
        }
    }

    /// The blocks that can be gone back to, oldest first, the head last.
    pub fn blocks(&self) -> impl DoubleEndedIterator<Item = &BlockRef> {
        std::iter::once(&self.base).chain(self.entries.iter().map(|entry| &entry.block))
    }
}
