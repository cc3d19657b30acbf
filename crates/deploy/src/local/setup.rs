//! Building a local market, from wherever an earlier attempt left it.

use alloy::providers::ext::AnvilApi;
use alloy::providers::{DynProvider, Provider};
use alloy_primitives::{Address, B256, I256, U256, Uint, aliases::I24, keccak256};
use breakwater_bindings::{
    DampedPolicy, ICircuitBreaker, IUniswapV3PoolState, LendingPool, LendingPoolExtension, SimFeed,
    SimToken, UniswapV3Factory, UniswapV3Pool, VenueRouter,
};
use breakwater_evm::venue::{Tick, TickRange, liquidity_for_amounts};

use super::market::{LocalError, Market, send, sqrt_price};
use super::{
    COLLATERAL_DECIMALS, DEBT_DECIMALS, DEPOSIT, FEED_DECIMALS, SLOT, START_PRICE, VENUE_FEE,
    VENUE_SPACING, VENUE_TOKENS, WARM_UP, tokens,
};
use crate::account::Account;
use crate::chain::{RpcViews, Views, chain_id, failure};
use crate::config::{BackstopConfiguration, CollateralConfiguration, Configuration};
use crate::create2::{self, FACTORY};
use crate::defaults::SystemPlan;
use crate::error::DeployError;
use crate::execution::{Execution, Settings};
use crate::manifest::{Local, ManifestFile, PolicyKind};
use crate::plan::{Creation, Plan, creation, find_multicall, inspect_feeds};

/// Whatever the operator needs of a token: 2^110 base units.
pub(super) const PLENTY: U256 = U256::from_limbs([0, 1 << 46, 0, 0]);

/// Seconds after which an answer of the feed counts as missing: one that reports hourly, and five minutes.
const HEARTBEAT: u32 = 3_900;

/// Seconds for which a venue must have stood still before it has an average, at the default averaging window.
const VENUE_REST: u64 = 60;

/// Seconds between observations while warming up.
const WARM_UP_STEP: u64 = 300;

/// Accounts of the anvil in use: operator, governance, guardian.
const ACCOUNTS: usize = 3;

impl Market {
    /// Builds a market on an anvil and records it, or finishes one that was begun; of a finished one it changes nothing. The
    /// anvil's first account deploys and operates, the second governs, the third is guardian. `tell` hears what is done.
    /// Moves the chain's time by up to [`WARM_UP`] seconds.
    ///
    /// # Errors
    /// [`LocalError`].
    pub async fn deploy(
        provider: DynProvider,
        file: ManifestFile,
        tell: impl FnMut(&str),
    ) -> Result<Self, LocalError> {
        Self::deploy_with(provider, file, None, |_| {}, tell).await
    }

    /// The same with a backstop, which nobody has deposited with (see [`Market::back`]), and with a plan that differs from the shipped
    /// defaults by what `adjust` does to it.
    ///
    /// # Errors
    /// [`LocalError`].
    pub async fn deploy_with(
        provider: DynProvider,
        file: ManifestFile,
        backstop: Option<BackstopConfiguration>,
        adjust: impl FnOnce(&mut SystemPlan),
        mut tell: impl FnMut(&str),
    ) -> Result<Self, LocalError> {
        let accounts = require_anvil(&provider).await?;
        let [operator, governance, guardian] = accounts;
        let views = RpcViews::new(provider.clone());
        let builder = Builder {
            provider: provider.clone(),
            views: views.clone(),
            operator,
        };
        tell("tokens, feed, venue");
        let parts = builder.parts().await?;
        let chain_id = chain_id(&provider).await?;
        let configuration = Configuration {
            backstop,
            ..configuration(&parts, chain_id, governance, guardian)
        };
        let multicall = find_multicall(&views).await?;
        let mut system = configuration.plan();
        adjust(&mut system);
        let system = inspect_feeds(&views, system).await?;
        let backstop = configuration.backstop_plan();
        let mut plan = Plan::with_backstop(system, backstop, chain_id, operator, multicall)?;
        plan.deployment.local = Some(Local {
            router: parts.router,
        });
        let account = Account::Unlocked(operator);
        let mut execution =
            Execution::open(provider.clone(), account, plan, file, Settings::default()).await?;
        while let Some(progress) = execution.advance().await? {
            tell(&execution.plan().steps[progress.step].to_string());
        }
        let deployment = execution.finish().await?;
        let market = Self {
            provider,
            views,
            operator,
            deployment,
            router: parts.router,
        };
        tell("a lender's deposit");
        market.lend().await?;
        tell("averages");
        market.warm_up().await?;
        Ok(market)
    }

