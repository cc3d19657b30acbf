//! Requests to several nodes as if to one.

mod ask;
mod connection;
mod failover;
mod standing;

pub(crate) use connection::http_client;
pub(crate) use failover::{Failover, Route};
