//! What was deployed where: the file that other programs find a system by.

mod file;

pub use file::{ManifestError, ManifestFile};

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256, Bytes};
use serde::{Deserialize, Serialize};

/// The layout of the file; a file of another one is refused.
pub const VERSION: u32 = 1;

/// All deployments that a manifest file holds, by chain id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// [`VERSION`].
    pub version: u32,
    /// One system a chain.
    pub chains: BTreeMap<u64, Deployment>,
}

/// One system on one chain. Every address is known before the first transaction, because each follows from code and
/// constructor arguments; [`Deployment::complete`] says whether all of it is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deployment {
    /// The chain.
    pub chain_id: u64,
    /// A hash of the whole plan, the deployer and the contracts' creation code: equal where the system is the same.
    pub configuration_hash: B256,
    /// Whether every step was confirmed and the system on chain was as planned when it was last compared.
    pub complete: bool,
    /// Sent the transactions. Holds nothing once the deployment is complete.
    pub deployer: Address,
    /// A block before the system's first event: where a reader of events begins.
    pub first_block: u64,
    /// The debt token.
    pub asset: Address,
    /// `LendingPool`.
    pub pool: Address,
    /// `LendingPoolExtension`, which the pool delegates to; nobody calls it directly.
    pub extension: Address,
    /// Owns breaker and pool, the pool through the steward where there is a backstop.
    pub timelock: Address,
    /// Proposes to the timelock.
    pub governance: Address,
    /// May freeze new risk.
    pub guardian: Address,
    /// `CircuitBreaker`, where there is one.
    pub breaker: Option<Address>,
    /// The liquidation policy; where there is a backstop, the one behind it.
    pub policy: Policy,
    /// The backstop, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backstop: Option<Backstop>,
    /// `AdaptiveRateModel` or `KinkedRateModel`.
    pub rate_model: Address,
    /// In the order of the pool's numbers.
    pub collaterals: Vec<Collateral>,
    /// The number of the collateral whose price is the native coin's, where the policy pays for gas.
    pub native_collateral: Option<u64>,
    /// Answers `aggregate3` as Multicall3 does.
    pub multicall: Address,
    /// What a market for trying out has besides; `None` on any other chain.
    pub local: Option<Local>,
    /// Every contract, in the order of deployment.
    pub contracts: Vec<ContractRecord>,
    /// Every call that configures or hands over, in order.
    pub calls: Vec<CallRecord>,
}

/// The liquidation policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Policy {
    /// Which one.
    pub kind: PolicyKind,
    /// Where.
    pub address: Address,
}

/// A backstop before the liquidation policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Backstop {
    /// `BackstopPool`.
    pub pool: Address,
    /// `BackstopPolicy`, which the lending pool asks.
    pub policy: Address,
    /// `PremiumSteward`: owns the lending pool in the timelock's place.
    pub steward: Address,
}

/// The liquidation policies that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyKind {
    /// `RigidPolicy`.
    Rigid,
    /// `TargetHealthPolicy`.
    TargetHealth,
    /// `DampedPolicy`.
    Damped,
}

/// One collateral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Collateral {
    /// Its number in the pool.
    pub id: u64,
    /// The token.
    pub token: Address,
    /// `TwapOracle`: its price in the debt token.
    pub oracle: Address,
    /// The feed that the oracle reads.
    pub feed: Address,
    /// The feed of the debt token's price, where `feed` does not answer in the debt token.
    pub quote_feed: Option<Address>,
    /// The Uniswap v3 pool that confirms the price and in which seized collateral is sold.
    pub venue: Option<Address>,
    /// `UniswapV3Source` over the venue.
    pub venue_source: Option<Address>,
    /// `FlashLiquidator` over the venue.
    pub flash_liquidator: Option<Address>,
}

/// What a local market has besides the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Local {
    /// `VenueRouter`: swaps in the venues for accounts.
    pub router: Address,
}

/// A contract of the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContractRecord {
    /// What it is in the system, unique: `pool`, `oracle[0]`.
    pub role: String,
    /// The contract's name.
    pub name: String,
    /// Where.
    pub address: Address,
    /// ABI-encoded.
    pub constructor_arguments: Bytes,
    /// keccak256 of the creation code without arguments: the same for the same compilation.
    pub creation_code_hash: B256,
    /// keccak256 of the code on chain, immutables included; `None` until it is there.
    pub code_hash: Option<B256>,
    /// What deployed it; `None` until it was sent, and where somebody else's did.
    pub transaction: Option<TransactionRecord>,
}

/// A call that configures the system or hands it over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallRecord {
    /// What it does, unique: `list collateral 0`.
    pub step: String,
    /// The contract called.
    pub to: Address,
    /// Calldata.
    pub data: Bytes,
    /// `None` until it was sent.
    pub transaction: Option<TransactionRecord>,
}

/// A transaction of the deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransactionRecord {
    /// Its hash, recorded before it is sent where the key is here.
    pub hash: B256,
    /// Its block and the gas that it used; `None` until it is confirmed. A transaction that failed is not recorded.
    pub inclusion: Option<Inclusion>,
    /// What it replaces, at a lower price, as long as either may be included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<B256>,
}

impl TransactionRecord {
    /// One of these is included in the end, if any is.
    pub(crate) fn hashes(&self) -> impl Iterator<Item = B256> + use<> {
        [self.hash].into_iter().chain(self.replaces)
    }
}

/// Where a transaction was included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Inclusion {
    /// The block's number.
    pub block: u64,
    /// Gas.
    pub gas_used: u64,
}

impl Deployment {
    /// The contract of this role.
    #[must_use]
    pub fn contract(&self, role: &str) -> Option<&ContractRecord> {
        self.contracts.iter().find(|record| record.role == role)
    }

    /// The policy that the pool asks: the backstop's, which has the other behind it, where there is one.
    #[must_use]
    pub fn asked_policy(&self) -> Address {
        self.backstop
            .map_or(self.policy.address, |backstop| backstop.policy)
    }

    /// Who owns the pool: the steward, through whom the timelock acts, where there is one, else the timelock.
    #[must_use]
    pub fn owner(&self) -> Address {
        self.backstop
            .map_or(self.timelock, |backstop| backstop.steward)
    }

    /// Gas of all transactions that are confirmed.
    #[must_use]
    pub fn gas_used(&self) -> u64 {
        let contracts = self.contracts.iter().map(|record| record.transaction);
        let calls = self.calls.iter().map(|record| record.transaction);
        contracts
            .chain(calls)
            .flatten()
            .filter_map(|transaction| transaction.inclusion)
            .map(|inclusion| inclusion.gas_used)
            .sum()
    }
}
