use std::fs;
use std::path::{Path, PathBuf};

use copal_core::config::Config;
use copal_core::manifest::Manifest;

use super::*;
use crate::edge::fake::{Fake, Orders};
use crate::edge::interrupt::Interrupt;
use crate::edge::interrupt::Signal;
use crate::edge::leftovers::Leftovers;
use crate::edge::remote::Progress;
use crate::edge::state::StateDir;
use crate::edges::{Show, Total};
use crate::outcome::Verdict;
use crate::step::compare::Difference;
use crate::step::restore::{Asked, RestoreError, restore};
use crate::step::snapshots::Store;
use crate::step::transfer::TransferError;
use copal_core::config::RemoteSpec;

/// A source, a destination, and a state directory of their own.
struct World {
    dir: tempfile::TempDir,
    job: Job,
    state: StateDir,
    interrupt: Interrupt,
}

struct Silent;

impl Show for Silent {
    fn step(&self, _: Step) {}
    fn transfer(&self, _: Progress, _: Total) {}
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("app");
        fs::create_dir_all(source.join("uploads")).unwrap();
        fs::create_dir_all(source.join("cache")).unwrap();
        fs::write(source.join("cache/model"), "large").unwrap();
        for name in ["a.txt", "b.txt", "c.txt"] {
            fs::write(source.join("uploads").join(name), name).unwrap();
        }
        let database = rusqlite::Connection::open(source.join("app.db")).unwrap();
        database
            .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
            .unwrap();
        let config = Config::from_flags("app", "fake".parse_remote(), "app".parse().unwrap());
        let job = Job::new(config, dir.path().to_owned());
        let state = StateDir::at(dir.path().join("state"));
        Self {
            dir,
            job,
            state,
            interrupt: Interrupt::default(),
        }
    }

    fn source(&self, path: &str) -> PathBuf {
        self.dir.path().join("app").join(path)
    }

    fn fake(&self, orders: Orders) -> Fake {
        Fake {
            root: self.dir.path().join("remote"),
            orders,
            interrupt: self.interrupt.clone(),
        }
    }

    fn back_up(&self, fake: &Fake) -> Outcome<Delivered> {
        self.back_up_allowed(fake, Allowances::default())
    }

    fn back_up_allowed(&self, fake: &Fake, allow: Allowances) -> Outcome<Delivered> {
        let edges = Edges {
            open: &|_| Ok(Box::new(fake.clone())),
            now: &|| "2026-11-24T03:00:00Z".parse().unwrap(),
            interrupt: &self.interrupt,
            state: &self.state,
            show: &Silent,
        };
        backup(&self.job, allow, &edges).unwrap()
    }

    /// Every sealed snapshot there is, read without any order to fail.
    fn sealed(&self) -> Vec<Manifest> {
        let fake = self.fake(Orders::default());
        let store = Store::new(&fake, "app");
        store
            .all()
            .unwrap()
            .into_iter()
            .map(|known| known.manifest.unwrap())
            .collect()
    }

    fn restore(&self, manifest: &Manifest) -> PathBuf {
        self.restore_by(Orders::default(), manifest).unwrap()
    }

    fn restore_by(&self, orders: Orders, manifest: &Manifest) -> Result<PathBuf, RestoreError> {
        let fake = self.fake(orders);
        let to = self.dir.path().join("restored");
        let store = Store::new(&fake, "app");
        let (watch, interrupt) = (&mut |_| {}, Interrupt::default());
        let leftovers = Leftovers::default();
        restore(
            &store,
            manifest,
            &to,
            Asked::default(),
            watch,
            &interrupt,
            &leftovers,
        )?;
        Ok(to)
    }

    fn nothing_left_behind(&self) {
        let staging = self.state.staging("app");
        let left = fs::read_dir(staging).map_or(0, Iterator::count);
        assert_eq!(left, 0, "the staging directory is empty");
        drop(Lock::take(&self.state.lock_file("app"), "app").expect("the lock is free"));
    }
}

trait ParseRemote {
    fn parse_remote(&self) -> RemoteSpec;
}

