//! `breakwater`: replays market crashes against the protocol's contracts and says what dampening did.

mod arguments;
mod deploy;
mod drill;
mod failure;
mod file;
mod fuzz;
mod keeper;
mod progress;
mod provenance;
mod report;
mod scenarios;
mod simulate;
mod sweep;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use failure::Failure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let outcome = match Arguments::try_parse() {
        Ok(arguments) => run(&arguments),
        Err(error) if error.use_stderr() => Err(Failure::from_arguments(&error)),
        // Help and version.
        Err(text) => print(&text.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where nobody listens nothing can be said.
            let _ = writeln!(io::stderr(), "error: {}", failure.message());
            failure.code()
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    match &arguments.command {
        Command::Simulate(options) => simulate::run(options),
        Command::Scenarios(options) => scenarios::run(options),
        Command::Sweep(options) => sweep::run(options),
        Command::Report(options) => report::run(options),
        Command::Deploy(options) => deploy::run(options),
        Command::Keeper(command) => keeper::run(command),
        Command::Fuzz(options) => fuzz::run(options),
    }
}

/// Writes to standard output; a closed pipe is a failure and no panic.
fn print(text: &str) -> Result<(), Failure> {
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(Failure::other)
}
