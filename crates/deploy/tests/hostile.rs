//! A deployment that somebody meddles with, or over a venue that cannot confirm.
#![allow(clippy::unwrap_used)]

mod support;

use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolCall;
use breakwater_bindings::{LendingPool, LendingPoolExtension, SimToken, TimelockController};
use breakwater_deploy::local::{DEBT_DECIMALS, START_PRICE, tokens};
use breakwater_deploy::verify::verify;
use breakwater_deploy::{Account, Execution, Plan, RpcViews, Views};
use support::{Ground, configuration};

/// Carries a plan out up to the first step whose name begins like this.
async fn up_to(ground: &Ground, account: &Account, plan: &Plan, name: &str) -> Execution {
    let mut execution = ground.open(account, plan).await.unwrap();
    let steps = execution.plan().steps.clone();
    let until = steps
        .iter()
        .position(|step| step.to_string().starts_with(name));
    let until = until.unwrap();
    while execution.advance().await.unwrap().unwrap().step + 1 < until {}
    execution
}

async fn finish(mut execution: Execution) -> Result<(), String> {
    while execution.advance().await.unwrap().is_some() {}
    execution
        .finish()
        .await
        .map(drop)
        .map_err(|error| error.to_string())
}

/// One unit lent before the listings would let borrow LTVs rise from 0 over seven days.
#[tokio::test]
async fn nobody_can_lend_before_everything_is_listed() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let plan = ground.plan(configuration(&ground.market, "Front-run").plan(), &account);
    let mut execution = up_to(&ground, &account, &plan, "set the minimum debt").await;
    let (pool, asset) = (plan.deployment.pool, plan.deployment.asset);
    let (market, meddler) = (&ground.market, Address::repeat_byte(0xba));
    market.adopt(meddler).await.unwrap();
    let mint = SimToken::mintCall {
        to: meddler,
        amount: U256::from(1_000),
    };
    market.send(meddler, asset, &mint).await.unwrap();
    let approve = SimToken::approveCall {
        spender: pool,
        amount: U256::MAX,
    };
    market.send(meddler, asset, &approve).await.unwrap();
    let deposit = LendingPool::depositCall {
        assets: U256::ONE,
        receiver: meddler,
    };
    let mut refused = 0;
    loop {
        let sent = market.send(meddler, pool, &deposit).await;
        let step = execution.advance().await.unwrap().unwrap().step;
        let name = plan.steps[step].to_string();
        assert!(sent.unwrap_err().to_string().contains("SupplyCapExceeded"));
        refused += 1;
        if name.starts_with("set the caps") {
            break;
        }
    }
    assert_eq!(refused, 4, "before debt, reserves, listing and caps");
    market.send(meddler, pool, &deposit).await.unwrap();
    finish(execution).await.unwrap();
}

#[tokio::test]
async fn a_role_or_an_operation_that_is_not_the_plans_is_found() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let plan = ground.plan(configuration(&ground.market, "Backdoor").plan(), &account);
    let timelock = plan.deployment.timelock;
    let execution = up_to(&ground, &account, &plan, "make").await;
    drop(execution);
    // The deployer lets somebody else in, and leaves an operation behind, while he still can.
    let (market, friend) = (&ground.market, Address::repeat_byte(0xf1));
    market.adopt(account.address()).await.unwrap();
    let grant = TimelockController::grantRoleCall {
        role: keccak256("PROPOSER_ROLE"),
        account: friend,
    };
    market
        .send(account.address(), timelock, &grant)
        .await
        .unwrap();
    let schedule = TimelockController::scheduleCall {
        target: plan.deployment.pool,
        value: U256::ZERO,
        data: LendingPool::transferOwnershipCall { newOwner: friend }
            .abi_encode()
            .into(),
        predecessor: B256::ZERO,
        salt: B256::repeat_byte(1),
        delay: U256::from(172_800),
    };
    market
        .send(account.address(), timelock, &schedule)
        .await
        .unwrap();
    let id = keccak256(alloy_sol_types::SolValue::abi_encode_params(&(
        schedule.target,
        schedule.value,
        schedule.data,
        schedule.predecessor,
        schedule.salt,
    )));
    let execution = ground.open(&account, &plan).await.unwrap();
    let said = finish(execution).await.unwrap_err();
    let role = format!("timelock: the role of proposer is held by {friend}, expected not held");
    assert!(said.contains(&role), "{said}");
    let operation = format!("operation {id} is scheduled, expected none of the plan's");
    assert!(said.contains(&operation), "{said}");
    assert_eq!(said.matches("timelock: ").count(), 2, "{said}");
    assert!(!ground.file().deployment(31_337).unwrap().complete);
}

