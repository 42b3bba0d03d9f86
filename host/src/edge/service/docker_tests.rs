use std::time::{Duration, Instant};

use copal_hooks::Cancel;
use copal_testkit::{DockerEngine, TestContainer, docker_engine, own_docker_engine, wait_until};

use super::*;
use crate::edge::service::{Deed, Loss, NotReady, Released};

/// What runs until it is told to end, and then ends at once. It says so each time it starts.
pub(in crate::edge::service) const OBEDIENT: &str =
    "trap 'exit 0' TERM; echo started; while :; do sleep 0.05; done";

/// What does not end by itself, whatever it is told.
const STUBBORN: &str = "trap '' TERM; echo started; while :; do sleep 0.05; done";

const STOP_GRACE: Duration = Duration::from_secs(10);

const STOP: HoldHow = HoldHow::Stop { grace: STOP_GRACE };

const SOON: Duration = Duration::from_mins(1);

pub(in crate::edge::service) fn host(engine: &DockerEngine) -> DockerHost {
    DockerHost::parse(&engine.host()).unwrap()
}

pub(in crate::edge::service) fn soon() -> Instant {
    Instant::now() + SOON
}

fn driver(container: &TestContainer<'_>) -> OneContainer {
    OneContainer::new(host(container.engine), &container.name)
}

pub(in crate::edge::service) fn hold(driver: &dyn Driver, how: HoldHow) -> Undo {
    let mut undo = driver.before(how).unwrap().expect("it runs");
    undo.follow().unwrap();
    let mut spare = |part: &str| panic!("{part} does not run any more");
    driver
        .hold(&undo, soon(), &Cancel::new(), &mut spare)
        .unwrap();
    undo
}

/// A hold that was about to be taken just now by somebody who is gone.
pub(in crate::edge::service) fn open() -> Deed {
    let since = jiff::Timestamp::now();
    Deed::Open { since }
}

/// As the guard has it, who knows the journal alone.
pub(in crate::edge::service) fn from_journal(undo: &Undo) -> Undo {
    serde_json::from_str(&serde_json::to_string(undo).unwrap()).unwrap()
}

#[test]
fn a_paused_container_goes_on_where_it_was() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("pause-goes-on", &[], OBEDIENT).unwrap();
    let undo = hold(&driver(&app), HoldHow::Pause);
    assert_eq!(app.status(), "paused");
    assert!(undo.is_intact().unwrap());
    assert_eq!(
        from_journal(&undo).release(soon(), Deed::Over).unwrap(),
        Released::Done
    );
    assert_eq!(app.status(), "running");
    assert!(!undo.is_intact().unwrap());
    undo.wait_ready(soon(), &Cancel::new()).unwrap();
    assert_eq!(app.lines(), 1, "it was never started anew");
}

/// It looks as it was held, and has written meanwhile.
#[test]
fn a_container_that_went_on_in_between_was_not_held() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("goes-on-between", &[], OBEDIENT).unwrap();
    // What was done before the hold is of no interest.
    engine.docker(&["pause", &app.name]).unwrap();
    engine.docker(&["unpause", &app.name]).unwrap();
    for (how, between) in [
        (HoldHow::Pause, [["unpause"], ["pause"]]),
        (STOP, [["start"], ["stop"]]),
    ] {
        let undo = hold(&driver(&app), how);
        assert_eq!(undo.loss().unwrap(), None);
        for deed in between {
            engine.docker(&[deed[0], &app.name]).unwrap();
        }
        let loss = undo.loss().unwrap().expect("it went on");
        match how {
            HoldHow::Pause => assert_eq!(loss, Loss::Between(app.name.clone())),
            // It is another start.
            HoldHow::Stop { .. } => assert_eq!(loss, Loss::Resumed),
        }
        undo.release(soon(), Deed::Over).unwrap();
        engine.docker(&["start", &app.name]).unwrap();
    }
}

