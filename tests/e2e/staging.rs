//! How files are kept as they were, and where.

use std::fs;
use std::os::unix::fs::MetadataExt;

use copal_testkit::{FileSystem, Mount, World};

use crate::common::{fails_cleanly, leaves_no_staging, sealed_id, small_world};

fn configure(world: &World, source: &str, staging: &str) {
    let text = format!(
        "name = 'source'\nsource.path = '{source}'\ndestination = [{{ remote = 'vault:' }}]\n\
         [staging]\n{staging}\n"
    );
    world.write("copal.toml", text);
}

fn manifest(world: &World, id: &str) -> serde_json::Value {
    let file = world
        .vault()
        .join("source")
        .join(id)
        .join(".copal/manifest.json");
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn each_mode_seals_the_same_files_says_which_it_was_and_leaves_nothing() {
    for mode in ["reflink", "link", "copy", "direct", "hold"] {
        let Some(mount) = Mount::new(FileSystem::Xfs, 512) else {
            return;
        };
        let world = small_world();
        let source = mount.path().join("app");
        fs::create_dir(&source).unwrap();
        fs::write(source.join("letter.txt"), "Dear reader,\n").unwrap();
        let long_ago =
            std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        let letter = fs::File::options()
            .write(true)
            .open(source.join("letter.txt"))
            .unwrap();
        letter.set_modified(long_ago).unwrap();
        drop(letter);
        let before = fs::metadata(source.join("letter.txt")).unwrap();
        configure(
            &world,
            &source.display().to_string(),
            &format!("mode = '{mode}'"),
        );
        let plan = world.copal(&["plan", "--json"]);
        assert_eq!(plan.succeeds().json()["staging"]["mode"], mode);
        let output = world.copal(&["backup", "--json"]);
        output.succeeds();
        let manifest = manifest(&world, &sealed_id(&output));
        // Nothing is held, so that nothing is kept held.
        let kept = if mode == "hold" { "direct" } else { mode };
        assert_eq!(manifest["run"]["staging"], kept);
        let entry = &manifest["entries"][0];
        assert_eq!(entry["taken"], kept, "{entry}");
        assert_eq!(entry["mtime"], "1970-01-12T13:46:40Z");
        let after = fs::metadata(source.join("letter.txt")).unwrap();
        assert_eq!((after.ino(), after.nlink()), (before.ino(), 1));
        let beside: Vec<_> = fs::read_dir(mount.path()).unwrap().collect();
        assert_eq!(beside.len(), 1, "{mode}: {beside:?}");
        leaves_no_staging(&world);
    }
}

#[test]
fn a_mode_that_can_not_be_had_is_told_before_anything_is_done() {
    let Some(mount) = Mount::new(FileSystem::Tmpfs, 8) else {
        return;
    };
    let world = small_world();
    fs::write(mount.path().join("letter.txt"), "Dear reader,\n").unwrap();
    configure(
        &world,
        &mount.path().display().to_string(),
        "mode = 'reflink'",
    );
    let output = world.copal(&["backup"]);
    fails_cleanly(&world, &output, 2);
    output.says("does not clone files").says("mode = \"auto\"");
    let elsewhere = "mode = 'link'\ndir = 'staging'";
    configure(&world, &mount.path().display().to_string(), elsewhere);
    let output = world.copal(&["plan"]);
    output.exits_with(2).says("lies on another file system");
}
