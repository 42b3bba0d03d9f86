//! Remotes by way of rclone's worker process, which is started when the first one is opened.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use copal_core::config::{self, Config, RemoteSpec};
use copal_core::diagnostic::Diagnostic;
use copal_core::units::ByteCount;
use copal_rclone::{LogLevel, OptionValue, RcloneError, SpawnOptions};
use serde_json::json;

use super::interrupt::Interrupt;
use super::memory;
use super::rclone_remote::RcloneRemote;
use super::remote::{Remote, RemoteError};
use super::terms;
use super::workers::Workers;

/// One answer of a remote. A listing of a large bucket takes long; a hung one takes for ever.
pub(super) const ANSWER: Duration = Duration::from_mins(10);

/// All that a preflight asks before it looks at snapshots: by then a place that does not answer is told.
pub(super) const SURVEY: Duration = Duration::from_secs(15);

/// A listing with hashes of a remote that has to read every file for them.
pub(super) const READ_ALL: Duration = Duration::from_hours(24);

/// After a signal the worker may tidy up for so long; then it is killed, and with it whatever hangs.
pub(super) const TIDY_UP: Duration = Duration::from_millis(700);

/// rclone for one command.
pub struct Rclone {
    options: BTreeMap<String, OptionValue>,
    memory: ByteCount,
    config: Option<Config>,
    interrupt: Interrupt,
    workers: OnceCell<Arc<Workers>>,
}

/// Why a remote can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// rclone does not take an option of `[rclone]`.
    #[error("the configuration has options that rclone does not take")]
    Options(Vec<Diagnostic>),
    /// rclone, or the remote's name.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

impl Rclone {
    /// rclone with the options of `[rclone]`. Nothing is started yet.
    pub fn new(config: Option<&Config>, interrupt: &Interrupt) -> Self {
        let options = config.map(Config::rclone_options).unwrap_or_default();
        let mut options: BTreeMap<_, _> = options
            .iter()
            .map(|one| (one.name.clone(), value(&one.value)))
            .collect();
        // What Go's own memory frees, the system gets back late, and as much again is taken meanwhile.
        if !options.contains_key("use-mmap") {
            let mmap = OptionValue::Bool(true);
            options.entry("use_mmap".to_owned()).or_insert(mmap);
        }
        let limits = config.map(Config::limits).cloned().unwrap_or_default();
        Self {
            options,
            memory: limits.memory,
            config: config.cloned(),
            interrupt: interrupt.clone(),
            workers: OnceCell::new(),
        }
    }

    /// A destination, or any place that snapshots are read from.
    pub fn open(&self, spec: &RemoteSpec) -> Result<Box<dyn Remote>, OpenError> {
        let shown = spec.to_string();
        let failed = |source| RemoteError::Failed {
            deed: "open",
            place: shown.clone(),
            source,
        };
        let remote: copal_rclone::Remote = spec
            .expose()
            .parse()
            .map_err(|error| failed(RcloneError::Remote(error)))?;
        let workers = Arc::clone(self.workers()?);
        // What is wrong with its configuration, the first call that needs it tells.
        let options = [memory::OPTIONS, terms::OPTIONS].concat();
        let layers = workers.ask(|worker| worker.layers(&remote, &options, ANSWER));
        let layers = layers.unwrap_or_default();
        let (budget, made_of) = (self.memory, layers.clone());
        let share = workers
            .prepare(move |worker| memory::settle(worker, &made_of, budget))
            .map_err(failed)?;
        Ok(Box::new(RcloneRemote {
            workers,
            remote: remote.as_directory(),
            shown,
            interrupt: self.interrupt.clone(),
            layers,
            share,
            abilities: OnceCell::new(),
            has_links: Cell::new(false),
        }))
    }

