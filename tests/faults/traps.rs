//! Hooks that trap, take memory, or fail while services are held.

use std::time::{Duration, Instant};

use copal_testkit::docker_engine;

use crate::app::{LiveApp, sealed_nothing};
use crate::hooks::between;
use crate::outcome::attempt;
use crate::scale::some_of;
use crate::table::Trials;

#[test]
fn a_hook_that_traps_while_services_are_held_ends_the_run_with_all_of_them_back() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let mut app = LiveApp::start(engine, "traps");
    let mut trials = Trials::of("a hook that traps, recurses, takes memory or fails, in between");
    let acts = ["\"panic\"", "\"recurse\"", "\"memory\"", "\"fail\""];
    let all: Vec<_> = (0..5).flat_map(|_| acts).collect();
    for act in some_of(all) {
        let outcome = attempt(&mut app, |app| trapped(app, act));
        trials.took(act, outcome);
    }
    trials.end("all back at the run's end, held for at most {}");
}

fn trapped(app: &mut LiveApp<'_>, act: &str) -> Result<Duration, String> {
    app.configure("", &between(&app.world, act, ""));
    let began = Instant::now();
    let output = app.world.copal(&["backup"]);
    let took = began.elapsed();
    if !app.is_well() {
        return Err(format!("something is down at the run's end: {output}"));
    }
    if !matches!(output.code(), Some(1 | 3)) || !output.stderr().contains("between") {
        return Err(format!("{output}"));
    }
    sealed_nothing(&output)?;
    app.leaves_the_idle()?;
    if app.journals() > 0 {
        return Err("a journal is left".to_owned());
    }
    app.configure("", "");
    app.goes_on()?;
    Ok(took)
}
