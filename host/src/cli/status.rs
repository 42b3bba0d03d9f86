//! `copal status`

use clap::Args;
use copal_core::freshness::Freshness;
use copal_core::name::Name;
use copal_core::schedule::When;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Global;
use super::ending::Exit;
use super::open::{configured, state};
use crate::abandoned;
use crate::drill::last_failed;
use crate::edge::history::{History, HistoryError, Wanted, Whose};
use crate::edge::schedule::{found, machine_zone};
use crate::edge::state::StateDir;
use crate::error::CopalError;
use crate::job::Job;
use crate::record::{Ended, Kind, Record};
use crate::show;
use crate::show::status::{Destination, Drills, Proof, Status};

/// There is nothing to say but which configuration.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {}

pub(super) fn run(_: &StatusArgs, global: &Global) -> Result<Exit, CopalError> {
    let job = configured(global)?;
    let status = status_of(&job, &state()?, Timestamp::now())?;
    show::status::print(&status, global.output())?;
    Ok(if status.is_well() {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// All that is known of a job on this machine.
pub(super) fn status_of(job: &Job, state: &StateDir, now: Timestamp) -> Result<Status, CopalError> {
    let history = History::of(state);
    let (name, max_age) = (job.name(), job.config.max_age());
    let mut destinations = Vec::new();
    for it in job.places() {
        let last: Option<Record> = history.last_at(name, it.asked(), Whose::Job)?;
        let began = last.as_ref().map(|record| record.started);
        let snapshot = last.and_then(|record| Some(it.find(&record.snapshots)?.id));
        let about = |kind: Kind, wanted| -> Result<Option<Record>, HistoryError> {
            history.last_about(name, it.asked(), kind.name(), wanted)
        };
        let (verified, drilled) = (
            about(Kind::Verify, Wanted::Good)?,
            about(Kind::Drill, Wanted::Good)?,
        );
        let failed = last_failed(&history, name, &it)?;
        let proof = |record| Proof::of(record, &it);
        let proven = |proof: Option<Proof>| -> Result<Option<Proof>, HistoryError> {
            let Some(proof) = proof else { return Ok(None) };
            let id = proof.snapshot.to_string();
            let is_pruned = history.is_pruned(name, &it.shown, &id)?;
            Ok(Some(Proof { is_pruned, ..proof }))
        };
        let looked = about(Kind::Verify, Wanted::Any)?;
        destinations.push(Destination {
            freshness: Freshness::of(began, max_age, now),
            // A drill reads everything back, and so verifies.
            verified: proven(later(proof(verified), proof(drilled.clone())))?,
            drills: Drills::Known {
                worked: proven(proof(drilled))?,
                failed: proof(failed),
            },
            damaged: looked
                .filter(|found| found.outcome == Ended::Failed)
                .and_then(|found| proof(Some(found)))
                .filter(|found| Some(found.snapshot) == snapshot),
            snapshot,
            began,
            place: it,
        });
    }
    Ok(Status {
        name: name.to_owned(),
        now,
        max_age,
        destinations,
        last_run: match abandoned::unrecorded(name, state)? {
            None => history.last_of::<Record>(name, Kind::Backup.name())?,
            killed => killed,
        },
        last_drill: history.last_of::<Record>(name, Kind::Drill.name())?,
        next: next(job.config.name(), now)?,
    })
}

fn later(one: Option<Proof>, other: Option<Proof>) -> Option<Proof> {
    one.into_iter().chain(other).max_by_key(|proof| proof.at)
}

/// When the job is started by itself the next time, if it is.
fn next(job: &Name, now: Timestamp) -> Result<Option<Timestamp>, CopalError> {
    let whens = found(job)?.into_iter().filter_map(|it| it.when);
    let next = |(when, zone): (When, Option<String>)| {
        let named = zone.and_then(|name| TimeZone::get(&name).ok());
        let zone = named.unwrap_or_else(machine_zone);
        when.after(now, &zone).next()
    };
    Ok(whens.take(1).find_map(next))
}
