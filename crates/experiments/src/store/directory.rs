//! A directory that receives all files of a run or none.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::StoreError;

/// Where a run's results go. Files are collected in a hidden directory inside it and moved to their names by
/// [`OutputDirectory::publish`]; dropped before that, the value removes everything that it created.
#[derive(Debug)]
pub struct OutputDirectory {
    path: PathBuf,
    /// The outermost directory that did not exist before.
    created: Option<PathBuf>,
    /// `None` once published.
    staging: Option<TempDir>,
}

impl OutputDirectory {
    /// Creates `path` where needed and proves that files can be written to it.
    ///
    /// # Errors
    /// [`StoreError::Directory`] if it cannot be created or written to; nothing remains then.
    pub fn prepare(path: &Path) -> Result<Self, StoreError> {
        let refuse = |source| StoreError::Directory {
            path: path.to_path_buf(),
            source,
        };
        let missing = path
            .ancestors()
            .filter(|each| !each.as_os_str().is_empty())
            .take_while(|each| !each.exists());
        let created = missing.last().map(Path::to_path_buf);
        let mut directory = Self {
            path: path.to_path_buf(),
            created,
            staging: None,
        };
        fs::create_dir_all(path).map_err(refuse)?;
        let staging = tempfile::Builder::new()
            .prefix(".breakwater-")
            .tempdir_in(path)
            .map_err(refuse)?;
        let probe = staging.path().join("probe");
        fs::write(&probe, b"probe")
            .and_then(|()| fs::remove_file(&probe))
            .map_err(refuse)?;
        directory.staging = Some(staging);
        Ok(directory)
    }

    /// Where to write the file that will be called `name`.
    #[must_use]
    pub fn staged(&self, name: &str) -> PathBuf {
        self.staging
            .as_ref()
            .map_or_else(|| self.path.join(name), |staging| staging.path().join(name))
    }

    /// Writes `content` as the file that will be called `name`.
    ///
    /// # Errors
    /// [`StoreError::File`] if the operating system refuses.
    pub fn stage(&self, name: &str, content: &[u8]) -> Result<(), StoreError> {
        let path = self.staged(name);
        let write = || -> io::Result<()> {
            let mut file = fs::File::create(&path)?;
            file.write_all(content)?;
            file.sync_all()
        };
        write().map_err(|source| StoreError::File {
            path: path.clone(),
            source,
        })
    }

    /// Moves the staged `names` to their places, replacing what stood there, and returns their paths. The last name is
    /// removed first and moved last, so that it stands for a complete set: a reader who finds it finds the others of the
    /// same run.
    ///
    /// # Errors
    /// [`StoreError::File`] if a file cannot be moved.
    pub fn publish(mut self, names: &[&str]) -> Result<Vec<PathBuf>, StoreError> {
        let refuse = |path: PathBuf| move |source| StoreError::File { path, source };
        if let Some(last) = names.last() {
            self.withdraw(last)?;
        }
        let mut published = Vec::with_capacity(names.len());
        for name in names {
            let target = self.path.join(name);
            fs::rename(self.staged(name), &target).map_err(refuse(target.clone()))?;
            published.push(target);
        }
        self.created = None;
        self.staging = None;
        Ok(published)
    }

    /// Removes a published file, where there is one.
    ///
    /// # Errors
    /// [`StoreError::File`] if it cannot be removed.
    pub fn withdraw(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path.join(name);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::File { path, source })
            }
            _ => Ok(()),
        }
    }
}

impl Drop for OutputDirectory {
    fn drop(&mut self) {
        self.staging = None;
        if let Some(outermost) = &self.created {
            // `remove_dir` refuses a directory that somebody else has put a file into meanwhile.
            for each in self
                .path
                .ancestors()
                .take_while(|each| each.starts_with(outermost))
            {
                let _ = fs::remove_dir(each);
            }
        }
    }
}
