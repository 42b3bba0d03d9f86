use super::*;
use crate::Restored;

fn small() -> (tempfile::TempDir, OpenWebUi) {
    let temp = tempfile::tempdir().unwrap();
    let app = OpenWebUi::create(&temp.path().join("data"), &Size::SMALL).unwrap();
    (temp, app)
}

fn count(connection: &Connection, table: &str) -> usize {
    let count: i64 = connection
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get(0)
        })
        .unwrap();
    usize::try_from(count).unwrap()
}

#[test]
fn the_newest_chats_are_in_the_write_ahead_log_alone() {
    let (_temp, app) = small();
    let alone = crate::sqlite::open_still(&app.webui_db()).unwrap();
    assert_eq!(count(&alone, "chat"), Size::SMALL.chats);
    let whole = open_webui(&app.webui_db()).unwrap();
    assert_eq!(
        count(&whole, "chat"),
        Size::SMALL.chats + Size::SMALL.chats_in_wal
    );
}

#[test]
fn chroma_keeps_a_rollback_journal() {
    let (_temp, app) = small();
    let connection = Connection::open(app.chroma_db()).unwrap();
    let mode: String = connection
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "delete");
    assert_eq!(count(&connection, "embeddings"), Size::SMALL.passages);
    assert_eq!(count(&connection, "embeddings_queue"), Size::SMALL.passages);
}

#[test]
fn the_same_seed_makes_the_same_rows() {
    let first_chat = |app: &OpenWebUi| -> String {
        let connection = Connection::open(app.webui_db()).unwrap();
        connection
            .query_row("SELECT chat FROM chat ORDER BY id LIMIT 1", [], |row| {
                row.get(0)
            })
            .unwrap()
    };
    let (a, b) = (small(), small());
    assert_eq!(first_chat(&a.1), first_chat(&b.1));
}

#[test]
fn a_plain_copy_of_the_directory_falls_short_in_what_should_not_travel() {
    let (_temp, app) = small();
    let report = Restored::check(app.directory(), &[]).unwrap();
    assert!(!report.is_whole());
    assert_eq!(
        report.leftovers,
        ["audit.log", "cache", "webui.db-shm", "webui.db-wal"]
    );
    assert_eq!(report.files.found, report.files.expected);
    assert_eq!(report.files.expected, Size::SMALL.uploads);
}
