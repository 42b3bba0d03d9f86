//! The guard: a small process of the same binary beside a run that holds something. It has the read end
//! of a pipe whose other end is the run's alone; when that closes, the run is gone, however it went, and
//! the guard releases what the journal still lists.
//!
//! It is in a session of its own, without a terminal and without the run's outputs: neither Ctrl-C nor
//! the end of a login reaches it, and nobody who waits for the run's output waits for the guard.

use std::fs::File;
use std::io::{self, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::journal::{Journal, JournalError};
use super::ledger::{By, Ledger};
use super::recovery::{self, Settled};
use super::release::{self, release};

/// The command that a guard is.
pub const COMMAND: &str = "guard";

/// How long a run waits for its guard to be there.
const READY: Duration = Duration::from_secs(10);

/// How long a run waits for its guard to be gone.
const GONE: Duration = Duration::from_secs(1);

/// How long after `max_pause` a run may be late before its guard does it.
const MARGIN: Duration = Duration::from_secs(5);

/// How long a guard tries to release what a run left. Nobody waits for it.
const STUBBORN: Duration = Duration::from_mins(10);

/// How long each round but the first may take.
const ROUND: Duration = Duration::from_secs(10);

/// How long it rests between two rounds, in which others may try.
const REST: Duration = Duration::from_secs(2);

/// The guard of this run.
#[derive(Debug)]
pub struct Guard {
    child: Child,
    /// Closing it says that the run is over. None but this process has it.
    bell: PipeWriter,
}

/// The program that guards are, which is this one. None in this crate's own tests, whose program is
/// another.
pub fn program() -> Option<PathBuf> {
    if cfg!(test) {
        return None;
    }
    // The running program itself, also where the file was replaced by an update.
    let own = Path::new("/proc/self/exe");
    if own.exists() {
        return Some(own.to_owned());
    }
    std::env::current_exe().ok()
}

impl Guard {
    /// Starts a guard over a journal, and waits until it is on guard.
    pub fn start(program: &Path, journal: &Path) -> io::Result<Self> {
        // Both ends are closed in whatever this process starts.
        let (heard, bell) = io::pipe()?;
        let mut child = Command::new(program)
            .arg0("copal")
            .arg(COMMAND)
            .arg(journal)
            .current_dir("/")
            .stdin(heard)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let ready = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe);
        let ready = ready.map_err(io::Error::from).and_then(is_ready);
        let mut guard = Self { child, bell };
        if let Err(error) = ready {
            guard.child.kill()?;
            guard.child.wait()?;
            return Err(error);
        }
        Ok(guard)
    }

    /// Has it look at the journal. An error says that it is gone.
    pub fn ring(&mut self) -> io::Result<()> {
        self.bell.write_all(b".")
    }

    /// Tells it that the run is over.
    pub fn dismiss(self) {
        let Self { mut child, bell } = self;
        drop(bell);
        let deadline = Instant::now() + GONE;
        // So that none is left behind as a zombie. Where there is still something to be released it goes on.
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn is_ready(mut from: impl Read + AsFd) -> io::Result<()> {
    if !readable(&from, Some(READY))? {
        return Err(io::ErrorKind::TimedOut.into());
    }
    from.read_exact(&mut [0])
}

/// Whether there is something to be read, an end as well, before the time is over.
fn readable(from: &impl AsFd, within: Option<Duration>) -> io::Result<bool> {
    let deadline = within.map(|within| Instant::now() + within);
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut [PollFd::new(from, PollFlags::IN)], left.as_ref()) {
            Ok(0) => return Ok(false),
            Ok(_) => return Ok(true),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Is the guard over a journal: waits for the end of its run, and then releases what is left. `keep` is
/// told what the run left when it was gone, and again when that changes.
pub fn serve(journal: &Path, keep: &mut dyn FnMut(&Settled)) -> Result<(), super::HoldsError> {
    stand_apart().map_err(super::HoldsError::Guard)?;
    if let Some(mut journal) = Journal::open(journal, "guard")? {
        watch(&mut journal)?;
    }
    take_over(journal, keep)
}

/// Out of reach of what ends the run.
fn stand_apart() -> io::Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // Noticed by nobody: the run decides what a signal means, and says so by its end.
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    match rustix::process::setsid() {
        // Started by hand as the leader of a group, it is one already.
        Ok(_) | Err(rustix::io::Errno::PERM) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Watches until the run is gone.
fn watch(journal: &mut Journal) -> Result<(), super::HoldsError> {
    let stdin = rustix::stdio::stdin();
    let mut heard = File::from(
        stdin
            .try_clone_to_owned()
            .map_err(super::HoldsError::Guard)?,
    );
    let mut ready = io::stdout();
    ready
        .write_all(b"!")
        .and_then(|()| ready.flush())
        .map_err(super::HoldsError::Guard)?;
    let mut overdue = None;
    loop {
        let left = overdue.map(|at: Instant| at.saturating_duration_since(Instant::now()));
        if !readable(&heard, left).map_err(super::HoldsError::Guard)? {
            end_overdue(journal)?;
            overdue = None;
            continue;
        }
        match heard.read(&mut [0; 64]) {
            Ok(0) => return Ok(()),
            Ok(_) => overdue = deadline(overdue, &journal.read()?),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(super::HoldsError::Guard(error)),
        }
    }
}

/// When a run that holds something is late, whatever it is doing.
fn deadline(so_far: Option<Instant>, ledger: &Ledger) -> Option<Instant> {
    ledger.to_release().next()?;
    let most = ledger.begun.as_ref()?.max_pause_ms?;
    so_far.or_else(|| Some(Instant::now() + Duration::from_millis(most) + MARGIN))
}

/// The run is there, and does not do what it should: it is stopped, or hangs.
fn end_overdue(journal: &mut Journal) -> Result<(), JournalError> {
    let holds: Vec<_> = journal.read()?.to_release().cloned().collect();
    let until = Instant::now() + release::PATIENCE;
    let releases = release(&holds, By::Guard, until, &mut |entry| journal.write(entry));
    releases.unwritten.map_or(Ok(()), Err)
}

/// The run is gone.
fn take_over(path: &Path, keep: &mut dyn FnMut(&Settled)) -> Result<(), super::HoldsError> {
    let give_up = Instant::now() + STUBBORN;
    let mut round = release::PATIENCE;
    loop {
        let patience = Instant::now() + round;
        round = ROUND;
        match recovery::settle(path, "guard", By::Guard, patience, patience)? {
            recovery::Found::Gone => return Ok(()),
            recovery::Found::Busy(_) => {}
            recovery::Found::Settled(settled) => {
                keep(&settled);
                if settled.ledger.is_settled() {
                    return settled.forget().map_err(Into::into);
                }
            }
        }
        if Instant::now() >= give_up {
            return Ok(());
        }
        std::thread::sleep(REST);
    }
}
