//! Gas and depth: files with gaps, and typed-in profiles.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use breakwater_market::gas::read_gas;
use breakwater_market::{
    DepthConfig, GasConfig, Grid, Interpolation, MarketError, Request, Series,
};
use proptest::prelude::*;

/// Three rows, a gap, two rows.
const DAYS: &str = "timestamp,avgGasDay,90.0 Perc\n\
    600,10000000000,1\n1200,20000000000,1\n1800,40000000000,1\n\
    6000,80000000000,1\n6600,90000000000,1\n";

fn series() -> Series {
    Series::parse(
        Path::new("gas.csv"),
        DAYS.as_bytes().to_vec(),
        &["avgGasDay"],
    )
    .unwrap()
}

fn grid(blocks: usize, slot: u64) -> Grid {
    Grid::new(blocks, slot).unwrap()
}

fn request<'a>(base: &'a Path, blocks: usize, slot: u64) -> Request<'a> {
    Request {
        table: "gas",
        base,
        grid: grid(blocks, slot),
        seed: 1,
        series: 0,
    }
}

fn close(found: &[f64], expected: &[f64]) -> bool {
    found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a / b - 1.0).abs() < 1e-12)
}

#[test]
fn steps_hold_until_the_next_row() {
    let found = series()
        .resolve(grid(6, 300), None, Interpolation::Step)
        .unwrap();
    assert_eq!(found, [1e10, 1e10, 2e10, 2e10, 4e10, 4e10]);
}

#[test]
fn log_linear_halves_meet_at_the_geometric_mean() {
    let found = series()
        .resolve(grid(6, 300), None, Interpolation::LogLinear)
        .unwrap();
    // √(10·20) = 14.142…, √(20·40) = 28.284…; the row before the gap holds for its interval.
    let root = 2f64.sqrt();
    assert!(
        close(&found, &[1e10, 1e10 * root, 2e10, 2e10 * root, 4e10, 4e10]),
        "{found:?}"
    );
}

#[test]
fn a_window_may_lie_on_either_side_of_a_gap_but_not_reach_in() {
    let series = series();
    assert_eq!(series.covers(300, None), 6);
    assert_eq!(series.covers(300, Some(6000)), 4);
    assert_eq!(series.covers(300, Some(3000)), 0);
    assert_eq!(
        series
            .resolve(grid(4, 300), Some(6000), Interpolation::Step)
            .unwrap()[3],
        9e10
    );
    for start in [600, 3000] {
        let error = series
            .resolve(grid(7, 300), Some(start), Interpolation::Step)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "gas.csv: row 5: gap of 3600 s: time jumps from 1800 to 6000, expected a row every 600 s"
        );
    }
    assert!(matches!(
        series
            .resolve(grid(5, 300), Some(6000), Interpolation::Step)
            .unwrap_err(),
        MarketError::TooShort {
            requested: 5,
            covers: 4,
            ..
        }
    ));
    for start in [599, 7200] {
        assert!(matches!(
            series
                .resolve(grid(1, 300), Some(start), Interpolation::Step)
                .unwrap_err(),
            MarketError::StartOutside {
                first: 600,
                end: 7200,
                ..
            }
        ));
    }
}

#[test]
fn rows_closer_than_the_interval_are_refused() {
    let text = DAYS.replace("1800", "1500");
    let error = Series::parse(Path::new("gas.csv"), text.into_bytes(), &["avgGasDay"]).unwrap_err();
    assert!(matches!(
        error,
        MarketError::Irregular {
            row: 4,
            found: 300,
            expected: 600,
            ..
        }
    ));
}

#[test]
fn gas_is_found_by_its_header_and_given_in_gwei() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    for (header, value) in [
        ("avgGasDay", "25000000000"),
        ("wei", "25000000000"),
        ("Gwei", "25"),
    ] {
        let path = write(
            "gas.csv",
            &format!("time,{header}\n0,{value}\n60,{value}\n"),
        );
        let gas = read_gas(&path)
            .unwrap()
            .resolve(grid(1, 12), None, Interpolation::Step)
            .unwrap();
        assert!(close(&gas, &[25.0]), "{header}: {gas:?}");
    }
    // gwei goes before avgGasDay whatever their order in the file.
    let path = write("gas.csv", "time,avgGasDay,gwei\n0,1,7\n60,1,7\n");
    assert_eq!(read_gas(&path).unwrap().column(), "gwei");
    write("days.csv", DAYS);
    let named: GasConfig =
        toml::from_str("source = \"file\"\npath = \"days.csv\"\ncolumn = \"90.0 Perc\"\nunit = \"gwei\"\nstart = 6000")
            .unwrap();
    assert_eq!(
        named.resolve(&request(folder.path(), 2, 12)).unwrap(),
        [1.0, 1.0]
    );
}

#[test]
fn a_gas_column_needs_its_unit() {
    for (text, key) in [
        (
            "source = \"file\"\npath = \"x\"\ncolumn = \"c\"",
            "gas.unit",
        ),
        (
            "source = \"file\"\npath = \"x\"\nunit = \"wei\"",
            "gas.column",
        ),
    ] {
        let config: GasConfig = toml::from_str(text).unwrap();
        let error = config.resolve(&request(Path::new("."), 1, 12)).unwrap_err();
        assert!(
            matches!(&error, MarketError::Impossible { key: k, .. } if k == key),
            "{error}"
        );
    }
}

