//! `explain ACCOUNT`: what the keeper thinks of a position, and why.

use std::fmt;

use alloy_primitives::{Address, B256, U256};
use breakwater_operator::config::KeeperConfig;
use breakwater_operator::status::Zone;
use breakwater_protocol::policy::{BonusMode, BreakerLevel, NextTurn, Refusal};

use crate::engine::{inclusion_tip, next_block, zone_of};
use crate::error::RunError;
use crate::history;
use crate::planner::{NoOrders, Plan, Planned, Planner, Sight, Strategy};
use crate::reading::{HeadReading, Holders};
use crate::run::{connect, read_system};
use crate::store::ActionKind;
use crate::system::System;
use crate::thought::Thought;
use crate::units::{ratio, whole};

/// Points of the bonus curve that are shown.
const CURVE_POINTS: u64 = 5;

/// A held collateral.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Its symbol, not to be trusted.
    pub symbol: String,
    /// Whole tokens.
    pub amount: f64,
    /// F, debt tokens per whole token; 0 if it is down.
    pub price: f64,
}

/// What is known of a position, for the block after the head.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The head that was read.
    pub head: u64,
    /// The time planned for, unix seconds: the next block's if no slot is missed.
    pub at: u64,
    /// Whose.
    pub account: Address,
    /// The debt token's symbol, not to be trusted.
    pub debt_symbol: String,
    /// Debt, accrued, whole tokens.
    pub debt: f64,
    /// What is held.
    pub held: Vec<Held>,
    /// HF at the fast prices; infinite without debt.
    pub health: f64,
    /// HF at the confirmed prices.
    pub health_confirmed: f64,
    /// HF_hard.
    pub health_hard: f64,
    /// Where it stands.
    pub zone: Zone,
    /// The breaker's level.
    pub breaker: BreakerLevel,
    /// The bonus by seconds since the clock was started, where bonuses are auctioned.
    pub curve: Vec<(u64, f64)>,
    /// What the planner thinks, if the position is below 1.
    pub thought: Option<Thought>,
    /// What it would send now.
    pub planned: Option<Planned>,
    /// Whom its own sale would push below 1, if the feed followed the venue: the next victims.
    pub pushed: Option<Pushed>,
}

/// What a sale does to others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pushed {
    /// How far it takes the venue's price down, as a share.
    pub fall: f64,
    /// How many accounts would be below 1 then that are not now.
    pub accounts: u64,
    /// What they owe, whole debt tokens.
    pub debt: f64,
}

/// Reads the chain and explains a position.
///
/// # Errors
/// [`RunError::UnknownAccount`], and whatever reading can fail with.
pub async fn explain(config: &KeeperConfig, account: Address) -> Result<Explanation, RunError> {
    let client = connect(config).await?;
    let system = read_system(config, &client).await?;
    let start = history::place(&history::header(&client, system.first_block).await?);
    let mut mirror = breakwater_protocol::Mirror::new(system.description, start)?;
    let head = history::catch_up(&client, &system, &mut mirror, config.chain.slot).await?;
    if mirror.debt_shares_of(&account) == 0 && mirror.collateral_bitmap(&account) == 0 {
        return Err(RunError::UnknownAccount { account });
    }
    let oracles: Vec<Address> = mirror.collaterals().iter().map(|one| one.oracle).collect();
    let rpc = |source| RunError::Rpc {
        what: "the head".to_owned(),
        source,
    };
    let next = next_block(&head, config.chain.slot.as_secs().max(1));
    let reading = HeadReading::read(&client, &system, &oracles, Holders::default(), next)
        .await
        .map_err(rpc)?;
    let moment = mirror.moment(&reading.prices(), next.timestamp)?;
    let health = mirror
        .account_health(&account, &moment)
        .map_err(breakwater_protocol::ViewError::from)?;
    let sight = Sight {
        system: &system,
        mirror: &mirror,
        reading: &reading,
        moment: &moment,
        inclusion_tip: inclusion_tip(&client, &head).await.map_err(rpc)?,
        anchor_hash: B256::ZERO,
        claims: &[],
    };
    let planner = Planner::new(Strategy {
        // Flags are divided among keepers by turns; here all that matters is whether it is worth one.
        count: 1,
        ..Strategy::new(&config.strategy, Address::ZERO)
    });
    let below = health.health_fast < breakwater_protocol::math::WAD;
    let accounts: &[Address] = if below { &[account] } else { &[] };
    let plan = planner.plan(&sight, accounts, &mut NoOrders)?;
    let pushed = pushed(&sight, &plan);
    Ok(Explanation {
        head: head.number,
        at: next.timestamp,
        account,
        debt_symbol: system.debt.symbol.clone(),
        debt: whole(health.debt, system.debt.decimals),
        held: held(&sight, account),
        health: shown(health.health_fast),
        health_confirmed: shown(health.health_confirmed),
        health_hard: ratio(health.health_hard),
        zone: zone_of(&health),
        breaker: reading.breaker,
        curve: curve(&system, &sight, plan.thoughts.first()),
        thought: plan.thoughts.into_iter().next(),
        planned: plan.actions.into_iter().next(),
        pushed,
    })
}

