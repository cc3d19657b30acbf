//! The contracts are Aave's, and it is they who liquidate.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolEvent, sol};
use breakwater_agents::{Action, Bid, Intent};
use breakwater_bindings::{AaveLiquidator, ILendingPool};
use breakwater_evm::{Chain, Execution, JumpCounter, MemoryChain, Transaction};
use serde::Deserialize;

use super::abi::Pool;
use super::artifacts::{Place, link, read};
use super::*;
use crate::WorldKind;
use crate::config::{
    Account, BorrowerParameters, CollateralParameters, FeedParameters, KeeperParameters,
    NetworkParameters, Policy, VenueParameters, WorldInput, WorldParameters,
};
use crate::setup::{Built, build, feed_call};
use crate::units::{COLLATERAL_UNIT, DEBT_UNIT, from_base};

const SEED: u64 = 3;

sol! {
    interface Proxied {
        function ADDRESSES_PROVIDER() external view returns (address);
    }
}

/// The storage slot in which an EIP-1967 proxy keeps its implementation.
fn implementation_slot() -> U256 {
    U256::from_be_bytes(keccak256("eip1967.proxy.implementation").0) - U256::ONE
}

fn parameters() -> WorldParameters {
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
            depth: 20.0,
            flighty_share: 0.0,
            flight_volatility: 0.1,
            pass_through: 0.0,
            recovery_half_life: 0.0,
        },
        feed: FeedParameters {
            deviation: 0.0,
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
            count: 1,
            max_latency: 0,
            min_profit: 1.0,
            risk_margin: 0.0,
        },
        borrowers: BorrowerParameters {
            top_up_share: 0.0,
            repay_share: 0.0,
            deleverage_share: 0.0,
            alert_health: 1.0,
            reaction_time: 0.0,
            savings: 0.0,
        },
        noise: None,
        adversary: None,
        lender_assets_over_debt: 1.25,
        damped: Default::default(),
        backstop: None,
    }
}

/// At 200 the first account has a health factor of 1.004, the second one of 1.06; both owe 165.333333 and 156.603774 a token.
fn input() -> WorldInput {
    let account = |health: f64| Account {
        collateral: 10.0,
        debt: (1_660.0 / health * 1e6).round() / 1e6,
    };
    WorldInput {
        start: 1_600_000_000,
        prices: vec![200.0; 3],
        gas_gwei: vec![1.0; 3],
        native_prices: vec![200.0; 3],
        depth: Vec::new(),
        accounts: vec![account(1.004), account(1.06)],
    }
}

fn built() -> Built {
    let kind = WorldKind::Policy(Policy::AaveV3);
    build(&parameters(), &input(), kind, SEED, false).unwrap()
}

fn code_hash(chain: &MemoryChain, address: Address) -> B256 {
    keccak256(chain.code(address))
}

fn pool_implementation(chain: &MemoryChain, market: &Market) -> Address {
    let word = chain.storage(market.pool, implementation_slot()).unwrap();
    Address::from_word(B256::from(word))
}

#[derive(Deserialize)]
struct Deployed {
    object: String,
    #[serde(rename = "linkReferences")]
    links: BTreeMap<String, BTreeMap<String, Vec<Place>>>,
    #[serde(rename = "immutableReferences")]
    immutables: BTreeMap<String, Vec<Place>>,
}

/// What the compiler said of everything in the package.
fn compiler_output(artifacts: &Artifacts) -> serde_json::Value {
    let folder = artifacts.package().join("artifacts/build-info");
    let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    let mut info: serde_json::Value = read(&file.path()).unwrap();
    info["output"]["contracts"].take()
}

/// What it said of a contract's deployed code.
fn published(output: &serde_json::Value, source: &str, name: &str) -> Deployed {
    let deployed = &output[source][name]["evm"]["deployedBytecode"];
    serde_json::from_value(deployed.clone()).unwrap()
}

/// Where the links of the deployed pool lead.
fn libraries(code: &Bytes, deployed: &Deployed) -> Libraries {
    deployed
        .links
        .values()
        .flatten()
        .map(|(name, places)| {
            let start = places[0].start;
            let library = Address::from_slice(&code[start..start + Address::len_bytes()]);
            (name.clone(), library)
        })
        .collect()
}

