//! The outside world: its price, and how much of the selling on chain passes through to it.

use crate::config::VenueParameters;

/// The reference price P = exogenous · (1 − D)². Selling that brings the venue's virtual collateral reserve from x to x(1+s)
/// moves its price by (1+s)^(−2); a share φ of s passes through, and decays with a half-life:
/// `D_t = 2^(−slot / half-life) · (D_(t−1) + φ·s_t)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PassThrough {
    share: f64,
    decay: f64,
    displacement: f64,
}

/// Beyond this displacement the price would be a hundredth of what it was and selling no longer stops by itself.
const MAX_DISPLACEMENT: f64 = 0.9;

impl PassThrough {
    /// No displacement yet.
    #[must_use]
    pub fn new(venue: &VenueParameters, slot_seconds: u64) -> Self {
        let decay = if venue.recovery_half_life > 0.0 {
            (-(slot_seconds as f64) / venue.recovery_half_life).exp2()
        } else {
            1.0
        };
        Self {
            share: venue.pass_through,
            decay,
            displacement: 0.0,
        }
    }

    /// Takes a block's net selling, as a share of the venue's virtual collateral reserve.
    pub fn push(&mut self, net_selling: f64) {
        let moved = self.decay * (self.displacement + self.share * net_selling);
        self.displacement = moved.clamp(-MAX_DISPLACEMENT, MAX_DISPLACEMENT);
    }

    /// The reference price where the undisturbed one is `exogenous`.
    #[must_use]
    pub fn price(&self, exogenous: f64) -> f64 {
        exogenous * (1.0 - self.displacement) * (1.0 - self.displacement)
    }
}

/// A swap's net selling as a share of the virtual reserve before it: x'/x − 1 = s/s' − 1 at constant liquidity, with s the
/// root of the price. Negative for a purchase.
#[must_use]
pub fn net_selling(sqrt_before: f64, sqrt_after: f64) -> f64 {
    sqrt_before / sqrt_after - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn venue(pass_through: f64, recovery_half_life: f64) -> VenueParameters {
        VenueParameters {
            fee: 3_000,
            depth: 1.0,
            flighty_share: 0.0,
            flight_volatility: 1.0,
            pass_through,
            recovery_half_life,
        }
    }

    #[test]
    fn passes_through_and_recovers() {
        let mut world = PassThrough::new(&venue(0.5, 12.0), 12);
        // Selling 10% of the reserve: D = ½ · 0.5 · 0.1 = 0.025; then it halves.
        world.push(0.1);
        assert!((world.price(100.0) - 100.0 * 0.975 * 0.975).abs() < 1e-9);
        world.push(0.0);
        assert!((world.price(100.0) - 100.0 * 0.9875 * 0.9875).abs() < 1e-9);
    }

    #[test]
    fn never_recovers_without_a_half_life() {
        let mut world = PassThrough::new(&venue(1.0, 0.0), 12);
        world.push(0.1);
        for _ in 0..1_000 {
            world.push(0.0);
        }
        assert!((world.price(100.0) - 81.0).abs() < 1e-9);
    }

    #[test]
    fn where_nothing_passes_through_recovery_is_of_no_consequence() {
        for half_life in [0.0, 60.0, 1200.0] {
            let mut world = PassThrough::new(&venue(0.0, half_life), 12);
            world.push(0.3);
            assert_eq!(world.price(100.0), 100.0);
        }
    }

    #[test]
    fn steady_selling_saturates_at_the_closed_form() {
        // T7: D = φ·s·h with h = d / (1 − d); d = ½ gives h = 1.
        let mut world = PassThrough::new(&venue(0.8, 12.0), 12);
        for _ in 0..200 {
            world.push(0.02);
        }
        assert!((world.price(1.0) - (1.0_f64 - 0.8 * 0.02).powi(2)).abs() < 1e-12);
    }

    #[test]
    fn selling_is_measured_on_the_reserve() {
        // From 100 to 64 the reserve grows by a quarter.
        assert!((net_selling(10.0, 8.0) - 0.25).abs() < 1e-12);
        assert!((net_selling(8.0, 10.0) + 0.2).abs() < 1e-12);
    }
}
