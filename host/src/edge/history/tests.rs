use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use serde_json::json;

struct Place {
    dir: tempfile::TempDir,
    history: History,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let history = History::of(&StateDir::at(dir.path().join("state")));
    Place { dir, history }
}

fn row(run: &str, name: &str, started: &str) -> Row {
    Row {
        run: run.to_owned(),
        name: name.to_owned(),
        kind: "backup".to_owned(),
        started: started.parse().unwrap(),
        took_ms: 1200,
        outcome: "warned".to_owned(),
        exit: 3,
        snapshots: vec!["2026-11-24T030000Z".to_owned()],
        trouble: Some("hook `notify` failed".to_owned()),
    }
}

fn record(run: &str) -> serde_json::Value {
    json!({ "run": run, "errors": [], "shortcomings": [{ "what": "hook `notify` failed" }] })
}

fn add(history: &History, run: &str, name: &str, started: &str) -> Result<(), HistoryError> {
    history.add(&row(run, name, started), &record(run).to_string())
}

fn fill(history: &History) {
    for (run, name, started) in [
        ("aa1-1", "app", "2026-11-24T03:00:00Z"),
        ("aa2-1", "other", "2026-11-24T04:00:00.5Z"),
        ("ab3-1", "app", "2026-11-25T03:00:00Z"),
    ] {
        add(history, run, name, started).unwrap();
    }
}

fn runs(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.run.as_str()).collect()
}

#[test]
fn runs_are_listed_in_their_order_by_job_and_by_number() {
    let Place { history, dir: _dir } = place();
    assert!(history.list(None, 9).unwrap().is_empty());
    fill(&history);
    assert_eq!(
        runs(&history.list(None, 9).unwrap()),
        ["aa1-1", "aa2-1", "ab3-1"]
    );
    assert_eq!(
        runs(&history.list(Some("app"), 9).unwrap()),
        ["aa1-1", "ab3-1"]
    );
    assert_eq!(runs(&history.list(None, 1).unwrap()), ["ab3-1"]);
    let first = history.list(None, 9).unwrap().swap_remove(0);
    assert_eq!(first, row("aa1-1", "app", "2026-11-24T03:00:00Z"));
}

