use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const STARTED: Timestamp = Timestamp::UNIX_EPOCH;

/// An undo like any other: what it says is nothing to a ledger.
fn undo() -> Undo {
    let json = serde_json::json!({
        "of": "containers",
        "host": "unix:///run/docker.sock",
        "how": "pause",
        "containers": [],
    });
    serde_json::from_value(json).unwrap()
}

fn line(entry: Entry) -> String {
    let at = STARTED;
    serde_json::to_string(&Line { at, entry }).unwrap() + "\n"
}

fn begun() -> Entry {
    Entry::Begun(Begun {
        run: "5f3-1".to_owned(),
        job: "app".to_owned(),
        started: STARTED,
        pid: 4711,
        max_pause_ms: Some(30_000),
    })
}

fn holding(hold: u32) -> Entry {
    Entry::Holding {
        hold,
        service: format!("service-{hold}"),
        how: HoldHow::Stop {
            grace: Duration::from_millis(1500),
        },
        undo: undo(),
    }
}

fn released(hold: u32) -> Entry {
    Entry::Released {
        hold,
        by: By::Run,
        away_ms: 120,
    }
}

fn numbers(ledger: &Ledger) -> Vec<u32> {
    ledger.to_release().map(|hold| hold.number).collect()
}

#[test]
fn what_was_about_to_be_held_is_released_though_nobody_knows_whether_it_was() {
    let text = [line(begun()), line(holding(1))].concat();
    let ledger = Ledger::read(text.as_bytes());
    assert_eq!(numbers(&ledger), [1]);
    assert!(!ledger.hold(1).unwrap().is_sure);
    assert!(!ledger.is_settled());

    let failed = line(Entry::Failed {
        hold: 1,
        by: By::Run,
        why: "the engine is away".to_owned(),
        was_silent: true,
    });
    let ledger = Ledger::read((text + &failed).as_bytes());
    assert_eq!(numbers(&ledger), [1], "what failed is tried again");
}

#[test]
fn a_line_that_can_not_be_read_keeps_the_journal_from_being_settled() {
    let later = "{\"at\":\"1970-01-01T00:00:00Z\",\"what\":\"frozen\",\"hold\":7}\n";
    let text = [&line(begun()), later, &line(holding(2)), &line(released(2))].concat();
    let ledger = Ledger::read(text.as_bytes());
    assert_eq!(numbers(&ledger), [0; 0]);
    assert_eq!(ledger.unreadable, 1);
    assert!(!ledger.is_settled());
}

#[test]
fn a_line_cut_short_in_the_middle_hides_none_of_those_after_it() {
    let cut = line(holding(1));
    let text = [
        &line(begun()),
        &cut[..cut.len() / 2],
        "\n",
        &line(holding(2)),
    ]
    .concat();
    let ledger = Ledger::read(text.as_bytes());
    assert_eq!(numbers(&ledger), [2]);
    assert_eq!(ledger.unreadable, 0);
}

/// What may happen to the holds of a run, in any order.
fn stories() -> impl Strategy<Value = Vec<Entry>> {
    let step = (0_u8..4, 0_usize..8);
    proptest::collection::vec(step, 0..24).prop_map(|steps| {
        let mut entries = vec![begun()];
        let mut taken = 0;
        for (what, which) in steps {
            let hold = u32::try_from(which).unwrap() % (taken + 1);
            match what {
                0 => {
                    taken += 1;
                    entries.push(holding(taken));
                }
                _ if hold == 0 => {}
                1 => entries.push(Entry::Held { hold }),
                2 => entries.push(Entry::Releasing {
                    hold,
                    by: By::Guard,
                }),
                _ => entries.push(released(hold)),
            }
        }
        entries
    })
}

proptest! {
    #[test]
    fn whatever_was_written_of_a_journal_all_that_may_be_held_is_released_in_reverse(
        entries in stories(),
        cut in any::<prop::sample::Index>(),
    ) {
        let lines: Vec<String> = entries.into_iter().map(line).collect();
        let text = lines.concat();
        let cut = cut.index(text.len() + 1);
        let ledger = Ledger::read(&text.as_bytes()[..cut]);

        let mut expected = BTreeSet::new();
        let mut end = 0;
        for text in &lines {
            end += text.len();
            if end > cut {
                break;
            }
            let Line { entry, .. } = serde_json::from_str(text).unwrap();
            match entry {
                Entry::Holding { hold, .. } => { expected.insert(hold); }
                Entry::Released { hold, .. } => { expected.remove(&hold); }
                _ => {}
            }
        }
        let expected: Vec<u32> = expected.into_iter().rev().collect();
        prop_assert_eq!(numbers(&ledger), expected);
        prop_assert_eq!(ledger.unreadable, 0);
    }
}

/// As a file system may leave it that had grown the file and not yet written it.
#[test]
fn zeros_at_the_end_of_a_journal_are_a_line_that_was_cut_short() {
    for cut in [&b""[..], b"{\"at\":\"2026-11-27T08:0"] {
        let mut text = cut.to_vec();
        text.extend([0; 300]);
        assert_eq!(Ledger::read(&text).unreadable, 0);
        // And so they are when a recovery has gone on behind them.
        text.extend(b"\n{\"at\":\"2026-11-27T08:00:00Z\",\"what\":\"ended\"}\n");
        let ledger = Ledger::read(&text);
        assert_eq!(ledger.unreadable, 0);
        assert!(ledger.ended);
    }
}
