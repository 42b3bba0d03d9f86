//! What restores in place keep: swapped back, or deleted, and nothing else ever is.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use copal_testkit::{FileSystem, Mount, World};

use crate::common::{back_up, is_root, skip, small_world};
use crate::in_place::{RESTORE, beside, changed_world, letter};
use crate::specimen::{configure, own_that_tells, told, world_with_specimen};

const UNDO: [&str; 2] = ["restore", "--undo"];
const DISCARD: [&str; 2] = ["restore", "--discard"];
const RESTORED: &str = "Dear reader,\n";
const OLD: &str = "Dear nobody,\n";

/// The run that kept the newest of what lies beside the source.
fn newest(world: &World) -> String {
    let name = beside(world).pop().unwrap();
    name.strip_prefix("source.before-").unwrap().to_owned()
}

#[test]
fn an_undoing_swaps_the_old_tree_back_and_is_undone_in_the_same_way() {
    let world = changed_world("");
    world.copal(&RESTORE).succeeds();
    let restored = newest(&world);
    let output = world.copal(&UNDO);
    assert!(output.succeeds().stdout().contains(&restored), "{output}");
    assert_eq!(letter(&world), OLD);
    assert!(world.path("source/cache/model").exists());
    let [kept] = &beside(&world)[..] else {
        panic!("{:?}", beside(&world))
    };
    assert!(!kept.contains(&restored), "it has the name of its own run");
    let kept = world.path(kept).join("letter.txt");
    assert_eq!(fs::read_to_string(kept).unwrap(), RESTORED);

    world.copal(&UNDO).succeeds();
    assert_eq!(letter(&world), RESTORED);
    assert_eq!(beside(&world).len(), 1);
    let record = world
        .copal(&["history", "show", "latest", "--json"])
        .succeeds()
        .json();
    assert_eq!(record["kind"], "restore");
    assert!(
        record["notes"].to_string().contains("swapped back"),
        "{record:#}"
    );
}

#[test]
fn the_run_whose_restore_is_undone_can_be_named() {
    let world = changed_world("");
    world.copal(&RESTORE).succeeds();
    let first = newest(&world);
    world.write("source/letter.txt", "Dear all,\n");
    world.copal(&RESTORE).succeeds();
    assert_eq!(beside(&world).len(), 2);
    world.copal(&["restore", "--undo", &first]).succeeds();
    assert_eq!(letter(&world), OLD);
    world
        .copal(&["restore", "--undo", "1-1"])
        .exits_with(2)
        .says("1-1")
        .says("these have: ");
    world
        .copal(&["restore", "--undo", &first])
        .exits_with(2)
        .says("no old tree");
}

#[test]
fn hooks_are_called_around_an_undoing() {
    let world = world_with_specimen();
    let own = own_that_tells(&world);
    configure(&world, "");
    world.copal(&["backup"]).succeeds();
    world.copal(&RESTORE).succeeds();
    configure(&world, &own);
    world.copal(&UNDO).succeeds();
    assert_eq!(
        told(&world),
        ["own pre-restore none", "own post-restore Succeeded"]
    );
}

#[test]
fn a_source_that_was_deleted_after_the_restore_comes_back() {
    let world = changed_world("");
    world.copal(&RESTORE).succeeds();
    fs::remove_dir_all(world.source()).unwrap();
    // What may be all that is left is not deleted.
    world.copal(&DISCARD).exits_with(1).says("the only one");
    let output = world.copal(&["restore", "--undo", "--json"]);
    let told = output.succeeds().json();
    assert!(told["before"].is_null(), "{told:#}");
    assert_eq!(letter(&world), OLD);
    assert_eq!(beside(&world), [""; 0]);
}

#[test]
fn the_old_tree_is_deleted_on_demand_and_told_with_what_it_took() {
    let world = changed_world("");
    world.copal(&RESTORE).succeeds();
    let output = world.copal(&DISCARD);
    let text = output.succeeds().stdout();
    assert!(text.contains("source.before-"), "{text}");
    assert!(text.contains(" on the disk"), "{text}");
    assert_eq!(beside(&world), [""; 0]);
    assert_eq!(letter(&world), RESTORED);
    for nothing in [UNDO, DISCARD] {
        world
            .copal(&nothing)
            .exits_with(1)
            .says("no restore of `letters`");
    }
    assert_eq!(letter(&world), RESTORED);
}

#[test]
fn of_several_old_trees_the_one_to_delete_has_to_be_named() {
    let world = changed_world("");
    world.copal(&RESTORE).succeeds();
    let first = newest(&world);
    world.copal(&RESTORE).succeeds();
    let output = world.copal(&DISCARD);
    output.exits_with(2).says(&first);
    assert_eq!(beside(&world).len(), 2);
    world.copal(&["restore", "--discard", &first]).succeeds();
    assert_eq!(beside(&world).len(), 1);
    assert!(!world.path(format!("source.before-{first}")).exists());
}

