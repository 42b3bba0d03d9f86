//! What a run says, kept: in the job's log, and the last lines of it in memory, for the history and for
//! whoever is told that it failed.
//!
//! Lines come from `tracing` ([`Keeping`]). Which file they belong into is known only when the
//! configuration is read; what is said before waits for it.

mod line;
mod rotating;

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io;
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use copal_core::config::{Log, LogFormat};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

pub use line::Line;
use rotating::Rotating;

use super::frozen::existing;
use super::scratch::write_and_forget;

/// The target of what a person is told in so many words, whatever the level on stderr.
pub const TOLD: &str = "told";

/// Lines that are kept in memory.
const RECENT: usize = 40;

/// The most that waits for its file.
const MOST_WAITING: usize = 1000;

/// Why there is no complete log of a run.
#[derive(Debug, thiserror::Error)]
#[error("can't write the log `{}`", .file.display())]
pub struct LogError {
    /// The file.
    pub file: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Takes what `tracing` is told into the log.
#[derive(Debug)]
pub struct Keeping;

impl<S: Subscriber> Layer<S> for Keeping {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        kept().take(Line::of(event));
    }
}

/// All lines of this process belong to this run from now on.
pub fn of_run(id: &str) {
    kept().run = Some(id.to_owned());
}

/// The run that lines belong to, if there is one by now.
fn run() -> Option<String> {
    kept().run.clone()
}

/// Begins the log in `file`, with what was said before.
pub fn begin(file: &Path, log: &Log) {
    let mut kept = kept();
    if !matches!(kept.to, To::Waiting(_)) {
        // The command has none, or it was begun.
        return;
    }
    let rotating = Rotating::new(file, log.max_size, log.keep);
    let to = To::File(rotating, log.format);
    if let To::Waiting(lines) = mem::replace(&mut kept.to, to) {
        for line in &lines {
            kept.write(line);
        }
    }
}

/// Whether the log can be in this file. Nothing is written that stays.
pub fn look(file: &Path) -> Result<(), LogError> {
    let looked = match fs::metadata(file) {
        Ok(found) if found.is_file() => OpenOptions::new().append(true).open(file).map(drop),
        Ok(_) => Err(io::Error::other("it is no regular file")),
        // The directories above it are made with it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write_and_forget(existing(file.parent().unwrap_or(file)))
        }
        Err(error) => Err(error),
    };
    looked.map_err(|source| LogError {
        file: file.to_owned(),
        source,
    })
}

/// There is no file: what waits for one waits in vain.
pub fn end() {
    kept().to = To::Nowhere;
}

/// Why there is no complete log: the first thing that failed. Told once.
pub fn trouble() -> Option<LogError> {
    kept().trouble.take()
}

/// The log's file.
pub fn file() -> Option<PathBuf> {
    match &kept().to {
        To::File(rotating, _) => Some(rotating.path().to_owned()),
        To::Waiting(_) | To::Nowhere => None,
    }
}

/// The last lines, oldest first.
pub fn last_lines() -> Vec<String> {
    kept().recent.iter().cloned().collect()
}

/// What a process has of its log.
struct Kept {
    run: Option<String>,
    recent: VecDeque<String>,
    to: To,
    trouble: Option<LogError>,
    has_failed: bool,
}

/// Where lines go.
enum To {
    /// Nobody knows yet.
    Waiting(Vec<Line>),
    File(Rotating, LogFormat),
    Nowhere,
}

static KEPT: Mutex<Kept> = Mutex::new(Kept {
    run: None,
    recent: VecDeque::new(),
    to: To::Waiting(Vec::new()),
    trouble: None,
    has_failed: false,
});

fn kept() -> MutexGuard<'static, Kept> {
    // Whoever panicked has left lines, and lines are whole.
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Kept {
    fn take(&mut self, mut line: Line) {
        line.run.clone_from(&self.run);
        // What only whoever asked for everything wants to read is in the file alone.
        if line.level <= Level::INFO {
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(line.text());
        }
        match &mut self.to {
            To::Waiting(lines) if lines.len() < MOST_WAITING => lines.push(line),
            To::Waiting(_) | To::Nowhere => {}
            To::File(..) => self.write(&line),
        }
    }

    fn write(&mut self, line: &Line) {
        let To::File(rotating, format) = &mut self.to else {
            return;
        };
        let text = match format {
            LogFormat::Text => line.text(),
            LogFormat::Json => line.json(),
        };
        match rotating.write(&text) {
            Err(source) if !self.has_failed => {
                self.has_failed = true;
                let file = rotating.path().to_owned();
                self.trouble = Some(LogError { file, source });
            }
            // The first has said it; and the disk may have room again by the next.
            Ok(()) | Err(_) => {}
        }
    }
}

/// Prints every line as JSON on stderr.
#[derive(Debug)]
pub struct Telling;

impl<S: Subscriber> Layer<S> for Telling {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line::of(event);
        line.run = run();
        // Where not even stderr can be written, the exit code is all that is left.
        drop(io::Write::write_all(
            &mut io::stderr().lock(),
            format!("{}\n", line.json()).as_bytes(),
        ));
    }
}
