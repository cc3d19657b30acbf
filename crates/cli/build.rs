//! Records which commit the program was built from.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::Command;

/// What the program is built of, from this crate's folder.
const SOURCES: [&str; 4] = [
    "../../crates",
    "../../contracts",
    "../../Cargo.toml",
    "../../Cargo.lock",
];

fn main() {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output
            .status
            .success()
            .then(|| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let commit = git(&["rev-parse", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    // What is built of changes that no commit has is not of that commit, and other changes are another program: a sweep goes on only with
    // the same one.
    let changes = git(&[&["diff", "HEAD", "--"][..], &SOURCES[..]].concat());
    let mark = changes.map_or_else(String::new, |changes| {
        let mut hash = DefaultHasher::new();
        changes.hash(&mut hash);
        format!("-dirty-{:016x}", hash.finish())
    });
    println!("cargo::rustc-env=BREAKWATER_COMMIT={commit}{mark}");
    println!("cargo::rerun-if-changed=build.rs");
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    // The files that change when another commit is checked out or made.
    let branch = git(&["symbolic-ref", "-q", "HEAD"]);
    for name in ["HEAD", "packed-refs"]
        .into_iter()
        .map(str::to_owned)
        .chain(branch)
    {
        if let Some(path) = git(&["rev-parse", "--git-path", &name])
            .filter(|path| std::path::Path::new(path).exists())
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
}
