//! Room for copies, known before anything is done.

use copal_testkit::{FileSystem, Mount};

use super::*;
use crate::rehearse::rehearse;
use crate::step::preflight::PreflightError;

#[test]
fn a_dry_run_finds_out_that_copies_will_not_fit() {
    let Some(mount) = Mount::new(FileSystem::Tmpfs, 4) else {
        return;
    };
    let mut world = World::new();
    let text = format!(
        "name = 'app'\nsource.path = 'app'\ndestination = [{{ remote = 'fake:' }}]\n\
         staging = {{ mode = 'copy', dir = '{}' }}\n[[hook]]\nuse = 'sqlite-backup'\n\
         grants = {{ sqlite = ['*'] }}\n",
        mount.path().display()
    );
    world.job.config = Config::parse(&text, "copal.toml").unwrap();
    let large = fs::File::create(world.source("uploads/large")).unwrap();
    large.set_len(8 << 20).unwrap();
    let fake = world.fake(Orders::default());
    let edges = Edges {
        open: &|_| Ok(Box::new(fake.clone())),
        now: &|| "2026-11-24T03:00:00Z".parse().unwrap(),
        interrupt: &world.interrupt,
        state: &world.state,
        show: &Silent,
    };
    let outcome = rehearse(&world.job, Allowances::default(), &edges).unwrap();
    let Err(CopalError::Preflight(PreflightError::NoRoomToFreeze { needed, .. })) = outcome.result
    else {
        panic!("it does not fit")
    };
    assert!(needed.0 >= 8 << 20, "{needed}");
}

/// The remote tells no hash of what arrives: what is sent from copies needs room for them.
#[test]
fn copies_of_live_files_have_room_before_anything_is_done_but_for_what_the_remote_has() {
    let Some(mount) = Mount::new(FileSystem::Tmpfs, 4) else {
        return;
    };
    let mut world = World::new();
    let text = |staging: &str| {
        format!(
            "name = 'app'\nsource.path = 'app'\ndestination = [{{ remote = 'fake:' }}]\n\
             {staging}[[hook]]\nuse = 'sqlite-backup'\ngrants = {{ sqlite = ['*'] }}\n"
        )
    };
    let small = format!("staging.dir = '{}'\n", mount.path().display());
    let large = fs::File::create(world.source("uploads/large")).unwrap();
    large.set_len(8 << 20).unwrap();
    world.job.config = Config::parse(&text(&small), "copal.toml").unwrap();
    let orders = || Orders {
        copies: true,
        ..Orders::default()
    };
    let refused = world.back_up(&world.fake(orders()));
    let Err(CopalError::Preflight(PreflightError::NoRoomToSend { needed, .. })) = refused.result
    else {
        panic!("it does not fit: {:?}", refused.verdict())
    };
    assert!(needed.0 >= 8 << 20, "{needed}");
    assert!(world.sealed().is_empty());

    world.job.config = Config::parse(&text(""), "copal.toml").unwrap();
    let first = world.back_up(&world.fake(orders()));
    assert_eq!(first.verdict(), Verdict::Succeeded);
    // It has the large one by now, and copies it itself.
    world.job.config = Config::parse(&text(&small), "copal.toml").unwrap();
    let second = world.back_up(&world.fake(orders()));
    assert_eq!(second.verdict(), Verdict::Succeeded);
    assert_eq!(world.sealed().len(), 2);
}
