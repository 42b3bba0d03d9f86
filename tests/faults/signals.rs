//! SIGINT and SIGTERM, at any moment.

use std::os::unix::process::ExitStatusExt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use copal_testkit::docker_engine;
use rustix::process::Signal;

use crate::app::{LiveApp, PATIENCE, sealed_nothing};
use crate::outcome::attempt;
use crate::scale::times;
use crate::table::Trials;
use crate::trial::Moments;

#[test]
fn a_signal_at_any_moment_ends_the_run_with_all_of_the_app_back() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let mut app = LiveApp::start(engine, "signals");
    let mut moments = Moments::of(&mut app, "signals");
    let mut trials = Trials::of("SIGINT and SIGTERM at random moments");
    for n in 0..times(200) {
        let signal = [Signal::INT, Signal::TERM][usize::from(n % 2 == 1)];
        let outcome = attempt(&mut app, |app| signalled(app, moments.next(), signal));
        trials.took(&format!("moment {n}, {signal:?}"), outcome);
    }
    trials.end("run ended, and all back, after at most {}");
}

/// How long after the signal the run ended. By then all is back: it says so itself.
fn signalled(app: &mut LiveApp<'_>, moment: Duration, signal: Signal) -> Result<Duration, String> {
    let running = app.world.start(&["backup"]);
    sleep(moment);
    running.signal(signal);
    let since = Instant::now();
    let output = running
        .finish(PATIENCE)
        .map_err(|error| error.to_string())?;
    let took = since.elapsed();
    if !app.is_well() {
        return Err(format!("something is down at the run's end: {output}"));
    }
    let number = signal.as_raw();
    // It came before the run listened, or after its work.
    let early = output.status().signal() == Some(number);
    let is_told = match output.code() {
        Some(0) => true,
        Some(code) => code == 128 + number,
        None => early,
    };
    if !is_told {
        return Err(format!("{output}"));
    }
    if output.code() != Some(0) {
        sealed_nothing(&output)?;
    }
    app.leaves_the_idle()?;
    if app.journals() > 0 {
        return Err("a journal is left".to_owned());
    }
    app.goes_on()?;
    Ok(took)
}
