//! What to do about the steps that make a snapshot.

use std::io;

use copal_core::grants::toml_text;
use copal_core::mirror::{MaxDelete, Refused};
use copal_core::staging::Unfit;
use copal_core::survey::Hindrance;

use super::holds::of_cant_hold;
use super::hooks::of_filter;
use super::places::{CLOCK, of_remote, of_source};
use super::reading::of_store;
use super::{Ending, failed, interrupted, usage};
use crate::capability::lacking::tables;
use crate::step::mirror::{MirrorError, Stays};
use crate::step::plan::PlanError;
use crate::step::preflight::PreflightError;
use crate::step::seal::SealError;
use crate::step::stage::StageError;
use crate::step::transfer::TransferError;

const READABLE: &str =
    "run Copal as a user who may read it, or leave it out with the `exclude` hook";

const UNMOUNTED: &str = "mount it and run the backup again; if it is as it should be, run `copal backup --accept-missing` once";

pub(super) fn of_plan(error: &PlanError) -> Ending {
    match error {
        PlanError::Lost(source) => of_source(source),
        PlanError::Source { .. } => usage(
            "check `path` in [source], or `--source`; is its disk mounted? If it is lost, `copal restore latest --in-place` puts the last snapshot there",
        ),
        PlanError::NotADirectory(_) => usage("name the directory that holds the app's data"),
        PlanError::Unreadable { .. } => failed(READABLE),
        PlanError::Filter(filter) => of_filter(filter),
        PlanError::Uncovered(paths) => {
            let path = paths.first().map(ToString::to_string).unwrap_or_default();
            let path = toml_text(&path);
            usage(format!(
                "let the built-in hook copy all of them; where there is none yet, add\n\n[[hook]]\nuse = \"sqlite-backup\"\ngrants = {{ sqlite = [\"*\"] }}\n\nand where there is one, only its `grants` line. Or, for one of which a torn copy will do:\n\n[database.{path}]\nlive = \"allow\""
            ))
        }
        PlanError::Staging(Unfit::Impossible { .. }) => usage(
            "set `mode = \"auto\"` in [staging], which takes the first that serves, or take out `dir`",
        ),
        PlanError::Staging(Unfit::TooLong { .. }) => usage(
            "raise `max_pause` in [staging], leave files out with the `exclude` hook, or set `mode = \"auto\"`",
        ),
        PlanError::Lacking(lacks) => usage(format!(
            "put it in place, or mend {} in copal.toml; a hook that does without needs no grant of it",
            tables(lacks)
        )),
        PlanError::CantHold(fault) => of_cant_hold(fault),
        PlanError::ReservedName => usage("rename it, or leave it out with the `exclude` hook"),
        PlanError::Interrupted(signal) => interrupted(signal.0),
    }
}

pub(super) fn of_preflight(error: &PreflightError) -> Ending {
    match error {
        PreflightError::Remote(remote) => of_remote(remote),
        PreflightError::Store(store) => of_store(store),
        PreflightError::Mirror(mirror) => of_mirror(mirror),
        PreflightError::DestinationInSource { .. } | PreflightError::SourceInDestination { .. } => {
            usage("choose a destination that lies elsewhere")
        }
        PreflightError::DestinationShownInSource { .. } => usage(
            "choose a destination that lies elsewhere, or leave that directory out with the `exclude` hook",
        ),
        PreflightError::Hindered { source, .. } => failed(of_hindrance(source)),
        PreflightError::NotWritable { .. } => {
            failed("give the rights, run Copal as another user, or choose another destination")
        }
        PreflightError::NoRoomThere { .. } => failed(
            "make room there, leave files out with the `exclude` hook, or choose another destination",
        ),
        PreflightError::Hides { .. } => failed(
            "take that rule off the bucket (`rclone backend lifecycle REMOTE:BUCKET` shows it), or have it be for other names; rules that delete what is hidden already are no harm",
        ),
        PreflightError::ClockOff { .. } => failed(CLOCK),
        PreflightError::NoRoom { .. }
        | PreflightError::NoRoomToFreeze { .. }
        | PreflightError::NoRoomToSend { .. } => {
            failed("make room, or choose another directory with `dir` in [staging]")
        }
        PreflightError::Room { .. } => {
            failed("check the directory, or choose another with `dir` in [staging]")
        }
        PreflightError::FromTheFuture { .. } => failed(
            "set this machine's clock right; if that snapshot was made by a clock that went wrong, remove its directory",
        ),
        PreflightError::SourceEmptied { .. } => failed(
            "is its disk mounted? If it is as it should be, run `copal backup --accept-missing` once",
        ),
        PreflightError::Unmounted { .. } => failed(UNMOUNTED),
        PreflightError::DatabaseMissing { .. } | PreflightError::DatabaseEmptied { .. } => failed(
            "if the app lost it, restore it from the last snapshot; if that is as it should be, run `copal backup --accept-missing` once",
        ),
    }
}

