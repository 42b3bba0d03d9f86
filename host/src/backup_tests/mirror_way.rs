//! Files that became directories, and directories that became files: what is in the way at a mirror.

use super::mirror::mirrored;
use super::*;

/// `a.txt` is a directory now, and the directory `d` is a file.
fn changed(lines: &str) -> World {
    let world = mirrored(lines);
    fs::create_dir_all(world.source("uploads/d/e")).unwrap();
    for name in ["d/e/f.txt", "d/g.txt", "h.txt"] {
        fs::write(world.source("uploads").join(name), name).unwrap();
    }
    let before = world.back_up(&world.fake(Orders::default()));
    assert_eq!(before.verdict(), Verdict::Succeeded);
    fs::remove_file(world.source("uploads/a.txt")).unwrap();
    fs::create_dir(world.source("uploads/a.txt")).unwrap();
    fs::write(world.source("uploads/a.txt/x"), "x").unwrap();
    fs::remove_dir_all(world.source("uploads/d")).unwrap();
    fs::write(world.source("uploads/d"), "d").unwrap();
    fs::remove_file(world.source("uploads/h.txt")).unwrap();
    world
}

impl World {
    fn at_mirror(&self, path: &str) -> PathBuf {
        self.dir.path().join("remote").join(path)
    }

    fn has_changed_kinds(&self) {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(self.there("up/a.txt/x"), text("x"));
        assert_eq!(self.there("up/d"), text("d"));
        assert_eq!(self.there("up/b.txt"), text("b.txt"));
        assert_eq!(self.there("up/h.txt"), None);
    }

    fn is_in_the_way(&self, text: &str) {
        let outcome = self.back_up(&self.fake(Orders::default()));
        assert_eq!(outcome.verdict(), Verdict::Failed);
        let told = outcome.errors().map(CopalError::in_one_line);
        let told: Vec<_> = told.collect();
        assert!(told.iter().any(|it| it.contains(text)), "{told:?}");
    }
}

#[test]
fn a_file_that_became_a_directory_and_a_directory_that_became_a_file_are_followed() {
    let world = changed("max_delete = 4");
    let outcome = world.back_up(&world.fake(Orders::default()));
    assert_eq!(outcome.verdict(), Verdict::Succeeded);
    world.has_changed_kinds();
    let snapshot = outcome.sealed().next().unwrap();
    assert_eq!(snapshot.mirror.unwrap().deleted, 4);
}

#[test]
fn what_is_in_the_way_stays_with_all_else_if_more_would_go_than_may() {
    let world = changed("max_delete = 3");
    world.is_in_the_way("a run deletes at most 3");
    assert_eq!(world.there("up/a.txt").as_deref(), Some("a.txt"));
    assert_eq!(world.there("up/d/e/f.txt").as_deref(), Some("d/e/f.txt"));
    assert_eq!(world.there("up/h.txt").as_deref(), Some("h.txt"));
}

#[test]
fn an_empty_directory_is_in_no_files_way() {
    let world = mirrored("");
    fs::create_dir_all(world.at_mirror("up/x/y/z")).unwrap();
    fs::create_dir_all(world.at_mirror("up/other/y")).unwrap();
    fs::write(world.source("uploads/x"), "a file").unwrap();
    let outcome = world.back_up(&world.fake(Orders::default()));
    assert_eq!(outcome.verdict(), Verdict::Succeeded);
    assert_eq!(world.there("up/x").as_deref(), Some("a file"));
    assert!(world.at_mirror("up/other/y").exists());
}

#[test]
fn what_is_none_of_the_mirrors_files_stays_and_is_named_where_it_is_in_the_way() {
    let world = mirrored("");
    fs::remove_file(world.at_mirror("db/app.db")).unwrap();
    fs::create_dir_all(world.at_mirror("db/app.db/empty")).unwrap();
    fs::write(world.at_mirror("db/app.db/foreign"), "foreign").unwrap();
    world.is_in_the_way("`db/app.db/foreign` is there");
    assert_eq!(world.there("db/app.db/foreign").as_deref(), Some("foreign"));
    assert!(world.at_mirror("db/app.db/empty").exists());
}

#[test]
fn nothing_is_cleared_away_by_a_run_that_finds_the_manifest_damaged() {
    let world = changed("max_delete = 100");
    fs::write(world.at_mirror(".copal/manifest.json"), "{").unwrap();
    world.is_in_the_way("manifest is damaged");
    assert_eq!(world.there("up/a.txt").as_deref(), Some("a.txt"));
}

#[test]
fn a_name_that_differs_by_case_is_in_no_way_where_case_makes_a_difference() {
    let world = mirrored("max_delete = 1");
    fs::rename(world.source("uploads/a.txt"), world.source("uploads/A.txt")).unwrap();
    let orders = Orders::default();
    let old = world.at_mirror("up/a.txt");
    let is_there = old.clone();
    orders
        .meanwhile
        .replace(Some(Box::new(move || assert!(is_there.exists()))));
    let outcome = world.back_up(&world.fake(orders));
    assert_eq!(outcome.verdict(), Verdict::Succeeded);
    assert_eq!(world.there("up/A.txt").as_deref(), Some("a.txt"));
    assert!(!old.exists());
}

#[test]
fn a_run_that_fails_at_any_call_has_lost_no_more_than_what_was_in_the_way() {
    let good = changed("max_delete = 4");
    let fake = good.fake(Orders::default());
    good.back_up(&fake);
    for n in 0..fake.calls() {
        let world = changed("max_delete = 4");
        let fail_from = Some(n);
        world.back_up(&world.fake(Orders {
            fail_from,
            ..Orders::default()
        }));
        assert_eq!(world.there("up/b.txt").as_deref(), Some("b.txt"), "{n}");
        let kept = world.there("up/h.txt").is_some();
        assert!(kept || world.there("up/a.txt/x").is_some(), "{n}");
        let next = world.back_up(&world.fake(Orders::default()));
        assert_eq!(next.verdict(), Verdict::Succeeded, "after call {n}");
        world.has_changed_kinds();
    }
}
