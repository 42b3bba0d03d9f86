//! A backup run, from its first look at the source to the last hook.

mod bracket;
mod killed;
pub(crate) mod look;
mod prune;

use std::collections::BTreeSet;
use std::sync::Arc;

use copal_core::config::StagingMode;
use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::{Cancel, HookFailure};

use crate::capability::means::Means;
use crate::edge::begun::Mark;
use crate::edge::lock::{Lock, LockError, Patience};
use crate::edge::top::Top;
use crate::edges::{Edges, Step};
use crate::error::CopalError;
use crate::floors::{self, Deeds, Floor};
use crate::holds::{Bracket, Holds, Terms, at_an_end};
use crate::hooks::Hooks;
use crate::job::Job;
use crate::outcome::{Achieved, Delivered, Delivery, Notes, Outcome};
use crate::record::Kind;
use crate::run::Run;
use crate::step::deliver::{Parcel, Reached, SealedAt};
use crate::step::plan::Plan;
use crate::step::preflight::{self, Ready};
use crate::step::read::{Read, Reading, read};
use crate::step::resume::note;

/// How a person lets a run differ from its configuration.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowances {
    /// Databases of the last snapshot may be gone or empty.
    pub missing_databases: bool,
    /// How long to wait for the lock.
    pub wait: Patience,
}

/// One backup.
pub(crate) struct Backup<'a> {
    pub(crate) run: Run<'a>,
    pub(crate) job: &'a Job,
    pub(crate) allow: Allowances,
    notes: Notes,
    /// What its hooks may use besides the source.
    means: Arc<Means>,
    /// What becomes of what they ask for.
    deeds: Deeds,
    /// Whether destinations may be tried by a small file that goes at once.
    pub(crate) may_try_to_write: bool,
    /// What is held of the job's services.
    holds: Holds,
    /// Releases it whatever happens, from the pause on.
    bracket: Option<Bracket>,
    /// That it has begun, for whoever comes after it if it is killed.
    mark: Option<Mark>,
    /// The source, and its databases that hooks may speak of, from the plan on.
    view: Option<(Top, Vec<RelPath>)>,
}

/// Backs a job up. Whatever happens, post-backup hooks hear of it, once.
pub fn backup(
    job: &Job,
    allow: Allowances,
    edges: &Edges<'_>,
) -> Result<Outcome<Delivered>, CopalError> {
    let mut backup = Backup::begin(job, allow, Deeds::Done, edges);
    let file = edges.state.lock_file(job.name());
    let (lock, unlocked) = match Lock::wait(&file, job.name(), allow.wait, edges.interrupt) {
        Ok(lock) => (Some(lock), None),
        Err(error @ LockError::Io { .. }) => (None, Some(error)),
        // Where another run holds the lock, this one is none: no hook hears of it.
        Err(held) => return Err(held.into()),
    };
    // Those that can be used hear of it that others can't, or that there is no room for a lock.
    let (mut hooks, refused) = Hooks::load_each(&job.config, &job.base, backup.run.info());
    let refused = refused.map(CopalError::from);
    let result = if let Some(error) = unlocked {
        backup.run.shortcomings.extend(refused);
        Err(error.into())
    } else {
        let at_an_end = at_an_end(edges.state, job.name());
        if !job.is_one_off {
            // Its own hooks are to hear of a killed run of the job of this name.
            backup.take_over(&mut hooks);
        }
        match (at_an_end, refused) {
            (Ok(()), None) => backup.snapshot(&mut hooks),
            (Ok(()), Some(refused)) => Err(refused),
            (Err(error), refused) => {
                backup.run.shortcomings.extend(refused);
                Err(error.into())
            }
        }
    };
    let outcome = backup.end(hooks, result);
    drop(lock);
    Ok(outcome)
}

impl<'a> Backup<'a> {
    pub(crate) fn begin(
        job: &'a Job,
        allow: Allowances,
        deeds: Deeds,
        edges: &'a Edges<'a>,
    ) -> Self {
        let mut run = Run::begin(Kind::Backup, job.name(), edges);
        run.one_off = job.is_one_off;
        let means = Means::of(job, edges.state);
        let (means, holds) = match deeds {
            Deeds::Done => {
                let holds = Holds::under(terms(job, &run));
                (means.holding(&holds), holds)
            }
            Deeds::Recorded => (means.rehearsing(), Holds::default()),
        };
        Self {
            run,
            job,
            holds,
            bracket: None,
            allow,
            notes: Notes::default(),
            means: means.shared(),
            deeds,
            may_try_to_write: deeds == Deeds::Done,
            mark: None,
            view: None,
        }
    }