fn of_hindrance(hindrance: &Hindrance) -> &'static str {
    match hindrance {
        Hindrance::NoBucket(_) => {
            "mend its name, or make it at the provider's or with `rclone mkdir REMOTE:BUCKET`; in another account it is not seen"
        }
        Hindrance::OtherBucket { .. } => {
            "mend the bucket's name, or give the remote a key for it (`rclone config update REMOTE account … key …`)"
        }
        Hindrance::Lacks(_) => {
            "make a key that has these capabilities, and give it to the remote (`rclone config update REMOTE account … key …`)"
        }
        Hindrance::OtherNames { .. } => {
            "have the destination's path begin with the key's prefix, or give the remote another key"
        }
    }
}

pub(super) fn of_stage(error: &StageError) -> Ending {
    match error {
        StageError::Unreadable { .. } => failed(READABLE),
        StageError::Filter(filter) => of_filter(filter),
        StageError::Uncovered(_) => failed(
            "a hook that may copy it did not: let `sqlite-backup` take all databases, or run `copal plan` to see which hooks there are",
        ),
        StageError::Vanished(_) => failed(
            "if the app replaces that file while it runs, back up while it is quiet; else run the backup again",
        ),
        StageError::InTheWay(_) | StageError::ReadWith(_) => failed(
            "let the hook choose another path (for an archive, one beside it), or take that file out of the source",
        ),
        StageError::NotFinished(_) => failed(
            "run the backup again; if it stays so, let the app check its database, and restore that from the last snapshot if it is damaged",
        ),
        StageError::NeverStill(_) => failed(
            "leave it out with the `exclude` hook if it is a log or a cache, or back up while the app is quiet",
        ),
        StageError::Swapped(_) => {
            failed("see that it is mounted and stays in its place, and run the backup again")
        }
        StageError::NotKept(_) => failed(
            "see that nothing else cleans up directories called `.copal-staging-…`, and run the backup again",
        ),
        StageError::Staging { source, .. } if is_disturbed(source) => failed(
            "see that nothing else changes it, and run the backup again; or choose another directory with `dir` in [staging]",
        ),
        StageError::Staging { .. } => {
            failed("make room there, or choose another directory with `dir` in [staging]")
        }
        StageError::Interrupted(signal) => interrupted(signal.0),
    }
}

/// Whether something else lies where a directory or file of Copal's was to be, or is gone.
fn is_disturbed(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, IsADirectory, NotADirectory, NotFound};
    matches!(
        error.kind(),
        AlreadyExists | IsADirectory | NotADirectory | NotFound
    )
}

pub(super) fn of_transfer(error: &TransferError) -> Ending {
    match error {
        TransferError::Remote(remote) => of_remote(remote),
        TransferError::Stage(stage) => of_stage(stage),
        TransferError::Mismatch(_) => {
            failed("something else writes there, or the remote lost it; run the backup again")
        }
        TransferError::TooMuch { .. } => failed(
            "see with `copal plan` what the source has got; if it is as it should be, raise `max_transfer` in [limits]",
        ),
        TransferError::Mirror(mirror) => of_mirror(mirror),
        TransferError::Interrupted(signal) => interrupted(signal.0),
    }
}

