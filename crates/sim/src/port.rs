//! What pool and policy answer, computed by the port of their contracts from what they emitted: a view call costs a hundred times
//! as much, and keepers ask about dozens of positions in a block. In a debug build every answer is compared with the contract's own.

use alloy_primitives::{Address, B256, Log, U256};
use breakwater_bindings::{
    BackstopPolicy as BackstopContract, BackstopPool, DampedPolicy as DampedContract, ILendingPool,
    ILiquidationPolicy, IPriceOracle, IRateModel, RigidPolicy as RigidContract,
    TargetHealthPolicy as TargetHealthContract,
};
use breakwater_evm::{BlockEnvironment, Chain, MemoryChain};
use breakwater_protocol::policy::{
    BackstopPolicy, Behind, BreakerLevel, DampedParameters, DampedPolicy, Environment,
    LiquidationGrant, Policy, RigidPolicy, TargetHealthPolicy,
};
use breakwater_protocol::{
    BlockRef, Description, Mirror, MirroredPolicy, Moment, PriceStatus, RateParameters, Reading,
    ViewError,
};

use crate::WorldKind;
use crate::config;
use crate::error::{During, SimError};
use crate::setup::Addresses;

/// What was emitted in one block.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// The block's height.
    pub number: u64,
    /// Its time, Unix seconds.
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

/// The port of one pool and its policy.
#[derive(Clone)]
pub struct Port {
    mirror: Mirror,
    policy: Policy,
    /// The backstop that comes before the policy, if there is one.
    backstop: Option<Backstop>,
    /// Of the block that is being made.
    emitted: Vec<Log>,
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
        let before = BlockRef {
            number: history.first().map_or(0, |first| first.number - 1),
            ..BlockRef::default()
        };
        let mut port = Self {
            mirror: Mirror::new(description, before).map_err(astray)?,
            policy: policy(chain, addresses, kind)?,
            backstop: backstop(chain, addresses)?,
            emitted: Vec::new(),
        };
        for block in history {
            port.hear(&block.logs);
            port.close(block.number, block.timestamp)?;
        }
        Ok(port)
    }

    /// Takes a transaction's logs.
    pub fn hear(&mut self, logs: &[Log]) {
        let Description { pool, policy, .. } = self.mirror.description();
        let own = |log: &&Log| log.address == pool || log.address == policy.address;
        self.emitted.extend(logs.iter().filter(own).cloned());
    }

    /// Ends the block that was being made.
    ///
    /// # Errors
    /// [`SimError::Port`].
    pub fn close(&mut self, number: u64, timestamp: u64) -> Result<(), SimError> {
        if self.emitted.is_empty() {
            return Ok(());
        }
        let block = BlockRef {
            number,
            hash: B256::left_padding_from(&number.to_be_bytes()),
            parent_hash: B256::ZERO,
            timestamp,
        };
        let logs = std::mem::take(&mut self.emitted);
        self.mirror
            .apply_range([(number, timestamp, &logs)], &block)
            .map_err(astray)?;
        Ok(())
    }

    /// The books at `timestamp`, Unix seconds.
    #[must_use]
    pub fn books(&self, timestamp: u64) -> Books {
        let market = self.mirror.market_state_at(timestamp);
        let bucket = match &self.policy {
            Policy::Damped(policy) => {
                let bucket = self.mirror.policy_state().bucket(0);
                (policy.bucket_level_at(&bucket, timestamp), bucket.cap())
            }
            Policy::Rigid(_) | Policy::TargetHealth(_) => (U256::ZERO, U256::ZERO),
        };
        Books {
            debt: U256::from(market.total_debt),
            debt_shares: U256::from(market.debt_shares),
            lender_assets: U256::from(market.lender_assets),
            cash: U256::from(market.cash),
            bucket,
        }
    }

    /// The market in the block that is being made, before its first transaction.
    ///
    /// # Errors
    /// [`SimError::Port`], [`SimError::Call`].
    pub fn now(&self, chain: &mut MemoryChain, addresses: &Addresses) -> Result<Now, SimError> {
        let BlockEnvironment {
            number,
            timestamp,
            base_fee,
            ..
        } = *chain.block();
        let caller = addresses.operator;
        let prices = chain
            .read_sol(caller, addresses.oracle, &IPriceOracle::peekCall {})
            .during("read the oracle")?;
        let mut reading = Reading::new(&prices, U256::ZERO).map_err(astray)?;
        if reading.status == PriceStatus::Down {
            reading.last = chain
                .read_sol(caller, addresses.oracle, &IPriceOracle::lastPriceCall {})
                .during("read the last price")?;
        }
        let breaker = crate::reading::breaker_level(chain, addresses)?;
        let breaker = BreakerLevel::try_from(breaker).map_err(astray)?;
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
            // What cannot be read counts as 0.
            environment.depth_reading = chain
                .read_sol(caller, addresses.oracle, &IPriceOracle::depthCall {})
                .unwrap_or_default();
            if policy.parameters().liquidation_gas != 0 {
                let native = policy.parameters().native_oracle;
                environment.native_price = chain
                    .read_sol(caller, native, &IPriceOracle::peekCall {})
                    .ok()
                    .and_then(|prices| Reading::new(&prices, U256::ZERO).ok())
                    .filter(|reading| reading.status != PriceStatus::Down)
                    .map_or(U256::ZERO, |reading| reading.fast);
            }
        }
        let room = match &self.backstop {
            Some(backstop) => chain
                .read_sol(caller, backstop.pool, &BackstopPool::absorbableCall {})
                .during("read what the backstop can spend")?,
            None => U256::ZERO,
        };
        Ok(Now {
            room,
            moment: self.mirror.moment(&[reading], timestamp).map_err(astray)?,
            breaker,
            environment,
        })
    }

    /// What `quoteLiquidation(account, 0, 2^256 - 1)` answers; `None` where it reverts.
    ///
    /// # Errors
    /// [`SimError::Port`].
    pub fn quote(&self, account: Address, now: &Now) -> Result<Option<LiquidationGrant>, SimError> {
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

/// That the port says what the contracts say.
///
/// # Errors
/// [`SimError::Port`] where they differ.
pub fn agree<T: PartialEq + std::fmt::Debug>(
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

/// A grant as the port has it.
///
/// # Errors
/// [`SimError::Port`] for a refusal that it does not know.
pub fn grant(granted: &ILendingPool::LiquidationGrant) -> Result<LiquidationGrant, SimError> {
    Ok(LiquidationGrant {
        repay: granted.repay,
        seize: granted.seize,
        bonus: granted.bonus,
        refusal: granted.refusal.try_into().map_err(astray)?,
    })
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
        WorldKind::Policy(config::Policy::Rigid | config::Policy::AaveV3)
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
