//! The drill's world: the market, its time, and the keeper on it.

use alloy::providers::ext::AnvilApi;
use alloy::providers::{DynProvider, Provider};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::ILendingPool;
use breakwater_deploy::local::{FEED_DECIMALS, LocalError, Market, SLOT, START_PRICE};
use breakwater_deploy::{RpcViews, Views};
use breakwater_operator::status::{BidState, Status, Zone};
use breakwater_protocol::AccountHealth;

use super::accounts::{Closing, closings, revert_reason, sent};
use super::cast::{Borrower, name_of};
use super::error::DrillError;
use super::others::Others;
use super::tell::{Told, amount, grouped, percent};
use super::watch::Watch;
use crate::engine::zone_of;
use crate::store::Kind;

/// The feed reports at least so often, blocks.
const REPORT_EVERY: u64 = 100;

/// The market while it moves.
pub(super) struct Stage<'a> {
    pub provider: DynProvider,
    pub market: Market,
    pub others: Others,
    pub tell: &'a mut (dyn FnMut(Told) + Send),
    pub watch: Watch,
    /// The keeper's account.
    pub keeper: Address,
    /// Who borrows.
    pub cast: &'static [Borrower],
    /// Decimals of the debt and the collateral token.
    pub decimals: (u8, u8),
    /// Their symbols.
    pub symbols: (String, String),
    /// The feed's reports: from which block on, and the price.
    pub prices: Vec<(u64, f64)>,
    /// The block after which everything was looked at.
    looked: u64,
    /// The block at which it began.
    begun: u64,
    made: u64,
}

