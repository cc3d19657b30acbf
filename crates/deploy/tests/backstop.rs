//! A system with a backstop before its policy, and without one.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolConstructor};
use breakwater_bindings::backstop_pool::BackstopPool::BackstopParameters;
use breakwater_bindings::{
    BackstopPolicy, BackstopPool, LendingPool, LendingPoolExtension, PremiumSteward,
    describe_revert,
};
use breakwater_deploy::config::{BackstopConfiguration, BackstopPlan, Configuration};
use breakwater_deploy::local::{DEBT_DECIMALS, tokens};
use breakwater_deploy::{DeployError, Execution, Plan, RpcViews, StepState, Views};
use serde_json::{Value, json};
use support::{Ground, configuration};

const WAD: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);

fn with_backstop(ground: &Ground, name: &str) -> Configuration {
    Configuration {
        backstop: Some(BackstopConfiguration {
            name: None,
            symbol: None,
            period_seconds: Some(U256::from(4 * 3_600)),
            minimum_left: tokens(1, DEBT_DECIMALS),
            minimum_deposit: tokens(10, DEBT_DECIMALS),
            caller_share: None,
            release_share: None,
            auction_seconds: None,
            start_markup: None,
            max_discount: None,
            venue_tolerance: None,
            absorption_health: WAD * U256::from(105) / U256::from(100),
            premium_share: WAD / U256::from(4),
        }),
        ..configuration(&ground.market, name)
    }
}

fn plan(ground: &Ground, configuration: &Configuration, deployer: Address) -> Plan {
    let multicall = Some(ground.market.deployment().multicall);
    let (system, backstop) = (configuration.plan(), configuration.backstop_plan());
    Plan::with_backstop(system, backstop, 31_337, deployer, multicall).unwrap()
}

fn open_steps(execution: &Execution) -> usize {
    let states = execution.states().iter();
    states.filter(|state| **state == StepState::Open).count()
}

#[tokio::test]
async fn a_backstop_comes_first_and_its_steward_owns_the_pool() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let configuration = with_backstop(&ground, "Backed");
    let plan = plan(&ground, &configuration, account.address());
    let there = plan.deployment.backstop.unwrap();
    let open = open_steps(&ground.open(&account, &plan).await.unwrap());
    // Each step by a run of its own: the next finds by the chain what was done.
    for done in 0..open {
        let mut execution = ground.open(&account, &plan).await.unwrap();
        assert_eq!(open_steps(&execution), open - done);
        execution.advance().await.unwrap().unwrap();
    }
    let deployment = ground.deploy(&account, &plan).await.unwrap();
    assert!(deployment.complete);
    assert_eq!(deployment.backstop, Some(there));
    assert_eq!(ground.sent(&account).await, open as u64);

    let views = RpcViews::new(ground.provider.clone());
    let (pool, timelock) = (deployment.pool, deployment.timelock);
    let policy = views.read(pool, LendingPoolExtension::policyCall {}).await;
    assert_eq!(policy.unwrap(), there.policy);
    let behind = views
        .read(there.policy, BackstopPolicy::BEHINDCall {})
        .await;
    assert_eq!(behind.unwrap(), deployment.policy.address);
    let owner = views.read(pool, LendingPool::ownerCall {}).await.unwrap();
    assert_eq!((owner, deployment.owner()), (there.steward, there.steward));
    let acts = views
        .read(there.steward, PremiumSteward::TIMELOCKCall {})
        .await;
    assert_eq!(acts.unwrap(), timelock);
    let period = views
        .read(there.pool, BackstopPool::periodSecondsCall {})
        .await;
    assert_eq!(period.unwrap(), U256::from(4 * 3_600));

    // Nothing is left to do, and the manifest stays as it is.
    let bytes = fs::read(ground.path()).unwrap();
    assert_eq!(ground.deploy(&account, &plan).await.unwrap(), deployment);
    assert_eq!(fs::read(ground.path()).unwrap(), bytes);
    assert_eq!(
        ground.file().deployment(31_337).unwrap().backstop,
        Some(there)
    );

    // The timelock acts through the steward; what it changes is a difference that is told and not changed back.
    ground.market.adopt(timelock).await.unwrap();
    let back = LendingPoolExtension::setPolicyCall {
        policy_: deployment.policy.address,
    };
    let execute = PremiumSteward::executeCall {
        data: back.abi_encode().into(),
    };
    let sent = ground.market.send(timelock, there.steward, &execute).await;
    sent.unwrap();
    let error = ground.deploy(&account, &plan).await.unwrap_err();
    let DeployError::Mismatches(found) = &error else {
        panic!("{error}")
    };
    assert_eq!(found.len(), 1, "{error}");
    assert_eq!(
        (found[0].contract.as_str(), found[0].parameter.as_str()),
        ("pool", "policy")
    );
    assert!(!ground.file().deployment(31_337).unwrap().complete);
    let nonce = ground.provider.get_transaction_count(account.address());
    assert_eq!(nonce.await.unwrap(), open as u64);
}

