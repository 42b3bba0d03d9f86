//! The end of a run, for whoever watched it: the history, the messages and the exit code.

use super::ending::{Ending, Exit, ending};
use crate::edge::history::{History, HistoryError};
use crate::edge::interrupt::{Interrupt, Interrupted};
use crate::edge::log;
use crate::edge::state::StateDir;
use crate::error::CopalError;
use crate::outcome::{Achieved, Outcome, Verdict};
use crate::record::{Kind, Record};
use crate::show::{self, message};

/// Writes a run into the history, and tells what went wrong. What the history can't keep is one
/// shortcoming more.
pub(super) fn conclude<T: Achieved>(outcome: &mut Outcome<T>, state: &StateDir) -> Exit {
    conclude_and(outcome, state, &|| Ok(()))
}

/// The same, and does what follows from what the history has then. Where that falls short, the history knows of
/// it, too.
pub(super) fn conclude_and<T: Achieved>(
    outcome: &mut Outcome<T>,
    state: &StateDir,
    then: &dyn Fn() -> Result<(), CopalError>,
) -> Exit {
    let history = History::of(state);
    outcome.shortcomings.extend(log::trouble().map(Into::into));
    let keep = |outcome: &Outcome<T>| {
        let next = |error: &CopalError| next_of(outcome, error);
        let record = Record::of(outcome, exit(outcome).code(), &next);
        history.add(&record.row(), &record.to_json())
    };
    if let Err(error) = keep(outcome) {
        let anew = matches!(error, HistoryError::SetAside(_));
        outcome.shortcomings.push(error.into());
        // The new one is to know of this, too.
        if anew && let Err(error) = keep(outcome) {
            outcome.shortcomings.push(error.into());
        }
    }
    if let Err(error) = then() {
        outcome.tell_once(error);
        if let Err(error) = keep(outcome) {
            outcome.tell_once(error.into());
        }
    }
    tell_each(outcome, &|error| {
        let next = next_of(outcome, error);
        if error.is_of_a_hook_before_the_seal() {
            format!("no snapshot was made; {next}")
        } else {
            next
        }
    });
    tell_warnings(outcome);
    log_the_end(outcome);
    exit(outcome)
}

/// What hooks warned of, each once, whatever phase it was in.
fn tell_warnings<T: Achieved>(outcome: &Outcome<T>) {
    let mut told = Vec::new();
    for (hook, warning) in outcome.warnings() {
        if !told.contains(&(hook, warning)) {
            message::warning(hook, warning);
            told.push((hook, warning));
        }
    }
}

/// What a log is looked through for.
fn log_the_end<T: Achieved>(outcome: &Outcome<T>) {
    for snapshot in outcome.snapshots() {
        let (id, at) = (snapshot.id, &snapshot.destination);
        let (files, bytes) = (snapshot.files, snapshot.bytes);
        tracing::info!(files, bytes, "snapshot {id} at {at}");
    }
    let (kind, took) = (outcome.kind.name(), show::duration(outcome.took));
    let (ended, code) = (outcome.verdict().name(), exit(outcome).code());
    tracing::info!("{kind} {ended} after {took}, exit code {code}");
}

/// What to do about an error of this run: what is said there of a run means this one.
fn next_of<T: Achieved>(outcome: &Outcome<T>, error: &CopalError) -> String {
    let Ending { exit, next } = ending(error);
    let next = next.replace(
        "history show latest",
        &format!("history show {}", outcome.run),
    );
    if exit != Exit::NotResumed || outcome.kind != Kind::Backup {
        return next;
    }
    // Whoever is woken by it may have many jobs, and asks first whether there is a backup.
    let snapshots = outcome.snapshots();
    let sealed = snapshots.first().map_or_else(
        || "no snapshot was made".to_owned(),
        |snapshot| format!("the snapshot {} is sealed", snapshot.id),
    );
    format!("{next}. It is of the job `{}`: {sealed}", outcome.name)
}

/// Tells what went wrong in a rehearsal, each thing in three parts.
pub(super) fn tell<T: Achieved>(outcome: &Outcome<T>) {
    tell_each(outcome, &|error| ending(error).next);
}

/// `next` says what to do about what ended it.
fn tell_each<T: Achieved>(outcome: &Outcome<T>, next: &dyn Fn(&CopalError) -> String) {
    // However many things a signal ended, it is told once, after what really failed.
    let failed = outcome.errors().filter(|error| !error.is_interruption());
    failed.for_each(|error| message::error(error, &next(error)));
    if let Verdict::Interrupted(signal) = outcome.verdict() {
        also(&Interrupted(signal).into());
    }
    for error in &outcome.shortcomings {
        message::error(error, &next_of(outcome, error));
    }
}

/// Tells one thing more that went wrong.
pub(super) fn also(error: &CopalError) {
    message::error(error, &ending(error).next);
}

/// An error of what is no run, and so has no outcome: where a signal is all there is to it, the signal.
pub(super) fn or_the_signal(error: CopalError, interrupt: &Interrupt) -> CopalError {
    match interrupt.signal().filter(|_| error.is_interruption()) {
        Some(signal) => Interrupted(signal).into(),
        None => error,
    }
}

/// The exit code: the signal's, the first error's, or the shortcoming's. That a service is down outranks
/// them all.
pub(super) fn exit<T: Achieved>(outcome: &Outcome<T>) -> Exit {
    let mut troubles = outcome.errors().chain(&outcome.shortcomings);
    if troubles.any(|error| ending(error).exit == Exit::NotResumed) {
        return Exit::NotResumed;
    }
    match outcome.verdict() {
        Verdict::Succeeded => Exit::Done,
        Verdict::Warned => Exit::FellShort,
        Verdict::Failed if in_part(outcome) => Exit::FellShort,
        Verdict::Failed => outcome
            .errors()
            .next()
            .map_or(Exit::Failed, |error| ending(error).exit),
        Verdict::Interrupted(signal) => Exit::Interrupted(signal),
    }
}

/// Whether there is a snapshot at some of the destinations.
fn in_part<T: Achieved>(outcome: &Outcome<T>) -> bool {
    outcome.result.as_ref().is_ok_and(Achieved::in_part)
}

/// The result is there, and its telling may fall short.
pub(super) fn told(exit: Exit, printed: Result<(), CopalError>) -> Exit {
    match printed {
        Ok(()) => exit,
        Err(error) => {
            also(&error);
            if exit == Exit::Done {
                Exit::FellShort
            } else {
                exit
            }
        }
    }
}
