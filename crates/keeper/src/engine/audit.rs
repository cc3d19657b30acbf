//! The sampled audit: 1% of all accounts an hour, compared with the pool's views to the wei.

use alloy::eips::BlockId;
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::ILendingPool;
use breakwater_operator::status::unix_now;
use breakwater_rpc::{RpcError, TargetCall};
use tokio::task::JoinHandle;

use super::{Ended, Engine, blocks::difference};

/// The share of accounts looked at in an hour.
const SHARE_PER_HOUR: f64 = 0.01;

/// The most accounts of one request.
const MOST_AT_ONCE: usize = 50;

/// Blocks between two audits of a small pool: enough accounts for one request are seldom due.
const EVERY_BLOCKS: u64 = 25;

/// What the mirror says of an account at a block.
#[derive(Clone, Debug)]
struct Expected {
    account: Address,
    debt: U256,
    debt_shares: U256,
    collaterals: Vec<U256>,
}

/// An audit's outcome.
#[derive(Debug)]
pub(crate) struct Found {
    block: u64,
    accounts: u64,
    drifted: Vec<(Address, U256)>,
}

/// The audit's progress.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    running: Option<JoinHandle<Result<Found, RpcError>>>,
    /// The fraction of an account that is due.
    due: f64,
    blocks: u64,
    cursor: usize,
    pub accounts: u64,
    pub drift: U256,
    pub last: Option<u64>,
}

impl Audit {
    /// Waits for the audit that runs; for ever if none does.
    pub async fn finished(&mut self) -> Option<Result<Found, RpcError>> {
        let Some(running) = &mut self.running else {
            return std::future::pending().await;
        };
        let result = running.await.ok();
        self.running = None;
        result
    }

    /// Forgets the one that runs.
    pub fn abandon(&mut self) {
        if let Some(running) = self.running.take() {
            running.abort();
        }
    }
}

impl Engine {
    /// Begins an audit if enough accounts are due.
    pub(super) fn audit_some(&mut self) {
        let count = self.mirror.account_count();
        let per_block = count as f64 * SHARE_PER_HOUR * self.context.slot as f64 / 3_600.0;
        self.audit.due += per_block;
        self.audit.blocks += 1;
        let ready = self.audit.due >= MOST_AT_ONCE as f64 || self.audit.blocks >= EVERY_BLOCKS;
        if !ready || self.audit.running.is_some() || count == 0 {
            return;
        }
        // At least one, so that a small pool is looked at too.
        let sample = (self.audit.due as usize).clamp(1, MOST_AT_ONCE.min(count));
        self.audit.due = (self.audit.due - sample as f64).clamp(0.0, MOST_AT_ONCE as f64);
        self.audit.blocks = 0;
        let head = *self.mirror.head();
        let accounts: Vec<Address> = self
            .mirror
            .accounts()
            .skip(self.audit.cursor)
            .chain(self.mirror.accounts())
            .take(sample)
            .collect();
        self.audit.cursor = (self.audit.cursor + sample) % count;
        let kinds = self.mirror.collaterals().len();
        let expected: Vec<Expected> = accounts
            .into_iter()
            .map(|account| Expected {
                account,
                debt: self.mirror.debt_of(&account, head.timestamp),
                debt_shares: U256::from(self.mirror.debt_shares_of(&account)),
                collaterals: (0..kinds as u64)
                    .map(|id| U256::from(self.mirror.collateral_of(&account, id)))
                    .collect(),
            })
            .collect();
        let (client, system) = (self.context.client.clone(), self.context.system.clone());
        self.audit.running = Some(tokio::spawn(async move {
            let read = async || -> Result<Vec<(Address, U256)>, RpcError> {
                let calls = calls(system.pool, &expected);
                let answers = client
                    .multicall(system.multicall, BlockId::hash(head.hash), &calls, None)
                    .await?;
                let mut answers = answers.into_iter().map(Result::ok);
                Ok(expected
                    .iter()
                    .filter_map(|one| Some((one.account, drift(one, &mut answers)?)))
                    .collect())
            };
            let mut drifted = read().await?;
            if !drifted.is_empty() {
                // A node may answer for another block while it takes in a new one (an anvil that mines meanwhile gives 2 in 100 such
                // calls the next block's time); a mirror that is wrong stays wrong.
                let again = read().await?;
                let first = drifted.len();
                drifted.retain(|one| again.contains(one));
                tracing::warn!(
                    block = head.number,
                    first,
                    again = drifted.len(),
                    "accounts that differed from the pool's views, and that did so again"
                );
            }
            Ok(Found {
                block: head.number,
                accounts: expected.len() as u64,
                drifted,
            })
        }));
    }

    /// Takes an audit's outcome: any drift means that nothing the mirror says can be trusted.
    pub(super) fn audited(&mut self, found: Option<Result<Found, RpcError>>) -> Option<Ended> {
        let found = match found? {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "the audit could not be made");
                return None;
            }
        };
        self.audit.accounts += found.accounts;
        self.audit.last = Some(unix_now());
        let worst = found.drifted.iter().map(|(_, drift)| *drift).max()?;
        self.audit.drift = self.audit.drift.max(worst);
        for (account, drift) in &found.drifted {
            tracing::error!(%account, block = found.block, %drift, "the mirror differs from the pool");
        }
        Some(Ended::Resync(format!(
            "the mirror differs from the pool at block {} in {} of {} accounts audited, by up to {worst} wei",
            found.block,
            found.drifted.len(),
            found.accounts
        )))
    }
}

fn calls(pool: Address, expected: &[Expected]) -> Vec<TargetCall> {
    let mut calls = Vec::new();
    for one in expected {
        let account = one.account;
        calls.push(TargetCall::new(pool, &ILendingPool::debtOfCall { account }));
        calls.push(TargetCall::new(
            pool,
            &ILendingPool::debtSharesOfCall { account },
        ));
        for id in 0..one.collaterals.len() {
            calls.push(TargetCall::new(
                pool,
                &ILendingPool::collateralOfCall {
                    account,
                    collateralId: U256::from(id),
                },
            ));
        }
    }
    calls
}

/// The greatest difference, if there is one. A view that does not answer is no difference: the node is at fault.
fn drift(expected: &Expected, answers: &mut impl Iterator<Item = Option<Bytes>>) -> Option<U256> {
    let compare = |value: U256, answer: Option<U256>| {
        answer.map_or(U256::ZERO, |answer| {
            difference(value, answer).unsigned_abs()
        })
    };
    let debt = answers.next().flatten();
    let shares = answers.next().flatten();
    let mut worst = compare(
        expected.debt,
        debt.and_then(|data| ILendingPool::debtOfCall::abi_decode_returns(&data).ok()),
    )
    .max(compare(
        expected.debt_shares,
        shares.and_then(|data| ILendingPool::debtSharesOfCall::abi_decode_returns(&data).ok()),
    ));
    for amount in &expected.collaterals {
        let answer = answers.next().flatten();
        worst = worst.max(compare(
            *amount,
            answer.and_then(|data| ILendingPool::collateralOfCall::abi_decode_returns(&data).ok()),
        ));
    }
    (!worst.is_zero()).then_some(worst)
}
