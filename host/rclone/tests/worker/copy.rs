use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use copal_core::units::ByteCount;
use copal_rclone::{
    CopyFileRequest, CopyRequest, ErrorKind, JobState, ListRequest, RcloneError, Remote,
    StatRequest, Worker,
};
use serde_json::json;

use crate::world::{PATIENCE, World, exists, list_all, paths, text, wait_until};

const OFTEN: Duration = Duration::from_millis(20);

pub(crate) fn files_are_copied_listed_found_and_purged(world: &World) {
    let worker = world.worker();
    world.write("src/a.txt", "hello");
    world.write("src/deep/er/b.bin", vec![7; 100_000]);
    world.write("src/not asked for", "x");
    let job = worker
        .start_copy(world.copy_of(&["a.txt", "deep/er/b.bin"]))
        .unwrap();
    let summary = job.wait(OFTEN, |_| {}).unwrap();
    assert_eq!(summary.progress.files, 2);
    assert_eq!(summary.progress.bytes, ByteCount(100_005));
    assert_eq!(summary.progress.errors, 0);

    let request = ListRequest {
        recursive: true,
        hashes: vec!["md5".into()],
        ..ListRequest::of(world.remote("dst"))
    };
    let mut entries = worker.list(&request, PATIENCE).unwrap();
    entries.retain(|entry| !entry.is_dir);
    assert_eq!(entries.len(), 2, "{entries:?}");
    let a = entries.iter().find(|entry| entry.path == "a.txt").unwrap();
    assert_eq!(a.size, Some(ByteCount(5)));
    assert_eq!(a.hashes["md5"], "5d41402abc4b2a76b9719d911017c592");
    let written = fs::metadata(world.path("src/a.txt"))
        .unwrap()
        .modified()
        .unwrap();
    assert_eq!(a.modified.unwrap(), written.try_into().unwrap());

    let stat = |path: &str| {
        let request = StatRequest {
            remote: world.remote("dst"),
            path: path.into(),
            hashes: Vec::new(),
        };
        worker.stat(&request, PATIENCE).unwrap()
    };
    assert_eq!(
        stat("deep/er/b.bin").unwrap().size,
        Some(ByteCount(100_000))
    );
    assert!(stat("deep").unwrap().is_dir);
    assert_eq!(stat("nowhere/x"), None);

    worker
        .delete_file(&world.remote("dst"), "a.txt", PATIENCE)
        .unwrap();
    assert!(!exists(world.path("dst/a.txt")));
    worker.purge(&world.remote("dst"), PATIENCE).unwrap();
    assert!(!exists(world.path("dst")));
    let gone = worker
        .list(&ListRequest::of(world.remote("dst")), PATIENCE)
        .unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    worker.mkdir(&world.remote("made/below"), PATIENCE).unwrap();
    assert!(exists(world.path("made/below")));
}

fn copy_error(worker: &Worker, world: &World, files: &[&str]) -> RcloneError {
    let job = worker.start_copy(world.copy_of(files)).unwrap();
    job.wait(OFTEN, |_| {}).unwrap_err()
}

fn named(error: &RcloneError) -> Vec<(&str, &str)> {
    let RcloneError::Copy { files, .. } = error else {
        panic!("another error: {error:?}");
    };
    files
        .iter()
        .map(|file| (file.path.as_str(), file.why.as_str()))
        .collect()
}

pub(crate) fn what_is_missing_or_unreadable_fails_the_copy_by_name(world: &World) {
    let worker = world.worker();
    world.write("src/here", "x");
    let error = copy_error(&worker, world, &["here", "gone", "lost/too"]);
    let names: Vec<_> = named(&error).iter().map(|(path, _)| *path).collect();
    assert_eq!(names, ["gone", "lost/too"]);
    assert!(exists(world.path("dst/here")));

    let Err(error) = worker.start_copy(world.copy_of(&["new\nline"])) else {
        panic!("a name that rclone would change was taken");
    };
    assert_eq!(error.kind(), ErrorKind::BadRequest);
}

/// Root reads everything, so it lets nobody run this test.
pub(crate) fn unreadable_files_keep_nothing_else_from_arriving(world: &World) {
    if rustix::process::geteuid().is_root() {
        // Where this was built nobody else may enter, perhaps.
        let open = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o755))
            .tempdir();
        let program = open.as_ref().unwrap().path().join("worker");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        let status = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(program)
            .arg("unreadable_files_keep")
            .status();
        assert!(status.unwrap().success(), "as nobody");
        return;
    }
    world.write("src/open", "x");
    let shut = world.write("src/shut", "x");
    world.write("src/closed/inside", "x");
    let set_mode =
        |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    set_mode(&shut, 0o000);
    set_mode(&world.path("src/closed"), 0o000);

    let worker = world.worker();
    let error = copy_error(&worker, world, &["open", "shut", "closed/inside"]);
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    let named = named(&error);
    assert_eq!(named.len(), 2, "{error:?}");
    for ((name, why), expected) in named.iter().zip(["shut", "closed/inside"]) {
        assert_eq!(*name, expected);
        assert!(why.contains("permission denied"), "{name}: {why}");
    }
    assert!(exists(world.path("dst/open")));
    set_mode(&world.path("src/closed"), 0o700); // so that it can be cleared away
}

