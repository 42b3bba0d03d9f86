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
    told_of(ByteCount::mebibytes(1), before, now)
}

fn told_of(size: ByteCount, before: &[(&str, u64)], now: &[(&str, u64)]) -> Vec<String> {
    let mut entry = file("webui.db", None);
    let EntryKind::File(of) = &mut entry.kind else {
        unreachable!("it is a file");
    };
    of.rows = rows(before);
    let last = manifest(vec![entry]);
    let (path, now) = ("webui.db".parse().unwrap(), rows(now));
    let now = Counted {
        path: &path,
        rows: &now,
        size,
    };
    let found = shrunk(&last, [now].into_iter());
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
fn few_rows_come_and_go_and_what_was_never_counted_tells_nothing() {
    for (before, now) in [
        (&[("session", 9)][..], &[("session", 0)][..]),
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

#[test]
fn tables_that_are_gone_have_no_rows_whatever_others_there_are() {
    for now in [
        &[("message", 0)][..],
        &[("a", 1000)],
        &[("chat", 3), ("message", 1000)],
    ] {
        assert_eq!(told(&[("chat", 26), ("file", 20)], now).len(), 1, "{now:?}");
    }
    assert_eq!(
        told(&[("chat", 26), ("file", 20)], &[("message", 1000)]),
        ["`webui.db` has 0 rows where it had 46 in 2026-11-24T030000Z, and 2 tables are gone"]
    );
    assert_eq!(
        told(&[("chat", 26), ("file", 20)], &[("file", 1)]),
        ["`webui.db` has 1 row where it had 46 in 2026-11-24T030000Z, and a table is gone"]
    );
    // Few of many are no loss.
    assert_eq!(
        told(&[("chat", 460), ("log", 20)], &[("chat", 460)]),
        [""; 0]
    );
}

/// Of a database that is large, there may have been no time for the later ones.
#[test]
fn a_table_of_a_large_database_is_gone_only_if_a_later_one_was_counted() {
    let large = ByteCount::mebibytes(1 << 20);
    let before = [("chat", 46), ("file", 20)];
    assert_eq!(told_of(large, &before, &[("chat", 46)]), [""; 0]);
    assert_eq!(told_of(large, &before, &[("a", 1)]), [""; 0]);
    assert_eq!(told_of(large, &before, &[("file", 1)]).len(), 1);
}

proptest::proptest! {
    /// What is told never depends on what tables there are beside those of the last snapshot.
    #[test]
    fn new_tables_neither_hide_a_loss_nor_make_one(
        then in proptest::collection::btree_map("[a-e]", 0_u64..100, 1..5),
        now in proptest::collection::btree_map("[a-e]", 0_u64..100, 1..5),
        new in proptest::collection::btree_map("[f-z]", 0_u64..1000, 0..5),
    ) {
        fn of(rows: &Rows) -> Vec<(&str, u64)> {
            rows.iter().map(|(table, rows)| (table.as_str(), *rows)).collect()
        }
        let both: Rows = now.clone().into_iter().chain(new).collect();
        proptest::prop_assert_eq!(told(&of(&then), &of(&both)), told(&of(&then), &of(&now)));
    }
}