impl ParseRemote for str {
    fn parse_remote(&self) -> RemoteSpec {
        RemoteSpec::parse(self).unwrap()
    }
}

fn calls_of_a_good_run() -> usize {
    let world = World::new();
    let fake = world.fake(Orders::default());
    assert_eq!(world.back_up(&fake).verdict(), Verdict::Succeeded);
    fake.calls()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_run_seals_what_the_filters_keep() {
    let world = World::new();
    let outcome = world.back_up(&world.fake(Orders::default()));
    assert_eq!(outcome.verdict(), Verdict::Succeeded);
    let [manifest] = &world.sealed()[..] else {
        panic!("one snapshot")
    };
    let paths: Vec<_> = manifest
        .entries
        .iter()
        .map(|entry| entry.path.to_string())
        .collect();
    assert_eq!(
        paths,
        [
            "app.db",
            "uploads",
            "uploads/a.txt",
            "uploads/b.txt",
            "uploads/c.txt"
        ]
    );
    let restored = world.restore(manifest);
    assert_eq!(read(&restored.join("uploads/b.txt")), "b.txt");
    world.nothing_left_behind();
}

#[test]
fn two_runs_within_one_second_make_two_snapshots() {
    let world = World::new();
    for _ in 0..2 {
        assert_eq!(
            world.back_up(&world.fake(Orders::default())).verdict(),
            Verdict::Succeeded
        );
    }
    let ids: Vec<_> = world
        .sealed()
        .iter()
        .map(|manifest| manifest.id.to_string())
        .collect();
    assert_eq!(ids, ["2026-11-24T030000Z", "2026-11-24T030001Z"]);
}

#[test]
fn a_failure_at_any_call_fails_the_run_and_leaves_no_snapshot() {
    for n in 0..calls_of_a_good_run() {
        let world = World::new();
        let fake = world.fake(Orders {
            fail_at: Some(n),
            ..Orders::default()
        });
        let outcome = world.back_up(&fake);
        assert_eq!(outcome.verdict(), Verdict::Failed, "call {n}");
        assert!(outcome.errors().next().is_some(), "call {n} is told of");
        assert!(world.sealed().is_empty(), "call {n} left a snapshot");
        world.nothing_left_behind();
        let again = world.back_up(&world.fake(Orders::default()));
        assert_eq!(
            again.verdict(),
            Verdict::Succeeded,
            "the run after call {n}"
        );
    }
}

#[test]
fn a_remote_that_goes_away_at_any_call_never_leaves_half_a_snapshot() {
    for n in 0..calls_of_a_good_run() {
        let world = World::new();
        let fake = world.fake(Orders {
            fail_from: Some(n),
            ..Orders::default()
        });
        assert_eq!(world.back_up(&fake).verdict(), Verdict::Failed, "call {n}");
        // Gone right after the manifest went up, it may be there: then it is a whole one.
        for manifest in world.sealed() {
            world.restore(&manifest);
        }
        world.nothing_left_behind();
    }
}

#[test]
fn a_signal_at_any_call_before_the_seal_interrupts_the_run_and_leaves_no_snapshot() {
    let last = calls_of_a_good_run() - 1;
    for n in 0..last {
        let world = World::new();
        let fake = world.fake(Orders {
            signal_at: Some(n),
            ..Orders::default()
        });
        let outcome = world.back_up(&fake);
        world.nothing_left_behind();
        match outcome.verdict() {
            Verdict::Interrupted(signal) => {
                assert_eq!(signal, Signal::Terminate);
                assert!(world.sealed().is_empty(), "call {n} left a snapshot");
            }
            // It came when nothing was left but to see the manifest arrive.
            Verdict::Succeeded => assert_eq!(world.sealed().len(), 1, "call {n}"),
            other => panic!("call {n}: {other:?}"),
        }
    }
}

#[test]
fn a_file_that_changes_under_the_transfer_is_sent_again_whole() {
    let world = World::new();
    let orders = Orders::default();
    let changing = world.source("uploads/a.txt");
    // While the databases go up; the live files follow.
    orders.meanwhile.replace(Some(Box::new(move || {
        fs::write(changing, "changed").unwrap();
    })));
    let outcome = world.back_up(&world.fake(orders));
    let snapshot = outcome.sealed().next().expect("sealed");
    assert_eq!(snapshot.moved, ["uploads/a.txt".parse().unwrap()]);
    let restored = world.restore(&world.sealed()[0]);
    assert_eq!(read(&restored.join("uploads/a.txt")), "changed");
}

#[test]
fn a_file_that_changes_without_a_new_size_or_time_is_noticed() {
    let world = World::new();
    let orders = Orders::default();
    let changing = world.source("uploads/a.txt");
    let time = filetime::FileTime::from_last_modification_time(&changing.metadata().unwrap());
    orders.meanwhile.replace(Some(Box::new(move || {
        fs::write(&changing, "A.TXT").unwrap();
        filetime::set_file_mtime(&changing, time).unwrap();
    })));
    world.back_up(&world.fake(orders));
    let restored = world.restore(&world.sealed()[0]);
    assert_eq!(read(&restored.join("uploads/a.txt")), "A.TXT");
}

#[test]
fn a_source_that_is_away_when_the_transfer_ends_is_not_sealed_as_one_whose_files_were_deleted() {
    let world = World::new();
    let orders = Orders::default();
    let (source, away) = (world.source(""), world.dir.path().join("away"));
    orders.meanwhile.replace(Some(Box::new(move || {
        fs::rename(&source, away).unwrap();
        fs::create_dir(source).unwrap();
    })));
    let outcome = world.back_up(&world.fake(orders));
    let swapped = outcome.errors().any(|error| {
        let CopalError::Transfer(TransferError::Stage(stage)) = error else {
            return false;
        };
        matches!(stage, crate::step::stage::StageError::Swapped(_))
    });
    assert!(swapped && world.sealed().is_empty());
}

#[test]
fn a_file_that_is_renamed_under_the_transfer_is_in_the_snapshot_once() {
    let world = World::new();
    let orders = Orders::default();
    let (from, to) = (
        world.source("uploads/a.txt"),
        world.source("uploads/renamed.txt"),
    );
    orders
        .meanwhile
        .replace(Some(Box::new(move || fs::rename(from, to).unwrap())));
    let outcome = world.back_up(&world.fake(orders));
    let snapshot = outcome.sealed().next().expect("sealed");
    assert_eq!(snapshot.vanished, ["uploads/a.txt".parse().unwrap()]);
    let restored = world.restore(&world.sealed()[0]);
    assert_eq!(read(&restored.join("uploads/renamed.txt")), "a.txt");
    assert!(!restored.join("uploads/a.txt").exists());
}

#[test]
fn what_was_deleted_under_the_run_is_kept_in_its_record_and_much_of_it_makes_it_fall_short() {
    for (gone, is_much) in [(3, false), (12, true)] {
        let world = World::new();
        let file = |n: usize| world.source(&format!("uploads/{n}.txt"));
        (0..20).for_each(|n| fs::write(file(n), "x").unwrap());
        let doomed: Vec<_> = (0..gone).map(file).collect();
        let orders = Orders::default();
        orders.meanwhile.replace(Some(Box::new(move || {
            for file in &doomed {
                fs::remove_file(file).unwrap();
            }
        })));
        let outcome = world.back_up(&world.fake(orders));
        let snapshot = outcome.sealed().next().expect("sealed");
        assert_eq!(snapshot.vanished.len(), gone);
        let mut shortcomings = outcome.shortcomings.iter();
        let missed = shortcomings.any(|error| matches!(error, CopalError::Missed(_)));
        assert_eq!(missed, is_much, "{gone}");
        let notes = outcome.result.as_ref().unwrap().notes().join("\n");
        assert!(notes.contains("deleted by the app meanwhile"), "{notes}");
    }
}

#[test]
fn a_log_never_travels_even_when_a_file_is_renamed_under_the_transfer() {
    let world = World::new();
    let app = rusqlite::Connection::open(world.source("app.db")).unwrap();
    app.pragma_update(None, "journal_mode", "wal").unwrap();
    app.execute_batch("INSERT INTO t VALUES (2)").unwrap();
    assert!(world.source("app.db-wal").exists());
    let orders = Orders::default();
    let (from, to) = (
        world.source("uploads/a.txt"),
        world.source("uploads/renamed.txt"),
    );
    orders
        .meanwhile
        .replace(Some(Box::new(move || fs::rename(from, to).unwrap())));
    assert_eq!(
        world.back_up(&world.fake(orders)).verdict(),
        Verdict::Succeeded
    );
    let paths: Vec<_> = world.sealed()[0]
        .entries
        .iter()
        .map(|e| e.path.to_string())
        .collect();
    assert!(
        paths.contains(&"uploads/renamed.txt".to_owned()),
        "{paths:?}"
    );
    assert!(
        !paths
            .iter()
            .any(|path| path.ends_with("-wal") || path.ends_with("-shm")),
        "{paths:?}"
    );
}

#[test]
fn another_machines_run_in_the_same_second_is_left_alone() {
    let world = World::new();
    let foreign = world.dir.path().join("remote/app/2026-11-24T030000Z");
    let orders = Orders::default();
    let theirs = foreign.clone();
    orders.before_claim.replace(Some(Box::new(move || {
        fs::create_dir_all(theirs.join(".copal")).unwrap();
        fs::write(theirs.join(".copal/run-other"), "other").unwrap();
        fs::write(theirs.join("app.db"), "theirs").unwrap();
    })));
    let outcome = world.back_up(&world.fake(orders));
    let snapshot = outcome.sealed().next().expect("sealed");
    assert_eq!(snapshot.id.to_string(), "2026-11-24T030001Z");
    assert_eq!(read(&foreign.join("app.db")), "theirs");
    let left: Vec<_> = fs::read_dir(foreign.join(".copal")).unwrap().collect();
    assert_eq!(left.len(), 1, "its claim, and none of ours");
}

#[test]
fn a_claim_is_gone_when_the_snapshot_is_sealed() {
    let world = World::new();
    world.back_up(&world.fake(Orders::default()));
    let copal = world
        .dir
        .path()
        .join("remote/app/2026-11-24T030000Z/.copal");
    let mut names: Vec<_> = fs::read_dir(copal)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["SHA256SUMS", "manifest.json"]);
}

