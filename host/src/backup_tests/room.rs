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
