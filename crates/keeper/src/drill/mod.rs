//! The whole path on a chain of its own: an anvil is started, the system deployed with its default parameters, positions are
//! opened and broken, and the keeper (the same that `keeper run` runs, in this process, with the settings that it has where nobody sets
//! any) has to close them at a profit. Only the market is moved: the feed, the traders who follow it, time, and others' transactions, which
//! half of each block is full of. What it did is then read from the chain, not from what it says, and every expectation is checked.

pub mod accounts;
mod anvil;
mod backed;
mod cast;
mod error;
mod judge;
mod others;
mod report;
mod stage;
mod tell;
mod watch;

use std::env;
use std::time::Duration;

use alloy::node_bindings::AnvilInstance;
use alloy::providers::ext::AnvilApi;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::client::ClientBuilder;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::Address;
use breakwater_bindings::SimToken;
use breakwater_deploy::local::{LocalError, Market, SLOT, START_PRICE};
use breakwater_deploy::{ManifestFile, RpcViews, Views};
use breakwater_operator::config::{Environment, KeeperConfig};
use breakwater_operator::status::{Status, Zone};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub use error::DrillError;
pub use report::{Check, Report, Row};
pub use tell::{Told, amount, clock, grouped, percent, signed_amount};

use crate::run::{Keeper, Options, start};
pub use cast::Drama;
use cast::{BACKING, FIRST_FALL, Fate, GAP, PURSE};
use judge::Balances;
use others::{BASE_FEE, Others};
use report::Checks;
use stage::{Stage, blocks, price};
use watch::{Wait, Watch};

/// Which of the anvil's accounts everybody else sends from.
const CROWD: usize = 9;

/// Which of the anvil's accounts the keeper sends from: the market uses the first three.
const PLACE: usize = 5;

/// How often the bucket records the venue's depth before the fall, and how far apart, seconds: it opens at the first, averages from
/// the third on, and has then seen the market at rest for an hour.
const DEPTH_READINGS: (u64, u64) = (4, 900);

/// Blocks that each fall may take, and blocks after which a transaction is final, with some to spare.
const FALL_BLOCKS: u64 = 260;
const FINAL_BLOCKS: u64 = breakwater_sender::FINAL_DEPTH + 6;

/// How long the keeper may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// How long an interrupt may come after the failures that it causes: a terminal sends it to the anvil too.
const INTERRUPT_LAG: Duration = Duration::from_millis(300);

/// Runs a drill of `drama`; `tell` hears what happens. Everything that was started is ended and removed when this returns.
///
/// # Errors
/// [`DrillError`] where the drill does not come to its end. Where it does, [`Report::failed`] says what was not as expected.
pub async fn run(
    stop: CancellationToken,
    drama: Drama,
    mut tell: impl FnMut(Told) + Send,
) -> Result<Report, DrillError> {
    let halt = stop.child_token();
    let mut drill = Drill {
        halt: halt.clone(),
        stop: stop.clone(),
        drama,
        keeper: None,
        tell: &mut tell,
    };
    let result = tokio::select! {
        result = drill.perform() => result,
        () = stop.cancelled() => Err(DrillError::Interrupted),
    };
    halt.cancel();
    if let Some(keeper) = drill.keeper.take() {
        // What it could not finish is of a chain that ends here.
        let _ = tokio::time::timeout(STOP_WITHIN, keeper.stopped()).await;
    }
    match result {
        Err(_)
            if tokio::time::timeout(INTERRUPT_LAG, stop.cancelled())
                .await
                .is_ok() =>
        {
            Err(DrillError::Interrupted)
        }
        result => result,
    }
}

/// What is alive while a drill goes on.
struct Drill<'a> {
    /// Ends the keeper.
    halt: CancellationToken,
    /// Ends the drill.
    stop: CancellationToken,
    drama: Drama,
    keeper: Option<Keeper>,
    tell: &'a mut (dyn FnMut(Told) + Send),
}