#[test]
fn a_damaged_last_manifest_is_told_and_the_one_before_is_the_measure() {
    let world = World::new();
    world.back_up(&world.fake(Orders::default()));
    world.back_up(&world.fake(Orders::default()));
    let newest = world
        .dir
        .path()
        .join("remote/app/2026-11-24T030001Z/.copal/manifest.json");
    fs::write(&newest, "{").unwrap();
    assert_eq!(
        world.back_up(&world.fake(Orders::default())).verdict(),
        Verdict::Warned
    );
    fs::remove_file(world.source("app.db")).unwrap();
    fs::write(
        world
            .dir
            .path()
            .join("remote/app/2026-11-24T030002Z/.copal/manifest.json"),
        "{",
    )
    .unwrap();
    assert_eq!(
        world.back_up(&world.fake(Orders::default())).verdict(),
        Verdict::Failed
    );
}

#[test]
fn a_remote_that_loses_or_shortens_a_file_in_silence_is_found_out() {
    fn lose(path: &Path) {
        if path.ends_with("b.txt") {
            fs::remove_file(path).unwrap();
        }
    }
    fn shorten(path: &Path) {
        if path.ends_with("b.txt") {
            fs::write(path, "b").unwrap();
        }
    }
    let missing = Difference::Missing("uploads/b.txt".into());
    let size = Difference::Size {
        name: "uploads/b.txt".into(),
        found: ByteCount(1),
        expected: ByteCount(5),
    };
    for (spoil, expected) in [(lose as fn(&Path), missing), (shorten, size)] {
        let world = World::new();
        let outcome = world.back_up(&world.fake(Orders {
            spoil: Some(spoil),
            ..Orders::default()
        }));
        let Some(CopalError::Transfer(TransferError::Mismatch(found))) = outcome.errors().next()
        else {
            panic!("{outcome:?}")
        };
        assert_eq!(*found, [expected]);
        assert!(world.sealed().is_empty());
    }
}

