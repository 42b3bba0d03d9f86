//! What to do about the places that Copal works with: the remote, the lock, the history.

use copal_hooks::FailureKind;
use copal_rclone::ErrorKind;

use super::{Ending, Exit, failed, interrupted, of_hook, usage};
use crate::check::CheckError;
use crate::edge::history::HistoryError;
use crate::edge::lock::LockError;
use crate::edge::metrics_file::MetricsFileError;
use crate::edge::remote::RemoteError;
use crate::edge::source::SourceError;
use crate::init::InitError;

/// What to do about a clock that is wrong.
pub(super) const CLOCK: &str =
    "set this machine's clock right (`timedatectl` tells whether it is kept right)";

pub(super) fn of_init(error: &InitError) -> Ending {
    match error {
        InitError::Missing { flag, found, .. } if found.is_empty() => {
            usage(format!("say it by {flag}"))
        }
        InitError::Missing { flag, found, .. } => {
            usage(format!("say it by {flag}; there is: {}", found.join(", ")))
        }
        InitError::Exists(_) => {
            usage("write another file with `--output FILE`, or write over this one with `--force`")
        }
        InitError::Source { .. } => usage(
            "name the directory that holds the app's data, as a user who may read it; data that is lost comes back first: `copal restore latest --from REMOTE:PATH --to DIR`",
        ),
        InitError::NoText(_) => usage("name it by another path, such as that of a link to it"),
        InitError::Secret(_) => usage(
            "put it into a remote of rclone's own configuration (`rclone config`), and name that remote",
        ),
        InitError::InSource { .. } => usage("name a place outside of the source by `--remote`"),
        InitError::Answer(_) => {
            usage("say all of it on the command line, with `--yes`: `copal init --help`")
        }
    }
}

pub(super) fn of_check(error: &CheckError) -> Ending {
    match error {
        CheckError::Damaged { .. } => failed(
            "no backup of it can be made: stop the app, then have `sqlite3 FILE .recover` save what can be, or restore it from a snapshot (`copal snapshots` lists them)",
        ),
        CheckError::Unopenable { .. } => {
            failed("see whether Copal may read it, and whether the app's own tools can")
        }
        CheckError::State { .. } => failed(
            "give the rights, make room, or set COPAL_STATE_DIR to a directory of Copal's own",
        ),
        CheckError::AtTheEnd(failure) => match failure.kind {
            FailureKind::Error { .. } => failed("mend what it names, and check again"),
            _ => of_hook(failure),
        },
        CheckError::RcloneConfig { .. } => {
            failed("give the rights, or name another file by RCLONE_CONFIG")
        }
    }
}

pub(super) fn of_source(error: &SourceError) -> Ending {
    let next = error.advice();
    match error {
        SourceError::Engine(_) | SourceError::NotMounted { .. } => failed(next),
        SourceError::Host(_)
        | SourceError::NoVolume { .. }
        | SourceError::NoContainer { .. }
        | SourceError::NoPlace { .. }
        | SourceError::NoMounts { .. }
        | SourceError::WhichMount { .. }
        | SourceError::NoSuchMount { .. }
        | SourceError::NotHere { .. } => usage(next),
    }
}

pub(super) fn of_remote(error: &RemoteError) -> Ending {
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
        ErrorKind::Clock => failed(CLOCK),
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
        ErrorKind::Timeout if matches!(error, RemoteError::Failed { deed: "start", .. }) => {
            failed("this machine is too busy to start it: run it again when it is less so")
        }
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

pub(super) fn of_lock(error: &LockError) -> Ending {
    match error {
        LockError::Held { .. } => Ending {
            exit: Exit::Locked,
            next: "wait for it to end, or have `copal backup --wait` do so; the lock goes with its process, so there is never one to remove".to_owned(),
        },
        LockError::Interrupted(signal) => interrupted(signal.0),
        LockError::Io { .. } => failed("make the directory writable, or set COPAL_STATE_DIR to another"),
    }
}

/// What to do about the file that metrics are written into.
pub(super) fn of_unread_mark() -> Ending {
    failed(
        "check its rights and its disk; if a run was killed, no hook heard of it, and `copal history` may not know it: look whether what it held is up again with `copal recover`",
    )
}

pub(super) fn of_log() -> Ending {
    failed(
        "check the rights and the disk there, or name another `file` below [log]; runs go on without it, and each says so",
    )
}

pub(super) fn of_metrics(error: &MetricsFileError) -> Ending {
    failed(match error {
        MetricsFileError::Io { .. } => {
            "see that its directory is there and may be written to, or name another `file` in [metrics]"
        }
        MetricsFileError::Another { .. } => {
            "name a `file` of its own for each job in [metrics], or remove this one"
        }
    })
}

pub(super) fn of_history(error: &HistoryError) -> Ending {
    match error {
        HistoryError::File { .. } | HistoryError::Sqlite { .. } => failed(
            "check the rights and the disk of Copal's state directory; runs go on without it, and each says so",
        ),
        HistoryError::NoFile(_) => failed(
            "move it away: the next run begins a new one; runs go on without it, and each says so",
        ),
        HistoryError::Damaged { .. } => {
            failed("the next run moves it aside and begins a new one; nothing else depends on it")
        }
        HistoryError::SetAside(_) => failed(
            "`copal snapshots` takes the runs that made snapshots into the new one; keep the old file if the others matter: `sqlite3 FILE .recover` may read some of it",
        ),
        HistoryError::Later(_) => {
            failed("use the later version, or move the file away: the next run begins a new one")
        }
        HistoryError::Empty(_) => {
            failed("`copal backup` makes the first; is COPAL_STATE_DIR that of the runs?")
        }
        HistoryError::NoneOf(_) | HistoryError::Unknown(_) => {
            usage("`copal history` lists the runs that are known")
        }
        HistoryError::Ambiguous { candidates, .. } => {
            usage(format!("say which: {}", candidates.join(", ")))
        }
    }
}
