//! The calls that configure a system and hand it over, and how each is seen to be done.

use std::fmt;

use alloy_primitives::{Address, B256, Bytes, U256, b256, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use breakwater_bindings::lending_pool_extension::LendingPoolExtension::CollateralConfig;
use breakwater_bindings::{
    LendingPool, LendingPoolExtension, PremiumSteward, TimelockController, UniswapV3Pool,
};

use crate::chain::Views;
use crate::defaults::SystemPlan;
use crate::error::DeployError;
use crate::manifest::Deployment;
use crate::plan::same;

/// `bytes32("breakwater bootstrap")`, the salt of the operations that the deployer sends through the timelock.
const BOOTSTRAP: B256 = b256!("627265616b776174657220626f6f747374726170000000000000000000000000");

/// What is done.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Action {
    List {
        number: u64,
        listing: Box<CollateralConfig>,
    },
    MinDebt {
        debt: U256,
        stipend: U256,
    },
    ReserveFactor(u8),
    Caps {
        supply: U256,
        borrow: U256,
    },
    GrowMemory {
        number: u64,
        venue: Address,
        observations: u16,
    },
    SetPolicy(Address),
    TransferOwnership,
    StewardAccepts(Address),
    Schedule(Operation),
    Execute(Operation),
    Grant(Role, Address),
    Renounce(Role, Address),
}

/// What the deployer does through the timelock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    AcceptOwnership,
    UpdateDelay(U256),
}

/// A role of the timelock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Proposer,
    Canceller,
    Executor,
    Admin,
}

impl Role {
    pub(crate) fn id(self) -> B256 {
        match self {
            Self::Proposer => keccak256("PROPOSER_ROLE"),
            Self::Canceller => keccak256("CANCELLER_ROLE"),
            Self::Executor => keccak256("EXECUTOR_ROLE"),
            Self::Admin => B256::ZERO,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Proposer => "proposer",
            Self::Canceller => "canceller",
            Self::Executor => "executor",
            Self::Admin => "admin",
        }
    }
}

/// A call with the contracts that it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    action: Action,
    pool: Address,
    timelock: Address,
    /// Of the pool, in the end.
    owner: Address,
}

impl Call {
    /// All of them, in order, as `script/Deployment.sol` and `script/Venues.sol` have them: what a debt must be before what it may
    /// be borrowed against, then the caps, which open the pool. A venue remembers as many observations as its averaging
    /// window can hold, one a second.
    pub(crate) fn all(system: &SystemPlan, deployment: &Deployment) -> Vec<Self> {
        let mut actions = Vec::new();
        actions.push(Action::MinDebt {
            debt: U256::from(system.minDebt),
            stipend: system.settlementStipend,
        });
        actions.push(Action::ReserveFactor(system.reserveFactor));
        let listings = (0..).zip(&system.collaterals);
        actions.extend(listings.map(|(number, collateral)| Action::List {
            number,
            listing: Box::new(same(&collateral.listing)),
        }));
        let backstop = deployment.backstop;
        actions.extend(backstop.map(|backstop| Action::SetPolicy(backstop.policy)));
        actions.push(Action::Caps {
            supply: system.supplyCap,
            borrow: system.borrowCap,
        });
        for (collateral, there) in system.collaterals.iter().zip(&deployment.collaterals) {
            actions.extend(there.venue.map(|venue| Action::GrowMemory {
                number: there.id,
                venue,
                observations: u16::try_from(collateral.venueWindow + 1).unwrap_or(u16::MAX),
            }));
        }
        let (governance, deployer) = (system.governance, deployment.deployer);
        let delay = Operation::UpdateDelay(system.timelockDelay);
        actions.push(Action::TransferOwnership);
        match backstop {
            // Anybody may have the steward accept; the timelock acts through it.
            Some(backstop) => actions.push(Action::StewardAccepts(backstop.steward)),
            None => actions.extend([
                Action::Schedule(Operation::AcceptOwnership),
                Action::Execute(Operation::AcceptOwnership),
            ]),
        }
        actions.extend([
            Action::Schedule(delay),
            Action::Execute(delay),
            Action::Grant(Role::Proposer, governance),
            Action::Grant(Role::Canceller, governance),
            Action::Grant(Role::Executor, governance),
            Action::Renounce(Role::Proposer, deployer),
            Action::Renounce(Role::Canceller, deployer),
            Action::Renounce(Role::Executor, deployer),
            Action::Renounce(Role::Admin, deployer),
        ]);
        let call = |action| Self {
            action,
            pool: deployment.pool,
            timelock: deployment.timelock,
            owner: deployment.owner(),
        };
        actions.into_iter().map(call).collect()
    }

