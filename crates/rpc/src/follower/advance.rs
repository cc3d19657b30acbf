//! From the blocks told to a head: along the links, back to the fork and forth, or in ranges where it is far.

use std::collections::HashMap;

use alloy::rpc::types::{Header, Log};
use tokio::time::sleep;

use super::{
    run::{Follower, Obstacle},
    source::{Hitch, Seen},
    types::{Block, BlockRef, FollowError, LoggedBlock, MAX_REORG, Range, Update},
};
use crate::{RpcError, transport::Route};

/// Told logs are compared again every so many blocks, for as many blocks.
const AUDIT_EVERY: u64 = 16;
/// How far behind the head: a node that had a block without its logs has had time to get them.
const AUDIT_BEHIND: u64 = 4;
/// How often a single block's logs may be refused in a row.
const REFUSALS: u32 = 5;

impl Follower {
    /// Tells what leads to `head`. Says whether anything was told.
    pub(super) async fn catch_up(&mut self, head: Seen) -> Result<bool, Obstacle> {
        let mut head = head;
        loop {
            let tip = self.canonical.tip();
            if head.block() == tip {
                self.tell_live(false).await?;
                return Ok(false);
            }
            if self.canonical.contains(head.block()) {
                self.leave_behind(&head);
                return Ok(false);
            }
            if head.header.number < tip.number {
                // A node that is stuck on a dead branch, or a chain that fell back: the others decide.
                let best = self.best_head().await?;
                if best.header.number >= tip.number {
                    self.leave_behind(&head);
                }
                if self.canonical.contains(best.block()) {
                    return Ok(false);
                }
                head = best;
            }
            if head.header.number.saturating_sub(tip.number) <= MAX_REORG {
                break;
            }
            self.live = false;
            self.back_fill(&head).await?;
            self.compared.clear();
            head = self.source.head().await?;
        }
        let (ancestor, branch) = self.branch(head).await?;
        if ancestor != self.canonical.tip() {
            self.rewind(ancestor).await?;
        }
        let many = branch.len() > 1;
        for seen in branch {
            let logs = self.source.logs(&seen).await?;
            let indices = logs.iter().filter_map(|log| log.log_index).collect();
            self.tell(Update::Block(block(&seen.header, logs))).await?;
            self.canonical.push(seen.block(), indices);
        }
        // On the same chain and behind: stale. What is on another branch may be right in the end.
        for seen in std::mem::take(&mut self.compared) {
            if self.canonical.contains(seen.block()) {
                self.leave_behind(&seen);
            }
        }
        self.tell_live(many).await?;
        if self.canonical.tip().number >= self.audit_at {
            self.audit().await?;
        }
        Ok(true)
    }

    async fn tell_live(&mut self, again: bool) -> Result<(), Obstacle> {
        if again || !self.live {
            self.live = true;
            let head = self.canonical.tip();
            self.tell(Update::Live { head }).await?;
        }
        Ok(())
    }

    /// A node gave a head that was passed: if there is another node, one block is forgiven.
    fn leave_behind(&self, head: &Seen) {
        let tip = self.canonical.tip().number;
        let failover = self.source.client.failover();
        if failover.len() > 1 && head.header.number + 1 < tip {
            failover.distrust(
                head.node,
                &format!("a stale head: {} after {tip}", head.header.number),
            );
        }
    }

    /// There are no blocks that lead to a head. If the node that gave it did not fail, still has it, and is not the only
    /// one, it is left alone: one that left that branch meanwhile is honest.
    async fn leave_baseless(&mut self, head: &Seen) {
        let failover = self.source.client.failover().clone();
        if failover.len() > 1 && failover.is_up(head.node) {
            let route = Route::on(head.node).once();
            let answer = self.source.at(head.header.number, route).await;
            if matches!(answer, Ok(Some(seen)) if seen.block() == head.block()) {
                let reason = format!("a head without its ancestors: {}", head.header.number);
                failover.distrust(head.node, &reason);
            }
        }
    }

    async fn rewind(&mut self, to: BlockRef) -> Result<(), Obstacle> {
        tracing::info!(from = self.canonical.tip().number, to = to.number, hash = %to.hash, "reorganised");
        self.tell(Update::Rewind { to }).await?;
        self.canonical.rewind(to.number);
        Ok(())
    }