#[test]
fn a_stopped_container_is_started_once_however_often_it_is_released() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("stop-once", &[], OBEDIENT).unwrap();
    let undo = hold(&driver(&app), STOP);
    assert_eq!(app.status(), "exited");
    assert!(undo.is_intact().unwrap());
    for _ in 0..3 {
        assert_eq!(
            from_journal(&undo).release(soon(), Deed::Over).unwrap(),
            Released::Done
        );
    }
    undo.wait_ready(soon(), &Cancel::new()).unwrap();
    assert_eq!(app.status(), "running");
    assert_eq!(app.lines(), 2);
}

#[test]
fn what_somebody_stopped_after_a_release_stays_down() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("stopped-after", &[], OBEDIENT).unwrap();
    let undo = hold(&driver(&app), STOP);
    undo.release(soon(), Deed::Over).unwrap();
    engine.docker(&["stop", &app.name]).unwrap();
    assert_eq!(undo.release(soon(), Deed::Over).unwrap(), Released::Done);
    assert_eq!(app.status(), "exited");
}

#[test]
fn what_does_not_run_is_not_held() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let paused = engine.run("was-paused", &[], OBEDIENT).unwrap();
    engine.docker(&["pause", &paused.name]).unwrap();
    let stopped = engine.run("was-stopped", &[], "true").unwrap();
    stopped.wait_for("exited");
    for how in [HoldHow::Pause, STOP] {
        for app in [&paused, &stopped] {
            assert_eq!(driver(app).before(how).unwrap(), None);
        }
        let missing = OneContainer::new(host(engine), "is-missing");
        assert_eq!(missing.before(how).unwrap(), None);
        assert_eq!(missing.state().unwrap(), State::Missing);
    }
    assert_eq!(driver(&paused).state().unwrap(), State::Paused);
    assert_eq!(driver(&stopped).state().unwrap(), State::Stopped);
}

#[test]
fn a_container_made_anew_under_the_same_name_is_not_touched() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("made-anew", &[], OBEDIENT).unwrap();
    let undo = hold(&driver(&app), HoldHow::Pause);
    engine.docker(&["rm", "--force", &app.name]).unwrap();
    let other = engine.run("made-anew", &[], OBEDIENT).unwrap();
    engine.docker(&["pause", &other.name]).unwrap();
    assert!(!undo.is_intact().unwrap());
    assert_eq!(undo.release(soon(), Deed::Over).unwrap(), Released::Done);
    assert_eq!(other.status(), "paused");
    assert_eq!(undo.loss().unwrap(), Some(Loss::Anew(app.name.clone())));
    undo.wait_ready(soon(), &Cancel::new()).unwrap();
    engine.docker(&["rm", "--force", &other.name]).unwrap();
    assert_eq!(undo.loss().unwrap(), Some(Loss::Removed(app.name.clone())));
    let gone = undo.wait_ready(soon(), &Cancel::new()).unwrap_err();
    assert!(matches!(gone, NotReady::Gone { .. }), "{gone}");
}

#[test]
fn a_container_that_would_be_gone_is_not_stopped() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("would-be-gone", &["--rm"], OBEDIENT).unwrap();
    let refused = driver(&app).before(STOP).unwrap_err();
    assert!(
        matches!(refused, ServiceError::Vanishes { .. }),
        "{refused}"
    );
    assert!(driver(&app).before(HoldHow::Pause).unwrap().is_some());
}

#[test]
fn what_does_not_end_by_itself_is_killed_after_its_time() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("stubborn", &[], STUBBORN).unwrap();
    let grace = Duration::from_secs(1);
    let undo = hold(&driver(&app), HoldHow::Stop { grace });
    assert_eq!(app.status(), "exited");
    undo.release(soon(), Deed::Over).unwrap();
    assert_eq!(app.status(), "running");
}