#[test]
fn a_database_that_vanished_or_lost_its_tables_since_the_last_snapshot_fails_the_run() {
    use crate::step::preflight::PreflightError;
    let lose: fn(&Path) = |path| fs::remove_file(path).unwrap();
    let empty: fn(&Path) = |path| {
        let database = rusqlite::Connection::open(path).unwrap();
        database.execute_batch("DROP TABLE t; VACUUM").unwrap();
    };
    for spoil in [lose, empty] {
        let world = World::new();
        world.back_up(&world.fake(Orders::default()));
        spoil(&world.source("app.db"));
        let outcome = world.back_up(&world.fake(Orders::default()));
        assert!(
            matches!(
                outcome.errors().next(),
                Some(CopalError::Preflight(
                    PreflightError::DatabaseMissing { .. } | PreflightError::DatabaseEmptied { .. }
                ))
            ),
            "{outcome:?}"
        );
        assert_eq!(world.sealed().len(), 1);
        world.nothing_left_behind();
    }
}

/// A world whose files nobody has written to for an hour, staged by links.
fn linking_world() -> World {
    let mut world = World::new();
    let text = "name = 'app'\nsource.path = 'app'\ndestination = [{ remote = 'fake:' }]\n\
                staging.mode = 'link'\n[[hook]]\nuse = 'exclude'\n[[hook]]\nuse = 'sqlite-backup'\n\
                grants = { sqlite = ['*'] }";
    world.job.config = Config::parse(text, "copal.toml").unwrap();
    // By the clock of these runs.
    let hour_ago: jiff::Timestamp = "2026-11-24T02:00:00Z".parse().unwrap();
    let time = filetime::FileTime::from_unix_time(hour_ago.as_second(), 0);
    for name in ["a.txt", "b.txt", "c.txt"] {
        filetime::set_file_mtime(world.source("uploads").join(name), time).unwrap();
    }
    world
}

