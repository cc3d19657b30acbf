//! Headers and logs from nodes that may be behind, wrong or lying.

use std::collections::HashSet;

use alloy::{
    eips::BlockNumberOrTag,
    rpc::types::{Filter, Header, Log},
};
use alloy_primitives::{Address, B256, Bloom, BloomInput};
use futures_util::future::join_all;
use tokio::time::sleep;

use super::types::{BlockRef, FollowerConfig};
use crate::{Client, RpcError, transport::Route};

/// A header and who gave it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub node: usize,
    pub header: Header,
}

impl Seen {
    pub fn block(&self) -> BlockRef {
        BlockRef {
            number: self.header.number,
            hash: self.header.hash,
        }
    }
}

/// Why there is nothing now. Both are answered by asking for the head again.
#[derive(Clone, Debug)]
pub(super) enum Hitch {
    /// A request failed.
    Rpc(RpcError),
    /// The node does not have what it or another told of: a branch that is gone, or a node that is behind.
    Gone,
}

impl From<RpcError> for Hitch {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

/// An empty answer for a block whose bloom speaks for logs is believed at once only where so full a bloom is that likely to
/// err: one in this many.
const BLOOM_DOUBT: f64 = 1e-3;
/// How often an unlikely empty answer must come to be believed.
const EMPTY_ANSWERS: u32 = 3;

/// So many headers in a row that do not hash to their hash are not lies but a hard fork with another header field.
const UNSEALED: u32 = 20;

pub(super) struct Source {
    pub client: Client,
    addresses: Vec<Address>,
    watched: HashSet<Address>,
    /// How long to wait between two questions for the same logs.
    pause: std::time::Duration,
    /// Headers hash to their hash, as far as seen: true on Ethereum and most of its kin, not on chains with other header
    /// fields. A chain that hashes so once must go on doing so.
    sealed: Option<bool>,
    /// Headers in a row that did not.
    unsealed: u32,
    /// The block whose empty answer is doubted, and how often it came.
    doubted: (B256, u32),
}

impl Source {
    pub fn new(client: Client, config: &FollowerConfig) -> Self {
        let mut addresses = config.addresses.clone();
        addresses.sort_unstable();
        addresses.dedup();
        let watched = addresses.iter().copied().collect();
        Self {
            client,
            addresses,
            watched,
            pause: config.slot / 10,
            sealed: None,
            unsealed: 0,
            doubted: (B256::ZERO, 0),
        }
    }

    /// The newest block of the active node.
    pub async fn head(&mut self) -> Result<Seen, Hitch> {
        self.header(
            "eth_getBlockByNumber",
            &(BlockNumberOrTag::Latest, false),
            Route::default(),
        )
        .await?
        .ok_or(Hitch::Gone)
    }

    /// The newest block of every node that works, each asked once and all at the same time; those that answer well.
    pub async fn heads(&mut self) -> Vec<Seen> {
        let failover = self.client.failover().clone();
        let method = "eth_getBlockByNumber";
        let params = (BlockNumberOrTag::Latest, false);
        let ask =
            |node| failover.request::<_, Option<Header>>(method, &params, Route::on(node).once());
        let answers = join_all(
            (0..failover.len())
                .filter(|node| failover.is_up(*node))
                .map(ask),
        )
        .await;
        let seen = answers.into_iter().flatten().filter_map(|(node, header)| {
            Some(Seen {
                node,
                header: header?,
            })
        });
        let seen: Vec<Seen> = seen.collect();
        seen.into_iter()
            .filter_map(|seen| self.check(seen, method).ok())
            .collect()
    }

    /// The canonical block at a height, `None` above the node's head.
    pub async fn at(&mut self, number: u64, route: Route) -> Result<Option<Seen>, Hitch> {
        let params = (BlockNumberOrTag::Number(number), false);
        let Some(seen) = self.header("eth_getBlockByNumber", &params, route).await? else {
            return Ok(None);
        };
        if seen.header.number != number {
            return Err(self.lie(
                seen.node,
                "eth_getBlockByNumber",
                format!("block {} for {number}", seen.header.number),
            ));
        }
        Ok(Some(seen))
    }

