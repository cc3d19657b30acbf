//! What the deciding code is told of a position and its market.

use alloy_primitives::{Address, U256};
use breakwater_agents::keeper::{
    BUY_GAS, Candidate, FLAG_GAS, HANDOVER_GAS, OBSERVE_GAS, RECORD_GAS, Terms, absorb_gas,
    backstop_settle_gas, best_sale, potential, settlement_due,
};
use breakwater_agents::{Observation, Prices};
use breakwater_operator::config::Capital;
use breakwater_protocol::policy::{
    BonusMode, BreakerLevel, BucketMode, ClockEvent, Decision, LiquidationRequest, Refusal, Zone,
};
use breakwater_protocol::{AccountHealth, PriceStatus, ViewError};

use super::backstop::Offer;
use super::orders::Ids;
use super::upkeep::observed;
use super::{Planner, Sight, debt_tokens, forecast, kept_at};
use crate::store::ActionKind;
use crate::thought::{Thought, Verdict};
use crate::units::{ratio, whole};

/// A clock that restarted is started again by hand only if the flag that did not count is this old, seconds: before, the average
/// since the flag may still turn.
const CLOCK_PATIENCE: u64 = 120;

/// A position with what the deciding code is told of it.
#[derive(Clone, Debug)]
pub(super) struct Considered {
    pub thought: Thought,
    pub candidate: Candidate,
    /// What it could leave at best, for the order of candidates.
    pub gain: f64,
    /// What its grant or its settlement would leave now after margin and gas; what the gas costs, negative, without either.
    pub profit_now: f64,
    /// Under which identifiers something may be ordered for it.
    pub ids: Ids,
    /// Whether an order that closes it is in no block yet.
    pub waits: bool,
    /// Whether it is, or an order of this epoch keeps another from being made.
    pub ordered: bool,
    /// Where it stands.
    pub health: AccountHealth,
    /// What the backstop would do with it.
    pub offer: Option<Offer>,
    /// What calling it to do that would leave now after margin and gas; below everything without an offer.
    pub offered_now: f64,
    /// Whether that is planned.
    pub taken_up: bool,
}

/// What an action on a position that holds `further` collaterals beside the one that is sold is expected to use.
pub(super) fn gas_of(kind: ActionKind, terms: &Terms, further: u32) -> u64 {
    let liquidation = terms.holding(further).liquidation_gas;
    match kind {
        ActionKind::Liquidate => liquidation,
        ActionKind::Absorb => absorb_gas(further),
        ActionKind::SettleByBackstop => backstop_settle_gas(further),
        ActionKind::ObserveSale => OBSERVE_GAS,
        ActionKind::BuyInventory => BUY_GAS,
        ActionKind::Settle => liquidation + HANDOVER_GAS * u64::from(further),
        ActionKind::Flag => FLAG_GAS,
        ActionKind::RecordDepth => RECORD_GAS,
    }
}

/// What the pool's reserves pay for settling a position, debt tokens; `PoolSettlement.sol`.
pub(super) fn stipend(sight: &Sight<'_>, health: &AccountHealth) -> f64 {
    let settings = sight.mirror.settings();
    let stipend = U256::from(settings.settlement_stipend);
    if health.collateral_value >= stipend || health.debt < U256::from(settings.min_debt) {
        return 0.0;
    }
    let market = sight.mirror.market_state_at(sight.moment.timestamp());
    let there = U256::from(market.cash.min(market.reserves));
    debt_tokens(sight, stipend.min(there))
}

/// The highest bonus of a collateral, as a share.
pub(super) fn max_bonus(sight: &Sight<'_>, collateral: u32) -> f64 {
    let listed = sight.mirror.collaterals().get(collateral as usize);
    let own = listed.map_or(0.0, |listed| ratio(listed.max_bonus_wad()));
    sight
        .system
        .damped()
        .map_or(own, |policy| own.min(ratio(policy.parameters().bonus_max)))
}

