//! Files that are there whole or not at all.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// As far as the umask allows, like any file that a program makes.
const MODE: u32 = 0o666;

/// How many links are followed at most: as many as Linux does.
const MAX_LINKS: usize = 40;

/// Writes under a temporary name of its own beside the file that `path` leads to, then renames. What is there and no regular file, a
/// terminal or a pipe, is written to as it is.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    if !replaces(path) {
        return fs::write(path, text);
    }
    let target = target(path)?;
    let folder = folder(&target);
    if !folder.is_dir() {
        let missing = format!("there is no folder {}", folder.display());
        return Err(io::Error::new(io::ErrorKind::NotFound, missing));
    }
    let mut file = tempfile::Builder::new()
        .permissions(Permissions::from_mode(MODE))
        .tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

/// Whether writing to `path` makes a file or replaces one.
pub fn replaces(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |found| found.is_file())
}

/// Whether both are the same file, there or not, by whatever links.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let target = target(path).ok()?;
        let folder = fs::canonicalize(folder(&target)).ok()?;
        Some(folder.join(target.file_name()?))
    };
    one == other || place(one).is_some_and(|found| place(other) == Some(found))
}

/// Where the links at `path` end, be anything there or not.
fn target(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(next) => path = folder(&path).join(next),
            // No link: a file, or nothing yet.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

fn folder(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}
