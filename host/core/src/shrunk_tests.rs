use super::*;
use crate::manifest::EntryKind;
use crate::manifest::tests::{file, manifest};

fn rows(tables: &[(&str, u64)]) -> Rows {
    tables
        .iter()
        .map(|(table, rows)| ((*table).to_owned(), *rows))
        .collect()
}

/// What is told of `webui.db` with these rows now, which had those in the last snapshot.
fn told(before: &[(&str, u64)], now: &[(&str, u64)]) -> Vec<String> {
    let mut entry = file("webui.db", None);
    let EntryKind::File(of) = &mut entry.kind else {
        unreachable!("it is a file");
    };
    of.rows = rows(before);
    let last = manifest(vec![entry]);
    let (path, now) = ("webui.db".parse().unwrap(), rows(now));
    let found = shrunk(&last, [(&path, &now)].into_iter());
    found.iter().map(Shrunk::to_string).collect()
}

#[test]
fn a_database_with_less_than_a_tenth_of_its_rows_is_told() {
    let before = [("chat", 46), ("file", 18), ("config", 1)];
    for (now, expected) in [
        ([("chat", 0), ("file", 0), ("config", 1)], true),
        ([("chat", 5), ("file", 0), ("config", 1)], true),
        ([("chat", 6), ("file", 0), ("config", 1)], false),
        ([("chat", 0), ("file", 18), ("config", 1)], false),
        ([("chat", 460), ("file", 180), ("config", 1)], false),
    ] {
        assert_eq!(!told(&before, &now).is_empty(), expected, "{now:?}");
    }
    assert_eq!(
        told(&before, &[("chat", 0), ("file", 0), ("config", 1)]),
        ["`webui.db` has 1 row, and had 65 in 2026-11-24T030000Z"]
    );
}

#[test]
fn few_rows_come_and_go_and_what_was_not_counted_both_times_tells_nothing() {
    for (before, now) in [
        (&[("session", 9)][..], &[("session", 0)][..]),
        (&[("chat", 46)], &[("message", 0)]),
        (&[("chat", 46)], &[]),
        (&[], &[("chat", 0)]),
        (
            &[("chat", u64::MAX), ("file", u64::MAX)],
            &[("chat", u64::MAX), ("file", 0)],
        ),
    ] {
        assert_eq!(told(before, now), [""; 0], "{before:?} {now:?}");
    }
}
