//! What changes its kind or its place while it is staged, and disks that are too small for it.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use copal_testkit::{FileSystem, Mount, World, wait_until};
use rustix::fs::{CWD, Mode, RenameFlags, mkfifoat, renameat_with};

use crate::common::{PATIENCE, files_below, leaves_no_staging, sealed_id, small_world};
use crate::holds::Held;
use crate::remotes::add_crypt;

/// What was there before services were held is linked ahead, and stands in the way of what is there now.
#[test]
fn a_directory_that_became_a_file_and_a_file_that_became_a_directory_are_taken_as_they_are_now() {
    for mode in ["link", "copy", "direct"] {
        let becomes = "rm -r source/notes; echo file > source/notes; rm source/letter.txt; mkdir source/letter.txt; echo below > source/letter.txt/page; touch -d '1 hour ago' source/notes source/letter.txt/page";
        let held = Held::with(becomes, "", &format!("mode = \"{mode}\""));
        for file in ["letter.txt", "notes/first.txt", "notes/second.txt"] {
            let file = fs::File::options()
                .write(true)
                .open(held.world.path("source").join(file))
                .unwrap();
            let then = std::time::SystemTime::now() - Duration::from_hours(1);
            file.set_modified(then).unwrap();
        }
        let output = held.world.copal(&["backup", "--json"]);
        output.succeeds();
        let folder = held.world.vault().join("letters").join(sealed_id(&output));
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        assert_eq!(read("notes"), "file\n", "{mode}");
        assert_eq!(read("letter.txt/page"), "below\n", "{mode}");
        held.world.copal(&["verify", "--full"]).succeeds();
        leaves_no_staging(&held.world);
    }
}

#[test]
fn copies_that_their_disk_has_no_room_for_are_told_by_the_plan_before_anything_is_held() {
    let Some(disk) = Mount::new(FileSystem::Ext4, 16) else {
        return;
    };
    let place = disk.path().join("staging");
    let staging = format!("mode = \"copy\"\ndir = \"{}\"", place.display());
    let held = Held::with("", "", &staging);
    held.world.write("source/large", vec![7; 24 << 20]);
    for command in [&["plan"][..], &["backup", "--dry-run"], &["backup"]] {
        let output = held.world.copal(command);
        output
            .exits_with(1)
            .says("has room for")
            .says("the copies that are made while services are held need")
            .says(" next: ");
    }
    assert_eq!(held.did(), [""; 0]);
    assert!(held.runs());
}

const OUTSIDE: &str = "this lies outside";

/// Has a directory of the source and a link to outside change places until it is dropped.
struct Exchange<'a> {
    is_over: &'a AtomicBool,
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

fn with_exchange(source: &Path, doing: impl FnOnce()) {
    let places = (source.join("letters"), source.join("elsewhere"));
    exchanging(places, Duration::from_millis(2), doing);
}

fn exchanging((one, other): (PathBuf, PathBuf), pause: Duration, doing: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).unwrap();
                thread::sleep(pause);
            }
        });
        let _until_here = Exchange { is_over: &is_over };
        doing();
    });
}

/// Files of the same names and sizes in a directory of the source and outside, a database among them.
fn world_with_exchange() -> World {
    let world = small_world();
    for (place, text) in [
        ("source/letters", "this lies inside."),
        ("outside", OUTSIDE),
    ] {
        for n in 0..40 {
            world.write(format!("{place}/{n}.txt"), text);
        }
        let database = world.path(place).join("app.db");
        let connection = rusqlite::Connection::open(database).unwrap();
        let sql = format!("CREATE TABLE t (x); INSERT INTO t VALUES ('{text}')");
        connection.execute_batch(&sql).unwrap();
    }
    symlink(world.path("outside"), world.path("source/elsewhere")).unwrap();
    world
}

/// No content, that is: where the link points, is in the snapshot.
#[test]
fn nothing_from_outside_is_ever_sealed_whatever_changes_places() {
    for mode in ["link", "copy", "direct"] {
        let world = world_with_exchange();
        let config = format!(
            "name = 'source'\nsource.path = 'source'\ndestination = [{{ remote = 'vault:' }}]\n\
             [staging]\nmode = '{mode}'\n[[hook]]\nuse = 'sqlite-backup'\ngrants = {{ sqlite = ['*'] }}\n"
        );
        world.write("copal.toml", config);
        with_exchange(&world.source(), || {
            for _ in 0..runs() {
                let output = world.copal(&["backup", "--accept-missing"]);
                let is_told = match output.code() {
                    Some(0) => true,
                    Some(1 | 3) => !output.stderr().is_empty(),
                    _ => false,
                };
                assert!(is_told, "{mode}: {output}");
            }
        });
        for file in files_below(&world.vault()) {
            let content = fs::read(world.vault().join(&file)).unwrap();
            let is_outside = content
                .windows(OUTSIDE.len())
                .any(|part| part == OUTSIDE.as_bytes());
            assert!(!is_outside, "{mode}: {file}");
        }
        leaves_no_staging(&world);
    }
}

