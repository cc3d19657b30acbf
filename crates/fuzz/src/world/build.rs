//! Deployment and warm-up, contract by contract in the order of the Solidity fixture, which fixes the addresses.

use alloy_primitives::{Address, Bytes, I256, Log, U256, address, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use breakwater_bindings::{
    BackstopDeployer, BackstopPool, FuzzLens, FuzzVenue, ILendingPool, ILiquidationPolicy,
    IPriceOracle, IRateModel, LendingPool, LendingPoolExtension, PoolActor, PoolHookToken,
    PremiumSteward, SimFeed, SimToken, SystemDeployer, TwapOracle,
};
use breakwater_evm::{CallError, Chain, MemoryChain, Rules, Transaction};
use breakwater_protocol::policy::{
    DampedParameters, DampedPolicy, Policy, RigidPolicy, TargetHealthPolicy, TurnMode,
};
use breakwater_protocol::{BlockRef, Description, Mirror, MirroredPolicy};

use super::{
    ACTORS, ANSWER_BOUNDS, BackstopPlace, COLLATERALS, FIRST_ANSWERS, FOUNDER, GAS, GUARDIAN,
    HEARTBEAT, OWNER, PEOPLE, Place, PolicyPlan, STRANGER, World, WorldError, WorldPlan,
    address_of, environment,
};
use crate::artifacts::Artifacts;
use crate::encode::BlockAt;

/// Creates everything and calls nothing: the n-th contract's address depends on nothing but n.
const DEPLOYER: Address = address!("00000000000000000000000000000000000deb10");

/// The rate model is the tenth contract that the deployer makes.
const RATE_MODEL: u64 = 9;

const START: BlockAt = BlockAt {
    timestamp: 1_700_000_000,
    number: 1_000_000,
    base_fee: 1_000_000_000,
};

/// HF_t of absorptions, and the share of the growth of reserves that is the premium, WAD.
const ABSORPTION_HEALTH: u64 = 1_050_000_000_000_000_000;
const PREMIUM_SHARE: u64 = 500_000_000_000_000_000;

const PLENTY: U256 = U256::from_limbs([0, 1 << 36, 0, 0]);

struct Builder<'a> {
    chain: MemoryChain,
    artifacts: &'a Artifacts,
    world: &'static WorldPlan,
    logs: Vec<Log>,
}

