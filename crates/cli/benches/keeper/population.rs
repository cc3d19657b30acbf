//! Synthetic accounts, and blocks that move them.

use alloy_primitives::{Address, I256, Log, U256, keccak256};
use alloy_sol_types::SolEvent;
use breakwater_bindings::LendingPool;
use breakwater_protocol::{BlockRef, Description, Mirror, MirroredPolicy, RateParameters, Reading};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

const POOL: Address = Address::repeat_byte(1);
const COLLATERALS: u64 = 3;

/// Logs a block: ten positions that change, in collateral and debt, each with the market.
pub const LOGS: usize = 30;

/// Accounts a range while the population grows, which is a back-fill.
const GROWTH: u64 = 5_000;

const UNIT: u128 = 1_000_000_000_000_000_000;

pub fn description() -> Description {
    const YEAR: u64 = 31_536_000;
    let wad = UNIT as u64;
    Description {
        chain_id: 1,
        pool: POOL,
        asset: Address::repeat_byte(2),
        rate: RateParameters {
            target_utilisation: wad / 10 * 9,
            low_multiplier: wad / 4,
            high_multiplier: 4 * UNIT,
            adaptation_speed: 50 * UNIT / u128::from(YEAR),
            initial_rate_at_target: wad / 25 / YEAR,
            min_rate_at_target: wad / 1_000 / YEAR,
            max_rate_at_target: 2 * wad / YEAR,
        },
        policy: MirroredPolicy {
            address: Address::repeat_byte(3),
            needs_confirmation: true,
        },
    }
}

/// Everything at 2,000 debt tokens times `factor`.
pub fn readings(factor: f64) -> Vec<Reading> {
    let price = U256::from((2_000.0 * factor * 1e12) as u128) * U256::from(10).pow(U256::from(24));
    vec![Reading::flat(price); COLLATERALS as usize]
}

/// A mirror of many accounts, and the chain that feeds it.
pub struct Population {
    pub mirror: Mirror,
    random: ChaCha8Rng,
    accounts: u64,
    total_shares: u128,
    /// The price's logarithm: it walks about its beginning.
    drift: f64,
}

/// A block that has arrived and not been looked at.
pub struct Prepared<'a> {
    mirror: &'a mut Mirror,
    block: BlockRef,
    logs: Vec<Log>,
    readings: Vec<Reading>,
}

impl Prepared<'_> {
    /// From the block to the accounts below HF_F = 1.
    pub fn run(self) -> Vec<Address> {
        self.mirror.apply_block(&self.block, &self.logs).unwrap();
        let moment = self
            .mirror
            .moment(&self.readings, self.block.timestamp + 12);
        self.mirror.candidates(&moment.unwrap())
    }
}

fn log(event: &impl SolEvent) -> Log {
    Log {
        address: POOL,
        data: event.encode_log_data(),
    }
}

impl Population {
    /// Grown through logs, as a keeper's is, and followed for 64 blocks. One account in twenty holds two or three collaterals; health factors are from
    /// 1.0 to 3.0 with most in between, one account in 500 within 1% of the edge.
    pub fn new(accounts: u64) -> Self {
        let start = BlockRef {
            timestamp: 1_700_000_000,
            ..BlockRef::default()
        };
        let mut population = Self {
            mirror: Mirror::new(description(), start).unwrap(),
            random: ChaCha8Rng::seed_from_u64(7),
            accounts: 0,
            total_shares: 0,
            drift: 0.0,
        };
        let mut logs = population.listing();
        while population.accounts < accounts {
            for _ in 0..GROWTH.min(accounts - population.accounts) {
                let number = population.accounts;
                population.accounts += 1;
                population.open(number, &mut logs);
            }
            let block = population.next_block();
            let written = [(block.number, block.timestamp, &logs)];
            population.mirror.apply_range(written, &block).unwrap();
            logs.clear();
        }
        // As many blocks as it keeps the undoing of.
        for _ in 0..64 {
            population.prepare().run();
        }
        population
    }