/// What the deciding code is told of the block and a collateral's market.
pub(super) fn observation(sight: &Sight<'_>, collateral: u32, capital: Capital) -> Observation {
    let market = &sight.reading.markets[collateral as usize];
    let decimals = crate::units::Decimals {
        collateral: sight.system.collateral_decimals(u64::from(collateral)),
        debt: sight.system.debt.decimals,
    };
    let price = |raw| decimals.price(raw);
    let prices = Prices {
        fast: price(market.prices.fast),
        slow: price(market.prices.slow),
        confirm: price(market.prices.confirm),
    };
    let claims = sight.claims.get(collateral as usize).copied();
    let claims = claims.unwrap_or_default();
    let venue = match (capital, market.venue) {
        (Capital::Flash, Some(venue)) => venue.sell(claims.sold).1,
        _ => kept_at(prices.fast.min(prices.confirm)),
    };
    let breaker_level = u8::from(sight.reading.breaker);
    let next = &sight.reading.next;
    Observation {
        block: next.number,
        timestamp: next.timestamp,
        base_fee: next.base_fee as f64 / 1e9,
        inclusion_tip: sight.inclusion_tip,
        native_price: sight
            .system
            .native_price(sight.reading.gas_price_of_native(sight.system)),
        prices,
        venue,
        reference_price: prices.fast,
        breaker_level,
        bucket: (bucket(sight, collateral) - claims.charged).max(0.0),
    }
}

/// What the collateral's bucket still lets be repaid in the block; infinite where it does not stop anybody.
fn bucket(sight: &Sight<'_>, collateral: u32) -> f64 {
    let Some(policy) = sight.system.damped() else {
        return f64::INFINITY;
    };
    if policy.parameters().bucket_mode != BucketMode::HardStop {
        return f64::INFINITY;
    }
    let mut stored = sight.mirror.policy_state().bucket(u64::from(collateral));
    // One that was never used opens full, at the depth that is seen then. Where that is not known, the policy's own answers hold grants to it.
    if stored.cap().is_zero() {
        let Some((opened, _)) = observed(sight, collateral) else {
            return f64::INFINITY;
        };
        stored = opened;
    }
    debt_tokens(
        sight,
        policy.bucket_available_at(&stored, sight.reading.next.timestamp),
    )
}

impl Planner {
    /// The collateral of a position that is worth the most to sell, with everything known of it; `None` for an account that the
    /// chain would answer with a revert.
    pub(super) fn consider(
        &self,
        sight: &Sight<'_>,
        account: Address,
    ) -> Result<Option<Considered>, ViewError> {
        let Ok(health) = sight.mirror.account_health(&account, sight.moment) else {
            return Ok(None);
        };
        let bitmap = sight.mirror.collateral_bitmap(&account);
        let mut best: Option<Considered> = None;
        for collateral in (0..16).filter(|id| bitmap >> id & 1 != 0) {
            let Some(found) = self.consider_collateral(sight, account, collateral, &health)? else {
                continue;
            };
            // What cannot be sold hides nothing that can, however much it seems worth.
            let better = best.as_ref().is_none_or(|best| {
                let key = |one: &Considered| {
                    let offered = one.offer.is_some();
                    let ready = offered || self.unready(sight, one.thought.collateral).is_none();
                    let granted = offered || one.candidate.repay > 0.0;
                    (ready, granted, one.profit_now.max(one.offered_now))
                };
                key(&found).partial_cmp(&key(best)) == Some(std::cmp::Ordering::Greater)
            });
            if better {
                best = Some(found);
            }
        }
        Ok(best)
    }

    fn consider_collateral(
        &self,
        sight: &Sight<'_>,
        account: Address,
        collateral: u32,
        health: &AccountHealth,
    ) -> Result<Option<Considered>, ViewError> {
        let id = u64::from(collateral);
        if sight.reading.markets.len() <= collateral as usize {
            return Ok(None);
        }
        let request =
            sight
                .mirror
                .request(&account, id, U256::MAX, sight.moment, sight.reading.breaker);
        let (request, decision) = match request {
            Ok(request) => match sight.decide(&request) {
                Ok(decision) => (Some(request), decision),
                Err(_) => return Ok(None),
            },
            Err(ViewError::Refused(refusal)) => (None, refused(refusal)),
            Err(error @ ViewError::PolicyUnknown { .. }) => return Err(error),
            Err(_) => return Ok(None),
        };
        Ok(Some(self.tell(
            sight, account, collateral, health, request, &decision,
        )))
    }

