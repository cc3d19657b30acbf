//! Files that are there whole or not at all.

use std::path::Path;
use std::{fs, io};

/// Writes under a temporary name beside `path`, then renames.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let temporary = path.with_extension("part");
    fs::write(&temporary, text)?;
    fs::rename(&temporary, path)
}