    /// A block by its hash.
    pub async fn by_hash(&mut self, hash: B256, route: Route) -> Result<Option<Seen>, Hitch> {
        let Some(seen) = self
            .header("eth_getBlockByHash", &(hash, false), route)
            .await?
        else {
            return Ok(None);
        };
        if seen.header.hash != hash {
            return Err(self.lie(
                seen.node,
                "eth_getBlockByHash",
                format!("block {} for {hash}", seen.header.hash),
            ));
        }
        Ok(Some(seen))
    }

    /// A header that was pushed.
    pub fn pushed(&mut self, node: usize, header: Header) -> Result<Seen, Hitch> {
        self.client.failover().count_pushed();
        self.check(Seen { node, header }, "eth_subscribe")
    }

    async fn header<P>(
        &mut self,
        method: &'static str,
        params: &P,
        route: Route,
    ) -> Result<Option<Seen>, Hitch>
    where
        P: serde::Serialize + Clone + std::fmt::Debug + Send + Sync + Unpin,
    {
        let (node, header) = self
            .client
            .failover()
            .request::<_, Option<Header>>(method, params, route)
            .await?;
        header
            .map(|header| self.check(Seen { node, header }, method))
            .transpose()
    }

    /// A header must hash to its hash, if the chain's do.
    fn check(&mut self, seen: Seen, method: &str) -> Result<Seen, Hitch> {
        let seals = seen.header.inner.hash_slow() == seen.header.hash;
        self.unsealed = if seals { 0 } else { self.unsealed + 1 };
        if self.sealed == Some(true) && !seals {
            let hash = seen.header.hash;
            if self.unsealed >= UNSEALED {
                tracing::warn!(%hash, "headers no longer hash to their hash: a new kind of header, taken as it comes");
            } else {
                return Err(self.lie(
                    seen.node,
                    method,
                    format!("a header that does not hash to its hash {hash}"),
                ));
            }
        }
        self.sealed = Some(seals);
        Ok(seen)
    }

    /// Stops asking the node for a while.
    pub(super) fn lie(&self, node: usize, method: &str, reason: String) -> Hitch {
        let failover = self.client.failover();
        let error = RpcError::Malformed {
            endpoint: failover.name(node),
            method: method.to_owned(),
            reason,
        };
        failover.count_error(method, &error);
        failover.distrust(node, &error.to_string());
        Hitch::Rpc(error)
    }

    /// The watched logs of one block, by its hash. Costs no request if a header that hashes to its hash denies them in its
    /// bloom.
    pub async fn logs(&mut self, seen: &Seen) -> Result<Vec<Log>, Hitch> {
        let sealed = seen.header.inner.hash_slow() == seen.header.hash;
        if self.addresses.is_empty() || sealed && !self.may_have_logs(&seen.header.logs_bloom) {
            return Ok(Vec::new());
        }
        let filter = Filter::new()
            .at_block_hash(seen.header.hash)
            .address(self.addresses.clone());
        let doubtful =
            sealed && false_positives(&seen.header.logs_bloom, self.addresses.len()) < BLOOM_DOUBT;
        // Who gave the header has the block; another node may be on another branch.
        let mut route = Route::first(seen.node);
        let mut shown = seen.node;
        loop {
            let (node, logs) = self.get_logs(&filter, route).await?;
            self.check_logs(node, seen, sealed, &logs)?;
            if !logs.is_empty() {
                return Ok(logs);
            }
            if doubtful && self.doubt(seen.header.hash) {
                let failover = self.client.failover();
                if failover.len() > 1 {
                    failover.distrust(node, "no logs for a block whose bloom has them");
                }
                sleep(self.pause).await;
                route = Route::default();
                continue;
            }
            // A node that does not know the block may answer "none". Who gave its header knows it.
            if node == shown {
                return Ok(logs);
            }
            route = Route::on(node);
            shown = node;
            if self.by_hash(seen.header.hash, route).await?.is_none() {
                return Err(Hitch::Gone);
            }
        }
    }

