use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use copal_hooks::Cancel;
use copal_testkit::wait_until;
use tempfile::TempDir;

use super::*;
use crate::edge::service::docker::tests::{from_journal, hold, open, soon};

const STOP: HoldHow = HoldHow::Stop {
    grace: Duration::from_secs(5),
};

/// Well before the time for a release is over.
const SOON_ENOUGH: Duration = Duration::from_secs(45);

fn shell(script: &str) -> Vec<String> {
    ["sh", "-c", script].map(str::to_owned).to_vec()
}

/// A service that runs while there is the file `up`. Each start is a line in `starts`.
fn service(base: &Path) -> Commands {
    fs::write(base.join("up"), "").unwrap();
    Commands {
        name: "app".to_owned(),
        stop: shell("rm up"),
        start: shell("touch up; echo start >>starts"),
        state: Some(shell("test -e up")),
        timeout: Duration::from_secs(30),
        base: base.to_owned(),
    }
}

fn starts(base: &TempDir) -> usize {
    let starts = fs::read_to_string(base.path().join("starts"));
    starts.unwrap_or_default().lines().count()
}

#[test]
fn what_was_stopped_is_started_once_however_often_it_is_released() {
    let base = tempfile::tempdir().unwrap();
    let app = service(base.path());
    let undo = hold(&app, STOP);
    assert_eq!(app.state().unwrap(), State::Stopped);
    assert!(undo.is_intact().unwrap());
    for _ in 0..2 {
        assert_eq!(
            from_journal(&undo).release(soon(), Deed::Over).unwrap(),
            Released::Done
        );
    }
    assert!(!undo.is_intact().unwrap());
    undo.wait_ready(soon(), &Cancel::new()).unwrap();
    assert_eq!(starts(&base), 1);
}

#[test]
fn what_is_down_is_left_down_and_nothing_is_paused() {
    let base = tempfile::tempdir().unwrap();
    let app = service(base.path());
    let refused = app.before(HoldHow::Pause).unwrap_err();
    assert!(matches!(refused, ServiceError::NoPause { .. }), "{refused}");
    fs::remove_file(base.path().join("up")).unwrap();
    assert_eq!(app.before(STOP).unwrap(), None);
}

#[test]
fn a_stop_that_fails_is_told_in_its_own_words_and_undone() {
    let base = tempfile::tempdir().unwrap();
    let app = Commands {
        stop: shell("rm up; echo it is stuck >&2; exit 3"),
        ..service(base.path())
    };
    let undo = app.before(STOP).unwrap().unwrap();
    let failed = app
        .hold(&undo, soon(), &Cancel::new(), &mut |_| ())
        .unwrap_err()
        .to_string();
    assert!(
        failed.ends_with("ended with exit code 3: it is stuck"),
        "{failed}"
    );
    undo.release(soon(), Deed::Over).unwrap();
    assert_eq!(app.state().unwrap(), State::Running);
}

#[test]
fn a_stop_whose_run_was_killed_is_waited_for_before_the_start() {
    let base = tempfile::tempdir().unwrap();
    let app = service(base.path());
    let undo = app.before(STOP).unwrap().unwrap();
    let Undo::Commands(held) = &undo else {
        unreachable!("it is of commands")
    };
    // As it goes on when nobody is left who started it.
    let mut stop = Command::new("sh")
        .args([
            "-c",
            "touch begun; while [ ! -e go ]; do sleep 0.02; done; rm up",
        ])
        .current_dir(base.path())
        .env("COPAL_HOLD", held.mark.0.as_str())
        .spawn()
        .unwrap();
    let begun = || base.path().join("begun").exists().then_some(());
    wait_until("the stop to begin", Duration::from_secs(30), begun).unwrap();
    let soon_over = Instant::now() + Duration::from_millis(500);
    let released = undo.release(soon_over, open()).unwrap();
    assert!(matches!(released, Released::Pending { .. }), "{released:?}");
    fs::write(base.path().join("go"), "").unwrap();
    stop.wait().unwrap();
    assert_eq!(undo.release(soon(), open()).unwrap(), Released::Done);
    assert_eq!(app.state().unwrap(), State::Running);
}

/// The stop has asked the app to end, and fails or is killed while it is still at that.
#[test]
fn what_ends_a_moment_after_a_stop_that_failed_is_started_again() {
    for (end, timeout) in [
        ("exit 4", Duration::from_secs(30)),
        ("sleep 600", Duration::from_millis(300)),
    ] {
        let base = tempfile::tempdir().unwrap();
        let app = Commands {
            stop: shell(&format!("touch ending; {end}")),
            timeout,
            ..service(base.path())
        };
        let undo = app.before(STOP).unwrap().unwrap();
        let since = jiff::Timestamp::now();
        let failed = app.hold(&undo, soon(), &Cancel::new(), &mut |_| ());
        let failed = failed.unwrap_err();
        assert!(failed.leaves_open(), "{failed}");
        assert_eq!(app.state().unwrap(), State::Running);
        // The app itself, which has no mark: nobody of us has started it.
        let mut ending = Command::new("sh")
            .args(["-c", "sleep 2; rm up"])
            .current_dir(base.path())
            .spawn()
            .unwrap();
        let released = from_journal(&undo).release(soon(), Deed::Open { since });
        assert_eq!(released.unwrap(), Released::Done);
        ending.wait().unwrap();
        assert_eq!(app.state().unwrap(), State::Running);
        assert_eq!(starts(&base), 1);
    }
}

