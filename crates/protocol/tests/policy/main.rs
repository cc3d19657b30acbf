//! The policy port against the contracts' bytecode, run in this process.
//!
//! `BREAKWATER_POLICY_SEED` sets another seed. Branch counts are printed with `--nocapture`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod backstop;
mod baseline;
mod bounds;
mod branches;
mod damped;
mod planner;
mod random;
mod requests;
mod world;

/// The seed of every campaign.
fn seed() -> u64 {
    let name = "BREAKWATER_POLICY_SEED";
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|error| panic!("{name} = {text:?}: {error}")),
        Err(_) => 0x6272_6561_6b77,
    }
}
