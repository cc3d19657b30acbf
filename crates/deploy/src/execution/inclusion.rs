//! From sent to included: waiting, paying more where the price has risen, and recording what came of it.

use std::time::Duration;

use alloy::consensus::Transaction as _;
use alloy::eips::{BlockNumberOrTag, Encodable2718};
use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::rpc::types::{Header, Transaction, TransactionReceipt, TransactionRequest};
use alloy_primitives::B256;
use tokio::time::{Instant, sleep};

use super::Execution;
use crate::account::{Account, sign};
use crate::chain::failure;
use crate::error::DeployError;
use crate::manifest::{Inclusion, TransactionRecord};

/// Blocks that a transaction may miss before it is raised to what is asked for now.
const PATIENCE: u64 = 3;

/// A replacement pays an eighth more on both fees: nodes refuse less than a tenth.
const RAISE: u128 = 8;

/// A transaction of the account in the pool, and what one in its place would pay.
pub(super) struct Outpriced {
    old: Transaction,
    max_fee: u128,
    tip: u128,
}

/// The blocks that a wait has seen.
#[derive(Default)]
pub(super) struct Blocks {
    first: Option<u64>,
    last: Option<u64>,
}

impl Execution {
    /// Whether a step's transaction of an earlier run is in the pool, or was included since this run began: it is not to be
    /// sent again.
    pub(super) async fn is_on_its_way(&mut self, number: usize) -> Result<bool, DeployError> {
        let noted = *self.slot(number);
        let Some(noted) = noted.filter(|noted| noted.inclusion.is_none()) else {
            return Ok(false);
        };
        for hash in noted.hashes() {
            let known = self.provider.get_transaction_by_hash(hash).await;
            let known = known.map_err(|error| failure("look for an earlier transaction", error))?;
            if known.is_some_and(|known| known.block_number.is_none_or(|at| at > self.opened)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Waits until a step's transaction, or what replaces it, is included, and records it if it succeeded.
    pub(super) async fn await_inclusion(
        &mut self,
        number: usize,
        label: &str,
    ) -> Result<TransactionRecord, DeployError> {
        let deadline = Instant::now() + self.settings.inclusion;
        // A local chain includes at once, so the first questions come faster.
        let mut pause = self.settings.poll.min(Duration::from_millis(10));
        let mut blocks = Blocks::default();
        loop {
            if let Some(receipt) = self.receipt(number, label).await? {
                let hash = receipt.transaction_hash;
                // One that failed did nothing: what does the step in the end is another.
                let included = record(&receipt);
                *self.slot(number) = included;
                self.record()?;
                return included.ok_or(DeployError::Failed {
                    step: label.to_owned(),
                    hash,
                    block: receipt.block_number.unwrap_or_default(),
                });
            }
            if Instant::now() >= deadline {
                return Err(DeployError::NotIncluded {
                    step: label.to_owned(),
                    hash: self.slot(number).map_or(B256::ZERO, |noted| noted.hash),
                    waited: self.settings.inclusion,
                });
            }
            if let Some(outpriced) = self.outpriced(number, &mut blocks).await? {
                self.replace(number, label, outpriced).await?;
                // Taken or not, it has its own blocks to wait for.
                blocks.first = blocks.last;
            }
            sleep(pause).await;
            pause = (pause * 2).min(self.settings.poll);
        }
    }

    /// Whether a step's transaction waits in the pool, next in turn, and offers too little: less than the base fee, or, some
    /// blocks later, less than what is asked for now. Looks once a block. Only what is signed here can be replaced.
    pub(super) async fn outpriced(
        &mut self,
        number: usize,
        blocks: &mut Blocks,
    ) -> Result<Option<Outpriced>, DeployError> {
        let during = "look at a transaction that waits";
        let failed = |error| failure(during, error);
        let noted = *self.slot(number);
        let Some(noted) = noted.filter(|noted| noted.inclusion.is_none()) else {
            return Ok(None);
        };
        if !matches!(self.account, Account::Key(_)) {
            return Ok(None);
        }
        let latest = self.latest(during).await?;
        let first = *blocks.first.get_or_insert(latest.number);
        if blocks.last.replace(latest.number) == Some(latest.number) {
            return Ok(None);
        }
        let included = self.provider.get_transaction_count(self.account.address());
        let included = included.await.map_err(failed)?;
        for hash in noted.hashes() {
            let known = self.provider.get_transaction_by_hash(hash).await;
            let Some(old) = known.map_err(failed)? else {
                continue;
            };
            if old.block_number.is_some() || old.nonce() != included {
                continue;
            }
            let (max_fee, tip) = self.fees().await?;
            let offered = (
                old.max_fee_per_gas(),
                old.max_priority_fee_per_gas().unwrap_or_default(),
            );
            let base_fee = u128::from(latest.base_fee_per_gas.unwrap_or_default());
            let is_behind = max_fee > offered.0 || tip > offered.1;
            if base_fee <= offered.0 && !(is_behind && latest.number >= first + PATIENCE) {
                return Ok(None);
            }
            return Ok(Some(Outpriced {
                max_fee: max_fee.max(raised(offered.0)),
                tip: tip.max(raised(offered.1)),
                old,
            }));
        }
        Ok(None)
    }

    /// Sends the same transaction at a higher price. Both hashes are on disk before it leaves: either may be included. One that
    /// the node does not take leaves the old one, which is still waited for.
    async fn replace(
        &mut self,
        number: usize,
        label: &str,
        Outpriced { old, max_fee, tip }: Outpriced,
    ) -> Result<(), DeployError> {
        let Account::Key(signer) = self.account.clone() else {
            return Ok(());
        };
        let mut request = TransactionRequest::default()
            .with_from(signer.address())
            .with_nonce(old.nonce())
            .with_input(old.input().clone())
            .with_gas_limit(old.gas_limit())
            .with_chain_id(self.deployment.chain_id)
            .with_max_fee_per_gas(max_fee)
            .with_max_priority_fee_per_gas(tip);
        request.to = Some(old.kind());
        let signed = sign(&signer, label, request).await?;
        let (hash, replaced) = (*signed.tx_hash(), *old.inner.tx_hash());
        let noted = *self.slot(number);
        *self.slot(number) = Some(TransactionRecord {
            hash,
            inclusion: None,
            replaces: Some(replaced),
        });
        self.record()?;
        tracing::info!(step = label, %replaced, %hash, max_fee, tip, "a transaction is replaced at a higher price");
        let sent = self
            .provider
            .send_raw_transaction(&signed.encoded_2718())
            .await;
        if let Err(error) = sent {
            // The answer may be lost and the transaction not.
            let known = self.provider.get_transaction_by_hash(hash).await;
            if !matches!(known, Ok(Some(_))) {
                tracing::warn!(step = label, %error, "a transaction could not be replaced");
                *self.slot(number) = noted;
                self.record()?;
            }
        }
        Ok(())
    }

    /// Fills in what a run that broke off could not record.
    pub(super) async fn complete_record(&mut self, number: usize) -> Result<(), DeployError> {
        if self
            .slot(number)
            .is_none_or(|noted| noted.inclusion.is_some())
        {
            return Ok(());
        }
        // Without a receipt it was never included: another transaction did it.
        let receipt = self.receipt(number, "read a receipt").await?;
        *self.slot(number) = receipt.as_ref().and_then(record);
        Ok(())
    }

    /// Forgets where a transaction of this run was included: a reorganisation may have moved it.
    pub(super) fn doubt_record(&mut self, number: usize) {
        let opened = self.opened;
        if let Some(noted) = self.slot(number)
            && noted
                .inclusion
                .is_some_and(|included| included.block > opened)
        {
            noted.inclusion = None;
        }
    }

    /// Of a step's transaction, or of that which it was to replace.
    async fn receipt(
        &mut self,
        number: usize,
        during: &str,
    ) -> Result<Option<TransactionReceipt>, DeployError> {
        let noted = *self.slot(number);
        for hash in noted.iter().flat_map(TransactionRecord::hashes) {
            let receipt = self.provider.get_transaction_receipt(hash).await;
            let receipt = receipt.map_err(|error| failure(during, error))?;
            if receipt.is_some() {
                return Ok(receipt);
            }
        }
        Ok(None)
    }

    async fn latest(&self, during: &str) -> Result<Header, DeployError> {
        let latest = self
            .provider
            .get_block_by_number(BlockNumberOrTag::Latest)
            .await;
        let latest = latest.map_err(|error| failure(during, error))?;
        latest
            .map(|block| block.header)
            .ok_or_else(|| DeployError::Answer {
                during: during.to_owned(),
                expected: "the latest block".to_owned(),
                found: "none".to_owned(),
            })
    }
}

const fn raised(fee: u128) -> u128 {
    fee.saturating_add(fee.div_ceil(RAISE))
}

/// `None` for what failed.
fn record(receipt: &TransactionReceipt) -> Option<TransactionRecord> {
    receipt.status().then(|| TransactionRecord {
        hash: receipt.transaction_hash,
        inclusion: receipt.block_number.map(|block| Inclusion {
            block,
            gas_used: receipt.gas_used,
        }),
        replaces: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_pays_at_least_an_eighth_more() {
        for fee in [1, 7, 8, 9, 1_000_000_007, u128::from(u64::MAX)] {
            assert!(raised(fee) * 8 >= fee * 9, "{fee}");
            assert!(raised(fee) * 8 < fee * 9 + 8, "{fee}");
        }
        assert_eq!(raised(u128::MAX), u128::MAX);
    }
}