/// Writes to these files in place, one during each upload.
fn write_one_by_one(orders: &Orders, mut files: Vec<PathBuf>) {
    let Some(file) = files.pop() else { return };
    let next = orders.clone();
    orders.meanwhile.replace(Some(Box::new(move || {
        fs::write(file, "written once").unwrap();
        write_one_by_one(&next, files);
    })));
}

#[test]
fn linked_files_that_are_written_to_one_after_the_other_are_named_and_sealed() {
    let world = linking_world();
    let names: Vec<String> = (0..12).map(|n| format!("uploads/{n}.txt")).collect();
    let hour_ago: jiff::Timestamp = "2026-11-24T02:00:00Z".parse().unwrap();
    let time = filetime::FileTime::from_unix_time(hour_ago.as_second(), 0);
    for name in &names {
        fs::write(world.source(name), name).unwrap();
        filetime::set_file_mtime(world.source(name), time).unwrap();
    }
    let orders = Orders::default();
    let files = names.iter().map(|name| world.source(name)).collect();
    write_one_by_one(&orders, files);
    let outcome = world.back_up(&world.fake(orders));
    let snapshot = outcome.sealed().next().expect("sealed");
    assert_eq!(snapshot.outrun.len(), names.len());
    let restored = world.restore(&world.sealed()[0]);
    for name in names {
        assert_eq!(read(&restored.join(name)), "written once");
    }
}

