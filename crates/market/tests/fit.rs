//! Groups fitted to accounts: what was put in comes out, and what stands in the scenarios comes out of the real accounts.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use breakwater_market::accounts::{Account, Terms, Unit, read_accounts};
use breakwater_market::fit::{Fit, fit};
use breakwater_market::{Grid, PopulationConfig, Request, testdata};

const USERS: &str = "positions_aave_v3_top1000_users_2025-12-02.csv";

fn terms(max_ltv: f64) -> Terms {
    Terms {
        collateral_price: 1.0,
        debt_price: 1.0,
        max_ltv,
    }
}

/// A group as a scenario has it.
fn drawn(accounts: usize, whales: f64, ltv: (f64, f64, f64, f64), seed: u64) -> Vec<Account> {
    let (minimum, maximum, mean, deviation) = ltv;
    let text = format!(
        "source = \"generated\"\n[[groups]]\nname = \"g\"\naccounts = {accounts}\ntotal_collateral = 1e6\n\
         sizes = {{ law = \"lognormal\", whale_share = {whales} }}\n\
         ltv = {{ minimum = {minimum}, maximum = {maximum}, mean = {mean}, deviation = {deviation} }}\n"
    );
    let config: PopulationConfig = toml::from_str(&text).unwrap();
    let request = Request {
        table: "population",
        base: Path::new(""),
        grid: Grid::new(2, 12).unwrap(),
        seed,
        series: 0,
    };
    config.resolve(&request, &terms(0.95)).unwrap().accounts
}

#[test]
fn a_drawn_group_is_found_again() {
    let accounts = drawn(20_000, 0.3, (0.1, 0.8, 0.5, 0.2), 1);
    let found = fit(&accounts, &terms(0.95), 0.1, 0.8).unwrap();
    assert!((found.ltv.mean - 0.5).abs() < 0.011, "{found:?}");
    assert!((found.ltv.deviation - 0.2).abs() < 0.011, "{found:?}");
    assert!((found.whale_share - 0.3).abs() < 1e-9, "{found:?}");
    // 1.36/√n is the distance that one sample in twenty exceeds.
    assert!(found.ltv_distance < 1.36 / 20_000.0_f64.sqrt(), "{found:?}");
    assert!(found.size_distance < 0.01, "{found:?}");
    assert_eq!(fit(&accounts[..150], &terms(0.95), 0.79, 0.8), None);
}

/// The share of debt whose threshold of 0.83 times this price is passed after a fall by `fall`.
fn due(accounts: &[Account], threshold: f64, fall: f64) -> f64 {
    let sum = |due: bool| {
        let of = accounts
            .iter()
            .filter(|account| !due || account.debt > account.collateral * (1.0 - fall) * threshold);
        of.map(|account| account.debt).sum::<f64>()
    };
    sum(true) / sum(false)
}

/// What the scenarios say of a group, and the real accounts of it.
fn real(minimum: f64, maximum: f64) -> Option<(Vec<Account>, Fit)> {
    let path = testdata::file(USERS)?;
    let terms = terms(0.95);
    let all = read_accounts(&path, Unit::Usd, &terms).unwrap().accounts;
    let found = fit(&all, &terms, minimum, maximum).unwrap();
    let within = all.into_iter().filter(|account| {
        let ltv = account.ltv(&terms);
        ltv > minimum && ltv <= maximum
    });
    Some((within.collect(), found))
}

fn near(found: f64, said: f64, by: f64) -> bool {
    (found - said).abs() <= by
}

#[test]
fn the_scenarios_borrowers_are_the_fitted_ones() {
    let Some((accounts, found)) = real(0.04, 0.8) else {
        return;
    };
    assert!(
        near(found.ltv.mean, 0.52, 1e-9) && near(found.ltv.deviation, 0.175, 1e-9),
        "{found:?}"
    );
    assert!(near(found.whale_share, 0.19, 0.005), "{found:?}");
    assert!(
        near(found.ltv_distance, 0.018, 5e-4) && near(found.size_distance, 0.173, 5e-4),
        "{found:?}"
    );
    // Large accounts are less leveraged than small ones; a drawn LTV does not know of size.
    let said = [
        (0.1, 0.027, 0.066),
        (0.2, 0.128, 0.227),
        (0.3, 0.331, 0.433),
    ];
    compare(&accounts, &found, 0.83, &said);
}

#[test]
fn the_loopers_law_is_the_one_that_the_readme_states() {
    let Some((accounts, found)) = real(0.8, 0.95) else {
        return;
    };
    assert!(
        near(found.ltv.mean, 0.95, 1e-9) && near(found.ltv.deviation, 0.07, 1e-9),
        "{found:?}"
    );
    assert!(near(found.whale_share, 0.42, 0.02), "{found:?}");
    assert!(
        near(found.ltv_distance, 0.061, 5e-4) && near(found.size_distance, 0.290, 5e-4),
        "{found:?}"
    );
    let said = [
        (0.02, 0.063, 0.164),
        (0.05, 0.502, 0.480),
        (0.1, 0.943, 0.851),
    ];
    compare(&accounts, &found, 0.955, &said);
}

/// What a fall makes due: of the real debt, and of the fitted group's in the mean of a hundred seeds.
fn compare(accounts: &[Account], found: &Fit, threshold: f64, said: &[(f64, f64, f64)]) {
    let ltv = found.ltv;
    let ltv = (ltv.minimum, ltv.maximum, ltv.mean, ltv.deviation);
    for &(fall, of_the_real, of_the_drawn) in said {
        let drawn = (0..100)
            .map(|seed| due(&drawn(500, found.whale_share, ltv, seed), threshold, fall))
            .sum::<f64>()
            / 100.0;
        let real = due(accounts, threshold, fall);
        assert!(near(real, of_the_real, 1e-3), "{fall}: real {real}");
        assert!(near(drawn, of_the_drawn, 5e-3), "{fall}: drawn {drawn}");
    }
}
