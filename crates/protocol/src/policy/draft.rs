//! One liquidation being decided, step by step in the order of `DampedPolicy.sol`.

use super::{
    clock::{self, ClockEvent},
    damped::DampedPolicy,
    liquidation::{
        bonus_multiplier_down, interpolate_down, seize_down, target_repay_up, without_dust_left,
        zone_depth_down,
    },
    parameters::{BonusMode, BucketMode, DampedParameters, TurnMode},
    state::{AccountEpoch, Bucket, DepthObservation, Flag, Slots, Write},
    turns::{ROTATION, advance_seed, current_seed, probability_down},
    types::{
        BreakerLevel, Decision, Environment, LiquidationGrant, LiquidationRequest, Reasoning,
        Refusal, Zone,
    },
};
use crate::math::{ArithmeticError, WAD, add, mul_div_down, mul_div_up, value_down};
use alloy_primitives::U256;

/// [`AccountEpoch::gas_paid`] of a liquidation whose gas is paid in full.
const GAS_PARTS: u32 = 1_000_000_000;

/// A refusal ends a decision early.
type Step = Result<Refusal, ArithmeticError>;

/// One liquidation being decided: a draft of what is granted and stored.
pub(super) struct Draft<'a> {
    policy: &'a DampedPolicy,
    parameters: &'a DampedParameters,
    slots: &'a Slots,
    request: &'a LiquidationRequest,
    environment: &'a Environment,
    epoch: u64,
    hard: bool,
    bonus: U256,
    grant: LiquidationGrant,
    /// What is to be stored, if it differs.
    flag: Option<Flag>,
    bucket: Bucket,
    observation: Option<DepthObservation>,
    account: AccountEpoch,
    account_changed: bool,
    reasoning: Reasoning,
}

impl<'a> Draft<'a> {
    pub(super) fn new(
        policy: &'a DampedPolicy,
        slots: &'a Slots,
        request: &'a LiquidationRequest,
        environment: &'a Environment,
    ) -> Self {
        Self {
            policy,
            parameters: policy.parameters(),
            slots,
            request,
            environment,
            epoch: policy.epoch(environment.timestamp),
            hard: false,
            bonus: U256::ZERO,
            grant: LiquidationGrant::default(),
            flag: None,
            bucket: Bucket::default(),
            observation: None,
            account: AccountEpoch::default(),
            account_changed: false,
            reasoning: Reasoning::default(),
        }
    }

    pub(super) fn decide(mut self) -> Result<Decision, ArithmeticError> {
        let refusal = self.refusal()?;
        if refusal != Refusal::None {
            self.grant = LiquidationGrant::refused(refusal);
        }
        Ok(Decision {
            grant: self.grant,
            writes: self.writes(),
            reasoning: self.reasoning,
        })
    }

    fn refusal(&mut self) -> Step {
        let (p, r) = (self.parameters, self.request);
        if r.health_fast >= WAD {
            return Ok(Refusal::Healthy);
        }
        self.hard = r.health_fast <= r.health_hard;
        self.reasoning.zone = if self.hard { Zone::Hard } else { Zone::Damped };
        if !self.hard && p.confirmation && r.health_confirmed >= WAD {
            return Ok(Refusal::Unconfirmed);
        }
        self.reasoning.zone_depth = zone_depth_down(r.health_fast, r.health_hard);
        self.reasoning.limit = r.asked;
        self.reasoning.limited_by = Refusal::ZeroAmount;
        self.start_bonus()?;
        if r.asked.is_zero() {
            return Ok(Refusal::ZeroAmount);
        }
        if !self.hard {
            let refusal = self.dampen()?;
            if refusal != Refusal::None {
                return Ok(refusal);
            }
        }
        self.reasoning.base_bonus = self.bonus;
        let refusal = self.size()?;
        if refusal != Refusal::None {
            return Ok(refusal);
        }
        let refusal = self.add_gas_bonus()?;
        if refusal == Refusal::None && !self.hard && p.sliced() {
            self.charge_slice()?;
        }
        Ok(refusal)
    }

    /// b by time or by health, and the flag that the time is counted from.
    fn start_bonus(&mut self) -> Result<(), ArithmeticError> {
        let (p, r) = (self.parameters, self.request);
        let cap = p.bonus_max.min(r.max_bonus);
        self.reasoning.bonus_cap = cap;
        if p.bonus_mode == BonusMode::Health {
            self.bonus = interpolate_down(p.bonus_min, cap, self.reasoning.zone_depth)?;
            return Ok(());
        }
        let clock = clock::read(
            self.slots.flag,
            r.health_fast,
            r.price,
            r.price_cumulative,
            p.auction_seconds,
            self.environment.timestamp,
        )?;
        self.reasoning.elapsed = clock.elapsed;
        self.reasoning.clock = clock.event;
        self.flag = (clock.event != ClockEvent::Runs).then_some(clock.flag);
        self.bonus = self.policy.bonus_after(clock.elapsed, r.max_bonus);
        Ok(())
    }

