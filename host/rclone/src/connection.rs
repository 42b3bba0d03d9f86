//! The pipes to the worker: who waits for which answer, and what happens when none can come.

use std::collections::HashMap;
use std::process::{ChildStdin, ChildStdout};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{RcloneError, classify};
use crate::frame::{self, FromWorker, Started, ToWorker};
use crate::log::{LogLevel, LogLine};
use crate::process::{Process, lock};
use crate::redact::redact;

/// Shorter texts would mask half of every message.
const SHORTEST_SECRET: usize = 4;

/// The parent's end, shared by its callers and the thread that reads.
pub(crate) struct Connection {
    pub(crate) process: Process,
    /// To the thread that writes; `None` once the worker was let go.
    requests: Mutex<Option<Sender<ToWorker>>>,
    calls: Mutex<Calls>,
    next_id: AtomicU64,
    /// Error lines of the jobs that want them, by stats group.
    errors: Mutex<HashMap<String, Vec<LogLine>>>,
    /// What must not show in errors: the secrets of every remote that was named in a call.
    secrets: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Calls {
    waiting: HashMap<u64, Sender<Answer>>,
    /// Once the worker is dead.
    death: Option<RcloneError>,
}

struct Answer {
    status: u16,
    output: Box<RawValue>,
}

impl Connection {
    pub(crate) fn new(process: Process, pipe: ChildStdin) -> Self {
        let (requests, queue) = mpsc::channel();
        // A worker that does not read must not keep a caller beyond its deadline.
        thread::spawn(move || write_all(&queue, pipe));
        Self {
            process,
            requests: Mutex::new(Some(requests)),
            calls: Mutex::default(),
            next_id: AtomicU64::new(1),
            errors: Mutex::default(),
            secrets: Mutex::default(),
        }
    }

    /// One call of rclone's remote control: `input` has to be a JSON object.
    pub(crate) fn call(
        &self,
        method: &str,
        input: &impl Serialize,
        group: Option<&str>,
        deadline: Duration,
    ) -> Result<Box<RawValue>, RcloneError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let group = group.map_or_else(|| format!("call/{id}"), str::to_owned);
        let message = ToWorker::Call {
            id,
            method: method.to_owned(),
            input: with_group(input, &group).map_err(|error| RcloneError::Protocol {
                method: method.to_owned(),
                why: error.to_string(),
            })?,
        };
        let (sender, receiver) = mpsc::channel();
        {
            let mut calls = lock(&self.calls);
            if let Some(death) = &calls.death {
                return Err(death.clone());
            }
            calls.waiting.insert(id, sender);
        }
        self.send(message);
        match receiver.recv_timeout(deadline) {
            Ok(answer) if answer.status == 200 => Ok(answer.output),
            Ok(answer) => Err(self.failed(method, &answer)),
            Err(RecvTimeoutError::Timeout) => {
                lock(&self.calls).waiting.remove(&id);
                self.tell("job/stopgroup", &serde_json::json!({ "group": group }));
                Err(RcloneError::Timeout {
                    method: method.to_owned(),
                    deadline,
                })
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.death().unwrap_or_else(|| self.bury())),
        }
    }

