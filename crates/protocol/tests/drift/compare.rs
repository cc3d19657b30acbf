//! Every view of the pool against the mirror's answer.

use alloy_primitives::{Address, U256};
use breakwater_bindings::{DampedPolicy, ILendingPool, ILiquidationPolicy, IPriceOracle};
use breakwater_evm::{Chain, MemoryChain};
use breakwater_protocol::math::WAD;
use breakwater_protocol::policy::{
    BreakerLevel, Environment, LiquidationGrant, LiquidationRequest,
};
use breakwater_protocol::{Mirror, Moment, ViewError};

use super::random::Random;
use super::world::{Place, level, readings, view};

/// What was compared.
#[derive(Debug, Default)]
pub struct Compared {
    pub accounts: u64,
    pub below_one: u64,
    pub price_down: u64,
    pub requests: u64,
    pub refused_by_pool: u64,
    pub granted: u64,
    pub several: u64,
}

/// Compares the market, the collaterals, `accounts`, and who is below HF_F = 1.
pub fn compare(
    chain: &mut MemoryChain,
    place: &Place,
    mirror: &mut Mirror,
    accounts: &[Address],
    random: &mut Random,
    compared: &mut Compared,
) {
    let timestamp = chain.block().timestamp;
    let moment = mirror.moment(&readings(chain, mirror), timestamp).unwrap();
    market(chain, place, mirror, timestamp);
    let mut below = Vec::new();
    for account in accounts {
        if self::account(chain, place, mirror, *account, &moment, compared) {
            below.push(*account);
        }
        quotes(chain, place, mirror, *account, &moment, random, compared);
    }
    let mut candidates = mirror.candidates(&moment);
    candidates.retain(|account| accounts.contains(account));
    candidates.sort_unstable();
    below.sort_unstable();
    assert_eq!(candidates, below, "accounts below 1 at {timestamp}");
}

fn market(chain: &mut MemoryChain, place: &Place, mirror: &Mirror, timestamp: u64) {
    let expected = view(chain, place.pool, &ILendingPool::marketStateCall {});
    let state = mirror.market_state_at(timestamp);
    let figures = [
        (
            "lenderAssets",
            U256::from(state.lender_assets),
            expected.lenderAssets,
        ),
        (
            "supplyShares",
            U256::from(state.supply_shares),
            expected.supplyShares,
        ),
        (
            "totalDebt",
            U256::from(state.total_debt),
            expected.totalDebt,
        ),
        (
            "debtShares",
            U256::from(state.debt_shares),
            expected.debtShares,
        ),
        ("cash", U256::from(state.cash), expected.cash),
        ("reserves", U256::from(state.reserves), expected.reserves),
        ("rateAtTarget", state.rate_at_target, expected.rateAtTarget),
    ];
    for (name, actual, expected) in figures {
        assert_eq!(actual, expected, "{name} at {timestamp}");
    }
    let count = view(chain, place.pool, &ILendingPool::collateralCountCall {});
    assert_eq!(count, U256::from(mirror.collaterals().len()));
    for id in 0..mirror.collaterals().len() as u64 {
        let call = ILendingPool::collateralStateCall {
            collateralId: U256::from(id),
        };
        let expected = view(chain, place.pool, &call);
        let state = mirror.collateral_state(id, timestamp).unwrap();
        let actual = ILendingPool::CollateralState {
            token: state.token,
            oracle: state.oracle,
            borrowLtv: state.borrow_ltv,
            liquidationThreshold: state.liquidation_threshold,
            maxBonus: state.max_bonus,
            slippageMargin: state.slippage_margin,
            confirmationBand: state.confirmation_band,
            group: state.group,
            damped: state.damped,
            frozen: state.frozen,
            total: U256::from(state.total),
            cap: U256::from(state.cap),
        };
        assert_eq!(actual, expected, "collateral {id} at {timestamp}");
        let call = DampedPolicy::storedBucketCall {
            pool: place.pool,
            collateralId: U256::from(id),
        };
        let expected = view(chain, place.damped, &call);
        if mirror.description().policy.address == place.damped {
            let bucket = mirror.policy_state().bucket(id);
            assert_eq!(bucket.updated_at, expected.updatedAt);
            assert_eq!(U256::from(bucket.level), U256::from(expected.level));
            assert_eq!(U256::from(bucket.depth), U256::from(expected.depth));
        }
    }
}

