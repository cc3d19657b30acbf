//! Anvil processes.

use std::path::{Path, PathBuf};

use alloy::node_bindings::{Anvil, AnvilInstance};

/// The anvil of the workspace's `node_modules`: found from the running package's folder or the current one upwards.
///
/// The platform's own binary is preferred to the Node launcher, which would outlive a kill of its parent.
#[must_use]
pub fn anvil_path() -> Option<PathBuf> {
    let starts = [
        std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from),
        std::env::current_dir().ok(),
    ];
    let folders = starts.iter().flatten().flat_map(|start| start.ancestors());
    folders
        .map(|folder| folder.join("node_modules"))
        .find_map(|modules| in_modules(&modules))
}

fn in_modules(modules: &Path) -> Option<PathBuf> {
    let system = std::env::consts::OS.replace("macos", "darwin");
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let native = modules.join(format!("@foundry-rs/anvil-{system}-{machine}/bin/anvil"));
    [native, modules.join(".bin/anvil")]
        .into_iter()
        .find(|path| path.is_file())
}

/// Blocks whose state is kept. Without a limit, an anvil keeps the states of old blocks in files that nobody removes once it is killed.
const KEPT_STATES: &str = "600";

/// Starts an anvil on a loopback port of the system's choosing, with what `configure` adds. Dropping it ends the process.
///
/// # Panics
/// If there is no anvil (`npm ci` brings it) or it does not start: a test cannot go on.
pub fn anvil(configure: impl FnOnce(Anvil) -> Anvil) -> AnvilInstance {
    let path = anvil_path()
        .unwrap_or_else(|| panic!("no node_modules with anvil above this package: run npm ci"));
    let anvil = configure(
        Anvil::at(&path)
            .host("127.0.0.1")
            .port(0_u16)
            .args(["--prune-history", KEPT_STATES]),
    );
    anvil
        .try_spawn()
        .unwrap_or_else(|cause| panic!("{} does not start: {cause}", path.display()))
}
