//! What owner and guardian do, at random.

use alloy_primitives::{Log, U256};
use breakwater_bindings::{FixedOracle, ILendingPool, LendingPoolExtension};
use breakwater_evm::{Chain, MemoryChain};
use breakwater_protocol::{Collateral, Mirror};

use super::operations::whole;
use super::random::Random;
use super::world::{Place, send};

pub fn govern(
    name: &'static str,
    chain: &mut MemoryChain,
    place: &Place,
    mirror: &Mirror,
    random: &mut Random,
) -> Option<Vec<Log>> {
    let listed = mirror.collaterals().len() as u64;
    let id = U256::from(random.below(listed));
    let (owner, pool) = (place.timelock, place.pool);
    match name {
        "set caps" => {
            let call = LendingPoolExtension::setCapsCall {
                supplyCap_: whole(1_000_000 + random.below(100_000_000)),
                borrowCap_: whole(500_000 + random.below(100_000_000)),
            };
            send(chain, owner, pool, &call)
        }
        "set collateral cap" => {
            let cap = 10_u128.pow(20) + u128::from(random.below(u64::MAX)) * 1_000;
            let call = LendingPoolExtension::setCollateralCapCall { id, cap };
            send(chain, owner, pool, &call)
        }
        "ramp collateral" => {
            let threshold = 6_000 + random.below(2_400) as u16;
            let call = LendingPoolExtension::rampCollateralCall {
                id,
                borrowLtv: threshold - 300,
                liquidationThreshold: threshold,
            };
            send(chain, owner, pool, &call)
        }
        "set reserve factor" => {
            let percent = random.below(51) as u8;
            send(
                chain,
                owner,
                pool,
                &LendingPoolExtension::setReserveFactorCall { percent },
            )
        }
        "set minimum debt" => {
            let minimum = 50 + random.below(100);
            let call = LendingPoolExtension::setMinDebtCall {
                minDebt_: whole(minimum).to(),
                stipend: whole(minimum / 20),
            };
            send(chain, owner, pool, &call)
        }
        "freeze collateral" => send(
            chain,
            owner,
            pool,
            &LendingPoolExtension::freezeCollateralCall { id },
        ),
        "freeze new risk" => send(
            chain,
            owner,
            pool,
            &LendingPoolExtension::freezeNewRiskCall {},
        ),
        "unfreeze" => unfreeze(chain, place, mirror),
        "withdraw reserves" => {
            let state = ILendingPool::marketStateCall {};
            let reserves = chain.call_sol(owner, pool, &state).ok()?.reserves;
            let call = LendingPoolExtension::withdrawReservesCall {
                assets: reserves / U256::from(2),
                receiver: if random.chance(20) { pool } else { owner },
            };
            send(chain, owner, pool, &call)
        }
        "set policy" => {
            let policy_ = if random.chance(70) {
                place.damped
            } else {
                place.rigid
            };
            send(
                chain,
                owner,
                pool,
                &LendingPoolExtension::setPolicyCall { policy_ },
            )
        }
        _ => replace_oracle(chain, place, mirror, random),
    }
}

/// Whether nothing can be borrowed against a collateral, and will not be.
pub fn stuck(collateral: &Collateral) -> bool {
    collateral.frozen || collateral.ltv_to == 0
}

/// Whatever is frozen, so that the run goes on.
fn unfreeze(chain: &mut MemoryChain, place: &Place, mirror: &Mirror) -> Option<Vec<Log>> {
    let (owner, pool) = (place.timelock, place.pool);
    if mirror.settings().new_risk_frozen {
        return send(
            chain,
            owner,
            pool,
            &LendingPoolExtension::unfreezeNewRiskCall {},
        );
    }
    let id = mirror.collaterals().iter().position(stuck)?;
    let collateral = &mirror.collaterals()[id];
    let id = U256::from(id);
    if collateral.frozen {
        return send(
            chain,
            owner,
            pool,
            &LendingPoolExtension::unfreezeCollateralCall { id },
        );
    }
    let call = LendingPoolExtension::rampCollateralCall {
        id,
        borrowLtv: collateral.threshold_to - 300,
        liquidationThreshold: collateral.threshold_to,
    };
    send(chain, owner, pool, &call)
}

/// Lists the third collateral with a fixed price, or moves that price by up to a tenth.
fn replace_oracle(
    chain: &mut MemoryChain,
    place: &Place,
    mirror: &Mirror,
    random: &mut Random,
) -> Option<Vec<Log>> {
    let scale = U256::from(10).pow(U256::from(33));
    let price = scale * U256::from(920 + random.below(160));
    let constructor = FixedOracle::constructorCall { price };
    let oracle = chain
        .deploy_sol(place.timelock, &FixedOracle::BYTECODE, &constructor)
        .unwrap();
    if mirror.collaterals().len() > 2 {
        let call = LendingPoolExtension::setCollateralOracleCall {
            id: U256::from(2),
            oracle,
        };
        return send(chain, place.timelock, place.pool, &call);
    }
    let config = LendingPoolExtension::CollateralConfig {
        token: place.tokens[2],
        oracle,
        borrowLtv: 7_500,
        liquidationThreshold: 8_000,
        maxBonus: 500,
        slippageMargin: 300,
        confirmationBand: 0,
        group: 0,
        damped: true,
        cap: 10_u128.pow(28),
    };
    let call = LendingPoolExtension::listCollateralCall { config };
    send(chain, place.timelock, place.pool, &call)
}
