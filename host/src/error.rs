//! Everything that can end a command, as facts. What to do about each is `cli/ending.rs`'s to say.

mod interruption;
mod of_hooks;
mod of_services;

use std::error::Error;
use std::io;
use std::path::PathBuf;

use copal_core::config::{InvalidConfig, InvalidName, InvalidRemote};
use copal_core::diagnostic::Diagnostic;
use copal_core::path::RelPath;
use copal_core::schedule::InvalidWhen;
use copal_core::shrunk::Shrunk;
use copal_hooks::HookFailure;

use crate::capability::unheld::{CantHold, Unheld};
use crate::check::CheckError;
use crate::edge::history::HistoryError;
use crate::edge::interrupt::Interrupted;
use crate::edge::leftovers::Leftover;
use crate::edge::lock::LockError;
use crate::edge::log::LogError;
use crate::edge::metrics_file::MetricsFileError;
use crate::edge::rclone::OpenError;
use crate::edge::remote::RemoteError;
use crate::edge::schedule::ScheduleError;
use crate::edge::staging::StagingError;
use crate::holds::HoldsError;
use crate::hook_error::HookCommandError;
use crate::hooks::HooksError;
use crate::init::InitError;
use crate::step::compare::Difference;
use crate::step::mirror::MirrorError;
use crate::step::old_tree::OldTreeError;
use crate::step::plan::PlanError;
use crate::step::preflight::PreflightError;
use crate::step::prune::PruneError;
use crate::step::restore::RestoreError;
use crate::step::schema::OtherSchema;
use crate::step::seal::SealError;
use crate::step::snapshots::StoreError;
use crate::step::stage::StageError;
use crate::step::swap::{SwapError, Unfinished};
use crate::step::transfer::TransferError;
use crate::step::verify::VerifyError;

