//! A manifest says that a system is complete only as long as the chain shows it.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use alloy::providers::ext::AnvilApi;
use breakwater_deploy::{DeployError, Execution, StepState};
use support::{Ground, configuration};

fn open_steps(execution: &Execution) -> usize {
    let states = execution.states().iter();
    states.filter(|state| **state == StepState::Open).count()
}

fn is_complete(ground: &Ground) -> bool {
    ground.file().deployment(31_337).unwrap().complete
}

#[tokio::test]
async fn a_chain_that_went_back_takes_the_completeness_back() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let plan = ground.plan(configuration(&ground.market, "Back").plan(), &account);
    let mut execution = ground.open(&account, &plan).await.unwrap();
    while open_steps(&execution) > 1 {
        execution.advance().await.unwrap();
    }
    let before = ground.provider.anvil_snapshot().await.unwrap();
    execution.advance().await.unwrap();
    let deployment = execution.finish().await.unwrap();
    assert!(deployment.complete && is_complete(&ground));

    assert!(ground.provider.anvil_revert(before).await.unwrap());
    let execution = ground.open(&account, &plan).await.unwrap();
    assert_eq!(open_steps(&execution), 1);
    assert!(!execution.deployment().complete);
    assert!(!is_complete(&ground), "said as soon as it is seen");
    let known = ground.file().deployment(31_337).unwrap().clone();
    assert_eq!(known.contracts, deployment.contracts, "the rest stays");
    drop(execution);
    let again = ground.deploy(&account, &plan).await.unwrap();
    assert!(again.complete && is_complete(&ground));
}

#[tokio::test]
async fn what_was_done_is_looked_at_again_some_blocks_later() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let plan = ground.plan(configuration(&ground.market, "Reorg").plan(), &account);
    let mut execution = ground.open(&account, &plan).await.unwrap();
    while open_steps(&execution) > 1 {
        execution.advance().await.unwrap();
    }
    let before = ground.provider.anvil_snapshot().await.unwrap();
    execution.advance().await.unwrap();
    // From now on the chain makes blocks by itself, and soon it loses those with the last step.
    ground.provider.anvil_set_interval_mining(1).await.unwrap();
    let lose = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        ground.provider.anvil_revert(before).await.unwrap()
    };
    let (finished, reverted) = tokio::join!(execution.finish(), lose);
    assert!(reverted);
    let error = finished.unwrap_err();
    assert!(matches!(error, DeployError::TakenBack { .. }), "{error}");
    assert!(!is_complete(&ground));
    let deployment = ground.deploy(&account, &plan).await.unwrap();
    assert!(deployment.complete && is_complete(&ground));
}