/// It may have heard its stop, and take minutes to end.
#[test]
fn what_goes_on_running_after_a_stop_that_was_killed_is_watched_for_long() {
    let base = tempfile::tempdir().unwrap();
    let app = service(base.path());
    let undo = app.before(STOP).unwrap().unwrap();
    let since = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(5);
    let soon_over = || Instant::now() + Duration::from_millis(500);
    let released = undo.release(soon_over(), Deed::GivenUp { since }).unwrap();
    assert!(matches!(released, Released::Pending { .. }), "{released:?}");
    assert_eq!(
        undo.release(soon_over(), Deed::Open { since }).unwrap(),
        Released::Done,
        "one that failed says that it has done nothing"
    );
    let since = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(11);
    let released = undo.release(soon_over(), Deed::GivenUp { since }).unwrap();
    assert_eq!(released, Released::Done);
    assert_eq!(starts(&base), 0);
}

#[test]
fn what_goes_on_running_after_a_stop_that_failed_is_not_started() {
    let base = tempfile::tempdir().unwrap();
    let app = Commands {
        stop: shell("exit 4"),
        ..service(base.path())
    };
    let undo = app.before(STOP).unwrap().unwrap();
    let soon_over = Instant::now() + Duration::from_secs(1);
    let released = undo.release(soon_over, open()).unwrap();
    assert!(matches!(released, Released::Pending { .. }), "{released:?}");
    assert_eq!(undo.release(soon(), open()).unwrap(), Released::Done);
    assert_eq!(starts(&base), 0);
}

#[test]
fn a_state_that_was_killed_or_can_not_be_run_does_not_say_that_nothing_runs() {
    let base = tempfile::tempdir().unwrap();
    for script in ["kill -9 $$", "exit 127", "exit 126", "exit 200"] {
        let app = Commands {
            state: Some(shell(script)),
            ..service(base.path())
        };
        let untold = app.before(STOP).unwrap_err();
        assert!(matches!(untold, ServiceError::Untold { .. }), "{untold}");
    }
    for code in [1, 3, 125] {
        let app = Commands {
            state: Some(shell(&format!("exit {code}"))),
            ..service(base.path())
        };
        assert_eq!(app.before(STOP).unwrap(), None);
    }
}

#[test]
fn a_state_that_hangs_keeps_nothing_from_being_started() {
    let base = tempfile::tempdir().unwrap();
    let app = Commands {
        state: Some(shell("test -e up || sleep 600")),
        timeout: Duration::from_mins(5),
        ..service(base.path())
    };
    let undo = hold(&app, STOP);
    let began = Instant::now();
    let released = undo.release(soon(), Deed::Over).unwrap();
    assert_eq!(released, Released::Done);
    assert_eq!(starts(&base), 1);
    assert!(began.elapsed() < SOON_ENOUGH, "{:?}", began.elapsed());
}

#[test]
fn what_a_start_leaves_running_may_go_on_writing() {
    let base = tempfile::tempdir().unwrap();
    let daemon = "(i=0; while [ $i -lt 20000 ]; do echo a line of a daemon that says much; i=$((i + 1)); done; touch lived) 2>&1 &";
    let app = Commands {
        start: shell(&format!("touch up; {daemon}")),
        ..service(base.path())
    };
    let undo = hold(&app, STOP);
    undo.release(soon(), Deed::Over).unwrap();
    let lived = || base.path().join("lived").exists().then_some(());
    wait_until("the daemon to have said all", Duration::from_mins(1), lived).unwrap();
}

#[test]
fn a_command_that_takes_too_long_is_killed() {
    let base = tempfile::tempdir().unwrap();
    let app = Commands {
        stop: shell("sleep 1000"),
        timeout: Duration::from_secs(3),
        ..service(base.path())
    };
    let undo = app.before(STOP).unwrap().unwrap();
    let slow = app
        .hold(&undo, soon(), &Cancel::new(), &mut |_| ())
        .unwrap_err();
    assert!(matches!(slow, ServiceError::Slow { .. }), "{slow}");
    let Undo::Commands(held) = &undo else {
        unreachable!("it is of commands")
    };
    // What it had started is killed with it, and may take a moment to be gone.
    let gone = || (!held.mark.is_holding()).then_some(());
    wait_until("its processes to end", Duration::from_mins(1), gone).unwrap();
}

