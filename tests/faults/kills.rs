//! `kill -9`, of the run, and of its guard as well.

use copal_testkit::docker_engine;

use crate::app::LiveApp;
use crate::outcome::attempt;
use crate::scale::{some_of, times};
use crate::table::Trials;
use crate::trial::{Moments, Victims, killed_at, killed_at_lines, recovers};

/// The lines of the journal of a run that holds two services.
const LINES: [&str; 10] = [
    "begun",
    "holding",
    "held",
    "holding#2",
    "held#2",
    "releasing",
    "releasing#2",
    "released",
    "released#2",
    "ended",
];

/// Those that whoever releases writes.
const RELEASES: [&str; 4] = ["releasing", "releasing#2", "released", "released#2"];

/// Both sides of lines, for one kind of process.
fn points(whose: &str, lines: &[&str]) -> Vec<String> {
    let sides = |line: &&str| ["before", "after"].map(|side| format!("{whose}:{side}:{line}"));
    lines.iter().flat_map(sides).collect()
}

#[test]
fn a_run_that_is_killed_at_any_line_of_its_journal_leaves_nothing_down() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let mut app = LiveApp::start(engine, "run-at-lines");
    let mut trials = Trials::of("`kill -9` of the run, before and after each line of its journal");
    for point in some_of(points("run", &LINES)) {
        let outcome = attempt(&mut app, |app| {
            let killed = killed_at_lines(app, &point)?;
            recovers(app, killed, Victims::Run, &[])
        });
        trials.took(&point, outcome);
    }
    trials.end("all back after at most {}");
}

#[test]
fn a_run_and_its_guard_that_are_killed_at_any_line_leave_nothing_down_for_long() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let mut app = LiveApp::start(engine, "both-at-lines");
    let mut trials =
        Trials::of("`kill -9` of the run at each line, and of its guard at each of its own");
    let run = points("run", &LINES);
    let of_run = run
        .iter()
        .map(|run| format!("{run},guard:before:releasing"));
    let guard = points("guard", &RELEASES);
    let of_guard = guard
        .iter()
        .map(|guard| format!("run:after:held#2,{guard}"));
    let next: [&[&str]; 3] = [&["recover"], &["backup"], &["recover"]];
    for (n, point) in some_of(of_run.chain(of_guard).collect()).iter().enumerate() {
        let outcome = attempt(&mut app, |app| {
            let killed = killed_at_lines(app, point)?;
            app.guard_is_gone(killed)?;
            recovers(app, killed, Victims::RunAndGuard, next[n % 3])
        });
        trials.took(point, outcome);
    }
    trials.end("all back after at most {}, with the next command");
}

/// Its container has ten seconds to end, which is more than a command has for what others left.
#[test]
fn a_stop_that_may_have_been_asked_for_is_waited_for_by_the_next_backup() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let mut app = LiveApp::start(engine, "stop-on-its-way");
    let point = "run:after:holding#2,guard:before:releasing";
    let killed = killed_at_lines(&app, point).unwrap();
    app.guard_is_gone(killed).unwrap();
    recovers(&mut app, killed, Victims::RunAndGuard, &["backup"]).unwrap();
}

#[test]
fn a_recovery_that_is_killed_as_well_is_made_good_by_the_next() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let mut app = LiveApp::start(engine, "recovery-at-lines");
    let mut trials =
        Trials::of("`kill -9` of run, guard and `copal recover`, at each of its lines");
    for point in some_of(points("recovery", &RELEASES)) {
        let outcome = attempt(&mut app, |app| {
            let killed = killed_at_lines(app, "run:after:held#2,guard:before:releasing")?;
            app.guard_is_gone(killed)?;
            let mut recover = app.world.command(&["recover"]);
            recover.env("COPAL_TEST_KILL_AT", &point);
            let output = recover.output().unwrap();
            if let Some(code) = output.status.code() {
                return Err(format!("`copal recover` was not killed: exit code {code}"));
            }
            recovers(app, killed, Victims::RunAndGuard, &["recover"])
        });
        trials.took(&point, outcome);
    }
    trials.end("all back after at most {}, with the next command");
}

#[test]
fn a_run_that_is_killed_at_any_moment_leaves_nothing_down() {
    at_any_moment(
        "run-at-moments",
        "`kill -9` of the run at random moments",
        Victims::Run,
        "all back after at most {}",
    );
}

#[test]
fn a_run_and_its_guard_that_are_killed_at_any_moment_leave_nothing_down_for_long() {
    at_any_moment(
        "both-at-moments",
        "`kill -9` of the run and its guard at random moments",
        Victims::RunAndGuard,
        "all back after at most {}, with the next command",
    );
}

fn at_any_moment(name: &str, what: &'static str, victims: Victims, figure: &str) {
    let Some(engine) = docker_engine() else {
        return;
    };
    let mut app = LiveApp::start(engine, name);
    let mut moments = Moments::of(&mut app, name);
    let mut trials = Trials::of(what);
    for n in 0..times(200) {
        let next: &[&str] = if n % 2 == 0 {
            &["recover"]
        } else {
            &["backup"]
        };
        let outcome = attempt(&mut app, |app| {
            let killed = killed_at(app, &mut moments, victims);
            recovers(app, killed, victims, next)
        });
        trials.took(&format!("moment {n}"), outcome);
    }
    trials.end(figure);
}
