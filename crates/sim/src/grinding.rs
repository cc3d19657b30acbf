//! A keeper who proposes blocks (`breakwater_agents::grinder`): which slots are his, which hash his block gets, and when he makes none.

use alloy_primitives::{Address, B256, U256, keccak256};
use breakwater_agents::grinder::{Choice, Grinder, LOOKAHEAD, Prize};
use breakwater_agents::keeper::{best_sale, potential};
use breakwater_bindings::{DampedPolicy, ILendingPool};
use breakwater_evm::{MemoryChain, Rules};
use breakwater_market::{Purpose, Stream};
use breakwater_protocol::policy::turns::{ROTATION, probability_down, systematic_draw};

use crate::WorldKind;
use crate::config::{AdversaryStrategy, BucketMode, Policy, TurnMode, WorldParameters};
use crate::error::{During, SimError};
use crate::setup::Addresses;
use crate::units::{WAD, from_base, to_base};
use crate::world::World;

/// The keeper that he is.
pub(crate) const KEEPER: u32 = 0;

/// Hashes by which he judges a seed that another block brings.
const UNKNOWN: u32 = 32;

/// The grinder of a world.
#[derive(Clone, Debug)]
pub(crate) struct Grinding {
    grinder: Grinder,
    /// `None` where no block's hash has a say in turns.
    turns: Option<SeededTurns>,
    /// The number of the hash that the latest block has.
    chosen: u32,
}

/// How seeded turns are drawn.
#[derive(Clone, Copy, Debug)]
struct SeededTurns {
    epoch_seconds: u64,
    floor: U256,
    /// Whether a bucket's fullness opens turns.
    bucketed: bool,
    /// HF_hard, below which nobody waits for a turn.
    hard: f64,
}

/// A position that waits.
struct Waiting {
    owner: Address,
    value: f64,
    /// p.
    probability: U256,
}

impl Grinding {
    /// The grinder that a world has, if it has one.
    ///
    /// # Errors
    /// [`SimError::Call`].
    pub(crate) fn new(
        chain: &mut MemoryChain,
        addresses: &Addresses,
        parameters: &WorldParameters,
        kind: WorldKind,
    ) -> Result<Option<Self>, SimError> {
        let Some(own) = parameters
            .adversary
            .as_ref()
            .filter(|own| own.strategy == AdversaryStrategy::Grinder)
        else {
            return Ok(None);
        };
        Ok(Some(Self {
            grinder: Grinder {
                slots: own.slots,
                tries: own.tries,
                slot_reward: own.slot_reward,
            },
            turns: seeded_turns(chain, addresses, parameters, kind)?,
            chosen: 0,
        }))
    }
}

fn seeded_turns(
    chain: &mut MemoryChain,
    addresses: &Addresses,
    parameters: &WorldParameters,
    kind: WorldKind,
) -> Result<Option<SeededTurns>, SimError> {
    if kind != WorldKind::Policy(Policy::Damped) || addresses.backstop.is_some() {
        return Ok(None);
    }
    let caller = addresses.operator;
    let policy = chain
        .read_sol(caller, addresses.policy, &DampedPolicy::parametersCall {})
        .during("read the policy's parameters")?;
    if policy.turnMode != TurnMode::Seeded as u8 {
        return Ok(None);
    }
    let call = ILendingPool::collateralStateCall {
        collateralId: U256::ZERO,
    };
    let listing = chain
        .read_sol(caller, addresses.pool, &call)
        .during("read the listing")?;
    let collateral = &parameters.collateral;
    Ok(Some(SeededTurns {
        epoch_seconds: policy.epochSeconds.saturating_to(),
        floor: policy.turnFloor,
        bucketed: policy.bucketMode != BucketMode::Off as u8,
        hard: collateral.liquidation_threshold
            * (1.0 + collateral.max_bonus)
            * (1.0 + from_base(listing.slippageMargin, WAD)),
    }))
}

