//! The commands of the root README's section on running a keeper, as they stand there but for ports, in a folder that looks like a
//! checkout: what cargo and npm build is linked into it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const SECTION: &str = "## A keeper in five commands";

/// However busy the machine is.
const PATIENCE: Duration = Duration::from_secs(120);

fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap().to_owned()
}

/// The commands of the first code block below `heading`.
fn commands(heading: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let section = text.split_once(heading).unwrap().1;
    let block = section.split_once("```sh\n").unwrap().1;
    let block = block.split_once("```").unwrap().0;
    block.lines().map(str::to_owned).collect()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A process with all that it started.
struct Group(Child);

impl Group {
    fn start(command: &str, folder: &Path, output: &str) -> Self {
        use std::os::unix::process::CommandExt as _;
        let file = fs::File::create(folder.join(output)).unwrap();
        let child = Command::new("bash")
            .args(["-c", command])
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn();
        Self(child.unwrap())
    }

    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.0.id());
        let killed = Command::new("kill")
            .args([signal, "--", &group])
            .stderr(Stdio::null())
            .status();
        assert!(killed.is_ok());
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal("-KILL");
        let _ = self.0.wait();
    }
}

fn until(what: &str, folder: &Path, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        let keeper = fs::read_to_string(folder.join("keeper.out")).unwrap_or_default();
        assert!(start.elapsed() < PATIENCE, "{what}: {keeper}");
        sleep(Duration::from_millis(100));
    }
}

fn get(port: u16, path: &str) -> Option<String> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn five_commands_run_a_keeper() {
    let commands = commands(SECTION);
    assert_eq!(commands.len(), 5, "{commands:?}");
    // The first builds what this test is a part of; that the Makefile knows it is all that is left to see.
    assert_eq!(commands[0], "make build");
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    assert!(makefile.contains("\nbuild: setup\n"));

    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    symlink(root().join("node_modules"), folder.join("node_modules")).unwrap();
    fs::create_dir_all(folder.join("target/release")).unwrap();
    symlink(
        env!("CARGO_BIN_EXE_breakwater"),
        folder.join("target/release/breakwater"),
    )
    .unwrap();
    let (chain, page) = (free_port(), free_port());
    let ported = |command: &str| {
        let command = command.replace("8545", &chain.to_string());
        command.trim_end_matches(" &").to_owned()
    };

    assert!(
        commands[1].starts_with("node_modules/.bin/anvil "),
        "{commands:?}"
    );
    let anvil = format!("{} --port {chain}", ported(&commands[1]));
    let _anvil = Group::start(&anvil, folder, "anvil.out");
    until("anvil listens", folder, || {
        std::net::TcpStream::connect(("127.0.0.1", chain)).is_ok()
    });
    for command in &commands[2..4] {
        let done = Command::new("bash")
            .args(["-c", &ported(command)])
            .current_dir(folder)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{command}: {said}");
    }
    let environment = format!(
        "export BREAKWATER_CHAIN__RPC_URLS=http://127.0.0.1:{chain} BREAKWATER_HTTP__LISTEN=127.0.0.1:{page};"
    );
    let mut keeper = Group::start(
        &format!("{environment} {}", ported(&commands[4])),
        folder,
        "keeper.out",
    );
    until("the keeper is ready", folder, || {
        get(page, "/ready").is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
    });
    assert!(get(page, "/").unwrap().contains("<html"));
    keeper.signal("-TERM");
    until("the keeper has ended", folder, || {
        keeper.0.try_wait().unwrap().is_some()
    });
    let ended = keeper.0.wait().unwrap();
    assert!(ended.success(), "{ended}");
}
