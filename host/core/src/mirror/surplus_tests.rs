use super::super::{MaxDelete, Past};
use super::*;
use proptest::prelude::*;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn set(all: &[&str]) -> HashSet<String> {
    names(all).into_iter().collect()
}

fn map(pairs: &[(&str, &str)]) -> Map {
    let mut map = Map::default();
    for (source, folder) in pairs {
        let source = RelPath::new(*source).unwrap();
        map.add(source, (*folder).to_owned()).unwrap();
    }
    map
}

fn most(most: MaxDelete) -> Bound {
    let there_when_refused = None;
    Bound {
        most,
        there_when_refused,
        past: Past::Known,
    }
}

/// `uploads` is a directory, and `webui.db` a file.
fn tutorial() -> Ground {
    let map = map(&[("uploads", "user_uploads"), ("webui.db", "main_database")]);
    Ground::of(&map, |source| source.as_bytes() == b"uploads")
}

#[test]
fn only_what_lies_in_a_mirrored_directorys_folder_is_deleted() {
    let there = names(&[
        "user_uploads/gone",
        "user_uploads/here",
        "main_database/notes.txt",
        "other/x",
        "user_uploads2/x",
        ".copal/manifest.json",
    ]);
    let surplus = tutorial().surplus(&there, &set(&["user_uploads/here"]), |_| true);
    let deletions = surplus.bounded(most(MaxDelete::HALF)).unwrap();
    assert_eq!(deletions.names(), ["user_uploads/gone"]);
}

#[test]
fn logs_of_another_moment_beside_a_database_go_and_no_bound_counts_them() {
    let there = names(&[
        "main_database/webui.db",
        "main_database/webui.db-wal",
        "main_database/other.db-wal",
    ]);
    let copied = ["main_database/webui.db".to_owned()];
    let ground = tutorial().and_logs_of(copied.into_iter());
    let surplus = ground.surplus(&there, &set(&["main_database/webui.db"]), |_| true);
    let deletions = surplus.bounded(most(MaxDelete::Files(0))).unwrap();
    assert_eq!(deletions.names(), ["main_database/webui.db-wal"]);
}

#[test]
fn logs_beside_a_database_go_also_where_all_else_stays() {
    let there = names(&[
        "main_database/webui.db",
        "main_database/webui.db-journal",
        "user_uploads/gone",
    ]);
    let copied = ["main_database/webui.db".to_owned()];
    let ground = tutorial().and_logs_of(copied.into_iter());
    let surplus = ground.surplus(&there, &set(&["main_database/webui.db"]), |_| true);
    assert_eq!(surplus.logs().names(), ["main_database/webui.db-journal"]);
    let refused = surplus.bounded(most(MaxDelete::Files(0))).unwrap_err();
    assert!(matches!(refused, Refused::TooMany { would: 1, .. }));
}

#[test]
fn more_than_may_be_deleted_keeps_everything() {
    let there = names(&["user_uploads/a", "user_uploads/b", "user_uploads/c"]);
    let surplus = || tutorial().surplus(&there, &set(&["user_uploads/c"]), |_| true);
    let refused = surplus().bounded(most(MaxDelete::HALF)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the source no longer has 2 of the 3 files that were there, and a run deletes at most 1"
    );
    assert!(surplus().bounded(most(MaxDelete::Files(1))).is_err());
    assert!(surplus().bounded(most(MaxDelete::Files(2))).is_ok());
    assert!(surplus().bounded(most(MaxDelete::Share(67))).is_ok());
}

#[test]
fn what_a_run_that_failed_has_sent_makes_no_share_larger() {
    let there = names(&["user_uploads/old1", "user_uploads/old2", "user_uploads/new"]);
    let wanted = set(&["user_uploads/new", "user_uploads/old2"]);
    let surplus = || {
        let was_there = |name: &str| name.contains("old");
        tutorial().surplus(&there, &wanted, was_there)
    };
    let deletions = surplus().bounded(most(MaxDelete::Share(50))).unwrap();
    assert_eq!(deletions.names(), ["user_uploads/old1"]);
    let refused = surplus().bounded(most(MaxDelete::Share(49))).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the source no longer has 1 of the 2 files that were there, and a run deletes at most 0"
    );
}