    /// The operator lends, unless somebody has.
    async fn lend(&self) -> Result<(), LocalError> {
        let pool = self.deployment.pool;
        let there = self
            .views
            .read(pool, LendingPoolExtension::totalAssetsCall {})
            .await?;
        if !there.is_zero() {
            return Ok(());
        }
        let approve = SimToken::approveCall {
            spender: pool,
            amount: U256::MAX,
        };
        self.send(self.operator, self.deployment.asset, &approve)
            .await?;
        let deposit = LendingPool::depositCall {
            assets: tokens(DEPOSIT, DEBT_DECIMALS),
            receiver: self.operator,
        };
        self.send(self.operator, pool, &deposit).await?;
        Ok(())
    }

    /// Lets time pass at a price at rest until oracle and breaker are calm, with what anybody would do meanwhile: the feed
    /// reports, the breaker and the policy's buckets observe.
    async fn warm_up(&self) -> Result<(), LocalError> {
        // The venue's rest came before.
        let mut seconds = VENUE_REST;
        loop {
            let (status, level) = self.condition().await?;
            if (status, level) == (0, 0) {
                return Ok(());
            }
            if seconds + WARM_UP_STEP > WARM_UP {
                return Err(LocalError::NotCalm {
                    seconds,
                    status,
                    level,
                });
            }
            self.advance(WARM_UP_STEP).await?;
            seconds += WARM_UP_STEP.next_multiple_of(SLOT);
            self.set_feed(U256::from(START_PRICE)).await?;
            self.poke().await?;
        }
    }

    /// Lets the breaker observe the market. The policy's buckets are left alone: one that opens before there is collateral opens next
    /// to empty.
    pub(super) async fn poke(&self) -> Result<(), LocalError> {
        let pool = self.deployment.pool;
        if let Some(breaker) = self.deployment.breaker {
            let poke = ICircuitBreaker::pokeCall { pool };
            self.send(self.operator, breaker, &poke).await?;
        }
        Ok(())
    }

    /// Lets the breaker and the policy's buckets observe the market, as anybody may.
    ///
    /// # Errors
    /// [`DeployError::Rpc`].
    pub async fn observe(&self) -> Result<(), LocalError> {
        self.poke().await?;
        let pool = self.deployment.pool;
        if self.deployment.policy.kind == PolicyKind::Damped {
            let record = DampedPolicy::recordDepthCall {
                pool,
                collateralId: U256::ZERO,
            };
            self.send(self.operator, self.deployment.asked_policy(), &record)
                .await?;
        }
        Ok(())
    }
}

/// What a system is deployed over.
struct Parts {
    collateral: Address,
    asset: Address,
    feed: Address,
    venue: Address,
    router: Address,
}

struct Builder {
    provider: DynProvider,
    views: RpcViews,
    operator: Address,
}

