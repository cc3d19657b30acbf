//! The index against everybody evaluated one by one, under random positions, prices, accruals and reorgs.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use alloy_primitives::{Address, U256};
use breakwater_protocol::math::WAD;
use breakwater_protocol::{Mirror, Moment, PriceStatus, Reading};
use proptest::prelude::*;
use support::{Feeder, account, price};

const ACCOUNTS: u64 = 60;

/// One change of the world.
#[derive(Clone, Debug)]
enum Step {
    /// An account's debt shares and one of its collaterals are set.
    Position {
        account: u64,
        debt_shares: u128,
        collateral: u64,
        amount: u128,
    },
    /// A price is multiplied, in parts of a million.
    Move {
        collateral: usize,
        parts: u64,
    },
    /// All prices are, which is what a crash looks like.
    MoveAll {
        parts: u64,
    },
    /// A collateral's price goes, or comes back.
    Down {
        collateral: usize,
    },
    /// The market's debt per share rises, in parts of a million.
    Accrue {
        parts: u64,
    },
    /// All debt is gone and a market begins anew at the first price of a share.
    Restart,
    Rewind {
        blocks: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    // From dust to whales, so that each rounding matters to somebody.
    let shares = prop_oneof![
        1 => Just(0_u128),
        2 => 1_u128..5_000,
        2 => 1_u128..1_000_000_000,
        4 => 1_u128..10_u128.pow(27),
    ];
    let amount = prop_oneof![
        1 => Just(0_u128),
        2 => 1_u128..5_000,
        4 => 1_u128..10_u128.pow(21),
    ];
    prop_oneof![
        12 => (0..ACCOUNTS, shares, 0_u64..4, amount).prop_map(
            |(account, debt_shares, collateral, amount)| Step::Position {
                account,
                debt_shares,
                collateral,
                amount,
            }
        ),
        4 => (0_usize..4, 800_000_u64..1_200_000).prop_map(|(collateral, parts)| Step::Move { collateral, parts }),
        2 => (0_usize..4, 1_u64..5_000_000).prop_map(|(collateral, parts)| Step::Move { collateral, parts }),
        2 => (600_000_u64..1_500_000).prop_map(|parts| Step::MoveAll { parts }),
        1 => (0_usize..4).prop_map(|collateral| Step::Down { collateral }),
        3 => (1_000_000_u64..1_050_000).prop_map(|parts| Step::Accrue { parts }),
        1 => Just(Step::Restart),
        2 => (1_usize..20).prop_map(|blocks| Step::Rewind { blocks }),
    ]
}

struct World {
    feeder: Feeder,
    readings: Vec<Reading>,
}

impl World {
    fn new() -> Self {
        let mut feeder = Feeder::new(4);
        // Accounts are near the edge: the amounts above at about the shares above.
        let readings = [1_200_000, 3, 999_999, 50_000_000]
            .map(|parts| Reading::flat(price(parts)))
            .to_vec();
        feeder.set_market(10_u128.pow(26), 10_u128.pow(29));
        Self { feeder, readings }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Position {
                account: number,
                debt_shares,
                collateral,
                amount,
            } => {
                let owner = account(*number);
                self.feeder.set_debt(owner, *debt_shares);
                self.feeder.set_collateral(owner, *collateral, *amount);
            }
            Step::Move { collateral, parts } => self.scale(*collateral, *parts),
            Step::MoveAll { parts } => (0..4).for_each(|id| self.scale(id, *parts)),
            Step::Down { collateral } => {
                let reading = &mut self.readings[*collateral];
                reading.status = match reading.status {
                    PriceStatus::Down => PriceStatus::Ok,
                    _ => PriceStatus::Down,
                };
            }
            Step::Accrue { parts } => {
                let market = self.feeder.market();
                let debt = U256::from(market.0) * U256::from(*parts) / U256::from(1_000_000);
                let debt = debt.to::<u128>().min(1 << 100);
                self.feeder.set_market(debt, market.1);
            }
            Step::Restart => self.feeder.set_market(10_u128.pow(26), 10_u128.pow(29)),
            Step::Rewind { blocks } => self.feeder.rewind(*blocks),
        }
        self.feeder.block();
    }

    fn scale(&mut self, collateral: usize, parts: u64) {
        let reading = &mut self.readings[collateral];
        let scaled = |price: U256| price * U256::from(parts) / U256::from(1_000_000);
        let most = price(1 << 60);
        *reading = Reading {
            fast: scaled(reading.fast).min(most),
            last: scaled(reading.last).min(most),
            ..*reading
        };
    }
}

/// Everybody below HF_F = 1, one by one.
fn brute_force(mirror: &Mirror, moment: &Moment) -> Vec<Address> {
    let mut below: Vec<_> = mirror
        .accounts()
        .filter(|account| mirror.account_health(account, moment).unwrap().health_fast < WAD)
        .collect();
    below.sort_unstable();
    below
}

