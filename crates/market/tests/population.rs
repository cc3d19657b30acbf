//! Accounts: read from files and generated.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use breakwater_market::accounts::{Terms, parse_accounts};
use breakwater_market::{
    Account, Accounts, Grid, LeftOutReason, MarketError, PopulationConfig, Request, Unit,
};
use proptest::prelude::*;

const TERMS: Terms = Terms {
    collateral_price: 2000.0,
    debt_price: 0.5,
    max_ltv: 0.8,
};

fn parse(text: &str, unit: Unit) -> Result<Accounts, MarketError> {
    parse_accounts(
        Path::new("accounts.csv"),
        text.as_bytes().to_vec(),
        unit,
        &TERMS,
    )
}

fn request(seed: u64) -> Request<'static> {
    Request {
        table: "population",
        base: Path::new("."),
        grid: Grid::new(1, 12).unwrap(),
        seed,
        series: 0,
    }
}

#[test]
fn dollars_become_tokens_at_the_given_prices() {
    let found = parse(
        "account,collateral,debt\na,4000,1000\nb,2000,0\n",
        Unit::Usd,
    )
    .unwrap();
    // 4,000 USD at 2,000 a token is 2 tokens; 1,000 USD of debt at 0.50 a token is 2,000 tokens.
    let expected = [("a", 2.0, 2000.0), ("b", 1.0, 0.0)].map(|(name, collateral, debt)| Account {
        name: name.into(),
        group: String::new(),
        collateral,
        debt,
    });
    assert_eq!(found.accounts, expected);
    assert_eq!(
        (found.accounts[0].ltv(&TERMS), found.accounts[1].ltv(&TERMS)),
        (0.25, 0.0)
    );
    assert_eq!(
        (found.total_collateral(), found.total_debt()),
        (3.0, 2000.0)
    );
    assert_eq!(found.largest_share(1), 2.0 / 3.0);
}

#[test]
fn rows_that_could_not_be_opened_are_left_out_and_listed() {
    let text = "account,collateral,debt\n\
        edge,1,3200\nover,1,3200.1\nbare,0,5\nnothing,0,0\nlender,2,0\n";
    let found = parse(text, Unit::Token).unwrap();
    // One token is worth 2,000, of which 80% is 1,600, or 3,200 debt tokens at 0.50: exactly that is allowed.
    let names: Vec<&str> = found.accounts.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["edge", "lender"]);
    let left: Vec<_> = found
        .left_out
        .iter()
        .map(|l| (l.row, l.name.as_str(), l.reason))
        .collect();
    assert_eq!(
        left,
        [
            (3, "over", LeftOutReason::AboveMaxLtv),
            (4, "bare", LeftOutReason::NoCollateral),
            (5, "nothing", LeftOutReason::Nothing),
        ]
    );
    assert_eq!(
        found.left_out_for(LeftOutReason::AboveMaxLtv),
        (1, 1.0, 3200.1)
    );
    assert_eq!(
        found.left_out_for(LeftOutReason::NoCollateral),
        (1, 0.0, 5.0)
    );
}

#[test]
fn malformed_rows_are_refused_by_row() {
    for (row, message) in [
        (
            "b,-1,0",
            "accounts.csv: row 3, column collateral: found -1, expected zero or a number above (1e-30 to 1e30)",
        ),
        (
            "b,1,x",
            "accounts.csv: row 3, column debt: found x, expected zero or a number above (1e-30 to 1e30)",
        ),
        (
            "b,1,",
            "accounts.csv: row 3, column debt: found nothing, expected zero or a number above (1e-30 to 1e30)",
        ),
        (
            "b,NaN,1",
            "accounts.csv: row 3, column collateral: found NaN, expected zero or a number above (1e-30 to 1e30)",
        ),
        (
            ",1,1",
            "accounts.csv: row 3, column account: found nothing, expected an account's name",
        ),
        (
            "b,1",
            "accounts.csv: row 3, the row: found 2 fields, expected 3, as in the header",
        ),
        (
            "a,1,1",
            "accounts.csv: row 3: account a was already listed in row 2",
        ),
    ] {
        let text = format!("account,collateral,debt\na,1,1\n{row}\n");
        assert_eq!(parse(&text, Unit::Token).unwrap_err().to_string(), message);
    }
    let error = parse("account,collateral\na,1\n", Unit::Token).unwrap_err();
    assert!(matches!(error, MarketError::MissingColumn { row: 1, .. }));
}