impl World<'_> {
    /// Whether the proposer of a slot is the grinder.
    pub(crate) fn grinds(&self, block: u64) -> bool {
        self.grinding.as_ref().is_some_and(|own| {
            Stream::new(self.seed, Purpose::Adversary, block).chance(own.grinder.slots)
        })
    }

    /// The hash of the block that was made last, where a grinder has a say in it.
    pub(crate) fn parent_hash(&self) -> Option<B256> {
        let own = self.grinding.as_ref()?;
        Some(self.hash(self.last_block(), own.chosen))
    }

    /// The slot of the block that was made last.
    fn last_block(&self) -> u64 {
        (self.last_made - self.input.start) / self.parameters.network.slot_seconds
    }

    /// The hash that a slot's block gets in its `number`-th form. What a block holds is not part of it: no two worlds of one
    /// seed would share any seed of turns.
    fn hash(&self, block: u64, number: u32) -> B256 {
        let key = [self.seed.to_be_bytes(), block.to_be_bytes()].concat();
        keccak256([key.as_slice(), &number.to_be_bytes()].concat())
    }

    /// Lets the grinder choose what he makes of a slot, if it is his; whether he makes no block. He has a choice while the
    /// rotation has no seed: the first block in which a liquidation asks for its turn is the seed.
    pub(crate) fn grind(&mut self, block: u64) -> Result<bool, SimError> {
        let choice = self.choice(block)?;
        let Some(own) = &mut self.grinding else {
            return Ok(false);
        };
        match choice {
            Choice::Publish(number) => {
                own.chosen = number;
                Ok(false)
            }
            Choice::Withhold => {
                self.totals.adversary_cash -= own.grinder.slot_reward;
                Ok(true)
            }
        }
    }

    fn choice(&mut self, block: u64) -> Result<Choice, SimError> {
        let usual = Choice::Publish(0);
        if !self.grinds(block) {
            return Ok(usual);
        }
        let Some((grinder, turns)) = self
            .grinding
            .as_ref()
            .and_then(|own| Some((own.grinder, own.turns?)))
        else {
            return Ok(usual);
        };
        if self.is_seeded(block, &turns)? {
            return Ok(usual);
        }
        let (now, taken) = self.at_once();
        let waiting = self.waiting(&turns, &taken);
        let own: Vec<bool> = (0..=LOOKAHEAD)
            .map(|ahead| self.grinds(block + ahead))
            .collect();
        let world = &*self;
        let (own, waiting, turns) = (&own, &waiting, &turns);
        let prizes = move |hash: B256| {
            let seed = U256::from_be_slice(&hash[12..]);
            waiting.iter().map(move |each| Prize {
                value: each.value,
                own: world
                    .opens(block, seed, each, turns)
                    .map(|ahead| own[ahead as usize]),
            })
        };
        // The next slot's block then: its proposer has first what could be had now, and its hash is like any other.
        let unknown = (0..UNKNOWN).map(|number| world.hash(block, u32::MAX - number));
        let later: f64 = unknown.map(|hash| grinder.worth(prizes(hash))).sum();
        let later = later / f64::from(UNKNOWN);
        let next = if own[1] { now } else { 0.0 };
        Ok(grinder.choose(now, next + later, |number| {
            prizes(world.hash(block, number))
        }))
    }

    /// Whether the rotation of a block has named its seed's block.
    fn is_seeded(&mut self, block: u64, turns: &SeededTurns) -> Result<bool, SimError> {
        let call = DampedPolicy::seedOfCall {
            pool: self.addresses.pool,
        };
        let stored = self
            .chain
            .read_sol(self.addresses.operator, self.addresses.policy, &call)
            .during("read the seed of turns")?;
        let rotation = self.timestamp(block) / turns.epoch_seconds / ROTATION;
        Ok(u64::from(stored.rotation) == rotation && stored.anchor != 0)
    }

    /// Positions in the damped zone at the latest prices that are not `taken`, with what they could bring.
    fn waiting(&self, turns: &SeededTurns, taken: &[u32]) -> Vec<Waiting> {
        let price = self.reading.prices.fast;
        let threshold = self.habits.threshold;
        let fullness = match self.reading.bucket {
            _ if !turns.bucketed => 0.0,
            // Not used yet: it starts full.
            (_, 0.0) => 1.0,
            (level, capacity) => (level / capacity).min(1.0),
        };
        let index = self.mirror.index();
        index
            .below(1.0, price, threshold, self.reading.debt_index)
            .filter(|account| !taken.contains(account))
            .filter_map(|account| {
                let position = index.position(account);
                let debt = position.debt_shares * self.reading.debt_index;
                let health = position.collateral * price * threshold / debt;
                let zone = ((1.0 - health) / (1.0 - turns.hard)).clamp(0.0, 1.0);
                let value = potential(
                    &self.reading.venue,
                    price,
                    position.collateral,
                    debt,
                    &self.terms,
                );
                (health > turns.hard && value > self.terms.min_profit).then(|| Waiting {
                    owner: self.addresses.accounts[account as usize],
                    value,
                    probability: probability_down(
                        to_base(fullness, WAD),
                        to_base(zone, WAD),
                        turns.floor,
                    ),
                })
            })
            .collect()
    }

    /// What could be liquidated at a profit in the latest block, and which accounts': until there is a seed every turn is open.
    fn at_once(&self) -> (f64, Vec<u32>) {
        let (mut sum, mut accounts) = (0.0, Vec::new());
        let Some(sight) = self.sights.front() else {
            return (sum, accounts);
        };
        let mut venue = sight.venue;
        for each in &sight.candidates {
            let margin = self.terms.risk_margin;
            let sale = best_sale(&venue, each.repay, each.seize, margin)
                .filter(|sale| sale.surplus - margin * sale.repay > self.terms.min_profit);
            if let Some(sale) = sale {
                venue = sale.venue;
                sum += sale.surplus;
                accounts.push(each.account);
            }
        }
        (sum, accounts)
    }

    /// Slots until a position's turn opens under a seed, as far as proposers are known and the rotation lasts.
    fn opens(&self, block: u64, seed: U256, waiting: &Waiting, turns: &SeededTurns) -> Option<u64> {
        let epoch = |ahead| self.timestamp(block + ahead) / turns.epoch_seconds;
        let rotation = epoch(0) / ROTATION;
        (1..=LOOKAHEAD)
            .take_while(|ahead| epoch(*ahead) / ROTATION == rotation)
            .find(|ahead| {
                let draw = systematic_draw(
                    Rules::default().chain_id,
                    self.addresses.pool,
                    waiting.owner,
                    epoch(*ahead),
                    seed,
                );
                draw < waiting.probability
            })
    }
}

#[cfg(test)]
mod tests;
