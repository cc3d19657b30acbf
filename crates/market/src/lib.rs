#![doc = include_str!("../README.md")]

pub mod accounts;
pub mod bridge;
pub mod depth;
pub mod error;
pub mod fit;
pub mod gas;
pub mod generate;
mod knots;
mod normal;
pub mod population;
pub mod prices;
pub mod request;
pub mod series;
pub mod streams;
mod table;
#[cfg(feature = "testdata")]
pub mod testdata;
mod timeline;

pub use accounts::{Account, Accounts, LeftOut, LeftOutReason, Unit};
pub use depth::DepthConfig;
pub use error::MarketError;
pub use gas::GasConfig;
pub use generate::PriceConfig;
pub use population::PopulationConfig;
pub use prices::{Bar, Bars};
pub use request::{Grid, Request};
pub use series::{Interpolation, Series};
pub use streams::{Purpose, Stream};
