//! What everybody around the backstop wants to do in a block.

use alloy_primitives::U256;
use breakwater_agents::backstop::{
    ABSORPTION_GAS_LIMIT, BackstopAction, CALL_GAS_LIMIT, Offer, Prospect, observe, purchase,
};
use breakwater_agents::depositor::{Outlook, Place, Wish};
use breakwater_agents::keeper::settlement_due;
use breakwater_agents::noise::TRADE_GAS_LIMIT;
use breakwater_agents::{Action, Bid, Intent, Observation};
use breakwater_bindings::BackstopPool;
use breakwater_evm::{CallError, Chain};

use super::{Backstop, reaction_draw};
use crate::actors::{Role, address};
use crate::error::SimError;
use crate::mempool::Sender;
use crate::units::{COLLATERAL_UNIT, DEBT_UNIT, from_base};
use crate::world::{BlockCounts, World};

/// The most positions asked about in a block.
const QUESTIONS: usize = 48;

/// The largest ones, asked about every block.
const ALWAYS: usize = 4;

/// The most that the backstop is paid, and what of it goes to who calls: constants of the contracts.
const MOST_DISCOUNT: f64 = 0.03;
const CALLER_SHARE: f64 = 0.1;

/// The auction's greatest discount: the contracts' default.
const SALE_DISCOUNT: f64 = 0.01;

/// A clock is void this long after it was started, microseconds.
const CLOCK_EXPIRY: u64 = 3_600_000_000;

/// Seconds between payments of the premium.
const PREMIUM_INTERVAL: u64 = 3_600;

/// Blocks for which transactions stay good.
const CALLER_LIFE: u64 = 3;
const PATIENT_LIFE: u64 = 20;

/// How far below the venue's price one who flees sells at most in a block.
const FLIGHT: f64 = 0.1;

