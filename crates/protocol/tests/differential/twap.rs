//! `UniswapV3Source` on a real pool, against the whitepaper's arithmetic (Uniswap v3 Core, 5.2, 5.3 and 6.1) in exact integers: the time
//! that the pool spent at each tick and liquidity is written down here, second by second, beside what `observe` says.

use alloy_primitives::{Address, U160, U256};
use alloy_sol_types::{SolConstructor, private::primitives::aliases::I56};
use breakwater_bindings::{SimToken, UniswapV3Pool, UniswapV3Source};
use breakwater_evm::{
    BlockEnvironment, Chain, MemoryChain, Rules,
    venue::{Tick, TickRange, Venue, VenueParameters},
};
use dashu_float::{FBig, round::mode::HalfEven};
use dashu_int::IBig;

use crate::{cases, random::Random};

type Real = FBig<HalfEven>;

const BITS: usize = 256;
const TRADER: Address = Address::repeat_byte(0xb0);
const START: u64 = 1_600_000_000;

/// Steps in the life of one pool.
const OF_A_POOL: u64 = 200;

fn real(number: impl Into<IBig>) -> Real {
    Real::from(number.into()).with_precision(BITS).value()
}

fn integer(number: U256) -> IBig {
    let mut magnitude = IBig::ZERO;
    for limb in number.as_limbs().iter().rev() {
        magnitude = (magnitude << 64) + IBig::from(*limb);
    }
    magnitude
}

/// The tick and the liquidity that held for so many seconds.
struct Spell {
    seconds: u64,
    tick: i32,
    liquidity: u128,
}

struct Life {
    chain: MemoryChain,
    venue: Venue,
    base: Address,
    quote: Address,
    source: Address,
    window: u64,
    spells: Vec<Spell>,
    minted: Vec<(TickRange, u128)>,
}

impl Life {
    fn begin(random: &mut Random) -> Self {
        let mut chain = MemoryChain::new(Rules::default());
        chain.begin_block(BlockEnvironment {
            number: 1,
            timestamp: START,
            ..Default::default()
        });
        let decimals = [6, 8, 18];
        let mut token = |decimals| {
            let constructor = SimToken::constructorCall {
                name_: "Token".into(),
                symbol_: "T".into(),
                decimals_: decimals,
            };
            chain
                .deploy_sol(TRADER, &SimToken::BYTECODE, &constructor)
                .unwrap()
        };
        let base = token(decimals[random.range(0, 2) as usize]);
        let quote = token(decimals[random.range(0, 2) as usize]);
        let venue = Venue::deploy(
            &mut chain,
            &VenueParameters {
                deployer: TRADER,
                base,
                quote,
                base_amount: random.magnitude(4, 10),
                quote_amount: random.magnitude(4, 10),
                fee: 3_000,
                tick_spacing: 60,
                observation_cardinality: 250,
            },
        )
        .unwrap();
        for token in [base, quote] {
            let mint = SimToken::mintCall {
                to: TRADER,
                amount: U256::from(1) << 160,
            };
            chain.execute_sol(TRADER, token, &mint).unwrap();
            let approve = SimToken::approveCall {
                spender: venue.router,
                amount: U256::MAX,
            };
            chain.execute_sol(TRADER, token, &approve).unwrap();
        }
        let window = random.range(1, 1_800);
        let constructor = UniswapV3Source::constructorCall {
            pool: venue.pool,
            collateralToken: base,
            debtToken: quote,
            window: window as u32,
            minDepth: U256::ZERO,
        };
        let source = chain
            .deploy(
                TRADER,
                &UniswapV3Source::BYTECODE,
                &constructor.abi_encode(),
            )
            .unwrap();
        let mut life = Self {
            chain,
            venue,
            base,
            quote,
            source,
            window,
            spells: Vec::new(),
            minted: Vec::new(),
        };
        life.mint(life.venue.full_range(), 1_u128 << random.range(60, 80));
        life
    }

    fn mint(&mut self, range: TickRange, liquidity: u128) {
        self.venue
            .mint(range, liquidity)
            .execute(&mut self.chain, TRADER)
            .unwrap();
        self.minted.push((range, liquidity));
    }

    /// Swaps, provides or withdraws, once or several times in the block.
    fn act(&mut self, random: &mut Random) {
        match random.range(0, 9) {
            0 | 1 => {
                let tick = self.tick() / 60 * 60;
                let half = random.range(1, 40) as i32 * 60;
                let (lower, upper) = (Tick::new(tick - half), Tick::new(tick + half));
                if let (Ok(lower), Ok(upper)) = (lower, upper) {
                    let range = TickRange::new(lower, upper).unwrap();
                    self.mint(range, 1_u128 << random.range(60, 82));
                }
            }
            2 if self.minted.len() > 1 => {
                let (range, liquidity) = self.minted.pop().unwrap();
                self.venue
                    .burn(range, liquidity)
                    .execute(&mut self.chain, TRADER)
                    .unwrap();
            }
            _ => {
                let target = self.tick() + random.range(0, 2_000) as i32 - 1_000;
                if let Ok(tick) = Tick::new(target) {
                    let price = breakwater_evm::venue::SqrtPriceX96::at_tick(tick);
                    let swap = self
                        .venue
                        .swap_to_price(price, U256::from(1) << 150, TRADER);
                    swap.execute(&mut self.chain, TRADER).unwrap();
                }
            }
        }
    }

