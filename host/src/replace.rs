//! A restore in place: the snapshot beside the live tree, then in its place. The old tree is kept.

use std::path::PathBuf;

use copal_core::manifest::{Entry, Facts, Manifest, Taken};
use copal_core::path::RelPath;

use crate::edges::Edges;
use crate::error::CopalError;
use crate::fetched::Fetched;
use crate::in_place::in_place;
use crate::job::Job;
use crate::outcome::{Achieved, Outcome};
use crate::record::{Kind, SnapshotRecord};
use crate::run::Run;
use crate::step::schema::{OtherSchema, not_older};
use crate::step::snapshots::Store;
use crate::step::swap::Swapped;

/// What the record of one says that found no tree at the source.
pub const NOTHING_KEPT: &str = "nothing was there, so that no old tree is kept";

/// What a restore in place came to.
#[derive(Debug)]
pub struct Replaced {
    /// The snapshot.
    pub snapshot: Fetched,
    /// The trees, new and old.
    pub trees: Swapped,
    /// Directories beside the source that other restores left.
    pub left_behind: Vec<PathBuf>,
    /// Versions that differ, which the owner has accepted.
    pub accepted: Vec<OtherSchema>,
}

impl Achieved for Replaced {
    fn errors(&self) -> Vec<&CopalError> {
        Vec::new()
    }

    fn snapshots(&self) -> Vec<SnapshotRecord> {
        vec![self.snapshot.record()]
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!("restored to `{}`", self.trees.live.display())];
        let before = self.trees.before.iter();
        notes.extend(before.map(|old| format!("the old tree is `{}`", old.display())));
        if self.trees.before.is_none() {
            notes.push(NOTHING_KEPT.to_owned());
        }
        let accepted = self.accepted.iter();
        notes.extend(accepted.map(|other| format!("accepted: {other}")));
        notes
    }
}

/// Puts a snapshot in the place of the job's source. Where the app there may be older than the snapshot, that has
/// to be accepted.
pub fn replace(
    job: &Job,
    store: &Store<'_>,
    manifest: &Manifest,
    accept_schema: bool,
    edges: &Edges<'_>,
) -> Result<Outcome<Replaced>, CopalError> {
    let run = Run::begin(Kind::Restore, job.name(), edges);
    let info = run.info_about(manifest);
    let ready = || Ok(());
    in_place(run, job, info, databases(manifest), ready, |this, ()| {
        let place = this.place()?;
        let _above = place.make_above(&this.run.leftovers)?;
        let left_behind = place.left_behind(&this.run.id)?;
        let beside = place.beside(&this.run.id, &this.run.leftovers)?;
        let snapshot = Fetched::into(beside.path(), &this.run, store, manifest)?;
        let live = place.live().to_owned();
        let mut accepted = Vec::new();
        let judge = |facts: &Facts| {
            accepted = not_older(store, manifest, facts)?;
            let told = accepted.first().filter(|_| !accept_schema);
            told.map_or(Ok(()), |other| {
                Err(CopalError::OtherSchema(other.clone().into()))
            })
        };
        let trees = this.between_hooks(&live, judge, |by| place.swap(beside, by))?;
        Ok(Replaced {
            snapshot,
            trees,
            left_behind,
            accepted,
        })
    })
}

/// The databases that hooks may speak of: those of the snapshot.
fn databases(manifest: &Manifest) -> Vec<RelPath> {
    let copied = |entry: &&Entry| {
        let file = entry.file();
        file.is_some_and(|file| file.taken == Taken::SqliteBackup)
    };
    let entries = manifest.entries.iter().filter(copied);
    entries.map(|entry| entry.path.clone()).collect()
}
