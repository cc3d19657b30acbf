//! Aave v3 on the world's two tokens: deployed and listed as its own tools do, with the scenario's thresholds.
//!
//! The oracle reads the world's feed for the collateral and one that says a dollar for the debt token. Interest follows the
//! curve with which Breakwater's pool begins; Aave's does not move by itself afterwards. Caps, a protocol's share of the
//! bonus, stable rates and efficiency modes are left as they are in a new market: off.

use alloy_primitives::{Address, Bytes, Log, U256};
use alloy_sol_types::{SolCall, SolValue};
use breakwater_bindings::{AaveDeleverager, AaveLiquidator, LatestAnswer, SimFeed, SimToken};
use breakwater_evm::{Chain, Transaction};

use super::{Addresses, Builder, PLENTY, basis_points, feed_call};
use crate::aave::abi::{
    AccessControl, AddressesProvider, Configurator, Oracle, Pool, RAY, ScaledToken, VARIABLE_RATE,
};
use crate::aave::{Artifacts, Libraries, Market};
use crate::actors::{Role, address};
use crate::chain_venue::ChainVenue;
use crate::config::Account;
use crate::error::{During, SimError};
use crate::units::{
    COLLATERAL_DECIMALS, COLLATERAL_UNIT, DEBT_DECIMALS, DEBT_UNIT, FEED_DECIMALS, to_base,
};

/// Interest at no utilisation, what the rest adds up to 90%, and above it; a year, hundredths: 1% at 0, 4% at 90%, 16% at 100%.
const BASE_RATE: u64 = 1;
const RATE_TO_OPTIMUM: u64 = 3;
const RATE_BEYOND: u64 = 12;

/// Where the curve bends, hundredths of utilisation.
const OPTIMUM: u64 = 90;

/// The part of interest that is not the lenders', basis points: Breakwater's default.
const RESERVE_FACTOR: u64 = 1_000;

/// Libraries that link to none, before those that do.
const LIBRARIES: [&str; 8] = [
    "SupplyLogic",
    "BorrowLogic",
    "LiquidationLogic",
    "EModeLogic",
    "BridgeLogic",
    "PoolLogic",
    "ConfiguratorLogic",
    "FlashLoanLogic",
];

/// The market's contracts that only set-up needs.
struct Governance {
    provider: Address,
    configurator: Address,
    oracle: Address,
}