/// The published code of the pool with these libraries, and its immutables filled in: all of them are the registry.
fn expected_pool(deployed: &Deployed, libraries: &Libraries, registry: Address) -> Vec<u8> {
    let mut code = link(&deployed.object, &deployed.links, libraries)
        .unwrap()
        .to_vec();
    for place in deployed.immutables.values().flatten() {
        code[place.start..place.start + place.length].copy_from_slice(&registry.into_word().0);
    }
    code
}

/// The published code of a library, which begins with its own address once it is deployed.
fn expected_library(deployed: &Deployed, libraries: &Libraries, library: Address) -> Vec<u8> {
    let mut code = link(&deployed.object, &deployed.links, libraries)
        .unwrap()
        .to_vec();
    assert_eq!(code[..21], [vec![0x73], vec![0; 20]].concat()[..]);
    code[1..21].copy_from_slice(library.as_slice());
    code
}

/// Jumps within contracts of these code hashes while something runs.
fn jumps<T>(
    chain: &mut MemoryChain,
    codes: &[B256],
    run: impl FnOnce(&mut MemoryChain) -> T,
) -> (T, usize) {
    chain.count_jumps(Some(Box::new(JumpCounter::new(codes))));
    let result = run(chain);
    let mut counter = chain.count_jumps(None).unwrap();
    let mut count = 0;
    counter.drain(|_, times| count += usize::from(times));
    (result, count)
}

