//! Borrowers' acts and those that close positions.

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::U256;

use super::{Plan, Planned, Scene, at, collateral};
use crate::action::{Action, Kind};
use crate::encode::{bytes, uint};
use crate::properties::Property;
use crate::world::{COLLATERALS, PEOPLE};

/// What a supply brings at most, but for sizes beyond: whole ether, whole bitcoin.
const SUPPLIES: [u64; COLLATERALS] = [10, 1];

impl Scene<'_> {
    /// Data that ask for a callback, where the caller is a contract and the act says so.
    fn callback(&self, who: usize, action: &Action) -> DynSolValue {
        bytes(if who >= PEOPLE && action.choice & 128 == 0 {
            &[1]
        } else {
            &[]
        })
    }

    pub(super) fn position(&mut self, action: &Action) -> Plan {
        let (mut who, to, id) = (at(action.who), at(action.to), collateral(action.id));
        let now = self.now;
        let others = action.choice.is_multiple_of(4);
        // Of what is another's, half goes to whom it belongs: that needs his permission no less.
        let receiver = |who: usize, account: usize| {
            self.actor(if action.choice & 64 == 0 {
                who
            } else {
                account
            })
        };
        match action.kind {
            Kind::Supply => {
                let index = if others { to } else { who };
                let account = now.account(index);
                let amount = action.size.of(self.world.plan.tokens(id, SUPPLIES[id]));
                let state = &now.view.collaterals[id].state;
                let total = state.total.saturating_add(amount);
                let held = !account.collateral[id].is_zero();
                let room = !account.debtShares.is_zero() || total <= state.cap;
                let holds = held
                    && room
                    && !amount.is_zero()
                    && amount <= now.account(who).balances[1 + id]
                    && total <= U256::from(u128::MAX);
                let arguments = [
                    uint(U256::from(id)),
                    uint(amount),
                    self.actor(index).into(),
                    self.callback(who, action),
                ];
                let name = "supplyCollateral(uint256,uint256,address,bytes)";
                Planned {
                    must: self.person(who, Property::P5, holds),
                    ..self.pool_call(self.actor(who), name, arguments).into()
                }
                .into()
            }
            Kind::Remove => {
                let index = if others { to } else { who };
                let held = now.account(index).collateral[id];
                let arguments = [
                    uint(U256::from(id)),
                    uint(action.size.of(held)),
                    self.actor(index).into(),
                    receiver(who, index).into(),
                ];
                let name = "withdrawCollateral(uint256,uint256,address,address)";
                self.pool_call(self.actor(who), name, arguments).into()
            }
            Kind::Borrow => {
                let room = |index: usize| {
                    let health = &now.health[index];
                    health.borrow_limit.saturating_sub(health.debt)
                };
                let mut index = if others { to } else { who };
                if !others && action.choice % 4 != 1 {
                    who = now.first(who, |index| !room(index).is_zero());
                    index = who;
                }
                let possible = room(index).min(now.view.market.cash);
                let arguments = [
                    uint(action.size.of(possible)),
                    self.actor(index).into(),
                    receiver(who, index).into(),
                ];
                let name = "borrow(uint256,address,address)";
                self.pool_call(self.actor(who), name, arguments).into()
            }
            _ => {
                let index = now.first(to, |index| !now.account(index).debtShares.is_zero());
                let debt = now.account(index).debt;
                let amount = action.size.of(debt);
                let holds = !debt.is_zero()
                    && !amount.is_zero()
                    && amount.min(debt) <= now.account(who).balances[0];
                let arguments = [
                    uint(amount),
                    self.actor(index).into(),
                    self.callback(who, action),
                ];
                let name = "repay(uint256,address,bytes)";
                Planned {
                    must: self.person(who, Property::P5, holds),
                    ..self.pool_call(self.actor(who), name, arguments).into()
                }
                .into()
            }
        }
    }

    /// Whom an act that closes positions goes for, and for which collateral.
    pub(super) fn victim(&self, action: &Action) -> (usize, usize) {
        let (to, now) = (at(action.to), self.now);
        // One in eight goes for whoever is named, healthy or not.
        let victim = if action.choice % 8 == 7 {
            to
        } else {
            now.first(to, |index| now.is_unhealthy(index))
        };
        let account = now.account(victim);
        let wanted = collateral(action.id);
        let id = if account.collateral[wanted].is_zero() && action.choice % 8 != 6 {
            (0..COLLATERALS)
                .find(|id| !account.collateral[*id].is_zero())
                .unwrap_or(wanted)
        } else {
            wanted
        };
        (victim, id)
    }

    pub(super) fn close(&mut self, action: &Action) -> Plan {
        let (who, to) = (at(action.who), at(action.to));
        let now = self.now;
        let (victim, id) = self.victim(action);
        let account = now.account(victim);
        let from = self.actor(who);
        let amount = action.size.of(account.debt);
        let data = self.callback(who, action);
        match action.kind {
            Kind::Liquidate => {
                let arguments = [
                    self.actor(victim).into(),
                    uint(U256::from(id)),
                    uint(amount),
                    data,
                ];
                let name = "liquidate(address,uint256,uint256,bytes)";
                Planned {
                    liquidation: Some((victim, id, amount)),
                    ..self.pool_call(from, name, arguments).into()
                }
                .into()
            }
            Kind::Batch => {
                let calls = [victim, victim + 1, victim, victim + 3].map(|index| {
                    let index = index % now.health.len();
                    let id = usize::from(now.account(index).collateral[id].is_zero()) ^ id;
                    DynSolValue::Tuple(vec![
                        self.actor(index).into(),
                        uint(U256::from(id)),
                        uint(action.size.of(now.account(index).debt)),
                    ])
                });
                let name = "liquidateBatch((address,uint256,uint256)[],bytes)";
                let arguments = [DynSolValue::Array(calls.to_vec()), data];
                self.pool_call(from, name, arguments).into()
            }
            Kind::Flag => {
                let arguments = [self.actor(victim).into(), uint(U256::from(id))];
                self.pool_call(from, "flag(address,uint256)", arguments)
                    .into()
            }
            _ => {
                let victim = if action.choice.is_multiple_of(4) {
                    victim
                } else {
                    now.first(to, |index| now.is_insolvent(index))
                };
                let arguments = [self.actor(victim).into(), data];
                self.pool_call(from, "settle(address,bytes)", arguments)
                    .into()
            }
        }
    }
}
