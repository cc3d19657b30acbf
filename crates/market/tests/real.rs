//! The readers on real files, and the readme's figures against them. The files are not part of the repository.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use breakwater_market::accounts::{Terms, read_accounts};
use breakwater_market::gas::read_gas;
use breakwater_market::testdata;
use breakwater_market::{
    Accounts, Bars, GasConfig, Grid, Interpolation, LeftOutReason, MarketError, PopulationConfig,
    PriceConfig, Request, Series, Unit,
};

const MARCH: &str = "price_ethusdt_5m_2020-03-10_2020-03-16.csv";
const MAY: &str = "price_ethusdt_1m_2021-05-18_2021-05-20.csv";
const GAS: &str = "gas_price_10m_6crashdays_2020-2021.csv";
const RESERVES: &str = "liquidity_univ2_daiweth_reserves_10m_6crashdays.csv";
const USERS: &str = "positions_aave_v3_top1000_users_2025-12-02.csv";
const MARCH_START: u64 = 1_583_996_400;
const MAY_START: u64 = 1_621_382_400;

fn day() -> Grid {
    Grid::new(7_200, 12).unwrap()
}

fn lowest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

#[test]
fn every_file_of_bars_is_read_and_bridged() {
    for (name, bar_seconds, rows) in [
        ("price_btcusdt_1m_2021-05-18_2021-05-20.csv", 60, 4118),
        ("price_btcusdt_30m_2022-06-09_2022-06-19.csv", 1800, 528),
        (MAY, 60, 4118),
        ("price_ethusdt_30m_2022-06-09_2022-06-19.csv", 1800, 528),
        (MARCH, 300, 2016),
        ("price_ethusdt_5m_2021-05-16_2021-05-24.csv", 300, 2592),
        ("price_linkusdt_1m_2021-05-18_2021-05-20.csv", 60, 4118),
    ] {
        let Some(path) = testdata::file(name) else {
            continue;
        };
        let bars = Bars::read(&path).unwrap();
        assert_eq!(
            (bars.bar_seconds(), bars.bars().len()),
            (bar_seconds, rows),
            "{name}"
        );
        for slot in [12, 7] {
            let blocks = bars.covers(slot, None) as usize;
            let prices = bars
                .resolve(Grid::new(blocks, slot).unwrap(), None, 1, 0)
                .unwrap();
            let extremes = bars
                .bars()
                .iter()
                .fold((f64::INFINITY, 0.0f64), |(low, high), bar| {
                    (low.min(bar.low), high.max(bar.high))
                });
            let found = (lowest(&prices), prices.iter().copied().fold(0.0, f64::max));
            assert_eq!(found, extremes, "{name} at {slot} s");
        }
    }
}

#[test]
fn the_two_windows_have_the_falls_that_the_readme_says() {
    for (name, start, open, low, fall) in [
        (MARCH, MARCH_START, 173.78, 86.0, 0.505),
        (MARCH, MARCH_START - 3 * 3600, 183.02, 86.0, 0.530),
        (MAY, MAY_START, 3375.08, 1888.0, 0.441),
    ] {
        let Some(path) = testdata::file(name) else {
            continue;
        };
        let prices = Bars::read(&path)
            .unwrap()
            .resolve(day(), Some(start), 1, 0)
            .unwrap();
        assert_eq!((prices[0], lowest(&prices)), (open, low));
        assert!(
            (1.0 - low / open - fall).abs() < 0.0005,
            "{}",
            1.0 - low / open
        );
    }
}

#[test]
fn days_joined_with_gaps_are_not_bars() {
    let Some(path) = testdata::file("price_ethusd_10m_7crashdays_2020-2021.csv") else {
        return;
    };
    assert!(matches!(
        Bars::read(&path).unwrap_err(),
        MarketError::MissingColumn { row: 1, .. }
    ));
    let renamed = std::fs::read_to_string(&path)
        .unwrap()
        .replacen("price_", "", 4);
    assert!(matches!(
        Bars::parse(Path::new("renamed.csv"), renamed.into_bytes()).unwrap_err(),
        MarketError::Gap { row: 146, .. }
    ));
}

#[test]
fn a_damaged_copy_is_refused_at_the_damaged_row() {
    let Some(path) = testdata::file(MARCH) else {
        return;
    };
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let parse = |lines: Vec<&str>| {
        Bars::parse(Path::new("copy.csv"), lines.join("\n").into_bytes()).unwrap_err()
    };
    // Line 1000 (counted from 1) is lines[999].
    let mut gap = lines.clone();
    gap.remove(999);
    assert!(matches!(
        parse(gap),
        MarketError::Gap {
            row: 1000,
            missing_seconds: 300,
            interval_seconds: 300,
            ..
        }
    ));
    let mut twice = lines.clone();
    twice.insert(999, lines[999]);
    assert!(matches!(
        parse(twice),
        MarketError::DuplicateTime { row: 1001, .. }
    ));
    let mut swapped = lines.clone();
    swapped.swap(998, 999);
    assert!(matches!(parse(swapped), MarketError::Gap { row: 999, .. }));
    let negative = lines[999].replacen(',', ",-", 1);
    let mut bad = lines.clone();
    bad[999] = &negative;
    assert!(matches!(
        parse(bad),
        MarketError::Malformed { row: 1000, .. }
    ));
}

