//! Deploys a backstop before the policy, and has its depositors there when the world begins.

use alloy_primitives::{Address, Log, U256};
use alloy_sol_types::{SolCall, sol};
use breakwater_bindings::{
    BackstopDeployer, BackstopPool, InventoryBuyer, LendingPoolExtension, PremiumSteward,
    SystemDeployer,
};
use breakwater_evm::{Chain, Transaction};

use super::{Addresses, Builder};
use crate::WorldKind;
use crate::actors::{Role, address};
use crate::config::{BackstopParameters, Policy, WorldParameters};
use crate::error::{During, SimError};
use crate::units::{DEBT_UNIT, WAD, to_base};

sol! {
    /// What moves a contract from one owner to the next.
    interface Owned {
        function transferOwnership(address newOwner) external;
    }
}

/// Where the parts of a backstop are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackstopAddresses {
    /// The backstop.
    pub pool: Address,
    /// Pays the premium, and owns the lending pool.
    pub steward: Address,
    /// Buys inventory and sells it, atomically.
    pub buyer: Address,
}

/// The world's backstop, if it has one: the counterfactual and Aave never do.
pub fn wanted(parameters: &WorldParameters, kind: WorldKind) -> Option<&BackstopParameters> {
    let own = parameters.backstop.as_ref();
    let without = [WorldKind::Counterfactual, WorldKind::Policy(Policy::AaveV3)];
    own.filter(|own| own.capital > 0.0 && !without.contains(&kind))
}

/// When a backstop is deployed and paid in, and when those who wanted out before the start ask for it: whole periods before the
/// one of `start`, so that deposits are active by then and exits come at the first start of a period after it.
pub fn before_start(own: &BackstopParameters, start: u64) -> (u64, u64) {
    let period = own.period_seconds;
    let current = start / period;
    ((current - 3) * period, (current - 1) * period)
}

impl Builder<'_> {
    /// Deploys the backstop, puts its policy before the pool's and takes deposits; afterwards it is the second of the times of
    /// [`before_start`]. Returns where it is, the policy, and what the depositors' transactions said.
    pub(super) fn backstop(
        &mut self,
        own: &BackstopParameters,
        (collateral, asset): (Address, Address),
        venue: Address,
        system: &SystemDeployer::System,
    ) -> Result<(BackstopAddresses, Address, Vec<Vec<Log>>), SimError> {
        let deployer = self.deploy_large(
            "deploy the backstop's deployer",
            &BackstopDeployer::BYTECODE,
        )?;
        let mut backstop = self.send(
            "read the backstop's default parameters",
            self.operator,
            deployer,
            &BackstopDeployer::defaultParametersCall {
                pool: system.pool,
                unit: to_base(1.0, DEBT_UNIT),
            },
        )?;
        backstop.periodSeconds = U256::from(own.period_seconds);
        backstop.releaseShare = to_base(own.release_share, WAD);
        let deployed = self.send(
            "deploy the backstop",
            self.operator,
            deployer,
            &BackstopDeployer::deployCall {
                parameters: backstop,
                absorptionHealth: to_base(own.absorption_health, WAD),
                timelock: system.timelock,
                premiumShare: to_base(own.premium_share, WAD),
            },
        )?;
        let set_policy = LendingPoolExtension::setPolicyCall {
            policy_: deployed.policy,
        };
        self.govern(system.timelock, system.pool, &set_policy)?;
        let buyer = self.deploy(
            "deploy the inventory's buyer",
            &InventoryBuyer::BYTECODE,
            &InventoryBuyer::constructorCall {
                backstop: deployed.backstop,
                venue,
                collateralId: U256::ZERO,
            },
        )?;
        let addresses = BackstopAddresses {
            pool: deployed.backstop,
            steward: deployed.steward,
            buyer,
        };
        let logs = self.join(own, addresses.pool, (collateral, asset))?;
        Ok((addresses, deployed.policy, logs))
    }

    /// Depositors come, and those who wanted out before the start ask for it.
    fn join(
        &mut self,
        own: &BackstopParameters,
        pool: Address,
        (collateral, asset): (Address, Address),
    ) -> Result<Vec<Vec<Log>>, SimError> {
        let router = self.router;
        for number in 0..own.all_depositors() {
            let depositor = address(self.seed, Role::Depositor, number);
            self.endow(depositor, collateral, asset, &[pool, router])?;
        }
        let caller = address(self.seed, Role::Absorber, 0);
        self.endow(caller, collateral, asset, &[pool])?;
        let each = deposit_of(own, self.posted, self.input.prices[0]);
        let mut logs = Vec::new();
        for number in 0..own.depositors {
            let call = BackstopPool::depositCall { assets: each };
            logs.push(self.act("deposit", number, pool, &call)?);
        }
        self.open_block(before_start(own, self.input.start).1);
        let roll = BackstopPool::rollCall {};
        self.send("begin a period", self.operator, pool, &roll)?;
        for number in 0..own.leaving() {
            let account = address(self.seed, Role::Depositor, number);
            let balance = BackstopPool::balanceOfCall { account };
            let shares = self.send("read shares", self.operator, pool, &balance)?;
            let call = BackstopPool::requestExitCall { shares };
            logs.push(self.act("ask to leave", number, pool, &call)?);
        }
        Ok(logs)
    }

    /// A depositor's transaction; returns its logs.
    fn act<C: SolCall>(
        &mut self,
        step: &str,
        number: u32,
        pool: Address,
        call: &C,
    ) -> Result<Vec<Log>, SimError> {
        let depositor = address(self.seed, Role::Depositor, number);
        let transaction = Transaction::call(depositor, pool, call.abi_encode());
        let execution = self.chain.execute(&transaction)?;
        Ok(execution.into_success().during(step)?.logs)
    }

    /// Hands the pool over to the steward, once governance has done what a world needs.
    pub(super) fn hand_over(
        &mut self,
        addresses: &Addresses,
        timelock: Address,
    ) -> Result<(), SimError> {
        let Some(backstop) = addresses.backstop else {
            return Ok(());
        };
        let transfer = Owned::transferOwnershipCall {
            newOwner: backstop.steward,
        };
        self.govern(timelock, addresses.pool, &transfer)?;
        let accept = PremiumSteward::acceptCall {};
        self.send("accept the pool", self.operator, backstop.steward, &accept)
            .map(drop)
    }
}

/// What each depositor brings, base units of the debt asset.
pub fn deposit_of(own: &BackstopParameters, posted: f64, price: f64) -> U256 {
    to_base(
        own.capital * posted * price / f64::from(own.depositors),
        DEBT_UNIT,
    )
}