    /// The run itself: plan, preflight, pause–stage–resume, and a delivery to each destination.
    fn snapshot(&mut self, hooks: &mut Hooks) -> Result<Delivered, CopalError> {
        let edges = self.run.edges;
        let (plan, reached) = self.look(hooks)?;
        let read = match self.stage(hooks, &plan, &reached) {
            Ok(read) => read,
            Err(error) => return Err(self.without_deliveries(reached, error)),
        };
        let shrunk = self.shrunk(&read, &reached);
        let run = self.run.id.clone();
        let parcel = Parcel {
            job: self.job,
            run: &run,
            started: self.run.started,
            read: &read,
            hooks,
            edges,
            accept_missing: self.allow.missing_databases,
        };
        let (mut deliveries, sealed_at) = self.deliver(&parcel, reached);
        let fell_short = deliveries.iter_mut().filter_map(|it| it.fell_short.take());
        self.run.shortcomings.extend(fell_short);
        match shrunk {
            None => self.prune(&mut deliveries, sealed_at),
            // The older snapshots may be all that is left.
            Some(shrunk) => self.run.shortcomings.push(shrunk),
        }
        let sealed = || deliveries.iter().filter_map(|it| it.result.as_ref().ok());
        let outrun: BTreeSet<RelPath> = sealed().flat_map(|it| it.outrun.clone()).collect();
        if !outrun.is_empty() {
            let outrun = outrun.into_iter().collect();
            self.run.shortcomings.push(CopalError::Outrun(outrun));
        }
        let missed = sealed().filter(|snapshot| snapshot.missed_much());
        let missed: BTreeSet<RelPath> = missed.flat_map(|it| it.vanished.clone()).collect();
        if !missed.is_empty() {
            let missed = missed.into_iter().collect();
            self.run.shortcomings.push(CopalError::Missed(missed));
        }
        let notes = std::mem::take(&mut self.notes);
        Ok(Delivered { deliveries, notes })
    }

    /// To each destination, and notes which have it.
    fn deliver(
        &mut self,
        parcel: &Parcel<'_>,
        reached: Vec<Reached>,
    ) -> (Vec<Delivery>, Vec<Option<SealedAt>>) {
        let destinations = reached.len();
        let (mut delivered, mut sealed_at) = (Delivered::default(), Vec::new());
        for one in reached {
            let (delivery, sealed) = parcel.deliver(one);
            delivered.deliveries.push(delivery);
            if sealed.is_some() {
                self.mark_sealed(&delivered, destinations);
            }
            sealed_at.push(sealed);
        }
        (delivered.deliveries, sealed_at)
    }

    /// What is delivered, when the app goes on and hooks have heard of it.
    fn stage(
        &mut self,
        hooks: &mut Hooks,
        plan: &Plan,
        reached: &[Reached],
    ) -> Result<Read, CopalError> {
        self.run.edges.show.step(Step::Stage);
        let answers = reached.iter().map(|one| &one.ready);
        let ready: Vec<&Ready> = answers.filter_map(|ready| ready.as_ref().ok()).collect();
        let bracketed = self.pause_stage_resume(hooks, plan, &ready)?;
        let by = Reading {
            live_allowed: &|path| self.job.config.allows_live(path),
            wanted: preflight::wanted(&ready),
            interrupt: self.run.edges.interrupt,
        };
        let read = read(bracketed, by)?;
        self.tell_staged(hooks, read.files.len() as u64, read.bytes())?;
        Ok(read)
    }

    /// Tells hooks that so much is staged.
    pub(crate) fn tell_staged(
        &self,
        hooks: &mut Hooks,
        files: u64,
        bytes: ByteCount,
    ) -> Result<(), HookFailure> {
        hooks.count(files, bytes);
        hooks.staged(&self.last_floor(), &self.cancel())
    }

    /// The outcome, of which post-backup hooks hear.
    pub(crate) fn end<T: Achieved>(
        mut self,
        mut hooks: Hooks,
        result: Result<T, CopalError>,
    ) -> Outcome<T> {
        let (floor, cancel) = (self.last_floor(), self.cancel());
        let problems = note(self.holds.finish(&cancel), &mut self.run);
        let mut outcome = self.run.end(result);
        // What was seen of a hold while it was relied on is seen again when it is released.
        for problem in problems {
            outcome.tell_once(problem.into());
        }
        hooks.filter_failed(outcome.errors().find_map(CopalError::failed_filter));
        outcome.hear(&mut hooks);
        hooks.post_backup(&outcome.report(), &floor, &cancel);
        outcome.hear(&mut hooks);
        let ended = self.holds.end().map_err(CopalError::from);
        outcome.shortcomings.extend(ended.err());
        outcome
            .shortcomings
            .extend(self.mark.as_ref().and_then(killed::told));
        outcome
    }

    fn cancel(&self) -> Cancel {
        Cancel::from(self.run.edges.interrupt.flag())
    }

    /// The source as hooks see it when nothing is made of it any more.
    fn last_floor(&self) -> Floor {
        let (source, databases) = self
            .view
            .clone()
            .unwrap_or_else(|| (Top::at(self.job.source_if_found()), Vec::new()));
        let interrupt = self.run.edges.interrupt;
        let view = floors::view_of_tree(&self.means, source, databases, interrupt);
        self.deeds.floor(view)
    }
}

/// What the holds of a run are taken under.
fn terms(job: &Job, run: &Run<'_>) -> Terms {
    let staging = job.config.staging();
    let bounded = staging.mode != StagingMode::Hold;
    let max_pause = bounded.then_some(staging.max_pause);
    Terms::of(run.edges.state, &run.id, job.name(), run.started, max_pause)
}

#[cfg(test)]
#[path = "backup_tests.rs"]
mod tests;
