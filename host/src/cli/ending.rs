//! The one table of endings: for each error what to do next, and the exit code.
//!
//! No arm is `_` where an error of ours is matched: whoever adds an error decides here how it ends.

use std::process::ExitCode;

use copal_core::snapshot::ResolveError;
use copal_hooks::{Cause, FailureKind, HookFailure, Phase};
use copal_rclone::ErrorKind;

use crate::edge::history::HistoryError;
use crate::edge::interrupt::Signal;
use crate::edge::lock::LockError;
use crate::edge::remote::RemoteError;
use crate::error::CopalError;
use crate::filters::FilterFailed;
use crate::hooks::HooksError;
use crate::pin::PinError;
use crate::step::plan::PlanError;
use crate::step::preflight::PreflightError;
use crate::step::restore::RestoreError;
use crate::step::seal::SealError;
use crate::step::snapshots::StoreError;
use crate::step::stage::StageError;
use crate::step::swap::{SwapError, Unfinished};
use crate::step::transfer::TransferError;
use crate::step::verify::VerifyError;

/// How the process ends. The codes are documented in `docs/exit-codes.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// 0
    Done,
    /// 1: nothing half-done is visible as a snapshot.
    Failed,
    /// 2: usage or configuration.
    Usage,
    /// 3: sealed, but something after it fell short.
    FellShort,
    /// 4: another run holds the lock.
    Locked,
    /// 130 or 143.
    Interrupted(Signal),
}

