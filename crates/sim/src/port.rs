//! What pool, policy, oracle and breaker answer, computed by the port of their contracts: pool and policy from what they emitted, the
//! others from what they store. A view call costs a hundred times as much, keepers ask about dozens of positions in a block, and
//! every block ends with prices and books. In a debug build every answer is compared with the contract's own.

mod contracts;
mod storage;

use alloy_primitives::{Address, Log, U256};
use breakwater_bindings::{
    BackstopPolicy as BackstopContract, BackstopPool, DampedPolicy as DampedContract,
    ILiquidationPolicy, IPriceOracle, IRateModel, RigidPolicy as RigidContract,
    TargetHealthPolicy as TargetHealthContract,
};
use breakwater_evm::{BlockEnvironment, Chain, MemoryChain};
use breakwater_protocol::policy::{
    BackstopPolicy, Behind, BreakerLevel, DampedParameters, DampedPolicy, Environment,
    LiquidationGrant, Policy, RigidPolicy, TargetHealthPolicy,
};
use breakwater_protocol::{
    AccountHealth, BlockRef, Description, Mirror, MirroredPolicy, Moment, RateParameters, Reading,
    ViewError,
};
use storage::{Breaker, Oracle, balance_slot};

use crate::WorldKind;
use crate::chain_venue::ChainVenue;
use crate::config;
use crate::error::{During, SimError};
use crate::setup::Addresses;

/// What was emitted in one block.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// The block's time, Unix seconds.
    pub timestamp: u64,
    /// All logs, in order.
    pub logs: Vec<Log>,
}

/// A pool's books, base units of the debt token, and debt shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Books {
    /// With interest.
    pub debt: U256,
    /// In existence.
    pub debt_shares: U256,
    /// What lenders are owed, with interest.
    pub lender_assets: U256,
    /// The debt token that the pool holds.
    pub cash: U256,
    /// Level and capacity of the collateral's bucket; nothing without one.
    pub bucket: (U256, U256),
}

/// The port of one market.
#[derive(Clone)]
pub struct Port {
    /// Of pool and policy. A block of its is a transaction: the pool is also asked between two.
    mirror: Mirror,
    policy: Policy,
    /// The backstop that comes before the policy, if there is one.
    backstop: Option<Backstop>,
    oracle: Oracle,
    breaker: Breaker,
}

/// What comes before a policy.
#[derive(Clone, Copy, Debug)]
struct Backstop {
    pool: Address,
    policy: BackstopPolicy,
}

/// The market in the block that is being made.
pub struct Now {
    moment: Moment,
    breaker: BreakerLevel,
    environment: Environment,
    /// What the backstop can spend; 0 without one.
    room: U256,
}

impl Port {
    /// The port of the market at `addresses`, from all that was emitted since its deployment.
    ///
    /// # Errors
    /// [`SimError::Port`], [`SimError::Call`].
    pub fn new(
        chain: &mut MemoryChain,
        addresses: &Addresses,
        rate_model: Address,
        venue: &ChainVenue,
        kind: WorldKind,
        history: &[Emitted],
    ) -> Result<Self, SimError> {
        let caller = addresses.operator;
        let rate = chain
            .read_sol(caller, rate_model, &IRateModel::parametersCall {})
            .during("read the rate curve")?;
        let needs_confirmation = chain
            .read_sol(
                caller,
                addresses.policy,
                &ILiquidationPolicy::needsConfirmationCall {},
            )
            .during("read whether the policy confirms")?;
        let description = Description {
            chain_id: chain.chain_id(),
            pool: addresses.pool,
            asset: addresses.asset,
            rate: RateParameters::from(&rate),
            policy: MirroredPolicy {
                address: addresses.policy,
                needs_confirmation,
            },
        };
        let mut port = Self {
            mirror: Mirror::new(description, BlockRef::default()).map_err(astray)?,
            policy: policy(chain, addresses, kind)?,
            backstop: backstop(chain, addresses)?,
            oracle: Oracle::new(chain, addresses, venue)?,
            breaker: Breaker::new(addresses),
        };
        for block in history {
            port.hear(&block.logs, block.timestamp)?;
        }
        Ok(port)
    }

    /// Takes a transaction's logs at `timestamp`, Unix seconds.
    ///
    /// # Errors
    /// [`SimError::Port`].
    pub fn hear(&mut self, logs: &[Log], timestamp: u64) -> Result<(), SimError> {
        let Description { pool, policy, .. } = self.mirror.description();
        let own = |log: &&Log| log.address == pool || log.address == policy.address;
        if !logs.iter().any(|log| own(&log)) {
            return Ok(());
        }
        let number = self.mirror.head().number + 1;
        let last = BlockRef {
            number,
            timestamp,
            ..BlockRef::default()
        };
        let logs = logs.iter().filter(own);
        self.mirror
            .apply_range([(number, timestamp, logs)], &last)
            .map_err(astray)?;
        Ok(())
    }

