//! `copal prune` as a run: every destination is judged, and pruned where nothing is only rehearsed.

use copal_core::config::RemoteSpec;

use crate::edge::lock::Lock;
use crate::edges::Edges;
use crate::error::CopalError;
use crate::job::Job;
use crate::outcome::{Achieved, Outcome};
use crate::record::{Kind, PrunedRecord, SnapshotRecord};
use crate::run::Run;
use crate::step::prune::{Pruned, Rules, Warrant, prune as prune_store};
use crate::step::seal::Seal;
use crate::step::snapshots::Store;

/// What became of every destination.
#[derive(Debug)]
pub struct PrunedAll {
    /// Those that could be asked, in the order of the configuration.
    pub pruned: Vec<Pruned>,
    /// What failed.
    pub errors: Vec<CopalError>,
}

impl Achieved for PrunedAll {
    fn errors(&self) -> Vec<&CopalError> {
        self.errors.iter().collect()
    }

    fn snapshots(&self) -> Vec<SnapshotRecord> {
        Vec::new()
    }

    fn pruned(&self) -> Vec<PrunedRecord> {
        self.pruned.iter().flat_map(Pruned::records).collect()
    }

    fn notes(&self) -> Vec<String> {
        self.pruned.iter().filter_map(Pruned::note).collect()
    }
}

/// Prunes a job's snapshots at every destination; with `rehearsed` it is only told what would go.
pub fn prune(
    job: &Job,
    rehearsed: bool,
    edges: &Edges<'_>,
) -> Result<Outcome<PrunedAll>, CopalError> {
    if job.config.retention().is_none() {
        return Err(CopalError::NoRetention);
    }
    let places = job.places_of_snapshots();
    if places.is_empty() {
        return Err(CopalError::MirrorsAlone);
    }
    let run = Run::begin(Kind::Prune, job.name(), edges);
    let lock = if rehearsed {
        None
    } else {
        Some(Lock::take(&edges.state.lock_file(job.name()), job.name())?)
    };
    let warrant = lock.as_ref().map_or(Warrant::None, Warrant::Locked);
    let (mut pruned, mut errors) = (Vec::new(), Vec::new());
    for destination in places {
        match at(job, &destination, warrant, edges) {
            Ok((one, troubles)) => {
                pruned.push(one);
                errors.extend(troubles);
            }
            Err(error) => errors.push(error),
        }
    }
    Ok(run.end(Ok(PrunedAll { pruned, errors })))
}

fn at(
    job: &Job,
    destination: &RemoteSpec,
    warrant: Warrant<'_>,
    edges: &Edges<'_>,
) -> Result<(Pruned, Vec<CopalError>), CopalError> {
    edges.interrupt.check()?;
    let remote = (edges.open)(destination)?;
    // Quickly, where a place does not answer: what comes next tries for minutes.
    remote.survey(false)?;
    by_rules(job, &Store::new(&*remote, job.name()), warrant, edges)
}

/// Prunes a destination at which a run has sealed a snapshot, where the job says what is kept.
pub fn after_seal(
    job: &Job,
    store: &Store<'_>,
    seal: &Seal,
    edges: &Edges<'_>,
) -> Result<(Pruned, Vec<CopalError>), CopalError> {
    by_rules(job, store, Warrant::Sealed(seal), edges)
}

fn by_rules(
    job: &Job,
    store: &Store<'_>,
    warrant: Warrant<'_>,
    edges: &Edges<'_>,
) -> Result<(Pruned, Vec<CopalError>), CopalError> {
    let Some(retention) = job.config.retention() else {
        return Err(CopalError::NoRetention);
    };
    let zone = job.zone()?;
    let rules = Rules {
        policy: &retention.policy,
        zone: &zone,
        now: (edges.now)(),
    };
    let (pruned, errors) = prune_store(store, rules, warrant, edges.interrupt)?;
    Ok((pruned, errors.into_iter().map(CopalError::from).collect()))
}
