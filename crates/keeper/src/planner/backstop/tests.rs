//! Tests of what is done for a backstop, on a market that is written down by hand: prices of 100, tokens of 18 decimals.

use alloy_primitives::{I256, Log};
use alloy_sol_types::{SolCall, SolEvent};
use breakwater_bindings::{IBackstopPool, LendingPool};
use breakwater_protocol::policy::{BreakerLevel, Policy, RigidPolicy};
use breakwater_protocol::{BlockRef, Description, Mirror, MirroredPolicy, RateParameters, Reading};

use super::*;
use crate::execute::{call_of, left};
use crate::planner::{NoOrders, Strategy};
use crate::reading::{BackstopReading, MarketReading, NextBlock};
use crate::system::{Backstop, Listed, Token};
use crate::thought::Verdict;

const POOL: Address = Address::repeat_byte(1);
const POLICY: Address = Address::repeat_byte(2);
const BACKSTOP: Address = Address::repeat_byte(0xb5);
const START: u64 = 1_700_000_000;

/// So many tokens, base units.
fn tokens(whole: u64) -> U256 {
    U256::from(whole) * WAD
}

fn price(of: u64) -> U256 {
    U256::from(of) * WAD * WAD
}

/// A pool with one collateral of LT 80%, in which accounts with 1,000 of it owe 83,000 each.
struct World {
    system: System,
    mirror: Mirror,
    reading: HeadReading,
}

/// Five of a thousand, at a price; the clock is void where it has not come below the fast price.
fn for_sale(asked: U256) -> SaleReading {
    SaleReading {
        price: asked,
        available: tokens(5),
        inventory: tokens(1_000),
        void: asked >= price(100),
    }
}

fn account(number: u8) -> Address {
    Address::repeat_byte(0xa0 + number)
}

impl World {
    /// `bonus` is what the rigid policy behind pays, in thousandths; `room` is in whole tokens.
    fn new(accounts: u8, bonus: u64, room: u64) -> Self {
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
        }
    }

    /// Every price at `of`, the venue's too.
    fn at(mut self, of: u64) -> Self {
        for market in &mut self.reading.markets {
            market.prices = Reading::flat(price(of));
            if let Some(venue) = &mut market.venue {
                venue.sqrt_price = (of as f64).sqrt();
            }
        }
        self
    }

    fn sale(mut self, asked: U256, spendable: u64) -> Self {
        let backstop = self.reading.backstop.as_mut().unwrap();
        backstop.spendable = tokens(spendable);
        backstop.sales[0] = for_sale(asked);
        self
    }

    /// A second collateral like the first, of which every account has as much, and owes as much more.
    fn with_a_second_collateral(mut self, accounts: u8) -> Self {
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

    fn plan(&mut self) -> Plan {
        self.plan_by(&planner(), &mut NoOrders)
    }

    fn plan_by(&mut self, planner: &Planner, orders: &mut dyn Orders) -> Plan {
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
        };
        planner.plan(&sight, &accounts, orders).unwrap()
    }

    fn kinds(&mut self) -> Vec<ActionKind> {
        self.plan()
            .actions
            .iter()
            .map(|action| action.kind)
            .collect()
    }

    fn offer(&mut self, room: U256) -> Option<Offer> {
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
        };
        planner().offer(&sight, account(0), 0, &health, room)
    }
}

fn planner() -> Planner {
    Planner::new(Strategy {
        us: Address::repeat_byte(9),
        capital: Capital::Flash,
        min_profit: 1.0,
        risk_margin: 0.002,
        max_gas_price: 1e6,
        count: 1,
    })
}

