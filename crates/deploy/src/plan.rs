//! What is to be deployed, in order: contracts with addresses that are known beforehand, and the calls that configure them
//! and hand them over.

mod contracts;
mod creation;
mod feeds;
mod step;

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolValue;
use breakwater_bindings::{
    AdaptiveRateModel, BackstopPolicy, BackstopPool, CircuitBreaker, DampedPolicy, FlashLiquidator,
    KinkedRateModel, LendingPool, LendingPoolExtension, PremiumSteward, RigidPolicy,
    TargetHealthPolicy, TimelockController, TwapOracle, UniswapV3Source, lending_pool, twap_oracle,
};

pub(crate) use creation::creation;
pub use creation::{Creation, find_multicall};
pub use feeds::inspect_feeds;
pub use step::Step;

use crate::calls::Call;
use crate::config::BackstopPlan;
use crate::defaults::{CollateralPlan, SystemPlan};
use crate::error::DeployError;
use crate::manifest::{
    Backstop, CallRecord, Collateral, ContractRecord, Deployment, Policy, PolicyKind,
};

/// The widest confirmation band without a venue, basis points, as in `script/Deployment.sol`.
const MAX_BAND_WITHOUT_VENUE: u16 = 200;

/// A system and every step to it, in the order of `script/Deployment.sol`; after that what a keeper needs.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What was asked for, with the addresses that follow from it filled in.
    pub system: SystemPlan,
    /// The backstop before its policy, where one was asked for.
    pub backstop: Option<BackstopPlan>,
    /// Sends the transactions.
    pub deployer: Address,
    /// In order.
    pub steps: Vec<Step>,
    /// Where everything will be, and nothing sent yet.
    pub deployment: Deployment,
}

impl Plan {
    /// Plans a system on a chain. `multicall` answers batched reads there already; without one our own is placed.
    ///
    /// # Errors
    /// [`DeployError::Plan`] for what contradicts itself.
    pub fn new(
        system: SystemPlan,
        chain_id: u64,
        deployer: Address,
        multicall: Option<Address>,
    ) -> Result<Self, DeployError> {
        Self::with_backstop(system, None, chain_id, deployer, multicall)
    }

    /// The same with a backstop before the policy, if there is one: set, and the pool handed over to its steward, while the deployer
    /// still owns the pool.
    ///
    /// # Errors
    /// [`DeployError::Plan`] for what contradicts itself.
    pub fn with_backstop(
        system: SystemPlan,
        backstop: Option<BackstopPlan>,
        chain_id: u64,
        deployer: Address,
        multicall: Option<Address>,
    ) -> Result<Self, DeployError> {
        check(&system, deployer)?;
        let mut salt = keccak256((system.clone(), deployer).abi_encode());
        if let Some(backstop) = &backstop {
            let asked = (backstop.absorption_health, backstop.premium_share);
            salt = keccak256((salt, backstop.parameters.clone(), asked).abi_encode());
        }
        Ok(Builder {
            salt,
            system,
            backstop,
            deployer,
            creations: Vec::new(),
        }
        .build(chain_id, multicall))
    }
}

fn check(system: &SystemPlan, deployer: Address) -> Result<(), DeployError> {
    let refuse = |reason: String| Err(DeployError::Plan(reason));
    if system.governance == deployer {
        // The last steps take every role from the deployer: nobody could propose any more.
        return refuse(format!(
            "governance is the deployer {deployer}, who gives up every right at the end"
        ));
    }
    if system.guardian == deployer {
        return refuse(format!(
            "the guardian is the deployer {deployer}, who gives up every right at the end"
        ));
    }
    for (role, account) in [
        ("governance", system.governance),
        ("the guardian", system.guardian),
    ] {
        if account.is_zero() {
            return refuse(format!("{role} is the zero address, which is nobody"));
        }
    }
    if system.collaterals.is_empty() {
        return refuse("there is no collateral".to_owned());
    }
    let pays_for_gas = !system.policy.damped.liquidationGas.is_zero();
    if pays_for_gas && system.nativeCollateral >= U256::from(system.collaterals.len()) {
        return refuse(format!(
            "the native coin is collateral {}, and there are {}",
            system.nativeCollateral,
            system.collaterals.len()
        ));
    }
    for (number, collateral) in system.collaterals.iter().enumerate() {
        let band = collateral.listing.confirmationBand;
        if collateral.venue.is_zero() && band > MAX_BAND_WITHOUT_VENUE {
            return refuse(format!(
                "collateral {number} has a confirmation band of {band} basis points and no venue; \
                 at most {MAX_BAND_WITHOUT_VENUE}"
            ));
        }
        if !collateral.venue.is_zero() && collateral.venueMinDepth.is_zero() {
            return refuse(format!(
                "the venue of collateral {number} has no least depth"
            ));
        }
    }
    Ok(())
}

