//! The same system from the same definition: what this crate deploys over RPC, step by step, against what
//! `script/SystemDeployer.sol` deploys in one call in revm, and against `forge script script/Deploy.s.sol`.
#![allow(clippy::unwrap_used)]

mod support;

use std::process::Command;

use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy_primitives::{Address, Bytes, I256, U256};
use alloy_sol_types::{SolCall, SolConstructor};
use breakwater_bindings::{
    FlashLiquidator, LendingPoolExtension, SimFeed, SystemDeployer, TwapOracle, UniswapV3Pool,
};
use breakwater_deploy::defaults::SystemPlan;
use breakwater_deploy::verify::{Parameters, read};
use breakwater_deploy::{Configuration, DeployError, Deployment, RpcViews, Views, inspect_feeds};
use breakwater_evm::{BlockEnvironment, Chain, MemoryChain, Rules, Snapshot, Transaction};
use support::{Ground, configuration, root};

/// Gas for calls that fit in no block.
const GAS: u64 = 2_000_000_000;

/// Views of a chain in this process.
struct MemoryViews(Snapshot);

impl Views for MemoryViews {
    async fn view(&self, what: &str, to: Address, data: Bytes) -> Result<Bytes, DeployError> {
        let mut chain = self.0.chain();
        let execution = chain.view(Address::ZERO, to, data).unwrap();
        assert!(execution.is_success(), "{what}: {execution:?}");
        Ok(execution.output)
    }

    async fn code(&self, address: Address) -> Result<Bytes, DeployError> {
        Ok(self.0.chain().code(address))
    }
}

/// `SystemDeployer.deploy` in revm, with the tokens, feed and venue of the anvil at their addresses, at the time at which the
/// anvil's oracle was deployed. Answers the chain and where everything is.
async fn in_one_call(
    ground: &Ground,
    system: &SystemPlan,
    like: &Deployment,
) -> (MemoryViews, Deployment) {
    let mut chain = MemoryChain::new(Rules {
        code_size_limit: Some(usize::MAX),
        ..Rules::default()
    });
    let views = RpcViews::new(ground.provider.clone());
    let there = &like.collaterals[0];
    let timestamp = views
        .read(there.oracle, TwapOracle::DEPLOYED_ATCall {})
        .await
        .unwrap();
    chain.begin_block(BlockEnvironment {
        number: 1_000,
        timestamp: timestamp.to(),
        gas_limit: GAS,
        ..BlockEnvironment::default()
    });
    let venue = there.venue.unwrap();
    for address in [like.asset, there.token, venue] {
        chain.set_code(address, views.code(address).await.unwrap());
    }
    let me = Address::repeat_byte(0xee);
    for feed in [Some(there.feed), there.quote_feed].into_iter().flatten() {
        chain.set_code(feed, views.code(feed).await.unwrap());
        let latest = views.read(feed, SimFeed::latestRoundDataCall {}).await;
        let report = SimFeed::setCall {
            answer: latest.unwrap().answer,
            updatedAt: timestamp,
        };
        chain.execute_sol(me, feed, &report).unwrap();
    }
    let slot = views
        .read(venue, UniswapV3Pool::slot0Call {})
        .await
        .unwrap();
    let initialize = UniswapV3Pool::initializeCall {
        sqrtPriceX96: slot.sqrtPriceX96,
    };
    chain.execute_sol(me, venue, &initialize).unwrap();

    let large = |transaction: Transaction| Transaction {
        gas_limit: GAS,
        ..transaction
    };
    let creation = large(Transaction::create(me, SystemDeployer::BYTECODE.clone()));
    let deployer = chain.execute(&creation).unwrap().created.unwrap();
    let call = SystemDeployer::deployCall {
        plan: system.clone(),
    };
    let call = large(Transaction::call(me, deployer, call.abi_encode()));
    let execution = chain.execute(&call).unwrap().into_success().unwrap();
    let built = SystemDeployer::deployCall::abi_decode_returns(&execution.output).unwrap();
    let mut deployment = placed(like, &built);
    let constructor = FlashLiquidator::constructorCall {
        pool: built.pool,
        venue,
        collateralId: U256::ZERO,
    };
    let liquidator = chain.deploy_sol(me, &FlashLiquidator::BYTECODE, &constructor);
    deployment.collaterals[0].flash_liquidator = Some(liquidator.unwrap());
    (MemoryViews(chain.snapshot()), deployment)
}

