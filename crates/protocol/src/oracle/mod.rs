//! What an oracle answers, from what it, its feed and its venue store: `contracts/oracle/TwapOracle.sol` with one feed, and
//! `contracts/oracle/UniswapV3Source.sol` over a pool of Uniswap v3 core.

mod pool;
mod source;
mod twap;
mod window;

pub use pool::{Integrals, PoolMemory, PoolObservation};
pub use source::UniswapV3Source;
pub use twap::{Records, Round, TwapOracle};
pub use window::Observation;
