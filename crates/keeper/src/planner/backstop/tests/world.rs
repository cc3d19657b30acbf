//! A market that is written down by hand: prices of 100, tokens of 18 decimals.

use alloy_primitives::{I256, Log};
use alloy_sol_types::SolEvent;
use breakwater_bindings::{DampedPolicy as DampedPolicyBinding, LendingPool};
use breakwater_protocol::policy::{BreakerLevel, Policy, RigidPolicy};
use breakwater_protocol::{BlockRef, Description, Mirror, MirroredPolicy, RateParameters, Reading};

use super::super::*;
use crate::planner::{NoOrders, Strategy};
use crate::reading::{BackstopReading, MarketReading, NextBlock};
use crate::system::{Backstop, Listed, Token};

pub(super) const POOL: Address = Address::repeat_byte(1);
pub(super) const POLICY: Address = Address::repeat_byte(2);
pub(super) const BACKSTOP: Address = Address::repeat_byte(0xb5);
pub(super) const START: u64 = 1_700_000_000;

/// So many tokens, base units.
pub(super) fn tokens(whole: u64) -> U256 {
    U256::from(whole) * WAD
}

pub(super) fn price(of: u64) -> U256 {
    U256::from(of) * WAD * WAD
}

/// A pool with one collateral of LT 80%, in which accounts with 1,000 of it owe 83,000 each.
pub(super) struct World {
    pub(super) system: System,
    pub(super) mirror: Mirror,
    pub(super) reading: HeadReading,
    pub(super) claims: Vec<Claims>,
}

/// Five of a thousand, at a price; the clock is void where it has not come below the fast price.
pub(super) fn for_sale(asked: U256) -> SaleReading {
    SaleReading {
        price: asked,
        available: tokens(5),
        inventory: tokens(1_000),
        void: asked >= price(100),
    }
}

pub(super) fn account(number: u8) -> Address {
    Address::repeat_byte(0xa0 + number)
}

impl World {
    /// `bonus` is what the rigid policy behind pays, in thousandths; `room` is in whole tokens.
    pub(super) fn new(accounts: u8, bonus: u64, room: u64) -> Self {
        let bonus = WAD * U256::from(bonus) / U256::from(1_000);
        let description = description();
        let token = |byte| Token {
            address: Address::repeat_byte(byte),
            decimals: 18,
            symbol: "T".to_owned(),
        };
        let system = System {
            chain_id: 1,
            pool: POOL,
            debt: token(3),
            breaker: None,
            multicall: Address::ZERO,
            policy_address: POLICY,
            policy: Policy::Rigid(RigidPolicy { bonus }),
            backstop: Some(Backstop {
                address: BACKSTOP,
                policy: Some(BackstopPolicy::new(WAD * U256::from(105) / U256::from(100)).unwrap()),
                caller_share: 0.1,
            }),
            description,
            collaterals: vec![Listed {
                id: 0,
                token: token(4),
                sale: None,
                liquidator: Some(Address::repeat_byte(6)),
            }],
            native: Some(0),
            first_block: 0,
        };
        Self {
            mirror: mirror(description, accounts, 1),
            system,
            reading: reading(room),
            claims: Vec::new(),
        }
    }

    /// Every price at `of`, the venue's too.
    pub(super) fn at(mut self, of: u64) -> Self {
        for market in &mut self.reading.markets {
            market.prices = Reading::flat(price(of));
            if let Some(venue) = &mut market.venue {
                venue.sqrt_price = (of as f64).sqrt();
            }
        }
        self
    }

    pub(super) fn sale(mut self, asked: U256, spendable: u64) -> Self {
        let backstop = self.reading.backstop.as_mut().unwrap();
        backstop.spendable = tokens(spendable);
        backstop.sales[0] = for_sale(asked);
        self
    }

    /// A second collateral like the first, of which every account has as much, and owes as much more.
    pub(super) fn with_a_second_collateral(mut self, accounts: u8) -> Self {
        let second = Listed {
            id: 1,
            token: Token {
                address: Address::repeat_byte(7),
                ..self.system.collaterals[0].token.clone()
            },
            ..self.system.collaterals[0].clone()
        };
        self.system.collaterals.push(second);
        self.mirror = mirror(self.system.description, accounts, 2);
        self.reading.markets.push(self.reading.markets[0]);
        let backstop = self.reading.backstop.as_mut().unwrap();
        backstop.sales.push(SaleReading::default());
        self
    }

    /// A bucket as it is left by a liquidation in the head.
    pub(super) fn hear_of_the_bucket(&mut self, level: U256, depth: U256) {
        let updated = DampedPolicyBinding::BucketUpdated {
            pool: POOL,
            collateralId: U256::ZERO,
            level,
            depth,
        };
        let log = Log {
            address: POLICY,
            data: updated.encode_log_data(),
        };
        let head = BlockRef {
            number: 12,
            hash: B256::repeat_byte(12),
            parent_hash: B256::repeat_byte(11),
            timestamp: START + 18,
        };
        self.mirror.apply_block(&head, &[log]).unwrap();
    }

