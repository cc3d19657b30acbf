//! Builds a world: tokens, feed, venue, the protocol through its one definition of a deployment, lenders and positions.

use alloy_primitives::{Address, B256, Bytes, I256, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::{
    Deleverager, DumpingLiquidator, FlashLiquidator, ICircuitBreaker, ShadowVenue, SimFeed,
    SimToken, SystemDeployer,
};
use breakwater_evm::{
    BlockEnvironment, CallError, Chain, Execution, MemoryChain, Rules, Transaction,
};

mod aave;
mod backstop;
mod native;
mod overrides;
mod positions;

pub use backstop::{BackstopAddresses, deposit_of, wanted};
pub use native::NativeAddresses;

use crate::WorldKind;
use crate::aave::Market;
use crate::actors::{Role, address};
use crate::chain_venue::ChainVenue;
use crate::config::{Policy, WorldInput, WorldParameters};
use crate::error::{During, SimError};
use crate::port::{Emitted, Port};
use crate::units::{COLLATERAL_DECIMALS, DEBT_DECIMALS, DEBT_UNIT, FEED_DECIMALS, to_base};

/// Providers of liquidity who take flight.
pub const FLIGHTY_PROVIDERS: u32 = 8;

/// Seconds for which prices, averages and breaker settle before the start.
const SETTLING: u64 = 3 * 3_600;

/// Seconds between observations while settling.
const SETTLING_STEP: u64 = 300;

/// The venue's least depth within 2% at which its price confirms, whole debt tokens: the deployment's default.
const VENUE_MIN_DEPTH: f64 = 1_000.0;

/// Gas for the calls that build a world, which fit in no block.
const SETUP_GAS: u64 = 2_000_000_000;

/// The longest slot whose misses the breaker can count, seconds: `BreakerRanges`.
const LONGEST_SLOT: u64 = 60;

/// Whatever an actor needs of a token: 2^110 base units, so that balances can be added up without overflow.
const PLENTY: U256 = U256::from_limbs([0, 1 << 46, 0, 0]);

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// Deployed everything; governs.
    pub operator: Address,
    /// The collateral token.
    pub collateral: Address,
    /// The debt token.
    pub asset: Address,
    /// The price feed.
    pub feed: Address,
    /// The pool.
    pub pool: Address,
    /// The pool's policy; nobody under Aave, which has none.
    pub policy: Address,
    /// The circuit breaker; nobody under Aave, which has none.
    pub breaker: Address,
    /// The collateral's oracle.
    pub oracle: Address,
    /// The native coin's, where it has a price of its own and the policy asks for it.
    pub native: Option<NativeAddresses>,
    /// Sells collateral to repay for borrowers.
    pub deleverager: Address,
    /// Liquidates and sells, atomically.
    pub liquidator: Address,
    /// Where liquidators sell in the counterfactual world.
    pub shadow: Option<Address>,
    /// The backstop.
    pub backstop: Option<BackstopAddresses>,
    /// The borrowers, in order of the population.
    pub accounts: Vec<Address>,
    /// The market, if it is Aave that lends.
    pub aave: Option<Market>,
}

/// A world ready for its first block.
pub struct Built {
    /// The chain, in the block of the start.
    pub chain: MemoryChain,
    /// Where everything is.
    pub addresses: Addresses,
    /// The venue.
    pub venue: ChainVenue,
    /// What a full-range provider of all liquidity would have at the start, in agents' units.
    pub liquidity: f64,
    /// What the population's set-up said, transaction by transaction, for the mirror.
    pub logs: Vec<Vec<alloy_primitives::Log>>,
    /// What the set-up of the backstop's depositors said.
    pub backstop_logs: Vec<Vec<alloy_primitives::Log>>,
    /// Who lends.
    pub lender: Lender,
}

/// Who lends.
pub enum Lender {
    /// Breakwater, by the port of its contracts.
    Breakwater(Box<Port>),
    /// Aave.
    Aave(Market),
}