impl<'a> Stage<'a> {
    pub fn new(
        provider: DynProvider,
        market: Market,
        others: Others,
        tell: &'a mut (dyn FnMut(Told) + Send),
        watch: Watch,
        (keeper, cast): (Address, &'static [Borrower]),
        looked: u64,
    ) -> Self {
        use breakwater_deploy::local::{COLLATERAL_DECIMALS, DEBT_DECIMALS};
        Self {
            provider,
            market,
            others,
            tell,
            watch,
            keeper,
            cast,
            decimals: (DEBT_DECIMALS, COLLATERAL_DECIMALS),
            symbols: ("debt".to_owned(), "collateral".to_owned()),
            prices: vec![(0, START_PRICE as f64 / 1e8)],
            looked,
            begun: looked,
            made: 0,
        }
    }

    /// A view of the pool at the latest block.
    pub async fn view<C: SolCall + Send + Sync>(&self, call: C) -> Result<C::Return, DrillError>
    where
        C::Return: Send,
    {
        let views = RpcViews::new(self.provider.clone());
        let pool = self.market.deployment().pool;
        Ok(views.read(pool, call).await.map_err(LocalError::from)?)
    }

    /// An account's health factor by the pool, in the scale of 1e18.
    pub async fn health(&self, account: Address) -> Result<U256, DrillError> {
        let call = ILendingPool::accountHealthCall { account };
        Ok(self.view(call).await?.healthFast)
    }

    /// An account's debt shares and collateral by the pool.
    pub async fn position(&self, account: Address) -> Result<(U256, U256), DrillError> {
        let shares = self
            .view(ILendingPool::debtSharesOfCall { account })
            .await?;
        let held = ILendingPool::collateralOfCall {
            account,
            collateralId: U256::ZERO,
        };
        Ok((shares, self.view(held).await?))
    }

    /// Does something with the market; its transactions are put into blocks at once.
    async fn act<T>(
        &self,
        deed: impl Future<Output = Result<T, LocalError>>,
    ) -> Result<T, DrillError> {
        self.others.fill().await?;
        self.provider.anvil_set_auto_mine(true).await?;
        let result = deed.await;
        self.provider.anvil_set_auto_mine(false).await?;
        Ok(result?)
    }

    /// The feed reports a price, percent of the one at the start.
    pub async fn report(&mut self, percent: f64, more: &str) -> Result<Status, DrillError> {
        let price = price(percent);
        let hash = self.act(self.market.set_feed(price)).await?;
        let receipt = self.provider.get_transaction_receipt(hash).await?;
        let block = match receipt.and_then(|receipt| receipt.block_number) {
            Some(block) => block,
            None => self.provider.get_block_number().await?,
        };
        self.prices
            .push((block, crate::units::whole(price, FEED_DECIMALS)));
        let whole = grouped(crate::units::whole(price, FEED_DECIMALS));
        self.look_after(Some(format!("the feed reports {whole}; {more}")))
            .await
    }

    /// Traders bring the venue to a price, percent of the one at the start.
    pub async fn trade(&mut self, percent: f64, more: &str) -> Result<Status, DrillError> {
        let price = price(percent);
        self.act(self.market.set_venue(price)).await?;
        let whole = grouped(crate::units::whole(price, FEED_DECIMALS));
        self.look_after(Some(format!("traders bring the venue to {whole}; {more}")))
            .await
    }

    /// Traders bring the venue to the feed's price.
    async fn arbitrage(&mut self) -> Result<Status, DrillError> {
        let market = self.market.clone();
        self.act(async {
            let price = market.feed_price().await?;
            market.set_venue(price).await
        })
        .await?;
        self.look().await
    }

    /// A block passes. Where the keeper has just sold, traders bring the venue back in it; now and then the feed reports.
    pub async fn pass(&mut self) -> Result<Status, DrillError> {
        self.made += 1;
        let status = self.watch.status();
        let market = self.market.clone();
        let (Some(venue), Some(fast)) = (
            status.collaterals.first().and_then(|one| one.venue),
            status.collaterals.first().map(|one| one.fast),
        ) else {
            return self.mine().await;
        };
        if (venue / fast - 1.0).abs() > 0.001 {
            return self.arbitrage().await;
        }
        if self.made.is_multiple_of(REPORT_EVERY) {
            self.act(async {
                let price = market.feed_price().await?;
                market.set_feed(price).await
            })
            .await?;
            return self.look().await;
        }
        self.mine().await
    }

    /// A block with what waits for one.
    pub async fn mine(&mut self) -> Result<Status, DrillError> {
        self.others.fill().await?;
        self.provider.evm_mine(None).await?;
        self.look().await
    }

    /// Where an account stands by the pool.
    pub async fn zone(&self, account: Address) -> Result<Zone, DrillError> {
        self.zone_by(RpcViews::new(self.provider.clone()), account)
            .await
    }

    /// Where it stood in the block in which the feed last reported, whatever the keeper has done since.
    pub async fn zone_reported(&self, account: Address) -> Result<Zone, DrillError> {
        let block = self.prices.last().map_or(0, |(block, _)| *block);
        self.zone_by(RpcViews::at(self.provider.clone(), block), account)
            .await
    }

    async fn zone_by(&self, views: RpcViews, account: Address) -> Result<Zone, DrillError> {
        let pool = self.market.deployment().pool;
        let call = ILendingPool::accountHealthCall { account };
        let found = views.read(pool, call).await.map_err(LocalError::from)?;
        Ok(zone_of(&AccountHealth {
            debt: found.debt,
            collateral_value: found.collateralValue,
            borrow_limit: found.borrowLimit,
            health_fast: found.healthFast,
            health_confirmed: found.healthConfirmed,
            health_hard: found.healthHard,
            price_down: found.priceDown,
        }))
    }

    /// Whether by the pool nobody is below 1, and nothing of the keeper is out.
    async fn is_healthy(&self, status: &Status) -> Result<bool, DrillError> {
        let mut pending = status.pending.iter();
        if !pending.all(|bid| bid.state == BidState::Included) {
            return Ok(false);
        }
        for borrower in self.cast {
            if self.zone(borrower.address()).await? != Zone::Healthy {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Lets blocks pass until nobody is below 1, for at most `blocks`.
    pub async fn until_healthy(&mut self, what: &str, blocks: u64) -> Result<(), DrillError> {
        let mut status = self.look().await?;
        for _ in 0..blocks {
            if self.is_healthy(&status).await? {
                return Ok(());
            }
            status = self.pass().await?;
        }
        Err(DrillError::Missed {
            what: what.to_owned(),
            limit: format!("{blocks} blocks"),
        })
    }

    /// Waits for the keeper to plan on the head, and tells what happened since the last look.
    pub async fn look(&mut self) -> Result<Status, DrillError> {
        self.look_after(None).await
    }

    /// The same after something of our own in the head.
    async fn look_after(&mut self, ours: Option<String>) -> Result<Status, DrillError> {
        let head = self.provider.get_block_number().await?;
        let status = self.watch.planned_on(head).await?;
        let at = self.time_of(head).await?;
        let mut events: Vec<(u64, u64, String)> =
            ours.into_iter().map(|text| (at, head, text)).collect();
        if head > self.looked {
            // A block that was made since is looked at next time.
            let happened = self.happened(self.looked + 1).await?;
            events.extend(happened.into_iter().filter(|(_, block, _)| *block <= head));
            self.looked = head;
        }
        events.sort_by_key(|(_, block, _)| *block);
        events.extend(
            self.watch
                .news(&status)
                .into_iter()
                .map(|text| (at, head, text)),
        );
        for (at, block, text) in events {
            (self.tell)(Told::Event { at, block, text });
        }
        Ok(status)
    }

    /// How often the keeper has bought of the backstop.
    pub async fn bought(&self) -> Result<usize, DrillError> {
        let deployment = self.market.deployment();
        let all = sent(&self.provider, deployment, self.keeper, self.begun).await?;
        Ok(all.iter().filter(|one| one.bought.is_some()).count())
    }

    /// What is in the blocks from `from` on, in words.
    async fn happened(&self, from: u64) -> Result<Vec<(u64, u64, String)>, DrillError> {
        let deployment = self.market.deployment();
        let mut events = Vec::new();
        for one in sent(&self.provider, deployment, self.keeper, from).await? {
            let at = one.timestamp.saturating_sub(self.watch.start);
            // A liquidation writes its own flag.
            let flagged = one.flagged.iter().filter(|_| one.closings.is_empty());
            events.extend(flagged.map(|account| {
                let text = format!(
                    "{}: the keeper starts the clock of the bonus",
                    name_of(*account)
                );
                (at, one.block, text)
            }));
            if !one.success {
                let why = revert_reason(&self.provider, one.hash).await;
                let text = format!("a transaction of the keeper reverted, {}: {why}", one.hash);
                events.push((at, one.block, text));
            } else if let Some((amount_bought, paid)) = one.bought {
                let (debt, collateral) = &self.symbols;
                let text = format!(
                    "the keeper buys {} {collateral} of the backstop for {} {debt}",
                    amount(amount_bought, self.decimals.1),
                    amount(paid, self.decimals.0)
                );
                events.push((at, one.block, text));
            } else if one.observed || one.recorded || one.cancels {
                let text = if one.observed {
                    "the keeper starts the clock of the backstop's sale"
                } else if one.recorded {
                    "the keeper lets the bucket record the venue's depth"
                } else {
                    "the keeper takes back a transaction"
                };
                events.push((at, one.block, text.to_owned()));
            }
        }
        for closing in closings(&self.provider, deployment, from).await? {
            let text = self.closed(&closing).await?;
            events.push((self.time_of(closing.block).await?, closing.block, text));
        }
        Ok(events)
    }

    async fn time_of(&self, block: u64) -> Result<u64, DrillError> {
        let found = self.provider.get_block(block.into()).await?;
        let timestamp = found.map_or(self.watch.start, |block| block.header.timestamp);
        Ok(timestamp.saturating_sub(self.watch.start))
    }

    async fn closed(&self, closing: &Closing) -> Result<String, DrillError> {
        let name = name_of(closing.account);
        let repaid = amount(closing.repaid, self.decimals.0);
        let seized = amount(closing.seized, self.decimals.1);
        let (debt, collateral) = &self.symbols;
        let (shares, _) = self.position(closing.account).await?;
        let left = if shares.is_zero() {
            "closed".to_owned()
        } else {
            let health = crate::units::ratio(self.health(closing.account).await?);
            format!("health now {health:.4}")
        };
        Ok(match closing.kind {
            Kind::Liquidated => format!(
                "{name}: liquidated, {repaid} {debt} repaid, {seized} {collateral} seized at a bonus of {}; {left}",
                percent(closing.bonus)
            ),
            Kind::Absorbed => format!(
                "{name}: absorbed, {repaid} {debt} repaid, {seized} {collateral} taken at a bonus of {}; {left}",
                percent(closing.bonus)
            ),
            Kind::Settled => format!(
                "{name}: settled, {repaid} {debt} paid for {seized} {collateral}, the rest of the debt written off; {left}"
            ),
        })
    }
}

/// Percent of the price at the start, with the feed's decimals.
pub(super) fn price(percent: f64) -> U256 {
    U256::from((START_PRICE as f64 * percent / 100.0) as u64)
}

/// Seconds for which so many blocks last.
pub(super) const fn blocks(count: u64) -> u64 {
    count * SLOT
}
