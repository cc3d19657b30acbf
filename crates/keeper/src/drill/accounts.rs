//! What happened, read from the chain alone: receipts and logs, whatever a keeper says of itself.

use alloy::eips::BlockNumberOrTag;
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::{Filter, Log, TransactionReceipt};
use alloy::transports::TransportError;
use alloy_primitives::{Address, B256, Bytes, I256, U256};
use alloy_sol_types::SolEvent;
use breakwater_bindings::{DampedPolicy, IBackstopPool, ILendingPool};
use breakwater_deploy::Deployment;

use crate::receipt::{gas_paid, movements};
use crate::store::Kind;

/// A liquidation or a settlement, by the pool's event. Amounts are base units, the bonus is in the scale of 1e18.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Which of them.
    pub kind: Kind,
    /// Who called the pool: the backstop where it was called to.
    pub by: Address,
    /// Its block.
    pub block: u64,
    /// Its transaction.
    pub hash: B256,
    /// Whose position.
    pub account: Address,
    /// Debt tokens repaid.
    pub repaid: U256,
    /// Collateral seized; of a settlement, of all kinds together.
    pub seized: U256,
    /// The bonus; 0 for a settlement, whose terms are fixed.
    pub bonus: U256,
}

/// A transaction of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The transaction.
    pub hash: B256,
    /// Its block.
    pub block: u64,
    /// That block's time.
    pub timestamp: u64,
    /// Whether it succeeded.
    pub success: bool,
    /// Wei paid for gas.
    pub gas: U256,
    /// Debt tokens that came in, less those that went out; base units.
    pub earned: I256,
    /// The same of the first collateral.
    pub kept: I256,
    /// Liquidations and settlements in it.
    pub closings: Vec<Closing>,
    /// Whose clocks it started.
    pub flagged: Vec<Address>,
    /// Whether it let the bucket record the venue's depth, and nothing else.
    pub recorded: bool,
    /// What it bought of the backstop, and for what; base units.
    pub bought: Option<(U256, U256)>,
    /// Whether it started the clock of the backstop's sale, and nothing else.
    pub observed: bool,
    /// Whether it only took back another one: a transfer of nothing to itself.
    pub cancels: bool,
}

/// Every liquidation and settlement by anybody from a block on, in order.
///
/// # Errors
/// What the node answers.
pub async fn closings(
    provider: &DynProvider,
    deployment: &Deployment,
    from: u64,
) -> Result<Vec<Closing>, TransportError> {
    let filter = Filter::new()
        .address(deployment.pool)
        .from_block(from)
        .event_signature(vec![
            ILendingPool::Liquidated::SIGNATURE_HASH,
            ILendingPool::Settled::SIGNATURE_HASH,
        ]);
    let mut hashes: Vec<B256> = Vec::new();
    for log in provider.get_logs(&filter).await? {
        let hash = log.transaction_hash.unwrap_or_default();
        if hashes.last() != Some(&hash) {
            hashes.push(hash);
        }
    }
    let mut found = Vec::new();
    for hash in hashes {
        // Settlements hand over all collateral by several events: a receipt has them together.
        if let Some(receipt) = provider.get_transaction_receipt(hash).await? {
            found.extend(closings_of(&receipt, deployment));
        }
    }
    Ok(found)
}

