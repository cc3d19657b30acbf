//! The canonical chain, block by block, with the logs of what is watched.

mod advance;
mod canonical;
mod pace;
mod run;
mod source;
mod types;

pub use run::spawn;
pub use types::{
    Block, BlockRef, Ended, FollowError, FollowerConfig, LoggedBlock, MAX_REORG, Range, Start,
    Update,
};