#[tokio::test]
async fn a_venue_that_does_not_answer_is_refused() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let mut configuration = configuration(&ground.market, "Shallow");
    configuration.collaterals[0].venue_min_depth = Some(tokens(1_000_000_000_000, DEBT_DECIMALS));
    let plan = ground.plan(configuration.plan(), &account);
    let said = ground.deploy(&account, &plan).await.unwrap_err();
    let said = said.to_string();
    assert!(said.contains("venueSource[0]: averagePrice is 0"), "{said}");
}

/// It is found before the system is called complete, and not held against one that was.
#[tokio::test]
async fn a_venue_at_another_price_is_refused_until_it_agrees() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let apart = U256::from(START_PRICE) * U256::from(106) / U256::from(100);
    ground.market.set_feed(apart).await.unwrap();
    let plan = ground.plan(configuration(&ground.market, "Apart").plan(), &account);
    let said = ground.deploy(&account, &plan).await.unwrap_err();
    let said = said.to_string();
    assert!(
        said.contains("within 500 basis points of the feed's"),
        "{said}"
    );
    assert!(!ground.file().deployment(31_337).unwrap().complete);
    let price = U256::from(START_PRICE);
    ground.market.set_feed(price).await.unwrap();
    let deployment = ground.deploy(&account, &plan).await.unwrap();
    assert!(deployment.complete);
    ground.market.set_feed(apart).await.unwrap();
    ground.deploy(&account, &plan).await.unwrap();
}

#[tokio::test]
async fn frozen_risk_and_another_scale_are_named() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let plan = ground.plan(configuration(&ground.market, "Frozen").plan(), &account);
    let deployment = ground.deploy(&account, &plan).await.unwrap();
    let views = RpcViews::new(ground.provider.clone());
    let market = &ground.market;
    market.adopt(deployment.guardian).await.unwrap();
    let (guardian, pool) = (deployment.guardian, deployment.pool);
    let freeze = LendingPoolExtension::freezeCollateralCall { id: U256::ZERO };
    market.send(guardian, pool, &freeze).await.unwrap();
    let freeze = LendingPoolExtension::freezeNewRiskCall {};
    market.send(guardian, pool, &freeze).await.unwrap();
    let said = verify(&views, &plan).await.unwrap_err().to_string();
    for expected in [
        "pool: newRiskFrozen is true, expected false",
        "collateral[0]: frozen is true, expected false",
    ] {
        assert!(said.contains(expected), "{said}");
    }
    assert!(!said.contains("priceUnit"), "{said}");
    // The debt token says that it has 18 decimals, as the collateral does; the oracle was made for 6.
    let code = views.code(deployment.collaterals[0].token).await.unwrap();
    let asset = deployment.asset;
    ground.provider.anvil_set_code(asset, code).await.unwrap();
    let said = verify(&views, &plan).await.unwrap_err().to_string();
    assert!(said.contains("oracle[0]: priceUnit is "), "{said}");
}

#[tokio::test]
async fn events_that_begin_too_late_are_no_proof() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let plan = ground.plan(configuration(&ground.market, "Late").plan(), &account);
    ground.deploy(&account, &plan).await.unwrap();
    let provider = &ground.provider;
    let last = provider.get_block_number().await.unwrap();
    let check = |first| breakwater_deploy::verify::verify_history(provider, &plan, first);
    check(0).await.unwrap();
    let said = check(last).await.unwrap_err().to_string();
    assert!(said.contains("history is incomplete"), "{said}");
}

#[test]
fn governance_and_guardian_are_somebody_and_not_the_deployer() {
    let deployer = Address::repeat_byte(9);
    let mut system = breakwater_deploy::defaults::system_plan();
    (system.governance, system.guardian) = (Address::repeat_byte(1), Address::repeat_byte(2));
    system.collaterals[0].venue = Address::repeat_byte(3);
    let refused = |change: fn(&mut breakwater_deploy::defaults::SystemPlan, Address), to| {
        let mut changed = system.clone();
        change(&mut changed, to);
        let planned = Plan::new(changed, 31_337, deployer, None);
        planned.map(drop).map_err(|error| error.to_string())
    };
    for (to, says) in [(deployer, "is the deployer"), (Address::ZERO, "is nobody")] {
        let said = refused(|system, to| system.governance = to, to).unwrap_err();
        assert!(said.contains("governance") && said.contains(says), "{said}");
        let said = refused(|system, to| system.guardian = to, to).unwrap_err();
        assert!(said.contains("guardian") && said.contains(says), "{said}");
    }
    refused(|_, _| (), deployer).unwrap();
}
