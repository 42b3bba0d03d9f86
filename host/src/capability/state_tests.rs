use super::super::kit::Floor;
use super::*;
use copal_core::units::ByteCount;

fn store(floor: &Floor) -> &Store {
    &floor.host.means.state
}

#[test]
fn a_value_outlives_the_run_that_set_it() {
    let floor = Floor::with("");
    set(store(&floor), &floor.call(), "last", b"\0\xff").unwrap();
    set(store(&floor), &floor.call(), "last", b"newer").unwrap();
    let later = Store::of("app", &StateDir::at(floor.path("state")));
    assert_eq!(
        get(&later, &floor.call(), "last"),
        Ok(Some(b"newer".to_vec()))
    );
    delete(&later, &floor.call(), "last").unwrap();
    delete(&later, &floor.call(), "last").unwrap();
    assert_eq!(get(store(&floor), &floor.call(), "last"), Ok(None));
}

#[test]
fn each_hook_of_each_job_has_a_store_of_its_own() {
    let floor = Floor::with("");
    set(store(&floor), &floor.call(), "key", b"mine").unwrap();
    assert_eq!(get(store(&floor), &floor.call_of("other"), "key"), Ok(None));
    let other_job = Store::of("other", &StateDir::at(floor.path("state")));
    assert_eq!(keys(&other_job, &floor.call()), Ok(Vec::new()));
}

#[test]
fn keys_are_told_in_order() {
    let floor = Floor::with("");
    for key in ["b", "a", "é", "B"] {
        set(store(&floor), &floor.call(), key, b"").unwrap();
    }
    let all = ["B", "a", "b", "é"].map(str::to_owned).to_vec();
    assert_eq!(keys(store(&floor), &floor.call()), Ok(all));
}

#[test]
fn a_store_beyond_its_limit_keeps_what_it_has() {
    let mut floor = Floor::with("");
    floor.limits.state = ByteCount(10);
    let call = floor.call();
    set(store(&floor), &call, "k", b"123456789").unwrap();
    set(store(&floor), &call, "k", b"987654321").unwrap();
    let full = set(store(&floor), &call, "l", b"");
    assert!(matches!(full, Err(CapabilityError::Invalid(_))), "{full:?}");
    assert_eq!(keys(store(&floor), &call), Ok(vec!["k".to_owned()]));
}

#[test]
fn a_dry_run_sees_what_there_is_and_changes_nothing() {
    let floor = Floor::with("");
    set(store(&floor), &floor.call(), "a", b"1").unwrap();
    let scratch = Store::of("app", &StateDir::at(floor.path("state"))).scratch();
    set(&scratch, &floor.call(), "a", b"2").unwrap();
    assert_eq!(get(&scratch, &floor.call(), "a"), Ok(Some(b"2".to_vec())));
    assert_eq!(
        get(store(&floor), &floor.call(), "a"),
        Ok(Some(b"1".to_vec()))
    );
}

#[test]
fn a_dry_run_makes_no_file() {
    let floor = Floor::with("");
    let scratch = Store::of("app", &StateDir::at(floor.path("state"))).scratch();
    set(&scratch, &floor.call(), "a", b"2").unwrap();
    assert!(!floor.path("state").exists());
}

#[test]
fn a_damaged_file_is_told_and_left_alone() {
    let floor = Floor::with("");
    std::fs::create_dir(floor.path("state")).unwrap();
    let file = floor.path("state/hook-state.sqlite3");
    std::fs::write(&file, "not a database, but long enough to be taken for one").unwrap();
    let failed = get(store(&floor), &floor.call(), "a");
    assert!(
        matches!(failed, Err(CapabilityError::Failed(_))),
        "{failed:?}"
    );
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .starts_with("not a database")
    );
}

#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let floor = Floor::with("");
    set(store(&floor), &floor.call(), "a", b"1").unwrap();
    let metadata = std::fs::metadata(floor.path("state/hook-state.sqlite3")).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o077, 0);
}

#[test]
fn a_signal_ends_the_wait_for_a_store_that_another_keeps_locked() {
    let floor = Floor::with("");
    set(store(&floor), &floor.call(), "a", b"1").unwrap();
    let file = floor.path("state/hook-state.sqlite3");
    let mut other = Connection::open(&file).unwrap();
    let lock = other.transaction_with_behavior(TransactionBehavior::Exclusive);
    let lock = lock.unwrap();
    floor.cancel.cancel();
    let began = Instant::now();
    let scratch = Store::of("app", &StateDir::at(floor.path("state"))).scratch();
    let fresh = Store::of("app", &StateDir::at(floor.path("state")));
    for store in [store(&floor), &scratch, &fresh] {
        let ended = set(store, &floor.call(), "a", b"2");
        assert_eq!(ended, Err(CapabilityError::Interrupted));
        let ended = get(store, &floor.call(), "a");
        assert_eq!(ended, Err(CapabilityError::Interrupted));
    }
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    drop(lock);
}

#[test]
fn a_store_that_another_lets_go_of_is_written_after_all() {
    let floor = Floor::with("");
    set(store(&floor), &floor.call(), "a", b"1").unwrap();
    let file = floor.path("state/hook-state.sqlite3");
    let mut other = Connection::open(&file).unwrap();
    let lock = other.transaction_with_behavior(TransactionBehavior::Exclusive);
    let lock = lock.unwrap();
    std::thread::scope(|scope| {
        let written = scope.spawn(|| set(store(&floor), &floor.call(), "a", b"2"));
        // Long enough for more than one attempt; a shorter one shows less.
        std::thread::sleep(3 * LOOK);
        drop(lock);
        assert_eq!(written.join().unwrap(), Ok(()));
    });
    assert_eq!(
        get(store(&floor), &floor.call(), "a"),
        Ok(Some(b"2".to_vec()))
    );
}