    /// Everything that holds back the damped zone: breaker, turn, slice and bucket, in this order.
    fn dampen(&mut self) -> Step {
        let (p, r) = (self.parameters, self.request);
        if p.obeys_pause && r.breaker >= BreakerLevel::Paused {
            return Ok(Refusal::Paused);
        }
        if p.bucket_mode != BucketMode::Off {
            self.bucket = self.slots.bucket;
            self.advance_bucket()?;
            self.reasoning.fullness = self.bucket.fullness_down();
        }
        let fullness = self.reasoning.fullness;
        if p.turn_mode != TurnMode::Off {
            let probability = probability_down(fullness, self.reasoning.zone_depth, p.turn_floor);
            let draw = self.draw();
            self.reasoning.turn_probability = probability;
            self.reasoning.turn_draw = draw;
            if draw >= probability {
                return Ok(Refusal::Turn);
            }
        }
        let mut scale = WAD;
        if p.bucket_mode == BucketMode::Scaling {
            scale = fullness.max(p.scaling_floor);
            if self.bonus > p.bonus_min {
                self.bonus = p.bonus_min + (self.bonus - p.bonus_min) * scale / WAD;
            }
        }
        if p.sliced() {
            let slice = self.open_slice(scale);
            self.limit_to(slice, Refusal::Slice);
        }
        if p.bucket_mode == BucketMode::HardStop {
            self.limit_to(self.bucket.available_down(p.reserve_share), Refusal::Bucket);
        }
        if self.reasoning.limit.is_zero() {
            return Ok(self.reasoning.limited_by);
        }
        Ok(Refusal::None)
    }

    fn limit_to(&mut self, limit: U256, limited_by: Refusal) {
        if limit < self.reasoning.limit {
            self.reasoning.limit = limit;
            self.reasoning.limited_by = limited_by;
        }
    }

    fn draw(&self) -> U256 {
        let e = self.environment;
        let seed = current_seed(
            self.slots.seed,
            self.epoch / ROTATION,
            e.block_number,
            e.anchor_hash,
        );
        self.policy
            .turn_draw(e.chain_id, e.pool, self.request.account, self.epoch, seed)
    }

    fn advance_bucket(&mut self) -> Result<(), ArithmeticError> {
        let timestamp = self.environment.timestamp;
        let previous = &self.slots.observation;
        if self.bucket.may_observe(timestamp) && self.bucket.is_due(previous, timestamp) {
            let (observation, observed) = self.policy.observe(
                &mut self.bucket,
                previous,
                self.request.total_collateral,
                self.request.price,
                self.environment,
            )?;
            self.observation = Some(observation);
            self.reasoning.observed = Some(observed);
            return Ok(());
        }
        self.bucket = self
            .bucket
            .refilled(timestamp, self.parameters.refill_share);
        Ok(())
    }

    /// What is left of the account's slice (s0 + (1 − s0) z) · `scale` of its debt as the epoch found it, rounded down.
    fn open_slice(&mut self, scale: U256) -> U256 {
        self.load_account();
        if self.account.debt == 0 {
            self.account.debt = self.request.debt.saturating_to();
        }
        let base = self.parameters.slice_base;
        let share = (base + (WAD - base) * self.reasoning.zone_depth / WAD) * scale / WAD;
        let unused = share.saturating_sub(U256::from(self.account.used));
        U256::from(self.account.debt) * unused / WAD
    }

    fn load_account(&mut self) {
        self.account = self.slots.account;
        if self.account.epoch != self.epoch as u32 {
            self.account = AccountEpoch {
                epoch: self.epoch as u32,
                ..AccountEpoch::default()
            };
        }
    }

    fn charge_slice(&mut self) -> Result<(), ArithmeticError> {
        let part = mul_div_up(self.grant.repay, WAD, U256::from(self.account.debt))?;
        let used = add(U256::from(self.account.used), part)?;
        self.account.used = used.saturating_to();
        self.account_changed = true;
        Ok(())
    }

