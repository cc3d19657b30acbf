//! Keepers that repay with debt tokens of their own, with too few of them, and with too little to pay for gas. Judged by the chain.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

#[path = "harness/due.rs"]
mod due;
mod harness;

use alloy::providers::Provider;
use alloy::providers::ext::AnvilApi;
use alloy_primitives::{Address, I256, U256};
use breakwater_bindings::SimToken;
use breakwater_deploy::local::{DEBT_DECIMALS, tokens};
use breakwater_keeper::drill::accounts::{Closing, Sent};
use breakwater_keeper::units::{whole, whole_signed};
use breakwater_operator::status::{BidState, PendingBid, Status};
use due::owner;
use harness::{Keeper, Setup, World};

/// The keeper's account.
const PLACE: usize = 5;

/// The price at [`due::FALLEN`].
const FALLEN_PRICE: f64 = 1_560.0;

/// What the two positions that fall owe, and more: no liquidation of them is short of it.
const PLENTY: u64 = 100_000;

/// Less than the first liquidation takes.
const LITTLE: u64 = 4_000;

fn with_inventory() -> Setup {
    let alone = Setup::alone(PLACE);
    Setup {
        more: format!("{}capital = \"inventory\"\n", alone.more),
        ..alone
    }
}

/// Gives the keeper's account debt tokens.
async fn fund(world: &World, whole: u64) {
    let mint = SimToken::mintCall {
        to: world.account(PLACE),
        amount: tokens(whole, DEBT_DECIMALS),
    };
    let asset = world.market.deployment().asset;
    world
        .act(async {
            Ok(world
                .market
                .send(world.market.operator(), asset, &mint)
                .await?)
        })
        .await;
}

/// Lets the pool take debt tokens of the keeper's account.
async fn approve(world: &World, amount: U256) {
    let approve = SimToken::approveCall {
        spender: world.pool(),
        amount,
    };
    let asset = world.market.deployment().asset;
    world
        .act(async {
            Ok(world
                .market
                .send(world.account(PLACE), asset, &approve)
                .await?)
        })
        .await;
}

/// What the keeper's account has of a token, base units.
async fn held(world: &World, token: Address) -> U256 {
    let owner = world.account(PLACE);
    world
        .view_of(token, SimToken::balanceOfCall { owner })
        .await
}

async fn debt_tokens(world: &World) -> U256 {
    held(world, world.market.deployment().asset).await
}

/// What the keeper sent from block `from` on; nothing of it may have reverted.
async fn sent(world: &World, from: u64) -> (Vec<Sent>, Vec<Closing>) {
    let sent = due::sent_by(world, PLACE, from).await;
    assert!(sent.iter().all(|one| one.success), "{sent:#?}");
    let closings = sent.iter().flat_map(|one| one.closings.clone()).collect();
    (sent, closings)
}