    /// A method of rclone's remote control, as it is.
    pub fn call(
        &self,
        method: &str,
        parameters: &serde_json::Value,
    ) -> Result<serde_json::Value, OpenError> {
        // Nobody knows whether it bears being asked twice.
        let called = self.workers()?.worker().rpc(method, parameters, ANSWER);
        called.map_err(|source| match self.interrupt.check() {
            Err(interrupted) => RemoteError::Interrupted(interrupted).into(),
            Ok(()) => RemoteError::Failed {
                deed: "call",
                place: method.to_owned(),
                source,
            }
            .into(),
        })
    }

    /// Has the worker serve rclone's remote control over HTTP until it ends, with `methods` beside rclone's
    /// own: for each call of one of them this program runs, told `words` and the method's name. What is
    /// wrong with the options, if it does not listen.
    pub fn serve(
        &self,
        options: &serde_json::Value,
        words: &[OsString],
        methods: &serde_json::Value,
    ) -> Result<Option<String>, OpenError> {
        let failed = |error| RemoteError::Failed {
            deed: "serve",
            place: "rclone's remote control".into(),
            source: RcloneError::Spawn(Arc::new(error)),
        };
        let program = SpawnOptions::of_this_program().map_err(failed)?.program;
        let line =
            std::iter::once(program.as_os_str()).chain(words.iter().map(OsString::as_os_str));
        // It goes to the worker as JSON.
        let line = line.map(|word| {
            let not_utf8 = || io::Error::other(format!("{} is not UTF-8", word.display()));
            word.to_str().ok_or_else(not_utf8)
        });
        let line = line.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let reply = self.call(
            "copal/rcd",
            &json!({
                "options": options,
                "program": line,
                "tmpdir": std::env::var("TMPDIR").unwrap_or_default(),
                "methods": methods,
            }),
        )?;
        let refused = reply["refused"].as_str().unwrap_or_default();
        Ok((!refused.is_empty()).then(|| refused.to_owned()))
    }

    /// Fails where the worker has died.
    pub fn is_well(&self) -> Result<(), OpenError> {
        self.call("rc/noop", &json!({})).map(drop)
    }

    fn workers(&self) -> Result<&Arc<Workers>, OpenError> {
        if let Some(workers) = self.workers.get() {
            return Ok(workers);
        }
        let workers = self.start()?;
        Ok(self.workers.get_or_init(|| workers))
    }

    fn start(&self) -> Result<Arc<Workers>, OpenError> {
        let failed = |source| RemoteError::Failed {
            deed: "start",
            place: "rclone".into(),
            source,
        };
        let spawn = SpawnOptions::of_this_program()
            .map_err(|error| failed(RcloneError::Spawn(Arc::new(error))))?;
        let verbose = tracing::enabled!(target: "rclone", tracing::Level::DEBUG);
        let log_level = if verbose {
            LogLevel::Debug
        } else {
            LogLevel::default()
        };
        let options = self.options.clone();
        let spawn = SpawnOptions {
            options,
            log_level,
            ..spawn
        };
        match Workers::start(spawn, &self.interrupt) {
            Ok(workers) => Ok(workers),
            Err(RcloneError::Options(problems)) if self.config.is_some() => {
                let config = self.config.iter();
                let diagnostics = config.flat_map(|config| {
                    problems.iter().map(|problem| {
                        let nearest = problem.nearest.as_deref();
                        config.rclone_option_diagnostic(&problem.name, &problem.why, nearest)
                    })
                });
                Err(OpenError::Options(diagnostics.collect()))
            }
            Err(error) => Err(failed(error).into()),
        }
    }
}

fn value(value: &config::OptionValue) -> OptionValue {
    match value {
        config::OptionValue::Bool(value) => OptionValue::Bool(*value),
        config::OptionValue::Integer(value) => OptionValue::Integer(*value),
        config::OptionValue::Text(value) => OptionValue::Text(value.clone()),
        config::OptionValue::List(values) => OptionValue::List(values.clone()),
    }
}