/// What falls at the price to which the planned sale takes the venue. `None` if nothing is planned that sells.
fn pushed(sight: &Sight<'_>, plan: &Plan) -> Option<Pushed> {
    let planned = plan.actions.first().filter(|one| one.kind.repays())?;
    let id = planned.collateral;
    let venue = sight.reading.markets.get(id as usize)?.venue?;
    let decimals = sight.system.collateral_decimals(u64::from(id));
    let sold = match planned.kind {
        ActionKind::Settle => {
            U256::from(sight.mirror.collateral_of(&planned.account, u64::from(id)))
        }
        _ => {
            let thought = plan.thoughts.first()?;
            let part = thought.seize.checked_mul(planned.repay)?;
            part.checked_div(thought.repay)?
        }
    };
    let (_, after) = venue.sell(whole(sold, decimals));
    let fall = 1.0 - after.price() / venue.price();
    // To the basis point, not to less than it is.
    let points = (fall * 1e4).ceil().clamp(0.0, 1e4) as u32;
    let steps = sight
        .mirror
        .debt_falling(sight.moment, Some(u64::from(id)), &[0, points]);
    let [now, then] = steps.as_slice() else {
        return None;
    };
    Some(Pushed {
        fall,
        accounts: then.accounts.saturating_sub(now.accounts),
        debt: whole(
            then.debt.saturating_sub(now.debt),
            sight.system.debt.decimals,
        ),
    })
}

fn shown(health: U256) -> f64 {
    if health == U256::MAX {
        f64::INFINITY
    } else {
        ratio(health)
    }
}

fn held(sight: &Sight<'_>, account: Address) -> Vec<Held> {
    sight
        .system
        .collaterals
        .iter()
        .filter_map(|listed| {
            let amount = sight.mirror.collateral_of(&account, u64::from(listed.id));
            let market = sight.reading.markets.get(listed.id as usize)?;
            (amount > 0).then(|| Held {
                symbol: listed.token.symbol.clone(),
                amount: whole(U256::from(amount), listed.token.decimals),
                price: sight.system.decimals(listed).price(market.prices.fast),
            })
        })
        .collect()
}

fn curve(system: &System, sight: &Sight<'_>, thought: Option<&Thought>) -> Vec<(u64, f64)> {
    let collateral = thought.map_or(0, |thought| thought.collateral as usize);
    let (Some(policy), Some(listed)) =
        (system.damped(), sight.mirror.collaterals().get(collateral))
    else {
        return Vec::new();
    };
    let parameters = policy.parameters();
    if parameters.bonus_mode != BonusMode::Time {
        return Vec::new();
    }
    (0..=CURVE_POINTS)
        .map(|point| {
            let seconds = parameters.auction_seconds * point / CURVE_POINTS;
            (
                seconds,
                ratio(policy.bonus_after(seconds, listed.max_bonus_wad())),
            )
        })
        .collect()
}

