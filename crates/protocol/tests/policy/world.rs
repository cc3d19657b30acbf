//! A chain with one policy, and the callers and oracles around it as a few instructions each.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolConstructor, SolEventInterface, SolValue};
use breakwater_bindings::{
    BackstopPolicy, DampedPolicy as Bound, ILiquidationPolicy, IPriceOracle,
};
use breakwater_evm::{BlockEnvironment, CallError, Chain, Execution, MemoryChain, Outcome, Rules};
use breakwater_protocol::policy::{
    AccountEpoch, Bucket, DepthObservation, Environment, Flag, LiquidationGrant,
    LiquidationRequest, PolicyState, Seed, Write,
};

pub const ORACLE: Address = Address::repeat_byte(0x0c);
pub const NATIVE_ORACLE: Address = Address::repeat_byte(0x0e);
const BACKSTOP: Address = Address::repeat_byte(0xb5);
const DEPLOYER: Address = Address::repeat_byte(0xde);
const ANYBODY: Address = Address::repeat_byte(0xab);

/// Slots of an oracle: the five words of `Prices`, then the depth.
const FAST: U256 = U256::ZERO;
const STATUS: U256 = U256::from_limbs([4, 0, 0, 0]);
const DEPTH: U256 = U256::from_limbs([5, 0, 0, 0]);

/// Slots of a pool: the words of `CollateralState`.
const STATE_ORACLE: U256 = U256::ONE;
const STATE_TOTAL: U256 = U256::from_limbs([10, 0, 0, 0]);

/// Answers `depth()` with slot 5 and everything else with slots 0 to 4.
fn oracle_code() -> Bytes {
    let mut code = vec![0x5f, 0x35, 0x60, 0xe0, 0x1c, 0x63];
    code.extend(IPriceOracle::depthCall::SELECTOR);
    code.extend([0x14, 0x60, 48, 0x57]);
    code.extend(answer_slots(5));
    assert_eq!(code.len(), 48);
    code.extend([0x5b, 0x60, 5, 0x54, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3]);
    code.into()
}

/// Returns the first slots: `sload`, `mstore` each, then `return`.
fn answer_slots(count: u8) -> Vec<u8> {
    let wide = count > 8;
    let mut code = Vec::new();
    let push = |value: u16, code: &mut Vec<u8>| {
        if wide {
            code.extend([0x61, (value >> 8) as u8, value as u8]);
        } else {
            code.extend([0x60, value as u8]);
        }
    };
    for slot in 0..count {
        code.extend([0x60, slot, 0x54]);
        push(u16::from(slot) * 32, &mut code);
        code.push(0x52);
    }
    push(u16::from(count) * 32, &mut code);
    code.extend([0x5f, 0xf3]);
    code
}

/// What a commit did.
#[derive(Debug)]
pub struct Committed {
    pub grant: LiquidationGrant,
    pub writes: Vec<Write>,
}

/// A chain with a policy, the pool that calls it, and its oracles.
pub struct World {
    chain: MemoryChain,
    policy: Address,
    rules: Rules,
    /// The pool that calls; every one begins with nothing stored.
    pub pool: Address,
    depth: U256,
    native: (U256, u8),
}

impl World {
    pub fn new(creation_code: &[u8], arguments: &[u8], rules: Rules, start: u64) -> Self {
        let mut chain = MemoryChain::new(rules.clone());
        chain.begin_block(BlockEnvironment {
            number: 1_000,
            timestamp: start,
            ..BlockEnvironment::default()
        });
        let policy = chain.deploy(DEPLOYER, creation_code, arguments).unwrap();
        chain.set_code(ORACLE, oracle_code());
        chain.set_code(NATIVE_ORACLE, oracle_code());
        let mut world = Self {
            chain,
            policy,
            rules,
            pool: Address::repeat_byte(0x90),
            depth: U256::ZERO,
            native: (U256::ZERO, 0),
        };
        world.next_pool();
        world
    }

