//! A scenario's values, one by one: checked against their ranges, and listed for the report.

use toml::{Table, Value};

use super::error::ScenarioError;
use super::parameters::{PARAMETERS, Parameter};
use super::source::Source;
use crate::report::Setting;

/// The dotted keys of a table with their values; a list of knots is one value.
pub(super) fn flatten(table: &Table) -> Vec<(String, &Value)> {
    fn walk<'a>(prefix: &str, value: &'a Value, found: &mut Vec<(String, &'a Value)>) {
        match value {
            Value::Table(table) => {
                for (key, value) in table {
                    let dotted = if prefix.is_empty() {
                        key.clone()
                    } else {
                        format!("{prefix}.{key}")
                    };
                    walk(&dotted, value, found);
                }
            }
            Value::Array(entries) if prefix.ends_with(".groups") => {
                for (index, entry) in entries.iter().enumerate() {
                    walk(&format!("{prefix}[{index}]"), entry, found);
                }
            }
            other => found.push((prefix.to_owned(), other)),
        }
    }
    let mut found = Vec::new();
    for (key, value) in table {
        walk(key, value, &mut found);
    }
    // In the order of the documentation; the library sorts keys by name.
    let rank = |key: &str| {
        let known =
            Parameter::of(key).and_then(|of| PARAMETERS.iter().position(|each| each.key == of.key));
        known.unwrap_or(PARAMETERS.len())
    };
    let group = |key: &str| {
        key.split_once('[').map_or(0, |(_, rest)| {
            rest.split(']')
                .next()
                .and_then(|n| n.parse().ok())
                .unwrap_or(0)
        })
    };
    found.sort_by_key(|(key, _)| (group(key), rank(key)));
    found
}

/// Refuses numbers outside their range.
pub(super) fn check_ranges(source: &Source, table: &Table) -> Result<(), ScenarioError> {
    for (key, value) in flatten(table) {
        let Some((low, high)) = Parameter::of(&key).and_then(|parameter| parameter.range) else {
            continue;
        };
        let number = value
            .as_float()
            .or_else(|| value.as_integer().map(|whole| whole as f64));
        if !number.is_some_and(|number| (low..=high).contains(&number)) {
            return Err(ScenarioError::Value {
                file: source.file.clone(),
                line: source.line_of(&key),
                value: value.to_string(),
                expected: format!("{low} to {high}"),
                key,
            });
        }
    }
    Ok(())
}

/// The parameters of a scenario as the report lists them.
pub(super) fn settings(source: &Source, table: &Table, changed: &[String]) -> Vec<Setting> {
    const METADATA: [&str; 4] = ["name", "title", "description", "sources"];
    flatten(table)
        .into_iter()
        .filter(|(key, _)| !METADATA.contains(&key.as_str()))
        .map(|(key, value)| Setting {
            value: written(value),
            meaning: Parameter::of(&key)
                .map_or("", |parameter| parameter.meaning)
                .to_owned(),
            // What the file says beside its own value is not said of another.
            source: if changed.contains(&key) {
                "replaces the file's value".to_owned()
            } else {
                source.said_of(&key).to_owned()
            },
            key,
        })
        .collect()
}

/// A value as the report writes it.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(entries) => entries.iter().map(written).collect::<Vec<_>>().join("; "),
        // A knot or a stretch: its time, then its value.
        Value::Table(table) => {
            let time = match (table.get("seconds"), table.get("from"), table.get("until")) {
                (Some(seconds), _, _) => format!("{seconds} s: "),
                (None, Some(from), Some(until)) => format!("{from} to {until} s: "),
                _ => String::new(),
            };
            let rest: Vec<_> = table
                .iter()
                .filter(|(key, _)| !["seconds", "from", "until"].contains(&key.as_str()))
                .map(|(_, value)| written(value))
                .collect();
            let text = format!("{time}{}", rest.join(" "));
            text.trim_end_matches([':', ' ']).to_owned()
        }
        other => other.to_string(),
    }
}