#[test]
fn a_file_without_a_usable_row_is_refused() {
    let error = parse("account,collateral,debt\na,0,1\nb,1,9999\n", Unit::Token).unwrap_err();
    assert!(matches!(error, MarketError::NoAccounts { rows: 2, .. }));
}

#[test]
fn dollars_are_not_read_as_tokens() {
    let text = "user_address,total_debt_usd,total_collateral_usd\na,1,10\n";
    let error = parse(text, Unit::Token).unwrap_err();
    assert!(
        matches!(&error, MarketError::Impossible { key, .. } if key == "unit"),
        "{error}"
    );
    assert!(parse(text, Unit::Usd).is_ok());
}

#[test]
fn terms_that_cannot_be_are_refused() {
    for (terms, key) in [
        (
            Terms {
                collateral_price: 0.0,
                ..TERMS
            },
            "collateral_price",
        ),
        (
            Terms {
                debt_price: f64::NAN,
                ..TERMS
            },
            "debt_price",
        ),
        (
            Terms {
                max_ltv: 0.0,
                ..TERMS
            },
            "max_ltv",
        ),
        (
            Terms {
                max_ltv: 1.0,
                ..TERMS
            },
            "max_ltv",
        ),
        (
            Terms {
                max_ltv: f64::NAN,
                ..TERMS
            },
            "max_ltv",
        ),
    ] {
        let error = terms.check().unwrap_err();
        assert!(
            matches!(&error, MarketError::Impossible { key: k, .. } if k == key),
            "{error}"
        );
    }
}

const GROUP: &str = "source = \"generated\"\n[[groups]]\nname = \"g\"\naccounts = 1000\ntotal_collateral = 5000\n\
    sizes = { law = \"LAW\", whale_share = 0.4 }\nltv = { minimum = 0.1, maximum = 0.8, mean = 0.6, deviation = 0.2 }\n";

fn generate(text: &str, seed: u64) -> Accounts {
    toml::from_str::<PopulationConfig>(text)
        .unwrap()
        .resolve(&request(seed), &TERMS)
        .unwrap()
}

#[test]
fn whales_hold_their_share_under_either_law() {
    for law in ["lognormal", "pareto"] {
        let population = generate(&GROUP.replace("LAW", law), 1);
        assert_eq!(population.accounts.len(), 1000);
        assert!((population.total_collateral() - 5000.0).abs() < 1e-9);
        let share = population.largest_share(10);
        // The ten whales hold 0.4; an account next to them may be a little larger than the smallest of them.
        assert!((0.4 - 1e-12..0.41).contains(&share), "{law}: {share}");
        // Nobody else's size follows from whale_share alone: the middle is far below the mean of 5.
        let mut sizes: Vec<f64> = population.accounts.iter().map(|a| a.collateral).collect();
        assert!(
            sizes.windows(2).any(|pair| pair[0] > pair[1]),
            "sizes are shuffled"
        );
        sizes.sort_unstable_by(f64::total_cmp);
        assert!(sizes[500] < 2.5 && sizes[0] > 0.0, "{law}: {}", sizes[500]);
    }
}

