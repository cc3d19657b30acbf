//! A pool beside a venue, without agents: for closed forms. Everything happens in one block, so there is no interest.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::{SolCall, SolConstructor};
use breakwater_bindings::{
    FixedOracle, ILendingPool, KinkedRateModel, LendingPool, LendingPoolExtension, SimToken,
    SpotOracle,
};
use breakwater_evm::{BlockEnvironment, CallError, Chain, MemoryChain, Rules, Transaction};
use breakwater_sim::chain_venue::ChainVenue;
use breakwater_sim::units::{COLLATERAL_UNIT, DEBT_UNIT, PRICE_UNIT, WAD, from_base, to_base};

pub const OPERATOR: Address = Address::repeat_byte(0x11);
pub const LIQUIDATOR: Address = Address::repeat_byte(0x22);
const PLENTY: u128 = 1 << 110;

/// How the collateral is listed, basis points.
#[derive(Clone, Copy)]
pub struct Listing {
    pub ltv: u16,
    pub threshold: u16,
    pub max_bonus: u16,
}

pub struct Bench {
    pub chain: MemoryChain,
    pub collateral: Address,
    pub asset: Address,
    pub venue: ChainVenue,
    pub pool: Address,
}

impl Bench {
    /// A zero-fee venue with `liquidity` over the full range at `price`, which is also the pool's oracle.
    pub fn new(price: f64, liquidity: f64, policy: Bytes, listing: Listing) -> Self {
        let mut chain = MemoryChain::new(Rules {
            code_size_limit: Some(usize::MAX),
            ..Rules::default()
        });
        chain.begin_block(BlockEnvironment {
            number: 1_000,
            timestamp: 1_600_000_000,
            gas_limit: 2_000_000_000,
            ..BlockEnvironment::default()
        });
        let token = |chain: &mut MemoryChain, name: &str, decimals| {
            let call = SimToken::constructorCall {
                name_: name.into(),
                symbol_: name.into(),
                decimals_: decimals,
            };
            chain
                .deploy_sol(OPERATOR, &SimToken::BYTECODE, &call)
                .unwrap()
        };
        let (collateral, asset) = (token(&mut chain, "C", 18), token(&mut chain, "D", 6));
        let venue =
            ChainVenue::create(&mut chain, OPERATOR, (collateral, asset), 0, price.sqrt()).unwrap();
        let policy = chain.deploy(OPERATOR, &policy, &[]).unwrap();
        let (pool, oracle) = deploy_pool(&mut chain, collateral, asset, policy, &venue);
        let mut bench = Self {
            chain,
            collateral,
            asset,
            venue,
            pool,
        };
        for actor in [OPERATOR, LIQUIDATOR] {
            bench.endow(actor);
        }
        bench
            .venue
            .add(&mut bench.chain, OPERATOR, liquidity)
            .unwrap();
        bench.list(oracle, listing);
        let lend = LendingPool::depositCall {
            assets: to_base(1e9, DEBT_UNIT),
            receiver: OPERATOR,
        };
        bench.send(OPERATOR, pool, &lend);
        bench
    }

    pub fn send<C: SolCall>(&mut self, from: Address, to: Address, call: &C) -> C::Return {
        self.chain.execute_sol(from, to, call).unwrap()
    }

    pub fn view<C: SolCall>(&mut self, to: Address, call: &C) -> C::Return {
        self.chain.call_sol(OPERATOR, to, call).unwrap()
    }

    fn endow(&mut self, actor: Address) {
        for token in [self.collateral, self.asset] {
            self.send(
                OPERATOR,
                token,
                &SimToken::mintCall {
                    to: actor,
                    amount: U256::from(PLENTY),
                },
            );
            for spender in [self.pool, self.venue.router()] {
                self.send(
                    actor,
                    token,
                    &SimToken::approveCall {
                        spender,
                        amount: U256::MAX,
                    },
                );
            }
        }
    }

