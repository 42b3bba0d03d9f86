//! A Docker engine that restarts, is killed, or does not answer while services are held.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use copal_testkit::{DockerEngine, Running, own_docker_engine, wait_until};

use crate::app::{LiveApp, PATIENCE, sealed_nothing};
use crate::hooks::command_between;
use crate::outcome::attempt;
use crate::scale::{is_whole, times};
use crate::table::Trials;
use crate::trial::SOON;

#[test]
fn an_engine_that_restarts_under_the_hold_leaves_nothing_down() {
    let Some(engine) = own_docker_engine() else {
        return;
    };
    let mut app = LiveApp::start(&engine, "restarts");
    let mut trials =
        Trials::of("the engine restarted, or killed and started, while services are held");
    for n in 0..times(20) {
        let outcome = attempt(&mut app, |app| {
            meanwhile(app, |engine, go| {
                if n % 2 == 0 {
                    engine.kill().unwrap();
                } else {
                    engine.stop().unwrap();
                }
                engine.start_again().unwrap();
                go();
            })
        });
        trials.took(&format!("time {n}"), outcome);
    }
    trials
        .end("all back {} after the engine at the latest, and the run says that the hold was lost");
}

#[test]
fn an_engine_that_is_away_at_the_release_is_waited_for() {
    let Some(engine) = own_docker_engine() else {
        return;
    };
    let mut app = LiveApp::start(&engine, "is-away");
    let mut trials = Trials::of("the engine away when services are to be released, for 3 s");
    for n in 0..times(10) {
        let outcome = attempt(&mut app, |app| {
            meanwhile(app, |engine, go| {
                engine.kill().unwrap();
                go();
                sleep(Duration::from_secs(3));
                engine.start_again().unwrap();
            })
        });
        trials.took(&format!("time {n}"), outcome);
    }
    trials.end("all back {} after the engine at the latest");
}

#[test]
fn an_engine_that_does_not_answer_at_the_release_is_waited_for() {
    let Some(engine) = own_docker_engine() else {
        return;
    };
    let mut app = LiveApp::start(&engine, "is-silent");
    let mut trials = Trials::of("the engine silent when services are to be released, for 3 s");
    for n in 0..times(10) {
        let outcome = attempt(&mut app, |app| {
            meanwhile(app, |engine, go| {
                engine.freeze().unwrap();
                go();
                sleep(Duration::from_secs(3));
                engine.thaw().unwrap();
            })
        });
        trials.took(&format!("time {n}"), outcome);
    }
    trials.end("all back {} after the engine at the latest");
}

/// Longer than a release may take.
#[test]
fn an_engine_that_does_not_answer_for_long_is_exit_code_5_and_the_guard_goes_on() {
    if !is_whole() {
        return;
    }
    let Some(engine) = own_docker_engine() else {
        return;
    };
    let mut app = LiveApp::start(&engine, "is-silent-for-long");
    let mut trials = Trials::of("the engine silent until after the end of the run (exit code 5)");
    let outcome = attempt(&mut app, silent_for_long);
    trials.took("once", outcome);
    trials.end("all back {} after the engine, by the guard");
}

fn silent_for_long(app: &mut LiveApp<'_>) -> Result<Duration, String> {
    let running = held_while(app, |engine, go| {
        engine.freeze().unwrap();
        go();
    })?;
    let ended = running.finish(PATIENCE);
    app.engine.thaw().unwrap();
    let thawed = Instant::now();
    let output = ended.map_err(|error| error.to_string())?;
    if output.code() != Some(5) || !output.stderr().contains("copal recover") {
        return Err(format!("{output}"));
    }
    let away = app.is_back(thawed, SOON)?;
    app.goes_on()?;
    Ok(away)
}

/// Does something to the engine while services are held. How long after it something was down.
fn meanwhile(
    app: &mut LiveApp<'_>,
    deed: impl FnOnce(&DockerEngine, &dyn Fn()),
) -> Result<Duration, String> {
    let mut done = Instant::now();
    let running = held_while(app, |engine, go| {
        deed(engine, go);
        done = Instant::now();
    })?;
    let away = app.is_back(done, SOON);
    let ended = running.finish(PATIENCE);
    let output = ended.map_err(|error| error.to_string())?;
    if output.code() == Some(5) {
        return Err(format!("{output}"));
    }
    let away = away?;
    app.leaves_the_idle()?;
    if output.code() == Some(0) {
        // Then it was held all the time.
        app.all_are_whole()?;
    } else {
        sealed_nothing(&output)?;
    }
    app.configure("", "");
    app.goes_on()?;
    Ok(away)
}

/// Does something while services are held; staging goes on from when it says so.
fn held_while(
    app: &mut LiveApp<'_>,
    deed: impl FnOnce(&DockerEngine, &dyn Fn()),
) -> Result<Running, String> {
    let (here, go) = (app.world.path("here"), app.world.path("go"));
    for path in [&here, &go] {
        drop(fs::remove_file(path));
    }
    let script = format!(
        "touch '{}'; until test -e '{}'; do sleep 0.05; done\n",
        here.display(),
        go.display()
    );
    app.configure("", &command_between(&app.world, &script));
    let mut running = app.world.start(&["backup"]);
    let waits = || (here.exists() || !running.is_running()).then_some(());
    wait_until("services to be held", PATIENCE, waits).map_err(|error| error.to_string())?;
    if !here.exists() {
        let output = running.finish(PATIENCE).unwrap();
        return Err(format!("nothing was held: {output}"));
    }
    deed(app.engine, &|| fs::write(&go, "").unwrap());
    Ok(running)
}