#[test]
fn what_is_linked_is_sealed_as_it_was_although_it_is_deleted_and_replaced_meanwhile() {
    let world = linking_world();
    let orders = Orders::default();
    let (gone, replaced) = (world.source("uploads/a.txt"), world.source("uploads/b.txt"));
    let new = world.source("uploads/new");
    orders.meanwhile.replace(Some(Box::new(move || {
        fs::remove_file(gone).unwrap();
        fs::write(&new, "another").unwrap();
        fs::rename(new, replaced).unwrap();
    })));
    let outcome = world.back_up(&world.fake(orders));
    assert_eq!(outcome.verdict(), Verdict::Succeeded, "{outcome:?}");
    let [manifest] = &world.sealed()[..] else {
        panic!("one snapshot")
    };
    let way = manifest.run.staging.map(copal_core::staging::Way::name);
    assert_eq!(way, Some("link"));
    let restored = world.restore(manifest);
    for name in ["a.txt", "b.txt", "c.txt"] {
        assert_eq!(read(&restored.join("uploads").join(name)), name);
    }
    world.nothing_left_behind();
}

#[test]
fn what_is_linked_and_written_to_in_place_is_sent_as_it_is_by_then_and_named() {
    let world = linking_world();
    let orders = Orders::default();
    let changing = world.source("uploads/a.txt");
    orders.meanwhile.replace(Some(Box::new(move || {
        fs::write(changing, "in place").unwrap();
    })));
    let outcome = world.back_up(&world.fake(orders));
    assert_eq!(outcome.verdict(), Verdict::Warned);
    let [CopalError::Outrun(outrun)] = &outcome.shortcomings[..] else {
        panic!("{outcome:?}")
    };
    assert_eq!(*outrun, ["uploads/a.txt".parse().unwrap()]);
    let restored = world.restore(&world.sealed()[0]);
    assert_eq!(read(&restored.join("uploads/a.txt")), "in place");
    world.nothing_left_behind();
}

/// A service that runs as long as a file is there, and stays held until all is delivered.
fn holding_world() -> (World, PathBuf) {
    let mut world = World::new();
    let app = world.source("../running");
    fs::write(&app, "").unwrap();
    let file = app.display();
    let text = format!(
        "name = 'app'\nsource.path = 'app'\ndestination = [{{ remote = 'fake:' }}]\n\
         staging.mode = 'hold'\n[[hook]]\nuse = 'quiesce'\ngrants = {{ service = ['app'] }}\n\
         [[hook]]\nuse = 'sqlite-backup'\ngrants = {{ sqlite = ['*'] }}\n\
         [service.app]\ndriver = 'command'\nstop = ['rm', '{file}']\nstart = ['touch', '{file}']\n\
         state = ['test', '-e', '{file}']\n"
    );
    world.job.config = Config::parse(&text, "copal.toml").unwrap();
    (world, app)
}

#[test]
fn with_mode_hold_services_are_held_until_the_snapshot_is_sealed() {
    let (world, app) = holding_world();
    let orders = Orders::default();
    let runs = app.clone();
    orders.meanwhile.replace(Some(Box::new(move || {
        assert!(!runs.exists(), "while it is uploaded");
    })));
    let outcome = world.back_up(&world.fake(orders));
    assert_eq!(outcome.verdict(), Verdict::Succeeded, "{outcome:?}");
    assert_eq!(world.sealed().len(), 1);
    assert!(app.exists());
    world.nothing_left_behind();
}

#[test]
fn with_mode_hold_nothing_is_sealed_if_a_service_was_resumed_during_the_upload() {
    let (world, app) = holding_world();
    let orders = Orders::default();
    let resumed = app.clone();
    orders.meanwhile.replace(Some(Box::new(move || {
        fs::write(resumed, "").unwrap();
    })));
    let outcome = world.back_up(&world.fake(orders));
    assert_eq!(outcome.verdict(), Verdict::Failed);
    let told = outcome.errors().next().unwrap().to_string();
    assert!(told.contains("did not stay stopped"), "{told}");
    assert!(world.sealed().is_empty());
    assert!(app.exists());
    world.nothing_left_behind();
}

#[path = "backup_tests/clock.rs"]
mod clock;
#[path = "backup_tests/mirror.rs"]
mod mirror;
#[path = "backup_tests/mirror_way.rs"]
mod mirror_way;
#[path = "backup_tests/restored.rs"]
mod restored;
#[path = "backup_tests/reuse.rs"]
mod reuse;
#[path = "backup_tests/room.rs"]
mod room;
