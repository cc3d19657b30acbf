#![allow(clippy::unwrap_used)]

use super::*;

fn at(tick: i32) -> U256 {
    U256::from(SqrtPriceX96::at_tick(Tick::new(tick).unwrap()).get())
}

fn decimal(text: &str) -> U256 {
    text.parse().unwrap()
}

/// Exact values published with Uniswap v3 core: its constants and the snapshots of its `TickMath` tests.
#[test]
fn prices_at_ticks_are_exact() {
    assert_eq!(at(0), U256::ONE << 96);
    assert_eq!(at(-887_272), U256::from(4_295_128_739_u64));
    assert_eq!(
        at(887_272),
        decimal("1461446703485210103287273052203988822378723970341")
    );
    assert_eq!(at(50), decimal("79426470787362580746886972461"));
    assert_eq!(at(-50), decimal("79030349367926598376800521322"));
    assert_eq!(at(100), decimal("79625275426524748796330556128"));
    assert_eq!(at(-100), decimal("78833030112140176575862854579"));
    assert_eq!(at(250_000), decimal("21246587762933397357449903968194344"));
    assert_eq!(at(-250_000), decimal("295440463448801648376846"));
}

#[test]
fn ticks_of_prices_invert_prices_at_ticks() {
    for tick in [
        -887_272, -887_271, -250_000, -101, -1, 0, 1, 99, 250_001, 887_270,
    ] {
        let tick = Tick::new(tick).unwrap();
        let price = SqrtPriceX96::at_tick(tick);
        assert_eq!(price.tick(), tick);
        if tick > Tick::MIN {
            let below = SqrtPriceX96::new(U256::from(price.get()) - U256::ONE).unwrap();
            assert_eq!(below.tick().get(), tick.get() - 1);
        }
    }
    assert_eq!(SqrtPriceX96::MAX.tick().get(), 887_271);
}

#[test]
fn prices_of_amounts_are_floored_roots() {
    let price = |amount1: u128, amount0: u128| {
        SqrtPriceX96::from_amounts(U256::from(amount1), U256::from(amount0))
            .map(|price| U256::from(price.get()))
    };
    assert_eq!(price(1, 1), Ok(U256::ONE << 96));
    assert_eq!(price(4, 1), Ok(U256::ONE << 97));
    assert_eq!(price(1, 16), Ok(U256::ONE << 94));
    // ⌊√2 · 2^96⌋ and ⌊2^96 / √2⌋.
    assert_eq!(price(2, 1), Ok(decimal("112045541949572279837463876454")));
    assert_eq!(price(1, 2), Ok(decimal("56022770974786139918731938227")));
    // ETH (18 decimals) at 2,000 USDC (6): √(2000e6 / 1e18) · 2^96 = 2^96 · √(2e-9).
    assert_eq!(
        price(2_000_000_000, 10_u128.pow(18)),
        Ok(decimal("3543191142285914205922034"))
    );
    assert!(matches!(price(0, 1), Err(PriceError::ZeroAmount { .. })));
    assert!(matches!(price(1, 0), Err(PriceError::ZeroAmount { .. })));
    assert!(matches!(
        price(1, u128::MAX),
        Err(PriceError::SqrtPriceOutOfRange(_))
    ));
    assert!(matches!(
        SqrtPriceX96::from_amounts(U256::MAX, U256::ONE),
        Err(PriceError::SqrtPriceOutOfRange(_))
    ));
}

#[test]
fn doubles_convert_within_their_precision() {
    for price in [1e-35, 2e-9, 0.5, 1.0, 2.0, 60.8998, 1e30] {
        let back = SqrtPriceX96::from_f64(price).unwrap().to_f64();
        let tolerance = if price < 1e-30 { 1e-9 } else { 1e-15 };
        assert!((back / price - 1.0).abs() < tolerance, "{price}: {back}");
    }
    assert_eq!(
        SqrtPriceX96::from_f64(4.0),
        SqrtPriceX96::from_amounts(U256::from(4), U256::ONE)
    );
    assert_eq!(
        SqrtPriceX96::from_f64(2_f64.powi(-40)),
        SqrtPriceX96::new(U256::ONE << 76)
    );
    for price in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(
            SqrtPriceX96::from_f64(price),
            Err(PriceError::NotAPrice(_))
        ));
    }
    for price in [f64::MIN_POSITIVE, 5e-324, 1e-40, 1e40, f64::MAX] {
        assert!(
            matches!(
                SqrtPriceX96::from_f64(price),
                Err(PriceError::SqrtPriceOutOfRange(_))
            ),
            "{price}"
        );
    }
}

#[test]
fn bounds_are_those_of_the_pool() {
    assert_eq!(
        U256::from(SqrtPriceX96::MAX.get()) + U256::ONE,
        decimal("1461446703485210103287273052203988822378723970342")
    );
    assert!(SqrtPriceX96::new(U256::from(4_295_128_738_u64)).is_err());
    assert!(SqrtPriceX96::new(U256::from(SqrtPriceX96::MAX.get()) + U256::ONE).is_err());
    assert_eq!(Tick::new(887_273), Err(PriceError::TickOutOfRange(887_273)));
    assert_eq!(
        Tick::new(-887_273),
        Err(PriceError::TickOutOfRange(-887_273))
    );
    let tick = |tick| Tick::new(tick).unwrap();
    assert!(TickRange::new(tick(5), tick(5)).is_err());
    assert_eq!(
        TickRange::full(60),
        TickRange::new(tick(-887_220), tick(887_220)).unwrap()
    );
    assert_eq!(
        TickRange::full(1),
        TickRange::new(Tick::MIN, Tick::MAX).unwrap()
    );
    assert_eq!(tick(-1).floor_to(60), tick(-60));
    assert_eq!(tick(119).floor_to(60), tick(60));
}

/// At P = 1 over [1/4, 4] (ticks ∓13863, within a wei of √P_a = 1/2 and √P_b = 2 to four digits):
/// x gives L = x · 1·2 / (2 − 1) = 2x and y gives L = y / (1 − 1/2) = 2y.
#[test]
fn liquidity_is_the_lesser_of_both_sides() {
    let range = TickRange::new(Tick::new(-13_863).unwrap(), Tick::new(13_863).unwrap()).unwrap();
    let one = SqrtPriceX96::at_tick(Tick::new(0).unwrap());
    let amount = |units: u64| U256::from(units) * U256::from(10).pow(U256::from(18));
    let close = |liquidity: u128, units: f64| (liquidity as f64 / 1e18 / units - 1.0).abs() < 1e-4;
    assert!(close(
        liquidity_for_amounts(one, range, amount(10), amount(7)).unwrap(),
        14.0
    ));
    assert!(close(
        liquidity_for_amounts(one, range, amount(3), amount(7)).unwrap(),
        6.0
    ));
    // Below the range only token0 counts: x · (1/2 · 2) / (2 − 1/2) = 2x/3; above it only token1: y / (2 − 1/2).
    let low = SqrtPriceX96::at_tick(Tick::new(-20_000).unwrap());
    assert!(close(
        liquidity_for_amounts(low, range, amount(3), U256::ZERO).unwrap(),
        2.0
    ));
    let high = SqrtPriceX96::at_tick(Tick::new(20_000).unwrap());
    assert!(close(
        liquidity_for_amounts(high, range, U256::ZERO, amount(3)).unwrap(),
        2.0
    ));
    assert!(matches!(
        liquidity_for_amounts(one, range, U256::MAX >> 1, U256::MAX >> 1),
        Err(PriceError::LiquidityTooLarge(_))
    ));
}
