//! Whole worlds add up, and the audit notices when they do not.

use alloy_primitives::U256;
use breakwater_bindings::{DampedPolicy, ILendingPool, IPriceOracle};

use super::*;
use crate::WorldKind;
use crate::config::{
    Account, AdversaryParameters, AdversaryStrategy, BackstopParameters, BorrowerParameters,
    CollateralParameters, FeedParameters, KeeperParameters, MissedSlots, NetworkParameters,
    NoiseParameters, Policy, TurnMode, VenueParameters, WorldInput, WorldParameters,
};

const BLOCKS: usize = 120;
const SEED: u64 = 7;

/// A crowded market.
pub(crate) fn parameters() -> WorldParameters {
    WorldParameters {
        collateral: CollateralParameters {
            borrow_ltv: 0.80,
            liquidation_threshold: 0.83,
            max_bonus: 0.05,
            slippage_margin: 0.05,
            confirmation_band: 0.05,
        },
        venue: VenueParameters {
            fee: 3_000,
            depth: 0.5,
            flighty_share: 0.5,
            flight_volatility: 0.08,
            pass_through: 0.5,
            recovery_half_life: 300.0,
        },
        feed: FeedParameters {
            deviation: 0.005,
            heartbeat: 3_600,
            delay: 0,
            believed_for: None,
            errors: Vec::new(),
            outages: Vec::new(),
        },
        network: NetworkParameters {
            slot_seconds: 12,
            gas_limit: 30_000_000,
            demand_elasticity: 1.5,
            missed: Vec::new(),
        },
        keepers: KeeperParameters {
            count: 3,
            max_latency: 1,
            min_profit: 5.0,
            risk_margin: 0.001,
        },
        borrowers: BorrowerParameters {
            top_up_share: 0.3,
            repay_share: 0.3,
            deleverage_share: 0.3,
            alert_health: 1.1,
            reaction_time: 120.0,
            savings: 0.3,
        },
        noise: None,
        adversary: None,
        backstop: None,
        lender_assets_over_debt: 1.2,
        damped: Default::default(),
    }
}

/// A fall by 30%, steep enough that some positions become insolvent.
pub(crate) fn input() -> WorldInput {
    let prices: Vec<f64> = (0..=BLOCKS)
        .map(|block| 200.0 * (1.0 - 0.3 * block as f64 / BLOCKS as f64))
        .collect();
    let accounts = (0..40)
        .map(|number| {
            let collateral = 5.0 + f64::from(number * 11 % 17) * 20.0;
            Account {
                collateral,
                debt: collateral * 200.0 * 0.83 * (0.995 - 0.006 * f64::from(number)),
            }
        })
        .collect();
    WorldInput {
        start: 1_600_000_000,
        gas_gwei: vec![30.0; prices.len()],
        native_prices: prices.clone(),
        depth: Vec::new(),
        accounts,
        prices,
    }
}

fn audit(kind: WorldKind) -> (usize, bool) {
    audit_of(&parameters(), kind)
}

fn audit_of(parameters: &WorldParameters, kind: WorldKind) -> (usize, bool) {
    let input = input();
    let mut world = World::new(parameters, &input, kind, SEED).unwrap();
    world.audit().unwrap();
    for (number, account) in input.accounts.iter().enumerate() {
        let owner = world.addresses.accounts[number];
        let pool = world.addresses.pool;
        let debt = world
            .ask_contract(pool, &ILendingPool::debtOfCall { account: owner })
            .unwrap();
        // As in the input, to the wei; a debt is rounded up by one.
        let expected = crate::units::to_base(account.debt, crate::units::DEBT_UNIT);
        assert!(
            debt >= expected && debt <= expected + U256::from(1),
            "account {number}: {debt} for {expected}"
        );
    }
    let start = world.start_row();
    for price in [
        start.fast_price,
        start.slow_price,
        start.confirm_price,
        start.venue_price,
        start.reference_price,
    ] {
        assert!((price / input.prices[0] - 1.0).abs() < 1e-4, "{start:?}");
    }
    assert_eq!(start.breaker_level, 0);

    let mut liquidations = Vec::new();
    for block in 1..=BLOCKS as u64 {
        world.step(block, &mut liquidations).unwrap();
        if block % 20 == 0 {
            world.check_books().unwrap();
        }
    }
    world.audit().unwrap();
    (
        liquidations.len(),
        liquidations.iter().any(|row| row.settlement),
    )
}

#[test]
fn t10_rigid_world_conserves() {
    let (liquidations, _) = audit(WorldKind::Policy(Policy::Rigid));
    assert!(liquidations > 10, "{liquidations}");
}