    fn list(&mut self, oracle: Address, listing: Listing) {
        let config = LendingPoolExtension::CollateralConfig {
            token: self.collateral,
            oracle,
            borrowLtv: listing.ltv,
            liquidationThreshold: listing.threshold,
            maxBonus: listing.max_bonus,
            slippageMargin: 0,
            confirmationBand: 0,
            group: 0,
            damped: false,
            cap: 10_u128.pow(28),
        };
        self.send(
            OPERATOR,
            self.pool,
            &LendingPoolExtension::listCollateralCall { config },
        );
    }

    /// Opens a position for a new account.
    pub fn open(&mut self, number: u8, collateral: f64, debt: f64) -> Address {
        let owner = Address::with_last_byte(number.wrapping_add(100));
        self.endow(owner);
        let supply = ILendingPool::supplyCollateralCall {
            collateralId: U256::ZERO,
            amount: to_base(collateral, COLLATERAL_UNIT),
            account: owner,
            data: Bytes::new(),
        };
        self.send(owner, self.pool, &supply);
        let borrow = ILendingPool::borrowCall {
            assets: to_base(debt, DEBT_UNIT),
            account: owner,
            receiver: owner,
        };
        self.send(owner, self.pool, &borrow);
        owner
    }

    /// An independent copy.
    pub fn fork(&mut self) -> Self {
        Self {
            chain: self.chain.fork(),
            ..*self
        }
    }

    /// The debt still owed.
    pub fn debt(&mut self, account: Address) -> f64 {
        let debt = self.view(self.pool, &ILendingPool::debtOfCall { account });
        from_base(debt, DEBT_UNIT)
    }

    /// The collateral still posted.
    pub fn collateral_of(&mut self, account: Address) -> f64 {
        let collateral = self.view(
            self.pool,
            &ILendingPool::collateralOfCall {
                account,
                collateralId: U256::ZERO,
            },
        );
        from_base(collateral, COLLATERAL_UNIT)
    }

    /// Debt tokens that the liquidator has.
    pub fn liquidator_cash(&mut self) -> f64 {
        let call = SimToken::balanceOfCall { owner: LIQUIDATOR };
        let balance = self.view(self.asset, &call);
        // Of 2^110 units what matters is the difference.
        f64::from(U256::from(PLENTY).abs_diff(balance)) / DEBT_UNIT
            * if balance < U256::from(PLENTY) {
                -1.0
            } else {
                1.0
            }
    }

    /// From now on the pool believes `price`, wherever the venue is.
    pub fn believe(&mut self, price: f64) {
        let call = FixedOracle::constructorCall {
            price: to_base(price, PRICE_UNIT),
        };
        let oracle = self
            .chain
            .deploy_sol(OPERATOR, &FixedOracle::BYTECODE, &call)
            .unwrap();
        let call = LendingPoolExtension::setCollateralOracleCall {
            id: U256::ZERO,
            oracle,
        };
        self.send(OPERATOR, self.pool, &call);
    }

    /// The venue's price.
    pub fn price(&self) -> f64 {
        self.venue.state(&self.chain).unwrap().price()
    }

    /// Somebody from outside trades the venue to `price`.
    pub fn move_to(&mut self, price: f64) {
        let sell = price < self.price();
        let (to, call) = self.venue.trade_call(OPERATOR, sell, None, price).unwrap();
        let execution = self
            .chain
            .execute(&Transaction::call(OPERATOR, to, call))
            .unwrap();
        assert!(execution.is_success());
    }

    /// The health factor, as the pool sees it.
    pub fn health(&mut self, account: Address) -> f64 {
        let health = self.view(self.pool, &ILendingPool::accountHealthCall { account });
        from_base(health.healthFast, WAD)
    }

