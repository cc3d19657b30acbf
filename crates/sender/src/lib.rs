#![doc = include_str!("../README.md")]

mod error;
mod handle;
mod order;
mod report;
mod settings;
mod stage;

pub use error::{Alarm, Failure, JournalError, LockError, StartError, SubmitError};
pub use handle::{Accepted, Handle, Sender, Started};
pub use order::{Order, OrderError};
pub use report::{Cause, InFlight, Inclusion, OrderState, Outcome, Report, Status, Stopped};
pub use settings::{FINAL_DEPTH, Head, Settings};
pub use stage::{Edge, Stage, StageHook};
