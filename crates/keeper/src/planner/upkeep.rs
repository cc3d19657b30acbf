//! A bucket that is smaller than its market holds liquidations back until somebody records the depth. Nobody is paid for that; where what
//! it frees is worth the gas, the keeper does it.

use alloy_primitives::U256;
use breakwater_agents::Observation;
use breakwater_agents::keeper::{RECORD_GAS, Terms};
use breakwater_protocol::math::value_down;
use breakwater_protocol::policy::bucket::depth_floor;
use breakwater_protocol::policy::{BreakerLevel, Bucket, BucketMode, DepthObservation, Refusal};

use super::candidates::Considered;
use super::{Claims, Orders, Planned, Planner, Sight, debt_tokens};
use crate::identity::Subject;
use crate::store::ActionKind;

/// Seconds between two records that count.
const RECORD_SECONDS: u64 = 60;

impl Planner {
    /// A record of the depth, if one is due, would raise the bucket, and frees more than it and those after it cost.
    pub(super) fn record_depth(
        &self,
        sight: &Sight<'_>,
        collateral: u32,
        here: &[Considered],
        observation: &Observation,
        terms: &Terms,
        orders: &mut dyn Orders,
    ) -> Option<Planned> {
        let policy = sight.system.damped()?;
        let parameters = policy.parameters();
        let held = parameters.obeys_pause && sight.reading.breaker >= BreakerLevel::Paused;
        if parameters.bucket_mode != BucketMode::HardStop || held {
            return None;
        }
        let (mut gain, mut wanted) = (0.0, 0.0);
        for one in here {
            let limited = one.thought.refusal == Refusal::Bucket
                || one.thought.reasoning.limited_by == Refusal::Bucket
                    && one.thought.repay < one.thought.reasoning.target_repay;
            if limited {
                gain += one.gain;
                wanted += debt_tokens(sight, one.thought.reasoning.target_repay);
                if one.thought.reasoning.target_repay.is_zero() {
                    wanted += one.candidate.debt;
                }
            }
        }
        if gain <= 0.0 || !self.would_raise(sight, collateral) {
            return None;
        }
        let intent = self
            .keeper
            .record(observation, terms, gain, observation.bucket, wanted)?;
        let bid = self.affordable(observation, intent.bid)?;
        let account = sight.system.policy_address;
        let seen = sight
            .mirror
            .policy_state()
            .observation(u64::from(collateral));
        let subject = Subject {
            chain_id: sight.system.chain_id,
            pool: sight.system.pool,
            kind: ActionKind::RecordDepth,
            account,
            collateral,
            // What stands for the state before: the last observation.
            debt_shares: U256::from(seen.at),
            epoch: sight.reading.next.timestamp / RECORD_SECONDS,
        };
        Some(Planned {
            id: orders.free(&subject)?,
            kind: ActionKind::RecordDepth,
            account,
            collateral,
            repay: U256::ZERO,
            amount: U256::ZERO,
            min_profit: 0.0,
            bid,
            gas: RECORD_GAS,
            gas_limit: intent.gas_limit,
            surplus: 0.0,
            claims: Claims::default(),
            expected: -observation.gas_cost(RECORD_GAS, bid.tip),
        })
    }

    /// Whether an observation now counts, and shows more than the bucket knows.
    fn would_raise(&self, sight: &Sight<'_>, collateral: u32) -> bool {
        let id = u64::from(collateral);
        let state = sight.mirror.policy_state();
        let (stored, seen) = (state.bucket(id), state.observation(id));
        if !stored.is_due(&seen, sight.reading.next.timestamp) {
            return false;
        }
        let Some((after, present)) = observed(sight, collateral) else {
            return false;
        };
        // The first record after a silence is only remembered: it counts for the one after.
        after.depth > stored.depth || present.floor > seen.floor || present.reading > seen.reading
    }
}

/// The bucket after an observation in the next block, as far as that counts, and the observation.
pub(super) fn observed(sight: &Sight<'_>, collateral: u32) -> Option<(Bucket, DepthObservation)> {
    let id = u64::from(collateral);
    let parameters = sight.system.damped()?.parameters();
    let listed = sight.mirror.collaterals().get(collateral as usize)?;
    let market = sight.reading.markets.get(collateral as usize)?;
    let value = value_down(U256::from(listed.total), market.prices.fast).ok()?;
    let floor = depth_floor(
        value,
        parameters.refill_share,
        parameters.min_refill_seconds,
    )
    .ok()?;
    let state = sight.mirror.policy_state();
    let mut after = state.bucket(id);
    let (present, _) = after.observe(
        &state.observation(id),
        market.depth,
        floor,
        parameters.refill_share,
        parameters.depth_memory_seconds,
        sight.reading.next.timestamp,
    );
    Some((after, present))
}
