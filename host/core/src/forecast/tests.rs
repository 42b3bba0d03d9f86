use super::*;
use crate::manifest::Manifest;

fn path(name: &str) -> RelPath {
    RelPath::new(name.as_bytes()).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const BEFORE: &str = "2026-11-23T00:00:00Z";
const BEGAN: &str = "2026-11-24T03:00:00Z";
const AFTER: &str = "2026-11-24T09:00:00Z";

fn today() -> SnapshotId {
    SnapshotId::at(at("2026-11-25T03:00:00Z"))
}

fn record(files: u64) -> Last<'static> {
    let started = at(BEGAN);
    Last::Record {
        id: SnapshotId::at(started),
        started,
        files,
    }
}

fn terms() -> Terms {
    Terms {
        copies: true,
        links: false,
        b2: Some(B2 {
            encrypts: false,
            upload_cutoff: ByteCount::mebibytes(200),
            chunk_size: ByteCount::mebibytes(16),
            copy_cutoff: ByteCount::mebibytes(4096),
            concurrency: 4,
            transfers: 4,
            small: 24,
            instances: 6,
            worth: 100,
            small_size: ByteCount::mebibytes(1),
        }),
    }
}

fn expected<'a>(path: &'a RelPath, size: u64, changed: &str) -> Expected<'a> {
    Expected {
        path,
        size: ByteCount(size),
        changed: at(changed),
        made: false,
    }
}

/// So many files of a thousand bytes in so many directories, of which the first ones are new.
fn many(files: usize, directories: usize, new: usize, last: bool) -> Forecast {
    let name = |n: usize| path(&format!("{:03}/{n:05}.bin", n % directories));
    let names: Vec<RelPath> = (0..files).map(name).collect();
    let changed = |n: usize| if n < new { AFTER } else { BEFORE };
    let files = names.iter().enumerate();
    let files: Vec<_> = files
        .map(|(n, name)| expected(name, 1000, changed(n)))
        .collect();
    let last = last.then(|| record(files.len() as u64));
    let shape = Shape {
        files,
        others: directories as u64,
    };
    forecast(&shape, last, &terms(), today())
}

fn calls(of: &Forecast) -> (u64, u64, u64) {
    let calls = of.calls.unwrap();
    (calls.class_a, calls.class_b, calls.class_c)
}

/// What a server counted, the day being another each time.
#[test]
fn calls_are_those_that_a_server_counts() {
    assert_eq!(calls(&many(10, 1, 0, false)), (20, 1, 13));
    assert_eq!(calls(&many(10, 10, 0, false)), (20, 1, 13));
    assert_eq!(calls(&many(10, 1, 0, true)), (6, 3, 28));
    assert_eq!(calls(&many(10, 1, 1, true)), (8, 3, 29));
    assert_eq!(calls(&many(300, 30, 0, false)), (330, 1, 19));
    assert_eq!(calls(&many(300, 30, 0, true)), (6, 3, 359));
    assert_eq!(calls(&many(300, 30, 30, true)), (40, 3, 356));
    assert_eq!(calls(&many(1300, 1, 0, true)), (6, 3, 1361));
}

#[test]
fn what_is_older_than_the_last_run_is_copied_and_the_rest_uploaded() {
    let of = many(300, 30, 30, true);
    assert_eq!(of.uploaded.files, 30);
    assert_eq!(of.uploaded.bytes, ByteCount(30_000));
    assert_eq!(of.copied.files, 270);
}

#[test]
fn large_files_are_begun_finished_and_sent_part_by_part() {
    let name = path("large.img");
    let shape = Shape {
        files: vec![expected(&name, 240_000_000, AFTER)],
        others: 0,
    };
    let first = forecast(&shape, None, &terms(), today());
    // Beside six around it: 15 parts, of which 4 at a time have a place of their own.
    assert_eq!(calls(&first).0, 6 + 2 + 15 + 4);
}

#[test]
fn a_remote_that_copies_nothing_has_all_uploaded_and_charges_for_no_calls() {
    let name = path("a");
    let shape = Shape {
        files: vec![expected(&name, 5, BEFORE)],
        others: 0,
    };
    let of = forecast(&shape, Some(record(1)), &Terms::default(), today());
    assert_eq!((of.uploaded.files, of.copied.files), (1, 0));
    assert_eq!(of.calls, None);
}

#[test]
fn by_a_manifest_a_file_is_known_by_its_look_and_under_another_name() {
    let manifest: Manifest = serde_json::from_value(serde_json::json!({
        "copal_manifest": 1, "id": "2026-11-24T030000Z", "name": "app", "source": "/app",
        "run": { "id": "1", "started": BEGAN, "staged": BEGAN, "copal": "0.1.0" },
        "root": { "mode": "0755", "uid": 0, "gid": 0, "mtime": BEFORE },
        "totals": { "files": 2, "bytes": 8 }, "hooks": [],
        "entries": [
            { "path": "a", "mode": "0644", "uid": 0, "gid": 0, "mtime": BEFORE, "type": "file",
              "size": 5, "sha256": "0".repeat(64), "taken": "direct" },
            { "path": "b", "mode": "0644", "uid": 0, "gid": 0, "mtime": AFTER, "type": "file",
              "size": 3, "sha256": "1".repeat(64), "taken": "direct" },
        ],
    }))
    .unwrap();
    let names = ["a", "b", "moved", "restored"].map(path);
    let [a, b, moved, restored] = &names;
    let files = vec![
        expected(a, 5, BEFORE),
        expected(b, 4, AFTER),
        expected(moved, 3, AFTER),
        expected(restored, 9, BEFORE),
    ];
    let fates = fates(&files, Some(Last::Manifest(&manifest)));
    let [uploaded, copied, renamed] = [Fate::Uploaded, Fate::Copied, Fate::Renamed];
    assert_eq!(fates, [copied, uploaded, renamed, uploaded]);
}
