//! What people see: the engine's state as the operator's status.

use std::collections::BTreeMap;
use std::time::Instant;

use alloy_primitives::{Address, U256, map::HashMap};
use breakwater_operator::status::{
    BackstopStatus, BreakerLevel, BreakerStatus, BucketStatus, CollateralStatus, FallStep, Head,
    MAX_MISSED, MAX_POSITIONS, MirrorStatus, MissedLiquidation, MissedReason, PendingBid,
    PositionStatus, PriceStatus, Profit, RpcEndpoint, SenderStatus, TaskStatus, Zone, ZoneTotal,
    unix_now,
};
use breakwater_protocol::math::WAD;
use breakwater_protocol::policy::{BreakerLevel as Level, NextTurn};
use breakwater_protocol::{AccountHealth, Moment, PriceStatus as Prices};

use super::{Engine, Latest};
use crate::planner::kept_value;
use crate::store::{Doer, StoreError};
use crate::thought::Thought;
use crate::units::{ratio, whole};

/// Price drops for which the debt that falls is shown, basis points.
const FALLS: [u32; 12] = [
    100, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 4_000, 5_000, 7_500,
];

/// The market is published at most so rarely that it takes one part in so many of the time.
const SHOWN_SHARE: u32 = 20;

/// Said while it is so.
const BALANCE_WARNING: &str = "the account's balance is below account.min_balance or less than what it is to send may cost: what it \
                               cannot pay for it does not send";

/// Decimals of the native token.
const NATIVE_DECIMALS: u8 = 18;

/// What is shown besides each collateral's share of an insolvent position's value; `PoolSettlement.sol`.
const SETTLEMENT: u64 = 1_030_000_000_000_000_000;

/// Profit, the latest missed liquidations, and how many there are for each reason.
type LedgerView = (Profit, Vec<MissedLiquidation>, Vec<(MissedReason, u64)>);

impl Engine {
    /// Publishes what changes with every event.
    pub(super) fn publish(&mut self) {
        let ledger = match self.changed_ledger() {
            Ok(ledger) => ledger,
            Err(error) => {
                tracing::warn!(%error, "the ledger could not be read for the status");
                None
            }
        };
        self.check_balance();
        let pending = self.pending();
        let sender = self.sender_view();
        let rpc = self.nodes();
        let now = unix_now();
        let planned = self
            .latest
            .as_ref()
            .filter(|_| self.steps.is_empty())
            .map(|latest| latest.reading.next.number - 1);
        self.status.send_modify(|status| {
            status.updated_at = now;
            status.planned = planned.or(status.planned);
            status.head = self.head.as_ref().map(|seen| Head {
                number: seen.block.number,
                hash: seen.block.hash,
                timestamp: seen.block.timestamp,
                received_at: seen.received_at,
                base_fee: seen.block.base_fee.unwrap_or_default(),
            });
            status.synced = self.live && !self.stalled && self.mirror.policy_known();
            status.pending = pending;
            status.sender = sender;
            status.rpc = rpc;
            status.warnings.clone_from(&self.warnings);
            status.mirror = MirrorStatus {
                accounts: self.mirror.account_count() as u64,
                drift: self.audit.drift,
                audited: self.audit.accounts,
                last_audit: self.audit.last,
                reorgs: self.reorgs.0,
                deepest_reorg: self.reorgs.1,
            };
            let progress = self.head.as_ref().map(|seen| seen.received_at);
            status.tasks = [
                ("follower", progress),
                ("planner", progress),
                ("sender", progress),
                ("http", Some(now)),
            ]
            .into_iter()
            .filter(|(name, _)| *name != "sender" || self.sender.is_some())
            .map(|(name, last_progress)| TaskStatus {
                name: name.to_owned(),
                alive: true,
                last_progress,
            })
            .collect();
            if let Some((profit, missed, totals)) = ledger {
                status.profit = profit;
                status.missed = missed;
                // A reason that has no row any more is not told: a liquidation may turn out to be ours.
                status
                    .missed_total
                    .values_mut()
                    .for_each(|count| *count = 0);
                status.missed_total.extend(totals);
            }
        });
    }

