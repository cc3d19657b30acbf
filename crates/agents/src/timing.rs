//! When will a candidate be worth a transaction? The bonus rises with time, so profit does, and the first second at which it
//! covers gas and margin is found by bisection on the curve itself, in whole seconds as the contract counts them. What pays
//! still waits for its turn, unless it is in the hard zone.

use crate::keeper::{Terms, best_sale};
use crate::observation::Observation;
use crate::venue::Venue;

/// The Dutch auction of one account's bonus: b = bmin + (bmax − bmin)·min(1, t/τ).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Auction {
    /// bmin, as a share.
    pub min_bonus: f64,
    /// bmax, as a share.
    pub max_bonus: f64,
    /// τ, seconds.
    pub seconds: u64,
    /// When its clock began; `None` while nobody has started it, and then it begins when somebody does.
    pub since: Option<u64>,
}

impl Auction {
    /// The bonus at `time`; bmin before the clock began.
    #[must_use]
    pub fn bonus(&self, time: u64) -> f64 {
        let elapsed = self.since.map_or(0, |since| time.saturating_sub(since));
        let share = (elapsed as f64 / self.seconds.max(1) as f64).min(1.0);
        self.min_bonus + (self.max_bonus - self.min_bonus) * share
    }

    /// When it reaches its largest bonus.
    #[must_use]
    pub fn ends(&self) -> Option<u64> {
        self.since.map(|since| since + self.seconds)
    }
}

/// What a repayment is worth at a bonus: whole tokens and debt tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prospect {
    /// The most that would be repaid.
    pub repay: f64,
    /// The collateral held: no more is seized.
    pub collateral: f64,
    /// The value of all collateral over the debt: the bonus is held to what it leaves, 0 at least.
    pub solvency: f64,
}

impl Prospect {
    /// What a liquidation at `bonus` leaves after its sale on `venue`, the risk margin and `gas`; −∞ if not one unit pays.
    #[must_use]
    pub fn profit(&self, venue: &Venue, price: f64, bonus: f64, risk_margin: f64, gas: f64) -> f64 {
        let multiplier = (1.0 + bonus).min(self.solvency).max(1.0);
        let mut repay = self.repay;
        let mut seize = repay * multiplier / price;
        if seize > self.collateral {
            seize = self.collateral;
            repay = seize * price / multiplier;
        }
        best_sale(venue, repay, seize, risk_margin).map_or(f64::NEG_INFINITY, |sale| {
            sale.surplus - risk_margin * sale.repay - gas
        })
    }
}

/// The first second from `observation`'s time on at which the liquidation pays, everything but the bonus staying as it is;
/// `None` if not even the largest bonus does, or if nobody has started the clock and the first bonus does not.
#[must_use]
pub fn pays_at(
    observation: &Observation,
    venue: &Venue,
    auction: &Auction,
    prospect: &Prospect,
    terms: &Terms,
) -> Option<u64> {
    let gas = observation.gas_cost(terms.liquidation_gas, observation.competitive_tip());
    let price = observation.prices.fast;
    let pays = |time: u64| {
        let bonus = auction.bonus(time);
        prospect.profit(venue, price, bonus, terms.risk_margin, gas) > terms.min_profit
    };
    let now = observation.timestamp;
    if pays(now) {
        return Some(now);
    }
    let end = auction.ends()?;
    if end <= now || !pays(end) {
        return None;
    }
    // Never pays at `early`, always at `late`.
    let (mut early, mut late) = (now, end);
    while late - early > 1 {
        let middle = early + (late - early) / 2;
        if pays(middle) {
            late = middle;
        } else {
            early = middle;
        }
    }
    Some(late)
}

/// The first second from `from` on at which a turn is open: `from` itself, or the beginning of one of the `horizon` epochs
/// after its own. `open` says of an epoch's number whether the turn is open in it.
#[must_use]
pub fn next_turn(
    from: u64,
    epoch_seconds: u64,
    horizon: u64,
    open: impl Fn(u64) -> bool,
) -> Option<u64> {
    let epoch_seconds = epoch_seconds.max(1);
    let first = from / epoch_seconds;
    (first..=first.saturating_add(horizon))
        .find(|&epoch| open(epoch))
        .map(|epoch| (epoch * epoch_seconds).max(from))
}

#[cfg(test)]
mod tests;