#[test]
fn gas_profile_is_linear_in_the_logarithm_and_then_holds() {
    let config: GasConfig = toml::from_str(
        "source = \"profile\"\nknots = [{ seconds = 0, gwei = 10 }, { seconds = 24, gwei = 1000 }, { seconds = 36, gwei = 50.5 }]",
    )
    .unwrap();
    let gas = config.resolve(&request(Path::new("."), 6, 12)).unwrap();
    // √(10·1000) = 100.
    assert!(
        close(&gas, &[10.0, 100.0, 1000.0, 50.5, 50.5, 50.5]),
        "{gas:?}"
    );
}

#[test]
fn profiles_that_cannot_be_are_refused_by_key() {
    let cases = [
        (
            "[]",
            "gas.knots: an empty list is impossible, expected at least one knot",
        ),
        (
            "[{ seconds = 5, gwei = 1 }]",
            "gas.knots[0].seconds: 5 is impossible, expected 0: a profile begins at its own start",
        ),
        (
            "[{ seconds = 0, gwei = 1 }, { seconds = 0, gwei = 2 }]",
            "gas.knots[1].seconds: 0 is impossible, expected more than the knot before, 0",
        ),
        (
            "[{ seconds = 0, gwei = 0 }]",
            "gas.knots[0].gwei: 0 is impossible, expected ",
        ),
        (
            "[{ seconds = 0, gwei = nan }]",
            "gas.knots[0].gwei: NaN is impossible, expected ",
        ),
        (
            "[{ seconds = 0, gwei = inf }]",
            "gas.knots[0].gwei: inf is impossible, expected ",
        ),
    ];
    for (knots, message) in cases {
        let config: GasConfig =
            toml::from_str(&format!("source = \"profile\"\nknots = {knots}")).unwrap();
        let error = config
            .resolve(&request(Path::new("."), 1, 12))
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn unknown_keys_and_sources_are_refused() {
    for text in [
        "source = \"profile\"\nknots = []\nextra = 1",
        "source = \"profile\"\nknots = [{ seconds = 0, gwei = 1, wei = 2 }]",
        "source = \"file\"\npath = \"x\"\nstrat = 5",
        "source = \"oracle\"",
        "path = \"x\"",
    ] {
        assert!(toml::from_str::<GasConfig>(text).is_err(), "{text}");
    }
    assert!(toml::from_str::<DepthConfig>("source = \"multiple\"\nmultiple = 1\nx = 2").is_err());
}

#[test]
fn depth_is_a_multiple_of_collateral_or_a_column_of_reserves() {
    let folder = tempfile::tempdir().unwrap();
    let resolve = |text: &str| {
        let config: DepthConfig = toml::from_str(text).unwrap();
        config.resolve(&request(folder.path(), 3, 12), 1000.0)
    };
    assert_eq!(
        resolve("source = \"multiple\"\nmultiple = 0.5").unwrap(),
        [500.0; 3]
    );
    let drained = resolve(
        "source = \"profile\"\nknots = [{ seconds = 0, multiple = 4 }, { seconds = 24, multiple = 0.04 }]",
    )
    .unwrap();
    assert!(close(&drained, &[4000.0, 400.0, 40.0]), "{drained:?}");
    std::fs::write(
        folder.path().join("pool.csv"),
        "timestamp,DAI,WETH\n0,1,100\n24,1,400\n",
    )
    .unwrap();
    let file = "source = \"file\"\npath = \"pool.csv\"\ncolumn = \"WETH\"";
    assert!(close(&resolve(file).unwrap(), &[100.0, 200.0, 400.0]));
    let stepped = format!("{file}\ninterpolation = \"step\"");
    assert!(close(&resolve(&stepped).unwrap(), &[100.0, 100.0, 400.0]));
    assert!(matches!(
        resolve("source = \"multiple\"\nmultiple = 0").unwrap_err(),
        MarketError::Impossible { key, .. } if key == "gas.multiple"
    ));
    assert!(matches!(
        resolve("source = \"profile\"\nknots = [{ seconds = 0, multiple = 1e7 }]").unwrap_err(),
        MarketError::Impossible { key, .. } if key == "gas.knots[0].multiple"
    ));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Series::parse(Path::new("x"), bytes, &["gwei"]);
    }

    #[test]
    fn covers_is_what_resolves(
        steps in prop::collection::vec(1u64..4, 1..8),
        slot in 1u64..200,
        late in 0u64..600,
        log_linear in any::<bool>(),
    ) {
        // Rows every 60 s with gaps of whole intervals; the first step sets the interval.
        let mut text = String::from("time,gwei\n0,5\n60,7\n");
        let mut time = 60;
        for (index, step) in steps.iter().enumerate() {
            time += 60 * step;
            text += &format!("{time},{}\n", index + 1);
        }
        let series = Series::parse(Path::new("x"), text.into_bytes(), &["gwei"]).unwrap();
        let start = late % series.end();
        let interpolation = if log_linear { Interpolation::LogLinear } else { Interpolation::Step };
        let covers = series.covers(slot, Some(start)) as usize;
        if covers > 0 {
            let values = series.resolve(grid(covers, slot), Some(start), interpolation).unwrap();
            prop_assert!(values.iter().all(|v| (1.0..=8.0).contains(v)));
        }
        // One more block is refused, even where it would leap over a gap.
        prop_assert!(series.resolve(grid(covers + 1, slot), Some(start), interpolation).is_err());
    }
}
