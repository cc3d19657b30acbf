//! The path inside a bar.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use breakwater_market::bridge::bridge_bar;
use breakwater_market::{Bar, Bars, Grid, Purpose, Stream};

fn bar(open: f64, high: f64, low: f64, close: f64) -> Bar {
    Bar {
        time: 0,
        open,
        high,
        low,
        close,
    }
}

fn path(bar: &Bar, samples: usize, seed: u64) -> Vec<f64> {
    bridge_bar(bar, samples, &mut Stream::new(seed, Purpose::Price, 0))
}

fn position(path: &[f64], price: f64) -> usize {
    path.iter().position(|&p| p == price).unwrap()
}

#[test]
fn a_path_that_opens_at_its_high_falls_first() {
    // (H − O)(C − L) = 0: the low never comes before the high, so the order is fixed.
    for seed in 0..200 {
        let path = path(&bar(110.0, 110.0, 90.0, 100.0), 25, seed);
        assert_eq!(path[0], 110.0);
        assert!(path.contains(&90.0));
    }
}

#[test]
fn the_order_of_extremes_has_the_documented_odds() {
    // O = 95, C = 105 in [90, 110]: low first (110−95)(105−90) = 225 against (95−90)(110−105) = 25, so 90%.
    let low_first = (0..4000)
        .filter(|&seed| {
            let path = path(&bar(95.0, 110.0, 90.0, 105.0), 25, seed);
            position(&path, 90.0) < position(&path, 110.0)
        })
        .count() as f64
        / 4000.0;
    // Four standard deviations of a share of 0.9 over 4,000 draws: 0.019.
    assert!((low_first - 0.9).abs() < 0.019, "{low_first}");
}

#[test]
fn extremes_come_at_any_time() {
    let bar = bar(100.0, 110.0, 90.0, 100.0);
    let mut counts = [0u32; 25];
    for seed in 0..4600 {
        counts[position(&path(&bar, 25, seed), 90.0)] += 1;
    }
    // 23 inner samples, 200 expected in each; 80 is 5.8 standard deviations.
    assert_eq!((counts[0], counts[24]), (0, 0));
    assert!(
        counts[1..24].iter().all(|c| (120..280).contains(c)),
        "{counts:?}"
    );
}

#[test]
fn short_bars_keep_their_extremes_longest() {
    let bar = bar(95.0, 110.0, 90.0, 105.0);
    for seed in 0..50 {
        let three = path(&bar, 3, seed);
        assert_eq!(three.len(), 3);
        assert!(three.contains(&90.0) && three.contains(&110.0) && three[2] == 105.0);
        let two = path(&bar, 2, seed);
        assert!(two == [90.0, 110.0] || two == [110.0, 90.0]);
        assert_eq!(path(&bar, 1, seed), [105.0]);
        assert!(path(&bar, 0, seed).is_empty());
    }
    // An open that is itself an extreme is not in the way.
    assert_eq!(
        path(&self::bar(110.0, 110.0, 90.0, 100.0), 2, 1),
        [110.0, 90.0]
    );
    assert_eq!(
        path(&self::bar(110.0, 110.0, 90.0, 100.0), 3, 1),
        [110.0, 90.0, 100.0]
    );
}

#[test]
fn a_flat_bar_is_flat() {
    assert_eq!(path(&bar(7.3, 7.3, 7.3, 7.3), 5, 1), [7.3; 5]);
}

#[test]
fn noise_has_the_volatility_of_the_bar() {
    // A bar whose range is R has, by Parkinson, σ² = R²/(4 ln 2). The path's summed squared log steps should be near it:
    // reflection and the visits to the extremes move it, but not by a factor of two.
    let wide = bar(100.0, 101.0, 99.0, 100.2);
    let samples = 300;
    let expected = (101.0f64 / 99.0).ln().powi(2) / (4.0 * std::f64::consts::LN_2);
    let mean = (0..400)
        .map(|seed| {
            path(&wide, samples, seed)
                .windows(2)
                .map(|pair| (pair[1] / pair[0]).ln().powi(2))
                .sum::<f64>()
        })
        .sum::<f64>()
        / 400.0;
    assert!(
        (0.7..1.4).contains(&(mean / expected)),
        "{}",
        mean / expected
    );
}

#[test]
fn seed_and_series_decide_the_path() {
    let text = "timestamp,open,high,low,close\n0,100,110,90,95\n300,95,99,80,98\n";
    let bars = Bars::parse(Path::new("x"), text.as_bytes().to_vec()).unwrap();
    let grid = Grid::new(50, 12).unwrap();
    let path = |seed, series| bars.resolve(grid, None, seed, series).unwrap();
    assert_eq!(path(1, 0), path(1, 0));
    assert_ne!(path(1, 0), path(2, 0));
    assert_ne!(path(1, 0), path(1, 1));
}

#[test]
fn blocks_that_do_not_divide_the_bar_fall_by_time() {
    // Bars of 60 s, blocks of 7 s from 0: times 0, 7, …, 56 are nine blocks of the first bar, 63 … 119 nine of the second.
    let text = "timestamp,open,high,low,close\n0,10,12,9,11\n60,20,22,19,21\n120,30,32,29,31\n";
    let bars = Bars::parse(Path::new("x"), text.as_bytes().to_vec()).unwrap();
    assert_eq!(bars.covers(7, None), 26);
    let prices = bars.resolve(Grid::new(26, 7).unwrap(), None, 1, 0).unwrap();
    let in_bar = |low: f64, high: f64| prices.iter().filter(|p| (low..=high).contains(*p)).count();
    assert_eq!(
        (in_bar(9.0, 12.0), in_bar(19.0, 22.0), in_bar(29.0, 32.0)),
        (9, 9, 8)
    );
    assert_eq!(
        (prices[0], prices[8], prices[9], prices[17]),
        (10.0, 11.0, 20.0, 21.0)
    );
}

#[test]
fn bars_shorter_than_a_block_are_sampled_at_their_close() {
    let text = "timestamp,open,high,low,close\n0,10,12,9,11\n60,20,22,19,21\n120,30,32,29,31\n180,40,42,39,41\n";
    let bars = Bars::parse(Path::new("x"), text.as_bytes().to_vec()).unwrap();
    let prices = bars
        .resolve(Grid::new(2, 120).unwrap(), None, 1, 0)
        .unwrap();
    assert_eq!(prices, [11.0, 31.0]);
}
