//! Numbers as people read them.

/// What stands where a figure does not apply.
pub(super) const NOT_APPLICABLE: &str = "n/a";

/// A number with at most `digits` decimals and thin groups of thousands: `12,345.6`.
pub(super) fn fixed(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return NOT_APPLICABLE.to_owned();
    }
    let text = format!("{:.digits$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut grouped = String::with_capacity(text.len() + whole.len() / 3 + 1);
    for (position, digit) in whole.chars().enumerate() {
        if position > 0 && (whole.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if !fraction.is_empty() {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    // What rounds to zero has no sign.
    let negative = value < 0.0 && grouped.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    if negative {
        format!("\u{2212}{grouped}")
    } else {
        grouped
    }
}

/// A number with about three significant digits.
pub(super) fn significant(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        size if size >= 0.01 => 4,
        _ => 6,
    };
    fixed(value, digits)
}

/// A large amount with its magnitude: `1.25M`.
pub(super) fn compact(value: f64) -> String {
    let scaled = |unit: f64, name: &str| {
        let value = value / unit;
        let digits = if value.abs() >= 100.0 {
            0
        } else if value.abs() >= 10.0 {
            1
        } else {
            2
        };
        format!("{}{name}", trimmed(&fixed(value, digits)))
    };
    match value.abs() {
        size if size >= 1e9 => scaled(1e9, "bn"),
        size if size >= 1e6 => scaled(1e6, "M"),
        size if size >= 1e4 => scaled(1e3, "k"),
        _ => trimmed(&significant(value)),
    }
}

/// Without zeros at the end of a fraction.
fn trimmed(text: &str) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text.to_owned()
    }
}

/// A ratio as a percentage.
pub(super) fn percent(ratio: f64) -> String {
    let digits = if ratio != 0.0 && ratio.abs() < 0.001 {
        3
    } else {
        2
    };
    format!("{}%", fixed(ratio * 100.0, digits))
}

/// The label of an axis tick: exactly as many decimals as ticks `step` apart need.
pub(super) fn tick(value: f64, step: f64) -> String {
    let (unit, name) = match value.abs().max(step) {
        size if size >= 1e9 => (1e9, "bn"),
        size if size >= 1e6 => (1e6, "M"),
        size if size >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = (0..6).find(|&digits| {
        let scaled = step / unit * 10_f64.powi(digits);
        (scaled - scaled.round()).abs() < 1e-6 && scaled.round() > 0.0
    });
    format!(
        "{}{name}",
        trimmed(&fixed(value / unit, digits.unwrap_or(6) as usize))
    )
}

/// Text that stands in HTML, also inside a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(fixed(1_234_567.891, 1), "1,234,567.9");
        assert_eq!(fixed(-0.04, 1), "0.0");
        assert_eq!(fixed(-1234.0, 0), "\u{2212}1,234");
        assert_eq!(fixed(f64::NAN, 2), NOT_APPLICABLE);
        assert_eq!(compact(1_250_000.0), "1.25M");
        assert_eq!(compact(12_500.0), "12.5k");
        assert_eq!(compact(0.0), "0");
        assert_eq!(percent(0.1234), "12.34%");
        assert_eq!(percent(0.00012), "0.012%");
        assert_eq!(tick(0.15, 0.05), "0.15");
        assert_eq!(tick(150_000.0, 50_000.0), "150k");
        assert_eq!(tick(2_500_000.0, 500_000.0), "2.5M");
        assert_eq!(
            escape("<a b=\"c\" d='e'>&"),
            "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;"
        );
    }
}