trait During<T> {
    fn during(self, during: &'static str) -> Result<T, WorldError>;
}

impl<T, E: Into<CallError>> During<T> for Result<T, E> {
    fn during(self, during: &'static str) -> Result<T, WorldError> {
        self.map_err(|error| WorldError::Call {
            during,
            source: error.into(),
        })
    }
}

pub(super) fn build(artifacts: &Artifacts, world: &'static WorldPlan) -> Result<World, WorldError> {
    let warm = BlockAt {
        timestamp: START.timestamp + world.warm_up,
        number: START.number + world.warm_up / 12,
        base_fee: START.base_fee,
    };
    let plan = default_plan()?;
    let mut builder = Builder {
        chain: MemoryChain::new(Rules::default()),
        artifacts,
        world,
        logs: Vec::new(),
    };
    builder.chain.begin_block(environment(START));
    let (place, watched, policies) = builder.deploy(&plan)?;
    builder.configure(&place, &plan)?;
    let described = builder.describe(&place)?;
    let first = BlockRef {
        number: 1,
        timestamp: START.timestamp,
        ..BlockRef::default()
    };
    let mut mirror = Mirror::new(described, BlockRef::default())?;
    if place.backstop.is_some() {
        builder.found(&place)?;
    }
    let mut policy_history = own_logs(&builder.logs, &place.policies, START.timestamp);
    if let Some(address) = mirror.apply_block(&first, &builder.logs)?.policy_set {
        let policy = MirroredPolicy {
            address,
            needs_confirmation: described.policy.needs_confirmation,
        };
        mirror.describe_policy(policy, [])?;
    }
    builder.logs.clear();

    builder.chain.begin_block(environment(warm));
    builder.quote(&place)?;
    for oracle in place.oracles {
        builder.send(
            STRANGER,
            oracle,
            &IPriceOracle::updateCall {},
            "update an oracle",
        )?;
    }
    builder.populate(&place)?;
    if let Some(backstop) = place.backstop {
        let call = BackstopPool::rollCall {};
        builder.send(STRANGER, backstop.pool, &call, "roll the backstop")?;
    }
    let second = BlockRef {
        number: 2,
        timestamp: warm.timestamp,
        ..BlockRef::default()
    };
    mirror.apply_block(&second, &builder.logs)?;
    policy_history.extend(own_logs(&builder.logs, &place.policies, warm.timestamp));

    let chain = &mut builder.chain;
    let codes = watched
        .iter()
        .map(|address| keccak256(chain.code(*address)))
        .collect();
    let read = [false, true].map(|whole| sight(&place, world, whole));
    Ok(World {
        plan: world,
        snapshot: builder.chain.snapshot(),
        block: warm,
        place,
        mirror,
        policy_history,
        policies,
        codes,
        read,
    })
}

/// What `DEPLOYMENT`'s defaults are, from the one place that defines them.
fn default_plan() -> Result<SystemDeployer::SystemPlan, WorldError> {
    let mut chain = MemoryChain::new(Rules {
        code_size_limit: Some(usize::MAX),
        ..Rules::default()
    });
    chain.begin_block(environment(START));
    let creation = Transaction {
        gas_limit: 2_000_000_000,
        ..Transaction::create(DEPLOYER, SystemDeployer::BYTECODE.clone())
    };
    let deployer = chain
        .execute(&creation)
        .during("deploy the defaults")?
        .created
        .unwrap_or_default();
    chain
        .call_sol(STRANGER, deployer, &SystemDeployer::defaultPlanCall {})
        .during("read the defaults")
}

/// The backstop's defaults, from the one place that defines them.
fn backstop_parameters(
    pool: Address,
    unit: U256,
) -> Result<BackstopDeployer::BackstopParameters, WorldError> {
    let mut chain = MemoryChain::new(Rules {
        code_size_limit: Some(usize::MAX),
        ..Rules::default()
    });
    chain.begin_block(environment(START));
    let creation = Transaction {
        gas_limit: 2_000_000_000,
        ..Transaction::create(DEPLOYER, BackstopDeployer::BYTECODE.clone())
    };
    let deployer = chain
        .execute(&creation)
        .during("deploy the backstop's defaults")?
        .created
        .unwrap_or_default();
    let call = BackstopDeployer::defaultParametersCall { pool, unit };
    chain
        .call_sol(STRANGER, deployer, &call)
        .during("read the backstop's defaults")
}

fn own_logs(logs: &[Log], of: &[Address], timestamp: u64) -> Vec<(u64, Log)> {
    let own = logs.iter().filter(|log| of.contains(&log.address));
    own.map(|log| (timestamp, log.clone())).collect()
}

fn sight(place: &Place, world: &WorldPlan, whole: bool) -> Bytes {
    // The backstop's policy keeps the first one's state at its own address.
    let first = world.policies.first().filter(|_| world.with_backstop);
    let policies = place
        .policies
        .iter()
        .zip(world.policies.iter().chain(first));
    let sight = FuzzLens::Sight {
        pool: place.pool,
        policies: policies
            .map(|(policy, plan)| match plan {
                PolicyPlan::Damped { .. } => *policy,
                _ => Address::ZERO,
            })
            .collect(),
        breaker: place.breaker,
        oracles: place.oracles.to_vec(),
        accounts: place.actors.to_vec(),
        backstop: place.backstop.unwrap_or_default().pool,
        founder: FOUNDER,
    };
    FuzzLens::readCall { sight, whole }.abi_encode().into()
}

impl Builder<'_> {
    fn create(
        &mut self,
        code: &Bytes,
        arguments: Vec<u8>,
        during: &'static str,
    ) -> Result<Address, WorldError> {
        let input = [&code[..], &arguments].concat();
        let creation = Transaction {
            gas_limit: GAS,
            ..Transaction::create(DEPLOYER, input)
        };
        let execution = self.chain.execute(&creation).during(during)?;
        let execution = execution.into_success().during(during)?;
        self.logs.extend(execution.logs);
        Ok(execution.created.unwrap_or_default())
    }

