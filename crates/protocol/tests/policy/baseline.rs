//! `RigidPolicy` and `TargetHealthPolicy` against the contracts' bytecode.

use crate::{
    branches::Branches,
    random::Random,
    requests::{Market, distort},
    seed,
    world::World,
};
use alloy_primitives::U256;
use alloy_sol_types::SolConstructor;
use breakwater_bindings as bound;
use breakwater_evm::Rules;
use breakwater_protocol::{
    math::{PRICE_SCALE, WAD, mul_div_down, value_down},
    policy::{
        DampedParameters, Decision, LiquidationRequest, Policy, PolicyState, Refusal, RigidPolicy,
        TargetHealthPolicy, liquidation::without_dust_left,
    },
};

/// Cases of each set of parameters.
const CASES: u64 = 20_000;

/// How often each branch is taken at the least.
const LEAST: u64 = 1_000;

/// What the tests of the baseline policies share: the same requests, asked of contract and port.
fn compare(
    world: &mut World,
    policy: &Policy,
    stream: u64,
    mut count: impl FnMut(&LiquidationRequest, &Decision),
) -> u64 {
    let seed = seed();
    let mut random = Random::new(seed, stream);
    let parameters = DampedParameters::default();
    let mut market = Market::new(&parameters, &mut random);
    let mut reverts = 0;
    for number in 0..CASES {
        if random.percent(30) {
            let seconds = random.range(1, 1_000);
            world.advance(seconds, 1, 0);
            market.advance(seconds, &mut random);
        }
        let mut request = market.request(&parameters, &mut random);
        request.max_bonus = random.share(WAD, 0, 100);
        if random.percent(20) {
            // worth a few times the dust
            let value = random.share(request.min_debt, 0, 4_000);
            request.collateral = mul_div_down(value, PRICE_SCALE, request.price).unwrap();
        }
        if random.percent(40) {
            distort(&mut request, &mut random);
        }
        let environment = world.environment(request.oracle, Default::default());
        let decided = policy.quote(&PolicyState::default(), &request, &environment);
        let quoted = world.quote(&request);
        let committed = world.commit(&request);
        let grant = decided.as_ref().ok().map(|decision| decision.grant);
        let same = quoted == grant
            && committed.as_ref().map(|committed| committed.grant) == grant
            && committed.is_none_or(|committed| committed.writes.is_empty());
        assert!(
            same,
            "seed {seed}, stream {stream}, case {number}\n{policy:#?}\n{request:#?}\nport {decided:#?}\ncontract {quoted:#?}"
        );
        match &decided {
            Ok(decision) => count(&request, decision),
            Err(_) => reverts += 1,
        }
    }
    reverts
}

#[test]
fn the_rigid_policy_is_the_contracts() {
    let mut branches = Branches::default();
    for (stream, bonus) in [U256::MAX, WAD / U256::from(20), U256::ZERO]
        .into_iter()
        .enumerate()
    {
        let arguments = bound::RigidPolicy::constructorCall { bonus }.abi_encode();
        let code = &bound::RigidPolicy::BYTECODE;
        let mut world = World::new(code, &arguments, Rules::default(), 1_700_000_000);
        let policy = Policy::Rigid(RigidPolicy { bonus });
        assert!(!policy.needs_confirmation());
        let reverts = compare(
            &mut world,
            &policy,
            2_000 + stream as u64,
            |request, decision| {
                rigid(request, decision, &mut branches);
            },
        );
        (0..reverts).for_each(|_| branches.count("rigid revert"));
    }
    branches.require(
        LEAST,
        &[
            "rigid Healthy",
            "rigid None",
            "rigid ZeroAmount",
            "rigid revert",
            "rigid all: health at most 0.95",
            "rigid all: small debt",
            "rigid all: small collateral",
            "rigid half",
            "rigid dust: closed",
            "rigid dust: none",
            "rigid seize all collateral",
            "rigid seize part",
            "rigid bonus of the policy",
            "rigid bonus of the collateral",
        ],
    );
}