struct Builder {
    /// Of all the system's contracts: the hash of what was asked for. Some say nothing of the system in their arguments (a
    /// deployer's timelocks are alike), and two systems must not share them.
    salt: B256,
    system: SystemPlan,
    backstop: Option<BackstopPlan>,
    deployer: Address,
    creations: Vec<Creation>,
}

impl Builder {
    /// Adds a contract and says where it will be.
    fn create(&mut self, creation: Creation) -> Address {
        let address = creation.address;
        self.creations.push(creation);
        address
    }

    fn build(mut self, chain_id: u64, multicall: Option<Address>) -> Plan {
        let timelock = self.create(creation!(
            self.salt,
            "timelock",
            TimelockController {
                minDelay: U256::ZERO,
                proposers: vec![self.deployer],
                executors: vec![self.deployer],
                admin: self.deployer,
            }
        ));
        let rate_model = self.rate_model();
        let breaker = self.system.withBreaker.then(|| {
            self.create(creation!(
                self.salt,
                "breaker",
                CircuitBreaker {
                    owner_: timelock,
                    p: same(&self.system.breaker),
                }
            ))
        });
        let mut collaterals: Vec<_> = (0..self.system.collaterals.len())
            .map(|number| self.collateral(number))
            .collect();
        let native = !self.system.policy.damped.liquidationGas.is_zero();
        let native = native.then(|| self.system.nativeCollateral.saturating_to::<u64>());
        let policy = self.policy(native.map(|number| collaterals[number as usize].oracle));
        let (pool, extension) = self.pool(timelock, rate_model, breaker, policy.address);
        let backstop = self.backstop(timelock, pool, policy.address);
        let core = self.creations.len();
        for collateral in &mut collaterals {
            collateral.flash_liquidator = collateral.venue.map(|venue| {
                self.create(creation!(
                    self.salt,
                    format!("flashLiquidator[{}]", collateral.id),
                    FlashLiquidator {
                        pool: pool,
                        venue: venue,
                        collateralId: U256::from(collateral.id),
                    }
                ))
            });
        }
        let mut deployment = Deployment {
            chain_id,
            configuration_hash: B256::ZERO,
            complete: false,
            deployer: self.deployer,
            first_block: 0,
            asset: self.system.asset,
            pool,
            extension,
            timelock,
            governance: self.system.governance,
            guardian: self.system.guardian,
            breaker,
            policy,
            backstop,
            rate_model,
            collaterals,
            native_collateral: native.filter(|_| policy.kind == PolicyKind::Damped),
            multicall: multicall.unwrap_or_default(),
            local: None,
            contracts: Vec::new(),
            calls: Vec::new(),
        };
        deployment.configuration_hash = self.hash();
        if multicall.is_none() {
            deployment.multicall = self.create(creation::multicall());
        }
        let mut steps: Vec<_> = self.creations.into_iter().map(Step::Create).collect();
        let calls = Call::all(&self.system, &deployment);
        steps.splice(core..core, calls.into_iter().map(Step::Call));
        for step in &steps {
            match step {
                Step::Create(creation) => deployment.contracts.push(record(creation)),
                Step::Call(call) => deployment.calls.push(CallRecord {
                    step: call.to_string(),
                    to: call.target(),
                    data: call.data(),
                    transaction: None,
                }),
            }
        }
        Plan {
            system: self.system,
            backstop: self.backstop,
            deployer: self.deployer,
            steps,
            deployment,
        }
    }

    /// Of everything that makes the system what it is: the plan, the deployer, and, through the addresses, the code.
    fn hash(&self) -> B256 {
        let addresses: Vec<_> = self.creations.iter().map(|made| made.address).collect();
        keccak256((self.salt, addresses).abi_encode())
    }

    fn rate_model(&mut self) -> Address {
        let rate = &self.system.rate;
        let creation = if rate.adaptationSpeed.is_zero() {
            creation!(
                self.salt,
                "rateModel",
                KinkedRateModel {
                    targetUtilisation: rate.targetUtilisation,
                    lowMultiplier: rate.lowMultiplier,
                    highMultiplier: rate.highMultiplier,
                    rateAtTarget: rate.initialRateAtTarget,
                }
            )
        } else {
            creation!(self.salt, "rateModel", AdaptiveRateModel { p: same(rate) })
        };
        self.create(creation)
    }

    /// The oracle of a collateral, and the source over its venue.
    fn collateral(&mut self, number: usize) -> Collateral {
        let plan = self.system.collaterals[number].clone();
        let asset = self.system.asset;
        let present = |address: Address| Some(address).filter(|address| !address.is_zero());
        let venue_source = present(plan.venue).map(|venue| {
            self.create(creation!(
                self.salt,
                format!("venueSource[{number}]"),
                UniswapV3Source {
                    pool: venue,
                    collateralToken: plan.listing.token,
                    debtToken: asset,
                    window: plan.venueWindow,
                    minDepth: plan.venueMinDepth,
                }
            ))
        });
        let oracle = self.create(creation!(
            self.salt,
            format!("oracle[{number}]"),
            TwapOracle {
                p: oracle_parameters(&plan, asset, venue_source)
            }
        ));
        self.system.collaterals[number].listing.oracle = oracle;
        Collateral {
            id: number as u64,
            token: plan.listing.token,
            oracle,
            feed: plan.base.source,
            quote_feed: present(plan.quote.source),
            venue: present(plan.venue),
            venue_source,
            flash_liquidator: None,
        }
    }

