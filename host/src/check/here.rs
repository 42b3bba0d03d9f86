//! What is on this machine besides: Copal's state, locks, holds, the schedule, the last good backup.

use std::path::{Path, PathBuf};

use copal_core::freshness::Freshness;
use copal_core::schedule::Entry;
use copal_core::text::minute;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::finding::Findings;
use super::{CheckError, Checked, Part};
use crate::drill::last_failed;
use crate::edge::frozen::existing;
use crate::edge::history::{History, Whose};
use crate::edge::lock;
use crate::edge::schedule::{ScheduleError, Scheduled, Scheduler, found, machine_zone};
use crate::edge::scratch::write_and_forget;
use crate::edge::state::StateDir;
use crate::error::CopalError;
use crate::holds::HoldsError;
use crate::holds::journal::{Journal, JournalError};
use crate::holds::ledger::Ledger;
use crate::holds::release::Left;
use crate::record::{Kind, Record};

pub(super) fn look(checked: &Checked<'_>, findings: &mut Findings) {
    let (job, state) = (checked.job, checked.edges.state);
    match write_and_forget(existing(state.path())) {
        Ok(()) => findings.well(
            Part::State,
            None,
            format!("`{}` can be written to", state.path().display()),
        ),
        Err(source) => {
            let path = state.path().to_owned();
            findings.failure(Part::State, None, CheckError::State { path, source });
        }
    }
    match lock::look(&state.lock_file(job.name()), job.name()) {
        Ok(()) => findings.well(Part::Lock, None, "free"),
        Err(held @ lock::LockError::Held { .. }) => findings.warning(Part::Lock, None, held),
        Err(error) => findings.failure(Part::Lock, None, error),
    }
    look_at_holds(state, findings);
    look_at_schedule(checked, findings);
    look_at_last_runs(checked, findings);
}

/// What was left held was released when this command began, or that failed.
fn look_at_holds(state: &StateDir, findings: &mut Findings) {
    let ledgers = match ledgers(state) {
        Ok(ledgers) => ledgers,
        Err(error) => {
            findings.warning(Part::Held, None, HoldsError::from(error));
            return;
        }
    };
    let (mut held, mut is_told) = (Vec::new(), false);
    for ledger in &ledgers {
        let job = ledger.begun.as_ref().map(|begun| begun.job.as_str());
        for hold in ledger.to_release() {
            match Left::of(hold) {
                Some(left) => {
                    findings.failure(Part::Held, job, HoldsError::Unreleased(left));
                    is_told = true;
                }
                None => held.push(format!("`{}`", hold.service)),
            }
        }
    }
    if !held.is_empty() {
        let what = format!("by a run that goes on: {}", held.join(", "));
        findings.well(Part::Held, None, what);
    } else if !is_told {
        findings.well(Part::Held, None, "nothing");
    }
}

fn ledgers(state: &StateDir) -> Result<Vec<Ledger>, JournalError> {
    let mut ledgers = Vec::new();
    for path in Journal::all(state)? {
        if let Some(journal) = Journal::open(&path, "check")? {
            ledgers.push(journal.read()?);
        }
    }
    Ok(ledgers)
}

fn look_at_schedule(checked: &Checked<'_>, findings: &mut Findings) {
    let all = match found(checked.job.config.name()) {
        Ok(all) => all,
        Err(error) => {
            findings.warning(Part::Schedule, None, error);
            return;
        }
    };
    match &all[..] {
        [] => findings.note(
            Part::Schedule,
            None,
            (
                "the job is not started by itself",
                "`copal schedule install daily 03:00` has it started each night",
            ),
        ),
        [one] if one.is_off => findings.note(
            Part::Schedule,
            None,
            (
                format!("what starts the job was taken out of {}", one.place),
                "`copal schedule install daily 03:00` writes it anew",
            ),
        ),
        [one] if is_of_another(one, checked.file) => {
            let others = ScheduleError::Others(one.place.clone());
            findings.warning(Part::Schedule, None, others);
        }
        [one] => {
            let next = next(one, (checked.edges.now)());
            let next = next.map_or_else(
                || "at times that Copal can't tell".to_owned(),
                |next| format!("next at {}", minute(next)),
            );
            findings.well(Part::Schedule, None, format!("by {}, {next}", one.place));
        }
        many => {
            let places: Vec<_> = many.iter().map(|one| one.place.as_str()).collect();
            let what = format!(
                "the job is started more than once: by {}",
                places.join(", ")
            );
            let packaged = many.iter().find(|one| one.by == Scheduler::Package);
            let next = packaged.map_or_else(
                || "`copal schedule remove` takes all of them away; then install it anew".to_owned(),
                |one| {
                    let timer = &one.place;
                    format!("`copal schedule remove` takes Copal's own away, or `systemctl disable --now {timer}` the package's")
                },
            );
            findings.note(Part::Schedule, None, (what, next));
        }
    }
}

