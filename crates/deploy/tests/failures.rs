//! What can go wrong, and what is then said.
#![allow(clippy::unwrap_used)]

mod support;

use std::fs;
use std::time::Duration;

use alloy::providers::ext::AnvilApi;
use alloy::providers::{Provider, ProviderBuilder};
use alloy_primitives::{Address, Bytes, U256, Uint};
use breakwater_bindings::LendingPoolExtension;
use breakwater_deploy::{
    DeployError, Execution, FACTORY, ManifestFile, Plan, RpcViews, Settings, chain_id,
    find_multicall,
};
use support::{Ground, configuration};

#[tokio::test]
async fn what_differs_on_chain_is_named() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let plan = ground.plan(configuration(&ground.market, "Changed").plan(), &account);
    let deployment = ground.deploy(&account, &plan).await.unwrap();

    // Governance moves a parameter: the run sends nothing and says so.
    ground.market.adopt(deployment.timelock).await.unwrap();
    let change = LendingPoolExtension::setMinDebtCall {
        minDebt_: Uint::from(1_000_000),
        stipend: U256::ZERO,
    };
    ground
        .market
        .send(deployment.timelock, deployment.pool, &change)
        .await
        .unwrap();
    let sent = ground.sent(&account).await;
    let said = ground
        .deploy(&account, &plan)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("pool: minDebt is 1000000, expected 100000000"),
        "{said}"
    );
    assert!(
        said.contains("pool: settlementStipend is 0, expected 5000000"),
        "{said}"
    );
    assert_eq!(ground.sent(&account).await, sent);
    let complete = || ground.file().deployment(31_337).unwrap().complete;
    assert!(!complete(), "the manifest no longer says that it is");

    // Until it is as planned again.
    let change = LendingPoolExtension::setMinDebtCall {
        minDebt_: Uint::from(plan.system.minDebt),
        stipend: plan.system.settlementStipend,
    };
    ground
        .market
        .send(deployment.timelock, deployment.pool, &change)
        .await
        .unwrap();
    assert_eq!(ground.deploy(&account, &plan).await.unwrap(), deployment);
    assert!(complete());

    // Other code at a contract's address.
    let code = ground
        .provider
        .get_code_at(deployment.policy.address)
        .await
        .unwrap();
    let mut other = code.to_vec();
    other[0] ^= 1;
    ground
        .provider
        .anvil_set_code(deployment.policy.address, other.into())
        .await
        .unwrap();
    let views = breakwater_deploy::RpcViews::new(ground.provider.clone());
    let error = breakwater_deploy::verify::verify(&views, &plan)
        .await
        .unwrap_err();
    let said = error.to_string();
    assert!(said.contains("policy: code at 0x"), "{said}");
    assert!(said.contains("other code from byte 0 on"), "{said}");
}

#[tokio::test]
async fn a_plan_that_a_contract_refuses_is_refused_before_anything_is_sent() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let mut configuration = configuration(&ground.market, "Refused");
    configuration.settlement_stipend = configuration.min_debt;
    let plan = ground.plan(configuration.plan(), &account);
    let execution = ground.open(&account, &plan).await.unwrap();
    let said = execution.estimate().await.unwrap_err().to_string();
    assert!(said.starts_with("set the minimum debt"), "{said}");
    assert!(said.contains("ValueOutOfRange"), "{said}");
    assert_eq!(ground.sent(&account).await, 0);
    assert!(!ground.path().exists());
}

#[tokio::test]
async fn a_plan_that_contradicts_itself_is_refused() {
    let ground = Ground::new().await;
    let mut configuration = configuration(&ground.market, "Own");
    configuration.governance = Address::repeat_byte(9);
    let refused = |configuration: &breakwater_deploy::Configuration| {
        let deployer = Address::repeat_byte(9);
        Plan::new(configuration.plan(), 31_337, deployer, None)
            .unwrap_err()
            .to_string()
    };
    assert!(refused(&configuration).contains("governance is the deployer"));
}

#[tokio::test]
async fn an_account_without_means_is_refused_with_what_it_lacks() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let poor = U256::from(1_000_000_u64);
    ground
        .provider
        .anvil_set_balance(account.address(), poor)
        .await
        .unwrap();
    let plan = ground.plan(configuration(&ground.market, "Poor").plan(), &account);
    let execution = ground.open(&account, &plan).await.unwrap();
    let estimate = execution.estimate().await.unwrap();
    let error = execution.require_funds(&estimate).await.unwrap_err();
    let DeployError::InsufficientFunds {
        balance, needed, ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(*balance, poor);
    assert!(*needed > poor);
}

