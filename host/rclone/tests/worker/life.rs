use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use copal_rclone::{
    CopyFileRequest, ErrorKind, ListRequest, RCLONE_VERSION, RcloneError, Remote, Worker,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::copy::half_files;
use crate::world::{PATIENCE, World, is_alive, text, wait_until};

fn send(id: u32, signal: Signal) {
    let id = Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
    kill_process(id, signal).unwrap();
}

/// Guards against an unused `[patch.crates-io]`, which is only a warning to cargo.
pub(crate) fn the_version_that_runs_is_the_one_that_is_pinned(world: &World) {
    let version = world.worker().version(PATIENCE).unwrap();
    assert_eq!(version, "v1.76.0");
    assert_eq!(version, RCLONE_VERSION);
}

pub(crate) fn a_copy_leaves_the_signals_alone(world: &World) {
    let worker = world.worker();
    world.write("src/a", "x");
    let copy = || {
        let job = worker.start_copy(world.copy_of(&["a"])).unwrap();
        job.wait(Duration::from_millis(5), |_| {}).unwrap();
    };
    copy();
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        send(worker.id(), signal);
    }
    copy();
    assert!(worker.version(PATIENCE).is_ok());
}

fn assert_dead(error: &RcloneError) {
    assert!(matches!(error, RcloneError::WorkerDied { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::WorkerDied);
}

pub(crate) fn a_worker_killed_in_a_copy_is_an_error_at_once_and_for_ever(world: &World) {
    world.write("src/big", vec![1; 8 << 20]);
    let worker = world.worker_set_to(&[("bwlimit", text("64k"))]).unwrap();
    let job = worker.start_copy(world.copy_of(&["big"])).unwrap();
    wait_until("a half file", || half_files(world) == 1);
    send(worker.id(), Signal::KILL);
    let error = job.wait(Duration::from_millis(5), |_| {}).unwrap_err();
    assert_dead(&error);
    assert!(error.to_string().contains("signal: 9"), "{error}");
    let RcloneError::WorkerDied { status, .. } = worker.version(PATIENCE).unwrap_err() else {
        panic!("another error");
    };
    assert!(status.contains("signal: 9"), "{status}");
    let Err(error) = worker.start_copy(world.copy_of(&["big"])) else {
        panic!("a dead worker copies");
    };
    assert_dead(&error);
}

/// A remote whose server takes connections and never says a word.
fn silent_remote() -> (TcpListener, Remote) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let remote = format!(":webdav,url='http://{address}/':x")
        .parse()
        .unwrap();
    (listener, remote)
}

pub(crate) fn a_call_that_hangs_times_out_and_the_worker_lives(world: &World) {
    let (_listener, remote) = silent_remote();
    let worker = world.worker();
    let brief = Duration::from_millis(200);
    let error = worker.list(&ListRequest::of(remote), brief).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(worker.version(PATIENCE).is_ok());
}

/// Lists a silent remote in another thread; once it hangs does `deed`, and tells what came of it.
fn interrupt(worker: &Worker, deed: impl FnOnce()) -> RcloneError {
    let (listener, remote) = silent_remote();
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        scope.spawn(move || {
            let listed = worker.list(&ListRequest::of(remote), Duration::from_hours(1));
            sender.send(listed.unwrap_err()).unwrap();
        });
        let _connection = listener.accept().unwrap();
        deed();
        receiver
            .recv_timeout(PATIENCE)
            .expect("the call still hangs")
    })
}

pub(crate) fn a_call_that_hangs_can_be_killed(world: &World) {
    let worker = world.worker();
    assert_dead(&interrupt(&worker, || worker.kill()));
}

