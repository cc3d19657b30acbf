//! Real processes, killed at every durable write and at random, and started again.

use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use alloy::providers::ext::AnvilApi;
use alloy::rpc::types::anvil::ReorgOptions;
use alloy_primitives::U256;
use breakwater_sender::{Edge, OrderState, Sender, Settings, Stage, StageHook, SubmitError};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::chain::{CHAIN_ID, Chain, GWEI, PATIENCE, connect, follow, order};

const SIGKILL: i32 = 9;

/// A process that runs a sender: this test binary, at [`child`].
pub struct Child(Command);

impl Child {
    /// `crash` is `stage:edge` (the process is killed there the first time) or empty; `orders` are pairs of number and last valid time.
    pub fn spawn(chain: &Chain, crash: &str, orders: &[(u64, u64)]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let key = alloy_primitives::hex::encode(chain.anvil.first_key().to_bytes());
        let orders: Vec<String> = orders
            .iter()
            .map(|(number, until)| format!("{number}:{until}"))
            .collect();
        command
            .args(["--ignored", "--exact", "crash::child", "--nocapture"])
            .env("SENDER_CHILD_URL", chain.anvil.endpoint())
            .env("SENDER_CHILD_KEY", key)
            .env("SENDER_CHILD_DIRECTORY", chain.directory.path())
            .env("SENDER_CHILD_CRASH", crash)
            .env("SENDER_CHILD_ORDERS", orders.join(","))
            .stdout(Stdio::null());
        Self(command)
    }

    pub fn stdout(&mut self, stdout: Stdio) {
        self.0.stdout(stdout);
    }

    pub fn start(mut self) -> Process {
        Process(self.0.spawn().unwrap())
    }
}

/// Killed when dropped.
pub struct Process(std::process::Child);

impl Process {
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> std::io::Result<()> {
        self.0.kill()
    }

