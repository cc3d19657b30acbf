//! The contracts' bytecode against arithmetic that shares nothing with it: arbitrary precision, exact rationals, exact integers.
//!
//! `BREAKWATER_DIFFERENTIAL_CASES` sets the number of cases (`make deep`: more than a million, ten thousand where a venue is involved),
//! `BREAKWATER_DIFFERENTIAL_SEED` another seed. The largest error of each campaign is printed with `--nocapture`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test panics and prints"
)]

mod random;
mod rates;
mod sizing;
mod twap;

fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|error| panic!("{name} = {text:?}: {error}")),
        Err(_) => otherwise,
    }
}

/// How many cases a campaign has: what is asked for, over `part`.
fn cases(part: u64) -> u64 {
    number("BREAKWATER_DIFFERENTIAL_CASES", 50_000) / part
}

fn seed() -> u64 {
    number("BREAKWATER_DIFFERENTIAL_SEED", 0x6272_6561_6b77)
}
