//! Which candidates should have the bucket? Those who liquidate from one volume bucket share what it has left, and they sell on
//! one venue: a knapsack whose items can be divided, whose every item costs a transaction, and whose value is concave.
//!
//! For a fixed set of candidates the best amounts are known: who seizes more per debt goes first, and each goes on until its
//! last unit no longer pays, its grant is used, or the bucket is empty. (Both limits, the bucket and the slope of the venue, are
//! common to all; moving a unit of repayment to a candidate with a higher ratio leaves the bucket as it is and sells more.)
//! What is searched is the set, by branch and bound: proceeds are concave in what is sold, so their tangent bounds them from
//! above, and with the tangent and the gas spread over its grant each undecided candidate is an ordinary divisible item.

use crate::venue::Venue;

/// Nodes of the search. Sixteen candidates with equal gas are settled in a fraction of them; when they are used up, the best set
/// found so far is the answer, which is at least as good as taking whoever promises most, in turn.
const MAX_NODES: usize = 20_000;

/// A candidate for the bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Item {
    /// The most debt that would be repaid for it, whole debt tokens.
    pub repay: f64,
    /// What is seized for that, whole collateral tokens.
    pub seize: f64,
    /// What the transaction costs, debt tokens.
    pub gas: f64,
}

impl Item {
    fn per_debt(&self) -> f64 {
        self.seize / self.repay
    }
}

/// What is done with the bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Allocation {
    /// Debt to repay, by item; 0 for those left out.
    pub repay: Vec<f64>,
    /// What is left after repayments, risk margin and gas.
    pub profit: f64,
}

/// Repayments of the `items` that sum to at most `capacity` and leave the most after the sale of everything seized on
/// `venue`, the repayments with `risk_margin` on top, and gas.
#[must_use]
pub fn allocate(venue: &Venue, items: &[Item], capacity: f64, risk_margin: f64) -> Allocation {
    let mut order: Vec<usize> = (0..items.len())
        .filter(|&index| items[index].repay > 0.0 && items[index].seize > 0.0)
        .collect();
    order.sort_by(|&a, &b| {
        items[b]
            .per_debt()
            .total_cmp(&items[a].per_debt())
            .then(a.cmp(&b))
    });
    let mut search = Search {
        venue,
        items,
        order: &order,
        capacity,
        cost: 1.0 + risk_margin,
        nodes: 0,
        best: Fill {
            amounts: Vec::new(),
            sold: 0.0,
            profit: 0.0,
        },
    };
    search.descend(0, &mut Vec::with_capacity(order.len()));
    let mut repay = vec![0.0; items.len()];
    for (index, amount) in search.best.amounts {
        repay[index] = amount;
    }
    Allocation {
        repay,
        profit: search.best.profit,
    }
}

/// A set with its best amounts.
struct Fill {
    amounts: Vec<(usize, f64)>,
    sold: f64,
    profit: f64,
}

struct Search<'a> {
    venue: &'a Venue,
    items: &'a [Item],
    /// Items by what they seize per debt, the most first.
    order: &'a [usize],
    capacity: f64,
    /// What a unit of repayment costs, the margin included.
    cost: f64,
    nodes: usize,
    best: Fill,
}

impl Search<'_> {
    /// Decides about `order[depth..]`, with `chosen` of those before it taken.
    fn descend(&mut self, depth: usize, chosen: &mut Vec<usize>) {
        self.nodes += 1;
        let fill = self.fill(chosen);
        let bound = self.bound(&fill, depth, chosen);
        if fill.profit > self.best.profit {
            self.best = fill;
        }
        if depth == self.order.len() || self.nodes >= MAX_NODES || bound <= self.best.profit {
            return;
        }
        chosen.push(self.order[depth]);
        self.descend(depth + 1, chosen);
        chosen.pop();
        self.descend(depth + 1, chosen);
    }

    /// The best amounts of the items in `chosen`, which are in order. Those that end with nothing cost no gas.
    fn fill(&self, chosen: &[usize]) -> Fill {
        let (mut venue, mut left) = (*self.venue, self.capacity);
        let mut fill = Fill {
            amounts: Vec::with_capacity(chosen.len()),
            sold: 0.0,
            profit: 0.0,
        };
        for &index in chosen {
            let item = &self.items[index];
            let per_debt = item.per_debt();
            // The last unit fetches k·s²·(1−f): see `keeper::best_sale`.
            let stop = (self.cost / (per_debt * (1.0 - venue.fee))).sqrt();
            let repay = item.repay.min(left).min(venue.sale_to(stop) / per_debt);
            if repay <= 0.0 {
                continue;
            }
            let (proceeds, after) = venue.sell(repay * per_debt);
            venue = after;
            left -= repay;
            fill.sold += repay * per_debt;
            fill.profit += proceeds - self.cost * repay - item.gas;
            fill.amounts.push((index, repay));
        }
        fill
    }

    /// No set that contains `chosen` and otherwise only items of `order[depth..]` leaves more: f(q) ≤ f(q₀) + f'(q₀)(q − q₀),
    /// and gas spread over the grant is at most the gas.
    fn bound(&self, fill: &Fill, depth: usize, chosen: &[usize]) -> f64 {
        let (proceeds, after) = self.venue.sell(fill.sold);
        let slope = after.price() * (1.0 - after.fee);
        let mut lines: Vec<(f64, f64)> = Vec::with_capacity(self.order.len());
        let mut bound = proceeds - slope * fill.sold;
        for &index in chosen {
            let item = &self.items[index];
            if fill.amounts.iter().any(|&(taken, _)| taken == index) {
                bound -= item.gas;
            }
            lines.push((item.per_debt() * slope - self.cost, item.repay));
        }
        for &index in &self.order[depth..] {
            let item = &self.items[index];
            let net = item.per_debt() * slope - self.cost - item.gas / item.repay;
            lines.push((net, item.repay));
        }
        lines.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut left = self.capacity;
        for (net, most) in lines {
            if net <= 0.0 || left <= 0.0 {
                break;
            }
            let taken = most.min(left);
            bound += net * taken;
            left -= taken;
        }
        bound
    }
}

#[cfg(test)]
mod tests;