impl Builder {
    async fn parts(&self) -> Result<Parts, LocalError> {
        let salt = keccak256("breakwater local market");
        let token = |name: &str, symbol: &str, decimals| {
            creation!(
                salt,
                symbol,
                SimToken {
                    name_: name.to_owned(),
                    symbol_: symbol.to_owned(),
                    decimals_: decimals,
                }
            )
        };
        let collateral = self
            .place(token("Local Ether", "LETH", COLLATERAL_DECIMALS))
            .await?;
        let asset = self
            .place(token("Local Dollar", "LUSD", DEBT_DECIMALS))
            .await?;
        let feed = self
            .place(creation!(
                salt,
                "feed",
                SimFeed {
                    decimals_: FEED_DECIMALS
                }
            ))
            .await?;
        let router = self
            .place(Creation::bare(
                salt,
                "router",
                "VenueRouter",
                &VenueRouter::BYTECODE,
            ))
            .await?;
        let factory = self
            .place(Creation::bare(
                salt,
                "factory",
                "UniswapV3Factory",
                &UniswapV3Factory::BYTECODE,
            ))
            .await?;
        let venue = self.venue(factory, collateral, asset).await?;
        let parts = Parts {
            collateral,
            asset,
            feed,
            venue,
            router,
        };
        self.endow(&parts).await?;
        self.provide(&parts).await?;
        let round = self
            .views
            .read(feed, SimFeed::latestRoundDataCall {})
            .await?;
        // The oracle's constructor wants an answer.
        if round.answer.is_zero() {
            self.rest(parts.venue).await?;
            let block = self
                .provider
                .get_block(alloy::eips::BlockId::latest())
                .await;
            let block = block.map_err(|error| failure("read the latest block", error))?;
            let report = SimFeed::setCall {
                answer: I256::from_raw(U256::from(START_PRICE)),
                updatedAt: U256::from(block.map_or(0, |block| block.header.timestamp)),
            };
            self.send(feed, &report).await?;
        }
        Ok(parts)
    }

    /// Creates a contract unless it is there.
    async fn place(&self, creation: Creation) -> Result<Address, LocalError> {
        if self.views.code(creation.address).await?.is_empty() {
            let data = create2::calldata(creation.salt, &creation.init_code());
            let what = format!("create {}", creation.role);
            send(&self.provider, self.operator, FACTORY, data, &what).await?;
        }
        Ok(creation.address)
    }

    async fn venue(
        &self,
        factory: Address,
        collateral: Address,
        asset: Address,
    ) -> Result<Address, LocalError> {
        let fee = Uint::from(VENUE_FEE);
        let find = UniswapV3Factory::getPoolCall {
            _0: collateral,
            _1: asset,
            _2: fee,
        };
        let mut venue = self.views.read(factory, find.clone()).await?;
        if venue.is_zero() {
            let create = UniswapV3Factory::createPoolCall {
                tokenA: collateral,
                tokenB: asset,
                fee,
            };
            self.send(factory, &create).await?;
            venue = self.views.read(factory, find).await?;
        }
        let slot = self.views.read(venue, UniswapV3Pool::slot0Call {}).await?;
        if slot.sqrtPriceX96.is_zero() {
            let initialize = UniswapV3Pool::initializeCall {
                sqrtPriceX96: sqrt_price(U256::from(START_PRICE), collateral, asset)?.get(),
            };
            self.send(venue, &initialize).await?;
        }
        Ok(venue)
    }