/// Every transaction of `account` from a block on that is in the chain, in order.
///
/// # Errors
/// What the node answers.
pub async fn sent(
    provider: &DynProvider,
    deployment: &Deployment,
    account: Address,
    from: u64,
) -> Result<Vec<Sent>, TransportError> {
    let mut found = Vec::new();
    for number in from..=provider.get_block_number().await? {
        let block = provider
            .get_block_by_number(BlockNumberOrTag::Number(number))
            .full()
            .await?;
        let Some(block) = block else { continue };
        let hashes = block
            .transactions
            .as_transactions()
            .unwrap_or_default()
            .iter()
            .filter(|transaction| transaction.inner.signer() == account)
            .map(|transaction| *transaction.inner.tx_hash());
        for hash in hashes {
            let Some(receipt) = provider.get_transaction_receipt(hash).await? else {
                continue;
            };
            let collateral = deployment.collaterals.first().map(|one| one.token);
            let moved = movements(
                receipt.logs(),
                account,
                deployment.asset,
                collateral.as_slice(),
            );
            let closings = closings_of(&receipt, deployment);
            let bought = bought_of(receipt.logs(), deployment);
            let backstop = deployment.backstop.map(|backstop| backstop.pool);
            found.push(Sent {
                hash,
                block: number,
                timestamp: block.header.timestamp,
                success: receipt.status(),
                gas: gas_paid(receipt.gas_used, receipt.effective_gas_price),
                earned: moved.debt,
                kept: moved.collaterals.first().copied().unwrap_or_default(),
                observed: receipt.status()
                    && backstop.is_some()
                    && receipt.to == backstop
                    && closings.is_empty()
                    && bought.is_none(),
                closings,
                bought,
                flagged: flags_of(receipt.logs(), deployment),
                recorded: receipt.to == Some(deployment.asked_policy()),
                cancels: receipt.to == Some(account),
            });
        }
    }
    Ok(found)
}

/// Why a transaction reverted, by its trace: in words, also where the node does not tell.
pub async fn revert_reason(provider: &DynProvider, hash: B256) -> String {
    let tracer = serde_json::json!({ "tracer": "callTracer" });
    let trace: Result<serde_json::Value, _> = provider
        .raw_request("debug_traceTransaction".into(), (hash, tracer))
        .await;
    let said = |name: &str| {
        let trace = trace.as_ref().ok()?;
        Some(trace.get(name)?.as_str()?.to_owned())
    };
    said("output")
        .and_then(|text| text.parse::<Bytes>().ok())
        .and_then(|data| breakwater_bindings::describe_revert(&data))
        .or_else(|| said("error"))
        .unwrap_or_else(|| "the node does not say why".to_owned())
}

/// What a receipt says of positions that were closed, whole or in part.
fn closings_of(receipt: &TransactionReceipt, deployment: &Deployment) -> Vec<Closing> {
    let logs = || {
        let logs = receipt.logs().iter();
        logs.filter(|log| log.address() == deployment.pool)
            .map(|log| &log.inner)
    };
    let place = |kind, by, account, repaid, seized, bonus| Closing {
        kind,
        by,
        block: receipt.block_number.unwrap_or_default(),
        hash: receipt.transaction_hash,
        account,
        repaid,
        seized,
        bonus,
    };
    logs()
        .filter_map(|log| {
            if let Ok(event) = ILendingPool::Liquidated::decode_log(log) {
                let absorbed = deployment
                    .backstop
                    .is_some_and(|backstop| backstop.pool == event.liquidator);
                return Some(place(
                    if absorbed {
                        Kind::Absorbed
                    } else {
                        Kind::Liquidated
                    },
                    event.liquidator,
                    event.account,
                    event.repaid,
                    event.seized,
                    event.bonus,
                ));
            }
            let event = ILendingPool::Settled::decode_log(log).ok()?;
            let seized = logs()
                .filter_map(|log| ILendingPool::CollateralWithdrawn::decode_log(log).ok())
                .filter(|taken| taken.account == event.account)
                .map(|taken| taken.amount)
                .sum();
            Some(place(
                Kind::Settled,
                event.caller,
                event.account,
                event.repaid,
                seized,
                U256::ZERO,
            ))
        })
        .collect()
}

fn bought_of(logs: &[Log], deployment: &Deployment) -> Option<(U256, U256)> {
    let backstop = deployment.backstop?.pool;
    logs.iter()
        .filter(|log| log.address() == backstop)
        .find_map(|log| IBackstopPool::InventorySold::decode_log(&log.inner).ok())
        // A settlement hands the caller his part by another event.
        .map(|event| (event.amount, event.paid))
}

fn flags_of(logs: &[Log], deployment: &Deployment) -> Vec<Address> {
    logs.iter()
        .filter(|log| log.address() == deployment.asked_policy())
        .filter_map(|log| DampedPolicy::Flagged::decode_log(&log.inner).ok())
        .filter(|event| event.pool == deployment.pool)
        .map(|event| event.account)
        .collect()
}