/// Whether it is below HF_F = 1.
fn account(
    chain: &mut MemoryChain,
    place: &Place,
    mirror: &Mirror,
    account: Address,
    moment: &Moment,
    compared: &mut Compared,
) -> bool {
    let pool = place.pool;
    let health = view(chain, pool, &ILendingPool::accountHealthCall { account });
    let actual = mirror.account_health(&account, moment).unwrap();
    let actual = ILendingPool::AccountHealth {
        debt: actual.debt,
        collateralValue: actual.collateral_value,
        borrowLimit: actual.borrow_limit,
        healthFast: actual.health_fast,
        healthConfirmed: actual.health_confirmed,
        healthHard: actual.health_hard,
        priceDown: actual.price_down,
    };
    assert_eq!(actual, health, "health of {account}");
    let debt = view(chain, pool, &ILendingPool::debtOfCall { account });
    assert_eq!(mirror.debt_of(&account, moment.timestamp()), debt);
    let shares = view(chain, pool, &ILendingPool::debtSharesOfCall { account });
    assert_eq!(U256::from(mirror.debt_shares_of(&account)), shares);
    let bitmap = view(chain, pool, &ILendingPool::collateralBitmapCall { account });
    assert_eq!(U256::from(mirror.collateral_bitmap(&account)), bitmap);
    for id in 0..mirror.collaterals().len() as u64 {
        let collateralId = U256::from(id);
        let call = ILendingPool::collateralOfCall {
            account,
            collateralId,
        };
        let held = view(chain, pool, &call);
        assert_eq!(U256::from(mirror.collateral_of(&account, id)), held);
        if mirror.description().policy.address == place.damped {
            let call = DampedPolicy::flagOfCall {
                pool,
                account,
                collateralId,
            };
            let expected = view(chain, place.damped, &call);
            let flag = mirror.policy_state().flag(account, id);
            assert_eq!(U256::from(flag.since), U256::from(expected.since));
            assert_eq!(flag.cumulative, U256::from(expected.cumulative));
        }
    }
    let below = health.healthFast < WAD;
    compared.accounts += 1;
    compared.below_one += u64::from(below);
    compared.price_down += u64::from(health.priceDown);
    compared.several += u64::from(below && bitmap.count_ones() > 1);
    below
}

/// What would be asked of the policy for each collateral, and what it would grant.
fn quotes(
    chain: &mut MemoryChain,
    place: &Place,
    mirror: &Mirror,
    account: Address,
    moment: &Moment,
    random: &mut Random,
    compared: &mut Compared,
) {
    let breaker = BreakerLevel::try_from(level(chain, place)).unwrap();
    for id in 0..=mirror.collaterals().len() as u64 {
        let asked = match random.below(3) {
            0 => U256::MAX,
            1 => U256::from(random.below(u64::MAX)) * U256::from(1_000),
            _ => U256::from(1_000_000_u64).pow(U256::from(4)),
        };
        let call = ILendingPool::quoteLiquidationCall {
            account,
            collateralId: U256::from(id),
            maxRepay: asked,
        };
        let expected = view(chain, place.pool, &call);
        let request = match mirror.request(&account, id, asked, moment, breaker) {
            Ok(request) => request,
            Err(ViewError::Refused(refusal)) => {
                assert_eq!(u8::from(refusal), expected.grant.refusal, "{account} {id}");
                compared.refused_by_pool += 1;
                continue;
            }
            Err(error) => panic!("request for {account} {id}: {error}"),
        };
        let asks = ILiquidationPolicy::LiquidationRequest::from(&request);
        assert_eq!(format!("{asks:?}"), format!("{:?}", expected.request));
        let (decided, address) = (
            grant(chain, place, mirror, &request),
            mirror.settings().policy,
        );
        assert_eq!(
            decided.repay, expected.grant.repay,
            "{account} {id} by {address}"
        );
        assert_eq!(decided.seize, expected.grant.seize);
        assert_eq!(decided.bonus, expected.grant.bonus);
        assert_eq!(u8::from(decided.refusal), expected.grant.refusal);
        compared.requests += 1;
        compared.granted += u64::from(expected.grant.repay != U256::ZERO);
    }
}

/// What the ported policy grants from the mirrored state.
fn grant(
    chain: &mut MemoryChain,
    place: &Place,
    mirror: &Mirror,
    request: &LiquidationRequest,
) -> LiquidationGrant {
    let native = view(chain, place.native_oracle, &IPriceOracle::peekCall {});
    let block = chain.block().clone();
    let environment = Environment {
        chain_id: place.description.chain_id,
        pool: place.pool,
        timestamp: block.timestamp,
        block_number: block.number,
        base_fee: block.base_fee,
        native_price: native.fast,
        ..Environment::default()
    };
    let active = mirror.settings().policy;
    let (_, policy) = place
        .policies
        .iter()
        .find(|(address, _)| *address == active)
        .unwrap();
    let decision = policy.quote(mirror.policy_state(), request, &environment);
    decision.unwrap().grant
}