    /// Puts a backstop before the policy, for the present pool. It answers whatever it is asked with one number: its pool while the
    /// contract is made, then what it can spend.
    pub fn put_backstop_first(&mut self, absorption_health: U256) {
        self.chain.set_code(BACKSTOP, answer_slots(1).into());
        self.set_room(U256::from_be_bytes(self.pool.into_word().0));
        let arguments = BackstopPolicy::constructorCall {
            behind: self.policy,
            backstop: BACKSTOP,
            absorptionHealth: absorption_health,
        };
        let code = &BackstopPolicy::BYTECODE;
        self.policy = self
            .chain
            .deploy(DEPLOYER, code, &arguments.abi_encode())
            .unwrap();
    }

    /// What the backstop can spend.
    pub fn set_room(&mut self, room: U256) {
        self.chain.set_storage(BACKSTOP, U256::ZERO, room);
    }

    /// `quoteAbsorption`; `None` if it reverts.
    pub fn quote_absorption(&mut self, request: &LiquidationRequest) -> Option<LiquidationGrant> {
        let bound = ILiquidationPolicy::LiquidationRequest::from(request);
        let call = BackstopPolicy::quoteAbsorptionCall {
            request: SolValue::abi_decode(&bound.abi_encode()).unwrap(),
        };
        let execution = self
            .chain
            .view(ANYBODY, self.policy, call.abi_encode().into())
            .unwrap();
        granted(&execution)
    }

    /// Goes on with a pool that has called never before.
    pub fn next_pool(&mut self) {
        let number = U256::from_be_slice(self.pool.as_slice()) + U256::ONE;
        self.pool = Address::from_word(number.into());
        self.chain.set_code(self.pool, answer_slots(12).into());
    }

    /// Whether a policy's constructor accepts these arguments.
    pub fn deploys(creation_code: &[u8], arguments: &[u8], rules: Rules) -> bool {
        let mut chain = MemoryChain::new(rules);
        chain.begin_block(BlockEnvironment::default());
        match chain.deploy(DEPLOYER, creation_code, arguments) {
            Ok(_) => true,
            Err(CallError::Reverted { .. }) => false,
            Err(error) => panic!("{error}"),
        }
    }

    pub fn block(&self) -> &BlockEnvironment {
        self.chain.block()
    }

    /// Opens a block `seconds` and `blocks` later.
    pub fn advance(&mut self, seconds: u64, blocks: u64, base_fee: u64) {
        let block = self.chain.block();
        let next = BlockEnvironment {
            number: block.number + blocks,
            timestamp: block.timestamp + seconds,
            base_fee,
            ..block.clone()
        };
        self.chain.begin_block(next);
    }

    /// What the collateral's oracle says of depth.
    pub fn set_depth(&mut self, depth: U256) {
        self.depth = depth;
        self.chain.set_storage(ORACLE, DEPTH, depth);
    }

    /// What the native coin's oracle says: a price and a status, 2 for down.
    pub fn set_native(&mut self, price: U256, status: u8) {
        self.native = (price, status);
        self.chain.set_storage(NATIVE_ORACLE, FAST, price);
        self.chain
            .set_storage(NATIVE_ORACLE, STATUS, U256::from(status));
    }

    /// What the pool says to `recordDepth`.
    pub fn set_collateral(&mut self, total: U256, price: U256) {
        let oracle = U256::from_be_bytes(ORACLE.into_word().0);
        self.chain.set_storage(self.pool, STATE_ORACLE, oracle);
        self.chain.set_storage(self.pool, STATE_TOTAL, total);
        self.chain.set_storage(ORACLE, FAST, price);
    }

    /// What the chain supplies to a decision now.
    pub fn environment(&self, oracle: Address, seed: Seed) -> Environment {
        let block = self.chain.block();
        let (price, status) = self.native;
        Environment {
            chain_id: self.rules.chain_id,
            pool: self.pool,
            timestamp: block.timestamp,
            block_number: block.number,
            base_fee: block.base_fee,
            anchor_hash: self.block_hash(seed.anchor),
            native_price: if status < 2 { price } else { U256::ZERO },
            depth_reading: if oracle == ORACLE {
                self.depth
            } else {
                U256::ZERO
            },
        }
    }

    fn block_hash(&self, number: u64) -> B256 {
        let seed = self.rules.block_hash_seed;
        keccak256([seed.as_slice(), &number.to_be_bytes()].concat())
    }