pub(crate) fn a_call_under_way_can_be_cancelled(world: &World) {
    world.write("src/big", vec![1; 8 << 20]);
    let worker = world.worker_set_to(&[("bwlimit", text("64k"))]).unwrap();
    let request = CopyFileRequest {
        source: world.remote("src"),
        source_path: "big".into(),
        destination: world.remote("dst"),
        destination_path: "big".into(),
        again: false,
    };
    let error = thread::scope(|scope| {
        let copying = scope.spawn(|| worker.copy_file(&request, Duration::from_hours(1)));
        wait_until("a half file", || half_files(world) == 1);
        worker.cancel_all(PATIENCE).unwrap();
        copying.join().unwrap().unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    assert!(worker.version(PATIENCE).is_ok());
}

pub(crate) fn a_worker_that_ends_itself_is_an_error(world: &World) {
    let worker = world.worker();
    // It may answer before it ends.
    if let Err(error) = worker.rpc("core/quit", &json!({ "exitCode": 7 }), PATIENCE) {
        assert_dead(&error);
    }
    wait_until("its end", || worker.version(PATIENCE).is_err());
    let error = worker.version(PATIENCE).unwrap_err();
    assert_dead(&error);
    assert!(error.to_string().contains("exit status: 7"), "{error}");
}

pub(crate) fn a_program_that_is_no_worker_is_an_error(world: &World) {
    let spawn = |program: &str, args: &[&str]| {
        let mut options = world.options();
        options.program = program.into();
        options.args = args.iter().map(Into::into).collect();
        Worker::spawn(options).unwrap_err()
    };
    let error = spawn("/nowhere/copal", &[]);
    assert!(matches!(error, RcloneError::Spawn(_)), "{error:?}");
    assert_dead(&spawn("true", &[]));
    let error = spawn("sh", &["-c", "echo out of memory >&2; exit 3"]);
    assert!(error.to_string().contains("exit status: 3"), "{error}");
    assert!(error.to_string().contains("out of memory"), "{error}");
    assert_dead(&spawn("sh", &["-c", "echo this is no frame; sleep 1000"]));
}

pub(crate) fn a_stopped_worker_keeps_no_caller_beyond_its_deadline(world: &World) {
    let worker = world.worker();
    send(worker.id(), Signal::STOP);
    let much = json!({ "x": "y".repeat(1 << 20) });
    let error = worker
        .rpc("rc/noop", &much, Duration::from_millis(100))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    worker.kill();
    assert_dead(&worker.version(PATIENCE).unwrap_err());
}

/// What this binary does as somebody's child: holds a worker, tells its id, and waits to be killed.
pub(crate) fn hold_a_worker() -> ExitCode {
    let world = World::new();
    let worker = world.worker();
    println!("{}", worker.id());
    loop {
        thread::park();
    }
}

/// A child that no failing test leaves behind.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Kills a program that holds a worker, and gives the worker's id.
fn kill_the_parent(before: impl FnOnce(u32, u32)) -> u32 {
    let parent = Command::new(std::env::current_exe().unwrap())
        .arg("hold-a-worker")
        .stdout(Stdio::piped())
        .spawn();
    let mut parent = Killed(parent.unwrap());
    let mut line = String::new();
    let mut told = BufReader::new(parent.0.stdout.take().unwrap());
    told.read_line(&mut line).unwrap();
    let id = line.trim().parse().unwrap();
    assert!(is_alive(id));
    before(parent.0.id(), id);
    id
}

pub(crate) fn the_death_of_the_parent_ends_the_worker(_: &World) {
    let id = kill_the_parent(|_, _| {});
    wait_until("the worker's end", || !is_alive(id));
}

/// The name in `/proc` of the pipe that a worker reads its requests from.
fn requests_of(parent: u32, worker: u32) -> PathBuf {
    let pipes = |id: u32| {
        let fds = fs::read_dir(format!("/proc/{id}/fd")).unwrap().flatten();
        fds.filter_map(|fd| Some((fd.path(), fs::read_link(fd.path()).ok()?)))
            .filter(|(_, target)| target.to_string_lossy().starts_with("pipe:"))
    };
    let of_parent: Vec<_> = pipes(parent).map(|(_, target)| target).collect();
    let is_read_only = |fd: &Path| {
        let number = fd.file_name().unwrap().to_string_lossy();
        let info = fs::read_to_string(format!("/proc/{worker}/fdinfo/{number}")).unwrap();
        let flags = info
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .unwrap();
        flags.trim().ends_with(['0', '4'])
    };
    let mut shared = pipes(worker).filter(|(_, target)| of_parent.contains(target));
    shared
        .find(|(fd, _)| is_read_only(fd))
        .expect("the worker's input")
        .0
}

pub(crate) fn the_death_of_the_parent_ends_the_worker_although_the_pipe_is_held_open(_: &World) {
    let mut held_open = None;
    let id = kill_the_parent(|parent, worker| {
        let pipe = requests_of(parent, worker);
        held_open = Some(fs::OpenOptions::new().write(true).open(pipe).unwrap());
    });
    assert!(held_open.is_some());
    wait_until("the worker's end", || !is_alive(id));
}

pub(crate) fn an_idle_worker_ends_when_it_is_dropped(world: &World) {
    let worker = world.worker();
    let id = worker.id();
    drop(worker);
    assert!(!is_alive(id));
}

/// rclone's packages would end the process that initialises them.
pub(crate) fn a_variable_that_rclone_refuses_does_not_touch_a_program_without_a_worker(_: &World) {
    for _ in 0..20 {
        let status = Command::new(std::env::current_exe().unwrap())
            .arg("do-nothing")
            .env("RCLONE_TRANSFERS", "many")
            .status()
            .unwrap();
        assert!(status.success(), "{status}");
    }
}

pub(crate) fn a_variable_that_rclone_refuses_is_told(world: &World) {
    let error = world
        .worker_with(&[("RCLONE_TRANSFERS", "many")])
        .unwrap_err();
    assert_dead(&error);
    assert!(error.to_string().contains("many"), "{error}");
}
