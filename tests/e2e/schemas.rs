//! Restores in place where the app may be older than the snapshot: told before anything is touched.

use copal_testkit::{OpenWebUi, Size, World};

use crate::common::{sealed_id, world};
use crate::in_place::{RESTORE, beside, letter};
use crate::specimen::{configure, hook, world_with_specimen};

/// A hook that finds this version in this phase.
fn finds(version: &str, within: &str) -> String {
    hook(
        "own",
        &format!(
            "config = {{ within = \"{within}\", act = {{ record = [\"version\", \"{version}\"] }} }}"
        ),
    )
}

/// A backup of the app when it had this version; its id.
fn back_up(world: &World, version: &str) -> String {
    configure(world, &finds(version, "pre-backup"));
    let backup = world.copal(&["backup", "--json"]);
    sealed_id(&backup)
}

const OLD: &str = "Dear nobody,\n";
const RESTORED: &str = "Dear reader,\n";

#[test]
fn another_version_than_the_snapshots_is_told_before_the_exchange_and_can_be_accepted() {
    let world = world_with_specimen();
    let id = back_up(&world, "2");
    world.write("source/letter.txt", OLD);
    configure(&world, &finds("1", "pre-restore"));
    world
        .copal(&RESTORE)
        .exits_with(1)
        .says(&format!("{id} has `version` 2, and the source has 1"))
        .says("may be the older one")
        .says("--accept-schema");
    assert_eq!(letter(&world), OLD);
    assert_eq!(beside(&world), [""; 0]);

    let accepting = [&RESTORE[..], &["--accept-schema"]].concat();
    world.copal(&accepting).succeeds();
    assert_eq!(letter(&world), RESTORED);
    let shown = world.copal(&["history", "show", "latest"]);
    assert!(shown.succeeds().stdout().contains("accepted: "), "{shown}");
    world.copal(&["restore", "--undo"]).succeeds();
    assert_eq!(letter(&world), OLD);
}

#[test]
fn the_same_version_and_one_that_a_later_snapshot_has_are_no_matter() {
    let world = world_with_specimen();
    let first = back_up(&world, "1");
    configure(&world, &finds("1", "pre-restore"));
    world.copal(&RESTORE).succeeds();
    // It was updated, and backed up since.
    back_up(&world, "2");
    configure(&world, &finds("2", "pre-restore"));
    world.copal(&["restore", &first, "--in-place"]).succeeds();
    world.copal(&RESTORE).succeeds();
    // What the snapshots do not have is not compared.
    let other = finds("3", "pre-restore").replace("\"version\"", "\"other\"");
    configure(&world, &other);
    world.copal(&RESTORE).succeeds();
}

#[test]
fn a_later_snapshot_with_a_damaged_manifest_keeps_none_from_an_earlier_one() {
    let world = world_with_specimen();
    let first = back_up(&world, "1");
    back_up(&world, "2");
    let damaged = back_up(&world, "3");
    let manifest = format!("vault/letters/{damaged}/.copal/manifest.json");
    assert!(world.path(&manifest).exists(), "{manifest}");
    world.write(&manifest, "{");
    let restore = ["restore", &first, "--in-place"];
    // Another one knows that version, or none does.
    configure(&world, &finds("2", "pre-restore"));
    world.copal(&restore).succeeds().says("is damaged");
    configure(&world, &finds("3", "pre-restore"));
    world.copal(&restore).exits_with(1).says("--accept-schema");
    let accepting = [&restore[..], &["--accept-schema"]].concat();
    world.copal(&accepting).succeeds();
}

#[test]
fn an_older_open_webui_is_not_given_the_data_of_a_later_one() {
    let world = world();
    world.write(
        "copal.toml",
        "name = \"open-webui\"\nsource.path = \"data\"\ndestination = [{ remote = \"vault:\" }]\n\n\
         [[hook]]\nuse = \"open-webui\"\ngrants = { sqlite = [\"*\"], query = [\"webui.db\"], archive = [\"vector_db\"] }\n",
    );
    let app = OpenWebUi::create(&world.path("data"), &Size::SMALL).unwrap();
    world.copal(&["backup"]).succeeds();
    world.copal(&RESTORE).succeeds();
    let database = rusqlite::Connection::open(app.webui_db()).unwrap();
    database
        .execute_batch("UPDATE alembic_version SET version_num = 'an-older-one'")
        .unwrap();
    drop(database);
    world
        .copal(&RESTORE)
        .exits_with(1)
        .says("the source has an-older-one");
    // Nothing is known of a database that is damaged, which is why one restores.
    std::fs::write(app.webui_db(), "no database").unwrap();
    world.copal(&RESTORE).succeeds();
    std::fs::remove_dir_all(world.path("data")).unwrap();
    world.copal(&RESTORE).succeeds();
}
