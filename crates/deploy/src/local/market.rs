//! What can be done with a local market.

use alloy::network::TransactionBuilder;
use alloy::providers::ext::AnvilApi;
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::TransactionRequest;
use alloy_primitives::{Address, B256, Bytes, I256, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::{
    IBackstopPool, ICircuitBreaker, ILendingPool, SimFeed, SimToken, TwapOracle, VenueRouter,
};
use breakwater_evm::venue::{PriceError, SqrtPriceX96};

use super::{COLLATERAL_DECIMALS, DEBT_DECIMALS, FEED_DECIMALS, SLOT, tokens};
use crate::chain::{RpcViews, Views, failure};
use crate::error::DeployError;
use crate::manifest::{Collateral, Deployment};

/// Wei that an account of the market is given for gas.
const GAS_MONEY: u128 = 1_000_000_000_000_000_000_000;

/// Seconds between two reports of the feed while time goes by: less than its heartbeat.
const REPORT: u64 = 3_000;

/// Why a local market does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The RPC is not an anvil: its time cannot be moved and its accounts do not sign.
    #[error("a local market needs an anvil; the RPC says that it is {found}")]
    NotAnvil {
        /// What it says that it is.
        found: String,
    },
    /// The anvil has too few accounts of its own.
    #[error("a local market needs {expected} unlocked accounts; the anvil has {found}")]
    Accounts {
        /// How many are needed.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The manifest's system is not a local market.
    #[error("the system of chain {chain_id} in the manifest is no local market")]
    NotLocal {
        /// The chain.
        chain_id: u64,
    },
    /// A price that the venue cannot have.
    #[error("the venue cannot stand at the price {price} (of {FEED_DECIMALS} decimals): {source}")]
    Price {
        /// The price.
        price: U256,
        /// Why.
        source: PriceError,
    },
    /// The oracle's or breaker's state is not calm after warming up.
    #[error(
        "the market is not calm after {seconds} s: price status {status}, breaker level {level}"
    )]
    NotCalm {
        /// Seconds of the chain's time.
        seconds: u64,
        /// 0 is fine.
        status: u8,
        /// 0 is normal.
        level: u8,
    },
    /// Deploying or calling failed.
    #[error(transparent)]
    Deploy(#[from] DeployError),
}

impl From<crate::manifest::ManifestError> for LocalError {
    fn from(error: crate::manifest::ManifestError) -> Self {
        Self::Deploy(error.into())
    }
}

/// A market on a local anvil. Prices have [`FEED_DECIMALS`], amounts are base units.
#[derive(Clone, Debug)]
pub struct Market {
    pub(super) provider: DynProvider,
    pub(super) views: RpcViews,
    pub(super) operator: Address,
    pub(super) deployment: Deployment,
    pub(super) router: Address,
}

impl Market {
    /// The market that a manifest tells of, on a chain that is still the same.
    ///
    /// # Errors
    /// [`LocalError::NotLocal`].
    pub fn attach(provider: DynProvider, deployment: &Deployment) -> Result<Self, LocalError> {
        let chain_id = deployment.chain_id;
        let local = deployment
            .local
            .filter(|_| !deployment.collaterals.is_empty())
            .ok_or(LocalError::NotLocal { chain_id })?;
        Ok(Self {
            views: RpcViews::new(provider.clone()),
            provider,
            operator: deployment.deployer,
            deployment: deployment.clone(),
            router: local.router,
        })
    }

    /// Where everything is.
    #[must_use]
    pub const fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The one collateral.
    #[must_use]
    pub fn collateral(&self) -> &Collateral {
        &self.deployment.collaterals[0]
    }

    /// Trades and reports; an account of the anvil.
    #[must_use]
    pub const fn operator(&self) -> Address {
        self.operator
    }

    /// Opens a position, or adds to one: mints the collateral for `owner`, posts it and borrows. The owner need not be an
    /// account of the anvil; it is given money for gas.
    ///
    /// # Errors
    /// [`DeployError::Refused`] where the pool refuses, as for more debt than the collateral carries.
    pub async fn open_position(
        &self,
        owner: Address,
        collateral: U256,
        debt: U256,
    ) -> Result<(), LocalError> {
        self.adopt(owner).await?;
        let (token, pool) = (self.collateral().token, self.deployment.pool);
        let mint = SimToken::mintCall {
            to: owner,
            amount: collateral,
        };
        self.send(self.operator, token, &mint).await?;
        let approve = SimToken::approveCall {
            spender: pool,
            amount: U256::MAX,
        };
        self.send(owner, token, &approve).await?;
        let supply = ILendingPool::supplyCollateralCall {
            collateralId: U256::ZERO,
            amount: collateral,
            account: owner,
            data: Bytes::new(),
        };
        self.send(owner, pool, &supply).await?;
        let borrow = ILendingPool::borrowCall {
            assets: debt,
            account: owner,
            receiver: owner,
        };
        self.send(owner, pool, &borrow).await?;
        Ok(())
    }

