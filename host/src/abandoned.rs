//! The record of a run that could not keep one itself: it was killed, or the machine went down. The
//! journal of its holds is what is known of it, or the mark that it left where it held nothing.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use copal_core::text::second;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::edge::begun::{self, Begun as KilledRun};
use crate::edge::exchange::{Exchange, Live};
use crate::edge::history::{History, HistoryError};
use crate::edge::lock::look;
use crate::edge::old_trees::OldTrees;
use crate::edge::state::StateDir;
use crate::error::CopalError;
use crate::holds::ledger::{Begun, By, Hold, Ledger};
use crate::holds::recovery::Settled;
use crate::holds::release::Left;
use crate::record::{Ended, HoldRecord, Kind, Record, SnapshotRecord, Trouble};

/// What a killed run had sealed by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedBefore {
    /// Whether every destination had it.
    pub everywhere: bool,
    /// The snapshots.
    pub snapshots: Vec<SnapshotRecord>,
}

impl SealedBefore {
    /// As its mark tells; `None` where nothing was sealed.
    pub fn of(killed: &KilledRun) -> Option<Self> {
        serde_json::from_str(killed.sealed.as_deref()?).ok()
    }

    /// For its mark.
    pub fn in_a_line(&self) -> String {
        serde_json::to_string(self).expect("it has string keys alone")
    }
}

/// How long the record of a run is waited for that has just come to its end.
const ABOUT_TO_BE_KEPT: Duration = Duration::from_secs(3);

/// Keeps what is known of the run of this journal. Where it kept a record of its own, what became of its
/// holds since is added to that. `ended` is when it was gone, where that is known.
pub fn keep(
    settled: &Settled,
    state: &StateDir,
    ended: Option<Timestamp>,
) -> Result<(), HistoryError> {
    let ledger = &settled.ledger;
    let Some(begun) = &ledger.begun else {
        return Ok(());
    };
    if let Some((_, Some(Live::Old | Live::Other))) = &ledger.exchange {
        let trees = OldTrees::of(state, &begun.job);
        if let Err((record, error)) = trees.forget_unless_there(&begun.run) {
            // It names a directory that is not there, which `--undo` says.
            tracing::warn!(%error, record = %record.display(), "a record stays");
        }
    }
    let history = History::of(state);
    let known = history.outcome_of(&begun.run)?;
    let has_its_own = known.is_some_and(|outcome| outcome != Ended::Abandoned.name());
    if ledger.ended || has_its_own {
        return complete(&history, settled, begun);
    }
    let ended = ended.or(ledger.last).unwrap_or(begun.started);
    let mark = begun::Mark::at(state.begun(&begun.job)).left();
    // One that can't be read is told of by the next backup.
    let mark = mark.ok().flatten().filter(|mark| mark.run == begun.run);
    let run = mark.unwrap_or_else(|| KilledRun {
        run: begun.run.clone(),
        started: begun.started,
        sealed: None,
    });
    let record = record(bare(&run, &begun.job), ledger, &settled.left, ended);
    history.add(&record.row(), &record.to_json())
}

/// The run of this job that was killed, and is known by its mark. None while a run goes on, which has one, too.
pub fn killed(job: &str, state: &StateDir) -> Option<KilledRun> {
    let mark = begun::Mark::at(state.begun(job));
    // One that can't be read is told of by the next backup.
    let left = mark.left().ok()??;
    // Whether one goes on is not known where the lock can't be looked at, and is told by what takes it.
    look(&state.lock_file(job), job).ok()?;
    // It may have come to its end between the two looks.
    mark.left().ok()?.filter(|still| *still == left)
}

/// The jobs of which a run has left a mark, or goes on.
pub fn marked(state: &StateDir) -> Result<Vec<String>, CopalError> {
    let directory = state.begun("");
    let unreadable = |source| CopalError::Scratch {
        deed: "look through",
        path: directory.clone(),
        source,
    };
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let names = entries.map(|entry| entry.map(|it| it.file_name().into_string().ok()));
    let names: Vec<Option<String>> = names.collect::<io::Result<_>>().map_err(unreadable)?;
    let mut jobs: Vec<String> = names.into_iter().flatten().collect();
    jobs.sort();
    Ok(jobs)
}

/// What is known of such a run, where the history does not know it.
pub fn unrecorded(job: &str, state: &StateDir) -> Result<Option<Record>, HistoryError> {
    let Some(begun) = killed(job, state) else {
        return Ok(None);
    };
    let known = History::of(state).outcome_of(&begun.run)?;
    Ok(known.is_none().then(|| bare(&begun, job)))
}

/// Keeps that a run was killed of which nothing is known but its mark, unless that was known before; as what.
pub fn keep_bare(
    killed: &KilledRun,
    job: &str,
    state: &StateDir,
) -> Result<Option<Ended>, HistoryError> {
    let history = History::of(state);
    if history.outcome_of(&killed.run)?.is_some() {
        return Ok(None);
    }
    let record = bare(killed, job);
    history.add(&record.row(), &record.to_json())?;
    Ok(Some(record.outcome))
}

