use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;

use super::*;
use crate::edge::identity::Identity;
use crate::edge::in_use::User;
use crate::edge::state::StateDir;

/// A live tree, and old ones beside it, each with a record.
struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let world = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(world.live()).unwrap();
        world
    }

    fn live(&self) -> PathBuf {
        self.dir.path().join("app")
    }

    fn kept_by(&self, run: &str) -> PathBuf {
        self.dir.path().join(format!("app.before-{run}"))
    }

    fn trees(&self) -> OldTrees {
        OldTrees::of(&StateDir::at(self.dir.path().join("state")), "app")
    }

    fn note(&self, run: &str, of: &Path) {
        let second = run.parse().unwrap();
        let tree = OldTree {
            run: run.to_owned(),
            since: Timestamp::from_second(second).unwrap(),
            live: self.live(),
            path: self.kept_by(run),
            identity: Identity::of(&fs::metadata(of).unwrap()),
            discarded: false,
        };
        self.trees().note(&tree).unwrap();
    }

    fn keep(&self, run: &str) {
        fs::create_dir(self.kept_by(run)).unwrap();
        fs::write(self.kept_by(run).join("file"), run).unwrap();
        self.note(run, &self.kept_by(run));
    }

    fn to_undo(&self, run: Option<&str>) -> Result<String, OldTreeError> {
        to_undo(&self.trees(), "app", run).map(|tree| tree.run)
    }

    fn to_discard(&self, run: Option<&str>) -> Result<String, OldTreeError> {
        to_discard(&self.trees(), "app", &self.live(), run).map(|tree| tree.run)
    }
}

#[test]
fn the_newest_is_swapped_back_and_no_older_one_unasked_where_that_is_gone() {
    let world = World::new();
    assert!(matches!(world.to_undo(None), Err(OldTreeError::None(_))));
    world.keep("1");
    world.keep("2");
    assert_eq!(world.to_undo(None).unwrap(), "2");
    fs::rename(world.kept_by("2"), world.dir.path().join("aside")).unwrap();
    match world.to_undo(None) {
        Err(OldTreeError::Newer { older, .. }) => assert_eq!(older, ["1"]),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        world.to_undo(Some("2")),
        Err(OldTreeError::Gone(_))
    ));
    assert_eq!(world.to_undo(Some("1")).unwrap(), "1");
    fs::create_dir(world.kept_by("2")).unwrap();
    assert!(matches!(world.to_undo(None), Err(OldTreeError::Other(_))));
}

#[test]
fn a_record_of_what_is_live_is_passed_over() {
    let world = World::new();
    world.keep("1");
    // Killed before the exchange that it was written for.
    world.note("2", &world.live());
    assert_eq!(world.to_undo(None).unwrap(), "1");
    assert_eq!(world.to_discard(None).unwrap(), "1");
    assert!(world.to_discard(Some("2")).is_err());
}

#[test]
fn what_somebody_works_in_is_not_deleted() {
    let world = World::new();
    world.keep("1");
    let open = File::open(world.kept_by("1").join("file")).unwrap();
    match world.to_discard(None) {
        Err(OldTreeError::InUse {
            by: User::Process { pid, .. },
            ..
        }) => assert_eq!(pid, std::process::id()),
        other => panic!("{other:?}"),
    }
    drop(open);
    assert_eq!(world.to_discard(None).unwrap(), "1");
}