pub(crate) fn names_that_unicode_holds_for_the_same_both_arrive(world: &World) {
    let names = ["caf\u{e9}", "cafe\u{301}"];
    for name in names {
        world.write(&format!("src/{name}"), name);
    }
    let worker = world.worker();
    for _ in 0..2 {
        let job = worker.start_copy(world.copy_of(&names)).unwrap();
        job.wait(OFTEN, |_| {}).unwrap();
    }
    for name in names {
        assert_eq!(
            fs::read_to_string(world.path("dst").join(name)).unwrap(),
            name
        );
    }
}

pub(crate) fn one_file_is_copied_under_another_name(world: &World) {
    world.write("src/x/a", "content");
    let request = CopyFileRequest {
        source: world.remote("src"),
        source_path: "x/a".into(),
        destination: world.remote("dst"),
        destination_path: "y/b".into(),
        again: false,
    };
    let worker = world.worker();
    worker.copy_file(&request, PATIENCE).unwrap();
    assert_eq!(
        fs::read_to_string(world.path("dst/y/b")).unwrap(),
        "content"
    );
    let gone = CopyFileRequest {
        source_path: "gone".into(),
        ..request
    };
    let error = worker.copy_file(&gone, PATIENCE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

/// A worker so slow that a copy of `src/big` does not end by itself.
fn slow_worker(world: &World) -> Worker {
    world.write("src/big", vec![1; 8 << 20]);
    world.worker_set_to(&[("bwlimit", text("64k"))]).unwrap()
}

pub(crate) fn half_files(world: &World) -> usize {
    fs::read_dir(world.path("dst")).map_or(0, Iterator::count)
}

pub(crate) fn a_cancelled_copy_stops_and_leaves_no_half_file(world: &World) {
    let worker = slow_worker(world);
    let job = worker.start_copy(world.copy_of(&["big"])).unwrap();
    wait_until("a half file", || half_files(world) == 1);
    job.cancel(PATIENCE).unwrap();
    assert_eq!(half_files(world), 0);
    assert!(worker.version(PATIENCE).is_ok());
}

pub(crate) fn a_dropped_copy_stops(world: &World) {
    let worker = slow_worker(world);
    let mut job = worker.start_copy(world.copy_of(&["big"])).unwrap();
    wait_until("a half file", || half_files(world) == 1);
    assert!(matches!(job.poll().unwrap(), JobState::Running(_)));
    drop(job);
    wait_until("nothing half", || half_files(world) == 0);
}

pub(crate) fn calls_from_many_threads_are_answered_each_with_its_own(world: &World) {
    let worker = world.worker();
    thread::scope(|scope| {
        for caller in 0..8 {
            let worker = &worker;
            scope.spawn(move || {
                for n in 0..50 {
                    let sent = json!({ "caller": caller, "n": n });
                    let echoed = worker.rpc("rc/noop", &sent, PATIENCE).unwrap();
                    assert_eq!(echoed, sent);
                }
            });
        }
    });
}

pub(crate) fn crypt_over_local_hides_names_and_gives_files_back(world: &World) {
    let crypt = crypt_remote(world, "vault");
    let worker = world.worker();
    world.write("src/dir/secret name", "content");
    let mut request = world.copy_of(&["dir/secret name"]);
    request.destination = crypt.clone();
    worker
        .start_copy(request)
        .unwrap()
        .wait(OFTEN, |_| {})
        .unwrap();
    let entries = list_all(&worker, crypt.clone());
    assert_eq!(paths(&entries), ["dir/secret name"]);
    assert_eq!(entries[0].size, Some(ByteCount(7)));
    assert!(!exists(world.path("vault/dir")), "the name shows");

    let mut back = world.copy_of(&["dir/secret name"]);
    back.source = crypt;
    back.destination = world.remote("back");
    worker
        .start_copy(back)
        .unwrap()
        .wait(OFTEN, |_| {})
        .unwrap();
    let restored = fs::read_to_string(world.path("back/dir/secret name")).unwrap();
    assert_eq!(restored, "content");
}

/// A crypt remote over a directory here.
pub(crate) fn crypt_remote(world: &World, below: &str) -> Remote {
    let worker = world.worker();
    let clear = json!({ "clear": "a password" });
    let obscured = worker.rpc("core/obscure", &clear, PATIENCE).unwrap();
    let password = obscured["obscured"].as_str().unwrap().to_owned();
    let base = world.path(below);
    format!(":crypt,remote='{}',password={password}:", base.display())
        .parse()
        .unwrap()
}

pub(crate) fn what_lies_beside_the_files_is_left_alone_whatever_its_name(world: &World) {
    let worker = world.worker();
    let odd = [
        "a[1].txt",
        "b*",
        "{x}",
        "c,d",
        "back\\slash",
        "deep/{{er}}/?",
        " lead",
    ];
    let asked: Vec<String> = odd.iter().map(|name| format!("in/{name}")).collect();
    let beside: Vec<String> = odd.iter().map(|name| format!("out/{name}")).collect();
    // Neighbours that a pattern in the place of a name would take as well.
    let near = ["in/a1.txt", "in/bx", "in/x", "in/c", "in/deep/er/q"].map(str::to_owned);
    let asked = [asked, near.to_vec()].concat();
    let beside = [beside, vec!["in/back".to_owned()]].concat();
    for name in asked.iter().chain(&beside) {
        world.write(&format!("src/{name}"), name);
    }
    let request = CopyRequest {
        files: asked.clone(),
        ..world.copy_of(&[])
    };
    worker
        .start_copy(request)
        .unwrap()
        .wait(OFTEN, |_| {})
        .unwrap();
    let listed = list_all(&worker, world.remote("dst"));
    let mut arrived = paths(&listed);
    arrived.sort_unstable();
    let mut expected: Vec<&str> = asked.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(arrived, expected);
}

fn find(world: &World, names: &[&str]) -> Result<Vec<(String, Option<ByteCount>)>, RcloneError> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let found = world
        .worker()
        .find(&world.remote("src"), &names, PATIENCE)?;
    let mut found: Vec<_> = found.into_iter().map(|it| (it.path, it.size)).collect();
    found.sort();
    Ok(found)
}

pub(crate) fn what_is_there_of_some_files_is_found_by_their_names(world: &World) {
    world.write("src/a.txt", "hello");
    world.write("src/deep/er/empty", "");
    world.write("src/not asked for", "x");
    let asked = ["a.txt", "deep/er/empty", "deep/er/none", "no/dir"];
    let found = find(world, &asked).unwrap();
    let expected = [("a.txt", 5), ("deep/er/empty", 0)];
    let expected = expected.map(|(name, size)| (name.to_owned(), Some(ByteCount(size))));
    assert_eq!(found, expected);
    assert_eq!(find(world, &[]).unwrap(), []);
}

pub(crate) fn what_can_not_be_asked_for_is_not_taken_for_missing(world: &World) {
    world.write("src/a.txt", "hello");
    let error = find(world, &["a.txt", "a.txt/below"]).unwrap_err();
    let told = error.to_string();
    assert!(told.contains("not a directory"), "{told}");
    assert!(!told.contains("--files-from"), "{told}");
    assert_eq!(find(world, &["a.txt"]).unwrap().len(), 1);
}

pub(crate) fn what_looks_the_same_is_sent_again_where_that_is_asked_for(world: &World) {
    let worker = world.worker();
    let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let send = |content: &str, again: bool| {
        let path = world.write("src/same", content);
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_modified(time).unwrap();
        let request = CopyRequest {
            again,
            ..world.copy_of(&["same"])
        };
        let job = worker.start_copy(request).unwrap();
        job.wait(OFTEN, |_| {}).unwrap();
        fs::read(world.path("dst/same")).unwrap()
    };
    assert_eq!(send("one", false), b"one");
    assert_eq!(send("two", false), b"one");
    assert_eq!(send("two", true), b"two");
}

pub(crate) fn the_backend_of_a_remote_is_known_without_contact(world: &World) {
    world.write("rclone.conf", "[far]\ntype = b2\naccount = A\nkey = K\n");
    let worker = world
        .worker_with(&[
            ("RCLONE_CONFIG_ENVY_TYPE", "crypt"),
            ("RCLONE_CONFIG_ENVY_REMOTE", "far:x"),
        ])
        .unwrap();
    let backend = |remote: &str| {
        let layers = worker.layers(&remote.parse().unwrap(), &[], PATIENCE)?;
        Ok::<_, RcloneError>(layers[0].backend.clone())
    };
    assert_eq!(backend("far:bucket").unwrap(), "b2");
    assert_eq!(backend("far,description=copal-1:bucket").unwrap(), "b2");
    assert_eq!(backend("envy:").unwrap(), "crypt");
    assert_eq!(backend("/tmp").unwrap(), "local");
    assert!(backend("nowhere:").is_err());
}

pub(crate) fn a_directory_below_is_listed_by_paths_below_it(world: &World) {
    let worker = world.worker();
    world.write("top/dir/a", "x");
    world.write("top/dir/deep/b", "x");
    world.write("top/dir 2/c", "x");
    let request = ListRequest {
        recursive: true,
        below: "dir".into(),
        ..ListRequest::of(world.remote("top"))
    };
    let mut entries = worker.list(&request, PATIENCE).unwrap();
    entries.retain(|entry| !entry.is_dir);
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(paths(&entries), ["a", "deep/b"]);
    let gone = ListRequest {
        below: "nowhere".into(),
        ..request
    };
    let error = worker.list(&gone, PATIENCE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
