//! What a keeper refuses at start: each with one line that says what, where and what was expected, and an exit code.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic and say what it saw"
)]

#[path = "harness/due.rs"]
mod due;
mod harness;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use alloy::primitives::hex;
use alloy::signers::local::LocalSigner;
use breakwater_keeper::drill::accounts::sent;
use breakwater_rpc::testing;
use harness::{Keeper, Setup, World};

const PASSWORD: &str = "correct horse";

/// Runs the command to its end; gives its exit code and what it says, which has to be one line.
fn refused(mut command: Command) -> (i32, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    let text = String::from_utf8(stderr).unwrap();
    let said: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(said.len(), 1, "{text}");
    assert_eq!(text.lines().last(), Some(said[0]), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    (status.code().unwrap(), said[0].to_owned())
}

/// Checks an exit code and that all of `expected` is in what was said.
fn check(command: Command, code: i32, expected: &[&str]) {
    let (found, said) = refused(command);
    assert_eq!(found, code, "{said}");
    for part in expected {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
    println!("{found}: {said}");
}

/// `keeper run` with this configuration in `folder`.
fn run(folder: &Path, configuration: &str) -> Command {
    let file = folder.join("keeper.toml");
    fs::write(&file, configuration).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_breakwater"));
    command
        .current_dir(folder)
        .args(["keeper", "run", "--config", "keeper.toml"])
        .env("HOME", folder)
        .env("BREAKWATER_PRIVATE_KEY", "11".repeat(32))
        .stdin(Stdio::null());
    command
}

fn configuration(url: &str) -> String {
    format!(
        "[chain]\nrpc_urls = [\"{url}\"]\nchain_id = 31337\nmanifest = \"manifest.json\"\n[account]\n[http]\n\
         listen = \"127.0.0.1:0\"\n"
    )
}

#[test]
fn a_configuration_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let good = configuration("http://127.0.0.1:1");

    let mut missing = run(folder, "");
    missing.args(["--config", "nowhere.toml"]);
    let (code, _) = refused(missing);
    assert_eq!(code, 2, "given twice");
    let mut missing = Command::new(env!("CARGO_BIN_EXE_breakwater"));
    missing.args(["keeper", "run", "--config", "nowhere.toml"]);
    check(missing, 2, &["nowhere.toml"]);

    let no_toml = run(folder, "[chain\n");
    check(no_toml, 2, &["keeper.toml", "line 1"]);
    let unknown = run(folder, &good.replace("manifest =", "manifets ="));
    check(
        unknown,
        2,
        &["keeper.toml", "chain.manifets", "chain.manifest"],
    );
    let wrong = run(folder, &good.replace("31337", "\"mainnet\""));
    check(
        wrong,
        2,
        &[
            "keeper.toml",
            "chain.chain_id",
            "mainnet",
            "a whole number from 1",
        ],
    );
    let mut variable = run(folder, &good);
    variable.env("BREAKWATER_CHAIN__SLOT_SECONDS", "soon");
    check(
        variable,
        2,
        &[
            "BREAKWATER_CHAIN__SLOT_SECONDS",
            "soon",
            "a whole number from 1 to 600",
        ],
    );
    let exposed = run(folder, &good.replace("127.0.0.1:0", "0.0.0.0:0"));
    check(exposed, 2, &["http.listen", "0.0.0.0:0", "loopback"]);
    let scheme = run(
        folder,
        &good.replace("http://127.0.0.1:1", "ftp://name:secret@127.0.0.1/"),
    );
    let (code, said) = refused(scheme);
    assert_eq!(code, 2);
    assert!(
        said.contains("chain.rpc_urls") && !said.contains("secret"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_or_manifest_that_is_not_the_configured_one() {
    let anvil = testing::anvil(|anvil| anvil.chain_id(7));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let good = configuration(&anvil.endpoint());

    check(run(folder, &good), 2, &["serves chain 7", "31337"]);
    let here = good.replace("31337", "7");
    check(run(folder, &here), 2, &["chain.manifest", "manifest.json"]);
    fs::write(folder.join("manifest.json"), "{").unwrap();
    check(run(folder, &here), 2, &["chain.manifest", "manifest.json"]);
    fs::write(
        folder.join("manifest.json"),
        "{\"version\": 1, \"chains\": {}}",
    )
    .unwrap();
    check(
        run(folder, &here),
        2,
        &["chain.manifest", "manifest.json", "7"],
    );

    // A deployment that was broken off.
    let (world, file) = (World::start().await, "manifest.json");
    let text = fs::read_to_string(world.folder.path().join(file)).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let complete = &mut manifest["chains"]["31337"]["complete"];
    assert_eq!(complete.take(), true);
    *complete = false.into();
    fs::write(folder.join(file), manifest.to_string()).unwrap();
    let local = configuration(&world.anvil.endpoint());
    let parts = ["chain 31337 is not complete", "breakwater deploy"];
    check(run(folder, &local), 2, &parts);

    // A node that is not there may come back: no mistake of the configuration.
    drop(anvil);
    check(run(folder, &here), 1, &["cannot connect", "127.0.0.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_or_state_that_is_not_the_configured_one() {
    let world = World::start().await;
    let folder = world.folder.path();
    let good = configuration(&world.anvil.endpoint());
    let keystore = keystore(folder);
    let locked = good.replace("[account]", &format!("[account]\nkeystore = {keystore:?}"));
    let start = |configuration: &str, password: &str| {
        let mut command = run(folder, configuration);
        command
            .env_remove("BREAKWATER_PRIVATE_KEY")
            .env("BREAKWATER_KEYSTORE_PASSWORD", password);
        command
    };

    let mut none = run(folder, &good);
    none.env_remove("BREAKWATER_PRIVATE_KEY");
    check(none, 2, &["account.keystore", "BREAKWATER_PRIVATE_KEY"]);
    check(
        start(&locked, "wrong horse"),
        2,
        &["the account", "keystore"],
    );
    let mut both = start(&locked, PASSWORD);
    both.env("BREAKWATER_PRIVATE_KEY", "11".repeat(32));
    check(both, 2, &["two accounts", "BREAKWATER_PRIVATE_KEY"]);
    let mut no_key = run(folder, &good);
    no_key.env("BREAKWATER_PRIVATE_KEY", "0xnothing");
    let (code, said) = refused(no_key);
    assert!(
        code == 2 && said.contains("64 hexadecimal digits") && !said.contains("nothing"),
        "{said}"
    );

    // A state directory that a keeper of this market has used.
    let setup = Setup::alone(5);
    let mut keeper = Keeper::start(&world, &setup).await;
    assert!(keeper.terminate().await.success());
    let state = folder.join(&setup.name);
    let used = good.replace("[http]", &format!("[state]\ndirectory = {state:?}\n[http]"));
    let mut other = run(folder, &used);
    other.env("BREAKWATER_PRIVATE_KEY", world.key(6));
    let [ours, theirs] = [5, 6].map(|place| format!("{:?}", world.account(place)).to_lowercase());
    check(other, 2, &["sender.sqlite", &ours, &theirs]);

    let store = state.join("keeper.sqlite");
    let edit = |statement: &str| {
        let journal = rusqlite::Connection::open(&store).unwrap();
        journal.execute_batch(statement).unwrap();
    };
    let with_key = || {
        let mut command = run(folder, &used);
        command.env("BREAKWATER_PRIVATE_KEY", world.key(5));
        command
    };
    edit("UPDATE belongs SET chain_id = 1");
    check(
        with_key(),
        2,
        &["state.directory", "keeper.sqlite", "chain 1,", "31337"],
    );
    edit("UPDATE belongs SET chain_id = 31337; PRAGMA user_version = 99");
    check(
        with_key(),
        2,
        &["state.directory", "keeper.sqlite", "99", "1"],
    );
    fs::write(&store, "no database").unwrap();
    check(
        with_key(),
        1,
        &["state.directory", "keeper.sqlite", "not a database"],
    );
}

/// An encrypted keystore in `folder`, made once with few rounds of PBKDF2.
fn keystore(folder: &Path) -> PathBuf {
    let keystore = folder.join("keystore.json");
    fs::write(
        &keystore,
        include_str!("../../operator/tests/operator/keystore.json"),
    )
    .unwrap();
    keystore
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_keystore_and_a_password_file() {
    let world = World::start().await;
    let folder = world.folder.path();
    let keystore = keystore(folder);
    let signer = LocalSigner::decrypt_keystore(&keystore, PASSWORD).unwrap();
    let account = signer.address();
    let password = folder.join("password.txt");
    fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let environment = [
        ("BREAKWATER_PRIVATE_KEY", String::new()),
        (
            "BREAKWATER_ACCOUNT__KEYSTORE",
            keystore.display().to_string(),
        ),
        (
            "BREAKWATER_ACCOUNT__PASSWORD_FILE",
            password.display().to_string(),
        ),
    ];
    let setup = Setup {
        environment: environment
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec(),
        ..Setup::alone(5)
    };
    // A password that others can read is none.
    fs::set_permissions(&password, Permissions::from_mode(0o644)).unwrap();
    let mut exposed = harness::command(&world, &setup, &folder.join("unread.log"));
    exposed.stdout(Stdio::null()).stderr(Stdio::piped());
    check(exposed, 2, &["password.txt", "0644", "0600"]);

    fs::set_permissions(&password, Permissions::from_mode(0o600)).unwrap();
    due::open(&world, due::owner(1)).await;
    due::fall(&world).await;
    // The key is that of the anvil's first account, which trades in this market: from here on it only liquidates.
    let from = world.head().await;
    let mut keeper = Keeper::start(&world, &setup).await;
    due::until_liquidated(&world, &keeper, due::owner(1), from).await;
    let deployment = world.market.deployment();
    let sent = sent(&world.provider, deployment, account, from)
        .await
        .unwrap();
    assert!(sent.iter().any(|one| !one.closings.is_empty()), "{sent:?}");
    let status = keeper.status().await.unwrap();
    assert_eq!(status.sender.unwrap().address, account);
    assert!(keeper.terminate().await.success());
    let (log, key) = (keeper.log(), hex::encode(signer.to_bytes()));
    assert!(!log.contains(PASSWORD) && !log.to_lowercase().contains(&key));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keepers_with_one_key_refuse_each_other() {
    let world = World::start().await;
    let first = Setup::alone(5);
    let second = Setup {
        name: "second".to_owned(),
        ..first.clone()
    };
    let mut keeper = Keeper::start(&world, &first).await;
    let started = |setup: &Setup| {
        let mut command = harness::command(&world, setup, &world.folder.path().join("unread.log"));
        command.stderr(Stdio::piped()).stdout(Stdio::null());
        command
    };
    let pid = format!("pid {}", keeper.id());
    let account = world.account(5).to_string();
    check(
        started(&second),
        1,
        &["another process", &pid, &account, "31337", ".lock"],
    );
    // Another key, the same state directory.
    let mut shared = started(&first);
    shared.env("BREAKWATER_PRIVATE_KEY", world.key(6));
    check(shared, 1, &["another process", &pid, "keeper.sqlite.lock"]);
    // Nor does a dry run write to what a keeper uses.
    let mut dry = started(&first);
    dry.arg("--dry-run");
    check(dry, 1, &["another process", &pid, "keeper.sqlite.lock"]);
    // Nothing of that has disturbed the first.
    let head = world.mine().await;
    keeper.planned_on(head).await;
    assert_eq!(
        keeper.page("/ready").await,
        Some((200, "ready\n".to_owned()))
    );

    // A lock dies with its process, however that ends.
    keeper.kill();
    let mut keeper = Keeper::start(&world, &second).await;
    assert!(keeper.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_keepers_that_start_at_once_one_survives() {
    let world = World::start().await;
    let setups = ["one", "two"].map(|name| Setup {
        name: name.to_owned(),
        ..Setup::alone(5)
    });
    let mut processes = setups.each_ref().map(|setup| {
        let log = world.folder.path().join(format!("{}.log", setup.name));
        harness::command(&world, setup, &log).spawn().unwrap()
    });
    let ended = harness::until("one of them ends", async || {
        let codes = processes
            .each_mut()
            .map(|process| process.try_wait().unwrap());
        codes.iter().any(Option::is_some).then_some(codes)
    });
    let codes = ended.await;
    let alive = codes.iter().filter(|code| code.is_none()).count();
    for process in &mut processes {
        let _ = process.kill();
        let _ = process.wait();
    }
    assert_eq!(alive, 1, "{codes:?}");
    let code = codes.iter().flatten().next().unwrap();
    assert_eq!(code.code(), Some(1));
}