/// The chain and what lives on it; dropping it ends the anvil and removes the folder.
struct Ground {
    anvil: AnvilInstance,
    provider: DynProvider,
    market: Market,
    folder: TempDir,
}

impl Drill<'_> {
    fn part(&mut self, text: impl Into<String>) {
        (self.tell)(Told::Part(text.into()));
    }

    fn note(&mut self, text: impl Into<String>) {
        (self.tell)(Told::Note(text.into()));
    }

    async fn perform(&mut self) -> Result<Report, DrillError> {
        let mut checks = Checks::default();
        let ground = self.ground().await?;
        self.borrow(&ground, &mut checks).await?;
        let crowd = ground.anvil.addresses()[CROWD];
        let others = Others::begin(ground.provider.clone(), crowd).await?;
        let (watch, config) = self.keep(&ground, &mut checks).await?;
        let keeper = ground.anvil.addresses()[PLACE];
        let from = ground.provider.get_block_number().await?;
        let before = balances(&ground, keeper).await?;
        let provider = ground.provider.clone();
        let market = ground.market.clone();
        let halt = self.halt.clone();
        let mut stage = Stage::new(
            provider,
            market,
            others,
            &mut *self.tell,
            watch,
            (keeper, self.drama.cast()),
            from,
        );
        let system = stage.watch.status();
        stage.symbols = (
            system.keeper.debt_symbol.clone(),
            system
                .collaterals
                .first()
                .map_or_else(String::new, |one| one.symbol.clone()),
        );
        let drama = self.drama;
        let untouched = stage.position(healthy(drama)).await?;
        first_fall(&mut stage, &mut checks).await?;
        match drama {
            Drama::Market => gap(&mut stage, &mut checks).await?,
            Drama::Backstop => {
                backed::gap(&mut stage, &mut checks).await?;
                backed::recovery(&mut stage, &mut checks).await?;
            }
        }
        let said = finality(&mut stage).await?;
        halt.cancel();
        let backstop = ground.market.deployment().backstop;
        let watched = judge::Watched {
            drama,
            backstop: backstop.map_or(Address::ZERO, |backstop| backstop.pool),
            seen: stage.watch.seen.clone(),
            forecasts: stage.watch.forecasts.clone(),
            prices: stage.prices.clone(),
            start: stage.watch.start,
            symbols: stage.symbols.clone(),
            decimals: stage.decimals,
        };
        let met = judge::positions(&stage, untouched, &mut checks).await;
        drop(stage);
        met?;
        let stopped = match self.keeper.take() {
            Some(keeper) => tokio::time::timeout(STOP_WITHIN, keeper.stopped()).await,
            None => return Err(DrillError::KeeperGone),
        };
        checks.expect(
            "the keeper stops when it is told to",
            matches!(stopped, Ok(Ok(()))),
            match stopped {
                Ok(Ok(())) => "it did".to_owned(),
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("not within {} s", STOP_WITHIN.as_secs()),
            },
        );
        judge::books(
            judge::Books {
                provider: &ground.provider,
                market: &ground.market,
                keeper,
                from,
                before,
                after: balances(&ground, keeper).await?,
                said,
                state: &config.state.directory,
            },
            watched,
            checks,
        )
        .await
    }

    /// The chain, the system, the market.
    async fn ground(&mut self) -> Result<Ground, DrillError> {
        self.part("A chain of its own");
        let path = anvil::find(&env::current_dir()?)?;
        let shown = path.display().to_string();
        let (anvil, version) = tokio::task::spawn_blocking(move || {
            let version = anvil::version(&path)?;
            Ok::<_, DrillError>((anvil::start(&path)?, version))
        })
        .await
        .map_err(|error| std::io::Error::other(error.to_string()))??;
        self.note(format!("{shown} ({version})"));
        self.note(format!("listens on {}", anvil.endpoint()));
        let client = ClientBuilder::default().http(anvil.endpoint_url());
        client.set_poll_interval(Duration::from_millis(20));
        let provider = ProviderBuilder::default().connect_client(client).erased();
        let folder = tempfile::Builder::new()
            .prefix("breakwater-drill-")
            .tempdir()?;
        self.part("The system, with the parameters that are shipped");
        let file = ManifestFile::open(folder.path().join("manifest.json"))?;
        let mut steps = 0_u32;
        let backstop = (self.drama == Drama::Backstop).then(breakwater_deploy::local::backstop);
        let market =
            Market::deploy_with(provider.clone(), file, backstop, |_| {}, |_| steps += 1).await?;
        provider.anvil_set_block_timestamp_interval(SLOT).await?;
        let deployment = market.deployment();
        self.note(format!(
            "{} contracts, {} calls; code and parameters on chain compared with the plan",
            deployment.contracts.len(),
            deployment.calls.len(),
        ));
        self.note(format!(
            "pool {}, damped policy {}",
            deployment.pool, deployment.policy.address,
        ));
        self.note(format!(
            "feed and venue stand at {}; a lender has deposited, the averages are warm",
            grouped(START_PRICE as f64 / 1e8)
        ));
        Ok(Ground {
            anvil,
            provider,
            market,
            folder,
        })
    }

    /// Positions, and a market that has seen them for some hours.
    async fn borrow(&mut self, ground: &Ground, checks: &mut Checks) -> Result<(), DrillError> {
        self.part("Borrowers");
        let market = &ground.market;
        let mut lowest = f64::INFINITY;
        for borrower in self.drama.cast() {
            let account = borrower.address();
            market
                .open_position(account, borrower.amount(), borrower.debt())
                .await?;
            let call = breakwater_bindings::ILendingPool::accountHealthCall { account };
            let views = RpcViews::new(ground.provider.clone());
            let pool = market.deployment().pool;
            let health = views.read(pool, call).await.map_err(LocalError::from)?;
            let health = crate::units::ratio(health.healthFast);
            lowest = lowest.min(health);
            self.note(format!(
                "{:<5} {account} owes {:>13} against {:>7} of collateral, health {health:.4}",
                borrower.name,
                amount(borrower.debt(), breakwater_deploy::local::DEBT_DECIMALS),
                amount(
                    borrower.amount(),
                    breakwater_deploy::local::COLLATERAL_DECIMALS
                ),
            ));
        }
        checks.expect(
            "every position is healthy before the price falls",
            lowest >= 1.0,
            format!("the lowest health factor is {lowest:.4}"),
        );
        if let Some(backstop) = market.deployment().backstop {
            let depositor = Address::repeat_byte(0xd0);
            let decimals = breakwater_deploy::local::DEBT_DECIMALS;
            let assets = breakwater_deploy::local::tokens(BACKING, decimals);
            let passed = market.back(depositor, assets).await?;
            let keeper = ground.anvil.addresses()[PLACE];
            let purse = breakwater_deploy::local::tokens(PURSE, decimals);
            market.endow(keeper, purse, backstop.pool).await?;
            self.note(format!(
                "a depositor puts {} into the backstop {}, active after {}; the keeper may buy of it for {}",
                amount(assets, decimals),
                backstop.pool,
                clock(passed),
                amount(purse, decimals)
            ));
        }
        let (readings, apart) = DEPTH_READINGS;
        for _ in 0..readings {
            market.advance(apart).await?;
            market.set_price(price(100.0)).await?;
            market.observe().await?;
        }
        market.advance(blocks(10)).await?;
        self.note(format!(
            "{} pass, in which the feed reports, and breaker and bucket observe, every quarter of an hour",
            clock(readings * apart)
        ));
        ground.provider.anvil_set_auto_mine(false).await?;
        Ok(())
    }

    /// The keeper, from a configuration file as an operator would write it.
    async fn keep(
        &mut self,
        ground: &Ground,
        checks: &mut Checks,
    ) -> Result<(Watch, KeeperConfig), DrillError> {
        self.part("The keeper");
        let text = format!(
            "[chain]\nrpc_urls = [\"{}\"]\nchain_id = {}\nmanifest = \"manifest.json\"\n\
             [account]\n[strategy]\n[state]\n[http]\nlisten = \"127.0.0.1:0\"\n",
            ground.anvil.ws_endpoint(),
            ground.market.deployment().chain_id,
        );
        let file = ground.folder.path().join("keeper.toml");
        let config = KeeperConfig::parse(&text, &file, &Environment::default())?;
        let signer = PrivateKeySigner::from_slice(&ground.anvil.keys()[PLACE].to_bytes()).map_err(
            |error| DrillError::Anvil {
                path: file,
                reason: format!("its account {PLACE} has no usable key: {error}"),
            },
        )?;
        let options = Options {
            signer: Some(signer),
            lock_directory: Some(ground.folder.path().join("locks")),
            ..Options::default()
        };
        let keeper = start(config.clone(), options, self.halt.clone()).await?;
        let now = ground.market.timestamp().await?;
        let mut watch = Watch::new(keeper.status.clone(), self.stop.clone(), now);
        let (address, http) = (keeper.address, keeper.http);
        self.keeper = Some(keeper);
        self.note(format!(
            "account {address}, shipped settings throughout: it reckons with two competitors, though nobody else is here"
        ));
        self.note(format!(
            "http://{http} serves its page, /health, /ready, /metrics and /status.json while this goes on"
        ));
        self.note(format!(
            "others fill half of each block, so that the base fee stays near the {} gwei at which it begins",
            BASE_FEE / 1_000_000_000
        ));
        let head = ground.provider.get_block_number().await?;
        let status = watch.planned_on(head).await?;
        if let Some(bucket) = status.collaterals.first().and_then(|one| one.bucket) {
            self.note(format!(
                "volume bucket: {} of {}, of which {} are reserved; {} flow in a minute",
                grouped(bucket.level),
                grouped(bucket.cap),
                grouped(bucket.cap * bucket.reserve),
                grouped(bucket.refill_per_minute)
            ));
        }
        let answer = ready(&http.to_string()).await;
        checks.expect(
            "the keeper is ready: it has every block and all positions",
            answer.starts_with("200") && status.positions_total == self.drama.cast().len() as u64,
            format!(
                "/ready answers {answer}, it has {} of {} positions",
                status.positions_total,
                self.drama.cast().len()
            ),
        );
        Ok((watch, config))
    }
}

