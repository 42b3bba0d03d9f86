//! A dry run: a backup on another floor, where deeds are written down and none is done.

use std::collections::BTreeMap;

use copal_core::config::Layout;

use crate::backup::{Allowances, Backup};
use crate::capability::artifacts::Artifacts;
use crate::edge::scratch::Scratch;
use crate::edges::{Edges, Step};
use crate::error::CopalError;
use crate::floors::Deeds;
use crate::hooks::Hooks;
use crate::job::Job;
use crate::outcome::{Achieved, Outcome};
use crate::outlook::{Outlook, by_answers};
use crate::record::SnapshotRecord;
use crate::step::deliver::Reached;
use crate::step::mirror::{Deleting, Foreseeing, foresee};
use crate::step::plan::Plan;
use crate::step::preflight;

/// What a backup would do.
pub struct Rehearsed {
    /// The plan.
    pub plan: Plan,
    /// The destinations, which were asked and not written to.
    pub reached: Vec<Reached>,
    /// What the backup would come to at those that answered.
    pub outlooks: Vec<Outlook>,
}

impl Achieved for Rehearsed {
    fn errors(&self) -> Vec<&CopalError> {
        let answers = self.reached.iter().map(|one| &one.ready);
        answers.filter_map(|ready| ready.as_ref().err()).collect()
    }

    fn in_part(&self) -> bool {
        self.reached.iter().any(|one| one.ready.is_ok())
    }

    fn snapshots(&self) -> Vec<SnapshotRecord> {
        Vec::new()
    }
}

/// Goes through a backup without its deeds. It takes no lock and keeps no history: a real run must
/// never wait for it, and it changes nothing that one could miss.
pub fn rehearse(
    job: &Job,
    allow: Allowances,
    edges: &Edges<'_>,
) -> Result<Outcome<Rehearsed>, CopalError> {
    let mut backup = Backup::begin(job, allow, Deeds::Recorded, edges);
    let mut info = backup.run.info();
    info.dry_run = true;
    let mut hooks = match Hooks::load(&job.config, &job.base, info) {
        Ok(hooks) => hooks,
        Err(error) => return Ok(backup.run.end(Err(error.into()))),
    };

    let result = rehearsal(&mut backup, &mut hooks);
    Ok(backup.end(hooks, result))
}

fn rehearsal(backup: &mut Backup<'_>, hooks: &mut Hooks) -> Result<Rehearsed, CopalError> {
    let (mut plan, mut reached) = backup.look(hooks)?;
    plan.services = backup.find_services(hooks);
    match stage(backup, hooks, &plan) {
        Ok(()) => {
            let deletions = foresee_deletions(backup, hooks, &plan, &mut reached);
            let now = (backup.run.edges.now)();
            let outlooks = by_answers(&plan, &reached, &deletions, now);
            Ok(Rehearsed {
                plan,
                reached,
                outlooks,
            })
        }
        Err(error) => Err(backup.without_deliveries(reached, error)),
    }
}

/// How many files the run would delete from each mirror. What would keep it from that is told as it would be.
fn foresee_deletions(
    backup: &mut Backup<'_>,
    hooks: &Hooks,
    plan: &Plan,
    reached: &mut [Reached],
) -> BTreeMap<String, u64> {
    let mut deletions = BTreeMap::new();
    for one in reached {
        let (Layout::Mirror(mirror), Ok(ready)) = (&one.layout, &one.ready) else {
            continue;
        };
        let by = Deleting {
            remote: &*ready.remote,
            mirror,
            last: ready.last.as_ref(),
            hooks,
            accept_missing: backup.allow.missing_databases,
            is_unlisted: ready.is_unlisted,
            interrupt: backup.run.edges.interrupt,
        };
        let known = Foreseeing {
            plan,
            names: ready.abilities.names,
            last: ready.last.as_ref(),
            local_roots: &ready.abilities.local_roots,
        };
        match foresee(&by, &known) {
            Ok((files, kept)) => {
                deletions.insert(one.shown.clone(), files);
                backup.run.shortcomings.extend(kept);
            }
            Err(error) => one.ready = Err(error),
        }
    }
    deletions
}

fn stage(backup: &mut Backup<'_>, hooks: &mut Hooks, plan: &Plan) -> Result<(), CopalError> {
    let edges = backup.run.edges;
    preflight::check_room(plan, &backup.job.staging(edges.state))?;
    edges.show.step(Step::Stage);
    // Not where a real run stages: one may be at it.
    let scratch = tempfile::tempdir().map_err(|source| CopalError::Scratch {
        deed: "make a directory in",
        path: std::env::temp_dir(),
        source,
    })?;
    let scratch = Scratch::adopt(scratch.keep(), &backup.run.leftovers);
    backup.pause(hooks, plan, Artifacts::in_dir(scratch.path().to_owned()))?;
    let (files, bytes) = plan.files();
    backup.tell_staged(hooks, files, bytes)?;
    Ok(())
}
