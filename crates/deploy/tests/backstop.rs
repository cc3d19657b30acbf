//! A system with a backstop before its policy, and without one.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use alloy::providers::Provider;
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::{
    BackstopPolicy, BackstopPool, LendingPool, LendingPoolExtension, PremiumSteward,
};
use breakwater_deploy::config::{BackstopConfiguration, Configuration};
use breakwater_deploy::local::{DEBT_DECIMALS, tokens};
use breakwater_deploy::{DeployError, Execution, Plan, RpcViews, StepState, Views};
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

/// A constructor's bounds are seen before anything is sent; the factory that creates it does not hand on which.
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
