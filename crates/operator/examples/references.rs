//! Prints the README's generated tables: `cargo run -p breakwater-operator --example references -- config|metrics`.
#![allow(clippy::print_stdout, reason = "a program for people")]

use breakwater_operator::{config, metrics};

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("metrics") => print!("{}", metrics::reference()),
        _ => print!("{}", config::reference()),
    }
}
