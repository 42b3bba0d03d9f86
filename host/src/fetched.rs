//! A snapshot that was fetched whole, for runs that then do something with it.

use std::path::Path;
use std::time::{Duration, Instant};

use copal_core::manifest::Manifest;
use copal_core::snapshot::SnapshotId;
use copal_core::units::ByteCount;

use crate::edge::attributes::Owners;
use crate::edges::{Edges, Step, Total};
use crate::record::SnapshotRecord;
use crate::run::Run;
use crate::step::restore::{Asked, RestoreError, restore};
use crate::step::snapshots::Store;

/// What was fetched.
#[derive(Debug)]
pub struct Fetched {
    /// The snapshot.
    pub id: SnapshotId,
    /// Where it lies, secrets masked.
    pub at: String,
    /// Whether it is the state of a mirror.
    pub is_mirror: bool,
    /// Its files.
    pub files: u64,
    /// Their content.
    pub bytes: ByteCount,
    /// How long it took.
    pub took: Duration,
    /// Whether every owner is what it was.
    pub owners: Owners,
}

impl Fetched {
    /// Restores a snapshot into the empty or new directory `to`.
    pub fn into(
        to: &Path,
        run: &Run<'_>,
        store: &Store<'_>,
        manifest: &Manifest,
    ) -> Result<Self, RestoreError> {
        let Edges {
            show, interrupt, ..
        } = *run.edges;
        let total = Total {
            files: manifest.totals.files,
            bytes: manifest.totals.bytes,
        };
        show.step(Step::Fetch);
        let mut watch = |done| show.transfer(done, total);
        let leftovers = &run.leftovers;
        let began = Instant::now();
        let whole = Asked::default();
        let restored = restore(store, manifest, to, whole, &mut watch, interrupt, leftovers)?;
        Ok(Self {
            id: manifest.id,
            at: store.remote().shown(),
            is_mirror: store.is_mirror(),
            files: restored.files,
            bytes: restored.bytes,
            took: began.elapsed(),
            owners: restored.owners,
        })
    }

    /// What the history keeps of it.
    pub fn record(&self) -> SnapshotRecord {
        SnapshotRecord {
            is_mirror: self.is_mirror,
            ..SnapshotRecord::unsent(self.id, self.at.clone(), self.files, self.bytes)
        }
    }
}
