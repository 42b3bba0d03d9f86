//! Process groups of commands that run, so that Copal's own sudden end is theirs too.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

/// How long [`kill_all`] waits for one that is being started.
const STARTING: Duration = Duration::from_secs(1);

/// The groups, by their leaders.
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A command that was started as the leader of a group of its own. The group is forgotten when this
/// value is dropped: by then the command has been waited for.
#[derive(Debug)]
pub struct Leader {
    /// The command.
    pub child: Child,
    group: Option<Pid>,
}

/// Starts a command that is to lead a group.
pub fn start(command: &mut Command) -> io::Result<Leader> {
    // Locked while it starts: nothing may run that is not known.
    let mut running = running();
    let child = command.spawn()?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    running.extend(group.map(Pid::as_raw_pid));
    Ok(Leader { child, group })
}

impl Leader {
    /// Kills the command with its group, which is all that it started but for what left the group
    /// (`setsid`), and takes note of its end.
    pub fn kill(&mut self) -> io::Result<()> {
        if let Some(group) = self.group {
            kill(group)?;
        }
        self.child.wait().map(drop)
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            running().remove(&group.as_raw_pid());
        }
    }
}

/// Kills every group there is, and lets no further one start: the process ends after this.
pub fn kill_all() {
    let deadline = Instant::now() + STARTING;
    let running = loop {
        if let Ok(running) = RUNNING.try_lock() {
            break running;
        }
        if Instant::now() >= deadline {
            return;
        }
        std::thread::yield_now();
    };
    for group in running.iter().filter_map(|group| Pid::from_raw(*group)) {
        // Whoever asked for an end at once is not told what could not be ended.
        drop(kill(group));
    }
    std::mem::forget(running);
}

fn kill(group: Pid) -> io::Result<()> {
    match kill_process_group(group, Signal::KILL) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn running() -> MutexGuard<'static, BTreeSet<i32>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}
