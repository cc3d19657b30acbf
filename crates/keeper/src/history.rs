//! Past blocks: a mirror as it stood at one of them, and each block after it.

use alloy::eips::BlockNumberOrTag;
use alloy::rpc::types::{Block as RpcBlock, Filter, Log};
use alloy_primitives::Address;
use breakwater_protocol::{BlockRef, Mirror};
use breakwater_rpc::follower::{self, Block, FollowerConfig, Update};
use breakwater_rpc::{Client, RpcError};
use tokio_util::sync::CancellationToken;

use crate::error::RunError;
use crate::run::start_after;
use crate::system::System;

/// Blocks of logs asked for at once; halved where a node refuses.
const RANGE: u64 = 10_000;

/// Whose logs a mirror reads.
fn addresses(system: &System) -> Vec<Address> {
    vec![system.pool, system.policy_address]
}

/// A block's header as the engine knows it, without logs.
///
/// # Errors
/// [`RunError::Rpc`], also where there is no such block.
pub(crate) async fn header(client: &Client, number: u64) -> Result<Block, RunError> {
    let failed = |source| RunError::Rpc {
        what: format!("block {number}"),
        source,
    };
    let block: Option<RpcBlock> = client
        .request(
            "eth_getBlockByNumber",
            (BlockNumberOrTag::Number(number), false),
        )
        .await
        .map_err(failed)?;
    let header = block
        .ok_or_else(|| {
            failed(RpcError::Malformed {
                endpoint: "the node".to_owned(),
                method: "eth_getBlockByNumber".to_owned(),
                reason: format!("no block {number}: does the node keep history that far back?"),
            })
        })?
        .header;
    Ok(Block {
        number: header.inner.number,
        hash: header.hash,
        parent_hash: header.inner.parent_hash,
        timestamp: header.inner.timestamp,
        base_fee: header.inner.base_fee_per_gas,
        gas_used: header.inner.gas_used,
        gas_limit: header.inner.gas_limit,
        logs: Vec::new(),
    })
}

/// A block's place, as a mirror knows it.
pub(crate) const fn place(block: &Block) -> BlockRef {
    BlockRef {
        number: block.number,
        hash: block.hash,
        parent_hash: block.parent_hash,
        timestamp: block.timestamp,
    }
}

/// A block with the logs of pool and policy.
pub(crate) async fn block(
    client: &Client,
    system: &System,
    number: u64,
) -> Result<Block, RunError> {
    let mut block = header(client, number).await?;
    let filter = Filter::new()
        .address(addresses(system))
        .at_block_hash(block.hash);
    block.logs = client
        .request("eth_getLogs", (filter,))
        .await
        .map_err(|source| RunError::Rpc {
            what: format!("the logs of block {number}"),
            source,
        })?;
    Ok(block)
}

/// A mirror as it stood after `last`, built from the deployment on. The blocks are taken as the node tells them now: past is past.
pub(crate) async fn mirror_at(
    client: &Client,
    system: &System,
    last: u64,
) -> Result<Mirror, RunError> {
    let start = place(&header(client, system.first_block.min(last)).await?);
    let mut mirror = Mirror::new(system.description, start)?;
    let (mut from, mut range) = (start.number + 1, RANGE);
    while from <= last {
        let to = last.min(from + range - 1);
        let filter = Filter::new()
            .address(addresses(system))
            .from_block(from)
            .to_block(to);
        let answer: Result<Vec<Log>, RpcError> = client.request("eth_getLogs", (filter,)).await;
        let logs = match answer {
            Err(error) if error.is_range_too_large() && range > 1 => {
                range /= 2;
                continue;
            }
            other => other.map_err(|source| RunError::Rpc {
                what: format!("the logs of blocks {from} to {to}"),
                source,
            })?,
        };
        let end = place(&header(client, to).await?);
        let mut numbers: Vec<u64> = logs.iter().filter_map(|log| log.block_number).collect();
        numbers.dedup();
        let mut blocks = Vec::with_capacity(numbers.len());
        for number in numbers {
            let here = logs
                .iter()
                .filter(move |log| log.block_number == Some(number));
            // Nodes differ in whether a log has its block's time.
            let told = here.clone().find_map(|log| log.block_timestamp);
            let timestamp = match told {
                Some(timestamp) => timestamp,
                None => header(client, number).await?.timestamp,
            };
            blocks.push((number, timestamp, here.map(|log| &log.inner)));
        }
        mirror.apply_range(blocks, &end)?;
        from = to + 1;
    }
    Ok(mirror)
}

/// Follows the chain until the mirror is at its head; returns that head with its fees.
pub(crate) async fn catch_up(
    client: &Client,
    system: &System,
    mirror: &mut Mirror,
    slot: std::time::Duration,
) -> Result<Block, RunError> {
    let token = CancellationToken::new();
    let _guard = token.clone().drop_guard();
    let config = FollowerConfig::new(addresses(system), start_after(mirror), slot);
    let (mut updates, task) = follower::spawn(client.clone(), config, token);
    while let Some(update) = updates.recv().await {
        match update {
            Update::Block(block) => {
                mirror.apply_block(&place(&block), block.logs.iter().map(|log| &log.inner))?;
            }
            Update::Range(range) => {
                let blocks = range.blocks.iter().map(|logged| {
                    let logs = logged.logs.iter().map(|log| &log.inner);
                    (logged.block.number, logged.timestamp, logs)
                });
                mirror.apply_range(blocks, &place(&range.last))?;
            }
            Update::Rewind { to } => {
                mirror.rewind(to.number, to.hash)?;
            }
            Update::Live { .. } => return header(client, mirror.head().number).await,
            Update::Stalled { since } => {
                tracing::warn!(?since, "no new block: the node may be behind");
            }
        }
    }
    Err(RunError::Ended {
        task: "following the chain",
        reason: task
            .await
            .map_or_else(|error| error.to_string(), |ended| format!("{ended:?}")),
    })
}
