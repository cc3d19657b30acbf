//! A world's backstop: its depositors, who triggers absorptions, who buys inventory, and what is recorded of all that.

mod decide;
mod execute;
mod ledger;
mod record;

use alloy_primitives::U256;
use breakwater_agents::backstop::{ABSORPTION_GAS, Caller, PURCHASE_GAS};
use breakwater_agents::depositor::{Depositor, Habits, Place, Temperament};
use breakwater_bindings::BackstopPool;
use breakwater_evm::Chain;
use breakwater_market::{Purpose, Stream};

use crate::candidates::QuoteSchedule;
use crate::config::{BackstopParameters, WorldInput, WorldParameters};
use crate::error::{During, SimError};
use crate::setup::{BackstopAddresses, Built, deposit_of};
use crate::trace::{AbsorptionRow, BackstopRow};
use crate::units::{COLLATERAL_UNIT, DEBT_UNIT, PRICE_UNIT, from_base};

pub use execute::Included;
pub use ledger::Ledger;

/// What the contract says at the end of a block, in agents' units.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// What depositors have left for absorptions.
    assets: f64,
    /// What an absorption may spend.
    absorbable: f64,
    /// Deposits that are not active yet.
    entering: f64,
    /// Of the assets, those of who waits to leave.
    leaving: f64,
    /// Unsold collateral.
    inventory: f64,
    /// The release's price, where it is open, and what may be bought.
    sale: Option<(f64, f64)>,
}

/// A depositor in the world.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// What it does.
    depositor: Depositor,
    /// Whether it is about to take its part of the inventory in kind.
    claims: bool,
    /// Collateral that it took and has not sold, base units.
    held: U256,
}

/// Sums that no event tells. Debt tokens unless named otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    discount: f64,
    /// Whole collateral tokens.
    dumped: f64,
    dump_proceeds: f64,
    depositor_gas: f64,
    caller_profit: f64,
    buyer_profit: f64,
    entries: u64,
    exits: u64,
    exit_wait: u64,
    longest_exit_wait: u64,
}

/// The premium as depositors see it.
#[derive(Clone, Copy, Debug)]
pub struct Premium {
    /// When it was paid last, unix seconds.
    paid_at: u64,
    /// Its yield a second, the first time.
    first: Option<f64>,
    /// The last yield over that.
    ratio: Option<f64>,
}

/// The backstop.
pub struct Backstop {
    addresses: BackstopAddresses,
    own: BackstopParameters,
    habits: Habits,
    people: Vec<Person>,
    /// What each newcomer brings, base units.
    deposit: U256,
    caller: Caller,
    purchase_gas: u64,
    min_profit: f64,
    quotes: QuoteSchedule,
    ledger: Ledger,
    reading: Reading,
    totals: Totals,
    premium: Premium,
    /// The highest reference price so far.
    peak: f64,
    /// The fewest shares at the end of a block so far.
    least_shares: U256,
    rows: Vec<BackstopRow>,
    absorptions: Vec<AbsorptionRow>,
}

impl Backstop {
    /// The backstop of a world that was just built, if it has one.
    pub fn new(
        parameters: &WorldParameters,
        input: &WorldInput,
        built: &Built,
        seed: u64,
    ) -> Option<Self> {
        let (own, addresses) = parameters.backstop.as_ref().zip(built.addresses.backstop)?;
        let mut ledger = Ledger::default();
        for logs in &built.backstop_logs {
            ledger.apply(addresses.pool, logs);
        }
        let posted = input
            .accounts
            .iter()
            .map(|account| account.collateral)
            .sum();
        Some(Self {
            addresses,
            own: own.clone(),
            habits: own.habits(),
            people: people(own, input.start, seed),
            deposit: deposit_of(own, posted, input.prices[0]),
            caller: Caller {
                interest: own.caller_interest,
                min_profit: parameters.keepers.min_profit,
                gas: ABSORPTION_GAS,
                win_rate: 1.0,
            },
            purchase_gas: PURCHASE_GAS,
            min_profit: parameters.keepers.min_profit,
            quotes: QuoteSchedule::new(input.accounts.len()),
            ledger,
            reading: Reading::default(),
            totals: Totals::default(),
            premium: Premium {
                paid_at: input.start,
                first: None,
                ratio: None,
            },
            peak: input.prices[0],
            least_shares: U256::MAX,
            rows: Vec::new(),
            absorptions: Vec::new(),
        })
    }

