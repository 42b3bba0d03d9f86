use super::*;
use crate::edge::state::StateDir;
use rustix::io::Errno;

struct World {
    dir: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let world = Self { dir };
        fs::create_dir(world.path("app")).unwrap();
        fs::write(world.path("app/file"), "old").unwrap();
        world
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(below)
    }

    fn place(&self) -> Place {
        Place::of(&self.path("app"), &[]).unwrap()
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path()).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "state")
            .collect();
        names.sort();
        names
    }
}

impl World {
    fn trees(&self) -> OldTrees {
        OldTrees::of(&StateDir::at(self.path("state")), "app")
    }

    fn swap(&self, place: &Place, tree: Scratch, moves: Moves) -> Result<Swapped, SwapError> {
        let trees = self.trees();
        let by = Swapping {
            run: "1",
            started: Timestamp::UNIX_EPOCH,
            trees: &trees,
            holds: &Holds::default(),
        };
        let deed = |new: &Path| place.swap_by(new, &by, moves);
        tree.lend(deed, Place::is_untouched)
    }
}

fn tree(place: &Place) -> Scratch {
    let tree = place.beside("1", &Leftovers::default()).unwrap();
    fs::write(tree.path().join("file"), "new").unwrap();
    tree
}

const WITHOUT_EXCHANGE: Moves = Moves {
    exchange: |_, _| Err(Errno::INVAL),
    ..Moves::REAL
};

#[test]
fn the_new_tree_is_live_and_the_old_one_kept_with_and_without_an_exchange() {
    for moves in [Moves::REAL, WITHOUT_EXCHANGE] {
        let world = World::new();
        let place = world.place();
        let swapped = world.swap(&place, tree(&place), moves).unwrap();
        assert_eq!(swapped.before, Some(world.path("app.before-1")));
        assert_eq!(world.read("app/file"), "new");
        assert_eq!(world.read("app.before-1/file"), "old");
        assert_eq!(world.names(), ["app", "app.before-1"]);
    }
}

#[test]
fn a_source_that_is_gone_is_put_back() {
    let world = World::new();
    fs::remove_dir_all(world.path("app")).unwrap();
    let place = world.place();
    let tree = tree(&place);
    let swapped = world.swap(&place, tree, Moves::REAL).unwrap();
    assert_eq!(swapped.before, None);
    assert_eq!(world.read("app/file"), "new");
}

#[test]
fn the_first_rename_is_undone_where_the_second_fails() {
    let world = World::new();
    let place = world.place();
    let tree = tree(&place);
    let moves = Moves {
        rename: |from, to| {
            if from.extension().is_some_and(|it| it == "restoring-1") {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            fs::rename(from, to)
        },
        ..WITHOUT_EXCHANGE
    };
    let failed = world.swap(&place, tree, moves);
    assert!(
        matches!(failed, Err(SwapError::Untouched { .. })),
        "{failed:?}"
    );
    assert_eq!(world.read("app/file"), "old");
    assert_eq!(world.names(), ["app"]);
}

#[test]
fn where_nothing_can_take_the_place_both_trees_are_kept_and_named() {
    let world = World::new();
    let place = world.place();
    let tree = tree(&place);
    // Nothing can be moved to where the live tree was.
    let moves = Moves {
        rename: |from, to| match to.extension() {
            Some(_) => fs::rename(from, to),
            None => Err(io::ErrorKind::PermissionDenied.into()),
        },
        ..WITHOUT_EXCHANGE
    };
    let failed = world.swap(&place, tree, moves).unwrap_err();
    let SwapError::Vacant {
        before, restored, ..
    } = &failed
    else {
        panic!("{failed:?}")
    };
    assert_eq!(*before, world.path("app.before-1"));
    assert_eq!(*restored, world.path("app.restoring-1"));
    assert_eq!(world.read("app.before-1/file"), "old");
    assert_eq!(world.read("app.restoring-1/file"), "new");
    assert_eq!(world.names(), ["app.before-1", "app.restoring-1"]);
}

#[test]
fn a_name_that_the_old_tree_keeps_is_told() {
    let world = World::new();
    let place = world.place();
    let moves = Moves {
        rename: |_, _| Err(io::ErrorKind::PermissionDenied.into()),
        ..Moves::REAL
    };
    let swapped = world.swap(&place, tree(&place), moves).unwrap();
    let kept = world.path("app.restoring-1");
    assert_eq!(swapped.before.as_ref(), Some(&kept));
    assert_eq!(world.read("app.restoring-1/file"), "old");
    let [Unfinished::KeepsName { before, .. }] = &swapped.unfinished[..] else {
        panic!("{swapped:?}")
    };
    assert_eq!(*before, kept);
}

#[test]
fn any_other_failure_leaves_the_live_tree_and_removes_the_new_one() {
    let world = World::new();
    let place = world.place();
    let refusing = Moves {
        exchange: |_, _| Err(Errno::ACCESS),
        ..Moves::REAL
    };
    let failed = world.swap(&place, tree(&place), refusing);
    assert!(
        matches!(failed, Err(SwapError::Untouched { .. })),
        "{failed:?}"
    );
    assert_eq!(world.read("app/file"), "old");
    assert_eq!(world.names(), ["app"]);
}

#[test]
fn a_link_to_the_source_keeps_leading_to_it() {
    let world = World::new();
    std::os::unix::fs::symlink("app", world.path("link")).unwrap();
    let place = Place::of(&world.path("link"), &[]).unwrap();
    let tree = tree(&place);
    world.swap(&place, tree, Moves::REAL).unwrap();
    assert_eq!(world.read("link/file"), "new");
    assert_eq!(world.names(), ["app", "app.before-1", "link"]);
}

#[test]
fn what_can_not_be_exchanged_is_refused_before_anything_is_done() {
    let world = World::new();
    fs::write(world.path("file"), "").unwrap();
    let of = |path: &Path| Place::of(path, &[]);
    assert!(matches!(
        of(&world.path("file")),
        Err(SwapError::NotADirectory(_))
    ));
    assert!(matches!(of(Path::new("/")), Err(SwapError::MountPoint(_))));
    assert!(matches!(
        of(&world.path("file/app")),
        Err(SwapError::Unreadable { .. })
    ));
    // What lies above a lost tree can be made.
    assert!(of(&world.path("no/app")).is_ok());
    let own = [world.path("app/.copal-state")];
    assert!(matches!(
        Place::of(&world.path("app"), &own),
        Err(SwapError::HoldsCopal(_))
    ));
}

#[test]
fn what_killed_restores_left_is_named() {
    let world = World::new();
    let place = world.place();
    let own = place.beside("2", &Leftovers::default()).unwrap();
    fs::create_dir(world.path("app.restoring-1")).unwrap();
    fs::create_dir(world.path("apple")).unwrap();
    assert_eq!(
        place.left_behind("2").unwrap(),
        [world.path("app.restoring-1")]
    );
    drop(own);
    assert!(world.path("app.restoring-1").exists());
}