fn check(world: &mut World) {
    let timestamp = world.feeder.timestamp();
    let mirror = &mut world.feeder.mirror;
    let moment = mirror.moment(&world.readings, timestamp).unwrap();
    let expected = brute_force(mirror, &moment);
    let mut candidates = mirror.candidates(&moment);
    candidates.sort_unstable();
    assert_eq!(candidates, expected);

    // What falls after nothing has fallen is what is below; and nobody rises in a fall.
    let falls = mirror.debt_falling(&moment, None, &[0, 100, 1_000, 5_000, 10_000]);
    assert_eq!(falls[0].accounts, expected.len() as u64);
    assert!(falls.is_sorted_by(|a, b| a.accounts <= b.accounts && a.debt <= b.debt));
    let debtors = mirror
        .accounts()
        .filter(|account| mirror.debt_shares_of(account) != 0)
        .count();
    assert_eq!(falls[4].accounts, debtors as u64);

    let nearest = mirror.nearest(&moment, 10);
    let mut healths: Vec<_> = mirror
        .accounts()
        .filter(|account| mirror.debt_shares_of(account) != 0)
        .map(|account| {
            mirror
                .account_health(&account, &moment)
                .unwrap()
                .health_fast
        })
        .collect();
    healths.sort_unstable();
    healths.truncate(10);
    let found: Vec<_> = nearest
        .iter()
        .map(|distance| distance.health_fast)
        .collect();
    assert_eq!(found, healths);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn candidates_are_exactly_those_below_one(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        for number in 0..ACCOUNTS {
            let owner = account(number);
            world.feeder.set_debt(owner, 10_u128.pow(21) * u128::from(number % 7 + 1));
            world.feeder.set_collateral(owner, number % 4, 10_u128.pow(18));
            if number % 3 == 0 {
                world.feeder.set_collateral(owner, (number + 1) % 4, 10_u128.pow(19));
            }
        }
        world.feeder.block();
        for step in &steps {
            world.apply(step);
            check(&mut world);
        }
    }
}

#[test]
fn many_accounts_with_several_collaterals_are_followed_through_a_long_walk() {
    let mut world = World::new();
    for number in 0..3_000 {
        let owner = account(number);
        let shares = 10_u128.pow(21) * (900 + u128::from(number * 7 % 1_600));
        world.feeder.set_debt(owner, shares);
        world.feeder.set_collateral(owner, 0, 10_u128.pow(18) * 600);
        world.feeder.set_collateral(owner, 2, 10_u128.pow(18) * 400);
    }
    world.feeder.block();
    let mut state = 1_u64;
    let (mut most, mut least) = (0, u64::MAX);
    for _ in 0..300 {
        // A linear congruential generator (Knuth's constants) is random enough to walk by.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let parts = 985_000 + (state >> 33) % 30_000;
        world.apply(&Step::Move {
            collateral: if state >> 20 & 1 == 0 { 0 } else { 2 },
            parts,
        });
        let timestamp = world.feeder.timestamp();
        let mirror = &mut world.feeder.mirror;
        let moment = mirror.moment(&world.readings, timestamp).unwrap();
        let expected = brute_force(mirror, &moment);
        let mut candidates = mirror.candidates(&moment);
        candidates.sort_unstable();
        assert_eq!(candidates, expected);
        most = most.max(expected.len() as u64);
        least = least.min(expected.len() as u64);
    }
    assert!(
        most - least > 100,
        "the walk reached between {least} and {most}: it tests nothing"
    );
}

/// Debts and collaterals of a few base units, where rounding decides, at every price of a debt share.
#[test]
fn rounding_at_the_edge_hides_nobody() {
    let mut decided_by_rounding = 0;
    // At the first price of a debt share, after interest, and far below the first price, where a share buys less rounding.
    for shares_per_unit in [1_000_u128, 300, 1_000_000_000] {
        let mut feeder = Feeder::new(2);
        feeder.set_market(10_u128.pow(20), 10_u128.pow(20) * shares_per_unit);
        for number in 0..2_400_u64 {
            let owner = account(number);
            // Up to four units of debt in steps of a fortieth, up to six units of collateral.
            let debt = shares_per_unit * u128::from(number / 15 + 1) / 40;
            feeder.set_debt(owner, debt.max(1));
            feeder.set_collateral(owner, 0, u128::from(number % 5 + 1));
            if number % 3 == 0 {
                feeder.set_collateral(owner, 1, u128::from(number % 2 + 1));
            }
        }
        feeder.block();
        for parts in (600_000..2_600_000).step_by(90_000) {
            let readings = [parts, parts + 130_000].map(|parts| Reading::flat(price(parts)));
            let timestamp = feeder.timestamp();
            let mirror = &mut feeder.mirror;
            let moment = mirror.moment(&readings, timestamp).unwrap();
            let expected = brute_force(mirror, &moment);
            let mut candidates = mirror.candidates(&moment);
            candidates.sort_unstable();
            assert_eq!(candidates, expected, "{shares_per_unit} {parts}");
            let unrounded = |account: &Address| {
                let value = |id: u64, parts: u64| {
                    mirror.collateral_of(account, id) as f64 * parts as f64 * 0.8e-6
                };
                let debt = mirror.debt_shares_of(account) as f64 / shares_per_unit as f64;
                value(0, parts) + value(1, parts + 130_000) >= debt
            };
            decided_by_rounding += expected.iter().filter(|a| unrounded(a)).count();
        }
    }
    assert!(decided_by_rounding > 1_000, "{decided_by_rounding}");
}