    fn policy(&mut self, native_oracle: Option<Address>) -> Policy {
        let damped = &mut self.system.policy.damped;
        damped.nativeOracle = native_oracle.unwrap_or_default();
        let plan = &self.system.policy;
        let (kind, creation) = match plan.kind {
            0 => (
                PolicyKind::Rigid,
                creation!(
                    self.salt,
                    "policy",
                    RigidPolicy {
                        bonus: plan.rigidBonus
                    }
                ),
            ),
            1 => (
                PolicyKind::TargetHealth,
                creation!(
                    self.salt,
                    "policy",
                    TargetHealthPolicy {
                        targetHealth: plan.targetHealth,
                        fullBonusHealth: plan.fullBonusHealth,
                        bonusShareAtOne: plan.bonusShareAtOne,
                    }
                ),
            ),
            _ => (
                PolicyKind::Damped,
                creation!(
                    self.salt,
                    "policy",
                    DampedPolicy {
                        p: same(&plan.damped)
                    }
                ),
            ),
        };
        Policy {
            kind,
            address: self.create(creation),
        }
    }

    /// Caps of 0 until everything is listed: in a pool with lenders a listing's LTV rises over seven days, and anybody could lend
    /// a unit. The extension has an owner in its own storage, where he can do nothing; it is the timelock from the start.
    fn pool(
        &mut self,
        timelock: Address,
        rate_model: Address,
        breaker: Option<Address>,
        policy: Address,
    ) -> (Address, Address) {
        let mut parameters = lending_pool::LendingPool::PoolParameters {
            asset: self.system.asset,
            rateModel: rate_model,
            breaker: breaker.unwrap_or_default(),
            policy,
            owner: timelock,
            guardian: self.system.guardian,
            supplyCap: U256::ZERO,
            borrowCap: U256::ZERO,
            name: self.system.name.clone(),
            symbol: self.system.symbol.clone(),
        };
        let extension = self.create(creation!(
            self.salt,
            "extension",
            LendingPoolExtension {
                p: same(&parameters)
            }
        ));
        parameters.owner = self.deployer;
        let pool = self.create(creation!(
            self.salt,
            "pool",
            LendingPool {
                p: parameters,
                extension_: extension,
            }
        ));
        (pool, extension)
    }
}

impl Builder {
    /// Where it is asked for: the backstop, the policy that puts it before `behind`, and the pool's next owner.
    fn backstop(&mut self, timelock: Address, pool: Address, behind: Address) -> Option<Backstop> {
        let mut plan = self.backstop.take()?;
        plan.parameters.pool = pool;
        let backstop = self.create(creation!(
            self.salt,
            "backstop",
            BackstopPool {
                p: plan.parameters.clone()
            }
        ));
        let policy = self.create(creation!(
            self.salt,
            "backstopPolicy",
            BackstopPolicy {
                behind: behind,
                backstop: backstop,
                absorptionHealth: plan.absorption_health,
            }
        ));
        let steward = self.create(creation!(
            self.salt,
            "premiumSteward",
            PremiumSteward {
                pool: pool,
                backstop: backstop,
                timelock: timelock,
                premiumShare: plan.premium_share,
            }
        ));
        self.backstop = Some(plan);
        Some(Backstop {
            pool: backstop,
            policy,
            steward,
        })
    }
}

fn oracle_parameters(
    plan: &CollateralPlan,
    asset: Address,
    venue_source: Option<Address>,
) -> twap_oracle::TwapOracle::TwapOracleParameters {
    twap_oracle::TwapOracle::TwapOracleParameters {
        collateralToken: plan.listing.token,
        debtToken: asset,
        base: same(&plan.base),
        quote: same(&plan.quote),
        venue: venue_source.unwrap_or_default(),
        window: plan.window,
        step: plan.step,
        confirmationDelay: plan.confirmationDelay,
        standInLimit: plan.standInLimit,
    }
}

fn record(creation: &Creation) -> ContractRecord {
    ContractRecord {
        role: creation.role.clone(),
        name: creation.name.to_owned(),
        address: creation.address,
        constructor_arguments: creation.arguments.clone(),
        creation_code_hash: keccak256(&creation.code),
        code_hash: None,
        transaction: None,
    }
}

/// The same Solidity struct as another contract's binding has it.
///
/// # Panics
/// Where the two are not the same struct, which compiled-in code either always or never does.
pub(crate) fn same<
    A: SolValue,
    B: SolValue + From<<B::SolType as alloy_sol_types::SolType>::RustType>,
>(
    value: &A,
) -> B {
    B::abi_decode(&value.abi_encode())
        .unwrap_or_else(|error| panic!("two bindings of one struct differ: {error}"))
}
