//! `TargetHealthPolicy` against exact rational arithmetic.
//!
//! With D the debt, HF the health factor, B the bonus multiplier, LT the threshold and h the target, x* = D (h - HF) / (h - B LT) is the
//! repayment after which (HF D - x B LT) / (D - x) = h. Nothing here is rounded but what the policy is asked to round.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolConstructor;
use breakwater_bindings::{
    ILiquidationPolicy::{self, LiquidationRequest},
    TargetHealthPolicy,
};
use breakwater_evm::{BlockEnvironment, Chain, MemoryChain, Rules};
use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

use crate::{cases, random::Random};

const ANYBODY: Address = Address::repeat_byte(0xab);
const WAD: u64 = 1_000_000_000_000_000_000;

/// Cases of one policy.
const OF_A_POLICY: u64 = 500;

fn whole(number: U256) -> BigRational {
    BigRational::from_integer(BigInt::from_bytes_be(
        num_bigint::Sign::Plus,
        &number.to_be_bytes::<32>(),
    ))
}

/// A ratio scaled by 1e18.
fn wad(number: U256) -> BigRational {
    whole(number) / whole(U256::from(WAD))
}

/// A price scaled by 1e36.
fn price_of(number: U256) -> BigRational {
    whole(number) / whole(U256::from(10).pow(U256::from(36)))
}

/// What one campaign saw.
#[derive(Default)]
struct Seen {
    partial: u64,
    whole: u64,
    asked: u64,
    all_collateral: u64,
}

struct Case {
    request: LiquidationRequest,
    target: U256,
    grant: ILiquidationPolicy::LiquidationGrant,
}

impl Case {
    fn judge(&self, seen: &mut Seen) {
        let Self { request, grant, .. } = self;
        let (debt, health) = (whole(request.debt), wad(request.healthFast));
        let target = wad(self.target);
        let multiplier = wad(U256::from(WAD) + grant.bonus);
        let sold = &multiplier * wad(request.liquidationThreshold);
        let price = price_of(request.price);
        let (repaid, seized) = (whole(grant.repay), whole(grant.seize));
        let one = whole(U256::ONE);

        // What is seized: floor(x B / F), or all there is, for no less than it costs and less than a unit more.
        let worth = &repaid * &multiplier / &price;
        if grant.seize == request.collateral {
            let cost = whole(request.collateral) * &price / &multiplier;
            let more = &repaid - &cost;
            let exact = worth.floor() == seized;
            assert!(
                exact || (!more.is_negative() && more < one),
                "cost {cost}, paid {repaid}"
            );
            seen.all_collateral += 1;
            return;
        }
        assert_eq!(worth.floor(), seized);

        // How much. B LT has 18 digits, rounded up: the slack is what that can add to x.
        if grant.repay == request.asked && request.asked < request.debt {
            seen.asked += 1;
            let after = health * &debt - &repaid * &sold;
            assert!(
                after <= &target * (&debt - &repaid) + &target + &one,
                "more than the target asks for"
            );
            return;
        }
        let slope = &target - &sold;
        let unit = wad(U256::ONE);
        if slope <= unit {
            assert_eq!(repaid, debt, "no repayment reaches the target");
            seen.whole += 1;
            return;
        }
        let exact = &debt * (&target - &health) / &slope;
        let slack = &debt * (&target - &health) / (&slope - &unit) - &exact + &one;
        if grant.repay == request.debt {
            assert!(&exact + &slack >= debt, "{exact} would have done of {debt}");
            seen.whole += 1;
            return;
        }
        assert!(
            repaid >= exact && &repaid - &exact < slack,
            "{repaid} for {exact} of {debt}"
        );
        let after = (&health * &debt - &repaid * &sold) / (&debt - &repaid);
        assert!(after >= target, "the target is missed: {after}");
        seen.partial += 1;
    }
}