#[test]
fn t10_target_health_world_conserves() {
    let (liquidations, _) = audit(WorldKind::Policy(Policy::TargetHealth));
    assert!(liquidations > 10, "{liquidations}");
}

#[test]
fn t10_damped_world_conserves_and_settles() {
    let (liquidations, settled) = audit(WorldKind::Policy(Policy::Damped));
    assert!(liquidations > 10 && settled, "{liquidations}");
}

#[test]
fn t10_counterfactual_world_conserves() {
    let (liquidations, _) = audit(WorldKind::Counterfactual);
    assert!(liquidations > 10, "{liquidations}");
}

#[test]
fn t10_aave_world_conserves() {
    let (parameters, input) = (parameters(), input());
    let kind = WorldKind::Policy(Policy::AaveV3);
    let mut world = World::new(&parameters, &input, kind, SEED).unwrap();
    world.audit().unwrap();
    let market = world.addresses.aave.unwrap();
    for (number, account) in input.accounts.iter().enumerate() {
        let owner = world.addresses.accounts[number];
        for (token, expected) in [
            (market.debts, crate::units::to_base(account.debt, DEBT_UNIT)),
            (
                market.collateral_receipts,
                crate::units::to_base(account.collateral, COLLATERAL_UNIT),
            ),
        ] {
            // As in the input, to the wei.
            assert_eq!(world.balance_of(token, owner).unwrap(), expected);
        }
    }
    let start = world.start_row();
    for price in [start.fast_price, start.venue_price, start.reference_price] {
        assert!((price / input.prices[0] - 1.0).abs() < 1e-4, "{start:?}");
    }

    let mut liquidations = Vec::new();
    for block in 1..=BLOCKS as u64 {
        world.step(block, &mut liquidations).unwrap();
        if block % 20 == 0 {
            world.check_aave_books(&market).unwrap();
        }
    }
    world.audit().unwrap();
    assert!(liquidations.len() > 10, "{}", liquidations.len());
}

#[test]
fn the_audit_notices_collateral_and_claims_that_aave_does_not_have() {
    let (parameters, input) = (parameters(), input());
    let kind = WorldKind::Policy(Policy::AaveV3);
    let mut world = World::new(&parameters, &input, kind, SEED).unwrap();
    let market = world.addresses.aave.unwrap();
    let (operator, plenty) = (world.addresses.operator, U256::from(1_000_000));
    for (token, holder, what) in [
        (
            market.collateral,
            market.collateral_receipts,
            "collateral in the pool",
        ),
        (market.asset, market.asset_receipts, "lenders' claims"),
    ] {
        let mut world = World::new(&parameters, &input, kind, SEED).unwrap();
        let mint = SimToken::mintCall {
            to: holder,
            amount: plenty,
        };
        world.chain.execute_sol(operator, token, &mint).unwrap();
        let found = world.audit().unwrap_err().to_string();
        assert!(found.contains(what), "{found}");
    }
    let account = world.addresses.accounts[0];
    world.mirror.change(account, |position| {
        position.debt_shares += U256::ONE;
    });
    let found = world.check_aave_mirror(&market).unwrap_err().to_string();
    assert!(found.contains("debt shares of account 0"), "{found}");
}

#[test]
fn t10_conserves_with_noise_an_adversary_and_missed_slots() {
    let mut parameters = parameters();
    parameters.noise = Some(NoiseParameters {
        hourly_volume: 1.0,
        trade: 0.002,
    });
    parameters.network.missed = vec![MissedSlots {
        from: 0,
        until: 600,
        share: 0.3,
    }];
    for strategy in [
        AdversaryStrategy::Predator,
        AdversaryStrategy::Manipulator,
        AdversaryStrategy::Grinder,
    ] {
        parameters.adversary = Some(AdversaryParameters {
            patience: 120,
            push: 0.02,
            ..AdversaryParameters::with_capital(strategy, 50_000.0)
        });
        if strategy == AdversaryStrategy::Grinder {
            parameters.damped.turn_mode = Some(TurnMode::Seeded);
        }
        let (liquidations, _) = audit_of(&parameters, WorldKind::Policy(Policy::Damped));
        assert!(liquidations > 10, "{liquidations}");
    }
}

