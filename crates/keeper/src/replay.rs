//! `replay --from-block N`: what the keeper would have done in past blocks, beside what happened.
//!
//! Readings are archive calls: the state after each block's parent, as if in the block that this keeper would have planned for.
//! Nothing is sent, so what it would have changed is not in what follows; each block is judged by itself.

use std::fmt;

use alloy_primitives::{Address, B256};
use breakwater_operator::config::KeeperConfig;
use breakwater_operator::status::MissedReason;
use breakwater_protocol::{Mirror, ViewError};
use breakwater_rpc::Client;

use crate::engine::{inclusion_tip, next_block};
use crate::error::RunError;
use crate::history;
use crate::planner::{NoOrders, Plan, Planned, Planner, Sight, Strategy};
use crate::reading::{HeadReading, Holders};
use crate::run::{connect, read_system};
use crate::store::Kind;
use crate::system::System;
use crate::thought::Memory;
use crate::units::whole;

/// A liquidation or settlement that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// Whose position.
    pub account: Address,
    /// Who called the pool.
    pub by: Address,
    /// How it was closed, in whole or in part.
    pub kind: Kind,
    /// Debt tokens repaid.
    pub repaid: f64,
    /// What the keeper would have written in its ledger: why it would not have been its own.
    pub reason: MissedReason,
    /// More about that.
    pub detail: String,
    /// Whether the keeper would have bid for it in that block.
    pub we_would: bool,
}

/// A block in which something was planned or happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// The block.
    pub block: u64,
    /// Its time.
    pub timestamp: u64,
    /// What the keeper would have sent for it.
    pub planned: Vec<Planned>,
    /// What happened in it.
    pub happened: Vec<Happened>,
}

/// What a replay comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Blocks replayed.
    pub blocks: u64,
    /// Blocks for which something would have been sent.
    pub with_plans: u64,
    /// Liquidations and settlements on chain.
    pub happened: u64,
    /// Of those, in a block for which the keeper would have bid for the same position.
    pub would_have_bid: u64,
}

/// Replays the blocks from `from` to `to` (or the head), telling of each in which something was planned or happened.
///
/// # Errors
/// [`RunError::UnknownBlock`]; [`RunError::Rpc`] where the node does not keep the state of so long ago, among others.
pub async fn replay(
    config: &KeeperConfig,
    from: u64,
    to: Option<u64>,
    mut tell: impl FnMut(&Replayed),
) -> Result<Summary, RunError> {
    let client = connect(config).await?;
    let system = read_system(config, &client).await?;
    let head: alloy_primitives::U64 =
        client
            .request("eth_blockNumber", ())
            .await
            .map_err(|source| RunError::Rpc {
                what: "the head".to_owned(),
                source,
            })?;
    let head = head.to::<u64>();
    let to = to.unwrap_or(head);
    for block in [from, to] {
        if block <= system.first_block || block > head {
            return Err(RunError::UnknownBlock { block, head });
        }
    }
    let mut mirror = history::mirror_at(&client, &system, from - 1).await?;
    let mut parent = history::header(&client, from - 1).await?;
    let planner = Planner::new(Strategy::new(&config.strategy, Address::ZERO));
    let slot = config.chain.slot.as_secs().max(1);
    let mut summary = Summary::default();
    for number in from..=to {
        let next = next_block(&parent, slot);
        let plan = plan(&client, &system, &mut mirror, &planner, &parent, next).await?;
        let mut memory = Memory::default();
        memory.remember(number, &plan.thoughts);
        let block = history::block(&client, &system, number).await?;
        let changes = mirror.apply_block(
            &history::place(&block),
            block.logs.iter().map(|log| &log.inner),
        )?;
        let seen = changes
            .liquidations
            .iter()
            .map(|seen| {
                let kind = Kind::of_liquidation(&system, seen.liquidator);
                (seen.account, seen.liquidator, seen.repaid, kind)
            })
            .chain(
                changes
                    .settlements
                    .iter()
                    .map(|seen| (seen.account, seen.caller, seen.repaid, Kind::Settled)),
            );
        let happened: Vec<Happened> = seen
            .map(|(account, by, repaid, kind)| {
                let (reason, detail) = memory.missed(number, account);
                Happened {
                    account,
                    by,
                    kind,
                    repaid: whole(alloy_primitives::U256::from(repaid), system.debt.decimals),
                    reason,
                    detail,
                    we_would: plan
                        .actions
                        .iter()
                        .any(|action| action.account == account && action.kind.closes()),
                }
            })
            .collect();
        summary.blocks += 1;
        summary.with_plans += u64::from(!plan.actions.is_empty());
        summary.happened += happened.len() as u64;
        summary.would_have_bid += happened.iter().filter(|one| one.we_would).count() as u64;
        if !plan.actions.is_empty() || !happened.is_empty() {
            tell(&Replayed {
                block: number,
                timestamp: block.timestamp,
                planned: plan.actions,
                happened,
            });
        }
        parent = block;
    }
    Ok(summary)
}

async fn plan(
    client: &Client,
    system: &System,
    mirror: &mut Mirror,
    planner: &Planner,
    parent: &breakwater_rpc::follower::Block,
    next: crate::reading::NextBlock,
) -> Result<Plan, RunError> {
    let oracles: Vec<Address> = mirror.collaterals().iter().map(|one| one.oracle).collect();
    let rpc = |source| RunError::Rpc {
        what: format!(
            "the state after block {} (a replay needs a node that keeps it: an archive node)",
            parent.number
        ),
        source,
    };
    let reading = HeadReading::read(client, system, &oracles, Holders::default(), next)
        .await
        .map_err(rpc)?;
    let moment = mirror.moment(&reading.prices(), next.timestamp)?;
    let accounts = mirror.candidates(&moment);
    let sight = Sight {
        system,
        mirror,
        reading: &reading,
        moment: &moment,
        inclusion_tip: inclusion_tip(client, parent).await.map_err(rpc)?,
        anchor_hash: B256::ZERO,
        claims: &[],
    };
    match planner.plan(&sight, &accounts, &mut NoOrders) {
        Err(ViewError::PolicyUnknown { .. }) => Ok(Plan::default()),
        other => Ok(other?),
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "block {} at {}", self.block, self.timestamp)?;
        for planned in &self.planned {
            writeln!(
                out,
                "  would {:<18} {} (collateral {}), expecting {:.4}",
                planned.kind.name(),
                planned.account,
                planned.collateral,
                planned.expected
            )?;
        }
        for one in &self.happened {
            let what = one.kind.name();
            write!(
                out,
                "  was {what:<12} {} by {}, {:.4} repaid: ",
                one.account, one.by, one.repaid
            )?;
            if one.we_would {
                writeln!(out, "we would have bid too")?;
            } else {
                writeln!(out, "{} ({})", one.reason.name(), one.detail)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} blocks by archive calls: plans for {}; {} liquidations and settlements on chain, {} of them in a block we would have bid for",
            self.blocks, self.with_plans, self.happened, self.would_have_bid
        )
    }
}