#[test]
fn a_stop_that_somebody_killed_had_asked_for_is_undone_when_it_takes_effect() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("killed-stop", &[], STUBBORN).unwrap();
    let undo = driver(&app).before(HoldHow::Stop {
        grace: Duration::from_secs(2),
    });
    let undo = undo.unwrap().unwrap();
    // Who asked is killed: the container still runs, and is going to be stopped.
    let mut asking = std::process::Command::new("docker")
        .args(["--host", &engine.host(), "stop", "--time", "2", &app.name])
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(500));
    asking.kill().unwrap();
    asking.wait().unwrap();
    assert_eq!(undo.release(soon(), open()).unwrap(), Released::Done);
    assert_eq!(app.status(), "running");
    undo.wait_ready(soon(), &Cancel::new()).unwrap();
}

#[test]
fn a_release_without_the_time_to_know_is_pending() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("no-time-to-know", &[], OBEDIENT).unwrap();
    let undo = driver(&app).before(STOP).unwrap().unwrap();
    // On a busy machine the engine itself may be too slow: that is another error.
    let mut released = undo.release(Instant::now() + STOP_GRACE / 2, open());
    for _ in 0..4 {
        if !matches!(released, Ok(Released::Pending { .. })) {
            released = undo.release(Instant::now() + STOP_GRACE / 2, open());
        }
    }
    let released = released.unwrap();
    assert!(matches!(released, Released::Pending { .. }), "{released:?}");
    assert_eq!(app.status(), "running");
}

#[test]
fn a_healthy_container_is_waited_for_until_it_is_healthy_again() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let check = ["--health-cmd", "true", "--health-interval", "1s"];
    let app = engine.run("healthy", &check, OBEDIENT).unwrap();
    app.wait_for_health("healthy");
    let undo = hold(&driver(&app), HoldHow::Pause);
    undo.release(soon(), Deed::Over).unwrap();
    undo.wait_ready(soon(), &Cancel::new()).unwrap();
    let health = app.inspect("{{.State.Health.Status}}").unwrap();
    assert_eq!(health, "healthy");
}

#[test]
fn a_container_that_was_unhealthy_before_is_not_waited_for() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let check = [
        "--health-cmd",
        "false",
        "--health-interval",
        "200ms",
        "--health-retries",
        "1",
    ];
    let app = engine.run("unhealthy", &check, OBEDIENT).unwrap();
    app.wait_for_health("unhealthy");
    let undo = hold(&driver(&app), HoldHow::Pause);
    undo.release(soon(), Deed::Over).unwrap();
    undo.wait_ready(soon(), &Cancel::new()).unwrap();
}

#[test]
fn a_container_that_does_not_come_back_is_told_with_its_exit_code() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let once = "trap 'exit 0' TERM; [ ! -e /tmp/once ] || exit 7; touch /tmp/once; while :; do sleep 0.05; done";
    let app = engine.run("comes-not-back", &[], once).unwrap();
    let undo = hold(&driver(&app), STOP);
    undo.release(soon(), Deed::Over).unwrap();
    app.wait_for("exited");
    let late = undo.wait_ready(Instant::now() + Duration::from_secs(1), &Cancel::new());
    let late = late.unwrap_err().to_string();
    assert_eq!(
        late,
        "container `comes-not-back` does not run; it ended with exit code 7"
    );
}

#[test]
fn waiting_for_it_ends_with_a_signal() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("waiting-ends", &[], OBEDIENT).unwrap();
    let undo = hold(&driver(&app), HoldHow::Pause);
    let cancel = Cancel::new();
    cancel.cancel();
    let ended = undo.wait_ready(soon(), &cancel).unwrap_err();
    assert!(matches!(ended, NotReady::Interrupted { .. }), "{ended}");
    undo.release(soon(), Deed::Over).unwrap();
}

#[test]
fn a_hold_may_be_asked_for_from_within_another_runtime() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("within-runtime", &[], OBEDIENT).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let undo = hold(&driver(&app), HoldHow::Pause);
        assert_eq!(undo.release(soon(), Deed::Over).unwrap(), Released::Done);
    });
}

