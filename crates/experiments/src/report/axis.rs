//! Scales, ticks, and fewer points that look the same.

/// The positions of ticks over `low..=high`: multiples of 1, 2 or 5 times a power of ten, about `wanted` of them, and the
/// distance between them. Both ends lie within the outermost ticks.
pub(super) fn nice_ticks(low: f64, high: f64, wanted: usize) -> (Vec<f64>, f64) {
    let span = if high > low {
        high - low
    } else {
        low.abs().max(1.0)
    };
    let raw = span / wanted.max(1) as f64;
    let magnitude = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|each| each * magnitude)
        .find(|&each| each >= raw * 0.999);
    let step = step.unwrap_or(magnitude * 10.0);
    let first = (low / step + 1e-9).floor();
    let last = ((low + span) / step - 1e-9).ceil();
    let ticks = (0..=(last - first) as usize)
        .map(|each| (first + each as f64) * step)
        .collect();
    (ticks, step)
}

/// Ticks of a logarithmic axis: 1, 2 and 5 times powers of ten, or powers alone where that is too many. Both ends lie
/// within the outermost ticks.
pub(super) fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let factors: &[f64] = if last - first > 3 {
        &[1.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let all: Vec<f64> = (first..=last)
        .flat_map(|power| {
            factors
                .iter()
                .map(move |factor| factor * 10_f64.powi(power))
        })
        .collect();
    let from = all
        .iter()
        .rposition(|&tick| tick <= low * 1.000_001)
        .unwrap_or(0);
    let to = all
        .iter()
        .position(|&tick| tick >= high * 0.999_999)
        .unwrap_or(all.len() - 1);
    all[from..=to.max(from)].to_vec()
}

/// Seconds between the ticks of a time axis of this many seconds: a division of the clock, at most `most` ticks.
pub(super) fn time_step(seconds: u64, most: u64) -> u64 {
    const STEPS: [u64; 16] = [
        12, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
        604_800, 2_592_000,
    ];
    STEPS
        .into_iter()
        .find(|step| seconds / step <= most)
        .unwrap_or(seconds.max(1))
}

/// The index ranges into which `length` entries fall when they share `columns` columns.
pub(super) fn columns(
    length: usize,
    columns: usize,
) -> impl Iterator<Item = std::ops::Range<usize>> {
    let count = columns.min(length);
    (0..count).map(move |column| column * length / count..(column + 1) * length / count)
}

/// The points of a line that cannot be told from all points once drawn over `width` columns: of each column the first, the
/// least, the greatest and the last, in order (the idea of M4, Jugel et al., VLDB 2014).
pub(super) fn visible_points(values: &[f64], width: usize) -> Vec<(usize, f64)> {
    let mut points = Vec::with_capacity(4 * width);
    for range in columns(values.len(), width) {
        let (first, last) = (range.start, range.end - 1);
        let least = range
            .clone()
            .min_by(|&a, &b| values[a].total_cmp(&values[b]))
            .unwrap_or(first);
        let greatest = range
            .max_by(|&a, &b| values[a].total_cmp(&values[b]))
            .unwrap_or(first);
        let mut kept = [first, least, greatest, last];
        kept.sort_unstable();
        for (position, &index) in kept.iter().enumerate() {
            if position == 0 || kept[position - 1] != index {
                points.push((index, values[index]));
            }
        }
    }
    // The middle of a level stretch adds bytes and no ink.
    let mut kept: Vec<(usize, f64)> = Vec::with_capacity(points.len());
    for point in points {
        if let [.., before, last] = kept[..]
            && before.1 == last.1
            && last.1 == point.1
        {
            kept.pop();
        }
        kept.push(point);
    }
    kept
}

/// A point in time, in UTC, by the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    year: u64,
    month: usize,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

impl Moment {
    /// The moment that is this many seconds after 1970 began. The calendar arithmetic counts years from 1 March, so that
    /// the leap day is a year's last (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    pub(super) fn from_unix(seconds: u64) -> Self {
        let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        Self {
            year: year_of_era + era * 400 + u64::from(month <= 2),
            month: month as usize,
            day: of_year - (153 * from_march + 2) / 5 + 1,
            hour: rest / 3600,
            minute: rest % 3600 / 60,
            second: rest % 60,
        }
    }

    /// `12 Mar 2020 06:00:12`
    pub(super) fn full(&self) -> String {
        format!(
            "{} {} {} {:02}:{:02}:{:02}",
            self.day,
            self.month_name(),
            self.year,
            self.hour,
            self.minute,
            self.second
        )
    }

    /// `12 Mar` for days and at midnight, `06:00` otherwise, with seconds where ticks are closer than a minute.
    pub(super) fn label(&self, step: u64) -> String {
        if step >= 86_400 || (self.hour == 0 && self.minute == 0 && self.second == 0) {
            format!("{} {}", self.day, self.month_name())
        } else if step < 60 {
            format!("{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
        } else {
            format!("{:02}:{:02}", self.hour, self.minute)
        }
    }

    fn month_name(&self) -> &'static str {
        const NAMES: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        NAMES[(self.month + 11) % 12]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_enclose() {
        assert_eq!(
            nice_ticks(87.0, 203.0, 5).0,
            vec![50.0, 100.0, 150.0, 200.0, 250.0]
        );
        assert_eq!(nice_ticks(0.0, 1.0, 5).1, 0.2);
        assert_eq!(nice_ticks(0.0, 0.0, 5).0.len(), 6);
        assert_eq!(
            log_ticks(12.0, 240.0),
            vec![10.0, 20.0, 50.0, 100.0, 200.0, 500.0]
        );
        assert_eq!(log_ticks(1.0, 1.0), vec![1.0]);
        assert_eq!(time_step(86_400, 8), 10_800);
    }

    #[test]
    fn visible_points_keep_extremes() {
        let mut values = vec![1.0; 10_000];
        values[5_003] = -7.0;
        values[5_004] = 9.0;
        let points = visible_points(&values, 100);
        assert!(points.contains(&(5_003, -7.0)) && points.contains(&(5_004, 9.0)));
        assert!(
            points.len() < 12,
            "a level line needs few points: {}",
            points.len()
        );
        assert_eq!(points.first(), Some(&(0, 1.0)));
        assert_eq!(points.last(), Some(&(9_999, 1.0)));
        assert!(visible_points(&[], 100).is_empty());
    }

    #[test]
    fn columns_cover_everything_once() {
        let ranges: Vec<_> = columns(7, 3).collect();
        assert_eq!(ranges, vec![0..2, 2..4, 4..7]);
        assert_eq!(columns(2, 10).count(), 2);
    }

    #[test]
    fn moments_are_right() {
        assert_eq!(
            Moment::from_unix(1_583_971_200).full(),
            "12 Mar 2020 00:00:00"
        );
        assert_eq!(
            Moment::from_unix(951_782_400).full(),
            "29 Feb 2000 00:00:00"
        );
        assert_eq!(
            Moment::from_unix(1_735_689_599).full(),
            "31 Dec 2024 23:59:59"
        );
        assert_eq!(Moment::from_unix(1_583_971_200 + 3600).label(3600), "01:00");
    }
}
