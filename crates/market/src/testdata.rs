//! Where tests find real market data, which is not part of the repository.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Path of a file in the data folder beside the repository (`../shared/data` from the workspace root), or `None`, with a
/// message on standard error, if the data is not there and need not be. The root is that of the crate whose test cargo runs: where
/// checkouts share a target directory, this file may have been compiled in another one.
///
/// # Panics
/// Without cargo's `CARGO_MANIFEST_DIR`, and if the file is missing although the environment has `CI=true` or the folder `../shared` exists: then a skipped test
/// would hide a mistake.
#[must_use]
#[allow(
    clippy::expect_used,
    reason = "only tests call it, and a test that cannot find its data may not be skipped"
)]
pub fn file(name: &str) -> Option<PathBuf> {
    let tested = std::env::var_os("CARGO_MANIFEST_DIR").expect("run by cargo");
    let shared = Path::new(&tested).join("../../../shared");
    let required = std::env::var("CI").is_ok_and(|value| value == "true");
    match locate(&shared, name, required) {
        Found::Here(path) => Some(path),
        Found::Skip(path) => {
            // Straight to the stream: the test harness hides what the print macros write in tests that pass.
            let message = format!("SKIPPED: no market data at {}\n", path.display());
            let _ = std::io::stderr().write_all(message.as_bytes());
            None
        }
        Found::Fail(path) => panic!(
            "market data is missing: expected {} (CI=true or ../shared exists, so tests on it may not be skipped)",
            path.display()
        ),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Here(PathBuf),
    Skip(PathBuf),
    Fail(PathBuf),
}

fn locate(shared: &Path, name: &str, required: bool) -> Found {
    let path = shared.join("data").join(name);
    if path.is_file() {
        Found::Here(path)
    } else if required || shared.exists() {
        Found::Fail(path)
    } else {
        Found::Skip(path)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn skips_only_where_there_is_no_data_and_no_demand() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("shared");
        assert!(matches!(locate(&absent, "a.csv", false), Found::Skip(_)));
        assert!(matches!(locate(&absent, "a.csv", true), Found::Fail(_)));
        std::fs::create_dir_all(absent.join("data")).unwrap();
        assert!(matches!(locate(&absent, "a.csv", false), Found::Fail(_)));
        std::fs::write(absent.join("data/a.csv"), "x").unwrap();
        assert!(matches!(locate(&absent, "a.csv", true), Found::Here(_)));
    }
}
