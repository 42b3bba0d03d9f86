//! What is known before anything is done: the plan, and what the destinations answer.

use std::collections::BTreeMap;

use copal_core::config::{Layout, RemoteSpec};
use copal_core::grants::Capability;
use copal_core::mirror::Map;
use copal_core::mounts::Lost;
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;
use copal_core::units::ByteCount;

use super::Backup;
use crate::edge::remote::Abilities;
use crate::edge::walk::Walked;
use crate::edges::Step;
use crate::error::CopalError;
use crate::hooks::Hooks;
use crate::step::deliver::Reached;
use crate::step::mirror::MirrorError;
use crate::step::naming::planned_in_mirror;
use crate::step::plan::{Plan, plan};
use crate::step::preflight::{self, Above, Asked, PreflightError, Ready};
use crate::step::services::{self, FoundService};

impl Backup<'_> {
    /// Everything that can be known before anything is done.
    pub(crate) fn look(&mut self, hooks: &mut Hooks) -> Result<(Plan, Vec<Reached>), CopalError> {
        let edges = self.run.edges;
        edges.show.step(Step::Plan);
        let now = (edges.now)();
        let mut plan = plan(
            self.job,
            hooks,
            &self.means,
            edges.state,
            now,
            edges.interrupt,
        )?;
        hooks.filtered(std::mem::take(&mut plan.filtered));
        self.view = Some((plan.source.clone(), plan.to_copy()));

        edges.show.step(Step::Preflight);
        let reached = self.preflight(hooks, &plan)?;
        Ok((plan, reached))
    }

    /// The services that hooks may hold.
    pub(crate) fn find_services(&self, hooks: &Hooks) -> Vec<FoundService> {
        services::look(self.job, hooks, &self.means)
    }

    /// Asks every destination. One that does not answer keeps nothing from the others; without any
    /// there is no point in going on.
    fn preflight(&mut self, hooks: &Hooks, plan: &Plan) -> Result<Vec<Reached>, CopalError> {
        let mut reached = Vec::new();
        let may_add = hooks.iter().any(may_add);
        let configured = self.job.config.destinations();
        for (remote, one) in self.job.destinations().into_iter().zip(configured) {
            self.run.edges.interrupt.check()?;
            let ready = self.reach(&remote, &one.layout, Some(plan), may_add);
            reached.push(Reached {
                shown: remote.to_string(),
                layout: one.layout.clone(),
                proof: one.proof,
                ready,
            });
        }
        preflight::check_one_another(&reached, self.job.name())?;
        if reached.iter().all(|one| one.ready.is_err()) {
            let mut errors = reached.into_iter().filter_map(|one| one.ready.err());
            let first = errors.next().unwrap_or(CopalError::NoDestination);
            // A signal is told once.
            let others = errors.filter(|error| !error.is_interruption());
            self.run.shortcomings.extend(others);
            return Err(first);
        }
        Ok(reached)
    }

    /// Asks one destination. What falls short of it and is no hindrance is added to the run's shortcomings.
    /// Without a plan, as where the source can't be seen, all is asked that does not hang on it.
    pub(crate) fn reach(
        &mut self,
        destination: &RemoteSpec,
        layout: &Layout,
        plan: Option<&Plan>,
        may_add: bool,
    ) -> Result<Ready, CopalError> {
        let map = match layout {
            Layout::Snapshots => None,
            Layout::Mirror(mirror) => Some(&mirror.map),
        };
        let mut ready = self.ask(destination, map, plan)?;
        if let Some(map) = map {
            self.check_above(&mut ready, destination, map)?;
            if let Some(plan) = plan {
                check_mirror_unlinked(&ready, map, plan)?;
            }
        }
        self.note_warnings(&mut ready);
        if let Some(plan) = plan {
            self.compare(&mut ready, map, plan, may_add)?;
        }
        Ok(ready)
    }

    /// What it answers.
    fn ask(
        &self,
        destination: &RemoteSpec,
        map: Option<&Map>,
        plan: Option<&Plan>,
    ) -> Result<Ready, CopalError> {
        let remote = (self.run.edges.open)(destination)?;
        let takes = |path: &RelPath| map.is_none_or(|map| map.takes(path, None));
        let (unseen, nothing) = (self.job.source_if_found(), Walked::default());
        let asked = Asked {
            name: self.job.name(),
            map,
            source: plan.map_or(&unseen, |plan| &plan.source),
            walked: plan.map_or(&nothing, |plan| &plan.walked),
            bytes: plan.map_or(ByteCount::ZERO, |plan| plan.files_that(takes).1),
            may_write: self.may_try_to_write,
        };
        Ok(preflight::reach(remote, asked)?)
    }

    /// What keeps no run from going on, and is to be told.
    fn note_warnings(&mut self, ready: &mut Ready) {
        let clock = preflight::check_clock(&ready.started, self.run.started);
        self.run
            .shortcomings
            .extend(clock.err().map(CopalError::from));
        let warnings = ready.warnings.drain(..).map(CopalError::from);
        self.run.shortcomings.extend(warnings);
        let damaged = ready.damaged.drain(..).map(CopalError::Store);
        self.run.shortcomings.extend(damaged);
    }

    /// What is there now, beside what the last run found and what there is room for.
    fn compare(
        &mut self,
        ready: &mut Ready,
        map: Option<&Map>,
        plan: &Plan,
        may_add: bool,
    ) -> Result<(), CopalError> {
        if let (Some(last), false) = (&ready.last, self.allow.missing_databases) {
            preflight::check_missing(plan, last)?;
            let mut missing = preflight::unmounted(plan, last);
            missing.retain(|it| map.is_none_or(|map| map.leads_through(&it.path)));
            let last = last.id;
            if !missing.is_empty() && map.is_some() {
                return Err(MirrorError::Unmounted {
                    lost: missing,
                    last,
                }
                .into());
            }
            self.tell_unmounted(&missing);
            ready.unmounted = missing;
        }
        // After that: what a map names may lie on a disk that is missing.
        if let Some(map) = map.filter(|_| !may_add) {
            preflight::check_mapped(plan, map)?;
        }
        let staging = self.job.staging(self.run.edges.state);
        preflight::check_portions(plan, ready, &staging)?;
        Ok(())
    }

    /// Where a mirror is none yet, or nobody can tell whose it was.
    fn check_above(
        &self,
        ready: &mut Ready,
        destination: &RemoteSpec,
        map: &Map,
    ) -> Result<(), CopalError> {
        if ready.last.is_some() {
            return Ok(());
        }
        let above = Above {
            destination,
            ready,
            map,
            name: self.job.name(),
        };
        ready.above = preflight::check_above(&above, self.run.edges.open)?;
        let since = ready.remote.take_charges();
        ready.charges = ready
            .charges
            .zip(since)
            .map(|(before, since)| before + since);
        Ok(())
    }

    /// A snapshot does not have what was there, and takes nothing away.
    fn tell_unmounted(&mut self, lost: &[Lost]) {
        let paths =
            |lost: &[Lost]| -> Vec<RelPath> { lost.iter().map(|it| it.path.clone()).collect() };
        let mut by_last: BTreeMap<SnapshotId, Vec<Lost>> = BTreeMap::new();
        for one in lost {
            by_last.entry(one.had.last).or_default().push(one.clone());
        }
        for (last, lost) in by_last {
            let is_told = |known: &CopalError| matches!(known, CopalError::Preflight(PreflightError::Unmounted { lost: known, .. }) if paths(known) == paths(&lost));
            if !self.run.shortcomings.iter().any(is_told) {
                let unmounted = PreflightError::Unmounted { lost, last };
                self.run.shortcomings.push(unmounted.into());
            }
        }
    }

    /// The run ends before anything is delivered: what destinations answered is told beside the reason.
    pub(crate) fn without_deliveries(
        &mut self,
        reached: Vec<Reached>,
        error: CopalError,
    ) -> CopalError {
        let unreached = reached.into_iter().filter_map(|one| one.ready.err());
        self.run.shortcomings.extend(unreached);
        error
    }
}

/// Whether a mirror's directories on this machine lead nowhere else.
fn check_mirror_unlinked(ready: &Ready, map: &Map, plan: &Plan) -> Result<(), CopalError> {
    let Abilities {
        local_roots, names, ..
    } = &ready.abilities;
    if local_roots.is_empty() {
        return Ok(());
    }
    let names = planned_in_mirror(plan, *names, map);
    Ok(preflight::check_unlinked(
        local_roots,
        names.iter().map(String::as_str),
    )?)
}

/// Whether a hook may make files that the source does not have.
pub(crate) fn may_add(hook: &copal_hooks::Hook) -> bool {
    let entries = hook.in_force().both().entries();
    let mut capabilities = entries.into_iter().map(|(capability, _)| capability);
    capabilities.any(|it| matches!(it, Capability::Command | Capability::Files))
}
