//! Log lines on standard error.

use std::io::{self, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::{LogConfig, LogFormat};
use crate::redact::Redactor;

/// Logging that could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The directives mean nothing.
    #[error(
        "log.filter is {filter:?}, expected a level or directives such as info,breakwater_rpc=debug"
    )]
    Filter {
        /// What was given.
        filter: String,
    },
    /// Somebody else was first.
    #[error("logging was already set up in this process")]
    Twice,
}

/// Sends log lines to standard error, in the configured form, without the nodes' credentials. Standard output stays free.
///
/// # Errors
/// [`TelemetryError`].
pub fn init(config: &LogConfig, redactor: Redactor) -> Result<(), TelemetryError> {
    let subscriber = subscriber(config, Redacting::new(redactor, io::stderr))?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| TelemetryError::Twice)
}

fn subscriber<W>(
    config: &LogConfig,
    writer: W,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // A connection that is dropped says so at the level of information, after the error that ends a start; whoever wants it asks for it.
    let directives = format!("alloy_pubsub=warn,{}", config.filter);
    let filter = EnvFilter::try_new(directives).map_err(|_| TelemetryError::Filter {
        filter: config.filter.clone(),
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(writer);
    Ok(match config.format {
        LogFormat::Text => Box::new(builder.finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    })
}

/// Makes writers that redact what goes through them.
struct Redacting<M> {
    redactor: Redactor,
    inner: M,
}

impl<M> Redacting<M> {
    const fn new(redactor: Redactor, inner: M) -> Self {
        Self { redactor, inner }
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Redacting<M> {
    type Writer = RedactingWriter<'a, M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        RedactingWriter {
            redactor: &self.redactor,
            inner: self.inner.make_writer(),
        }
    }
}

/// The subscriber writes an event by one call of `write_all`: a credential never spans two.
struct RedactingWriter<'a, W> {
    redactor: &'a Redactor,
    inner: W,
}

impl<W: Write> Write for RedactingWriter<'_, W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.inner
            .write_all(self.redactor.redact(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use url::Url;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str) -> String {
        let key = "0123456789abcdef0123456789abcdef";
        let url: Url = format!("https://user:hunter22@node.example/v3/{key}?token=s3cr3t")
            .parse()
            .unwrap();
        let memory = Memory::default();
        let sink = memory.clone();
        let config = LogConfig {
            format,
            filter: filter.to_owned(),
        };
        let writer = Redacting::new(Redactor::new(std::slice::from_ref(&url)), move || {
            sink.clone()
        });
        tracing::subscriber::with_default(subscriber(&config, writer).unwrap(), || {
            tracing::info!(%url, attempt = 3, "error sending request for url ({url})");
            tracing::info!("key {key} of {}", "token=s3cr3t");
            tracing::debug!("fine detail");
        });
        let bytes = memory.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn credentials_never_reach_a_log_line() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let text = logged(format, "info");
            for secret in ["hunter22", "0123456789abcdef", "s3cr3t"] {
                assert!(!text.contains(secret), "{secret} in {text}");
            }
            assert_eq!(text.matches("https://node.example/…").count(), 2, "{text}");
            assert_eq!(text.lines().count(), 2, "{text}");
        }
    }

    #[test]
    fn json_lines_are_objects_with_the_fields_at_the_top() {
        for line in logged(LogFormat::Json, "info").lines() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(object["level"], "INFO");
        }
        let first: serde_json::Value =
            serde_json::from_str(logged(LogFormat::Json, "info").lines().next().unwrap()).unwrap();
        assert_eq!(first["attempt"], 3);
    }

    #[test]
    fn the_filter_decides_what_is_logged() {
        assert!(logged(LogFormat::Text, "debug").contains("fine detail"));
        assert_eq!(logged(LogFormat::Text, "warn"), "");
    }
}
