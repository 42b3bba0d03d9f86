//! Signals and kills in the middle of things.

use std::fs;
use std::time::Duration;

use copal_testkit::{Running, World, wait_until};
use rustix::process::{Pid, Signal, kill_process};

use crate::common::{
    PATIENCE, back_up, files_below, leaves_no_staging, leaves_nothing, staged, world,
};
use crate::process::{children, is_alive};
use crate::specimen::{hook, world_with_specimen};

/// Far less than a transfer takes in a [`slow_world`]: what ends earlier was ended.
const SOON: Duration = Duration::from_secs(30);

/// A world whose transfers would take some minutes.
fn slow_world() -> World {
    let world = world();
    world.write("source/large", vec![7; 32 << 20]);
    configure(&world, "bwlimit = \"128k\"");
    world
}

fn configure(world: &World, rclone: &str) {
    let config = format!(
        "name = \"source\"\nsource.path = \"source\"\ndestination = [{{ remote = \"vault:\" }}]\n[rclone]\n{rclone}\n"
    );
    world.write("copal.toml", config);
}

/// Starts a command and waits until its transfer has moved bytes below `to`; with its worker.
fn start_transfer(world: &World, arguments: &[&str], to: &str) -> (Running, u32) {
    let mut running = world.start(arguments);
    let to = world.path(to);
    let moved = || {
        let files = files_below(&to);
        let some = |file: &String| fs::metadata(to.join(file)).is_ok_and(|file| file.len() > 0);
        (files.iter().any(some) || !running.is_running()).then_some(())
    };
    wait_until("bytes to move", PATIENCE, moved).unwrap();
    assert!(running.is_running(), "{}", running.stderr());
    let workers = children(running.id());
    assert_eq!(workers.len(), 1, "one worker");
    (running, workers[0])
}

fn gone(worker: u32) {
    wait_until("the worker's end", SOON, || {
        (!is_alive(worker)).then_some(())
    })
    .unwrap();
}

#[test]
fn a_signal_in_a_transfer_ends_the_run_and_leaves_nothing() {
    for (signal, code, name) in [(Signal::INT, 130, "SIGINT"), (Signal::TERM, 143, "SIGTERM")] {
        let world = slow_world();
        let (running, worker) = start_transfer(&world, &["backup"], "vault");
        running.signal(signal);
        let output = running.finish(SOON).unwrap();
        output.exits_with(code).says(name);
        assert_eq!(output.stdout(), "");
        gone(worker);
        leaves_nothing(&world);
        world.copal(&["snapshots"]).succeeds();
    }
}

/// A terminal sends its signal to the worker too.
#[test]
fn ctrl_c_on_a_terminal_ends_the_run_as_cleanly() {
    let world = slow_world();
    let (running, worker) = start_transfer(&world, &["backup"], "vault");
    running.signal_group(Signal::INT);
    running.finish(SOON).unwrap().exits_with(130);
    gone(worker);
    leaves_nothing(&world);
}

#[test]
fn a_signal_to_a_plan_whose_filter_computes_ends_it_by_that_signal() {
    for (signal, code, name) in [(Signal::INT, 130, "SIGINT"), (Signal::TERM, 143, "SIGTERM")] {
        let world = world_with_specimen();
        let lines = "config = { act = \"loop\", within = \"filter\" }\nlimits = { wall = \"10m\", filter_wall = \"10m\" }";
        crate::specimen::configure(&world, &hook("computes", lines));
        let mut running = world.start(&["plan", "-v"]);
        let at_it = || {
            let began = running.stderr().contains("acting in filter");
            (began || !running.is_running()).then_some(())
        };
        wait_until("the filter to begin", PATIENCE, at_it).unwrap();
        running.signal(signal);
        let output = running.finish(SOON).unwrap();
        output.exits_with(code).says(name).says(" next: ");
        assert_eq!(output.stdout(), "");
    }
}

#[test]
fn a_signal_in_a_restore_leaves_the_place_as_it_was() {
    let world = slow_world();
    back_up(&world);
    fs::create_dir(world.path("there")).unwrap();
    for to in ["new", "there"] {
        let restore = ["restore", "latest", "--to", to];
        let (running, worker) = start_transfer(&world, &restore, to);
        running.signal(Signal::TERM);
        running.finish(SOON).unwrap().exits_with(143);
        gone(worker);
    }
    assert!(!world.path("new").exists());
    assert_eq!(fs::read_dir(world.path("there")).unwrap().count(), 0);
    leaves_no_staging(&world);
}

fn kill(worker: u32) {
    let worker = Pid::from_raw(i32::try_from(worker).unwrap()).unwrap();
    kill_process(worker, Signal::KILL).unwrap();
}

#[test]
fn a_worker_that_is_killed_is_replaced_and_the_result_says_so() {
    let world = world();
    world.write("source/large", vec![7; 16 << 20]);
    configure(&world, "bwlimit = \"4M\"");
    let (running, worker) = start_transfer(&world, &["backup"], "vault");
    kill(worker);
    let output = running.finish(PATIENCE).unwrap();
    let text = output.succeeds().stdout();
    assert!(
        text.contains("mended on the way: the rclone worker ended"),
        "{text}"
    );
    world.copal(&["verify", "--full"]).succeeds();
    let files = files_below(&world.vault());
    assert!(
        files.iter().all(|file| !file.ends_with(".partial")),
        "{files:?}"
    );
}