    /// Publishes what a plan showed: market, positions, what falls.
    pub(super) fn publish_market(&mut self, latest: &Latest, moment: &Moment) {
        // With very many accounts it takes long: bids are not to wait for it.
        let began = Instant::now();
        if self
            .shown
            .is_some_and(|(at, took)| at.elapsed() < took * SHOWN_SHARE)
        {
            return;
        }
        let collaterals = self.collaterals(latest);
        let positions = self.positions(latest, moment);
        let falls = self.falls(moment);
        let backstop = self.backstop(latest);
        let debt = self.context.system.debt.decimals;
        let market = self.mirror.market_state_at(moment.timestamp());
        let until = None;
        let level = match latest.reading.breaker {
            Level::Normal => BreakerLevel::Normal,
            Level::Stressed => BreakerLevel::Stressed,
            Level::Paused => BreakerLevel::Paused,
            Level::Halted => BreakerLevel::Halted,
        };
        let (total, zones) = self.zones(latest, moment);
        self.status.send_modify(|status| {
            status.breaker = BreakerStatus { level, until };
            status.backstop = backstop;
            status.collaterals = collaterals;
            status.positions = positions;
            status.positions_total = total;
            status.zones = zones;
            status.debt_total = whole(U256::from(market.total_debt), debt);
            status.falls = falls;
        });
        self.shown = Some((Instant::now(), began.elapsed()));
    }

    /// How many accounts owe anything, and how much of it by zone. All are counted by a fall to nothing, which reaches everybody;
    /// those below 1 are known one by one.
    fn zones(&self, latest: &Latest, moment: &Moment) -> (u64, BTreeMap<Zone, ZoneTotal>) {
        let decimals = self.context.system.debt.decimals;
        let all = self.mirror.debt_falling(moment, None, &[10_000]);
        let (total, debt) = all
            .first()
            .map_or((0, U256::ZERO), |all| (all.accounts, all.debt));
        let mut zones: BTreeMap<Zone, (u64, U256)> = Zone::ALL
            .into_iter()
            .map(|zone| (zone, (0, U256::ZERO)))
            .collect();
        let mut below = (0, U256::ZERO);
        for thought in &latest.plan.thoughts {
            let Ok(health) = self.mirror.account_health(&thought.account, moment) else {
                continue;
            };
            let sum = zones.entry(zone_of(&health)).or_default();
            *sum = (sum.0 + 1, sum.1 + health.debt);
            below = (below.0 + 1, below.1 + health.debt);
        }
        zones.insert(
            Zone::Healthy,
            (total - below.0.min(total), debt.saturating_sub(below.1)),
        );
        let zones = zones
            .into_iter()
            .map(|(zone, (positions, debt))| {
                let debt = whole(debt, decimals);
                (zone, ZoneTotal { positions, debt })
            })
            .collect();
        (total, zones)
    }

    fn collaterals(&self, latest: &Latest) -> Vec<CollateralStatus> {
        let system = &self.context.system;
        system
            .collaterals
            .iter()
            .zip(&latest.reading.markets)
            .map(|(listed, market)| {
                let decimals = system.decimals(listed);
                CollateralStatus {
                    id: listed.id,
                    token: listed.token.address,
                    symbol: listed.token.symbol.clone(),
                    price_status: match market.prices.status {
                        Prices::Ok => PriceStatus::Ok,
                        Prices::Degraded => PriceStatus::Degraded,
                        Prices::Down => PriceStatus::Down,
                    },
                    fast: decimals.price(market.prices.fast),
                    slow: decimals.price(market.prices.slow),
                    venue: market.venue.map(|venue| venue.price()),
                    bucket: self.bucket(listed.id, latest.reading.next.timestamp),
                    venue_depth: (!market.depth.is_zero())
                        .then(|| whole(market.depth, system.debt.decimals)),
                }
            })
            .collect()
    }

    fn backstop(&self, latest: &Latest) -> Option<BackstopStatus> {
        let system = &self.context.system;
        let (known, read) = (system.backstop?, latest.reading.backstop.as_ref()?);
        let inventory = (0..).zip(&read.sales).map(|(collateral, sale)| {
            kept_value(system, &latest.reading, collateral, sale.inventory)
        });
        Some(BackstopStatus {
            address: known.address,
            absorbable: whole(read.absorbable, system.debt.decimals),
            inventory: inventory.sum(),
            spendable: whole(read.spendable, system.debt.decimals),
        })
    }

    fn bucket(&self, collateral: u32, timestamp: u64) -> Option<BucketStatus> {
        let system = &self.context.system;
        let policy = system.damped()?;
        let stored = self.mirror.policy_state().bucket(u64::from(collateral));
        let tokens = |amount| whole(amount, system.debt.decimals);
        (!stored.cap().is_zero()).then(|| BucketStatus {
            level: tokens(policy.bucket_level_at(&stored, timestamp)),
            cap: tokens(stored.cap()),
            reserve: ratio(policy.parameters().reserve_share),
            refill_per_minute: tokens(
                stored.refill_rate_wad(policy.parameters().refill_share) * U256::from(60) / WAD,
            ),
        })
    }

