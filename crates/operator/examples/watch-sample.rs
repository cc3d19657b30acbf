//! The terminal view of a running keeper, or of `serve-sample`: `cargo run -p breakwater-operator --example watch-sample -- http://127.0.0.1:9464`.

use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args()
        .nth(1)
        .ok_or("expected a keeper's address")?
        .parse()?;
    breakwater_operator::view::watch(url, CancellationToken::new()).await?;
    Ok(())
}