    /// What the oracle says now.
    ///
    /// # Errors
    /// [`SimError::Port`], [`SimError::Engine`].
    pub fn reading(
        &self,
        chain: &mut MemoryChain,
        addresses: &Addresses,
    ) -> Result<Reading, SimError> {
        let reading = self.oracle.reading(chain)?;
        if cfg!(debug_assertions) {
            let asked = contracts::reading(chain, addresses)?;
            agree("its prices", &reading, &asked)?;
        }
        Ok(reading)
    }

    /// The breaker's level now.
    ///
    /// # Errors
    /// [`SimError::Port`], [`SimError::Engine`].
    pub fn level(
        &self,
        chain: &mut MemoryChain,
        addresses: &Addresses,
    ) -> Result<BreakerLevel, SimError> {
        let level = self.breaker.level(chain)?;
        if cfg!(debug_assertions) {
            agree("its level", &level, &contracts::level(chain, addresses)?)?;
        }
        Ok(level)
    }

    /// The books now.
    ///
    /// # Errors
    /// [`SimError::Port`].
    pub fn books(&self, chain: &mut MemoryChain, addresses: &Addresses) -> Result<Books, SimError> {
        let timestamp = chain.block().timestamp;
        let market = self.mirror.market_state_at(timestamp);
        let mut books = Books {
            debt: U256::from(market.total_debt),
            debt_shares: U256::from(market.debt_shares),
            lender_assets: U256::from(market.lender_assets),
            cash: U256::from(market.cash),
            bucket: (U256::ZERO, U256::ZERO),
        };
        let damped = match &self.policy {
            Policy::Damped(policy) => Some(policy),
            _ => None,
        };
        if let Some(policy) = damped {
            let bucket = self.mirror.policy_state().bucket(0);
            books.bucket = (policy.bucket_level_at(&bucket, timestamp), bucket.cap());
        }
        if cfg!(debug_assertions) {
            let asked = contracts::books(chain, addresses, damped.is_some())?;
            agree("its books", &books, &asked)?;
        }
        Ok(books)
    }

    /// An account's health now.
    ///
    /// # Errors
    /// [`SimError::Port`], [`SimError::Engine`].
    pub fn health(
        &self,
        chain: &mut MemoryChain,
        addresses: &Addresses,
        account: Address,
    ) -> Result<AccountHealth, SimError> {
        let reading = self.reading(chain, addresses)?;
        let timestamp = chain.block().timestamp;
        let moment = self.mirror.moment(&[reading], timestamp).map_err(astray)?;
        let health = self.mirror.account_health(&account, &moment);
        let health = health.map_err(astray)?;
        if cfg!(debug_assertions) {
            let asked = contracts::health(chain, addresses, account)?;
            agree("its healths", &health, &asked)?;
        }
        Ok(health)
    }

    /// The market in the block that is being made, before its first transaction.
    ///
    /// # Errors
    /// [`SimError::Port`], [`SimError::Call`], [`SimError::Engine`].
    pub fn now(&self, chain: &mut MemoryChain, addresses: &Addresses) -> Result<Now, SimError> {
        let BlockEnvironment {
            number,
            timestamp,
            base_fee,
            ..
        } = *chain.block();
        let reading = self.reading(chain, addresses)?;
        let mut environment = Environment {
            chain_id: chain.chain_id(),
            pool: addresses.pool,
            timestamp,
            block_number: number,
            base_fee,
            ..Environment::default()
        };
        if let Policy::Damped(policy) = &self.policy {
            environment.anchor_hash = chain.block_hash(self.mirror.policy_state().seed().anchor);
            environment.depth_reading = self.depth(chain, addresses)?;
            if policy.parameters().liquidation_gas != 0 {
                environment.native_price = native_price(chain, addresses, reading.fast)?;
            }
        }
        let room = match &self.backstop {
            Some(backstop) => chain
                .read_sol(
                    addresses.operator,
                    backstop.pool,
                    &BackstopPool::absorbableCall {},
                )
                .during("read what the backstop can spend")?,
            None => U256::ZERO,
        };
        Ok(Now {
            room,
            moment: self.mirror.moment(&[reading], timestamp).map_err(astray)?,
            breaker: self.level(chain, addresses)?,
            environment,
        })
    }

    /// What the venue takes within 2% of its price, as the oracle says.
    fn depth(&self, chain: &mut MemoryChain, addresses: &Addresses) -> Result<U256, SimError> {
        let depth = self.oracle.depth(chain)?;
        if cfg!(debug_assertions) {
            agree("its depths", &depth, &contracts::depth(chain, addresses))?;
        }
        Ok(depth)
    }

    /// What `quoteLiquidation(account, 0, 2^256 - 1)` answers; `None` where it reverts.
    ///
    /// # Errors
    /// [`SimError::Port`].
    pub fn quote(
        &self,
        chain: &mut MemoryChain,
        addresses: &Addresses,
        account: Address,
        now: &Now,
    ) -> Result<Option<LiquidationGrant>, SimError> {
        let granted = self.granted(account, now)?;
        if cfg!(debug_assertions) {
            let asked = contracts::quote(chain, addresses, account)?;
            agree("its grants", &granted, &asked)?;
        }
        Ok(granted)
    }

