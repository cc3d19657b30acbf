//! Credentials of nodes kept out of logs and pages. A node's address often is its password, and errors of HTTP libraries
//! repeat it.

use std::borrow::Cow;

use url::Url;

use crate::config::redacted;

/// Parts of a path this long are taken for keys.
const LONGEST_PUBLIC_SEGMENT: usize = 15;

/// Values of a query, users and passwords shorter than this would take half the log with them.
const SHORTEST_CREDENTIAL: usize = 4;

/// Replaces what must not be shown.
#[derive(Clone, Default)]
pub struct Redactor {
    /// What to replace by what; longer ones first, so that a whole address goes before its parts.
    replacements: Vec<(String, String)>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// Hides what these addresses carry: user, password, values of the query, and any part of the path of 16 characters
    /// or more, wherever it appears.
    #[must_use]
    pub fn new(urls: &[Url]) -> Self {
        let mut replacements = Vec::new();
        for url in urls {
            let shown = redacted(url);
            if shown.ends_with('…') {
                replacements.push((url.to_string(), shown));
            }
            let credentials = [url.username(), url.password().unwrap_or_default()]
                .into_iter()
                .map(str::to_owned)
                .chain(url.query_pairs().map(|(_, value)| value.into_owned()))
                .filter(|part| part.len() >= SHORTEST_CREDENTIAL);
            let segments = url
                .path_segments()
                .into_iter()
                .flatten()
                .filter(|part| part.len() > LONGEST_PUBLIC_SEGMENT)
                .map(str::to_owned);
            replacements.extend(
                credentials
                    .chain(segments)
                    .map(|part| (part, "[redacted]".to_owned())),
            );
        }
        replacements.sort_by_key(|(part, _)| std::cmp::Reverse(part.len()));
        Self { replacements }
    }

    /// The text without them.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for (part, shown) in &self.replacements {
            if text.contains(part.as_str()) {
                text = Cow::Owned(text.replace(part.as_str(), shown));
            }
        }
        text
    }
}
