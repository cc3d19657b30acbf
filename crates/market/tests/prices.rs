//! The bar reader: what it takes and how it refuses the rest.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use breakwater_market::{Bars, Grid, MarketError};
use proptest::prelude::*;

const GOOD: &str = "timestamp,open,high,low,close,volume\n\
    1583798400,100,104,99,101,7\n\
    1583798700,101,102,95,96,7\n\
    1583799000,96,97,90,97,7\n\
    1583799300,97,97,97,97,7\n";

fn parse(text: &str) -> Result<Bars, MarketError> {
    Bars::parse(Path::new("bars.csv"), text.as_bytes().to_vec())
}

fn refusal(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

/// GOOD with one line (1-based) replaced.
fn with_line(line: usize, text: &str) -> String {
    let mut lines: Vec<&str> = GOOD.lines().collect();
    lines[line - 1] = text;
    lines.join("\n")
}

/// GOOD with digits put behind every time.
fn with_finer_times(digits: &str) -> String {
    let mut lines = GOOD.lines();
    let mut text = lines.next().unwrap().to_owned();
    for line in lines {
        text += &format!("\n{}", line.replacen(',', &format!("{digits},"), 1));
    }
    text
}

#[test]
fn reads_seconds_milliseconds_and_microseconds() {
    let seconds = parse(GOOD).unwrap();
    assert_eq!(seconds.bar_seconds(), 300);
    assert_eq!((seconds.first(), seconds.end()), (1583798400, 1583799600));
    for zeros in ["000", "000000"] {
        let finer = parse(&with_finer_times(zeros)).unwrap();
        assert_eq!(finer.bars(), seconds.bars());
    }
}

#[test]
fn finds_columns_by_name_in_any_order_and_case() {
    let text = "\u{feff}Volume,CLOSE, Low ,high,Open,Open_Time\r\n1,101,99,104,100,60\r\n1,96,95,102,101,120\r\n\r\n";
    let bars = parse(text).unwrap();
    assert_eq!(bars.bar_seconds(), 60);
    let first = bars.bars()[0];
    assert_eq!(
        (first.open, first.high, first.low, first.close),
        (100.0, 104.0, 99.0, 101.0)
    );
}

#[test]
fn quoted_cells_are_read() {
    let text = "\"timestamp\",\"open\",\"high\",\"low\",\"close\"\n\"60\",\"1\",\"2\",\"1\",\"2\"\n\"120\",\"2\",\"2\",\"1\",\"1\"\n";
    assert_eq!(parse(text).unwrap().bars().len(), 2);
}

#[test]
fn row_numbers_are_lines_of_the_file_whatever_ends_them() {
    for text in [
        with_line(4, "1583799000,96,97,x,97,7"),
        with_line(4, "1583799000,96,97,x,97,7").replace('\n', "\r\n"),
    ] {
        assert_eq!(
            refusal(&text),
            "bars.csv: row 4, column low: found x, expected a number above zero (1e-30 to 1e30)"
        );
    }
}

#[test]
fn refuses_every_price_that_is_not_one() {
    for bad in [
        "0", "-1", "-0", "NaN", "nan", "inf", "-inf", "1e999", "1.1e30", "9e-31", "", "1,5",
        "0x10", "1_000", "ten", "１",
    ] {
        let text = with_line(3, &format!("1583798700,101,102,95,\"{bad}\",7"));
        let found = if bad.is_empty() { "nothing" } else { bad };
        assert_eq!(
            refusal(&text),
            format!(
                "bars.csv: row 3, column close: found {found}, expected a number above zero (1e-30 to 1e30)"
            )
        );
    }
}

#[test]
fn refuses_bars_that_contradict_themselves() {
    assert_eq!(
        refusal(&with_line(2, "1583798400,100,98,99,101,7")),
        "bars.csv: row 2, column high: found 98, expected at least the low, 99"
    );
    assert_eq!(
        refusal(&with_line(2, "1583798400,105,104,99,101,7")),
        "bars.csv: row 2, column open: found 105, expected within the bar's low and high, 99 to 104"
    );
    assert_eq!(
        refusal(&with_line(2, "1583798400,100,104,99,98.5,7")),
        "bars.csv: row 2, column close: found 98.5, expected within the bar's low and high, 99 to 104"
    );
}

#[test]
fn refuses_a_gap_and_says_where_and_how_long() {
    let gap = GOOD.replace("1583799300", "1583799900");
    match parse(&gap).unwrap_err() {
        MarketError::Gap {
            row,
            time,
            previous,
            missing_seconds,
            interval_seconds,
            ..
        } => assert_eq!(
            (row, time, previous, missing_seconds, interval_seconds),
            (5, 1583799900, 1583799000, 600, 300)
        ),
        other => panic!("{other}"),
    }
    assert_eq!(
        refusal(&gap),
        "bars.csv: row 5: gap of 600 s: time jumps from 1583799000 to 1583799900, expected a row every 300 s"
    );
}

#[test]
fn refuses_disorder() {
    assert_eq!(
        refusal(&GOOD.replace("1583799000", "1583798700")),
        "bars.csv: row 4: time 1583798700 appears twice, expected later than the row before"
    );
    assert_eq!(
        refusal(&GOOD.replace("1583799000", "1583798500")),
        "bars.csv: row 4: time 1583798500 comes after 1583798700, expected rows sorted by time"
    );
    for (time, found) in [
        ("1583799001", 301),
        ("1583798900", 200),
        ("1583799450", 750),
    ] {
        assert_eq!(
            refusal(&GOOD.replace("1583799000", time)),
            format!(
                "bars.csv: row 4: {found} s after the row before, expected 300 s (the interval between the first two rows)"
            )
        );
    }
    // A gap right after the first row makes the next interval too short.
    let first = GOOD.replace("1583798400", "1583798100");
    assert!(matches!(
        parse(&first).unwrap_err(),
        MarketError::Irregular {
            row: 4,
            found: 300,
            expected: 600,
            ..
        }
    ));
}

#[test]
fn refuses_times_that_are_none() {
    for bad in [
        "",
        "-60",
        "1583799000.5",
        "2020-03-12",
        "1e9",
        "18446744073709551616",
        "1583799000500",
    ] {
        let error = parse(&with_line(4, &format!("{bad},96,97,90,97,7"))).unwrap_err();
        // The last of them is in milliseconds, in a file of seconds.
        let refused = matches!(&error, MarketError::Malformed { row: 4, column, .. } if column == "column timestamp");
        assert!(refused, "{bad}: {error}");
    }
    // Half a second past the second.
    let halves = with_finer_times("500");
    assert!(matches!(
        parse(&halves).unwrap_err(),
        MarketError::Malformed { row: 2, .. }
    ));
    let years = "timestamp,open,high,low,close\n0,1,1,1,1\n31536000,1,1,1,1\n";
    assert!(
        refusal(years).contains("row 3, column timestamp"),
        "{}",
        refusal(years)
    );
}

#[test]
fn refuses_headers_that_do_not_serve() {
    for name in ["timestamp", "open", "high", "low", "close"] {
        let text = GOOD.replacen(name, "other", 1);
        assert!(
            matches!(parse(&text).unwrap_err(), MarketError::MissingColumn { row: 1, ref column, .. } if column.contains(name)),
            "{name}"
        );
    }
    let twice = GOOD.replacen("volume", "Close", 1);
    assert!(matches!(
        parse(&twice).unwrap_err(),
        MarketError::DuplicateColumn { row: 1, .. }
    ));
    let semicolons = GOOD.replace(',', ";");
    assert_eq!(
        refusal(&semicolons),
        "bars.csv: row 1: no column timestamp or open_time or time; the header has: timestamp;open;high;low;close;volume"
    );
    // A file without a header: its first row is taken for one.
    let headless = GOOD.lines().skip(1).collect::<Vec<_>>().join("\n");
    assert!(matches!(
        parse(&headless).unwrap_err(),
        MarketError::MissingColumn { .. }
    ));
}

#[test]
fn refuses_files_with_too_little_in_them() {
    for empty in ["", "\n", " \r\n\t\n", "\u{feff}"] {
        assert!(
            matches!(parse(empty).unwrap_err(), MarketError::Empty { .. }),
            "{empty:?}"
        );
    }
    assert!(matches!(
        parse("timestamp,open,high,low,close\n").unwrap_err(),
        MarketError::OnlyHeader { row: 1, .. }
    ));
    assert!(matches!(
        parse("timestamp,open,high,low,close\n60,1,1,1,1\n").unwrap_err(),
        MarketError::SingleRow { row: 2, .. }
    ));
}

#[test]
fn refuses_rows_of_another_shape() {
    assert_eq!(
        refusal(&with_line(3, "1583798700,101,102")),
        "bars.csv: row 3, the row: found 3 fields, expected 6, as in the header"
    );
    assert_eq!(
        refusal(&with_line(3, "1583798700,101,102,95,96,7,8")),
        "bars.csv: row 3, the row: found 7 fields, expected 6, as in the header"
    );
    assert_eq!(
        refusal(&with_line(3, "  ")),
        "bars.csv: row 3, the row: found a blank line, expected a row"
    );
    // A quote that is never closed swallows the rest of the file.
    assert!(matches!(
        parse(&with_line(3, "\"1583798700,101,102,95,96,7")).unwrap_err(),
        MarketError::Malformed { row: 3, .. }
    ));
}

#[test]
fn refuses_what_is_not_a_text_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.csv");
    let error = Bars::read(&missing).unwrap_err();
    assert!(matches!(error, MarketError::Missing { .. }));
    assert_eq!(
        error.to_string(),
        format!("{}: no such file", missing.display())
    );
    let error = Bars::read(folder.path()).unwrap_err();
    assert!(
        matches!(
            error,
            MarketError::NotAFile {
                found: "a directory",
                ..
            }
        ),
        "{error}"
    );
    let binary = folder.path().join("binary.csv");
    std::fs::write(
        &binary,
        [b"timestamp\nopen".as_slice(), &[0xff, 0xfe, 0]].concat(),
    )
    .unwrap();
    assert!(matches!(
        Bars::read(&binary).unwrap_err(),
        MarketError::NotText {
            row: 2,
            offset: 14,
            ..
        }
    ));
    let huge = folder.path().join("huge.csv");
    std::fs::File::create(&huge)
        .unwrap()
        .set_len(513 * 1024 * 1024)
        .unwrap();
    assert!(matches!(
        Bars::read(&huge).unwrap_err(),
        MarketError::TooLarge { .. }
    ));
}

