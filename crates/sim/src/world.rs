//! One world: the outside, the agents and the chain, block by block.

use std::collections::VecDeque;
use std::rc::Rc;

use alloy_primitives::{Address, keccak256};
use alloy_sol_types::SolCall;
use breakwater_agents::adversary::{Adversary, Means, Strategy};
use breakwater_agents::borrower::{Borrower, Habits, Temperament};
use breakwater_agents::keeper::{Keeper, LIQUIDATION_GAS, REVERT_GAS, Terms};
use breakwater_agents::provider::{Provider, RealisedVolatility};
use breakwater_agents::reporter::Reporter;
use breakwater_agents::{Observation, Venue};
use breakwater_bindings::ShadowVenue;
use breakwater_evm::{BlockEnvironment, Chain, MemoryChain};
use breakwater_market::{Purpose, Stream};

use crate::WorldKind;
use crate::aave;
use crate::backstop::Backstop;
use crate::candidates::{QuoteSchedule, Sight};
use crate::chain_venue::ChainVenue;
use crate::config::{AdversaryStrategy, WorldInput, WorldParameters};
use crate::due::DueSince;
use crate::error::SimError;
use crate::grinding::Grinding;
use crate::mempool::Mempool;
use crate::mirror::{Mirror, Source};
use crate::network::GasMarket;
use crate::outside::PassThrough;
use crate::reading::{self, Reading};
use crate::setup::{self, Addresses, FLIGHTY_PROVIDERS, Lender, feed_call};
use crate::trace::{BlockRow, LiquidationRow};
use crate::units::{WAD, to_base, to_sqrt_x96};

/// What a settlement pays, as the pool has it.
const SETTLEMENT_BONUS: f64 = 0.03;

/// Counters since the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// Keepers' profit net of gas.
    pub keeper_profit: f64,
    /// Arbitrage profit net of gas, at the reference price.
    pub arbitrage_profit: f64,
    /// What the adversary took in for its sales less what it paid for purchases and gas, debt tokens.
    pub adversary_cash: f64,
    /// What it has sold and not bought back, whole collateral tokens.
    pub adversary_short: f64,
    /// Transactions that were included.
    pub transactions: u64,
}

/// Counters of one block.
#[derive(Clone, Copy, Debug, Default)]
pub struct BlockCounts {
    /// Gas used by simulated transactions.
    pub gas_used: u64,
    /// Gas taken by the rest of the network.
    pub background_gas: u64,
    /// Included.
    pub transactions: u64,
    /// Of these, reverted.
    pub reverted: u64,
    /// Replaced or expired.
    pub dropped: u64,
    /// Net selling by everyone but arbitrageurs, over the venue's reserve.
    pub net_selling: f64,
}

/// One world.
pub struct World<'a> {
    pub(crate) parameters: &'a WorldParameters,
    pub(crate) input: &'a WorldInput,
    pub(crate) kind: WorldKind,
    pub(crate) seed: u64,
    pub(crate) chain: MemoryChain,
    pub(crate) addresses: Addresses,
    pub(crate) venue: ChainVenue,
    /// The venue's liquidity at the start.
    pub(crate) liquidity: f64,
    pub(crate) mirror: Mirror,
    pub(crate) lender: Lender,
    pub(crate) market: GasMarket,
    pub(crate) mempool: Mempool,
    pub(crate) pass_through: PassThrough,
    pub(crate) volatility: RealisedVolatility,
    pub(crate) providers: Vec<Provider>,
    /// Each provider's liquidity now, over the venue's at the start; provider 0 is the patient one.
    pub(crate) provided: Vec<f64>,
    pub(crate) borrowers: Vec<Borrower>,
    pub(crate) keepers: Vec<Keeper>,
    pub(crate) adversary: Option<Adversary>,
    /// An adversary who proposes blocks instead.
    pub(crate) grinding: Option<Grinding>,
    pub(crate) habits: Habits,
    pub(crate) terms: Terms,
    pub(crate) reporter: Reporter,
    /// The last answer of the feed and when it was written.
    pub(crate) answer: (f64, u64),
    /// What keepers see, the latest first; as many as the slowest keeper lags.
    pub(crate) sights: VecDeque<Rc<Sight>>,
    pub(crate) quotes: QuoteSchedule,
    /// Who waits to be liquidated, and since when.
    pub(crate) due: DueSince,
    /// The reference price, a block each.
    pub(crate) references: Vec<f64>,
    /// The price at which a transaction would just have been included in the last block, gwei.
    pub(crate) inclusion_price: f64,
    pub(crate) reading: Reading,
    pub(crate) totals: Totals,
    /// The bonus of an auction that just began, where there are auctions.
    pub(crate) first_bonus: f64,
    /// When the last block was made.
    pub(crate) last_made: u64,
    /// The backstop and those around it.
    pub(crate) backstop: Option<Box<Backstop>>,
}