    /// Lets time pass until the venue has an average, without which no system is called complete.
    async fn rest(&self, venue: Address) -> Result<(), LocalError> {
        let observe = IUniswapV3PoolState::observeCall {
            secondsAgos: vec![VENUE_REST as u32, 0],
        };
        match self.views.read(venue, observe).await {
            Ok(_) => return Ok(()),
            Err(DeployError::Refused { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let blocks = VENUE_REST.div_ceil(SLOT);
        let mined = self.provider.anvil_mine(Some(blocks), Some(SLOT)).await;
        Ok(mined.map_err(|error| failure("mine blocks", error))?)
    }

    /// Gives the operator plenty of both tokens, once, and lets the router take them.
    async fn endow(&self, parts: &Parts) -> Result<(), LocalError> {
        for token in [parts.collateral, parts.asset] {
            let call = SimToken::balanceOfCall {
                owner: self.operator,
            };
            if self.views.read(token, call).await? < PLENTY {
                let mint = SimToken::mintCall {
                    to: self.operator,
                    amount: PLENTY << 1,
                };
                self.send(token, &mint).await?;
            }
            let call = SimToken::allowanceCall {
                owner: self.operator,
                spender: parts.router,
            };
            if self.views.read(token, call).await? < PLENTY {
                let approve = SimToken::approveCall {
                    spender: parts.router,
                    amount: U256::MAX,
                };
                self.send(token, &approve).await?;
            }
        }
        Ok(())
    }

    /// Liquidity over all prices, unless there is some.
    async fn provide(&self, parts: &Parts) -> Result<(), LocalError> {
        let liquidity = self
            .views
            .read(parts.venue, UniswapV3Pool::liquidityCall {})
            .await?;
        if liquidity != 0 {
            return Ok(());
        }
        let price = U256::from(START_PRICE);
        let range = TickRange::full(VENUE_SPACING);
        let collateral = tokens(VENUE_TOKENS, COLLATERAL_DECIMALS);
        let debt = tokens(VENUE_TOKENS, DEBT_DECIMALS) * price / tokens(1, FEED_DECIMALS);
        let amounts = if parts.collateral < parts.asset {
            (collateral, debt)
        } else {
            (debt, collateral)
        };
        let wrong = |source| LocalError::Price { price, source };
        let amount = liquidity_for_amounts(
            sqrt_price(price, parts.collateral, parts.asset)?,
            range,
            amounts.0,
            amounts.1,
        )
        .map_err(wrong)?;
        let mint = VenueRouter::mintCall {
            pool: parts.venue,
            tickLower: signed(range.lower()),
            tickUpper: signed(range.upper()),
            liquidity: amount,
        };
        self.send(parts.router, &mint).await?;
        Ok(())
    }

    async fn send<C: alloy_sol_types::SolCall>(
        &self,
        to: Address,
        call: &C,
    ) -> Result<B256, DeployError> {
        let data = call.abi_encode().into();
        send(&self.provider, self.operator, to, data, C::SIGNATURE).await
    }
}

/// A tick as contracts take it; every tick fits.
fn signed(tick: Tick) -> I24 {
    I24::try_from(tick.get()).unwrap_or_default()
}

/// The shipped defaults for a debt token of six decimals; what a configuration file of this market would say.
fn configuration(
    parts: &Parts,
    chain_id: u64,
    governance: Address,
    guardian: Address,
) -> Configuration {
    Configuration {
        chain_id: Some(chain_id),
        asset: parts.asset,
        governance,
        guardian,
        name: "Breakwater Local Dollar".to_owned(),
        symbol: "bwLUSD".to_owned(),
        supply_cap: tokens(1_000_000_000, DEBT_DECIMALS),
        borrow_cap: tokens(900_000_000, DEBT_DECIMALS),
        min_debt: tokens(100, DEBT_DECIMALS),
        settlement_stipend: tokens(5, DEBT_DECIMALS),
        native_collateral: Some(0),
        collaterals: vec![CollateralConfiguration {
            token: parts.collateral,
            feed: parts.feed,
            heartbeat: HEARTBEAT,
            min_answer: None,
            max_answer: None,
            quote_feed: None,
            quote_heartbeat: None,
            quote_min_answer: None,
            quote_max_answer: None,
            venue: Some(parts.venue),
            venue_min_depth: Some(tokens(1_000, DEBT_DECIMALS)),
            cap: tokens(1_000_000, COLLATERAL_DECIMALS),
        }],
        backstop: None,
    }
}

/// The accounts of an anvil; anything else is refused, since it may be a node whose accounts hold something.
async fn require_anvil(provider: &DynProvider) -> Result<[Address; ACCOUNTS], LocalError> {
    let version = provider
        .get_client_version()
        .await
        .map_err(|error| failure("read the client's version", error))?;
    if !version.to_lowercase().starts_with("anvil") {
        return Err(LocalError::NotAnvil { found: version });
    }
    let accounts = provider
        .get_accounts()
        .await
        .map_err(|error| failure("list the accounts", error))?;
    let first = accounts.first_chunk::<ACCOUNTS>();
    first.copied().ok_or(LocalError::Accounts {
        expected: ACCOUNTS,
        found: accounts.len(),
    })
}
