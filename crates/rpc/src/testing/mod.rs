//! Real chains and bad networks for tests: anvil processes, and a proxy in front of them that fails as told.

mod anvil;
mod fault;
mod http;
mod proxy;
mod websocket;

pub use anvil::{anvil, anvil_path};
pub use fault::Fault;
pub use proxy::Proxy;
