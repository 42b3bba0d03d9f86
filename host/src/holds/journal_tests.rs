use super::*;
use crate::holds::ledger::By;

struct Place {
    _dir: tempfile::TempDir,
    state: StateDir,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path().join("state"));
    Place { _dir: dir, state }
}

fn begun(run: &str) -> Begun {
    Begun {
        run: run.to_owned(),
        job: "app".to_owned(),
        started: Timestamp::UNIX_EPOCH,
        pid: std::process::id(),
        max_pause_ms: None,
    }
}

const RELEASED: Entry = Entry::Released {
    hold: 1,
    by: By::Guard,
    away_ms: 7,
};

#[test]
fn a_journal_is_locked_as_long_as_its_run_is_there() {
    let place = place();
    let journal = Journal::begin(&place.state, begun("5f3-1")).unwrap();
    let path = Journal::all(&place.state).unwrap().swap_remove(0);
    let other = Journal::open(&path, "guard").unwrap().unwrap();
    assert!(!other.try_lock().unwrap());
    drop(journal);
    assert!(other.try_lock().unwrap());

    let third = Journal::open(&path, "recovery").unwrap().unwrap();
    other.remove().unwrap();
    assert!(!third.try_lock().unwrap(), "what is settled is nobody's");
    assert!(Journal::open(&path, "recovery").unwrap().is_none());
}

#[test]
fn what_the_guard_writes_is_what_the_run_reads() {
    let place = place();
    let run = Journal::begin(&place.state, begun("5f3-1")).unwrap();
    let guard = Journal::open(run.path(), "guard").unwrap().unwrap();
    guard.write(RELEASED).unwrap();
    run.write(Entry::Ended).unwrap();
    let ledger = guard.read().unwrap();
    assert!(ledger.ended);
    assert_eq!(run.read().unwrap(), ledger);
    assert_eq!(ledger.begun, Some(begun("5f3-1")));
}

#[test]
fn a_line_that_was_cut_short_spoils_none_after_it() {
    let place = place();
    let mut journal = Journal::begin(&place.state, begun("5f3-1")).unwrap();
    journal.file.write_all(b"{\"at\":\"2026-11-").unwrap();
    journal.write(Entry::Ended).unwrap();
    let ledger = journal.read().unwrap();
    assert!(ledger.ended);
    assert_eq!(ledger.unreadable, 0);
}

#[test]
fn journals_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = place();
    let journal = Journal::begin(&place.state, begun("5f3-1")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(journal.path()), 0o600);
    assert_eq!(mode(&place.state.journals()), 0o700);
}

#[test]
fn journals_are_found_in_the_order_of_their_runs() {
    let place = place();
    assert!(Journal::all(&place.state).unwrap().is_empty());
    let runs = ["63f-2", "63e-9"].map(|run| Journal::begin(&place.state, begun(run)).unwrap());
    fs::write(place.state.journals().join("other.txt"), "").unwrap();
    let [second, first] = runs.each_ref().map(Journal::path);
    assert_eq!(Journal::all(&place.state).unwrap(), [first, second]);
}
