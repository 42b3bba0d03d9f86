//! The worker as a child process: its pipes, its last words, its end.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::log::LogLine;

/// Enough for every thread of a Go panic, whose head says what happened.
const KEPT_LINES: usize = 2000;

/// How many of them an error repeats.
const TOLD_LINES: usize = 8;

/// How long a worker that has closed its output may take to end by itself.
const LAST_BREATH: Duration = Duration::from_millis(500);

/// A child that is killed when it is dropped.
pub(crate) struct Process {
    child: Mutex<Child>,
    lines: Arc<Mutex<VecDeque<String>>>,
    stderr_closed: Mutex<Receiver<()>>,
}

impl Process {
    pub(crate) fn spawn(mut command: Command) -> io::Result<(Self, ChildStdin, ChildStdout)> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("the child's pipes are missing"));
        };
        let lines = Arc::default();
        let stderr_closed = Mutex::new(follow(stderr, Arc::clone(&lines)));
        let child = Mutex::new(child);
        let process = Self {
            child,
            lines,
            stderr_closed,
        };
        Ok((process, stdin, stdout))
    }

    pub(crate) fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    /// Ends it at once. Harmless when it has ended.
    pub(crate) fn kill(&self) {
        if let Err(error) = lock(&self.child).kill() {
            tracing::debug!("the rclone worker can't be killed: {error}");
        }
    }

    /// Waits for its end, which is helped along after `patience`; how it ended.
    pub(crate) fn end_within(&self, patience: Duration) -> String {
        let deadline = Instant::now() + patience;
        loop {
            let state = lock(&self.child).try_wait();
            match state {
                Ok(Some(status)) => return status.to_string(),
                Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(2)),
                Ok(None) => break,
                Err(error) => return error.to_string(),
            }
        }
        self.kill();
        let end = lock(&self.child).wait();
        end.map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    /// How it ended and its last words. To be called when it has closed its output.
    pub(crate) fn bury(&self) -> (String, String) {
        let status = self.end_within(LAST_BREATH);
        // Its own children may hold the pipe open for long.
        let closed = lock(&self.stderr_closed).recv_timeout(LAST_BREATH);
        if closed == Err(RecvTimeoutError::Timeout) {
            tracing::debug!("the rclone worker's standard error is still open");
        }
        (status, last_words(lock(&self.lines).make_contiguous()))
    }
}

/// The head of a Go panic, where there is one; else the last lines.
fn last_words(lines: &[String]) -> String {
    let panics = |line: &String| line.starts_with("panic:") || line.starts_with("fatal error:");
    let start = lines
        .iter()
        .position(panics)
        .unwrap_or(lines.len().saturating_sub(TOLD_LINES));
    let end = lines.len().min(start + TOLD_LINES);
    lines[start..end].join("\n")
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end_within(Duration::ZERO);
    }
}

/// Sends what the worker writes to tracing, and keeps the last of it.
fn follow(stderr: ChildStderr, lines: Arc<Mutex<VecDeque<String>>>) -> Receiver<()> {
    let (closed, receiver) = mpsc::sync_channel(1);
    thread::spawn(move || {
        for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
            let line = crate::redact::redact(&String::from_utf8_lossy(&line), &[]);
            match LogLine::of_stderr(&line) {
                Some(said) if said.echoes_a_call() => continue,
                Some(said) => said.trace(),
                None => tracing::warn!(target: "rclone", "{line}"),
            }
            let mut lines = lock(&lines);
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
        drop(closed);
    });
    receiver
}

/// Locks, whatever another thread's panic left: every value behind these locks is whole at all
/// times.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_panic_is_told_rather_than_its_tail() {
        let lines: Vec<String> = ["noise".into(), "panic: boom".into()]
            .into_iter()
            .chain((0..100).map(|n| format!("goroutine {n}")))
            .collect();
        let told = last_words(&lines);
        assert!(told.starts_with("panic: boom\ngoroutine 0"), "{told}");
        assert_eq!(told.lines().count(), TOLD_LINES);
        assert_eq!(last_words(&lines[..1]), "noise");
        assert_eq!(last_words(&[]), "");
    }
}
