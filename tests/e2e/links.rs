//! In a folder of this machine, what did not change is a hard link to the last snapshot's file.

use std::collections::HashMap;
use std::fs::{self, File, FileTimes, Metadata, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use copal_testkit::{Mount, Output, World, wait_until};

use crate::common::{PATIENCE, files_below, folder, is_root, sealed_id, small_world};

const VAULT: &str = "{ remote = 'vault:' }";

/// A job for this destination, with these lines in `copal.toml` beside the source.
fn configure(world: &World, destination: &str, more: &str) {
    let job = format!("name = 'source'\nsource.path = 'source'\ndestination = [{destination}]\n");
    let hook = "[[hook]]\nuse = 'sqlite-backup'\ngrants = { sqlite = ['*'] }\n";
    world.write("copal.toml", format!("{job}{more}\n{hook}"));
}

#[track_caller]
fn try_to(world: &World, more: &str) -> Output {
    configure(world, VAULT, more);
    world.copal(&["backup", "--json"])
}

/// The same, which is to succeed: the id, and what it tells of the destination.
#[track_caller]
fn back_up(world: &World, more: &str) -> (String, serde_json::Value) {
    back_up_to(world, VAULT, more)
}

#[track_caller]
fn back_up_to(world: &World, destination: &str, more: &str) -> (String, serde_json::Value) {
    configure(world, destination, more);
    let output = world.copal(&["backup", "--json"]);
    output.succeeds();
    let told = output.json()["destinations"][0].clone();
    (sealed_id(&output), told)
}

#[track_caller]
fn stat(file: &Path) -> Metadata {
    fs::symlink_metadata(file).unwrap()
}

/// Whether both snapshots have one file under this name.
#[track_caller]
fn is_shared(world: &World, one: &str, other: &str, name: &str) -> bool {
    let inode = |id: &str| stat(&folder(world, id).join(name)).ino();
    inode(one) == inode(other)
}

#[track_caller]
fn is_whole(world: &World, id: &str) {
    let full = ["verify", id, "--full", "--from", "vault:"];
    world.copal(&full).succeeds();
}

/// What all files below a directory take on the disk, each once however many names it has.
fn room_of(directory: &Path) -> u64 {
    let files = files_below(directory);
    let blocks = files.iter().map(|name| stat(&directory.join(name)));
    let blocks: HashMap<u64, u64> = blocks.map(|file| (file.ino(), file.blocks())).collect();
    blocks.values().sum::<u64>() * 512
}

#[test]
fn a_snapshot_of_unchanged_files_takes_almost_no_room_and_tells_how() {
    let world = small_world();
    world.write("source/nothing", "");
    world.write("source/large.bin", vec![7; 4 << 20]);
    let database = rusqlite::Connection::open(world.path("source/app.db")).unwrap();
    database.execute("CREATE TABLE t (x)", []).unwrap();
    drop(database);
    let (first, told) = back_up(&world, "");
    assert_eq!(
        (&told["linked"], &told["copied_files"]),
        (&false.into(), &0.into())
    );
    let before = room_of(&world.vault());
    let (second, told) = back_up(&world, "");
    assert_eq!(told["copied_files"], 6, "{told:#}");
    assert_eq!(told["uploaded_files"], 0, "{told:#}");
    assert_eq!(told["linked"], true, "{told:#}");
    for name in [
        "letter.txt",
        "notes/first.txt",
        "nothing",
        "app.db",
        "large.bin",
    ] {
        assert!(is_shared(&world, &first, &second, name), "{name}");
    }
    assert!(!is_shared(&world, &first, &second, ".copal/manifest.json"));
    let more = room_of(&world.vault()) - before;
    assert!(more < 100_000, "{more} bytes more");
    let told = world.copal(&["backup", "--source", "source", "--to", "vault:"]);
    let text = told.succeeds().stdout();
    let line = "uploaded: 0 files, 0 B; unchanged and hard links to the last snapshot's: 6 files";
    assert!(text.contains(line), "{text}");
    for id in [&first, &second] {
        is_whole(&world, id);
    }
}

#[test]
fn another_content_mode_owner_or_time_breaks_the_link_and_leaves_the_old_snapshot_as_it_was() {
    let world = small_world();
    for name in ["content", "mode", "time", "owner", "moved"] {
        world.write(format!("source/{name}"), name);
    }
    let source = world.source();
    let (first, _) = back_up(&world, "");
    let before = stat(&folder(&world, &first).join("time"))
        .modified()
        .unwrap();
    fs::write(source.join("content"), "another").unwrap();
    fs::set_permissions(source.join("mode"), Permissions::from_mode(0o600)).unwrap();
    let times = FileTimes::new().set_modified(std::time::SystemTime::UNIX_EPOCH);
    let file = File::options()
        .write(true)
        .open(source.join("time"))
        .unwrap();
    file.set_times(times).unwrap();
    fs::rename(source.join("moved"), source.join("moved away")).unwrap();
    let mut broken = vec!["content", "mode", "time"];
    if is_root() {
        std::os::unix::fs::chown(source.join("owner"), Some(1234), Some(1234)).unwrap();
        broken.push("owner");
    }
    let (second, told) = back_up(&world, "");
    assert_eq!(told["uploaded_files"], broken.len(), "{told:#}");
    for name in broken {
        assert!(!is_shared(&world, &first, &second, name), "{name}");
    }
    assert!(is_shared(&world, &first, &second, "letter.txt"));
    let moved = |id: &str, name: &str| stat(&folder(&world, id).join(name)).ino();
    assert_eq!(moved(&first, "moved"), moved(&second, "moved away"));
    let old = |name: &str| folder(&world, &first).join(name);
    assert_eq!(fs::read_to_string(old("content")).unwrap(), "content");
    assert_eq!(stat(&old("time")).modified().unwrap(), before);
    for id in [&first, &second] {
        is_whole(&world, id);
    }
}

#[test]
fn what_is_pruned_harms_no_other_snapshot_and_what_is_restored_is_nobodys_link() {
    let world = small_world();
    let ids = [(); 3].map(|()| back_up(&world, "").0);
    let letter = |id: &str| folder(&world, id).join("letter.txt");
    assert_eq!(stat(&letter(&ids[1])).nlink(), 3);
    let (last, _) = back_up(&world, "retention.last = 1");
    for id in &ids {
        assert!(!letter(id).exists());
    }
    assert_eq!(stat(&letter(&last)).nlink(), 1);
    is_whole(&world, &last);
    let restore = ["restore", &last, "--to", "back", "--from", "vault:"];
    world.copal(&restore).succeeds();
    assert_eq!(stat(&world.path("back/letter.txt")).nlink(), 1);
    fs::write(world.path("back/letter.txt"), "what the app writes").unwrap();
    is_whole(&world, &last);
}

/// Changes a file and none of its times.
#[track_caller]
fn damage(file: &Path, content: &str) {
    let time = stat(file).modified().unwrap();
    fs::write(file, content).unwrap();
    let file = File::options().write(true).open(file).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}

#[test]
fn damage_is_not_handed_on_nor_is_anything_written_by_a_name_that_two_snapshots_share() {
    for (more, proof) in [
        ("", "hash"),
        ("rclone.inplace = true", "hash"),
        ("", "read"),
    ] {
        let world = small_world();
        world.write("source/short.txt", "as long as it was");
        let destination = format!("{{ remote = 'vault:', proof = '{proof}' }}");
        let (first, _) = back_up_to(&world, &destination, more);
        let old = |name: &str| folder(&world, &first).join(name);
        damage(&old("letter.txt"), "Dear reaper,\n");
        damage(&old("short.txt"), "as long");
        fs::remove_file(old("notes/second.txt")).unwrap();
        configure(&world, &destination, more);
        let output = world.copal(&["backup", "--json"]);
        output.exits_with(3).says(&format!(
            "the last snapshot {first} is damaged: `letter.txt`, `notes/second.txt`, `short.txt`"
        ));
        let told = output.json()["destinations"][0].clone();
        let second = told["snapshot"].as_str().unwrap().to_owned();
        assert_eq!(told["uploaded_files"], 3, "{told:#}");
        assert_eq!(told["copied_files"], 1, "{told:#}");
        is_whole(&world, &second);
        assert_eq!(
            fs::read_to_string(old("letter.txt")).unwrap(),
            "Dear reaper,\n"
        );
        assert_eq!(fs::read_to_string(old("short.txt")).unwrap(), "as long");
        let damaged = world.copal(&["verify", &first, "--from", "vault:"]);
        damaged
            .exits_with(1)
            .says("`letter.txt` has another hash")
            .says("`notes/second.txt` is missing");
        assert!(is_shared(&world, &first, &second, "notes/first.txt"));
    }
}

#[test]
fn a_directory_in_the_place_of_a_file_of_the_last_snapshot_is_told_as_damage() {
    let world = small_world();
    let (first, _) = back_up(&world, "");
    let letter = folder(&world, &first).join("letter.txt");
    fs::remove_file(&letter).unwrap();
    fs::create_dir(&letter).unwrap();
    let output = world.copal(&["backup", "--json"]);
    output.exits_with(3).says(&format!(
        "the last snapshot {first} is damaged: `letter.txt`"
    ));
    let told = output.json()["destinations"][0].clone();
    assert_eq!(told["not_linked"], serde_json::Value::Null);
    is_whole(&world, told["snapshot"].as_str().unwrap());
    // The next one has nothing to tell: it shares with a snapshot that is whole.
    back_up(&world, "");
}

/// As for a backup that a user's other program may write to whenever it likes.
#[test]
fn what_belongs_to_somebody_else_by_now_is_written_anew() {
    let world = small_world();
    let (first, _) = back_up(&world, "");
    let theirs = folder(&world, &first).join("letter.txt");
    if std::os::unix::fs::chown(&theirs, Some(1234), None).is_err() {
        return;
    }
    let (second, told) = back_up(&world, "");
    let why = told["not_linked"].as_str().unwrap();
    assert!(why.contains("belongs to the user 1234"), "{why}");
    assert_eq!(told["uploaded_files"], 1, "{told:#}");
    assert!(!is_shared(&world, &first, &second, "letter.txt"));
    let ours = stat(&folder(&world, &second).join("letter.txt"));
    assert_eq!(ours.uid(), rustix::process::geteuid().as_raw());
    is_whole(&world, &second);
    let (_, told) = back_up(&world, "");
    assert_eq!(told["uploaded_files"], 0, "{told:#}");
}

/// What was linked already when the app wrote to it must not be written through the link.
#[test]
fn what_changes_when_it_is_linked_already_leaves_the_old_snapshot_as_it_was() {
    for more in ["", "inplace = true"] {
        let world = small_world();
        let (first, _) = back_up(&world, "");
        let old = folder(&world, &first).join("letter.txt");
        world.write("source/large.bin", vec![7; 2 << 20]);
        configure(&world, VAULT, &format!("[rclone]\nbwlimit = '1M'\n{more}"));
        let running = world.start(&["backup", "--json"]);
        let linked = || (stat(&old).nlink() == 2).then_some(());
        wait_until("the link", PATIENCE, linked).unwrap();
        fs::write(world.path("source/letter.txt"), "Dear writer,\n").unwrap();
        let output = running.finish(PATIENCE).unwrap();
        output.succeeds();
        let second = sealed_id(&output);
        assert_eq!(fs::read_to_string(&old).unwrap(), "Dear reader,\n");
        let new = folder(&world, &second).join("letter.txt");
        assert_eq!(fs::read_to_string(new).unwrap(), "Dear writer,\n");
        assert_eq!(output.json()["destinations"][0]["copied_files"], 2);
        assert_eq!(stat(&old).nlink(), 1);
        for id in [&first, &second] {
            is_whole(&world, id);
        }
    }
}

/// At each of its stages: marked, no longer sealed, and half removed.
#[test]
fn a_prune_that_was_killed_over_one_snapshot_leaves_those_whole_that_share_its_files() {
    for stage in 0..3 {
        let world = small_world();
        let ids = [(); 2].map(|()| back_up(&world, "").0);
        let own = |name: &str| folder(&world, &ids[0]).join(".copal").join(name);
        fs::copy(own("manifest.json"), own("pruning.json")).unwrap();
        if stage > 0 {
            fs::remove_file(own("manifest.json")).unwrap();
        }
        if stage > 1 {
            fs::remove_file(folder(&world, &ids[0]).join("letter.txt")).unwrap();
        }
        let (third, told) = back_up(&world, "retention.last = 2");
        assert_eq!(told["copied_files"], 3, "{told:#}");
        assert!(!folder(&world, &ids[0]).exists(), "stage {stage}");
        for id in [&ids[1], &third] {
            is_whole(&world, id);
        }
        assert!(is_shared(&world, &ids[1], &third, "letter.txt"));
    }
}

/// A manifest is what somebody else may have written: whatever it says, the files decide.
#[test]
fn a_forged_manifest_has_nothing_linked_that_is_not_the_file_itself() {
    for (stored, is_refused) in [
        ("../secret", true),
        ("notes/../notes/first.txt", true),
        (".copal/SHA256SUMS", false),
        ("notes/elsewhere.txt", false),
    ] {
        let world = small_world();
        let (first, _) = back_up(&world, "");
        world.write("vault/source/secret", "Dear reader,\n");
        let manifest = folder(&world, &first).join(".copal/manifest.json");
        let sealed = fs::read_to_string(&manifest).unwrap();
        let mut forged: serde_json::Value = serde_json::from_str(&sealed).unwrap();
        let entries = forged["entries"].as_array_mut().unwrap();
        let letter = entries.iter_mut().find(|it| it["path"] == "letter.txt");
        letter.unwrap()["stored"] = stored.into();
        fs::write(&manifest, forged.to_string()).unwrap();

        let output = try_to(&world, "");
        let told = output.json()["destinations"][0].clone();
        if is_refused {
            output.exits_with(3).says("impossible stored name");
        } else {
            output
                .exits_with(3)
                .says(&format!("is damaged: `{stored}`"));
        }
        let copied = if is_refused { 0 } else { 2 };
        assert_eq!(told["copied_files"], copied, "{stored}\n{told:#}");
        let second = sealed_id(&output);
        let letter = folder(&world, &second).join("letter.txt");
        assert_eq!(fs::read_to_string(&letter).unwrap(), "Dear reader,\n");
        assert_eq!(stat(&letter).nlink(), 1, "{stored}");
        assert_eq!(stat(&world.path("vault/source/secret")).nlink(), 1);
        is_whole(&world, &second);
    }
}

#[test]
fn a_run_that_fails_takes_its_names_away_and_no_others() {
    let world = small_world();
    let (first, _) = back_up(&world, "");
    world.write("source/large.bin", vec![7; 1 << 20]);
    let failed = try_to(&world, "limits.max_transfer = '1k'");
    failed.exits_with(1).says("max_transfer");
    let letter = stat(&folder(&world, &first).join("letter.txt"));
    assert_eq!(letter.nlink(), 1);
    is_whole(&world, &first);
    assert_eq!(fs::read_dir(world.path("vault/source")).unwrap().count(), 1);
}

#[test]
fn what_can_be_no_link_is_uploaded_and_told_once() {
    let world = small_world();
    let (first, _) = back_up(&world, "");
    // To the kernel this is another file system.
    let notes = folder(&world, &first).join("notes");
    let Some(_mount) = Mount::bind(&notes, &notes) else {
        return;
    };
    let (second, told) = back_up(&world, "");
    let why = told["not_linked"].as_str().unwrap();
    assert!(
        why.starts_with("2 files (") && why.contains("ross-device"),
        "{why}"
    );
    assert_eq!(
        (&told["uploaded_files"], &told["copied_files"]),
        (&2.into(), &1.into())
    );
    is_whole(&world, &second);
    assert!(is_shared(&world, &first, &second, "letter.txt"));
}

#[test]
fn what_an_overlay_stores_its_own_way_is_not_linked() {
    let world = small_world();
    world.add_remote(
        "parts",
        "type = chunker\nremote = vault:parts\nchunk_size = 1M",
    );
    let backup = ["backup", "--source", "source", "--to", "parts:", "--json"];
    world.copal(&backup).succeeds();
    let again = world.copal(&backup).succeeds().json();
    assert_eq!(again["destinations"][0]["linked"], false);
    assert_eq!(again["destinations"][0]["uploaded_files"], 3);
}
