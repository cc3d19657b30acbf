//! What agents see and what they answer with. Prices are debt tokens per whole collateral token, amounts are whole tokens,
//! gas prices are gwei, times are unix seconds.

use crate::backstop::BackstopAction;
use crate::venue::Venue;

/// One reading of the pool's oracle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// F, the fast price.
    pub fast: f64,
    /// L, the slow price.
    pub slow: f64,
    /// V, the confirming venue price.
    pub confirm: f64,
}

/// What agents know while a block is being made: the state of the chain after the one before, and the outside world.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The block being made.
    pub block: u64,
    /// Its time.
    pub timestamp: u64,
    /// Its base fee.
    pub base_fee: f64,
    /// The tip that, at this base fee, would just have been included in the block before.
    pub inclusion_tip: f64,
    /// The chain's native token in debt tokens.
    pub native_price: f64,
    /// The pool's oracle.
    pub prices: Prices,
    /// The venue's state.
    pub venue: Venue,
    /// The price of the outside world.
    pub reference_price: f64,
    /// The circuit breaker's level, 0 to 3.
    pub breaker_level: u8,
    /// The debt that the collateral's bucket still lets be repaid, debt tokens; infinite where nothing limits it or nobody
    /// knows.
    pub bucket: f64,
}

impl Observation {
    /// What `gas` costs at the base fee and `tip` gwei, in debt tokens.
    #[must_use]
    pub fn gas_cost(&self, gas: u64, tip: f64) -> f64 {
        gas as f64 * (self.base_fee + tip) * 1e-9 * self.native_price
    }

    /// The tip in gwei that spends `amount` debt tokens over `gas`.
    #[must_use]
    pub fn tip_for(&self, amount: f64, gas: u64) -> f64 {
        amount / (gas as f64 * 1e-9 * self.native_price)
    }

    /// The least tip with a fair chance of inclusion: a tenth above the last block's.
    #[must_use]
    pub fn competitive_tip(&self) -> f64 {
        (self.inclusion_tip * 1.1).max(MIN_TIP)
    }
}

/// What even an empty block's builder asks, gwei.
pub const MIN_TIP: f64 = 0.01;

/// What a transaction offers for its gas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bid {
    /// The most it pays in all, gwei.
    pub max_fee: f64,
    /// The most it pays above the base fee, gwei.
    pub tip: f64,
}

impl Bid {
    /// A bid that survives `blocks` full blocks in a row: the base fee may rise by an eighth in each.
    #[must_use]
    pub fn lasting(observation: &Observation, tip: f64, blocks: i32) -> Self {
        Self {
            max_fee: observation.base_fee * 1.125_f64.powi(blocks) + tip,
            tip,
        }
    }
}

/// What an agent wants done on chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// Repay up to `repay` of an account's debt and sell what is seized; revert below `min_profit` debt tokens.
    Liquidate {
        /// The account's number.
        account: u32,
        /// The most to repay.
        repay: f64,
        /// The least that must be left after the repayment, before gas.
        min_profit: f64,
    },
    /// Close an insolvent position whole and sell its collateral.
    Settle {
        /// The account's number.
        account: u32,
        /// The least that must be left after the repayment, before gas.
        min_profit: f64,
    },
    /// Start the account's auction clock.
    Flag {
        /// The account's number.
        account: u32,
    },
    /// Trade on the venue until its price is `price`.
    Arbitrage {
        /// Whether collateral is sold (the venue's price falls) rather than bought.
        sell: bool,
        /// The price at which to stop.
        price: f64,
    },
    /// Trade an amount on the venue, as an adversary or a noise trader does.
    Trade {
        /// Whether collateral is sold.
        sell: bool,
        /// What is given: collateral if it is sold, debt tokens if it is bought.
        amount: f64,
        /// The price at which to stop all the same.
        price: f64,
    },
    /// Bring a provider's liquidity to this share of what it began with.
    Provide {
        /// The provider's number.
        provider: u32,
        /// 0 for withdrawn entirely, 1 for as much as at the start.
        share: f64,
    },
    /// Add collateral to one's account.
    TopUp {
        /// The account's number.
        account: u32,
        /// Collateral added.
        collateral: f64,
    },
    /// Repay debt from savings.
    Repay {
        /// The account's number.
        account: u32,
        /// Debt repaid.
        debt: f64,
    },
    /// Sell one's collateral on the venue to repay debt.
    Deleverage {
        /// The account's number.
        account: u32,
        /// Debt repaid.
        debt: f64,
        /// The most collateral sold for it.
        max_collateral: f64,
    },
    /// Let the circuit breaker observe base fee and block time.
    Poke,
    /// Let the volume bucket record the venue's depth.
    RecordDepth,
    /// Write a price to the feed.
    Report {
        /// The price.
        price: f64,
    },
    /// Something at a backstop.
    Backstop(BackstopAction),
}

/// An action with its bid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intent {
    /// What is to be done.
    pub action: Action,
    /// What is offered for gas.
    pub bid: Bid,
    /// Gas limit of the transaction.
    pub gas_limit: u64,
}
