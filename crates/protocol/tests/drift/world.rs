//! A pool with two collaterals in revm, deployed as every system is, and forty actors with plenty of everything.

use alloy_primitives::{Address, B256, Bytes, I256, Log, U256, hex, keccak256};
use alloy_sol_types::{SolCall, SolConstructor};
use breakwater_bindings::{
    DampedPolicy, ICircuitBreaker, ILendingPool, IPriceOracle, IRateModel, RigidPolicy, SimFeed,
    SimToken, SystemDeployer,
};
use breakwater_evm::{BlockEnvironment, Chain, MemoryChain, Rules, Transaction};
use breakwater_protocol::policy::{DampedParameters, Policy};
use breakwater_protocol::{BlockRef, Description, Mirror, MirroredPolicy, Reading};

use super::random::Random;

pub const ACTORS: usize = 40;
pub const FEEDS: usize = 2;
const GAS: u64 = 2_000_000_000;
const GOVERNOR: Address = Address::repeat_byte(0x60);
const DONATION_SOURCE: Address = Address::repeat_byte(0x61);

/// Where everything is, and what every reorg keeps: contracts are deployed before the first block.
#[derive(Clone)]
pub struct Place {
    pub asset: Address,
    /// The third is listed on the way.
    pub tokens: [Address; 3],
    pub feeds: [Address; FEEDS],
    pub timelock: Address,
    pub pool: Address,
    pub breaker: Address,
    pub damped: Address,
    pub rigid: Address,
    pub native_oracle: Address,
    pub borrower: Address,
    pub actors: Vec<Address>,
    pub description: Description,
    pub policies: [(Address, Policy); 2],
    /// What the deployment said.
    pub deployment: (BlockRef, BlockRef, Vec<Log>),
}

/// Sends a transaction; its logs if it succeeded.
pub fn send<C: SolCall>(
    chain: &mut MemoryChain,
    from: Address,
    to: Address,
    call: &C,
) -> Option<Vec<Log>> {
    let transaction = Transaction {
        gas_limit: GAS,
        ..Transaction::call(from, to, call.abi_encode())
    };
    let execution = chain.execute(&transaction).unwrap();
    execution.is_success().then_some(execution.logs)
}

pub fn view<C: SolCall>(chain: &mut MemoryChain, to: Address, call: &C) -> C::Return {
    chain.call_sol(GOVERNOR, to, call).unwrap()
}

fn deploy<C: SolConstructor>(chain: &mut MemoryChain, code: &Bytes, constructor: &C) -> Address {
    chain.deploy_sol(GOVERNOR, code, constructor).unwrap()
}

fn token(chain: &mut MemoryChain, name: &str, decimals: u8) -> Address {
    let constructor = SimToken::constructorCall {
        name_: name.to_owned(),
        symbol_: name.to_owned(),
        decimals_: decimals,
    };
    deploy(chain, &SimToken::BYTECODE, &constructor)
}

pub fn environment(number: u64, timestamp: u64, base_fee: u64) -> BlockEnvironment {
    BlockEnvironment {
        number,
        timestamp,
        base_fee,
        gas_limit: GAS,
        ..BlockEnvironment::default()
    }
}

/// A price with 8 decimals into a feed.
pub fn report(chain: &mut MemoryChain, feed: Address, price: f64) {
    let call = SimFeed::setCall {
        answer: I256::from_raw(U256::from((price * 1e8) as u64)),
        updatedAt: U256::from(chain.block().timestamp),
    };
    send(chain, GOVERNOR, feed, &call).unwrap();
}

pub const FIRST_PRICES: [f64; FEEDS] = [2_000.0, 30_000.0];

/// Deploys everything in block 1,000,001; the chain is left in that block.
pub fn build() -> (MemoryChain, Place) {
    let rules = Rules {
        code_size_limit: Some(usize::MAX),
        ..Rules::default()
    };
    let chain_id = rules.chain_id;
    let mut chain = MemoryChain::new(rules);
    let before = block_ref(1_000_000, 1_700_000_000, B256::ZERO, 0);
    let first = block_ref(1_000_001, 1_700_000_012, before.hash, 0);
    chain.begin_block(environment(first.number, first.timestamp, 20_000_000_000));
    let asset = token(&mut chain, "Debt", 18);
    let tokens = [("A", 18), ("B", 8), ("C", 18)].map(|(n, d)| token(&mut chain, n, d));
    let feeds = FIRST_PRICES.map(|price| {
        let constructor = SimFeed::constructorCall { decimals_: 8 };
        let feed = deploy(&mut chain, &SimFeed::BYTECODE, &constructor);
        report(&mut chain, feed, price);
        feed
    });
    let (system, logs) = deploy_system(&mut chain, asset, tokens, feeds);
    let bonus = U256::from(50_000_000_000_000_000_u64);
    let constructor = RigidPolicy::constructorCall { bonus };
    let rigid = deploy(&mut chain, &RigidPolicy::BYTECODE, &constructor);
    // Answers every call with what a flash borrower has to answer.
    let borrower = Address::repeat_byte(0xf1);
    let answer = keccak256("ERC3156FlashBorrower.onFlashLoan");
    let code = [&hex!("7f")[..], answer.as_slice(), &hex!("5f5260205ff3")].concat();
    chain.set_code(borrower, code.into());

    let actors: Vec<_> = (0..ACTORS)
        .map(|number| Address::left_padding_from(&(0xac_0000 + number as u64).to_be_bytes()))
        .collect();
    for actor in actors.iter().chain([&borrower]) {
        for token in [asset, tokens[0], tokens[1], tokens[2]] {
            endow(&mut chain, *actor, token, system.pool);
        }
    }
    endow(&mut chain, DONATION_SOURCE, asset, system.pool);
    let rate = view(&mut chain, system.rateModel, &IRateModel::parametersCall {});
    let policy = described(&mut chain, system.policy);
    let damped = view(&mut chain, system.policy, &DampedPolicy::parametersCall {});
    let damped = DampedParameters::try_from(&damped).unwrap();
    let native_oracle = damped.native_oracle;
    let damped = breakwater_protocol::policy::DampedPolicy::new(damped).unwrap();
    let undamped = breakwater_protocol::policy::RigidPolicy { bonus };
    let place = Place {
        asset,
        tokens,
        feeds,
        timelock: system.timelock,
        pool: system.pool,
        breaker: system.breaker,
        damped: system.policy,
        rigid,
        native_oracle,
        borrower,
        actors,
        description: Description {
            chain_id,
            pool: system.pool,
            asset: view(&mut chain, system.pool, &ILendingPool::assetTokenCall {}),
            rate: (&rate).into(),
            policy,
        },
        policies: [
            (system.policy, Policy::Damped(damped)),
            (rigid, Policy::Rigid(undamped)),
        ],
        deployment: (before, first, logs),
    };
    (chain, place)
}