/// What of a backstop is bounded: its key, where it is in the plan, and the least and the most.
type Rule = (&'static str, fn(&mut BackstopPlan) -> &mut U256, U256, U256);

fn rules() -> [Rule; 11] {
    let (wad, amount) = (WAD, (U256::ONE << 80) - U256::ONE);
    let n = U256::from::<u64>;
    [
        (
            "periodSeconds",
            |plan| &mut plan.parameters.periodSeconds,
            n(14_400),
            n(2_592_000),
        ),
        (
            "minimumLeft",
            |plan| &mut plan.parameters.minimumLeft,
            n(1),
            amount,
        ),
        (
            "minimumDeposit",
            |plan| &mut plan.parameters.minimumDeposit,
            n(10_000),
            amount,
        ),
        (
            "callerShare",
            |plan| &mut plan.parameters.callerShare,
            n(0),
            wad / n(2),
        ),
        (
            "releaseShare",
            |plan| &mut plan.parameters.releaseShare,
            n(1),
            wad * n(497) / n(10_000),
        ),
        (
            "auctionSeconds",
            |plan| &mut plan.parameters.auctionSeconds,
            n(12),
            n(1_800),
        ),
        (
            "startMarkup",
            |plan| &mut plan.parameters.startMarkup,
            n(0),
            wad / n(10),
        ),
        (
            "maxDiscount",
            |plan| &mut plan.parameters.maxDiscount,
            n(0),
            wad / n(20),
        ),
        (
            "venueTolerance",
            |plan| &mut plan.parameters.venueTolerance,
            n(0),
            wad / n(20),
        ),
        (
            "absorptionHealth",
            |plan| &mut plan.absorption_health,
            wad + n(1),
            wad * n(2),
        ),
        ("premiumShare", |plan| &mut plan.premium_share, n(0), wad),
    ]
}

/// The configuration's bounds are those at which the constructors refuse, not one unit further in or out; and what it refuses it names.
#[tokio::test]
async fn every_bound_of_the_constructors_is_said_by_its_key() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let configuration = with_backstop(&ground, "Bounds");
    let there = plan(&ground, &configuration, account.address());
    let deployment = ground.deploy(&account, &there).await.unwrap();
    let backstop = deployment.backstop.unwrap();
    let accepted = async |plan: &BackstopPlan| {
        let parameters = BackstopParameters {
            pool: deployment.pool,
            ..plan.parameters.clone()
        };
        let pool = BackstopPool::constructorCall { p: parameters };
        let policy = BackstopPolicy::constructorCall {
            behind: deployment.policy.address,
            backstop: backstop.pool,
            absorptionHealth: plan.absorption_health,
        };
        let steward = PremiumSteward::constructorCall {
            pool: deployment.pool,
            backstop: backstop.pool,
            timelock: deployment.timelock,
            premiumShare: plan.premium_share,
        };
        let mut refused = None;
        for (code, arguments) in [
            (&BackstopPool::BYTECODE, pool.abi_encode()),
            (&BackstopPolicy::BYTECODE, policy.abi_encode()),
            (&PremiumSteward::BYTECODE, steward.abi_encode()),
        ] {
            let code: Bytes = [code.as_ref(), &arguments].concat().into();
            let creation = TransactionRequest::default().with_deploy_code(code);
            if let Err(error) = ground.provider.call(creation).await {
                let data = error
                    .as_error_resp()
                    .and_then(|error| error.as_revert_data());
                refused = describe_revert(&data.unwrap());
            }
        }
        refused
    };
    let example = include_str!("../../../script/config/example.json");
    let parsed = |key: &str, value: U256| {
        let mut file: Value = serde_json::from_str(example).unwrap();
        file["backstop"] = json!({
            "minimumLeft": "1000000", "minimumDeposit": "1000000",
            "absorptionHealth": "1050000000000000000", "premiumShare": "100000000000000000",
        });
        file["backstop"][key] = value.to_string().into();
        Configuration::parse(&file.to_string(), "system.json".as_ref())
    };
    for (key, place, least, most) in rules() {
        for value in [least, most] {
            let mut plan = parsed(key, value).unwrap().backstop_plan().unwrap();
            assert_eq!(*place(&mut plan), value, "{key}");
            assert_eq!(accepted(&plan).await, None, "{key} {value}");
        }
        let below = least.checked_sub(U256::ONE);
        for value in below.into_iter().chain([most + U256::ONE]) {
            let said = parsed(key, value).unwrap_err().to_string();
            let expected = format!("`backstop.{key}` is {value}: expected {least} to {most} ");
            assert!(said.contains(&expected), "{said}");
            let mut plan = configuration.backstop_plan().unwrap();
            *place(&mut plan) = value;
            let refused = accepted(&plan).await.unwrap();
            assert!(refused.contains(&value.to_string()), "{key}: {refused}");
        }
    }
}

