//! A mirror whose remote fails, or is lost: what was there is there, as it was or as it is now.

use super::*;

/// What went into the mirror before.
const BEFORE: &[(&str, &str)] = &[
    ("up/a.txt", "a.txt"),
    ("up/b.txt", "b.txt"),
    ("up/c.txt", "c.txt"),
];

pub(super) fn mirrored(lines: &str) -> World {
    let mut world = World::new();
    let text = format!(
        "name = 'app'\nsource.path = 'app'\n[[destination]]\nremote = 'fake'\nlayout = 'mirror'\n\
         map = {{ uploads = 'up', 'app.db' = 'db' }}\n{lines}"
    );
    let config = Config::parse(&text, "copal.toml").unwrap();
    world.job = Job::new(config, world.dir.path().to_owned());
    let outcome = world.back_up(&world.fake(Orders::default()));
    assert_eq!(outcome.verdict(), Verdict::Succeeded);
    world
}

/// One file is changed, one is new, one is gone.
fn changed() -> World {
    let world = mirrored("");
    fs::write(world.source("uploads/a.txt"), "another").unwrap();
    fs::write(world.source("uploads/new.txt"), "new").unwrap();
    fs::remove_file(world.source("uploads/c.txt")).unwrap();
    world
}

impl World {
    pub(super) fn there(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.dir.path().join("remote").join(path)).ok()
    }

    fn has_followed(&self) {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(self.there("up/a.txt"), text("another"));
        assert_eq!(self.there("up/new.txt"), text("new"));
        assert_eq!(self.there("up/c.txt"), None);
    }

    /// Nothing but what the run brought is other than before, and nothing is deleted before all arrived.
    fn has_lost_nothing(&self, call: usize) {
        for (path, before) in BEFORE {
            let now = self.there(path);
            let arrived = *path == "up/a.txt" && now.as_deref() == Some("another");
            let all = ["up/a.txt", "up/new.txt"].map(|path| self.there(path));
            let all = all == ["another", "new"].map(|text| Some(text.to_owned()));
            let deleted = *path == "up/c.txt" && now.is_none() && all;
            assert!(
                now.as_deref() == Some(*before) || arrived || deleted,
                "call {call}: {path} is {now:?}"
            );
        }
        let database = self.dir.path().join("remote/db/app.db");
        assert!(database.exists(), "call {call}");
    }
}

#[test]
fn a_mirror_whose_remote_fails_at_any_call_has_lost_nothing_and_follows_the_next_time() {
    let world = changed();
    let good = world.fake(Orders::default());
    assert_eq!(world.back_up(&good).verdict(), Verdict::Succeeded);
    world.has_followed();
    let calls = good.calls();
    assert!(calls > 5, "{calls}");
    for n in 0..calls {
        for from_then_on in [false, true] {
            let world = changed();
            let fake = world.fake(Orders {
                fail_at: (!from_then_on).then_some(n),
                fail_from: from_then_on.then_some(n),
                ..Orders::default()
            });
            let verdict = world.back_up(&fake).verdict();
            assert!(
                matches!(verdict, Verdict::Failed | Verdict::Warned),
                "call {n}: {verdict:?}"
            );
            world.has_lost_nothing(n);
            world.nothing_left_behind();
            let again = world.back_up(&world.fake(Orders::default()));
            assert_eq!(again.verdict(), Verdict::Succeeded, "after call {n}");
            world.has_followed();
        }
    }
}

#[test]
fn a_mirror_whose_run_is_interrupted_has_lost_nothing() {
    let world = changed();
    let good = world.fake(Orders::default());
    world.back_up(&good);
    for n in 0..good.calls() {
        let world = changed();
        let fake = world.fake(Orders {
            signal_at: Some(n),
            ..Orders::default()
        });
        world.back_up(&fake);
        world.has_lost_nothing(n);
    }
}