/// The one who is to stay as he is.
fn healthy(drama: Drama) -> Address {
    let mut cast = drama.cast().iter();
    cast.find(|one| one.fate == Fate::Healthy)
        .map_or(Address::ZERO, cast::Borrower::address)
}

/// The feed first, then the traders; nothing may be liquidated in between.
async fn first_fall(stage: &mut Stage<'_>, checks: &mut Checks) -> Result<(), DrillError> {
    (stage.tell)(Told::Part(format!(
        "The price falls by {:.1}%, into the damped zone",
        100.0 - FIRST_FALL
    )));
    stage.watch.forget();
    let before = stage.provider.get_block_number().await?;
    stage
        .report(FIRST_FALL, "the venue does not follow yet")
        .await?;
    for _ in 0..3 {
        stage.mine().await?;
    }
    let early = accounts::closings(&stage.provider, stage.market.deployment(), before).await?;
    let unconfirmed = stage
        .watch
        .seen
        .iter()
        .filter(|(wait, _)| *wait == Wait::Confirmation)
        .count();
    let below = stage.cast.iter().filter(|one| one.falls_at > FIRST_FALL);
    let fallen = below.count();
    checks.expect(
        "nothing is liquidated before the venue confirms the feed's fall",
        early.is_empty() && unconfirmed == fallen,
        format!(
            "{unconfirmed} of {fallen} positions waited for it, {} liquidations",
            early.len()
        ),
    );
    let more = "its average of a minute follows";
    stage.trade(FIRST_FALL, more).await?;
    stage
        .until_healthy(
            "every position is healthy or closed after the first fall",
            FALL_BLOCKS,
        )
        .await
}

