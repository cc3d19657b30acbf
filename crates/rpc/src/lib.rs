#![doc = include_str!("../README.md")]

mod client;
mod endpoint;
mod error;
pub mod follower;
pub mod health;
#[cfg(feature = "testing")]
pub mod testing;
mod transport;

pub use client::{CallReverted, Client, Multicall3, TargetCall, connect};
pub use endpoint::{Endpoint, EndpointError, Endpoints};
pub use error::{ConnectError, RpcError};
pub use health::Health;
