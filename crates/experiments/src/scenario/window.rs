//! Files whose days are not exactly the scenario's.

use breakwater_market::{Grid, Interpolation, MarketError, Series};

/// A series over the window, and what had to be assumed for it.
pub(super) struct Aligned {
    /// One value an entry of the grid.
    pub values: Vec<f64>,
    /// For the report; `None` if the file covers the window.
    pub note: Option<String>,
}

/// One value an entry of the grid from `start` on. Gas prices and reserves are published for chosen days: where the file
/// begins after the window does or ends before, its first or last value there holds, and the note says so. A file that has
/// nothing inside the window is played from its own beginning.
///
/// # Errors
/// [`MarketError`] if the file can give no value at all.
pub(super) fn align(
    series: &Series,
    grid: Grid,
    start: u64,
    interpolation: Interpolation,
) -> Result<Aligned, MarketError> {
    let (slot, wanted) = (grid.slot_seconds(), grid.blocks());
    let end = start + slot * (wanted as u64 - 1);
    let covered_from = if series.covers(slot, Some(start)) > 0 {
        Some(start)
    } else {
        series
            .rows()
            .map(|(time, _)| time)
            .find(|time| (start..=end).contains(time))
    };
    let own = covered_from.is_none();
    let from = covered_from.unwrap_or(series.first());
    let before = if own {
        0
    } else {
        usize::try_from((from - start).div_ceil(slot)).unwrap_or(0)
    };
    let covered = usize::try_from(series.covers(slot, Some(from)))
        .unwrap_or(usize::MAX)
        .min(wanted - before)
        .max(1);
    let mut values = series.resolve(Grid::new(covered, slot)?, Some(from), interpolation)?;
    let (first, last) = (values[0], values[covered - 1]);
    values.splice(0..0, std::iter::repeat_n(first, before));
    let after = wanted - values.len();
    values.resize(wanted, last);
    let mut said = Vec::new();
    if own {
        said.push(
            "has nothing in the scenario's window, so it is played from its own beginning"
                .to_owned(),
        );
    }
    if before > 0 {
        said.push(format!(
            "begins {before} blocks into the window; its first value is held before that"
        ));
    }
    // The state after the last block may lie just past the file.
    if after > 1 {
        said.push(format!(
            "ends {after} blocks before the window does; its last value is held from there"
        ));
    }
    Ok(Aligned {
        values,
        note: (!said.is_empty()).then(|| said.join(", and ")),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn series() -> Series {
        let text = "timestamp,v\n100,1\n110,2\n120,3\n500,9\n510,8\n";
        Series::parse(Path::new("s.csv"), text.into(), &["v"]).expect("a series")
    }

    fn aligned(start: u64, blocks: usize) -> Aligned {
        let grid = Grid::new(blocks, 10).expect("a grid");
        align(&series(), grid, start, Interpolation::Step).expect("an aligned series")
    }

    #[test]
    fn a_file_that_covers_the_window_needs_no_note() {
        let found = aligned(100, 3);
        assert_eq!((found.values, found.note), (vec![1.0, 2.0, 3.0], None));
    }

    #[test]
    fn ends_are_held_and_said() {
        let found = aligned(80, 6);
        assert_eq!(found.values, vec![1.0, 1.0, 1.0, 2.0, 3.0, 3.0]);
        assert!(
            found
                .note
                .is_some_and(|note| note.contains("begins 2 blocks"))
        );
        let found = aligned(110, 5);
        assert_eq!(found.values, vec![2.0, 3.0, 3.0, 3.0, 3.0]);
        assert!(
            found
                .note
                .is_some_and(|note| note.contains("ends 3 blocks"))
        );
    }

    #[test]
    fn another_day_is_played_from_its_beginning() {
        let found = aligned(10_000, 2);
        assert_eq!(found.values, vec![1.0, 2.0]);
        assert!(
            found
                .note
                .is_some_and(|note| note.contains("own beginning"))
        );
        // Inside the gap between two days, the next day.
        let found = aligned(480, 4);
        assert_eq!(found.values, vec![9.0, 9.0, 9.0, 8.0]);
    }
}