    /// The blocks of `head`'s branch after the last one told, ascending, and that one. They are asked of the node that gave
    /// the head: the others need not have the branch.
    async fn branch(&mut self, head: Seen) -> Result<(BlockRef, Vec<Seen>), Obstacle> {
        let node = head.node;
        let oldest = self.canonical.oldest().number;
        // Below the oldest known block nothing can be compared: such a head may be no more than late.
        let strange = (head.header.number > oldest).then_some(node);
        let mut branch = vec![head];
        loop {
            let child = &branch[branch.len() - 1].header;
            let Some(number) = child.number.checked_sub(1) else {
                return Err(self.too_deep(strange).await?);
            };
            let parent = BlockRef {
                number,
                hash: child.parent_hash,
            };
            if self.canonical.contains(parent) {
                branch.reverse();
                return Ok((parent, branch));
            }
            if number <= oldest {
                return Err(self.too_deep(strange).await?);
            }
            let seen = self.source.by_hash(parent.hash, Route::first(node)).await?;
            let Some(seen) = seen else {
                self.leave_baseless(&branch[0]).await;
                return Err(Hitch::Gone.into());
            };
            if seen.header.number != number {
                let reason = format!(
                    "the parent {} of block {} is block {}",
                    parent.hash,
                    number + 1,
                    seen.header.number
                );
                return Err(self
                    .source
                    .lie(seen.node, "eth_getBlockByHash", reason)
                    .into());
            }
            branch.push(seen);
        }
    }

    /// Goes back to the last block told that a node still has at its height.
    pub(super) async fn fall_back(&mut self, route: Route) -> Result<(), Obstacle> {
        let known: Vec<BlockRef> = self.canonical.descending().map(|told| told.block).collect();
        for block in known {
            if self
                .source
                .at(block.number, route)
                .await?
                .is_some_and(|seen| seen.block() == block)
            {
                if block != self.canonical.tip() {
                    self.rewind(block).await?;
                }
                return Ok(());
            }
        }
        Err(self.too_deep(None).await?)
    }

    /// None of the known blocks is canonical, says one node. Ends the follower if a node has another block in place of the
    /// oldest one and none has that. A node that has neither is behind, or another's business. If one agrees with what was
    /// told, those that do not are left alone, and so is `strange`, whose branch does not lead to it.
    async fn too_deep(&mut self, strange: Option<usize>) -> Result<Obstacle, Obstacle> {
        let oldest = self.canonical.oldest();
        let failover = self.source.client.failover().clone();
        let (mut agree, mut contradict) = (Vec::new(), Vec::new());
        // All are asked first: an answer gives a node that was left alone its standing back.
        for node in 0..failover.len() {
            match self.source.at(oldest.number, Route::on(node).once()).await {
                Ok(Some(seen)) if seen.block() == oldest => agree.push(node),
                Ok(Some(_)) => contradict.push(node),
                Ok(None) | Err(_) => {}
            }
        }
        if agree.iter().any(|node| Some(*node) != strange) {
            contradict.extend(strange.filter(|node| !contradict.contains(node)));
            for node in contradict {
                let reason = format!("another chain: not that of block {}", oldest.number);
                failover.distrust(node, &reason);
            }
            return Ok(Hitch::Gone.into());
        }
        if !agree.is_empty() || contradict.is_empty() {
            return Ok(Hitch::Gone.into());
        }
        Ok(FollowError::TooDeep {
            last: self.canonical.tip().number,
            oldest: oldest.number,
            known: self.canonical.len(),
        }
        .into())
    }

