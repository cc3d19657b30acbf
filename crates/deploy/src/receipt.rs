//! Waiting for a transaction.

use std::time::Duration;

use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::TransactionReceipt;
use alloy_primitives::B256;
use tokio::time::{Instant, sleep};

use crate::chain::failure;
use crate::error::DeployError;
use crate::execution::Settings;

/// Asks for a receipt until it is there. A local chain includes at once, so the first questions come faster.
pub(crate) async fn wait(
    provider: &DynProvider,
    hash: B256,
    step: &str,
    settings: &Settings,
) -> Result<TransactionReceipt, DeployError> {
    let deadline = Instant::now() + settings.inclusion;
    let mut pause = settings.poll.min(Duration::from_millis(10));
    loop {
        let receipt = provider.get_transaction_receipt(hash).await;
        if let Some(receipt) = receipt.map_err(|error| failure(step, error))? {
            return Ok(receipt);
        }
        if Instant::now() >= deadline {
            return Err(DeployError::NotIncluded {
                step: step.to_owned(),
                hash,
                waited: settings.inclusion,
            });
        }
        sleep(pause).await;
        pause = (pause * 2).min(settings.poll);
    }
}
