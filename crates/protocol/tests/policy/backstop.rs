//! `BackstopPolicy` before each of the policies: every answer, every event against the contracts' bytecode.

use crate::{
    branches::Branches,
    random::Random,
    requests::{Market, VARIANTS, distort, parameters},
    seed,
    world::World,
};
use alloy_primitives::U256;
use alloy_sol_types::SolConstructor;
use breakwater_bindings as bound;
use breakwater_evm::Rules;
use breakwater_protocol::{
    math::{WAD, mul_div_down},
    policy::{
        BackstopPolicy, Behind, DampedParameters, DampedPolicy, InvalidAbsorptionHealth,
        LiquidationRequest, Policy, PolicyState, Refusal, RigidPolicy, TargetHealthPolicy,
    },
};

/// Cases of each policy; a case is a quote, a commit and an absorption's quote.
const CASES: u64 = 1_000;

/// How often each branch is taken at the least.
const LEAST: u64 = 300;

/// A policy behind a backstop on a chain, beside its port.
struct Pair {
    world: World,
    behind: Policy,
    backstop: BackstopPolicy,
    state: PolicyState,
}

impl Pair {
    fn new(behind: Policy, code: &[u8], arguments: &[u8], random: &mut Random) -> Self {
        let health = WAD + WAD / U256::from(random.range(1, 50));
        let mut world = World::new(code, arguments, Rules::default(), 1_700_000_000);
        world.put_backstop_first(health);
        Self {
            world,
            behind,
            backstop: BackstopPolicy::new(health).unwrap(),
            state: PolicyState::default(),
        }
    }

    fn compare(
        &mut self,
        request: &LiquidationRequest,
        room: U256,
        branches: &mut Branches,
        case: &str,
    ) {
        self.world.set_room(room);
        let slots = self.state.slots(request.account, request.collateral_id);
        let environment = self.world.environment(request.oracle, slots.seed);
        let behind = Behind {
            policy: &self.behind,
            state: &self.state,
            environment: &environment,
        };
        let absorbing = LiquidationRequest {
            asked: room.min(request.debt),
            ..*request
        };
        let absorbed = self.backstop.absorption(behind, &absorbing);
        let decided = self.backstop.quote(behind, request, room);
        let quoted = self.world.quote(request);
        let committed = self.world.commit(request);
        let quoted_absorption = self.world.quote_absorption(&absorbing);
        let context = format!(
            "{case}, room {room}\n{request:#?}\nport {decided:#?}\n{absorbed:#?}\nquote {quoted:#?}\ncommit {committed:#?}\nabsorption {quoted_absorption:#?}"
        );
        assert_eq!(
            quoted_absorption,
            absorbed.as_ref().ok().copied(),
            "{context}"
        );
        if let Ok(grant) = &absorbed {
            branches.count(format!("absorption {:?}", grant.refusal));
            if grant.refusal == Refusal::None {
                branches.count(if request.health_fast <= request.health_hard {
                    "absorbed in the hard zone"
                } else if grant.repay == absorbing.asked {
                    "absorbed as far as there is room"
                } else {
                    "absorbed to the target"
                });
            }
        }
        let Ok(decision) = decided else {
            assert!(quoted.is_none() && committed.is_none(), "{context}");
            branches.count("revert");
            return;
        };
        assert_eq!(quoted, Some(decision.grant), "{context}");
        let committed = committed.expect(&context);
        assert_eq!(committed.grant, decision.grant, "{context}");
        assert_eq!(committed.writes, decision.writes, "{context}");
        branches.count(match decision.grant.refusal {
            Refusal::Backstop => "the backstop comes first",
            _ => "it does not",
        });
        for write in decision.writes {
            self.state.apply(write);
        }
    }
}