    fn contract(&mut self, name: &'static str, arguments: Vec<u8>) -> Result<Address, WorldError> {
        let code = self.artifacts.code(name);
        self.create(&code, arguments, name)
    }

    fn send<C: SolCall>(
        &mut self,
        from: Address,
        to: Address,
        call: &C,
        during: &'static str,
    ) -> Result<(), WorldError> {
        let transaction = Transaction {
            gas_limit: GAS,
            ..Transaction::call(from, to, call.abi_encode())
        };
        let execution = self.chain.execute(&transaction).during(during)?;
        let execution = execution.into_success().during(during)?;
        self.logs.extend(execution.logs);
        Ok(())
    }

    /// Everything, the contracts whose jumps are watched, and the policies' models.
    fn deploy(
        &mut self,
        plan: &SystemDeployer::SystemPlan,
    ) -> Result<(Place, Vec<Address>, Vec<Policy>), WorldError> {
        let world = self.world;
        let token = |name: &str, symbol: &str, decimals: u8| {
            (name.to_owned(), symbol.to_owned(), U256::from(decimals)).abi_encode_params()
        };
        let asset = self.create(
            &SimToken::BYTECODE,
            token("Dollar", "USD", world.asset_decimals),
            "asset",
        )?;
        let tokens = [
            self.create(
                &SimToken::BYTECODE,
                token("Ether", "ETH", world.token_decimals[0]),
                "ether",
            )?,
            self.create(
                &PoolHookToken::BYTECODE,
                U256::from(world.token_decimals[1]).abi_encode(),
                "bitcoin",
            )?,
        ];
        let mut feeds = [Address::ZERO; COLLATERALS];
        for feed in &mut feeds {
            *feed = self.create(&SimFeed::BYTECODE, U256::from(8).abi_encode(), "feed")?;
        }
        let venue = self.create(
            &FuzzVenue::BYTECODE,
            (tokens[0], asset).abi_encode_params(),
            "venue",
        )?;
        let source = self.contract(
            "UniswapV3Source",
            (
                venue,
                tokens[0],
                asset,
                U256::from(60),
                world.dollars(1_000),
            )
                .abi_encode_params(),
        )?;
        self.quote_at(feeds, venue)?;
        let mut oracles = [Address::ZERO; COLLATERALS];
        for (id, oracle) in oracles.iter_mut().enumerate() {
            let venue = if id == 0 { source } else { Address::ZERO };
            let parameters =
                oracle_parameters(&plan.collaterals[0], tokens[id], asset, feeds[id], venue);
            *oracle = self.contract("TwapOracle", parameters.abi_encode())?;
        }
        let rate_model = self.contract("AdaptiveRateModel", plan.rate.abi_encode())?;
        let breaker = self.contract(
            "CircuitBreaker",
            (OWNER, plan.breaker.clone()).abi_encode_params(),
        )?;
        let mut policies = Vec::new();
        let mut models = Vec::new();
        for policy in world.policies {
            let (address, model) = self.policy(*policy, &plan.policy, oracles[0])?;
            policies.push(address);
            models.push(model);
        }
        let parameters = LendingPoolExtension::PoolParameters {
            asset,
            rateModel: rate_model,
            breaker,
            policy: policies[0],
            owner: OWNER,
            guardian: GUARDIAN,
            supplyCap: plan.supplyCap,
            borrowCap: plan.borrowCap,
            name: plan.name.clone(),
            symbol: plan.symbol.clone(),
        };
        let extension = self.contract("LendingPoolExtension", parameters.abi_encode())?;
        let pool = self.contract("LendingPool", (parameters, extension).abi_encode_params())?;
        let backstop = if world.with_backstop {
            let (backstop, policy) = self.backstop(pool, policies[0])?;
            policies.push(policy);
            models.push(models[0]);
            Some(backstop)
        } else {
            None
        };
        let lens = self.create(&FuzzLens::BYTECODE, Vec::new(), "lens")?;
        let mut actors = [Address::ZERO; ACTORS];
        for (index, actor) in actors.iter_mut().enumerate() {
            *actor = match World::key(index).filter(|_| index < PEOPLE) {
                Some(key) => address_of(&key),
                None => self.create(&PoolActor::BYTECODE, pool.abi_encode(), "actor")?,
            };
        }
        let domain = self
            .chain
            .call_sol(
                STRANGER,
                pool,
                &LendingPoolExtension::DOMAIN_SEPARATORCall {},
            )
            .during("read the domain")?;
        let place = Place {
            asset,
            tokens,
            feeds,
            venue,
            oracles,
            breaker,
            policies,
            backstop,
            pool,
            lens,
            actors,
            domain,
        };
        let mut watched = vec![pool, extension, oracles[0], oracles[1], breaker, source];
        watched.extend(&place.policies);
        watched.extend(
            backstop
                .iter()
                .flat_map(|place| [place.pool, place.steward]),
        );
        Ok((place, watched, models))
    }