impl World<'_> {
    /// Everybody's intents, into the mempool.
    pub(crate) fn tend_backstop(
        &mut self,
        observation: &Observation,
        counts: &mut BlockCounts,
    ) -> Result<(), SimError> {
        let Some(mut backstop) = self.backstop.take() else {
            return Ok(());
        };
        backstop.peak = backstop.peak.max(observation.reference_price);
        self.call_absorptions(&mut backstop, observation, counts)?;
        self.buy_inventory(&backstop, observation, counts)?;
        self.pay_premium(&backstop, observation, counts);
        self.ask_depositors(&mut backstop, observation, counts);
        self.backstop = Some(backstop);
        Ok(())
    }

    fn send_at_backstop(
        &mut self,
        sender: Sender,
        intent: Intent,
        expires: u64,
        counts: &mut BlockCounts,
    ) {
        counts.dropped += u64::from(self.mempool.submit(sender, intent, expires));
    }

    /// Triggers what pays, the largest debts first.
    fn call_absorptions(
        &mut self,
        backstop: &mut Backstop,
        observation: &Observation,
        counts: &mut BlockCounts,
    ) -> Result<(), SimError> {
        let price = observation.prices.fast;
        let mut room = backstop.reading.absorbable;
        backstop.quotes.observe(price);
        if price <= 0.0 || room <= 0.0 {
            return Ok(());
        }
        // Nobody is asked about whose whole debt, or all collateral, at the greatest discount would not cover the gas.
        let kept = CALLER_SHARE + (1.0 - CALLER_SHARE) * backstop.caller.interest;
        let floor = observation.gas_cost(backstop.caller.gas, observation.competitive_tip())
            + backstop.caller.min_profit;
        let mut due: Vec<(f64, u32, f64)> = self
            .mirror
            .index()
            .below(1.0, price, self.habits.threshold, self.reading.debt_index)
            .filter_map(|account| {
                let position = self.mirror.index().position(account);
                let debt = position.debt_shares * self.reading.debt_index;
                let worth = debt.min(position.collateral * price);
                (worth * MOST_DISCOUNT * kept > floor).then_some((
                    debt,
                    account,
                    position.collateral,
                ))
            })
            .collect();
        due.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut questions = 0;
        for (rank, (debt, account, collateral)) in due.into_iter().enumerate() {
            if questions == QUESTIONS || room <= 0.0 {
                break;
            }
            let sender = Sender::Absorber(account);
            if self.mempool.contains(sender)
                || (rank >= ALWAYS && !backstop.quotes.due(account, observation.block))
            {
                continue;
            }
            questions += 1;
            let settlement = settlement_due(collateral * price, debt, &self.terms);
            let reference = observation.reference_price;
            let answer = match settlement {
                Some(cost) => {
                    self.ask_settlement(backstop, account, collateral, cost, room, reference)?
                }
                None => self.ask_absorption(backstop, account, reference)?,
            };
            let bid = answer.and_then(|(prospect, _)| backstop.caller.bid(observation, prospect));
            backstop
                .quotes
                .answered(account, observation.block, bid.is_some());
            let (Some((_, spent)), Some(bid)) = (answer, bid) else {
                continue;
            };
            room -= spent;
            let action = if settlement.is_some() {
                BackstopAction::Settle { account }
            } else {
                BackstopAction::Absorb { account }
            };
            let intent = Intent {
                action: Action::Backstop(action),
                bid,
                gas_limit: ABSORPTION_GAS_LIMIT,
            };
            self.send_at_backstop(sender, intent, observation.block + CALLER_LIFE - 1, counts);
        }
        Ok(())
    }

    /// What an absorption would bring in the block being made, and what it would spend: the contract's own answer.
    fn ask_absorption(
        &mut self,
        backstop: &Backstop,
        account: u32,
        reference: f64,
    ) -> Result<Option<(Prospect, f64)>, SimError> {
        let call = BackstopPool::absorbCall {
            account: self.addresses.accounts[account as usize],
            collateralId: U256::ZERO,
        };
        let caller = address(self.seed, Role::Absorber, 0);
        match self.chain.call_sol(caller, backstop.addresses.pool, &call) {
            Ok(answer) => {
                let spent = from_base(answer.repaid, DEBT_UNIT);
                let prospect = Prospect {
                    reward: from_base(answer.reward, COLLATERAL_UNIT) * reference,
                    discount: from_base(answer.kept, COLLATERAL_UNIT) * reference - spent,
                };
                Ok(Some((prospect, spent)))
            }
            Err(CallError::Evm(error)) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// The same of a settlement. One that the backstop cannot pay whole is left to keepers who sell: who calls has no capital.
    fn ask_settlement(
        &mut self,
        backstop: &Backstop,
        account: u32,
        collateral: f64,
        cost: f64,
        room: f64,
        reference: f64,
    ) -> Result<Option<(Prospect, f64)>, SimError> {
        if cost > room {
            return Ok(None);
        }
        let call = BackstopPool::settleCall {
            account: self.addresses.accounts[account as usize],
        };
        let caller = address(self.seed, Role::Absorber, 0);
        match self.chain.call_sol(caller, backstop.addresses.pool, &call) {
            Ok(answer) => {
                let spent = from_base(answer.repaid, DEBT_UNIT);
                let discount = self.terms.settlement_bonus / (1.0 + self.terms.settlement_bonus);
                let reward = collateral * CALLER_SHARE * discount;
                let prospect = Prospect {
                    reward: reward * reference,
                    discount: (collateral - reward) * reference - spent,
                };
                Ok(Some((prospect, spent)))
            }
            Err(CallError::Evm(error)) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    /// Buys what pays, or keeps the sale's clock running.
    fn buy_inventory(
        &mut self,
        backstop: &Backstop,
        observation: &Observation,
        counts: &mut BlockCounts,
    ) -> Result<(), SimError> {
        let inventory = backstop.reading.inventory;
        if inventory <= 0.0 || self.mempool.contains(Sender::Buyer) {
            return Ok(());
        }
        let sale = backstop.quote_sale(&mut self.chain)?;
        let now = observation.timestamp * 1_000_000;
        let expired = |clock: u64| now.saturating_sub(clock) > CLOCK_EXPIRY;
        // The depth counts from the second record on, the clock from the first at which the sale is open.
        let idle = backstop
            .ledger
            .clock
            .is_none_or(|clock| sale.is_some() && expired(clock));
        let intent = if idle {
            observe(
                observation,
                inventory * observation.reference_price,
                SALE_DISCOUNT,
            )
        } else {
            let venue = self.selling_venue(observation);
            sale.filter(|(_, available)| *available > 0.0)
                .and_then(|(price, available)| {
                    purchase(
                        observation,
                        &venue,
                        Offer { price, available },
                        backstop.purchase_gas,
                        backstop.min_profit,
                    )
                })
        };
        if let Some(intent) = intent {
            self.send_at_backstop(Sender::Buyer, intent, observation.block + 1, counts);
        }
        Ok(())
    }

    /// Operators have the premium paid every hour.
    fn pay_premium(
        &mut self,
        backstop: &Backstop,
        observation: &Observation,
        counts: &mut BlockCounts,
    ) {
        let sender = Sender::Upkeep(2);
        if self.mempool.contains(sender)
            || observation.timestamp < backstop.premium.paid_at + PREMIUM_INTERVAL
        {
            return;
        }
        let intent = patient(observation, BackstopAction::Distribute);
        self.send_at_backstop(sender, intent, observation.block + PATIENT_LIFE, counts);
    }

    /// Each depositor does one thing at a time: what he took in kind is sold, what he is owed is taken, and then he may come or
    /// leave.
    fn ask_depositors(
        &mut self,
        backstop: &mut Backstop,
        observation: &Observation,
        counts: &mut BlockCounts,
    ) {
        let deposits = from_base(backstop.ledger.deposits, DEBT_UNIT);
        let outlook = Outlook {
            timestamp: observation.timestamp,
            fall: 1.0 - observation.reference_price / backstop.peak,
            loss: -backstop.profit(observation.reference_price) / deposits,
            yield_ratio: backstop.premium.ratio,
        };
        let (seed, block) = (self.seed, observation.block);
        let habits = backstop.habits;
        let unsold = backstop.reading.inventory > 0.0;
        for person in &mut backstop.people {
            let number = person.depositor.number;
            let sender = Sender::Depositor(number);
            if self.mempool.contains(sender) {
                continue;
            }
            person.claims &= unsold;
            let intent = if !person.held.is_zero() {
                Some(sale(observation, from_base(person.held, COLLATERAL_UNIT)))
            } else if person.claims {
                let action = BackstopAction::ClaimCollateral { depositor: number };
                Some(patient(observation, action))
            } else if matches!(person.depositor.place, Place::Leaving { until } if until <= observation.timestamp)
            {
                let action = BackstopAction::ClaimAssets { depositor: number };
                Some(patient(observation, action))
            } else {
                let draw = || reaction_draw(seed, number, block);
                let wish = person.depositor.wish(&outlook, habits.reaction_time, draw);
                wish.map(|wish| {
                    let action = match wish {
                        Wish::Come => BackstopAction::Deposit { depositor: number },
                        Wish::Leave => BackstopAction::Leave { depositor: number },
                    };
                    patient(observation, action)
                })
            };
            if let Some(intent) = intent {
                counts.dropped +=
                    u64::from(self.mempool.submit(sender, intent, block + PATIENT_LIFE));
            }
        }
    }
}

/// An intent of somebody who can wait.
fn patient(observation: &Observation, action: BackstopAction) -> Intent {
    Intent {
        action: Action::Backstop(action),
        bid: Bid::lasting(observation, observation.competitive_tip(), 8),
        gas_limit: CALL_GAS_LIMIT,
    }
}

/// Sells what was taken in kind.
fn sale(observation: &Observation, amount: f64) -> Intent {
    Intent {
        action: Action::Trade {
            sell: true,
            amount,
            price: observation.venue.price() * (1.0 - FLIGHT),
        },
        bid: Bid::lasting(observation, observation.competitive_tip(), 8),
        gas_limit: TRADE_GAS_LIMIT,
    }
}
