//! Tests of what is done for a backstop: positions taken, settlements, and what is left to others.

mod sales;
mod world;

use alloy_sol_types::SolCall;
use breakwater_bindings::{FlashLiquidator, IBackstopPool};
use breakwater_protocol::policy::{DampedParameters, DampedPolicy, Policy};

use super::super::candidates::observation;
use super::*;
use crate::execute::left;
use crate::planner::{NoOrders, Strategy};
use crate::thought::Verdict;
use world::*;

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

/// It has all of the venue, of which those before it take a part: it would be bid for as if they were not there.
#[test]
fn a_liquidation_tried_alone_leaves_no_more_than_was_planned() {
    let mut world = World::new(2, 50, 0);
    let [first, second]: [Planned; 2] = world.plan().actions.try_into().unwrap();
    assert_eq!(second.kind, ActionKind::Liquidate);
    assert!(second.surplus < first.surplus - 1.0, "{second:?}");
    // The same as behind an order that is out.
    world.claims = vec![first.claims];
    let behind = world.plan().actions.remove(0);
    assert!((behind.surplus - second.surplus).abs() < 1e-9, "{behind:?}");
    let strategy = planner().strategy().clone();
    let trial = |profit: f64| {
        let profit = U256::from((profit * 1e6) as u64) * U256::from(10).pow(U256::from(12));
        let answer = FlashLiquidator::liquidateCall::abi_encode_returns(&profit);
        left(
            &world.system,
            &strategy,
            &world.reading,
            &second,
            &answer.into(),
        )
        .unwrap()
    };
    assert_eq!(trial(first.surplus), second.surplus);
    assert!((trial(1.5) - 1.5).abs() < 1e-6);
}

/// What is out has earlier nonces, and is not in the state that is planned on: it reverted what was planned as if it were not there.
#[test]
fn what_is_in_no_block_yet_is_sold_before() {
    let mut world = World::new(2, 50, 0);
    let undisturbed = world.plan().actions;
    let [first, second] = &undisturbed[..] else {
        panic!("{undisturbed:?}")
    };
    assert!(first.claims.sold > 0.0 && first.claims.sold == second.claims.sold);
    world.claims = vec![first.claims.and(second.claims)];
    let behind = world.plan().actions;
    let venue = world.reading.markets[0].venue.unwrap();
    let sale = |sold| venue.sell(sold).0;
    let (sold, out) = (behind[0].claims.sold, world.claims[0].sold);
    let lost = sale(sold) - (sale(out + sold) - sale(out));
    let surplus = undisturbed[0].surplus - lost;
    assert!(
        lost > 1.0 && (behind[0].surplus - surplus).abs() < 1e-6,
        "{behind:?}"
    );
    // As much as the venue takes at a profit.
    world.claims[0].sold = 1e9;
    assert!(world.plan().actions.is_empty());
    // Of a collateral that is kept nothing is sold.
    let keeps = Planner::new(Strategy {
        capital: Capital::Inventory,
        ..planner().strategy().clone()
    });
    world.reading.inventory = Some(tokens(1_000_000));
    let kept = world.plan_by(&keeps, &mut NoOrders).actions;
    assert!(
        kept.iter()
            .any(|action| action.kind == ActionKind::Liquidate),
        "{kept:?}"
    );
    assert!(kept.iter().all(|action| action.claims.sold == 0.0));
}

#[test]
fn what_is_in_no_block_yet_takes_from_the_bucket_before() {
    let mut world = World::new(1, 50, 0);
    world.system.policy = Policy::Damped(DampedPolicy::new(DampedParameters::default()).unwrap());
    let (level, depth) = (tokens(200_000), tokens(100_000));
    world.hear_of_the_bucket(level, depth);
    let left = |claims: Vec<Claims>| {
        let moment = world.mirror.moment(&world.reading.prices(), START + 24);
        let sight = Sight {
            system: &world.system,
            mirror: &world.mirror,
            reading: &world.reading,
            moment: &moment.unwrap(),
            inclusion_tip: 0.01,
            anchor_hash: B256::ZERO,
            claims: &claims,
        };
        observation(&sight, 0, Capital::Flash).bucket
    };
    let whole = left(Vec::new());
    assert!(whole > 400.0 && whole < 200_000.0, "{whole}");
    let out = |charged| Claims { sold: 0.0, charged };
    assert_eq!(left(vec![out(400.0)]), whole - 400.0);
    assert_eq!(left(vec![out(whole + 1.0)]), 0.0);
    assert_eq!(left(vec![Claims::default(), out(400.0)]), whole);
}

/// Several orders for what one could have of it would go out in the first block of the first fall, and all but one revert.
#[test]
fn a_bucket_that_was_never_used_is_shared_as_it_opens() {
    let mut world = World::new(3, 50, 0);
    world.system.policy = Policy::Damped(DampedPolicy::new(DampedParameters::default()).unwrap());
    // So thin a venue that the bucket opens with less than all three want.
    world.reading.markets[0].depth = tokens(4_000);
    let actions = world.plan().actions;
    let liquidations = actions
        .iter()
        .filter(|action| action.kind == ActionKind::Liquidate);
    let charged: f64 = liquidations.map(|action| action.claims.charged).sum();
    let thoughts = &world.plan().thoughts;
    let one = whole(thoughts[0].repay, 18);
    assert!(
        charged > 0.0 && charged <= one * (1.0 + 1e-9),
        "{charged} of {one}: {actions:?}"
    );
}
