use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

/// A live tree `app`, and one that is to take its place: beside it, or in it.
struct World {
    dir: tempfile::TempDir,
    is_inside: bool,
}

const OLD: [(&str, &str); 3] = [("db", "old"), ("db-wal", "old"), ("only-old", "old")];
const NEW: [(&str, &str); 3] = [("db", "new"), ("only-new", "new"), (".hidden", "new")];

impl World {
    fn new(is_inside: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let world = Self { dir, is_inside };
        for (tree, files) in [(world.live(), OLD), (world.new_tree(), NEW)] {
            fs::create_dir(&tree).unwrap();
            for (name, text) in files {
                fs::create_dir(tree.join(name)).unwrap();
                fs::write(tree.join(name).join("file"), text).unwrap();
            }
        }
        world
    }

    fn live(&self) -> PathBuf {
        self.dir.path().join("app")
    }

    fn own(&self, what: &str) -> PathBuf {
        if self.is_inside {
            self.live().join(format!(".copal-{what}-1a-2b"))
        } else {
            self.dir.path().join(format!("app.{what}-1a-2b"))
        }
    }

    fn new_tree(&self) -> PathBuf {
        self.own("restoring")
    }

    fn exchange(&self) -> Exchange {
        let of = if self.is_inside {
            Exchange::inside
        } else {
            Exchange::whole
        };
        let exchange = of(self.live(), self.new_tree(), self.own("before")).unwrap();
        exchange.prepare().unwrap();
        exchange
    }

    /// What is in a directory, without Copal's own.
    fn inside(directory: &Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(directory).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        let mut all: Vec<_> = names
            .filter(|name| !is_own_name(name))
            .map(|name| {
                let text = fs::read_to_string(directory.join(&name).join("file")).unwrap();
                (name.into_string().unwrap(), text)
            })
            .collect();
        all.sort();
        all
    }

    fn is(directory: &Path, tree: &[(&str, &str)]) -> bool {
        if !directory.exists() {
            return false;
        }
        let mut wanted: Vec<_> = tree
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect();
        wanted.sort();
        Self::inside(directory) == wanted
    }
}

const WITHOUT_EXCHANGE: Moves = Moves {
    exchange: |_, _| Err(Errno::INVAL),
    ..Moves::REAL
};

/// Each kind of exchange.
fn kinds() -> [(bool, Moves); 3] {
    [
        (false, Moves::REAL),
        (false, WITHOUT_EXCHANGE),
        (true, Moves::REAL),
    ]
}

/// Does something that is killed at its `n`th rename; whether it came to that.
fn killed_at(n: u32, deed: impl FnOnce(Pass<'_>)) -> bool {
    let passed = Cell::new(0);
    let pass = |_: &'static str| {
        passed.set(passed.get() + 1);
        if passed.get() == n {
            // Without the message of a panic.
            std::panic::resume_unwind(Box::new(()));
        }
    };
    catch_unwind(AssertUnwindSafe(|| deed(&pass))).is_err()
}

#[test]
fn the_new_tree_is_live_and_the_old_one_kept_whichever_way_they_change_places() {
    for (is_inside, moves) in kinds() {
        let world = World::new(is_inside);
        let exchange = world.exchange();
        let made = exchange.make(moves, &|_| ()).unwrap();
        exchange.tidy();
        assert!(World::is(&world.live(), &NEW));
        assert!(World::is(&made.before, &OLD));
        assert!(!world.new_tree().exists());
    }
}

#[test]
fn killed_at_any_rename_and_again_while_it_is_settled_the_old_tree_is_live_or_the_new_one() {
    for (is_inside, moves) in kinds() {
        for n in 1.. {
            let world = World::new(is_inside);
            let exchange = world.exchange();
            let was_killed = killed_at(n, |pass| drop(exchange.make(moves, pass).unwrap()));
            for m in 1.. {
                if !killed_at(m, |pass| {
                    exchange.settle(moves, pass).map(|_| ()).unwrap();
                }) {
                    break;
                }
            }
            // All is as it was left, and that for good.
            let live = exchange.settle(moves, &|_| ()).unwrap();
            match live {
                Live::Old => assert!(World::is(&world.live(), &OLD), "{is_inside} {n}"),
                Live::New => {
                    assert!(World::is(&world.live(), &NEW), "{is_inside} {n}");
                    assert!(World::is(&world.own("before"), &OLD), "{is_inside} {n}");
                }
                Live::Other => panic!("{is_inside} {n}"),
            }
            if live == Live::Old {
                assert!(World::is(&world.new_tree(), &NEW), "{is_inside} {n}");
                assert!(!world.own("before").exists(), "{is_inside} {n}");
            }
            if !was_killed {
                assert!(n > 1);
                break;
            }
        }
    }
}

