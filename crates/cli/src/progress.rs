//! How far the worlds are: bars on a terminal, a line now and then elsewhere.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use breakwater_sim::Observer;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Least time between two lines where there is no terminal.
const BETWEEN_LINES: Duration = Duration::from_secs(15);

/// The progress of all worlds, shared by their threads.
pub struct Progress<'a> {
    cancelled: &'a AtomicBool,
    bars: Option<MultiProgress>,
    worlds: u64,
    completed: AtomicU64,
    began: Instant,
    last_line: Mutex<Instant>,
}

impl<'a> Progress<'a> {
    /// Of this many worlds, until `cancelled` is set.
    pub fn new(worlds: usize, cancelled: &'a AtomicBool) -> Self {
        let now = Instant::now();
        Self {
            cancelled,
            bars: io::stderr().is_terminal().then(MultiProgress::new),
            worlds: worlds as u64,
            completed: AtomicU64::new(0),
            began: now,
            last_line: Mutex::new(now),
        }
    }

    /// What one world reports to.
    pub fn world(&self, name: &'static str, blocks: u64) -> WorldProgress<'_> {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(blocks).with_message(name));
            let style = ProgressStyle::with_template(
                "{msg:<16}{bar:36} {pos:>6}/{len} blocks  {per_sec:>10}  {eta} left",
            );
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        WorldProgress { all: self, bar }
    }

    /// Says how far all worlds are together.
    fn line(&self, completed: u64, each: u64) {
        let Ok(mut last) = self.last_line.try_lock() else {
            return;
        };
        if last.elapsed() < BETWEEN_LINES {
            return;
        }
        *last = Instant::now();
        let total = each * self.worlds;
        let left = self
            .began
            .elapsed()
            .mul_f64((total - completed) as f64 / completed.max(1) as f64)
            .as_secs();
        // Progress that nobody can see is none.
        let _ = writeln!(
            io::stderr(),
            "{completed} of {total} blocks in {} worlds ({}%), about {} min {:02} s left",
            self.worlds,
            completed * 100 / total,
            left / 60,
            left % 60
        );
    }
}

/// The progress of one world.
pub struct WorldProgress<'a> {
    all: &'a Progress<'a>,
    bar: Option<ProgressBar>,
}

impl Observer for WorldProgress<'_> {
    fn block(&mut self, completed: u64, total: u64) -> ControlFlow<()> {
        let all = self.all.completed.fetch_add(1, Ordering::Relaxed) + 1;
        match &self.bar {
            Some(bar) => bar.set_position(completed),
            None => self.all.line(all, total),
        }
        if self.all.cancelled.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Drop for WorldProgress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
    }
}
