//! A headless browser, for tests of the page.

use std::ffi::OsString;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::Command;

/// A browser that does not end by then hangs.
const BOUND: Duration = Duration::from_secs(120);

const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the message says what each value is")]
pub enum BrowserError {
    #[error("no browser: CHROMIUM names none, and none of {NAMES:?} is on the path")]
    None,
    #[error("cannot start {browser:?}: {source}")]
    Start {
        browser: OsString,
        source: std::io::Error,
    },
    #[error("the browser did not end within {BOUND:?}")]
    Hangs,
    #[error("the browser failed: {0}")]
    Failed(ExitStatus),
    #[error("the document is not UTF-8")]
    Encoding,
}

/// The browser: `CHROMIUM`, or the first of its usual names that is on the path.
#[must_use]
pub fn browser() -> Option<OsString> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|directory| NAMES.map(|name| directory.join(name)))
        .find(|file| file.is_file())
        .map(Into::into)
}

/// The document that the browser makes of `url` once its script has run; `profile` is an empty folder for it.
///
/// # Errors
/// [`BrowserError`].
pub async fn document(url: &str, profile: &Path) -> Result<String, BrowserError> {
    let output = browse(url, profile, "--dump-dom".into()).await?;
    String::from_utf8(output).map_err(|_| BrowserError::Encoding)
}

/// A picture of `url` as PNG into `file`.
///
/// # Errors
/// [`BrowserError`].
pub async fn picture(url: &str, profile: &Path, file: &Path) -> Result<(), BrowserError> {
    let mut argument = OsString::from("--screenshot=");
    argument.push(file);
    browse(url, profile, argument).await.map(drop)
}

async fn browse(url: &str, profile: &Path, what: OsString) -> Result<Vec<u8>, BrowserError> {
    let browser = browser().ok_or(BrowserError::None)?;
    let mut data = OsString::from("--user-data-dir=");
    data.push(profile);
    let running = Command::new(&browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--virtual-time-budget=4000",
            "--window-size=1280,2400",
        ])
        .arg(data)
        .arg(what)
        .arg(url)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(BOUND, running)
        .await
        .map_err(|_| BrowserError::Hangs)?
        .map_err(|source| BrowserError::Start { browser, source })?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(BrowserError::Failed(output.status))
    }
}