/// Builds a world in the block of `input.start`: F = L = V = the first price, every position exactly as in the input. Where it is
/// `recorded`, the chain goes on recording.
///
/// # Errors
/// [`SimError::Call`] for what a contract refuses.
pub fn build(
    parameters: &WorldParameters,
    input: &WorldInput,
    kind: WorldKind,
    seed: u64,
    recorded: bool,
) -> Result<Built, SimError> {
    let rules = Rules {
        code_size_limit: Some(usize::MAX),
        ..Rules::default()
    };
    let posted: f64 = input
        .accounts
        .iter()
        .map(|account| account.collateral)
        .sum();
    let mut builder = Builder {
        chain: MemoryChain::new(rules),
        operator: address(seed, Role::Operator, 0),
        parameters,
        input,
        seed,
        base_fee: (input.gas_gwei[0] * 1e9) as u64,
        posted,
        router: Address::ZERO,
        history: Vec::new(),
    };
    if recorded {
        builder.chain.record();
    }
    let own = wanted(parameters, kind);
    builder.open_block(own.map_or(input.start - SETTLING, |own| {
        backstop::before_start(own, input.start).0
    }));
    let (collateral, asset) = (
        builder.token("Collateral", COLLATERAL_DECIMALS)?,
        builder.token("Debt", DEBT_DECIMALS)?,
    );
    let feed = builder.feed()?;
    // x = L / √P.
    let liquidity = parameters.venue.depth * posted * input.prices[0].sqrt();
    let venue = builder.venue(collateral, asset, liquidity)?;
    builder.router = venue.router();
    let (addresses, logs, backstop_logs, lender) = if kind == WorldKind::Policy(Policy::AaveV3) {
        let (addresses, market) = builder.aave(collateral, asset, feed, &venue)?;
        builder.settle(&addresses)?;
        let logs = builder.populate_aave(&addresses, &market)?;
        (addresses, logs, Vec::new(), Lender::Aave(market))
    } else {
        let (system, native) = builder.system(kind, collateral, asset, feed, &venue)?;
        let (guard, backstop_logs) = match own {
            None => (None, Vec::new()),
            Some(own) => {
                let (guard, policy, logs) =
                    builder.backstop(own, (collateral, asset), venue.pool(), &system)?;
                builder.open_block(input.start - SETTLING);
                builder.report(feed)?;
                (Some((guard, policy)), logs)
            }
        };
        let mut addresses = builder.breakwater(kind, &system, (collateral, asset), feed, &venue)?;
        addresses.native = native;
        if let Some((guard, policy)) = guard {
            addresses.policy = policy;
            addresses.backstop = Some(guard);
        }
        builder.settle(&addresses)?;
        let logs = builder.populate(&addresses, system.timelock)?;
        builder.hand_over(&addresses, system.timelock)?;
        let (chain, history) = (&mut builder.chain, &builder.history);
        let port = Port::new(chain, &addresses, system.rateModel, &venue, kind, history)?;
        let lender = Lender::Breakwater(Box::new(port));
        (addresses, logs, backstop_logs, lender)
    };
    Ok(Built {
        chain: builder.chain,
        addresses,
        venue,
        liquidity,
        logs,
        backstop_logs,
        lender,
    })
}

struct Builder<'a> {
    chain: MemoryChain,
    operator: Address,
    parameters: &'a WorldParameters,
    input: &'a WorldInput,
    seed: u64,
    base_fee: u64,
    /// All collateral of the population, whole tokens.
    posted: f64,
    /// The venue's router, once there is a venue.
    router: Address,
    /// All that was emitted.
    history: Vec<Emitted>,
}