    /// Whether to ask again for a block's logs after an unlikely empty answer.
    fn doubt(&mut self, hash: B256) -> bool {
        if self.doubted.0 != hash {
            self.doubted = (hash, 0);
        }
        self.doubted.1 += 1;
        self.doubted.1 < EMPTY_ANSWERS
    }

    /// The watched logs of `from..=to`, as one node tells them, in order.
    pub async fn range(&mut self, from: u64, to: &Seen) -> Result<Vec<Log>, Hitch> {
        let method = "eth_getLogs";
        if self.addresses.is_empty() {
            return Ok(Vec::new());
        }
        let last = to.block();
        let filter = Filter::new()
            .from_block(from)
            .to_block(last.number)
            .address(self.addresses.clone());
        let (node, logs) = self.get_logs(&filter, Route::on(to.node).once()).await?;
        let mut before: Option<(u64, B256, u64)> = None;
        for log in &logs {
            let (Some(number), Some(hash), Some(index)) =
                (log.block_number, log.block_hash, log.log_index)
            else {
                return Err(self.lie(node, method, "a log without its place".to_owned()));
            };
            let ordered = before.is_none_or(|(other, other_hash, other_index)| {
                number > other || number == other && hash == other_hash && index > other_index
            });
            let inside = (from..=last.number).contains(&number)
                && (number < last.number || hash == last.hash);
            if !ordered || !inside || log.removed || !self.watched.contains(&log.address()) {
                let reason = format!(
                    "log {index} of block {number} {hash} in the range {from}..={} {}",
                    last.number, last.hash
                );
                return Err(self.lie(node, method, reason));
            }
            before = Some((number, hash, index));
        }
        Ok(logs)
    }

    async fn get_logs(&self, filter: &Filter, route: Route) -> Result<(usize, Vec<Log>), Hitch> {
        match self
            .client
            .failover()
            .request("eth_getLogs", &(filter,), route)
            .await
        {
            Ok(answer) => Ok(answer),
            // "unknown block": behind, or on another branch.
            Err(RpcError::Refused { .. }) if filter.block_option.is_block_hash() => {
                Err(Hitch::Gone)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn check_logs(
        &self,
        node: usize,
        seen: &Seen,
        sealed: bool,
        logs: &[Log],
    ) -> Result<(), Hitch> {
        let block = seen.block();
        let mut before = None;
        for log in logs {
            let placed =
                log.block_hash == Some(block.hash) && log.block_number == Some(block.number);
            let ordered = log.log_index.is_some() && log.log_index > before;
            let bloomed = !sealed
                || seen
                    .header
                    .logs_bloom
                    .contains_raw_log(log.address(), log.topics());
            if !placed
                || !ordered
                || !bloomed
                || log.removed
                || !self.watched.contains(&log.address())
            {
                let reason = format!(
                    "log {:?} of {} in block {:?} {:?} for block {} {}",
                    log.log_index,
                    log.address(),
                    log.block_number,
                    log.block_hash,
                    block.number,
                    block.hash
                );
                return Err(self.lie(node, "eth_getLogs", reason));
            }
            before = log.log_index;
        }
        Ok(())
    }

    fn may_have_logs(&self, bloom: &Bloom) -> bool {
        self.addresses
            .iter()
            .any(|address| bloom.contains_input(BloomInput::Raw(address.as_slice())))
    }
}

/// How likely a bloom of this fill speaks for at least one of `addresses` that did not log: each sets 3 of its 2048 bits.
fn false_positives(bloom: &Bloom, addresses: usize) -> f64 {
    let set: u32 = bloom.data().iter().map(|byte| byte.count_ones()).sum();
    let one = (f64::from(set) / 2048.0).powi(3);
    1.0 - (1.0 - one).powi(addresses.min(1 << 20) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fuller_bloom_is_doubted_less() {
        assert_eq!(false_positives(&Bloom::ZERO, 5), 0.0);
        let half = Bloom::from([0x55; 256]);
        assert_eq!(false_positives(&half, 1), 0.125);
        assert!(false_positives(&half, 5) > 0.48);
        let mut few = Bloom::ZERO;
        for byte in 0..20 {
            few.accrue(BloomInput::Raw(&[byte]));
        }
        assert!(false_positives(&few, 5) < BLOOM_DOUBT);
    }
}