/// Why the keeper does not act on an account.
fn why_not(status: &Status, account: Address) -> String {
    let mut positions = status.positions.iter();
    let found = positions.find(|position| position.account == account);
    found
        .and_then(|found| found.why_not.clone())
        .unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn inventory_is_spent_and_what_is_seized_is_kept() {
    let world = World::start().await;
    due::open(&world, owner(1)).await;
    fund(&world, PLENTY).await;
    approve(&world, U256::MAX).await;
    let keeper = Keeper::start(&world, &with_inventory()).await;
    let collateral = world.market.collateral().token;
    let (debt_before, before) = (debt_tokens(&world).await, held(&world, collateral).await);
    let from = world.head().await + 1;
    due::fall(&world).await;
    due::until_liquidated(&world, &keeper, owner(1), from).await;

    let (sent, closings) = sent(&world, from).await;
    let repaid: U256 = closings.iter().map(|one| one.repaid).sum();
    let seized: U256 = closings.iter().map(|one| one.seized).sum();
    // It paid what was repaid and nothing else, and kept what was seized.
    assert_eq!(debt_before - debt_tokens(&world).await, repaid);
    assert_eq!(held(&world, collateral).await - before, seized);
    let earned = sent.iter().fold(I256::ZERO, |sum, one| sum + one.earned);
    assert_eq!(-earned, I256::from_raw(repaid));
    let gas: f64 = sent.iter().map(|one| whole(one.gas, 18)).sum::<f64>() * FALLEN_PRICE;
    let gross = whole(seized, 18) * FALLEN_PRICE + whole_signed(earned, DEBT_DECIMALS);
    println!(
        "{} parts: {gross:.2} before gas of {gas:.2}",
        closings.len()
    );
    assert!(gross > gas, "{gross} {gas}");
    // The bonus, and nothing but the bonus, at the feed's price.
    let bonus: f64 = closings
        .iter()
        .map(|one| whole(one.repaid, DEBT_DECIMALS) * whole(one.bonus, 18))
        .sum();
    assert!((gross - bonus).abs() < 0.01, "{gross} {bonus}");

    // What is final is in the keeper's books, at the same prices. What takes an order back costs gas and is no success: the market does
    // not wait for the keeper while the price falls, and an order may expire before it is included.
    due::mine(&world, &keeper, 66).await;
    let succeeded = sent.iter().filter(|one| !one.cancels).count();
    let status = keeper
        .wait("has it in its books", |status| {
            status.profit.succeeded == succeeded as u64
        })
        .await;
    assert_eq!(status.profit.reverted, 0);
    let off = (status.profit.net - (gross - gas)).abs();
    assert!(off < 0.005 * gross, "{:?}: {gross} {gas}", status.profit);
}

/// What limits the keeper.
#[derive(Clone, Copy, Debug)]
enum Short {
    Balance,
    Approval,
}

/// Two positions are due, and there are too few debt tokens for one.
async fn repays_what_it_can_and_says_so(short: Short) {
    let world = World::start().await;
    let owners = [owner(1), owner(2)];
    for owner in owners {
        due::open(&world, owner).await;
    }
    let little = tokens(LITTLE, DEBT_DECIMALS);
    match short {
        Short::Balance => {
            fund(&world, LITTLE).await;
            approve(&world, U256::MAX).await;
        }
        Short::Approval => {
            fund(&world, PLENTY).await;
            approve(&world, little).await;
        }
    }
    let mut keeper = Keeper::start(&world, &with_inventory()).await;
    let before = debt_tokens(&world).await;
    let from = world.head().await + 1;
    due::fall(&world).await;
    world
        .run(
            &[&keeper],
            40,
            "all that may be spent is spent",
            async || before - debt_tokens(&world).await == little,
        )
        .await;
    due::mine(&world, &keeper, 5).await;
    let (first, closings) = sent(&world, from).await;
    let repaid: U256 = closings.iter().map(|one| one.repaid).sum();
    assert_eq!(repaid, little, "{closings:?}");
    assert!(!due::is_healthy(&world, owners[0]).await || !due::is_healthy(&world, owners[1]).await);
    let status = keeper.planned_on(world.head().await).await;
    for owner in owners {
        if !due::is_healthy(&world, owner).await {
            let said = why_not(&status, owner);
            assert!(said.contains("debt tokens"), "{owner}: {said}");
        }
    }
    println!("{short:?}: {} transactions, then it waits", first.len());

    // It goes on once it may spend more.
    match short {
        Short::Balance => fund(&world, PLENTY).await,
        Short::Approval => {
            // With its own key: it must not find a nonce used that it did not use.
            assert!(keeper.terminate().await.success());
            approve(&world, U256::MAX).await;
            keeper = Keeper::start(&world, &with_inventory()).await;
        }
    }
    world
        .run(&[&keeper], 40, "both are healthy", async || {
            due::is_healthy(&world, owners[0]).await && due::is_healthy(&world, owners[1]).await
        })
        .await;
    let (_, closings) = sent(&world, from).await;
    let repaid: U256 = closings.iter().map(|one| one.repaid).sum();
    assert!(repaid > little, "{closings:?}");
}

/// What is out may still take the tokens: they are not promised to another liquidation.
async fn spends_nothing_twice() {
    let world = World::start().await;
    let owners = [owner(1), owner(2)];
    for owner in owners {
        due::open(&world, owner).await;
    }
    fund(&world, LITTLE).await;
    approve(&world, U256::MAX).await;
    let keeper = Keeper::start(&world, &with_inventory()).await;
    let nonce = due::nonce(&world, PLACE).await;
    let from = world.head().await + 1;
    due::fall_unseen(&world, &keeper, due::FALLEN).await;
    for _ in 0..20 {
        keeper.planned_on(world.head().await).await;
        if due::pending_nonce(&world, PLACE).await > nonce {
            break;
        }
        world.mine().await;
    }
    // The node forgets it before it makes a block.
    world.provider.anvil_drop_all_transactions().await.unwrap();
    let head = world.mine().await;
    let status = keeper.planned_on(head).await;
    assert_eq!(due::nonce(&world, PLACE).await, nonce, "it is still out");
    let out = |bid: &&PendingBid| bid.state != BidState::Included;
    let pending: Vec<_> = status.pending.iter().filter(out).collect();
    assert_eq!(pending.len(), 1, "{pending:?}");
    let other = owners.into_iter().find(|one| *one != pending[0].account);
    let said = why_not(&status, other.unwrap());
    assert!(said.contains("debt tokens"), "{said}");
    let little = tokens(LITTLE, DEBT_DECIMALS);
    world
        .run(&[&keeper], 40, "all is spent", async || {
            debt_tokens(&world).await.is_zero()
        })
        .await;
    due::mine(&world, &keeper, 5).await;
    let (_, closings) = sent(&world, from).await;
    let repaid: U256 = closings.iter().map(|one| one.repaid).sum();
    assert_eq!(repaid, little);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_that_runs_short_never_reverts() {
    tokio::join!(
        repays_what_it_can_and_says_so(Short::Balance),
        repays_what_it_can_and_says_so(Short::Approval),
        spends_nothing_twice(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_money_for_gas_it_waits_and_says_so() {
    let world = World::start().await;
    due::open(&world, owner(1)).await;
    let account = world.account(PLACE);
    let set = world.provider.anvil_set_balance(account, U256::from(1_000));
    set.await.unwrap();
    let keeper = Keeper::start(&world, &Setup::alone(PLACE)).await;
    let from = world.head().await + 1;
    due::fall(&world).await;
    due::mine(&world, &keeper, 10).await;
    assert!(!due::is_healthy(&world, owner(1)).await, "it is due");
    assert_eq!(
        due::pending_nonce(&world, PLACE).await,
        0,
        "it sent something"
    );
    let warned = |status: &Status| {
        let mut warnings = status.warnings.iter();
        warnings.any(|warning| warning.text.contains("account.min_balance"))
    };
    let status = keeper.wait("warns of its balance", warned).await;
    let said = why_not(&status, owner(1));
    println!("without gas: {said}");
    assert!(said.contains("balance does not pay the gas"), "{said}");

    let set = world.provider.anvil_set_balance(account, tokens(10, 18));
    set.await.unwrap();
    due::until_liquidated(&world, &keeper, owner(1), from).await;
    due::mine(&world, &keeper, 2).await;
    keeper
        .wait("takes the warning back", |status| !warned(status))
        .await;
    sent(&world, from).await;
    assert!(world.provider.get_balance(account).await.unwrap() < tokens(10, 18));
}