impl Builder<'_> {
    fn open_block(&mut self, timestamp: u64) {
        // Blocks have been made all along, each in its time: to the breaker a missing number is a late block.
        let block = self.chain.block();
        let passed =
            timestamp.saturating_sub(block.timestamp) / self.parameters.network.slot_seconds;
        let number = if block.number == 0 {
            1_000_000
        } else {
            block.number + passed.max(1)
        };
        self.chain.begin_block(BlockEnvironment {
            number,
            timestamp,
            base_fee: self.base_fee,
            gas_limit: SETUP_GAS,
            prevrandao: B256::left_padding_from(&self.seed.to_be_bytes()),
            ..BlockEnvironment::default()
        });
        self.history.push(Emitted {
            timestamp,
            logs: Vec::new(),
        });
    }

    /// Executes a transaction that must succeed.
    fn transact(&mut self, step: &str, transaction: &Transaction) -> Result<Execution, SimError> {
        let execution = self
            .chain
            .execute(transaction)?
            .into_success()
            .during(step)?;
        if let Some(block) = self.history.last_mut() {
            block.logs.extend_from_slice(&execution.logs);
        }
        Ok(execution)
    }

    fn deploy<C: alloy_sol_types::SolConstructor>(
        &mut self,
        step: &str,
        code: &Bytes,
        constructor: &C,
    ) -> Result<Address, SimError> {
        self.chain
            .deploy_sol(self.operator, code, constructor)
            .during(step)
    }

    fn send<C: SolCall>(
        &mut self,
        step: &str,
        from: Address,
        to: Address,
        call: &C,
    ) -> Result<C::Return, SimError> {
        let transaction = Transaction::call(from, to, call.abi_encode());
        let execution = self.transact(step, &transaction)?;
        C::abi_decode_returns(&execution.output)
            .map_err(CallError::from)
            .during(step)
    }

    fn token(&mut self, name: &str, decimals: u8) -> Result<Address, SimError> {
        let constructor = SimToken::constructorCall {
            name_: name.to_owned(),
            symbol_: name.to_uppercase(),
            decimals_: decimals,
        };
        self.deploy("deploy a token", &SimToken::BYTECODE, &constructor)
    }

    fn feed(&mut self) -> Result<Address, SimError> {
        let feed = self.deploy(
            "deploy the feed",
            &SimFeed::BYTECODE,
            &SimFeed::constructorCall {
                decimals_: FEED_DECIMALS,
            },
        )?;
        self.report(feed)?;
        Ok(feed)
    }

    fn report(&mut self, feed: Address) -> Result<(), SimError> {
        let call = feed_call(self.input.prices[0], self.chain.block().timestamp);
        self.send("write the first price", self.operator, feed, &call)?;
        Ok(())
    }

    fn venue(
        &mut self,
        collateral: Address,
        asset: Address,
        liquidity: f64,
    ) -> Result<ChainVenue, SimError> {
        let venue = ChainVenue::create(
            &mut self.chain,
            self.operator,
            (collateral, asset),
            self.parameters.venue.fee,
            self.input.prices[0].sqrt(),
        )?;
        let flighty = self.parameters.venue.flighty_share;
        // Provider 0 is patient; the others share what takes flight. Where depth is measured, provider 0 follows it alone.
        let shares = if self.input.depth.is_empty() {
            let each = flighty / f64::from(FLIGHTY_PROVIDERS);
            let mut shares = vec![each; FLIGHTY_PROVIDERS as usize + 1];
            shares[0] = 1.0 - flighty;
            shares
        } else {
            vec![1.0]
        };
        for (number, share) in (0..).zip(shares) {
            let provider = address(self.seed, Role::Provider, number);
            self.endow(provider, collateral, asset, &[venue.router()])?;
            if share > 0.0 {
                venue.add(&mut self.chain, provider, liquidity * share)?;
            }
        }
        let traders = [
            (Role::Arbitrageur, true),
            (Role::Noise, self.parameters.noise.is_some()),
            (Role::Adversary, self.parameters.adversary.is_some()),
        ];
        for (role, _) in traders.into_iter().filter(|(_, present)| *present) {
            let trader = address(self.seed, role, 0);
            self.endow(trader, collateral, asset, &[venue.router()])?;
        }
        Ok(venue)
    }

    /// Gives an actor plenty of both tokens and lets `spenders` take them.
    fn endow(
        &mut self,
        actor: Address,
        collateral: Address,
        asset: Address,
        spenders: &[Address],
    ) -> Result<(), SimError> {
        for token in [collateral, asset] {
            let mint = SimToken::mintCall {
                to: actor,
                amount: PLENTY,
            };
            self.send("endow an actor", self.operator, token, &mint)?;
            for spender in spenders {
                let approve = SimToken::approveCall {
                    spender: *spender,
                    amount: U256::MAX,
                };
                self.send("approve", actor, token, &approve)?;
            }
        }
        Ok(())
    }

    /// Deploys what agents use to act in Breakwater.
    fn breakwater(
        &mut self,
        kind: WorldKind,
        system: &SystemDeployer::System,
        (collateral, asset): (Address, Address),
        feed: Address,
        venue: &ChainVenue,
    ) -> Result<Addresses, SimError> {
        let pool = system.pool;
        let deleverager = self.deploy(
            "deploy the deleverager",
            &Deleverager::BYTECODE,
            &Deleverager::constructorCall {
                pool,
                venue: venue.pool(),
                collateralId: U256::ZERO,
            },
        )?;
        let shadow = match kind {
            WorldKind::Counterfactual => Some(self.deploy(
                "deploy the shadow venue",
                &ShadowVenue::BYTECODE,
                &ShadowVenue::constructorCall {
                    tokenA: collateral,
                    tokenB: asset,
                },
            )?),
            WorldKind::Policy(_) => None,
        };
        let liquidator = if kind == WorldKind::Policy(Policy::Dumped) {
            self.dumping_liquidator(pool, venue.pool(), asset)?
        } else {
            self.liquidator(pool, shadow.unwrap_or(venue.pool()))?
        };
        Ok(Addresses {
            operator: self.operator,
            collateral,
            asset,
            feed,
            pool,
            policy: system.policy,
            breaker: system.breaker,
            oracle: system.oracles[0],
            native: None,
            deleverager,
            liquidator,
            shadow,
            backstop: None,
            accounts: self.accounts(),
            aave: None,
        })
    }

    /// The borrowers, in order of the population.
    fn accounts(&self) -> Vec<Address> {
        (0..)
            .take(self.input.accounts.len())
            .map(|number| address(self.seed, Role::Borrower, number))
            .collect()
    }

    fn system(
        &mut self,
        kind: WorldKind,
        collateral: Address,
        asset: Address,
        feed: Address,
        venue: &ChainVenue,
    ) -> Result<(SystemDeployer::System, Option<NativeAddresses>), SimError> {
        let deployer = self.deploy_large("deploy the deployer", &SystemDeployer::BYTECODE)?;
        let mut plan = self.send(
            "read the default plan",
            self.operator,
            deployer,
            &SystemDeployer::defaultPlanCall {},
        )?;
        let listed = &self.parameters.collateral;
        plan.asset = asset;
        plan.governance = self.operator;
        plan.guardian = self.operator;
        plan.timelockDelay = U256::ZERO;
        // The population decides which debts exist; the default minimum applies from the start on.
        plan.minDebt = Default::default();
        plan.settlementStipend = U256::ZERO;
        plan.policy.kind = match kind {
            WorldKind::Policy(Policy::TargetHealth) => 1,
            WorldKind::Policy(Policy::Damped) => 2,
            WorldKind::Policy(Policy::Rigid | Policy::AaveV3 | Policy::Dumped)
            | WorldKind::Counterfactual => 0,
        };
        plan.policy.rigidBonus = to_base(listed.max_bonus, 1e18);
        let damped = &mut plan.policy.damped;
        damped.bonusMax = to_base(listed.max_bonus, 1e18);
        damped.bonusMin = damped.bonusMin.min(damped.bonusMax);
        keep_time(self.parameters.network.slot_seconds, &mut plan);
        let collateral_plan = &mut plan.collaterals[0];
        collateral_plan.base.source = feed;
        collateral_plan.base.heartbeat =
            u32::try_from(self.parameters.feed.believed_for()).expect("checked with the input");
        collateral_plan.venue = venue.pool();
        collateral_plan.venueMinDepth = to_base(VENUE_MIN_DEPTH, DEBT_UNIT);
        let listing = &mut collateral_plan.listing;
        listing.token = collateral;
        listing.borrowLtv = basis_points(listed.borrow_ltv);
        listing.liquidationThreshold = basis_points(listed.liquidation_threshold);
        listing.maxBonus = basis_points(listed.max_bonus);
        listing.slippageMargin = basis_points(listed.slippage_margin);
        listing.confirmationBand = basis_points(listed.confirmation_band);
        overrides::apply(&self.parameters.damped, &mut plan);
        if kind == WorldKind::Policy(Policy::Damped) {
            overrides::apply_around(&self.parameters.damped, &mut plan);
        }
        let call = SystemDeployer::deployCall { plan: plan.clone() };
        let transaction = Transaction {
            gas_limit: SETUP_GAS,
            ..Transaction::call(self.operator, deployer, call.abi_encode())
        };
        let execution = self.transact("deploy the system", &transaction)?;
        let mut system = SystemDeployer::deployCall::abi_decode_returns(&execution.output)
            .map_err(CallError::from)
            .during("deploy the system")?;
        let native = if native::wanted(self.input, kind, &plan) {
            Some(self.native(&plan, &mut system)?)
        } else {
            None
        };
        Ok((system, native))
    }

    fn deploy_large(&mut self, step: &str, code: &Bytes) -> Result<Address, SimError> {
        let transaction = Transaction {
            gas_limit: SETUP_GAS,
            ..Transaction::create(self.operator, code.clone())
        };
        let execution = self
            .chain
            .execute(&transaction)?
            .into_success()
            .during(step)?;
        execution
            .created
            .ok_or_else(|| SimError::Input(format!("{step}: no address")))
    }

    fn liquidator(&mut self, pool: Address, market: Address) -> Result<Address, SimError> {
        self.deploy(
            "deploy the liquidator",
            &FlashLiquidator::BYTECODE,
            &FlashLiquidator::constructorCall {
                pool,
                venue: market,
                collateralId: U256::ZERO,
            },
        )
    }

    /// For keepers who sell at any price: what they lose is their own, so each has twice all debt.
    fn dumping_liquidator(
        &mut self,
        pool: Address,
        venue: Address,
        asset: Address,
    ) -> Result<Address, SimError> {
        let liquidator = self.deploy(
            "deploy the liquidator",
            &DumpingLiquidator::BYTECODE,
            &DumpingLiquidator::constructorCall {
                pool,
                venue,
                collateralId: U256::ZERO,
            },
        )?;
        let debts = self.input.accounts.iter().map(|account| account.debt);
        let amount = to_base(2.0 * debts.sum::<f64>(), DEBT_UNIT);
        for number in 0..self.parameters.keepers.count {
            let keeper = address(self.seed, Role::Keeper, number);
            let mint = SimToken::mintCall { to: keeper, amount };
            self.send("endow a keeper", self.operator, asset, &mint)?;
            let approve = SimToken::approveCall {
                spender: liquidator,
                amount: U256::MAX,
            };
            self.send("approve", keeper, asset, &approve)?;
        }
        Ok(liquidator)
    }

    /// Lets averages fill and breaker and bucket learn what is normal, with the price at rest.
    fn settle(&mut self, addresses: &Addresses) -> Result<(), SimError> {
        let mut timestamp = self.chain.block().timestamp;
        while timestamp < self.input.start {
            timestamp = (timestamp + SETTLING_STEP).min(self.input.start);
            self.open_block(timestamp);
            self.report(addresses.feed)?;
            if addresses.aave.is_some() {
                continue;
            }
            let poke = ICircuitBreaker::pokeCall {
                pool: addresses.pool,
            };
            self.send(
                "let the breaker observe",
                self.operator,
                addresses.breaker,
                &poke,
            )?;
        }
        Ok(())
    }
}

/// Writes `price` to the feed as of `timestamp`.
pub fn feed_call(price: f64, timestamp: u64) -> SimFeed::setCall {
    let answer = I256::from_raw(to_base(price, 10_f64.powi(i32::from(FEED_DECIMALS))));
    SimFeed::setCall {
        answer,
        updatedAt: U256::from(timestamp),
    }
}

fn basis_points(ratio: f64) -> u16 {
    (ratio * 10_000.0).round().clamp(0.0, 10_000.0) as u16
}

/// The breaker counts slots of the chain's length. Slots longer than it can count are not counted: no block is late there.
fn keep_time(slot_seconds: u64, plan: &mut SystemDeployer::SystemPlan) {
    let slot = u16::try_from(slot_seconds.min(LONGEST_SLOT)).unwrap_or(u16::MAX);
    let timing = &mut plan.breaker.timing;
    timing.slotTime = slot;
    timing.alertInterval = timing.alertInterval.max(slot);
    if slot_seconds > LONGEST_SLOT {
        plan.breaker.thresholds.missedShare = 0;
    }
}
