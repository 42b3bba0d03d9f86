//! Recovery: releasing what a run left held whose process is gone.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::exchange::{self, Stuck};
use super::journal::{Journal, JournalError};
use super::ledger::{Begun, By, Entry, Ledger};
use super::release::{Book, Claim, Left, Releasing};
use crate::edge::exchange::Live;
use crate::edge::state::StateDir;

/// A run that seems to be there may be about to end: its guard knows so, others do not.
const ENDING: [Duration; 2] = [Duration::from_secs(3), Duration::from_millis(100)];

/// What was found where a journal was.
#[derive(Debug)]
pub enum Found {
    /// Nothing: all was settled.
    Gone,
    /// A run that goes on, or somebody else who is at it.
    Busy(Ledger),
    /// A journal whose run is gone.
    Settled(Settled),
}

/// A journal whose run is gone, after all was tried.
#[derive(Debug)]
pub struct Settled {
    /// What it says now.
    pub ledger: Ledger,
    /// The holds that were released just now, by their numbers.
    pub released: Vec<u32>,
    /// What could not be released.
    pub left: Vec<Left>,
    /// Which tree is live, where an exchange was ended just now.
    pub live: Option<Live>,
    /// The exchange that could not be ended. Nothing is released before it is.
    pub stuck: Option<Stuck>,
    /// Why the journal does not know all of it.
    pub unwritten: Option<JournalError>,
    journal: Journal,
}

impl Settled {
    /// Where the journal lies.
    pub fn path(&self) -> &Path {
        self.journal.path()
    }

    /// Removes the journal. To be called when it is settled, and what it tells is kept.
    pub fn forget(self) -> Result<(), JournalError> {
        self.journal.remove()
    }
}

/// Releases what one journal lists, if its run is gone. Where another is at that just now, it is waited
/// for until `lock_by`.
pub fn settle(
    path: &Path,
    whose: &'static str,
    by: By,
    lock_by: Instant,
    until: Instant,
) -> Result<Found, JournalError> {
    let Some(journal) = Journal::open(path, whose)? else {
        return Ok(Found::Gone);
    };
    let [guards, others] = ENDING;
    let ending = if by == By::Guard { guards } else { others };
    if !lock(&journal, ending, lock_by)? {
        let ledger = journal.read()?;
        return Ok(if path.exists() {
            Found::Busy(ledger)
        } else {
            Found::Gone
        });
    }
    let mut before = journal.read()?;
    let ended = exchange::end(&journal, &mut before, whose);
    let mut holds: Vec<_> = before.to_release().cloned().collect();
    let kept = ended.stuck.iter();
    let kept = kept.flat_map(|stuck| holds.iter().map(move |hold| stuck.keeps(hold)));
    let kept: Vec<Left> = kept.collect();
    if ended.stuck.is_some() {
        holds.clear();
    }
    let releasing = Releasing {
        by,
        until,
        book: &TakenOver(&journal),
        is_relied_on: false,
        is_kept_out: &|| false,
    };
    let releases = releasing.release(&holds);
    let mut ledger = journal.read()?;
    // What the disk did not take is true all the same.
    ledger.exchange = before.exchange;
    for (number, by, away) in &releases.done {
        if let Some(hold) = ledger.holds.iter_mut().find(|hold| hold.number == *number) {
            hold.released.get_or_insert((*by, *away));
        }
    }
    Ok(Found::Settled(Settled {
        ledger,
        released: releases
            .done
            .into_iter()
            .filter(|(_, who, _)| *who == by)
            .map(|(number, ..)| number)
            .collect(),
        left: releases.left.into_iter().chain(kept).collect(),
        live: ended.live,
        stuck: ended.stuck,
        unwritten: releases.unwritten.or(ended.unwritten),
        journal,
    }))
}

/// A journal whose run is gone: what that has begun is nobody's any more.
struct TakenOver<'a>(&'a Journal);

impl Book for TakenOver<'_> {
    fn claim(&self, number: u32, by: By) -> Claim {
        let known = self.0.read().ok();
        let known = known.as_ref().and_then(|ledger| ledger.hold(number));
        if let Some((by, away)) = known.and_then(|hold| hold.released) {
            return Claim::Released(by, away);
        }
        if known.is_none_or(|hold| hold.claim.is_none_or(|(claimed, _)| claimed != by))
            && let Err(error) = self.0.announce(Entry::Releasing { hold: number, by })
        {
            // To release it is worth more than to say so.
            tracing::warn!(%error, "releasing without a line about it");
        }
        Claim::Ours
    }

    fn write(&self, entry: Entry) -> Result<(), JournalError> {
        self.0.write(entry)
    }
}

/// Locks it, unless a run that goes on has it.
fn lock(journal: &Journal, ending: Duration, by: Instant) -> Result<bool, JournalError> {
    let began = Instant::now();
    loop {
        if journal.try_lock()? {
            return Ok(true);
        }
        let now = Instant::now();
        let ends = now < by && journal.path().exists();
        if !ends || (now > began + ending && goes_on(journal.read()?.begun.as_ref())) {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether the run seems to be there. Only how long is waited depends on it: whether a run is gone is
/// said by its lock, which knows of containers and of process ids that come back.
fn goes_on(run: Option<&Begun>) -> bool {
    let line = run.map(|run| std::fs::read_to_string(format!("/proc/{}/stat", run.pid)));
    let line = line.and_then(Result::ok).unwrap_or_default();
    // Such as `12 (a name) S 1 …`; a zombie is gone.
    let state = line
        .rsplit(')')
        .next()
        .and_then(|rest| rest.split_whitespace().next());
    state.is_some_and(|state| !matches!(state, "Z" | "X"))
}

/// The journals that lie in a state directory.
pub fn journals(state: &StateDir) -> Result<Vec<PathBuf>, JournalError> {
    Journal::all(state)
}