impl Exit {
    /// Its number.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::FellShort => 3,
            Self::Locked => 4,
            Self::Interrupted(signal) => 128 + signal.number(),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// How an error ends the process.
pub(super) struct Ending {
    /// The exit code.
    pub(super) exit: Exit,
    /// What to do next; empty where the error itself says it.
    pub(super) next: String,
}

pub(super) fn failed(next: impl Into<String>) -> Ending {
    Ending {
        exit: Exit::Failed,
        next: next.into(),
    }
}

pub(super) fn usage(next: impl Into<String>) -> Ending {
    Ending {
        exit: Exit::Usage,
        next: next.into(),
    }
}

fn interrupted(signal: Signal) -> Ending {
    Ending {
        exit: Exit::Interrupted(signal),
        next: "nothing half-done is in use; run it again when you like".to_owned(),
    }
}

/// The table.
pub(super) fn ending(error: &CopalError) -> Ending {
    match error {
        CopalError::NoConfig { looked } => {
            let places: Vec<_> = looked
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            usage(format!(
                "write one of {}, name one with `-c FILE`, or do without: `copal backup --source DIR --to REMOTE:PATH`, \
                 and `--from REMOTE:PATH` for commands that read",
                places.join(", ")
            ))
        }
        CopalError::ConfigUnreadable { .. } => {
            usage("check that the file exists and that you may read it")
        }
        CopalError::Config(_) | CopalError::RcloneOptions(_) => usage(""),
        CopalError::Remote(_) => {
            usage("write it as rclone does: REMOTE:PATH, or a local directory")
        }
        CopalError::Name { .. } => usage("choose another with `--name NAME`"),
        CopalError::NoState => usage("set HOME, or COPAL_STATE_DIR to a directory of Copal's own"),
        CopalError::NoDestination => usage("add a [[destination]]"),
        CopalError::Signals(_) => failed("this is a fault of the system; try again"),
        CopalError::Json(_) => {
            usage("quote it for the shell: copal rclone config/get '{\"name\": \"b2\"}'")
        }
        CopalError::Output(_) => failed("check where standard output goes"),
        CopalError::Lock(lock) => of_lock(lock),
        CopalError::Hooks(hooks) => of_hooks(hooks),
        CopalError::Hook(failure) => of_hook(failure),
        CopalError::HookCommand(error) => super::hook::ending(error),
        CopalError::Plan(plan) => of_plan(plan),
        CopalError::Preflight(preflight) => of_preflight(preflight),
        CopalError::Staging(_) => failed(
            "make room there or give the rights, or choose another directory with `dir` in [staging]",
        ),
        CopalError::Stage(stage) => of_stage(stage),
        CopalError::Transfer(transfer) => of_transfer(transfer),
        CopalError::Seal(seal) => of_seal(seal),
        CopalError::Store(store) => of_store(store),
        CopalError::RemoteFailed(remote) => of_remote(remote),
        CopalError::Verify(verify) => of_verify(verify),
        CopalError::Damaged { .. } => failed(
            "take a new snapshot now, and restore from another one if you have to; then find out what changes files at the destination",
        ),
        CopalError::Unsound { id, .. } => failed(format!(
            "restore no other than an older snapshot; `copal verify --full {id}` tells whether it was damaged after the backup, and a new backup whether the app's own is"
        )),
        CopalError::Swap(swap) => of_swap(swap),
        CopalError::Unfinished(unfinished) => of_unfinished(unfinished),
        CopalError::LeftBehind(_) => failed(
            "nothing uses it any more, and it may hold the app's data: remove it by hand (what lies in Copal's state directory the next run of the same job tries to remove)",
        ),
        CopalError::Scratch { .. } => {
            failed("check its rights and its disk; a drill's copy goes elsewhere with `--in DIR`")
        }
        CopalError::Restore(restore) => of_restore(restore),
        CopalError::NoSuchPath { id, .. } => {
            usage(format!("see what there is with `copal ls {id}`"))
        }
        CopalError::History(history) => of_history(history),
        CopalError::Interrupted(signal) => interrupted(signal.0),
    }
}

fn of_history(error: &HistoryError) -> Ending {
    match error {
        HistoryError::File { .. } | HistoryError::Sqlite { .. } => failed(
            "check the rights and the disk of Copal's state directory; runs go on without it, and each says so",
        ),
        HistoryError::Damaged { .. } => {
            failed("the next run moves it aside and begins a new one; nothing else depends on it")
        }
        HistoryError::SetAside(_) => failed(
            "keep the old file if its runs matter: `sqlite3 FILE .recover` may read some of it",
        ),
        HistoryError::Later(_) => {
            failed("use the later version, or move the file away: the next run begins a new one")
        }
        HistoryError::Empty(_) => {
            failed("`copal backup` makes the first; is COPAL_STATE_DIR that of the runs?")
        }
        HistoryError::Unknown(_) => usage("`copal history` lists the runs that are known"),
        HistoryError::Ambiguous { candidates, .. } => {
            usage(format!("say which: {}", candidates.join(", ")))
        }
    }
}

fn of_lock(error: &LockError) -> Ending {
    match error {
        LockError::Held { .. } => Ending {
            exit: Exit::Locked,
            next: "wait for it to end; the lock goes with its process, so there is never one to remove".to_owned(),
        },
        LockError::Io { .. } => failed("make the directory writable, or set COPAL_STATE_DIR to another"),
    }
}

fn of_hooks(error: &HooksError) -> Ending {
    match error {
        HooksError::Engine(_) => failed(
            "Copal's hooks need a 64-bit x86 or ARM processor and leave to map executable memory",
        ),
        HooksError::Unreadable { .. } => {
            usage("paths of hooks are relative to the configuration file; check `file`")
        }
        HooksError::Pin(pin) => of_pin(pin),
        HooksError::Refused(_) => usage(
            "build the component anew against the interfaces of this version (`wit/`), or take it out of the configuration",
        ),
    }
}

fn of_pin(error: &PinError) -> Ending {
    match error {
        PinError::Unpinned { hook, digest, .. } => usage(format!(
            "if that component is the one you mean, put this line into its [[hook]]: sha256 = \"{digest}\" (`copal hook grant {hook}` shows what it asks for, and writes it)"
        )),
        PinError::Changed { hook, .. } => usage(format!(
            "if that is as it should be, look at what it asks for and grant it anew: `copal hook grant {hook}`"
        )),
    }
}

pub(super) fn of_hook(failure: &HookFailure) -> Ending {
    match &failure.kind {
        FailureKind::Denied(denial) => usage(match &denial.cause {
            Cause::NotGranted { line } => {
                format!("if it should, put this line into its [[hook]]: {line}")
            }
            Cause::NotRequested { .. } => {
                "no grant helps: tell the hook's author, whose component asks for more than it says"
                    .to_owned()
            }
        }),
        FailureKind::Error { .. } => failed(match failure.phase {
            Phase::PostBackup | Phase::PostRestore => {
                "mend what it names; what the run itself came to stands"
            }
            Phase::PreBackup | Phase::Filter | Phase::Staged => {
                "mend what it names, and run the backup again"
            }
            Phase::PreRestore => "nothing was changed; mend what it names, and restore again",
            Phase::Drill => {
                "to the hook this snapshot does not work: see what it names, and drill an older one"
            }
        }),
        FailureKind::TimedOut { .. } | FailureKind::OutOfMemory { .. } => failed(
            "if it needs more, raise its `limits` in the configuration; else tell its author",
        ),
        FailureKind::Trap { .. }
        | FailureKind::OutOfStack { .. }
        | FailureKind::BeyondLimit(_)
        | FailureKind::BadAnswer(_)
        | FailureKind::NotExported => failed(
            "this is a fault of the hook: tell its author, with the log of `copal backup -vv`",
        ),
        FailureKind::Interrupted => failed("run it again when you like"),
        FailureKind::Host(_) => failed(
            "this is a fault of Copal's: please report it, with the log of `copal backup -vv`",
        ),
    }
}

fn of_filter(error: &FilterFailed) -> Ending {
    match error {
        FilterFailed::Hook(failure) => of_hook(failure),
        FilterFailed::Rules { .. } => {
            usage("write rules as rclone's filter files have them: `+ PATTERN` or `- PATTERN`")
        }
    }
}

const READABLE: &str =
    "run Copal as a user who may read it, or leave it out with the `exclude` hook";

fn of_plan(error: &PlanError) -> Ending {
    match error {
        PlanError::Source { .. } => {
            usage("check `path` in [source], or `--source`; is its disk mounted?")
        }
        PlanError::NotADirectory(_) => usage("name the directory that holds the app's data"),
        PlanError::Unreadable { .. } => failed(READABLE),
        PlanError::Filter(filter) => of_filter(filter),
        PlanError::Uncovered(paths) => {
            let path = paths.first().map(ToString::to_string).unwrap_or_default();
            usage(format!(
                "let the built-in hook copy all of them; where there is none yet, add\n\n[[hook]]\nuse = \"sqlite-backup\"\ngrants = {{ sqlite = [\"*\"] }}\n\nand where there is one, only its `grants` line. Or, for one of which a torn copy will do:\n\n[database.\"{path}\"]\nlive = \"allow\""
            ))
        }
        PlanError::ReservedName => usage("rename it, or leave it out with the `exclude` hook"),
        PlanError::Interrupted(signal) => interrupted(signal.0),
    }
}

fn of_preflight(error: &PreflightError) -> Ending {
    match error {
        PreflightError::Remote(remote) => of_remote(remote),
        PreflightError::Store(store) => of_store(store),
        PreflightError::DestinationInSource { .. } | PreflightError::SourceInDestination { .. } => {
            usage("choose a destination that lies elsewhere")
        }
        PreflightError::NoRoom { .. } => {
            failed("make room, or choose another directory with `dir` in [staging]")
        }
        PreflightError::Room { .. } => {
            failed("check the directory, or choose another with `dir` in [staging]")
        }
        PreflightError::SourceEmptied { .. } => failed(
            "is its disk mounted? If it is as it should be, run `copal backup --accept-missing` once",
        ),
        PreflightError::DatabaseMissing { .. } | PreflightError::DatabaseEmptied { .. } => failed(
            "if the app lost it, restore it from the last snapshot; if that is as it should be, run `copal backup --accept-missing` once",
        ),
    }
}

fn of_stage(error: &StageError) -> Ending {
    match error {
        StageError::Unreadable { .. } => failed(READABLE),
        StageError::Filter(filter) => of_filter(filter),
        StageError::Uncovered(_) => failed(
            "a hook that may copy it did not: let `sqlite-backup` take all databases, or run `copal plan` to see which hooks there are",
        ),
        StageError::Vanished(_) => failed(
            "if the app replaces that file while it runs, back up while it is quiet; else run the backup again",
        ),
        StageError::InTheWay(_) => failed(
            "let the hook choose another path (for an archive, one beside it), or take that file out of the source",
        ),
        StageError::NeverStill(_) => failed(
            "leave it out with the `exclude` hook if it is a log or a cache, or back up while the app is quiet",
        ),
        StageError::Staging { .. } => {
            failed("make room there, or choose another directory with `dir` in [staging]")
        }
        StageError::Interrupted(signal) => interrupted(signal.0),
    }
}

fn of_transfer(error: &TransferError) -> Ending {
    match error {
        TransferError::Remote(remote) => of_remote(remote),
        TransferError::Stage(stage) => of_stage(stage),
        TransferError::Mismatch(_) => {
            failed("something else writes there, or the remote lost it; run the backup again")
        }
        TransferError::Interrupted(signal) => interrupted(signal.0),
    }
}

fn of_seal(error: &SealError) -> Ending {
    match error {
        SealError::Staging { .. } => {
            failed("make room there, or choose another directory with `dir` in [staging]")
        }
        SealError::Remote(remote) => of_remote(remote),
        SealError::NoFreeId(_) => failed("give each machine's job a `name` of its own"),
        SealError::NotArrived(_) => {
            failed("the remote took it and does not show it whole; run the backup again")
        }
        SealError::Interrupted(signal) => interrupted(signal.0),
    }
}

fn of_store(error: &StoreError) -> Ending {
    match error {
        StoreError::Remote(remote) => of_remote(remote),
        StoreError::Resolve { source, .. } => match source {
            ResolveError::Empty => {
                failed("take one with `copal backup`, or check the place and `--name`")
            }
            ResolveError::Unknown { newest, .. } => usage(format!(
                "the newest is {newest}; `copal snapshots` lists them all"
            )),
            ResolveError::Ambiguous { candidates, .. } => {
                let ids: Vec<_> = candidates.iter().map(ToString::to_string).collect();
                usage(format!("say which: {}", ids.join(", ")))
            }
        },
        StoreError::Manifest { .. } => failed(
            "its files may still be good: stock rclone can copy them, and `sha256sum -c .copal/SHA256SUMS` check them; use another snapshot if you can",
        ),
        StoreError::WhichName { names, .. } if names.is_empty() => {
            usage("check the place: it is what was given as `--to`, without the job's name")
        }
        StoreError::WhichName { .. } => usage("say which with `--name NAME`"),
        StoreError::Temporary(_) => {
            failed("make room in the temporary directory, or set TMPDIR to another")
        }
    }
}

fn of_verify(error: &VerifyError) -> Ending {
    match error {
        VerifyError::Store(store) => of_store(store),
        VerifyError::Remote(remote) => of_remote(remote),
        VerifyError::Temporary(_) => {
            failed("make room in the temporary directory, or set TMPDIR to another")
        }
        VerifyError::Interrupted(signal) => interrupted(signal.0),
    }
}

fn of_restore(error: &RestoreError) -> Ending {
    match error {
        RestoreError::NotEmpty(_) => usage("name an empty or a new directory with `--to`"),
        RestoreError::NotADirectory(_) => usage("name a directory with `--to`"),
        RestoreError::NoSuchPath { snapshot, .. } => {
            usage(format!("see what there is with `copal ls {snapshot}`"))
        }
        RestoreError::NoRoom { .. } => failed("make room, or restore elsewhere with `--to`"),
        RestoreError::Remote(remote) => of_remote(remote),
        RestoreError::Damaged(_) => failed(
            "nothing was restored; try another snapshot, and see `copal verify --full` for all that is damaged in this one",
        ),
        RestoreError::Place { .. } => failed(
            "nothing was restored; check the rights and the disk of the directory given with `--to`",
        ),
        RestoreError::CleanUp { .. } => {
            failed("remove that directory by hand; the rest is as it should be")
        }
        RestoreError::Interrupted(signal) => interrupted(signal.0),
    }
}

fn of_swap(error: &SwapError) -> Ending {
    match error {
        SwapError::Unreadable { .. } => usage(
            "check `path` in [source]; the directory above it has to be there, and its disk mounted",
        ),
        SwapError::NotADirectory(_) => usage("name the directory that holds the app's data"),
        SwapError::MountPoint(path) => usage(format!(
            "a mount point can't be exchanged: restore to an empty directory with `--to DIR`, stop the app, and move its content over that of {}",
            path.display()
        )),
        SwapError::ParentNotWritable { parent, .. } => usage(format!(
            "run Copal as a user who may write to {}, or restore with `--to DIR` and move that there yourself",
            parent.display()
        )),
        SwapError::HoldsCopal(_) => usage(
            "set COPAL_STATE_DIR, and `dir` in [staging], to directories outside of the source",
        ),
        SwapError::Beside { .. } => {
            failed("nothing was changed; make room there, or restore elsewhere with `--to DIR`")
        }
        SwapError::Untouched { .. } => failed(
            "nothing was changed; mend what it names, or restore with `--to DIR` and exchange the directories yourself",
        ),
        SwapError::Vacant {
            live,
            before,
            restored,
            ..
        } => failed(format!(
            "put one of them there now. The old tree: mv '{1}' '{0}'. The restored one, which is complete: mv '{2}' '{0}'",
            live.display(),
            before.display(),
            restored.display()
        )),
    }
}

fn of_unfinished(error: &Unfinished) -> Ending {
    match error {
        Unfinished::NotWrittenOut { .. } => failed(
            "a power cut within seconds may undo the exchange; look at the disk, and call `sync`",
        ),
        Unfinished::KeepsName { before, .. } => failed(format!(
            "it is what was there, and no half-done restore: keep {} until all is well",
            before.display()
        )),
    }
}

fn of_remote(error: &RemoteError) -> Ending {
    let source = match error {
        RemoteError::Interrupted(signal) => return interrupted(signal.0),
        RemoteError::Failed { source, .. } => source,
    };
    match source.kind() {
        ErrorKind::NotFound => failed("check that the bucket or directory exists"),
        ErrorKind::BadRequest => {
            usage("check the remote and its options; `rclone config show` tells what is set")
        }
        ErrorKind::UnknownRemote => usage(
            "`rclone listremotes` shows the remotes there are; make one with `rclone config`, or name another configuration by RCLONE_CONFIG",
        ),
        ErrorKind::Auth => {
            failed("check the key and its rights (`rclone config show`, `rclone lsd REMOTE:`)")
        }
        ErrorKind::Quota => failed("raise the cap or free some space at the provider's"),
        ErrorKind::DiskFull => failed("make room on that disk, and run it again"),
        ErrorKind::PermissionDenied => failed("give the rights, or run Copal as another user"),
        ErrorKind::Network => {
            failed("check the network and the provider's status, and run it again")
        }
        ErrorKind::ConfigLocked => usage(
            "give the configuration's password in RCLONE_CONFIG_PASS, or by RCLONE_PASSWORD_COMMAND",
        ),
        ErrorKind::ConfigUnreadable => usage("check the file that `rclone config file` names"),
        ErrorKind::Cancelled => failed("run it again when you like"),
        ErrorKind::Timeout => {
            failed("the remote is very slow or hangs; try `rclone lsd REMOTE:`, and run it again")
        }
        ErrorKind::WorkerDied => failed(
            "if it names an RCLONE_ variable, mend that; if it was killed for want of memory, lower `transfers` in [rclone]; else run it again",
        ),
        ErrorKind::Protocol => {
            failed("this is a fault of Copal's: please report it, with the log of `-vv`")
        }
        ErrorKind::Other => failed("the log of `-vv` tells more"),
    }
}