#[test]
fn an_engine_that_is_away_is_waited_for_and_a_container_it_brought_back_is_no_hold() {
    let Some(engine) = own_docker_engine() else {
        return;
    };
    let app = engine
        .run("engine-away", &["--restart", "unless-stopped"], OBEDIENT)
        .unwrap();
    let undo = hold(&driver(&app), HoldHow::Pause);
    engine.stop().unwrap();
    let released = undo.release(soon(), Deed::Over).unwrap();
    assert!(matches!(released, Released::Silent { .. }), "{released:?}");
    let away = undo.is_intact().unwrap_err();
    assert!(away.may_pass(), "{away}");
    engine.start_again().unwrap();
    app.wait_for("running");
    assert!(!undo.is_intact().unwrap());
    assert_eq!(undo.release(soon(), Deed::Over).unwrap(), Released::Done);
    undo.wait_ready(soon(), &Cancel::new()).unwrap();
}

#[test]
fn an_engine_that_does_not_answer_is_not_waited_for_beyond_the_deadline() {
    let Some(engine) = own_docker_engine() else {
        return;
    };
    let app = engine.run("engine-silent", &[], OBEDIENT).unwrap();
    let undo = hold(&driver(&app), HoldHow::Pause);
    engine.freeze().unwrap();
    let released = undo
        .release(Instant::now() + Duration::from_secs(1), Deed::Over)
        .unwrap();
    assert!(matches!(released, Released::Silent { .. }), "{released:?}");
    let refused = driver(&app).hold(
        &undo,
        Instant::now() + Duration::from_secs(1),
        &Cancel::new(),
        &mut |_| (),
    );
    assert!(refused.unwrap_err().may_pass());
    engine.thaw().unwrap();
    assert_eq!(undo.release(soon(), Deed::Over).unwrap(), Released::Done);
    assert_eq!(app.status(), "running");
}

#[test]
fn a_container_that_ended_by_itself_before_it_was_stopped_stays_down() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("ended-before", &[], OBEDIENT).unwrap();
    let driver = driver(&app);
    let mut undo = driver.before(STOP).unwrap().unwrap();
    engine.docker(&["kill", &app.name]).unwrap();
    app.wait_for("exited");
    let mut spared = Vec::new();
    let hold = driver.hold(&undo, soon(), &Cancel::new(), &mut |part| {
        spared.push(part.to_owned());
    });
    hold.unwrap();
    for part in &spared {
        undo.spare(part);
    }
    assert_eq!(undo, Undo::Nothing);
    let released = from_journal(&undo).release(soon(), Deed::Over).unwrap();
    assert_eq!(released, Released::Done);
    assert_eq!(app.status(), "exited");
}

#[test]
fn a_container_that_ends_again_and_again_is_no_service_that_is_down() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let restart = ["--restart", "always"];
    let app = engine.run("again-and-again", &restart, "exit 3").unwrap();
    // The engine waits longer each time: at first it may be found running.
    let refused = || driver(&app).before(STOP).err();
    let refused = wait_until("the refusal", SOON, refused).unwrap();
    assert_eq!(driver(&app).state().unwrap(), State::Running);
    assert!(
        matches!(refused, ServiceError::Restarting { exit_code: 3, .. }),
        "{refused}"
    );
}

/// The time that a stop may take is counted once, from when it was asked for.
#[test]
fn a_hold_whose_time_to_take_effect_is_over_is_known_at_once() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("known-at-once", &[], OBEDIENT).unwrap();
    let grace = Duration::from_mins(2);
    let undo = driver(&app)
        .before(HoldHow::Stop { grace })
        .unwrap()
        .unwrap();
    let since = jiff::Timestamp::now() - Duration::from_mins(3);
    let soon_over = Instant::now() + Duration::from_secs(5);
    let released = undo.release(soon_over, Deed::Open { since }).unwrap();
    assert_eq!(released, Released::Done);
    assert_eq!(app.status(), "running");
}

