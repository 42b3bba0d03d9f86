use std::fs;
use std::num::NonZeroU32;
use std::path::PathBuf;

use copal_core::manifest::{MANIFEST, Manifest, PIN, SUMS, VERIFIED};
use copal_core::retention::Rule;
use copal_core::units::ByteCount;
use serde_json::json;

use super::*;
use crate::edge::fake::{Fake, Orders};
use crate::edge::interrupt::Signal;

const NOW: &str = "2026-11-24T12:00:00Z";
const NEWEST: &str = "2026-11-24T030000Z";
const OLDER: &str = "2026-11-23T030000Z";
const OLDEST: &str = "2026-11-22T030000Z";
const FILES: [&str; 2] = ["letter.txt", "notes/first.txt"];

/// A folder with three snapshots of `app`, of which one is to stay.
struct World {
    dir: tempfile::TempDir,
    policy: Policy,
    interrupt: Interrupt,
}

fn id(text: &str) -> SnapshotId {
    text.parse().unwrap()
}

impl World {
    fn new() -> Self {
        let world = Self {
            dir: tempfile::tempdir().unwrap(),
            policy: Policy::default().with(Rule::Last, NonZeroU32::MIN),
            interrupt: Interrupt::default(),
        };
        for id in [OLDEST, OLDER, NEWEST] {
            world.seal(id);
        }
        world
    }

    fn seal(&self, id: &str) {
        for name in FILES {
            self.write(&format!("{id}/{name}"), name);
        }
        self.write(&format!("{id}/{SUMS}"), "sums");
        self.write(&format!("{id}/{MANIFEST}"), &manifest(id));
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join("app").join(below)
    }