    fn granted(&self, account: Address, now: &Now) -> Result<Option<LiquidationGrant>, SimError> {
        let request = self
            .mirror
            .request(&account, 0, U256::MAX, &now.moment, now.breaker);
        let request = match request {
            Ok(request) => request,
            Err(ViewError::Refused(refusal)) => {
                return Ok(Some(LiquidationGrant::refused(refusal)));
            }
            Err(ViewError::Arithmetic(_)) => return Ok(None),
            Err(error) => return Err(astray(error)),
        };
        let state = self.mirror.policy_state();
        let decision = match &self.backstop {
            Some(backstop) => {
                let behind = Behind {
                    policy: &self.policy,
                    state,
                    environment: &now.environment,
                };
                backstop.policy.quote(behind, &request, now.room)
            }
            None => self.policy.quote(state, &request, &now.environment),
        };
        Ok(decision.ok().map(|decision| decision.grant))
    }
}

/// What `owner` has of the debt token, whoever lends: what the token's `balanceOf` answers.
///
/// # Errors
/// [`SimError::Port`], [`SimError::Engine`].
pub fn balance(
    chain: &mut MemoryChain,
    addresses: &Addresses,
    owner: Address,
) -> Result<U256, SimError> {
    let balance = chain.storage(addresses.asset, balance_slot(owner))?;
    if cfg!(debug_assertions) {
        let asked = contracts::balance(chain, addresses, owner)?;
        agree("its balances", &balance, &asked)?;
    }
    Ok(balance)
}

/// That the port says what the contracts say.
///
/// # Errors
/// [`SimError::Port`] where they differ.
fn agree<T: PartialEq + std::fmt::Debug>(
    what: &str,
    port: &T,
    contracts: &T,
) -> Result<(), SimError> {
    if port == contracts {
        return Ok(());
    }
    Err(SimError::Port(format!(
        "{what} are {port:?}, the contracts' {contracts:?}"
    )))
}

fn backstop(chain: &mut MemoryChain, addresses: &Addresses) -> Result<Option<Backstop>, SimError> {
    let Some(backstop) = addresses.backstop else {
        return Ok(None);
    };
    let health = chain
        .read_sol(
            addresses.operator,
            addresses.policy,
            &BackstopContract::ABSORPTION_HEALTHCall {},
        )
        .during("read the backstop's policy")?;
    Ok(Some(Backstop {
        pool: backstop.pool,
        policy: BackstopPolicy::new(health).map_err(astray)?,
    }))
}

/// What the native coin is worth to the policy: by its own oracle, or as much as the collateral.
fn native_price(
    chain: &mut MemoryChain,
    addresses: &Addresses,
    collateral: U256,
) -> Result<U256, SimError> {
    let Some(native) = addresses.native else {
        return Ok(collateral);
    };
    let peek = IPriceOracle::peekCall {};
    let prices = chain.read_sol(addresses.operator, native.oracle, &peek);
    Ok(prices.during("read the native coin's oracle")?.fast)
}

/// What the policy at its address, which a backstop's shares, is made of.
fn policy(
    chain: &mut MemoryChain,
    addresses: &Addresses,
    kind: WorldKind,
) -> Result<Policy, SimError> {
    let (caller, at) = (addresses.operator, addresses.policy);
    let step = "read the policy";
    Ok(match kind {
        WorldKind::Policy(config::Policy::Damped) => {
            let parameters = chain
                .read_sol(caller, at, &DampedContract::parametersCall {})
                .during(step)?;
            let parameters = DampedParameters::try_from(&parameters).map_err(astray)?;
            let native = addresses
                .native
                .map_or(addresses.oracle, |native| native.oracle);
            if parameters.liquidation_gas != 0 && parameters.native_oracle != native {
                return Err(astray("gas is priced by another oracle"));
            }
            Policy::Damped(DampedPolicy::new(parameters).map_err(astray)?)
        }
        WorldKind::Policy(config::Policy::TargetHealth) => {
            let target = chain
                .read_sol(caller, at, &TargetHealthContract::TARGET_HEALTHCall {})
                .during(step)?;
            let full = chain
                .read_sol(caller, at, &TargetHealthContract::FULL_BONUS_HEALTHCall {})
                .during(step)?;
            let share = chain
                .read_sol(caller, at, &TargetHealthContract::BONUS_SHARE_AT_ONECall {})
                .during(step)?;
            Policy::TargetHealth(TargetHealthPolicy::new(target, full, share).map_err(astray)?)
        }
        WorldKind::Policy(
            config::Policy::Rigid | config::Policy::AaveV3 | config::Policy::Dumped,
        )
        | WorldKind::Counterfactual => Policy::Rigid(RigidPolicy {
            bonus: chain
                .read_sol(caller, at, &RigidContract::BONUSCall {})
                .during(step)?,
        }),
    })
}

fn astray(error: impl std::fmt::Display) -> SimError {
    SimError::Port(error.to_string())
}

#[cfg(test)]
mod tests;