    fn positions(&self, latest: &Latest, moment: &Moment) -> Vec<PositionStatus> {
        let thoughts: HashMap<Address, &Thought> = latest
            .plan
            .thoughts
            .iter()
            .map(|thought| (thought.account, thought))
            .collect();
        self.mirror
            .nearest(moment, MAX_POSITIONS)
            .into_iter()
            .filter_map(|near| {
                let health = self.mirror.account_health(&near.account, moment).ok()?;
                let thought = thoughts.get(&near.account).copied();
                let id = thought.map_or(near.bitmap.trailing_zeros(), |thought| thought.collateral);
                Some(self.position(latest, near.account, id, &health, thought))
            })
            .collect()
    }

    fn position(
        &self,
        latest: &Latest,
        account: Address,
        id: u32,
        health: &AccountHealth,
        thought: Option<&Thought>,
    ) -> PositionStatus {
        let system = &self.context.system;
        let listed = system.collaterals.get(id as usize);
        let decimals = listed.map_or(18, |listed| listed.token.decimals);
        let price = listed.and_then(|listed| {
            let market = latest.reading.markets.get(id as usize)?;
            Some(system.decimals(listed).price(market.prices.fast))
        });
        let factor = ratio(health.health_fast);
        // With one collateral the health factor is in proportion to its price.
        let alone = self.mirror.collateral_bitmap(&account).count_ones() == 1;
        let liquidation_price = price
            .filter(|price| alone && *price > 0.0 && factor > 0.0)
            .map(|price| price / factor);
        PositionStatus {
            account,
            collateral_id: id,
            collateral: listed.map_or_else(String::new, |listed| listed.token.symbol.clone()),
            amount: whole(
                U256::from(self.mirror.collateral_of(&account, u64::from(id))),
                decimals,
            ),
            debt: whole(health.debt, system.debt.decimals),
            health: factor,
            liquidation_price,
            distance: distance(health.health_fast),
            zone: zone_of(health),
            flagged_since: thought.and_then(|thought| thought.flagged_since),
            next_turn: thought.and_then(|thought| match thought.turn? {
                NextTurn::At(time) | NextTurn::Unseeded(time) => Some(time),
                NextTurn::Never => None,
            }),
            bonus: thought.map(|thought| {
                ratio(if thought.bonus.is_zero() {
                    thought.reasoning.base_bonus
                } else {
                    thought.bonus
                })
            }),
            planned_at: thought.and_then(|thought| thought.planned_at),
            expected_profit: thought.and_then(|thought| thought.profit),
            why_not: thought.and_then(Thought::why_not),
        }
    }

    fn falls(&self, moment: &Moment) -> Vec<FallStep> {
        let system = &self.context.system;
        let mut steps = Vec::new();
        for listed in &system.collaterals {
            let id = u64::from(listed.id);
            let Some(reading) = moment.reading(id) else {
                continue;
            };
            let price = system.decimals(listed).price(reading.fast);
            let mut before = (U256::ZERO, 0);
            for (place, at) in self
                .mirror
                .debt_falling(moment, Some(id), &FALLS)
                .into_iter()
                .enumerate()
            {
                // The first step leaves out what has fallen already.
                if place == 0 {
                    let now = self.mirror.debt_falling(moment, Some(id), &[0]);
                    before = now.first().map_or(before, |now| (now.debt, now.accounts));
                }
                let drop = f64::from(at.fall) / 1e4;
                steps.push(FallStep {
                    collateral_id: listed.id,
                    drop,
                    price: price * (1.0 - drop),
                    debt: whole(at.debt.saturating_sub(before.0), system.debt.decimals),
                    positions: at.accounts.saturating_sub(before.1),
                });
                before = (at.debt, at.accounts);
            }
        }
        steps
    }

    fn pending(&self) -> Vec<PendingBid> {
        let mut bids: Vec<PendingBid> = self
            .under_way
            .all()
            .map(|open| PendingBid {
                order: open.ordered.id.to_string(),
                action: open.ordered.kind.name().to_owned(),
                account: open.ordered.account,
                nonce: open.nonce,
                transaction: open.transaction,
                max_fee_gwei: open.bid.map_or(f64::NAN, |bid| bid.max_fee),
                tip_gwei: open.bid.map_or(f64::NAN, |bid| bid.tip),
                since: open.since,
                state: open.state,
            })
            .collect();
        bids.sort_by(|a, b| (a.since, &a.order).cmp(&(b.since, &b.order)));
        bids
    }