#[tokio::test]
async fn another_chain_another_system_and_a_missing_factory_are_refused() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let system = configuration(&ground.market, "One").plan();
    let elsewhere = Plan::new(system.clone(), 1, account.address(), None).unwrap();
    let said = ground
        .open(&account, &elsewhere)
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        said,
        "the configuration is of chain 1, the RPC of chain 31337"
    );

    let plan = ground.plan(system, &account);
    ground.deploy(&account, &plan).await.unwrap();
    let bytes = fs::read(ground.path()).unwrap();
    let other = ground.plan(configuration(&ground.market, "Two").plan(), &account);
    let said = ground.open(&account, &other).await.unwrap_err().to_string();
    assert!(
        said.contains("holds the system of another configuration on chain 31337"),
        "{said}"
    );
    assert_eq!(fs::read(ground.path()).unwrap(), bytes);

    ground
        .provider
        .anvil_set_code(FACTORY, Bytes::new())
        .await
        .unwrap();
    let said = ground.open(&account, &plan).await.unwrap_err().to_string();
    assert!(said.contains("no deterministic deployment proxy"), "{said}");
    ground
        .provider
        .anvil_set_code(FACTORY, Bytes::from_static(&[0]))
        .await
        .unwrap();
    let said = ground.open(&account, &plan).await.unwrap_err().to_string();
    assert!(
        said.contains("is not the deterministic deployment proxy"),
        "{said}"
    );
}

#[tokio::test]
async fn transactions_that_stay_pending_are_reported() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let plan = ground.plan(configuration(&ground.market, "Stuck").plan(), &account);
    ground.provider.anvil_set_auto_mine(false).await.unwrap();
    let settings = Settings {
        inclusion: Duration::from_millis(200),
        poll: Duration::from_millis(20),
    };
    let open = || {
        Execution::open(
            ground.provider.clone(),
            account.clone(),
            plan.clone(),
            ground.file(),
            settings,
        )
    };
    let mut execution = open().await.unwrap();
    let said = execution.advance().await.unwrap_err().to_string();
    assert!(
        said.contains("was not included within 200ms; run again"),
        "{said}"
    );
    let said = open().await.unwrap_err().to_string();
    assert!(said.contains("1 earlier transactions of"), "{said}");
}

#[tokio::test]
async fn an_rpc_that_is_not_there_is_named_as_the_reason() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let plan = ground.plan(configuration(&ground.market, "Nowhere").plan(), &account);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let provider = ProviderBuilder::new()
        .connect_http(url.parse().unwrap())
        .erased();
    let opened = Execution::open(provider, account, plan, ground.file(), Settings::default()).await;
    let said = opened.unwrap_err().to_string();
    assert!(
        said.starts_with("read the chain id: the RPC failed"),
        "{said}"
    );
}

#[tokio::test]
async fn redirections_are_not_followed() {
    use std::io::{Read, Write};
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let to = elsewhere.local_addr().unwrap();
    let rpc = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", rpc.local_addr().unwrap());
    let redirect = std::thread::spawn(move || {
        let (mut stream, _) = rpc.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let answer = format!(
            "HTTP/1.1 307 -\r\nlocation: http://{to}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let provider = breakwater_deploy::connect(&url).unwrap();
    let asked = tokio::time::timeout(Duration::from_secs(5), chain_id(&provider)).await;
    redirect.join().unwrap();
    let error = elsewhere.accept().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "nobody came");
    let said = asked.unwrap().unwrap_err().to_string();
    assert!(said.contains("307"), "{said}");
}

#[tokio::test]
async fn only_the_code_of_multicall3_is_taken_for_it() {
    use alloy::providers::bindings::IMulticall3;
    let anvil = support::anvil();
    let provider = support::connect(&anvil);
    let views = RpcViews::new(provider.clone());
    let find = || async { find_multicall(&views).await.unwrap() };
    assert_eq!(find().await, None);
    let there = alloy::providers::MULTICALL3_ADDRESS;
    // Its creation code is 32 bytes that return the rest.
    let code = IMulticall3::BYTECODE.slice(32..);
    let mut other = code.to_vec();
    *other.last_mut().unwrap() ^= 1;
    provider.anvil_set_code(there, other.into()).await.unwrap();
    assert_eq!(find().await, None);
    provider.anvil_set_code(there, code).await.unwrap();
    assert_eq!(find().await, Some(there));
}

#[test]
fn a_corrupt_manifest_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    for (text, expected) in [
        ("{", "EOF while parsing"),
        ("{\"version\": 2, \"chains\": {}}", "version 2, expected 1"),
        (
            "{\"version\": 1, \"chains\": {}, \"x\": 1}",
            "unknown field `x`",
        ),
        ("{\"version\": 1, \"chains\": {\"1\": {}}}", "missing field"),
        ("", "EOF while parsing"),
    ] {
        fs::write(&path, text).unwrap();
        let said = ManifestFile::open(&path).unwrap_err().to_string();
        assert!(said.contains("manifest.json: not a manifest: "), "{said}");
        assert!(said.contains(expected), "{said}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    let empty = ManifestFile::open(folder.path().join("none.json")).unwrap();
    let said = empty.deployment(1).unwrap_err().to_string();
    assert!(
        said.ends_with("no system on chain 1; the file has none"),
        "{said}"
    );
    let said = ManifestFile::open(folder.path()).unwrap_err().to_string();
    assert!(said.contains("cannot read the manifest"), "{said}");
}
