//! `DampedPolicy`: every answer, every event and every slot against the contract's bytecode.

use crate::{
    branches::{Branches, Taken},
    random::Random,
    requests::{Market, VARIANTS, distort, parameters},
    seed,
    world::{ORACLE, World},
};
use alloy_primitives::{B256, U256};
use alloy_sol_types::SolConstructor;
use breakwater_bindings::DampedPolicy as Bound;
use breakwater_evm::Rules;
use breakwater_protocol::policy::{
    DampedParameters, DampedPolicy, LiquidationRequest, Policy, PolicyState, TurnMode, Write,
};
use std::thread;

/// Cases of each set of parameters; a case is a quote and a commit.
const CASES: u64 = 5_000;

/// How often each branch is taken at the least.
const LEAST: u64 = 1_000;

/// A policy on a chain beside its port.
pub struct Pair {
    pub world: World,
    pub parameters: DampedParameters,
    pub damped: DampedPolicy,
    pub policy: Policy,
    pub state: PolicyState,
}

impl Pair {
    pub fn new(parameters: DampedParameters, random: &mut Random) -> Self {
        let rules = Rules {
            chain_id: random.range(1, u64::from(u32::MAX)),
            block_hash_seed: B256::from(random.word()),
            ..Rules::default()
        };
        let start = random.pick(&[1_700_000_000, (1 << 32) - 200_000]);
        let arguments = Bound::constructorCall {
            p: (&parameters).into(),
        };
        let mut world = World::new(&Bound::BYTECODE, &arguments.abi_encode(), rules, start);
        let told = world.read(&Bound::parametersCall {});
        assert_eq!(DampedParameters::try_from(&told), Ok(parameters));
        let damped = DampedPolicy::new(parameters).unwrap();
        assert_eq!(
            world.read(&Bound::needsConfirmationCall {}),
            damped.needs_confirmation()
        );
        Self {
            world,
            parameters,
            damped,
            policy: Policy::Damped(damped),
            state: PolicyState::default(),
        }
    }

    /// Quotes and commits one request on both sides.
    pub fn compare(&mut self, request: &LiquidationRequest, branches: &mut Branches, case: &str) {
        let slots = self.state.slots(request.account, request.collateral_id);
        let environment = self.world.environment(request.oracle, slots.seed);
        let decided = self.policy.quote(&self.state, request, &environment);
        let quoted = self.world.quote(request);
        let committed = self.world.commit(request);
        let context = || {
            format!(
                "{case}\n{:#?}\n{slots:#?}\n{request:#?}\n{environment:#?}\nport {decided:#?}\nquote {quoted:#?}\ncommit {committed:#?}",
                self.parameters
            )
        };
        let Ok(decision) = &decided else {
            assert!(quoted.is_none() && committed.is_none(), "{}", context());
            branches.count("revert");
            return;
        };
        assert!(quoted == Some(decision.grant), "{}", context());
        let same = committed.as_ref().is_some_and(|committed| {
            committed.grant == decision.grant && committed.writes == decision.writes
        });
        assert!(same, "{}", context());
        Taken {
            parameters: &self.parameters,
            slots: &slots,
            request,
            environment: &environment,
            decision,
        }
        .count(branches);
        for &write in &decision.writes {
            self.state.apply(write);
        }
    }

    fn record_depth(&mut self, market: &Market, branches: &mut Branches, case: &str) {
        let id = 0;
        let collateral = &market.collaterals[0];
        let (total, price) = (collateral.total(), collateral.price);
        self.world.set_collateral(total, price);
        let (bucket, seen) = (self.state.bucket(id), self.state.observation(id));
        let environment = self.world.environment(ORACLE, self.state.seed());
        let recorded = self.world.record_depth(id);
        let port = self
            .damped
            .record_depth(id, bucket, seen, total, price, &environment);
        assert_eq!(port.as_ref().ok(), recorded.as_ref(), "{case}");
        let Ok(writes) = port else { return };
        branches.count(match writes.len() {
            0 => "depth recorded: nothing new",
            1 => "depth recorded: floor lowered",
            _ => "depth recorded",
        });
        for write in writes {
            self.state.apply(write);
        }
    }

    /// Goes on with a pool for which nothing is stored.
    fn next_pool(&mut self) {
        self.world.next_pool();
        self.state = PolicyState::default();
    }