fn endow(chain: &mut MemoryChain, actor: Address, token: Address, pool: Address) {
    let amount = U256::ONE << 110;
    let mint = SimToken::mintCall { to: actor, amount };
    send(chain, GOVERNOR, token, &mint).unwrap();
    let approve = SimToken::approveCall {
        spender: pool,
        amount: U256::MAX,
    };
    send(chain, actor, token, &approve).unwrap();
}

fn deploy_system(
    chain: &mut MemoryChain,
    asset: Address,
    tokens: [Address; 3],
    feeds: [Address; FEEDS],
) -> (SystemDeployer::System, Vec<Log>) {
    let creation = Transaction {
        gas_limit: GAS,
        ..Transaction::create(GOVERNOR, SystemDeployer::BYTECODE.clone())
    };
    let created = chain.execute(&creation).unwrap().into_success().unwrap();
    let deployer = created.created.unwrap();
    let mut plan = view(chain, deployer, &SystemDeployer::defaultPlanCall {});
    plan.asset = asset;
    plan.governance = GOVERNOR;
    plan.guardian = GOVERNOR;
    plan.timelockDelay = U256::ZERO;
    let default = plan.collaterals[0].clone();
    plan.collaterals = (0..FEEDS)
        .map(|number| {
            let mut collateral = default.clone();
            collateral.base.source = feeds[number];
            // There is no venue: the slow price confirms.
            collateral.listing.confirmationBand = 200;
            collateral.listing.token = tokens[number];
            collateral
        })
        .collect();
    // The second may not be damped and has other ratios.
    plan.collaterals[1].listing.damped = false;
    plan.collaterals[1].listing.borrowLtv = 7_000;
    plan.collaterals[1].listing.liquidationThreshold = 7_550;
    let call = SystemDeployer::deployCall { plan };
    let transaction = Transaction {
        gas_limit: GAS,
        ..Transaction::call(GOVERNOR, deployer, call.abi_encode())
    };
    let execution = chain.execute(&transaction).unwrap().into_success().unwrap();
    let system = SystemDeployer::deployCall::abi_decode_returns(&execution.output).unwrap();
    (system, execution.logs)
}

/// What a keeper reads of a policy.
pub fn described(chain: &mut MemoryChain, address: Address) -> MirroredPolicy {
    let call = breakwater_bindings::ILiquidationPolicy::needsConfirmationCall {};
    MirroredPolicy {
        address,
        needs_confirmation: view(chain, address, &call),
    }
}

/// What a keeper reads of the oracles.
pub fn readings(chain: &mut MemoryChain, mirror: &Mirror) -> Vec<Reading> {
    let oracles: Vec<_> = mirror.collaterals().iter().map(|c| c.oracle).collect();
    oracles
        .into_iter()
        .map(|oracle| {
            let prices = view(chain, oracle, &IPriceOracle::peekCall {});
            let last = view(chain, oracle, &IPriceOracle::lastPriceCall {});
            Reading::new(&prices, last).unwrap()
        })
        .collect()
}

pub fn level(chain: &mut MemoryChain, place: &Place) -> u8 {
    let call = ICircuitBreaker::levelOfCall { pool: place.pool };
    view(chain, place.breaker, &call)
}

/// A block of a chain whose hashes tell its branch.
pub fn block_ref(number: u64, timestamp: u64, parent_hash: B256, branch: u64) -> BlockRef {
    let seed = [
        &number.to_be_bytes()[..],
        &branch.to_be_bytes(),
        parent_hash.as_slice(),
    ]
    .concat();
    BlockRef {
        number,
        hash: keccak256(seed),
        parent_hash,
        timestamp,
    }
}

/// Debt tokens sent to the pool as anybody can send them.
pub fn donate(chain: &mut MemoryChain, place: &Place, random: &mut Random) -> Option<Vec<Log>> {
    let amount = U256::from(random.below(1_000_000_000_000));
    let call = SimToken::transferCall {
        to: place.pool,
        amount,
    };
    send(chain, DONATION_SOURCE, place.asset, &call)
}

pub fn balance(chain: &mut MemoryChain, place: &Place) -> u128 {
    let owner = place.pool;
    let balance = view(chain, place.asset, &SimToken::balanceOfCall { owner });
    u128::try_from(balance).unwrap()
}