    fn write(&self, below: &str, content: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn fake(&self, orders: Orders) -> Fake {
        Fake {
            root: self.dir.path().to_owned(),
            orders,
            interrupt: self.interrupt.clone(),
        }
    }

    fn try_prune(
        &self,
        fake: &Fake,
        warrant: Warrant<'_>,
    ) -> Result<(Pruned, Vec<PruneError>), PruneError> {
        let rules = Rules {
            policy: &self.policy,
            zone: &TimeZone::UTC,
            now: NOW.parse().unwrap(),
        };
        prune(&Store::new(fake, "app"), rules, warrant, &self.interrupt)
    }

    /// After a seal of the newest.
    fn prune(&self) -> (Pruned, Vec<PruneError>) {
        let seal = Seal::of_a_test(id(NEWEST));
        self.try_prune(&self.fake(Orders::default()), Warrant::Sealed(&seal))
            .unwrap()
    }

    /// Which directories there are.
    fn there(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// Whether a snapshot lacks nothing.
    fn is_whole(&self, id: &str) -> bool {
        let files = FILES
            .iter()
            .all(|name| self.path(&format!("{id}/{name}")).exists());
        files && self.path(&format!("{id}/{SUMS}")).exists()
    }
}

fn manifest(id: &str) -> String {
    let attributes = json!({ "mode": "0644", "uid": 0, "gid": 0, "mtime": NOW });
    let entry = |path: &str| {
        let mut entry = attributes.clone();
        entry["path"] = path.into();
        entry["type"] = "file".into();
        entry["size"] = path.len().into();
        entry["sha256"] = "ab".repeat(32).into();
        entry["taken"] = "direct".into();
        entry
    };
    let mut entries: Vec<_> = FILES.iter().map(|name| entry(name)).collect();
    let mut notes = attributes.clone();
    notes["path"] = "notes".into();
    notes["type"] = "directory".into();
    entries.insert(1, notes);
    let bytes: usize = FILES.iter().map(|name| name.len()).sum();
    json!({
        "copal_manifest": 1, "id": id, "name": "app",
        "run": { "id": "run", "started": NOW, "staged": NOW, "copal": "0.1.0" },
        "source": "/app", "root": attributes, "hooks": [], "entries": entries,
        "totals": { "files": FILES.len(), "bytes": bytes },
    })
    .to_string()
}

#[test]
fn what_no_rule_keeps_is_gone_with_its_directory() {
    let world = World::new();
    let (pruned, errors) = world.prune();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(world.there(), [NEWEST]);
    assert!(world.is_whole(NEWEST));
    let gone: Vec<_> = pruned.going().map(|(id, _)| id.to_string()).collect();
    assert_eq!(gone, [OLDER, OLDEST]);
    assert!(pruned.freed().0 > 2 * manifest(OLDER).len() as u64);
}

#[test]
fn a_rehearsal_removes_nothing_and_tells_the_same() {
    let world = World::new();
    let fake = world.fake(Orders::default());
    let (told, errors) = world.try_prune(&fake, Warrant::None).unwrap();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(world.there(), [OLDEST, OLDER, NEWEST]);
    assert!([OLDEST, OLDER, NEWEST].iter().all(|id| world.is_whole(id)));
    let verdicts = |pruned: &Pruned| {
        let all = pruned.snapshots.iter();
        all.map(|one| (one.id, one.verdict.clone()))
            .collect::<Vec<_>>()
    };
    let (done, _) = world.prune();
    assert_eq!(verdicts(&told), verdicts(&done));
}

#[test]
fn a_prune_that_ends_at_any_call_leaves_no_half_snapshot_and_the_next_ends_it() {
    let world = || {
        let world = World::new();
        world.write("2026-10-01T030000Z/.copal/run-dead", "dead");
        world.write("2026-10-01T030000Z/letter.txt", "half");
        world
    };
    let count = world();
    let fake = count.fake(Orders::default());
    let seal = Seal::of_a_test(id(NEWEST));
    count.try_prune(&fake, Warrant::Sealed(&seal)).unwrap();
    assert!(fake.calls() > 20, "{}", fake.calls());
    for n in 0..fake.calls() {
        let world = world();
        let orders = Orders {
            fail_from: Some(n),
            ..Orders::default()
        };
        let failed = match world.try_prune(&world.fake(orders), Warrant::Sealed(&seal)) {
            Ok((_, errors)) => !errors.is_empty(),
            Err(_) => true,
        };
        assert!(failed, "call {n}: it is told");
        for id in world.there() {
            let sealed = world.path(&format!("{id}/{MANIFEST}")).exists();
            assert!(
                !sealed || world.is_whole(&id),
                "call {n}: {id} is half there"
            );
        }
        let (_, errors) = world.prune();
        assert!(errors.is_empty(), "call {n}: {errors:?}");
        assert_eq!(world.there(), [NEWEST], "call {n}");
        assert!(world.is_whole(NEWEST), "call {n}");
    }
}

#[test]
fn one_that_fails_keeps_no_other_from_going() {
    let world = World::new();
    let orders = Orders {
        // The first removal's first file, as far as calls go: wherever it is, one snapshot stays.
        fail_at: Some(9),
        ..Orders::default()
    };
    let seal = Seal::of_a_test(id(NEWEST));
    let (pruned, errors) = world
        .try_prune(&world.fake(orders), Warrant::Sealed(&seal))
        .unwrap();
    assert_eq!(errors.len(), 1, "{errors:?}");
    let fates: Vec<_> = pruned.going().map(|(_, fate)| fate.clone()).collect();
    assert!(fates.contains(&Fate::NotGone), "{fates:?}");
    let is_gone = |fate: &&Fate| matches!(fate, Fate::Gone { .. });
    assert_eq!(fates.iter().filter(is_gone).count(), 1, "{fates:?}");
}

#[test]
fn what_copal_does_not_know_stays_and_is_told() {
    let world = World::new();
    world.write(&format!("{OLDEST}/mine.txt"), "mine");
    world.write("2020-01-01T000000Z/somebody.txt", "else's");
    world.write("notes/letter.txt", "no snapshot at all");
    let (pruned, errors) = world.prune();
    assert!(errors.is_empty(), "{errors:?}");
    let there = ["2020-01-01T000000Z", OLDEST, NEWEST, "notes"];
    assert_eq!(world.there(), there);
    assert!(world.path(&format!("{OLDEST}/mine.txt")).exists());
    assert!(world.path("2020-01-01T000000Z/somebody.txt").exists());
    let others = pruned.going().filter_map(|(_, fate)| match fate {
        Fate::Gone { others, .. } => Some(*others),
        _ => None,
    });
    assert_eq!(others.sum::<u64>(), 1);
    assert_eq!(pruned.left[0].verdict, LeftOver::Unknown);
    // What is left of it is nobody's from then on.
    let (again, errors) = world.prune();
    assert!(errors.is_empty() && again.going().count() == 0, "{again:?}");
    assert_eq!(world.there(), there);
}

#[test]
fn what_a_dead_run_left_goes_when_no_run_can_be_at_it_any_more() {
    let world = World::new();
    for id in ["2026-10-10T030000Z", "2026-11-20T030000Z"] {
        world.write(&format!("{id}/.copal/run-dead"), "dead");
        world.write(&format!("{id}/uploads/half.bin"), "half");
    }
    let (pruned, errors) = world.prune();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(world.there(), ["2026-11-20T030000Z", NEWEST]);
    let verdicts: Vec<_> = pruned.left.iter().map(|one| one.verdict).collect();
    assert_eq!(verdicts, [LeftOver::Remove, LeftOver::Young]);
}

#[test]
fn a_damaged_manifest_keeps_its_snapshot_and_is_told() {
    let world = World::new();
    world.write(&format!("{OLDEST}/{MANIFEST}"), "{\"copal_manifest\": 1, ");
    let (pruned, errors) = world.prune();
    assert!(
        matches!(&errors[..], [PruneError::Damaged { dir, .. }] if dir.contains(OLDEST)),
        "{errors:?}"
    );
    assert_eq!(world.there(), [OLDEST, NEWEST]);
    assert!(world.is_whole(OLDEST));
    assert_eq!(
        pruned.snapshots[2].verdict,
        Verdict::Stays(vec![Stays::Damaged])
    );
}

#[test]
fn the_pinned_and_the_last_verified_stay() {
    let world = World::new();
    world.write(&format!("{OLDEST}/{PIN}"), "{}");
    world.write(&format!("{OLDER}/{VERIFIED}"), "{}");
    let (pruned, errors) = world.prune();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(world.there(), [OLDEST, OLDER, NEWEST]);
    assert!(pruned.any_verified);
}

#[test]
fn nothing_goes_where_the_sealed_snapshot_is_not_listed() {
    let world = World::new();
    let seal = Seal::of_a_test(id("2026-11-24T040000Z"));
    let fake = world.fake(Orders::default());
    let refused = world.try_prune(&fake, Warrant::Sealed(&seal));
    assert!(
        matches!(refused, Err(PruneError::NotListed { .. })),
        "{refused:?}"
    );
    assert_eq!(world.there(), [OLDEST, OLDER, NEWEST]);
}

#[test]
fn nothing_goes_where_newer_ones_of_others_take_the_place_of_the_one_that_was_sealed() {
    let world = World::new();
    let seal = Seal::of_a_test(id(OLDER));
    let fake = world.fake(Orders::default());
    let refused = world.try_prune(&fake, Warrant::Sealed(&seal));
    assert!(
        matches!(refused, Err(PruneError::Passed { .. })),
        "{refused:?}"
    );
    assert_eq!(world.there(), [OLDEST, OLDER, NEWEST]);
}

#[test]
fn what_is_not_found_by_its_name_is_listed_before_it_is_taken_for_unsealed() {
    let world = World::new();
    world.write(&format!("{OLDEST}/.copal/run-dead"), "never withdrawn");
    world.write(&format!("{OLDEST}/{PIN}"), "{}");
    let orders = Orders {
        blind: true,
        ..Orders::default()
    };
    let seal = Seal::of_a_test(id(NEWEST));
    let (pruned, errors) = world
        .try_prune(&world.fake(orders), Warrant::Sealed(&seal))
        .unwrap();
    assert!(errors.is_empty() && pruned.left.is_empty(), "{pruned:?}");
    assert_eq!(world.there(), [OLDEST, NEWEST]);
    assert!(world.is_whole(OLDEST));
}

/// One that is damaged takes no other's place, so that the last one which can be restored stays.
#[test]
fn the_newest_whose_manifest_can_be_read_stays() {
    let world = World::new();
    world.write(&format!("{NEWEST}/{MANIFEST}"), "{ \"version\": ");
    let fake = world.fake(Orders::default());
    let lock = Lock::take(&world.dir.path().join("lock"), "app").unwrap();
    let (_, errors) = world.try_prune(&fake, Warrant::Locked(&lock)).unwrap();
    assert!(
        matches!(&errors[..], [PruneError::Damaged { .. }]),
        "{errors:?}"
    );
    assert_eq!(world.there(), [OLDER, NEWEST]);
    assert!(world.is_whole(OLDER));
}

#[test]
fn one_that_comes_to_stay_for_a_damaged_one_is_read_as_well() {
    let world = World::new();
    for id in [NEWEST, OLDER] {
        world.write(&format!("{id}/{MANIFEST}"), "{ \"version\": ");
    }
    let fake = world.fake(Orders::default());
    let lock = Lock::take(&world.dir.path().join("lock"), "app").unwrap();
    let (pruned, errors) = world.try_prune(&fake, Warrant::Locked(&lock)).unwrap();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(pruned.snapshots.iter().all(|one| one.verdict.stays()));
    assert_eq!(world.there(), [OLDEST, OLDER, NEWEST]);
}

#[test]
fn a_signal_is_told_once_and_what_goes_on_goes_no_further() {
    let world = World::new();
    world.interrupt.raise(Signal::Terminate);
    let (pruned, errors) = world.prune();
    assert!(
        matches!(&errors[..], [PruneError::Interrupted(_)]),
        "{errors:?}"
    );
    assert_eq!(world.there(), [OLDEST, OLDER, NEWEST]);
    assert_eq!(pruned.freed(), ByteCount::ZERO);
}

#[test]
fn a_mark_of_a_prune_that_never_began_goes_from_what_stays() {
    let world = World::new();
    world.write(&format!("{NEWEST}/{PRUNING}"), &manifest(NEWEST));
    world.prune();
    assert!(world.is_whole(NEWEST));
    assert!(!world.path(&format!("{NEWEST}/{PRUNING}")).exists());
    let parsed = fs::read(world.path(&format!("{NEWEST}/{MANIFEST}"))).unwrap();
    Manifest::parse(&parsed).unwrap();
}
