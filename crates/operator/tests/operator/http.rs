//! The service, asked over real connections.

use std::net::SocketAddr;
use std::time::Duration;

use breakwater_operator::config::HttpConfig;
use breakwater_operator::http::{HttpError, Server, View};
use breakwater_operator::metrics::Latencies;
use breakwater_operator::redact::Redactor;
use breakwater_operator::status::{ServedStatus, Status, unix_now};
use breakwater_operator::view;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{alike, sample};

const BOUND: Duration = Duration::from_secs(20);

struct Service {
    address: SocketAddr,
    status: watch::Sender<Status>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

fn config(listen: &str) -> HttpConfig {
    HttpConfig {
        listen: listen.parse().unwrap(),
        allow_non_loopback: false,
        allowed_hosts: vec!["Keeper.Example".to_owned()],
    }
}

impl Service {
    async fn start(status: Status) -> Self {
        let (publish, receive) = watch::channel(status);
        let server = Server::bind(&config("127.0.0.1:0")).await.unwrap();
        let address = server.address();
        let view = View {
            status: receive,
            latencies: Latencies::new(),
            max_head_age: Duration::from_secs(60),
            redactor: Redactor::new(&["https://node.example/v3/0123456789abcdef0123"
                .parse()
                .unwrap()]),
        };
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(server.run(view, shutdown.clone()));
        Self {
            address,
            status: publish,
            shutdown,
            serving,
        }
    }

    async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(BOUND, stream.read_to_end(&mut answer))
            .await
            .unwrap()
            .unwrap();
        String::from_utf8(answer).unwrap()
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        );
        split(&self.raw(&request).await)
    }

    async fn with_host(&self, host: &str) -> u16 {
        let request =
            format!("GET /status.json HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        split(&self.raw(&request).await).0
    }
}

fn split(answer: &str) -> (u16, String) {
    let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (
        code.unwrap_or_else(|| panic!("no HTTP: {answer:?}")),
        body.to_owned(),
    )
}

#[tokio::test]
async fn health_and_readiness_follow_the_keeper() {
    let service = Service::start(sample::empty(unix_now())).await;
    assert_eq!(service.get("/health").await, (200, "alive\n".to_owned()));
    let (code, reason) = service.get("/ready").await;
    assert_eq!(code, 503);
    assert!(reason.contains("no block has been seen yet\n"), "{reason}");

    service.status.send_replace(sample::filled(unix_now()));
    assert_eq!(service.get("/ready").await, (200, "ready\n".to_owned()));

    service
        .status
        .send_modify(|status| status.head.as_mut().unwrap().received_at -= 100);
    let (code, reason) = service.get("/ready").await;
    assert!(
        code == 503 && reason.contains("has not changed for"),
        "{reason}"
    );

    service
        .status
        .send_modify(|status| status.tasks[0].alive = false);
    assert_eq!(
        service.get("/health").await,
        (503, "task collector has ended\n".to_owned())
    );
}

#[tokio::test]
async fn a_keeper_that_ended_is_neither_alive_nor_ready() {
    let Service {
        address,
        status,
        shutdown,
        serving,
    } = Service::start(sample::filled(unix_now())).await;
    drop(status);
    let (unused, _receive) = watch::channel(sample::empty(unix_now()));
    let service = Service {
        address,
        status: unused,
        shutdown,
        serving,
    };
    assert_eq!(
        service.get("/health").await,
        (503, "the keeper has ended\n".to_owned())
    );
    assert_eq!(
        service.get("/ready").await,
        (503, "the keeper has ended\n".to_owned())
    );
}

#[tokio::test]
async fn the_status_is_served_whole_and_the_terminal_view_reads_it() {
    let status = sample::filled(unix_now());
    let service = Service::start(status.clone()).await;
    let (code, text) = service.get("/status.json").await;
    assert_eq!(code, 200);
    let served: ServedStatus = serde_json::from_str(&text).unwrap();
    assert!(alike(&served.status, &status));
    let url = format!("http://{}", service.address).parse().unwrap();
    let fetched = view::fetch(&view::client().unwrap(), &url).await.unwrap();
    assert!(alike(&fetched.status, &status));
}

