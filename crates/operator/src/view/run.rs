//! The loop: ask, draw, read a key.

use std::io;
use std::time::Duration;

use ratatui::crossterm::event::{self, Event};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{Key, ViewState, client, draw, fetch};
use crate::status::ServedStatus;

/// How often the keeper is asked.
const EVERY: Duration = Duration::from_secs(1);

/// How often the reading thread looks whether it should end.
const LOOK: Duration = Duration::from_millis(100);

/// Shows the keeper at `url` in this terminal until `q` is pressed or `shutdown` is cancelled. The terminal is put back as
/// it was, also on a panic.
///
/// # Errors
/// If there is no terminal, or it fails.
pub async fn watch(url: Url, shutdown: CancellationToken) -> io::Result<()> {
    let (publish, mut news) = watch::channel((None, None));
    let (press, mut keys) = mpsc::channel(16);
    let ended = shutdown.child_token();
    // Ends the others also when this returns early.
    let _guard = ended.clone().drop_guard();
    let mut terminal = ratatui::try_init()?;
    let asking = tokio::spawn(ask(url, publish, ended.clone()));
    let reading = {
        let ended = ended.clone();
        tokio::task::spawn_blocking(move || read(&press, &ended))
    };
    let mut state = ViewState::default();
    let mut served: Option<ServedStatus> = None;
    let outcome = loop {
        if let Err(error) = terminal.draw(|frame| draw(frame, served.as_ref(), &state)) {
            break Err(error);
        }
        tokio::select! {
            () = ended.cancelled() => break Ok(()),
            changed = news.changed() => {
                if changed.is_err() {
                    break Ok(());
                }
                let (latest, trouble) = news.borrow_and_update().clone();
                served = latest;
                state.trouble = trouble;
            }
            key = keys.recv() => match key {
                Some(Some(key)) => {
                    let rows = served.as_ref().map_or(0, |served| state.tab.rows(&served.status));
                    if !state.press(key, rows) {
                        break Ok(());
                    }
                }
                // The size changed: draw again.
                Some(None) => {}
                None => break Ok(()),
            },
        }
    };
    ended.cancel();
    ratatui::restore();
    // A thread that waits to pass a key on must not wait for ever.
    drop(keys);
    let _ = asking.await;
    match reading.await {
        Ok(result) => outcome.and(result),
        Err(_) => outcome,
    }
}

type News = (Option<ServedStatus>, Option<String>);

/// Asks again and again; the last answer stays when one fails.
async fn ask(url: Url, publish: watch::Sender<News>, ended: CancellationToken) {
    let client = client();
    loop {
        let answer = match &client {
            Ok(client) => fetch(client, &url).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        publish.send_modify(|news| match answer {
            Ok(served) => *news = (Some(served), None),
            Err(trouble) => news.1 = Some(trouble),
        });
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = ended.cancelled() => return,
        }
    }
}

/// Passes keys on, and `None` where the terminal must be drawn again.
fn read(press: &mpsc::Sender<Option<Key>>, ended: &CancellationToken) -> io::Result<()> {
    while !ended.is_cancelled() {
        if !event::poll(LOOK)? {
            continue;
        }
        let sent = match event::read()? {
            Event::Key(key) => match Key::read(key) {
                Some(key) => press.blocking_send(Some(key)),
                None => continue,
            },
            Event::Resize(..) => press.blocking_send(None),
            _ => continue,
        };
        if sent.is_err() {
            break;
        }
    }
    Ok(())
}