#[test]
fn what_is_written_meanwhile_is_put_aside_and_in_no_ones_way() {
    for ends in [false, true] {
        let world = World::new(true);
        let exchange = world.exchange();
        // An app that was not held makes its database and a log anew when they have left.
        let live = world.live();
        let has_written = Cell::new(false);
        let pass = |_: &'static str| {
            let has_left = !live.join("db").exists() && !live.join("only-old").exists();
            if has_left && !has_written.replace(true) {
                fs::write(live.join("db"), "stray").unwrap();
                fs::write(live.join("only-new"), "stray").unwrap();
            }
        };
        exchange.make(Moves::REAL, &pass).unwrap();
        assert!(World::is(&live, &NEW));
        let aside = World::aside(&exchange);
        let gone_along = World::inside_names(&world.own("before"));
        assert_eq!(aside + gone_along - OLD.len(), 2, "none is lost");
        if !ends {
            assert_eq!(exchange.settle(Moves::REAL, &|_| ()).unwrap(), Live::Old);
            assert_eq!(fs::read_to_string(live.join("db/file")).unwrap(), "old");
        }
    }
}

#[test]
fn a_file_of_the_app_with_a_name_like_copals_own_changes_places_as_any_other() {
    let name = ".copal-strays-1-2";
    let world = World::new(true);
    for (tree, text) in [(world.live(), "old"), (world.new_tree(), "new")] {
        fs::write(tree.join(name), text).unwrap();
    }
    let exchange = world.exchange();
    exchange.make(Moves::REAL, &|_| ()).unwrap();
    let read = |tree: PathBuf| fs::read_to_string(tree.join(name)).unwrap();
    assert_eq!(read(world.live()), "new");
    assert_eq!(read(world.own("before")), "old");
    assert!(!exchange.strays().exists());
}

#[test]
fn what_is_in_the_way_is_put_aside_also_under_the_longest_name() {
    let world = World::new(true);
    let long = "n".repeat(255);
    fs::write(world.live().join(&long), "old").unwrap();
    let exchange = world.exchange();
    exchange.make(Moves::REAL, &|_| ()).unwrap();
    fs::write(world.live().join(&long), "stray").unwrap();
    assert_eq!(exchange.settle(Moves::REAL, &|_| ()).unwrap(), Live::Old);
    let live = fs::read_to_string(world.live().join(&long));
    assert_eq!(live.unwrap(), "old");
    assert_eq!(World::aside(&exchange), 1);
}

impl World {
    /// How much was put aside.
    fn aside(exchange: &Exchange) -> usize {
        let rounds = fs::read_dir(exchange.strays()).into_iter().flatten();
        let rounds = rounds.map(|round| round.unwrap().path());
        rounds.map(|round| Self::inside_names(&round)).sum()
    }

    fn inside_names(directory: &Path) -> usize {
        fs::read_dir(directory).unwrap().count()
    }
}

#[test]
fn another_directory_that_somebody_put_there_since_is_left_alone() {
    let world = World::new(false);
    let exchange = world.exchange();
    fs::rename(world.live(), world.dir.path().join("aside")).unwrap();
    fs::create_dir(world.live()).unwrap();
    assert_eq!(exchange.settle(Moves::REAL, &|_| ()).unwrap(), Live::Other);
    assert_eq!(World::inside_names(&world.live()), 0);
}