/// A fall between two reports, deeper than the damped zone.
async fn gap(stage: &mut Stage<'_>, checks: &mut Checks) -> Result<(), DrillError> {
    (stage.tell)(Told::Part(format!(
        "A gap: between two reports the price falls by another {:.1}%",
        100.0 - GAP / FIRST_FALL * 100.0
    )));
    stage.watch.forget();
    stage.mine().await?;
    stage.trade(GAP, "the feed has not reported it").await?;
    stage.report(GAP, "as far as it fell").await?;
    let mut found = Vec::new();
    for fate in [Fate::Hard, Fate::Insolvent, Fate::Late, Fate::Healthy] {
        let borrower = stage.cast.iter().find(|one| one.fate == fate);
        found.push(match borrower {
            Some(one) => Some(stage.zone_reported(one.address()).await?),
            None => None,
        });
    }
    checks.expect(
        "the gap leaves positions in the hard zone, insolvent, in the damped zone and healthy",
        found == [Zone::Hard, Zone::Insolvent, Zone::Damped, Zone::Healthy].map(Some),
        found
            .iter()
            .map(|zone| zone.map_or("nobody", Zone::name))
            .collect::<Vec<_>>()
            .join(", "),
    );
    stage
        .until_healthy(
            "every position is healthy or closed after the gap",
            FALL_BLOCKS,
        )
        .await
}

