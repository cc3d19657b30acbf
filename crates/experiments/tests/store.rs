//! Result files: what goes in comes out, the same rows give the same bytes, and a directory gets all files or none.

#![allow(clippy::unwrap_used, reason = "a test may stop")]

mod common;

use std::fs;
use std::path::Path;

use breakwater_experiments::store::{
    OutputDirectory, StoreError, read_blocks, read_liquidations, write_blocks, write_liquidations,
};

fn entries(path: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn rows_survive_and_bytes_repeat() {
    let folder = tempfile::tempdir().unwrap();
    let worlds = common::worlds(300);
    let blocks: Vec<_> = worlds.iter().map(|trace| &trace.blocks[..]).collect();
    let liquidations: Vec<_> = worlds.iter().map(|trace| &trace.liquidations[..]).collect();
    let metadata = [("breakwater.seed", "1".to_owned())];
    let paths = ["a", "b"].map(|name| {
        (
            folder.path().join(format!("{name}.blocks")),
            folder.path().join(format!("{name}.liquidations")),
        )
    });
    for (first, second) in &paths {
        write_blocks(first, &blocks, &metadata).unwrap();
        write_liquidations(second, &liquidations, &metadata).unwrap();
    }
    assert_eq!(
        fs::read(&paths[0].0).unwrap(),
        fs::read(&paths[1].0).unwrap()
    );
    assert_eq!(
        fs::read(&paths[0].1).unwrap(),
        fs::read(&paths[1].1).unwrap()
    );
    assert_eq!(read_blocks(&paths[0].0).unwrap(), blocks.concat());
    assert_eq!(
        read_liquidations(&paths[0].1).unwrap(),
        liquidations.concat()
    );
}

#[test]
fn worlds_without_liquidations_have_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("liquidations.parquet");
    write_liquidations(&path, &[&[], &[]], &[]).unwrap();
    assert!(read_liquidations(&path).unwrap().is_empty());
    let error = read_blocks(&path);
    // Nothing to read is no error; a column of another table is.
    assert!(error.unwrap().is_empty());
    write_liquidations(
        &path,
        &[&common::trace("rigid", 200, 1.0).liquidations],
        &[],
    )
    .unwrap();
    assert!(
        matches!(read_blocks(&path), Err(StoreError::Column { column, .. }) if column == "timestamp")
    );
}

#[test]
fn files_that_are_no_parquet_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("blocks.parquet");
    assert!(matches!(read_blocks(&path), Err(StoreError::File { .. })));
    fs::write(&path, "half a fi").unwrap();
    assert!(matches!(
        read_blocks(&path),
        Err(StoreError::Parquet { .. })
    ));
}

#[test]
fn nothing_remains_of_a_run_that_was_not_published() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deep/er");
    let directory = OutputDirectory::prepare(&out).unwrap();
    directory.stage("summary.json", b"{}").unwrap();
    drop(directory);
    assert!(
        entries(folder.path()).is_empty(),
        "directories that it created go too"
    );

    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("notes.txt"), "mine").unwrap();
    drop(OutputDirectory::prepare(&out).unwrap());
    assert_eq!(entries(&out), ["notes.txt"], "what others put there stays");
}

#[test]
fn publishing_replaces_a_whole_set() {
    let folder = tempfile::tempdir().unwrap();
    for content in ["first", "second"] {
        let directory = OutputDirectory::prepare(folder.path()).unwrap();
        directory
            .stage("blocks.parquet", content.as_bytes())
            .unwrap();
        directory.stage("summary.json", content.as_bytes()).unwrap();
        let paths = directory
            .publish(&["blocks.parquet", "summary.json"])
            .unwrap();
        assert_eq!(paths.len(), 2);
        assert_eq!(entries(folder.path()), ["blocks.parquet", "summary.json"]);
        assert_eq!(
            fs::read_to_string(folder.path().join("summary.json")).unwrap(),
            content
        );
    }
    // A file that cannot be moved leaves no summary of the run before, which would vouch for the wrong files.
    let directory = OutputDirectory::prepare(folder.path()).unwrap();
    directory.stage("summary.json", b"third").unwrap();
    assert!(
        directory
            .publish(&["blocks.parquet", "summary.json"])
            .is_err()
    );
    assert_eq!(entries(folder.path()), ["blocks.parquet"]);
}

#[test]
fn directories_that_cannot_be_written_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [
        file.clone(),
        file.join("below"),
        Path::new("/proc/nowhere").to_path_buf(),
    ] {
        let error = OutputDirectory::prepare(&path).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("expected a directory that can be written to"),
            "{error}"
        );
    }
    assert_eq!(entries(folder.path()), ["file"]);
}
