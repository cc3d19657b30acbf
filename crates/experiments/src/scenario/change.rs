//! A scenario with some of its values replaced: what a sweep varies.

use toml::{Table, Value};

use super::error::{ScenarioError, nearest};
use super::{File, PARAMETERS, Parameter, Scenario, settings};

impl Scenario {
    /// The scenario with these values of dotted keys, checked like a file that says so. Where the file has a whole number, a
    /// fraction is rounded.
    ///
    /// # Errors
    /// [`ScenarioError`] that names the key; its line is that of the value replaced.
    pub fn changed(&self, changes: &[(String, Value)]) -> Result<Self, ScenarioError> {
        let mut table = self.table.clone();
        for (key, value) in changes {
            if Parameter::of(key).is_none() {
                let known = PARAMETERS.iter().map(|parameter| parameter.key);
                return Err(ScenarioError::UnknownKey {
                    file: self.source.file.clone(),
                    line: 1,
                    nearest: nearest(key, known).unwrap_or_default().to_owned(),
                    key: key.clone(),
                });
            }
            if replace(&mut table, key, value.clone()).is_none() {
                return Err(ScenarioError::Value {
                    file: self.source.file.clone(),
                    line: self.source.line_of(key),
                    key: key.clone(),
                    value: value.to_string(),
                    expected: "a key of a table, not of a list".to_owned(),
                });
            }
        }
        let file: File = table
            .clone()
            .try_into()
            .map_err(|error| ScenarioError::from_toml(&self.source, &error))?;
        settings::check_ranges(&self.source, &table)?;
        let keys = changes.iter().map(|(key, _)| key.clone());
        let changed = Self {
            source: self.source.clone(),
            table,
            file,
            changed: self.changed.iter().cloned().chain(keys).collect(),
        };
        changed.check_together()?;
        Ok(changed)
    }

    /// The same as a scenario of its own: `suffix` ends its name, `title` its title.
    ///
    /// # Errors
    /// As [`Scenario::changed`].
    pub fn varied(
        &self,
        suffix: &str,
        title: &str,
        changes: &[(String, Value)],
    ) -> Result<Self, ScenarioError> {
        let mut varied = self.clone();
        for (key, value) in [
            ("name", format!("{}-{suffix}", self.name())),
            ("title", format!("{}: {title}", self.title())),
        ] {
            varied.table.insert(key.to_owned(), Value::String(value));
        }
        varied.changed(changes)
    }
}

/// Replaces the value of a dotted key, making tables on the way; `None` if something on the way is no table.
fn replace(table: &mut Table, key: &str, value: Value) -> Option<()> {
    if key.contains('[') {
        return None;
    }
    let mut parts = key.split('.');
    let last = parts.next_back()?;
    let mut inside = table;
    for part in parts {
        inside = inside
            .entry(part)
            .or_insert_with(|| Value::Table(Table::new()))
            .as_table_mut()?;
    }
    let value = match (inside.get(last), value) {
        (Some(Value::Integer(_)), Value::Float(number)) => Value::Integer(number.round() as i64),
        (_, value) => value,
    };
    inside.insert(last.to_owned(), value);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::{Overrides, Source};
    use super::*;

    fn scenario() -> Scenario {
        let source = Source::find("black-thursday").expect("a source");
        Scenario::read(&source).expect("a scenario")
    }

    fn changed(key: &str, value: Value) -> Result<Scenario, String> {
        let changes = [(key.to_owned(), value)];
        scenario()
            .changed(&changes)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_replaced_and_whole_numbers_stay_whole() {
        let overrides = Overrides {
            blocks: Some(2),
            ..Overrides::default()
        };
        let prepared = changed("keepers.count", Value::Float(6.6))
            .expect("a change")
            .prepare(&overrides)
            .expect("a run");
        assert_eq!(prepared.parameters.keepers.count, 7);
        let prepared = changed("damped.confirmation", Value::Boolean(false))
            .expect("a change")
            .prepare(&overrides)
            .expect("a run");
        assert_eq!(prepared.parameters.damped.confirmation, Some(false));
    }

    #[test]
    fn what_no_scenario_can_say_is_refused() {
        let said = changed("venue.dept", Value::Float(1.0)).expect_err("an unknown key");
        assert!(
            said.contains("unknown key `venue.dept`") && said.contains("`venue.depth`"),
            "{said}"
        );
        let said = changed("venue.pass_through", Value::Float(1.5)).expect_err("out of range");
        assert!(
            said.contains("venue.pass_through is 1.5, expected 0 to 1"),
            "{said}"
        );
        let said = changed("collateral.borrow_ltv", Value::Float(0.9)).expect_err("above LT");
        assert!(
            said.contains("less than collateral.liquidation_threshold"),
            "{said}"
        );
        let said = changed("population.groups[0].ltv.mean", Value::Float(0.4)).expect_err("a list");
        assert!(said.contains("a key of a table, not of a list"), "{said}");
        let said = changed("damped.turn_mode", Value::String("often".into())).expect_err("a word");
        assert!(said.contains("unknown variant `often`"), "{said}");
    }
}
