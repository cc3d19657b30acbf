//! Compiles the repository's Solidity with the settings of `foundry.toml` and writes one Rust module a contract.
//!
//! Every contract under `contracts/` is bound, and those of [`EXTRA_SOURCES`]; Uniswap v3 core comes from its npm
//! artifacts. Nothing generated is committed: the output is `OUT_DIR/bindings.rs`.

// A build script talks to Cargo over standard output and to people over standard error.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "build/compile.rs"]
mod compile;
#[path = "build/generate.rs"]
mod generate;

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Sources outside `contracts/` that the Rust tools deploy. One that is absent is skipped.
const EXTRA_SOURCES: [&str; 22] = [
    "node_modules/@openzeppelin/contracts/governance/TimelockController.sol",
    "script/BackstopDeployer.sol",
    "script/Multicall.sol",
    "script/SystemDeployer.sol",
    "test/fuzz/FuzzLens.sol",
    "test/fuzz/FuzzVenue.sol",
    "test/mocks/FixedOracle.sol",
    "test/mocks/FullClosePolicy.sol",
    "test/mocks/LatestAnswer.sol",
    "test/mocks/OpenZeppelinToken.sol",
    "test/mocks/PoolActor.sol",
    "test/mocks/PoolHookToken.sol",
    "test/mocks/ShadowVenue.sol",
    "test/mocks/SimFeed.sol",
    "test/mocks/SimToken.sol",
    "test/mocks/SpotOracle.sol",
    "test/utils/AaveDeleverager.sol",
    "test/utils/AaveLiquidator.sol",
    "test/utils/Deleverager.sol",
    "test/utils/DumpingLiquidator.sol",
    "test/utils/InventoryBuyer.sol",
    "test/utils/VenueRouter.sol",
];

/// npm artifacts (hardhat's format) of contracts that are used as published.
const NPM_ARTIFACTS: [&str; 2] = [
    "node_modules/@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json",
    "node_modules/@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json",
];

/// One contract, interface or library with something to bind.
struct Binding {
    name: String,
    /// The source file from the repository's root.
    source: String,
    /// JSON.
    abi: String,
    has_errors: bool,
    /// Hex without prefix; empty for what cannot be deployed.
    creation_code: String,
    /// Hex without prefix; immutables are zero.
    deployed_code: String,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let manifest_directory = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let root = manifest_directory
        .ancestors()
        .nth(2)
        .ok_or("the crate is not two folders below the workspace root")?;
    let out = PathBuf::from(env::var("OUT_DIR")?);

    if let Some(missing) = NPM_ARTIFACTS
        .into_iter()
        .chain(["node_modules/solc/package.json"])
        .find(|path| !root.join(path).exists())
    {
        // Cargo prints this as the one error of the build.
        println!("cargo::error=`{missing}` is not there: run `npm ci` in the workspace root first");
        return Ok(());
    }

    let mut sources = Vec::new();
    collect_solidity(&root.join("contracts"), &mut sources)?;
    sources.extend(
        EXTRA_SOURCES
            .into_iter()
            .map(|path| root.join(path))
            .filter(|path| path.exists()),
    );
    sources.sort();

    let mut bindings = compile::compile(root, &out, &sources)?;
    for artifact in NPM_ARTIFACTS {
        bindings.push(read_npm_artifact(root, artifact)?);
    }
    let bindings = unique(bindings)?;
    generate::generate(&bindings, &out)?;
    declare_inputs(root);
    Ok(())
}

/// Tells Cargo what the output depends on; said last, because a script that failed runs again anyway, and what it printed
/// would stand before its error. A path that does not exist would make every build run the script again, so an absent
/// extra source is watched through its folder.
fn declare_inputs(root: &Path) {
    let watched = EXTRA_SOURCES.into_iter().map(|path| {
        let path = Path::new(path);
        if root.join(path).exists() {
            path
        } else {
            path.parent().unwrap_or(path)
        }
    });
    let fixed = [
        "contracts",
        "foundry.toml",
        // What deploys imports more of it, and the compiler is there too.
        "script",
        "package-lock.json",
        "node_modules/.package-lock.json",
    ];
    for path in watched.chain(fixed.map(Path::new)) {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-env-changed=FOUNDRY_SOLC");
}

fn collect_solidity(directory: &Path, into: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_solidity(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "sol") {
            into.push(path);
        }
    }
    Ok(())
}

fn read_npm_artifact(root: &Path, path: &str) -> Result<Binding, Box<dyn Error>> {
    let artifact: serde_json::Value = serde_json::from_slice(&fs::read(root.join(path))?)?;
    let text = |key: &str| {
        artifact[key]
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| format!("{path}: no string `{key}` in the artifact"))
    };
    let code = |key: &str| text(key).map(|code| code.trim_start_matches("0x").to_owned());
    Ok(Binding {
        name: text("contractName")?,
        source: text("sourceName")?,
        abi: artifact["abi"].to_string(),
        has_errors: false,
        creation_code: code("bytecode")?,
        deployed_code: code("deployedBytecode")?,
    })
}

/// One module a name: the same interface declared in two files is bound once, two contracts of one name are refused.
fn unique(mut bindings: Vec<Binding>) -> Result<Vec<Binding>, Box<dyn Error>> {
    bindings.sort_by(|a, b| (&a.name, &a.source).cmp(&(&b.name, &b.source)));
    let mut kept: Vec<Binding> = Vec::with_capacity(bindings.len());
    for binding in bindings {
        match kept.last() {
            Some(last) if last.name == binding.name => {
                if last.abi != binding.abi || last.creation_code != binding.creation_code {
                    return Err(format!(
                        "two different contracts are named {}: in {} and in {}",
                        binding.name, last.source, binding.source
                    )
                    .into());
                }
            }
            _ => kept.push(binding),
        }
    }
    Ok(kept)
}