    /// Opens another block, seconds or days later, and moves the market.
    pub fn next_block(&mut self, market: &mut Market, random: &mut Random) {
        let p = self.parameters;
        let seconds = match random.range(0, 99) {
            0..=34 => random.range(1, 15),
            35..=44 => random.range(16, 59),
            45..=59 => random.range(55, 75),
            60..=69 => random.range(p.epoch_seconds - 1, p.epoch_seconds + 1),
            70..=84 => random.range(1, p.auction_seconds),
            85..=91 => random.range(p.auction_seconds, 4 * p.auction_seconds),
            92..=93 => 4 * p.auction_seconds - random.range(0, 1),
            94..=95 => random.range(12 * p.auction_seconds, 12 * p.auction_seconds + 1),
            96..=97 => random.range(1, p.depth_memory_seconds),
            98 => p.epoch_seconds * random.range(1, 64),
            _ => 86_400,
        };
        // a seed is lost if nobody stores its block's hash in 256 blocks
        let blocks = if random.percent(35) {
            random.range(255, 259)
        } else {
            1
        };
        let base_fee = match random.range(0, 19) {
            0 => 0,
            1 => u64::MAX - random.range(0, 1),
            _ => random.range(1_000_000, 500_000_000_000),
        };
        self.world.advance(seconds, blocks, base_fee);
        market.advance(seconds, random);
        if random.percent(60) {
            self.world.set_depth(market.depth(&p, random));
        }
        if p.liquidation_gas != 0 {
            let price = market.native_price(&p, base_fee, random);
            let status = random.pick(&[0, 0, 0, 0, 0, 0, 1, 1, 2]);
            self.world.set_native(price, status);
        }
    }
}

/// Runs one set of parameters; every fourth also with requests that no pool would make.
fn campaign(seed: u64, variant: u64) -> Branches {
    let mut random = Random::new(seed, variant);
    let parameters = parameters(variant % VARIANTS, &mut random);
    let mut pair = Pair::new(parameters, &mut random);
    let mut market = Market::new(&parameters, &mut random);
    let mut branches = Branches::default();
    let wild = variant % 4 == 3;
    for number in 0..CASES {
        let case = format!("seed {seed}, variant {variant}, case {number}");
        if number % 1_250 < 650 && random.percent(8) {
            pair.next_pool();
        }
        if random.percent(50) {
            pair.next_block(&mut market, &mut random);
        }
        if random.percent(12) {
            pair.record_depth(&market, &mut branches, &case);
        }
        let mut request = market.request(&parameters, &mut random);
        if wild && random.percent(60) {
            (0..random.range(1, 3)).for_each(|_| distort(&mut request, &mut random));
        }
        pair.compare(&request, &mut branches, &case);
        if parameters.sliced() && random.percent(10) {
            for request in market.grown(&parameters, &mut random) {
                pair.compare(&request, &mut branches, &case);
            }
        }
        if number % 25 == 0 {
            pair.world
                .check_slots(&pair.state, request.account, request.collateral_id);
        }
    }
    // the state is the sum of its writes, whatever their order
    let mut rebuilt = PolicyState::default();
    for write in pair.state.writes() {
        rebuilt.apply(write);
    }
    assert_eq!(rebuilt, pair.state);
    branches
}

#[test]
fn every_grant_event_and_slot_is_the_contracts() {
    let seed = seed();
    let workers = 2;
    let mut branches = Branches::default();
    thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    let mut branches = Branches::default();
                    for variant in (worker..VARIANTS).step_by(workers as usize) {
                        branches.merge(campaign(seed, variant));
                    }
                    branches
                })
            })
            .collect();
        for handle in handles {
            branches.merge(handle.join().unwrap());
        }
    });
    println!(
        "{:>8}  cases, each quoted and committed on both sides",
        VARIANTS * CASES
    );
    const { assert!(VARIANTS * CASES >= 100_000) };
    branches.require(LEAST, BRANCHES);
}

#[test]
fn a_write_is_undone_by_what_applying_it_returned() {
    let mut random = Random::new(seed(), 1_000);
    let parameters = parameters(20, &mut random);
    let mut pair = Pair::new(parameters, &mut random);
    let mut market = Market::new(&parameters, &mut random);
    let mut branches = Branches::default();
    for number in 0..200 {
        pair.next_block(&mut market, &mut random);
        let request = market.request(&parameters, &mut random);
        let before = pair.state.clone();
        pair.compare(&request, &mut branches, &format!("case {number}"));
        let after = pair.state.clone();

        let mut state = before.clone();
        let environment = pair.world.environment(ORACLE, before.seed());
        let decision = pair.policy.quote(&before, &request, &environment);
        let undo: Vec<Write> = decision
            .map(|decision| decision.writes)
            .unwrap_or_default()
            .into_iter()
            .map(|write| state.apply(write))
            .collect();
        if request.oracle == ORACLE {
            assert_eq!(state, after);
        }
        for write in undo.into_iter().rev() {
            state.apply(write);
        }
        assert_eq!(state, before);
    }
}

