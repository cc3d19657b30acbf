//! What is sent to a backstop, and what came of it.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use breakwater_agents::Action;
use breakwater_agents::backstop::BackstopAction;
use breakwater_agents::depositor::Place;
use breakwater_bindings::{BackstopPool, InventoryBuyer, PremiumSteward};
use breakwater_evm::{Chain, Execution};

use super::Backstop;
use super::ledger::Taken;
use crate::actors::{Role, address};
use crate::error::{During, SimError};
use crate::mempool::{Sender, Waiting};
use crate::mirror::Closed;
use crate::trace::AbsorptionRow;
use crate::units::{COLLATERAL_UNIT, DEBT_UNIT, WAD, from_base, to_base};
use crate::world::World;

/// A transaction that was included.
pub struct Included<'a> {
    /// The transaction.
    pub waiting: &'a Waiting,
    /// What came of it.
    pub execution: &'a Execution,
    /// The liquidation or settlement in it.
    pub closed: Option<Closed>,
    /// The account's health at F before, and its hard one.
    pub health: Option<(f64, f64)>,
    /// The block.
    pub block: u64,
    /// Its place in the block.
    pub index: u64,
    /// The reference price.
    pub reference: f64,
    /// What it paid for gas, gwei.
    pub gas_price: f64,
    /// And in all, debt tokens.
    pub gas_cost: f64,
}

impl World<'_> {
    /// Where to send what.
    pub(crate) fn encode_at_backstop(
        &mut self,
        action: BackstopAction,
    ) -> Result<(Address, Bytes), SimError> {
        let Some(backstop) = &self.backstop else {
            return Err(SimError::Input("no backstop in this world".to_owned()));
        };
        let addresses = backstop.addresses;
        let pool = addresses.pool;
        let collateral_id = U256::ZERO;
        let owner = |account: u32| self.addresses.accounts[account as usize];
        let depositor = |number: u32| address(self.seed, Role::Depositor, number);
        let (to, input) = match action {
            BackstopAction::Absorb { account } => {
                let call = BackstopPool::absorbCall {
                    account: owner(account),
                    collateralId: collateral_id,
                };
                (pool, call.abi_encode())
            }
            BackstopAction::Settle { account } => {
                let call = BackstopPool::settleCall {
                    account: owner(account),
                };
                (pool, call.abi_encode())
            }
            BackstopAction::Observe => {
                let call = BackstopPool::observeCall {
                    collateralId: collateral_id,
                };
                (pool, call.abi_encode())
            }
            BackstopAction::Buy { amount, min_profit } => {
                let call = InventoryBuyer::buyCall {
                    // A hair more, lest rounding leave dust of what is to be bought whole.
                    maxAmount: to_base(amount * (1.0 + 1e-9), COLLATERAL_UNIT),
                    minProfit: to_base(min_profit, DEBT_UNIT),
                };
                (addresses.buyer, call.abi_encode())
            }
            BackstopAction::Distribute => {
                let call = PremiumSteward::distributeCall {};
                (addresses.steward, call.abi_encode())
            }
            BackstopAction::Deposit { .. } => {
                let call = BackstopPool::depositCall {
                    assets: backstop.deposit,
                };
                (pool, call.abi_encode())
            }
            BackstopAction::Leave { depositor: number } => {
                let balance = BackstopPool::balanceOfCall {
                    account: depositor(number),
                };
                let shares = self
                    .chain
                    .call_sol(addresses.steward, pool, &balance)
                    .during("read shares")?;
                (pool, BackstopPool::requestExitCall { shares }.abi_encode())
            }
            BackstopAction::ClaimCollateral { depositor: number } => {
                let call = BackstopPool::claimCollateralCall {
                    collateralId: collateral_id,
                    receiver: depositor(number),
                };
                (pool, call.abi_encode())
            }
            BackstopAction::ClaimAssets { depositor: number } => {
                let call = BackstopPool::claimAssetsCall {
                    receiver: depositor(number),
                };
                (pool, call.abi_encode())
            }
        };
        Ok((to, input.into()))
    }

    /// Takes what a transaction said into the backstop's books, whoever sent it.
    pub(crate) fn account_at_backstop(&mut self, included: &Included<'_>) -> Result<(), SimError> {
        let Some(mut backstop) = self.backstop.take() else {
            return Ok(());
        };
        let taken = backstop
            .ledger
            .apply(backstop.addresses.pool, &included.execution.logs);
        let success = included.execution.is_success();
        match included.waiting.sender {
            Sender::Absorber(_) => {
                backstop.totals.caller_profit -= included.gas_cost;
                backstop.caller.learn(success);
                if let Some(closed) = included.closed {
                    self.record_absorption(&mut backstop, included, &taken, &closed)?;
                }
            }
            Sender::Buyer => {
                let sold: f64 = self.swaps(included).map(|(_, proceeds)| proceeds).sum();
                backstop.totals.buyer_profit +=
                    sold - from_base(taken.paid, DEBT_UNIT) - included.gas_cost;
                if !taken.paid.is_zero() {
                    backstop.purchase_gas =
                        (backstop.purchase_gas * 7 + included.execution.gas_used) / 8;
                }
            }
            Sender::Upkeep(2) if success => {
                backstop.paid_premium(&taken, self.chain.block().timestamp);
            }
            Sender::Depositor(number) => {
                backstop.totals.depositor_gas += included.gas_cost;
                let sales: Vec<_> = self.swaps(included).collect();
                for (sold, proceeds) in sales {
                    backstop.totals.dumped += sold;
                    backstop.totals.dump_proceeds += proceeds;
                    let person = &mut backstop.people[number as usize];
                    // Less than a base unit's worth of a float's rounding is nothing that could be sold.
                    let left = (from_base(person.held, COLLATERAL_UNIT) - sold).max(0.0);
                    person.held = if left * included.reference < 1.0 {
                        U256::ZERO
                    } else {
                        to_base(left, COLLATERAL_UNIT)
                    };
                }
                if success && let Action::Backstop(action) = included.waiting.intent.action {
                    backstop.acted(number, action, &taken, self.chain.block().timestamp);
                }
            }
            _ => {}
        }
        self.backstop = Some(backstop);
        Ok(())
    }

    /// The sales of collateral on the venue in a transaction: amount and proceeds.
    fn swaps(&self, included: &Included<'_>) -> impl Iterator<Item = (f64, f64)> {
        let logs = included.execution.logs.iter();
        logs.filter_map(|log| self.venue.swap(log))
            .map(|swap| (swap.collateral, -swap.debt))
    }

    fn record_absorption(
        &mut self,
        backstop: &mut Backstop,
        included: &Included<'_>,
        taken: &Taken,
        closed: &Closed,
    ) -> Result<(), SimError> {
        let reference = included.reference;
        let absorbed = from_base(taken.absorbed, DEBT_UNIT);
        let received = from_base(taken.received, COLLATERAL_UNIT);
        let handed_over = from_base(taken.handed_over, COLLATERAL_UNIT);
        let earned = handed_over * reference + from_base(taken.stipend, DEBT_UNIT)
            - from_base(taken.from_caller, DEBT_UNIT);
        backstop.caller.saw(included.execution.gas_used);
        backstop.totals.caller_profit += earned;
        backstop.totals.discount += received * reference - absorbed;
        let (before, hard) = included.health.unwrap_or_default();
        backstop.absorptions.push(AbsorptionRow {
            policy: self.name(),
            block: included.block,
            index: included.index,
            account: closed.account,
            settlement: closed.settlement,
            repaid: from_base(closed.repaid, DEBT_UNIT),
            absorbed,
            received,
            handed_over,
            written_off: from_base(closed.written_off.0 + closed.written_off.1, DEBT_UNIT),
            bonus: from_base(closed.bonus, WAD),
            health_before: before,
            health_after: self.fast_health(closed.account)?,
            health_hard: hard,
            fast_price: self.fast_price()?,
            reference_price: reference,
            gas_used: included.execution.gas_used,
            gas_price_gwei: included.gas_price,
            profit: earned - included.gas_cost,
        });
        Ok(())
    }
}

