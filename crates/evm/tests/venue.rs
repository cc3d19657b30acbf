//! The venue on the bytecode of Uniswap v3 core.
#![allow(clippy::unwrap_used)]

use alloy_primitives::{Address, U256};
use breakwater_bindings::{SimToken, UniswapV3Pool, VenueRouter::VenueRouterErrors};
use breakwater_evm::{
    BlockEnvironment, Chain, MemoryChain, Rules,
    venue::{
        PriceError, SqrtPriceX96, Tick, TickRange, Venue, VenueError, VenueParameters,
        liquidity_for_amounts,
    },
};

const DEPLOYER: Address = Address::repeat_byte(0xd0);
const PROVIDER: Address = Address::repeat_byte(0xa1);
const TRADER: Address = Address::repeat_byte(0xb0);

struct World {
    chain: MemoryChain,
    venue: Venue,
    base: Address,
    quote: Address,
}

fn units(amount: u128) -> U256 {
    U256::from(amount) * U256::from(10).pow(U256::from(18))
}

/// A pool where one base is worth `price` quote, both with 18 decimals.
fn world(price: u128, fee: u32, tick_spacing: i32) -> World {
    let mut chain = MemoryChain::new(Rules::default());
    chain.begin_block(BlockEnvironment {
        number: 1,
        timestamp: 1_600_000_000,
        ..Default::default()
    });
    let mut token = |symbol: &str| {
        let constructor = SimToken::constructorCall {
            name_: symbol.into(),
            symbol_: symbol.into(),
            decimals_: 18,
        };
        chain
            .deploy_sol(DEPLOYER, &SimToken::BYTECODE, &constructor)
            .unwrap()
    };
    let (base, quote) = (token("BASE"), token("QUOTE"));
    let venue = Venue::deploy(
        &mut chain,
        &parameters(base, quote, price, fee, tick_spacing),
    )
    .unwrap();
    for owner in [PROVIDER, TRADER] {
        for token in [base, quote] {
            let mint = SimToken::mintCall {
                to: owner,
                amount: units(10_u128.pow(12)),
            };
            chain.execute_sol(DEPLOYER, token, &mint).unwrap();
            let approve = SimToken::approveCall {
                spender: venue.router,
                amount: U256::MAX,
            };
            chain.execute_sol(owner, token, &approve).unwrap();
        }
    }
    World {
        chain,
        venue,
        base,
        quote,
    }
}

fn parameters(
    base: Address,
    quote: Address,
    price: u128,
    fee: u32,
    tick_spacing: i32,
) -> VenueParameters {
    VenueParameters {
        deployer: DEPLOYER,
        base,
        quote,
        base_amount: U256::ONE,
        quote_amount: U256::from(price),
        fee,
        tick_spacing,
        observation_cardinality: 50,
    }
}

impl World {
    fn balance(&mut self, token: Address, owner: Address) -> U256 {
        self.chain
            .call_sol(owner, token, &SimToken::balanceOfCall { owner })
            .unwrap()
    }

    /// Provides over all prices what `base` units of the base are worth at the pool's price.
    fn provide_all_prices(&mut self, base: u128, quote: u128) -> u128 {
        let price = self.venue.state(&self.chain).unwrap().sqrt_price;
        let (amount0, amount1) = if self.base < self.quote {
            (units(base), units(quote))
        } else {
            (units(quote), units(base))
        };
        let liquidity =
            liquidity_for_amounts(price, self.venue.full_range(), amount0, amount1).unwrap();
        self.venue
            .mint(self.venue.full_range(), liquidity)
            .execute(&mut self.chain, PROVIDER)
            .unwrap();
        liquidity
    }
}

fn f64_of(amount: U256) -> f64 {
    f64::from(amount) / 1e18
}

fn assert_close(actual: f64, expected: f64, tolerance: f64) {
    assert!(
        (actual / expected - 1.0).abs() <= tolerance,
        "{actual} is not {expected}"
    );
}