    /// Repayment and seizure at the bonus.
    fn size(&mut self) -> Step {
        let (p, r) = (self.parameters, self.request);
        let multiplier = bonus_multiplier_down(self.bonus, r.collateral_value, r.debt)?;
        self.reasoning.multiplier = multiplier;
        // selling value B raises N / D iff B LT < HF
        if !self.hard && mul_div_up(multiplier, r.liquidation_threshold, WAD)? >= r.health_fast {
            return Ok(Refusal::WrongCollateral);
        }
        let target = target_repay_up(
            r.debt,
            r.health_fast,
            p.target_health,
            multiplier,
            r.liquidation_threshold,
        )?;
        self.reasoning.target_repay = target;
        let limited = self.reasoning.limit.min(target);
        let repay = without_dust_left(limited, r.debt, r.min_debt, self.hard)?;
        let (repay, seize) = seize_down(repay, multiplier, r.price, r.collateral)?;
        if seize.is_zero() {
            return Ok(Refusal::ZeroAmount);
        }
        self.grant = LiquidationGrant {
            repay,
            seize,
            bonus: multiplier - WAD,
            refusal: Refusal::None,
        };
        Ok(Refusal::None)
    }

    /// b' = min(bmax, b + gas · basefee · P_native / x), and the sizes again: all calls of an account and epoch together are
    /// paid the gas of one liquidation.
    fn add_gas_bonus(&mut self) -> Step {
        let (p, r) = (self.parameters, self.request);
        let cap = self.reasoning.bonus_cap;
        if p.liquidation_gas == 0 || r.breaker == BreakerLevel::Normal || self.bonus >= cap {
            return Ok(Refusal::None);
        }
        if !p.sliced() || self.hard {
            self.load_account();
        }
        if self.account.gas_paid == GAS_PARTS {
            return Ok(Refusal::None);
        }
        let parts = U256::from(GAS_PARTS);
        let gas_paid = U256::from(self.account.gas_paid);
        let wei = U256::from(self.environment.base_fee) * U256::from(p.liquidation_gas);
        let price = self.environment.native_price.min(U256::MAX >> 16);
        let cost = value_down(wei, price)?;
        let unpaid = cost * (parts - gas_paid) / parts;
        let room = cap - self.bonus;
        let extra = if unpaid >= mul_div_up(self.grant.repay, room, WAD)? {
            room
        } else {
            mul_div_down(unpaid, WAD, self.grant.repay)?
        };
        if extra.is_zero() {
            return Ok(Refusal::None);
        }
        let before = self.reasoning.multiplier;
        self.bonus += extra;
        self.reasoning.gas_bonus = extra;
        let refusal = self.size()?;
        if refusal != Refusal::None {
            // and so nothing is paid or stored
            return Ok(refusal);
        }

        // what the cap by solvency took away was not paid
        let raised = self.reasoning.multiplier - before;
        let paid = mul_div_up(self.grant.repay, raised, WAD)?;
        self.account.gas_paid = if paid >= unpaid {
            GAS_PARTS
        } else {
            (gas_paid + mul_div_up(paid, parts, cost)?)
                .min(parts)
                .to::<u32>()
        };
        self.account_changed = true;
        Ok(Refusal::None)
    }

    /// What `commit` stores, in its order.
    fn writes(&self) -> Vec<Write> {
        let mut writes = Vec::new();
        let refusal = self.grant.refusal;
        if matches!(refusal, Refusal::Healthy | Refusal::Unconfirmed) {
            return writes;
        }
        let (p, r, e) = (self.parameters, self.request, self.environment);
        if p.turn_mode == TurnMode::Seeded {
            let rotation = self.epoch / ROTATION;
            writes.extend(
                advance_seed(self.slots.seed, rotation, e.block_number, e.anchor_hash)
                    .map(Write::Seed),
            );
        }
        let granted = refusal == Refusal::None;
        // one that restores the target needs no flag: the clock would restart anyway
        let restored = granted && self.grant.repay >= self.reasoning.target_repay;
        if let Some(flag) = self.flag.filter(|_| !restored) {
            writes.push(Write::Flag {
                account: r.account,
                collateral_id: r.collateral_id,
                flag,
            });
        }
        if !granted {
            return writes;
        }
        if !self.hard && p.bucket_mode != BucketMode::Off {
            let mut bucket = self.bucket;
            bucket.charge(self.grant.repay);
            writes.push(Write::Bucket {
                collateral_id: r.collateral_id,
                bucket,
            });
            writes.extend(self.observation.map(|observation| Write::Observation {
                collateral_id: r.collateral_id,
                observation,
            }));
        }
        if self.account_changed {
            writes.push(Write::Account {
                account: r.account,
                epoch: self.account,
            });
        }
        writes
    }
}
