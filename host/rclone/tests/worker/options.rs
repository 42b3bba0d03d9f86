use std::time::Duration;

use copal_rclone::{JobState, OptionValue, RcloneError, Worker};
use serde_json::json;

use crate::world::{PATIENCE, World, exists, list_all, text, wait_until};

fn transferring(worker: &Worker) -> usize {
    let stats = worker.rpc("core/stats", &json!({}), PATIENCE).unwrap();
    stats["transferring"].as_array().map_or(0, Vec::len)
}

pub(crate) fn transfers_takes_effect(world: &World) {
    let names: Vec<_> = (0..10).map(|n| format!("file{n}")).collect();
    for name in &names {
        world.write(&format!("src/{name}"), vec![1; 1 << 20]);
    }
    for transfers in [2, 7] {
        let slowly = [
            ("transfers", OptionValue::Integer(transfers)),
            ("bwlimit", text("32k")),
        ];
        let worker = world.worker_set_to(&slowly).unwrap();
        let mut request = world.copy_of(&[]);
        request.files.clone_from(&names);
        let job = worker.start_copy(request).unwrap();
        let expected = usize::try_from(transfers).unwrap();
        wait_until("as many at once", || transferring(&worker) == expected);
        assert_eq!(transferring(&worker), expected, "and no more");
        job.cancel(PATIENCE).unwrap();
    }
}

pub(crate) fn bwlimit_takes_effect(world: &World) {
    world.write("src/big", vec![1; 8 << 20]);
    let slow = world.worker_set_to(&[("bwlimit", text("16k"))]).unwrap();
    let limit = slow.rpc("core/bwlimit", &json!({}), PATIENCE).unwrap();
    assert_eq!(limit["bytesPerSecond"], 16 << 10, "{limit}");
    let mut slow_job = slow.start_copy(world.copy_of(&["big"])).unwrap();
    let fast = world.worker();
    let mut request = world.copy_of(&["big"]);
    request.destination = world.remote("elsewhere");
    let fast_job = fast.start_copy(request).unwrap();
    fast_job.wait(Duration::from_millis(5), |_| {}).unwrap();
    assert!(matches!(slow_job.poll().unwrap(), JobState::Running(_)));
}

pub(crate) fn retries_takes_effect(world: &World) {
    for (retries, set) in [(3, vec![]), (1, vec![("retries", OptionValue::Integer(1))])] {
        let worker = world.worker_set_to(&set).unwrap();
        let mut request = world.copy_of(&["gone"]);
        request.attempts = None;
        world.write("src/here", "x");
        let mut attempts = 1;
        let mut job = worker.start_copy(request).unwrap();
        while let Ok(JobState::Running(progress)) = job.poll() {
            attempts = progress.attempt;
        }
        assert_eq!(attempts, retries);
    }
}

pub(crate) fn the_option_of_a_backend_takes_effect(world: &World) {
    world.write("src/a", "x");
    let set = |value| [("local-encoding", text(value))];
    // A letter-by-letter proof that the backend saw it: with `Dot,Hash`, a `＃` is a `#` on disk.
    world.write("src/#", "x");
    let names = |worker: &Worker| -> Vec<_> {
        let entries = list_all(worker, world.remote("src"));
        entries.into_iter().map(|entry| entry.path).collect()
    };
    world.write("src/＃", "x");
    let plain = names(&world.worker());
    assert_eq!(plain, ["#", "a", "＃"]);
    let decoded = names(&world.worker_set_to(&set("Slash,Hash")).unwrap());
    assert_eq!(decoded, ["#", "#", "a"]);
    let refused = world.worker_set_to(&set("Nonsense")).unwrap_err();
    assert!(refused.to_string().contains("local-encoding"), "{refused}");
}

pub(crate) fn every_bad_option_is_refused_by_name(world: &World) {
    let error = world
        .worker_set_to(&[
            ("tranfers", OptionValue::Integer(4)),
            ("b2_chunk_sise", text("8Mi")),
            ("exclude", text("*.tmp")),
            ("dry-run", OptionValue::Bool(true)),
            ("checkers", OptionValue::Bool(true)),
            ("buffer_size", text("16Mi")),
        ])
        .unwrap_err();
    let RcloneError::Options(problems) = &error else {
        panic!("another error: {error:?}");
    };
    let told: Vec<_> = problems
        .iter()
        .map(|problem| (problem.name.as_str(), problem.nearest.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("b2_chunk_sise", Some("b2_chunk_size")),
            ("checkers", None),
            ("dry-run", None),
            ("exclude", None),
            ("tranfers", Some("transfers")),
        ]
    );

    let ill_typed = [
        ("transfers", "many", "a whole number"),
        ("buffer-size", "huge", "a size"),
        ("timeout", "soon", "a duration"),
        ("bwlimit", "fast", "a bandwidth"),
        ("fast-list", "perhaps", "true or false"),
        ("b2-chunk-size", "8 potatoes", "a size"),
        ("tpslimit", "x", "a number"),
    ];
    for (name, value, wants) in ill_typed {
        let error = world
            .worker_set_to(&[(name, text(value))])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(name) && error.contains(wants),
            "{name}: {error}"
        );
    }
}

pub(crate) fn variables_that_would_alter_a_snapshot_are_ignored(world: &World) {
    world.write("src/a", "x");
    let worker = world
        .worker_with(&[
            ("RCLONE_DRY_RUN", "true"),
            ("RCLONE_EXCLUDE", "*"),
            ("RCLONE_MAX_DEPTH", "0"),
        ])
        .unwrap();
    let job = worker.start_copy(world.copy_of(&["a"])).unwrap();
    job.wait(Duration::from_millis(5), |_| {}).unwrap();
    assert_eq!(list_all(&worker, world.remote("dst")).len(), 1);
}

pub(crate) fn a_log_file_variable_takes_nothing_over(world: &World) {
    let log = world.path("taken.log");
    let worker = world.worker_with(&[
        ("RCLONE_LOG_FILE", log.to_str().unwrap()),
        ("RCLONE_USE_JSON_LOG", "true"),
    ]);
    assert!(worker.unwrap().version(PATIENCE).is_ok());
    assert!(!exists(log));
}
