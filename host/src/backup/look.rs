//! What is known before anything is done: the plan, and what the destinations answer.

use copal_core::config::RemoteSpec;

use super::Backup;
use crate::edges::Step;
use crate::error::CopalError;
use crate::floors::Deeds;
use crate::hooks::Hooks;
use crate::step::deliver::Reached;
use crate::step::plan::{Plan, plan};
use crate::step::preflight::{self, Asked, Ready};
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
        let reached = self.preflight(&plan)?;
        Ok((plan, reached))
    }

    /// The services that hooks may hold.
    pub(crate) fn find_services(&self, hooks: &Hooks) -> Vec<FoundService> {
        services::look(self.job, hooks, &self.means)
    }

    /// Asks every destination. One that does not answer keeps nothing from the others; without any
    /// there is no point in going on.
    fn preflight(&mut self, plan: &Plan) -> Result<Vec<Reached>, CopalError> {
        let mut reached = Vec::new();
        let proofs = self.job.config.destinations().iter().map(|it| it.proof);
        for (destination, proof) in self.job.destinations().into_iter().zip(proofs) {
            self.run.edges.interrupt.check()?;
            let ready = self.reach(&destination, plan);
            reached.push(Reached {
                shown: destination.to_string(),
                proof,
                ready,
            });
        }
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

    fn reach(&mut self, destination: &RemoteSpec, plan: &Plan) -> Result<Ready, CopalError> {
        let remote = (self.run.edges.open)(destination)?;
        let asked = Asked {
            name: self.job.name(),
            source: &plan.source,
            walked: &plan.walked,
            bytes: plan.files().1,
            may_write: matches!(self.deeds, Deeds::Done),
        };
        let mut ready = preflight::reach(remote, asked)?;
        let clock = preflight::check_clock(&ready.started, self.run.started);
        self.run
            .shortcomings
            .extend(clock.err().map(CopalError::from));
        let warnings = ready.warnings.drain(..).map(CopalError::from);
        self.run.shortcomings.extend(warnings);
        let damaged = ready.damaged.drain(..).map(CopalError::Store);
        self.run.shortcomings.extend(damaged);
        if let (Some(last), false) = (&ready.last, self.allow.missing_databases) {
            preflight::check_missing(plan, last)?;
        }
        let staging = self.job.staging(self.run.edges.state);
        preflight::check_portions(plan, &ready, &staging)?;
        Ok(ready)
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