    /// As `BackstopDeployer` does it, with the owner in the timelock's place; and the policy.
    fn backstop(
        &mut self,
        pool: Address,
        behind: Address,
    ) -> Result<(BackstopPlace, Address), WorldError> {
        let parameters = backstop_parameters(pool, self.world.dollars(1))?;
        let backstop = self.contract("BackstopPool", parameters.abi_encode())?;
        let health = U256::from(ABSORPTION_HEALTH);
        let arguments = (behind, backstop, health).abi_encode_params();
        let policy = self.contract("BackstopPolicy", arguments)?;
        let share = U256::from(PREMIUM_SHARE);
        let arguments = (pool, backstop, OWNER, share).abi_encode_params();
        let steward = self.contract("PremiumSteward", arguments)?;
        let place = BackstopPlace {
            pool: backstop,
            steward,
        };
        Ok((place, policy))
    }

    /// Deposits that are active when sequences begin. The founder's pays for the shares that stay locked too.
    fn found(&mut self, place: &Place) -> Result<(), WorldError> {
        let assets = self.world.dollars(40_000) + U256::from(1_000);
        self.join(place, FOUNDER, assets)?;
        for (index, actor) in place.actors.into_iter().enumerate() {
            let thousands = if index < 3 {
                20 * (index as u64 + 1)
            } else {
                0
            };
            self.join(place, actor, self.world.dollars(thousands * 1_000))?;
        }
        Ok(())
    }

    /// Approves the backstop, and deposits if there is something to.
    fn join(&mut self, place: &Place, from: Address, assets: U256) -> Result<(), WorldError> {
        let backstop = place.backstop.unwrap_or_default().pool;
        self.mint(place.asset, from)?;
        let call = SimToken::approveCall {
            spender: backstop,
            amount: U256::MAX,
        };
        self.send(from, place.asset, &call, "approve the backstop")?;
        if assets.is_zero() {
            return Ok(());
        }
        let call = BackstopPool::depositCall { assets };
        self.send(from, backstop, &call, "deposit in the backstop")
    }

