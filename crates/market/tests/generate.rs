//! Generated prices.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use breakwater_market::{Grid, MarketError, PriceConfig, Request};
use proptest::prelude::*;

const YEAR: f64 = 31_557_600.0;

fn request(blocks: usize, slot: u64, seed: u64) -> Request<'static> {
    Request {
        table: "price",
        base: Path::new("."),
        grid: Grid::new(blocks, slot).unwrap(),
        seed,
        series: 0,
    }
}

fn config(text: &str) -> PriceConfig {
    toml::from_str(text).unwrap()
}

fn refused_key(text: &str) -> String {
    match config(text).resolve(&request(10, 12, 1)).unwrap_err() {
        MarketError::Impossible { key, .. } => key,
        other => panic!("{other}"),
    }
}

const GBM: &str = "source = \"gbm\"\ninitial = 2000\nvolatility_per_year = 0.8";
const JUMPS: &str = "source = \"jump-diffusion\"\ninitial = 2000\nvolatility_per_year = 0.8\njumps_per_year = 400\njump_mean = -0.1\njump_deviation = 0.05";
const REGIME: &str = "source = \"regime\"\ninitial = 2000\ncalm_volatility_per_year = 0.2\nstressed_volatility_per_year = 4\nmean_calm_seconds = 6000\nmean_stressed_seconds = 3000";
const PROFILE: &str = "source = \"profile\"\nvolatility_per_hour = 0.05\nknots = [{ seconds = 0, price = 100 }, { seconds = 3600, price = 60 }, { seconds = 7200, price = 90 }]";

#[test]
fn every_kind_starts_at_its_price_and_repeats_itself() {
    for (text, first) in [
        (GBM, 2000.0),
        (JUMPS, 2000.0),
        (REGIME, 2000.0),
        (PROFILE, 100.0),
    ] {
        let config = config(text);
        let path = config.resolve(&request(601, 12, 5)).unwrap();
        assert_eq!(path.len(), 601);
        assert_eq!(path[0], first);
        assert!(path.iter().all(|p| p.is_finite() && *p > 0.0));
        assert_eq!(path, config.resolve(&request(601, 12, 5)).unwrap());
        assert_ne!(path, config.resolve(&request(601, 12, 6)).unwrap());
        let other = Request {
            series: 1,
            ..request(601, 12, 5)
        };
        assert_ne!(path, config.resolve(&other).unwrap());
        // Fewer blocks are the beginning of more.
        assert_eq!(
            path[..100],
            config.resolve(&request(100, 12, 5)).unwrap()[..]
        );
    }
}

#[test]
fn gbm_has_the_volatility_and_drift_asked_for() {
    let path = config(&format!("{GBM}\ndrift_per_year = 30"))
        .resolve(&request(200_000, 12, 1))
        .unwrap();
    let steps: Vec<f64> = path
        .windows(2)
        .map(|pair| (pair[1] / pair[0]).ln())
        .collect();
    let n = steps.len() as f64;
    let mean = steps.iter().sum::<f64>() / n;
    let variance = steps.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / n;
    let per_year = YEAR / 12.0;
    // Over 2.4 million seconds the drift's own error is 0.8 / √0.076 = 2.9 a year.
    assert!(
        (mean * per_year - (30.0 - 0.32)).abs() < 9.0,
        "{}",
        mean * per_year
    );
    let volatility = (variance * per_year).sqrt();
    assert!((volatility / 0.8 - 1.0).abs() < 0.01, "{volatility}");
}

#[test]
fn jumps_leave_the_mean_where_the_drift_puts_it() {
    // E[S_T] = S₀ e^{μT} with μ = 0: the mean of S_T / S₀ over seeds is 1. T is 30 days, about 33 jumps of −10%.
    let config = config(
        "source = \"jump-diffusion\"\ninitial = 1\nvolatility_per_year = 0.5\njumps_per_year = 400\njump_mean = -0.1\njump_deviation = 0.05",
    );
    let seeds = 3000;
    let ends: Vec<f64> = (0..seeds)
        .map(|seed| {
            *config
                .resolve(&request(31, 86_400, seed))
                .unwrap()
                .last()
                .unwrap()
        })
        .collect();
    let mean = ends.iter().sum::<f64>() / seeds as f64;
    let deviation = (ends.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / seeds as f64).sqrt();
    let error = deviation / (seeds as f64).sqrt();
    assert!((mean - 1.0).abs() < 4.0 * error, "{mean} ± {error}");
    assert!(error < 0.03, "{error}");
}

