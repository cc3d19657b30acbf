//! What a block, or going back, changed.

use alloy_primitives::Address;

/// A liquidation on the chain, whoever's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiquidationSeen {
    /// The log's place among those given.
    pub log: usize,
    /// The position's owner.
    pub account: Address,
    /// What was seized.
    pub collateral_id: u64,
    /// Who called the pool.
    pub liquidator: Address,
    /// Base units of the debt token.
    pub repaid: u128,
    /// Base units of the collateral.
    pub seized: u128,
    /// WAD.
    pub bonus: alloy_primitives::U256,
}

/// A settlement on the chain, whoever's. Base units of the debt token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlementSeen {
    /// The log's place among those given.
    pub log: usize,
    /// The position's owner.
    pub account: Address,
    /// Who called the pool.
    pub caller: Address,
    /// What was repaid.
    pub repaid: u128,
    /// What reserves paid for it.
    pub stipend: u128,
}

/// What a block changed. After going back: what was undone, without liquidations and settlements.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Accounts whose debt shares, collateral or policy state changed; each once.
    pub accounts: Vec<Address>,
    /// In order.
    pub liquidations: Vec<LiquidationSeen>,
    /// In order.
    pub settlements: Vec<SettlementSeen>,
    /// Whether a collateral was listed or a setting of pool or collateral changed.
    pub configuration: bool,
    /// The pool's policy, if it is another than before. While it is not the mirrored one
    /// ([`crate::Mirror::policy_known`]), requests are refused: describe it.
    pub policy_set: Option<Address>,
}
