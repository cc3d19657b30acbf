#![doc = include_str!("../README.md")]

mod endpoint;
mod error;
pub mod follower;

pub use endpoint::{Endpoint, EndpointError, Endpoints};
pub use error::{ConnectError, RpcError};
