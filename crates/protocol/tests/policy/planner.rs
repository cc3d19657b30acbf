//! The planner's inverses against the contract's views and against themselves.

use crate::{
    branches::Branches,
    damped::Pair,
    random::Random,
    requests::{Market, VARIANTS, parameters},
    seed,
    world::ORACLE,
};
use alloy_primitives::{Address, U256};
use breakwater_bindings::DampedPolicy as Bound;
use breakwater_protocol::{
    math::WAD,
    policy::{
        BucketMode, DampedParameters, DampedPolicy, NextTurn, Seed, TurnMode, turns::ROTATION,
    },
};

fn account(random: &mut Random) -> Address {
    Address::from_word(random.word().into())
}

#[test]
fn the_least_time_to_a_bonus_is_the_contracts() {
    for variant in 0..VARIANTS {
        let mut random = Random::new(seed(), 10_000 + variant);
        let parameters = parameters(variant, &mut random);
        let mut pair = Pair::new(parameters, &mut random);
        for _ in 0..60 {
            let max_bonus = match random.range(0, 3) {
                0 => U256::MAX,
                1 => random.share(parameters.bonus_min, 0, 1_001),
                _ => random.share(parameters.bonus_max, 0, 1_300),
            };
            let cap = parameters.bonus_max.min(max_bonus);
            let bonus = match random.range(0, 9) {
                0 => cap,
                1 => cap + U256::ONE,
                2 => parameters.bonus_min,
                3 => parameters.bonus_min + U256::ONE,
                4 => U256::ZERO,
                _ => random.share(parameters.bonus_max, 0, 1_100),
            };
            let mut after = |seconds: u64| {
                let bonus = pair.world.read(&Bound::bonusAfterCall {
                    elapsed: U256::from(seconds),
                    maxBonus: max_bonus,
                });
                assert_eq!(bonus, pair.damped.bonus_after(seconds, max_bonus));
                bonus
            };
            let context = format!("{bonus} of {max_bonus} with {parameters:#?}");
            match pair.damped.seconds_until_bonus(bonus, max_bonus) {
                None => assert!(after(u64::from(u32::MAX)) < bonus, "{context}"),
                Some(seconds) => {
                    assert!(seconds <= parameters.auction_seconds, "{context}");
                    assert!(after(seconds) >= bonus, "{context}");
                    assert!(seconds == 0 || after(seconds - 1) < bonus, "{context}");
                }
            }
        }
    }
}

#[test]
fn a_turn_opens_when_it_was_foretold() {
    let mut branches = Branches::default();
    for variant in 0..VARIANTS {
        let mut random = Random::new(seed(), 20_000 + variant);
        let parameters = parameters(variant, &mut random);
        let mut pair = Pair::new(parameters, &mut random);
        let mut market = Market::new(&parameters, &mut random);
        for _ in 0..150 {
            let seconds = random.range(1, 4 * parameters.epoch_seconds);
            pair.world.advance(seconds, 1, 0);
            market.advance(seconds, &mut random);
            // names and stores seeds
            let request = market.request(&parameters, &mut random);
            pair.compare(&request, &mut Branches::default(), "planner");
            foretell(&mut pair, &mut random, &mut branches);
        }
    }
    branches.require(
        100,
        &[
            "at once",
            "later",
            "later, past a rotation",
            "later, past 64 epochs",
            "seeded: in the next rotation",
        ],
    );
}