    /// `quote`; `None` if it reverts.
    pub fn quote(&mut self, request: &LiquidationRequest) -> Option<LiquidationGrant> {
        let call = ILiquidationPolicy::quoteCall {
            pool: self.pool,
            request: request.into(),
        };
        let execution = self
            .chain
            .view(ANYBODY, self.policy, call.abi_encode().into())
            .unwrap();
        granted(&execution)
    }

    /// `commit` from the pool; `None` if it reverts.
    pub fn commit(&mut self, request: &LiquidationRequest) -> Option<Committed> {
        let call = ILiquidationPolicy::commitCall {
            request: request.into(),
        };
        let execution = self
            .chain
            .execute_unmetered(self.pool, self.policy, call.abi_encode().into())
            .unwrap();
        let grant = granted(&execution)?;
        Some(Committed {
            grant,
            writes: self.writes(&execution),
        })
    }

    /// `recordDepth`; `None` if it reverts.
    pub fn record_depth(&mut self, collateral_id: u64) -> Option<Vec<Write>> {
        let call = Bound::recordDepthCall {
            pool: self.pool,
            collateralId: U256::from(collateral_id),
        };
        let execution = self
            .chain
            .execute_unmetered(ANYBODY, self.policy, call.abi_encode().into())
            .unwrap();
        (execution.outcome == Outcome::Success).then(|| self.writes(&execution))
    }

    fn writes(&self, execution: &Execution) -> Vec<Write> {
        let timestamp = self.chain.block().timestamp;
        execution
            .logs
            .iter()
            .map(|log| {
                let event = Bound::DampedPolicyEvents::decode_raw_log(log.topics(), &log.data.data);
                let (pool, write) = Write::from_event(&event.unwrap(), timestamp).unwrap();
                assert_eq!((log.address, pool), (self.policy, self.pool));
                write
            })
            .collect()
    }

    /// Any view of the policy.
    pub fn read<C: SolCall>(&mut self, call: &C) -> C::Return {
        self.chain.call_sol(ANYBODY, self.policy, call).unwrap()
    }

    /// Compares the slots that one decision reads with the contract's, through its views.
    pub fn check_slots(&mut self, state: &PolicyState, account: Address, collateral_id: u64) {
        let id = U256::from(collateral_id);
        let pool = self.pool;
        let flag = self.read(&Bound::flagOfCall {
            pool,
            account,
            collateralId: id,
        });
        let flag = Flag {
            since: flag.since.to(),
            cumulative: flag.cumulative.to(),
        };
        let bucket = self.read(&Bound::storedBucketCall {
            pool,
            collateralId: id,
        });
        let bucket = Bucket {
            updated_at: bucket.updatedAt,
            level: bucket.level.to(),
            depth: bucket.depth.to(),
        };
        let seen = self.read(&Bound::observationOfCall {
            pool,
            collateralId: id,
        });
        let seen = DepthObservation {
            at: seen.at,
            opening: seen.opening,
            floor: seen.floor.to(),
            reading: seen.reading.to(),
        };
        let epoch = self.read(&Bound::accountEpochOfCall { pool, account });
        let epoch = AccountEpoch {
            epoch: epoch.epoch,
            gas_paid: epoch.gasPaid,
            debt: epoch.debt,
            used: epoch.used,
        };
        let seed = self.read(&Bound::seedOfCall { pool });
        let seed = Seed {
            rotation: seed.rotation,
            anchor: seed.anchor,
            seed: seed.seed.to(),
        };
        assert_eq!(
            (flag, bucket, seen, epoch, seed),
            (
                state.flag(account, collateral_id),
                state.bucket(collateral_id),
                state.observation(collateral_id),
                state.account(account),
                state.seed()
            )
        );
    }
}

fn granted(execution: &Execution) -> Option<LiquidationGrant> {
    match execution.outcome {
        Outcome::Success => {
            let grant =
                ILiquidationPolicy::quoteCall::abi_decode_returns(&execution.output).unwrap();
            Some(LiquidationGrant::try_from(&grant).unwrap())
        }
        Outcome::Revert => None,
        Outcome::Halt(ref halt) => panic!("the policy halted: {halt:?}"),
    }
}