/// A run that said of a hold that it could not be released is to have its end, too.
fn complete(history: &History, settled: &Settled, begun: &Begun) -> Result<(), HistoryError> {
    // What its guard released while the run was there still, and had given up, is known to the journal alone.
    let by_others = |hold: &&Hold| {
        let by = hold.released.map(|(by, _)| by);
        matches!(by, Some(By::Guard | By::Recovery))
    };
    let released: Vec<_> = settled.ledger.holds.iter().filter(by_others).collect();
    if released.is_empty() {
        return Ok(());
    }
    let since = Instant::now();
    let at = Timestamp::now();
    while !history.amend(&begun.run, |record| later(record, &released, at))? {
        // The journal tells of its end first.
        if since.elapsed() > ABOUT_TO_BE_KEPT {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Writes into a record what was released at `at`.
fn later(record: &mut serde_json::Value, released: &[&Hold], at: Timestamp) {
    let at = second(at);
    for hold in released {
        let now = HoldRecord::from(*hold);
        let by = now.released_by.clone().unwrap_or_default();
        let note = format!("`{}` was released later, by the {by} at {at}", now.service);
        let is_the_same = |kept: &&mut serde_json::Value| {
            kept["service"] == now.service.as_str() && kept["away_ms"].is_null()
        };
        let kept = record.get_mut("holds").and_then(|it| it.as_array_mut());
        // The run may know of it.
        let Some(kept) = kept.into_iter().flatten().find(is_the_same) else {
            continue;
        };
        kept["away_ms"] = now.away_ms.into();
        kept["released_by"] = now.released_by.into();
        let notes = record.get_mut("notes").and_then(|it| it.as_array_mut());
        if let Some(notes) = notes {
            notes.push(note.into());
        }
    }
}

fn record(bare: Record, ledger: &Ledger, left: &[Left], ended: Timestamp) -> Record {
    let took = Duration::try_from(ended.duration_since(bare.started)).unwrap_or_default();
    let down = left.iter().map(|left| Trouble {
        what: left.told(),
        why: vec![left.why.clone()],
        next: format!("{}; then `copal recover` resumes it", left.next),
    });
    Record {
        kind: if ledger.exchange.is_some() {
            Kind::Restore
        } else {
            Kind::Backup
        },
        notes: ledger.exchange.iter().map(note_of).collect(),
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        outcome: if left.is_empty() {
            bare.outcome
        } else {
            Ended::Abandoned
        },
        exit: if left.is_empty() { bare.exit } else { 5 },
        errors: down.chain(bare.errors).collect(),
        holds: ledger.holds.iter().map(HoldRecord::from).collect(),
        ..bare
    }
}

/// That there was such a run, and that it was killed; what it had sealed is good.
fn bare(run: &KilledRun, job: &str) -> Record {
    match SealedBefore::of(run) {
        Some(sealed) if sealed.everywhere => after_the_seal(run, job, sealed),
        Some(sealed) => Record {
            exit: 3,
            snapshots: sealed.snapshots,
            ..before_the_seal(run, job)
        },
        None => before_the_seal(run, job),
    }
}

fn after_the_seal(run: &KilledRun, job: &str, sealed: SealedBefore) -> Record {
    let killed = Trouble {
        what: "the run was killed after its snapshot was sealed, which is good".to_owned(),
        why: vec!["its process was killed, or the machine went down".to_owned()],
        next: "nothing: what follows a seal, such as a prune, the next backup does".to_owned(),
    };
    Record {
        outcome: Ended::Warned,
        exit: 3,
        snapshots: sealed.snapshots,
        errors: Vec::new(),
        shortcomings: vec![killed],
        ..before_the_seal(run, job)
    }
}

fn before_the_seal(run: &KilledRun, job: &str) -> Record {
    let killed = Trouble {
        what: "the run ended before it came to its end".to_owned(),
        why: vec!["its process was killed, or the machine went down".to_owned()],
        next: "nothing half-done is in use; run it again".to_owned(),
    };
    Record {
        run: run.run.clone(),
        name: job.to_owned(),
        kind: Kind::Backup,
        started: run.started,
        took_ms: 0,
        outcome: Ended::Abandoned,
        exit: 1,
        copal: env!("CARGO_PKG_VERSION").to_owned(),
        errors: vec![killed],
        ..Record::empty()
    }
}

/// Which tree a killed restore has left live.
fn note_of((exchange, live): &(Exchange, Option<Live>)) -> String {
    let which = match live {
        Some(Live::New) => "what it put there",
        Some(Live::Old | Live::Other) => "what it was before",
        None => "between two trees",
    };
    format!("`{}` is {which}", exchange.live.display())
}

#[cfg(test)]
#[path = "abandoned_tests.rs"]
mod tests;
