//! A scenario's text: where its keys stand and what is written beside them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::{ScenarioError, nearest};

/// Name and text of shipped scenarios.
macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../scenarios/", $name, ".toml")))),*]
    };
}

/// The shipped scenarios: events in the order of the design, then what no event has shown.
const SHIPPED: [(&str, &str); 13] = shipped![
    "black-thursday",
    "dai-spike",
    "may-19",
    "loop-depeg",
    "toxic-short",
    "stable-depeg",
    "oct-10",
    "oracle-misset",
    "worthless",
    "persistent-30",
    "grind",
    "adversary",
    "manipulator",
];

/// A scenario file, not yet understood.
#[derive(Clone, Debug)]
pub struct Source {
    /// What errors call it.
    pub(crate) file: PathBuf,
    /// Its text.
    pub(crate) text: String,
    /// Dotted key to line (from 1) and comment.
    places: BTreeMap<String, (usize, String)>,
}

impl Source {
    /// A scenario from text; `file` is what errors call it and where relative paths start.
    #[must_use]
    pub fn new(file: &Path, text: String) -> Self {
        let places = places(&text);
        Self {
            file: file.to_path_buf(),
            text,
            places,
        }
    }

    /// The shipped scenario of this name, or the file at this path.
    ///
    /// # Errors
    /// [`ScenarioError::Unknown`] and [`ScenarioError::Unreadable`].
    pub fn find(name: &str) -> Result<Self, ScenarioError> {
        if let Some((_, text)) = SHIPPED.iter().find(|(shipped, _)| *shipped == name) {
            return Ok(Self::new(
                Path::new(&format!("{name}.toml")),
                (*text).to_owned(),
            ));
        }
        let path = Path::new(name);
        if !path.exists() && path.extension().is_none_or(|extension| extension != "toml") {
            let names = || SHIPPED.iter().map(|(name, _)| *name);
            return Err(ScenarioError::Unknown {
                name: name.to_owned(),
                known: names().collect::<Vec<_>>().join(", "),
                nearest: nearest(name, names()).unwrap_or_default().to_owned(),
            });
        }
        let unreadable = |source| ScenarioError::Unreadable {
            file: path.to_path_buf(),
            source,
        };
        std::fs::read_to_string(path)
            .map(|text| Self::new(path, text))
            .map_err(unreadable)
    }

    /// The shipped scenarios, in order.
    pub fn shipped() -> impl Iterator<Item = Self> {
        SHIPPED
            .iter()
            .map(|(name, text)| Self::new(Path::new(&format!("{name}.toml")), (*text).to_owned()))
    }

    /// The folder from which relative paths are taken.
    pub(crate) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new(""))
    }

    /// The line, from 1, that holds a byte.
    pub(super) fn line_at(&self, byte: usize) -> usize {
        self.text
            .bytes()
            .take(byte)
            .filter(|&each| each == b'\n')
            .count()
            + 1
    }

    /// The line of a dotted key, or of the first key whose last part it is; 1 if there is none.
    pub(crate) fn line_of(&self, key: &str) -> usize {
        let found = self.places.get(key).or_else(|| {
            let last = |dotted: &str| dotted.rsplit('.').next() == Some(key);
            self.places
                .iter()
                .find(|(dotted, _)| last(dotted))
                .map(|(_, place)| place)
        });
        // `prices.knots[3].price` stands on no line of its own.
        let parent = || {
            key.rsplit_once(['.', '['])
                .map(|(parent, _)| self.line_of(parent))
        };
        found.map(|(line, _)| *line).or_else(parent).unwrap_or(1)
    }

    /// What the file says above or beside a dotted key.
    pub(super) fn comment(&self, key: &str) -> &str {
        self.places.get(key).map_or("", |(_, comment)| comment)
    }

    /// What the file says of a dotted key: above or beside it, or, where nothing stands there, of the table it is in.
    pub(super) fn said_of(&self, key: &str) -> &str {
        let own = self.comment(key);
        let parent = key.rsplit_once('.').filter(|_| own.is_empty());
        parent.map_or(own, |(parent, _)| {
            let entry = parent.rsplit_once('[').filter(|_| parent.ends_with(']'));
            entry.map_or_else(
                || self.said_of(parent),
                |(list, _)| {
                    let said = self.comment(parent);
                    if said.is_empty() {
                        self.said_of(list)
                    } else {
                        said
                    }
                },
            )
        })
    }
}