#[test]
fn t10_conserves_with_a_backstop_under_every_policy() {
    let mut parameters = parameters();
    for (policy, flight_share) in [
        (Policy::Rigid, 1.0),
        (Policy::TargetHealth, 0.0),
        (Policy::Damped, 0.5),
    ] {
        parameters.backstop = Some(BackstopParameters {
            flight_share,
            stress_fall: 0.1,
            reaction_time: 60.0,
            ..BackstopParameters::with_capital(0.15)
        });
        let input = input();
        let kind = WorldKind::Policy(policy);
        let mut world = World::new(&parameters, &input, kind, SEED).unwrap();
        world.audit().unwrap();
        for block in 1..=BLOCKS as u64 {
            world.step(block, &mut Vec::new()).unwrap();
            world.check_backstop().unwrap();
            if block % 20 == 0 {
                world.check_tokens().unwrap();
            }
        }
        world.audit().unwrap();
        let (rows, absorptions) = world.backstop.unwrap().into_records();
        assert!(absorptions.len() > 5, "{policy:?}: {}", absorptions.len());
        assert!(rows.last().unwrap().exits > 0, "{policy:?}");
    }
}

#[test]
fn the_audit_notices_what_a_backstop_holds_and_nobody_gave() {
    let input = input();
    let mut parameters = parameters();
    parameters.backstop = Some(BackstopParameters::with_capital(0.1));
    let given = |asset: bool| {
        let kind = WorldKind::Policy(Policy::Damped);
        let mut world = World::new(&parameters, &input, kind, SEED).unwrap();
        let addresses = &world.addresses;
        let token = if asset {
            addresses.asset
        } else {
            addresses.collateral
        };
        let mint = SimToken::mintCall {
            to: addresses.backstop.unwrap().pool,
            amount: U256::ONE,
        };
        let operator = addresses.operator;
        world.chain.execute_sol(operator, token, &mint).unwrap();
        world.audit().unwrap_err().to_string()
    };
    let cash = given(true);
    assert!(cash.contains("the backstop's cash"), "{cash}");
    let collateral = given(false);
    assert!(
        collateral.contains("the backstop's collateral"),
        "{collateral}"
    );
}

#[test]
fn the_audit_notices_a_token_that_nobody_holds_and_one_that_the_pool_does_not_know_of() {
    let (parameters, input) = (parameters(), input());
    let minted_to = |pick: fn(&World<'_>) -> Address| {
        let mut world =
            World::new(&parameters, &input, WorldKind::Policy(Policy::Rigid), SEED).unwrap();
        let mint = SimToken::mintCall {
            to: pick(&world),
            amount: U256::ONE,
        };
        let (operator, token) = (world.addresses.operator, world.addresses.collateral);
        world.chain.execute_sol(operator, token, &mint).unwrap();
        world.audit().unwrap_err().to_string()
    };
    let stranger = minted_to(|_| Address::repeat_byte(0x77));
    assert!(stranger.contains("all collateral held"), "{stranger}");
    let pool = minted_to(|world| world.addresses.pool);
    assert!(pool.contains("collateral in the pool"), "{pool}");
}

/// Where the native coin has a price of its own, the policy pays for gas at that one, as it is in each block.
#[test]
fn t10_damped_world_whose_native_coin_is_another_conserves() {
    let parameters = parameters();
    let mut input = input();
    input.gas_gwei[30..].fill(600.0);
    input.native_prices = (0..=BLOCKS).map(|block| 100.0 + block as f64).collect();
    let kind = WorldKind::Policy(Policy::Damped);
    let mut world = World::new(&parameters, &input, kind, SEED).unwrap();
    let native = world.addresses.native.unwrap();
    let (policy, pool) = (world.addresses.policy, world.addresses.pool);
    let said = world.ask_contract(policy, &DampedPolicy::parametersCall {});
    assert_eq!(said.unwrap().nativeOracle, native.oracle);
    let installed = world.ask_contract(pool, &ILendingPool::policyCall {});
    assert_eq!(installed.unwrap(), policy);

    let mut liquidations = Vec::new();
    let mut stressed = false;
    for block in 1..=BLOCKS as u64 {
        let row = world.step(block, &mut liquidations).unwrap();
        stressed |= row.breaker_level > 0;
        let peek = IPriceOracle::peekCall {};
        let fast = world.ask_contract(native.oracle, &peek).unwrap().fast;
        // Debt tokens have 6 decimals, the coin 18: a price of 1 is 1e24.
        assert_eq!(
            fast,
            U256::from(100 + block) * U256::from(10).pow(U256::from(24))
        );
    }
    world.audit().unwrap();
    assert!(stressed, "the bonus paid for no gas");
    assert!(liquidations.len() > 10, "{}", liquidations.len());

    // No other world asks for the price, nor one whose bonus pays for no gas.
    let mut unpaid = parameters.clone();
    unpaid.damped.liquidation_gas = Some(0);
    let rigid = WorldKind::Policy(Policy::Rigid);
    for (parameters, kind) in [(&parameters, rigid), (&unpaid, kind)] {
        let world = World::new(parameters, &input, kind, SEED).unwrap();
        assert!(world.addresses.native.is_none());
    }
}
