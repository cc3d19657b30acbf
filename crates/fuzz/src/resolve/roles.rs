//! What owner and guardian do, and what a stranger tries of it.

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::{Address, U256};

use super::{Plan, Scene, at, collateral};
use crate::action::{Action, Kind};
use crate::encode::{Call, bytes, uint};
use crate::world::{GUARDIAN, OWNER, STRANGER};

/// The deployment's caps.
const CAP: U256 = U256::from_limbs([0x3e25_0261_1000_0000, 0x204f_ce5e, 0, 0]);

impl Scene<'_> {
    pub(super) fn govern(&mut self, action: &Action) -> Plan {
        let id = uint(U256::from(collateral(action.id)));
        let place = &self.world.place;
        let market = &self.now.view.market;
        let owner = |signature, arguments: Vec<DynSolValue>| {
            self.as_owner(OWNER, Call::new(OWNER, place.pool, signature, arguments))
        };
        let choice = u64::from(action.choice);
        let call = match action.kind {
            Kind::Freeze => Call::new(GUARDIAN, place.pool, "freezeNewRisk()", Vec::new()),
            Kind::Unfreeze => owner("unfreezeNewRisk()", vec![]),
            Kind::FreezeCollateral => {
                Call::new(GUARDIAN, place.pool, "freezeCollateral(uint256)", [id])
            }
            Kind::UnfreezeCollateral => {
                let (ltv, threshold) = [(8_000, 8_300), (7_000, 7_550)][collateral(action.id)];
                let ramp = [id.clone(), number(ltv), number(threshold)].to_vec();
                return Plan {
                    block: None,
                    calls: vec![
                        owner("unfreezeCollateral(uint256)", vec![id]).into(),
                        owner("rampCollateral(uint256,uint16,uint16)", ramp).into(),
                    ],
                };
            }
            Kind::Ramp => {
                let threshold = 7_000 + choice % 16 * 90;
                let ltv = threshold - 100 - choice / 16 * 100;
                let (ltv, threshold) = if choice == 255 {
                    (0, 0)
                } else {
                    (ltv, threshold)
                };
                let arguments = vec![id, number(ltv), number(threshold)];
                owner("rampCollateral(uint256,uint16,uint16)", arguments)
            }
            Kind::Caps => {
                let cap = |now: U256| {
                    if choice.is_multiple_of(4) {
                        action.size.of(now)
                    } else {
                        CAP
                    }
                };
                let arguments = vec![uint(cap(market.lenderAssets)), uint(cap(market.totalDebt))];
                owner("setCaps(uint256,uint256)", arguments)
            }
            Kind::CollateralCap => {
                let total = self.now.view.collaterals[collateral(action.id)].state.total;
                let cap = if choice.is_multiple_of(4) {
                    action.size.of(total)
                } else {
                    CAP
                };
                owner(
                    "setCollateralCap(uint256,uint128)",
                    vec![id, uint(cap.min(U256::from(u128::MAX)))],
                )
            }
            Kind::MinimumDebt => {
                let plan = self.world.plan;
                let minima = [
                    plan.minimum_debt(),
                    U256::ZERO,
                    U256::from(20),
                    plan.dollars(1_000),
                ];
                let minimum = minima[usize::from(action.choice % 4)];
                let arguments = vec![uint(minimum), uint(minimum / U256::from(20))];
                owner("setMinDebt(uint88,uint256)", arguments)
            }
            Kind::ReserveFactor => owner("setReserveFactor(uint8)", vec![number(choice % 52)]),
            Kind::Reserves => {
                let possible = market.reserves.min(market.cash);
                let arguments = vec![uint(action.size.of(possible)), OWNER.into()];
                owner("withdrawReserves(uint256,address)", arguments)
            }
            Kind::Policy => {
                // Three in four times the first one comes back.
                let first = self.world.first_policy();
                let others = place.policies.iter().filter(|policy| **policy != first);
                let others: Vec<_> = others.copied().collect();
                let other = self.now.view.policy == first && choice.is_multiple_of(4);
                let policy = if other {
                    others[usize::from(action.choice / 4) % others.len()]
                } else {
                    first
                };
                owner("setPolicy(address)", vec![policy.into()])
            }
            Kind::Halt => {
                let arguments = [place.pool.into(), number(1 + choice * 14)];
                Call::new(OWNER, place.breaker, "halt(address,uint256)", arguments)
            }
            Kind::Resume => Call::new(OWNER, place.breaker, "resume(address)", [place.pool.into()]),
            _ => self.usurp(action),
        };
        call.into()
    }

    /// What only owner, guardian, or somebody authorised may, by whoever is not.
    fn usurp(&self, action: &Action) -> Call {
        let place = &self.world.place;
        let from = if action.choice & 128 == 0 {
            STRANGER
        } else {
            self.actor(at(action.who))
        };
        let id = number(u64::from(action.id % 2));
        let me: DynSolValue = Address::into(from);
        let mut acts: Vec<(Address, &'static str, Vec<DynSolValue>)> = vec![
            (
                place.pool,
                "setPolicy(address)",
                vec![place.policies[1].into()],
            ),
            (
                place.pool,
                "setCaps(uint256,uint256)",
                vec![number(0), number(0)],
            ),
            (
                place.pool,
                "setMinDebt(uint88,uint256)",
                vec![number(0), number(0)],
            ),
            (place.pool, "setReserveFactor(uint8)", vec![number(50)]),
            (place.pool, "setGuardian(address)", vec![me.clone()]),
            (
                place.pool,
                "withdrawReserves(uint256,address)",
                vec![number(0), me.clone()],
            ),
            (place.pool, "freezeNewRisk()", vec![]),
            (place.pool, "freezeCollateral(uint256)", vec![id.clone()]),
            (place.pool, "unfreezeNewRisk()", vec![]),
            (place.pool, "unfreezeCollateral(uint256)", vec![id.clone()]),
            (
                place.pool,
                "rampCollateral(uint256,uint16,uint16)",
                vec![id.clone(), number(7_000), number(7_500)],
            ),
            (
                place.pool,
                "setCollateralOracle(uint256,address)",
                vec![id.clone(), place.oracles[collateral(action.id)].into()],
            ),
            (
                place.pool,
                "setCollateralCap(uint256,uint128)",
                vec![id, number(1)],
            ),
            (place.pool, "transferOwnership(address)", vec![me.clone()]),
            (place.pool, "acceptOwnership()", vec![]),
            (place.pool, "renounceOwnership()", vec![]),
            (
                place.breaker,
                "halt(address,uint256)",
                vec![place.pool.into(), number(60)],
            ),
            (place.breaker, "resume(address)", vec![place.pool.into()]),
            (place.breaker, "transferOwnership(address)", vec![me]),
        ];
        if let Some(backstop) = place.backstop {
            let freeze = Call::new(from, place.pool, "freezeNewRisk()", Vec::new());
            let victim = self.actor(at(action.to));
            acts.extend([
                (
                    backstop.steward,
                    "execute(bytes)",
                    vec![bytes(&freeze.data())],
                ),
                (backstop.steward, "accept()", vec![]),
                (
                    self.world.first_policy(),
                    "openAbsorption(address,uint256)",
                    vec![victim.into(), number(0)],
                ),
                (
                    backstop.pool,
                    "onLiquidate(uint256,bytes)",
                    vec![number(0), bytes(&[])],
                ),
            ]);
        }
        let index = usize::from(action.choice & 127) % acts.len();
        let (to, signature, arguments) = acts[index].clone();
        Call::new(from, to, signature, arguments)
    }
}

fn number(value: u64) -> DynSolValue {
    uint(U256::from(value))
}