#[test]
fn a_directory_that_only_has_the_name_is_neither_swapped_nor_deleted() {
    let world = changed_world("");
    world.copal(&RESTORE).succeeds();
    let run = newest(&world);
    let path = world.path(format!("source.before-{run}"));
    // Kept apart, so that its inode is not used again.
    fs::rename(&path, world.path("aside")).unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("mine"), "mine").unwrap();
    for named in ["--undo", "--discard"] {
        world
            .copal(&["restore", named, &run])
            .exits_with(1)
            .says("is not the directory that the restore kept");
        world.copal(&["restore", named]).exits_with(1);
    }
    // Nor is one of a run that never was.
    world.write("source.before-1-1/mine", "mine");
    world.copal(&["restore", "--discard", "1-1"]).exits_with(2);
    assert!(path.join("mine").exists());
    assert!(world.path("source.before-1-1/mine").exists());
    assert_eq!(letter(&world), RESTORED);
}

#[test]
fn an_old_tree_that_a_deletion_began_to_delete_is_not_swapped_back() {
    let world = changed_world("");
    world.copal(&RESTORE).succeeds();
    let run = newest(&world);
    // As a kill in the midst of it leaves it.
    let record = world.path(format!(
        "home/.local/state/copal/old-trees/letters/{run}.json"
    ));
    let text = fs::read_to_string(&record).unwrap();
    fs::write(
        &record,
        text.replace("\"discarded\": false", "\"discarded\": true"),
    )
    .unwrap();
    world
        .copal(&["restore", "--undo", &run])
        .exits_with(1)
        .says("not whole any more");
    world.copal(&UNDO).exits_with(1);
    assert_eq!(letter(&world), RESTORED);
    world.copal(&DISCARD).succeeds();
    assert_eq!(beside(&world), [""; 0]);
}

#[test]
fn an_old_tree_that_an_app_still_works_in_is_not_deleted() {
    let world = changed_world("");
    let app = fs::File::open(world.path("source/letter.txt")).unwrap();
    world.copal(&RESTORE).exits_with(3).says("still works");
    world
        .copal(&DISCARD)
        .exits_with(1)
        .says(&format!("process {} ", std::process::id()))
        .says("restart the app");
    assert_eq!(beside(&world).len(), 1);
    drop(app);
    world.copal(&DISCARD).succeeds();
    assert_eq!(beside(&world), [""; 0]);
}

#[test]
fn an_old_tree_that_a_process_stands_in_is_not_deleted() {
    let world = changed_world("");
    let mut shell = Command::new("sleep");
    let mut shell = shell
        .arg("600")
        .current_dir(world.source())
        .spawn()
        .unwrap();
    // What stands there is no app: the restore has nothing to tell.
    let restored = world.copal(&RESTORE);
    let refused = world.copal(&DISCARD);
    shell.kill().unwrap();
    shell.wait().unwrap();
    restored.succeeds();
    refused
        .exits_with(1)
        .says(&format!("process {} (sleep) works in", shell.id()));
    world.copal(&DISCARD).succeeds();
    assert_eq!(beside(&world), [""; 0]);
}

#[test]
fn an_old_tree_of_which_only_half_could_be_deleted_is_left_whole() {
    if !is_root() {
        return skip("giving a directory away needs root");
    }
    let world = changed_world("");
    world.copal(&RESTORE).succeeds();
    let old = world.path(beside(&world).pop().unwrap());
    // As where a service wrote there under another user.
    let given = Command::new("chown")
        .args(["-R", "1000:1000"])
        .arg(world.root())
        .status();
    assert!(given.unwrap().success());
    let looks = |path: &Path| {
        let metadata = fs::metadata(path).unwrap();
        (metadata.mode(), metadata.uid())
    };
    std::os::unix::fs::chown(old.join("notes"), Some(0), Some(0)).unwrap();
    let were = (looks(&old), looks(&old.join("notes")));
    let (code, told) = as_somebody(&world, &DISCARD);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("you may not delete `"), "{told}");
    assert!(told.contains("/notes/"), "{told}");
    assert_eq!((looks(&old), looks(&old.join("notes"))), were);
    let (code, told) = as_somebody(&world, &UNDO);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(letter(&world), OLD);
}