#[test]
fn a_file_that_goes_away_under_the_run_stays_in_the_mirror_until_the_next() {
    let world = mirrored("");
    fs::write(world.source("uploads/a.txt"), "another").unwrap();
    let gone = world.source("uploads/c.txt");
    let orders = Orders::default();
    *orders.meanwhile.borrow_mut() = Some(Box::new(move || fs::remove_file(gone).unwrap()));
    assert_eq!(
        world.back_up(&world.fake(orders)).verdict(),
        Verdict::Succeeded
    );
    assert_eq!(world.there("up/c.txt").as_deref(), Some("c.txt"));
    let next = world.back_up(&world.fake(Orders::default()));
    assert_eq!(next.verdict(), Verdict::Succeeded);
    assert_eq!(world.there("up/c.txt"), None);
}

#[test]
fn what_arrives_damaged_is_found_out_and_nothing_is_deleted() {
    let world = changed();
    let spoil = |path: &Path| fs::write(path, "spoilt").unwrap();
    let outcome = world.back_up(&world.fake(Orders {
        spoil: Some(spoil),
        ..Orders::default()
    }));
    assert_eq!(outcome.verdict(), Verdict::Failed);
    assert_eq!(world.there("up/c.txt").as_deref(), Some("c.txt"));
}

impl World {
    /// A run during whose first upload this happens.
    fn back_up_while(&self, deed: impl FnOnce() + 'static) -> Verdict {
        let orders = Orders::default();
        *orders.meanwhile.borrow_mut() = Some(Box::new(deed));
        self.back_up(&self.fake(orders)).verdict()
    }

    fn files_there(&self) -> usize {
        fs::read_dir(self.dir.path().join("remote/up"))
            .unwrap()
            .count()
    }
}

#[test]
fn a_file_that_is_in_the_source_again_stays_in_the_mirror() {
    let world = changed();
    let back = world.source("uploads/c.txt");
    let verdict = world.back_up_while(move || fs::write(back, "c.txt").unwrap());
    assert_eq!(verdict, Verdict::Succeeded);
    assert_eq!(world.there("up/c.txt").as_deref(), Some("c.txt"));
}

#[test]
fn a_file_that_is_replaced_at_the_mirror_under_the_run_stays() {
    let world = changed();
    let replaced = world.dir.path().join("remote/up/c.txt");
    let verdict = world.back_up_while(move || fs::write(replaced, "somebody's").unwrap());
    assert_eq!(verdict, Verdict::Succeeded);
    assert_eq!(world.there("up/c.txt").as_deref(), Some("somebody's"));
}

#[test]
fn a_file_of_an_odd_name_that_goes_away_under_the_run_stays_until_the_next() {
    use std::os::unix::ffi::OsStrExt;
    let world = mirrored("");
    let odd = std::ffi::OsStr::from_bytes(b"odd\xff.txt");
    let odd = world.source("uploads").join(odd);
    fs::write(&odd, "odd").unwrap();
    world.back_up(&world.fake(Orders::default()));
    assert_eq!(world.files_there(), 4);
    fs::write(world.source("uploads/a.txt"), "another").unwrap();
    let verdict = world.back_up_while(move || fs::remove_file(odd).unwrap());
    assert_eq!((verdict, world.files_there()), (Verdict::Succeeded, 4));
    let next = world.back_up(&world.fake(Orders::default()));
    assert_eq!(
        (next.verdict(), world.files_there()),
        (Verdict::Succeeded, 3)
    );
}

#[test]
fn a_mirror_whose_manifest_is_damaged_loses_nothing_in_that_run_whatever_is_accepted() {
    for missing_databases in [false, true] {
        let world = changed();
        fs::write(world.dir.path().join("remote/.copal/manifest.json"), "{").unwrap();
        let fake = world.fake(Orders::default());
        let allow = Allowances {
            missing_databases,
            ..Allowances::default()
        };
        assert_eq!(
            world.back_up_allowed(&fake, allow).verdict(),
            Verdict::Warned
        );
        assert_eq!(world.there("up/c.txt").as_deref(), Some("c.txt"));
        assert_eq!(world.there("up/a.txt").as_deref(), Some("another"));
    }
}

