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

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::HoldsError;
use super::journal::{Journal, JournalError};
use super::kept::claim;
use super::ledger::{By, Entry, Hold, Ledger};
use super::recovery::{self, Settled};
use super::release::{self, Book, Claim, Releasing};

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
///
/// Whatever goes wrong with the waiting, the releasing comes: the lock on the journal says when.
pub fn serve(journal: &Path, keep: &mut dyn FnMut(&Settled)) -> Result<(), HoldsError> {
    stand_apart().map_err(HoldsError::Guard)?;
    let Some(opened) = Journal::open(journal, "guard")? else {
        return Ok(());
    };
    tell_ready().map_err(HoldsError::Guard)?;
    if let Err(error) = watch(&opened) {
        tracing::error!(%error, "can't hear of the run's end; looking for it instead");
    }
    take_over(&opened, keep);
    Ok(())
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

fn tell_ready() -> io::Result<()> {
    let mut ready = io::stdout();
    ready.write_all(b"!")?;
    ready.flush()
}

/// Watches until the run is gone.
fn watch(journal: &Journal) -> io::Result<()> {
    let mut heard = File::from(rustix::stdio::stdin().try_clone_to_owned()?);
    let mut overdue = None;
    loop {
        let left = overdue.map(|at: Instant| at.saturating_duration_since(Instant::now()));
        if !readable(&heard, left)? {
            overdue = end_overdue(journal).unwrap_or_else(|error| {
                tracing::error!(%error, "can't release what is overdue");
                Some(Instant::now() + REST)
            });
            continue;
        }
        match heard.read(&mut [0; 64]) {
            Ok(0) => return Ok(()),
            Ok(_) => match journal.read() {
                Ok(ledger) => overdue = deadline(overdue, &ledger),
                // What is known is enough to go on with.
                Err(error) => tracing::error!(%error, "can't see what the run holds"),
            },
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// When a run that holds something is late, whatever it is doing.
fn deadline(so_far: Option<Instant>, ledger: &Ledger) -> Option<Instant> {
    ledger.to_release().next()?;
    let most = ledger.begun.as_ref()?.max_pause_ms?;
    so_far.or_else(|| Some(Instant::now() + Duration::from_millis(most) + MARGIN))
}

/// The run is there, and does not do what it should: it is stopped, or hangs. What it is releasing all the
/// same is left to it as long as that may take; then this is when to look again.
fn end_overdue(journal: &Journal) -> Result<Option<Instant>, JournalError> {
    let ledger = journal.read()?;
    let now = Timestamp::now();
    let is_claimed = |hold: &&Hold| hold.claimed(By::Guard, now).is_some();
    let (claimed, holds): (Vec<_>, Vec<_>) = ledger.to_release().partition(is_claimed);
    let holds: Vec<Hold> = holds.into_iter().cloned().collect();
    let releasing = Releasing {
        by: By::Guard,
        until: Instant::now() + release::PATIENCE,
        book: &Beside(journal),
        is_relied_on: false,
        is_kept_out: &|| false,
    };
    let releases = releasing.release(&holds);
    if let Some(error) = releases.unwritten {
        return Err(error);
    }
    Ok((!claimed.is_empty()).then(|| Instant::now() + REST))
}

/// A journal whose run is there.
pub(super) struct Beside<'a>(pub(super) &'a Journal);

impl Book for Beside<'_> {
    fn claim(&self, number: u32, by: By) -> Claim {
        claim(self.0, number, by)
    }

    fn write(&self, entry: Entry) -> Result<(), JournalError> {
        self.0.write(entry)
    }
}

/// Whether a journal that was removed still lists something, and its run did not come to its end.
fn is_left(opened: &Journal) -> bool {
    let ledger = opened.read();
    let is_open =
        |ledger: &Ledger| ledger.to_release().next().is_some() || ledger.is_between_trees();
    ledger.is_ok_and(|ledger| !ledger.ended && is_open(&ledger))
}

/// Releases what the run left, as soon as it is gone.
fn take_over(opened: &Journal, keep: &mut dyn FnMut(&Settled)) {
    let mut path = opened.path().to_owned();
    let mut give_up = None;
    let mut round = release::PATIENCE;
    loop {
        let patience = Instant::now() + round;
        match recovery::settle(&path, "guard", By::Guard, patience, patience) {
            // Somebody may have removed the state directory, and with it what is to be released.
            Ok(recovery::Found::Gone) if is_left(opened) && path == opened.path() => {
                path = opened.place();
                continue;
            }
            Ok(recovery::Found::Gone) => return,
            // The run is there all the same, or another is at it.
            Ok(recovery::Found::Busy(_)) => {}
            Ok(recovery::Found::Settled(settled)) => {
                round = ROUND;
                give_up.get_or_insert_with(|| Instant::now() + STUBBORN);
                keep(&settled);
                if settled.ledger.is_settled() {
                    if path != opened.path() {
                        return;
                    }
                    match settled.forget() {
                        Ok(()) => return,
                        Err(error) => tracing::error!(%error, "the journal stays"),
                    }
                }
            }
            Err(error) => {
                give_up.get_or_insert_with(|| Instant::now() + STUBBORN);
                tracing::error!(%error, "can't release what the run left; trying again");
            }
        }
        if give_up.is_some_and(|at| Instant::now() >= at) {
            return;
        }
        std::thread::sleep(REST);
    }
}
