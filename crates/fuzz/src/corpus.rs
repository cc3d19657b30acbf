//! The sequences that reached something first, kept on disk.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use alloy_primitives::{B256, hex, keccak256};
use thiserror::Error;

use crate::action::Action;

/// The first word of a file, with the version of its format.
const HEADER: &str = "breakwater-fuzz-1";
const EXTENSION: &str = "seq";

/// Why a corpus cannot be used.
#[derive(Debug, Error)]
pub enum CorpusError {
    /// The folder or a file cannot be read or written.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is not one that a campaign writes.
    #[error("{} is damaged: expected {expected}; delete the file to go on without it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What should be there.
        expected: String,
    },
}

/// The sequences, in order: those from disk by name, then those that were found.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    entries: Vec<Vec<Action>>,
    directory: Option<PathBuf>,
    /// How many of the entries are on disk.
    stored: usize,
}

impl Corpus {
    /// Reads the corpus of a folder, which is made if it is not there. Files of other names are none of a corpus's.
    ///
    /// # Errors
    /// [`CorpusError`].
    pub fn open(directory: &Path) -> Result<Self, CorpusError> {
        let io = |what, path: &Path| {
            let path = path.to_owned();
            move |source| CorpusError::Io { what, path, source }
        };
        fs::create_dir_all(directory).map_err(io("make", directory))?;
        let mut paths = Vec::new();
        for entry in fs::read_dir(directory).map_err(io("read", directory))? {
            let path = entry.map_err(io("read", directory))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == EXTENSION)
            {
                paths.push(path);
            }
        }
        paths.sort();
        let mut entries = Vec::with_capacity(paths.len());
        for path in paths {
            let text = fs::read_to_string(&path).map_err(io("read", &path))?;
            entries
                .push(decode(&text).map_err(|expected| CorpusError::Damaged { path, expected })?);
        }
        Ok(Self {
            stored: entries.len(),
            entries,
            directory: Some(directory.to_owned()),
        })
    }

    /// A corpus in memory alone.
    #[must_use]
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// The sequences.
    #[must_use]
    pub fn entries(&self) -> &[Vec<Action>] {
        &self.entries
    }

    /// Adds a sequence; [`Corpus::save`] writes it.
    pub fn add(&mut self, actions: Vec<Action>) {
        self.entries.push(actions);
    }

    /// Writes what is not on disk yet: each under another name first, so that a file under its own name is whole.
    ///
    /// # Errors
    /// [`CorpusError::Io`].
    pub fn save(&mut self) -> Result<(), CorpusError> {
        let Some(directory) = &self.directory else {
            self.stored = self.entries.len();
            return Ok(());
        };
        for actions in &self.entries[self.stored..] {
            let text = encode(actions);
            let name = hex::encode(&keccak256(&text)[..10]);
            let path = directory.join(format!("{name}.{EXTENSION}"));
            let temporary = directory.join(format!("{name}.{}.part", std::process::id()));
            let write = || -> io::Result<()> {
                let mut file = File::create(&temporary)?;
                file.write_all(text.as_bytes())?;
                file.sync_all()?;
                fs::rename(&temporary, &path)
            };
            write().map_err(|source| CorpusError::Io {
                what: "write",
                path: path.clone(),
                source,
            })?;
        }
        self.stored = self.entries.len();
        Ok(())
    }

    /// Identifies the entries: a campaign that resumes draws other inputs than the one before it.
    #[must_use]
    pub fn digest(&self) -> B256 {
        let texts: Vec<String> = self.entries.iter().map(|actions| encode(actions)).collect();
        keccak256(texts.concat())
    }
}

/// A header with the hash of the rest, then an action a line.
fn encode(actions: &[Action]) -> String {
    let mut body = String::new();
    for action in actions {
        // An action is numbers and names: it always is JSON.
        body.push_str(&serde_json::to_string(action).unwrap_or_default());
        body.push('\n');
    }
    format!("{HEADER} {} {}\n{body}", actions.len(), keccak256(&body))
}

/// A file's actions, or what was expected of it.
fn decode(text: &str) -> Result<Vec<Action>, String> {
    let (header, body) = text
        .split_once('\n')
        .ok_or_else(|| format!("a first line `{HEADER} <actions> <hash>`"))?;
    let words: Vec<&str> = header.split(' ').collect();
    let [HEADER, count, hash] = words[..] else {
        return Err(format!("a first line `{HEADER} <actions> <hash>`"));
    };
    let actual = keccak256(body).to_string();
    if hash != actual {
        return Err(format!("lines with the hash {hash}, found {actual}"));
    }
    let actions: Vec<Action> = body
        .lines()
        .enumerate()
        .map(|(line, text)| {
            serde_json::from_str(text)
                .map_err(|error| format!("an action in line {}: {error}", line + 2))
        })
        .collect::<Result<_, _>>()?;
    if count.parse() != Ok(actions.len()) || actions.is_empty() {
        return Err(format!(
            "{count} actions, and at least one; found {}",
            actions.len()
        ));
    }
    Ok(actions)
}
