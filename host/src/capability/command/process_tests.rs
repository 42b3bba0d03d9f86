use std::fs;

use super::*;

const SOON: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_mins(1);
const SOME: ByteCount = ByteCount(1000);

fn shell(script: &str) -> Program {
    let mut program = Program::new("sh", Path::new("/"));
    program.command.args(["-c", script]);
    program
}

fn run(script: &str, timeout: Duration) -> Ended {
    let cancel = Cancel::new();
    shell(script)
        .run(Sink::Keep(SOME), Sink::Keep(SOME), timeout, &cancel)
        .unwrap()
}

fn exited(script: &str) -> Exited {
    match run(script, LONG) {
        Ended::Exited(exited) => exited,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_process_is_told_by_its_code_and_both_its_outputs() {
    let exited = exited("echo out; echo err >&2; exit 3");
    assert_eq!(exited.code, 3);
    assert_eq!(exited.stdout.kept, b"out\n");
    assert_eq!(exited.stderr.kept, b"err\n");
    assert!(!exited.stdout.is_cut);
}

#[test]
fn a_signal_that_ended_it_is_in_its_code() {
    assert_eq!(exited("kill -9 $$").code, 137);
}

#[test]
fn a_hung_process_is_killed_with_its_children_when_its_time_is_over() {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let began = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let told = dir.path().join("pid");
    let script = format!("sleep 600 & echo $! > {}; sleep 600", told.display());
    assert!(matches!(run(&script, TIMEOUT), Ended::TimedOut));
    assert!(began.elapsed() < TIMEOUT * 5, "{:?}", began.elapsed());
    let child = fs::read_to_string(told).unwrap();
    while is_alive(child.trim()) {
        assert!(began.elapsed() < LONG, "the child lived on");
        std::thread::yield_now();
    }
}

/// Whether there is such a process; one that only waits for its end to be taken note of is none.
fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn a_child_that_keeps_the_pipe_open_is_not_waited_for() {
    let began = Instant::now();
    let exited = exited("echo begun; sleep 30 & exit 0");
    assert_eq!(exited.stdout.kept, b"begun\n");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_gigabyte_of_output_is_cut_and_takes_no_memory() {
    let exited = exited("head -c 1G /dev/zero");
    assert_eq!((exited.code, exited.stdout.kept.len()), (0, 1000));
    assert!(exited.stdout.is_cut);
}

#[test]
fn endless_output_does_not_outlast_its_time() {
    let began = Instant::now();
    assert!(matches!(run("cat /dev/zero", SOON), Ended::TimedOut));
    assert!(matches!(run("cat /dev/zero >&2", SOON), Ended::TimedOut));
    assert!(began.elapsed() < SOON * 10);
}

#[test]
fn a_cancelled_process_is_killed() {
    let cancel = Cancel::new();
    let thrown = cancel.clone();
    let canceller = std::thread::spawn(move || thrown.cancel());
    let ended = shell("sleep 600").run(Sink::Keep(SOME), Sink::Keep(SOME), LONG, &cancel);
    canceller.join().unwrap();
    assert!(matches!(ended.unwrap(), Ended::Interrupted));
}

#[test]
fn nothing_comes_from_standard_input() {
    assert_eq!(exited("cat").stdout.kept, b"");
}

#[test]
fn output_goes_into_a_file_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    let mut file = File::create(&path).unwrap();
    let cancel = Cancel::new();
    let ended =
        shell("head -c 10M /dev/zero").run(Sink::Write(&mut file), Sink::Keep(SOME), LONG, &cancel);
    assert!(matches!(
        ended.unwrap(),
        Ended::Exited(Exited { code: 0, .. })
    ));
    assert_eq!(fs::metadata(path).unwrap().len(), 10 << 20);
}

#[test]
fn a_full_disk_ends_it_and_is_told() {
    let mut full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let cancel = Cancel::new();
    let ended =
        shell("echo x; sleep 600").run(Sink::Write(&mut full), Sink::Keep(SOME), LONG, &cancel);
    assert!(
        matches!(ended.unwrap(), Ended::Unwritable(error) if error.kind() == io::ErrorKind::StorageFull)
    );
}

#[test]
fn a_program_that_is_not_there_is_an_error() {
    let cancel = Cancel::new();
    let program = Program::new("there-is-no-such-program", Path::new("/"));
    assert!(
        program
            .run(Sink::Keep(SOME), Sink::Keep(SOME), LONG, &cancel)
            .is_err()
    );
}
