//! One sequence, from the warmed-up world, with every property checked after every call.

use alloy_primitives::{Log, U256};
use alloy_sol_types::{SolCall, SolEvent};
use breakwater_bindings::{
    DampedPolicy, ILendingPool, IPriceOracle, PoolActor, SimToken, describe_revert,
};
use breakwater_evm::{Chain, Execution, JumpCounter, MemoryChain, Transaction};
use breakwater_protocol::policy::{BreakerLevel, Environment, Refusal, TurnMode};
use breakwater_protocol::{BlockRef, Mirror, MirroredPolicy, ViewError};

use crate::action::{Action, Kind};
use crate::coverage::Reached;
use crate::encode::{BlockAt, Call, Step};
use crate::properties::backstop::Ledger;
use crate::properties::closing::{refusal_of, turn_comes};
use crate::properties::prices::Watch;
use crate::properties::rights::Rights;
use crate::properties::splits::Split;
use crate::properties::{
    Expected, Made, Property, Violation, backstop, books, calls, closing, require,
};
use crate::resolve::{Effect, Planned, Scene};
use crate::sample::Sample;
use crate::seen::{Answers, Halves, Seen};
use crate::tally::{Mark, Tally};
use crate::world::{
    ACTORS, BACKSTOP_PERIOD, GAS, PEOPLE, World, block_hash, environment, view_word,
};

/// A property that a test adds to those of the protocol.
pub type Extra<'a> = &'a (dyn Fn(&Sample) -> Result<(), Violation> + Sync);

/// What a sequence did.
#[derive(Debug)]
pub struct Outcome {
    /// What was executed.
    pub steps: Vec<Step>,
    /// How often what succeeded.
    pub tally: Tally,
    /// What was reached.
    pub reached: Reached,
    /// The last action that reached something which the sequence had not reached before.
    pub last_news: usize,
    /// The first property that did not hold, and the action after which.
    pub violation: Option<(usize, Violation)>,
    /// What there is to see at the end.
    pub seen: Seen,
    /// Where halves of the last call gain: those, instead of it.
    pub halves: Option<Halves>,
}

/// Runs a sequence.
#[must_use]
pub fn run(world: &World, actions: &[Action], extra: Option<Extra<'_>>) -> Outcome {
    let mut outcome = Outcome {
        steps: Vec::new(),
        tally: Tally::default(),
        reached: Reached::default(),
        last_news: 0,
        violation: None,
        seen: Seen::default(),
        halves: None,
    };
    let mut run = match Run::begin(world, extra, &mut outcome) {
        Ok(run) => run,
        Err(violation) => {
            outcome.violation = Some((0, violation));
            outcome.seen = Seen::look(&mut world.snapshot.chain(), world, Answers::default());
            return outcome;
        }
    };
    let mut violation = None;
    for (index, action) in actions.iter().enumerate() {
        run.index = index;
        run.outcome.tally.act();
        if let Err(broken) = run.perform(action) {
            violation = Some((index, broken));
            break;
        }
    }
    let (seen, last) = run.end();
    let last = last
        .err()
        .map(|broken| (actions.len().saturating_sub(1), broken));
    outcome.seen = seen;
    outcome.violation = violation.or(last);
    outcome
}

struct Run<'a> {
    world: &'a World,
    extra: Option<Extra<'a>>,
    outcome: &'a mut Outcome,
    index: usize,
    chain: MemoryChain,
    counter: Option<Box<JumpCounter>>,
    mirror: Mirror,
    block: BlockAt,
    watch: Watch,
    rights: Rights,
    ledger: Ledger,
    venue: (i32, u128),
    armed: bool,
    answers: Answers,
    /// Callbacks that each hostile contract has had.
    callbacks: [U256; ACTORS - PEOPLE],
    policy_history: Vec<(u64, Log)>,
    now: Sample,
}

