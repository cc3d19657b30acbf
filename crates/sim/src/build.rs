//! Builds a block: takes transactions by tip, executes them on the chain, and records what happened.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use breakwater_agents::backstop::BackstopAction;
use breakwater_agents::{Action, Intent};
use breakwater_bindings::{
    DampedPolicy, Deleverager, FlashLiquidator, ICircuitBreaker, ILendingPool, SimToken,
};
use breakwater_evm::{Chain, Execution, Transaction};

use crate::actors::{Role, address};
use crate::backstop::Included;
use crate::error::SimError;
use crate::grinding::KEEPER;
use crate::mempool::{Sender, Waiting};
use crate::mirror::Closed;
use crate::outside::net_selling;
use crate::port;
use crate::setup::{Lender, feed_call};
use crate::trace::LiquidationRow;
use crate::units::{COLLATERAL_UNIT, DEBT_UNIT, PRICE_UNIT, WAD, from_base, to_base};
use crate::world::{BlockCounts, World};

/// An account's health as the pool sees it.
struct Health {
    fast: f64,
    hard: f64,
}

impl World<'_> {
    pub(crate) fn build(
        &mut self,
        block: u64,
        reference: f64,
        liquidations: &mut Vec<LiquidationRow>,
        counts: &mut BlockCounts,
    ) -> Result<(), SimError> {
        let base_fee = self.market.base_fee_gwei();
        let mut payable = self.mempool.take_payable(base_fee);
        if self.backstop.as_ref().is_some_and(|own| own.comes_first()) {
            payable.sort_by_key(|(_, waiting)| !matches!(waiting.sender, Sender::Absorber(_)));
        }
        if self.grinds(block) {
            payable
                .sort_by_key(|(_, waiting)| !matches!(waiting.sender, Sender::Keeper(KEEPER, _)));
        }
        for (tip, waiting) in payable {
            if !self
                .market
                .fits(waiting.intent.gas_limit, counts.gas_used, tip)
            {
                self.mempool.put_back(waiting);
                continue;
            }
            let gas_price = base_fee + tip;
            self.include(block, reference, &waiting, gas_price, liquidations, counts)?;
        }
        Ok(())
    }

    fn include(
        &mut self,
        block: u64,
        reference: f64,
        waiting: &Waiting,
        gas_price: f64,
        liquidations: &mut Vec<LiquidationRow>,
        counts: &mut BlockCounts,
    ) -> Result<(), SimError> {
        let sender = waiting.sender;
        let from = self.sender_address(sender);
        let mut owed = 0.0;
        let before = match waiting.intent.action {
            Action::Liquidate { account, .. } | Action::Settle { account, .. } => {
                owed = self.owed(account);
                Some((self.health(account)?, self.balance(from)?))
            }
            Action::Backstop(
                BackstopAction::Absorb { account } | BackstopAction::Settle { account },
            ) => Some((self.health(account)?, 0.0)),
            Action::TopUp {
                account,
                collateral,
            } => {
                self.buy_outside(account, collateral)?;
                None
            }
            _ => None,
        };
        let state_before = self.venue.venue.state(&self.chain)?;
        let venue_before = self.venue.seen(&state_before);
        let (to, input) = self.encode(from, &waiting.intent)?;
        let execution = self.chain.execute(&Transaction {
            from,
            to: Some(to),
            input,
            value: U256::ZERO,
            gas_limit: waiting.intent.gas_limit,
            gas_price: (gas_price * 1e9) as u128,
        })?;
        let index = counts.transactions;
        counts.transactions += 1;
        counts.gas_used += execution.gas_used;
        let native_price = self.input.native_prices[block as usize];
        let gas_cost = execution.gas_used as f64 * gas_price * 1e-9 * native_price;

        let success = execution.is_success();
        if !success {
            counts.reverted += 1;
            self.undo(waiting);
        }
        self.venue.check_swaps(&state_before, &execution.logs)?;
        self.account_for_swaps(
            sender,
            &execution,
            venue_before.sqrt_price,
            reference,
            counts,
        );
        let closed = self.mirror.apply(&execution.logs);
        if let Lender::Breakwater(port) = &mut self.lender {
            port.hear(&execution.logs, self.chain.block().timestamp)?;
        }
        self.account_at_backstop(&Included {
            waiting,
            execution: &execution,
            closed,
            health: before
                .as_ref()
                .map(|(health, _)| (health.fast, health.hard)),
            block,
            index,
            reference,
            gas_price,
            gas_cost,
        })?;
        match sender {
            Sender::Keeper(keeper, _) => {
                self.earned(keeper, -gas_cost);
                if !matches!(waiting.intent.action, Action::Flag { .. }) {
                    let time = self.chain.block().timestamp;
                    self.keepers[keeper as usize].learn(
                        success,
                        self.parameters.keepers.count,
                        time,
                    );
                    if !success {
                        self.terms.saw_revert(execution.gas_used);
                    }
                }
                if let (Some(closed), Some((health, balance))) = (closed, before) {
                    let earned = self.balance(from)? - balance;
                    self.terms.saw(execution.gas_used);
                    self.earned(keeper, earned);
                    let after = self.health(closed.account)?;
                    liquidations.push(LiquidationRow {
                        policy: self.name(),
                        block,
                        index,
                        keeper,
                        venue_price_before: venue_before.price(),
                        venue_price_after: self.venue.state(&self.chain)?.price(),
                        reference_price: reference,
                        gas_used: execution.gas_used,
                        gas_price_gwei: gas_price,
                        profit: earned - gas_cost,
                        debt: owed,
                        waited: self
                            .due
                            .seconds(closed.account, self.chain.block().timestamp),
                        health_before: health.fast,
                        health_after: after.fast,
                        health_hard: health.hard,
                        fast_price: self.fast_price()?,
                        ..liquidation(&closed)
                    });
                }
            }
            Sender::Arbitrageur => self.totals.arbitrage_profit -= gas_cost,
            Sender::Adversary => self.totals.adversary_cash -= gas_cost,
            Sender::Reporter if success => {
                self.answer = (self.reported(waiting), self.chain.block().timestamp)
            }
            Sender::Provider(provider) if success => {
                if let Action::Provide { share, .. } = waiting.intent.action {
                    self.provided[provider as usize] = self.provider_target(provider, share);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What an account owes, at the index of the last block's end.
    fn owed(&self, account: u32) -> f64 {
        self.mirror.index().position(account).debt_shares * self.reading.debt_index
    }

    /// Books what a keeper earned; a grinder's is an adversary's too.
    fn earned(&mut self, keeper: u32, amount: f64) {
        self.totals.keeper_profit += amount;
        if keeper == KEEPER && self.grinding.is_some() {
            self.totals.adversary_cash += amount;
        }
    }

    fn reported(&self, waiting: &Waiting) -> f64 {
        match waiting.intent.action {
            Action::Report { price } => price,
            _ => self.answer.0,
        }
    }

    /// Net selling for the outside world, the arbitrageur's trading profit at the reference price, and the adversary's books.
    fn account_for_swaps(
        &mut self,
        sender: Sender,
        execution: &Execution,
        sqrt_before: f64,
        reference: f64,
        counts: &mut BlockCounts,
    ) {
        let mut sqrt_price = sqrt_before;
        for swap in execution.logs.iter().filter_map(|log| self.venue.swap(log)) {
            if sender == Sender::Arbitrageur {
                self.totals.arbitrage_profit -= swap.collateral * reference + swap.debt;
            } else {
                counts.net_selling += net_selling(sqrt_price, swap.sqrt_price);
            }
            if sender == Sender::Adversary {
                self.totals.adversary_cash -= swap.debt;
                self.totals.adversary_short += swap.collateral;
            }
            sqrt_price = swap.sqrt_price;
        }
    }

    fn sender_address(&self, sender: Sender) -> Address {
        match sender {
            Sender::Reporter | Sender::Upkeep(_) => self.addresses.operator,
            Sender::Arbitrageur => address(self.seed, Role::Arbitrageur, 0),
            Sender::Provider(number) => address(self.seed, Role::Provider, number),
            Sender::Borrower(account) => self.addresses.accounts[account as usize],
            Sender::Keeper(number, _) => address(self.seed, Role::Keeper, number),
            Sender::Noise => address(self.seed, Role::Noise, 0),
            Sender::Adversary => address(self.seed, Role::Adversary, 0),
            Sender::Absorber(_) => address(self.seed, Role::Absorber, 0),
            Sender::Buyer => address(self.seed, Role::Buyer, 0),
            Sender::Depositor(number) => address(self.seed, Role::Depositor, number),
        }
    }

    /// Where to send what. Liquidators and deleveragers are called alike whoever lends.
    fn encode(&mut self, from: Address, intent: &Intent) -> Result<(Address, Bytes), SimError> {
        let addresses = &self.addresses;
        let owner = |account: u32| addresses.accounts[account as usize];
        if let Some(market) = &addresses.aave {
            match intent.action {
                Action::TopUp {
                    account,
                    collateral,
                } => return Ok(market.top_up_call(owner(account), collateral)),
                Action::Repay { account, debt } => {
                    return Ok(market.repay_call(owner(account), debt));
                }
                _ => {}
            }
        }
        let id = U256::ZERO;
        Ok(match intent.action {
            Action::Liquidate {
                account,
                repay,
                min_profit,
            } => (
                addresses.liquidator,
                FlashLiquidator::liquidateCall {
                    account: owner(account),
                    // A hair more, lest rounding leave dust of a position that is to be closed.
                    maxRepay: to_base(repay * (1.0 + 1e-9), DEBT_UNIT) + U256::from(1),
                    minProfit: to_base(min_profit, DEBT_UNIT),
                }
                .abi_encode()
                .into(),
            ),
            Action::Settle {
                account,
                min_profit,
            } => (
                addresses.liquidator,
                FlashLiquidator::settleCall {
                    account: owner(account),
                    minProfit: to_base(min_profit, DEBT_UNIT),
                }
                .abi_encode()
                .into(),
            ),
            Action::Flag { account } => (
                addresses.pool,
                ILendingPool::flagCall {
                    account: owner(account),
                    collateralId: id,
                }
                .abi_encode()
                .into(),
            ),
            Action::Arbitrage { sell, price } => self.venue.trade_call(from, sell, None, price)?,
            Action::Trade {
                sell,
                amount,
                price,
            } => self.venue.trade_call(from, sell, Some(amount), price)?,
            Action::Provide { provider, share } => {
                let change =
                    self.provider_target(provider, share) - self.provided[provider as usize];
                self.venue.provide_call(change * self.liquidity)
            }
            Action::TopUp {
                account,
                collateral,
            } => (
                addresses.pool,
                ILendingPool::supplyCollateralCall {
                    collateralId: id,
                    amount: to_base(collateral, COLLATERAL_UNIT),
                    account: owner(account),
                    data: Bytes::new(),
                }
                .abi_encode()
                .into(),
            ),
            Action::Repay { account, debt } => (
                addresses.pool,
                ILendingPool::repayCall {
                    assets: to_base(debt, DEBT_UNIT),
                    account: owner(account),
                    data: Bytes::new(),
                }
                .abi_encode()
                .into(),
            ),
            Action::Deleverage {
                debt,
                max_collateral,
                ..
            } => (
                addresses.deleverager,
                Deleverager::deleverageCall {
                    debt: to_base(debt, DEBT_UNIT),
                    maxCollateral: to_base(max_collateral, COLLATERAL_UNIT),
                }
                .abi_encode()
                .into(),
            ),
            Action::Poke => (
                addresses.breaker,
                ICircuitBreaker::pokeCall {
                    pool: addresses.pool,
                }
                .abi_encode()
                .into(),
            ),
            Action::RecordDepth => (
                addresses.policy,
                DampedPolicy::recordDepthCall {
                    pool: addresses.pool,
                    collateralId: id,
                }
                .abi_encode()
                .into(),
            ),
            Action::Report { price } => (
                addresses.feed,
                feed_call(price, self.chain.block().timestamp)
                    .abi_encode()
                    .into(),
            ),
            Action::Backstop(action) => self.encode_at_backstop(action)?,
        })
    }

    /// What share of the venue's liquidity at the start a provider has after bringing itself to `share` of its own.
    fn provider_target(&self, provider: u32, share: f64) -> f64 {
        let whole = if provider == 0 {
            1.0
        } else {
            self.parameters.venue.flighty_share / f64::from(crate::setup::FLIGHTY_PROVIDERS)
        };
        whole * share
    }

    /// A borrower who tops up buys the collateral elsewhere.
    fn buy_outside(&mut self, account: u32, collateral: f64) -> Result<(), SimError> {
        let call = SimToken::mintCall {
            to: self.addresses.accounts[account as usize],
            amount: to_base(collateral, COLLATERAL_UNIT),
        };
        let operator = self.addresses.operator;
        self.chain.execute_unmetered(
            operator,
            self.addresses.collateral,
            call.abi_encode().into(),
        )?;
        Ok(())
    }

    fn health(&mut self, account: u32) -> Result<Health, SimError> {
        let owner = self.addresses.accounts[account as usize];
        let port = match &self.lender {
            Lender::Breakwater(port) => port,
            Lender::Aave(market) => {
                let fast = market.health(&mut self.chain, owner)?;
                return Ok(Health { fast, hard: 0.0 });
            }
        };
        let health = port.health(&mut self.chain, &self.addresses, owner)?;
        let fast = if health.health_fast == U256::MAX {
            f64::MAX
        } else {
            from_base(health.health_fast, WAD)
        };
        Ok(Health {
            fast,
            hard: from_base(health.health_hard, WAD),
        })
    }

    fn balance(&mut self, owner: Address) -> Result<f64, SimError> {
        let balance = port::balance(&mut self.chain, &self.addresses, owner)?;
        Ok(from_base(balance, DEBT_UNIT))
    }

    /// An account's health at F.
    pub(crate) fn fast_health(&mut self, account: u32) -> Result<f64, SimError> {
        Ok(self.health(account)?.fast)
    }

    pub(crate) fn fast_price(&mut self) -> Result<f64, SimError> {
        match &self.lender {
            Lender::Breakwater(port) => {
                let reading = port.reading(&mut self.chain, &self.addresses)?;
                Ok(from_base(reading.fast, PRICE_UNIT))
            }
            Lender::Aave(market) => market.price(&mut self.chain),
        }
    }
}

/// What the pool's events say; the rest is filled in by the caller.
fn liquidation(closed: &Closed) -> LiquidationRow {
    LiquidationRow {
        policy: String::new(),
        block: 0,
        index: 0,
        keeper: 0,
        account: closed.account,
        settlement: closed.settlement,
        repaid: from_base(closed.repaid, DEBT_UNIT),
        seized: from_base(closed.seized, COLLATERAL_UNIT),
        written_off: from_base(closed.written_off.0 + closed.written_off.1, DEBT_UNIT),
        bonus: from_base(closed.bonus, WAD),
        debt: 0.0,
        waited: 0,
        health_before: 0.0,
        health_after: 0.0,
        health_hard: 0.0,
        fast_price: 0.0,
        reference_price: 0.0,
        venue_price_before: 0.0,
        venue_price_after: 0.0,
        gas_used: 0,
        gas_price_gwei: 0.0,
        profit: 0.0,
    }
}