#[test]
fn a_run_is_found_by_what_its_id_begins_with_and_comes_back_as_it_was() {
    let Place { history, dir: _dir } = place();
    assert!(matches!(
        history.find::<serde_json::Value>(&RunRef::Latest),
        Err(HistoryError::Empty(_))
    ));
    fill(&history);
    let found = |text: &str| history.find::<serde_json::Value>(&text.into());
    assert_eq!(found("latest").unwrap(), record("ab3-1"));
    assert_eq!(found("aa2").unwrap(), record("aa2-1"));
    assert!(matches!(found("b"), Err(HistoryError::Unknown(_))));
    match found("aa") {
        Err(HistoryError::Ambiguous { candidates, .. }) => {
            assert_eq!(candidates, ["aa2-1", "aa1-1"]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_newest_run_is_that_of_all_jobs_or_of_one() {
    let Place { history, dir: _dir } = place();
    fill(&history);
    let found = |which| history.find::<serde_json::Value>(&which);
    assert_eq!(found(RunRef::Latest).unwrap(), record("ab3-1"));
    let of = |name: &str| found(RunRef::LatestOf(name.to_owned()));
    assert_eq!(of("other").unwrap(), record("aa2-1"));
    assert!(matches!(of("none"), Err(HistoryError::NoneOf(_))));
}

#[test]
fn a_snapshot_that_a_record_is_told_of_later_is_in_the_list_too() {
    let Place { history, dir: _dir } = place();
    fill(&history);
    let ids = ["2026-11-24T030000Z", "2026-11-24T030001Z"];
    let told = |record: &mut serde_json::Value| {
        record["snapshots"] = json!([{ "id": ids[0] }, { "id": ids[1] }]);
    };
    assert!(history.amend("aa1-1", told).unwrap());
    let first = history.list(None, 9).unwrap().swap_remove(0);
    assert_eq!(first.snapshots, ids);
}

#[test]
fn a_record_is_amended_in_its_place_and_keeps_what_this_version_does_not_know() {
    let Place { history, dir: _dir } = place();
    let amend = |run: &str| history.amend(run, |record| record["notes"] = json!(["later"]));
    assert!(!amend("aa1-1").unwrap(), "there is no history");
    fill(&history);
    assert!(amend("aa1-1").unwrap());
    assert!(!amend("aa1").unwrap());
    let mut wanted = record("aa1-1");
    wanted["notes"] = json!(["later"]);
    let found = history.find::<serde_json::Value>(&"aa1-1".into()).unwrap();
    assert_eq!(found, wanted);
    assert_eq!(
        runs(&history.list(None, 9).unwrap()),
        ["aa1-1", "aa2-1", "ab3-1"]
    );
}

#[test]
fn the_history_is_its_owners_alone() {
    let Place { history, dir: _dir } = place();
    fill(&history);
    let mode = fs::metadata(&history.file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_damaged_history_is_moved_aside_told_and_begun_anew() {
    let spoil: [fn(&Path); 4] = [
        |file| fs::write(file, "no database at all, and long enough to tell").unwrap(),
        |file| {
            let whole = fs::read(file).unwrap();
            fs::write(file, &whole[..whole.len() / 2]).unwrap();
        },
        |file| {
            let mut bytes = fs::read(file).unwrap();
            bytes[4096..4200].fill(0xff);
            fs::write(file, bytes).unwrap();
        },
        |file| {
            let database = Connection::open(file).unwrap();
            database.execute_batch("DROP TABLE run").unwrap();
        },
    ];
    for (n, spoil) in spoil.into_iter().enumerate() {
        let Place { history, dir: _dir } = place();
        fill(&history);
        spoil(&history.file);
        let added = add(&history, "b-1", "app", "2026-11-26T03:00:00Z");
        let Err(HistoryError::SetAside(aside)) = added else {
            panic!("{n}: {added:?}")
        };
        assert!(aside.exists(), "{n}");
        let name = aside.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(name, "history.sqlite3.damaged-2026-11-26T030000Z");
        assert_eq!(runs(&history.list(None, 9).unwrap()), ["b-1"], "{n}");
        add(&history, "c-1", "app", "2026-11-27T03:00:00Z").unwrap();
    }
}

#[test]
fn a_pipe_in_its_place_is_refused_at_once() {
    let Place { history, dir: _dir } = place();
    fs::create_dir_all(history.file.parent().unwrap()).unwrap();
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mkfifoat(rustix::fs::CWD, &history.file, mode).unwrap();
    let added = add(&history, "b-1", "app", "2026-11-26T03:00:00Z");
    assert!(matches!(added, Err(HistoryError::NoFile(_))), "{added:?}");
    let listed = history.list(None, 9);
    assert!(matches!(listed, Err(HistoryError::NoFile(_))), "{listed:?}");
}

#[test]
fn a_history_of_a_later_version_is_left_alone() {
    let Place { history, dir: _dir } = place();
    fill(&history);
    let database = Connection::open(&history.file).unwrap();
    database.pragma_update(None, "user_version", 2).unwrap();
    drop(database);
    let added = add(&history, "b-1", "app", "2026-11-26T03:00:00Z");
    assert!(matches!(added, Err(HistoryError::Later(_))), "{added:?}");
    assert!(matches!(history.list(None, 9), Err(HistoryError::Later(_))));
}

/// The state in which a killed run leaves it: half of what it wrote is in the file, and the journal that undoes it
/// beside it.
#[test]
fn a_history_that_a_killed_run_wrote_to_is_read_as_it_was_before() {
    let Place { history, dir: _dir } = place();
    fill(&history);
    let writing = Connection::open(&history.file).unwrap();
    writing
        .execute_batch(
            "PRAGMA cache_size = 1; BEGIN; UPDATE run SET name = 'half';
             CREATE TABLE more (x); INSERT INTO more VALUES (zeroblob(1000000))",
        )
        .unwrap();
    let killed = place();
    fs::create_dir(killed.history.file.parent().unwrap()).unwrap();
    let journal = |file: &Path| file.with_extension("sqlite3-journal");
    fs::copy(&history.file, &killed.history.file).unwrap();
    fs::copy(journal(&history.file), journal(&killed.history.file)).unwrap();
    let named = killed.history.list(Some("app"), 9).unwrap();
    assert_eq!(runs(&named), ["aa1-1", "ab3-1"]);
}

#[test]
fn a_history_that_another_process_keeps_locked_is_given_up_in_time() {
    let Place { history, dir: _dir } = place();
    fill(&history);
    let other = Connection::open(&history.file).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let began = std::time::Instant::now();
    let added = add(&history, "b-1", "app", "2026-11-26T03:00:00Z");
    assert!(
        matches!(added, Err(HistoryError::Sqlite { .. })),
        "{added:?}"
    );
    assert!(began.elapsed() < 10 * BUSY);
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(history.list(None, 9).unwrap().len(), 3);
}

#[test]
fn a_history_that_can_not_be_made_is_an_error_that_says_so() {
    let place = place();
    fs::write(place.dir.path().join("state"), "a file").unwrap();
    let added = add(&place.history, "b-1", "app", "2026-11-26T03:00:00Z");
    assert!(matches!(added, Err(HistoryError::File { .. })), "{added:?}");
}
