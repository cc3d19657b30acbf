//! What can happen to a pool, at random.

use std::collections::BTreeMap;

use alloy_primitives::{Address, Bytes, Log, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::{DampedPolicy, ILendingPool, LendingPool};
use breakwater_evm::{Chain, MemoryChain};
use breakwater_protocol::Mirror;

use super::governance::{govern, stuck};
use super::positions::{borrow, debt_amount, lend};
use super::random::Random;
use super::world::{Place, donate, send};

/// Every operation with its weight, and how often it has to succeed in a run of 10,000.
pub const OPERATIONS: [(&str, u64, u64); 29] = [
    ("deposit", 24, 300),
    ("mint", 8, 100),
    ("withdraw", 16, 150),
    ("redeem", 8, 80),
    ("supply collateral", 40, 500),
    ("withdraw collateral", 24, 100),
    ("borrow", 80, 500),
    ("repay", 24, 200),
    ("repay all", 6, 50),
    ("liquidate", 120, 150),
    ("liquidate all", 24, 40),
    ("liquidate batch", 36, 60),
    ("flag", 36, 100),
    ("settle", 60, 20),
    ("flash loan", 6, 50),
    ("record depth", 6, 50),
    ("authorize", 3, 20),
    ("donate", 3, 20),
    ("set caps", 3, 20),
    ("set collateral cap", 3, 20),
    ("ramp collateral", 2, 10),
    ("set reserve factor", 3, 20),
    ("set minimum debt", 3, 20),
    ("freeze collateral", 1, 5),
    ("freeze new risk", 2, 10),
    ("unfreeze", 16, 20),
    ("withdraw reserves", 3, 20),
    ("replace oracle", 4, 20),
    ("set policy", 4, 20),
];

/// Those that need somebody unhealthy.
const CLOSING: [&str; 5] = [
    "liquidate",
    "liquidate all",
    "liquidate batch",
    "flag",
    "settle",
];

/// How often each operation was tried and succeeded.
#[derive(Default)]
pub struct Tally(pub BTreeMap<&'static str, (u64, u64)>);

impl Tally {
    pub fn succeeded(&self) -> u64 {
        self.0.values().map(|(_, succeeded)| succeeded).sum()
    }
}

/// A random operation's name, and its logs if it succeeded.
///
/// `unhealthy` are the accounts below HF_F = 1 at the beginning of the block: where there are any, somebody comes for them.
pub fn operate(
    chain: &mut MemoryChain,
    place: &Place,
    mirror: &Mirror,
    unhealthy: &[Address],
    random: &mut Random,
    tally: &mut Tally,
) -> (&'static str, Vec<Log>) {
    let mut name = choose(random);
    if (mirror.settings().new_risk_frozen || mirror.collaterals().iter().any(stuck))
        && random.chance(20)
    {
        name = "unfreeze";
    }
    while unhealthy.is_empty() && CLOSING.contains(&name) && !random.chance(5) {
        name = choose(random);
    }
    let world = World {
        place,
        mirror,
        unhealthy,
    };
    let logs = perform(name, chain, &world, random);
    let count = tally.0.entry(name).or_default();
    count.0 += 1;
    count.1 += u64::from(logs.is_some());
    (name, logs.unwrap_or_default())
}

fn choose(random: &mut Random) -> &'static str {
    let total: u64 = OPERATIONS.iter().map(|(_, weight, _)| weight).sum();
    let mut choice = random.below(total);
    let chosen = OPERATIONS.iter().find(|(_, weight, _)| {
        let chosen = choice < *weight;
        choice = choice.saturating_sub(*weight);
        chosen
    });
    chosen.unwrap().0
}

/// What operations see of the world.
struct World<'a> {
    place: &'a Place,
    mirror: &'a Mirror,
    unhealthy: &'a [Address],
}

/// Someone who owes, more often than not; anybody otherwise.
pub fn debtor(place: &Place, mirror: &Mirror, random: &mut Random) -> Address {
    let mut actor = random.pick(&place.actors);
    for _ in 0..8 {
        if mirror.debt_shares_of(&actor) != 0 {
            break;
        }
        actor = random.pick(&place.actors);
    }
    actor
}