#[test]
fn a_folder_that_would_lose_all_it_has_is_named() {
    let there = names(&["user_uploads/a", "user_uploads/b"]);
    let wanted = set(&["main_database/webui.db"]);
    let emptied = tutorial().emptied(&there, &wanted).unwrap();
    let expected = ("user_uploads".to_owned(), 2);
    assert_eq!((emptied.folder, emptied.files), expected);
    assert_eq!(tutorial().emptied(&[], &wanted), None);
    let wanted = set(&["user_uploads/new"]);
    assert_eq!(tutorial().emptied(&there, &wanted), None);
}

#[test]
fn snapshots_and_mirrors_in_a_folder_are_never_deleted_with_it() {
    let whole = Ground::of(&Map::default(), |_| true);
    let there = names(&[
        ".copal/manifest.json",
        "app/2026-11-24T030000Z/.copal/manifest.json",
        "app/2026-11-24T030000Z/webui.db",
        "a",
        "b",
        "c",
    ]);
    let surplus = whole.surplus(&there, &set(&["a", "b", "c"]), |_| true);
    let refused = surplus.bounded(most(MaxDelete::Files(100))).unwrap_err();
    assert_eq!(
        refused,
        Refused::Copals("app/2026-11-24T030000Z".to_owned())
    );
}

#[test]
fn what_a_filter_leaves_out_stays_and_does_not_count() {
    let there = names(&["user_uploads/a", "user_uploads/b", "user_uploads/c"]);
    let mut surplus = tutorial().surplus(&there, &set(&["user_uploads/c"]), |_| true);
    surplus.retain(|name| name != "user_uploads/a");
    let deletions = surplus.bounded(most(MaxDelete::Files(1))).unwrap();
    assert_eq!(deletions.names(), ["user_uploads/b"]);
}

#[test]
fn what_no_run_may_delete_makes_no_share_larger() {
    let mut there = names(&["user_uploads/a", "user_uploads/b", "user_uploads/c"]);
    there.extend((0..1000).map(|n| format!("user_uploads/cache/{n}")));
    let wanted = set(&["user_uploads/b", "user_uploads/c"]);
    let mut surplus = tutorial().surplus(&there, &wanted, |_| true);
    surplus.retain(|name| !name.contains("/cache/"));
    assert_eq!(surplus.there_when_refused(Bound::default()), 3);
    let refused = surplus.bounded(most(MaxDelete::Share(10))).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the source no longer has 1 of the 3 files that were there, and a run deletes at most 0"
    );
}

fn any_name() -> impl Strategy<Value = String> {
    let folders = "(user_uploads|main_database|other|\\.copal|user_uploads/\\.copal)";
    proptest::string::string_regex(&format!("{folders}(/[a-c]){{1,2}}")).unwrap()
}

proptest! {
    #[test]
    fn nothing_is_deleted_that_the_source_has_or_that_lies_elsewhere_or_beyond_the_bound(
        there in proptest::collection::hash_set(any_name(), 0..12),
        wanted in proptest::collection::hash_set(any_name(), 0..12),
        whole: bool,
        kept in "[a-c]",
        files in 0_u64..8,
        percent in proptest::option::of(0_u8..=100),
    ) {
        let most = percent.map_or(MaxDelete::Files(files), MaxDelete::Share);
        let ground = if whole { Ground::of(&Map::default(), |_| true) } else { tutorial() };
        let listed: Vec<String> = there.iter().cloned().collect();
        let mut surplus = ground.surplus(&listed, &wanted, |_| true);
        surplus.retain(|name| !name.ends_with(&kept));
        let inside = there.iter().filter(|name| ground.has(name)).count() as u64;
        if let Ok(deletions) = surplus.bounded(Bound { most, ..Bound::default() }) {
            prop_assert!(deletions.names().len() as u64 <= most.of(inside));
            for name in deletions.names() {
                prop_assert!(there.contains(name) && !wanted.contains(name));
                prop_assert!(whole || name.starts_with("user_uploads/"), "{name}");
                prop_assert!(!name.split('/').any(|part| part == COPAL_DIR), "{name}");
                prop_assert!(!name.ends_with(&kept));
            }
        }
    }
}
