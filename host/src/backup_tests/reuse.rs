//! What the last snapshot has is copied by the remote.

use super::*;

fn copies() -> Orders {
    Orders {
        copies: true,
        ..Orders::default()
    }
}

/// A world with a first snapshot, in which `uploads/a.txt` changes and `b.txt` is renamed after it.
fn world_after_a_snapshot() -> World {
    let world = World::new();
    let first = world.back_up(&world.fake(copies()));
    assert_eq!(first.verdict(), Verdict::Succeeded);
    fs::write(world.source("uploads/a.txt"), "other").unwrap();
    fs::rename(
        world.source("uploads/b.txt"),
        world.source("uploads/moved.txt"),
    )
    .unwrap();
    world
}

/// Runs a second backup: what was uploaded, and the outcome.
fn second(world: &World, orders: Orders) -> (Vec<String>, Outcome<Delivered>) {
    let uploaded = orders.uploaded.clone();
    let outcome = world.back_up(&world.fake(orders));
    let mut names = uploaded.take();
    names.sort();
    (names, outcome)
}

fn is_whole(world: &World) {
    let newest = world.sealed().into_iter().max_by_key(|it| it.id).unwrap();
    let restored = world.restore(&newest);
    assert_eq!(read(&restored.join("uploads/a.txt")), "other");
    assert_eq!(read(&restored.join("uploads/moved.txt")), "b.txt");
    assert_eq!(read(&restored.join("uploads/c.txt")), "c.txt");
    assert!(!restored.join("uploads/b.txt").exists());
    let database = rusqlite::Connection::open(restored.join("app.db")).unwrap();
    let x: i64 = database
        .query_row("SELECT x FROM t", [], |row| row.get(0))
        .unwrap();
    assert_eq!(x, 1);
}

const ALL: [&str; 4] = [
    "app.db",
    "uploads/a.txt",
    "uploads/c.txt",
    "uploads/moved.txt",
];

#[test]
fn only_what_changed_is_sent_and_the_snapshot_is_whole() {
    let world = world_after_a_snapshot();
    let (uploaded, outcome) = second(&world, copies());
    assert_eq!(outcome.verdict(), Verdict::Succeeded);
    assert_eq!(uploaded, ["uploads/a.txt"]);
    let snapshot = outcome.sealed().next().unwrap();
    assert_eq!(snapshot.copied.files, 3);
    assert_eq!(snapshot.totals.files, 4);
    is_whole(&world);
}

#[test]
fn a_remote_that_can_not_copy_gets_everything() {
    let world = world_after_a_snapshot();
    let (uploaded, outcome) = second(&world, Orders::default());
    assert_eq!(outcome.verdict(), Verdict::Succeeded);
    assert_eq!(uploaded, ALL);
    assert_eq!(outcome.sealed().next().unwrap().copied.files, 0);
    is_whole(&world);
}

#[test]
fn a_copy_that_fails_costs_an_upload_and_is_told() {
    let world = world_after_a_snapshot();
    let orders = Orders {
        fail_copies: true,
        ..copies()
    };
    let (uploaded, outcome) = second(&world, orders);
    assert_eq!(outcome.verdict(), Verdict::Succeeded);
    assert_eq!(uploaded, ALL);
    let told = outcome.sealed().next().unwrap().not_copied.clone();
    assert!(told.is_some_and(|why| why.contains("it was to fail")));
    is_whole(&world);
}

#[test]
fn a_copy_that_went_wrong_is_sent_after_all() {
    let world = world_after_a_snapshot();
    let orders = Orders {
        spoil_copies: Some(|copy| fs::write(copy, "half of what was there").unwrap()),
        ..copies()
    };
    let (uploaded, outcome) = second(&world, orders);
    assert_eq!(outcome.verdict(), Verdict::Succeeded);
    assert_eq!(uploaded, ["app.db", "uploads/a.txt"]);
    assert_eq!(outcome.sealed().next().unwrap().copied.files, 2);
    is_whole(&world);
}

#[test]
fn nothing_is_copied_from_a_snapshot_that_lost_it() {
    let world = world_after_a_snapshot();
    let first = world.dir.path().join("remote/app/2026-11-24T030000Z");
    fs::remove_file(first.join("uploads/c.txt")).unwrap();
    fs::write(first.join("uploads/b.txt"), "longer than before").unwrap();
    let (uploaded, outcome) = second(&world, copies());
    assert_eq!(outcome.verdict(), Verdict::Succeeded);
    let sent = ["uploads/a.txt", "uploads/c.txt", "uploads/moved.txt"];
    assert_eq!(uploaded, sent);
    is_whole(&world);
}

#[test]
fn a_failure_or_a_signal_at_any_call_of_a_second_run_leaves_the_first_snapshot_and_no_half_one() {
    let calls = {
        let world = world_after_a_snapshot();
        let fake = world.fake(copies());
        assert_eq!(world.back_up(&fake).verdict(), Verdict::Succeeded);
        fake.calls()
    };
    for n in 0..calls {
        for signal in [false, true] {
            let world = world_after_a_snapshot();
            let at = Some(n);
            let (fail_at, signal_at) = if signal { (None, at) } else { (at, None) };
            let orders = Orders {
                fail_at,
                signal_at,
                ..copies()
            };
            let outcome = world.back_up(&world.fake(orders));
            let sealed = world.sealed();
            if outcome.verdict() == Verdict::Succeeded {
                assert_eq!(sealed.len(), 2, "call {n}");
                is_whole(&world);
            } else {
                assert_eq!(sealed.len(), 1, "call {n}, {:?}", outcome.verdict());
            }
            world.nothing_left_behind();
        }
    }
}