pub(super) fn of_mirror(error: &MirrorError) -> Ending {
    match error {
        MirrorError::NotThere(_) => failed(
            "look whether the app lost it; if it is as it should be, take it out of the destination's `map`",
        ),
        MirrorError::Emptied { .. } => failed(
            "is its disk mounted? If it is as it should be, run `copal backup --accept-missing` once",
        ),
        MirrorError::Unmounted { .. } => failed(UNMOUNTED),
        MirrorError::Within { .. } => {
            usage("choose a destination that lies elsewhere, or folders that no other mirror has")
        }
        MirrorError::OnePlace { .. } => usage("give each a path or folders of its own"),
        MirrorError::Linked { .. } => usage(
            "put a directory in its place, or name the place that it leads to as a destination of its own",
        ),
        MirrorError::Others { .. } => {
            usage("give each job a destination of its own, or the job that wrote it its name back")
        }
        MirrorError::Kept { source, .. } => of_refused(source),
        MirrorError::InTheWay { source, .. } => match source {
            Stays::Refused(source) => of_refused(source),
            Stays::Spared(_) | Stays::Unlisted => failed(
                "move what is in the way elsewhere by hand, as Copal does not; then run the backup again",
            ),
            Stays::Directory(..) => failed(
                "look what is in it: links and special files are not listed, and Copal does not delete them; then run the backup again",
            ),
        },
        MirrorError::NotDeleted { source, .. } => of_remote(source),
    }
}

fn of_refused(refused: &Refused) -> Ending {
    match refused {
        Refused::TooMany { most, .. } | Refused::StillTooMany { most, .. } => failed(match most {
            MaxDelete::Share(_) => {
                "look whether the app lost them; if it is as it should be, run `copal backup --accept-missing` once"
            }
            MaxDelete::Files(_) => {
                "look whether the app lost them; if it is as it should be, raise `max_delete`"
            }
        }),
        Refused::Unaccounted { .. } => failed(
            "look what is there and not in the source: files of a disk that is missing, files that the app lost, or somebody's own; if all of it may be deleted, run `copal backup --accept-missing` once",
        ),
        Refused::Copals(_) => {
            failed("give the mirror a destination or folders in which nothing else is")
        }
    }
}

pub(super) fn of_seal(error: &SealError) -> Ending {
    match error {
        SealError::Staging { .. } => {
            failed("make room there, or choose another directory with `dir` in [staging]")
        }
        SealError::Remote(remote) => of_remote(remote),
        SealError::NoFreeId(_) => failed("give each machine's job a `name` of its own"),
        SealError::NotArrived(_) => {
            failed("the remote took it and does not show it whole; run the backup again")
        }
        SealError::Unwritten { .. } => failed(
            "look at that disk (`dmesg`, `df`); what can't be written down now may not be read tomorrow",
        ),
        SealError::Interrupted(signal) => interrupted(signal.0),
    }
}

#[cfg(test)]
mod tests {
    use copal_core::config::Config;
    use copal_core::path::RelPath;

    use super::*;

    #[test]
    fn the_lines_for_a_database_of_any_name_are_a_configuration() {
        for name in ["app.db", "a\"b\\c.db", "a\nb.db", "caf\u{e9} [x].db"] {
            let database = RelPath::new(name.as_bytes()).unwrap();
            let next = of_plan(&PlanError::Uncovered(vec![database.clone()])).next;
            let (_, lines) = next.split_once("[database.").unwrap();
            let text = format!(
                "name = 'app'\nsource.path = '.'\ndestination = [{{ remote = 'b2:' }}]\n[database.{lines}"
            );
            let config = Config::parse(&text, "copal.toml").unwrap_or_else(|_| panic!("{text}"));
            assert!(config.allows_live(&database), "{text}");
        }
    }
}