impl Builder<'_> {
    /// Deploys the market and what agents use to act in it.
    pub(super) fn aave(
        &mut self,
        collateral: Address,
        asset: Address,
        feed: Address,
        venue: &ChainVenue,
    ) -> Result<(Addresses, Market), SimError> {
        let artifacts = Artifacts::find()?;
        let governance = self.aave_pool(&artifacts, collateral, asset, feed)?;
        let pool = self.send(
            "find Aave's pool",
            self.operator,
            governance.provider,
            &AddressesProvider::getPoolCall {},
        )?;
        self.list(&artifacts, &governance, pool, (collateral, asset))?;
        let mut reserve = |asset| {
            let call = Pool::getReserveDataCall { asset };
            self.send("find Aave's tokens", self.operator, pool, &call)
        };
        let (posted, lent) = (reserve(collateral)?, reserve(asset)?);
        let market = Market {
            pool,
            oracle: governance.oracle,
            collateral,
            asset,
            collateral_receipts: posted.aTokenAddress,
            asset_receipts: lent.aTokenAddress,
            debts: lent.variableDebtTokenAddress,
        };
        let deleverager = self.deploy(
            "deploy the deleverager",
            &AaveDeleverager::BYTECODE,
            &AaveDeleverager::constructorCall {
                pool,
                venue: venue.pool(),
                collateral,
                asset,
                receipts: market.collateral_receipts,
                debtToken: market.debts,
            },
        )?;
        let liquidator = self.deploy(
            "deploy the liquidator",
            &AaveLiquidator::BYTECODE,
            &AaveLiquidator::constructorCall {
                pool,
                venue: venue.pool(),
                collateral,
                asset,
            },
        )?;
        let capital = SimToken::mintCall {
            to: liquidator,
            amount: PLENTY,
        };
        self.send("endow the liquidator", self.operator, asset, &capital)?;
        let addresses = Addresses {
            operator: self.operator,
            collateral,
            asset,
            feed,
            pool,
            policy: Address::ZERO,
            breaker: Address::ZERO,
            oracle: market.oracle,
            native: None,
            deleverager,
            liquidator,
            shadow: None,
            accounts: self.accounts(),
            backstop: None,
            aave: Some(market),
        };
        Ok((addresses, market))
    }

    /// Lenders supply and accounts open their positions, in the block of the start. As under Breakwater, positions between the
    /// borrow limit and the liquidation threshold need a price that stands just so much higher for as long.
    pub(super) fn populate_aave(
        &mut self,
        addresses: &Addresses,
        market: &Market,
    ) -> Result<Vec<Vec<Log>>, SimError> {
        let debt: f64 = self.input.accounts.iter().map(|account| account.debt).sum();
        let lender = address(self.seed, Role::Lender, 0);
        self.endow(lender, market.collateral, market.asset, &[market.pool])?;
        let assets = to_base(debt * self.parameters.lender_assets_over_debt, DEBT_UNIT);
        let supply = Pool::supplyCall {
            asset: market.asset,
            amount: assets + U256::from(1),
            onBehalfOf: lender,
            referralCode: 0,
        };
        self.send("lend", lender, market.pool, &supply)?;

        let listed = &self.parameters.collateral;
        let raised =
            self.input.prices[0] * listed.liquidation_threshold / listed.borrow_ltv * 1.000_1;
        let opening = self.priced_feed(raised)?;
        let opening = self.source(opening)?;
        self.set_source(market, opening)?;
        let mut logs = Vec::new();
        let accounts: Vec<_> = self
            .input
            .accounts
            .iter()
            .zip(addresses.accounts.clone())
            .collect();
        for (account, owner) in accounts {
            self.open_aave_position(addresses.deleverager, market, *account, owner, &mut logs)?;
        }
        let source = self.source(addresses.feed)?;
        self.set_source(market, source)?;
        Ok(logs)
    }

    /// Registry, access, pool, configurator and oracle.
    fn aave_pool(
        &mut self,
        artifacts: &Artifacts,
        collateral: Address,
        asset: Address,
        feed: Address,
    ) -> Result<Governance, SimError> {
        let operator = self.operator;
        let none = Libraries::new();
        let arguments = ("Simulated".to_owned(), operator).abi_encode_params();
        let provider =
            self.deploy_artifact(artifacts, "PoolAddressesProvider", &none, &arguments)?;
        let step = "register a contract of Aave";
        let call = AddressesProvider::setACLAdminCall {
            newAclAdmin: operator,
        };
        self.send(step, operator, provider, &call)?;
        let by_provider = provider.abi_encode();
        let access = self.deploy_artifact(artifacts, "ACLManager", &none, &by_provider)?;
        let call = AddressesProvider::setACLManagerCall {
            newAclManager: access,
        };
        self.send(step, operator, provider, &call)?;
        let call = AccessControl::addPoolAdminCall { admin: operator };
        self.send("become Aave's administrator", operator, access, &call)?;

        let mut libraries = Libraries::new();
        for name in LIBRARIES {
            let library = self.deploy_artifact(artifacts, name, &libraries, &[])?;
            libraries.insert(name.to_owned(), library);
        }
        let pool = self.deploy_artifact(artifacts, "Pool", &libraries, &by_provider)?;
        let call = AddressesProvider::setPoolImplCall { newPoolImpl: pool };
        self.send(step, operator, provider, &call)?;
        let configurator = self.deploy_artifact(artifacts, "PoolConfigurator", &libraries, &[])?;
        let call = AddressesProvider::setPoolConfiguratorImplCall {
            newPoolConfiguratorImpl: configurator,
        };
        self.send(step, operator, provider, &call)?;
        let dollar = self.priced_feed(1.0)?;
        let sources = vec![self.source(feed)?, self.source(dollar)?];
        let unit = U256::from(10).pow(U256::from(FEED_DECIMALS));
        let arguments = (
            provider,
            vec![collateral, asset],
            sources,
            Address::ZERO,
            Address::ZERO,
            unit,
        )
            .abi_encode_params();
        let oracle = self.deploy_artifact(artifacts, "AaveOracle", &none, &arguments)?;
        let call = AddressesProvider::setPriceOracleCall {
            newPriceOracle: oracle,
        };
        self.send(step, operator, provider, &call)?;
        let configurator = self.send(
            "find Aave's configurator",
            operator,
            provider,
            &AddressesProvider::getPoolConfiguratorCall {},
        )?;
        Ok(Governance {
            provider,
            configurator,
            oracle,
        })
    }

    /// Makes both tokens reserves: one a collateral, the other to be borrowed.
    fn list(
        &mut self,
        artifacts: &Artifacts,
        governance: &Governance,
        pool: Address,
        (collateral, asset): (Address, Address),
    ) -> Result<(), SimError> {
        let none = Libraries::new();
        let hundredth = RAY / U256::from(100);
        let rate = |hundredths: u64| hundredth * U256::from(hundredths);
        let off = U256::ZERO;
        let arguments = (
            governance.provider,
            rate(OPTIMUM),
            rate(BASE_RATE),
            rate(RATE_TO_OPTIMUM),
            rate(RATE_BEYOND),
            off,
            off,
            off,
            off,
            off,
        )
            .abi_encode_params();
        let rates = self.deploy_artifact(
            artifacts,
            "DefaultReserveInterestRateStrategy",
            &none,
            &arguments,
        )?;
        let by_pool = pool.abi_encode();
        let receipts = self.deploy_artifact(artifacts, "AToken", &none, &by_pool)?;
        let stable = self.deploy_artifact(artifacts, "StableDebtToken", &none, &by_pool)?;
        let variable = self.deploy_artifact(artifacts, "VariableDebtToken", &none, &by_pool)?;
        let reserve = |token, decimals, name: &str| Configurator::InitReserveInput {
            aTokenImpl: receipts,
            stableDebtTokenImpl: stable,
            variableDebtTokenImpl: variable,
            underlyingAssetDecimals: decimals,
            interestRateStrategyAddress: rates,
            underlyingAsset: token,
            treasury: self.operator,
            incentivesController: Address::ZERO,
            aTokenName: name.to_owned(),
            aTokenSymbol: name.to_owned(),
            variableDebtTokenName: name.to_owned(),
            variableDebtTokenSymbol: name.to_owned(),
            stableDebtTokenName: name.to_owned(),
            stableDebtTokenSymbol: name.to_owned(),
            params: Bytes::new(),
        };
        let reserves = Configurator::initReservesCall {
            input: vec![
                reserve(collateral, COLLATERAL_DECIMALS, "Collateral"),
                reserve(asset, DEBT_DECIMALS, "Debt"),
            ],
        };
        let listed = &self.parameters.collateral;
        let thresholds = Configurator::configureReserveAsCollateralCall {
            asset: collateral,
            ltv: U256::from(basis_points(listed.borrow_ltv)),
            liquidationThreshold: U256::from(basis_points(listed.liquidation_threshold)),
            liquidationBonus: U256::from(10_000 + u64::from(basis_points(listed.max_bonus))),
        };
        let borrowing = Configurator::setReserveBorrowingCall {
            asset,
            enabled: true,
        };
        let factor = Configurator::setReserveFactorCall {
            asset,
            newReserveFactor: U256::from(RESERVE_FACTOR),
        };
        let (operator, to) = (self.operator, governance.configurator);
        self.send("list Aave's reserves", operator, to, &reserves)?;
        self.send("list the collateral", operator, to, &thresholds)?;
        self.send("allow borrowing", operator, to, &borrowing)?;
        self.send("set the reserve factor", operator, to, &factor)?;
        Ok(())
    }

    fn deploy_artifact(
        &mut self,
        artifacts: &Artifacts,
        name: &str,
        libraries: &Libraries,
        arguments: &[u8],
    ) -> Result<Address, SimError> {
        let code = artifacts.creation_code(name, libraries)?;
        self.chain
            .deploy(self.operator, &code, arguments)
            .during(&format!("deploy Aave's {name}"))
    }

    /// A feed that says `price` and nothing else.
    fn priced_feed(&mut self, price: f64) -> Result<Address, SimError> {
        let feed = self.deploy(
            "deploy a feed",
            &SimFeed::BYTECODE,
            &SimFeed::constructorCall {
                decimals_: FEED_DECIMALS,
            },
        )?;
        let call = feed_call(price, self.chain.block().timestamp);
        self.send("write a price", self.operator, feed, &call)?;
        Ok(feed)
    }

    /// A feed as Aave's oracle reads it.
    fn source(&mut self, feed: Address) -> Result<Address, SimError> {
        self.deploy(
            "deploy a source of prices",
            &LatestAnswer::BYTECODE,
            &LatestAnswer::constructorCall { feed },
        )
    }

    fn set_source(&mut self, market: &Market, source: Address) -> Result<(), SimError> {
        let call = Oracle::setAssetSourcesCall {
            assets: vec![market.collateral],
            sources: vec![source],
        };
        self.send(
            "set the collateral's source",
            self.operator,
            market.oracle,
            &call,
        )?;
        Ok(())
    }

    fn open_aave_position(
        &mut self,
        deleverager: Address,
        market: &Market,
        account: Account,
        owner: Address,
        logs: &mut Vec<Vec<Log>>,
    ) -> Result<(), SimError> {
        let pool = market.pool;
        self.endow(owner, market.collateral, market.asset, &[pool])?;
        let approve = ScaledToken::approveCall {
            spender: deleverager,
            amount: U256::MAX,
        };
        self.send(
            "let the deleverager take receipts",
            owner,
            market.collateral_receipts,
            &approve,
        )?;
        let amount = to_base(account.collateral, COLLATERAL_UNIT);
        let supply = Pool::supplyCall {
            asset: market.collateral,
            amount,
            onBehalfOf: owner,
            referralCode: 0,
        };
        let assets = to_base(account.debt, DEBT_UNIT);
        let borrow = Pool::borrowCall {
            asset: market.asset,
            amount: assets,
            interestRateMode: VARIABLE_RATE,
            referralCode: 0,
            onBehalfOf: owner,
        };
        for (step, call, skip) in [
            ("supply collateral", supply.abi_encode(), amount.is_zero()),
            ("borrow", borrow.abi_encode(), assets.is_zero()),
        ] {
            if skip {
                continue;
            }
            let execution = self
                .chain
                .execute(&Transaction::call(owner, pool, call))?
                .into_success()
                .during(step)?;
            logs.push(execution.logs);
        }
        Ok(())
    }
}
