//! The block loop: world, agents and chain make a trace.

pub mod config;
pub mod mempool;
pub mod network;
pub mod outside;
pub mod trace;