/// A deployment like another, with these addresses.
fn placed(
    like: &Deployment,
    built: &breakwater_bindings::system_deployer::SystemDeployer::System,
) -> Deployment {
    let mut deployment = like.clone();
    deployment.timelock = built.timelock;
    deployment.rate_model = built.rateModel;
    deployment.breaker = Some(built.breaker).filter(|breaker| !breaker.is_zero());
    deployment.policy.address = built.policy;
    deployment.extension = built.poolExtension;
    deployment.pool = built.pool;
    deployment.collaterals[0].oracle = built.oracles[0];
    deployment.collaterals[0].venue_source = Some(built.venueSources[0]);
    deployment
}

/// Roles and where they are.
fn roles(deployment: &Deployment) -> Vec<(&'static str, Address)> {
    let collateral = &deployment.collaterals[0];
    vec![
        ("timelock", deployment.timelock),
        ("rateModel", deployment.rate_model),
        (
            "breaker",
            deployment.breaker.unwrap_or(Address::repeat_byte(0xb0)),
        ),
        ("policy", deployment.policy.address),
        ("extension", deployment.extension),
        ("pool", deployment.pool),
        ("oracle", collateral.oracle),
        ("venueSource", collateral.venue_source.unwrap()),
        ("flashLiquidator", collateral.flash_liquidator.unwrap()),
    ]
}

/// Parameters with roles in place of addresses.
fn by_role(parameters: Parameters, deployment: &Deployment) -> Parameters {
    let roles = roles(deployment);
    let rename = |value: String| {
        let role = roles
            .iter()
            .find(|(_, address)| address.to_string() == value);
        role.map_or(value, |(role, _)| (*role).to_owned())
    };
    parameters
        .into_iter()
        .map(|(key, value)| (key, rename(value)))
        .collect()
}

/// Code, immutables included, with numbers in place of the system's addresses, and of the EIP-712 domain, which is a hash of
/// one.
async fn anonymous(views: &impl Views, address: Address, deployment: &Deployment) -> Vec<u8> {
    let mut code = views.code(address).await.unwrap().to_vec();
    if [deployment.pool, deployment.extension].contains(&address) {
        let domain = views
            .read(address, LendingPoolExtension::DOMAIN_SEPARATORCall {})
            .await
            .unwrap();
        for at in 0..code.len() - 32 {
            if code[at..at + 32] == domain[..] {
                code[at..at + 32].fill(0);
            }
        }
    }
    for (number, (_, address)) in (1..).zip(roles(deployment)) {
        let mut at = 0;
        while at + 20 <= code.len() {
            if code[at..at + 20] == address[..] {
                code[at..at + 20].fill(number);
            }
            at += 1;
        }
    }
    code
}

async fn assert_equal(a: (&impl Views, &Deployment), b: (&impl Views, &Deployment), codes: bool) {
    let of_a = by_role(read(a.0, a.1).await.unwrap(), a.1);
    let of_b = by_role(read(b.0, b.1).await.unwrap(), b.1);
    assert!(of_a.len() > 50, "{} parameters", of_a.len());
    assert_eq!(of_a, of_b);
    if !codes {
        return;
    }
    for ((role, at_a), (_, at_b)) in roles(a.1).into_iter().zip(roles(b.1)) {
        let code_a = anonymous(a.0, at_a, a.1).await;
        let code_b = anonymous(b.0, at_b, b.1).await;
        assert_eq!(code_a.len(), code_b.len(), "{role}");
        let differs = code_a.iter().zip(&code_b).position(|(a, b)| a != b);
        assert_eq!(differs, None, "{role}");
    }
}