#[test]
fn gas_covers_its_days_and_peaks_when_it_did() {
    let Some(path) = testdata::file(GAS) else {
        return;
    };
    let gas = read_gas(&path).unwrap();
    assert_eq!((gas.column(), gas.interval_seconds()), ("avgGasDay", 600));
    let may = gas
        .resolve(day(), Some(MAY_START), Interpolation::Step)
        .unwrap();
    let peak = may.iter().copied().fold(0.0, f64::max);
    // 13:10 UTC is 47,400 s in, block 3,950.
    assert_eq!((may[3950], peak.round()), (peak, 1656.0));
    // 12 March ends with a gap to the next day of the file.
    assert_eq!(gas.covers(12, Some(MARCH_START)), 5_100);
    assert!(matches!(
        gas.resolve(day(), Some(MARCH_START), Interpolation::Step)
            .unwrap_err(),
        MarketError::Gap { row: 146, .. }
    ));
}

#[test]
fn reserves_price_collateral_as_the_market_did() {
    let (Some(reserves), Some(prices)) = (testdata::file(RESERVES), testdata::file(MAY)) else {
        return;
    };
    let grid = Grid::new(6_000, 12).unwrap();
    let start = Some(MAY_START + 7 * 3600);
    let column = |name| {
        Series::read(&reserves, &[name])
            .unwrap()
            .resolve(grid, start, Interpolation::LogLinear)
            .unwrap()
    };
    let (dai, weth) = (column("DAI"), column("WETH"));
    let market = Bars::read(&prices)
        .unwrap()
        .resolve(grid, start, 1, 0)
        .unwrap();
    let apart = (0..6_000)
        .map(|i| (dai[i] / weth[i] / market[i]).ln().abs())
        .sum::<f64>()
        / 6_000.0;
    assert!(apart < 0.02, "{apart}");
}

const TERMS: Terms = Terms {
    collateral_price: 2_836.11,
    debt_price: 1.0,
    max_ltv: 0.8,
};

#[test]
fn the_snapshot_is_read_as_it_is() {
    let Some(path) = testdata::file(USERS) else {
        return;
    };
    let population = read_accounts(&path, Unit::Usd, &TERMS).unwrap();
    let billions = |amount: f64| (amount / 1e7).round() / 100.0;
    assert_eq!(population.accounts.len(), 725);
    assert_eq!(billions(population.total_debt()), 6.84);
    assert_eq!(
        billions(population.total_collateral() * TERMS.collateral_price),
        14.94
    );
    let (above, _, above_debt) = population.left_out_for(LeftOutReason::AboveMaxLtv);
    let (bare, bare_collateral, bare_debt) = population.left_out_for(LeftOutReason::NoCollateral);
    assert_eq!((above, bare, bare_collateral), (263, 12, 0.0));
    assert_eq!(population.left_out_for(LeftOutReason::Nothing).0, 0);
    assert_eq!(billions(above_debt + bare_debt), 7.97);
    assert_eq!(population.left_out.len() + population.accounts.len(), 1000);
    assert!(
        population
            .accounts
            .iter()
            .all(|account| account.ltv(&TERMS) <= TERMS.max_ltv)
    );
}

#[test]
fn the_snapshot_rescales_and_resamples() {
    let Some(path) = testdata::file(USERS) else {
        return;
    };
    let resolve = |extra: &str, seed| -> Accounts {
        let text = format!("source = \"file\"\npath = {path:?}\nunit = \"usd\"\n{extra}");
        let config: PopulationConfig = toml::from_str(&text).unwrap();
        let request = Request {
            table: "population",
            base: Path::new("."),
            grid: day(),
            seed,
            series: 0,
        };
        config.resolve(&request, &TERMS).unwrap()
    };
    let plain = resolve("", 1);
    let scaled = resolve("total_collateral = 1e6", 1);
    assert!((scaled.total_collateral() / 1e6 - 1.0).abs() < 1e-12);
    for (a, b) in plain.accounts.iter().zip(&scaled.accounts) {
        assert!((a.ltv(&TERMS) - b.ltv(&TERMS)).abs() < 1e-12);
    }
    let drawn = resolve("total_collateral = 1e6\nresample = 2000", 1);
    assert_eq!(drawn.accounts.len(), 2000);
    assert!((drawn.total_collateral() / 1e6 - 1.0).abs() < 1e-12);
    assert_eq!(drawn, resolve("total_collateral = 1e6\nresample = 2000", 1));
    assert_ne!(drawn, resolve("total_collateral = 1e6\nresample = 2000", 2));
    assert_eq!(drawn.left_out, plain.left_out);
}

/// A block of the readme, by the comment in its first line.
fn block(name: &str) -> String {
    include_str!("../README.md")
        .split("```toml\n")
        .find_map(|text| text.strip_prefix(&format!("# {name}\n")))
        .and_then(|text| text.split("```").next())
        .unwrap()
        .to_owned()
}

