//! How a command can fail, and the code it exits with.

use std::process::ExitCode;

use eyre::Report;

/// A command that did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// What the user gave cannot be used: exit code 2.
    Input(Report),
    /// The user stopped it: exit code 130, as a shell says it of an interrupt.
    Interrupted,
    /// The user stopped it, and this is what that left: exit code 130.
    Stopped(String),
    /// Anything else: exit code 1.
    Other(Report),
}

impl Failure {
    /// Bad input.
    pub fn input(error: impl Into<Report>) -> Self {
        Self::Input(error.into())
    }

    /// Anything else.
    pub fn other(error: impl Into<Report>) -> Self {
        Self::Other(error.into())
    }

    /// What clap says about the command line, in one line and without the usage text.
    pub fn from_arguments(error: &clap::Error) -> Self {
        let text = error.to_string();
        let said: Vec<_> = text
            .lines()
            .take_while(|line| !line.trim().is_empty())
            .map(str::trim)
            .collect();
        let said = said.join(" ");
        Self::Input(Report::msg(said.trim_start_matches("error: ").to_owned()))
    }

    /// One line, with the reasons behind it.
    pub fn message(&self) -> String {
        match self {
            Self::Input(report) => line(&report.to_string()),
            Self::Interrupted => "interrupted, nothing was written".to_owned(),
            Self::Stopped(text) => text.clone(),
            Self::Other(report) => line(&format!("{report:#}")),
        }
    }

    /// The process's exit code.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Input(_) => ExitCode::from(2),
            Self::Interrupted | Self::Stopped(_) => ExitCode::from(130),
            Self::Other(_) => ExitCode::FAILURE,
        }
    }
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
