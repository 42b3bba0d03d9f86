//! What to do about restores in place, and the old trees that they keep.

use super::{Ending, failed, usage};
use crate::step::old_tree::OldTreeError;
use crate::step::schema::OtherSchema;

pub(super) fn of_other_schema(other: &OtherSchema) -> Ending {
    failed(format!(
        "nothing was changed; if the app was updated since the snapshot, it takes the older data along: run it again with `--accept-schema`. Else update the app first, to the version that made {}",
        other.snapshot
    ))
}

pub(super) fn of_old_tree(error: &OldTreeError) -> Ending {
    match error {
        OldTreeError::None(_) => failed(
            "is COPAL_STATE_DIR that of the restore? Directories called `….before-…` beside the source that it does not know can be exchanged or removed by hand",
        ),
        OldTreeError::NothingKept { .. } => failed(
            "nothing was changed, and there is nothing to go back to; for another state restore another snapshot: `copal snapshots` lists them",
        ),
        OldTreeError::Unknown { known, .. } if known.is_empty() => {
            usage("there is none; `copal history` lists the runs, restores among them")
        }
        OldTreeError::Unknown { known, .. } => usage(format!("these have: {}", known.join(", "))),
        OldTreeError::Which(runs) => usage(format!(
            "say which, the newest first: `copal restore --discard {}`",
            runs.join("`, `copal restore --discard ")
        )),
        OldTreeError::Gone(_) => {
            usage("`copal history` lists the runs; without a run the newest old tree is taken")
        }
        OldTreeError::Newer { older, .. } => usage(format!(
            "nothing was changed; say which older one is to come back, the newest first: `copal restore --undo {}`",
            older.join("`, `copal restore --undo ")
        )),
        OldTreeError::Other(path) => failed(format!(
            "nothing was changed; look at {}, and exchange or remove it by hand",
            path.display()
        )),
        OldTreeError::Half { run, .. } => failed(format!(
            "the rest of it goes with `copal restore --discard {run}`; to go back, restore a snapshot"
        )),
        OldTreeError::Elsewhere { .. } => usage(
            "nothing was changed; name the configuration of that source with `-c FILE`, or exchange the directories by hand",
        ),
        OldTreeError::OnlyOne(_) => failed(
            "nothing was deleted; put it back with `copal restore --undo`, or restore a snapshot before",
        ),
        OldTreeError::Live(_) => failed("nothing was deleted; mend `path` in [source]"),
        OldTreeError::Mounted(path) => failed(format!(
            "nothing was deleted; `umount {}`, and run it again",
            path.display()
        )),
        OldTreeError::HoldsBackups(path) => failed(format!(
            "nothing was deleted; move {} to where backups belong, and run it again",
            path.display()
        )),
        OldTreeError::InUse { .. } => failed(
            "nothing was deleted; restart the app, so that it opens what is live, or have a shell leave it, and run it again. What was written to the old tree since the restore is there alone",
        ),
        OldTreeError::NotYours { .. } => failed(
            "nothing was deleted, and `copal restore --undo` still goes back; run it as a user who may delete all of it, such as root, with the COPAL_STATE_DIR of the restore",
        ),
        OldTreeError::Protected { what, .. } => failed(format!(
            "nothing was deleted, and `copal restore --undo` still goes back; take the attribute away (`chattr -ia {}`; `lsattr` shows it), and run it again",
            what.display()
        )),
        OldTreeError::Record { .. } => {
            failed("nothing was changed; make room in Copal's state directory or give the rights")
        }
        OldTreeError::Unreadable { .. } => {
            failed("nothing was changed; is its disk mounted, and may you read it?")
        }
        OldTreeError::NotDeleted { .. } => failed(
            "give the rights, or run Copal as a user who has them, and run it again: it goes on where it ended",
        ),
    }
}
