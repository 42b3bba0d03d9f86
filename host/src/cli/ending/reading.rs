//! What to do about the steps that read a snapshot or put it back.

use copal_core::manifest::ManifestError;
use copal_core::shrunk::Shrunk;
use copal_core::snapshot::{ResolveError, SnapshotId};

use super::holds::{BETWEEN, of_holds};
use super::places::of_remote;
use super::{Ending, Exit, failed, interrupted, usage};
use crate::show::advice::word;
use crate::step::restore::RestoreError;
use crate::step::snapshots::StoreError;
use crate::step::swap::{SwapError, Unfinished};
use crate::step::verify::VerifyError;

pub(super) fn of_store(error: &StoreError) -> Ending {
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
        StoreError::OneState { name, .. } => usage(format!(
            "say `latest` for it; snapshots that lie at the same place are read with `--from REMOTE:PATH --name {name}`"
        )),
        StoreError::Manifest { .. } => failed(
            "its files may still be good: stock rclone can copy them, and `sha256sum -c .copal/SHA256SUMS` check them; use another snapshot if you can",
        ),
        StoreError::BeingPruned(_) => failed(
            "try again when the prune that is under way has ended (`copal prune` ends one that was killed): what still lies there then is pinned",
        ),
        StoreError::MirrorManifest {
            source: ManifestError::TooNew { .. },
            ..
        } => failed("use that version of Copal, or a later one; stock rclone can copy the files"),
        StoreError::MirrorManifest { .. } | StoreError::ManifestGone(_) => failed(
            "a backup compares everything and writes a new one; what the source does not have stays there until it is accepted. Until then stock rclone can copy the files",
        ),
        StoreError::NoMirror(_) => failed(
            "make it one with `copal backup`, or check the place; stock rclone can copy what is there",
        ),
        StoreError::WhichName { names, .. } if names.is_empty() => {
            usage("check the place: it is what was given as `--to`, without the job's name")
        }
        StoreError::WhichName { .. } => usage("say which with `--name NAME`"),
        StoreError::Odd { .. } => failed(
            "look at what lies there: put the directory or file itself in a link's place, or let this user read it; nothing was removed through it",
        ),
        StoreError::Temporary(_) => {
            failed("make room in the temporary directory, or set TMPDIR to another")
        }
    }
}

pub(super) fn of_verify(error: &VerifyError) -> Ending {
    match error {
        VerifyError::Store(store) => of_store(store),
        VerifyError::Remote(remote) => of_remote(remote),
        VerifyError::Temporary(_) => {
            failed("make room in the temporary directory, or set TMPDIR to another")
        }
        VerifyError::Interrupted(signal) => interrupted(signal.0),
    }
}

pub(super) fn of_last_damaged(id: SnapshotId) -> Ending {
    failed(format!(
        "older snapshots that share these files are damaged as well: see `copal verify {id}`, and find out what changes files at the destination, its disk or a program"
    ))
}

/// Each later run compares with a snapshot that is emptied already, and prunes.
pub(super) fn of_shrunk(shrunk: &[Shrunk]) -> Ending {
    let Some(Shrunk { last, path, .. }) = shrunk.first() else {
        return failed("");
    };
    failed(format!(
        "if that is right, nothing is to be done. If not: `copal pin {last}` before the next run, which prunes as ever, and `copal restore {last} --to DIR --path {path}`"
    ))
}

pub(super) fn of_unsound(id: SnapshotId) -> Ending {
    failed(format!(
        "restore no other than an older snapshot; `copal verify --full {id}` tells whether it was damaged after the backup, and a new backup whether the app's own is"
    ))
}

