//! The sender on real anvil processes.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

mod adverse;
mod chain;
mod crash;
mod forgetful;
mod journal;
mod lifecycle;
mod queue;