#[test]
fn a_worker_that_is_killed_twice_is_an_error_and_no_snapshot() {
    let world = slow_world();
    let (running, first) = start_transfer(&world, &["backup"], "vault");
    kill(first);
    let another = || children(running.id()).into_iter().find(|id| *id != first);
    kill(wait_until("another worker", PATIENCE, another).unwrap());
    let output = running.finish(SOON).unwrap();
    output.exits_with(1).says("the rclone worker ended");
    output.says("signal: 9").says(" next: ");
    assert_eq!(output.stdout(), "");
    leaves_no_staging(&world);
    let listed = world.copal(&["snapshots"]);
    assert_eq!(listed.succeeds().stdout(), "");
    back_up(&world);
}

#[test]
fn a_run_that_is_killed_takes_its_worker_along_and_the_next_run_cleans_up() {
    let world = slow_world();
    let (running, worker) = start_transfer(&world, &["backup"], "vault");
    assert_eq!(staged(&world).len(), 1);
    running.signal(Signal::KILL);
    let output = running.finish(SOON).unwrap();
    assert_eq!(output.code(), None, "{output}");
    gone(worker);
    let listed = world.copal(&["snapshots"]);
    assert_eq!(listed.succeeds().stdout(), "");

    back_up(&world);
    assert_eq!(staged(&world), [""; 0], "in staging");
    world.copal(&["verify"]).succeeds();
}

#[test]
fn a_second_run_of_the_same_job_is_told_that_the_first_holds_the_lock() {
    let world = slow_world();
    let (running, _) = start_transfer(&world, &["backup"], "vault");
    let second = world.copal(&["backup"]);
    second
        .exits_with(4)
        .says(&format!("process {}", running.id()));
    assert_eq!(second.stdout(), "");
    // Another job is none of its business.
    let other = [
        "backup", "--source", "source", "--to", "vault:", "--name", "other",
    ];
    world.copal(&other).succeeds();
    running.signal(Signal::INT);
    running.finish(SOON).unwrap().exits_with(130);
    leaves_no_staging(&world);
}

#[test]
fn a_second_signal_takes_the_commands_along_that_hooks_have_running() {
    let world = world_with_specimen();
    let pid = world.path("pid");
    let commands = format!(
        "[command.first]\nrun = [\"sh\", \"-c\", \"kill -TERM $PPID; sleep 600\"]\n\n[command.linger]\nrun = [\"sh\", \"-c\", \"echo $$ > {}; sleep 600\"]\n\n",
        pid.display()
    );
    let act = |name: &str, command: &str, phase: &str| {
        hook(
            name,
            &format!(
                "config = {{ act = {{ command = \"{command}\" }}, within = \"{phase}\" }}\ngrants.command = [\"{command}\"]"
            ),
        )
    };
    // It is told of the end of the run, which the signal is the reason of.
    let hooks = act("ends", "first", "staged") + &act("lingers", "linger", "post-backup");
    world.write(
        "copal.toml",
        format!(
            "name = \"letters\"\nsource.path = \"source\"\ndestination = [{{ remote = \"vault:\" }}]\n\n{hooks}{commands}"
        ),
    );
    let mut running = world.start(&["backup"]);
    let written = || {
        let text = fs::read_to_string(&pid).unwrap_or_default();
        let id = text.strip_suffix('\n').and_then(|id| id.parse().ok());
        id.or_else(|| (!running.is_running()).then_some(0))
    };
    let lingering: u32 = wait_until("the command to run", PATIENCE, written).unwrap();
    assert!(is_alive(lingering), "{}", running.stderr());
    running.signal(Signal::TERM);
    running.finish(SOON).unwrap().exits_with(143);
    gone(lingering);
}

#[test]
fn a_hook_that_is_told_after_a_signal_has_ten_seconds_whatever_its_limits_are() {
    let world = world_with_specimen();
    let hooks = [
        hook(
            "ends",
            "config = { act = { command = \"first\" }, within = \"staged\" }\ngrants.command = [\"first\"]",
        ),
        hook(
            "lingers",
            "config = { act = { command = \"linger\" }, within = \"post-backup\" }\ngrants.command = [\"linger\"]\nlimits = { wall = \"1h\" }",
        ),
    ];
    world.write(
        "copal.toml",
        format!(
            "name = \"letters\"\nsource.path = \"source\"\ndestination = [{{ remote = \"vault:\" }}]\n\n{}[command.first]\nrun = [\"sh\", \"-c\", \"kill -TERM $PPID; sleep 600\"]\n\n[command.linger]\nrun = [\"sleep\", \"600\"]\ntimeout = \"1h\"\n",
            hooks.concat()
        ),
    );
    let ended = world.start(&["backup"]).finish(PATIENCE).unwrap();
    ended
        .exits_with(143)
        .says("interrupted by SIGTERM")
        .says("hook `lingers` failed in post-backup")
        .says("it took longer than 10s");
}