fn foretell(pair: &mut Pair, random: &mut Random, branches: &mut Branches) {
    let p = pair.parameters;
    let account = account(random);
    let zone = random.share(WAD, 0, 1_000);
    let fullness = random.share(WAD, 0, 300);
    let probability = pair
        .world
        .read(&Bound::turnProbabilityCall { fullness, zone });
    assert_eq!(probability, pair.damped.turn_probability(fullness, zone));
    // turns are rarest at the least floor, whatever this policy's is
    let least = WAD / U256::from(ROTATION);
    let probability = match random.range(0, 3) {
        0 => least,
        1 => least + random.share(WAD, 0, 20),
        _ => probability,
    };

    let (pool, now) = (pair.world.pool, pair.world.block().timestamp);
    let environment = pair.world.environment(ORACLE, pair.state.seed());
    let seed = pair.state.seed();
    let next = pair
        .damped
        .next_open_turn(account, probability, seed, &environment);
    let mut open = |timestamp: u64| {
        let draw = pair.world.read(&Bound::turnOfCall {
            pool,
            account,
            timestamp: U256::from(timestamp),
        });
        draw < probability
    };
    let context = format!("{account} at {now}: {next:?} with {p:#?}");
    let (until, known) = match next {
        NextTurn::At(time) => {
            assert!(time >= now && open(time), "{context}");
            (time, true)
        }
        NextTurn::Unseeded(time) => (time, false),
        NextTurn::Never => panic!("no turn in sight: {context}"),
    };
    // closed in every epoch before
    let first = now / p.epoch_seconds;
    let last = until / p.epoch_seconds;
    for epoch in first..last {
        let time = now.max(epoch * p.epoch_seconds);
        assert!(!open(time), "open at {time}: {context}");
    }
    if known && until != now {
        assert_eq!(until % p.epoch_seconds, 0, "{context}");
    }
    if p.turn_mode == TurnMode::Systematic {
        assert!(last - first < 2 * ROTATION, "{context}");
    }
    let crossed = first / ROTATION != last / ROTATION;
    branches.count(match next {
        NextTurn::Unseeded(_) => "seeded: in the next rotation",
        _ if until == now => "at once",
        _ if last - first >= ROTATION => "later, past 64 epochs",
        _ if crossed => "later, past a rotation",
        _ => "later",
    });
}

#[test]
fn no_turn_is_foretold_without_a_probability() {
    for mode in [TurnMode::Systematic, TurnMode::Seeded, TurnMode::Bernoulli] {
        let policy = DampedPolicy::new(DampedParameters {
            turn_mode: mode,
            ..DampedParameters::default()
        })
        .unwrap();
        let next = policy.next_open_turn(ORACLE, U256::ZERO, Seed::default(), &Default::default());
        assert_eq!(next, NextTurn::Never, "{mode:?}");
    }
}

#[test]
fn a_bucket_fills_as_foretold() {
    let mut branches = Branches::default();
    for variant in 0..VARIANTS {
        let mut random = Random::new(seed(), 30_000 + variant);
        let parameters = parameters(variant, &mut random);
        if parameters.bucket_mode == BucketMode::Off {
            continue;
        }
        let mut pair = Pair::new(parameters, &mut random);
        let mut market = Market::new(&parameters, &mut random);
        for _ in 0..60 {
            pair.next_block(&mut market, &mut random);
            let request = market.request(&parameters, &mut random);
            pair.compare(&request, &mut Branches::default(), "planner");
            pair.world.advance(random.range(0, 200), 1, 0);
            fill(&mut pair, &mut random, &mut branches);
        }
    }
    branches.require(100, &["never", "at once", "later"]);
}

fn fill(pair: &mut Pair, random: &mut Random, branches: &mut Branches) {
    let bucket = pair.state.bucket(0);
    let told = pair.world.read(&Bound::bucketOfCall {
        pool: pair.world.pool,
        collateralId: U256::ZERO,
    });
    let now = pair.world.block().timestamp;
    let p = pair.parameters;
    assert_eq!(
        (told.level, told.cap, told.refillRateWad),
        (
            pair.damped.bucket_level_at(&bucket, now),
            bucket.cap(),
            bucket.refill_rate_wad(p.refill_share)
        )
    );
    let amount = match random.range(0, 4) {
        0 => bucket.cap(),
        1 => U256::from(random.range(0, 2)),
        _ => random.share(bucket.cap(), 0, 1_000),
    };
    // the bucket's own time is modulo 2^32
    let updated = u64::from(bucket.updated_at);
    let available = |seconds: u64| pair.damped.bucket_available_at(&bucket, updated + seconds);
    let context = format!("{amount} of {bucket:?} with {p:#?}");
    match pair.damped.bucket_seconds_until(&bucket, amount) {
        None => {
            assert!(available(u64::from(u32::MAX)) < amount, "{context}");
            branches.count("never");
        }
        Some(0) => {
            assert!(available(0) >= amount, "{context}");
            branches.count("at once");
        }
        Some(seconds) => {
            let seconds = u64::from(seconds);
            assert!(available(seconds) >= amount, "{context}");
            assert!(available(seconds - 1) < amount, "{context}");
            branches.count("later");
        }
    }
}