    /// Tells the blocks that lie more than [`MAX_REORG`] behind `head` in ranges. Each comes from one node, that which gave the
    /// head if it answers, which has the range's last block and the block told before it on its chain: a node that is behind
    /// would leave out logs without saying so.
    async fn back_fill(&mut self, head: &Seen) -> Result<(), Obstacle> {
        let to = head.header.number.saturating_sub(MAX_REORG);
        let mut refusals = 0;
        while self.canonical.tip().number < to {
            let tip = self.canonical.tip();
            let from = tip.number + 1;
            let end = to.min(tip.number.saturating_add(self.range));
            let last = self.source.at(end, Route::first(head.node)).await?;
            let Some(last) = last else {
                self.leave_baseless(head).await;
                return Err(Hitch::Gone.into());
            };
            let route = Route::on(last.node);
            let before = self
                .source
                .at(tip.number, route)
                .await?
                .ok_or(Hitch::Gone)?;
            if before.block() != tip {
                self.fall_back(route).await?;
                continue;
            }
            let length = end - from + 1;
            let logs = match self.source.range(from, &last).await {
                Ok(logs) => logs,
                Err(Hitch::Rpc(cause)) => {
                    // Too many, too slow, or a reason of the node's own: less may go. A cheap question shows whether the
                    // node is there at all.
                    self.range = (length / 2).max(1);
                    if length == 1 && !cause.is_transient() {
                        refusals += 1;
                        if refusals >= REFUSALS {
                            return Err(FollowError::Unavailable { block: from, cause }.into());
                        }
                    }
                    tracing::debug!(from, end, %cause, "shorter ranges");
                    if !matches!(cause, RpcError::Refused { .. }) || length == 1 {
                        sleep(self.config.slot / 10).await;
                    }
                    continue;
                }
                Err(gone) => return Err(gone.into()),
            };
            refusals = 0;
            let blocks = self.logged_blocks(logs, route).await?;
            self.tell(Update::Range(Range {
                from,
                blocks,
                last: block(&last.header, Vec::new()),
            }))
            .await?;
            self.canonical.restart(last.block());
            if length >= self.range {
                self.range = (self.range + self.range.div_ceil(8)).min(self.config.max_range);
            }
        }
        Ok(())
    }

    /// Groups a range's logs by block. A node that does not put the time into its logs is asked for the header of each.
    async fn logged_blocks(
        &mut self,
        logs: Vec<Log>,
        route: Route,
    ) -> Result<Vec<LoggedBlock>, Obstacle> {
        let mut blocks: Vec<LoggedBlock> = Vec::new();
        for log in logs {
            let (Some(number), Some(hash)) = (log.block_number, log.block_hash) else {
                continue;
            };
            let place = BlockRef { number, hash };
            if let Some(same) = blocks.last_mut().filter(|last| last.block == place) {
                same.logs.push(log);
                continue;
            }
            let timestamp = match log.block_timestamp {
                Some(timestamp) => timestamp,
                None => {
                    let seen = self
                        .source
                        .at(number, route)
                        .await?
                        .filter(|seen| seen.block() == place);
                    seen.ok_or(Hitch::Gone)?.header.timestamp
                }
            };
            blocks.push(LoggedBlock {
                block: place,
                timestamp,
                logs: vec![log],
            });
        }
        Ok(blocks)
    }

    /// Compares the logs of some blocks told a while ago with a range, and goes back to before the first that lacks one: a
    /// node may know a block before it knows its logs.
    async fn audit(&mut self) -> Result<(), Obstacle> {
        let tip = self.canonical.tip().number;
        self.audit_at = tip + AUDIT_EVERY;
        let Some(to) = tip.checked_sub(AUDIT_BEHIND) else {
            return Ok(());
        };
        let mut told = HashMap::new();
        for block in self.canonical.descending() {
            if let Some(logs) = &block.logs
                && (to.saturating_sub(AUDIT_EVERY - 1)..=to).contains(&block.block.number)
            {
                told.insert(block.block, logs.clone());
            }
        }
        let Some(from) = told.keys().map(|block| block.number).min() else {
            return Ok(());
        };
        let range = match self.source.at(to, Route::default()).await {
            Ok(Some(last)) if self.canonical.contains(last.block()) => {
                self.source.range(from, &last).await
            }
            other => other.map(|_| Vec::new()),
        };
        let logs = match range {
            Ok(logs) => logs,
            Err(hitch) => {
                tracing::debug!(?hitch, "no audit");
                return Ok(());
            }
        };
        let missing = logs.iter().find_map(|log| {
            let block = BlockRef {
                number: log.block_number?,
                hash: log.block_hash?,
            };
            (!told.get(&block)?.contains(&log.log_index?)).then_some(block)
        });
        let Some(block) = missing else { return Ok(()) };
        tracing::warn!(number = block.number, hash = %block.hash, "a node had left out logs: told again");
        match block
            .number
            .checked_sub(1)
            .and_then(|number| self.canonical.at(number))
            .map(|told| told.block)
        {
            Some(to) => {
                self.rewind(to).await?;
                self.audit_at = tip;
                Err(Hitch::Gone.into())
            }
            None => Err(self.too_deep(None).await?),
        }
    }
}

fn block(header: &Header, logs: Vec<Log>) -> Block {
    Block {
        number: header.number,
        hash: header.hash,
        parent_hash: header.parent_hash,
        timestamp: header.timestamp,
        base_fee: header.base_fee_per_gas,
        gas_used: header.gas_used,
        gas_limit: header.gas_limit,
        logs,
    }
}
