//! What is bought of its inventory, at which price, and when a sale is started.

use alloy_sol_types::SolCall;
use breakwater_bindings::IBackstopPool;
use breakwater_protocol::Reading;

use super::super::*;
use super::world::*;
use crate::execute::call_of;

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
