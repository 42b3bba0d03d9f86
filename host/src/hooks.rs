//! The hooks of a job: loaded, called phase by phase, and remembered for the manifest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use copal_core::config::{self, Component, Config};
use copal_core::manifest::HookRecord;
use copal_core::path::{InvalidPath, RelPath};
use copal_hooks::{
    Cancel, Capabilities, Capability, Grants, Hook, HookEngine, HookError, HookFailure, HookSpec,
    Limits, Pattern, Phase, Report, RunInfo,
};

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
    /// A component was refused.
    #[error(transparent)]
    Refused(#[from] HookError),
    /// A grant names no path inside the source.
    #[error("the grants of hook `{hook}` can't be used")]
    Grant {
        /// The hook.
        hook: String,
        /// Why.
        source: InvalidPath,
    },
}

/// A job's hooks, in the order of its configuration.
pub struct Hooks {
    loaded: Vec<Hook>,
    run: RunInfo,
    /// What became of each hook in each phase.
    outcomes: Vec<BTreeMap<String, String>>,
}

impl Hooks {
    /// Loads the hooks that `config` lists; files are relative to `base`.
    pub fn load(config: &Config, base: &Path, run: RunInfo) -> Result<Self, HooksError> {
        let engine = HookEngine::new().map_err(HooksError::Engine)?;
        // Compiling takes most of it, and each hook is compiled for itself.
        let loaded: Vec<Hook> = thread::scope(|scope| {
            let engine = &engine;
            let threads: Vec<_> = config
                .hooks()
                .iter()
                .map(|hook| scope.spawn(move || load(engine, hook, base)))
                .collect();
            let joined = threads
                .into_iter()
                .map(|thread| thread.join().expect("loading does not panic"));
            joined.collect::<Result<_, _>>()
        })?;
        let outcomes = vec![BTreeMap::new(); loaded.len()];
        Ok(Self {
            loaded,
            run,
            outcomes,
        })
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
        self.in_phase(Phase::PreBackup)
            .any(|hook| hook.grants().cover(Capability::Sqlite, database))
    }

    /// Lets each hook that takes part prepare the source; the first failure ends it.
    pub fn pre_backup(
        &mut self,
        capabilities: &Arc<dyn Capabilities>,
        cancel: &Cancel,
    ) -> Result<(), HookFailure> {
        for (hook, outcomes) in self.loaded.iter().zip(&mut self.outcomes) {
            if !hook.has(Phase::PreBackup) {
                continue;
            }
            let result = hook.pre_backup(&self.run, Arc::clone(capabilities), cancel);
            outcomes.insert(Phase::PreBackup.to_string(), outcome(result.as_ref().err()));
            result?;
        }
        Ok(())
    }

    /// Tells every hook how the run ended. One that fails does not keep the next from hearing it.
    pub fn post_backup(
        &mut self,
        report: &Report,
        capabilities: &Arc<dyn Capabilities>,
    ) -> Vec<HookFailure> {
        // A signal that ended the run must not end the telling of it.
        let cancel = Cancel::new();
        let mut failures = Vec::new();
        for hook in self
            .loaded
            .iter()
            .filter(|hook| hook.has(Phase::PostBackup))
        {
            let told =
                hook.post_backup(&self.run, report.clone(), Arc::clone(capabilities), &cancel);
            failures.extend(told.err());
        }
        failures
    }

    /// Remembers that the filters did their part.
    pub fn note_filtered(&mut self) {
        for (hook, outcomes) in self.loaded.iter().zip(&mut self.outcomes) {
            if hook.has(Phase::Filter) {
                outcomes.insert(Phase::Filter.to_string(), outcome(None));
            }
        }
    }

    /// What the manifest says of them.
    pub fn records(&self) -> Vec<HookRecord> {
        let record = |(hook, phases): (&Hook, &BTreeMap<String, String>)| HookRecord {
            name: hook.name().to_owned(),
            sha256: hook.digest(),
            phases: phases.clone(),
        };
        self.loaded.iter().zip(&self.outcomes).map(record).collect()
    }
}

fn outcome(failure: Option<&HookFailure>) -> String {
    failure.map_or_else(|| "ok".to_owned(), |failure| failure.kind.to_string())
}

fn load(engine: &HookEngine, hook: &config::Hook, base: &Path) -> Result<Hook, HooksError> {
    let name = hook.name.as_str();
    let component: Cow<'static, [u8]> = match &hook.component {
        Component::Builtin(builtin) => copal_hooks::builtin(builtin.name())
            .expect("every built-in that a configuration may name is part of the binary")
            .into(),
        Component::File(file) => {
            let path = file.resolve(base);
            let read = fs::read(&path);
            read.map_err(|source| HooksError::Unreadable {
                hook: name.to_owned(),
                path,
                source,
            })?
            .into()
        }
    };
    let patterns = |grant: &config::Grant| {
        patterns(grant).map_err(|source| HooksError::Grant {
            hook: name.to_owned(),
            source,
        })
    };
    let grants = Grants {
        sqlite: patterns(&hook.grants.sqlite)?,
        archive: patterns(&hook.grants.archive)?,
    };
    let config = hook.config.clone();
    let limits = limits(hook.limits);
    Ok(engine.load(HookSpec {
        name,
        component: &component,
        config,
        grants,
        limits,
    })?)
}

fn patterns(grant: &config::Grant) -> Result<Vec<Pattern>, InvalidPath> {
    match grant {
        config::Grant::All => Ok(vec![Pattern::All]),
        config::Grant::Named(names) => names.iter().map(|name| name.parse()).collect(),
    }
}

fn limits(given: config::Limits) -> Limits {
    let default = Limits::default();
    Limits {
        memory: given.memory,
        wall: given.wall.unwrap_or(default.wall),
        ..default
    }
}
