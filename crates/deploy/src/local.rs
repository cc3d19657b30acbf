//! A complete market on a local anvil, for trying out, for drills and for tests: two tokens, a feed that can be set, a
//! Uniswap v3 pool with liquidity, the system with its shipped default parameters, and a lender's deposit. Prices and time
//! move at a call; nothing else is special.

mod market;
mod setup;

pub use market::{LocalError, Market};

use alloy_primitives::U256;

use crate::config::BackstopConfiguration;
use crate::defaults;

/// Decimals of the feed's answers: a price is units of the debt token for one collateral token, times 10^8.
pub const FEED_DECIMALS: u8 = 8;

/// Decimals of the collateral token.
pub const COLLATERAL_DECIMALS: u8 = 18;

/// Decimals of the debt token.
pub const DEBT_DECIMALS: u8 = 6;

/// The feed's and the venue's price at the start: 2,000.
pub const START_PRICE: u64 = 2_000 * 100_000_000;

/// Seconds that [`Market::deploy`] moves the chain's time forward, at most, until averages are warm. A chain whose clock
/// should not run ahead of the world's starts that much earlier: `anvil --timestamp`.
pub const WARM_UP: u64 = 2_400;

/// Seconds between two blocks while time is moved: the breaker takes a missing block for a late one.
pub const SLOT: u64 = 12;

/// The venue's fee, in millionths, and the spacing that the factory knows it with.
const VENUE_FEE: u32 = 500;
const VENUE_SPACING: i32 = 10;

/// The collateral tokens in the venue's full-range position, whole.
const VENUE_TOKENS: u64 = 20_000;

/// What lenders deposit, whole debt tokens.
const DEPOSIT: u64 = 10_000_000;

/// A whole number of tokens in base units.
#[must_use]
pub fn tokens(whole: u64, decimals: u8) -> U256 {
    U256::from(whole) * U256::from(10).pow(U256::from(decimals))
}

/// A backstop for a local market: the shipped parameters but for the shortest period there is, the policy's own target health, and a tenth
/// of what reserves grow by as premium.
#[must_use]
pub fn backstop() -> BackstopConfiguration {
    let unit = tokens(1, DEBT_DECIMALS);
    BackstopConfiguration {
        name: None,
        symbol: None,
        period_seconds: Some(U256::from(4 * 3_600)),
        minimum_left: unit,
        minimum_deposit: unit,
        caller_share: None,
        release_share: None,
        auction_seconds: None,
        start_markup: None,
        max_discount: None,
        venue_tolerance: None,
        absorption_health: defaults::system_plan().policy.damped.targetHealth,
        premium_share: U256::from(10).pow(U256::from(17)),
    }
}
