//! `breakwater scenarios`.

use std::fmt::Write as _;

use breakwater_experiments::scenario::{Scenario, Source};

use crate::arguments::Scenarios;
use crate::failure::Failure;
use crate::print;

/// Lists the shipped scenarios, or explains one.
pub fn run(options: &Scenarios) -> Result<(), Failure> {
    let Some(name) = &options.name else {
        return list();
    };
    let source = Source::find(name).map_err(Failure::input)?;
    print(&explained(
        &Scenario::read(&source).map_err(Failure::input)?,
    ))
}

/// One line each.
fn list() -> Result<(), Failure> {
    let mut text = String::new();
    for source in Source::shipped() {
        let scenario = Scenario::read(&source).map_err(Failure::input)?;
        let (name, description) = (scenario.name(), scenario.description());
        let _ = writeln!(text, "{name:<16}{description}");
    }
    print(&text)
}

/// What happened, where that is known from, and every parameter with its value, its meaning with the unit, and its source.
fn explained(scenario: &Scenario) -> String {
    let (blocks, slot) = scenario.length();
    let mut text = format!(
        "{}: {}\n{}\n\n{blocks} blocks of {slot} s, {}\n\nSources\n",
        scenario.name(),
        scenario.title(),
        scenario.description(),
        duration(blocks * slot)
    );
    for source in scenario.sources() {
        let _ = writeln!(text, "  {source}");
    }
    text.push_str("\nParameters\n");
    for setting in scenario.settings() {
        let _ = writeln!(text, "  {} = {}", setting.key, setting.value);
        let _ = writeln!(text, "      {}", setting.meaning);
        if !setting.source.is_empty() {
            let _ = writeln!(text, "      source: {}", setting.source);
        }
    }
    text
}

/// In the largest unit in which it is at least two.
fn duration(seconds: u64) -> String {
    let (unit, name) = match seconds {
        172_800.. => (86_400.0, "days"),
        7_200.. => (3_600.0, "hours"),
        120.. => (60.0, "minutes"),
        _ => (1.0, "seconds"),
    };
    let value = (seconds as f64 / unit * 10.0).round() / 10.0;
    format!("{value} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_their_largest_unit() {
        let told = [90, 600, 86_400, 604_800, 9_000].map(duration);
        assert_eq!(
            told,
            [
                "90 seconds",
                "10 minutes",
                "24 hours",
                "7 days",
                "2.5 hours"
            ]
        );
    }
}
