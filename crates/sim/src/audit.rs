//! T10, conservation, and the mirror against the contracts: to the wei, after whole worlds.

use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use breakwater_bindings::{ILendingPool, SimToken};
use breakwater_evm::Chain;

use crate::WorldKind;
use crate::actors::{Role, address};
use crate::config::{
    Account, BorrowerParameters, CollateralParameters, FeedParameters, KeeperParameters,
    NetworkParameters, Policy, VenueParameters, WorldInput, WorldParameters,
};
use crate::setup::FLIGHTY_PROVIDERS;
use crate::world::World;

const BLOCKS: usize = 120;
const SEED: u64 = 7;

fn parameters() -> WorldParameters {
    WorldParameters {
        collateral: CollateralParameters {
            borrow_ltv: 0.80,
            liquidation_threshold: 0.83,
            max_bonus: 0.05,
            slippage_margin: 0.05,
            confirmation_band: 0.05,
        },
        venue: VenueParameters {
            fee: 3_000,
            depth: 0.5,
            flighty_share: 0.5,
            flight_volatility: 0.08,
            pass_through: 0.5,
            recovery_half_life: 300.0,
        },
        feed: FeedParameters {
            deviation: 0.005,
            heartbeat: 3_600,
            delay: 0,
        },
        network: NetworkParameters {
            slot_seconds: 12,
            gas_limit: 30_000_000,
            demand_elasticity: 1.5,
        },
        keepers: KeeperParameters {
            count: 3,
            max_latency: 1,
            min_profit: 5.0,
            risk_margin: 0.001,
        },
        borrowers: BorrowerParameters {
            top_up_share: 0.3,
            repay_share: 0.3,
            deleverage_share: 0.3,
            alert_health: 1.1,
            reaction_time: 120.0,
            savings: 0.3,
        },
        lender_assets_over_debt: 1.2,
        damped: Default::default(),
    }
}

/// A fall by 30%, steep enough that some positions become insolvent.
fn input() -> WorldInput {
    let prices: Vec<f64> = (0..=BLOCKS)
        .map(|block| 200.0 * (1.0 - 0.3 * block as f64 / BLOCKS as f64))
        .collect();
    let accounts = (0..40)
        .map(|number| {
            let collateral = 5.0 + f64::from(number * 11 % 17) * 20.0;
            Account {
                collateral,
                debt: collateral * 200.0 * 0.83 * (0.995 - 0.006 * f64::from(number)),
            }
        })
        .collect();
    WorldInput {
        start: 1_600_000_000,
        gas_gwei: vec![30.0; prices.len()],
        native_prices: prices.clone(),
        depth: Vec::new(),
        accounts,
        prices,
    }
}