pub(super) fn of_restore(error: &RestoreError) -> Ending {
    match error {
        RestoreError::NotEmpty(_) => usage("name an empty or a new directory with `--to`"),
        RestoreError::HalfMoved(dir) => usage(format!(
            "restore to another directory with `--to`. If nothing has used {0} since, it has nothing that the snapshot does not have: `rm -r {0}`, and restore again",
            word(&dir.display().to_string())
        )),
        RestoreError::NotADirectory(_) => usage("name a directory with `--to`"),
        RestoreError::NoSuchPath { snapshot, .. } => {
            usage(format!("see what there is with `copal ls {snapshot}`"))
        }
        RestoreError::NoRoom { .. } => failed("make room, or restore elsewhere with `--to`"),
        RestoreError::Remote(remote) if error.may_be_of_one_file() => {
            let Ending { exit, next } = of_remote(remote);
            let next = format!(
                "nothing was restored. Where it is a file of the snapshot that is missing or can't be read, `--to DIR --accept-damaged` restores the rest and names what it leaves out; otherwise {next}"
            );
            Ending { exit, next }
        }
        RestoreError::Remote(remote) => of_remote(remote),
        RestoreError::Damaged(_) => failed(
            "nothing was restored. `--to DIR --accept-damaged` restores what is whole and leaves damaged files out, `--path PATH` a part; or try another snapshot, from before the damage: in a folder they share files that did not change. `copal verify --full` tells all that is damaged in this one",
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

pub(super) fn of_left_out() -> Ending {
    Ending {
        exit: Exit::FellShort,
        next: "look for these files in other snapshots, with `--to DIR --path PATH`, before an app uses what was restored: where a database is among them, it would begin with an empty one".to_owned(),
    }
}

pub(super) fn of_swap(error: &SwapError) -> Ending {
    match error {
        SwapError::Unreadable { .. } => {
            usage("check `path` in [source], and that its disk is mounted")
        }
        SwapError::NotADirectory(_) => usage("name the directory that holds the app's data"),
        SwapError::MountPoint(path) => usage(format!(
            "it can't be renamed: stop the app, restore to an empty directory with `--to DIR`, and move that to {}",
            path.display()
        )),
        SwapError::MountedIn { live, inner } => usage(format!(
            "back up and restore {} as a job of its own, and leave it out of this one: `umount {0}` for this restore, or restore with `--to DIR` and move that to {} yourself",
            inner.display(),
            live.display()
        )),
        SwapError::NotBegun(error) => of_holds(error),
        SwapError::Between { .. } => failed(BETWEEN),
        SwapError::ParentNotWritable { parent, .. } => usage(format!(
            "run Copal as a user who may write to {}, or restore with `--to DIR` and move that there yourself",
            parent.display()
        )),
        SwapError::HoldsCopal(_) => usage(
            "set COPAL_STATE_DIR, and `dir` in [staging], to directories outside of the source",
        ),
        SwapError::HoldsBackups(_) => usage(
            "nothing was changed, since they would be moved away with the old tree: keep backups outside of the source, or restore to an empty directory with `--to DIR`; if that is a mistake in `path` of [source], mend it",
        ),
        SwapError::Beside { .. } => {
            failed("nothing was changed; make room there, or restore elsewhere with `--to DIR`")
        }
        SwapError::NotNoted { .. } => failed(
            "nothing was changed; make room in Copal's state directory or give the rights, or set COPAL_STATE_DIR to another",
        ),
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

pub(super) fn of_unfinished(error: &Unfinished) -> Ending {
    match error {
        Unfinished::NotWrittenOut { .. } => failed(
            "a power cut within seconds may undo the exchange; look at the disk, and call `sync`",
        ),
        Unfinished::NotNoted { .. } => failed(
            "`copal restore --undo` does not find the old tree: to go back, exchange the directories by hand",
        ),
        Unfinished::InUse { before, .. } => failed(format!(
            "restart the app now, so that it opens what is live. What it wrote since is in {} alone; a hook that stops it (`quiesce`) spares that",
            before.display()
        )),
        Unfinished::Strays(path) => failed(format!(
            "the app was not held: have a `pre-restore` hook hold it; look at {}, which is in neither tree, and remove it",
            path.display()
        )),
        Unfinished::NotMoved(path) => failed(format!(
            "move what you need out of {}, and remove the directory that it is in",
            path.display()
        )),
        Unfinished::KeepsName { before, .. } => failed(format!(
            "it is what was there, and no half-done restore: keep {} until all is well",
            before.display()
        )),
    }
}
