//! What the modules share: worlds, what a failed run must leave, and snapshots by their ids.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use copal_testkit::{Output, World};

/// Longer than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A world of the test's own.
pub(crate) fn world() -> World {
    World::new(env!("CARGO_BIN_EXE_copal"))
}

/// A world whose source holds a few files, a directory and a link.
pub(crate) fn small_world() -> World {
    let world = world();
    world.write("source/letter.txt", "Dear reader,\n");
    world.write("source/notes/first.txt", "one");
    world.write("source/notes/second.txt", "two two");
    fs::create_dir(world.path("source/empty")).unwrap();
    std::os::unix::fs::symlink("notes/first.txt", world.path("source/link")).unwrap();
    world
}

/// Backs the world's source up to `vault:`, which is to succeed, and answers with the snapshot's id.
#[track_caller]
pub(crate) fn back_up(world: &World) -> String {
    let output = world.copal(&["backup", "--source", "source", "--to", "vault:", "--json"]);
    output.succeeds();
    sealed_id(&output)
}

/// The id that a backup's `--json` tells.
#[track_caller]
pub(crate) fn sealed_id(output: &Output) -> String {
    let json = output.json();
    let id = json["destinations"][0]["snapshot"].as_str();
    id.unwrap_or_else(|| panic!("no snapshot\n{output}"))
        .to_owned()
}

/// The folder of a snapshot that [`back_up`] made.
pub(crate) fn folder(world: &World, id: &str) -> PathBuf {
    world.vault().join("source").join(id)
}

/// Makes another sealed snapshot of one that there is, as if it had been taken at another time.
pub(crate) fn redate(world: &World, id: &str, to: &str) {
    redate_in(&world.vault().join("source"), id, to);
}

/// The same in the directory that a job has at a destination.
pub(crate) fn redate_in(job: &Path, id: &str, to: &str) {
    copy_tree(&job.join(id), &job.join(to));
    let manifest = job.join(to).join(".copal/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(manifest, text.replace(id, to)).unwrap();
}

/// Copies files and directories.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What holds for every run that fails: the exit code, a message that says what failed and what to
/// do next, nothing on stdout, and nothing left behind.
#[track_caller]
pub(crate) fn fails_cleanly(world: &World, output: &Output, code: i32) {
    output.exits_with(code).says("error: ").says(" next: ");
    assert_eq!(output.stdout(), "", "a failure has no result\n{output}");
    leaves_nothing(world);
}

/// No file at the destination, nothing in staging, nothing in the temporary directory.
#[track_caller]
pub(crate) fn leaves_nothing(world: &World) {
    assert_eq!(files_below(&world.vault()), [""; 0], "at the destination");
    leaves_no_staging(world);
}

/// Nothing in staging, nothing in the temporary directory.
#[track_caller]
pub(crate) fn leaves_no_staging(world: &World) {
    assert_eq!(staged(world), [""; 0], "in staging");
    assert_eq!(files_below(&world.path("tmp")), [""; 0], "temporary files");
}

/// What runs have in their staging directories.
pub(crate) fn staged(world: &World) -> Vec<String> {
    let base = world.path("home/.local/state/copal/staging");
    let jobs = fs::read_dir(base).into_iter().flatten();
    let runs = jobs.flat_map(|job| fs::read_dir(job.unwrap().path()).unwrap());
    runs.map(|run| run.unwrap().path().display().to_string())
        .collect()
}

/// The paths of all files below a directory, relative to it and sorted. A missing one has none.
pub(crate) fn files_below(directory: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            let entry = entry.unwrap();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                directories.push(entry.path());
            } else {
                let path = entry.path();
                let below = path.strip_prefix(directory).unwrap();
                files.push(below.to_string_lossy().into_owned());
            }
        }
    }
    files.sort();
    files
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Says why a test did nothing, past the test harness's capture.
pub(crate) fn skip(why: &str) {
    let mut stderr = std::io::stderr();
    writeln!(stderr, "left out: {why}").unwrap();
}
