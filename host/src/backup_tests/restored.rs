//! What a restore makes of content that comes back otherwise than it was sealed.

use super::*;

/// Any of three, of the same length.
const GARBLED: &str = "?.txt";

/// The first time that this file comes.
fn garble_the_first_time(path: &Path) {
    let was_here = path.with_extension("was-here");
    if path.ends_with("b.txt") && !was_here.exists() {
        fs::write(was_here, "").unwrap();
        fs::write(path, GARBLED).unwrap();
    }
}

fn garble(path: &Path) {
    if path.ends_with("b.txt") || path.ends_with("c.txt") {
        fs::write(path, GARBLED).unwrap();
    }
}

fn restored_while(spoil: fn(&Path)) -> (World, Result<PathBuf, RestoreError>) {
    let world = World::new();
    world.back_up(&world.fake(Orders::default()));
    let orders = Orders {
        spoil: Some(spoil),
        ..Orders::default()
    };
    let restored = world.restore_by(orders, &world.sealed()[0]);
    (world, restored)
}

#[test]
fn a_file_that_is_garbled_on_its_way_is_fetched_again() {
    let (_world, restored) = restored_while(garble_the_first_time);
    let restored = restored.unwrap();
    for name in ["a.txt", "b.txt", "c.txt"] {
        assert_eq!(read(&restored.join("uploads").join(name)), name);
    }
}

#[test]
fn a_restore_of_damaged_files_names_the_first_and_leaves_nothing() {
    let (world, restored) = restored_while(garble);
    let error = restored.unwrap_err();
    assert!(
        matches!(&error, RestoreError::Damaged(path) if path.to_string() == "uploads/b.txt"),
        "{error}"
    );
    assert!(!world.dir.path().join("restored").exists());
}

#[test]
fn what_a_killed_restore_left_in_the_data_comes_back_like_the_rest_of_it() {
    let world = World::new();
    for name in [".copal-restoring", ".copal-restoring.1"] {
        fs::create_dir(world.source(name)).unwrap();
        fs::write(world.source(name).join("a.txt"), name).unwrap();
    }
    world.back_up(&world.fake(Orders::default()));
    let restored = world.restore(&world.sealed()[0]);
    for name in [".copal-restoring", ".copal-restoring.1"] {
        assert_eq!(read(&restored.join(name).join("a.txt")), name);
    }
    assert!(!restored.join(".copal-restoring.2").exists());
}