/// Creates a contract on the anvil.
async fn place(ground: &Ground, sender: Address, code: Vec<u8>) -> Address {
    let request = TransactionRequest::default()
        .from(sender)
        .input(Bytes::from(code).into());
    let request = alloy::network::TransactionBuilder::into_create(request);
    let sent = ground.provider.send_transaction(request).await.unwrap();
    let receipt = sent.get_receipt().await.unwrap();
    receipt.contract_address.unwrap()
}

/// A configuration in which the debt token has a feed of its own, of 18 decimals, at 0.98.
async fn quoted(ground: &Ground, name: &str) -> Configuration {
    let constructor = SimFeed::constructorCall { decimals_: 18 }.abi_encode();
    let code = [SimFeed::BYTECODE.to_vec(), constructor].concat();
    let feed = place(ground, ground.market.operator(), code).await;
    let mut configuration = configuration(&ground.market, name);
    let collateral = &mut configuration.collaterals[0];
    collateral.quote_feed = Some(feed);
    collateral.quote_heartbeat = Some(90_000);
    (collateral.min_answer, collateral.max_answer) = (None, None);
    refresh(ground, Some(feed)).await;
    configuration
}

/// Feeds are silent while no time is moved; an oracle wants fresh answers.
async fn refresh(ground: &Ground, quote_feed: Option<Address>) {
    let market = &ground.market;
    let price = market.feed_price().await.unwrap();
    market.set_feed(price).await.unwrap();
    if let Some(feed) = quote_feed {
        let report = SimFeed::setCall {
            answer: I256::from_raw(U256::from(980_000_000_000_000_000_u64)),
            updatedAt: U256::from(market.timestamp().await.unwrap()),
        };
        market.send(market.operator(), feed, &report).await.unwrap();
    }
}

#[tokio::test]
async fn rust_and_the_one_call_give_the_same_system() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let views = RpcViews::new(ground.provider.clone());
    let damped = configuration(&ground.market, "Same").plan();
    let mut rigid = damped.clone();
    rigid.policy.kind = 0;
    rigid.withBreaker = false;
    rigid.rate.adaptationSpeed = U256::ZERO;
    rigid.policy.damped.liquidationGas = U256::ZERO;
    let mut target = damped.clone();
    target.policy.kind = 1;
    let quoted = quoted(&ground, "Quoted").await;
    let quote_feed = quoted.collaterals[0].quote_feed;
    let quoted = inspect_feeds(&views, quoted.plan()).await.unwrap();
    for system in [damped, rigid, target, quoted] {
        let _ = std::fs::remove_file(ground.path());
        refresh(&ground, quote_feed).await;
        let plan = ground.plan(system.clone(), &account);
        let deployment = ground.deploy(&account, &plan).await.unwrap();
        let quoted = !system.collaterals[0].quote.source.is_zero();
        assert_eq!(deployment.collaterals[0].quote_feed.is_some(), quoted);
        let (memory, there) = in_one_call(&ground, &system, &deployment).await;
        assert_equal((&views, &deployment), (&memory, &there), true).await;
    }
}

