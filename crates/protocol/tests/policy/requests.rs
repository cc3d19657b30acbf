//! Parameters, markets and requests that reach every branch.

use crate::{
    random::Random,
    world::{NATIVE_ORACLE, ORACLE},
};
use alloy_primitives::{Address, U256};
use breakwater_protocol::{
    math::{PRICE_SCALE, WAD, mul_div_down},
    policy::{BonusMode, BreakerLevel, BucketMode, DampedParameters, LiquidationRequest, TurnMode},
};

/// How many sets of parameters [`parameters`] has: the modes with and without slices.
pub const VARIANTS: u64 = 48;

/// Every combination of modes once; the rest by chance, within bounds.
pub fn parameters(variant: u64, random: &mut Random) -> DampedParameters {
    let ratio = |random: &mut Random, low, high| random.share(WAD, low, high);
    let bonus_max = ratio(random, 0, 120);
    let gas = random.percent(75);
    let sliced = variant / 24 % 2 == 1;
    let sane = random.percent(70);
    let mut pick_seconds = |sane_range: (u64, u64), range: (u64, u64)| {
        let (low, high) = if sane { sane_range } else { range };
        random.range(low, high)
    };
    let auction_seconds = pick_seconds((300, 3_600), (1, 86_400));
    let epoch_seconds = pick_seconds((30, 120), (12, 3_600));
    let min_refill_seconds = pick_seconds((7_200, 28_800), (60, 2_592_000));
    let depth_memory_seconds = pick_seconds((1_200, 7_200), (240, 2_592_000));
    DampedParameters {
        confirmation: random.percent(70),
        obeys_pause: random.percent(70),
        bonus_mode: if (variant / 12).is_multiple_of(2) {
            BonusMode::Time
        } else if random.percent(50) {
            BonusMode::Health
        } else {
            BonusMode::Time
        },
        bonus_min: random.share(bonus_max, 0, 600),
        bonus_max,
        auction_seconds,
        target_health: WAD + U256::ONE + ratio(random, 10, 200),
        slice_base: if sliced { ratio(random, 1, 700) } else { WAD },
        turn_mode: TurnMode::ALL[variant as usize / 3 % 4],
        turn_floor: ratio(random, 16, 500),
        epoch_seconds,
        bucket_mode: BucketMode::ALL[variant as usize % 3],
        refill_share: ratio(random, 10, 3_000),
        reserve_share: ratio(random, 0, 900),
        scaling_floor: ratio(random, 1, 1_000),
        min_refill_seconds,
        depth_memory_seconds,
        liquidation_gas: if gas { random.range(1, 10_000_000) } else { 0 },
        native_oracle: if gas { NATIVE_ORACLE } else { Address::ZERO },
    }
}

/// One collateral's price with its accumulator, and how much of it the pool holds.
#[derive(Clone, Debug)]
pub struct Collateral {
    pub price: U256,
    pub cumulative: U256,
    /// Value, base units of the debt token.
    pub total_value: U256,
}

impl Collateral {
    /// Base units.
    pub fn total(&self) -> U256 {
        mul_div_down(self.total_value, PRICE_SCALE, self.price).unwrap()
    }
}

/// What requests are made from.
#[derive(Clone, Debug)]
pub struct Market {
    /// The order of magnitude of debts, base units of the debt token.
    pub unit: U256,
    pub collaterals: Vec<Collateral>,
    base_price: U256,
    base_value: U256,
    hard: U256,
}

impl Market {
    pub fn new(parameters: &DampedParameters, random: &mut Random) -> Self {
        let unit = random.magnitude(5, 24);
        let base_price = random.magnitude(24, 46);
        // a floor of the depth in the order of a debt
        let depths = parameters.refill_share * U256::from(parameters.min_refill_seconds)
            / (U256::from(60) * WAD)
            + U256::ONE;
        let base_value = unit * depths;
        let collaterals = (0..2)
            .map(|index| Collateral {
                price: base_price,
                // one accumulator is about to wrap
                cumulative: if index == 0 {
                    U256::MAX - base_price * U256::from(500_000)
                } else {
                    U256::ZERO
                },
                total_value: base_value,
            })
            .collect();
        Self {
            unit,
            collaterals,
            base_price,
            base_value,
            hard: random.share(WAD, 860, 985),
        }
    }