    /// The contract called.
    #[must_use]
    pub const fn target(&self) -> Address {
        match self.action {
            Action::List { .. }
            | Action::MinDebt { .. }
            | Action::ReserveFactor(_)
            | Action::Caps { .. }
            | Action::SetPolicy(_)
            | Action::TransferOwnership => self.pool,
            Action::StewardAccepts(steward) => steward,
            Action::GrowMemory { venue, .. } => venue,
            Action::Schedule(_) | Action::Execute(_) | Action::Grant(..) | Action::Renounce(..) => {
                self.timelock
            }
        }
    }

    /// Whether only the deployer may make it, and only until he has handed over.
    #[must_use]
    pub const fn is_deployers(&self) -> bool {
        !matches!(self.action, Action::GrowMemory { .. })
    }

    /// What its name does not say.
    #[must_use]
    pub fn arguments(&self) -> Option<String> {
        match &self.action {
            Action::List { listing, .. } => Some(format!("{listing:?}")),
            _ => None,
        }
    }

    /// Calldata.
    #[must_use]
    pub fn data(&self) -> Bytes {
        match &self.action {
            Action::List { listing, .. } => LendingPoolExtension::listCollateralCall {
                config: (**listing).clone(),
            }
            .abi_encode(),
            Action::MinDebt { debt, stipend } => LendingPoolExtension::setMinDebtCall {
                minDebt_: debt.saturating_to(),
                stipend: *stipend,
            }
            .abi_encode(),
            Action::ReserveFactor(percent) => {
                LendingPoolExtension::setReserveFactorCall { percent: *percent }.abi_encode()
            }
            Action::Caps { supply, borrow } => LendingPoolExtension::setCapsCall {
                supplyCap_: *supply,
                borrowCap_: *borrow,
            }
            .abi_encode(),
            Action::GrowMemory { observations, .. } => {
                UniswapV3Pool::increaseObservationCardinalityNextCall {
                    observationCardinalityNext: *observations,
                }
                .abi_encode()
            }
            Action::TransferOwnership => LendingPool::transferOwnershipCall {
                newOwner: self.owner,
            }
            .abi_encode(),
            Action::SetPolicy(policy) => {
                LendingPoolExtension::setPolicyCall { policy_: *policy }.abi_encode()
            }
            Action::StewardAccepts(_) => PremiumSteward::acceptCall {}.abi_encode(),
            Action::Schedule(operation) => {
                let (target, data) = self.operation(*operation);
                TimelockController::scheduleCall {
                    target,
                    value: U256::ZERO,
                    data,
                    predecessor: B256::ZERO,
                    salt: BOOTSTRAP,
                    delay: U256::ZERO,
                }
                .abi_encode()
            }
            Action::Execute(operation) => {
                let (target, payload) = self.operation(*operation);
                TimelockController::executeCall {
                    target,
                    value: U256::ZERO,
                    payload,
                    predecessor: B256::ZERO,
                    salt: BOOTSTRAP,
                }
                .abi_encode()
            }
            Action::Grant(role, account) => TimelockController::grantRoleCall {
                role: role.id(),
                account: *account,
            }
            .abi_encode(),
            Action::Renounce(role, account) => TimelockController::renounceRoleCall {
                role: role.id(),
                callerConfirmation: *account,
            }
            .abi_encode(),
        }
        .into()
    }

