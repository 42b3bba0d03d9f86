use std::time::Instant;

use super::*;
use crate::edge::history::RunRef;
use crate::edge::service::{Commands, HeldCommands, HoldHow, Undo};
use crate::holds::journal::Journal;
use crate::holds::ledger::Entry;
use crate::holds::recovery::{Found, settle};

fn undo() -> Undo {
    let words = |word: &str| vec![word.to_owned()];
    Undo::Commands(HeldCommands {
        commands: Commands {
            name: "app".to_owned(),
            stop: words("true"),
            start: words("true"),
            state: None,
            timeout: Duration::from_secs(1),
            base: "/".into(),
        },
        mark: serde_json::from_value("of nobody else".into()).unwrap(),
    })
}

#[test]
fn what_the_guard_released_while_its_run_gave_up_is_in_the_history() {
    let directory = tempfile::tempdir().unwrap();
    let state = StateDir::at(directory.path());
    let begun = Begun {
        run: "1-2".to_owned(),
        job: "letters".to_owned(),
        started: Timestamp::now(),
        pid: std::process::id(),
        max_pause_ms: Some(1000),
    };
    let journal = Journal::begin(&state, begun.clone()).unwrap();
    journal
        .write(Entry::Holding {
            hold: 1,
            service: "app".to_owned(),
            how: HoldHow::Pause,
            undo: undo(),
        })
        .unwrap();
    let left = journal.read().unwrap();
    let history = History::of(&state);
    let run = KilledRun {
        run: begun.run.clone(),
        started: begun.started,
        sealed: None,
    };
    let mut own = record(bare(&run, "letters"), &left, &[], Timestamp::now());
    own.outcome = Ended::Failed;
    history.add(&own.row(), &own.to_json()).unwrap();
    journal.write(Entry::Ended).unwrap();
    let by = By::Guard;
    let released = Entry::Released {
        hold: 1,
        by,
        away_ms: 61_000,
    };
    journal.write(released).unwrap();
    journal.unlock();

    let now = Instant::now();
    let found = settle(journal.path(), "guard", By::Guard, now, now).unwrap();
    let Found::Settled(settled) = found else {
        panic!("{found:?}");
    };
    assert!(settled.released.is_empty());
    for _ in 0..2 {
        keep(&settled, &state, None).unwrap();
    }
    let mut kept = serde_json::Value::Null;
    let is_there = history.amend("1-2", |record| kept = record.clone());
    assert!(is_there.unwrap());
    assert_eq!(kept["holds"][0]["released_by"], "guard");
    assert_eq!(kept["holds"][0]["away_ms"], 61_000);
    assert_eq!(kept["notes"].as_array().unwrap().len(), 1, "{kept:#}");
}

#[test]
fn a_run_that_was_killed_after_the_seal_is_kept_with_its_snapshot_whatever_a_manifest_has_told() {
    let directory = tempfile::tempdir().unwrap();
    let state = StateDir::at(directory.path());
    let id = "2026-11-24T030000Z".parse().unwrap();
    let bytes = copal_core::units::ByteCount(4);
    let sealed = |everywhere| SealedBefore {
        everywhere,
        snapshots: vec![SnapshotRecord::unsent(id, "vault:".to_owned(), 2, bytes)],
    };
    let killed = |run: &str, everywhere| KilledRun {
        run: run.to_owned(),
        started: "2026-11-24T03:00:00Z".parse().unwrap(),
        sealed: Some(sealed(everywhere).in_a_line()),
    };
    let history = History::of(&state);
    let rebuilt = Record {
        run: "1-2".to_owned(),
        name: "letters".to_owned(),
        rebuilt: true,
        ..Record::empty()
    };
    history.add(&rebuilt.row(), &rebuilt.to_json()).unwrap();
    for _ in 0..2 {
        keep_bare(&killed("1-2", true), "letters", &state).unwrap();
    }
    let kept: Record = history.find(&RunRef::Prefix("1-2".to_owned())).unwrap();
    assert_eq!((kept.outcome, kept.exit), (Ended::Warned, 3));
    assert_eq!(kept.snapshots, sealed(true).snapshots);
    assert!(kept.errors.is_empty() && !kept.rebuilt);

    keep_bare(&killed("3-4", false), "letters", &state).unwrap();
    let kept: Record = history.find(&RunRef::Prefix("3-4".to_owned())).unwrap();
    assert_eq!((kept.outcome, kept.exit), (Ended::Abandoned, 3));
    assert_eq!(kept.snapshots.len(), 1);
}