/// A release would take it for one that somebody started on purpose, and leave it down.
#[test]
fn a_container_that_was_started_anew_before_it_was_stopped_is_not_held() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("started-anew", &[], OBEDIENT).unwrap();
    let driver = driver(&app);
    let undo = driver.before(STOP).unwrap().unwrap();
    engine.docker(&["restart", &app.name]).unwrap();
    let moved = driver.hold(&undo, soon(), &Cancel::new(), &mut |_| ());
    let moved = moved.unwrap_err();
    assert!(matches!(moved, ServiceError::Moved { .. }), "{moved}");
    undo.release(soon(), Deed::Over).unwrap();
    assert_eq!(app.status(), "running");
}

#[test]
fn a_container_that_was_started_anew_before_it_was_paused_is_not_held() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("anew-paused", &[], OBEDIENT).unwrap();
    let driver = driver(&app);
    let undo = driver.before(HoldHow::Pause).unwrap().unwrap();
    engine.docker(&["restart", &app.name]).unwrap();
    let moved = driver.hold(&undo, soon(), &Cancel::new(), &mut |_| ());
    let moved = moved.unwrap_err();
    assert!(matches!(moved, ServiceError::Moved { .. }), "{moved}");
    undo.release(soon(), Deed::Over).unwrap();
    assert_eq!(app.status(), "running");
}

#[test]
fn what_its_owner_paused_in_the_moment_before_stays_paused() {
    let Some(engine) = docker_engine() else {
        return;
    };
    for (name, how) in [("owner-paused", HoldHow::Pause), ("owner-stop", STOP)] {
        let app = engine.run(name, &[], OBEDIENT).unwrap();
        let driver = driver(&app);
        let mut undo = driver.before(how).unwrap().unwrap();
        engine.docker(&["pause", &app.name]).unwrap();
        let mut spared = Vec::new();
        let moved = driver.hold(&undo, soon(), &Cancel::new(), &mut |part| {
            spared.push(part.to_owned());
        });
        let moved = moved.unwrap_err();
        assert!(matches!(moved, ServiceError::Moved { .. }), "{moved}");
        for part in &spared {
            undo.spare(part);
        }
        assert_eq!(undo, Undo::Nothing);
        assert_eq!(app.status(), "paused");
    }
}

/// A pause makes it unhealthy until its next check, which is due after the time for it to be ready.
#[test]
fn a_health_check_that_comes_rarely_is_waited_for() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let check = ["--health-cmd", "true", "--health-interval", "8s"];
    let app = engine.run("rarely-checked", &check, OBEDIENT).unwrap();
    app.wait_for_health("healthy");
    let undo = hold(&driver(&app), STOP);
    undo.release(soon(), Deed::Over).unwrap();
    let ready = Instant::now() + Duration::from_secs(1);
    undo.wait_ready(ready, &Cancel::new()).unwrap();
    let health = app.inspect("{{.State.Health.Status}}").unwrap();
    assert_eq!(health, "healthy");
}

/// Nobody starts it: without Copal it would be down, too.
#[test]
fn what_ended_while_it_was_paused_is_not_waited_for() {
    let Some(engine) = own_docker_engine() else {
        return;
    };
    let app = engine.run("ended-paused", &[], OBEDIENT).unwrap();
    let undo = hold(&driver(&app), HoldHow::Pause);
    engine.stop().unwrap();
    engine.start_again().unwrap();
    assert_eq!(undo.loss().unwrap(), Some(Loss::Ended(app.name.clone())));
    assert_eq!(undo.release(soon(), Deed::Over).unwrap(), Released::Done);
    let down = undo.wait_ready(soon(), &Cancel::new()).unwrap_err();
    assert!(matches!(down, NotReady::Down { .. }), "{down}");
}