    /// A policy and its model.
    fn policy(
        &mut self,
        policy: PolicyPlan,
        defaults: &SystemDeployer::PolicyPlan,
        native_oracle: Address,
    ) -> Result<(Address, Policy), WorldError> {
        let unusable = |error: &dyn std::fmt::Display| WorldError::Policy(error.to_string());
        Ok(match policy {
            PolicyPlan::Rigid => {
                let bonus = defaults.rigidBonus;
                let address = self.contract("RigidPolicy", bonus.abi_encode())?;
                (address, Policy::Rigid(RigidPolicy { bonus }))
            }
            PolicyPlan::TargetHealth => {
                let (target, full, share) = (
                    defaults.targetHealth,
                    defaults.fullBonusHealth,
                    defaults.bonusShareAtOne,
                );
                let arguments = (target, full, share).abi_encode_params();
                let address = self.contract("TargetHealthPolicy", arguments)?;
                let model = TargetHealthPolicy::new(target, full, share);
                let model = model.map_err(|error| unusable(&error))?;
                (address, Policy::TargetHealth(model))
            }
            PolicyPlan::Damped {
                turns,
                bucket,
                slice_base,
            } => {
                let mut parameters = defaults.damped.clone();
                parameters.nativeOracle = native_oracle;
                parameters.turnMode = turns.into();
                // what is off by default, turns and the wait for pauses, is on in the same worlds
                parameters.obeysPause = turns != TurnMode::Off;
                parameters.bucketMode = bucket.into();
                parameters.sliceBase = slice_base;
                let address = self.contract("DampedPolicy", parameters.abi_encode())?;
                let parameters = self
                    .chain
                    .call_sol(
                        STRANGER,
                        address,
                        &breakwater_bindings::DampedPolicy::parametersCall {},
                    )
                    .during("read a policy's parameters")?;
                let model = DampedParameters::try_from(&parameters).and_then(DampedPolicy::new);
                (
                    address,
                    Policy::Damped(model.map_err(|error| unusable(&error))?),
                )
            }
        })
    }

    fn configure(
        &mut self,
        place: &Place,
        plan: &SystemDeployer::SystemPlan,
    ) -> Result<(), WorldError> {
        let default = plan.collaterals[0].listing.abi_encode();
        let listing = LendingPoolExtension::CollateralConfig::abi_decode(&default)
            .map_err(CallError::from)
            .during("read the listing")?;
        for id in 0..COLLATERALS {
            let mut config = listing.clone();
            (config.token, config.oracle) = (place.tokens[id], place.oracles[id]);
            if id == 1 {
                (config.borrowLtv, config.liquidationThreshold) = (7_000, 7_550);
                (config.confirmationBand, config.damped) = (200, false);
            }
            let call = LendingPoolExtension::listCollateralCall { config };
            self.send(OWNER, place.pool, &call, "list a collateral")?;
        }
        let call = LendingPoolExtension::setMinDebtCall {
            minDebt_: self.world.minimum_debt().to(),
            stipend: self.world.dollars(5),
        };
        self.send(OWNER, place.pool, &call, "set the minimum debt")?;
        let call = LendingPoolExtension::setReserveFactorCall { percent: 10 };
        self.send(OWNER, place.pool, &call, "set the reserve factor")?;
        let Some(backstop) = place.backstop else {
            return Ok(());
        };
        let policy = place.policies[place.policies.len() - 1];
        let call = LendingPoolExtension::setPolicyCall { policy_: policy };
        self.send(OWNER, place.pool, &call, "set the backstop's policy")?;
        let call = LendingPoolExtension::transferOwnershipCall {
            newOwner: backstop.steward,
        };
        self.send(OWNER, place.pool, &call, "hand the pool over")?;
        let call = PremiumSteward::acceptCall {};
        self.send(OWNER, backstop.steward, &call, "accept the pool")
    }

    fn describe(&mut self, place: &Place) -> Result<Description, WorldError> {
        let rate = self
            .chain
            .call_sol(
                STRANGER,
                DEPLOYER.create(RATE_MODEL),
                &IRateModel::parametersCall {},
            )
            .during("read the rate curve")?;
        let needs_confirmation = self
            .chain
            .call_sol(
                STRANGER,
                place.policies[0],
                &ILiquidationPolicy::needsConfirmationCall {},
            )
            .during("read whether the policy confirms")?;
        Ok(Description {
            chain_id: Rules::default().chain_id,
            pool: place.pool,
            asset: place.asset,
            rate: (&rate).into(),
            policy: MirroredPolicy {
                address: place.policies[0],
                needs_confirmation,
            },
        })
    }