    pub(super) fn plan(&mut self) -> Plan {
        self.plan_by(&planner(), &mut NoOrders)
    }

    pub(super) fn plan_by(&mut self, planner: &Planner, orders: &mut dyn Orders) -> Plan {
        let moment = self
            .mirror
            .moment(&self.reading.prices(), START + 24)
            .unwrap();
        let accounts = self.mirror.candidates(&moment);
        let sight = Sight {
            system: &self.system,
            mirror: &self.mirror,
            reading: &self.reading,
            moment: &moment,
            inclusion_tip: 0.01,
            anchor_hash: B256::ZERO,
            claims: &self.claims,
        };
        planner.plan(&sight, &accounts, orders).unwrap()
    }

    pub(super) fn kinds(&mut self) -> Vec<ActionKind> {
        self.plan()
            .actions
            .iter()
            .map(|action| action.kind)
            .collect()
    }

    pub(super) fn offer(&mut self, room: U256) -> Option<Offer> {
        let moment = self
            .mirror
            .moment(&self.reading.prices(), START + 24)
            .unwrap();
        let health = self.mirror.account_health(&account(0), &moment).unwrap();
        let sight = Sight {
            system: &self.system,
            mirror: &self.mirror,
            reading: &self.reading,
            moment: &moment,
            inclusion_tip: 0.01,
            anchor_hash: B256::ZERO,
            claims: &self.claims,
        };
        planner().offer(&sight, account(0), 0, &health, room)
    }
}

pub(super) fn planner() -> Planner {
    Planner::new(Strategy {
        us: Address::repeat_byte(9),
        capital: Capital::Flash,
        min_profit: 1.0,
        risk_margin: 0.002,
        max_gas_price: 1e6,
        count: 1,
    })
}

pub(super) fn description() -> Description {
    const WAD: u64 = 1_000_000_000_000_000_000;
    const YEAR: u64 = 31_536_000;
    Description {
        chain_id: 1,
        pool: POOL,
        asset: Address::repeat_byte(3),
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

/// Accounts with 1,000 of each of `collaterals`, who owe 83,000 for each.
pub(super) fn mirror(description: Description, accounts: u8, collaterals: u8) -> Mirror {
    let block = |number, timestamp| BlockRef {
        number,
        hash: B256::repeat_byte(number as u8),
        parent_hash: B256::repeat_byte(number as u8 - 1),
        timestamp,
    };
    let log = |data| Log {
        address: POOL,
        data,
    };
    let debt = tokens(83_000) * U256::from(collaterals);
    let all = debt * U256::from(accounts.max(1));
    let mut logs = vec![log(
        LendingPool::PolicySet { policy: POLICY }.encode_log_data()
    )];
    for id in 0..collaterals {
        logs.push(log(LendingPool::CollateralListed {
            collateralId: U256::from(id),
            config: LendingPool::CollateralConfig {
                token: Address::repeat_byte(if id == 0 { 4 } else { 7 }),
                oracle: Address::repeat_byte(5),
                borrowLtv: 7_500,
                liquidationThreshold: 8_000,
                maxBonus: 500,
                slippageMargin: 500,
                confirmationBand: 200,
                group: 0,
                damped: true,
                cap: u128::MAX,
            },
        }
        .encode_log_data()));
    }
    logs.push(log(LendingPool::MarketUpdated {
        lenderAssets: all * U256::from(2),
        supplyShares: all,
        totalDebt: all,
        debtShares: all,
        logRateAtTarget: I256::try_from(-20_000_000_000_000_i64).unwrap(),
    }
    .encode_log_data()));
    for owner in (0..accounts).map(account) {
        for id in 0..collaterals {
            logs.push(log(LendingPool::CollateralSupplied {
                collateralId: U256::from(id),
                account: owner,
                caller: owner,
                amount: tokens(1_000),
                balanceAfter: tokens(1_000),
            }
            .encode_log_data()));
        }
        logs.push(log(LendingPool::Repaid {
            account: owner,
            caller: owner,
            assets: U256::ZERO,
            debtSharesAfter: debt,
        }
        .encode_log_data()));
    }
    let mut mirror = Mirror::new(description, block(10, START)).unwrap();
    mirror.apply_block(&block(11, START + 12), &logs).unwrap();
    mirror
}

pub(super) fn reading(room: u64) -> HeadReading {
    HeadReading {
        next: NextBlock {
            parent: B256::repeat_byte(11),
            number: 12,
            timestamp: START + 24,
            base_fee: 10_000_000_000,
            slot: 12,
        },
        breaker: BreakerLevel::Normal,
        markets: vec![MarketReading {
            prices: Reading::flat(price(100)),
            depth: tokens(100_000),
            venue: Some(Venue {
                sqrt_price: 10.0,
                liquidity: 1e7,
                fee: 0.0005,
            }),
        }],
        inventory: None,
        backstop: Some(BackstopReading {
            absorbable: tokens(room),
            sales: vec![SaleReading::default()],
            spendable: U256::ZERO,
            clocks_unknown: false,
        }),
    }
}
