//! What a caller asks for: one call, done at most once.

use alloy_primitives::{Address, B256, Bytes, U256};
use thiserror::Error;

/// Gas of a plain transfer, also of the self-transfer that cancels an order.
pub(crate) const TRANSFER_GAS: u64 = 21_000;

/// One call to be made at most once by the sender's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Idempotency key, chosen by the caller: a hash of what is to be done and when (account, action, epoch). An id is used up by
    /// its first acceptance, for the life of the journal, whatever became of the order.
    pub id: B256,
    /// For people: logs and status. Not unique, not interpreted.
    pub label: String,
    /// Contract to call.
    pub to: Address,
    /// Call data.
    pub data: Bytes,
    /// Wei sent along.
    pub value: U256,
    /// Gas limit; never estimated here.
    pub gas_limit: u64,
    /// First `maxFeePerGas`, in wei.
    pub max_fee_per_gas: u128,
    /// First `maxPriorityFeePerGas`, in wei.
    pub max_priority_fee_per_gas: u128,
    /// Replacements never offer a `maxFeePerGas` above this, in wei: what the order is worth. A cancellation of the order may exceed
    /// it by one step (an eighth), since it must outbid what it cancels, or up to `Settings::cancel_ceiling`.
    pub max_fee_ceiling: u128,
    /// Chain time (unix seconds of the last head) up to which inclusion is wanted. Later the order is dropped if it
    /// was never signed, otherwise cancelled by a transfer of nothing to ourselves at its nonce.
    pub valid_until: u64,
}

/// An order that no node would accept, refused before it takes a nonce.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs, reason = "the message says what each value is")]
pub enum OrderError {
    #[error("gas limit {gas_limit} is below the intrinsic cost {intrinsic} of this call data")]
    GasLimitBelowIntrinsic { gas_limit: u64, intrinsic: u64 },
    #[error("priority fee {priority} is above the fee {max_fee} per gas")]
    PriorityAboveFee { priority: u128, max_fee: u128 },
    #[error("fee {max_fee} per gas is above the order's own ceiling {ceiling}")]
    FeeAboveCeiling { max_fee: u128, ceiling: u128 },
    #[error("fee per gas must be above zero")]
    NoFee,
}

impl Order {
    /// Least gas a node asks for the call data: EIP-2028 prices (16 a byte, 4 a zero byte) or the floor of EIP-7623
    /// (40 and 10), whichever is more, above the 21,000 of a transaction.
    #[must_use]
    pub fn intrinsic_gas(&self) -> u64 {
        let zeros = self.data.iter().filter(|byte| **byte == 0).count() as u64;
        let tokens = zeros + 4 * (self.data.len() as u64 - zeros);
        TRANSFER_GAS + 10 * tokens
    }

    /// Checks what can be known without a chain.
    ///
    /// # Errors
    /// The first rule that the order breaks.
    pub fn check(&self) -> Result<(), OrderError> {
        let intrinsic = self.intrinsic_gas();
        if self.gas_limit < intrinsic {
            return Err(OrderError::GasLimitBelowIntrinsic {
                gas_limit: self.gas_limit,
                intrinsic,
            });
        }
        if self.max_fee_per_gas == 0 {
            return Err(OrderError::NoFee);
        }
        if self.max_priority_fee_per_gas > self.max_fee_per_gas {
            return Err(OrderError::PriorityAboveFee {
                priority: self.max_priority_fee_per_gas,
                max_fee: self.max_fee_per_gas,
            });
        }
        if self.max_fee_per_gas > self.max_fee_ceiling {
            return Err(OrderError::FeeAboveCeiling {
                max_fee: self.max_fee_per_gas,
                ceiling: self.max_fee_ceiling,
            });
        }
        Ok(())
    }
}