    fn quote(&mut self, place: &Place) -> Result<(), WorldError> {
        self.quote_at(place.feeds, place.venue)
    }

    /// Ether at 2,000 on feed and venue, bitcoin at 30,000.
    fn quote_at(
        &mut self,
        feeds: [Address; COLLATERALS],
        venue: Address,
    ) -> Result<(), WorldError> {
        let now = U256::from(self.chain.block().timestamp);
        for (feed, answer) in feeds.into_iter().zip(FIRST_ANSWERS) {
            let call = SimFeed::setCall {
                answer: I256::from_raw(U256::from(answer)),
                updatedAt: now,
            };
            self.send(STRANGER, feed, &call, "set a feed")?;
        }
        let call = FuzzVenue::setCall {
            tick_: alloy_primitives::aliases::I24::unchecked_from(self.world.tick),
            liquidity_: self.world.liquidity,
        };
        self.send(STRANGER, venue, &call, "set the venue")
    }

    fn populate(&mut self, place: &Place) -> Result<(), WorldError> {
        self.mint(place.asset, place.venue)?;
        for actor in place.actors {
            for token in [place.asset, place.tokens[0], place.tokens[1]] {
                self.mint(token, actor)?;
                if place.is_hostile(actor) {
                    let call = PoolActor::approveCall {
                        token,
                        amount: U256::MAX,
                    };
                    self.send(STRANGER, actor, &call, "approve")?;
                } else {
                    let call = SimToken::approveCall {
                        spender: place.pool,
                        amount: U256::MAX,
                    };
                    self.send(actor, token, &call, "approve")?;
                }
            }
        }
        for (index, thousands) in [(0, 1_000_u64), (1, 500)] {
            let receiver = place.actors[index];
            let call = LendingPool::depositCall {
                assets: self.world.dollars(thousands * 1_000),
                receiver,
            };
            self.send(receiver, place.pool, &call, "deposit")?;
        }
        let positions = [
            (2, 100_u64, 0_u64, 150_000_u64),
            (3, 0, 10, 200_000),
            (4, 50, 5, 150_000),
            (5, 20, 0, 25_000),
        ];
        for (index, ether, bitcoin, debt) in positions {
            let account = place.actors[index];
            let amounts = [self.world.tokens(0, ether), self.world.tokens(1, bitcoin)];
            for (id, amount) in amounts.into_iter().enumerate() {
                if amount.is_zero() {
                    continue;
                }
                let call = ILendingPool::supplyCollateralCall {
                    collateralId: U256::from(id),
                    amount,
                    account,
                    data: Bytes::new(),
                };
                self.send(account, place.pool, &call, "supply")?;
            }
            let call = ILendingPool::borrowCall {
                assets: self.world.dollars(debt),
                account,
                receiver: account,
            };
            self.send(account, place.pool, &call, "borrow")?;
        }
        Ok(())
    }

    fn mint(&mut self, token: Address, to: Address) -> Result<(), WorldError> {
        let call = SimToken::mintCall { to, amount: PLENTY };
        self.send(STRANGER, token, &call, "mint")
    }
}

fn oracle_parameters(
    plan: &SystemDeployer::CollateralPlan,
    token: Address,
    asset: Address,
    feed: Address,
    venue: Address,
) -> TwapOracle::TwapOracleParameters {
    TwapOracle::TwapOracleParameters {
        collateralToken: token,
        debtToken: asset,
        base: TwapOracle::FeedParameters {
            source: feed,
            heartbeat: HEARTBEAT as u32,
            minAnswer: u128::from(ANSWER_BOUNDS.0),
            maxAnswer: u128::from(ANSWER_BOUNDS.1),
        },
        quote: TwapOracle::FeedParameters {
            source: Address::ZERO,
            heartbeat: 0,
            minAnswer: 0,
            maxAnswer: 0,
        },
        venue,
        window: plan.window,
        step: plan.step,
        confirmationDelay: plan.confirmationDelay,
        standInLimit: plan.standInLimit,
    }
}
