//! Prove: that a destination has what was sent, before anything says so.

use std::path::Path;

use copal_core::config::Proof;
use copal_core::manifest::{FileEntry, Rows, Taken};
use copal_rclone::Proven;

use super::batches::Batches;
use super::compare::{Difference, compare};
use super::place::Place;
use crate::edge::hash::{Digests, hash_file};
use crate::edge::interrupt::Interrupt;
use crate::edge::remote::{Abilities, Batch, Remote, RemoteError};

/// How it is proven at one destination.
#[derive(Clone, Copy)]
pub struct Prover<'a> {
    /// The destination.
    pub remote: &'a dyn Remote,
    /// What it can do.
    pub abilities: &'a Abilities,
    /// What its owner takes for a proof.
    pub proof: Proof,
    /// Asks for an end.
    pub interrupt: &'a Interrupt,
}

impl Prover<'_> {
    /// Whether a listing is not proof enough: everything is to be read, or the remote encrypts, and tells
    /// no hash of what it was given.
    pub(super) fn asks(&self) -> bool {
        self.proof == Proof::Read || self.abilities.encrypts
    }

    /// What of these is not there as it is here, by its name below the directory that has the manifest.
    pub(super) fn unlike(
        &self,
        place: &Place<'_>,
        batches: &Batches,
    ) -> Result<Vec<Difference>, RemoteError> {
        let mut differences = Vec::new();
        for batch in batches.all() {
            self.interrupt.check()?;
            let proven = self.remote.prove(batch, self.proof)?;
            let folder = place.map().map_or("", |_| batch.remote);
            let named = |name: String| match folder {
                "" => name,
                folder => format!("{folder}/{name}"),
            };
            differences.extend(told(proven).map(|it| it.renamed(named)));
        }
        Ok(differences)
    }

    /// What is wrong with one file at the destination, in a directory of it.
    pub(super) fn file(
        &self,
        local: &Path,
        dir: &str,
        name: &str,
    ) -> Result<Vec<Difference>, FileUnproven> {
        let file = local.join(name);
        let digests = hash_file(&file, self.abilities.wanted(), self.interrupt);
        let entry = entry(digests?);
        let hashes = self.abilities.tells_hashes();
        let mut listed = self.remote.files(dir, hashes)?;
        listed.retain(|file| file.path == name);
        let (differences, _) = compare([(name.to_owned(), &entry)].into_iter(), listed);
        if !differences.is_empty() || !self.asks() {
            return Ok(differences);
        }
        let batch = Batch {
            local,
            remote: dir,
            names: &[name.to_owned()],
            again: false,
        };
        Ok(told(self.remote.prove(batch, self.proof)?).collect())
    }
}

/// Why one file could not be proven.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileUnproven {
    /// Here it can't be read.
    #[error(transparent)]
    Here(#[from] std::io::Error),
    /// The remote, or the way to it.
    #[error(transparent)]
    There(#[from] RemoteError),
}

fn told(proven: Proven) -> impl Iterator<Item = Difference> {
    let missing = proven.missing.into_iter().map(Difference::Missing);
    let differ = proven.differ.into_iter().map(Difference::Hash);
    let failed = proven.failed.into_iter().map(Difference::Unread);
    missing.chain(differ).chain(failed)
}

fn entry(digests: Digests) -> FileEntry {
    FileEntry {
        size: digests.size,
        sha256: digests.sha256,
        sha1: digests.sha1,
        md5: digests.md5,
        taken: Taken::Added,
        stored: None,
        rows: Rows::new(),
    }
}