#[tokio::test]
async fn every_page_has_its_type_and_the_headers() {
    let service = Service::start(sample::filled(unix_now())).await;
    for (path, kind, part) in [
        ("/", "text/html; charset=utf-8", "Breakwater keeper"),
        (
            "/page.css",
            "text/css; charset=utf-8",
            "prefers-color-scheme",
        ),
        ("/page.js", "text/javascript; charset=utf-8", "textContent"),
        (
            "/metrics",
            "text/plain; version=0.0.4; charset=utf-8",
            "breakwater_head_block 19482113",
        ),
        ("/status.json", "application/json", "19482113"),
        ("/health", "text/plain; charset=utf-8", "alive"),
    ] {
        let answer = service
            .raw(&format!(
                "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            ))
            .await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(
            answer.contains(&format!("content-type: {kind}\r\n")),
            "{path}: {answer}"
        );
        assert!(answer.contains(part), "{path}");
        let policy = answer
            .lines()
            .find(|line| line.starts_with("content-security-policy: "))
            .unwrap();
        assert!(
            policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        for header in [
            "x-content-type-options: nosniff",
            "x-frame-options: DENY",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            "cross-origin-resource-policy: same-origin",
        ] {
            assert!(answer.contains(header), "{path} lacks {header}");
        }
        assert!(!answer.to_lowercase().contains("access-control-"), "{path}");
    }
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere_and_runs_no_markup() {
    let service = Service::start(sample::filled(unix_now())).await;
    for path in ["/", "/page.css", "/page.js"] {
        let (_, text) = service.get(path).await;
        let text = text.replace("http://www.w3.org/2000/svg", "");
        for word in [
            "http://",
            "https://",
            "innerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "onclick",
            "@import",
            "style=\"",
        ] {
            assert!(!text.contains(word), "{path} has {word}");
        }
    }
}

#[tokio::test]
async fn foreign_names_are_refused() {
    let service = Service::start(sample::filled(unix_now())).await;
    let port = service.address.port();
    for host in [
        format!("127.0.0.1:{port}"),
        "localhost".to_owned(),
        format!("LOCALHOST.:{port}"),
        format!("[::1]:{port}"),
        "keeper.example".to_owned(),
        "KEEPER.example:80".to_owned(),
    ] {
        assert_eq!(service.with_host(&host).await, 200, "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil@localhost",
        "localhost@evil.example",
        "192.168.0.1",
        "0.0.0.0",
        "[::2]",
        "",
    ] {
        let code = service.with_host(host).await;
        assert!(code == 421 || code == 400, "{host}: {code}");
    }
    let two = "GET /status.json HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(split(&service.raw(two).await).0, 400);
    let none = "GET /status.json HTTP/1.0\r\n\r\n";
    assert_eq!(split(&service.raw(none).await).0, 400);
    let absolute = "GET http://evil.example/status.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(split(&service.raw(absolute).await).0, 421);
}

#[tokio::test]
async fn only_reading_and_only_what_is_there() {
    let service = Service::start(sample::filled(unix_now())).await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let request = format!(
            "{method} /status.json HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(split(&service.raw(&request).await).0, 405, "{method}");
    }
    for path in ["/page.html", "/../etc/passwd", "/status.json/", "/%2e%2e/"] {
        assert_eq!(service.get(path).await.0, 404, "{path}");
    }
    assert_eq!(service.get(&format!("/?{}", "a".repeat(300))).await.0, 414);
    let head = service
        .raw("HEAD /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await;
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn heads_too_long_are_refused() {
    let service = Service::start(sample::filled(unix_now())).await;
    let long = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "a".repeat(20_000)
    );
    assert_eq!(split(&service.raw(&long).await).0, 431);
    let many = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n",
        "a: b\r\n".repeat(100)
    );
    assert_eq!(split(&service.raw(&many).await).0, 431);
}

#[tokio::test]
async fn shutdown_ends_the_service_though_connections_are_open() {
    let service = Service::start(sample::filled(unix_now())).await;
    let mut open = TcpStream::connect(service.address).await.unwrap();
    open.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 12];
    timeout(BOUND, open.read_exact(&mut first))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    service.shutdown.cancel();
    timeout(BOUND, service.serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(service.address).await.is_err());
}

#[tokio::test]
async fn nodes_credentials_are_hidden_in_whatever_is_served() {
    let key = "0123456789abcdef0123";
    let mut status = sample::filled(unix_now());
    status.warnings[0].text =
        format!("error sending request for url (https://node.example/v3/{key})");
    status.tasks[0].alive = false;
    status.tasks[0].name = format!("task {key}");
    status.rpc[0].name = format!("https://node.example/v3/{key}");
    let service = Service::start(status).await;
    for path in ["/status.json", "/metrics", "/health", "/ready"] {
        let (_, text) = service.get(path).await;
        assert!(!text.contains(key), "{path}: {text}");
    }
    assert!(
        service
            .get("/status.json")
            .await
            .1
            .contains("https://node.example/…")
    );
}

#[tokio::test]
async fn an_address_that_others_reach_needs_a_word() {
    let mut config = config("0.0.0.0:0");
    assert!(matches!(
        Server::bind(&config).await,
        Err(HttpError::NotLoopback { .. })
    ));
    config.allow_non_loopback = true;
    Server::bind(&config).await.unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let service = Service::start(sample::empty(unix_now())).await;
    let error = Server::bind(&config(&service.address.to_string()))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&service.address.to_string()) && error.contains("another keeper"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_no_keeper_is_told_from_one() {
    let client = view::client().unwrap();
    let service = Service::start(sample::empty(unix_now())).await;
    service.shutdown.cancel();
    timeout(BOUND, service.serving).await.unwrap().unwrap();
    let url = format!("http://{}", service.address).parse().unwrap();
    assert!(
        view::fetch(&client, &url)
            .await
            .unwrap_err()
            .to_string()
            .starts_with("no answer from")
    );
    let url = "ftp://127.0.0.1".parse().unwrap();
    assert!(
        view::fetch(&client, &url)
            .await
            .unwrap_err()
            .to_string()
            .contains("expected an address")
    );

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    let other = tokio::spawn(async move {
        for answer in [
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        ] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 1024];
            let _ = stream.read(&mut head).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    assert!(
        view::fetch(&client, &url)
            .await
            .unwrap_err()
            .to_string()
            .contains("answered 404")
    );
    assert!(
        view::fetch(&client, &url)
            .await
            .unwrap_err()
            .to_string()
            .contains("something else than a keeper's status")
    );
    timeout(BOUND, other).await.unwrap().unwrap();
}