#[test]
fn windows_outside_the_data_are_refused() {
    let bars = parse(GOOD).unwrap();
    // Four bars of 300 s hold 100 blocks of 12 s; from 12 s before the end, one.
    assert_eq!(bars.covers(12, None), 100);
    assert_eq!(bars.covers(12, Some(1583799588)), 1);
    assert_eq!(bars.covers(12, Some(1583799600)), 0);
    assert_eq!(bars.covers(12, Some(1583798399)), 0);
    let grid = |blocks| Grid::new(blocks, 12).unwrap();
    assert_eq!(bars.resolve(grid(100), None, 1, 0).unwrap().len(), 100);
    assert_eq!(
        bars.resolve(grid(101), None, 1, 0).unwrap_err().to_string(),
        "bars.csv: covers 100 blocks of 12 s from 1583798400, expected 101"
    );
    for start in [0, 1583798399, 1583799600, u64::MAX] {
        assert!(matches!(
            bars.resolve(grid(1), Some(start), 1, 0).unwrap_err(),
            MarketError::StartOutside {
                first: 1583798400,
                end: 1583799600,
                ..
            }
        ));
    }
}

#[test]
fn a_grid_without_blocks_or_time_is_refused() {
    for (blocks, slot) in [
        (0, 12),
        (usize::MAX, 12),
        (1, 0),
        (1, 86_401),
        (1, u64::MAX),
    ] {
        assert!(matches!(
            Grid::new(blocks, slot).unwrap_err(),
            MarketError::Impossible { .. }
        ));
    }
}

