//! Tests of the allocation, against enumeration.

use super::*;

/// A linear congruential generator (Knuth's MMIX constants): numbers in [0, 1).
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn value(venue: &Venue, items: &[Item], repay: &[f64], margin: f64) -> f64 {
    let sold: f64 = items
        .iter()
        .zip(repay)
        .map(|(item, &repay)| repay * item.seize / item.repay)
        .sum();
    let costs: f64 = items
        .iter()
        .zip(repay)
        .filter(|(_, repay)| **repay > 0.0)
        .map(|(item, repay)| (1.0 + margin) * repay + item.gas)
        .sum();
    venue.sell(sold).0 - costs
}

/// The best of a grid of amounts: every item at 0, 1/steps … of its grant or of what the bucket has left.
fn enumerate(venue: &Venue, items: &[Item], capacity: f64, margin: f64, steps: u32) -> f64 {
    fn go(
        venue: &Venue,
        items: &[Item],
        capacity: f64,
        margin: f64,
        steps: u32,
        chosen: &mut Vec<f64>,
    ) -> f64 {
        if chosen.len() == items.len() {
            return value(venue, items, chosen, margin);
        }
        let most = items[chosen.len()].repay.min(capacity);
        (0..=steps)
            .map(|step| {
                let repay = most * f64::from(step) / f64::from(steps);
                chosen.push(repay);
                let best = go(venue, items, capacity - repay, margin, steps, chosen);
                chosen.pop();
                best
            })
            .fold(f64::NEG_INFINITY, f64::max)
    }
    go(venue, items, capacity, margin, steps, &mut Vec::new())
}

fn random_items(draws: &mut Draws, count: usize) -> Vec<Item> {
    (0..count)
        .map(|_| {
            let repay = 50.0 + 1_500.0 * draws.next();
            Item {
                repay,
                seize: repay * (1.01 + 0.05 * draws.next()) / 100.0,
                gas: 20.0 * draws.next(),
            }
        })
        .collect()
}

#[test]
fn nothing_on_a_grid_is_better() {
    let mut draws = Draws(1);
    let (mut bound, mut left_out) = (0, 0);
    for case in 0..300 {
        let venue = Venue {
            sqrt_price: 10.0,
            liquidity: [1e4, 5e4, f64::INFINITY][case % 3],
            fee: 0.003 * draws.next(),
        };
        let items = random_items(&mut draws, 4);
        let capacity = 3_000.0 * draws.next();
        let allocation = allocate(&venue, &items, capacity, 0.002);
        let total: f64 = allocation.repay.iter().sum();
        assert!(total <= capacity * (1.0 + 1e-12));
        for (item, &repay) in items.iter().zip(&allocation.repay) {
            assert!((0.0..=item.repay).contains(&repay));
        }
        let claimed = value(&venue, &items, &allocation.repay, 0.002);
        assert!((claimed - allocation.profit).abs() < 1e-6);
        assert!(allocation.profit >= enumerate(&venue, &items, capacity, 0.002, 12) - 1e-9);
        bound += usize::from(total > 0.999 * capacity);
        left_out += usize::from(allocation.repay.contains(&0.0) && total > 0.0);
    }
    // The cases are such that both the bucket and the gas matter.
    assert!(bound > 100 && left_out > 50, "{bound} {left_out}");
}

#[test]
fn matches_every_subset_of_many() {
    let mut draws = Draws(7);
    for _ in 0..40 {
        let venue = Venue {
            sqrt_price: 10.0,
            liquidity: 3e4,
            fee: 0.0,
        };
        let items = random_items(&mut draws, 10);
        let capacity = 4_000.0 * draws.next();
        let mut order: Vec<usize> = (0..items.len()).collect();
        order.sort_by(|&a, &b| items[b].per_debt().total_cmp(&items[a].per_debt()));
        let search = Search {
            venue: &venue,
            items: &items,
            order: &order,
            capacity,
            cost: 1.0,
            nodes: 0,
            best: Fill {
                amounts: Vec::new(),
                sold: 0.0,
                profit: 0.0,
            },
        };
        let best = (0u32..1 << items.len())
            .map(|set| {
                let chosen: Vec<usize> = order
                    .iter()
                    .copied()
                    .filter(|&index| set & (1 << index) != 0)
                    .collect();
                search.fill(&chosen).profit
            })
            .fold(0.0, f64::max);
        let found = allocate(&venue, &items, capacity, 0.0).profit;
        assert!((found - best).abs() < 1e-9, "{found} {best}");
    }
}

#[test]
fn a_whole_grant_may_beat_a_better_rate() {
    // 100 left: the 6% of a grant of 40 and gas of 2 leaves 0.4; a 3% grant of 100 leaves 1; both together 2.4 + 1.8 − 4 = 0.2.
    let venue = Venue {
        sqrt_price: 1.0,
        liquidity: f64::INFINITY,
        fee: 0.0,
    };
    let items = [
        Item {
            repay: 40.0,
            seize: 42.4,
            gas: 2.0,
        },
        Item {
            repay: 100.0,
            seize: 103.0,
            gas: 2.0,
        },
    ];
    let allocation = allocate(&venue, &items, 100.0, 0.0);
    assert_eq!(allocation.repay, [0.0, 100.0]);
    assert!((allocation.profit - 1.0).abs() < 1e-9);
}

#[test]
fn nothing_is_taken_of_nothing() {
    let venue = Venue {
        sqrt_price: 1.0,
        liquidity: 1e3,
        fee: 0.0,
    };
    let item = Item {
        repay: 0.0,
        seize: 0.0,
        gas: 1.0,
    };
    assert_eq!(allocate(&venue, &[item], 10.0, 0.0).repay, [0.0]);
    assert_eq!(allocate(&venue, &[], 10.0, 0.0).profit, 0.0);
    let item = Item {
        repay: 1.0,
        seize: 1.1,
        gas: 0.0,
    };
    assert_eq!(allocate(&venue, &[item], 0.0, 0.0).repay, [0.0]);
}

#[test]
fn many_equal_candidates_end_within_the_budget() {
    let venue = Venue {
        sqrt_price: 10.0,
        liquidity: 1e6,
        fee: 0.0,
    };
    let items = vec![
        Item {
            repay: 100.0,
            seize: 1.03,
            gas: 1.0
        };
        48
    ];
    let allocation = allocate(&venue, &items, 1_050.0, 0.0);
    // Ten whole grants leave about 2 each; a half one leaves 0.5.
    assert!(
        allocation
            .repay
            .iter()
            .filter(|repay| **repay > 0.0)
            .count()
            >= 10
    );
    assert!(allocation.profit > 18.0);
}