impl<'a> Run<'a> {
    fn begin(
        world: &'a World,
        extra: Option<Extra<'a>>,
        outcome: &'a mut Outcome,
    ) -> Result<Self, Violation> {
        let mut chain = world.snapshot.chain();
        let mirror = world.mirror.clone();
        let now = Sample::take(&mut chain, world, &mirror, world.block.timestamp, false)?;
        Ok(Self {
            world,
            extra,
            outcome,
            index: 0,
            chain,
            counter: Some(Box::new(JumpCounter::new(&world.codes))),
            mirror,
            block: world.block,
            watch: Watch::new(world),
            rights: Rights::default(),
            ledger: Ledger::new(world),
            venue: (world.plan.tick, world.plan.liquidity),
            armed: false,
            answers: Answers::default(),
            callbacks: [U256::ZERO; ACTORS - PEOPLE],
            policy_history: world.policy_history.clone(),
            now,
        })
    }

    /// What there is to see, and whether it is as it must be.
    fn end(mut self) -> (Seen, Result<(), Violation>) {
        let sampled = self.sample(true);
        let (chain, world) = (&mut self.chain, self.world);
        match sampled {
            Ok(now) => (
                Seen::of(Some(&now.raw), chain, world, self.answers),
                books::check(world, &self.mirror, &now, true),
            ),
            // It may be the model that makes no sense of what the contracts answer.
            Err(broken) => (Seen::look(chain, world, self.answers), Err(broken)),
        }
    }

    fn perform(&mut self, action: &Action) -> Result<(), Violation> {
        let plan = Scene {
            world: self.world,
            chain: &mut self.chain,
            now: &self.now,
            block: self.block,
            feeds: &self.watch.feeds,
            venue: self.venue,
            rolled: self.ledger.rolled,
        }
        .resolve(action);
        if let Some(block) = plan.block {
            self.open(action.kind, block)?;
        }
        for planned in plan.calls {
            self.call(planned.kind.unwrap_or(action.kind), &planned)?;
        }
        Ok(())
    }

    fn open(&mut self, kind: Kind, block: BlockAt) -> Result<(), Violation> {
        self.chain.begin_block(environment(block));
        self.block = block;
        self.outcome.steps.push(Step::Block(block));
        self.outcome.tally.count(kind, true);
        let before = self.now.view.market.clone();
        self.now = self.sample(false)?;
        let after = &self.now.view.market;
        let thousand = U256::from(1_000);
        let holds = (after.lenderAssets + U256::ONE) * (before.supplyShares + thousand)
            >= (before.lenderAssets + U256::ONE) * (after.supplyShares + thousand);
        require(holds, Property::P7, || {
            format!(
                "{} of lenders became {} by time",
                before.lenderAssets, after.lenderAssets
            )
        })?;
        self.check_state()
    }

    fn call(&mut self, kind: Kind, planned: &Planned) -> Result<(), Violation> {
        let call = &planned.call;
        let expected = planned
            .liquidation
            .map(|(index, id, asked)| self.expect(index, id, asked));
        let split = self.split(kind, planned, expected.as_ref());
        let execution = self.execute(call)?;
        let success = execution.is_success();
        let answers = self.answers;
        self.answers.add(&execution, self.armed);
        let nested = self.armed && self.may_nest(call);
        self.outcome.steps.push(Step::Call(call.clone(), success));
        self.outcome.tally.count(kind, success);
        if !success {
            let reason = refusal_of(&execution.output)
                .map(|refusal| format!("{refusal:?}"))
                .or_else(|| describe_revert(&execution.output));
            let tally = &mut self.outcome.tally;
            tally.reason(kind, reason.as_deref().unwrap_or("unnamed"));
        }
        self.learn(&execution.logs, success.then_some(planned.effect))?;
        // What was reverted changed nothing: all that holds of states was checked before it.
        let after = if success {
            self.sample(false)?
        } else {
            self.now.clone()
        };
        let before = std::mem::replace(&mut self.now, after);
        let made = Made {
            world: self.world,
            kind,
            call,
            success,
            output: &execution.output,
            logs: &execution.logs,
            before: &before,
            after: &self.now,
            nested,
            minimum_debt: U256::from(self.mirror.settings().min_debt),
            policy_state: self.mirror.policy_state(),
            must: planned.must.filter(|_| !nested),
            expected: expected.as_ref(),
        };
        if let Some(mut split) = split.filter(|_| success) {
            let (logs, base_fee) = (&execution.logs, self.block.base_fee);
            let compared = split.check(&mut self.chain, &before, logs, base_fee);
            if let Err(broken) = &compared
                && broken.property == Property::P6
            {
                self.outcome.halves = Some(split.halves(answers, self.armed));
            }
            if compared? {
                self.outcome.tally.mark(if kind == Kind::Liquidate {
                    Mark::SplitLiquidation
                } else {
                    Mark::SplitCall
                });
            }
        }
        calls::check(&made)?;
        closing::check(&made)?;
        let current = self.ledger.rolled == self.block.timestamp / BACKSTOP_PERIOD;
        backstop::check(&made, current)?;
        self.ledger.learn(&made);
        self.rights.check(&made)?;
        self.rights.apply(self.world, &execution.logs);
        self.note(kind, call, &before, &execution);
        if success && self.may_nest(call) {
            self.seen_inside(&before, &execution.logs)?;
        }
        if let Some((index, ..)) = planned.liquidation
            && refusal_of(&execution.output) == Some(Refusal::Turn)
        {
            self.turn(index)?;
        }
        if !success {
            return Ok(());
        }
        self.check_state()
    }

