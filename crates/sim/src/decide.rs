//! Asks every agent what it wants and puts it into the mempool.

use std::rc::Rc;

use breakwater_agents::adversary::Queue;
use breakwater_agents::{
    Action, Intent, Observation, arbitrageur, dumper, noise, provider, reporter,
};
use breakwater_market::{Purpose, Stream};

use crate::WorldKind;
use crate::config::Policy;
use crate::mempool::{Sender, Waiting};
use crate::world::{BlockCounts, World, bidding_draw, reaction_draw};

/// Blocks for which a transaction stays good.
const REPORT_LIFE: u64 = 3;
const KEEPER_LIFE: u64 = 3;
const PATIENT_LIFE: u64 = 20;

impl World<'_> {
    pub(crate) fn decide(&mut self, observation: &Observation, counts: &mut BlockCounts) {
        self.report(observation, counts);
        self.keep_up(observation, counts);
        if let Some(intent) = arbitrageur::decide(observation) {
            self.submit(Sender::Arbitrageur, intent, observation.block, counts);
        }
        self.provide(observation, counts);
        self.borrow(observation, counts);
        self.keep(observation, counts);
        self.trade_noise(observation, counts);
        self.attack(observation, counts);
    }

    fn submit(&mut self, sender: Sender, intent: Intent, expires: u64, counts: &mut BlockCounts) {
        counts.dropped += u64::from(self.mempool.submit(sender, intent, expires));
    }

    fn report(&mut self, observation: &Observation, counts: &mut BlockCounts) {
        if self.mempool.contains(Sender::Reporter) {
            return;
        }
        let lag = self
            .parameters
            .feed
            .delay
            .div_ceil(self.parameters.network.slot_seconds);
        let seen = observation.block.saturating_sub(lag) as usize;
        let seen = self.references[seen.min(self.references.len() - 1)];
        let elapsed = observation.timestamp - self.input.start;
        let Some(price) = self.parameters.feed.written(elapsed, seen) else {
            return;
        };
        let (answer, written) = self.answer;
        if let Some(intent) =
            self.reporter
                .decide(observation, price, answer, written, observation.timestamp)
        {
            self.submit(
                Sender::Reporter,
                intent,
                observation.block + REPORT_LIFE - 1,
                counts,
            );
        }
    }

    fn keep_up(&mut self, observation: &Observation, counts: &mut BlockCounts) {
        let damped = self.kind == WorldKind::Policy(Policy::Damped);
        let breaker = self.addresses.aave.is_none();
        for (number, action, wanted) in
            [(0, Action::Poke, breaker), (1, Action::RecordDepth, damped)]
        {
            let sender = Sender::Upkeep(number);
            if !wanted || self.mempool.contains(sender) {
                continue;
            }
            if let Some(intent) = reporter::upkeep(observation, self.last_made, action) {
                self.submit(sender, intent, observation.block + PATIENT_LIFE, counts);
            }
        }
    }

    fn provide(&mut self, observation: &Observation, counts: &mut BlockCounts) {
        let block = observation.block as usize;
        if let Some(depth) = self.input.depth.get(block) {
            // The file counts the collateral reserve x; liquidity is x·√P.
            let share = depth * (observation.reference_price / self.input.prices[0]).sqrt();
            if !self.mempool.contains(Sender::Provider(0))
                && let Some(intent) = provider::follow(observation, self.provided[0], share)
            {
                self.submit(
                    Sender::Provider(0),
                    intent,
                    observation.block + PATIENT_LIFE,
                    counts,
                );
            }
            return;
        }
        let volatility = self.volatility.value();
        for index in 0..self.providers.len() {
            // Provider 0 of the chain is the patient one.
            let sender = Sender::Provider(index as u32 + 1);
            if self.provided[index + 1] == 0.0 && !self.providers[index].away
                || self.mempool.contains(sender)
            {
                continue;
            }
            if let Some(intent) = self.providers[index].decide(observation, volatility) {
                self.submit(sender, intent, observation.block + PATIENT_LIFE, counts);
            }
        }
    }

    fn borrow(&mut self, observation: &Observation, counts: &mut BlockCounts) {
        // Without a price nobody knows his health factor: plans stay as they are.
        if observation.prices.fast <= 0.0 {
            return;
        }
        let alarmed: Vec<u32> = self
            .mirror
            .index()
            .below(
                self.habits.alert_health,
                observation.prices.fast,
                self.habits.threshold,
                self.reading.debt_index,
            )
            .collect();
        let mut calm = vec![true; self.borrowers.len()];
        for account in alarmed {
            calm[account as usize] = false;
            if self.mempool.contains(Sender::Borrower(account)) {
                continue;
            }
            let position = self.mirror.index().position(account);
            let debt = position.debt_shares * self.reading.debt_index;
            let seed = self.seed;
            let borrower = &mut self.borrowers[account as usize];
            let intent = borrower.alarmed(
                observation,
                &self.habits,
                position.collateral,
                debt,
                |alarm| reaction_draw(seed, account, alarm),
            );
            if let Some(intent) = intent {
                self.submit(
                    Sender::Borrower(account),
                    intent,
                    observation.block + PATIENT_LIFE,
                    counts,
                );
            }
        }
        for (borrower, calm) in self.borrowers.iter_mut().zip(calm) {
            if calm {
                borrower.calm();
            }
        }
    }

    fn keep(&mut self, observation: &Observation, counts: &mut BlockCounts) {
        let mut planned = Vec::new();
        for keeper in &self.keepers {
            let Some(sight) = self.sights.get(keeper.latency as usize).map(Rc::clone) else {
                continue;
            };
            if sight.candidates.is_empty() {
                continue;
            }
            // What it sees is old, but the base fee of the block being made follows from the last block's header.
            let seen = Observation {
                block: observation.block,
                base_fee: observation.base_fee,
                inclusion_tip: observation.inclusion_tip,
                ..sight.observation.clone()
            };
            let number = keeper.number;
            let pending = |account| self.mempool.contains(Sender::Keeper(number, account));
            let draw = |account| bidding_draw(self.seed, number, account, observation.block);
            let (candidates, terms) = (&sight.candidates, &self.terms);
            let intents = if self.kind == WorldKind::Policy(Policy::Dumped) {
                dumper::plan(&seen, candidates, pending, draw)
            } else {
                keeper.plan(&seen, sight.venue, candidates, terms, pending, draw)
            };
            planned.extend(intents.into_iter().map(|intent| (number, intent)));
        }
        for (number, intent) in planned {
            let account = match intent.action {
                Action::Liquidate { account, .. }
                | Action::Settle { account, .. }
                | Action::Flag { account } => account,
                _ => continue,
            };
            self.submit(
                Sender::Keeper(number, account),
                intent,
                observation.block + KEEPER_LIFE - 1,
                counts,
            );
        }
    }

    /// Everybody's net trade of a block is one transaction.
    fn trade_noise(&mut self, observation: &Observation, counts: &mut BlockCounts) {
        let Some(parameters) = &self.parameters.noise else {
            return;
        };
        let slot = self.parameters.network.slot_seconds as f64;
        let mut draws = Stream::new(self.seed, Purpose::NoiseTraders, observation.block);
        let trades = draws.poisson(parameters.hourly_volume / parameters.trade * slot / 3_600.0);
        let share = (0..trades)
            .map(|_| {
                let size = draws.exponential(parameters.trade);
                if draws.chance(0.5) { size } else { -size }
            })
            .sum();
        if let Some(intent) = noise::trade(observation, share) {
            self.submit(Sender::Noise, intent, observation.block, counts);
        }
    }

    fn attack(&mut self, observation: &Observation, counts: &mut BlockCounts) {
        let Some(mut adversary) = self.adversary else {
            return;
        };
        if self.mempool.contains(Sender::Adversary) {
            return;
        }
        let queue = self.queue(observation);
        let intent = adversary.decide(observation, &queue, self.totals.adversary_short);
        self.adversary = Some(adversary);
        if let Some(intent) = intent {
            self.submit(Sender::Adversary, intent, observation.block, counts);
        }
    }

    /// What liquidations would sell now, and what they would if F were lower by what the manipulator can push.
    fn queue(&self, observation: &Observation) -> Queue {
        let price = observation.prices.fast;
        let push = self
            .parameters
            .adversary
            .as_ref()
            .map_or(0.0, |adversary| adversary.push);
        let index = self.mirror.index();
        let mut queue = Queue {
            due: 0.0,
            reachable: 0.0,
        };
        if price <= 0.0 {
            return queue;
        }
        let most = 1.0 / (1.0 - push);
        for account in index.below(most, price, self.habits.threshold, self.reading.debt_index) {
            let position = index.position(account);
            let debt = position.debt_shares * self.reading.debt_index;
            let sold = (debt * (1.0 + self.terms.max_bonus) / price).min(position.collateral);
            if position.collateral * price * self.habits.threshold < debt {
                queue.due += sold;
            } else {
                queue.reachable += sold;
            }
        }
        queue
    }

    /// Drops what is no longer good and lets senders know.
    pub(crate) fn drop_expired(&mut self, block: u64, counts: &mut BlockCounts) {
        for waiting in self.mempool.expire(block) {
            counts.dropped += 1;
            self.undo(&waiting);
        }
    }

    /// The sender of a transaction that had no effect may try again.
    pub(crate) fn undo(&mut self, waiting: &Waiting) {
        match waiting.intent.action {
            Action::Provide { provider, share } if provider > 0 => {
                self.providers[provider as usize - 1].away = share != 0.0;
            }
            Action::TopUp {
                account,
                collateral,
            } => {
                let reference = self.reference();
                self.borrowers[account as usize].refund(collateral * reference);
            }
            Action::Repay { account, debt } => self.borrowers[account as usize].refund(debt),
            _ => {}
        }
    }
}
