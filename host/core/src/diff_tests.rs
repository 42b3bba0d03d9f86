use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::digest::Sha256;
use crate::manifest::{Attributes, FORMAT, Facts, FileEntry, Mode, Rows, RunRecord, Taken, Totals};

/// What lies at a path: content of so many bytes or none, permissions, owner, time.
type Lies = (Option<(u64, u8)>, u32, u32, i64);

fn entry(path: &str, (content, mode, uid, at): Lies) -> Entry {
    let kind = content.map_or(EntryKind::Directory, |(size, content)| {
        EntryKind::File(FileEntry {
            size: ByteCount(size),
            sha256: Sha256::from_bytes([content; 32]),
            sha1: None,
            md5: None,
            taken: Taken::Direct,
            stored: None,
            rows: Rows::new(),
        })
    });
    Entry {
        path: path.parse().unwrap(),
        attributes: Attributes {
            mode: Mode::from_st_mode(mode),
            uid,
            gid: 0,
            mtime: jiff::Timestamp::from_second(at).unwrap(),
        },
        kind,
    }
}

fn manifest(tree: &BTreeMap<String, Lies>) -> Manifest {
    let entries: Vec<_> = tree.iter().map(|(path, lies)| entry(path, *lies)).collect();
    Manifest {
        copal_manifest: FORMAT,
        id: "2026-11-24T030000Z".parse().unwrap(),
        name: "app".into(),
        run: RunRecord {
            id: "1".into(),
            started: jiff::Timestamp::UNIX_EPOCH,
            staged: jiff::Timestamp::UNIX_EPOCH,
            copal: "0.1.0".into(),
            staging: None,
        },
        source: "/app".into(),
        folders: vec![],
        mounts: vec![],
        disks: BTreeMap::new(),
        there_when_refused: None,
        unaccounted: false,
        root: entry("root", (None, 0o755, 0, 0)).attributes,
        totals: Totals::of(&entries),
        hooks: vec![],
        facts: Facts::new(),
        entries,
    }
}

fn tree() -> impl Strategy<Value = BTreeMap<String, Lies>> {
    let content = proptest::option::of((0..3_u64, 0..3_u8));
    let lies = (content, 0o600..0o602_u32, 0..2_u32, 0..2_i64);
    proptest::collection::btree_map("[a-d]{1,2}", lies, 0..12)
}

#[test]
fn what_was_added_removed_and_changed_is_told_by_path_and_a_new_time_is_not() {
    let file = |size, content| (Some((size, content)), 0o600, 0, 0);
    let before = [
        ("a", file(3, 1)),
        ("b", file(4, 1)),
        ("c", file(5, 1)),
        ("d", (None, 0o700, 0, 0)),
        ("e", file(6, 1)),
    ];
    let after = [
        ("b", file(40, 2)),
        ("c", (Some((5, 1)), 0o600, 0, 99)),
        ("d", (Some((7, 1)), 0o700, 0, 0)),
        ("e", (Some((6, 1)), 0o640, 1, 0)),
        ("f", file(8, 1)),
    ];
    let [before, after] = [before, after]
        .map(|all| manifest(&all.map(|(path, lies)| (path.to_owned(), lies)).into()));
    let found = diff(&before, &after);
    let told: Vec<_> = found
        .iter()
        .map(|one| match one {
            Difference::Added(entry) => format!("+ {}", entry.path),
            Difference::Removed(entry) => format!("- {}", entry.path),
            Difference::Changed { after, what, .. } => {
                let What {
                    content,
                    mode,
                    owner,
                } = what;
                format!("~ {} {content} {mode} {owner}", after.path)
            }
        })
        .collect();
    let expected = [
        "- a",
        "~ b true false false",
        "~ d true false false",
        "~ e false true true",
        "+ f",
    ];
    assert_eq!(told, expected);
    let amount = |entries, bytes| Amount {
        entries,
        bytes: ByteCount(bytes),
    };
    let expected = Sums {
        added: amount(1, 8),
        removed: amount(1, 3),
        changed_before: amount(3, 10),
        changed_after: amount(3, 53),
    };
    assert_eq!(Sums::of(&found), expected);
}

#[test]
fn tables_are_told_with_both_numbers_where_both_sides_were_counted() {
    let database = |rows: &[(&str, u64)]| {
        let mut entry = entry("app.db", (Some((1, 1)), 0o600, 0, 0));
        if let EntryKind::File(file) = &mut entry.kind {
            let rows = rows.iter().map(|(name, n)| ((*name).to_owned(), *n));
            file.rows = rows.collect();
        }
        entry
    };
    let before = database(&[("chat", 40), ("gone", 3), ("same", 1)]);
    let after = database(&[("chat", 45), ("new", 0), ("same", 1)]);
    let expected = [
        ("chat", Some(40), Some(45)),
        ("gone", Some(3), None),
        ("new", None, Some(0)),
    ];
    assert_eq!(tables(&before, &after), expected);
    assert_eq!(tables(&database(&[]), &after), []);
}

proptest! {
    #[test]
    fn nothing_differs_from_itself(tree in tree()) {
        let (one, other) = (manifest(&tree), manifest(&tree));
        prop_assert_eq!(diff(&one, &other), []);
    }

    #[test]
    fn every_path_is_told_once_and_rightly(before in tree(), after in tree()) {
        let (old, new) = (manifest(&before), manifest(&after));
        let found = diff(&old, &new);
        prop_assert!(found.windows(2).all(|pair| pair[0].path() < pair[1].path()));
        let of = |path: &str| found.iter().find(|one| one.path().to_string() == path);
        // All but the time.
        let says = |lies: &Lies| (lies.0, lies.1, lies.2);
        for path in before.keys().chain(after.keys()) {
            match (before.get(path), after.get(path), of(path)) {
                (Some(_), None, Some(Difference::Removed(_)))
                | (None, Some(_), Some(Difference::Added(_))) => {}
                (Some(old), Some(new), Some(Difference::Changed { .. })) => {
                    prop_assert_ne!(says(old), says(new));
                }
                (Some(old), Some(new), None) => prop_assert_eq!(says(old), says(new)),
                other => prop_assert!(false, "{path}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_way_back_is_the_same_way(before in tree(), after in tree()) {
        let (old, new) = (manifest(&before), manifest(&after));
        let (there, back) = (Sums::of(&diff(&old, &new)), Sums::of(&diff(&new, &old)));
        prop_assert_eq!(there.added, back.removed);
        prop_assert_eq!(there.changed_before, back.changed_after);
        let total = |tree: &Manifest| i128::from(tree.totals.bytes.0);
        let grown = |sums: &Sums| {
            let [added, removed, was, is] =
                [sums.added, sums.removed, sums.changed_before, sums.changed_after]
                    .map(|amount| i128::from(amount.bytes.0));
            added - removed + is - was
        };
        prop_assert_eq!(total(&new) - total(&old), grown(&there));
    }
}
