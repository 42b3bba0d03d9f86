//! The hooks of a job: loaded, called phase by phase, and remembered for the manifest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use copal_core::config::{self, Component, Config, OnError};
use copal_core::grants::{Capability, Need};
use copal_core::manifest::HookRecord;
use copal_core::path::RelPath;
use copal_hooks::{Hook, HookEngine, HookError, HookFailure, HookSpec, Limits, Phase, RunInfo};

use crate::calls::HookRun;
use crate::pin::{self, PinError};

/// Why a job's hooks can't be used.
#[derive(Debug, thiserror::Error)]
pub enum HooksError {
    /// wasmtime does not work on this machine.
    #[error("can't start the hooks")]
    Engine(#[source] copal_hooks::EngineError),
    /// A component's file can't be read.
    #[error("can't read `{}`, the component of hook `{hook}`", .path.display())]
    Unreadable {
        /// The hook.
        hook: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A component is not the one that was granted what it is granted.
    #[error(transparent)]
    Pin(#[from] Box<PinError>),
    /// A component was refused.
    #[error(transparent)]
    Refused(#[from] HookError),
}

/// A job's hooks, in the order of its configuration. How they are called is in `calls.rs`.
pub struct Hooks {
    pub(crate) loaded: Vec<Hook>,
    /// What becomes of a run in which the hook of the same place fails.
    pub(crate) on_error: Vec<OnError>,
    pub(crate) run: RunInfo,
    /// What each hook did in each phase so far.
    pub(crate) runs: Vec<HookRun>,
    /// Failures that are not the end of the run.
    pub(crate) shortcomings: Vec<HookFailure>,
}

impl Hooks {
    /// Loads the hooks that `config` lists; files are relative to `base`.
    pub fn load(config: &Config, base: &Path, run: RunInfo) -> Result<Self, HooksError> {
        match Self::load_each(config, base, run) {
            (hooks, None) => Ok(hooks),
            (_, Some(refused)) => Err(refused),
        }
    }

    /// Loads those that can be used, and tells of the first that can't: whoever is to hear how a run ended
    /// is to hear of that, too.
    pub fn load_each(config: &Config, base: &Path, run: RunInfo) -> (Self, Option<HooksError>) {
        match Self::load_what_can_be(config, base, run.clone()) {
            Ok((hooks, refused)) => (hooks, refused.into_iter().next().map(|(_, error)| error)),
            Err(error) => (Self::none(run), Some(error)),
        }
    }

    /// Loads those that can be used, and tells by the names of the others why they can't.
    pub fn load_what_can_be(
        config: &Config,
        base: &Path,
        run: RunInfo,
    ) -> Result<(Self, Vec<(String, HooksError)>), HooksError> {
        let engine = crate::hook_engine::engine().map_err(HooksError::Engine)?;
        // Compiling takes most of it, and each hook is compiled for itself.
        let results: Vec<Result<Hook, HooksError>> = thread::scope(|scope| {
            let engine = &engine;
            let hooks = config.hooks().iter();
            let threads: Vec<_> = hooks
                .map(|hook| scope.spawn(move || load(engine, hook, base)))
                .collect();
            let joined = threads.into_iter();
            joined
                .map(|thread| thread.join().expect("loading does not panic"))
                .collect()
        });
        let (mut hooks, mut refused) = (Self::none(run), Vec::new());
        for (hook, result) in config.hooks().iter().zip(results) {
            match result {
                Ok(loaded) => {
                    hooks.loaded.push(loaded);
                    hooks.on_error.push(hook.on_error);
                }
                Err(error) => refused.push((hook.name.to_string(), error)),
            }
        }
        Ok((hooks, refused))
    }

    /// Those of a run without a configuration.
    pub fn none(run: RunInfo) -> Self {
        Self {
            loaded: Vec::new(),
            on_error: Vec::new(),
            run,
            runs: Vec::new(),
            shortcomings: Vec::new(),
        }
    }

    /// The hooks themselves.
    pub fn iter(&self) -> impl Iterator<Item = &Hook> {
        self.loaded.iter()
    }

    /// Those that take part in a phase.
    pub fn in_phase(&self, phase: Phase) -> impl Iterator<Item = &Hook> {
        self.loaded.iter().filter(move |hook| hook.has(phase))
    }

    /// The run they belong to.
    pub fn run(&self) -> &RunInfo {
        &self.run
    }

    /// Whether some hook could have this database copied: it prepares backups and has the grant.
    pub fn may_copy(&self, database: &RelPath) -> bool {
        self.copying(database).next().is_some()
    }

    /// The hooks that could.
    pub fn copying(&self, database: &RelPath) -> impl Iterator<Item = &Hook> {
        let need = Need::Database(database.clone());
        self.in_phase(Phase::PreBackup)
            .filter(move |hook| hook.in_force().cover(&need))
    }

    /// Whether one may hold a service.
    pub fn may_hold(&self) -> bool {
        self.in_phase(Phase::PreBackup).any(|hook| {
            let granted = hook.in_force().grants.entries();
            granted
                .iter()
                .any(|(capability, _)| *capability == Capability::Service)
        })
    }

    /// What the manifest says of them: how each phase so far has ended.
    pub fn records(&self) -> Vec<HookRecord> {
        let record = |hook: &Hook| {
            let own = self.runs.iter().filter(|run| run.hook == hook.name());
            let phases = own.map(|run| {
                let failure = run.outcome.as_ref().err();
                let outcome = failure.map_or_else(|| "ok".to_owned(), |f| f.kind.to_string());
                (run.phase.to_string(), outcome)
            });
            HookRecord {
                name: hook.name().to_owned(),
                sha256: hook.digest(),
                phases: phases.collect(),
            }
        };
        self.loaded.iter().map(record).collect()
    }
}

/// What a hook may use, in words: what it is granted, as far as it asks for that.
pub fn rights(hook: &Hook) -> String {
    let entries = hook.in_force().both().entries();
    if entries.is_empty() {
        return "no grants".to_owned();
    }
    let mut all: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (capability, value) in entries {
        all.entry(capability).or_default().push(value);
    }
    let all = all
        .into_iter()
        .map(|(capability, values)| match capability {
            Capability::State => capability.to_string(),
            _ => format!("{capability} on {}", values.join(", ")),
        })
        .collect::<Vec<_>>();
    format!("may use {}", all.join(" and "))
}

fn load(engine: &HookEngine, hook: &config::Hook, base: &Path) -> Result<Hook, HooksError> {
    let name = hook.name.as_str();
    let (component, file): (Cow<'static, [u8]>, _) = match &hook.component {
        Component::Builtin(builtin) => {
            let component = copal_hooks::builtin(builtin.name())
                .expect("every built-in that a configuration may name is part of the binary");
            (component.into(), None)
        }
        Component::File(file) => {
            let path = file.resolve(base);
            let read = fs::read(&path).map_err(|source| HooksError::Unreadable {
                hook: name.to_owned(),
                path: path.clone(),
                source,
            })?;
            (read.into(), Some(path))
        }
    };
    let spec = HookSpec {
        name,
        component: &component,
        config: hook.config.clone(),
        grants: hook.grants.clone(),
        limits: limits(hook.limits),
    };
    engine.load_if(spec, |digest| match file {
        Some(path) => Ok(pin::check(hook, path, digest)?),
        None => Ok(()),
    })
}

fn limits(given: config::Limits) -> Limits {
    let default = Limits::default();
    Limits {
        memory: given.memory,
        stack: given.stack.unwrap_or(default.stack),
        wall: given.wall.unwrap_or(default.wall),
        filter_wall: given.filter_wall.unwrap_or(default.filter_wall),
        hostcall: given.hostcall.unwrap_or(default.hostcall),
        log: given.log.unwrap_or(default.log),
        calls: given.calls.unwrap_or(default.calls),
        command_output: given.command_output.unwrap_or(default.command_output),
        http_body: given.http_body.unwrap_or(default.http_body),
        http_wall: given.http_wall.unwrap_or(default.http_wall),
        state: given.state.unwrap_or(default.state),
    }
}