    /// Mints debt tokens for an account that the anvil signs for, and lets `spender` take them.
    ///
    /// # Errors
    /// [`DeployError::Rpc`].
    pub async fn endow(
        &self,
        account: Address,
        assets: U256,
        spender: Address,
    ) -> Result<(), LocalError> {
        let asset = self.deployment.asset;
        let mint = SimToken::mintCall {
            to: account,
            amount: assets,
        };
        self.send(self.operator, asset, &mint).await?;
        let approve = SimToken::approveCall {
            spender,
            amount: U256::MAX,
        };
        self.send(account, asset, &approve).await?;
        Ok(())
    }

    /// Deposits with the backstop, and lets the time go by until the deposit is active, in which the feed reports and the breaker
    /// observes. Seconds of the chain's time that it took; 0 without a backstop.
    ///
    /// # Errors
    /// [`DeployError::Refused`] where the backstop refuses.
    pub async fn back(&self, depositor: Address, assets: U256) -> Result<u64, LocalError> {
        let Some(backstop) = self.deployment.backstop else {
            return Ok(0);
        };
        self.adopt(depositor).await?;
        self.endow(depositor, assets, backstop.pool).await?;
        let deposit = IBackstopPool::depositCall { assets };
        self.send(depositor, backstop.pool, &deposit).await?;
        let begun = self.timestamp().await?;
        let price = self.feed_price().await?;
        let absorbable = || {
            self.views
                .read(backstop.pool, IBackstopPool::absorbableCall {})
        };
        while absorbable().await?.is_zero() {
            self.advance(REPORT).await?;
            self.set_price(price).await?;
            self.poke().await?;
        }
        Ok(self.timestamp().await? - begun)
    }

    /// Lets the anvil sign for an account, and gives it money for gas.
    ///
    /// # Errors
    /// [`DeployError::Rpc`].
    pub async fn adopt(&self, account: Address) -> Result<(), LocalError> {
        let during = "impersonate an account";
        self.provider
            .anvil_impersonate_account(account)
            .await
            .map_err(|error| failure(during, error))?;
        self.provider
            .anvil_set_balance(account, U256::from(GAS_MONEY))
            .await
            .map_err(|error| failure(during, error))?;
        Ok(())
    }

    /// Publishes a price on the feed, as of the latest block. A move of more than 10% counts as unconfirmed for five minutes:
    /// new risk is closed until then, liquidation is not. The hash of the transaction, which is in a block when this returns.
    ///
    /// # Errors
    /// [`DeployError::Rpc`].
    pub async fn set_feed(&self, price: U256) -> Result<B256, LocalError> {
        let report = SimFeed::setCall {
            answer: I256::from_raw(price),
            updatedAt: U256::from(self.timestamp().await?),
        };
        let sent = self.send(self.operator, self.collateral().feed, &report);
        Ok(sent.await?)
    }

    /// What the feed says.
    ///
    /// # Errors
    /// [`DeployError::Rpc`].
    pub async fn feed_price(&self) -> Result<U256, LocalError> {
        let feed = self.collateral().feed;
        let round = self
            .views
            .read(feed, SimFeed::latestRoundDataCall {})
            .await?;
        Ok(round.answer.into_raw())
    }

    /// Arbitrage: trades in the venue until it stands at a price. Its average follows within a minute of the chain's time.
    ///
    /// # Errors
    /// [`LocalError::Price`], [`DeployError::Rpc`].
    pub async fn set_venue(&self, price: U256) -> Result<(), LocalError> {
        let Some(venue) = self.collateral().venue else {
            return Ok(());
        };
        let swap = VenueRouter::swapToPriceCall {
            pool: venue,
            sqrtPriceX96: sqrt_price(price, self.collateral().token, self.deployment.asset)?.get(),
            maximumPaid: super::setup::PLENTY,
            recipient: self.operator,
        };
        self.send(self.operator, self.router, &swap).await?;
        Ok(())
    }