    /// Whether the chain shows its effect. Its contracts must be there.
    ///
    /// # Errors
    /// As [`Views::view`].
    pub async fn is_done(&self, views: &impl Views) -> Result<bool, DeployError> {
        let (pool, timelock) = (self.pool, self.timelock);
        Ok(match &self.action {
            Action::List { number, .. } => {
                let count = views
                    .read(pool, LendingPoolExtension::collateralCountCall {})
                    .await?;
                count > U256::from(*number)
            }
            Action::MinDebt { debt, stipend } => {
                views
                    .read(pool, LendingPoolExtension::minDebtCall {})
                    .await?
                    == *debt
                    && views
                        .read(pool, LendingPoolExtension::settlementStipendCall {})
                        .await?
                        == *stipend
            }
            Action::ReserveFactor(percent) => {
                let factor = views
                    .read(pool, LendingPoolExtension::reserveFactorCall {})
                    .await?;
                factor == U256::from(*percent)
            }
            Action::Caps { supply, borrow } => {
                views
                    .read(pool, LendingPoolExtension::supplyCapCall {})
                    .await?
                    == *supply
                    && views
                        .read(pool, LendingPoolExtension::borrowCapCall {})
                        .await?
                        == *borrow
            }
            Action::GrowMemory {
                venue,
                observations,
                ..
            } => {
                let slot = views.read(*venue, UniswapV3Pool::slot0Call {}).await?;
                slot.observationCardinalityNext >= *observations
            }
            Action::TransferOwnership => {
                views.read(pool, LendingPool::pendingOwnerCall {}).await? == self.owner
                    || views.read(pool, LendingPool::ownerCall {}).await? == self.owner
            }
            Action::SetPolicy(policy) => {
                let call = LendingPoolExtension::policyCall {};
                views.read(pool, call).await? == *policy
            }
            Action::StewardAccepts(steward) => {
                views.read(pool, LendingPool::ownerCall {}).await? == *steward
            }
            Action::Schedule(operation) => {
                let id = self.operation_id(*operation);
                views
                    .read(timelock, TimelockController::isOperationCall { id })
                    .await?
            }
            Action::Execute(operation) => {
                let id = self.operation_id(*operation);
                views
                    .read(timelock, TimelockController::isOperationDoneCall { id })
                    .await?
            }
            Action::Grant(role, account) => has_role(views, timelock, *role, *account).await?,
            Action::Renounce(role, account) => !has_role(views, timelock, *role, *account).await?,
        })
    }

    fn operation(&self, operation: Operation) -> (Address, Bytes) {
        match operation {
            Operation::AcceptOwnership => (
                self.pool,
                LendingPool::acceptOwnershipCall {}.abi_encode().into(),
            ),
            Operation::UpdateDelay(delay) => (
                self.timelock,
                TimelockController::updateDelayCall { newDelay: delay }
                    .abi_encode()
                    .into(),
            ),
        }
    }

    /// The timelock's operation that it schedules, where it does.
    pub(crate) fn scheduled(&self) -> Option<B256> {
        match self.action {
            Action::Schedule(operation) => Some(self.operation_id(operation)),
            _ => None,
        }
    }

    /// OpenZeppelin's `hashOperation`.
    fn operation_id(&self, operation: Operation) -> B256 {
        let (target, data) = self.operation(operation);
        keccak256((target, U256::ZERO, data, B256::ZERO, BOOTSTRAP).abi_encode_params())
    }
}

/// Whether an account has a role of the timelock.
pub(crate) async fn has_role(
    views: &impl Views,
    timelock: Address,
    role: Role,
    account: Address,
) -> Result<bool, DeployError> {
    let role = role.id();
    views
        .read(timelock, TimelockController::hasRoleCall { role, account })
        .await
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AcceptOwnership => f.write_str("to accept the pool"),
            Self::UpdateDelay(delay) => write!(f, "its delay of {delay} s"),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.action {
            Action::List { number, listing } => {
                write!(f, "list collateral {number}, {}", listing.token)
            }
            Action::MinDebt { debt, stipend } => {
                write!(f, "set the minimum debt {debt} and the stipend {stipend}")
            }
            Action::ReserveFactor(percent) => write!(f, "set the reserve factor {percent}%"),
            Action::Caps { supply, borrow } => {
                write!(f, "set the caps {supply} and {borrow}")
            }
            Action::GrowMemory {
                number,
                observations,
                ..
            } => write!(f, "let venue {number} remember {observations} observations"),
            Action::SetPolicy(policy) => write!(f, "put the backstop first by the policy {policy}"),
            Action::TransferOwnership if self.owner != self.timelock => {
                f.write_str("offer the pool to the steward")
            }
            Action::TransferOwnership => f.write_str("offer the pool to the timelock"),
            Action::StewardAccepts(_) => f.write_str("let the steward accept the pool"),
            Action::Schedule(operation) => write!(f, "schedule with the timelock {operation}"),
            Action::Execute(operation) => write!(f, "execute through the timelock {operation}"),
            Action::Grant(role, account) => write!(f, "make {account} {}", role.name()),
            Action::Renounce(role, _) => write!(f, "give up being {}", role.name()),
        }
    }
}
