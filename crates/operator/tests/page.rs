//! The page in a headless Chromium: what a person would find in it, from the document it leaves after its script ran.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

#[path = "sample/mod.rs"]
mod sample;

use std::time::Duration;

use breakwater_operator::config::HttpConfig;
use breakwater_operator::http::{Server, View};
use breakwater_operator::metrics::Latencies;
use breakwater_operator::redact::Redactor;
use breakwater_operator::status::{Status, unix_now};
use breakwater_operator::testing;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// The service ends at once when it is told to.
const BOUND: Duration = Duration::from_secs(60);

/// The document that a browser makes of a served status; `None`, said aloud, where there is no browser.
async fn document(status: Status) -> Option<String> {
    if testing::browser().is_none() {
        eprintln!("skipped: no chromium on the path, and CHROMIUM names none");
        return None;
    }
    let (_publish, receive) = watch::channel(status);
    let server = Server::bind(&HttpConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        allow_non_loopback: false,
        allowed_hosts: Vec::new(),
    })
    .await
    .unwrap();
    let url = format!("http://{}/", server.address());
    let shutdown = CancellationToken::new();
    let view = View {
        status: receive,
        latencies: Latencies::new(),
        max_head_age: Duration::from_secs(3_600),
        redactor: Redactor::default(),
    };
    let serving = tokio::spawn(server.run(view, shutdown.clone()));
    let profile = tempfile::tempdir().unwrap();
    let document = testing::document(&url, profile.path()).await.unwrap();
    shutdown.cancel();
    timeout(BOUND, serving).await.unwrap().unwrap();
    Some(document)
}

/// The element with an identifier, up to the next closing tag of its kind.
fn part<'a>(document: &'a str, tag: &str, id: &str) -> &'a str {
    let (_, rest) = document
        .split_once(&format!("<{tag} id=\"{id}\""))
        .unwrap_or_else(|| panic!("no {tag} {id} in {document}"));
    rest.split_once(&format!("</{tag}>")).unwrap().0
}

fn rows(table: &str) -> usize {
    table.split_once("<tbody").unwrap().1.matches("<tr").count()
}

#[tokio::test]
async fn a_keeper_at_work_is_shown_whole() {
    let Some(page) = document(sample::filled(unix_now())).await else {
        return;
    };
    assert!(page.contains("class=\"state good\">Ready<"), "{page}");
    assert!(page.contains("19,482,113") && page.contains("15,294.48") && page.contains("491,901"));
    assert!(part(&page, "ul", "warnings").contains("answers 429"));
    for (id, count) in [
        ("market", 3),
        ("positions", 24),
        ("pending", 2),
        ("profit", 1),
        ("missed", 6),
        ("nodes", 2),
        ("tasks", 3),
    ] {
        let table = part(&page, "table", id);
        assert_eq!(rows(table), count, "{id}");
        for word in ["<caption>", "scope=\"col\"", "scope=\"row\""] {
            assert!(table.contains(word), "{id} lacks {word}");
        }
    }
    let market = part(&page, "table", "market");
    for word in [
        "1,873.42",
        "1,951.10",
        "487,200 of 840,000",
        "<meter",
        "aria-label=\"58%\"",
        "degraded",
    ] {
        assert!(market.contains(word), "{word} in {market}");
    }
    let positions = part(&page, "table", "positions");
    for word in [
        "title=\"0xa101010101010101010101010101010101010125\"",
        "-2.10%",
        "1,912.76",
        "4.20 WETH",
        "6,667.89",
        "3.10%",
        "its turn is not open",
        "41.30",
        "5 min ago",
        ">open<",
    ] {
        assert!(positions.contains(word), "{word} in {positions}");
    }
    let missed = part(&page, "table", "missed");
    assert!(missed.contains("tip 4.25 gwei against 9.1") && missed.contains("unprofitable"));
    assert!(page.contains("14 unprofitable, 9 outbid, 1 reverted, 2 breaker, 6 waiting"));
    let pending = part(&page, "table", "pending");
    assert!(
        pending.contains("181.50") && pending.contains(">absorb<"),
        "{pending}"
    );
    assert!(
        page.contains("912,345") && page.contains("inventory worth 48,210.50"),
        "{page}"
    );
    // One chart a collateral with steps, one bar a step, each with its words and its table.
    assert_eq!(page.matches("<svg role=\"img\"").count(), 2);
    assert_eq!(page.matches("class=\"bar\"").count(), 40);
    assert!(
        page.contains("to 1,498.74 (−20%): 604,979 USDC, 72 positions"),
        "{page}"
    );
    assert!(page.contains("of debt fall if WETH drops 50% to 936.71"));
    assert!(page.contains("venue depth 2%"));
}

#[tokio::test]
async fn a_keeper_that_saw_nothing_says_so() {
    let Some(page) = document(sample::empty(unix_now())).await else {
        return;
    };
    assert!(page.contains(">Not ready<"));
    assert!(part(&page, "ul", "reasons").contains("no block has been seen yet"));
    for (id, words) in [
        ("market", "No collateral is known yet."),
        ("positions", "No position with debt is known."),
        ("pending", "Nothing is pending."),
        ("missed", "None was missed."),
        ("nodes", "No node has been asked yet."),
        ("tasks", "No task has started yet."),
    ] {
        assert!(part(&page, "table", id).contains(words), "{id}");
    }
    assert!(page.contains("id=\"warnings-section\" aria-labelledby=\"warnings-title\" hidden"));
    assert_eq!(page.matches("<svg").count(), 0);
}

#[tokio::test]
async fn hostile_and_very_long_texts_stay_text() {
    let status = sample::troubled(unix_now());
    let long = status.positions[1].why_not.clone().unwrap();
    let Some(page) = document(status).await else {
        return;
    };
    // Nothing that came as data became an element, and nothing of it ran.
    assert!(!page.contains("<img"), "{page}");
    assert_eq!(page.matches("<script").count(), 1);
    assert!(
        !page.contains("<title>owned</title>")
            && page.contains("<title>Not ready · Breakwater keeper</title>")
    );
    let escaped = "&lt;img src=x onerror=\"document.title='owned'\"&gt;";
    for (tag, id) in [
        ("ul", "warnings"),
        ("ul", "reasons"),
        ("table", "positions"),
        ("table", "missed"),
        ("table", "nodes"),
        ("p", "identity"),
    ] {
        assert!(
            part(&page, tag, id).contains(escaped),
            "{id}: {}",
            part(&page, tag, id)
        );
    }
    // Symbols are cut to sixteen letters, and whole in the title.
    let market = part(&page, "table", "market");
    assert!(
        market.contains(&format!("title=\"{}\"", "W".repeat(300)))
            && market.contains(&format!(">{}…<", "W".repeat(15))),
        "{market}"
    );
    assert!(part(&page, "table", "positions").contains(&long));
    assert!(
        page.contains("-1.000e+21") && page.contains("1.158e+77") && page.contains("1.235e+17")
    );
    assert!(
        !page.contains("NaN") && !page.contains("undefined") && !page.contains("[object"),
        "{page}"
    );
    // The script reached its end: the last section is filled.
    assert!(page.contains("reorganisations followed, the deepest of 2 blocks"));
}

#[tokio::test]
async fn a_stale_head_is_said_beside_the_old_figures() {
    let mut status = sample::filled(unix_now());
    status.head.as_mut().unwrap().received_at -= 7_200;
    let Some(page) = document(status).await else {
        return;
    };
    assert!(
        part(&page, "ul", "reasons").contains("has not changed for"),
        "{page}"
    );
    assert!(page.contains(">Not ready<") && page.contains("19,482,113"));
}