/// What ended a command.
#[derive(Debug, thiserror::Error)]
pub enum CopalError {
    /// There is no configuration file, and no flags in its place.
    #[error("there is no configuration")]
    NoConfig {
        /// Where one was looked for.
        looked: Vec<PathBuf>,
    },
    /// There is no configuration, and it alone says what a restore in place replaces.
    #[error("there is no configuration, which would say what `--in-place` replaces")]
    NoPlace {
        /// Where one was looked for.
        looked: Vec<PathBuf>,
    },
    /// The configuration file can't be read.
    #[error("can't read the configuration `{}`", .path.display())]
    ConfigUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] InvalidConfig),
    /// rclone does not take an option of `[rclone]`.
    #[error("the configuration has options that rclone does not take")]
    RcloneOptions(Vec<Diagnostic>),
    /// A remote on the command line is none.
    #[error("can't use that remote")]
    Remote(#[from] InvalidRemote),
    /// A name on the command line, or a directory's, can't be a job's.
    #[error("`{name}` can't be a job's name")]
    Name {
        /// The name.
        name: String,
        /// Why.
        source: InvalidName,
    },
    /// There is no place for Copal's own state.
    #[error("there is no home directory to keep Copal's state in")]
    NoState,
    /// A job without destinations.
    #[error("the job has no destination")]
    NoDestination,
    /// Signals can't be listened to.
    #[error("can't listen to signals")]
    Signals(#[source] io::Error),
    /// The JSON on the command line is none.
    #[error("that is no JSON object")]
    Json(#[source] serde_json::Error),
    /// The remote control is not served.
    #[error("can't serve the remote control: {0}")]
    NotServed(String),
    /// The result can't be written.
    #[error("can't write the result")]
    Output(#[source] io::Error),
    /// A file or directory that was asked for can't be written.
    #[error("can't write `{}`", .path.display())]
    Unwritable {
        /// It.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody said in which form a report is wanted.
    #[error("it is not said in which form the report is wanted")]
    NoForm,
    /// The mark of a run before can't be read.
    #[error("can't read `{}`, which tells whether a run before this one was killed", .path.display())]
    UnreadMark {
        /// The mark.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file for metrics can't be written.
    #[error(transparent)]
    Metrics(#[from] MetricsFileError),
    /// The lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The hooks can't be loaded.
    #[error(transparent)]
    Hooks(#[from] HooksError),
    /// A hook failed in a phase.
    #[error(transparent)]
    Hook(#[from] HookFailure),
    /// A command about hooks.
    #[error(transparent)]
    HookCommand(Box<HookCommandError>),
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The preflight.
    #[error(transparent)]
    Preflight(#[from] PreflightError),
    /// The staging directory.
    #[error(transparent)]
    Staging(#[from] StagingError),
    /// The staging.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// The transfer.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The seal.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Something was not pruned.
    #[error(transparent)]
    Prune(Box<PruneError>),
    /// The configuration does not say what is kept.
    #[error("the configuration does not say which snapshots are kept")]
    NoRetention,
    /// Every destination is a mirror.
    #[error("no destination of the job has snapshots")]
    MirrorsAlone,
    /// Snapshots can't be found or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The remote.
    #[error(transparent)]
    RemoteFailed(#[from] RemoteError),
    /// A verification could not be done.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// A snapshot is not what was sealed.
    #[error("the snapshot {id} is damaged")]
    Damaged {
        /// The snapshot.
        id: copal_core::snapshot::SnapshotId,
        /// What is wrong with it.
        differences: Vec<Difference>,
    },
    /// What is damaged of a snapshot was not restored, as the owner wants it.
    #[error("of {id} was left out what is damaged or missing there: {}", some(.files))]
    LeftOut {
        /// The snapshot.
        id: copal_core::snapshot::SnapshotId,
        /// The files.
        files: Vec<RelPath>,
    },
    /// The last snapshot is not what was sealed, as a backup found that was to share its files.
    #[error("the last snapshot {id} is damaged: {}", some(.files))]
    LastDamaged {
        /// The snapshot.
        id: copal_core::snapshot::SnapshotId,
        /// What is otherwise or gone, by its names there.
        files: Vec<String>,
    },
    /// A database of a snapshot fails its check.
    #[error("the database `{database}` of {id} is damaged")]
    Unsound {
        /// The snapshot.
        id: copal_core::snapshot::SnapshotId,
        /// The database.
        database: RelPath,
        /// What SQLite says is wrong with it.
        problems: Vec<String>,
    },
    /// A tree can't take the place of the live one.
    #[error(transparent)]
    Swap(#[from] SwapError),
    /// The snapshot is not of one moment there.
    #[error("the snapshot is not of one moment: it has what was written in place after the release to {}", some(.0))]
    Outrun(Vec<RelPath>),
    /// More was deleted or renamed under the run than an app does in passing.
    #[error("{} files were deleted or renamed while the run went on, and may be in no snapshot: {}", .0.len(), some(.0))]
    Missed(Vec<RelPath>),
    /// Databases have lost most of their rows, so that nothing was pruned.
    #[error("{}", joined(.0))]
    Shrunk(Vec<Shrunk>),
    /// A directory of a run's own is still there.
    #[error(transparent)]
    LeftBehind(#[from] Leftover),
    /// Another tree is live, and something about it is not as it should be.
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
    /// An old tree is not swapped back, or not deleted.
    #[error(transparent)]
    OldTree(Box<OldTreeError>),
    /// A directory of a run's own can't be made or looked through.
    #[error("can't {deed} `{}`", .path.display())]
    Scratch {
        /// What was to be done.
        deed: &'static str,
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A restore could not be done.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// A path that was asked for is in no snapshot.
    #[error("there is no `{path}` in {id}")]
    NoSuchPath {
        /// The path.
        path: String,
        /// The snapshot.
        id: copal_core::snapshot::SnapshotId,
    },
    /// A mirror does not follow its source.
    #[error(transparent)]
    Mirror(Box<MirrorError>),
    /// A mirror may have a part of the source alone.
    #[error("a mirror is not restored in place, and `{0}` is one")]
    MirrorInPlace(String),
    /// The app at the source may be older than the snapshot.
    #[error(transparent)]
    OtherSchema(Box<OtherSchema>),
    /// The holds.
    #[error(transparent)]
    Holds(Box<HoldsError>),
    /// A service was to be held, and is not there at all.
    #[error("service `{}` was not held: {}", .0.service, .0.why)]
    NotThere(Unheld),
    /// A service can't be held as a hook asks for.
    #[error(transparent)]
    CantHold(Box<CantHold>),
    /// No configuration is written.
    #[error(transparent)]
    Init(Box<InitError>),
    /// A check found what a backup would stumble over.
    #[error(transparent)]
    Check(Box<CheckError>),
    /// The history.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A time on the command line is none.
    #[error("`{text}` does not say when")]
    When {
        /// What it says.
        text: String,
        /// Why.
        source: InvalidWhen,
    },
    /// A job can't be scheduled.
    #[error(transparent)]
    Schedule(Box<ScheduleError>),
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl From<OpenError> for CopalError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Options(problems) => Self::RcloneOptions(problems),
            OpenError::Remote(remote) => Self::RemoteFailed(remote),
        }
    }
}

impl From<HoldsError> for CopalError {
    fn from(error: HoldsError) -> Self {
        Self::Holds(Box::new(error))
    }
}

impl From<InitError> for CopalError {
    fn from(error: InitError) -> Self {
        Self::Init(Box::new(error))
    }
}

impl From<CheckError> for CopalError {
    fn from(error: CheckError) -> Self {
        Self::Check(Box::new(error))
    }
}

impl From<OldTreeError> for CopalError {
    fn from(error: OldTreeError) -> Self {
        Self::OldTree(Box::new(error))
    }
}

impl From<PruneError> for CopalError {
    fn from(error: PruneError) -> Self {
        Self::Prune(Box::new(error))
    }
}

impl From<ScheduleError> for CopalError {
    fn from(error: ScheduleError) -> Self {
        Self::Schedule(Box::new(error))
    }
}

impl From<HookCommandError> for CopalError {
    fn from(error: HookCommandError) -> Self {
        Self::HookCommand(Box::new(error))
    }
}

impl CopalError {
    /// Why it failed: what the errors below say, each once.
    pub fn why(&self) -> Vec<String> {
        let causes = std::iter::successors(self.source(), |error| (*error).source());
        let mut why: Vec<String> = causes.map(ToString::to_string).collect();
        let what = self.to_string();
        // Some errors repeat the text of what is below them.
        why.dedup();
        why.retain(|text| !what.contains(text.as_str()));
        if why.is_empty() {
            match self {
                Self::HookCommand(error) => why.extend(error.reason()),
                Self::Holds(error) => why.extend(error.reason()),
                Self::Plan(PlanError::Lacking(lacks)) => {
                    why.extend(lacks.iter().map(ToString::to_string));
                }
                other => why.extend(other.reason().map(str::to_owned)),
            }
        }
        why
    }

    /// The same, with each thing that is wrong where there may be many.
    pub fn in_full(&self) -> Vec<String> {
        const SHOWN: usize = 20;
        let mut all: Vec<String> = match self {
            Self::Damaged { differences, .. } => {
                differences.iter().map(ToString::to_string).collect()
            }
            Self::Unsound { problems, .. } => problems.clone(),
            Self::Check(error) => error.problems().to_vec(),
            _ => Vec::new(),
        };
        let more = all.len().saturating_sub(SHOWN);
        all.truncate(SHOWN);
        if more > 0 {
            all.push(format!("and {more} more"));
        }
        let mut why = self.why();
        why.append(&mut all);
        why
    }

    /// Why it is an error at all, for what has no cause below it.
    fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoConfig { .. } => "without one, nothing says what to back up, and where to",
            Self::NoPlace { .. } => {
                "the place is the `path` of its [source]; `--from` says only where the snapshots are"
            }
            Self::NoForm => {
                "it is a page for a browser (`--html`), or JSON with that page in it (`--json`)"
            }
            Self::MirrorsAlone => "a mirror has one state, the present one",
            Self::NoRetention => "without `[retention]`, snapshots are kept for ever",
            Self::Prune(error) if matches!(**error, PruneError::NotListed { .. }) => {
                "where snapshots are missing from the list, the wrong ones would go"
            }
            Self::Prune(error) if matches!(**error, PruneError::Passed { .. }) => {
                "by `[retention]` the new one would go itself"
            }
            Self::Schedule(error) => return error.reason(),
            Self::Init(error) => return error.reason(),
            Self::NoState => {
                "the history, locks, and what tells of a run that was killed have to be somewhere"
            }
            Self::Lock(LockError::Held { .. }) => "two runs at once would disturb each other",
            Self::Plan(PlanError::NotADirectory(_)) => {
                "it is a file, and a job backs up a directory"
            }
            Self::Plan(PlanError::Uncovered(_)) => {
                "copied while the app writes to it, it would be torn"
            }
            Self::Plan(PlanError::ReservedName) => "snapshots keep their manifest under that name",
            Self::Preflight(
                PreflightError::DestinationInSource { .. }
                | PreflightError::DestinationShownInSource { .. },
            ) => "every snapshot would hold those before it",
            Self::Preflight(PreflightError::SourceInDestination { .. }) => {
                "snapshots would be written among what they are taken of"
            }
            Self::Preflight(PreflightError::NoRoomToSend { .. }) => {
                "it tells no hash of what arrives, so that a file that may change is sent from a copy"
            }
            Self::Preflight(PreflightError::FromTheFuture { .. }) => {
                "a clock is wrong, or was; `latest` means that snapshot and not today's"
            }
            Self::Preflight(PreflightError::Hides { .. }) => {
                "snapshots would be gone although nobody removed them"
            }
            Self::Preflight(PreflightError::ClockOff { .. }) => {
                "snapshots are named by this machine's clock, and some servers refuse what comes at another time"
            }
            Self::Preflight(PreflightError::NoRoom { .. } | PreflightError::NoRoomThere { .. })
            | Self::Restore(RestoreError::NoRoom { .. }) => "it would not fit",
            Self::Preflight(
                PreflightError::SourceEmptied { .. }
                | PreflightError::DatabaseMissing { .. }
                | PreflightError::DatabaseEmptied { .. },
            ) => "most likely the app lost it, and a new snapshot would not have it either",
            Self::Preflight(PreflightError::Unmounted { .. }) => {
                "the new snapshot does not have what lay on it"
            }
            Self::Restore(RestoreError::HalfMoved(_)) => {
                "the rest is in its `.copal-restoring`, so that the app's data there is not whole"
            }
            Self::Restore(RestoreError::NotEmpty(_)) => {
                "what is in it would be mixed with the snapshot"
            }
            Self::Mirror(error)
            | Self::Transfer(TransferError::Mirror(error))
            | Self::Preflight(PreflightError::Mirror(error)) => return error.reason(),
            Self::OldTree(error) => return error.reason(),
            Self::MirrorInPlace(_) => {
                "it may have a part of the source alone, and the rest would be gone"
            }
            Self::LastDamaged { .. } => {
                "files of it are not what was sealed; the new snapshot has them whole, from the source"
            }
            Self::LeftOut { .. } => "another content than was sealed is no file of the app's",
            Self::OtherSchema(_) => {
                "no later snapshot has that, so that the app there may be the older one, and an app does not read the data of a later one"
            }
            Self::Store(StoreError::BeingPruned(_)) => "its files may be gone in the next moment",
            Self::Store(StoreError::NoMirror(_)) => "no run has come to its end there",
            Self::Shrunk(_) => {
                "most likely the app began afresh or was emptied; the snapshot is sealed as it is, and no older one was removed"
            }
            Self::NotThere(_) => "if it runs under another name, it may have written meanwhile",
            Self::Stage(StageError::NeverStill(_)) => "no moment was found in which it was whole",
            _ => return None,
        })
    }

    /// What failed and why, for hooks and logs.
    pub fn in_one_line(&self) -> String {
        let mut parts = vec![self.to_string()];
        parts.extend(self.why());
        parts.join(": ").replace('\n', " ")
    }
}

/// What is told of each.
fn joined<T: std::fmt::Display>(all: &[T]) -> String {
    let told: Vec<_> = all.iter().map(ToString::to_string).collect();
    told.join(", ")
}

/// The names in a message.
pub(crate) fn some<T: std::fmt::Display>(paths: &[T]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<_> = paths
        .iter()
        .take(SHOWN)
        .map(|path| format!("`{path}`"))
        .collect();
    match paths.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
