//! The parent's side: a worker process, and calls to it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tempfile::TempDir;

use crate::connection::Connection;
use crate::error::RcloneError;
use crate::frame::{Start, Started, ToWorker};
use crate::log::{LogLevel, LogLine};
use crate::options::OptionValue;
use crate::process::Process;
use crate::refused_options::refused_variables;
use crate::remote::Remote;

/// How long an idle worker may take to end by itself when its parent lets go of it.
const PARTING: Duration = Duration::from_millis(200);

/// How to start a worker.
#[derive(Clone, Debug)]
pub struct SpawnOptions {
    /// The program, which calls [`serve_worker`](crate::serve_worker) when it is given `args`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables to set beside those that it inherits.
    pub env: Vec<(OsString, OsString)>,
    /// rclone's options by rclone's names, with `-` or `_`; those of backends have the backend's
    /// name before them, as their flags do (`b2_chunk_size`).
    pub options: BTreeMap<String, OptionValue>,
    /// What rclone is to log.
    pub log_level: LogLevel,
    /// How long it may take to be ready.
    pub deadline: Duration,
}

impl SpawnOptions {
    /// This very program, as `copal worker`.
    pub fn of_this_program() -> io::Result<Self> {
        // The running program even after its file was replaced by an upgrade.
        let program = if cfg!(target_os = "linux") {
            PathBuf::from("/proc/self/exe")
        } else {
            std::env::current_exe()?
        };
        Ok(Self {
            program,
            args: vec!["worker".into()],
            env: Vec::new(),
            options: BTreeMap::new(),
            log_level: LogLevel::default(),
            // A tenth of a second as a rule; a small machine at night does more than one thing at once.
            deadline: Duration::from_mins(2),
        })
    }
}

/// rclone in a process of its own. Calls may come from several threads at once.
///
/// When the process dies, every call under way and every later one is
/// [`RcloneError::WorkerDied`]. Dropping this ends the process.
pub struct Worker {
    connection: Arc<Connection>,
    reader: Option<JoinHandle<()>>,
    started: Started,
    /// rclone's temporary files: gone with the worker, also when it is killed over one of them.
    /// Fields are dropped last, after the process has ended.
    _scratch: Option<TempDir>,
}

impl Worker {
    /// Starts a worker and rclone in it. Costs some 50 ms, so only where a remote is needed.
    ///
    /// # Errors
    /// [`RcloneError::Options`] with every option that is refused, [`RcloneError::Spawn`],
    /// [`RcloneError::WorkerDied`] (an `RCLONE_` variable that can't be parsed ends it).
    pub fn spawn(options: SpawnOptions) -> Result<Self, RcloneError> {
        let spawn_error = |error| RcloneError::Spawn(Arc::new(error));
        // Where there is no room for temporary files, what needs none still works.
        let scratch = tempfile::Builder::new().prefix("copal-").tempdir().ok();
        let mut command = Command::new(&options.program);
        command.args(&options.args);
        command.envs(scratch.iter().map(|scratch| ("TMPDIR", scratch.path())));
        command.envs(options.env);
        for variable in refused_variables() {
            command.env_remove(variable);
        }
        let (process, requests, messages) = Process::spawn(command).map_err(spawn_error)?;
        let connection = Arc::new(Connection::new(process, requests));
        let (ready, readiness) = mpsc::channel();
        let for_reader = Arc::clone(&connection);
        let reader = thread::Builder::new()
            .name("rclone-reader".into())
            .spawn(move || for_reader.read(messages, &ready))
            .map_err(spawn_error)?;
        let mut worker = Self {
            connection,
            reader: Some(reader),
            started: Started { attempts: 1 },
            _scratch: scratch,
        };
        worker.connection.send(ToWorker::Start(Start {
            parent: std::process::id(),
            options: options.options,
            log_level: options.log_level,
        }));
        let Ok(begun) = readiness.recv_timeout(options.deadline) else {
            let timeout = RcloneError::Timeout {
                method: "start".into(),
                deadline: options.deadline,
            };
            return Err(worker.connection.death().unwrap_or(timeout));
        };
        worker.started = begun?;
        Ok(worker)
    }

    /// The worker's process id.
    pub fn id(&self) -> u32 {
        self.connection.process.id()
    }

    /// Kills the worker at once, whatever it does. Calls under way fail within a moment.
    pub fn kill(&self) {
        self.connection.process.kill();
    }

    /// How often a copy is to be tried, by rclone's option `retries`.
    pub(crate) fn attempts(&self) -> u32 {
        self.started.attempts
    }

    /// Keeps the secrets of `remote` out of every error and log line from here on.
    pub(crate) fn wire(&self, remote: &Remote) -> String {
        remote
            .secrets()
            .for_each(|secret| self.connection.hide(secret));
        remote.to_wire()
    }

    /// The same text without the secrets that are known.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.connection.redact(text)
    }

    /// Calls a method of rclone's remote control by name, with its parameters as a JSON object.
    ///
    /// # Errors
    /// [`RcloneError::Timeout`] when no answer comes within `deadline`; rclone is then asked to stop
    /// what it does for this call.
    pub fn rpc(
        &self,
        method: &str,
        input: &serde_json::Value,
        deadline: Duration,
    ) -> Result<serde_json::Value, RcloneError> {
        self.call(method, input, deadline)
    }

    /// One call: `input` has to be a JSON object, `T` takes what it needs of the answer.
    pub(crate) fn call<T: for<'de> Deserialize<'de>>(
        &self,
        method: &str,
        input: &impl Serialize,
        deadline: Duration,
    ) -> Result<T, RcloneError> {
        let output = self.connection.call(method, input, None, deadline)?;
        self.understand(method, &output)
    }

    /// A call in the stats group `group`: a job that it starts belongs to that, and its errors are counted there.
    pub(crate) fn call_in<T: for<'de> Deserialize<'de>>(
        &self,
        method: &str,
        input: &impl Serialize,
        group: &str,
        deadline: Duration,
    ) -> Result<T, RcloneError> {
        let output = self.connection.call(method, input, Some(group), deadline)?;
        self.understand(method, &output)
    }

    fn understand<T: for<'de> Deserialize<'de>>(
        &self,
        method: &str,
        output: &RawValue,
    ) -> Result<T, RcloneError> {
        serde_json::from_str(output.get()).map_err(|error| RcloneError::Protocol {
            method: method.to_owned(),
            why: self.redact(&error.to_string()),
        })
    }

    /// Sends a call whose answer nobody waits for.
    pub(crate) fn tell(&self, method: &str, input: &serde_json::Value) {
        self.connection.tell(method, input);
    }

    /// Keeps the error lines of a stats group until [`Worker::take_errors`].
    pub(crate) fn keep_errors(&self, group: &str) {
        self.connection.keep_errors(group);
    }

    pub(crate) fn take_errors(&self, group: &str) -> Vec<LogLine> {
        self.connection.take_errors(group)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // An idle one ends by itself when its input does; one that is busy had its time.
        self.connection.let_go();
        self.connection.process.end_within(PARTING);
        if let Some(reader) = self.reader.take()
            && reader.join().is_err()
        {
            tracing::error!("the thread that reads from the rclone worker has panicked");
        }
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Worker({})", self.id())
    }
}