#[test]
fn nothing_is_decided_while_the_disk_of_the_trees_is_not_mounted() {
    let world = World::new(false);
    let exchange = world.exchange();
    assert!(killed_at(2, |pass| drop(
        exchange.make(WITHOUT_EXCHANGE, pass)
    )));
    // An empty directory is where the disk is to be, and then the disk.
    let disk = world.dir.path().with_extension("disk");
    fs::rename(world.dir.path(), &disk).unwrap();
    fs::create_dir(world.dir.path()).unwrap();
    let error = exchange.settle(Moves::REAL, &|_| ()).unwrap_err();
    assert!(error.to_string().contains("mounted"), "{error}");
    fs::remove_dir(world.dir.path()).unwrap();
    fs::rename(&disk, world.dir.path()).unwrap();
    assert_eq!(exchange.settle(Moves::REAL, &|_| ()).unwrap(), Live::Old);
    assert!(World::is(&world.live(), &OLD));

    let world = World::new(true);
    let text = serde_json::to_string(&world.exchange()).unwrap();
    let mounted = text.replace("\"is_mounted\":false", "\"is_mounted\":true");
    let exchange: Exchange = serde_json::from_str(&mounted).unwrap();
    let error = exchange.settle(Moves::REAL, &|_| ()).unwrap_err();
    assert!(error.to_string().contains("mounted"), "{error}");
    assert!(world.own("before").exists());
}

#[test]
fn another_disk_in_the_place_of_the_one_that_has_the_trees_is_not_taken_for_it() {
    let world = World::new(true);
    let exchange = world.exchange();
    assert!(killed_at(2, |pass| drop(exchange.make(Moves::REAL, pass))));
    // Something is there, and nothing of this run.
    let disk = world.dir.path().join("disk");
    fs::rename(world.live(), &disk).unwrap();
    fs::create_dir(world.live()).unwrap();
    let error = exchange.settle(Moves::REAL, &|_| ()).unwrap_err();
    assert!(error.to_string().contains("mounted"), "{error}");
    fs::remove_dir(world.live()).unwrap();
    fs::rename(&disk, world.live()).unwrap();
    assert_eq!(exchange.settle(Moves::REAL, &|_| ()).unwrap(), Live::Old);
    assert!(World::is(&world.live(), &OLD));
    // It was put in order by hand, on the right disk.
    fs::remove_dir_all(world.new_tree()).unwrap();
    assert_eq!(exchange.settle(Moves::REAL, &|_| ()).unwrap(), Live::Old);
}

#[test]
fn an_empty_directory_that_an_engine_makes_for_a_mount_is_in_nobodys_way() {
    for filled in [false, true] {
        let world = World::new(false);
        let exchange = world.exchange();
        assert!(killed_at(2, |pass| drop(
            exchange.make(WITHOUT_EXCHANGE, pass)
        )));
        fs::create_dir(world.live()).unwrap();
        if filled {
            fs::write(world.live().join("file"), "").unwrap();
        }
        let live = exchange.settle(Moves::REAL, &|_| ()).unwrap();
        assert_eq!(live, if filled { Live::Other } else { Live::Old });
        assert_eq!(World::is(&world.own("before"), &OLD), filled);
    }
}

#[test]
fn mode_and_owner_of_a_directory_that_keeps_its_place_change_with_its_content() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    let world = World::new(true);
    fs::set_permissions(world.live(), fs::Permissions::from_mode(0o751)).unwrap();
    fs::set_permissions(world.new_tree(), fs::Permissions::from_mode(0o755)).unwrap();
    let exchange = world.exchange();
    exchange.make(Moves::REAL, &|_| ()).unwrap();
    assert_eq!(mode(&world.live()), 0o755);
    assert_eq!(mode(&world.own("before")), 0o751);
    exchange.settle(Moves::REAL, &|_| ()).unwrap();
    assert_eq!(mode(&world.live()), 0o751);
}

#[test]
fn an_exchange_comes_back_from_its_text_with_names_of_any_bytes() {
    use std::ffi::OsStr;
    let world = World::new(true);
    fs::create_dir(world.new_tree().join(OsStr::from_bytes(b"caf\xe9"))).unwrap();
    let exchange = world.exchange();
    let text = serde_json::to_string(&exchange).unwrap();
    assert_eq!(serde_json::from_str::<Exchange>(&text).unwrap(), exchange);
}

#[test]
fn only_what_is_named_for_a_run_is_copals_own() {
    for (name, own) in [
        (".copal-before-6446a-1f", true),
        (".copal-restoring-6446a-1f", true),
        (".copal-strays-6446a-1f", true),
        (".copal-before-mine", false),
        (".copal-before-6446a-1f-x", false),
        (".copal-before-", false),
        (".copal", false),
    ] {
        assert_eq!(is_own_name(std::ffi::OsStr::new(name)), own, "{name}");
    }
}
