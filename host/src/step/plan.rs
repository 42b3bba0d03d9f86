//! Plan: what a run would do, found out without doing it and without the remote.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use copal_core::manifest::COPAL_DIR;
use copal_core::path::RelPath;
use copal_core::staging::Unfit;
use copal_core::units::ByteCount;
use copal_hooks::{Account, Cancel};
use jiff::Timestamp;

use super::cores::{MANY, on_every_core};
use super::services::{self, FoundService};
use super::way::{Forecast, Looked, forecast};
use crate::capability::lacking::{Lack, lacking};
use crate::capability::means::Means;
use crate::capability::sqlite;
use crate::capability::unheld::CantHold;
use crate::edge::beneath::Beneath;
use crate::edge::fate;
use crate::edge::interrupt::{Interrupt, Interrupted};
use crate::edge::log_frames::size_by_log;
use crate::edge::source::SourceError;
use crate::edge::state::StateDir;
use crate::edge::top::Top;
use crate::edge::walk::{Found, FoundKind, WalkError, Walked, total_size, walk};
use crate::filters::{FilterFailed, Filters};
use crate::hooks::Hooks;
use crate::job::Job;

/// What a run would do.
#[derive(Debug)]
pub struct Plan {
    /// The live tree, without links on the way to it.
    pub source: Top,
    /// What belongs to the snapshot, and what does not.
    pub walked: Walked,
    /// The databases among it, sorted.
    pub databases: Vec<PlannedDatabase>,
    /// What each filter did.
    pub filtered: Vec<(String, Account)>,
    /// How it is going to be staged.
    pub staging: Forecast,
    /// Why nothing would release services if this process were killed. None where something would, or none
    /// can be held.
    pub unguarded: Option<String>,
    /// The services that may be held, as they are now, where that was asked for.
    pub services: Vec<FoundService>,
}