    pub fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.0.wait()
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Kills this process as `kill -9` does: nothing of it runs any more.
fn die() -> ! {
    let own = std::process::id().to_string();
    let sent = Command::new("kill").args(["-9", &own]).status();
    assert!(sent.is_ok_and(|status| status.success()), "no kill");
    loop {
        std::thread::park();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the process that the other tests start and kill"]
async fn child() {
    let variable = |name: &str| std::env::var(format!("SENDER_CHILD_{name}")).unwrap();
    let directory = std::path::PathBuf::from(variable("DIRECTORY"));
    let mut settings = Settings::new(
        directory.join("journal.sqlite"),
        directory.join("locks"),
        CHAIN_ID,
    );
    let crash = variable("CRASH");
    settings.stage_hook = Some(StageHook::new(move |stage, edge| {
        if format!("{stage}:{edge:?}") == crash {
            die();
        }
    }));
    let node = connect(&variable("URL"));
    let key = variable("KEY").parse().unwrap();
    let token = CancellationToken::new();
    let started = Sender::start(node.clone(), key, settings, token.clone())
        .await
        .unwrap();
    let handle = started.handle.clone();
    tokio::spawn(follow(node, handle.clone()));
    let orders: Vec<(u64, u64)> = variable("ORDERS")
        .split_terminator(',')
        .map(|pair| pair.split_once(':').unwrap())
        .map(|(number, until)| (number.parse().unwrap(), until.parse().unwrap()))
        .collect();
    let mut wanted = Vec::new();
    for (number, until) in orders {
        let order = order(number, until);
        wanted.push(order.id);
        match handle.submit(order).await {
            Ok(_)
            | Err(
                SubmitError::Duplicate { .. }
                | SubmitError::Expired { .. }
                | SubmitError::Halted(_),
            ) => {}
            Err(error) => panic!("{error}"),
        }
    }
    loop {
        let mut open = wanted.is_empty();
        for id in &wanted {
            let state = handle.lookup(*id).await.unwrap();
            open |= !matches!(
                state,
                None | Some(
                    OrderState::Final(_)
                        | OrderState::Cancelled { .. }
                        | OrderState::Expired
                        | OrderState::Dropped { .. }
                )
            );
        }
        if !open {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    token.cancel();
    started.task.await.unwrap().unwrap();
}

/// Runs the child, again after every death by a signal; gives the signals.
async fn supervise(chain: &Chain, crash: &str, orders: &[(u64, u64)]) -> Vec<i32> {
    let mut signals = Vec::new();
    loop {
        let crash = if signals.is_empty() { crash } else { "" };
        let mut process = Child::spawn(chain, crash, orders).start();
        let status = loop {
            if let Some(status) = process.ended() {
                break status;
            }
            sleep(Duration::from_millis(10)).await;
        };
        match status.signal() {
            Some(signal) => signals.push(signal),
            None => {
                assert!(status.success(), "{crash}: {status}");
                return signals;
            }
        }
    }
}

/// Mines for good, with this pause between blocks.
async fn mine(chain: &Chain, pause: Duration) -> ! {
    loop {
        chain.mine(1).await;
        sleep(pause).await;
    }
}

/// What makes the stage happen; nothing is mined before this does.
async fn provoke(chain: &Chain, stage: Stage, until: u64) {
    let after = async |nonce: u64| {
        crate::chain::eventually("ours in the pool", async || {
            chain.pending().await.max(chain.nonce().await) >= nonce
        })
        .await;
    };
    match stage {
        Stage::ReplacementSigned => {
            after(1).await;
            chain.base_fee(5 * GWEI).await;
        }
        Stage::CancelSigned => {
            after(1).await;
            chain.base_fee(100 * GWEI).await;
            chain
                .node
                .anvil_set_next_block_timestamp(until + 1)
                .await
                .unwrap();
            chain.mine(1).await;
        }
        Stage::FillSigned => {
            after(2).await;
            chain.node.anvil_drop_all_transactions().await.unwrap();
        }
        Stage::Reopened => {
            after(1).await;
            chain.mine(2).await;
            // The sender has to see the block before it leaves.
            let journal = rusqlite::Connection::open(chain.settings().journal).unwrap();
            crate::chain::eventually("the inclusion to be written", async || {
                let query = "SELECT COUNT(*) FROM slots WHERE state = 1";
                journal
                    .query_row(query, [], |row| row.get::<_, i64>(0))
                    .is_ok_and(|count| count > 0)
            })
            .await;
            chain
                .node
                .anvil_reorg(ReorgOptions {
                    depth: 2,
                    tx_block_pairs: Vec::new(),
                })
                .await
                .unwrap();
        }
        Stage::Expired => {
            crate::chain::eventually("the order to be written", async || {
                let Ok(journal) = rusqlite::Connection::open(chain.settings().journal) else {
                    return false;
                };
                let query = "SELECT COUNT(*) FROM orders";
                journal
                    .query_row(query, [], |row| row.get::<_, i64>(0))
                    .is_ok_and(|count| count > 0)
            })
            .await;
            chain
                .node
                .anvil_set_next_block_timestamp(until + 1)
                .await
                .unwrap();
        }
        Stage::Foreign => {
            after(1).await;
            chain.stranger(0, 9 * GWEI).await;
        }
        Stage::Planned | Stage::Signed | Stage::Broadcast | Stage::Included | Stage::Final => {}
    }
}

/// One crash: anvil, a child that is killed at the write, a second one that goes on.
async fn crash_at(stage: Stage, edge: Edge) {
    let chain = Chain::start().await;
    let until = chain.now().await + 3600;
    if stage == Stage::FillSigned {
        chain.stranger(0, GWEI).await;
    }
    if stage == Stage::Expired {
        chain
            .node
            .anvil_set_balance(chain.key.address(), U256::from(1))
            .await
            .unwrap();
    }
    let crash = format!("{stage}:{edge:?}");
    let orders = [(7, until)];
    let world = async {
        provoke(&chain, stage, until).await;
        mine(&chain, Duration::from_millis(8)).await
    };
    let signals = tokio::select! {
        signals = supervise(&chain, &crash, &orders) => signals,
        never = world => never,
        () = sleep(PATIENCE) => panic!("{crash}: not done in {PATIENCE:?}"),
    };
    assert_eq!(signals, [SIGKILL], "{crash}");
    // Whether the call is made depends on who wins against a cancellation, a stranger or the clock.
    let executed = chain.executed(order(7, until).id).await;
    let nonce = chain.nonce().await;
    match stage {
        Stage::Expired => assert_eq!((executed, nonce), (0, 0), "{crash}"),
        // A stranger's transaction in a block before ours was signed again is not a conflict: ours comes after it.
        Stage::Foreign => assert!(executed == 0 && nonce == 1, "{crash}: {executed} {nonce}"),
        Stage::CancelSigned => assert!(executed == 0 && nonce == 1, "{crash}: {executed} {nonce}"),
        Stage::FillSigned => assert_eq!((executed, nonce), (1, 2), "{crash}"),
        _ => assert_eq!((executed, nonce), (1, 1), "{crash}"),
    }
    assert_eq!(
        chain.pending().await,
        nonce,
        "{crash}: something of ours is left in the pool"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_around_any_durable_write_never_sends_twice() {
    let mut cases: Vec<(Stage, Edge)> = Stage::ALL
        .iter()
        .flat_map(|stage| [(*stage, Edge::Before), (*stage, Edge::After)])
        .collect();
    let only = std::env::var("SENDER_CRASH_STAGE").unwrap_or_default();
    cases.retain(|(stage, _)| stage.name().contains(&only));
    let queue = Mutex::new(cases);
    let work = async || {
        loop {
            let case = queue.lock().unwrap().pop();
            let Some((stage, edge)) = case else { return };
            crash_at(stage, edge).await;
        }
    };
    tokio::join!(work(), work(), work(), work());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_at_random_times_loses_nothing_and_repeats_nothing() {
    const ORDERS: u64 = 12;
    let chain = Chain::start().await;
    let until = chain.now().await + 36_000;
    let orders: Vec<(u64, u64)> = (0..ORDERS).map(|number| (number, until)).collect();
    let killing = async {
        // A fixed sequence (Knuth's MMIX generator): the times differ from run to run anyway.
        let mut state = 0x5eed_u64;
        let mut killed = 0;
        while killed < 8 {
            let mut process = Child::spawn(&chain, "", &orders).start();
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            sleep(Duration::from_millis(60 + (state >> 33) % 200)).await;
            if process.ended().is_some_and(|status| status.success()) {
                break;
            }
            process.kill().unwrap();
            assert_eq!(process.wait().unwrap().signal(), Some(SIGKILL));
            killed += 1;
        }
        assert!(killed >= 4, "all was done after {killed} kills");
        supervise(&chain, "", &orders).await
    };
    let done = tokio::select! {
        signals = timeout(2 * PATIENCE, killing) => signals,
        never = mine(&chain, Duration::from_millis(40)) => never,
    };
    assert_eq!(done.expect("not done in time"), Vec::<i32>::new());
    let mut executed = HashMap::new();
    for (number, until) in orders {
        executed.insert(number, chain.executed(order(number, until).id).await);
    }
    assert!(executed.values().all(|count| *count == 1), "{executed:?}");
    assert_eq!(
        (chain.nonce().await, chain.pending().await),
        (ORDERS, ORDERS)
    );
}
