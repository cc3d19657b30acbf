//! What a drill says while it goes on.

use alloy_primitives::{I256, U256};

/// Something to be shown at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A part begins.
    Part(String),
    /// Something that holds for the part.
    Note(String),
    /// Something happened.
    Event {
        /// Seconds of the chain's time since the keeper started.
        at: u64,
        /// The block.
        block: u64,
        /// What.
        text: String,
    },
}

/// Seconds as hours, minutes and seconds.
#[must_use]
pub fn clock(seconds: u64) -> String {
    format!(
        "{}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// An amount of a token with two decimals and thousands apart.
#[must_use]
pub fn amount(base: U256, decimals: u8) -> String {
    grouped(crate::units::whole(base, decimals))
}

/// The same with a sign.
#[must_use]
pub fn signed_amount(base: I256, decimals: u8) -> String {
    grouped(crate::units::whole_signed(base, decimals))
}

/// A number with two decimals and thousands apart.
#[must_use]
pub fn grouped(value: f64) -> String {
    let text = format!("{:.2}", value.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, "00"));
    let mut apart = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    let sign = if value < 0.0 && text != "0.00" {
        "-"
    } else {
        ""
    };
    format!("{sign}{apart}.{rest}")
}

/// A share in the scale of 1e18, in percent.
#[must_use]
pub fn percent(share: U256) -> String {
    format!("{:.2}%", crate::units::ratio(share) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0.0), "0.00");
        assert_eq!(grouped(-0.001), "0.00");
        assert_eq!(grouped(999.994), "999.99");
        assert_eq!(grouped(-1_234.5), "-1,234.50");
        assert_eq!(grouped(1_234_567.891), "1,234,567.89");
        assert_eq!(clock(3_723), "1:02:03");
    }
}
