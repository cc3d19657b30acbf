//! revm as it comes, in a process of its own, beside the engine here: see `bare/`.

use std::env;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use breakwater_evm::{BlockEnvironment, Recording, Step};

use crate::clock::thread_time;
use crate::figure::median;

/// Samples of each side, one after the other.
const ROUNDS: usize = 15;

/// What executing a recording takes.
pub struct Comparison {
    /// Transactions in it.
    pub transactions: u32,
    /// By `transact_commit`.
    pub bare: Duration,
    /// By `MemoryChain`.
    pub ours: Duration,
}

/// Builds the program with which everything is compared.
pub fn build() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/speed/bare/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bare");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(status.success(), "bare revm does not build");
    target.join("release/bare")
}

/// Executes a recording by turns on both engines, which have to use the same gas. Medians.
pub fn compare(program: &Path, recording: &Recording) -> Comparison {
    let mut process = Process::start(program, recording);
    let mut samples = Vec::new();
    for round in 0..=ROUNDS {
        let (bare, their_gas) = process.sample();
        let (ours, (_, our_gas)) = thread_time(|| recording.replay().unwrap());
        assert_eq!(their_gas, our_gas, "the engines did not do the same");
        // The first round is for the caches.
        if round > 0 {
            samples.push((bare, ours));
        }
    }
    let transactions = recording
        .steps()
        .iter()
        .filter(|step| matches!(step, Step::Execute(_)))
        .count();
    Comparison {
        transactions: u32::try_from(transactions).unwrap(),
        bare: median(samples.iter().map(|sample| sample.0)),
        ours: median(samples.iter().map(|sample| sample.1)),
    }
}

struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Deleted in the end.
    _file: tempfile::NamedTempFile,
}

impl Process {
    fn start(program: &Path, recording: &Recording) -> Self {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text(recording).as_bytes()).unwrap();
        let mut child = Command::new(program)
            .arg(file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
            _file: file,
        }
    }

    fn sample(&mut self) -> (Duration, u64) {
        self.input.write_all(b"\n").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        let (nanoseconds, gas) = answer
            .trim()
            .split_once(' ')
            .expect("bare revm told its error above");
        (
            Duration::from_nanos(nanoseconds.parse().unwrap()),
            gas.parse().unwrap(),
        )
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The start and the steps, a line each.
fn text(recording: &Recording) -> String {
    let mut text = String::new();
    for (address, account) in recording.start().accounts() {
        let (balance, nonce, code) = (account.balance, account.nonce, account.code);
        writeln!(text, "account {address} {balance} {nonce} {code}").unwrap();
        for (slot, value) in account.storage {
            writeln!(text, "slot {address} {slot} {value}").unwrap();
        }
    }
    line_of_block(&mut text, recording.start().block());
    for step in recording.steps() {
        match step {
            Step::BeginBlock(block) => line_of_block(&mut text, block),
            Step::Execute(transaction) => {
                let (from, to) = (transaction.from, transaction.to.unwrap());
                assert!(transaction.value.is_zero() && transaction.gas_price == 0);
                let (gas_limit, input) = (transaction.gas_limit, &transaction.input);
                writeln!(text, "call {from} {to} {gas_limit} {input}").unwrap();
            }
            Step::ExecuteUnmetered { .. } => panic!("bare revm executes transactions only"),
            Step::EndBlock => {}
        }
    }
    text
}

fn line_of_block(text: &mut String, block: &BlockEnvironment) {
    writeln!(
        text,
        "block {} {} {} {} {}",
        block.number, block.timestamp, block.gas_limit, block.base_fee, block.prevrandao
    )
    .unwrap();
}