impl<'a> World<'a> {
    /// Builds the world up to the end of block 0.
    ///
    /// # Errors
    /// [`SimError`].
    pub fn new(
        parameters: &'a WorldParameters,
        input: &'a WorldInput,
        kind: WorldKind,
        seed: u64,
    ) -> Result<Self, SimError> {
        Self::start(parameters, input, kind, seed, false)
    }

    /// [`World::new`] on a chain that records its set-up.
    ///
    /// # Errors
    /// [`SimError`].
    pub fn recorded(
        parameters: &'a WorldParameters,
        input: &'a WorldInput,
        kind: WorldKind,
        seed: u64,
    ) -> Result<Self, SimError> {
        Self::start(parameters, input, kind, seed, true)
    }

    fn start(
        parameters: &'a WorldParameters,
        input: &'a WorldInput,
        kind: WorldKind,
        seed: u64,
        recorded: bool,
    ) -> Result<Self, SimError> {
        let mut built = setup::build(parameters, input, kind, seed, recorded)?;
        let source = match &built.addresses.aave {
            Some(market) => Source::Aave {
                market: *market,
                bonus: to_base(parameters.collateral.max_bonus, WAD),
            },
            None => Source::Breakwater {
                pool: built.addresses.pool,
                policy: built.addresses.policy,
            },
        };
        let mut mirror = Mirror::new(source, &built.addresses.accounts);
        for logs in &built.logs {
            mirror.apply(logs);
        }
        let reading = reading::read(
            &mut built.chain,
            &built.addresses,
            &built.venue,
            &built.lender,
        )?;
        let market = GasMarket::new(
            parameters.network.gas_limit,
            parameters.network.demand_elasticity,
            input.gas_gwei[0],
        );
        let flighty = parameters.venue.flighty_share / f64::from(FLIGHTY_PROVIDERS);
        let (providers, provided) = if input.depth.is_empty() {
            let mut provided = vec![flighty; FLIGHTY_PROVIDERS as usize + 1];
            provided[0] = 1.0 - parameters.venue.flighty_share;
            (
                Provider::group(FLIGHTY_PROVIDERS, parameters.venue.flight_volatility),
                provided,
            )
        } else {
            (Vec::new(), vec![1.0])
        };
        let (liquidation_gas, revert_gas) = match built.addresses.aave {
            Some(_) => (aave::LIQUIDATION_GAS, aave::REVERT_GAS),
            None => (LIQUIDATION_GAS, REVERT_GAS),
        };
        let slot = parameters.network.slot_seconds;
        let first_bonus =
            reading::first_bonus(&mut built.chain, &built.addresses, parameters, kind)?;
        let grinding = Grinding::new(&mut built.chain, &built.addresses, parameters, kind)?;
        let backstop = Backstop::new(parameters, input, &built, seed).map(Box::new);
        let mut world = Self {
            parameters,
            input,
            kind,
            seed,
            chain: built.chain,
            addresses: built.addresses,
            venue: built.venue,
            liquidity: built.liquidity,
            mirror,
            lender: built.lender,
            inclusion_price: market.inclusion_price(),
            market,
            mempool: Mempool::default(),
            pass_through: PassThrough::new(&parameters.venue, slot),
            volatility: RealisedVolatility::new((3_600 / slot) as usize, input.prices[0]),
            providers,
            provided,
            borrowers: borrowers(parameters, input, seed),
            keepers: Keeper::group(parameters.keepers.count, parameters.keepers.max_latency),
            adversary: adversary(parameters),
            grinding,
            habits: Habits {
                threshold: parameters.collateral.liquidation_threshold,
                alert_health: parameters.borrowers.alert_health,
                reaction_time: parameters.borrowers.reaction_time,
            },
            terms: Terms {
                max_bonus: parameters.collateral.max_bonus,
                settlement_bonus: SETTLEMENT_BONUS,
                risk_margin: parameters.keepers.risk_margin,
                min_profit: parameters.keepers.min_profit,
                count: parameters.keepers.count,
                liquidation_gas,
                revert_gas,
                guarded: true,
            },
            reporter: Reporter {
                deviation: parameters.feed.deviation,
                heartbeat: parameters.feed.heartbeat,
            },
            answer: (input.prices[0], input.start),
            sights: VecDeque::new(),
            quotes: QuoteSchedule::new(input.accounts.len()),
            due: DueSince::new(input.accounts.len()),
            references: vec![input.prices[0]],
            reading,
            totals: Totals::default(),
            first_bonus,
            last_made: input.start,
            backstop,
        };
        world.observe_due(input.start);
        world.record_backstop(0)?;
        Ok(world)
    }

