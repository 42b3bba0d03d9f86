use super::*;
use crate::{Restored, Size};

const LONG: Duration = Duration::from_secs(30);

fn app() -> (tempfile::TempDir, OpenWebUi) {
    let temp = tempfile::tempdir().unwrap();
    let app = OpenWebUi::create(&temp.path().join("data"), &Size::SMALL).unwrap();
    (temp, app)
}

/// What `copal` will do, in miniature: the databases by the backup API, the uploads as they are.
fn consistent_copy(app: &OpenWebUi, to: &std::path::Path) {
    std::fs::create_dir_all(to.join("uploads")).unwrap();
    std::fs::create_dir_all(to.join("vector_db")).unwrap();
    for name in ["webui.db", "vector_db/chroma.sqlite3"] {
        let live = Connection::open(app.directory().join(name)).unwrap();
        live.busy_timeout(Duration::from_secs(5)).unwrap();
        // It gives up after being refused three times by Chroma's writer.
        crate::wait_until("a moment to copy", LONG, || {
            live.backup("main", to.join(name), None::<fn(_)>).ok()
        })
        .unwrap();
    }
    for upload in std::fs::read_dir(app.uploads()).unwrap() {
        let upload = upload.unwrap();
        std::fs::copy(upload.path(), to.join("uploads").join(upload.file_name())).unwrap();
    }
}

#[test]
fn every_acknowledged_write_is_in_a_consistent_copy_taken_afterwards() {
    let (temp, app) = app();
    let writer = Writer::start(&app).unwrap();
    writer.wait_for(60, LONG).unwrap();
    let acknowledged = writer.acknowledged_before(Instant::now());
    let copy = temp.path().join("copy");
    consistent_copy(&app, &copy);
    let stopped = writer.stop();
    assert!(acknowledged.len() >= 60);
    assert!(stopped.acknowledged.len() >= acknowledged.len());
    let report = Restored::check(&copy, &acknowledged).unwrap();
    assert!(report.is_whole(), "{:?}", report.shortfalls());
    let found = report.chats.found + report.uploads.found + report.passages.found;
    assert_eq!(found, acknowledged.len());
}

#[test]
fn a_write_made_after_the_copy_is_missed_in_it() {
    let (temp, app) = app();
    let copy = temp.path().join("copy");
    consistent_copy(&app, &copy);
    let writer = Writer::start(&app).unwrap();
    writer.wait_for(4, LONG).unwrap();
    let acknowledged = writer.acknowledged_before(Instant::now());
    let report = Restored::check(&copy, &acknowledged).unwrap();
    assert!(!report.is_whole());
    assert_eq!(report.shortfalls().len(), acknowledged.len());
}

#[test]
fn a_stopped_writer_leaves_the_write_ahead_log_behind() {
    let (_temp, app) = app();
    let writer = Writer::start(&app).unwrap();
    writer.wait_for(4, LONG).unwrap();
    assert_eq!(writer.stop().failures, [""; 0]);
    assert!(
        app.directory()
            .join("webui.db-wal")
            .metadata()
            .unwrap()
            .len()
            > 0
    );
}

#[test]
fn a_write_that_fails_is_told_with_its_cause() {
    let (_temp, app) = app();
    std::fs::remove_dir_all(app.uploads()).unwrap();
    let writer = Writer::start_at(&app, Pace::RELENTLESS).unwrap();
    writer.wait_for(4, LONG).unwrap();
    let failures = crate::wait_until("a failed upload", LONG, || {
        let failures = writer.journal.failures();
        (failures > 0).then_some(failures)
    });
    assert!(failures.unwrap() > 0);
    assert!(writer.stop().failures[0].contains("No such file"));
}