fn request(random: &mut Random) -> LiquidationRequest {
    let threshold = random.range(WAD / 10, WAD / 100 * 97);
    // Beyond 1 / (1 + bonus) the sale of this collateral lowers health; half the cases are near 1, where most liquidations are.
    let health = if random.one_in(2) {
        random.range(WAD / 100 * 95, WAD - 1)
    } else {
        random.range(WAD / 2, WAD - 1)
    };
    let digits = random.range(2, 29) as u32;
    let debt = random.magnitude(digits, digits + 1);
    // The debt is worth a few units of collateral at least.
    let price = random.magnitude(18, 36 + digits);
    let times = if random.one_in(4) {
        random.range(1, 1_000)
    } else {
        random.range(2_000, 1_000_000)
    };
    let scale = U256::from(10).pow(U256::from(36));
    let collateral = (debt * scale / price * U256::from(times) / U256::from(1_000)).max(U256::ONE);
    LiquidationRequest {
        account: ANYBODY,
        collateralId: U256::ZERO,
        asked: if random.one_in(4) {
            debt * U256::from(random.range(1, 1_000)) / U256::from(1_000)
        } else {
            debt
        },
        debt,
        collateral,
        price,
        priceCumulative: U256::ZERO,
        collateralValue: debt,
        healthFast: U256::from(health),
        healthConfirmed: U256::from(health),
        healthHard: U256::from(WAD / 10 * 9),
        liquidationThreshold: U256::from(threshold),
        maxBonus: U256::from(random.range(0, WAD / 5)),
        totalCollateral: collateral,
        minDebt: U256::ZERO,
        oracle: ANYBODY,
        breaker: 0,
    }
}

#[test]
fn target_health_sizing_is_the_least_that_reaches_the_target() {
    let mut chain = MemoryChain::new(Rules::default());
    chain.begin_block(BlockEnvironment::default());
    let mut random = Random::new(2);
    let mut seen = Seen::default();
    let (mut refused, mut judged) = (0_u64, 0_u64);
    for _ in 0..cases(OF_A_POLICY).max(1) {
        let target = U256::from(random.range(WAD, WAD / 2 * 3));
        let constructor = TargetHealthPolicy::constructorCall {
            targetHealth: target,
            fullBonusHealth: U256::from(random.range(WAD / 2, WAD - 1)),
            bonusShareAtOne: U256::from(random.range(0, WAD)),
        };
        let policy = chain
            .deploy(
                ANYBODY,
                &TargetHealthPolicy::BYTECODE,
                &constructor.abi_encode(),
            )
            .unwrap();
        for _ in 0..OF_A_POLICY {
            let request = request(&mut random);
            let call = ILiquidationPolicy::quoteCall {
                pool: ANYBODY,
                request: request.clone(),
            };
            let grant = chain.call_sol(ANYBODY, policy, &call).unwrap();
            if grant.refusal != 0 {
                // Only where less than a unit would be seized.
                let call = TargetHealthPolicy::bonusAtCall {
                    healthFast: request.healthFast,
                    maxBonus: request.maxBonus,
                };
                let bonus = chain.call_sol(ANYBODY, policy, &call).unwrap();
                let multiplier = wad(U256::from(WAD) + bonus);
                let slope = wad(target) - &multiplier * wad(request.liquidationThreshold);
                let (debt, asked) = (whole(request.debt), whole(request.asked));
                let sized = if slope.is_positive() {
                    let exact = &debt * (wad(target) - wad(request.healthFast)) / slope;
                    exact.min(debt)
                } else {
                    debt
                };
                let seized = sized.min(asked) * multiplier / price_of(request.price);
                assert!(
                    grant.seize.is_zero() && seized < whole(U256::ONE),
                    "refused {seized}"
                );
                refused += 1;
                continue;
            }
            assert!(grant.repay <= request.debt && !whole(grant.repay).is_zero());
            Case {
                request,
                target,
                grant,
            }
            .judge(&mut seen);
            judged += 1;
        }
    }
    let Seen {
        partial,
        whole,
        asked,
        all_collateral,
    } = seen;
    println!(
        "sizing: {judged} cases, {partial} partial, {whole} whole, {asked} as asked, {all_collateral} with all collateral, {refused} refused"
    );
    for (name, count) in [
        ("partial", partial),
        ("whole", whole),
        ("asked", asked),
        ("all collateral", all_collateral),
    ] {
        assert!(
            count > judged / 50,
            "only {count} of {judged} cases are {name}"
        );
    }
}
