//! Disks and second processes.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::process::Stdio;

use alloy_primitives::B256;
use breakwater_sender::{Failure, JournalError, LockError, Sender, Settings, StartError, Started};
use rusqlite::Connection;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::chain::{CHAIN_ID, Chain, PATIENCE, eventually};
use crate::crash::Child;

async fn start(chain: &Chain, settings: Settings) -> Result<Started, StartError> {
    Sender::start(
        chain.node.clone(),
        chain.key.clone(),
        settings,
        CancellationToken::new(),
    )
    .await
}

/// A journal with one transaction in flight.
async fn with_journal() -> Chain {
    let chain = Chain::start().await;
    let run = chain.run().await;
    run.started
        .handle
        .submit(chain.order(1).await)
        .await
        .unwrap();
    chain.until_pending(1).await;
    assert_eq!(run.stop().await, 1);
    chain
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let chain = with_journal().await;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(chain.settings().journal)
        .unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(&[0x5a; 4096]).unwrap();
    let refused = start(&chain, chain.settings()).await;
    assert!(
        matches!(
            refused,
            Err(StartError::Journal(JournalError::Corrupt { .. }))
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn signed_bytes_that_changed_on_disk_are_refused() {
    let chain = with_journal().await;
    let journal = Connection::open(chain.settings().journal).unwrap();
    let mut raw: Vec<u8> = journal
        .query_row("SELECT raw FROM attempts", [], |row| row.get(0))
        .unwrap();
    let middle = raw.len() / 2;
    raw[middle] ^= 1;
    journal
        .execute("UPDATE attempts SET raw = ?1", [raw])
        .unwrap();
    drop(journal);
    let refused = start(&chain, chain.settings()).await;
    assert!(
        matches!(
            refused,
            Err(StartError::Journal(JournalError::Corrupt { .. }))
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_journal_of_another_schema_or_chain_is_refused() {
    let chain = with_journal().await;
    let other = Chain::start_with(&["--timestamp", "1600000000"]).await;
    let mut settings = other.settings();
    settings.journal = chain.settings().journal;
    let refused = start(&other, settings).await;
    let belongs = |error: &StartError| {
        matches!(
            error,
            StartError::Journal(JournalError::Belongs {
                what: "genesis",
                ..
            })
        )
    };
    assert!(refused.as_ref().is_err_and(belongs), "{refused:?}");

    let mut settings = chain.settings();
    settings.chain_id = 1;
    let refused = start(&chain, settings).await;
    assert!(
        matches!(refused, Err(StartError::WrongChain { expected: 1, .. })),
        "{refused:?}"
    );

    let journal = Connection::open(chain.settings().journal).unwrap();
    journal.pragma_update(None, "user_version", 2).unwrap();
    drop(journal);
    let refused = start(&chain, chain.settings()).await;
    let is_newer = |error: &StartError| {
        matches!(
            error,
            StartError::Journal(JournalError::Schema { found: 2, .. })
        )
    };
    assert!(refused.as_ref().is_err_and(is_newer), "{refused:?}");
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_is_refused_at_start() {
    let chain = Chain::start().await;
    // The log cannot be made. (Permissions would not do: tests may run as root.)
    fs::create_dir(chain.directory.path().join("journal.sqlite-wal")).unwrap();
    let refused = start(&chain, chain.settings()).await;
    assert!(
        matches!(refused, Err(StartError::Journal(_))),
        "{refused:?}"
    );
    let mut settings = chain.settings();
    settings.journal = "/proc/breakwater/journal.sqlite".into();
    let refused = start(&chain, settings).await;
    assert!(
        matches!(refused, Err(StartError::Lock(LockError::Io { .. }))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_write_that_fails_ends_the_sender_before_anything_is_sent() {
    let chain = Chain::start().await;
    let run = chain.run().await;
    let handle = run.started.handle.clone();
    eventually("the account to be read", async || {
        handle.status().chain_nonce.is_some()
    })
    .await;
    let thief = Connection::open(chain.settings().journal).unwrap();
    thief.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = handle.submit(chain.order(1).await).await;
    assert!(answer.is_err(), "{answer:?}");
    let ended = timeout(PATIENCE, run.started.task).await.unwrap().unwrap();
    assert!(matches!(ended, Err(Failure::Journal(_))), "{ended:?}");
    assert_eq!(chain.pending().await, 0);
}

#[tokio::test]
async fn two_processes_with_one_key_refuse_each_other_whatever_their_journals() {
    let chain = Chain::start().await;
    let mut child = Child::spawn(&chain, "", &[]);
    child.stdout(Stdio::null());
    let mut process = child.start();
    let lock = chain.settings().lock_dir;
    let lock = lock.join(format!("{CHAIN_ID}-{:x}.lock", chain.key.address()));
    let holder = process.id().to_string();
    eventually("the other process to hold the lock", async || {
        fs::read_to_string(&lock).is_ok_and(|text| text == holder)
    })
    .await;
    let refused = start(&chain, chain.settings()).await;
    let names = |error: &StartError| matches!(error, StartError::Lock(LockError::Account { holder: named, .. }) if *named == holder);
    assert!(refused.as_ref().is_err_and(names), "{refused:?}");
    let mut settings = chain.settings();
    settings.journal = chain.directory.path().join("another.sqlite");
    let refused = start(&chain, settings.clone()).await;
    assert!(
        matches!(refused, Err(StartError::Lock(LockError::Account { .. }))),
        "{refused:?}"
    );
    // Another lock directory, but the journal is the same.
    let mut elsewhere = chain.settings();
    elsewhere.lock_dir = chain.directory.path().join("elsewhere");
    eventually("the other process to hold the journal", async || {
        let refused = start(&chain, elsewhere.clone()).await;
        matches!(refused, Err(StartError::Lock(LockError::Journal { .. })))
    })
    .await;
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(
        lock.exists(),
        "a lock file outlives its holder, a lock does not"
    );
    assert!(start(&chain, settings).await.is_ok());
    assert_eq!(chain.executed(B256::ZERO).await, 0);
}
