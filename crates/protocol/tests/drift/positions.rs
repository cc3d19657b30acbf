//! What lenders and borrowers do, at random.

use alloy_primitives::{Bytes, Log, U256};
use breakwater_bindings::{ILendingPool, LendingPool};
use breakwater_evm::{Chain, MemoryChain};
use breakwater_protocol::Mirror;

use super::operations::{debtor, whole};
use super::random::Random;
use super::world::{Place, send};

/// From a unit to thousands of tokens, wei that are not round included.
pub fn debt_amount(random: &mut Random) -> U256 {
    match random.below(10) {
        0 => U256::from(random.below(1_000) + 1),
        1..=3 => whole(random.below(100_000) + 1),
        _ => whole(random.below(10_000)) + U256::from(random.below(u64::MAX)),
    }
}

fn collateral_amount(id: u64, random: &mut Random) -> U256 {
    let unit = if id == 1 {
        100_000_000
    } else {
        1_000_000_000_000_000_000
    };
    let share = random.below(unit);
    match random.below(10) {
        0 => U256::from(random.below(100) + 1),
        1 => U256::from(share / 1_000 + 1),
        _ if id == 1 => U256::from(share / 2 + 1),
        _ => U256::from(unit) * U256::from(random.below(10)) + U256::from(share),
    }
}

pub fn lend(
    name: &'static str,
    chain: &mut MemoryChain,
    place: &Place,
    random: &mut Random,
) -> Option<Vec<Log>> {
    let actor = random.pick(&place.actors);
    let receiver = actor;
    let assets = whole(random.below(200_000)) + U256::from(random.below(u64::MAX));
    let shares = assets * U256::from(900);
    // Once in a while to the pool itself, whose cash then stays.
    let to = if random.chance(5) { place.pool } else { actor };
    match name {
        "deposit" => {
            let call = LendingPool::depositCall { assets, receiver };
            send(chain, actor, place.pool, &call)
        }
        "mint" => {
            let call = LendingPool::mintCall { shares, receiver };
            send(chain, actor, place.pool, &call)
        }
        "withdraw" => {
            let call = LendingPool::withdrawCall {
                assets: assets / U256::from(4),
                receiver: to,
                owner_: actor,
            };
            send(chain, actor, place.pool, &call)
        }
        _ => {
            let call = LendingPool::redeemCall {
                shares: shares / U256::from(4),
                receiver: to,
                owner_: actor,
            };
            send(chain, actor, place.pool, &call)
        }
    }
}

pub fn borrow(
    name: &'static str,
    chain: &mut MemoryChain,
    place: &Place,
    mirror: &Mirror,
    random: &mut Random,
) -> Option<Vec<Log>> {
    let id = random.below(mirror.collaterals().len() as u64);
    let collateralId = U256::from(id);
    match name {
        "supply collateral" => {
            // Everybody has a favourite, so that some hold one collateral and some hold three.
            let number = random.below(place.actors.len() as u64);
            let actor = place.actors[number as usize];
            let id = if random.chance(80) { number % 3 } else { id };
            let call = ILendingPool::supplyCollateralCall {
                collateralId: U256::from(id),
                amount: collateral_amount(id, random),
                account: actor,
                data: Bytes::new(),
            };
            send(chain, actor, place.pool, &call)
        }
        "withdraw collateral" => {
            let account = random.pick(&place.actors);
            let held = mirror.collateral_of(&account, id);
            let amount = U256::from(held) * U256::from(random.below(100) + 1) / U256::from(100);
            let call = ILendingPool::withdrawCollateralCall {
                collateralId,
                amount,
                account,
                receiver: account,
            };
            send(chain, account, place.pool, &call)
        }
        "borrow" => {
            let mut account = random.pick(&place.actors);
            let mut room = U256::ZERO;
            for _ in 0..12 {
                let health = ILendingPool::accountHealthCall { account };
                let health = chain.call_sol(account, place.pool, &health).ok()?;
                room = health.borrowLimit.saturating_sub(health.debt);
                if room > whole(100) {
                    break;
                }
                account = random.pick(&place.actors);
            }
            // Mostly to the brim.
            let percent = if random.chance(60) {
                99
            } else {
                random.below(110)
            };
            let receiver = if random.chance(3) {
                place.pool
            } else {
                account
            };
            let call = ILendingPool::borrowCall {
                assets: room * U256::from(percent) / U256::from(100),
                account,
                receiver,
            };
            send(chain, account, place.pool, &call)
        }
        _ => {
            let all = name == "repay all";
            let call = ILendingPool::repayCall {
                assets: if all {
                    U256::MAX
                } else {
                    debt_amount(random) / U256::from(8)
                },
                account: debtor(place, mirror, random),
                data: Bytes::new(),
            };
            send(chain, random.pick(&place.actors), place.pool, &call)
        }
    }
}