impl World {
    /// All uploads are others.
    fn replace_uploads(&self, names: std::ops::Range<usize>) {
        let uploads = self.source("uploads");
        fs::remove_dir_all(&uploads).unwrap();
        fs::create_dir(&uploads).unwrap();
        for n in names {
            fs::write(uploads.join(format!("{n}.enc")), "another").unwrap();
        }
    }

    fn has_all_of_before(&self) -> bool {
        let mut before = BEFORE.iter();
        before.all(|(path, text)| self.there(path).as_deref() == Some(*text))
    }

    #[track_caller]
    fn keeps_all_of_before_for_two_nights(&self) {
        for _ in 0..2 {
            let verdict = self.back_up(&self.fake(Orders::default())).verdict();
            assert_eq!((verdict, self.has_all_of_before()), (Verdict::Warned, true));
        }
    }

    fn there_when_refused(&self) -> Option<u64> {
        let manifest = self.there(".copal/manifest.json").unwrap();
        let manifest = Manifest::parse(manifest.as_bytes()).unwrap();
        manifest.there_when_refused
    }
}

#[test]
fn what_a_refused_run_has_sent_makes_no_share_larger_for_the_next() {
    let world = mirrored("");
    for new in [3, 30, 300] {
        world.replace_uploads(0..new);
        let verdict = world.back_up(&world.fake(Orders::default())).verdict();
        assert_eq!(verdict, Verdict::Warned, "{new}");
        assert!(world.has_all_of_before(), "{new}");
        assert_eq!(world.files_there(), 3 + new);
        assert_eq!(world.there_when_refused(), Some(3));
    }
    let allow = Allowances {
        missing_databases: true,
        ..Allowances::default()
    };
    let accepted = world.back_up_allowed(&world.fake(Orders::default()), allow);
    assert_eq!(accepted.verdict(), Verdict::Succeeded);
    assert_eq!(world.files_there(), 300);
    assert_eq!(world.there_when_refused(), None);
}

#[test]
fn foreign_files_outlast_more_than_the_first_run_into_their_folder() {
    let world = mirrored("");
    fs::remove_file(world.dir.path().join("remote/.copal/manifest.json")).unwrap();
    world.replace_uploads(0..30);
    world.keeps_all_of_before_for_two_nights();
}

#[test]
fn what_a_failed_run_has_sent_makes_no_share_larger_for_the_next() {
    let calls = {
        let world = mirrored("");
        world.replace_uploads(0..30);
        let fake = world.fake(Orders::default());
        world.back_up(&fake);
        fake.calls()
    };
    for n in 0..calls {
        let world = mirrored("");
        world.replace_uploads(0..30);
        let fail_from = Some(n);
        world.back_up(&world.fake(Orders {
            fail_from,
            ..Orders::default()
        }));
        let verdict = world.back_up(&world.fake(Orders::default())).verdict();
        assert_eq!(verdict, Verdict::Warned, "after call {n}");
        assert!(world.has_all_of_before(), "after call {n}");
    }
}

#[test]
fn what_a_run_has_sent_that_could_delete_nothing_makes_no_share_larger_for_the_next() {
    let world = mirrored("");
    fs::write(world.dir.path().join("remote/.copal/manifest.json"), "{").unwrap();
    world.replace_uploads(0..30);
    world.keeps_all_of_before_for_two_nights();
}

#[test]
fn a_mirror_of_a_later_version_is_refused_and_left_as_it_is() {
    let world = changed();
    let manifest = world.dir.path().join("remote/.copal/manifest.json");
    let mut later: serde_json::Value = serde_json::from_str(&read(&manifest)).unwrap();
    later["copal_manifest"] = 99.into();
    fs::write(&manifest, later.to_string()).unwrap();
    let outcome = world.back_up(&world.fake(Orders::default()));
    assert_eq!(outcome.verdict(), Verdict::Failed);
    for (path, before) in BEFORE {
        assert_eq!(world.there(path).as_deref(), Some(*before));
    }
}