/// Text near enough to a file of bars to reach every check.
fn near_miss() -> impl Strategy<Value = String> {
    let cell = prop_oneof![
        8 => (0u64..400).prop_map(|n| n.to_string()),
        4 => (0u64..20).prop_map(|n| (n * 60).to_string()),
        1 => Just("1e308".to_owned()),
        1 => Just("5e-324".to_owned()),
        1 => Just(u64::MAX.to_string()),
        1 => Just("NaN".to_owned()),
        1 => Just("\"".to_owned()),
        1 => Just("\r".to_owned()),
        1 => "[ -~]{0,6}",
    ];
    let row = prop::collection::vec(cell, 4..7).prop_map(|cells| cells.join(","));
    prop::collection::vec(row, 0..6)
        .prop_map(|rows| format!("timestamp,open,high,low,close\n{}", rows.join("\n")))
}

/// Bars that are valid, however wild, with their text.
fn valid_bars() -> impl Strategy<Value = String> {
    let bar = (prop::array::uniform4(0.0f64..1.0), -29i32..28, 0.0f64..8.0);
    (
        prop::collection::vec(bar, 2..6),
        prop_oneof![Just(60u64), Just(300), Just(600), Just(1800), 1u64..5000],
        0u64..10_000_000_000,
    )
        .prop_map(|(bars, length, first)| {
            let mut text = String::from("timestamp,open,high,low,close\n");
            for (index, (shares, scale, range)) in bars.iter().enumerate() {
                let low = 10f64.powi(*scale) * (1.0 + shares[0]);
                let high = low * (1.0 + shares[1] * range);
                let inside = |share: f64| (low + share * (high - low)).clamp(low, high);
                // Now and then exactly an extreme.
                let snap = |share: f64| match share {
                    s if s < 0.15 => low,
                    s if s > 0.85 => high,
                    s => inside(s),
                };
                let time = first + index as u64 * length;
                text += &format!(
                    "{time},{:?},{high:?},{low:?},{:?}\n",
                    snap(shares[2]),
                    snap(shares[3])
                );
            }
            text
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Bars::parse(Path::new("x"), bytes);
    }

    #[test]
    fn near_misses_are_read_or_refused(text in near_miss()) {
        if let Ok(bars) = parse(&text) {
            let covers = bars.covers(12, None).min(5_000) as usize;
            let prices = bars.resolve(Grid::new(covers, 12).unwrap(), None, 1, 0).unwrap();
            prop_assert_eq!(prices.len(), covers);
        }
    }

    #[test]
    fn damaged_files_are_read_or_refused(at in 0usize..160, byte in any::<u8>()) {
        let mut bytes = GOOD.as_bytes().to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = Bars::parse(Path::new("x"), bytes);
    }

    #[test]
    fn paths_stay_in_their_bars_and_touch_them(
        text in valid_bars(),
        slot in prop_oneof![Just(12u64), Just(7), Just(1), Just(30), 1u64..700],
        late in 0u64..6000,
        seed in any::<u64>(),
    ) {
        let bars = parse(&text).unwrap();
        let start = bars.first() + late % (bars.end() - bars.first());
        let covers = bars.covers(slot, Some(start));
        let grid = Grid::new(covers as usize, slot).unwrap();
        let prices = bars.resolve(grid, Some(start), seed, 0).unwrap();
        prop_assert_eq!(prices.len() as u64, covers);
        for bar in bars.bars() {
            let times: Vec<usize> = (0..prices.len())
                .filter(|&i| {
                    let time = start + i as u64 * slot;
                    (bar.time..bar.time + bars.bar_seconds()).contains(&time)
                })
                .collect();
            let inside: Vec<f64> = times.iter().map(|&i| prices[i]).collect();
            for price in &inside {
                prop_assert!((bar.low..=bar.high).contains(price), "{price} outside {bar:?}");
            }
            // Extremes, open and close are promised where the whole bar lies in the window and has room.
            if bar.time >= start && inside.len() >= 4 {
                prop_assert_eq!(inside[0], bar.open);
                prop_assert_eq!(inside[inside.len() - 1], bar.close);
            }
            if bar.time >= start && inside.len() >= 2 {
                prop_assert!(inside.contains(&bar.high), "{inside:?} misses the high of {bar:?}");
                prop_assert!(inside.contains(&bar.low), "{inside:?} misses the low of {bar:?}");
            }
        }
    }

    #[test]
    fn a_later_start_sees_the_same_prices(text in valid_bars(), skip in 0usize..40, seed in any::<u64>()) {
        let bars = parse(&text).unwrap();
        let all = bars.covers(12, None) as usize;
        let skip = skip % all;
        let whole = bars.resolve(Grid::new(all, 12).unwrap(), None, seed, 3).unwrap();
        let part = bars
            .resolve(Grid::new(all - skip, 12).unwrap(), Some(bars.first() + 12 * skip as u64), seed, 3)
            .unwrap();
        prop_assert_eq!(&whole[skip..], &part[..]);
    }
}