#[test]
fn what_runs_is_the_published_code_and_liquidation_call_runs_in_it() {
    let artifacts = Artifacts::find_from(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let output = compiler_output(&artifacts);
    let mut built = built();
    let chain = &mut built.chain;
    let market = built.addresses.aave.unwrap();

    let pool = pool_implementation(chain, &market);
    let registry = chain
        .call_sol(
            Address::ZERO,
            market.pool,
            &Proxied::ADDRESSES_PROVIDERCall {},
        )
        .unwrap();
    let deployed = published(&output, "contracts/protocol/pool/Pool.sol", "Pool");
    let code = chain.code(pool);
    let libraries = libraries(&code, &deployed);
    assert_eq!(libraries.len(), 7);
    let expected = expected_pool(&deployed, &libraries, registry);
    assert_eq!(code_hash(chain, pool), keccak256(expected));
    for (name, library) in &libraries {
        let source = format!("contracts/protocol/libraries/logic/{name}.sol");
        let deployed = published(&output, &source, name);
        let expected = expected_library(&deployed, &libraries, *library);
        assert_eq!(code_hash(chain, *library), keccak256(expected), "{name}");
    }

    // The price falls to 194: the first account's health factor is 0.974, the second one's 1.028.
    let call = feed_call(194.0, chain.block().timestamp);
    let (operator, feed) = (built.addresses.operator, built.addresses.feed);
    chain.execute_sol(operator, feed, &call).unwrap();
    let hashes = [
        code_hash(chain, pool),
        code_hash(chain, libraries["LiquidationLogic"]),
    ];
    let liquidator = built.addresses.liquidator;
    let liquidate = |account: usize| {
        let call = AaveLiquidator::liquidateCall {
            account: built.addresses.accounts[account],
            maxRepay: U256::MAX,
            minProfit: U256::ZERO,
        };
        Transaction::call(operator, liquidator, call.abi_encode())
    };
    let run = |chain: &mut MemoryChain, transaction: &Transaction, code: B256| {
        jumps(chain, &[code], |chain| chain.call(transaction).unwrap())
    };
    let supply = market.top_up_call(built.addresses.accounts[0], 1.0);
    let supply = Transaction::call(built.addresses.accounts[0], supply.0, supply.1);
    for code in hashes {
        let (execution, count) = run(chain, &liquidate(0), code);
        assert!(liquidated(&execution, market.pool) && count > 50, "{count}");
    }
    // What liquidates nobody runs the pool and not the code of liquidations.
    assert!(run(chain, &supply, hashes[0]).1 > 0);
    let (execution, count) = run(chain, &supply, hashes[1]);
    assert!(execution.is_success());
    assert_eq!(count, 0);
    let (healthy, _) = run(chain, &liquidate(1), hashes[1]);
    assert!(!healthy.is_success());
    // What keepers think that both cost is right within a tenth.
    let made = run(chain, &liquidate(0), hashes[0]).0;
    for (gas, thought) in [
        (made.gas_used, LIQUIDATION_GAS),
        (healthy.gas_used, REVERT_GAS),
    ] {
        assert!(gas.abs_diff(thought) < thought / 10, "{gas} for {thought}");
    }
}

fn liquidated(execution: &Execution, pool: Address) -> bool {
    let logs = execution.logs.iter();
    logs.filter(|log| log.address == pool)
        .any(|log| Pool::LiquidationCall::decode_log(log).is_ok())
}

#[test]
fn aave_grants_half_above_a_health_factor_of_0_95_and_all_below() {
    let mut built = built();
    let market = built.addresses.aave.unwrap();
    let (operator, feed) = (built.addresses.operator, built.addresses.feed);
    let account = built.addresses.accounts[0];
    let debt = input().accounts[0].debt;
    for (price, share) in [(200.0, 0.0), (194.0, 0.5), (189.3, 0.5), (189.2, 1.0)] {
        let chain = &mut built.chain;
        let call = feed_call(price, chain.block().timestamp);
        chain.execute_sol(operator, feed, &call).unwrap();
        let liquidator = built.addresses.liquidator;
        let (repay, seize) = market.quote(chain, liquidator, account).unwrap();
        assert!((repay - debt * share).abs() <= 2e-6, "{price}: {repay}");
        assert!(
            (seize - repay * 1.05 / price).abs() < 1e-9,
            "{price}: {seize}"
        );
        // A question changes nothing.
        assert_eq!(market.quote(chain, liquidator, account).unwrap().0, repay);
    }
}

/// What Breakwater's pool under the rigid policy and Aave's grant at a price, collateral and debt being those of `input`.
fn grants(input: &WorldInput, price: f64) -> [(f64, f64); 2] {
    let parameters = parameters();
    [Policy::Rigid, Policy::AaveV3].map(|policy| {
        let mut built = build(&parameters, input, WorldKind::Policy(policy), SEED, false).unwrap();
        let addresses = &built.addresses;
        let chain = &mut built.chain;
        let call = feed_call(price, chain.block().timestamp);
        chain
            .execute_sol(addresses.operator, addresses.feed, &call)
            .unwrap();
        let account = addresses.accounts[0];
        if let Some(market) = addresses.aave {
            return market.quote(chain, addresses.liquidator, account).unwrap();
        }
        let call = ILendingPool::quoteLiquidationCall {
            account,
            collateralId: U256::ZERO,
            maxRepay: U256::MAX,
        };
        let grant = chain
            .call_sol(addresses.operator, addresses.pool, &call)
            .unwrap()
            .grant;
        (
            from_base(grant.repay, DEBT_UNIT),
            from_base(grant.seize, COLLATERAL_UNIT),
        )
    })
}

#[test]
fn the_rigid_policy_grants_what_aave_does() {
    let mut granted = 0;
    // Healthy; half; all; all collateral for less than all debt, still solvent and not.
    for price in [
        200.0, 197.3, 194.0, 189.3, 189.2, 180.0, 173.0, 170.0, 165.0,
    ] {
        let [rigid, aave] = grants(&input(), price);
        // To three units of the debt token and to what they buy.
        assert!(
            (rigid.0 - aave.0).abs() <= 3e-6,
            "{price}: {rigid:?} {aave:?}"
        );
        assert!(
            (rigid.1 - aave.1).abs() <= 3e-8,
            "{price}: {rigid:?} {aave:?}"
        );
        granted += usize::from(aave.0 > 0.0);
    }
    assert_eq!(granted, 8);
}

#[test]
fn dust_is_where_they_differ() {
    // 150 debt tokens, half of which would be less than the least debt of 100.
    let mut input = input();
    input.accounts[0] = Account {
        collateral: 0.907,
        debt: 150.0,
    };
    let [rigid, aave] = grants(&input, 198.0);
    assert!((rigid.0 - 150.0).abs() <= 3e-6, "{rigid:?}");
    assert!((aave.0 - 75.0).abs() <= 3e-6, "{aave:?}");
}

#[test]
fn an_oracle_that_is_silent_is_believed_and_one_without_an_answer_is_not() {
    let mut built = built();
    let market = built.addresses.aave.unwrap();
    let chain = &mut built.chain;
    let mut block = chain.block().clone();
    block.timestamp += 30 * 86_400;
    chain.begin_block(block);
    assert_eq!(market.price(chain).unwrap(), 200.0);
    let call = feed_call(0.0, 0);
    let (operator, feed) = (built.addresses.operator, built.addresses.feed);
    chain.execute_sol(operator, feed, &call).unwrap();
    assert!(market.price(chain).is_err());
}

#[test]
fn actions_of_borrowers_reach_their_positions() {
    let (parameters, input) = (parameters(), input());
    let kind = WorldKind::Policy(Policy::AaveV3);
    let mut world = crate::world::World::new(&parameters, &input, kind, SEED).unwrap();
    let bid = Bid {
        max_fee: 10.0,
        tip: 1.0,
    };
    let intents = [
        Action::TopUp {
            account: 0,
            collateral: 1.0,
        },
        Action::Repay {
            account: 0,
            debt: 100.0,
        },
        Action::Deleverage {
            account: 0,
            debt: 200.0,
            max_collateral: 1.1,
        },
    ]
    .map(|action| Intent {
        action,
        bid,
        gas_limit: 1_200_000,
    });
    for intent in intents {
        let sender = crate::mempool::Sender::Borrower(0);
        world.mempool.submit(sender, intent, 9);
        let mut counts = Default::default();
        world.build(1, 200.0, &mut Vec::new(), &mut counts).unwrap();
        assert_eq!((counts.transactions, counts.reverted), (1, 0), "{intent:?}");
    }
    let position = world.mirror.index().position(0);
    assert_eq!(position.debt_shares, (input.accounts[0].debt - 300.0) * 1e6);
    // 200 debt tokens cost 1.003 tokens and their own impact.
    let left = 11.0 - position.collateral;
    assert!(left > 1.003 && left < 1.02, "{left}");
    world.audit().unwrap();
}

#[test]
fn who_may_sell_collateral_to_repay_is_another_difference() {
    let (parameters, input) = (parameters(), input());
    let reverted = |policy| {
        let kind = WorldKind::Policy(policy);
        let mut world = crate::world::World::new(&parameters, &input, kind, SEED).unwrap();
        // At a loan-to-value of 82.7%, above the borrow limit of 80% and below the threshold of 83%.
        let intent = Intent {
            action: Action::Deleverage {
                account: 0,
                debt: 20.0,
                max_collateral: 0.11,
            },
            bid: Bid {
                max_fee: 10.0,
                tip: 1.0,
            },
            gas_limit: 1_200_000,
        };
        let sender = crate::mempool::Sender::Borrower(0);
        world.mempool.submit(sender, intent, 9);
        let mut counts = Default::default();
        world.build(1, 200.0, &mut Vec::new(), &mut counts).unwrap();
        assert_eq!(counts.transactions, 1);
        counts.reverted
    };
    // Breakwater judges a withdrawal by the borrow limit, Aave by the threshold.
    assert_eq!(reverted(Policy::Rigid), 1);
    assert_eq!(reverted(Policy::AaveV3), 0);
}

#[test]
fn a_missing_package_and_another_version_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let absent = Artifacts::find_from(folder.path()).unwrap_err().to_string();
    assert!(
        absent.contains("@aave/core-v3") && absent.contains("npm ci"),
        "{absent}"
    );
    let package = folder.path().join("node_modules/@aave/core-v3");
    fs::create_dir_all(&package).unwrap();
    fs::write(package.join("package.json"), r#"{ "version": "1.0.0" }"#).unwrap();
    let below = folder.path().join("a/b");
    let other = Artifacts::find_from(&below).unwrap_err().to_string();
    assert!(
        other.contains(VERSION) && other.contains("found 1.0.0"),
        "{other}"
    );
    let description = format!(r#"{{ "version": "{VERSION}" }}"#);
    fs::write(package.join("package.json"), description).unwrap();
    let artifacts = Artifacts::find_from(&below).unwrap();
    let hollow = artifacts.hashes().unwrap_err().to_string();
    assert!(hollow.contains("AaveOracle.json"), "{hollow}");
}

#[test]
fn a_contract_whose_libraries_are_missing_is_not_linked() {
    let artifacts = Artifacts::find().unwrap();
    let refused = artifacts
        .creation_code("Pool", &Libraries::new())
        .unwrap_err()
        .to_string();
    assert!(refused.contains("is not deployed"), "{refused}");
}
