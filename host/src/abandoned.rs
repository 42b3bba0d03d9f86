//! The record of a run that could not keep one itself: it was killed, or the machine went down. The
//! journal of its holds is what is known of it.

use std::time::Duration;

use jiff::Timestamp;

use crate::edge::history::{History, HistoryError};
use crate::edge::state::StateDir;
use crate::holds::ledger::{Begun, Ledger};
use crate::holds::recovery::Settled;
use crate::holds::release::Left;
use crate::record::{Ended, HoldRecord, Kind, Record, Trouble};

/// Keeps what is known of the run of this journal, unless it kept a record of its own. `ended` is when it
/// was gone, where that is known.
pub fn keep(
    settled: &Settled,
    state: &StateDir,
    ended: Option<Timestamp>,
) -> Result<(), HistoryError> {
    let ledger = &settled.ledger;
    let Some(begun) = ledger.begun.as_ref().filter(|_| !ledger.ended) else {
        return Ok(());
    };
    let history = History::of(state);
    let known = history.outcome_of(&begun.run)?;
    if known.is_some_and(|outcome| outcome != Ended::Abandoned.name()) {
        return Ok(());
    }
    let ended = ended.or(ledger.last).unwrap_or(begun.started);
    let record = record(begun, ledger, &settled.left, ended);
    history.add(&record.row(), &record.to_json())
}

fn record(begun: &Begun, ledger: &Ledger, left: &[Left], ended: Timestamp) -> Record {
    let took = Duration::try_from(ended.duration_since(begun.started)).unwrap_or_default();
    let killed = Trouble {
        what: "the run ended before it came to its end".to_owned(),
        why: vec!["its process was killed, or the machine went down".to_owned()],
        next: "nothing half-done is in use; run it again".to_owned(),
    };
    let down = left.iter().map(|left| Trouble {
        what: left.told(),
        why: vec![left.why.clone()],
        next: format!("{}; then `copal recover` resumes it", left.next),
    });
    Record {
        run: begun.run.clone(),
        name: begun.job.clone(),
        kind: Kind::Backup,
        started: begun.started,
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        outcome: Ended::Abandoned,
        exit: if left.is_empty() { 1 } else { 5 },
        copal: env!("CARGO_PKG_VERSION").to_owned(),
        snapshots: Vec::new(),
        errors: down.chain([killed]).collect(),
        shortcomings: Vec::new(),
        notes: Vec::new(),
        holds: ledger.holds.iter().map(HoldRecord::from).collect(),
        hooks: Vec::new(),
    }
}