    /// What a call's halves are to be compared with: a person's liquidation that the model grants, one in four of what lenders
    /// and borrowers do.
    fn split<'c>(
        &mut self,
        kind: Kind,
        planned: &'c Planned,
        expected: Option<&Expected>,
    ) -> Option<Split<'c>>
    where
        'a: 'c,
    {
        let granted = |expected: &Expected| {
            let decided = expected.decisions.iter().flatten();
            decided
                .into_iter()
                .any(|decision| decision.grant.refusal == Refusal::None)
        };
        let worth_it = match expected {
            Some(expected) => granted(expected),
            None => self.outcome.steps.len().is_multiple_of(4),
        };
        if !worth_it || self.may_nest(&planned.call) {
            return None;
        }
        Split::prepare(self.world, &mut self.chain, kind, &planned.call)
    }

    /// The states' properties.
    fn check_state(&mut self) -> Result<(), Violation> {
        books::check(self.world, &self.mirror, &self.now, false)?;
        self.ledger.check(self.world, &self.now)?;
        self.watch.check(&self.now)?;
        self.extra.map_or(Ok(()), |extra| extra(&self.now))
    }

    fn sample(&mut self, whole: bool) -> Result<Sample, Violation> {
        let timestamp = self.block.timestamp;
        Sample::take(&mut self.chain, self.world, &self.mirror, timestamp, whole)
    }

    fn execute(&mut self, call: &Call) -> Result<Execution, Violation> {
        let transaction = Transaction {
            gas_limit: GAS,
            ..Transaction::call(call.from, call.to, call.data())
        };
        self.chain.count_jumps(self.counter.take());
        let executed = self.chain.execute(&transaction);
        self.counter = self.chain.count_jumps(None);
        let mut news = false;
        if let Some(counter) = &mut self.counter {
            let reached = &mut self.outcome.reached;
            counter.drain(|edge, count| news |= reached.jump(edge, count));
        }
        if news {
            self.outcome.last_news = self.index;
        }
        executed.map_err(|error| Violation::new(Property::Views, error.to_string()))
    }

    /// Whether a contract that acts may get control in this call.
    fn may_nest(&self, call: &Call) -> bool {
        let place = &self.world.place;
        let named = call.arguments.iter().filter_map(|value| value.as_address());
        place.is_hostile(call.from) || named.into_iter().any(|address| place.is_hostile(address))
    }

    /// What the events and the effect of a call say.
    fn learn(&mut self, logs: &[Log], effect: Option<Effect>) -> Result<(), Violation> {
        let parent = *self.mirror.head();
        let block = BlockRef {
            number: parent.number + 1,
            timestamp: self.block.timestamp,
            ..parent
        };
        let block = BlockRef {
            parent_hash: parent.hash,
            ..block
        };
        let unclear = |error: breakwater_protocol::MirrorError| {
            Violation::new(Property::P9, error.to_string())
        };
        let changes = self.mirror.apply_block(&block, logs).map_err(unclear)?;
        let place = &self.world.place;
        let timestamp = self.block.timestamp;
        let own = logs
            .iter()
            .filter(|log| place.policies.contains(&log.address));
        self.policy_history
            .extend(own.map(|log| (timestamp, log.clone())));
        if let Some(address) = changes.policy_set {
            let model = self.world.policy_at(address);
            let policy = MirroredPolicy {
                address,
                needs_confirmation: model.is_some_and(|model| model.needs_confirmation()),
            };
            let all = self.policy_history.iter();
            let history = all.filter(|(_, log)| log.address == address);
            self.mirror
                .describe_policy(policy, history.map(|(time, log)| (*time, log)))
                .map_err(unclear)?;
        }
        match effect {
            Some(Effect::Feed(id, feed)) => self.watch.feeds[id] = feed,
            Some(Effect::Venue(tick, liquidity)) => self.venue = (tick, liquidity),
            Some(Effect::Armed) => self.armed = true,
            Some(Effect::Donated) => {
                let call = SimToken::balanceOfCall { owner: place.pool };
                let data = call.abi_encode().into();
                let cash = view_word(&mut self.chain, place.asset, data).unwrap_or_default();
                self.mirror.correct_cash(cash.saturating_to());
            }
            Some(Effect::None) | None => {}
        }
        Ok(())
    }

    /// What the model grants now, for each level of the breaker.
    fn expect(&mut self, index: usize, id: usize, asked: U256) -> Expected {
        let place = &self.world.place;
        let account = place.actors[index];
        let policy = self.world.policy_at(self.now.view.policy);
        let depth = IPriceOracle::depthCall {}.abi_encode().into();
        let native = &self.now.view.collaterals[0].prices;
        let environment = Environment {
            chain_id: self.mirror.description().chain_id,
            pool: place.pool,
            timestamp: self.block.timestamp,
            block_number: self.block.number,
            base_fee: self.block.base_fee,
            native_price: native.fast,
            anchor_hash: block_hash(self.mirror.policy_state().seed().anchor),
            depth_reading: view_word(&mut self.chain, place.oracles[id], depth).unwrap_or_default(),
        };
        let decisions = BreakerLevel::ALL
            .iter()
            .map(|level| {
                let request =
                    self.mirror
                        .request(&account, id as u64, asked, &self.now.moment, *level)?;
                if request.asked.is_zero() {
                    return Err(ViewError::Refused(Refusal::ZeroAmount));
                }
                let state = self.mirror.policy_state();
                let policy = policy.ok_or(ViewError::Refused(Refusal::NotHeld))?;
                Ok(policy.quote(state, &request, &environment)?)
            })
            .collect();
        Expected {
            account,
            collateral: id,
            state: self.mirror.policy_state().clone(),
            decisions,
        }
    }

    /// C2: what a share was worth to a contract that had control in this call.
    fn seen_inside(&mut self, before: &Sample, logs: &[Log]) -> Result<(), Violation> {
        let lost = logs
            .iter()
            .any(|log| ILendingPool::BadDebtWrittenOff::decode_log(log).is_ok());
        for index in 0..self.callbacks.len() {
            let contract = self.world.place.actors[PEOPLE + index];
            let mut ask = |data: Vec<u8>| {
                view_word(&mut self.chain, contract, data.into())
                    .map_err(|error| Violation::new(Property::Views, error.to_string()))
            };
            let count = ask(PoolActor::callbacksCall {}.abi_encode())?;
            if count == self.callbacks[index] {
                continue;
            }
            let inside = ask(PoolActor::sharePriceInsideCall {}.abi_encode())?;
            self.callbacks[index] = count;
            let (least, most) = (worth(before), worth(&self.now));
            let within = inside >= least && inside <= most;
            require(lost || within, Property::C2, || {
                format!("{inside} was seen between {least} and {most}")
            })?;
        }
        Ok(())
    }

    /// D7: one of the next eight epochs' draws is below p0. Seeded turns of the next rotation are not drawn yet and read as
    /// open; within this one a turn comes within four. Turns by lot have no bound.
    fn turn(&mut self, index: usize) -> Result<(), Violation> {
        let place = &self.world.place;
        let policy = self.now.view.policy;
        let Some(damped) = self.world.damped_at(policy) else {
            return Ok(());
        };
        let (mode, floor) = (
            damped.parameters().turn_mode,
            damped.parameters().turn_floor,
        );
        let epochs = match mode {
            TurnMode::Systematic => 8,
            TurnMode::Seeded => 4,
            TurnMode::Off | TurnMode::Bernoulli => return Ok(()),
        };
        let (pool, account) = (place.pool, place.actors[index]);
        let mut draws = Vec::new();
        for epoch in 1..=epochs {
            let timestamp = U256::from(self.block.timestamp + 60 * epoch);
            let call = DampedPolicy::turnOfCall {
                pool,
                account,
                timestamp,
            };
            let data = call.abi_encode().into();
            let draw = view_word(&mut self.chain, policy, data)
                .map_err(|error| Violation::new(Property::Views, error.to_string()))?;
            draws.push(draw);
        }
        require(turn_comes(&draws, floor), Property::D7, || {
            format!("actor {index} waits longer than {epochs} epochs: {draws:?}")
        })
    }

    /// Marks of a call for the tally and for the search.
    fn note(&mut self, kind: Kind, call: &Call, before: &Sample, execution: &Execution) {
        let place = &self.world.place;
        let tally = &mut self.outcome.tally;
        let own = |log: &&Log| log.address == place.pool;
        let mut losses = 0;
        for log in execution.logs.iter().filter(own) {
            if kind != Kind::Absorb
                && let Ok(event) = ILendingPool::Liquidated::decode_log(log)
            {
                let index = place
                    .actors
                    .iter()
                    .position(|actor| *actor == event.account);
                let hard = index.is_some_and(|index| {
                    before.health[index].health_fast <= before.health[index].health_hard
                });
                tally.mark(if hard { Mark::Hard } else { Mark::Damped });
            }
            if ILendingPool::BadDebtWrittenOff::decode_log(log).is_ok() {
                tally.mark(Mark::WriteOff);
                losses += 1;
            }
        }
        let acted = self.armed
            && execution.logs.iter().filter(own).count() > 2
            && (place.is_hostile(call.from) || kind == Kind::Flash);
        if acted {
            tally.mark(Mark::Callback);
        }
        if refusal_of(&execution.output) == Some(Refusal::Turn) {
            tally.mark(Mark::Turn);
        }
        if refusal_of(&execution.output) == Some(Refusal::Backstop) {
            tally.mark(Mark::Backstop);
        }
        if self.now.view.breaker != 0 {
            tally.mark(Mark::Stressed);
        }
        let selector = execution.output.get(..4).unwrap_or_default();
        let error = if execution.is_success() {
            &[]
        } else {
            selector
        };
        let error = error
            .iter()
            .fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
        let refusal =
            refusal_of(&execution.output).map_or(0, |refusal| 1 + u64::from(u8::from(refusal)));
        let unhealthy = (0..self.now.health.len()).filter(|index| self.now.is_unhealthy(*index));
        let state = [
            u64::from(self.now.view.breaker),
            u64::from(self.now.view.collaterals[0].prices.status),
            u64::from(self.now.view.collaterals[1].prices.status),
            unhealthy.count().min(3) as u64,
        ];
        let reached = &mut self.outcome.reached;
        let ended = reached.mark(&[1, kind as u64, error, refusal, losses]);
        let met = reached.mark(
            &[
                &[2, kind as u64, u64::from(execution.is_success())],
                &state[..],
            ]
            .concat(),
        );
        if ended || met {
            self.outcome.last_news = self.index;
        }
    }
}

/// 1e24 shares in assets, rounded down, as `PoolActor` asks for it.
fn worth(sample: &Sample) -> U256 {
    let market = &sample.view.market;
    let shares = U256::from(10).pow(U256::from(24));
    shares * (market.lenderAssets + U256::ONE) / (market.supplyShares + U256::from(1_000))
}
