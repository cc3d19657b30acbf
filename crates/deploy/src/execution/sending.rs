//! One transaction: sent once a run at one price, and known by its hash before it leaves.

use alloy::eips::Encodable2718;
use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy_primitives::B256;
use tokio::time::{Instant, sleep};

use super::Execution;
use super::inclusion::Blocks;
use crate::account::{Account, sign};
use crate::chain::failure;
use crate::error::DeployError;
use crate::manifest::TransactionRecord;

/// A transaction may use a quarter more gas than it was estimated at.
const GAS_MARGIN: (u64, u64) = (5, 4);

impl Execution {
    /// Most wei a gas, and of it the tip.
    pub(super) async fn fees(&self) -> Result<(u128, u128), DeployError> {
        let fees = self.provider.estimate_eip1559_fees().await;
        let fees = fees.map_err(|error| failure("estimate the fees", error))?;
        Ok((fees.max_fee_per_gas, fees.max_priority_fee_per_gas))
    }

    /// Waits until nothing of the account is pending: what a run before this one sent is included before anything is judged
    /// to be missing. Not if all that is pending is a step's transaction that is to be replaced: whether more may be spent is
    /// for the caller to say, and [`Execution::advance`] sees to it.
    pub(super) async fn await_earlier(&mut self) -> Result<(), DeployError> {
        let account = self.account.address();
        let during = "count the account's transactions";
        let deadline = Instant::now() + self.settings.inclusion;
        let steps = self.plan.steps.len();
        let mut blocks: Vec<_> = (0..steps).map(|_| Blocks::default()).collect();
        loop {
            let pending = self.provider.get_transaction_count(account).pending();
            let pending = pending.await;
            let included = self.provider.get_transaction_count(account).await;
            let pending = pending.map_err(|error| failure(during, error))?;
            let included = included.map_err(|error| failure(during, error))?;
            if pending <= included {
                return Ok(());
            }
            if pending == included + 1 {
                for (number, blocks) in blocks.iter_mut().enumerate() {
                    if self.outpriced(number, blocks).await?.is_some() {
                        return Ok(());
                    }
                }
            }
            if Instant::now() >= deadline {
                return Err(DeployError::InFlight {
                    account,
                    count: pending - included,
                    waited: self.settings.inclusion,
                });
            }
            sleep(self.settings.poll).await;
        }
    }

    /// Sends a step's transaction. With a key, its hash is on disk before it leaves.
    pub(super) async fn send(&mut self, number: usize, label: &str) -> Result<(), DeployError> {
        let from = self.account.address();
        let (to, data) = self.plan.steps[number].request();
        let mut request = TransactionRequest::default()
            .with_from(from)
            .with_to(to)
            .with_input(data);
        let gas = self.provider.estimate_gas(request.clone()).await;
        let gas = gas.map_err(|error| failure(label, error))?;
        request.set_gas_limit(gas.saturating_mul(GAS_MARGIN.0) / GAS_MARGIN.1);
        let signer = match &self.account {
            Account::Key(signer) => signer.clone(),
            Account::Unlocked(_) => {
                let sent = self.provider.send_transaction(request).await;
                let hash = *sent.map_err(|error| failure(label, error))?.tx_hash();
                return self.note_sent(number, hash);
            }
        };
        let (max_fee, tip) = self.fees().await?;
        let nonce = self.provider.get_transaction_count(from).await;
        request.set_nonce(nonce.map_err(|error| failure(label, error))?);
        request.set_chain_id(self.deployment.chain_id);
        request.set_max_fee_per_gas(max_fee);
        request.set_max_priority_fee_per_gas(tip);
        let signed = sign(&signer, label, request).await?;
        let hash = *signed.tx_hash();
        self.note_sent(number, hash)?;
        match self
            .provider
            .send_raw_transaction(&signed.encoded_2718())
            .await
        {
            Ok(_) => Ok(()),
            // The answer may be lost and the transaction not.
            Err(error) => match self.provider.get_transaction_by_hash(hash).await {
                Ok(Some(_)) => Ok(()),
                _ => Err(failure(label, error)),
            },
        }
    }

    fn note_sent(&mut self, number: usize, hash: B256) -> Result<(), DeployError> {
        *self.slot(number) = Some(TransactionRecord {
            hash,
            inclusion: None,
            replaces: None,
        });
        self.record()
    }
}