    /// Moves feed and venue to a price.
    ///
    /// # Errors
    /// As [`Market::set_feed`] and [`Market::set_venue`].
    pub async fn set_price(&self, price: U256) -> Result<(), LocalError> {
        self.set_venue(price).await?;
        self.set_feed(price).await?;
        Ok(())
    }

    /// Moves the chain's time forward by blocks of [`SLOT`] seconds, rounded up to whole ones.
    ///
    /// # Errors
    /// [`DeployError::Rpc`].
    pub async fn advance(&self, seconds: u64) -> Result<(), LocalError> {
        let mined = self
            .provider
            .anvil_mine(Some(seconds.div_ceil(SLOT)), Some(SLOT))
            .await;
        Ok(mined.map_err(|error| failure("mine blocks", error))?)
    }

    /// The latest block's time stamp.
    ///
    /// # Errors
    /// [`DeployError::Rpc`].
    pub async fn timestamp(&self) -> Result<u64, LocalError> {
        let during = "read the latest block";
        let block = self
            .provider
            .get_block(alloy::eips::BlockId::latest())
            .await;
        let block = block.map_err(|error| failure(during, error))?;
        let block = block.ok_or_else(|| DeployError::Answer {
            during: during.to_owned(),
            expected: "the latest block".to_owned(),
            found: "none".to_owned(),
        })?;
        Ok(block.header.timestamp)
    }

    /// The status of the oracle's price (0 is `Ok`) and the breaker's level (0 is `Normal`, and where there is no breaker).
    ///
    /// # Errors
    /// [`DeployError::Rpc`].
    pub async fn condition(&self) -> Result<(u8, u8), LocalError> {
        let oracle = self.collateral().oracle;
        let prices = self.views.read(oracle, TwapOracle::peekCall {}).await?;
        let level = match self.deployment.breaker {
            Some(breaker) => {
                let call = ICircuitBreaker::levelOfCall {
                    pool: self.deployment.pool,
                };
                self.views.read(breaker, call).await?
            }
            None => 0,
        };
        Ok((prices.status, level))
    }

    /// Sends a call as an account that the anvil signs for, and waits until it is included.
    ///
    /// # Errors
    /// [`DeployError::Refused`] where the contract refuses, [`DeployError::Failed`], [`DeployError::Rpc`].
    pub async fn send<C: SolCall>(
        &self,
        from: Address,
        to: Address,
        call: &C,
    ) -> Result<B256, DeployError> {
        let data = call.abi_encode().into();
        send(&self.provider, from, to, data, C::SIGNATURE).await
    }
}

/// Sends a call as an unlocked account and waits for it.
pub(super) async fn send(
    provider: &DynProvider,
    from: Address,
    to: Address,
    data: Bytes,
    what: &str,
) -> Result<B256, DeployError> {
    let request = TransactionRequest::default()
        .with_from(from)
        .with_to(to)
        .with_input(data);
    // The node estimates, and tells why where a contract refuses. It does so on the latest block, and the next may need more: a
    // venue's first trade in a block writes an observation.
    let estimate = provider.estimate_gas(request.clone()).await;
    let gas = estimate.map_err(|error| failure(what, error))?;
    let sent = provider
        .send_transaction(request.with_gas_limit(gas + gas / 2))
        .await;
    let pending = sent.map_err(|error| failure(what, error))?;
    let hash = *pending.tx_hash();
    let receipt = crate::receipt::wait(provider, hash, what, &Default::default()).await?;
    if receipt.status() {
        Ok(hash)
    } else {
        Err(DeployError::Failed {
            step: what.to_owned(),
            hash,
            block: receipt.block_number.unwrap_or_default(),
        })
    }
}

/// √P · 2^96 of the venue for a price of the feed.
pub(super) fn sqrt_price(
    price: U256,
    collateral: Address,
    asset: Address,
) -> Result<SqrtPriceX96, LocalError> {
    // So many collateral tokens that both amounts are whole at any price of the feed.
    let collateral_amount = tokens(1, COLLATERAL_DECIMALS) * tokens(1, FEED_DECIMALS);
    let debt_amount = price * tokens(1, DEBT_DECIMALS);
    let amounts = if collateral < asset {
        SqrtPriceX96::from_amounts(debt_amount, collateral_amount)
    } else {
        SqrtPriceX96::from_amounts(collateral_amount, debt_amount)
    };
    amounts.map_err(|source| LocalError::Price { price, source })
}
