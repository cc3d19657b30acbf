//! What the pointer reads from a chart.

use serde_json::{Value, json};

use super::super::axis::columns;
use super::{Chart, LEFT, READINGS, RIGHT};

impl Chart {
    /// What the pointer reads: at each place the block, the moment and every value.
    pub(super) fn readings(&self) -> String {
        let bar = self.stack.as_ref().map_or(0, |stack| stack.bar);
        let places: Vec<usize> = if bar > 0 {
            (0..self.time.length.saturating_sub(1).div_ceil(bar))
                .map(|each| each * bar)
                .collect()
        } else {
            columns(self.time.length, READINGS)
                .map(|range| range.end - 1)
                .collect()
        };
        let round = |value: f64| -> Value {
            if !value.is_finite() {
                return Value::Null;
            }
            let shown = format!("{value:.5e}").parse::<f64>().unwrap_or(value);
            json!(shown)
        };
        let layers =
            self.stack
                .iter()
                .flat_map(|stack| &stack.layers)
                .map(|(name, class, values)| {
                    let values: Vec<Value> = places
                        .iter()
                        .map(|&place| round(values[place.checked_div(bar).unwrap_or(place)]))
                        .collect();
                    json!({"name": name, "class": class, "values": values})
                });
        let lines = self.lines.iter().map(|line| {
            let values: Vec<Value> = places
                .iter()
                .map(|&place| round(line.values[place]))
                .collect();
            json!({"name": line.name, "class": line.class, "values": values})
        });
        let data = json!({
            "unit": self.unit,
            "first": self.time.first,
            "start": self.time.start,
            "step": self.time.step,
            "bar": bar,
            "entries": self.time.length,
            "left": LEFT,
            "right": self.size.0 - RIGHT,
            "width": self.size.0,
            "places": places,
            "series": lines.chain(layers).collect::<Vec<_>>(),
        });
        // Inside a script element only `</` could end it early.
        data.to_string().replace("</", "<\\/")
    }
}