#[test]
fn the_pool_is_part_of_a_turns_key() {
    let mut random = Random::new(seed(), 1_001);
    let parameters = DampedParameters {
        turn_mode: TurnMode::Systematic,
        ..DampedParameters::default()
    };
    let pair = Pair::new(parameters, &mut random);
    let draws = |pool| -> Vec<U256> {
        (0..64)
            .map(|epoch| pair.damped.turn_draw(1, pool, ORACLE, epoch, U256::ZERO))
            .collect()
    };
    assert_ne!(draws(pair.world.pool), draws(ORACLE));
}

/// What must be taken [`LEAST`] times.
const BRANCHES: &[&str] = &[
    "zone healthy",
    "zone unconfirmed",
    "zone damped",
    "zone hard",
    "refusal None",
    "refusal Healthy",
    "refusal Unconfirmed",
    "refusal Turn",
    "refusal Bucket",
    "refusal Slice",
    "refusal Paused",
    "refusal WrongCollateral",
    "refusal ZeroAmount",
    "revert",
    "clock Begins",
    "clock Expires",
    "clock Restarts",
    "clock Renews",
    "clock Runs",
    "clock runs: flagged in this block",
    "clock off: bonus by health",
    "clock not written: target restored",
    "seed named",
    "seed named anew: hash lost",
    "seed stands",
    "seed stored",
    "seed waits for its block",
    "turn Off",
    "turn Systematic open",
    "turn Systematic closed",
    "turn Seeded open",
    "turn Seeded open, no seed",
    "turn Seeded closed",
    "turn Bernoulli open",
    "turn Bernoulli closed",
    "probability by fullness",
    "probability by zone",
    "bucket Off",
    "bucket HardStop Opens",
    "bucket HardStop Corrects",
    "bucket HardStop Averages",
    "bucket HardStop of this block",
    "bucket HardStop refills, observation not loaded",
    "bucket HardStop refills, no reading due",
    "bucket Scaling Opens",
    "bucket Scaling Corrects",
    "bucket Scaling Averages",
    "bucket Scaling of this block",
    "bucket Scaling refills, observation not loaded",
    "bucket Scaling refills, no reading due",
    "bucket refill reaches the cap",
    "bucket refill below the cap",
    "bucket charged",
    "bucket charged to nothing",
    "scaling at its floor",
    "scaling by fullness",
    "scaling off: bucket full",
    "reading: floor held to the one before",
    "reading: depth held to the one before",
    "reading: depth saturates",
    "reading: floor saturates",
    "reading below its floor",
    "reading above 16 floors",
    "reading as it is",
    "reading above 16 averages",
    "reading within 16 averages",
    "reading weighs a quarter",
    "reading weighs by time",
    "depth recorded",
    "depth recorded: floor lowered",
    "depth recorded: nothing new",
    "bonus capped by the collateral",
    "bonus capped by the policy",
    "bonus: minimum at or above the cap",
    "bonus between",
    "bonus at its maximum",
    "multiplier in full",
    "multiplier held to C / D",
    "multiplier 1: insolvent",
    "size by target",
    "size by what was asked",
    "size by slice",
    "size by bucket",
    "target out of reach: all of the debt",
    "dust: nothing left",
    "dust: enough left",
    "dust: closed, hard zone",
    "dust: closed, debt at most the dust",
    "dust: closed, debt at most twice the dust",
    "dust: dust is left",
    "seize all collateral",
    "seize part",
    "seize nothing",
    "full close",
    "gas bonus off",
    "gas: bonus at its cap",
    "gas: paid before",
    "gas: nothing to pay, or refused",
    "gas: native price saturates",
    "gas: up to the cap",
    "gas: in full",
    "gas: refused at the higher bonus",
    "gas: recorded in full",
    "gas: recorded in part",
    "gas: recorded nothing, held to C / D",
    "slice charged first",
    "slice charged again",
    "slice: debt saturates",
    "slice saturates",
];