#[test]
fn an_old_tree_with_something_that_nobody_may_delete_is_left_whole() {
    let Some(mount) = Mount::new(FileSystem::Ext4, 64) else {
        return;
    };
    let world = changed_world("");
    // A source that can be renamed, on a file system that has such attributes.
    let away = mount.path().join("source");
    let mut copied = Command::new("cp");
    copied.arg("-a").arg(world.source()).arg(&away);
    assert!(copied.status().unwrap().success());
    fs::remove_dir_all(world.source()).unwrap();
    std::os::unix::fs::symlink(&away, world.source()).unwrap();
    world.copal(&RESTORE).succeeds();
    let paths = fs::read_dir(mount.path()).unwrap();
    let mut paths = paths.map(|entry| entry.unwrap().path());
    let is_old = |path: &std::path::PathBuf| path.to_string_lossy().contains("source.before-");
    let old = paths.find(is_old).unwrap();
    for (attribute, what) in [("i", "letter.txt"), ("a", "notes")] {
        let chattr = |sign: &str| {
            let mut command = Command::new("chattr");
            command
                .arg(format!("{sign}{attribute}"))
                .arg(old.join(what));
            assert!(command.status().unwrap().success());
        };
        chattr("+");
        let told = world.copal(&DISCARD);
        chattr("-");
        told.exits_with(1)
            .says(&format!("{what}` is immutable or append-only"))
            .says("chattr -ia");
        assert!(old.join("notes/first.txt").exists());
    }
    world.copal(&UNDO).succeeds();
    assert_eq!(letter(&world), OLD);
    world.copal(&DISCARD).succeeds();
}

/// How Copal ended as another user than root, and what it said.
/// Another user need not reach where this was built.
fn as_somebody(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let command = world.command(arguments);
    let program = world.path("copal-of-somebody");
    fs::copy(command.get_program(), &program).unwrap();
    let set = command.get_envs();
    let output = Command::new(&program)
        .args(command.get_args())
        .current_dir(world.root())
        .env_clear()
        .envs(set.filter_map(|(name, value)| Some((name, value?))))
        .uid(1000)
        .gid(1000)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), told)
}

#[test]
fn an_older_tree_comes_back_only_if_it_is_named() {
    let world = changed_world("");
    world.copal(&RESTORE).succeeds();
    let first = newest(&world);
    world.copal(&RESTORE).succeeds();
    fs::remove_dir_all(world.path(format!("source.before-{}", newest(&world)))).unwrap();
    world
        .copal(&UNDO)
        .exits_with(2)
        .says(&format!("--undo {first}"));
    assert_eq!(letter(&world), RESTORED);
    world.copal(&["restore", "--undo", &first]).succeeds();
    assert_eq!(letter(&world), OLD);
}

#[test]
fn what_is_live_by_now_is_not_deleted() {
    let world = changed_world("");
    world.copal(&RESTORE).succeeds();
    let run = newest(&world);
    let old = format!("source.before-{run}");
    // Somebody went back by hand, and left a link.
    fs::rename(world.source(), world.path("restored")).unwrap();
    std::os::unix::fs::symlink(&old, world.source()).unwrap();
    world.copal(&DISCARD).exits_with(1).says("is live");
    assert!(world.path(&old).join("letter.txt").exists());
}

#[test]
fn an_undoing_takes_no_snapshot_and_no_directory() {
    let world = small_world();
    let id = back_up(&world);
    configure(&world, "");
    for arguments in [
        &["restore", &id, "--undo"][..],
        &["restore", "--undo", "--to", "x"],
        &["restore", "--discard", "--in-place"],
        &["restore", "--discard", "--undo"],
        &["restore", "--undo", "--from", "vault:"],
    ] {
        world.copal(arguments).exits_with(2);
    }
}

#[test]
fn backups_in_the_source_are_neither_moved_away_nor_deleted() {
    let world = changed_world("");
    world.copal(&RESTORE).succeeds();
    let old = world.path(beside(&world).pop().unwrap());
    // Another job's, under what the filters leave out.
    for top in [&old, &world.source()] {
        let sealed = top.join("cache/vault/app/2026-11-24T030000Z/.copal");
        fs::create_dir_all(&sealed).unwrap();
        fs::write(sealed.join("manifest.json"), "{}").unwrap();
    }
    world
        .copal(&DISCARD)
        .exits_with(1)
        .says("the old tree has backups in it");
    assert!(old.exists());
    world
        .copal(&RESTORE)
        .exits_with(2)
        .says("the source has backups in it");
    assert_eq!(letter(&world), RESTORED);
}

#[test]
fn the_old_tree_of_another_source_is_not_deleted() {
    let world = changed_world("");
    world.copal(&RESTORE).succeeds();
    let old = world.path(beside(&world).pop().unwrap());
    world.write("other/letter.txt", "Dear stranger,\n");
    let config = fs::read_to_string(world.path("copal.toml")).unwrap();
    let other = config.replace("\"source\"", "\"other\"");
    assert_ne!(config, other);
    world.write("copal.toml", other);
    world.copal(&DISCARD).exits_with(2).says("was live at");
    assert!(old.exists());
}

#[test]
fn an_undo_that_has_nothing_to_undo_is_no_run() {
    let world = small_world();
    world.write(
        "copal.toml",
        "name = \"app\"\nsource.path = \"source\"\n[[destination]]\nremote = \"vault:\"\n",
    );
    world.copal(&["backup"]).succeeds();
    world.copal(&UNDO).exits_with(1).says("no restore of");
    let rows = world.copal(&["history", "--json"]).succeeds().json();
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows:#}");
    world.copal(&["status"]).succeeds();
}