/// rclone reads by paths, and such a remote tells no hash of what it got.
#[test]
fn on_a_remote_without_hashes_what_was_read_elsewhere_is_sent_again() {
    let world = world_with_exchange();
    add_crypt(&world);
    let config = "name = 'source'\nsource.path = 'source'\ndestination = [{ remote = 'safe:' }]\n\
        [[hook]]\nuse = 'exclude'\nconfig = { paths = ['letters/app.db'] }\n\
        [rclone]\ntransfers = 1\ntpslimit = 200\n";
    world.write("copal.toml", config);
    let mut sealed = Vec::new();
    with_exchange(&world.source(), || {
        for _ in 0..runs() {
            let output = world.copal(&["backup", "--json"]);
            if output.code() == Some(0) {
                let told = &output.json()["destinations"][0]["deleted_meanwhile"];
                sealed.push((sealed_id(&output), told.to_string()));
            }
        }
    });
    for (id, told_gone) in sealed {
        world.copal(&["verify", "--full", &id]).succeeds();
        let to = format!("restored-{id}");
        world.copal(&["restore", &id, "--to", &to]).succeeds();
        for file in files_below(&world.path(&to)) {
            let content = fs::read_to_string(world.path(&to).join(&file)).unwrap_or_default();
            assert!(!content.contains(OUTSIDE), "{file}");
        }
        let places = ["letters", "elsewhere"].map(|place| (place, world.path(&to).join(place)));
        let directories = places
            .iter()
            .filter(|(_, at)| at.is_dir() && !at.is_symlink());
        for (place, at) in directories {
            for n in 0..40 {
                let name = format!("{place}/{n}.txt");
                if let Ok(content) = fs::read_to_string(at.join(format!("{n}.txt"))) {
                    assert_eq!(content, "this lies inside.", "{id}: {name}");
                    continue;
                }
                let told = [name.clone(), format!("\"{place}\"")];
                let is_told = told.iter().any(|gone| told_gone.contains(gone));
                assert!(is_told, "{id}: {name}: {told_gone}");
            }
        }
    }
}

/// What has the top's name for a while is another tree, with files of the same names and sizes.
#[test]
fn nothing_of_another_tree_is_sealed_that_changes_places_with_the_source_itself() {
    for mode in ["link", "copy", "direct"] {
        let world = small_world();
        for (place, text) in [
            ("source/letters", "this lies inside."),
            ("other/letters", OUTSIDE),
        ] {
            for n in 0..200 {
                let file = world.write(format!("{place}/{n}.txt"), text);
                let then = std::time::SystemTime::now() - Duration::from_hours(1);
                let file = fs::File::options().write(true).open(file).unwrap();
                file.set_modified(then).unwrap();
            }
        }
        let config = format!(
            "name = 'source'\nsource.path = 'source'\ndestination = [{{ remote = 'vault:' }}]\n\
             [staging]\nmode = '{mode}'\n"
        );
        world.write("copal.toml", config);
        let places = (world.path("source"), world.path("other"));
        exchanging(places, Duration::from_micros(700), || {
            for _ in 0..runs() {
                let output = world.copal(&["backup"]);
                // Which of the two was the source is the plan's to say; the manifest has it all.
                assert!(matches!(output.code(), Some(0 | 1)), "{mode}: {output}");
            }
        });
        for snapshot in fs::read_dir(world.vault().join("source"))
            .into_iter()
            .flatten()
        {
            let letters = snapshot.unwrap().path().join("letters");
            let read = |file: &String| fs::read_to_string(letters.join(file)).unwrap();
            let contents: HashSet<String> = files_below(&letters).iter().map(read).collect();
            assert!(
                contents.len() < 2,
                "{mode}: a mix of two trees: {contents:?}"
            );
        }
        leaves_no_staging(&world);
    }
}

/// Opening one waits for whoever writes to it.
#[test]
fn pipes_that_take_the_places_of_files_while_they_are_sent_end_no_run_and_keep_none_waiting() {
    let world = small_world();
    for n in 0..60 {
        world.write(format!("source/letters/{n}.txt"), "this lies inside.");
    }
    let config = "name = 'source'\nsource.path = 'source'\ndestination = [{ remote = 'vault:' }]\n\
        [staging]\nmode = 'direct'\n[rclone]\ntransfers = 1\ntpslimit = 50\nretries = 1\n";
    world.write("copal.toml", config);
    let running = world.start(&["backup", "--json"]);
    let sent = || {
        files_below(&world.vault())
            .iter()
            .filter(|file| file.contains("letters/"))
            .count()
    };
    wait_until("some files to arrive", PATIENCE, || {
        (sent() > 2).then_some(())
    })
    .unwrap();
    for n in 0..60 {
        let file = world.path(format!("source/letters/{n}.txt"));
        fs::remove_file(&file).unwrap();
        mkfifoat(CWD, &file, Mode::RWXU).unwrap();
    }
    let output = running.finish(PATIENCE).unwrap();
    assert!(matches!(output.code(), Some(0 | 3)), "{output}");
    let told = &output.json()["destinations"][0]["deleted_meanwhile"];
    assert_eq!(told.as_array().unwrap().len(), 60, "{output}");
    world.copal(&["verify", "--full"]).succeeds();
    leaves_no_staging(&world);
}

/// `COPAL_EXCHANGES` says how many backups each mode makes.
fn runs() -> u32 {
    let told = std::env::var("COPAL_EXCHANGES").ok();
    told.and_then(|told| told.parse().ok()).unwrap_or(3)
}