    /// Puts together what is known.
    fn tell(
        &self,
        sight: &Sight<'_>,
        account: Address,
        collateral: u32,
        health: &AccountHealth,
        request: Option<LiquidationRequest>,
        decision: &Decision,
    ) -> Considered {
        let observation = observation(sight, collateral, self.strategy.capital);
        let bitmap = sight.mirror.collateral_bitmap(&account);
        let further = bitmap.count_ones().saturating_sub(1);
        let plain = self.terms(max_bonus(sight, collateral));
        let terms = plain.holding(further);
        let held = U256::from(sight.mirror.collateral_of(&account, u64::from(collateral)));
        let decimals = sight.system.collateral_decimals(u64::from(collateral));
        let amount = whole(held, decimals);
        let debt = debt_tokens(sight, health.debt);
        let grant = &decision.grant;
        let damped_zone = decision.reasoning.zone == Zone::Damped;
        let obeys_pause = sight
            .system
            .damped()
            .is_some_and(|policy| policy.parameters().obeys_pause);
        let insolvent = settlement_due(debt_tokens(sight, health.collateral_value), debt, &terms)
            .filter(|_| !health.price_down && health.health_fast <= health.health_hard);
        let candidate = Candidate {
            account: 0,
            collateral: amount,
            debt,
            repay: debt_tokens(sight, grant.repay),
            seize: whole(grant.seize, decimals),
            unflagged: request.is_some_and(|request| self.unflagged(sight, &request, decision)),
            settle: insolvent,
            stipend: insolvent.map_or(0.0, |_| stipend(sight, health)),
            further,
            charged: damped_zone,
            held: damped_zone && obeys_pause && sight.reading.breaker >= BreakerLevel::Paused,
        };
        let gas = observation.gas_cost(terms.liquidation_gas, observation.competitive_tip());
        let profit_now = best_sale(
            &observation.venue,
            candidate.repay,
            candidate.seize,
            terms.risk_margin,
        )
        .map_or(-gas, |sale| {
            sale.surplus - terms.risk_margin * sale.repay - gas
        });
        let settled_now = candidate.settle.map(|due| {
            let gas = gas_of(ActionKind::Settle, &plain, further);
            let (proceeds, _) = observation.venue.sell(amount);
            proceeds + candidate.stipend
                - due * (1.0 + terms.risk_margin)
                - observation.gas_cost(gas, observation.competitive_tip())
        });
        let profit_now = settled_now.map_or(profit_now, |settled| settled.max(profit_now));
        let priced = sight.moment.reading(u64::from(collateral));
        let usable = priced.is_some_and(|reading| reading.status != PriceStatus::Down);
        let gain = if usable {
            potential(
                &observation.venue,
                observation.prices.fast,
                amount,
                debt,
                &terms,
            ) + candidate.stipend
        } else {
            0.0
        };
        let offer = self.offer(sight, account, collateral, health, sight.room());
        let offered_now = offer.map_or(f64::NEG_INFINITY, |offer| {
            offer.gross - observation.gas_cost(offer.gas, observation.competitive_tip())
        });
        // It bids when a liquidation pays, the ones that it loses included.
        let asked = Terms {
            min_profit: self.keeper.least_won(&observation, &terms),
            ..terms
        };
        let ahead = request
            .filter(|_| usable)
            .map(|request| forecast::ahead(sight, &observation, &asked, &request, decision))
            .unwrap_or_default();
        Considered {
            thought: Thought {
                account,
                collateral,
                health: health.health_fast,
                health_hard: health.health_hard,
                refusal: grant.refusal,
                repay: grant.repay,
                seize: grant.seize,
                bonus: grant.bonus,
                reasoning: decision.reasoning,
                flagged_since: ahead.flagged_since,
                turn: ahead.turn,
                pays_at: ahead.pays_at,
                planned_at: ahead.planned_at,
                profit: ahead.profit,
                backstop: offer.map(|offer| offer.told()),
                verdict: Verdict::Refused(grant.refusal),
            },
            candidate,
            gain,
            profit_now,
            ids: Ids::default(),
            waits: false,
            ordered: false,
            health: *health,
            offer,
            offered_now,
            taken_up: false,
        }
    }

    /// Whether somebody has to start the account's clock, and can: `commit` writes no flag for what is healthy or unconfirmed.
    fn unflagged(
        &self,
        sight: &Sight<'_>,
        request: &LiquidationRequest,
        decision: &Decision,
    ) -> bool {
        let timed = sight
            .system
            .damped()
            .is_some_and(|policy| policy.parameters().bonus_mode == BonusMode::Time);
        if !timed
            || matches!(
                decision.grant.refusal,
                Refusal::Healthy | Refusal::Unconfirmed
            )
        {
            return false;
        }
        match decision.reasoning.clock {
            ClockEvent::Begins | ClockEvent::Expires => true,
            ClockEvent::Restarts => {
                let flag = sight
                    .mirror
                    .policy_state()
                    .flag(request.account, request.collateral_id);
                sight.reading.next.timestamp > flag.since + CLOCK_PATIENCE
            }
            ClockEvent::Runs | ClockEvent::Renews => false,
        }
    }
}

fn refused(refusal: Refusal) -> Decision {
    Decision {
        grant: breakwater_protocol::policy::LiquidationGrant::refused(refusal),
        ..Decision::default()
    }
}
