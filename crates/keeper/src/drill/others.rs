//! Everybody else on the chain. Their transactions fill half of every block, so that the base fee stays about where it begins, by the
//! chain's own rule and as the keeper foresees it: the blocks of an anvil are all but empty, and would let it fall to nothing.

use alloy::eips::BlockNumberOrTag;
use alloy::network::TransactionBuilder;
use alloy::providers::ext::AnvilApi;
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::TransactionRequest;
use alloy_primitives::{Address, Bytes};

use super::error::DrillError;

/// The base fee at first, wei.
pub(super) const BASE_FEE: u128 = 10_000_000_000;

/// What they are willing to pay, wei a gas: anything.
const MOST: u128 = 1_000_000_000_000;

/// What the market and the keeper use of a block, about; gas.
const OURS: u64 = 300_000;

/// Runs until its gas is used up.
const LOOP: [u8; 4] = [0x5b, 0x60, 0x00, 0x56];

/// Where that code is.
const BUSY: Address = Address::repeat_byte(0xb0);

/// Their account.
pub(super) struct Others {
    provider: DynProvider,
    account: Address,
    gas: u64,
}

impl Others {
    /// Makes a block with [`BASE_FEE`], from which on it moves by itself.
    pub async fn begin(provider: DynProvider, account: Address) -> Result<Self, DrillError> {
        provider
            .anvil_set_code(BUSY, Bytes::from_static(&LOOP))
            .await?;
        let latest = provider
            .get_block_by_number(BlockNumberOrTag::Latest)
            .await?;
        let limit = latest.map_or(0, |block| block.header.gas_limit);
        let others = Self {
            account,
            gas: (limit / 2).saturating_sub(OURS),
            provider,
        };
        others
            .provider
            .anvil_set_next_block_base_fee_per_gas(BASE_FEE)
            .await?;
        others.fill().await?;
        others.provider.evm_mine(None).await?;
        Ok(others)
    }

    /// Fills half of the next block.
    pub async fn fill(&self) -> Result<(), DrillError> {
        let request = TransactionRequest::default()
            .with_from(self.account)
            .with_to(BUSY)
            .with_gas_limit(self.gas)
            .with_max_fee_per_gas(MOST)
            .with_max_priority_fee_per_gas(0);
        drop(self.provider.send_transaction(request).await?);
        Ok(())
    }
}