    fn tick(&self) -> i32 {
        self.venue.state(&self.chain).unwrap().tick.get()
    }

    /// Time goes on, and what stood is written down.
    fn pass(&mut self, seconds: u64) {
        let state = self.venue.state(&self.chain).unwrap();
        self.spells.push(Spell {
            seconds,
            tick: state.tick.get(),
            liquidity: state.liquidity,
        });
        let block = self.chain.block().clone();
        self.chain.begin_block(BlockEnvironment {
            number: block.number + 1,
            timestamp: block.timestamp + seconds,
            ..block
        });
    }

    /// The integral of the tick over the window, and the bounds of that of 1 / liquidity times 2^128: `None` while the pool is younger.
    fn integrals(&self) -> Option<(i64, U256, U256)> {
        let (mut left, mut ticks) = (self.window, 0_i64);
        let (mut exact, mut spells) = (U256::ZERO, 0_u64);
        for spell in self.spells.iter().rev() {
            let seconds = spell.seconds.min(left);
            ticks += i64::from(spell.tick) * seconds as i64;
            exact += (U256::from(seconds) << 128) / U256::from(spell.liquidity.max(1));
            spells += 1;
            left -= seconds;
            if left == 0 {
                // Every observation rounds once, and so does the one in the middle of which the window begins.
                let rounding = U256::from(2 * spells + 2);
                return Some((ticks, exact.saturating_sub(rounding), exact + rounding));
            }
        }
        None
    }

    fn observe(&mut self) -> (i64, U256) {
        let call = UniswapV3Pool::observeCall {
            secondsAgos: vec![self.window as u32, 0],
        };
        let seen = self.chain.call_sol(TRADER, self.venue.pool, &call).unwrap();
        let ticks: I56 = seen.tickCumulatives[1].wrapping_sub(seen.tickCumulatives[0]);
        let inverse: U160 = seen.secondsPerLiquidityCumulativeX128s[1]
            .wrapping_sub(seen.secondsPerLiquidityCumulativeX128s[0]);
        (ticks.as_i64(), U256::from(inverse))
    }
}

/// How far `given` is below `exact`, as a share of it.
fn below(given: U256, exact: &Real) -> f64 {
    ((exact - real(integer(given))) / exact).to_f64().value()
}

#[test]
fn the_venue_source_is_the_whitepaper_s_mean_of_a_real_pool() {
    let mut random = Random::new(3);
    let base_of_ticks = (real(10_001) / real(10_000)).ln();
    let scale = real(IBig::from(10).pow(36));
    let share = real(1) - (real(98) / real(100)).sqrt();
    let (mut judged, mut young, mut capped) = (0_u64, 0_u64, 0_u64);
    let (mut worst_price, mut worst_depth) = (0.0_f64, 0.0_f64);
    for _ in 0..cases(100 * OF_A_POOL).max(1) {
        let mut life = Life::begin(&mut random);
        for _ in 0..OF_A_POOL {
            for _ in 0..random.range(0, 2) {
                life.act(&mut random);
            }
            let seconds = if random.one_in(3) {
                random.range(1, 600)
            } else {
                12
            };
            life.pass(seconds);
            let Some((ticks, low, high)) = life.integrals() else {
                young += 1;
                continue;
            };
            let (observed, inverse) = life.observe();
            assert_eq!(observed, ticks, "the pool's own accumulator");
            assert!(
                (low..=high).contains(&inverse),
                "{low} <= {inverse} <= {high}"
            );

            // The price of the collateral: 1.0001^(mean tick), inverted where the collateral is token1.
            let sign = if life.base == life.venue.token0 {
                1
            } else {
                -1
            };
            let mean = real(sign * ticks) / real(life.window);
            let price = (&mean * &base_of_ticks).exp();
            let call = UniswapV3Source::averagePriceCall {};
            let given = life.chain.call_sol(TRADER, life.source, &call).unwrap();
            let exact = &price * &scale;
            let unit = 1.0 / exact.to_f64().value();
            let error = below(given, &exact);
            assert!(
                (-1e-17..=1e-16 + unit).contains(&error),
                "{given} for {exact}"
            );
            worst_price = worst_price.max(error.abs());

            let liquidity = integer((U256::from(life.window) << 128) / inverse);
            let exact = real(liquidity) * price.sqrt() * &share;
            let call = UniswapV3Source::depthCall {};
            let given = life.chain.call_sol(TRADER, life.source, &call).unwrap();
            let holds = SimToken::balanceOfCall {
                owner: life.venue.pool,
            };
            let held = life.chain.call_sol(TRADER, life.quote, &holds).unwrap();
            if given == held {
                assert!(
                    exact >= real(integer(held)),
                    "{held} is held, {exact} the depth"
                );
                capped += 1;
            } else {
                let unit = 2.0 / exact.to_f64().value();
                let error = below(given, &exact);
                assert!(
                    (-1e-17..=2e-16 + unit).contains(&error),
                    "{given} for {exact}"
                );
                worst_depth = worst_depth.max(error.abs() - unit);
            }
            judged += 1;
        }
    }
    println!(
        "twap: {judged} readings ({capped} of depth capped by what the pool holds, {young} of pools too young); largest relative error \
         of the price {worst_price:.1e}, of the depth beyond 2 units {worst_depth:.1e}"
    );
    assert!(judged > young, "{judged} of {young}");
    assert!(capped < judged / 2, "{capped} of {judged}");
}