    /// Repays up to `repay` with the liquidator's own money: debt repaid and collateral seized; `None` if the pool refuses.
    pub fn liquidate(&mut self, account: Address, repay: U256) -> Option<(f64, f64)> {
        let call = ILendingPool::liquidateCall {
            account,
            collateralId: U256::ZERO,
            maxRepay: repay,
            data: Bytes::new(),
        };
        match self.chain.execute_sol(LIQUIDATOR, self.pool, &call) {
            Ok(result) => Some((
                from_base(result.repaid, DEBT_UNIT),
                from_base(result.seized, COLLATERAL_UNIT),
            )),
            Err(CallError::Reverted { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// The liquidator sells on the venue.
    pub fn sell(&mut self, collateral: f64) {
        let amount = to_base(collateral, COLLATERAL_UNIT);
        let call = self
            .venue
            .venue
            .swap(self.collateral, amount, None, U256::ZERO, LIQUIDATOR);
        self.send(LIQUIDATOR, call.to, &call.call);
    }

    /// What a closed account has left is withdrawn and sold too.
    fn sell_rest(&mut self, account: Address) {
        let amount = self.view(
            self.pool,
            &ILendingPool::collateralOfCall {
                account,
                collateralId: U256::ZERO,
            },
        );
        if amount.is_zero() {
            return;
        }
        let withdraw = ILendingPool::withdrawCollateralCall {
            collateralId: U256::ZERO,
            amount,
            account,
            receiver: LIQUIDATOR,
        };
        self.send(account, self.pool, &withdraw);
        self.sell(from_base(amount, COLLATERAL_UNIT));
    }

    /// Closes whatever is unhealthy and sells all its collateral, until nothing is; how many were closed.
    pub fn cascade(&mut self, accounts: &[Address]) -> usize {
        let mut open = accounts.to_vec();
        loop {
            let before = open.len();
            open.retain(|account| match self.liquidate(*account, U256::MAX) {
                Some((_, seized)) => {
                    self.sell(seized);
                    self.sell_rest(*account);
                    false
                }
                None => true,
            });
            if open.len() == before {
                return accounts.len() - open.len();
            }
        }
    }
}

fn deploy_pool(
    chain: &mut MemoryChain,
    collateral: Address,
    asset: Address,
    policy: Address,
    venue: &ChainVenue,
) -> (Address, Address) {
    let oracle = SpotOracle::constructorCall {
        venue: venue.pool(),
        collateral,
    };
    let oracle = chain
        .deploy_sol(OPERATOR, &SpotOracle::BYTECODE, &oracle)
        .unwrap();
    let per_year = |rate: f64| to_base(rate / 31_536_000.0, WAD);
    let rates = KinkedRateModel::constructorCall {
        targetUtilisation: to_base(0.9, WAD),
        lowMultiplier: to_base(0.25, WAD),
        highMultiplier: to_base(4.0, WAD),
        rateAtTarget: per_year(0.04),
    };
    let rate_model = chain
        .deploy_sol(OPERATOR, &KinkedRateModel::BYTECODE, &rates)
        .unwrap();
    let cap = U256::from(10).pow(U256::from(28));
    let arguments = LendingPoolExtension::constructorCall {
        p: LendingPoolExtension::PoolParameters {
            asset,
            rateModel: rate_model,
            breaker: Address::ZERO,
            policy,
            owner: OPERATOR,
            guardian: OPERATOR,
            supplyCap: cap,
            borrowCap: cap,
            name: "Bench".into(),
            symbol: "BENCH".into(),
        },
    };
    let extension = chain
        .deploy_sol(OPERATOR, &LendingPoolExtension::BYTECODE, &arguments)
        .unwrap();
    let p = arguments.p;
    let arguments = LendingPool::constructorCall {
        p: LendingPool::PoolParameters {
            asset: p.asset,
            rateModel: p.rateModel,
            breaker: p.breaker,
            policy: p.policy,
            owner: p.owner,
            guardian: p.guardian,
            supplyCap: p.supplyCap,
            borrowCap: p.borrowCap,
            name: p.name,
            symbol: p.symbol,
        },
        extension_: extension,
    };
    (
        chain
            .deploy_sol(OPERATOR, &LendingPool::BYTECODE, &arguments)
            .unwrap(),
        oracle,
    )
}

/// Creation code with its constructor's arguments.
pub fn with_arguments<C: SolConstructor>(code: &Bytes, constructor: &C) -> Bytes {
    [code.as_ref(), &constructor.abi_encode()].concat().into()
}
