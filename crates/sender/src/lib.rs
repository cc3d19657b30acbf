#![doc = include_str!("../README.md")]

mod engine;
mod error;
mod fees;
mod handle;
mod journal;
mod lock;
mod observe;
mod order;
mod rejection;
mod report;
mod settings;
mod slot;
mod stage;
mod task;

pub use error::{Alarm, Failure, JournalError, LockError, SenderEnded, StartError, SubmitError};
pub use handle::{Accepted, Handle, Sender, Started};
pub use lock::{Lock, lock_database};
pub use order::{Order, OrderError};
pub use report::{Cause, InFlight, Inclusion, OrderState, Outcome, Report, Status, Stopped};
pub use settings::{FINAL_DEPTH, Head, Settings};
pub use stage::{Edge, Stage, StageHook};