    /// The books, to the base unit.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The fewest shares that there were.
    pub const fn least_shares(&self) -> U256 {
        self.least_shares
    }

    /// The highest reference price so far.
    pub const fn peak(&self) -> f64 {
        self.peak
    }

    /// Whether absorptions stand first in a block.
    pub const fn comes_first(&self) -> bool {
        self.own.first
    }

    /// How many depositors there are and may be.
    pub fn depositors(&self) -> u32 {
        self.people.len() as u32
    }

    /// What was recorded.
    pub fn into_records(self) -> (Vec<BackstopRow>, Vec<AbsorptionRow>) {
        (self.rows, self.absorptions)
    }

    /// Reads the contract.
    fn read(&mut self, chain: &mut impl Chain) -> Result<(), SimError> {
        let (from, pool) = (self.addresses.steward, self.addresses.pool);
        let state = chain
            .call_sol(from, pool, &BackstopPool::backstopStateCall {})
            .during("read the backstop")?;
        let inventory = chain
            .call_sol(
                from,
                pool,
                &BackstopPool::inventoryOfCall {
                    collateralId: U256::ZERO,
                },
            )
            .during("read the inventory")?;
        let assets = from_base(state.assets, DEBT_UNIT);
        let shares = f64::from(state.shares);
        self.least_shares = self.least_shares.min(state.shares.max(U256::ONE));
        self.reading = Reading {
            assets,
            absorbable: from_base(state.absorbable, DEBT_UNIT),
            entering: from_base(state.entering, DEBT_UNIT),
            leaving: if shares > 0.0 {
                assets * f64::from(state.leaving) / shares
            } else {
                0.0
            },
            inventory: from_base(inventory.amount, COLLATERAL_UNIT),
            sale: if inventory.amount.is_zero() {
                None
            } else {
                self.quote_sale(chain)?
            },
        };
        Ok(())
    }

    /// The release's price and what may be bought in the open block; `None` while it is closed.
    fn quote_sale(&self, chain: &mut impl Chain) -> Result<Option<(f64, f64)>, SimError> {
        let call = BackstopPool::quoteSaleCall {
            collateralId: U256::ZERO,
        };
        let quote = chain
            .call_sol(self.addresses.steward, self.addresses.pool, &call)
            .during("read the release")?;
        Ok(quote.open.then(|| {
            (
                from_base(quote.price, PRICE_UNIT),
                from_base(quote.available, COLLATERAL_UNIT),
            )
        }))
    }

    /// What depositors have earned at a reference price.
    fn profit(&self, reference: f64) -> f64 {
        let held = self
            .people
            .iter()
            .fold(U256::ZERO, |sum, each| sum + each.held);
        let unsold = from_base(self.ledger.inventory() + held, COLLATERAL_UNIT);
        let earned = self.ledger.premium + self.ledger.proceeds;
        from_base(earned, DEBT_UNIT) + self.totals.dump_proceeds + unsold * reference
            - from_base(self.ledger.absorbed, DEBT_UNIT)
            - self.totals.depositor_gas
    }
}

/// Temperaments: three draws for each depositor, from its own stream. The first have asked to leave, the last have not come.
fn people(own: &BackstopParameters, start: u64, seed: u64) -> Vec<Person> {
    let habits = own.habits();
    let next_period = (start / own.period_seconds + 1) * own.period_seconds;
    (0..own.all_depositors())
        .map(|number| {
            let mut draws = Stream::new(seed, Purpose::Depositors, u64::from(number));
            let (which, patience) = (draws.uniform(), draws.uniform());
            let sells = draws.chance(own.flight_share);
            let (temperament, place) = if number < own.depositors {
                let place = if number < own.leaving() {
                    Place::Leaving { until: next_period }
                } else {
                    Place::Inside
                };
                (habits.temperament(which, patience), place)
            } else {
                let less = own.yield_change * 0.5 * (1.0 + patience);
                (Temperament::Yield { less }, Place::Outside)
            };
            Person {
                depositor: Depositor::new(number, temperament, sells, place),
                claims: false,
                held: U256::ZERO,
            }
        })
        .collect()
}

/// A depositor's draw of how long it takes to act in a block.
fn reaction_draw(seed: u64, number: u32, block: u64) -> f64 {
    Stream::new(
        seed,
        Purpose::Depositors,
        (block + 1) << 32 | u64::from(number),
    )
    .uniform()
}
