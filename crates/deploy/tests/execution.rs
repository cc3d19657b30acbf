//! Carrying out plans on a real anvil: from nothing, from anywhere, and when there is nothing left to do.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;

use alloy::providers::Provider;
use breakwater_deploy::{Deployment, Execution, Step, StepState};
use support::{Ground, configuration};

/// What of a deployment must not depend on how it came about.
fn essence(mut deployment: Deployment) -> Deployment {
    deployment.first_block = 0;
    for record in &mut deployment.contracts {
        record.transaction = None;
        // The time of its creation is in an oracle's code.
        record.code_hash = record
            .code_hash
            .filter(|_| !record.role.starts_with("oracle"));
    }
    for record in &mut deployment.calls {
        record.transaction = None;
    }
    deployment
}

/// The venue remembers enough already: the local market's own system saw to it.
fn open_steps(execution: &Execution) -> usize {
    let states = execution.states().iter();
    states.filter(|state| **state == StepState::Open).count()
}

#[tokio::test]
async fn a_second_run_sends_nothing() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let plan = ground.plan(configuration(&ground.market, "One").plan(), &account);
    let execution = ground.open(&account, &plan).await.unwrap();
    let open = open_steps(&execution) as u64;
    let estimated = execution.estimate().await.unwrap().total.unwrap();
    let deployment = ground.deploy(&account, &plan).await.unwrap();
    assert!(deployment.complete);
    assert_eq!(ground.sent(&account).await, open);
    let used = deployment.gas_used();
    // What was simulated is what it cost; the nodes' first access to what is warm in a simulation may differ.
    assert!(used.abs_diff(estimated) * 100 < used, "{used} {estimated}");
    for record in &deployment.contracts {
        let inclusion = record.transaction.unwrap().inclusion.unwrap();
        assert!(inclusion.block > deployment.first_block, "{}", record.role);
        assert!(record.code_hash.is_some(), "{}", record.role);
    }

    let bytes = fs::read(ground.path()).unwrap();
    let again = ground.deploy(&account, &plan).await.unwrap();
    assert_eq!(again, deployment);
    assert_eq!(ground.sent(&account).await, open);
    assert_eq!(fs::read(ground.path()).unwrap(), bytes);

    // Without the manifest the system is found all the same.
    fs::remove_file(ground.path()).unwrap();
    let found = ground.deploy(&account, &plan).await.unwrap();
    assert_eq!(essence(found.clone()), essence(deployment.clone()));
    assert_eq!(found.first_block, deployment.first_block);
    assert_eq!(ground.sent(&account).await, open);
}

#[tokio::test]
async fn a_run_broken_off_after_any_step_continues() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let system = configuration(&ground.market, "Broken").plan();
    let plan = ground.plan(system, &account);
    let before = ground.provider.get_block_number().await.unwrap();
    let open = open_steps(&ground.open(&account, &plan).await.unwrap());
    let mut steps = 0;
    loop {
        let mut execution = ground.open(&account, &plan).await.unwrap();
        assert_eq!(
            open_steps(&execution),
            open - steps,
            "the chain shows what was done"
        );
        // Every other time the manifest is as old as before the step: what was sent was not recorded.
        let old = (steps % 2 == 1).then(|| fs::read(ground.path()).unwrap());
        if execution.advance().await.unwrap().is_none() {
            break;
        }
        steps += 1;
        if let Some(old) = old {
            fs::write(ground.path(), old).unwrap();
        }
    }
    assert_eq!(steps, open);
    assert_eq!(
        ground.sent(&account).await,
        steps as u64,
        "nothing was sent twice"
    );
    let deployment = ground.deploy(&account, &plan).await.unwrap();
    assert!(deployment.complete);
    assert_eq!(deployment.first_block, before);
    for (record, planned) in deployment.contracts.iter().zip(&plan.deployment.contracts) {
        assert_eq!(record.address, planned.address);
    }
}

#[tokio::test]
async fn what_was_sent_and_is_pending_is_awaited() {
    use alloy::providers::ext::AnvilApi;
    let ground = Ground::new().await;
    let account = ground.account(5);
    let plan = ground.plan(configuration(&ground.market, "Slow").plan(), &account);
    let mut execution = ground.open(&account, &plan).await.unwrap();
    let open = open_steps(&execution) as u64;
    ground.provider.anvil_set_auto_mine(false).await.unwrap();
    // The run dies between sending and inclusion.
    let died = tokio::time::timeout(std::time::Duration::from_millis(500), execution.advance());
    assert!(died.await.is_err());
    drop(execution);
    let recorded = ground.file().deployment(31_337).unwrap().contracts[0].transaction;
    assert!(
        recorded.unwrap().inclusion.is_none(),
        "its hash was recorded first"
    );
    let provider = ground.provider.clone();
    let mine = async move {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        provider.anvil_set_auto_mine(true).await.unwrap();
        provider.anvil_mine(Some(1), None).await.unwrap();
    };
    let (deployed, ()) = tokio::join!(ground.deploy(&account, &plan), mine);
    let deployment = deployed.unwrap();
    assert_eq!(ground.sent(&account).await, open);
    // Its receipt was looked up afterwards.
    let record = deployment.contracts[0].transaction.unwrap();
    assert_eq!(record.hash, recorded.unwrap().hash);
    assert!(record.inclusion.is_some());
}

#[tokio::test]
async fn systems_of_one_deployer_share_nothing() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let one = ground.plan(configuration(&ground.market, "One").plan(), &account);
    let two = ground.plan(configuration(&ground.market, "Two").plan(), &account);
    for step in &one.steps {
        if let Step::Create(creation) = step {
            let shared = two
                .deployment
                .contracts
                .iter()
                .find(|record| record.address == creation.address);
            assert_eq!(shared, None);
        }
    }
    ground.deploy(&account, &one).await.unwrap();
    std::fs::remove_file(ground.path()).unwrap();
    ground.deploy(&account, &two).await.unwrap();
}