#[test]
fn deploys_at_the_price_and_peeks_what_the_pool_answers() {
    for (fee, spacing, expected) in [(0, 1, 1), (3_000, 7, 60), (500, 7, 10), (100, 1, 1)] {
        let mut world = world(2_000, fee, spacing);
        let state = world.venue.state(&world.chain).unwrap();
        assert_eq!(world.venue.tick_spacing, expected);
        assert_eq!(state.liquidity, 0);
        assert_eq!(
            (
                state.observation_cardinality,
                state.observation_cardinality_next
            ),
            (1, 50)
        );
        let price = world.venue.price_of(world.base, state.sqrt_price);
        assert_close(price, 2_000.0, 1e-15);
        assert_close(
            world.venue.price_of(world.quote, state.sqrt_price),
            1.0 / 2_000.0,
            1e-15,
        );
        world.provide_all_prices(100, 200_000);

        let state = world.venue.state(&world.chain).unwrap();
        let pool = world.venue.pool;
        let slot0 = world
            .chain
            .call_sol(TRADER, pool, &UniswapV3Pool::slot0Call {})
            .unwrap();
        assert_eq!(state.sqrt_price.get(), slot0.sqrtPriceX96);
        assert_eq!(state.tick.get(), slot0.tick.as_i32());
        assert_eq!(state.observation_index, slot0.observationIndex);
        assert_eq!(state.observation_cardinality, slot0.observationCardinality);
        assert_eq!(
            state.observation_cardinality_next,
            slot0.observationCardinalityNext
        );
        let liquidity = world
            .chain
            .call_sol(TRADER, pool, &UniswapV3Pool::liquidityCall {})
            .unwrap();
        assert_eq!(state.liquidity, liquidity);
        assert!(liquidity > 0);
    }
}

#[test]
fn price_maths_agrees_with_the_pool_to_the_wei() {
    let spread = [
        -887_272, -887_271, -345_678, -200_311, -60, -1, 0, 1, 2, 1_023, 76_012, 524_288, 887_271,
    ];
    for tick in spread {
        let mut world = world(1, 0, 1);
        let price = SqrtPriceX96::at_tick(Tick::new(tick).unwrap());
        for (price, expected) in [(Some(price), tick), (below(price), tick - 1)] {
            let Some(price) = price else { continue };
            let mut fork = world.chain.fork();
            // A second pool of the factory would share its price: initialise a fresh one by clearing slot 0.
            fork.set_storage(world.venue.pool, U256::ZERO, U256::ZERO);
            let initialize = UniswapV3Pool::initializeCall {
                sqrtPriceX96: price.get(),
            };
            fork.execute_sol(DEPLOYER, world.venue.pool, &initialize)
                .unwrap();
            let state = world.venue.state(&fork).unwrap();
            assert_eq!((state.sqrt_price, state.tick.get()), (price, expected));
            assert_eq!(price.tick().get(), expected);
        }
    }
}

fn below(price: SqrtPriceX96) -> Option<SqrtPriceX96> {
    SqrtPriceX96::new(U256::from(price.get()) - U256::ONE).ok()
}

/// Zero fee, all prices: constant product. x = 10,000 base at 100 quote: y = 10^6, L = √(xy) = 10^5. Selling q = 250 base
/// gives y q / (x + q) = 24,390.2439... quote, and the price falls to y' / x' = 100 / 1.025² = 95.181439...
#[test]
fn zero_fee_pool_is_a_constant_product() {
    let mut world = world(100, 0, 1);
    let liquidity = world.provide_all_prices(10_000, 1_000_000);
    assert_close(liquidity as f64 / 1e18, 1e5, 1e-12);
    let before = world.balance(world.quote, TRADER);
    let swap = world
        .venue
        .swap(world.base, units(250), None, U256::ZERO, TRADER);
    let quote = swap.what_if(&mut world.chain, TRADER).unwrap();
    assert_eq!(world.balance(world.quote, TRADER), before);
    let done = swap.execute(&mut world.chain, TRADER).unwrap();
    assert_eq!((done.paid, done.received), (quote.paid, quote.received));
    assert_eq!(done.paid, units(250));
    assert_close(f64_of(done.received), 1e6 * 250.0 / 10_250.0, 1e-14);
    assert_eq!(world.balance(world.quote, TRADER) - before, done.received);
    let state = world.venue.state(&world.chain).unwrap();
    assert_close(
        world.venue.price_of(world.base, state.sqrt_price),
        100.0 / (1.025 * 1.025),
        1e-14,
    );
    assert_eq!(
        world.venue.fee_growth_x128(&world.chain).unwrap(),
        (U256::ZERO, U256::ZERO)
    );
}

