//! Contracts that act in callbacks, flash loans, and several calls in one.

use alloy_primitives::{Address, U256};

use super::people::data_of;
use super::{Effect, Plan, Planned, Scene, at, collateral};
use crate::action::{Action, Kind};
use crate::encode::{Call, bytes, uint};
use crate::world::{COLLATERALS, PEOPLE, STRANGER};

impl Scene<'_> {
    pub(super) fn act(&mut self, action: &Action) -> Plan {
        let (who, id) = (at(action.who), collateral(action.id));
        let hostile = PEOPLE + who % 2;
        match action.kind {
            Kind::Flash => {
                let cash = self.now.view.market.cash;
                let receiver = if action.choice % 8 == 7 { who } else { hostile };
                let arguments = [
                    self.actor(receiver).into(),
                    self.world.place.asset.into(),
                    uint(action.size.of(cash)),
                    bytes(&[]),
                ];
                let name = "flashLoan(address,address,uint256,bytes)";
                self.pool_call(self.actor(who), name, arguments).into()
            }
            Kind::Multicall => {
                let calls: Vec<Call> = (0..2)
                    .map(|step| self.inner(who, id, action, action.choice.wrapping_add(step * 5)))
                    .collect();
                let arguments = [data_of(&calls)];
                self.pool_call(self.actor(who), "multicall(bytes[])", arguments)
                    .into()
            }
            Kind::Arm => {
                let call = self.inner(hostile, id, action, action.choice);
                let call = Call::new(
                    STRANGER,
                    self.actor(hostile),
                    "arm(bytes)",
                    [bytes(&call.data())],
                );
                Planned {
                    effect: Effect::Armed,
                    ..call.into()
                }
                .into()
            }
            _ => {
                let arguments = [
                    self.world.place.tokens[1].into(),
                    (!action.choice.is_multiple_of(4)).into(),
                ];
                let contract = self.actor(hostile);
                Call::new(STRANGER, contract, "register(address,bool)", arguments).into()
            }
        }
    }

    /// A call of the pool for use within another.
    fn inner(&self, who: usize, id: usize, action: &Action, choice: u8) -> Call {
        let now = self.now;
        let (account, actor) = (now.account(who), self.actor(who));
        let market = &now.view.market;
        let size = |possible: U256| uint(action.size.of(possible));
        let victim = now.first(at(action.to), |index| now.is_unhealthy(index));
        let held = if account.collateral[id].is_zero() {
            (id + 1) % COLLATERALS
        } else {
            id
        };
        let number = |id: usize| uint(U256::from(id));
        let call = |signature: &'static str, arguments: Vec<alloy_dyn_abi::DynSolValue>| {
            self.pool_call(actor, signature, arguments)
        };
        let (me, empty): (alloy_dyn_abi::DynSolValue, _) = (Address::into(actor), bytes(&[]));
        match choice % 11 {
            0 => call(
                "deposit(uint256,address)",
                vec![size(self.world.plan.dollars(1_000_000)), me],
            ),
            1 => call(
                "supplyCollateral(uint256,uint256,address,bytes)",
                vec![number(id), size(self.world.plan.tokens(id, 1)), me, empty],
            ),
            2 => {
                let health = &now.health[who];
                let room = health
                    .borrow_limit
                    .saturating_sub(health.debt)
                    .min(market.cash);
                call(
                    "borrow(uint256,address,address)",
                    vec![size(room), me.clone(), me],
                )
            }
            3 => call(
                "repay(uint256,address,bytes)",
                vec![size(account.debt), me, empty],
            ),
            4 => call(
                "withdrawCollateral(uint256,uint256,address,address)",
                vec![number(held), size(account.collateral[held]), me.clone(), me],
            ),
            5 => call(
                "redeem(uint256,address,address)",
                vec![size(account.shares), me.clone(), me],
            ),
            6 => call(
                "withdraw(uint256,address,address)",
                vec![size(market.cash), me.clone(), me],
            ),
            7 => call(
                "liquidate(address,uint256,uint256,bytes)",
                vec![
                    self.actor(victim).into(),
                    number(id),
                    size(now.account(victim).debt),
                    empty,
                ],
            ),
            8 => call(
                "settle(address,bytes)",
                vec![self.actor(victim).into(), empty],
            ),
            9 => call(
                "flashLoan(address,address,uint256,bytes)",
                vec![me, self.world.place.asset.into(), size(market.cash), empty],
            ),
            _ => call(
                "flag(address,uint256)",
                vec![self.actor(victim).into(), number(id)],
            ),
        }
    }
}
