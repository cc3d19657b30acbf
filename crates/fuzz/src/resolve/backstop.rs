//! What depositors of the backstop do, and those who make it work.

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Address, U256};

use super::{Plan, Planned, Scene, at, collateral};
use crate::action::{Action, Kind};
use crate::encode::{Call, uint};
use crate::properties::Property;
use crate::world::{BACKSTOP_PERIOD, STRANGER};

/// Whole dollars that a deposit and a premium bring at most, but for sizes beyond.
const DEPOSIT: u64 = 100_000;
const PREMIUM: u64 = 1_000;

impl Scene<'_> {
    /// Nothing where there is no backstop. Three in four times the period that began is carried out first, in a call of its own.
    pub(super) fn cooperate(&mut self, action: &Action) -> Plan {
        let Some(backstop) = self.world.place.backstop else {
            return Plan::default();
        };
        let current = self.rolled == self.block.timestamp / BACKSTOP_PERIOD;
        let mut plan = Plan::default();
        if action.kind == Kind::Buy && action.choice & 2 == 0 {
            plan = self.calm(action.choice);
        }
        let first = !current && !action.choice.is_multiple_of(4);
        if first || action.kind == Kind::Roll {
            let call = Call::new(STRANGER, backstop.pool, "roll()", Vec::new());
            plan.calls.push(Planned {
                kind: Some(Kind::Roll),
                must: Some(Property::K6),
                ..call.into()
            });
        }
        if action.kind != Kind::Roll {
            plan.calls.push(self.with_backstop(action, current));
        }
        plan
    }

    /// What opens the sale of the first collateral, the only one with a venue: its price at least what it was, a while later.
    fn calm(&self, choice: u8) -> Plan {
        let seconds = if choice & 4 == 0 { 12 } else { 31 * 60 };
        let block = self.after(seconds, seconds / 12, None);
        let price = self.believable(0) + U256::ONE;
        let mut calls = self.report_at(block.timestamp, 0, price, true);
        for call in &mut calls {
            call.kind = Some(Kind::Price);
        }
        let backstop = self.world.place.backstop.unwrap_or_default().pool;
        calls.push(Planned {
            kind: Some(Kind::ObserveSale),
            ..Call::new(STRANGER, backstop, "observe(uint256)", [uint(U256::ZERO)]).into()
        });
        Plan {
            block: Some(block),
            calls,
        }
    }

    fn with_backstop(&self, action: &Action, current: bool) -> Planned {
        let (who, to, id) = (at(action.who), at(action.to), collateral(action.id));
        let (from, other) = (self.actor(who), self.actor(to));
        let view = &self.now.view.backstop;
        let depositor = &view.depositors[who].account;
        let number = uint(U256::from(id));
        let place = self.world.place.backstop.unwrap_or_default();
        let call = |signature: &'static str, arguments: Vec<DynSolValue>| {
            Call::new(from, place.pool, signature, arguments)
        };
        let kept = |call: Call, holds: bool| Planned {
            must: self.person(who, Property::K6, holds),
            ..call.into()
        };
        match action.kind {
            Kind::Join => {
                let has = self.now.account(who).balances[0];
                let amount = action.size.of(has.min(self.world.plan.dollars(DEPOSIT)));
                let holds = current
                    && depositor.entryPeriod.is_zero()
                    && amount >= self.world.plan.dollars(1)
                    && amount <= has.min(self.world.plan.dollars(10 * DEPOSIT));
                kept(call("deposit(uint256)", vec![uint(amount)]), holds)
            }
            Kind::Leave => {
                let amount = action.size.of(depositor.shares);
                let holds = current
                    && depositor.exitPeriod.is_zero()
                    && !amount.is_zero()
                    && amount <= depositor.shares;
                kept(call("requestExit(uint256)", vec![uint(amount)]), holds)
            }
            Kind::Pass => {
                let amount = action.size.of(depositor.shares);
                call(
                    "transfer(address,uint256)",
                    vec![other.into(), uint(amount)],
                )
                .into()
            }
            Kind::ClaimAssets => kept(call("claimAssets(address)", vec![other.into()]), true),
            Kind::ClaimCollateral => {
                let arguments = vec![number, other.into()];
                kept(call("claimCollateral(uint256,address)", arguments), true)
            }
            Kind::Absorb => {
                let (victim, id) = self.victim(action);
                let arguments = vec![self.actor(victim).into(), uint(U256::from(id))];
                call("absorb(address,uint256)", arguments).into()
            }
            Kind::Waterfall => {
                let victim = self.now.first(to, |index| self.now.is_insolvent(index));
                call("settle(address)", vec![self.actor(victim).into()]).into()
            }
            Kind::Buy => {
                // Without a venue nothing is sold of the other.
                let id = if action.choice.is_multiple_of(16) {
                    id
                } else {
                    0
                };
                let arguments = vec![
                    uint(U256::from(id)),
                    uint(action.size.of(view.inventory[id].amount)),
                    uint(U256::MAX),
                    other.into(),
                ];
                call("buy(uint256,uint256,uint256,address)", arguments).into()
            }
            Kind::ObserveSale => call("observe(uint256)", vec![number]).into(),
            Kind::Premium => {
                let amount = action.size.of(self.world.plan.dollars(PREMIUM));
                call("payPremium(uint256)", vec![uint(amount)]).into()
            }
            _ => Call::new(STRANGER, place.steward, "distribute()", Vec::new()).into(),
        }
    }

    /// The steward's call of the pool for the owner, where the pool is the steward's.
    pub(super) fn as_owner(&self, from: Address, call: Call) -> Call {
        match self.world.place.backstop {
            Some(backstop) => Call::new(
                from,
                backstop.steward,
                "execute(bytes)",
                [crate::encode::bytes(&call.data())],
            ),
            None => call,
        }
    }
}