/// Finds keys and comments line by line. Values are the TOML library's business; this only has to know where a value ends.
fn places(text: &str) -> BTreeMap<String, (usize, String)> {
    let mut places = BTreeMap::new();
    let mut arrays: BTreeMap<String, usize> = BTreeMap::new();
    let (mut table, mut above, mut depth) = (String::new(), Vec::new(), 0_i64);
    for (number, line) in text.lines().enumerate() {
        let (content, comment) = split_comment(line.trim());
        let inside = depth > 0;
        if !inside && content.is_empty() {
            if comment.is_empty() {
                above.clear()
            } else {
                above.push(comment.to_owned())
            }
            continue;
        }
        if !inside && content.starts_with('[') {
            let name = content.trim_matches(['[', ']']).trim();
            table = if content.starts_with("[[") {
                let count = arrays.entry(name.to_owned()).or_default();
                *count += 1;
                format!("{name}[{}].", *count - 1)
            } else {
                format!("{name}.")
            };
            let mut said = std::mem::take(&mut above);
            said.extend((!comment.is_empty()).then(|| comment.to_owned()));
            let _ = places.insert(
                table.trim_end_matches('.').to_owned(),
                (number + 1, said.join(" ")),
            );
            continue;
        }
        if let (false, Some((key, _))) = (inside, content.split_once('=')) {
            let mut said = std::mem::take(&mut above);
            said.extend((!comment.is_empty()).then(|| comment.to_owned()));
            places.insert(
                format!("{table}{}", key.trim()),
                (number + 1, said.join(" ")),
            );
        }
        depth += brackets(content);
        depth = depth.max(0);
    }
    places
}

/// Splits a line at the `#` that begins a comment.
fn split_comment(line: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '#' if !quoted => return (line[..at].trim(), line[at + 1..].trim()),
            _ => {}
        }
    }
    (line, "")
}

/// Brackets opened less brackets closed, outside quotes.
fn brackets(content: &str) -> i64 {
    let mut quoted = false;
    let mut depth = 0;
    for character in content.chars() {
        match character {
            '"' => quoted = !quoted,
            '[' | '{' if !quoted => depth += 1,
            ']' | '}' if !quoted => depth -= 1,
            _ => {}
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_lines_and_comments() {
        let text = "# about a\na = 1 # beside\n\n[t]\nlist = [\n  { x = 1 }, # inside\n]\nb = \"#no\"\n[[g]]\nc = 1\n[[g]]\nc = 2\n";
        let source = Source::new(Path::new("x.toml"), text.to_owned());
        assert_eq!(
            (source.line_of("a"), source.comment("a")),
            (2, "about a beside")
        );
        assert_eq!((source.line_of("t.b"), source.comment("t.b")), (8, ""));
        assert_eq!(source.line_of("b"), 8);
        assert_eq!(source.line_of("g[1].c"), 12);
        assert_eq!(source.line_of("t.list[0].x"), 5);
        assert_eq!(source.line_at(0), 1);
        assert_eq!(source.line_of("nowhere"), 1);
    }

    #[test]
    fn what_has_no_comment_is_said_by_its_table() {
        let text = "[a] # of a\nx = 1\ny = 2 # of y\n[[a.groups]]\nz = { u = 1 }\n[[a.groups]] # of the second\nz = 2\n[b]\nx = 1\n";
        let source = Source::new(Path::new("x.toml"), text.to_owned());
        let said = ["a.x", "a.y", "a.groups[0].z.u", "a.groups[1].z", "b.x"]
            .map(|key| source.said_of(key));
        assert_eq!(said, ["of a", "of y", "of a", "of the second", ""]);
    }
}
