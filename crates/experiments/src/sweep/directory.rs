//! Where a sweep's results are: `design.json`, a file a path under `paths`, and at the end `figures.parquet` and `sweep.json`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::design::{Design, PathFigures, Sweep};
use super::error::SweepError;
use crate::report::Figure;

/// The file that says which sweep a directory is of.
pub const DESIGN: &str = "design.json";

/// What stands for a figure that does not apply.
const NOT_APPLICABLE: &str = "n/a";

/// Files that are not whole yet begin like this.
const PARTIAL: &str = ".partial-";

/// A directory that nobody else writes to while this value lives.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    /// Holds the lock.
    _lock: File,
}

impl Directory {
    /// Opens a sweep's directory, and makes it one of this sweep if it is new or empty.
    ///
    /// # Errors
    /// [`SweepError`] if it holds anything else or is in use.
    pub fn open(path: &Path, sweep: &Sweep) -> Result<Self, SweepError> {
        let file = |source| SweepError::File {
            path: path.to_path_buf(),
            source,
        };
        let known = path.join(DESIGN).exists();
        if !known && path.exists() {
            let mut entries = fs::read_dir(path).map_err(file)?;
            if entries.any(|entry| entry.is_ok_and(|entry| entry.file_name() != LOCK)) {
                return Err(SweepError::Occupied {
                    path: path.to_path_buf(),
                });
            }
        }
        if known && let Some(what) = sweep.design.difference(&read_design(path)?) {
            return Err(SweepError::Changed {
                path: path.to_path_buf(),
                what,
            });
        }
        fs::create_dir_all(path.join("paths")).map_err(file)?;
        let lock_path = path.join(LOCK);
        let lock = File::create(&lock_path).map_err(|source| SweepError::File {
            path: lock_path.clone(),
            source,
        })?;
        if lock.try_lock().is_err() {
            return Err(SweepError::Busy {
                path: path.to_path_buf(),
            });
        }
        let directory = Self {
            path: path.to_path_buf(),
            _lock: lock,
        };
        clean(&directory.path.join("paths")).map_err(file)?;
        let text = serde_json::to_string_pretty(&sweep.design)? + "\n";
        directory.write(DESIGN, text.as_bytes())?;
        Ok(directory)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The figures of a path; `None` if it has not run.
    ///
    /// # Errors
    /// [`SweepError::Foreign`] for a file that is none of this sweep's.
    pub fn read(&self, sweep: &Sweep, name: &str) -> Result<Option<PathFigures>, SweepError> {
        read_figures(&self.path, sweep, name)
    }

    /// Whether a path has run.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        place(&self.path, name).exists()
    }

    /// Writes the figures of a path, whole or not at all.
    ///
    /// # Errors
    /// [`SweepError::File`].
    pub fn write_figures(
        &self,
        sweep: &Sweep,
        name: &str,
        figures: &PathFigures,
    ) -> Result<(), SweepError> {
        let mut text = format!(
            "configuration {}\npath {name}\n",
            sweep.design.configuration_hash
        );
        for (figure, value) in sweep.figures().into_iter().zip(figures) {
            // The shortest decimal that reads back as the same number.
            let value = value.map_or_else(|| NOT_APPLICABLE.to_owned(), |value| value.to_string());
            text.push_str(&format!("{} {value}\n", figure.key));
        }
        self.write(&format!("paths/{name}"), text.as_bytes())
    }

    /// Writes a file, whole or not at all, and its folder where needed.
    ///
    /// # Errors
    /// [`SweepError::File`].
    pub fn write(&self, name: &str, content: &[u8]) -> Result<(), SweepError> {
        self.fill(name, |partial| {
            let mut file = File::create(partial)?;
            file.write_all(content)?;
            file.sync_all()
        })
    }

    /// The same, by a function that is given where to write.
    ///
    /// # Errors
    /// [`SweepError::File`], or what the function says.
    pub fn fill<E: IntoSweepError>(
        &self,
        name: &str,
        content: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), SweepError> {
        let target = self.path.join(name);
        let refuse = |source| SweepError::File {
            path: target.clone(),
            source,
        };
        let folder = target.parent().unwrap_or(&self.path);
        fs::create_dir_all(folder).map_err(refuse)?;
        let last = target.file_name().unwrap_or_default().to_string_lossy();
        let partial = folder.join(format!("{PARTIAL}{last}"));
        content(&partial).map_err(|error| error.at(&target))?;
        fs::rename(&partial, &target).map_err(refuse)
    }
}

/// The file that is locked.
const LOCK: &str = ".lock";

/// An error while a file was being filled.
pub trait IntoSweepError {
    /// The error as the sweep's, for this file.
    fn at(self, path: &Path) -> SweepError;
}

impl IntoSweepError for io::Error {
    fn at(self, path: &Path) -> SweepError {
        SweepError::File {
            path: path.to_path_buf(),
            source: self,
        }
    }
}

impl IntoSweepError for crate::store::StoreError {
    fn at(self, _: &Path) -> SweepError {
        self.into()
    }
}

/// Reads which sweep a directory is of.
///
/// # Errors
/// [`SweepError::NoSweep`] if it is of none.
pub fn read_design(directory: &Path) -> Result<Design, SweepError> {
    let path = directory.join(DESIGN);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(SweepError::NoSweep {
                path: directory.to_path_buf(),
                file: DESIGN,
            });
        }
        other => other.map_err(|source| SweepError::File {
            path: path.clone(),
            source,
        })?,
    };
    serde_json::from_str(&text).map_err(|error| SweepError::Foreign {
        path,
        reason: format!("expected the design of a sweep ({error})"),
    })
}

/// The figures of a path in a directory; `None` if it has not run there.
///
/// # Errors
/// [`SweepError::Foreign`] for a file that is none of this sweep's.
pub fn read_figures(
    directory: &Path,
    sweep: &Sweep,
    name: &str,
) -> Result<Option<PathFigures>, SweepError> {
    let path = place(directory, name);
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|source| SweepError::File {
            path: path.clone(),
            source,
        })?,
    };
    parse(
        &text,
        &sweep.figures(),
        &sweep.design.configuration_hash,
        name,
    )
    .map(Some)
    .ok_or_else(|| SweepError::Foreign {
        path,
        reason: "expected the figures of a path of this sweep; delete it to run the path again"
            .to_owned(),
    })
}

/// The file of a path.
fn place(directory: &Path, name: &str) -> PathBuf {
    directory.join("paths").join(name)
}

fn parse(
    text: &str,
    known: &[&Figure],
    configuration_hash: &str,
    name: &str,
) -> Option<PathFigures> {
    let mut lines = text.lines().map(|line| line.split_once(' '));
    let mut value = |key: &str| {
        lines
            .next()?
            .filter(|(found, _)| *found == key)
            .map(|(_, value)| value)
    };
    let own = value("configuration")? == configuration_hash && value("path")? == name;
    let mut figures = vec![None; known.len()];
    for (figure, place) in known.iter().zip(&mut figures) {
        let text = value(figure.key)?;
        *place = if text == NOT_APPLICABLE {
            None
        } else {
            Some(text.parse().ok()?)
        };
    }
    (own && lines.next().is_none()).then_some(figures)
}

/// Removes what a killed sweep left half written.
fn clean(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            clean(&entry.path())?;
        } else if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