    /// The row of block 0.
    #[must_use]
    pub fn start_row(&self) -> BlockRow {
        self.row(0, &BlockCounts::default(), self.market.base_fee_gwei())
    }

    /// Makes block `block` and returns its row; liquidations are appended. Where its slot is missed the outside world goes on
    /// and the chain does not: no number, no gas.
    ///
    /// # Errors
    /// [`SimError`].
    pub fn step(
        &mut self,
        block: u64,
        liquidations: &mut Vec<LiquidationRow>,
    ) -> Result<BlockRow, SimError> {
        let timestamp = self.timestamp(block);
        let reference = self.pass_through.price(self.input.prices[block as usize]);
        self.references.push(reference);
        self.volatility.push(reference);
        self.market.set_going(self.input.gas_gwei[block as usize]);
        let base_fee = self.market.base_fee_gwei();
        let parent_hash = self.parent_hash();
        if self.misses(block) || self.grind(block)? {
            self.pass_through.push(0.0);
            self.record_backstop(block)?;
            return Ok(self.row(block, &BlockCounts::default(), base_fee));
        }
        self.chain.begin_block(BlockEnvironment {
            number: self.chain.block().number + 1,
            timestamp,
            base_fee: self.market.base_fee(),
            gas_limit: self.parameters.network.gas_limit,
            coinbase: Address::ZERO,
            prevrandao: keccak256([self.seed.to_be_bytes(), block.to_be_bytes()].concat()),
            parent_hash,
        });
        self.set_shadow_price(reference)?;
        self.set_native_price(block)?;

        let observation = self.observation(block, timestamp, reference);
        let mut counts = BlockCounts::default();
        self.look(&observation)?;
        self.decide(&observation, &mut counts);
        self.tend_backstop(&observation, &mut counts)?;
        self.build(block, reference, liquidations, &mut counts)?;
        self.drop_expired(block, &mut counts);
        self.totals.transactions += counts.transactions;

        counts.background_gas = self.market.background(counts.gas_used);
        self.inclusion_price = self.market.inclusion_price();
        self.market.close(counts.gas_used + counts.background_gas);
        self.pass_through.push(counts.net_selling);
        self.reading = reading::read(&mut self.chain, &self.addresses, &self.venue, &self.lender)?;
        self.observe_due(timestamp);
        self.record_backstop(block)?;
        self.chain.end_block();
        self.last_made = timestamp;
        Ok(self.row(block, &counts, base_fee))
    }

    /// Looks who is due at the F just read. Without one nobody's waiting begins or ends.
    fn observe_due(&mut self, time: u64) {
        let fast = self.reading.prices.fast;
        if fast <= 0.0 {
            return;
        }
        let below =
            self.mirror
                .index()
                .below(1.0, fast, self.habits.threshold, self.reading.debt_index);
        self.due.observe(below, time);
    }

    /// Whether the slot of a block goes by without one.
    fn misses(&self, block: u64) -> bool {
        let elapsed = self.timestamp(block) - self.input.start;
        let share = self.parameters.network.missed_share(elapsed);
        share > 0.0 && Stream::new(self.seed, Purpose::BlockBuilding, block).chance(share)
    }