/// The same of what the pool refuses of its owner.
#[tokio::test]
async fn caps_and_stipends_that_the_pool_refuses_are_refused_beforehand() {
    let ground = Ground::new().await;
    let deployment = ground.market.deployment();
    let accepted = async |data: Vec<u8>| {
        let call = TransactionRequest::default()
            .with_from(deployment.owner())
            .with_to(deployment.pool)
            .with_input(data);
        ground.provider.call(call).await.is_ok()
    };
    let cap = U256::from(10).pow(U256::from(28));
    let stipend = tokens(5, DEBT_DECIMALS);
    type Change = fn(&mut Configuration, U256);
    let rules: [(&str, Change, U256); 4] = [
        ("supplyCap", |one, value| one.supply_cap = value, cap),
        ("borrowCap", |one, value| one.borrow_cap = value, cap),
        (
            "collaterals[0].cap",
            |one, value| one.collaterals[0].cap = value,
            cap,
        ),
        (
            "settlementStipend",
            |one, value| one.settlement_stipend = value,
            stipend,
        ),
    ];
    for (key, change, most) in rules {
        for (value, fits) in [(most, true), (most + U256::ONE, false)] {
            let mut configuration = configuration(&ground.market, "Bounds");
            change(&mut configuration, value);
            let checked = configuration.check("system.json".as_ref());
            assert_eq!(checked.is_ok(), fits, "{key} {value}");
            if let Err(error) = checked {
                let said = error.to_string();
                assert!(
                    said.contains(&format!("`{key}` is {value}: expected at most ")),
                    "{said}"
                );
            }
            let caps = LendingPoolExtension::setCapsCall {
                supplyCap_: configuration.supply_cap,
                borrowCap_: configuration.borrow_cap,
            };
            let collateral = LendingPoolExtension::setCollateralCapCall {
                id: U256::ZERO,
                cap: configuration.collaterals[0].cap.to(),
            };
            let stipend = LendingPoolExtension::setMinDebtCall {
                minDebt_: configuration.min_debt.to(),
                stipend: configuration.settlement_stipend,
            };
            let mut all = true;
            for data in [
                caps.abi_encode(),
                collateral.abi_encode(),
                stipend.abi_encode(),
            ] {
                all &= accepted(data).await;
            }
            assert_eq!(all, fits, "{key} {value}");
        }
    }
}

/// A plan that was built by hand: a constructor's bounds are seen before anything is sent, and said in its words, which the factory
/// that creates it does not hand on.
#[tokio::test]
async fn a_parameter_out_of_bounds_is_refused_beforehand() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let mut configuration = with_backstop(&ground, "Short");
    let section = configuration.backstop.as_mut().unwrap();
    section.period_seconds = Some(U256::from(3_600));
    let plan = plan(&ground, &configuration, account.address());
    let execution = ground.open(&account, &plan).await.unwrap();
    let error = execution.estimate().await.unwrap_err().to_string();
    assert!(
        error.starts_with("create backstop (BackstopPool)"),
        "{error}"
    );
    let bound = "BackstopParameterOutOfBounds(";
    assert!(error.contains(bound), "{error}");
    assert!(error.contains("3600") && error.contains("14400"), "{error}");
    assert_eq!(ground.sent(&account).await, 0);
}

#[tokio::test]
async fn without_one_the_plan_is_what_it_always_was() {
    let ground = Ground::new().await;
    let deployer = ground.account(5).address();
    let plain = configuration(&ground.market, "Plain");
    let multicall = Some(ground.market.deployment().multicall);
    let one = Plan::new(plain.plan(), 31_337, deployer, multicall).unwrap();
    let other = plan(&ground, &plain, deployer);
    assert_eq!(one.steps, other.steps);
    assert_eq!(one.deployment, other.deployment);
    let told = serde_json::to_string(&one.deployment).unwrap();
    assert!(
        !told.contains("backstop") && !told.contains("steward"),
        "{told}"
    );
    let backed = plan(&ground, &with_backstop(&ground, "Plain"), deployer);
    assert_ne!(backed.deployment.pool, one.deployment.pool);
    assert_ne!(
        backed.deployment.configuration_hash,
        one.deployment.configuration_hash
    );
}
