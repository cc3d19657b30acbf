//! What is answered.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::View;
use crate::metrics::render;
use crate::status::{ServedStatus, unix_now};

const TEXT: &str = "text/plain; charset=utf-8";

fn body(status: StatusCode, kind: &'static str, text: impl Into<axum::body::Body>) -> Response {
    (status, [(header::CONTENT_TYPE, kind)], text.into()).into_response()
}

pub(super) async fn page() -> Response {
    body(
        StatusCode::OK,
        "text/html; charset=utf-8",
        include_str!("page.html"),
    )
}

pub(super) async fn style() -> Response {
    body(
        StatusCode::OK,
        "text/css; charset=utf-8",
        include_str!("page.css"),
    )
}

pub(super) async fn script() -> Response {
    body(
        StatusCode::OK,
        "text/javascript; charset=utf-8",
        include_str!("page.js"),
    )
}

/// Alive while the keeper holds its end and every supervised task runs; a supervisor should restart the process otherwise.
pub(super) async fn health(State(view): State<View>) -> Response {
    let mut reasons: Vec<String> = view
        .status
        .borrow()
        .tasks
        .iter()
        .filter(|task| !task.alive)
        .map(|task| format!("task {} has ended", task.name))
        .collect();
    if view.status.has_changed().is_err() {
        reasons.push("the keeper has ended".to_owned());
    }
    verdict(&view, "alive", &reasons)
}

/// Ready when it can liquidate now.
pub(super) async fn ready(State(view): State<View>) -> Response {
    let served = view.served();
    verdict(&view, "ready", &served.not_ready)
}

fn verdict(view: &View, good: &str, reasons: &[String]) -> Response {
    let (status, text) = if reasons.is_empty() {
        (StatusCode::OK, good.to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n"))
    };
    body(status, TEXT, format!("{}\n", view.redactor.redact(&text)))
}

pub(super) async fn metrics(State(view): State<View>) -> Response {
    let text = render(&view.served(), &view.latencies);
    let text = view.redactor.redact(&text).into_owned();
    body(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        text,
    )
}

pub(super) async fn status(State(view): State<View>) -> Response {
    match serde_json::to_string(&view.served()) {
        Ok(text) => {
            let text = view.redactor.redact(&text).into_owned();
            body(StatusCode::OK, "application/json", text)
        }
        Err(error) => body(
            StatusCode::INTERNAL_SERVER_ERROR,
            TEXT,
            format!("the status cannot be written: {error}\n"),
        ),
    }
}

impl View {
    fn served(&self) -> ServedStatus {
        let status = self.status.borrow().clone();
        let mut served = ServedStatus::new(status, unix_now(), self.max_head_age);
        if self.status.has_changed().is_err() {
            served.not_ready.push("the keeper has ended".to_owned());
        }
        served
    }
}