#[test]
fn laws_are_solved_for_their_parameters() {
    // Lognormal, p = 1%, S = 40%: σ = z + Φ⁻¹(0.4) = 2.326348 − 0.253347 = 2.073001; ln of the quartiles' ratio is
    // 2 · 0.674490 · σ = 2.796438. Pareto: 1/α = 1 − ln 0.4 / ln 0.01 = 0.801030; ln ratio = ln 3 / α = 0.880021.
    for (law, expected) in [("lognormal", 2.796_438), ("pareto", 0.880_021)] {
        let population = generate(&GROUP.replace("LAW", law), 1);
        let mut sizes: Vec<f64> = population.accounts.iter().map(|a| a.collateral).collect();
        sizes.sort_unstable_by(f64::total_cmp);
        let found = (sizes[749] / sizes[249]).ln();
        assert!((found - expected).abs() < 0.02, "{law}: {found}");
    }
}

#[test]
fn ltvs_follow_their_truncated_normal() {
    let population = generate(
        &GROUP
            .replace("LAW", "lognormal")
            .replace("1000\n", "50000\n"),
        2,
    );
    let ltvs: Vec<f64> = population.accounts.iter().map(|a| a.ltv(&TERMS)).collect();
    assert!(ltvs.iter().all(|l| (0.1 - 1e-12..=0.8 + 1e-12).contains(l)));
    // Cut at a = −2.5 and b = 1 of mean 0.6, deviation 0.2: the mean is
    // 0.6 + 0.2 (φ(a) − φ(b)) / (Φ(b) − Φ(a)) = 0.6 + 0.2 (0.017528 − 0.241971) / (0.841345 − 0.006210) = 0.546250.
    let mean = ltvs.iter().sum::<f64>() / ltvs.len() as f64;
    assert!((mean - 0.546_250).abs() < 0.003, "{mean}");
}

#[test]
fn leverage_does_not_depend_on_how_sizes_are_drawn() {
    let lognormal = generate(&GROUP.replace("LAW", "lognormal"), 1);
    let pareto = generate(&GROUP.replace("LAW", "pareto"), 1);
    for (a, b) in lognormal.accounts.iter().zip(&pareto.accounts) {
        assert_ne!(a.collateral, b.collateral);
        assert!((a.ltv(&TERMS) - b.ltv(&TERMS)).abs() < 1e-12);
    }
    assert_ne!(lognormal, generate(&GROUP.replace("LAW", "lognormal"), 2));
    assert_eq!(lognormal, generate(&GROUP.replace("LAW", "lognormal"), 1));
}

#[test]
fn groups_keep_their_own_totals_and_names() {
    let text = "source = \"generated\"\n\
        [[groups]]\nname = \"whale\"\naccounts = 1\ntotal_collateral = 300\nsizes = { law = \"even\" }\n\
        ltv = { minimum = 0.7, maximum = 0.7, mean = 0.7, deviation = 0 }\n\
        [[groups]]\nname = \"small\"\naccounts = 7\ntotal_collateral = 70\nsizes = { law = \"even\" }\n\
        ltv = { minimum = 0, maximum = 0.5, mean = 0.2, deviation = 0.1 }\n";
    let population = generate(text, 1);
    let whale = &population.accounts[0];
    assert_eq!(
        (whale.name.as_str(), whale.group.as_str(), whale.collateral),
        ("whale-0", "whale", 300.0)
    );
    // 300 · 2,000 · 0.7 / 0.5 = 840,000.
    assert!((whale.debt - 840_000.0).abs() < 1e-6);
    assert!(
        population.accounts[1..]
            .iter()
            .all(|a| a.group == "small" && a.collateral == 10.0)
    );
    // One group more moves nothing in the groups before it.
    let first = text.split("[[groups]]\nname = \"small\"").next().unwrap();
    assert_eq!(generate(first, 1).accounts[0], *whale);
}