/// Someone unhealthy, if there is anybody, with a collateral that he holds; rarely somebody else, or another collateral.
fn victim(world: &World<'_>, random: &mut Random) -> (Address, u64) {
    let account = if world.unhealthy.is_empty() || random.chance(5) {
        debtor(world.place, world.mirror, random)
    } else {
        random.pick(world.unhealthy)
    };
    let bitmap = world.mirror.collateral_bitmap(&account);
    let held: Vec<u64> = (0..3).filter(|id| bitmap >> id & 1 != 0).collect();
    if held.is_empty() || random.chance(3) {
        return (account, random.below(4));
    }
    (account, random.pick(&held))
}

pub fn whole(units: u64) -> U256 {
    U256::from(units) * U256::from(1_000_000_000_000_000_000_u64)
}

fn perform(
    name: &'static str,
    chain: &mut MemoryChain,
    world: &World<'_>,
    random: &mut Random,
) -> Option<Vec<Log>> {
    let World { place, mirror, .. } = *world;
    match name {
        "deposit" | "mint" | "withdraw" | "redeem" => lend(name, chain, place, random),
        "supply collateral" | "withdraw collateral" | "borrow" | "repay" | "repay all" => {
            borrow(name, chain, place, mirror, random)
        }
        "liquidate" | "liquidate all" | "liquidate batch" | "flag" | "settle" | "record depth" => {
            close(name, chain, world, random)
        }
        "flash loan" => {
            let call = LendingPool::flashLoanCall {
                receiver: place.borrower,
                token: place.asset,
                amount: debt_amount(random),
                data: Bytes::new(),
            };
            send(chain, random.pick(&place.actors), place.pool, &call)
        }
        "authorize" => {
            let call = ILendingPool::setAuthorizationCall {
                authorized: random.pick(&place.actors),
                isAuthorized: random.chance(50),
            };
            send(chain, random.pick(&place.actors), place.pool, &call)
        }
        "donate" => donate(chain, place, random),
        _ => govern(name, chain, place, mirror, random),
    }
}

fn close(
    name: &'static str,
    chain: &mut MemoryChain,
    world: &World<'_>,
    random: &mut Random,
) -> Option<Vec<Log>> {
    let place = world.place;
    let caller = random.pick(&place.actors);
    // Up to a dozen tries at an account that the pool grants something, so that most calls are worth their name.
    let accept = |chain: &mut MemoryChain, call: Vec<u8>| {
        let execution = chain.view(caller, place.pool, call.into()).unwrap();
        execution.is_success()
    };
    let mut target = victim(world, random);
    for _ in 0..12 {
        let (account, id) = target;
        let probe = match name {
            "settle" => ILendingPool::settleCall {
                account,
                data: Bytes::new(),
            }
            .abi_encode(),
            "flag" => flag(account, id).abi_encode(),
            _ => liquidate(account, id, U256::MAX).abi_encode(),
        };
        if name == "record depth" || accept(chain, probe) {
            break;
        }
        target = victim(world, random);
    }
    let (account, id) = target;
    match name {
        "liquidate" => send(
            chain,
            caller,
            place.pool,
            &liquidate(account, id, debt_amount(random)),
        ),
        "liquidate all" => send(
            chain,
            caller,
            place.pool,
            &liquidate(account, id, U256::MAX),
        ),
        "liquidate batch" => {
            let other = victim(world, random);
            let calls = [target, other, target]
                .map(|(account, id)| ILendingPool::LiquidationCall {
                    account,
                    collateralId: U256::from(id),
                    maxRepay: debt_amount(random),
                })
                .to_vec();
            let call = ILendingPool::liquidateBatchCall {
                calls,
                data: Bytes::new(),
            };
            send(chain, caller, place.pool, &call)
        }
        "flag" => send(chain, caller, place.pool, &flag(account, id)),
        "settle" => {
            let call = ILendingPool::settleCall {
                account,
                data: Bytes::new(),
            };
            send(chain, caller, place.pool, &call)
        }
        _ => {
            let call = DampedPolicy::recordDepthCall {
                pool: place.pool,
                collateralId: U256::from(random.below(2)),
            };
            send(chain, caller, place.damped, &call)
        }
    }
}

fn liquidate(account: Address, id: u64, maxRepay: U256) -> ILendingPool::liquidateCall {
    ILendingPool::liquidateCall {
        account,
        collateralId: U256::from(id),
        maxRepay,
        data: Bytes::new(),
    }
}

fn flag(account: Address, id: u64) -> ILendingPool::flagCall {
    ILendingPool::flagCall {
        account,
        collateralId: U256::from(id),
    }
}
