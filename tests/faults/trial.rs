//! One backup, and what befalls it.

use std::thread::sleep;
use std::time::{Duration, Instant};

use copal_testkit::{Random, Running};
use rustix::process::Signal;

use crate::app::{LiveApp, PATIENCE};
use crate::processes::{guard_of, kill};

/// How soon all is back when the run alone is killed. Four times as much on a machine that does other
/// things besides; the table has what it took.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(2 * 4);

/// How soon all is back when the guard is killed as well.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Who is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victims {
    Run,
    RunAndGuard,
}

/// Moments in a run, one as likely as another. The same in each test run.
pub(crate) struct Moments {
    random: Random,
    length: Duration,
}

impl Moments {
    /// Of runs that take about as long as one that nothing befalls.
    pub(crate) fn of(app: &mut LiveApp<'_>, name: &str) -> Self {
        app.goes_on().unwrap();
        let length = app.goes_on().unwrap();
        Self {
            random: Random::new(5, name),
            length,
        }
    }

    pub(crate) fn next(&mut self) -> Duration {
        self.length.mul_f64(self.up_to_one())
    }

    /// A short while, at most 50 ms.
    fn short(&mut self) -> Duration {
        Duration::from_millis(50).mul_f64(self.up_to_one())
    }

    fn up_to_one(&mut self) -> f64 {
        let thousandths = self.random.below(1000);
        f64::from(u32::try_from(thousandths).unwrap()) / 1000.0
    }
}

/// A backup that is killed at these lines of its journal; when that was.
pub(crate) fn killed_at_lines(app: &LiveApp<'_>, points: &str) -> Result<Instant, String> {
    let mut command = app.world.command(&["backup"]);
    command.env("COPAL_TEST_KILL_AT", points);
    let output = command.output().unwrap();
    let killed = Instant::now();
    match output.status.code() {
        None => Ok(killed),
        Some(code) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("it was not killed and ended with {code}: {said}"))
        }
    }
}

/// A backup that is killed at a moment; when that was.
pub(crate) fn killed_at(app: &LiveApp<'_>, moments: &mut Moments, victims: Victims) -> Instant {
    let running = app.world.start(&["backup"]);
    sleep(moments.next());
    let killed = match victims {
        Victims::Run => {
            running.signal(Signal::KILL);
            Instant::now()
        }
        Victims::RunAndGuard => kill_both(&running, moments.short()),
    };
    running.finish(PATIENCE).unwrap();
    killed
}

/// The guard somewhat later, when it may be releasing.
fn kill_both(running: &Running, later: Duration) -> Instant {
    // So that it takes no other guard meanwhile.
    running.signal(Signal::STOP);
    let guard = guard_of(running.id());
    running.signal(Signal::KILL);
    let killed = Instant::now();
    sleep(later);
    guard.into_iter().for_each(kill);
    killed
}

/// What has to hold after a kill; how long after it something was down still.
pub(crate) fn recovers(
    app: &mut LiveApp<'_>,
    killed: Instant,
    victims: Victims,
    next: &[&str],
) -> Result<Duration, String> {
    let away = match victims {
        Victims::Run => app.is_back(killed, AT_ONCE)?,
        Victims::RunAndGuard => {
            let recovering = app.world.start(next);
            let away = app.is_back(killed, SOON);
            let output = recovering
                .finish(PATIENCE)
                .map_err(|error| error.to_string())?;
            if output.code() != Some(0) {
                return Err(format!("{output}"));
            }
            away?
        }
    };
    app.leaves_the_idle()?;
    app.goes_on()?;
    app.leaves_the_idle()?;
    Ok(away)
}
