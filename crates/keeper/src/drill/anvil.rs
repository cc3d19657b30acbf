//! The drill's own chain: an anvil process on loopback.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use alloy::node_bindings::{Anvil, AnvilInstance};

use super::error::DrillError;

/// How far in the past the chain begins, seconds. Its time is moved, and so ahead of the world's: not beyond it.
const PAST: u64 = 4 * 3_600;

/// Blocks whose state is kept. Without a limit, an anvil keeps the states of old blocks in files that nobody removes once it is killed.
const KEPT_STATES: &str = "600";

/// Longest wait for it to listen, milliseconds.
const START_WITHIN: u64 = 60_000;

/// An anvil: on PATH, or in `node_modules` of `folder` or one above it.
///
/// # Errors
/// [`DrillError::NoAnvil`].
pub fn find(folder: &Path) -> Result<PathBuf, DrillError> {
    let name = format!("anvil{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join(&name));
    let in_modules = folder.ancestors().flat_map(|folder| {
        let modules = folder.join("node_modules");
        // The platform's own binary before the launcher, which a kill would leave its child behind.
        [modules.join(native(&name)), modules.join(".bin/anvil")]
    });
    on_path
        .chain(in_modules)
        .find(|path| path.is_file())
        .ok_or_else(|| DrillError::NoAnvil {
            folder: folder.to_owned(),
        })
}

/// Where npm's platform package has the binary.
fn native(name: &str) -> String {
    let system = match env::consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let machine = match env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("@foundry-rs/anvil-{system}-{machine}/bin/{name}")
}

/// What it says that it is.
///
/// # Errors
/// [`DrillError::Anvil`] for what is no anvil.
pub fn version(path: &Path) -> Result<String, DrillError> {
    let wrong = |reason: String| DrillError::Anvil {
        path: path.to_owned(),
        reason,
    };
    let output = Command::new(path)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| wrong(cause.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let first = said.lines().next().unwrap_or_default().trim();
    if output.status.success() && first.to_lowercase().contains("anvil") {
        Ok(first.to_owned())
    } else {
        Err(wrong(format!(
            "asked for its version it says {first:?} ({})",
            output.status
        )))
    }
}

/// Starts it on a loopback port of the system's choosing. Dropping it ends the process.
///
/// # Errors
/// [`DrillError::Anvil`].
pub fn start(path: &Path) -> Result<AnvilInstance, DrillError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(PAST, |time| time.as_secs());
    Anvil::at(path)
        .host("127.0.0.1")
        .port(0_u16)
        .timeout(START_WITHIN)
        .args(["--prune-history", KEPT_STATES])
        .arg("--timestamp")
        .arg(now.saturating_sub(PAST).to_string())
        .try_spawn()
        .map_err(|cause| DrillError::Anvil {
            path: path.to_owned(),
            reason: cause.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_is_found_in_a_folder_above_and_its_absence_says_what_brings_it() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("a/b");
        fs::create_dir_all(&below).unwrap();
        // Where one is on PATH, that one is taken.
        let on_path = find(folder.path()).ok();
        if on_path.is_none() {
            let error = find(&below).unwrap_err().to_string();
            assert!(error.contains("npm ci") && error.contains("a/b"), "{error}");
        }
        let launcher = folder.path().join("node_modules/.bin/anvil");
        fs::create_dir_all(launcher.parent().unwrap()).unwrap();
        fs::write(&launcher, "").unwrap();
        assert_eq!(find(&below).unwrap(), on_path.clone().unwrap_or(launcher));
        let binary = folder.path().join("node_modules").join(native("anvil"));
        fs::create_dir_all(binary.parent().unwrap()).unwrap();
        fs::write(&binary, "").unwrap();
        assert_eq!(find(&below).unwrap(), on_path.unwrap_or(binary));
    }
}
