//! Lenders' deposits and the population's positions, and what governance does for them.

use alloy_primitives::{Address, B256, Bytes, Log, U256, Uint};
use alloy_sol_types::{SolCall, sol};
use breakwater_bindings::{FixedOracle, ILendingPool, LendingPool, LendingPoolExtension};
use breakwater_evm::Transaction;

use super::{Addresses, Builder};
use crate::actors::{Role, address};
use crate::config::Account;
use crate::error::SimError;
use crate::units::{COLLATERAL_UNIT, DEBT_UNIT, PRICE_UNIT, to_base};

sol! {
    /// OpenZeppelin's timelock, as the market's governance uses it.
    interface Timelock {
        function schedule(address target, uint256 value, bytes data, bytes32 predecessor, bytes32 salt, uint256 delay) external;
        function execute(address target, uint256 value, bytes payload, bytes32 predecessor, bytes32 salt) external;
    }
}

impl Builder<'_> {
    /// Lenders deposit, accounts supply and borrow: all in the block of the start, so that no interest changes what the
    /// input says. Positions between the borrow limit and the liquidation threshold need a higher price to open: for this
    /// block's borrowing governance installs an oracle that stands just so much higher.
    pub(super) fn populate(
        &mut self,
        addresses: &Addresses,
        timelock: Address,
    ) -> Result<Vec<Vec<Log>>, SimError> {
        let mut logs = Vec::new();
        let debt: f64 = self.input.accounts.iter().map(|account| account.debt).sum();
        let lender = address(self.seed, Role::Lender, 0);
        let assets = to_base(debt * self.parameters.lender_assets_over_debt, DEBT_UNIT);
        self.endow(
            lender,
            addresses.collateral,
            addresses.asset,
            &[addresses.pool],
        )?;
        self.send(
            "lend",
            lender,
            addresses.pool,
            &LendingPool::depositCall {
                assets: assets + U256::from(1),
                receiver: lender,
            },
        )?;

        let listed = &self.parameters.collateral;
        let raised =
            self.input.prices[0] * listed.liquidation_threshold / listed.borrow_ltv * 1.000_1;
        let oracle = self.deploy(
            "deploy the opening oracle",
            &FixedOracle::BYTECODE,
            &FixedOracle::constructorCall {
                price: to_base(raised, PRICE_UNIT),
            },
        )?;
        self.govern(timelock, addresses.pool, &set_oracle(oracle))?;
        let accounts: Vec<_> = self
            .input
            .accounts
            .iter()
            .zip(addresses.accounts.clone())
            .collect();
        for (account, owner) in accounts {
            self.open_position(addresses, *account, owner, &mut logs)?;
        }
        self.govern(timelock, addresses.pool, &set_oracle(addresses.oracle))?;
        let minimum = LendingPoolExtension::setMinDebtCall {
            minDebt_: Uint::from(100_000_000_u64),
            stipend: U256::from(5_000_000_u64),
        };
        self.govern(timelock, addresses.pool, &minimum)?;
        Ok(logs)
    }

    fn open_position(
        &mut self,
        addresses: &Addresses,
        account: Account,
        owner: Address,
        logs: &mut Vec<Vec<Log>>,
    ) -> Result<(), SimError> {
        let pool = addresses.pool;
        self.endow(owner, addresses.collateral, addresses.asset, &[pool])?;
        let authorize = ILendingPool::setAuthorizationCall {
            authorized: addresses.deleverager,
            isAuthorized: true,
        };
        self.send("authorize the deleverager", owner, pool, &authorize)?;
        let amount = to_base(account.collateral, COLLATERAL_UNIT);
        let supply = ILendingPool::supplyCollateralCall {
            collateralId: U256::ZERO,
            amount,
            account: owner,
            data: Bytes::new(),
        };
        let assets = to_base(account.debt, DEBT_UNIT);
        let borrow = ILendingPool::borrowCall {
            assets,
            account: owner,
            receiver: owner,
        };
        for (step, call, skip) in [
            ("supply collateral", supply.abi_encode(), amount.is_zero()),
            ("borrow", borrow.abi_encode(), assets.is_zero()),
        ] {
            if skip {
                continue;
            }
            let execution = self.transact(step, &Transaction::call(owner, pool, call))?;
            logs.push(execution.logs);
        }
        Ok(())
    }

    /// Schedules and executes through the timelock, whose delay is 0 here.
    pub(super) fn govern<C: SolCall>(
        &mut self,
        timelock: Address,
        target: Address,
        call: &C,
    ) -> Result<(), SimError> {
        let data = Bytes::from(call.abi_encode());
        let schedule = Timelock::scheduleCall {
            target,
            value: U256::ZERO,
            data: data.clone(),
            predecessor: B256::ZERO,
            salt: B256::ZERO,
            delay: U256::ZERO,
        };
        self.send(
            "schedule with the timelock",
            self.operator,
            timelock,
            &schedule,
        )?;
        let execute = Timelock::executeCall {
            target,
            value: U256::ZERO,
            payload: data,
            predecessor: B256::ZERO,
            salt: B256::ZERO,
        };
        self.send(
            "execute through the timelock",
            self.operator,
            timelock,
            &execute,
        )?;
        Ok(())
    }
}

fn set_oracle(oracle: Address) -> LendingPoolExtension::setCollateralOracleCall {
    LendingPoolExtension::setCollateralOracleCall {
        id: U256::ZERO,
        oracle,
    }
}
