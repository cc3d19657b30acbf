#![doc = include_str!("../README.md")]

mod call;
mod chain;
mod jumps;
mod memory;
mod read;
mod recording;
mod state;
mod types;
pub mod venue;

pub use call::TypedCall;
pub use chain::Chain;
pub use jumps::JumpCounter;
pub use memory::{AccountState, MemoryChain, Rules, Snapshot};
pub use recording::{Recording, Step};
pub use types::{BlockEnvironment, CallError, EvmError, Execution, Halt, Outcome, Transaction};