    fn listing(&self) -> Vec<Log> {
        let config = |id: u64| LendingPool::CollateralConfig {
            token: Address::with_last_byte(id as u8 + 100),
            oracle: Address::with_last_byte(id as u8 + 200),
            borrowLtv: 7_500,
            liquidationThreshold: 8_000,
            maxBonus: 500,
            slippageMargin: 500,
            confirmationBand: 200,
            group: 0,
            damped: true,
            cap: u128::MAX,
        };
        let policy = self.mirror.description().policy.address;
        let mut logs = vec![log(&LendingPool::PolicySet { policy })];
        logs.extend((0..COLLATERALS).map(|id| {
            log(&LendingPool::CollateralListed {
                collateralId: U256::from(id),
                config: config(id),
            })
        }));
        logs
    }

    fn unit(&mut self) -> f64 {
        self.random.next_u64() as f64 / u64::MAX as f64
    }

    fn address(number: u64) -> Address {
        let hash = keccak256(number.to_be_bytes());
        Address::from_slice(&hash[12..])
    }

    /// Sets an account's collateral and debt anew.
    fn open(&mut self, number: u64, logs: &mut Vec<Log>) {
        let account = Self::address(number);
        let several = number.is_multiple_of(20);
        let held = if several { 2 + number / 20 % 2 } else { 1 };
        let value = 100.0 * (1.0 + 200.0 * self.unit().powi(4));
        for place in 0..held {
            let amount = value / 2_000.0 / held as f64 * 1e18;
            logs.push(log(&LendingPool::CollateralSupplied {
                collateralId: U256::from((number + place) % COLLATERALS),
                account,
                caller: account,
                amount: U256::ONE,
                balanceAfter: U256::from(amount as u128),
            }));
        }
        let near = self.random.next_u64().is_multiple_of(500);
        let health = 1.0
            + if near {
                0.01 * self.unit()
            } else {
                0.02 + 2.0 * self.unit()
            };
        // Shares at a thousand per base unit.
        let shares = (value * 0.8 / health * 1e18) as u128 * 1_000;
        let before = self.mirror.debt_shares_of(&account);
        self.total_shares = self.total_shares + shares - before;
        logs.push(self.market());
        logs.push(log(&LendingPool::Borrowed {
            account,
            caller: account,
            receiver: account,
            assets: U256::from(shares / 1_000),
            debtSharesAfter: U256::from(shares),
        }));
    }

    fn market(&self) -> Log {
        let debt = U256::from(self.total_shares / 1_000);
        log(&LendingPool::MarketUpdated {
            lenderAssets: debt * U256::from(2),
            supplyShares: debt * U256::from(2_000),
            totalDebt: debt,
            debtShares: U256::from(self.total_shares),
            logRateAtTarget: I256::try_from(-20_450_000_000_000_i64).unwrap(),
        })
    }

    fn next_block(&self) -> BlockRef {
        let head = self.mirror.head();
        BlockRef {
            number: head.number + 1,
            hash: keccak256(head.hash),
            parent_hash: head.hash,
            timestamp: head.timestamp + 12,
        }
    }

    /// The next block: ten positions change, and each price moves by up to 0.3%.
    pub fn prepare(&mut self) -> Prepared<'_> {
        let mut logs = Vec::new();
        while logs.len() < LOGS {
            // Those with one collateral, whose logs are a supply, the market and a debt.
            let number = self.random.next_u64() % self.accounts;
            if !number.is_multiple_of(20) {
                self.open(number, &mut logs);
            }
        }
        // It returns from below, where in a pool liquidations would have ended what fell.
        self.drift = self.drift * 0.98 + 0.006 * (self.unit() - 0.5);
        let mut readings = readings(self.drift.exp());
        for reading in &mut readings {
            let own = 1_000_000 + self.random.next_u64() % 1_000;
            *reading = Reading::flat(reading.fast * U256::from(own) / U256::from(1_000_000));
        }
        let block = self.next_block();
        Prepared {
            mirror: &mut self.mirror,
            block,
            logs,
            readings,
        }
    }
}