/// Takes a minute or more, for forge compiles the scripts: `cargo test -p breakwater-deploy --test equality -- --ignored`.
#[tokio::test]
#[ignore = "runs forge, which compiles for minutes where its cache is cold"]
async fn rust_and_the_forge_script_give_the_same_system() {
    let ground = Ground::new().await;
    let account = ground.account(5);
    let views = RpcViews::new(ground.provider.clone());
    let configuration = quoted(&ground, "Forge").await;
    let system = inspect_feeds(&views, configuration.plan()).await.unwrap();
    let plan = ground.plan(system, &account);
    let deployment = ground.deploy(&account, &plan).await.unwrap();

    // forge may read below `script/` and `cache/` alone.
    std::fs::create_dir_all(root().join("cache")).unwrap();
    let folder = tempfile::tempdir_in(root().join("cache")).unwrap();
    let file = folder.path().join("system.json");
    let collateral = &configuration.collaterals[0];
    let json = serde_json::json!({
        "chainId": configuration.chain_id,
        "asset": configuration.asset,
        "governance": configuration.governance,
        "guardian": configuration.guardian,
        "name": configuration.name,
        "symbol": configuration.symbol,
        "supplyCap": configuration.supply_cap.to_string(),
        "borrowCap": configuration.borrow_cap.to_string(),
        "minDebt": configuration.min_debt.to_string(),
        "settlementStipend": configuration.settlement_stipend.to_string(),
        "nativeCollateral": 0,
        "collaterals": [{
            "token": collateral.token,
            "feed": collateral.feed,
            "heartbeat": collateral.heartbeat,
            "quoteFeed": collateral.quote_feed,
            "quoteHeartbeat": collateral.quote_heartbeat,
            "venue": collateral.venue,
            "venueMinDepth": collateral.venue_min_depth.unwrap().to_string(),
            "cap": collateral.cap.to_string(),
        }],
    });
    std::fs::write(&file, json.to_string()).unwrap();
    let broadcast = folder.path().join("broadcast");
    let sender = ground.account(6).address();
    let output = Command::new(root().join("script/forge"))
        .current_dir(root())
        .args([
            "script",
            "script/Deploy.s.sol",
            "--broadcast",
            "--slow",
            "--unlocked",
            "--sender",
        ])
        .arg(sender.to_string())
        .args(["--rpc-url", &ground.anvil.endpoint()])
        .env("BREAKWATER_CONFIG", &file)
        .env("FOUNDRY_BROADCAST", &broadcast)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let run = broadcast.join("Deploy.s.sol/31337/run-latest.json");
    let run: serde_json::Value = serde_json::from_slice(&std::fs::read(run).unwrap()).unwrap();
    // The script returns its `System`: six addresses and two lists of one.
    let value = run["returns"]["system"]["value"].as_str().unwrap();
    let addresses: Vec<Address> = value
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|part| part.starts_with("0x"))
        .map(|part| part.parse().unwrap())
        .collect();
    assert_eq!(addresses.len(), 8, "{value}");
    let built = breakwater_bindings::system_deployer::SystemDeployer::System {
        timelock: addresses[0],
        rateModel: addresses[1],
        breaker: addresses[2],
        policy: addresses[3],
        poolExtension: addresses[4],
        pool: addresses[5],
        oracles: vec![addresses[6]],
        venueSources: vec![addresses[7]],
    };
    let mut forged = placed(&deployment, &built);
    // The script places no flash liquidator: one of ours over its pool stands in.
    let liquidator = [
        FlashLiquidator::BYTECODE.to_vec(),
        SolConstructor::abi_encode(&FlashLiquidator::constructorCall {
            pool: built.pool,
            venue: collateral.venue.unwrap(),
            collateralId: U256::ZERO,
        }),
    ]
    .concat();
    let liquidator = place(&ground, sender, liquidator).await;
    forged.collaterals[0].flash_liquidator = Some(liquidator);
    // The oracles were deployed at different times, which is in their code; the rest is compared by role.
    assert_equal((&views, &deployment), (&views, &forged), false).await;
    for ((role, ours), (_, theirs)) in roles(&deployment).into_iter().zip(roles(&forged)) {
        if role == "oracle" {
            continue;
        }
        let ours = anonymous(&views, ours, &deployment).await;
        let theirs = anonymous(&views, theirs, &forged).await;
        assert!(ours == theirs, "{role}");
    }
}