    /// The sender knows what its account has and what may be needed.
    fn check_balance(&mut self) {
        let low = self
            .sender
            .as_ref()
            .is_some_and(|sender| sender.status().balance_low);
        if low {
            self.warn(BALANCE_WARNING.to_owned());
        } else {
            self.clear_warning(BALANCE_WARNING);
        }
    }

    fn sender_view(&self) -> Option<SenderStatus> {
        let status = self.sender.as_ref()?.status();
        Some(SenderStatus {
            address: status.address,
            unlocked: status.alarm.is_none(),
            balance: status
                .balance
                .map_or(f64::NAN, |balance| whole(balance, NATIVE_DECIMALS)),
            nonce: status.next_nonce,
        })
    }

    fn nodes(&self) -> Vec<RpcEndpoint> {
        let health = self.context.client.health();
        let answered: u64 = health.requests.values().map(|method| method.answered).sum();
        let total: std::time::Duration = health
            .requests
            .values()
            .map(|method| method.latency_total)
            .sum();
        let latency = (answered > 0).then(|| total.as_secs_f64() / answered as f64);
        health
            .endpoints
            .iter()
            .enumerate()
            .map(|(place, endpoint)| RpcEndpoint {
                name: endpoint.endpoint.clone(),
                healthy: endpoint.up,
                requests: endpoint.sent,
                failures: endpoint.failures,
                // Latencies are counted by method: they are those of whoever answers.
                latency: latency.filter(|_| place == health.active),
            })
            .collect()
    }

    /// What the ledger says, where something was written since it was last asked: its sums read all of it.
    fn changed_ledger(&mut self) -> Result<Option<LedgerView>, StoreError> {
        let writes = self.store.writes();
        if self.ledger_of == Some(writes) {
            return Ok(None);
        }
        let view = self.ledger_view()?;
        self.ledger_of = Some(writes);
        Ok(Some(view))
    }

    fn ledger_view(&mut self) -> Result<LedgerView, StoreError> {
        let totals = self.store.totals(true)?;
        let profit = Profit {
            gross: totals.gross,
            gas: totals.gas,
            net: totals.gross - totals.gas,
            succeeded: totals.succeeded,
            reverted: totals.reverted,
        };
        let entries = self.store.latest(MAX_MISSED, true)?;
        let missed = entries
            .into_iter()
            .filter_map(|entry| {
                let Doer::Others { reason, detail } = entry.doer else {
                    return None;
                };
                let listed = entry
                    .collateral
                    .and_then(|id| self.context.system.collaterals.get(id as usize));
                Some(MissedLiquidation {
                    block: entry.block,
                    timestamp: entry.timestamp,
                    transaction: entry.hash,
                    account: entry.account,
                    liquidator: entry.liquidator,
                    collateral: listed
                        .map_or_else(String::new, |listed| listed.token.symbol.clone()),
                    repaid: entry.repaid,
                    seized: entry.seized,
                    bonus: entry.bonus,
                    reason,
                    detail,
                })
            })
            .collect();
        Ok((profit, missed, self.store.missed()?))
    }
}

/// The common fall of all prices of what is held that takes the health factor to 1, below 0 past it; `None` without a price.
fn distance(health_fast: U256) -> Option<f64> {
    let factor = ratio(health_fast);
    (factor > 0.0).then(|| 1.0 - 1.0 / factor)
}

/// Where a position stands.
pub(crate) fn zone_of(health: &AccountHealth) -> Zone {
    if health.health_fast >= WAD {
        return Zone::Healthy;
    }
    let settled_at = health.debt.saturating_mul(U256::from(SETTLEMENT)) / WAD;
    if !health.price_down
        && health.health_fast <= health.health_hard
        && health.collateral_value < settled_at
    {
        return Zone::Insolvent;
    }
    if health.health_fast <= health.health_hard {
        Zone::Hard
    } else {
        Zone::Damped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It is asked of the health factor alone: how many collaterals stand behind it does not matter.
    #[test]
    fn the_distance_is_the_common_fall_to_a_health_factor_of_1() {
        let at = |percent: u64| distance(WAD * U256::from(percent) / U256::from(100));
        assert_eq!(at(100), Some(0.0));
        assert_eq!(at(125), Some(1.0 - 1.0 / 1.25));
        assert_eq!(at(80), Some(-0.25));
        assert_eq!(at(0), None, "nothing has a price");
    }
}