fn rigid(request: &LiquidationRequest, decision: &Decision, branches: &mut Branches) {
    let grant = &decision.grant;
    branches.count(format!("rigid {:?}", grant.refusal));
    if grant.refusal == Refusal::Healthy {
        return;
    }
    let two = U256::from(2);
    let full = if request.health_fast <= WAD / U256::from(100) * U256::from(95) {
        branches.count("rigid all: health at most 0.95");
        true
    } else if request.debt / two < request.min_debt {
        branches.count("rigid all: small debt");
        true
    } else {
        let value = value_down(request.collateral, request.price).unwrap();
        let small = value / two < request.min_debt;
        branches.count(if small {
            "rigid all: small collateral"
        } else {
            "rigid half"
        });
        small
    };
    let limit = request.asked.min(decision.reasoning.target_repay);
    sizes("rigid", request, decision, limit, full, branches);
    branches.count(if request.max_bonus < decision.reasoning.base_bonus {
        unreachable!("a bonus above the collateral's")
    } else if request.max_bonus == decision.reasoning.base_bonus {
        "rigid bonus of the collateral"
    } else {
        "rigid bonus of the policy"
    });
}

#[test]
fn the_target_health_policy_is_the_contracts() {
    let mut branches = Branches::default();
    let hundredth = WAD / U256::from(100);
    let percent = |number: u64| hundredth * U256::from(number);
    for (stream, (target, full, share)) in [(124, 90, 90), (100, 99, 0), (105, 0, 100)]
        .into_iter()
        .enumerate()
    {
        let (target, full, share) = (percent(target), percent(full), percent(share));
        let arguments = bound::TargetHealthPolicy::constructorCall {
            targetHealth: target,
            fullBonusHealth: full,
            bonusShareAtOne: share,
        }
        .abi_encode();
        let code = &bound::TargetHealthPolicy::BYTECODE;
        let mut world = World::new(code, &arguments, Rules::default(), 1_700_000_000);
        let policy = TargetHealthPolicy::new(target, full, share).unwrap();
        let mut random = Random::new(seed(), 4_000);
        for _ in 0..500 {
            let health = random.share(WAD, 0, 1_100);
            let max_bonus = random.share(WAD, 0, 500);
            let call = bound::TargetHealthPolicy::bonusAtCall {
                healthFast: health,
                maxBonus: max_bonus,
            };
            assert_eq!(
                world.read(&call),
                policy.bonus_at(health, max_bonus).unwrap()
            );
        }
        let policy = Policy::TargetHealth(policy);
        let reverts = compare(
            &mut world,
            &policy,
            3_000 + stream as u64,
            |request, decision| {
                target_health(request, decision, &mut branches);
            },
        );
        (0..reverts).for_each(|_| branches.count("target revert"));
    }
    branches.require(
        LEAST,
        &[
            "target Healthy",
            "target None",
            "target ZeroAmount",
            "target revert",
            "target size by target",
            "target size by what was asked",
            "target dust: closed",
            "target dust: none",
            "target seize all collateral",
            "target seize part",
            "target collateral dust: all is taken",
        ],
    );
}

fn target_health(request: &LiquidationRequest, decision: &Decision, branches: &mut Branches) {
    let (grant, reasoning) = (&decision.grant, &decision.reasoning);
    branches.count(format!("target {:?}", grant.refusal));
    if grant.refusal == Refusal::Healthy {
        return;
    }
    let limit = request.asked.min(reasoning.target_repay);
    branches.count(if reasoning.target_repay <= request.asked {
        "target size by target"
    } else {
        "target size by what was asked"
    });
    let held = sizes("target", request, decision, limit, true, branches);
    if grant.refusal == Refusal::None && grant.seize == request.collateral && !held {
        branches.count("target collateral dust: all is taken");
    }
}

/// Counts the branches of dust and seizure; says whether the collateral limited the seizure.
fn sizes(
    policy: &str,
    request: &LiquidationRequest,
    decision: &Decision,
    limit: U256,
    full: bool,
    branches: &mut Branches,
) -> bool {
    let repay = without_dust_left(limit, request.debt, request.min_debt, full).unwrap();
    branches.count(if repay == limit {
        format!("{policy} dust: none")
    } else if repay == request.debt {
        format!("{policy} dust: closed")
    } else {
        format!("{policy} dust: dust is left")
    });
    let seizable = mul_div_down(repay, decision.reasoning.multiplier * WAD, request.price).unwrap();
    let held = seizable > request.collateral;
    branches.count(if held {
        format!("{policy} seize all collateral")
    } else {
        format!("{policy} seize part")
    });
    held
}

#[test]
fn a_target_that_the_constructor_refuses_is_refused() {
    let one = U256::ONE;
    for (target, full, share) in [
        (WAD - one, one, one),
        (WAD, WAD, one),
        (WAD, one, WAD + one),
    ] {
        assert!(TargetHealthPolicy::new(target, full, share).is_err());
    }
    assert!(TargetHealthPolicy::new(WAD, WAD - one, WAD).is_ok());
}