/// Without a fee, in one sale or in ten: L is unchanged and u = 1/√P moves by q/L either way.
#[test]
fn slicing_a_zero_fee_sale_changes_nothing_but_rounding() {
    let mut world = world(100, 0, 1);
    world.provide_all_prices(10_000, 1_000_000);
    let mut other = world.chain.fork();
    let whole = world
        .venue
        .swap(world.base, units(500), None, U256::ZERO, TRADER);
    let received = whole.execute(&mut world.chain, TRADER).unwrap().received;
    let slice = world
        .venue
        .swap(world.base, units(50), None, U256::ZERO, TRADER);
    let sliced: U256 = (0..10)
        .map(|_| slice.execute(&mut other, TRADER).unwrap().received)
        .sum();
    // Each step of 256 ticks rounds by a wei or so.
    assert!(
        received.abs_diff(sliced) < U256::from(100),
        "{received} {sliced}"
    );
}

#[test]
fn swaps_to_a_price_both_ways_and_as_far_as_the_money_goes() {
    let mut world = world(100, 3_000, 60);
    world.provide_all_prices(10_000, 1_000_000);
    for target in [90_u128, 130, 100] {
        let price = world
            .venue
            .sqrt_price(world.base, U256::ONE, U256::from(target))
            .unwrap();
        let call = world
            .venue
            .swap_to_price(price, units(10_u128.pow(9)), TRADER);
        let done = call.execute(&mut world.chain, TRADER).unwrap();
        assert!(done.paid > U256::ZERO && done.received > U256::ZERO);
        let state = world.venue.state(&world.chain).unwrap();
        assert_eq!(state.sqrt_price, price);
        let again = call.execute(&mut world.chain, TRADER).unwrap();
        assert_eq!((again.paid, again.received), (U256::ZERO, U256::ZERO));
    }
    let price = world
        .venue
        .sqrt_price(world.base, U256::ONE, U256::from(50))
        .unwrap();
    let short = world
        .venue
        .swap_to_price(price, units(1), TRADER)
        .execute(&mut world.chain, TRADER)
        .unwrap();
    assert_eq!(short.paid, units(1));
    assert_ne!(world.venue.state(&world.chain).unwrap().sqrt_price, price);
}

#[test]
fn swap_honours_limit_and_minimum() {
    let mut world = world(100, 3_000, 60);
    world.provide_all_prices(10_000, 1_000_000);
    let limit = world
        .venue
        .sqrt_price(world.base, U256::ONE, U256::from(99))
        .unwrap();
    let partial = world
        .venue
        .swap(world.base, units(5_000), Some(limit), U256::ZERO, TRADER);
    let done = partial.execute(&mut world.chain, TRADER).unwrap();
    assert!(done.paid < units(5_000));
    assert_eq!(world.venue.state(&world.chain).unwrap().sqrt_price, limit);
    let greedy = world
        .venue
        .swap(world.base, units(1), None, units(100), TRADER);
    let error = greedy.execute(&mut world.chain, TRADER).unwrap_err();
    let Some(VenueRouterErrors::ReceivedTooLittle(error)) = error.decode() else {
        panic!("{error}")
    };
    assert_eq!(error.minimum, units(100));
    assert!(error.received < units(99));
}