/// Blocks until nothing can be undone; what the keeper then says that it earned.
async fn finality(stage: &mut Stage<'_>) -> Result<Status, DrillError> {
    let from = stage.provider.get_block_number().await?;
    for _ in 0..FINAL_BLOCKS {
        stage.provider.evm_mine(None).await?;
    }
    // It may have sent something meanwhile, which is final as many blocks later.
    loop {
        let head = stage.provider.get_block_number().await?;
        let status = stage.watch.planned_on(head).await?;
        let later = head - from;
        if status.pending.is_empty() {
            (stage.tell)(Told::Note(format!(
                "{later} blocks later everything is final, and the keeper is told to stop"
            )));
            return Ok(status);
        }
        if later >= 4 * FINAL_BLOCKS {
            let orders = status
                .pending
                .iter()
                .map(|bid| format!("{} of {} ({:?})", bid.action, bid.account, bid.state));
            return Err(DrillError::Missed {
                what: format!(
                    "every transaction of the keeper is final, and not {}",
                    orders.collect::<Vec<_>>().join(", ")
                ),
                limit: format!("{later} blocks"),
            });
        }
        stage.provider.evm_mine(None).await?;
    }
}

/// What `/ready` answers.
async fn ready(address: &str) -> String {
    let url = format!("http://{address}/ready");
    match alloy::transports::http::reqwest::get(url).await {
        Ok(answer) => {
            let code = answer.status().as_u16();
            let text = answer.text().await.unwrap_or_default();
            format!("{code} {}", text.trim())
        }
        Err(error) => error.to_string(),
    }
}

/// What an account has.
async fn balances(ground: &Ground, owner: Address) -> Result<Balances, DrillError> {
    let views = RpcViews::new(ground.provider.clone());
    let call = SimToken::balanceOfCall { owner };
    let asset = ground.market.deployment().asset;
    let debt = views.read(asset, call.clone()).await;
    let collateral = views.read(ground.market.collateral().token, call).await;
    Ok(Balances {
        debt: debt.map_err(LocalError::from)?,
        collateral: collateral.map_err(LocalError::from)?,
        native: ground.provider.get_balance(owner).await?,
    })
}
