//! What the history keeps of commands that are no run of a job: what a verification found, and the runs
//! whose manifests a list of snapshots came by.

use copal_core::manifest::{Manifest, Totals};

use super::conclude::also;
use super::ending::Exit;
use super::open::state;
use crate::edge::history::{History, HistoryError};
use crate::edge::log;
use crate::error::CopalError;
use crate::job::Place;
use crate::record::{Ended, Kind, Record, SnapshotRecord, Trouble};
use crate::run::id_at;
use crate::show::message;
use crate::show::progress::Progress;
use crate::show::snapshots::Drills;
use crate::step::snapshots::{Known, Store};
use crate::step::verify::Verified;

/// How many differences are named.
const NAMED: usize = 20;

/// Keeps what a verification found. What the history can't keep is a shortcoming.
pub(super) fn verification(store: &Store<'_>, verified: &Verified, progress: &Progress) -> Exit {
    let record = verification_record(store, verified, progress);
    log::of_run(&record.run);
    let (id, ended) = (verified.manifest.id, record.outcome.name());
    let (place, compared) = (store.remote().shown(), &verified.compared);
    tracing::info!(compared, "verification of {id} at {place} {ended}");
    let kept = match state() {
        Ok(state) => History::of(&state).add(&record.row(), &record.to_json()),
        // Without a place for it there is none, and this command needs none.
        Err(_) => Ok(()),
    };
    let kept = kept.map_err(CopalError::from);
    let unlogged = log::trouble().map(CopalError::from);
    let troubles: Vec<_> = kept.err().into_iter().chain(unlogged).collect();
    troubles.iter().for_each(also);
    if troubles.is_empty() {
        Exit::Done
    } else {
        Exit::FellShort
    }
}

fn verification_record(store: &Store<'_>, verified: &Verified, progress: &Progress) -> Record {
    let (started, took) = progress.so_far();
    let id = verified.manifest.id;
    let differences = &verified.differences;
    let is_sound = differences.is_empty();
    let named = differences.iter().take(NAMED).map(ToString::to_string);
    let more = differences.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("and {more} more"));
    let damage = Trouble {
        what: format!("the snapshot {id} is damaged"),
        why: named.chain(more).collect(),
        next: "restore from another one, or from another destination; `copal snapshots` lists them"
            .to_owned(),
    };
    Record {
        run: id_at(started),
        name: store.name().to_owned(),
        kind: Kind::Verify,
        started,
        took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        outcome: if is_sound {
            Ended::Succeeded
        } else {
            Ended::Failed
        },
        exit: u8::from(!is_sound),
        copal: env!("CARGO_PKG_VERSION").to_owned(),
        snapshots: vec![snapshot(store, &verified.manifest)],
        errors: (!is_sound).then_some(damage).into_iter().collect(),
        notes: vec![format!("compared: {}", verified.compared)],
        log_file: log::file().map(|file| file.display().to_string()),
        ..Record::empty()
    }
}

fn snapshot(store: &Store<'_>, manifest: &Manifest) -> SnapshotRecord {
    let Totals { files, bytes } = manifest.totals;
    let place = store.remote().shown();
    SnapshotRecord {
        is_mirror: store.is_mirror(),
        ..SnapshotRecord::unsent(manifest.id, place, files, bytes)
    }
}

/// Where they lie, as records have it.
pub(super) fn place_of(store: &Store<'_>) -> Place {
    Place {
        shown: store.remote().shown(),
        is_mirror: store.is_mirror(),
    }
}

/// The last drill of each snapshot at this place that this machine knows of. A list of snapshots is as good without.
pub(super) fn drills(store: &Store<'_>) -> Drills {
    let Ok(state) = state() else {
        return Drills::new();
    };
    let place = place_of(store);
    let mut drills = Drills::new();
    let read = History::of(&state).each(store.name(), |record: Record| {
        if record.kind != Kind::Drill {
            return;
        }
        let here = record.snapshots.iter().filter(|it| place.has(it));
        for snapshot in here {
            // The newest comes first.
            let drill = drills.entry(snapshot.id);
            drill.or_insert((record.started, record.outcome));
        }
    });
    if let Err(error) = read {
        let error = CopalError::from(error).in_one_line();
        message::note(&format!("which of them were drilled is not known: {error}"));
    }
    drills
}

/// Takes the runs that made these snapshots into the history, where it does not know them: it was lost, or
/// another machine's. A list of snapshots is as good without.
pub(super) fn made(store: &Store<'_>, known: &[Known]) {
    let manifests = known.iter().filter_map(|one| one.manifest.as_ref().ok());
    let mut rebuilt = 0_u64;
    for manifest in manifests {
        match take(store, manifest) {
            Ok(is_new) => rebuilt += u64::from(is_new),
            Err(CopalError::History(HistoryError::SetAside(aside))) => {
                rebuilt += 1;
                let aside = aside.display();
                message::note(&format!(
                    "the history was damaged: a new one is begun, and the old one is `{aside}`"
                ));
            }
            Err(error) => {
                let error = error.in_one_line();
                return message::note(&format!(
                    "the history does not learn of these snapshots: {error}"
                ));
            }
        }
    }
    if rebuilt > 0 {
        let runs = crate::show::count(rebuilt, "run");
        message::note(&format!(
            "{runs} that the history did not know, taken from the manifests there"
        ));
    }
}

/// Whether the run of a manifest was not known.
fn take(store: &Store<'_>, manifest: &Manifest) -> Result<bool, CopalError> {
    let history = History::of(&state()?);
    let run = &manifest.run;
    let snapshot = snapshot(store, manifest);
    match history.knows(&run.id, &snapshot.destination) {
        Ok(true) => return Ok(false),
        // What is added next moves it aside.
        Ok(false) | Err(HistoryError::Damaged { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let added = |record: &mut serde_json::Value| {
        if let Some(snapshots) = record["snapshots"].as_array_mut() {
            let snapshot = serde_json::to_value(&snapshot).expect("it has string keys alone");
            snapshots.push(snapshot);
        }
    };
    match history.amend(&run.id, added) {
        Ok(true) => return Ok(false),
        Ok(false) | Err(HistoryError::Damaged { .. }) => {}
        // What the run itself told is not to be replaced by what a manifest knows of it.
        Err(error) => return Err(error.into()),
    }
    let record = rebuilt(store, manifest);
    history.add(&record.row(), &record.to_json())?;
    Ok(true)
}

/// What a manifest tells of the run that made it.
pub(super) fn rebuilt(store: &Store<'_>, manifest: &Manifest) -> Record {
    let (run, snapshot) = (&manifest.run, snapshot(store, manifest));
    let took = std::time::Duration::try_from(run.staged.duration_since(run.started));
    let took = took.unwrap_or_default().as_millis();
    Record {
        run: run.id.clone(),
        name: store.name().to_owned(),
        started: run.started,
        took_ms: u64::try_from(took).unwrap_or(u64::MAX),
        copal: run.copal.clone(),
        notes: vec![format!(
            "rebuilt from the manifest at {}: how it went on after the staging is not known",
            snapshot.destination
        )],
        snapshots: vec![snapshot],
        rebuilt: true,
        ..Record::empty()
    }
}