/// A fee of 0.3% on 1,000 base is 3 base, all of it the only provider's; growth is fee · 2^128 / L.
#[test]
fn fees_grow_and_are_collected_by_the_positions_owner() {
    let mut world = world(100, 3_000, 60);
    let liquidity = world.provide_all_prices(10_000, 1_000_000);
    let range = world.venue.full_range();
    let swap = world
        .venue
        .swap(world.base, units(1_000), None, U256::ZERO, TRADER);
    swap.execute(&mut world.chain, TRADER).unwrap();
    let (growth0, growth1) = world.venue.fee_growth_x128(&world.chain).unwrap();
    let (base_growth, quote_growth) = if world.base < world.quote {
        (growth0, growth1)
    } else {
        (growth1, growth0)
    };
    assert_eq!(quote_growth, U256::ZERO);
    assert_close(
        f64::from(base_growth) / 2_f64.powi(128),
        3e18 / liquidity as f64,
        1e-9,
    );

    let before = [world.base, world.quote].map(|token| world.balance(token, PROVIDER));
    world
        .venue
        .burn(range, 0)
        .execute(&mut world.chain, PROVIDER)
        .unwrap();
    world
        .venue
        .collect(range, PROVIDER)
        .execute(&mut world.chain, PROVIDER)
        .unwrap();
    assert_close(
        f64_of(world.balance(world.base, PROVIDER) - before[0]),
        3.0,
        1e-9,
    );
    assert_eq!(world.balance(world.quote, PROVIDER), before[1]);

    // Taking everything out leaves a pool without liquidity; a stranger has nothing there.
    assert!(
        world
            .venue
            .burn(range, 1)
            .execute(&mut world.chain, TRADER)
            .is_err()
    );
    world
        .venue
        .burn(range, liquidity)
        .execute(&mut world.chain, PROVIDER)
        .unwrap();
    world
        .venue
        .collect(range, PROVIDER)
        .execute(&mut world.chain, PROVIDER)
        .unwrap();
    assert_eq!(world.venue.state(&world.chain).unwrap().liquidity, 0);
    // The base came in whole: 10,000 and 1,000, less rounding in the pool's favour.
    assert_close(
        f64_of(world.balance(world.base, PROVIDER) - before[0]),
        11_000.0,
        1e-12,
    );
}

#[test]
fn liquidity_of_amounts_costs_those_amounts() {
    let mut world = world(100, 0, 1);
    let price = world.venue.state(&world.chain).unwrap().sqrt_price;
    let tick = price.tick().get();
    for (below, above) in [(5_000, 5_000), (100, 30_000), (-200, 700), (900, -300)] {
        let range = TickRange::new(
            Tick::new(tick - below).unwrap(),
            Tick::new(tick + above).unwrap(),
        )
        .unwrap();
        let (amount0, amount1) = (units(1_000), units(1_000));
        let liquidity = liquidity_for_amounts(price, range, amount0, amount1).unwrap();
        let paid = world
            .venue
            .mint(range, liquidity)
            .execute(&mut world.chain, PROVIDER)
            .unwrap();
        assert!(paid.amount0 <= amount0 && paid.amount1 <= amount1);
        // The side that binds is used up.
        let used = f64_of(paid.amount0).max(f64_of(paid.amount1));
        assert_close(used, 1_000.0, 1e-12);
    }
}

#[test]
fn impossible_venues_are_refused() {
    let World {
        mut chain,
        base,
        quote,
        ..
    } = world(1, 0, 1);
    let mut deploy = |parameters| Venue::deploy(&mut chain, &parameters).unwrap_err();
    for (fee, spacing) in [(1_000_000, 1), (7, 0), (7, 16_384), (7, -1), (1 << 24, 1)] {
        let error = deploy(parameters(base, quote, 1, fee, spacing));
        assert!(matches!(error, VenueError::Parameters { .. }), "{error}");
    }
    let error = deploy(parameters(base, quote, 0, 0, 1));
    assert!(
        matches!(error, VenueError::Price(PriceError::ZeroAmount { .. })),
        "{error}"
    );
    let error = deploy(parameters(base, base, 1, 0, 1));
    assert!(matches!(error, VenueError::Call(_)), "{error}");
}
