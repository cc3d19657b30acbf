//! Transactions that somebody is ahead of: with a higher base fee, or with the same creation.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use alloy::consensus::Transaction;
use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use alloy::rpc::types::TransactionRequest;
use alloy_primitives::B256;
use breakwater_deploy::{Account, DeployError, FACTORY, Plan};
use support::{Ground, configuration};

async fn planned(ground: &Ground, name: &str) -> (Account, Plan) {
    let account = ground.account(5);
    let plan = ground.plan(configuration(&ground.market, name).plan(), &account);
    ground.provider.anvil_set_auto_mine(false).await.unwrap();
    (account, plan)
}

/// The hash that the manifest has of the first step, once it has one.
async fn first_sent(ground: &Ground) -> B256 {
    loop {
        if ground.path().exists()
            && let Some(sent) = ground.file().deployment(31_337).unwrap().contracts[0].transaction
            && let Ok(Some(_)) = ground.provider.get_transaction_by_hash(sent.hash).await
        {
            return sent.hash;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Makes blocks of a base fee ten times as high as what a transaction offers, as long as the manifest has it and after that.
/// An anvil forgets what a block's base fee leaves behind, unless the block has no room for it anyway.
async fn outrun(ground: &Ground, hash: B256) {
    let provider = &ground.provider;
    let known = provider.get_transaction_by_hash(hash).await.unwrap();
    let base_fee = known.unwrap().max_fee_per_gas() * 10;
    loop {
        let waits = first_sent(ground).await == hash;
        if waits {
            provider.anvil_set_block_gas_limit(30_000).await.unwrap();
        }
        provider
            .anvil_set_next_block_base_fee_per_gas(base_fee)
            .await
            .unwrap();
        provider.anvil_mine(Some(1), None).await.unwrap();
        if waits {
            provider
                .anvil_set_block_gas_limit(30_000_000)
                .await
                .unwrap();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn what_an_earlier_run_offered_too_little_for_is_replaced() {
    let ground = Ground::new().await;
    let (account, plan) = planned(&ground, "Rerun").await;
    let mut execution = ground.open(&account, &plan).await.unwrap();
    let hash = tokio::select! {
        hash = first_sent(&ground) => hash,
        _ = execution.advance() => unreachable!("no block is made"),
    };
    drop(execution);
    let continued = async {
        // Nothing is sent before somebody says so.
        let mut execution = ground.open(&account, &plan).await.unwrap();
        assert_eq!(first_sent(&ground).await, hash);
        execution.advance().await.unwrap().unwrap()
    };
    let progress = tokio::select! {
        progress = continued => progress,
        () = outrun(&ground, hash) => unreachable!("endless"),
    };
    assert_eq!(progress.step, 0);
    assert_ne!(progress.transaction.hash, hash);
    assert!(progress.transaction.inclusion.is_some());
    assert_eq!(ground.sent(&account).await, 1, "the same nonce");
    let recorded = ground.file().deployment(31_337).unwrap().contracts[0].transaction;
    assert_eq!(recorded, Some(progress.transaction));
    ground.provider.anvil_set_auto_mine(true).await.unwrap();
    assert!(ground.deploy(&account, &plan).await.unwrap().complete);
}

#[tokio::test]
async fn what_the_base_fee_outruns_is_replaced_while_it_waits() {
    let ground = Ground::new().await;
    let (account, plan) = planned(&ground, "Outrun").await;
    let mut execution = ground.open(&account, &plan).await.unwrap();
    let outrun = async {
        let hash = first_sent(&ground).await;
        outrun(&ground, hash).await;
    };
    let progress = tokio::select! {
        progress = execution.advance() => progress.unwrap().unwrap(),
        () = outrun => unreachable!("endless"),
    };
    let included = ground
        .provider
        .get_transaction_by_hash(progress.transaction.hash)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(included.nonce(), 0);
    assert_eq!(ground.sent(&account).await, 1);
}

#[tokio::test]
async fn a_creation_that_somebody_else_was_first_with_is_not_recorded_as_ours() {
    let ground = Ground::new().await;
    let (account, plan) = planned(&ground, "Front-run").await;
    let mut execution = ground.open(&account, &plan).await.unwrap();
    let other = ground.anvil.addresses()[8];
    let front_run = async {
        let hash = first_sent(&ground).await;
        let provider = &ground.provider;
        let ours = provider.get_transaction_by_hash(hash).await.unwrap();
        let ours = ours.unwrap();
        let theirs = TransactionRequest::default()
            .with_from(other)
            .with_to(FACTORY)
            .with_input(ours.input().clone())
            .with_gas_limit(ours.gas_limit())
            .with_max_fee_per_gas(ours.max_fee_per_gas() * 2)
            .with_max_priority_fee_per_gas(ours.max_fee_per_gas());
        let _pending = provider.send_transaction(theirs).await.unwrap();
        provider.anvil_mine(Some(1), None).await.unwrap();
        hash
    };
    let (advanced, sent) = tokio::join!(execution.advance(), front_run);
    let error = advanced.unwrap_err();
    assert!(
        matches!(&error, DeployError::Failed { hash, .. } if *hash == sent),
        "{error}"
    );
    let recorded = ground.file().deployment(31_337).unwrap().contracts[0].transaction;
    assert_eq!(recorded, None);
    ground.provider.anvil_set_auto_mine(true).await.unwrap();
    let deployment = ground.deploy(&account, &plan).await.unwrap();
    assert!(deployment.complete);
    assert_eq!(deployment.contracts[0].transaction, None);
    assert!(deployment.contracts[0].code_hash.is_some());
}
