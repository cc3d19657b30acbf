//! The canonical chain, block by block, with the logs of what is watched.

mod types;

pub use types::{
    Block, BlockRef, Ended, FollowError, FollowerConfig, LoggedBlock, MAX_REORG, Range, Start,
    Update,
};