fn description() -> Description {
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
fn mirror(description: Description, accounts: u8, collaterals: u8) -> Mirror {
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

fn reading(room: u64) -> HeadReading {
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

#[test]
fn what_others_are_refused_is_absorbed() {
    let mut world = World::new(1, 15, 1_000_000);
    let plan = world.plan();
    assert_eq!(plan.thoughts[0].refusal, Refusal::Backstop);
    assert_eq!(plan.thoughts[0].verdict, Verdict::Planned);
    let action = &plan.actions[0];
    assert_eq!((plan.actions.len(), action.kind), (1, ActionKind::Absorb));
    assert_eq!((action.repay, action.account), (U256::ZERO, account(0)));
    // A tenth of 1.5% of what is repaid, over what it is worth.
    let offered = plan.thoughts[0].backstop.unwrap();
    let spent = whole(offered.spends, 18);
    assert!(
        (offered.pay - 0.1 * 0.015 * spent).abs() < 1e-6,
        "{offered:?}"
    );
    assert!((action.surplus - offered.pay).abs() < 1e-12);
    // Where it has nothing to spend nobody is refused.
    assert_eq!(World::new(1, 15, 0).kinds(), [ActionKind::Liquidate]);
}

#[test]
fn an_own_liquidation_that_leaves_more_is_preferred() {
    // 5% of our own against a tenth of 2%.
    let mut world = World::new(1, 50, 1_000_000);
    assert!(world.offer(tokens(1_000_000)).is_some());
    assert_eq!(world.kinds(), [ActionKind::Liquidate]);
    // Without a venue there is no flash.
    world.reading.markets[0].venue = None;
    assert_eq!(world.kinds(), [ActionKind::Absorb]);
}

#[test]
fn several_positions_share_what_it_can_spend() {
    let mut world = World::new(3, 15, 1_000_000);
    let one = world.offer(tokens(1_000_000)).unwrap().spends;
    assert_eq!(world.kinds(), [ActionKind::Absorb; 3]);
    let part = world.offer(one / U256::from(2)).unwrap();
    assert_eq!(part.spends, one / U256::from(2));
    // Enough for one, and a tenth of a token more, whose reward does not pay the gas.
    world.reading.backstop.as_mut().unwrap().absorbable = one + WAD / U256::from(10);
    let plan = world.plan();
    let absorbed = plan
        .actions
        .iter()
        .filter(|one| one.kind == ActionKind::Absorb);
    assert_eq!(absorbed.count(), 1);
    let left = plan
        .thoughts
        .iter()
        .filter(|one| one.verdict != Verdict::Planned);
    assert_eq!(left.count(), 2, "{:?}", plan.thoughts);
}

#[test]
fn a_reward_below_its_gas_is_left_and_said() {
    let mut world = World::new(1, 15, 1_000_000);
    // 260,000 gas at 10 gwei and a coin at 100: 0.26 at first, 260 then.
    world.reading.next.base_fee *= 1_000;
    let plan = world.plan();
    assert!(plan.actions.is_empty(), "{:?}", plan.actions);
    let Verdict::Unprofitable { profit } = plan.thoughts[0].verdict else {
        panic!("{:?}", plan.thoughts[0].verdict)
    };
    assert!(profit < -100.0, "{profit}");
    // Above the most that may be paid for gas nothing is weighed.
    world.reading.next.base_fee *= 1_000;
    let plan = world.plan();
    assert!(plan.actions.is_empty());
    assert!(
        matches!(
            plan.thoughts[0].verdict,
            Verdict::Refused(Refusal::Backstop)
        ),
        "{:?}",
        plan.thoughts[0].verdict
    );
}

#[test]
fn a_slow_price_that_stands_in_is_not_absorbed_at() {
    let mut world = World::new(1, 15, 1_000_000);
    let prices = &mut world.reading.markets[0].prices;
    prices.status = PriceStatus::Degraded;
    assert!(world.offer(tokens(1_000_000)).is_none());
    world.reading.markets[0].prices.slow += U256::ONE;
    assert!(world.offer(tokens(1_000_000)).is_some());
}

#[test]
fn what_is_insolvent_is_settled_if_it_pays_all_of_it() {
    // Worth 80,000, it costs 77,670; the keeper gets a tenth of 2,330.
    let mut world = World::new(1, 15, 1_000_000).at(80);
    let offer = world.offer(tokens(77_670)).unwrap();
    assert_eq!(offer.kind, ActionKind::SettleByBackstop);
    assert!((offer.pay - 233.0).abs() < 0.1, "{offer:?}");
    assert!(world.offer(tokens(77_669)).is_none());
    // A deep venue leaves a flash more than that, a shallow one nothing.
    assert_eq!(world.kinds(), [ActionKind::Settle]);
    world.reading.markets[0].venue.as_mut().unwrap().liquidity = 1e5;
    assert_eq!(world.kinds(), [ActionKind::SettleByBackstop]);
}

#[test]
fn inventory_is_bought_below_the_venue_and_its_sale_started_above() {
    let at = |thousandths: u64| price(100) * U256::from(thousandths) / U256::from(1_000);
    let kinds = |asked, spendable| World::new(0, 15, 0).sale(asked, spendable).kinds();
    assert_eq!(kinds(at(990), 10_000), [ActionKind::BuyInventory]);
    // The venue's fee and the margin are a quarter of a percent.
    assert_eq!(kinds(at(998), 10_000), []);
    assert_eq!(kinds(at(1_010), 10_000), [ActionKind::ObserveSale]);
    assert_eq!(
        kinds(at(1_010), 100),
        [],
        "half a percent of 100 is no profit"
    );
    assert_eq!(kinds(at(990), 0), []);
    assert_eq!(kinds(U256::ZERO, 10_000), [], "it is closed");
    let plan = World::new(0, 15, 0).sale(at(990), 10_000).plan();
    let action = &plan.actions[0];
    assert_eq!((action.account, action.amount), (BACKSTOP, tokens(5)));
    // What is asked for 5 of them at the price of now, and 0.08% more.
    assert_eq!(action.repay, tokens(495) + tokens(396) / U256::from(1_000));
    // No more than can be paid, should the price rise as much.
    let plan = World::new(0, 15, 0).sale(at(990), 198).plan();
    let action = &plan.actions[0];
    let bought = whole(action.amount, 18);
    assert!((bought - 2.0 / 1.000_8).abs() < 1e-9, "{bought}");
    assert!(action.repay <= tokens(198), "{}", action.repay);
}

#[test]
fn before_its_policy_is_set_it_settles_and_sells_and_absorbs_nothing() {
    let mut world = World::new(1, 15, 1_000_000);
    world.system.backstop.as_mut().unwrap().policy = None;
    assert!(world.offer(tokens(1_000_000)).is_none());
    assert_eq!(world.kinds(), [ActionKind::Liquidate]);
    let mut world = world.at(80);
    let offer = world.offer(tokens(1_000_000)).unwrap();
    assert_eq!(offer.kind, ActionKind::SettleByBackstop);
}

#[test]
fn what_a_settlement_may_come_to_take_of_us_is_kept_for_it_and_priced_in() {
    let mut world = World::new(1, 15, 1_000_000).at(80);
    world.reading.markets[0].venue.as_mut().unwrap().liquidity = 1e5;
    let mut world = world.sale(price(79), 10_000);
    let plan = world.plan();
    let kinds: Vec<ActionKind> = plan.actions.iter().map(|action| action.kind).collect();
    assert_eq!(kinds, [ActionKind::SettleByBackstop]);
    assert_eq!(plan.actions[0].repay, tokens(10_000));
    // Above what it costs the rest is free to buy with.
    let plan = world.sale(price(79), 90_000).plan();
    let spent: Vec<(ActionKind, bool)> = plan
        .actions
        .iter()
        .map(|action| (action.kind, action.repay > tokens(77_669)))
        .collect();
    assert_eq!(spent.len(), 2, "{spent:?}");
    assert!(spent.contains(&(ActionKind::SettleByBackstop, true)));
    assert!(spent.contains(&(ActionKind::BuyInventory, false)));

    // Where the venue gives 76, all of it is worth 76,000: to pay 77,670 for that is a loss of 1,670.
    let mut world = World::new(1, 15, 1_000_000).at(80);
    world.reading.markets[0].prices.confirm = price(76);
    let unspent = world.offer(tokens(77_670)).unwrap();
    assert!(unspent.pay > 200.0 && unspent.own.is_zero(), "{unspent:?}");
    world.reading.backstop.as_mut().unwrap().spendable = tokens(1_000_000);
    let exposed = world.offer(tokens(77_670)).unwrap();
    assert!((exposed.pay + 1_670.0).abs() < 1.0, "{exposed:?}");
    assert!(exposed.gross < exposed.pay);
}

#[test]
fn inventory_counts_for_no_more_than_the_fast_and_the_venues_average_price() {
    let asked = price(99);
    assert_eq!(
        World::new(0, 15, 0).sale(asked, 10_000).kinds(),
        [ActionKind::BuyInventory]
    );
    // The venue shows 100 just now, and had 98; or the sources say so.
    for lower in [
        |prices: &mut Reading| prices.confirm = price(98),
        |prices: &mut Reading| prices.fast = price(98),
    ] {
        let mut world = World::new(0, 15, 0).sale(asked, 100);
        lower(&mut world.reading.markets[0].prices);
        assert_eq!(world.kinds(), []);
        let one = outlet(&world.system, &world.reading, 0).sell(1.0).0;
        assert!(one < 98.0, "{one}");
    }
}

#[test]
fn a_sale_whose_clock_runs_is_not_paid_for_to_be_started_again() {
    // Its price is not below the fast one: without a markup it begins there, with one it passes it in the middle.
    for asked in [price(100), price(101)] {
        let mut world = World::new(0, 15, 0).sale(asked, 10_000);
        assert_eq!(world.kinds(), [ActionKind::ObserveSale]);
        world.reading.backstop.as_mut().unwrap().sales[0].void = false;
        assert_eq!(world.kinds(), []);
    }
}

#[test]
fn a_sale_of_what_has_no_depth_is_not_paid_for_to_be_started() {
    let mut world = World::new(0, 15, 0).sale(price(101), 10_000);
    world.reading.markets[0].depth = U256::ZERO;
    assert_eq!(world.kinds(), []);
}

/// What the contract asks for `amount`.
fn asked_for(amount: U256, price: U256) -> U256 {
    mul_div_up(amount, price, PRICE_SCALE).unwrap()
}

/// The purchase that is planned at `asked`, as it is sent, whatever gas costs by then.
fn bought_at(asked: U256) -> IBackstopPool::buyCall {
    let mut world = World::new(0, 15, 0).sale(asked, 10_000);
    let planned = world.plan().actions.remove(0);
    let strategy = planner().strategy().clone();
    let call = call_of(&world.system, &strategy, &planned, tokens(1)).unwrap();
    IBackstopPool::buyCall::abi_decode(&call.data).unwrap()
}

/// `price` and so many parts in 100,000 of it.
fn raised(price: U256, parts: u64) -> U256 {
    price + price * U256::from(parts) / U256::from(100_000)
}

#[test]
fn what_others_purchases_lift_the_price_by_is_paid_and_no_more() {
    let decided = price(100) * U256::from(990) / U256::from(1_000) + U256::ONE;
    let call = bought_at(decided);
    assert_eq!(call.maxAmount, tokens(5));
    let most = call.maxPaid;
    // Dust moves the clock by a microsecond, a whole release by 24 seconds of the default auction; sub-second slots by one.
    for parts in [0, 1, 4, 79] {
        let risen = raised(decided, parts);
        assert!(asked_for(call.maxAmount, risen) <= most, "{parts}");
    }
    // More is still below the venue by more than fee and margin; it was not decided on.
    let risen = raised(decided, 81);
    assert!(asked_for(call.maxAmount, risen) > most);
    assert_eq!(
        World::new(0, 15, 0).sale(risen, 10_000).kinds(),
        [ActionKind::BuyInventory]
    );
}

#[test]
fn a_price_that_rose_is_paid_only_as_far_as_margin_and_least_profit_are_left() {
    let mut cut = 0;
    for parts in 9_900..9_980 {
        let decided = price(100) * U256::from(parts) / U256::from(10_000);
        let mut world = World::new(0, 15, 0).sale(decided, 10_000);
        world.reading.backstop.as_mut().unwrap().sales[0].available = tokens(50);
        for planned in world.plan().actions {
            let exact = asked_for(planned.amount, decided);
            let lift = whole(planned.repay - exact, 18);
            let left = planned.expected - lift;
            assert!(left > planner().strategy().min_profit - 1e-9, "{left}");
            assert!(lift < 0.000_8 * whole(exact, 18) + 1e-9, "{lift}");
            cut += u32::from(lift < 0.000_79 * whole(exact, 18));
        }
    }
    assert!(cut > 0);
}

#[test]
fn of_two_collaterals_one_is_absorbed_and_both_are_settled() {
    let mut world = World::new(1, 15, 1_000_000).with_a_second_collateral(1);
    let one = World::new(1, 15, 1_000_000).plan().actions.remove(0);
    let plan = world.plan();
    assert_eq!((plan.thoughts.len(), plan.actions.len()), (1, 1));
    let action = &plan.actions[0];
    assert_eq!(action.kind, ActionKind::Absorb);
    assert_eq!(action.gas, one.gas + 25_000, "both are priced");
    // To the target it takes twice as much of one of them as where that is all.
    let spends = |plan: &Plan| plan.thoughts[0].backstop.unwrap().spends;
    let alone = World::new(1, 15, 1_000_000).plan();
    assert!(spends(&plan) > spends(&alone) * U256::from(19) / U256::from(10));
    // Of one whose fast price is missing nothing is taken: the other is.
    for (missing, other) in [(0, 1), (1, 0)] {
        let mut world = World::new(1, 15, 1_000_000).with_a_second_collateral(1);
        world.reading.markets[missing].prices.status = PriceStatus::Degraded;
        let plan = world.plan();
        let taken: Vec<(ActionKind, u32)> = plan
            .actions
            .iter()
            .map(|action| (action.kind, action.collateral))
            .collect();
        assert_eq!(taken, [(ActionKind::Absorb, other)]);
    }

    // Worth 160,000 together: twice what one is settled for, and twice the reward.
    let mut world = World::new(1, 15, 1_000_000)
        .with_a_second_collateral(1)
        .at(80);
    for market in &mut world.reading.markets {
        market.venue.as_mut().unwrap().liquidity = 1e5;
    }
    let offer = world.offer(tokens(155_340)).unwrap();
    assert_eq!(offer.kind, ActionKind::SettleByBackstop);
    assert!((offer.pay - 466.0).abs() < 0.2, "{offer:?}");
    assert!(world.offer(tokens(155_339)).is_none());
    assert_eq!(world.kinds(), [ActionKind::SettleByBackstop]);
}

#[test]
fn of_two_sales_the_better_is_bought_first_and_either_is_started() {
    let at = |thousandths: u64| price(100) * U256::from(thousandths) / U256::from(1_000);
    let done = |asked: [U256; 2], spendable| {
        let mut world = World::new(0, 15, 0).with_a_second_collateral(0);
        let backstop = world.reading.backstop.as_mut().unwrap();
        backstop.spendable = tokens(spendable);
        backstop.sales = asked.map(for_sale).to_vec();
        let plan = world.plan();
        let spent: U256 = plan.actions.iter().map(|action| action.repay).sum();
        assert!(spent <= tokens(spendable), "{spent}");
        let mut done: Vec<(ActionKind, u32)> = plan
            .actions
            .iter()
            .map(|action| (action.kind, action.collateral))
            .collect();
        done.sort_by_key(|(_, collateral)| *collateral);
        done
    };
    use ActionKind::{BuyInventory, ObserveSale};
    // Enough for both; five of each are some 495.
    let both = done([at(990), at(985)], 10_000);
    assert_eq!(both, [(BuyInventory, 0), (BuyInventory, 1)]);
    assert_eq!(done([at(990), at(985)], 490), [(BuyInventory, 1)]);
    assert_eq!(done([at(985), at(990)], 490), [(BuyInventory, 0)]);
    // One is bought, the other's clock is started, whichever comes first.
    let expected = [(ObserveSale, 0), (BuyInventory, 1)];
    assert_eq!(done([at(1_010), at(990)], 10_000), expected);
    let expected = [(BuyInventory, 0), (ObserveSale, 1)];
    assert_eq!(done([at(990), at(1_010)], 10_000), expected);
    // One is closed.
    assert_eq!(done([U256::ZERO, at(990)], 10_000), [(BuyInventory, 1)]);
}

/// Something of the first collateral's sale is in no block yet.
struct FirstSaleWaits;

impl Orders for FirstSaleWaits {
    fn waiting(&self, account: Address, _: ActionKind) -> bool {
        account == BACKSTOP
    }

    fn sale_waiting(&self, _: Address, collateral: u32) -> bool {
        collateral == 0
    }

    fn free(&mut self, subject: &Subject) -> Option<B256> {
        Some(subject.id(0))
    }

    fn funds(&self) -> Option<U256> {
        None
    }
}

#[test]
fn an_order_of_one_sale_does_not_hold_up_the_other() {
    let mut world = World::new(0, 15, 0).with_a_second_collateral(0);
    let backstop = world.reading.backstop.as_mut().unwrap();
    backstop.spendable = tokens(10_000);
    let asked = price(100) * U256::from(990) / U256::from(1_000);
    backstop.sales = vec![for_sale(asked); 2];
    let plan = world.plan_by(&planner(), &mut FirstSaleWaits);
    let done: Vec<(ActionKind, u32)> = plan
        .actions
        .iter()
        .map(|action| (action.kind, action.collateral))
        .collect();
    assert_eq!(done, [(ActionKind::BuyInventory, 1)]);
}

/// One liquidation of the epoch was ordered before.
struct NoLiquidation;

impl Orders for NoLiquidation {
    fn waiting(&self, _: Address, _: ActionKind) -> bool {
        false
    }

    fn sale_waiting(&self, _: Address, _: u32) -> bool {
        false
    }

    fn free(&mut self, subject: &Subject) -> Option<B256> {
        (subject.kind != ActionKind::Liquidate).then(|| subject.id(0))
    }

    fn funds(&self) -> Option<U256> {
        None
    }
}

#[test]
fn an_offer_is_taken_up_where_an_own_liquidation_comes_to_nothing() {
    // 5% of our own against a tenth of 2%.
    let mut world = World::new(1, 50, 1_000_000);
    let plan = world.plan_by(&planner(), &mut NoLiquidation);
    let kinds: Vec<ActionKind> = plan.actions.iter().map(|action| action.kind).collect();
    assert_eq!(kinds, [ActionKind::Absorb]);
    assert_eq!(plan.thoughts[0].verdict, Verdict::Planned);
    // Nor is it kept waiting for debt tokens that are not there.
    let strategy = Strategy {
        capital: Capital::Inventory,
        ..planner().strategy().clone()
    };
    let with_inventory = Planner::new(strategy);
    for (held, expected) in [(0, ActionKind::Absorb), (1_000_000, ActionKind::Liquidate)] {
        world.reading.inventory = Some(tokens(held));
        let plan = world.plan_by(&with_inventory, &mut NoOrders);
        let kinds: Vec<ActionKind> = plan.actions.iter().map(|action| action.kind).collect();
        assert_eq!(kinds, [expected], "{held}");
    }
}

#[test]
fn a_trial_with_all_of_the_room_leaves_no_more_than_was_planned_with_a_part() {
    let mut world = World::new(1, 15, 1_000_000);
    let planned = world.plan().actions.remove(0);
    let worth = |reward: U256| {
        let result = IBackstopPool::AbsorptionResult {
            repaid: tokens(1),
            kept: tokens(1),
            reward,
        };
        let answer = IBackstopPool::absorbCall::abi_encode_returns(&result);
        let strategy = planner().strategy().clone();
        left(
            &world.system,
            &strategy,
            &world.reading,
            &planned,
            &answer.into(),
        )
        .unwrap()
    };
    assert_eq!(worth(tokens(1_000)), planned.surplus);
    // Less than was planned stays less.
    let one = worth(WAD / U256::from(100));
    assert!((one - 1.0).abs() < 1e-9 && one < planned.surplus, "{one}");
}
