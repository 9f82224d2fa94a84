//! How far a run is: a bar on a terminal, a line every 30 seconds elsewhere. Progress never changes what is sampled.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Where progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Nowhere.
    Nothing,
    /// A bar if standard error is a terminal, else lines.
    Auto,
}

/// Progress of one stage.
pub struct Progress {
    bar: Option<ProgressBar>,
    lines: bool,
    label: String,
    total: u64,
    at_start: u64,
    started: Instant,
    last_line: Instant,
}

impl Progress {
    /// Starts at `done` of `total` steps.
    pub fn start(show: Show, label: &str, done: u64, total: u64) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = (show == Show::Auto && terminal).then(|| {
            let bar = ProgressBar::new(total);
            if let Ok(style) = ProgressStyle::with_template("{prefix:>16} [{bar:32}] {percent:>3}%  {msg}") {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(label.to_owned());
            bar.set_position(done);
            bar
        });
        let now = Instant::now();
        let lines = show == Show::Auto && !terminal;
        if lines {
            eprintln!("{label}: {total} steps{}", if done > 0 { format!(", going on from {done}") } else { String::new() });
        }
        Progress { bar, lines, label: label.to_owned(), total, at_start: done, started: now, last_line: now }
    }

    /// At step `done`; `note` is a short remark such as the acceptance.
    pub fn at(&mut self, done: u64, note: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(self.remark(done, note));
        } else if self.lines && self.last_line.elapsed() >= Duration::from_secs(30) {
            self.last_line = Instant::now();
            eprintln!(
                "{}: step {done} of {} ({:.0} %), {}",
                self.label,
                self.total,
                100.0 * done as f64 / self.total.max(1) as f64,
                self.remark(done, note)
            );
        }
    }

    fn remark(&self, done: u64, note: &str) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = (done - self.at_start) as f64 / seconds.max(1e-9);
        let left = (self.total - done) as f64 / rate.max(1e-9);
        let mut text = format!("{rate:.0} steps/s");
        if rate > 0.0 {
            text.push_str(&format!(", {} left", span(left)));
        }
        if !note.is_empty() {
            text.push_str(", ");
            text.push_str(note);
        }
        text
    }

    /// Done (or stopped).
    pub fn end(self, done: u64) {
        let seconds = self.started.elapsed().as_secs_f64();
        let text = format!("{}: {done} steps in {}", self.label, span(seconds));
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
            eprintln!("{text}");
        } else if self.lines {
            eprintln!("{text}");
        }
    }
}

/// A time for people: 4.2 s, 3 min 20 s, 2 h 05 min.
pub fn span(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let s = seconds.round() as u64;
    if s < 3600 { format!("{} min {:02} s", s / 60, s % 60) } else { format!("{} h {:02} min", s / 3600, s % 3600 / 60) }
}