    /// Sends a call whose answer nobody waits for.
    pub(crate) fn tell(&self, method: &str, input: &serde_json::Value) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let input = serde_json::value::to_raw_value(input).expect("a JSON value is JSON");
        let method = method.to_owned();
        self.send(ToWorker::Call { id, method, input });
    }

    /// Queues a message. Where it can't arrive any more, the end of the worker's output says so.
    pub(crate) fn send(&self, message: ToWorker) {
        let queued = lock(&self.requests)
            .as_ref()
            .map(|queue| queue.send(message));
        if !matches!(queued, Some(Ok(()))) {
            tracing::trace!("the rclone worker takes no more messages");
        }
    }

    /// Reads until the worker closes its output, and then declares it dead.
    pub(crate) fn read(
        &self,
        mut messages: ChildStdout,
        ready: &Sender<Result<Started, RcloneError>>,
    ) {
        loop {
            let message = match frame::read(&mut messages) {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(error) => {
                    tracing::debug!("the rclone worker's messages broke off: {error}");
                    self.process.kill();
                    break;
                }
            };
            let beginning = match message {
                FromWorker::Answer { id, status, output } => {
                    self.hand_over(id, Answer { status, output });
                    continue;
                }
                FromWorker::Log(line) => {
                    self.take_line(line);
                    continue;
                }
                FromWorker::Started(started) => Ok(started),
                FromWorker::BadOptions(problems) => Err(RcloneError::Options(problems)),
                FromWorker::NotStarted { status, output } => {
                    Err(self.failed("start", &Answer { status, output }))
                }
            };
            if ready.send(beginning).is_err() {
                tracing::debug!("the rclone worker was ready too late");
            }
        }
        let death = self.bury();
        if ready.send(Err(death)).is_err() {
            tracing::trace!("the rclone worker has ended");
        }
    }

    fn hand_over(&self, id: u64, answer: Answer) {
        let waiting = lock(&self.calls).waiting.remove(&id);
        // Nobody waits for the answers of `tell`, nor after a deadline.
        if waiting.is_none_or(|caller| caller.send(answer).is_err()) {
            tracing::trace!("an answer of the rclone worker came too late");
        }
    }

    fn take_line(&self, mut line: LogLine) {
        line.text = self.redact(&line.text);
        line.object = self.redact(&line.object);
        line.trace();
        if line.level < LogLevel::Error {
            return;
        }
        let mut kept = lock(&self.errors);
        // Not every line of rclone's tells its group; one that names a file is better than none.
        for (group, lines) in kept.iter_mut() {
            if *group == line.group || line.group.is_empty() {
                lines.push(line.clone());
            }
        }
    }

    /// Declares the worker dead, once, and lets every waiting call fail.
    fn bury(&self) -> RcloneError {
        let (status, last_stderr) = self.process.bury();
        let mut calls = lock(&self.calls);
        calls.waiting.clear();
        let last_stderr = self.redact(&last_stderr);
        let death = RcloneError::WorkerDied {
            status,
            last_stderr,
        };
        calls.death.get_or_insert(death).clone()
    }

    /// Closes the worker's input, at which it ends by itself.
    pub(crate) fn let_go(&self) {
        lock(&self.requests).take();
    }

    /// Keeps a text out of every error and log line from here on.
    pub(crate) fn hide(&self, secret: &str) {
        let mut known = lock(&self.secrets);
        if secret.len() >= SHORTEST_SECRET && known.iter().all(|k| k != secret) {
            known.push(secret.to_owned());
        }
    }

    /// Keeps the error lines of a stats group until [`Connection::take_errors`].
    pub(crate) fn keep_errors(&self, group: &str) {
        lock(&self.errors).insert(group.to_owned(), Vec::new());
    }

    pub(crate) fn take_errors(&self, group: &str) -> Vec<LogLine> {
        lock(&self.errors).remove(group).unwrap_or_default()
    }

    pub(crate) fn death(&self) -> Option<RcloneError> {
        lock(&self.calls).death.clone()
    }

    fn failed(&self, method: &str, answer: &Answer) -> RcloneError {
        /// rclone repeats the request under `input`, keys and all: never read it.
        #[derive(Deserialize)]
        struct Failure {
            error: String,
        }
        match serde_json::from_str::<Failure>(answer.output.get()) {
            Ok(Failure { error }) => {
                let message = self.redact(plain(&error));
                RcloneError::Call {
                    method: method.to_owned(),
                    kind: classify(answer.status, &message),
                    message,
                }
            }
            Err(error) => RcloneError::Protocol {
                method: method.to_owned(),
                why: error.to_string(),
            },
        }
    }

    pub(crate) fn redact(&self, text: &str) -> String {
        redact(text, &lock(&self.secrets))
    }
}

/// Writes what is queued, until nobody can queue any more, and then closes the pipe.
fn write_all(queue: &Receiver<ToWorker>, mut pipe: ChildStdin) {
    while let Ok(message) = queue.recv() {
        if let Err(error) = frame::write(&mut pipe, &message) {
            tracing::debug!("a message did not reach the rclone worker: {error}");
            return;
        }
    }
}

/// Without the wrapping that rclone gives to an error which would have ended a command line.
fn plain(error: &str) -> &str {
    let error = error.strip_prefix("panic received: ").unwrap_or(error);
    error.strip_prefix("fatal error: ").unwrap_or(error)
}

/// The parameters, and the group under which rclone can be asked to stop the call.
fn with_group(input: &impl Serialize, group: &str) -> serde_json::Result<Box<RawValue>> {
    #[derive(Serialize)]
    struct Grouped<'a, T> {
        #[serde(flatten)]
        input: &'a T,
        #[serde(rename = "_group")]
        group: &'a str,
    }
    serde_json::value::to_raw_value(&Grouped { input, group })
}
