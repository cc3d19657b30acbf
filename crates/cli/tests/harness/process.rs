//! A keeper as an operating system's process.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use alloy::transports::http::reqwest;
use breakwater_operator::status::{ServedStatus, Status};

use super::{World, until};

/// How a keeper is started.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its name: of its state directory, configuration and log.
    pub name: String,
    /// Which of the anvil's accounts sends, from 3 on: the market uses the first three.
    pub place: usize,
    /// The node's addresses; the anvil's own where empty.
    pub urls: Vec<String>,
    /// More lines of configuration; `{strategy}` and so on in TOML.
    pub more: String,
    /// More of the environment.
    pub environment: Vec<(String, String)>,
    /// More of the command line.
    pub arguments: Vec<String>,
}

impl Setup {
    /// A keeper with the account `place` that reckons with nobody else.
    pub fn alone(place: usize) -> Self {
        Self::among(place, 0)
    }

    /// A keeper with the account `place` that reckons with so many others.
    pub fn among(place: usize, competitors: u32) -> Self {
        Self {
            name: format!("keeper-{place}"),
            place,
            urls: Vec::new(),
            more: format!("[strategy]\ncompetitors = {competitors}\n"),
            environment: Vec::new(),
            arguments: Vec::new(),
        }
    }
}

/// A running `breakwater keeper run`.
#[derive(Debug)]
pub struct Keeper {
    /// Its process; `None` once its end was seen.
    child: Option<Child>,
    /// What it writes.
    pub log: PathBuf,
    /// Where its pages are.
    pub http: SocketAddr,
    client: reqwest::Client,
}

impl Keeper {
    /// Writes the configuration, starts the process and waits until it is at the head.
    pub async fn start(world: &World, setup: &Setup) -> Self {
        let keeper = Self::spawn(world, setup).await;
        keeper.wait("is synced", |status| status.synced).await;
        keeper
    }

    /// The same without waiting for the chain: only until its pages are served.
    pub async fn spawn(world: &World, setup: &Setup) -> Self {
        let log = world.folder.path().join(format!("{}.log", setup.name));
        let before = fs::read_to_string(&log).map_or(0, |text| text.len());
        let mut child = Some(command(world, setup, &log).spawn().unwrap());
        let found = until("the keeper serves its pages", async || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let address = text[before..]
                .lines()
                .find_map(|line| line.split_once("the keeper starts")?.1.split_once(" http="))
                .map(|(_, rest)| rest.split(' ').next().unwrap().parse().unwrap());
            if let Some(ended) = child.as_mut().unwrap().try_wait().unwrap() {
                panic!("the keeper ended, {ended}: {text}");
            }
            address
        });
        let http = found.await;
        Self {
            child: child.take(),
            log,
            http,
            client: reqwest::Client::builder()
                .timeout(Duration::from_secs(10))
                .build()
                .unwrap(),
        }
    }

    /// What one of its pages says, with the HTTP status; `None` where nobody answers.
    pub async fn page(&self, path: &str) -> Option<(u16, String)> {
        let answer = self
            .client
            .get(format!("http://{}{path}", self.http))
            .send()
            .await
            .ok()?;
        let code = answer.status().as_u16();
        Some((code, answer.text().await.ok()?))
    }

    /// What it publishes.
    pub async fn status(&self) -> Option<Status> {
        let (_, text) = self.page("/status.json").await?;
        let served: ServedStatus = serde_json::from_str(&text).unwrap();
        Some(served.status)
    }

    /// Waits for a state of what it publishes.
    pub async fn wait(&self, what: &str, done: impl Fn(&Status) -> bool) -> Status {
        until(
            &format!("the keeper {what}; its log: {}", self.log.display()),
            async || self.status().await.filter(|status| done(status)),
        )
        .await
    }

    /// Waits until it has planned on block `number` to the end, and sent what it meant to.
    pub async fn planned_on(&self, number: u64) -> Status {
        use breakwater_operator::status::BidState::Prepared;
        self.wait(&format!("has planned on block {number}"), |status| {
            status.planned.is_some_and(|planned| planned >= number)
                && !status.pending.iter().any(|bid| bid.state == Prepared)
        })
        .await
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process's number.
    pub fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM, and what it ends with.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal("-TERM");
        self.ended().await
    }

    /// Sends a signal, as `kill` names it.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(name)
            .arg(self.id().to_string())
            .status();
        assert!(sent.unwrap().success());
    }

    /// Whether it has not ended.
    pub fn is_alive(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Waits until it has seen block `number`, or has ended.
    pub async fn follows(&mut self, number: u64) {
        until(&format!("the keeper sees block {number}"), async || {
            let status = self.status().await;
            let head = status.and_then(|status| status.head);
            let seen = head.is_some_and(|head| head.number >= number);
            (seen || !self.is_alive()).then_some(())
        })
        .await;
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let child = self.child.as_mut().unwrap();
        let status = until("the keeper ends", async || child.try_wait().unwrap()).await;
        self.child = None;
        status
    }
}

#[allow(
    clippy::print_stderr,
    reason = "where a test fails, its keeper's last words help"
)]
impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let text = self.log();
            let lines: Vec<_> = text.lines().rev().take(40).collect();
            eprintln!("the end of {}:", self.log.display());
            for line in lines.iter().rev() {
                eprintln!("  {line}");
            }
        }
    }
}

/// The command of `keeper run`, its configuration written; its output goes to `log`.
pub fn command(world: &World, setup: &Setup, log: &Path) -> Command {
    let file = world.folder.path().join(format!("{}.toml", setup.name));
    fs::write(&file, configuration(world, setup)).unwrap();
    let mut command = breakwater(world);
    let output = File::options().create(true).append(true).open(log).unwrap();
    command
        .args(["keeper", "run", "--config"])
        .arg(&file)
        .args(&setup.arguments)
        .env("BREAKWATER_PRIVATE_KEY", world.key(setup.place))
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output);
    for (name, value) in &setup.environment {
        command.env(name, value);
    }
    command
}

/// The program itself; its home, and so its locks, are the world's.
pub fn breakwater(world: &World) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_breakwater"));
    command
        .current_dir(world.folder.path())
        .env("HOME", world.folder.path())
        .env_remove("BREAKWATER_PRIVATE_KEY");
    command
}

/// A configuration for the world's market.
pub fn configuration(world: &World, setup: &Setup) -> String {
    let urls = if setup.urls.is_empty() {
        vec![world.anvil.ws_endpoint()]
    } else {
        setup.urls.clone()
    };
    format!(
        "[chain]\nrpc_urls = {urls:?}\nchain_id = 31337\nmanifest = \"manifest.json\"\nslot_seconds = {}\n\
         poll_interval_ms = 50\n[account]\n[state]\ndirectory = \"{}\"\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [log]\nfilter = \"info,breakwater_keeper=debug\"\n{}",
        breakwater_deploy::local::SLOT,
        setup.name,
        setup.more,
    )
}