fn request(seed: u64) -> Request<'static> {
    Request {
        table: "readme",
        base: Path::new("."),
        grid: day(),
        seed,
        series: 0,
    }
}

/// Realised volatility of five-minute steps, per square root of an hour.
fn volatility(prices: &[f64]) -> f64 {
    let five_minutes: Vec<f64> = prices.iter().copied().step_by(25).collect();
    let squares: f64 = five_minutes
        .windows(2)
        .map(|pair| (pair[1] / pair[0]).ln().powi(2))
        .sum();
    (squares * 12.0 / (five_minutes.len() - 1) as f64).sqrt()
}

fn check_prices(name: &str, file: Option<PathBuf>, start: u64) {
    let PriceConfig::Profile(profile) = toml::from_str(&block(name)).unwrap() else {
        panic!()
    };
    let path = PriceConfig::Profile(profile.clone())
        .resolve(&request(1))
        .unwrap();
    assert_eq!(path.len(), 7_200);
    let Some(file) = file else { return };
    let bars = Bars::read(&file).unwrap();
    for knot in &profile.knots {
        let time = start + knot.seconds;
        let bar = bars.bars()[((time - bars.first()) / bars.bar_seconds()) as usize];
        assert!(
            (bar.low * 0.99..=bar.high * 1.01).contains(&knot.price),
            "{name}: {knot:?} against {bar:?}"
        );
    }
    // The profile's extremes are the window's, and so is its volatility, on average over seeds.
    let real = bars.resolve(day(), Some(start), 1, 0).unwrap();
    assert_eq!(profile.floor, Some(lowest(&real)));
    let mean = (0..40)
        .map(|seed| {
            volatility(
                &PriceConfig::Profile(profile.clone())
                    .resolve(&request(seed))
                    .unwrap(),
            )
        })
        .sum::<f64>()
        / 40.0;
    let seen = volatility(&real);
    assert!(
        (mean / seen - 1.0).abs() < 0.1,
        "{name}: {mean} against {seen}"
    );
    // Without noise the profile stays near the market all the time.
    let still = PriceConfig::Profile(breakwater_market::generate::PriceProfile {
        volatility_per_hour: 0.0,
        ..profile
    })
    .resolve(&request(1))
    .unwrap();
    let apart = still
        .iter()
        .zip(&real)
        .map(|(a, b)| (a / b).ln().abs())
        .sum::<f64>()
        / 7_200.0;
    assert!(apart < 0.02, "{name}: {apart}");
}

#[test]
fn readme_prices_are_the_markets() {
    check_prices("march-2020-price", testdata::file(MARCH), MARCH_START);
    check_prices("may-2021-price", testdata::file(MAY), MAY_START);
}

#[test]
fn readme_gas_is_the_chains() {
    for (name, start) in [("march-2020-gas", MARCH_START), ("may-2021-gas", MAY_START)] {
        let GasConfig::Profile(profile) = toml::from_str(&block(name)).unwrap() else {
            panic!()
        };
        assert_eq!(
            GasConfig::Profile(profile.clone())
                .resolve(&request(1))
                .unwrap()
                .len(),
            7_200
        );
        let Some(path) = testdata::file(GAS) else {
            continue;
        };
        let gas = read_gas(&path).unwrap();
        for knot in &profile.knots {
            let time = start + knot.seconds;
            let one = Grid::new(1, 12).unwrap();
            let real = gas.resolve(one, Some(time), Interpolation::Step).unwrap()[0];
            assert!(
                (knot.gwei / real - 1.0).abs() < 0.1,
                "{name}: {knot:?} against {real}"
            );
        }
    }
}

#[test]
fn readme_tables_all_parse_and_resolve() {
    let text = include_str!("../README.md");
    let tables = text
        .split("```toml\n")
        .find(|block| block.starts_with("[price_file]"))
        .and_then(|block| block.split("```").next())
        .unwrap();
    let tables: toml::Table = toml::from_str(tables).unwrap();
    let tiny = Request {
        grid: Grid::new(10, 12).unwrap(),
        ..request(1)
    };
    for (name, value) in tables {
        let missing_file = |error: MarketError| {
            assert!(
                matches!(error, MarketError::Missing { .. }),
                "{name}: {error}"
            );
        };
        let is_file = name.ends_with("_file");
        let refused = match name.split('_').next().unwrap() {
            "gas" => value.try_into::<GasConfig>().unwrap().resolve(&tiny).err(),
            "depth" => value
                .try_into::<breakwater_market::DepthConfig>()
                .unwrap()
                .resolve(&tiny, 1e6)
                .err(),
            "population" => value
                .try_into::<PopulationConfig>()
                .unwrap()
                .resolve(&tiny, &TERMS)
                .err(),
            _ => value
                .try_into::<PriceConfig>()
                .unwrap()
                .resolve(&tiny)
                .err(),
        };
        assert_eq!(refused.is_some(), is_file, "{name}: {refused:?}");
        refused.map(missing_file);
    }
}