    /// When a block is made.
    pub(crate) const fn timestamp(&self, block: u64) -> u64 {
        self.input.start + block * self.parameters.network.slot_seconds
    }

    /// The reference price of the latest block.
    pub(crate) fn reference(&self) -> f64 {
        self.references.last().copied().unwrap_or_default()
    }

    fn observation(&self, block: u64, timestamp: u64, reference: f64) -> Observation {
        let base_fee = self.market.base_fee_gwei();
        Observation {
            block,
            timestamp,
            base_fee,
            inclusion_tip: (self.inclusion_price - base_fee).max(0.0),
            native_price: self.input.native_prices[block as usize],
            prices: self.reading.prices,
            venue: self.reading.venue,
            reference_price: reference,
            breaker_level: self.reading.breaker_level,
            bucket: f64::INFINITY,
        }
    }

    /// The market in which liquidators sell, as they see it: in the counterfactual world one without impact or fee.
    pub(crate) fn selling_venue(&self, observation: &Observation) -> Venue {
        if self.addresses.shadow.is_some() {
            return Venue {
                sqrt_price: observation.reference_price.sqrt(),
                liquidity: f64::INFINITY,
                fee: 0.0,
            };
        }
        breakwater_agents::arbitrageur::after_arbitrage(observation)
    }

    fn set_shadow_price(&mut self, reference: f64) -> Result<(), SimError> {
        let Some(shadow) = self.addresses.shadow else {
            return Ok(());
        };
        let root = to_sqrt_x96(reference.sqrt(), self.venue.collateral_is_token0());
        let call = ShadowVenue::setPriceCall { sqrtPriceX96: root }.abi_encode();
        self.chain
            .execute_unmetered(self.addresses.operator, shadow, call.into())?;
        Ok(())
    }

    /// The native coin's feed is never late.
    fn set_native_price(&mut self, block: u64) -> Result<(), SimError> {
        let Some(native) = self.addresses.native else {
            return Ok(());
        };
        let price = self.input.native_prices[block as usize];
        let call = feed_call(price, self.chain.block().timestamp).abi_encode();
        self.chain
            .execute_unmetered(self.addresses.operator, native.feed, call.into())?;
        Ok(())
    }
}

fn adversary(parameters: &WorldParameters) -> Option<Adversary> {
    let own = parameters.adversary.as_ref()?;
    let strategy = match own.strategy {
        AdversaryStrategy::Predator => Strategy::Predator,
        AdversaryStrategy::Manipulator => Strategy::Manipulator,
        AdversaryStrategy::Grinder => return None,
    };
    Some(Adversary::new(Means {
        strategy,
        capital: own.capital,
        patience: own.patience,
        push: own.push,
        pass_through: parameters.venue.pass_through,
    }))
}

/// Temperaments and savings: one draw for each account, from its own stream.
fn borrowers(parameters: &WorldParameters, input: &WorldInput, seed: u64) -> Vec<Borrower> {
    let shares = &parameters.borrowers;
    input
        .accounts
        .iter()
        .zip(0_u32..)
        .map(|(account, number)| {
            let draw = Stream::new(seed, Purpose::Borrowers, u64::from(number)).uniform();
            let temperament = Temperament::of(
                draw,
                shares.top_up_share,
                shares.repay_share,
                shares.deleverage_share,
            );
            Borrower::new(number, temperament, account.debt * shares.savings)
        })
        .collect()
}

/// The n-th reaction draw of an account.
pub(crate) fn reaction_draw(seed: u64, account: u32, alarm: u32) -> f64 {
    let index = (u64::from(alarm) + 1) << 32 | u64::from(account);
    Stream::new(seed, Purpose::Borrowers, index).uniform()
}

/// A keeper's bidding draw for an account in a block.
pub(crate) fn bidding_draw(seed: u64, keeper: u32, account: u32, block: u64) -> f64 {
    let mut stream = Stream::new(seed, Purpose::Keepers, block << 32 | u64::from(account));
    // Two 32-bit words a draw.
    stream.seek(2 * u64::from(keeper));
    stream.uniform()
}
