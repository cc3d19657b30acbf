//! Which branches of the contracts the cases went through.

use alloy_primitives::U256;
use breakwater_protocol::{
    math::{WAD, mul_div_down, mul_div_up, value_down},
    policy::{
        BonusMode, BreakerLevel, BucketMode, ClockEvent, DampedParameters, Decision, Environment,
        LiquidationRequest, Observed, Refusal, Slots, TurnMode, Write, Zone, bucket,
        liquidation::{seize_down, without_dust_left},
    },
};
use std::collections::BTreeMap;

/// How often each branch was taken.
#[derive(Clone, Debug, Default)]
pub struct Branches(BTreeMap<String, u64>);

impl Branches {
    pub fn count(&mut self, branch: impl Into<String>) {
        *self.0.entry(branch.into()).or_default() += 1;
    }

    pub fn merge(&mut self, other: Self) {
        for (branch, count) in other.0 {
            *self.0.entry(branch).or_default() += count;
        }
    }

    /// Prints the table and fails for what was not taken `least` times.
    pub fn require(&self, least: u64, branches: &[&str]) {
        for (branch, count) in &self.0 {
            println!("{count:>8}  {branch}");
        }
        let rare: Vec<_> = branches
            .iter()
            .map(|&branch| (branch, self.0.get(branch).copied().unwrap_or(0)))
            .filter(|&(_, count)| count < least)
            .collect();
        assert!(rare.is_empty(), "taken less than {least} times: {rare:?}");
    }
}

/// What one decision of a damped policy went through.
pub struct Taken<'a> {
    pub parameters: &'a DampedParameters,
    pub slots: &'a Slots,
    pub request: &'a LiquidationRequest,
    pub environment: &'a Environment,
    pub decision: &'a Decision,
}