    /// Time passes at the old prices, then everything moves.
    pub fn advance(&mut self, seconds: u64, random: &mut Random) {
        for collateral in &mut self.collaterals {
            collateral.cumulative = collateral
                .cumulative
                .wrapping_add(collateral.price * U256::from(seconds));
            collateral.price = match random.range(0, 99) {
                0..=79 => random.share(collateral.price, 990, 1_008),
                80..=84 => random.share(collateral.price, 700, 1_000),
                85..=89 => self.base_price,
                _ => collateral.price,
            };
            if collateral.price < self.base_price / U256::from(100) {
                collateral.price = self.base_price;
            }
            collateral.total_value = match random.range(0, 99) {
                0..=89 => random.share(collateral.total_value, 950, 1_052),
                90..=95 => random.share(self.base_value, 100, 10_000),
                96 => random.share(self.base_value, 100_000, 1_000_000),
                97 => self.base_value / U256::from(1_000),
                98 => U256::ZERO,
                _ => self.base_value,
            };
        }
    }

    /// A depth reading in terms of the floor that the parameters set.
    pub fn depth(&self, parameters: &DampedParameters, random: &mut Random) -> U256 {
        let floor = self.collaterals[0].total_value / U256::from(parameters.min_refill_seconds)
            * U256::from(60)
            * WAD
            / parameters.refill_share;
        match random.range(0, 9) {
            0 => U256::ZERO,
            1 => random.share(floor, 0, 1_000),
            2 => floor * U256::from(random.range(16, 1_000)),
            // beyond what can be stored
            3 if random.percent(60) => random.word(),
            _ => random.share(floor, 1_000, 16_000),
        }
    }

    /// A price of the native coin at which the gas of a liquidation is worth a share of a debt.
    pub fn native_price(
        &self,
        parameters: &DampedParameters,
        base_fee: u64,
        random: &mut Random,
    ) -> U256 {
        // beyond what can be multiplied, or nearly
        if random.percent(6) {
            return U256::MAX >> random.range(0, 40) as usize;
        }
        let wei = U256::from(base_fee.max(1)) * U256::from(parameters.liquidation_gas.max(1));
        let share = random.pick(&[1, 5, 20, 100, 1_000, 30_000]);
        let value = random.share(self.unit, 0, share) / U256::from(10);
        mul_div_down(value, PRICE_SCALE, wei).unwrap_or(U256::MAX)
    }