/// What a stop leaves running has its mark for ever.
#[test]
fn what_a_stop_leaves_running_keeps_nothing_from_being_started() {
    let base = tempfile::tempdir().unwrap();
    let app = Commands {
        stop: shell(
            "rm up; setsid sh -c 'echo $$ >left; exec sleep 1000' & while [ ! -s left ]; do sleep 0.02; done",
        ),
        timeout: Duration::from_secs(2),
        ..service(base.path())
    };
    let undo = hold(&app, STOP);
    let Undo::Commands(held) = &undo else {
        unreachable!("it is of commands")
    };
    assert!(held.mark.is_holding());
    assert_eq!(undo.release(soon(), Deed::Over).unwrap(), Released::Done);
    assert_eq!(starts(&base), 1);
    // Where nobody knows whether the stop is over, it is taken for that in its time.
    fs::remove_file(base.path().join("up")).unwrap();
    assert_eq!(undo.release(soon(), open()).unwrap(), Released::Done);
    assert_eq!(starts(&base), 2);
    assert!(held.mark.is_holding());
    let left = fs::read_to_string(base.path().join("left")).unwrap();
    Command::new("kill").arg(left.trim()).status().unwrap();
}

#[test]
fn a_start_has_its_own_time_and_not_what_is_left_of_the_round() {
    let base = tempfile::tempdir().unwrap();
    let app = Commands {
        start: shell("sleep 1.5; touch up; echo start >>starts"),
        ..service(base.path())
    };
    let undo = hold(&app, STOP);
    let soon_over = Instant::now() + Duration::from_millis(100);
    assert_eq!(undo.release(soon_over, Deed::Over).unwrap(), Released::Done);
    assert_eq!(starts(&base), 1);
}

#[test]
fn a_start_that_somebody_killed_had_begun_is_not_begun_again() {
    let base = tempfile::tempdir().unwrap();
    let app = service(base.path());
    let undo = hold(&app, STOP);
    let Undo::Commands(held) = &undo else {
        unreachable!("it is of commands")
    };
    // As it goes on when nobody is left who started it; what it leaves running is the service.
    let script = "touch begun; while [ ! -e go ]; do sleep 0.02; done; touch up; echo start >>starts; setsid sleep 60 & echo $! >left";
    let mut start = Command::new("sh")
        .args(["-c", script])
        .current_dir(base.path())
        .process_group(0)
        .env("COPAL_RELEASE", held.mark.0.as_str())
        .spawn()
        .unwrap();
    let begun = || base.path().join("begun").exists().then_some(());
    wait_until("the start to begin", Duration::from_secs(30), begun).unwrap();
    let soon_over = Instant::now() + Duration::from_millis(500);
    let released = undo.release(soon_over, Deed::Over).unwrap();
    assert!(matches!(released, Released::Pending { .. }), "{released:?}");
    fs::write(base.path().join("go"), "").unwrap();
    start.wait().unwrap();
    assert_eq!(undo.release(soon(), Deed::Over).unwrap(), Released::Done);
    assert_eq!(starts(&base), 1);
    let left = fs::read_to_string(base.path().join("left")).unwrap();
    Command::new("kill").arg(left.trim()).status().unwrap();
}

#[test]
fn what_ended_by_itself_before_it_was_stopped_stays_down() {
    let base = tempfile::tempdir().unwrap();
    let app = service(base.path());
    let mut undo = app.before(STOP).unwrap().unwrap();
    fs::remove_file(base.path().join("up")).unwrap();
    let mut spared = Vec::new();
    app.hold(&undo, soon(), &Cancel::new(), &mut |part| {
        spared.push(part.to_owned());
    })
    .unwrap();
    for part in &spared {
        undo.spare(part);
    }
    assert_eq!(
        from_journal(&undo).release(soon(), Deed::Over).unwrap(),
        Released::Done
    );
    assert_eq!(app.state().unwrap(), State::Stopped);
    assert_eq!(starts(&base), 0);
}

#[test]
fn commands_get_little_of_our_environment() {
    let base = tempfile::tempdir().unwrap();
    let app = Commands {
        stop: shell("env >said; rm up"),
        ..service(base.path())
    };
    hold(&app, STOP);
    let said = fs::read_to_string(base.path().join("said")).unwrap();
    let names = said
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0));
    let known = [
        "PATH",
        "HOME",
        "LANG",
        "TZ",
        "XDG_RUNTIME_DIR",
        "DBUS_SESSION_BUS_ADDRESS",
        "COPAL_HOLD",
    ];
    // A shell sets a few of its own.
    let own = ["PWD", "OLDPWD", "SHLVL", "_"];
    let others: Vec<_> = names
        .filter(|name| !known.contains(name) && !own.contains(name))
        .collect();
    assert_eq!(others, [""; 0]);
}

#[test]
fn a_state_that_hangs_is_not_said_to_need_a_longer_timeout() {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let hanging = Commands {
        name: "hanging".to_owned(),
        stop: words("true"),
        start: words("true"),
        state: Some(words("sleep 60")),
        timeout: Duration::from_mins(1),
        base: PathBuf::new(),
    };
    let soon = Instant::now() + Duration::from_millis(200);
    let mute = hanging.runs(Some(soon)).unwrap_err();
    assert!(matches!(mute, ServiceError::Mute { .. }), "{mute}");
    assert!(mute.advice().contains("whatever `timeout` says"));
    assert!(!mute.leaves_open() && !mute.is_given_up());
}
