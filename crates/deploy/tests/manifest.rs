//! One manifest file, many writers and readers.
#![allow(clippy::unwrap_used)]

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::LazyLock;

use alloy_primitives::Address;
use breakwater_deploy::{Configuration, Deployment, ManifestFile, Plan};

fn deployment(chain_id: u64) -> Deployment {
    static ONE: LazyLock<Deployment> = LazyLock::new(|| {
        let text = include_str!("../../../script/config/example.json");
        let system = Configuration::parse(text, Path::new("example.json"));
        let deployer = Address::repeat_byte(9);
        let plan = Plan::new(system.unwrap().plan(), 1, deployer, None);
        plan.unwrap().deployment
    });
    Deployment {
        chain_id,
        ..ONE.clone()
    }
}

#[test]
fn a_writer_keeps_what_others_have_written_since_it_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    let mut one = ManifestFile::open(&path).unwrap();
    let mut two = ManifestFile::open(&path).unwrap();
    one.record(deployment(1)).unwrap();
    two.record(deployment(2)).unwrap();
    one.record(Deployment {
        complete: true,
        ..deployment(1)
    })
    .unwrap();
    let file = ManifestFile::open(&path).unwrap();
    assert!(file.deployment(1).unwrap().complete);
    assert_eq!(file.deployment(2).unwrap(), &deployment(2));
    assert_eq!(one.manifest(), file.manifest(), "the writer knows it too");

    // What became of the file in the meantime is not written over.
    let mut other = deployment(2);
    other.configuration_hash.0[0] ^= 1;
    let said = one.record(other).unwrap_err().to_string();
    assert!(said.contains("another configuration on chain 2"), "{said}");
    fs::write(&path, "{").unwrap();
    let said = one.record(deployment(1)).unwrap_err().to_string();
    assert!(said.contains("not a manifest"), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "{");
}

#[test]
fn writers_at_the_same_time_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    let rounds = 5;
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for round in 0..rounds {
                    let mut file = ManifestFile::open(path).unwrap();
                    file.record(deployment(1 + writer * rounds + round))
                        .unwrap();
                }
            });
        }
    });
    let file = ManifestFile::open(&path).unwrap();
    let chains: Vec<_> = file.manifest().chains.keys().copied().collect();
    assert_eq!(chains, (1..=4 * rounds).collect::<Vec<_>>());
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 1, "the manifest and nothing else");
}

#[test]
fn another_user_may_read_it_as_far_as_the_umask_allows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.json");
    ManifestFile::open(&path)
        .unwrap()
        .record(deployment(1))
        .unwrap();
    let plain = folder.path().join("plain");
    File::create(&plain).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&path), mode(&plain));
}