impl Backstop {
    /// A depositor's transaction went through.
    fn acted(&mut self, number: u32, action: BackstopAction, taken: &Taken, now: u64) {
        let period = self.own.period_seconds;
        let person = &mut self.people[number as usize];
        match action {
            BackstopAction::Deposit { .. } => {
                person.depositor.place = Place::Inside;
                self.totals.entries += taken.entries;
            }
            BackstopAction::Leave { .. } => {
                let until = taken.exit_period.map_or(now, |number| number * period);
                person.depositor.place = Place::Leaving { until };
                person.claims = person.depositor.sells();
                let wait = until.saturating_sub(now);
                self.totals.exits += 1;
                self.totals.exit_wait += wait;
                self.totals.longest_exit_wait = self.totals.longest_exit_wait.max(wait);
            }
            BackstopAction::ClaimAssets { .. } => {
                person.depositor.place = Place::Gone;
                person.claims = person.depositor.sells();
            }
            BackstopAction::ClaimCollateral { .. } => {
                person.claims = false;
                person.held += taken.claimed;
            }
            _ => {}
        }
    }

    /// What the premium yields now, a second and a token, over what it did the first time.
    fn paid_premium(&mut self, taken: &Taken, now: u64) {
        let seconds = now.saturating_sub(self.premium.paid_at) as f64;
        self.premium.paid_at = now;
        let paid = from_base(taken.premium, DEBT_UNIT);
        if paid <= 0.0 || self.reading.assets <= 0.0 || seconds <= 0.0 {
            self.premium.ratio = None;
            return;
        }
        let now_yields = paid / (self.reading.assets * seconds);
        let first = *self.premium.first.get_or_insert(now_yields);
        self.premium.ratio = Some(now_yields / first);
    }
}