#[test]
fn a_jump_diffusion_without_jumps_is_the_gbm_of_the_same_seed() {
    let without = JUMPS.replace("jumps_per_year = 400", "jumps_per_year = 0");
    let gbm = config(GBM).resolve(&request(1000, 12, 9)).unwrap();
    assert_eq!(
        gbm,
        config(&without).resolve(&request(1000, 12, 9)).unwrap()
    );
    // And jumps only add to it: between jumps the paths move alike.
    let with = config(JUMPS).resolve(&request(1000, 12, 9)).unwrap();
    // What the compensator adds to a step: −λ (exp(m + s²/2) − 1) dt.
    let added = -400.0 * (-0.1f64 + 0.00125).exp_m1() * 12.0 / YEAR;
    let moved = gbm
        .windows(2)
        .zip(with.windows(2))
        .filter(|(a, b)| ((b[1] / b[0]).ln() - (a[1] / a[0]).ln() - added).abs() > 1e-9)
        .count();
    assert!(moved < 5, "{moved}");
}

#[test]
fn regimes_switch_between_their_volatilities() {
    let path = config(REGIME).resolve(&request(400_000, 12, 3)).unwrap();
    let steps: Vec<f64> = path
        .windows(2)
        .map(|pair| (pair[1] / pair[0]).ln())
        .collect();
    let variance = steps.iter().map(|s| s * s).sum::<f64>() / steps.len() as f64 * YEAR / 12.0;
    // A third of the time stressed: (2·0.04 + 16) / 3 = 5.36, and spells come 530 times, so within some percent.
    assert!((variance / 5.36 - 1.0).abs() < 0.15, "{variance}");
    // Volatility clusters: a step's size says something about the next one's.
    let sizes: Vec<f64> = steps.iter().map(|s| s.abs()).collect();
    let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
    let covariance = sizes
        .windows(2)
        .map(|p| (p[0] - mean) * (p[1] - mean))
        .sum::<f64>();
    let own = sizes.iter().map(|s| (s - mean).powi(2)).sum::<f64>();
    assert!(covariance / own > 0.2, "{}", covariance / own);
}

#[test]
fn a_profile_passes_through_its_knots_with_noise_between() {
    let path = config(PROFILE).resolve(&request(601, 12, 1)).unwrap();
    assert_eq!((path[0], path[300], path[600]), (100.0, 60.0, 90.0));
    let still = config(&PROFILE.replace("0.05", "0.0"))
        .resolve(&request(601, 12, 1))
        .unwrap();
    // Half way down: √(100·60) = 77.4597.
    assert!((still[150] - 77.459_666_924).abs() < 1e-6);
    // In the middle of an hour's bridge the noise has the deviation 0.05 · √(1/4) = 0.025.
    let seeds = 2000;
    let spread = (0..seeds)
        .map(|seed| {
            let path = config(PROFILE).resolve(&request(151, 12, seed)).unwrap();
            (path[150] / still[150]).ln().powi(2)
        })
        .sum::<f64>()
        / seeds as f64;
    assert!(
        (spread.sqrt() / 0.025 - 1.0).abs() < 0.06,
        "{}",
        spread.sqrt()
    );
}

#[test]
fn floor_and_ceiling_hold_the_noise() {
    let text = format!(
        "{}\nfloor = 60\nceiling = 100",
        PROFILE.replace("0.05", "0.5")
    );
    let wild = config(&PROFILE.replace("0.05", "0.5"))
        .resolve(&request(601, 12, 1))
        .unwrap();
    assert!(wild.iter().any(|p| !(60.0..=100.0).contains(p)));
    for seed in 0..50 {
        let path = config(&text).resolve(&request(601, 12, seed)).unwrap();
        assert!(path.iter().all(|p| (60.0..=100.0).contains(p)));
        assert_eq!(path[300], 60.0);
    }
    // One bound alone.
    let floored = format!("{}\nfloor = 60", PROFILE.replace("0.05", "0.5"));
    let path = config(&floored).resolve(&request(601, 12, 1)).unwrap();
    assert!(path.iter().all(|p| *p >= 60.0) && path.iter().any(|p| *p > 100.0));
}