impl Explanation {
    /// A time with how far it is from the one planned for.
    fn time(&self, at: u64) -> String {
        match at.checked_sub(self.at) {
            Some(0) => format!("{at} (now)"),
            Some(ahead) => format!("{at} (in {ahead} s)"),
            None => format!("{at} ({} s ago)", self.at - at),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} after block {}, at {}",
            self.account, self.head, self.at
        )?;
        writeln!(
            out,
            "  owes            {:.6} {}",
            self.debt, self.debt_symbol
        )?;
        for held in &self.held {
            writeln!(
                out,
                "  holds           {:.6} {} at {:.4}",
                held.amount, held.symbol, held.price
            )?;
        }
        writeln!(
            out,
            "  health          {:.6} ({:.6} at the confirmed prices; hard zone at {:.6})",
            self.health, self.health_confirmed, self.health_hard
        )?;
        writeln!(out, "  zone            {:?}", self.zone)?;
        writeln!(out, "  breaker         {:?}", self.breaker)?;
        if !self.curve.is_empty() {
            let points: Vec<String> = self
                .curve
                .iter()
                .map(|(seconds, bonus)| format!("{:.2}% after {seconds} s", bonus * 100.0))
                .collect();
            writeln!(out, "  bonus curve     {}", points.join(", "))?;
        }
        let Some(thought) = &self.thought else {
            return writeln!(
                out,
                "  liquidatable    no: the health factor is 1 or more; it is after a fall of its prices by {:.2}%",
                (1.0 - 1.0 / self.health).max(0.0) * 100.0
            );
        };
        self.write_thought(out, thought)
    }
}

impl Explanation {
    fn write_thought(&self, out: &mut fmt::Formatter<'_>, thought: &Thought) -> fmt::Result {
        match thought.refusal {
            Refusal::None => writeln!(
                out,
                "  liquidatable    yes: {} base units for {} of collateral, at a bonus of {:.3}%",
                thought.repay,
                thought.seize,
                ratio(thought.bonus) * 100.0
            )?,
            refusal => writeln!(out, "  liquidatable    not now: {refusal}")?,
        }
        if let Some(offered) = &thought.backstop {
            writeln!(
                out,
                "  backstop        can {}: {} base units for {} of collateral; whoever calls it gets {:.4} {}",
                match offered.kind {
                    ActionKind::Absorb => "absorb it",
                    _ => "settle it",
                },
                offered.spends,
                offered.takes,
                offered.pay,
                self.debt_symbol
            )?;
        }
        match thought.flagged_since {
            Some(since) => writeln!(out, "  clock           runs since {}", self.time(since))?,
            None if self.curve.is_empty() => {}
            None => writeln!(
                out,
                "  clock           not running: times below count from a flag now"
            )?,
        }
        match thought.turn {
            Some(NextTurn::At(at)) => writeln!(out, "  next turn       {}", self.time(at))?,
            Some(NextTurn::Unseeded(at)) => writeln!(
                out,
                "  next turn       not before {}, when a new rotation begins",
                self.time(at)
            )?,
            Some(NextTurn::Never) => writeln!(out, "  next turn       none in sight")?,
            None => {}
        }
        match thought.pays_at {
            Some(at) => writeln!(out, "  pays            from {}", self.time(at))?,
            None => writeln!(
                out,
                "  pays            never as things stand: not even the largest bonus covers gas, slippage and margin"
            )?,
        }
        if let Some(at) = thought.planned_at {
            writeln!(
                out,
                "  would act       {}, for {:.4} {} after gas and margin",
                self.time(at),
                thought.profit.unwrap_or_default(),
                self.debt_symbol
            )?;
        }
        match &self.planned {
            None => writeln!(
                out,
                "  bid now         none: {}",
                thought.why_not().unwrap_or_default()
            )?,
            Some(planned) => writeln!(
                out,
                "  bid now         {} {}: tip {:.4} gwei, at most {:.4} gwei, {}",
                planned.kind.name(),
                if planned.kind == ActionKind::Liquidate {
                    format!("{} base units", planned.repay)
                } else {
                    String::new()
                },
                planned.bid.tip,
                planned.bid.max_fee,
                if planned.kind.prepares() {
                    format!("costs {:.4} {}", -planned.expected, self.debt_symbol)
                } else {
                    format!("expects {:.4} {}", planned.expected, self.debt_symbol)
                }
            )?,
        }
        let Some(pushed) = self.pushed else {
            return Ok(());
        };
        writeln!(
            out,
            "  its sale        takes the venue down by {:.2}%; at prices as much lower {} more accounts, who owe {:.2} {}, are below 1",
            pushed.fall * 100.0,
            pushed.accounts,
            pushed.debt,
            self.debt_symbol
        )
    }
}