    /// A request that a pool could make, or almost.
    pub fn request(
        &self,
        parameters: &DampedParameters,
        random: &mut Random,
    ) -> LiquidationRequest {
        let collateral_id = u64::from(random.percent(30));
        let collateral = &self.collaterals[collateral_id as usize];
        let account = Address::repeat_byte(random.range(1, 4) as u8);
        let debt = match random.range(0, 9) {
            0 => random.share(self.unit, 0, 50) + U256::ONE,
            1 => random.share(self.unit, 1_000, 18_000) + U256::ONE,
            _ => random.share(self.unit, 50, 3_000) + U256::ONE,
        };
        let health_hard = if random.percent(4) { WAD } else { self.hard };
        let health_fast = match random.range(0, 99) {
            0..=2 => WAD + random.share(WAD, 0, 100),
            3 => WAD - U256::ONE,
            4 => health_hard,
            5 => (health_hard + U256::ONE).min(WAD - U256::ONE),
            6..=25 => random.share(health_hard, 500, 1_000),
            26 => random.share(health_hard, 0, 500),
            27 => U256::ZERO,
            _ => health_hard + random.share(WAD - health_hard, 0, 999),
        };
        let health_confirmed = if random.percent(5) {
            random.share(WAD, 1_000, 1_020)
        } else {
            random.share(health_fast, 1_000, 1_010).min(WAD - U256::ONE)
        };
        let max_bonus = match random.range(0, 9) {
            0 => random.share(parameters.bonus_max, 0, 1_000),
            1 => random.share(parameters.bonus_min, 0, 1_000),
            _ => random.share(parameters.bonus_max, 1_000, 2_000),
        };
        let liquidation_threshold = match random.range(0, 19) {
            0 => health_fast,
            1..=2 => random.share(health_fast, 900, 1_000),
            3 => random.share(WAD, 0, 1_000),
            // between the bonus of the auction and that of gas
            4..=8 => {
                let room = parameters.bonus_max - parameters.bonus_min;
                health_fast * WAD / (WAD + parameters.bonus_min + random.share(room, 0, 1_000))
            }
            _ => {
                health_hard * WAD / (WAD + parameters.bonus_max) * U256::from(98) / U256::from(100)
            }
        };
        let value = match random.range(0, 19) {
            0 => random.share(debt, 0, 1_000),
            1..=2 => random.share(debt, 1_000, 1_060),
            _ => debt * health_fast / liquidation_threshold.max(WAD / U256::from(100)),
        };
        let value = if random.percent(50) {
            random.share(value, 1_000, 1_100)
        } else {
            value
        };
        let held = mul_div_down(value, PRICE_SCALE, collateral.price).unwrap();
        let held = match random.range(0, 9) {
            0 => random.share(held, 0, 100),
            1 => random.share(held, 0, 1_000),
            _ => held,
        };
        let min_debt = match random.range(0, 19) {
            0 => debt,
            1 => random.share(debt, 1_000, 3_000),
            2..=4 => random.share(debt, 300, 1_000),
            5..=8 => random.share(debt, 50, 500),
            9 => U256::ZERO,
            10 => debt >> 1,
            _ => random.share(debt, 0, 50),
        };
        LiquidationRequest {
            account,
            collateral_id,
            asked: self.asked(debt, min_debt, random),
            debt,
            collateral: held,
            price: collateral.price,
            price_cumulative: collateral.cumulative,
            collateral_value: value,
            health_fast,
            health_confirmed,
            health_hard,
            liquidation_threshold,
            max_bonus,
            total_collateral: collateral.total(),
            min_debt,
            oracle: if random.percent(90) { ORACLE } else { account },
            breaker: random.pick(&[
                BreakerLevel::Normal,
                BreakerLevel::Normal,
                BreakerLevel::Stressed,
                BreakerLevel::Stressed,
                BreakerLevel::Stressed,
                BreakerLevel::Paused,
                BreakerLevel::Halted,
            ]),
        }
    }

    /// An account that owes next to nothing, and the same one having borrowed far more in the same epoch, so little that it has to be
    /// closed whole.
    pub fn grown(
        &self,
        parameters: &DampedParameters,
        random: &mut Random,
    ) -> [LiquidationRequest; 2] {
        let later = self.request(parameters, random);
        let before = LiquidationRequest {
            debt: random.share(later.debt, 0, 40) + U256::ONE,
            asked: U256::from(random.range(1, 3)),
            min_debt: U256::ZERO,
            ..later
        };
        let later = LiquidationRequest {
            min_debt: later.debt,
            ..later
        };
        [before, later]
    }

    fn asked(&self, debt: U256, min_debt: U256, random: &mut Random) -> U256 {
        match random.range(0, 19) {
            0 => U256::ZERO,
            1 => U256::from(random.range(1, 3)),
            2..=3 => debt,
            4..=5 => debt
                .saturating_sub(random.share(min_debt, 0, 2_000))
                .max(U256::ONE),
            6..=9 => random.share(debt, 0, 400),
            10 => random.share(debt, 0, 1_000),
            _ => U256::MAX,
        }
    }
}

/// Puts a number of any size into one field: what no pool would ask, and what may overflow.
pub fn distort(request: &mut LiquidationRequest, random: &mut Random) {
    let word = match random.range(0, 9) {
        0..=5 => U256::MAX >> random.range(0, 40) as usize,
        6..=7 => U256::ZERO,
        _ => random.word(),
    };
    let field = match random.range(0, 15) {
        0 => &mut request.asked,
        1..=3 => &mut request.debt,
        4 => &mut request.collateral,
        5..=6 => &mut request.price,
        7 => &mut request.price_cumulative,
        8 => &mut request.collateral_value,
        9 => &mut request.health_confirmed,
        10 => &mut request.health_hard,
        11..=12 => &mut request.liquidation_threshold,
        13 => &mut request.max_bonus,
        14 => &mut request.total_collateral,
        _ => &mut request.min_debt,
    };
    *field = word;
}
