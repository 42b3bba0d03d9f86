//! The one table of endings: for each error what to do next, and the exit code. What has many ways
//! to fail has its part of it in a file below.
//!
//! No arm is `_` where an error of ours is matched: whoever adds an error decides here how it ends.

mod holds;
mod hooks;
mod making;
mod old_trees;
mod places;
mod pruning;
mod reading;
mod scheduling;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::edge::interrupt::Signal;
use crate::error::CopalError;
use crate::show::advice;

use holds::of_holds;
use hooks::of_hooks;
use making::{of_mirror, of_plan, of_preflight, of_seal, of_stage, of_transfer};
use old_trees::{of_old_tree, of_other_schema};
use places::{
    of_check, of_history, of_init, of_lock, of_log, of_metrics, of_remote, of_unread_mark,
};
use pruning::of_prune;
use reading::{
    of_last_damaged, of_restore, of_shrunk, of_store, of_swap, of_unfinished, of_unsound, of_verify,
};
use scheduling::of_schedule;

pub(super) use hooks::of_hook;

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
    /// 5: a service could not be resumed.
    NotResumed,
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
            Self::NotResumed => 5,
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

/// How an error ends the process. The commands that it says to give name the configuration that was given.
pub(super) fn ending(error: &CopalError) -> Ending {
    let Ending { exit, next } = table(error);
    Ending {
        exit: if error.service_is_down() {
            Exit::NotResumed
        } else {
            exit
        },
        next: advice::here(&next),
    }
}

/// The table. Which errors end with code 5 is said by [`CopalError::service_is_down`].
fn table(error: &CopalError) -> Ending {
    match error {
        CopalError::NoConfig { looked } => usage(format!(
            "`copal init` writes one; or write one of {}, name one with `-c FILE`, or do without: `copal backup --source DIR --to REMOTE:PATH`, \
             and `--from REMOTE:PATH` for commands that read",
            places(looked)
        )),
        CopalError::NoPlace { looked } => usage(format!(
            "write one of {} with that path, name one with `-c FILE`, or restore into a new directory with `--to DIR`",
            places(looked)
        )),
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
        CopalError::NotServed(_) => usage(
            "say who may call it, by RCLONE_RC_USER and RCLONE_RC_PASS or by --rc-htpasswd FILE, and give it a \
             free address by --rc-addr; on loopback addresses, where every user of this machine may be trusted, \
             --rc-no-auth does as well",
        ),
        CopalError::Output(_) => failed("check where standard output goes"),
        CopalError::Unwritable { .. } => failed("check its rights and its disk"),
        CopalError::NoForm => usage("say `--html FILE`, or `--html` for stdout"),
        CopalError::UnreadMark { .. } => of_unread_mark(),
        CopalError::Metrics(error) => of_metrics(error),
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
        CopalError::When { .. } => usage(
            "say `daily 03:00`, `weekly sun 03:00`, `monthly 1 03:00`, `hourly`, or five fields as cron has them: `0 3 * * *`",
        ),
        CopalError::Schedule(schedule) => of_schedule(schedule),
        CopalError::Prune(prune) => of_prune(prune),
        CopalError::NoRetention => usage(
            "say it in the configuration, for example with the lines `[retention]` and `daily = 7`; `copal prune --dry-run` then tells what would go",
        ),
        CopalError::MirrorsAlone => usage(
            "add a destination without `layout = \"mirror\"`: each backup then adds a snapshot there",
        ),
        CopalError::Store(store) => of_store(store),
        CopalError::RemoteFailed(remote) => of_remote(remote),
        CopalError::Verify(verify) => of_verify(verify),
        CopalError::Damaged { .. } => failed(
            "take a new snapshot now, and restore from another one if you have to; then find out what changes files at the destination",
        ),
        CopalError::LeftOut { .. } => reading::of_left_out(),
        CopalError::LastDamaged { id, .. } => of_last_damaged(*id),
        CopalError::Unsound { id, .. } => of_unsound(*id),
        CopalError::Swap(swap) => of_swap(swap),
        CopalError::Unfinished(unfinished) => of_unfinished(unfinished),
        CopalError::OldTree(error) => of_old_tree(error),
        CopalError::Outrun(_) => failed(
            "set `mode = \"copy\"` in [staging], or have a hook copy these files while the app is held",
        ),
        CopalError::Missed(_) => failed(
            "run it again when the app is quieter, or have it held (`[service]`, and the hook `quiesce`), so that files are taken as they are at one moment",
        ),
        CopalError::Shrunk(shrunk) => of_shrunk(shrunk),
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
        CopalError::Mirror(mirror) => of_mirror(mirror),
        CopalError::MirrorInPlace(_) => usage(
            "restore it beside the source with `--to DIR`, and put in its place what you need",
        ),
        CopalError::OtherSchema(other) => of_other_schema(other),
        CopalError::Holds(holds) => of_holds(holds),
        CopalError::NotThere(unheld) => holds::of_not_there(unheld),
        CopalError::CantHold(fault) => holds::of_cant_hold(fault),
        CopalError::Init(error) => of_init(error),
        CopalError::Check(check) => of_check(check),
        CopalError::History(history) => of_history(history),
        CopalError::Log(_) => of_log(),
        CopalError::Interrupted(signal) => interrupted(signal.0),
    }
}

fn places(paths: &[PathBuf]) -> String {
    let shown = paths.iter().map(|path| path.display().to_string());
    let shown: Vec<_> = shown.collect();
    shown.join(", ")
}