#[test]
fn impossible_groups_are_refused_by_key() {
    let good = GROUP.replace("LAW", "lognormal");
    for (old, new, key) in [
        (
            "accounts = 1000",
            "accounts = 0",
            "population.groups.accounts",
        ),
        (
            "accounts = 1000",
            "accounts = 10000001",
            "population.groups.accounts",
        ),
        ("= 5000", "= 0", "population.groups[0].total_collateral"),
        ("= 5000", "= -5", "population.groups[0].total_collateral"),
        ("0.4", "0.01", "population.groups[0].sizes.whale_share"),
        ("0.4", "1", "population.groups[0].sizes.whale_share"),
        ("0.4", "nan", "population.groups[0].sizes.whale_share"),
        (
            "maximum = 0.8",
            "maximum = 0.81",
            "population.groups[0].ltv.maximum",
        ),
        (
            "minimum = 0.1",
            "minimum = 0.9",
            "population.groups[0].ltv.minimum",
        ),
        ("mean = 0.6", "mean = 0.05", "population.groups[0].ltv.mean"),
        (
            "deviation = 0.2",
            "deviation = -0.2",
            "population.groups[0].ltv.deviation",
        ),
    ] {
        assert!(good.contains(old), "{old}");
        let config: PopulationConfig = toml::from_str(&good.replace(old, new)).unwrap();
        let error = config.resolve(&request(1), &TERMS).unwrap_err();
        assert!(
            matches!(&error, MarketError::Impossible { key: k, .. } if k == key),
            "{key}: {error}"
        );
    }
    let twice = format!("{good}{}", good.split_once('\n').unwrap().1);
    let error = toml::from_str::<PopulationConfig>(&twice)
        .unwrap()
        .resolve(&request(1), &TERMS)
        .unwrap_err();
    assert!(
        matches!(&error, MarketError::Impossible { key, .. } if key == "population.groups[1].name")
    );
    for (old, new) in [
        ("law = ", "kind = "),
        ("whale_share", "share"),
        ("mean = 0.6", "mean = 0.6, mode = 1"),
    ] {
        assert!(
            toml::from_str::<PopulationConfig>(&good.replace(old, new)).is_err(),
            "{new}"
        );
    }
    let even = good.replace(
        "\"lognormal\", whale_share = 0.4",
        "\"even\", whale_share = 0.4",
    );
    assert!(toml::from_str::<PopulationConfig>(&even).is_err());
    let none = toml::from_str::<PopulationConfig>("source = \"generated\"\ngroups = []").unwrap();
    assert!(none.resolve(&request(1), &TERMS).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse_accounts(Path::new("x"), bytes, Unit::Token, &TERMS);
    }

    #[test]
    fn generated_accounts_can_all_be_opened(
        accounts in 2usize..400,
        share in 0.0f64..1.0,
        pareto in any::<bool>(),
        ends in prop::array::uniform3(0.0f64..0.8),
        deviation in 0.0f64..2.0,
        seed in any::<u64>(),
    ) {
        let mut ends = ends;
        ends.sort_unstable_by(f64::total_cmp);
        let whales = (accounts as f64 * 0.01).round().max(1.0);
        let even = whales / accounts as f64;
        let whale_share = even + (1.0 - even) * (0.001 + 0.998 * share);
        let law = if pareto { "pareto" } else { "lognormal" };
        let text = format!(
            "source = \"generated\"\n[[groups]]\nname = \"g\"\naccounts = {accounts}\ntotal_collateral = 1000\n\
             sizes = {{ law = \"{law}\", whale_share = {whale_share:?} }}\n\
             ltv = {{ minimum = {:?}, mean = {:?}, maximum = {:?}, deviation = {deviation:?} }}\n",
            ends[0], ends[1], ends[2]
        );
        let population = generate(&text, seed);
        prop_assert_eq!(population.accounts.len(), accounts);
        prop_assert!((population.total_collateral() - 1000.0).abs() < 1e-6);
        prop_assert!(population.largest_share(whales as usize) >= whale_share - 1e-9);
        for account in &population.accounts {
            prop_assert!(account.collateral > 0.0 && account.debt >= 0.0 && account.debt.is_finite());
            prop_assert!(account.ltv(&TERMS) <= TERMS.max_ltv * (1.0 + 1e-12));
        }
    }
}