#[test]
fn a_profile_must_reach_the_last_block() {
    let error = config(PROFILE).resolve(&request(602, 12, 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "price.knots: covers 601 blocks of 12 s from 0, expected 602"
    );
    let PriceConfig::Profile(profile) = config(PROFILE) else {
        panic!()
    };
    assert_eq!(profile.covers(12), 601);
    assert_eq!(profile.covers(7), 1029);
}

#[test]
fn impossible_values_are_refused_by_key() {
    let replaced = |text: &str, old: &str, new: &str| {
        assert!(text.contains(old));
        text.replace(old, new)
    };
    for (text, old, new, key) in [
        (GBM, "2000", "0", "price.initial"),
        (GBM, "2000", "-1", "price.initial"),
        (GBM, "2000", "inf", "price.initial"),
        (GBM, "0.8", "-0.1", "price.volatility_per_year"),
        (GBM, "0.8", "nan", "price.volatility_per_year"),
        (GBM, "0.8", "101", "price.volatility_per_year"),
        (JUMPS, "400", "-1", "price.jumps_per_year"),
        (JUMPS, "-0.1", "-6", "price.jump_mean"),
        (JUMPS, "0.05", "-0.05", "price.jump_deviation"),
        (REGIME, "= 4", "= -4", "price.stressed_volatility_per_year"),
        (REGIME, "6000", "0", "price.mean_calm_seconds"),
        (REGIME, "3000", "inf", "price.mean_stressed_seconds"),
        (PROFILE, "0.05", "-1", "price.volatility_per_hour"),
        (PROFILE, "price = 60", "price = -60", "price.knots[1].price"),
        (PROFILE, "7200", "3600", "price.knots[2].seconds"),
    ] {
        assert_eq!(refused_key(&replaced(text, old, new)), key);
    }
    assert_eq!(
        refused_key(&format!("{GBM}\ndrift_per_year = 101")),
        "price.drift_per_year"
    );
    assert_eq!(
        refused_key(&format!("{PROFILE}\nfloor = 61")),
        "price.floor"
    );
    assert_eq!(
        refused_key(&format!("{PROFILE}\nceiling = 99")),
        "price.ceiling"
    );
    assert_eq!(
        config(&format!("{PROFILE}\nfloor = 61"))
            .resolve(&request(10, 12, 1))
            .unwrap_err()
            .to_string(),
        "price.floor: 61 is impossible, expected 1e-30 to 60.0"
    );
}

#[test]
fn a_price_that_leaves_all_bounds_is_an_error_not_an_infinity() {
    let text = GBM.replace("0.8", "100");
    assert_eq!(
        match config(&text)
            .resolve(&request(100_000, 86_400, 1))
            .unwrap_err()
        {
            MarketError::Impossible { key, .. } => key,
            other => panic!("{other}"),
        },
        "price"
    );
}

#[test]
fn unknown_keys_are_refused() {
    for text in [GBM, JUMPS, REGIME, PROFILE] {
        assert!(toml::from_str::<PriceConfig>(&format!("{text}\nvolatility = 1")).is_err());
    }
    assert!(toml::from_str::<PriceConfig>("source = \"file\"\npath = \"x\"\nbar = 5").is_err());
    assert!(
        toml::from_str::<PriceConfig>(&PROFILE.replace("price = 60", "price = 60, x = 1")).is_err()
    );
}

#[test]
fn a_file_is_taken_from_the_base_folder_and_the_window_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("bars.csv"),
        "timestamp,open,high,low,close\n0,1,2,1,2\n60,2,3,2,3\n120,3,4,3,4\n",
    )
    .unwrap();
    let config = config("source = \"file\"\npath = \"bars.csv\"\nstart = 60");
    let request = Request {
        base: folder.path(),
        ..request(10, 12, 1)
    };
    let path = config.resolve(&request).unwrap();
    assert_eq!((path[0], path[4], path[5], path[9]), (2.0, 3.0, 3.0, 4.0));
    let elsewhere = Request {
        base: Path::new("."),
        ..request
    };
    assert!(matches!(
        config.resolve(&elsewhere).unwrap_err(),
        MarketError::Missing { .. }
    ));
}

proptest! {
    #[test]
    fn profiles_meet_every_knot_on_a_block(
        knots in prop::collection::vec((1u64..40, 0.001f64..1e6), 1..12),
        volatility in 0.0f64..3.0,
        seed in any::<u64>(),
    ) {
        let mut seconds = 0;
        let mut text = String::from("{ seconds = 0, price = 1.0 }");
        let mut expected = vec![(0u64, 1.0)];
        for (blocks, price) in knots {
            seconds += blocks * 12;
            text += &format!(", {{ seconds = {seconds}, price = {price:?} }}");
            expected.push((seconds / 12, price));
        }
        let (low, high) = expected.iter().fold((1.0f64, 1.0f64), |(l, h), k| (l.min(k.1), h.max(k.1)));
        let config = config(&format!(
            "source = \"profile\"\nvolatility_per_hour = {volatility:?}\nfloor = {low:?}\nceiling = {high:?}\nknots = [{text}]"
        ));
        let path = config.resolve(&request(seconds as usize / 12 + 1, 12, seed)).unwrap();
        for (block, price) in expected {
            prop_assert_eq!(path[block as usize], price);
        }
        prop_assert!(path.iter().all(|p| (low..=high).contains(p)));
    }
}