impl World<'_> {
    fn ask_contract<C: SolCall>(&mut self, to: Address, call: &C) -> C::Return {
        self.chain
            .call_sol(self.addresses.operator, to, call)
            .unwrap()
    }

    fn holders(&self) -> Vec<Address> {
        let numbered = |role, count| (0..count).map(move |number| address(SEED, role, number));
        let addresses = &self.addresses;
        let mut holders = addresses.accounts.clone();
        holders.extend(numbered(Role::Keeper, self.parameters.keepers.count));
        holders.extend(numbered(Role::Provider, FLIGHTY_PROVIDERS + 1));
        holders.extend([
            address(SEED, Role::Arbitrageur, 0),
            address(SEED, Role::Lender, 0),
            addresses.operator,
        ]);
        holders.extend([
            self.venue.pool(),
            self.venue.router(),
            addresses.pool,
            addresses.liquidator,
        ]);
        holders.push(addresses.deleverager);
        holders.extend(addresses.shadow);
        holders
    }

    /// Every token that exists is held by somebody we know.
    fn assert_tokens_add_up(&mut self) {
        for token in [self.addresses.collateral, self.addresses.asset] {
            let held = self
                .holders()
                .into_iter()
                .map(|owner| self.ask_contract(token, &SimToken::balanceOfCall { owner }))
                .fold(U256::ZERO, |sum, balance| sum + balance);
            assert_eq!(
                held,
                self.ask_contract(token, &SimToken::totalSupplyCall {})
            );
        }
    }

    /// Lenders' claims = cash + debt − reserves, what is held covers what is owed, and positions add up to the totals.
    fn assert_books_balance(&mut self) {
        let pool = self.addresses.pool;
        let market = self.ask_contract(pool, &ILendingPool::marketStateCall {});
        assert_eq!(
            market.lenderAssets,
            market.cash + market.totalDebt - market.reserves
        );
        let cash = self.ask_contract(
            self.addresses.asset,
            &SimToken::balanceOfCall { owner: pool },
        );
        assert_eq!(cash, market.cash);
        let shares = self
            .mirror
            .exact()
            .iter()
            .fold(U256::ZERO, |sum, position| sum + position.debt_shares);
        assert_eq!(shares, market.debtShares);

        let held = self.ask_contract(
            self.addresses.collateral,
            &SimToken::balanceOfCall { owner: pool },
        );
        let state = self.ask_contract(
            pool,
            &ILendingPool::collateralStateCall {
                collateralId: U256::ZERO,
            },
        );
        let posted = self
            .mirror
            .exact()
            .iter()
            .fold(U256::ZERO, |sum, position| sum + position.collateral);
        assert_eq!((posted, held), (state.total, state.total));
    }

    /// The mirror, built from events, is what the pool says of every account.
    fn assert_mirror_is_exact(&mut self) {
        for (number, position) in self.mirror.exact().to_vec().into_iter().enumerate() {
            let account = self.addresses.accounts[number];
            let pool = self.addresses.pool;
            let shares = self.ask_contract(pool, &ILendingPool::debtSharesOfCall { account });
            let collateral = self.ask_contract(
                pool,
                &ILendingPool::collateralOfCall {
                    account,
                    collateralId: U256::ZERO,
                },
            );
            assert_eq!(
                (shares, collateral),
                (position.debt_shares, position.collateral),
                "account {number}"
            );
        }
    }

    /// The venue's full-range liquidity is worth at least its virtual reserves: k never falls.
    fn assert_venue_is_whole(&mut self) {
        let venue = self.venue.state(&self.chain).unwrap();
        let pool = self.venue.pool();
        for (token, unit, reserve) in [
            (self.addresses.collateral, 1e18, venue.collateral_reserve()),
            (
                self.addresses.asset,
                1e6,
                venue.liquidity * venue.sqrt_price,
            ),
        ] {
            let balance =
                f64::from(self.ask_contract(token, &SimToken::balanceOfCall { owner: pool }))
                    / unit;
            // The range ends at ticks ±887,220, not at zero and infinity.
            assert!(balance >= reserve * (1.0 - 1e-9), "{balance} of {reserve}");
        }
    }
}

fn audit(kind: WorldKind) -> (usize, bool) {
    let (parameters, input) = (parameters(), input());
    let mut world = World::new(&parameters, &input, kind, SEED).unwrap();
    world.assert_mirror_is_exact();
    world.assert_books_balance();
    for (number, account) in input.accounts.iter().enumerate() {
        let owner = world.addresses.accounts[number];
        let pool = world.addresses.pool;
        let debt = world.ask_contract(pool, &ILendingPool::debtOfCall { account: owner });
        // As in the input, to the wei; a debt is rounded up by one.
        let expected = crate::units::to_base(account.debt, crate::units::DEBT_UNIT);
        assert!(
            debt >= expected && debt <= expected + U256::from(1),
            "account {number}: {debt} for {expected}"
        );
    }
    let start = world.start_row();
    for price in [
        start.fast_price,
        start.slow_price,
        start.confirm_price,
        start.venue_price,
        start.reference_price,
    ] {
        assert!((price / input.prices[0] - 1.0).abs() < 1e-4, "{start:?}");
    }
    assert_eq!(start.breaker_level, 0);

    let mut liquidations = Vec::new();
    for block in 1..=BLOCKS as u64 {
        world.step(block, &mut liquidations).unwrap();
        if block % 20 == 0 {
            world.assert_books_balance();
        }
    }
    world.assert_tokens_add_up();
    world.assert_books_balance();
    world.assert_mirror_is_exact();
    world.assert_venue_is_whole();
    (
        liquidations.len(),
        liquidations.iter().any(|row| row.settlement),
    )
}

#[test]
fn t10_rigid_world_conserves() {
    let (liquidations, _) = audit(WorldKind::Policy(Policy::Rigid));
    assert!(liquidations > 10, "{liquidations}");
}

#[test]
fn t10_target_health_world_conserves() {
    let (liquidations, _) = audit(WorldKind::Policy(Policy::TargetHealth));
    assert!(liquidations > 10, "{liquidations}");
}

#[test]
fn t10_damped_world_conserves_and_settles() {
    let (liquidations, settled) = audit(WorldKind::Policy(Policy::Damped));
    assert!(liquidations > 10 && settled, "{liquidations}");
}

#[test]
fn t10_counterfactual_world_conserves() {
    let (liquidations, _) = audit(WorldKind::Counterfactual);
    assert!(liquidations > 10, "{liquidations}");
}