/// A database in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedDatabase {
    /// Its path.
    pub path: RelPath,
    /// The size of its main file.
    pub size: ByteCount,
    /// The size of its write-ahead log, whose pages are part of it.
    pub log: ByteCount,
    /// About how large a copy of it is.
    pub copy: ByteCount,
    /// Whether it is copied as it lies there, as the owner allowed.
    pub live: bool,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// Where the source lies can't be found out.
    #[error("can't find the source")]
    Lost(#[from] SourceError),
    /// The source is not there.
    #[error("can't open the source `{}`", .path.display())]
    Source {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The source is a file.
    #[error("the source `{}` is not a directory", .0.display())]
    NotADirectory(PathBuf),
    /// A file or directory in it can't be read.
    #[error("can't read `{}`", .path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A filter hook failed.
    #[error(transparent)]
    Filter(#[from] FilterFailed),
    /// Databases that no hook stands in for: they would be copied torn.
    #[error("no hook stands in for {}", crate::step::plan::databases(.0))]
    Uncovered(Vec<RelPath>),
    /// It can't be staged as the owner asks.
    #[error(transparent)]
    Staging(#[from] Unfit),
    /// Commands and secrets that hooks are granted.
    #[error("hooks are granted what is not there: see {}", crate::capability::lacking::tables(.0))]
    Lacking(Vec<Lack>),
    /// A service that a hook is to hold can't be held so.
    #[error(transparent)]
    CantHold(#[from] Box<CantHold>),
    /// The source has a name that snapshots need.
    #[error("the source has a `{COPAL_DIR}` of its own")]
    ReservedName,
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// The names in a message.
pub(crate) fn databases(paths: &[RelPath]) -> String {
    let names: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    match &names[..] {
        [one] => format!("the database {one}"),
        many => format!("the databases {}", many.join(", ")),
    }
}

impl From<WalkError<FilterFailed>> for PlanError {
    fn from(error: WalkError<FilterFailed>) -> Self {
        match error {
            WalkError::Unreadable { path, source } => Self::Unreadable { path, source },
            WalkError::Filter(failed) => Self::Filter(failed),
            WalkError::Interrupted(interrupted) => Self::Interrupted(interrupted),
        }
    }
}

/// Looks at the source through the filters.
pub fn plan(
    job: &Job,
    hooks: &Hooks,
    means: &Means,
    state: &StateDir,
    now: Timestamp,
    interrupt: &Interrupt,
) -> Result<Plan, PlanError> {
    let lacks = lacking(
        means,
        hooks.iter().map(|hook| (hook.name(), hook.in_force())),
    );
    if !lacks.is_empty() {
        return Err(PlanError::Lacking(lacks));
    }
    services::check(job, means)?;
    let seen = Seen::of(job, hooks, state, interrupt)?;
    let uncovered = seen.uncovered(hooks);
    if !uncovered.is_empty() {
        return Err(PlanError::Uncovered(uncovered));
    }
    Ok(seen.plan(job, hooks, state, now)?)
}

/// The source as the filters let it be seen, and the databases among it.
#[derive(Debug)]
pub struct Seen {
    source: Top,
    walked: Walked,
    databases: Vec<PlannedDatabase>,
    filtered: Vec<(String, Account)>,
}

impl Seen {
    /// Walks the source, and opens every file of it that belongs to the snapshot.
    pub fn of(
        job: &Job,
        hooks: &Hooks,
        state: &StateDir,
        interrupt: &Interrupt,
    ) -> Result<Self, PlanError> {
        let source = open_source(job)?;
        let mut filters = Filters::start(hooks, &Cancel::from(interrupt.flag()))?;
        let walked = walk(&source, &job.never(state), &mut filters, interrupt)?;
        let filtered = filters.finish();
        if super::stage::uses_reserved_name(&walked.kept) {
            return Err(PlanError::ReservedName);
        }
        let databases = find_databases(job, &source, &walked.kept, interrupt)?;
        Ok(Self {
            source,
            walked,
            databases,
            filtered,
        })
    }

    /// The databases that no hook stands in for, and that are not to be copied live either.
    pub fn uncovered(&self, hooks: &Hooks) -> Vec<RelPath> {
        let databases = self.databases.iter();
        databases
            .filter(|database| !database.live && !hooks.may_copy(&database.path))
            .map(|database| database.path.clone())
            .collect()
    }

    /// What a run would do with it. Whether all databases are stood in for is not asked again.
    pub fn plan(
        self,
        job: &Job,
        hooks: &Hooks,
        state: &StateDir,
        now: Timestamp,
    ) -> Result<Plan, Unfit> {
        let looked = Looked {
            source: &self.source,
            kept: &self.walked.kept,
            databases: &self.databases,
            now,
        };
        let staging = forecast(job, hooks, state, &looked)?;
        Ok(Plan {
            source: self.source,
            walked: self.walked,
            databases: self.databases,
            filtered: self.filtered,
            staging,
            unguarded: unguarded(job),
            services: Vec::new(),
        })
    }

    /// The live tree.
    pub fn source(&self) -> &Top {
        &self.source
    }

    /// The databases in it, sorted.
    pub fn databases(&self) -> &[PlannedDatabase] {
        &self.databases
    }

    /// Number and size of the files that the filters kept.
    pub fn files(&self) -> (u64, ByteCount) {
        let kept = self.walked.kept.iter();
        let files: Vec<&Found> = kept.filter(|it| it.kind == FoundKind::File).collect();
        (files.len() as u64, total_size(files.iter().copied()))
    }
}

fn open_source(job: &Job) -> Result<Top, PlanError> {
    let named = job.source()?.path.clone();
    let source = named.canonicalize().map_err(|source| PlanError::Source {
        path: named.clone(),
        source,
    })?;
    if !source.is_dir() {
        return Err(PlanError::NotADirectory(named));
    }
    Top::hold(&source).map_err(|error| PlanError::Source {
        path: named,
        source: error,
    })
}

fn unguarded(job: &Job) -> Option<String> {
    let has_services = !job.config.services().is_empty();
    let why = has_services.then(fate::shared).flatten()?;
    Some(fate::told(&why))
}

/// Opens every file: those that can't be read are named before anything is paused.
fn find_databases(
    job: &Job,
    source: &Top,
    kept: &[Found],
    interrupt: &Interrupt,
) -> Result<Vec<PlannedDatabase>, PlanError> {
    let files = kept.iter().filter(|found| found.kind == FoundKind::File);
    let mut databases = on_every_core(files.collect(), MANY, |found: &Found| {
        interrupt.check()?;
        let file = Beneath::of(source, &found.path);
        match sqlite::is_database(file) {
            Ok(true) => Ok(Some(PlannedDatabase {
                path: found.path.clone(),
                size: found.version.size(),
                log: sqlite::log_size(source, &found.path),
                copy: size_by_log(source, &found.path).unwrap_or(found.version.size()),
                live: job.config.allows_live(&found.path),
            })),
            Ok(false) => Ok(None),
            // The app deleted it since the walk.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => {
                let path = file.place();
                Err(PlanError::Unreadable { path, source })
            }
        }
    })?;
    databases.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(databases)
}

impl Plan {
    /// The paths of the databases that hooks are to copy.
    pub fn to_copy(&self) -> Vec<RelPath> {
        let copied = self.databases.iter().filter(|database| !database.live);
        copied.map(|database| database.path.clone()).collect()
    }

    /// The paths of the databases that are copied as they lie there.
    pub fn live(&self) -> Vec<RelPath> {
        let live = self.databases.iter().filter(|database| database.live);
        live.map(|database| database.path.clone()).collect()
    }

    /// Number and size of the files that belong to the snapshot, logs of databases left aside.
    pub fn files(&self) -> (u64, ByteCount) {
        self.files_that(|_| true)
    }

    /// The same of those whose path is as `which` says.
    pub fn files_that(&self, which: impl Fn(&RelPath) -> bool) -> (u64, ByteCount) {
        let files: Vec<&Found> = self
            .all_files()
            .filter(|found| which(&found.path))
            .collect();
        (files.len() as u64, total_size(files.iter().copied()))
    }

    /// Those that nothing is to stand in for.
    pub fn live_files(&self) -> impl Iterator<Item = &Found> {
        let copied: HashSet<RelPath> = self.to_copy().into_iter().collect();
        self.all_files()
            .filter(move |found| !copied.contains(&found.path))
    }

    /// The files that belong to the snapshot, logs of databases left aside.
    pub fn all_files(&self) -> impl Iterator<Item = &Found> {
        let is_database = |path: &RelPath| self.databases.iter().any(|d| d.path == *path);
        let files = self.walked.kept.iter();
        files.filter(move |found| {
            found.kind == FoundKind::File && !sqlite::is_sidecar(&found.path, is_database)
        })
    }

    /// Room that the databases' copies take.
    pub fn staging_bytes(&self) -> ByteCount {
        self.databases
            .iter()
            .filter(|database| !database.live)
            .map(|database| database.size)
            .sum()
    }
}
