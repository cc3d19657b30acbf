//! A mirror fed with logs that are written by hand.
#![allow(dead_code, missing_docs)]

use alloy_primitives::{Address, B256, I256, Log, LogData, U256, keccak256};
use alloy_sol_types::SolEvent;
use breakwater_bindings::LendingPool;
use breakwater_protocol::{BlockRef, Description, Mirror, MirroredPolicy, RateParameters};

pub const POOL: Address = Address::repeat_byte(0x01);
pub const POLICY: Address = Address::repeat_byte(0x02);

pub fn account(number: u64) -> Address {
    Address::left_padding_from(&(0x1_0000_0000 + number).to_be_bytes())
}

/// Millionths of a debt token's unit per unit of collateral.
pub fn price(parts: u64) -> U256 {
    U256::from(parts) * U256::from(10).pow(U256::from(30))
}

pub fn description() -> Description {
    const YEAR: u64 = 31_536_000;
    const WAD: u64 = 1_000_000_000_000_000_000;
    Description {
        chain_id: 31_337,
        pool: POOL,
        asset: Address::repeat_byte(0x03),
        rate: RateParameters {
            target_utilisation: WAD / 10 * 9,
            low_multiplier: WAD / 4,
            high_multiplier: 4 * u128::from(WAD),
            adaptation_speed: 50 * u128::from(WAD) / u128::from(YEAR),
            initial_rate_at_target: WAD / 25 / YEAR,
            min_rate_at_target: WAD / 1_000 / YEAR,
            max_rate_at_target: 2 * WAD / YEAR,
        },
        policy: MirroredPolicy {
            address: POLICY,
            needs_confirmation: true,
        },
    }
}

pub fn log(event: &impl SolEvent) -> Log {
    Log {
        address: POOL,
        data: event.encode_log_data(),
    }
}

/// Writes what a pool would emit, a block at a time.
pub struct Feeder {
    pub mirror: Mirror,
    pub logs: Vec<Log>,
    log_rate: i64,
    /// Of every block since the beginning: total debt and debt shares.
    markets: Vec<(u128, u128)>,
    branch: u64,
}

impl Feeder {
    /// A pool that has just been deployed with `collaterals` collaterals of LT 80%.
    pub fn new(collaterals: u64) -> Self {
        let start = BlockRef {
            number: 100,
            hash: B256::repeat_byte(9),
            parent_hash: B256::ZERO,
            timestamp: 1_700_000_000,
        };
        let mut feeder = Self {
            mirror: Mirror::new(description(), start).unwrap(),
            logs: vec![log(&LendingPool::PolicySet { policy: POLICY })],
            log_rate: -20_000_000_000_000,
            markets: vec![(0, 0)],
            branch: 0,
        };
        for id in 0..collaterals {
            let config = LendingPool::CollateralConfig {
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
            feeder.logs.push(log(&LendingPool::CollateralListed {
                collateralId: U256::from(id),
                config,
            }));
        }
        feeder
    }

    pub fn timestamp(&self) -> u64 {
        self.mirror.head().timestamp
    }

    pub fn market(&self) -> (u128, u128) {
        *self.markets.last().unwrap()
    }

    pub fn set_market(&mut self, total_debt: u128, debt_shares: u128) {
        *self.markets.last_mut().unwrap() = (total_debt, debt_shares);
        self.logs.push(log(&LendingPool::MarketUpdated {
            lenderAssets: U256::from(total_debt) * U256::from(2),
            supplyShares: U256::from(total_debt),
            totalDebt: U256::from(total_debt),
            debtShares: U256::from(debt_shares),
            logRateAtTarget: I256::try_from(self.log_rate).unwrap(),
        }));
    }

    pub fn set_debt(&mut self, account: Address, shares: u128) {
        self.logs.push(log(&LendingPool::Repaid {
            account,
            caller: account,
            assets: U256::ONE,
            debtSharesAfter: U256::from(shares),
        }));
    }

    pub fn set_collateral(&mut self, account: Address, id: u64, amount: u128) {
        self.logs.push(log(&LendingPool::CollateralSupplied {
            collateralId: U256::from(id),
            account,
            caller: account,
            amount: U256::ONE,
            balanceAfter: U256::from(amount),
        }));
    }

    pub fn next_block(&self, seconds: u64) -> BlockRef {
        let head = *self.mirror.head();
        let number = head.number + 1;
        let seed = [
            number.to_be_bytes().as_slice(),
            &self.branch.to_be_bytes(),
            head.hash.as_slice(),
        ]
        .concat();
        BlockRef {
            number,
            hash: keccak256(seed),
            parent_hash: head.hash,
            timestamp: head.timestamp + seconds,
        }
    }

    /// Applies what was written as the next block.
    pub fn block(&mut self) {
        let block = self.next_block(12);
        let logs = std::mem::take(&mut self.logs);
        self.mirror.apply_block(&block, &logs).unwrap();
        self.markets.push(self.market());
    }

    /// Goes back, at most to the first block.
    pub fn rewind(&mut self, blocks: usize) {
        let blocks = blocks.min(self.markets.len() - 2);
        let target = *self.mirror.blocks().rev().nth(blocks).unwrap();
        self.mirror.rewind(target.number, target.hash).unwrap();
        self.markets.truncate(self.markets.len() - blocks);
        self.branch += 1;
    }
}

/// A log of the policy.
pub fn policy_log(event: &impl SolEvent) -> Log {
    let data: LogData = event.encode_log_data();
    Log {
        address: POLICY,
        data,
    }
}