impl Taken<'_> {
    pub fn count(&self, branches: &mut Branches) {
        let (grant, reasoning) = (&self.decision.grant, &self.decision.reasoning);
        branches.count(format!("refusal {:?}", grant.refusal));
        if grant.refusal == Refusal::Healthy {
            branches.count("zone healthy");
            return;
        }
        if grant.refusal == Refusal::Unconfirmed {
            branches.count("zone unconfirmed");
            return;
        }
        branches.count(match reasoning.zone {
            Zone::Hard => "zone hard",
            _ => "zone damped",
        });
        self.clock(branches);
        self.seed(branches);
        if reasoning.zone != Zone::Hard && !self.request.asked.is_zero() {
            self.damping(branches);
        }
        let sized = grant.refusal == Refusal::None
            || (grant.refusal == Refusal::ZeroAmount && !self.request.asked.is_zero());
        if sized {
            self.bonus(branches);
            self.size(branches);
        }
        if !reasoning.base_bonus.is_zero() || sized {
            self.gas(branches);
        }
        if grant.refusal == Refusal::None && reasoning.zone != Zone::Hard {
            self.charge(branches);
        }
    }

    fn clock(&self, branches: &mut Branches) {
        if self.parameters.bonus_mode == BonusMode::Health {
            branches.count("clock off: bonus by health");
            return;
        }
        let event = self.decision.reasoning.clock;
        let same_block =
            event == ClockEvent::Runs && self.slots.flag.since == self.environment.timestamp;
        branches.count(match event {
            ClockEvent::Runs if same_block => "clock runs: flagged in this block".to_owned(),
            _ => format!("clock {event:?}"),
        });
        let restored = self.decision.grant.refusal == Refusal::None
            && event != ClockEvent::Runs
            && !self
                .decision
                .writes
                .iter()
                .any(|write| matches!(write, Write::Flag { .. }));
        if restored {
            branches.count("clock not written: target restored");
        }
    }

    fn seed(&self, branches: &mut Branches) {
        if self.parameters.turn_mode != TurnMode::Seeded {
            return;
        }
        let written = self.decision.writes.iter().find_map(|write| match write {
            Write::Seed(seed) => Some(seed),
            _ => None,
        });
        branches.count(match written {
            None if self.slots.seed.seed.is_zero() => "seed waits for its block",
            None => "seed stands",
            Some(seed) if !seed.seed.is_zero() => "seed stored",
            Some(seed) if seed.rotation == self.slots.seed.rotation => "seed named anew: hash lost",
            Some(_) => "seed named",
        });
    }

    fn damping(&self, branches: &mut Branches) {
        let (p, r) = (self.parameters, &self.decision.reasoning);
        if self.decision.grant.refusal == Refusal::Paused {
            return;
        }
        self.bucket(branches);
        let mode = p.turn_mode;
        let open = self.decision.grant.refusal != Refusal::Turn;
        let without_seed =
            mode == TurnMode::Seeded && r.turn_draw.is_zero() && self.slots.seed.seed.is_zero();
        branches.count(match (mode, open) {
            (TurnMode::Off, _) => "turn Off".to_owned(),
            (_, true) if without_seed => format!("turn {mode:?} open, no seed"),
            (_, true) => format!("turn {mode:?} open"),
            (_, false) => format!("turn {mode:?} closed"),
        });
        if mode != TurnMode::Off {
            let by_fullness = r.turn_probability == r.fullness;
            branches.count(if by_fullness {
                "probability by fullness"
            } else {
                "probability by zone"
            });
        }
    }

    fn bucket(&self, branches: &mut Branches) {
        let (p, r) = (self.parameters, &self.decision.reasoning);
        let mode = p.bucket_mode;
        if mode == BucketMode::Off {
            branches.count("bucket Off");
            return;
        }
        let timestamp = self.environment.timestamp;
        let stored = self.slots.bucket;
        match r.observed {
            Some(observed) => {
                branches.count(format!("bucket {mode:?} {observed:?}"));
                self.observation(observed, branches);
            }
            None if stored.updated_at == timestamp as u32 => {
                branches.count(format!("bucket {mode:?} of this block"));
            }
            None if !stored.may_observe(timestamp) => {
                branches.count(format!("bucket {mode:?} refills, observation not loaded"));
            }
            None => branches.count(format!("bucket {mode:?} refills, no reading due")),
        }
        let level = stored.level_at(timestamp, p.refill_share);
        if stored.depth != 0 {
            branches.count(if level == stored.cap() {
                "bucket refill reaches the cap"
            } else {
                "bucket refill below the cap"
            });
        }
        if mode == BucketMode::Scaling && self.decision.grant.refusal != Refusal::Turn {
            branches.count(if r.fullness < p.scaling_floor {
                "scaling at its floor"
            } else if r.fullness < WAD {
                "scaling by fullness"
            } else {
                "scaling off: bucket full"
            });
        }
    }

    /// What held a reading.
    fn observation(&self, observed: Observed, branches: &mut Branches) {
        let p = self.parameters;
        let saturated = U256::from((1_u128 << 104) - 1);
        let value = value_down(self.request.total_collateral, self.request.price).unwrap();
        let mut floor = bucket::depth_floor(value, p.refill_share, p.min_refill_seconds).unwrap();
        if floor > saturated {
            branches.count("reading: floor saturates");
            floor = saturated;
        }
        if self.environment.depth_reading > saturated {
            branches.count("reading: depth saturates");
        }
        let mut reading = self.environment.depth_reading.min(saturated);
        if observed != Observed::Opens {
            let previous = self.slots.observation;
            if U256::from(previous.floor) < floor {
                branches.count("reading: floor held to the one before");
                floor = U256::from(previous.floor);
            }
            if U256::from(previous.reading) < reading {
                branches.count("reading: depth held to the one before");
                reading = U256::from(previous.reading);
            }
        }
        let counted = if reading < floor {
            branches.count("reading below its floor");
            floor
        } else if reading > floor * U256::from(16) {
            branches.count("reading above 16 floors");
            floor * U256::from(16)
        } else {
            branches.count("reading as it is");
            reading
        };
        if observed == Observed::Averages {
            let depth = U256::from(self.slots.bucket.depth);
            let weight = self
                .environment
                .timestamp
                .wrapping_sub(u64::from(self.slots.observation.at)) as u32;
            branches.count(if counted > depth * U256::from(16) {
                "reading above 16 averages"
            } else {
                "reading within 16 averages"
            });
            branches.count(if u64::from(weight) > p.depth_memory_seconds / 4 {
                "reading weighs a quarter"
            } else {
                "reading weighs by time"
            });
        }
    }

    fn bonus(&self, branches: &mut Branches) {
        let (p, r) = (self.parameters, &self.decision.reasoning);
        branches.count(if self.request.max_bonus < p.bonus_max {
            "bonus capped by the collateral"
        } else {
            "bonus capped by the policy"
        });
        if p.bonus_min >= r.bonus_cap {
            branches.count("bonus: minimum at or above the cap");
        }
        if p.bonus_mode == BonusMode::Time && r.elapsed > 0 {
            branches.count(if r.elapsed >= p.auction_seconds {
                "bonus at its maximum"
            } else {
                "bonus between"
            });
        }
        let bonus = r.base_bonus + r.gas_bonus;
        branches.count(if r.multiplier == WAD + bonus {
            "multiplier in full"
        } else if r.multiplier == WAD {
            "multiplier 1: insolvent"
        } else {
            "multiplier held to C / D"
        });
    }

    fn size(&self, branches: &mut Branches) {
        let (r, q) = (&self.decision.reasoning, self.request);
        let hard = r.zone == Zone::Hard;
        let limited = r.limit.min(r.target_repay);
        branches.count(match r.limited_by {
            _ if r.target_repay <= r.limit => "size by target",
            Refusal::Slice => "size by slice",
            Refusal::Bucket => "size by bucket",
            _ => "size by what was asked",
        });
        if r.target_repay == q.debt {
            branches.count("target out of reach: all of the debt");
        }
        let repay = without_dust_left(limited, q.debt, q.min_debt, hard).unwrap();
        let left = q.debt - limited;
        branches.count(if left.is_zero() {
            "dust: nothing left"
        } else if left >= q.min_debt {
            "dust: enough left"
        } else if hard {
            "dust: closed, hard zone"
        } else if q.debt <= q.min_debt {
            "dust: closed, debt at most the dust"
        } else if repay == q.debt {
            "dust: closed, debt at most twice the dust"
        } else {
            "dust: dust is left"
        });
        let seizable = mul_div_down(repay, r.multiplier * WAD, q.price).unwrap();
        let held = seizable > q.collateral;
        branches.count(if held {
            "seize all collateral"
        } else {
            "seize part"
        });
        let (repay, seize) = seize_down(repay, r.multiplier, q.price, q.collateral).unwrap();
        if seize.is_zero() {
            branches.count("seize nothing");
        } else if repay == q.debt {
            branches.count("full close");
        }
    }

    fn gas(&self, branches: &mut Branches) {
        let (p, r) = (self.parameters, &self.decision.reasoning);
        let refusal = self.decision.grant.refusal;
        if p.liquidation_gas == 0 || self.request.breaker == BreakerLevel::Normal {
            branches.count("gas bonus off");
            return;
        }
        if self.environment.native_price > U256::MAX >> 16 {
            branches.count("gas: native price saturates");
        }
        if r.gas_bonus.is_zero() {
            let paid = self.slots.account.gas_paid == 1_000_000_000
                && self.slots.account.epoch
                    == (self.environment.timestamp / p.epoch_seconds) as u32;
            branches.count(if r.base_bonus >= r.bonus_cap {
                "gas: bonus at its cap"
            } else if paid {
                "gas: paid before"
            } else {
                "gas: nothing to pay, or refused"
            });
            return;
        }
        branches.count(if r.base_bonus + r.gas_bonus == r.bonus_cap {
            "gas: up to the cap"
        } else {
            "gas: in full"
        });
        if refusal == Refusal::WrongCollateral {
            branches.count("gas: refused at the higher bonus");
        }
        let stored = self.decision.writes.iter().find_map(|write| match write {
            Write::Account { epoch, .. } => Some(epoch.gas_paid),
            _ => None,
        });
        match stored {
            Some(1_000_000_000) => branches.count("gas: recorded in full"),
            Some(0) => branches.count("gas: recorded nothing, held to C / D"),
            Some(_) => branches.count("gas: recorded in part"),
            None => {}
        }
    }

    fn charge(&self, branches: &mut Branches) {
        let account = self.decision.writes.iter().find_map(|write| match write {
            Write::Account { epoch, .. } => Some(epoch),
            _ => None,
        });
        if self.parameters.sliced() {
            let same =
                self.slots.account.epoch == account.unwrap().epoch && self.slots.account.debt != 0;
            if !same && self.request.debt > U256::from(u128::MAX) {
                branches.count("slice: debt saturates");
            }
            branches.count(if same {
                "slice charged again"
            } else {
                "slice charged first"
            });
            let share = mul_div_up(
                self.decision.grant.repay,
                WAD,
                U256::from(account.unwrap().debt),
            )
            .unwrap();
            if share > U256::from(u64::MAX) {
                branches.count("slice saturates");
            }
        }
        let level = self.decision.writes.iter().find_map(|write| match write {
            Write::Bucket { bucket, .. } => Some(bucket.level),
            _ => None,
        });
        match level {
            Some(0) => branches.count("bucket charged to nothing"),
            Some(_) => branches.count("bucket charged"),
            None => {}
        }
    }
}
