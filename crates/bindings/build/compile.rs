//! Runs solc through foundry-compilers, with its cache in `OUT_DIR`.

use crate::Binding;
use foundry_compilers::{
    Artifact, ConfigurableArtifacts, ProjectBuilder, ProjectPathsConfig,
    artifacts::{
        BytecodeHash, EvmVersion, Optimizer, Settings, output_selection::OutputSelection,
        remappings::Remapping,
    },
    solc::{Solc, SolcCompiler, SolcSettings},
};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

/// What is taken from `[profile.default]` of `foundry.toml`. A missing key is an error rather than a default of ours, so
/// that the bytecode is always what `forge build` makes.
#[derive(Deserialize)]
struct Profile {
    solc: PathBuf,
    evm_version: String,
    via_ir: bool,
    optimizer: bool,
    optimizer_runs: usize,
    bytecode_hash: String,
    remappings: Vec<String>,
}

#[derive(Deserialize)]
struct Profiles {
    default: Profile,
}

#[derive(Deserialize)]
struct FoundryToml {
    profile: Profiles,
}

pub(crate) fn compile(
    root: &Path,
    out: &Path,
    sources: &[PathBuf],
) -> Result<Vec<Binding>, Box<dyn Error>> {
    let profile = toml::from_str::<FoundryToml>(&fs::read_to_string(root.join("foundry.toml"))?)
        .map_err(|error| format!("foundry.toml: {error}"))?
        .profile
        .default;
    let solc = env::var_os("FOUNDRY_SOLC").map_or_else(|| profile.solc.clone(), PathBuf::from);
    let solc = root.join(solc);
    let compiler = Solc::new(&solc).map_err(|error| {
        format!(
            "the Solidity compiler {} does not run: {error}\n\
             It needs Node.js 18 or later and `npm ci`; or name a native solc in FOUNDRY_SOLC.",
            solc.display()
        )
    })?;

    let paths = ProjectPathsConfig::builder()
        .root(root)
        .sources(root.join("contracts"))
        .lib(root.join("node_modules"))
        .remappings(
            profile
                .remappings
                .iter()
                .map(|line| line.parse())
                .collect::<Result<Vec<Remapping>, _>>()?,
        )
        .cache(out.join("solidity-files-cache.json"))
        .artifacts(out.join("artifacts"))
        .build_infos(out.join("build-info"))
        .build()?;
    let project = ProjectBuilder::<SolcCompiler, ConfigurableArtifacts>::default()
        .paths(paths)
        .settings(solc_settings(&profile)?)
        .build(SolcCompiler::Specific(compiler))?;

    let output = project.compile_files(sources.iter().cloned())?;
    // Only the errors: warnings are for `forge build`, which denies them.
    let errors: Vec<String> = output
        .output()
        .errors
        .iter()
        .filter(|error| error.severity.is_error())
        .map(ToString::to_string)
        .collect();
    if !errors.is_empty() {
        return Err(errors.join("\n").into());
    }

    let bound: BTreeSet<&Path> = sources.iter().map(PathBuf::as_path).collect();
    let mut bindings = Vec::new();
    for (id, artifact) in output.into_artifacts() {
        if !bound.contains(id.source.as_path()) {
            continue;
        }
        let (abi, creation_code, deployed_code) = artifact.into_parts();
        let Some(abi) = abi.filter(|abi| !abi.is_empty()) else {
            continue;
        };
        // solc gives a library of internal functions a stub of bytecode; only its errors are worth binding.
        let deployable =
            abi.constructor.is_some() || !abi.functions.is_empty() || abi.fallback.is_some();
        bindings.push(Binding {
            name: id.name,
            source: id.source.strip_prefix(root)?.display().to_string(),
            has_errors: !abi.errors.is_empty(),
            abi: serde_json::to_string(&abi)?,
            creation_code: creation_code
                .filter(|_| deployable)
                .map(hex)
                .unwrap_or_default(),
            deployed_code: deployed_code.map(hex).unwrap_or_default(),
        });
    }
    Ok(bindings)
}

fn solc_settings(profile: &Profile) -> Result<SolcSettings, Box<dyn Error>> {
    let settings = Settings {
        optimizer: Optimizer {
            enabled: Some(profile.optimizer),
            runs: Some(profile.optimizer_runs),
            ..Optimizer::default()
        },
        metadata: Some(profile.bytecode_hash.parse::<BytecodeHash>()?.into()),
        evm_version: Some(profile.evm_version.parse::<EvmVersion>()?),
        via_ir: profile.via_ir.then_some(true),
        // No source maps, method tables or metadata: they cost time and nothing reads them.
        output_selection: OutputSelection::common_output_selection(
            [
                "abi",
                "evm.bytecode.object",
                "evm.bytecode.linkReferences",
                "evm.deployedBytecode.object",
            ]
            .map(String::from),
        ),
        ..Settings::default()
    };
    Ok(SolcSettings {
        settings,
        ..Default::default()
    })
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
