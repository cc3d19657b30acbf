//! What a mirror is told of its pool: what no event says.

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};

use crate::accrual::RateParameters;

/// The policy whose state is mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirroredPolicy {
    /// The contract.
    pub address: Address,
    /// Its `needsConfirmation()`, which the pool reads once, when the policy is set.
    pub needs_confirmation: bool,
}

/// What is read of a pool once, because no event says it.
///
/// | field | view |
/// |---|---|
/// | `asset` | `pool.assetToken()` |
/// | `rate` | `rateModel.parameters()` of the model that the pool was deployed with |
/// | `policy` | `pool.policy()`, `policy.needsConfirmation()` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// The chain.
    pub chain_id: u64,
    /// The pool.
    pub pool: Address,
    /// The debt token.
    pub asset: Address,
    /// The curve that the pool keeps in its code.
    pub rate: RateParameters,
    /// The pool's policy.
    pub policy: MirroredPolicy,
}