/// When it starts the job the next time.
fn next(one: &Scheduled, now: Timestamp) -> Option<Timestamp> {
    let (when, zone) = one.when.as_ref()?;
    let named = zone.as_deref().and_then(|name| TimeZone::get(name).ok());
    when.after(now, &named.unwrap_or_else(machine_zone)).next()
}

/// Whether it is another configuration of the same name that is started.
fn is_of_another(one: &Scheduled, file: Option<&Path>) -> bool {
    let file = file.and_then(|file| file.canonicalize().ok());
    let (Some(config), Some((when, _))) = (file, &one.when) else {
        return false;
    };
    let entry = Entry {
        when: when.clone(),
        program: PathBuf::new(),
        config,
        environment: Vec::new(),
        jitter: None,
    };
    !entry.is_of(&one.text)
}

fn look_at_last_runs(checked: &Checked<'_>, findings: &mut Findings) {
    let job = checked.job;
    let history = History::of(checked.edges.state);
    let (now, max_age) = ((checked.edges.now)(), job.config.max_age());
    for place in job.places() {
        let about = place.told();
        let about = Some(about.as_str());
        let last: Option<Record> = match history.last_at(job.name(), place.asked(), Whose::Job) {
            Ok(last) => last,
            Err(error) => {
                findings.warning(Part::LastRun, about, error);
                return;
            }
        };
        let began = last.map(|last| last.started);
        let when = began.map_or_else(String::new, minute);
        match Freshness::of(began, max_age, now) {
            Freshness::Fresh => {
                findings.well(Part::LastRun, about, format!("good, begun at {when}"));
            }
            Freshness::Never => findings.note(
                Part::LastRun,
                about,
                (
                    "no good backup that this machine knows of",
                    "`copal backup` makes one",
                ),
            ),
            Freshness::Overdue => findings.note(
                Part::LastRun,
                about,
                (
                    format!("the last good backup began at {when}, which is longer ago than `max_age`"),
                    "`copal history` tells how the runs since have ended; `copal backup` makes one now",
                ),
            ),
        }
    }
    look_at_last_drills(checked, &history, findings);
    match history.last_of::<Record>(job.name(), Kind::Backup.name()) {
        Ok(Some(run)) if run.exit != 0 => findings.note(Part::LastRun, None, told_of_failed(&run)),
        Ok(_) => {}
        Err(error) => findings.warning(Part::LastRun, None, CopalError::from(error)),
    }
}

/// What is backed up well and does not bring the app back is no backup.
fn look_at_last_drills(checked: &Checked<'_>, history: &History, findings: &mut Findings) {
    let job = checked.job;
    for place in job.places() {
        match last_failed(history, job.name(), &place) {
            Ok(None) => {}
            Ok(Some(drill)) => {
                let (what, next) = told_of_failed(&drill);
                let next = format!("{next}; `copal drill` tries again what is there now");
                findings.note(Part::LastRun, Some(&place.told()), (what, next));
            }
            Err(error) => findings.warning(Part::LastRun, Some(&place.told()), error),
        }
    }
}

fn told_of_failed(run: &Record) -> (String, String) {
    let trouble = run.errors.iter().chain(&run.shortcomings).next();
    let trouble = trouble.map_or_else(String::new, |trouble| format!(": {}", trouble.what));
    let when = minute(run.started);
    (
        format!(
            "the last {}, begun at {when}, ended with {}{trouble}",
            if run.kind == Kind::Drill {
                "drill"
            } else {
                "run"
            },
            run.exit
        ),
        format!("`copal history show {}` tells all of it", run.run),
    )
}
