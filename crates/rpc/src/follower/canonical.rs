//! The last blocks of the chain as it was told.

use std::collections::VecDeque;

use alloy_primitives::B256;

use super::types::{BlockRef, MAX_REORG};

/// A block that was told, and which of its logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub block: BlockRef,
    /// Log indices; `None` where they are not kept (a checkpoint's blocks, the end of a range).
    pub logs: Option<Vec<u64>>,
}

/// Ascending, never empty, at most [`MAX_REORG`] blocks and the one before them. Contiguous except where a checkpoint's
/// blocks are not.
#[derive(Clone, Debug)]
pub(super) struct Canonical(VecDeque<Told>);

impl Canonical {
    /// Starts after `last`, with earlier blocks that can be gone back to.
    pub fn new(last: BlockRef, recent: &[BlockRef]) -> Self {
        let mut blocks: Vec<_> = recent
            .iter()
            .filter(|block| block.number < last.number && block.number + MAX_REORG >= last.number)
            .copied()
            .collect();
        blocks.sort_unstable_by_key(|block| block.number);
        blocks.dedup_by_key(|block| block.number);
        blocks.push(last);
        Self(
            blocks
                .into_iter()
                .map(|block| Told { block, logs: None })
                .collect(),
        )
    }

    pub fn tip(&self) -> BlockRef {
        self.0.back().map_or(
            BlockRef {
                number: 0,
                hash: B256::ZERO,
            },
            |told| told.block,
        )
    }

    pub fn oldest(&self) -> BlockRef {
        self.0.front().map_or_else(|| self.tip(), |told| told.block)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// From the tip down.
    pub fn descending(&self) -> impl Iterator<Item = &Told> {
        self.0.iter().rev()
    }

    /// The block at a height, if it is known.
    pub fn at(&self, number: u64) -> Option<&Told> {
        let index = self
            .0
            .binary_search_by_key(&number, |told| told.block.number)
            .ok()?;
        self.0.get(index)
    }

    pub fn contains(&self, block: BlockRef) -> bool {
        self.at(block.number)
            .is_some_and(|told| told.block == block)
    }

    pub fn push(&mut self, block: BlockRef, logs: Vec<u64>) {
        self.0.push_back(Told {
            block,
            logs: Some(logs),
        });
        let oldest = block.number.saturating_sub(MAX_REORG);
        while self
            .0
            .front()
            .is_some_and(|told| told.block.number < oldest)
        {
            self.0.pop_front();
        }
    }

    /// Forgets what came after `number`. The oldest block stays.
    pub fn rewind(&mut self, number: u64) {
        while self.0.len() > 1 && self.tip().number > number {
            self.0.pop_back();
        }
    }

    /// Goes on after a range's end, beyond which nothing can be gone back to.
    pub fn restart(&mut self, last: BlockRef) {
        *self = Self::new(last, &[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u64) -> BlockRef {
        BlockRef {
            number,
            hash: B256::with_last_byte(number as u8),
        }
    }

    #[test]
    fn keeps_as_many_blocks_as_can_be_undone() {
        let mut chain = Canonical::new(block(10), &[block(9), block(3), block(9)]);
        assert_eq!((chain.oldest(), chain.len()), (block(3), 3));
        for number in 11..=200 {
            chain.push(block(number), vec![]);
        }
        assert_eq!(
            (chain.oldest(), chain.tip(), chain.len()),
            (block(136), block(200), 65)
        );
        assert!(chain.contains(block(136)) && !chain.contains(block(135)));
        assert!(!chain.contains(BlockRef {
            number: 150,
            hash: B256::ZERO
        }));
        chain.rewind(136);
        assert_eq!(chain.tip(), block(136));
        chain.rewind(0);
        assert_eq!(chain.tip(), block(136), "never empty");
    }
}
