//! The block loop: world, agents and chain make a trace.

pub mod config;
pub mod trace;
