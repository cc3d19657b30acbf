//! What is read from the chain. Every read is anchored to a head that the follower vouched for, by hash: a node that is behind or on
//! another branch fails to answer instead of answering with something else.

use std::future::IntoFuture;
use std::time::Duration;

use alloy::consensus::Transaction;
use alloy::eips::{BlockId, BlockNumberOrTag};
use alloy::network::TransactionResponse;
use alloy::providers::{DynProvider, Provider};
use alloy::transports::TransportResult;
use alloy_primitives::{Address, B256, Bytes, U256};

use crate::rejection::Rejection;
use crate::{Head, Inclusion};

/// A nonce to look after, if the chain has used it.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    pub nonce: u64,
    /// What was signed for it.
    pub hashes: Vec<B256>,
    /// Where one of ours was found before.
    pub included: Option<Inclusion>,
    /// A block at which it was unused.
    pub unused_at: u64,
}

/// What became of a nonce that the chain has used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    Ours(Inclusion),
    Foreign {
        hash: B256,
        block_number: u64,
    },
    /// No receipt of ours and no other transaction found.
    Missing,
}

/// The account at a head.
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    pub head: Head,
    /// Nonces used.
    pub count: u64,
    pub balance: U256,
    /// For the probes below `count`.
    pub findings: Vec<(u64, Finding)>,
}

/// A provider with a limit on every answer.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub provider: DynProvider,
    pub timeout: Duration,
    pub address: Address,
}

type Read<T> = Result<T, String>;

impl Client {
    pub async fn read<T>(
        &self,
        what: &'static str,
        request: impl IntoFuture<Output = TransportResult<T>>,
    ) -> Read<T> {
        match tokio::time::timeout(self.timeout, request.into_future()).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(format!("{what}: {error}")),
            Err(_) => Err(format!("{what}: no answer in {:?}", self.timeout)),
        }
    }

    /// Sends signed bytes. The hash in the answer is not looked at: ours is known.
    pub async fn broadcast(&self, raw: Bytes) -> Result<(), Rejection> {
        let request = self.provider.send_raw_transaction(&raw);
        match tokio::time::timeout(self.timeout, request).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Rejection::of(&error)),
            Err(_) => Err(Rejection::Unknown(format!(
                "no answer in {:?}",
                self.timeout
            ))),
        }
    }

    pub async fn observe(self, head: Head, probes: Vec<Probe>) -> Read<Observation> {
        let at = BlockId::hash(head.hash);
        let (count, balance) = tokio::try_join!(
            self.read(
                "eth_getTransactionCount",
                self.provider
                    .get_transaction_count(self.address)
                    .block_id(at)
            ),
            self.read(
                "eth_getBalance",
                self.provider.get_balance(self.address).block_id(at)
            ),
        )?;
        let mut findings = Vec::new();
        for probe in probes {
            if probe.nonce < count {
                let finding = self.find(&probe, head).await?;
                findings.extend(finding.map(|finding| (probe.nonce, finding)));
            }
        }
        Ok(Observation {
            head,
            count,
            balance,
            findings,
        })
    }

    /// `None` if the block says that the nonce is ours but the receipt is not to be had yet.
    async fn find(&self, probe: &Probe, head: Head) -> Read<Option<Finding>> {
        // A block does not change: as long as it is in the chain, so is what was seen in it, whether or not the node kept the receipt.
        if let Some(known) = probe.included
            && known.block_number <= head.number
            && self
                .is_canonical(known.block_number, known.block_hash, head)
                .await?
        {
            return Ok(Some(Finding::Ours(known)));
        }
        if let Some(inclusion) = self.receipt_of_any(probe, head).await? {
            return Ok(Some(Finding::Ours(inclusion)));
        }
        // No receipt: it may be missing (a node behind, an index not built) or the nonce somebody else's. The block says which.
        let Some((hash, block_number)) = self.consumer(probe, head).await else {
            return Ok(Some(Finding::Missing));
        };
        if probe.hashes.contains(&hash) {
            return Ok(self.receipt_of_any(probe, head).await?.map(Finding::Ours));
        }
        Ok(Some(Finding::Foreign { hash, block_number }))
    }

    async fn receipt_of_any(&self, probe: &Probe, head: Head) -> Read<Option<Inclusion>> {
        for &hash in &probe.hashes {
            let receipt = self
                .read(
                    "eth_getTransactionReceipt",
                    self.provider.get_transaction_receipt(hash),
                )
                .await?;
            let Some(receipt) = receipt else { continue };
            let (Some(block_number), Some(block_hash)) = (receipt.block_number, receipt.block_hash)
            else {
                continue;
            };
            let belongs = receipt.transaction_hash == hash
                && receipt.from == self.address
                && block_number <= head.number
                && self.is_canonical(block_number, block_hash, head).await?;
            if belongs {
                return Ok(Some(Inclusion {
                    hash,
                    nonce: probe.nonce,
                    block_number,
                    block_hash,
                    success: receipt.status(),
                    gas_used: receipt.gas_used,
                    effective_gas_price: receipt.effective_gas_price,
                }));
            }
        }
        Ok(None)
    }

    async fn is_canonical(&self, number: u64, hash: B256, head: Head) -> Read<bool> {
        if number == head.number {
            return Ok(hash == head.hash);
        }
        let block = self
            .read(
                "eth_getBlockByNumber",
                self.provider
                    .get_block_by_number(BlockNumberOrTag::Number(number)),
            )
            .await?;
        Ok(block.is_some_and(|block| block.header.hash == hash))
    }

    /// The transaction that used the nonce, by bisection on the account's count and a look at the block. `None` if the node cannot
    /// tell, as one without old states cannot.
    async fn consumer(&self, probe: &Probe, head: Head) -> Option<(B256, u64)> {
        let count_at = async |number: u64| {
            let request = self
                .provider
                .get_transaction_count(self.address)
                .number(number);
            self.read("eth_getTransactionCount", request).await.ok()
        };
        // Backwards from the head in doubling steps: many nodes have the states of the last blocks only.
        let lowest = probe.unused_at.min(head.number);
        let (mut used, mut stride) = (head.number, 1);
        let mut unused = loop {
            let before = used.saturating_sub(stride).max(lowest);
            if count_at(before).await? <= probe.nonce {
                break before;
            }
            if before == lowest {
                return None;
            }
            (used, stride) = (before, stride * 2);
        };
        while used - unused > 1 {
            let middle = unused + (used - unused) / 2;
            if count_at(middle).await? > probe.nonce {
                used = middle;
            } else {
                unused = middle;
            }
        }
        let request = self
            .provider
            .get_block_by_number(BlockNumberOrTag::Number(used))
            .full();
        let block = self.read("eth_getBlockByNumber", request).await.ok()??;
        let transactions = block.transactions.as_transactions()?;
        let found = transactions.iter().find(|transaction| {
            transaction.from() == self.address && transaction.inner.nonce() == probe.nonce
        })?;
        Some((found.tx_hash(), used))
    }
}