/// Requests as of a market, half of them a little below a health factor of 1 where the backstop has its priority.
fn campaign(mut pair: Pair, stream: u64, parameters: &DampedParameters, branches: &mut Branches) {
    let seed = seed();
    let mut random = Random::new(seed, stream);
    let mut market = Market::new(parameters, &mut random);
    for number in 0..CASES {
        if random.percent(40) {
            let seconds = random.range(1, 200);
            pair.world.advance(seconds, 1, 0);
            market.advance(seconds, &mut random);
        }
        let mut request = market.request(parameters, &mut random);
        request.max_bonus = random.share(WAD, 1, 100);
        if random.percent(50) {
            request.health_hard = WAD / U256::from(100) * U256::from(94);
            request.health_fast = random.share(WAD, 950, 999);
            request.health_confirmed = request.health_fast;
            request.liquidation_threshold = WAD / U256::from(100) * U256::from(80);
            request.collateral_value = mul_div_down(
                request.debt,
                request.health_fast,
                request.liquidation_threshold,
            )
            .unwrap();
        }
        if random.percent(10) {
            distort(&mut request, &mut random);
        }
        let room = match random.range(0, 9) {
            0 => U256::ZERO,
            1..=4 => random.share(request.debt, 0, 1_000),
            _ => request.debt,
        };
        let case = format!("seed {seed}, stream {stream}, case {number}");
        pair.compare(&request, room, branches, &case);
    }
}

#[test]
fn the_backstops_policy_is_the_contracts() {
    let mut branches = Branches::default();
    let mut random = Random::new(seed(), 4_000);
    let bonus = WAD / U256::from(66);
    let rigid = bound::RigidPolicy::constructorCall { bonus }.abi_encode();
    let target = (
        WAD * U256::from(21) / U256::from(20),
        WAD / U256::from(2),
        WAD / U256::from(5),
    );
    let target_health = bound::TargetHealthPolicy::constructorCall {
        targetHealth: target.0,
        fullBonusHealth: target.1,
        bonusShareAtOne: target.2,
    }
    .abi_encode();
    let standard = DampedParameters::default();
    let pairs = [
        (
            Policy::Rigid(RigidPolicy { bonus }),
            &bound::RigidPolicy::BYTECODE,
            rigid,
        ),
        (
            Policy::TargetHealth(TargetHealthPolicy::new(target.0, target.1, target.2).unwrap()),
            &bound::TargetHealthPolicy::BYTECODE,
            target_health,
        ),
    ];
    for (stream, (policy, code, arguments)) in (4_001..).zip(pairs) {
        let pair = Pair::new(policy, code, &arguments, &mut random);
        campaign(pair, stream, &standard, &mut branches);
    }
    for variant in 0..VARIANTS {
        let parameters = parameters(variant, &mut random);
        let arguments = bound::DampedPolicy::constructorCall {
            p: (&parameters).into(),
        };
        let policy = Policy::Damped(DampedPolicy::new(parameters).unwrap());
        let code = &bound::DampedPolicy::BYTECODE;
        let pair = Pair::new(policy, code, &arguments.abi_encode(), &mut random);
        campaign(pair, 4_100 + variant, &parameters, &mut branches);
    }
    branches.require(
        LEAST,
        &[
            "absorption Healthy",
            "absorption None",
            "absorption Unconfirmed",
            "absorption WrongCollateral",
            "absorption ZeroAmount",
            "absorbed in the hard zone",
            "absorbed as far as there is room",
            "absorbed to the target",
            "the backstop comes first",
            "it does not",
        ],
    );
}

#[test]
fn the_health_of_absorptions_has_the_constructors_bounds() {
    for (health, accepted) in [
        (WAD, false),
        (WAD + U256::ONE, true),
        (WAD + WAD, true),
        (WAD + WAD + U256::ONE, false),
    ] {
        let found = BackstopPolicy::new(health);
        assert_eq!(found.is_ok(), accepted, "{health}");
        if !accepted {
            assert_eq!(found, Err(InvalidAbsorptionHealth(health)));
        }
    }
}
