//! The venue as agents compute with it: a constant-product range, which is what a Uniswap v3 pool is between two
//! initialised ticks (Adams et al., "Uniswap v3 Core", 2021, § 6.2): with L the liquidity and s = √P the root of the price
//! of collateral in debt tokens, the virtual reserves are x = L/s and y = L·s, and only the input net of the fee moves them.

/// The venue's state. An infinite `liquidity` is a market that no sale moves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Venue {
    /// s, the square root of the price in debt tokens per whole collateral token.
    pub sqrt_price: f64,
    /// L, in √(whole collateral tokens · whole debt tokens).
    pub liquidity: f64,
    /// The share of the input kept as fee.
    pub fee: f64,
}

impl Venue {
    /// The spot price.
    #[must_use]
    pub fn price(&self) -> f64 {
        self.sqrt_price * self.sqrt_price
    }

    /// x, the virtual collateral reserve.
    #[must_use]
    pub fn collateral_reserve(&self) -> f64 {
        self.liquidity / self.sqrt_price
    }

    /// Sells `amount` collateral: the proceeds, and the venue afterwards. 1/s' = 1/s + q(1−f)/L, and the output is
    /// L(s − s') = s·s'·q(1−f), which also holds for infinite L.
    #[must_use]
    pub fn sell(&self, amount: f64) -> (f64, Self) {
        let net = amount * (1.0 - self.fee);
        let after = self.sqrt_price / (1.0 + net * self.sqrt_price / self.liquidity);
        (
            self.sqrt_price * after * net,
            Self {
                sqrt_price: after,
                ..*self
            },
        )
    }

    /// The collateral whose sale brings the root price down to `sqrt_price`; 0 if it is there already.
    #[must_use]
    pub fn sale_to(&self, sqrt_price: f64) -> f64 {
        if sqrt_price >= self.sqrt_price {
            return 0.0;
        }
        self.liquidity * (1.0 / sqrt_price - 1.0 / self.sqrt_price) / (1.0 - self.fee)
    }

    /// The debt tokens whose spending brings the root price up to `sqrt_price`, and the collateral that this buys.
    #[must_use]
    pub fn purchase_to(&self, sqrt_price: f64) -> (f64, f64) {
        if sqrt_price <= self.sqrt_price {
            return (0.0, 0.0);
        }
        let spent = self.liquidity * (sqrt_price - self.sqrt_price) / (1.0 - self.fee);
        (
            spent,
            self.liquidity * (1.0 / self.sqrt_price - 1.0 / sqrt_price),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VENUE: Venue = Venue {
        sqrt_price: 10.0,
        liquidity: 10_000.0,
        fee: 0.0,
    };

    #[test]
    fn sale_follows_the_constant_product() {
        // x = 1,000, y = 100,000; selling 250: y' = 10^8 / 1,250 = 80,000, so 20,000 comes out and P' = 64.
        let (proceeds, after) = VENUE.sell(250.0);
        assert!((proceeds - 20_000.0).abs() < 1e-6);
        assert!((after.price() - 64.0).abs() < 1e-9);
        assert!((VENUE.sale_to(8.0) - 250.0).abs() < 1e-9);
    }

    #[test]
    fn fee_stays_out_of_the_price() {
        let venue = Venue {
            fee: 0.003,
            ..VENUE
        };
        let (proceeds, after) = venue.sell(250.0 / 0.997);
        assert!((proceeds - 20_000.0).abs() < 1e-6);
        assert!((after.price() - 64.0).abs() < 1e-9);
    }

    #[test]
    fn purchase_mirrors_the_sale() {
        let (spent, bought) = Venue {
            sqrt_price: 8.0,
            ..VENUE
        }
        .purchase_to(10.0);
        assert!((spent - 20_000.0).abs() < 1e-9);
        assert!((bought - 250.0).abs() < 1e-9);
        assert_eq!(VENUE.purchase_to(9.0), (0.0, 0.0));
    }

    #[test]
    fn infinite_liquidity_has_no_impact() {
        let venue = Venue {
            liquidity: f64::INFINITY,
            ..VENUE
        };
        let (proceeds, after) = venue.sell(1e9);
        assert!((proceeds - 1e11).abs() < 1e-3);
        assert_eq!(after.price(), 100.0);
        assert_eq!(venue.sale_to(9.9), f64::INFINITY);
    }
}
