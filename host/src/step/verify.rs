//! Verify: whether a snapshot still is what was sealed.

use std::collections::HashSet;
use std::fmt::Display;
use std::path::Path;

use copal_core::digest::Sha256;
use copal_core::manifest::{
    AFTER_THE_SEAL, FileEntry, MANIFEST, Manifest, Rows, SUMS, Taken, VERIFIED,
};
use copal_core::snapshot::SnapshotId;
use copal_core::units::ByteCount;
use sha2::Digest;

use super::compare::{Difference, compare};
use super::snapshots::{Store, StoreError};
use crate::edge::hash::{Wanted, hash_file};
use crate::edge::interrupt::{Interrupt, Interrupted};
use crate::edge::remote::{Batch, Progress, RemoteError};

/// How closely a snapshot is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// By one listing: all files present, sizes, the remote's own hashes.
    Quick,
    /// By reading everything back.
    Full,
}

/// What a verification found.
#[derive(Debug)]
pub struct Verified {
    /// The snapshot's manifest.
    pub manifest: Manifest,
    /// What was compared, for people.
    pub compared: String,
    /// What is not as it was sealed.
    pub differences: Vec<Difference>,
}

/// Why a snapshot can't be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It can't be found or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The content can't be fetched.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The fetched content can't be kept or read on this machine.
    #[error("can't use the temporary directory")]
    Temporary(#[from] std::io::Error),
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Compares a snapshot with its manifest.
pub fn verify(
    store: &Store<'_>,
    manifest: Manifest,
    depth: Depth,
    watch: &mut dyn FnMut(Progress),
    interrupt: &Interrupt,
) -> Result<Verified, VerifyError> {
    let dir = store.dir(manifest.id);
    let abilities = store.remote().abilities()?;
    let mut listed = store.remote().files(&dir, depth == Depth::Quick)?;
    let beside = |name: &str| name == MANIFEST || AFTER_THE_SEAL.contains(&name);
    listed.retain(|file| !beside(&file.path));
    if store.is_mirror() {
        // Beside its own it may have what filters leave out, and what is somebody else's.
        let own: HashSet<String> = manifest.files().map(|(stored, ..)| stored).collect();
        listed.retain(|file| file.path == SUMS || own.contains(&file.path));
    }
    let (listed_sums, listed): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|file| file.path == SUMS);
    let sums = sums(&manifest);
    let sums = (SUMS.to_owned(), &sums);
    let mut files: Vec<(String, &FileEntry)> = manifest
        .files()
        .map(|(stored, _, file)| (stored, file))
        .collect();
    let (mut differences, hashed) = compare(files.iter().cloned(), listed);
    let (differs, sums_hashed) = compare([sums.clone()].into_iter(), listed_sums);
    differences.extend(differs);
    let mut compared = match abilities.hash {
        Some(kind) if hashed + sums_hashed > 0 => {
            by_hash(kind, hashed, files.len(), sums_hashed > 0)
        }
        Some(_) | None => "sizes only: there is no hash to compare".to_owned(),
    };
    files.push(sums);
    if depth == Depth::Full {
        compared = String::from("every byte, by SHA-256");
        let bad = names(&differences);
        let files = files.iter().filter(|(stored, _)| !bad.contains(stored));
        let files: Vec<_> = files.cloned().collect();
        differences.extend(read_back(store, &dir, &files, watch, interrupt)?);
    }
    Ok(Verified {
        manifest,
        compared,
        differences,
    })
}

impl Store<'_> {
    /// Has retention know that a snapshot was found sound, or that it was not.
    pub fn note_verified(&self, verified: &Verified) -> Result<(), StoreError> {
        let id = verified.manifest.id;
        if !verified.differences.is_empty() {
            return self.note_damaged(id);
        }
        self.note_sound(id, &verified.compared)
    }

    /// Has retention know that a snapshot was found sound, and by what.
    pub fn note_sound(&self, id: SnapshotId, compared: &str) -> Result<(), StoreError> {
        let what = serde_json::json!({ "compared": compared });
        self.put_beside(id, VERIFIED, &what.to_string())
    }

    /// Has retention know that a snapshot was not found sound.
    pub fn note_damaged(&self, id: SnapshotId) -> Result<(), StoreError> {
        self.take_away(id, VERIFIED)
    }
}

/// What was compared. The list of checksums is no file of the source: it is counted by itself.
fn by_hash(kind: impl Display, hashed: u64, files: usize, with_sums: bool) -> String {
    let sums = if with_sums {
        format!(" and of {SUMS}")
    } else {
        String::new()
    };
    format!("sizes, and {kind} of {hashed} of {files} files{sums}")
}

/// Bytes fetched at once: bounds the room that a full verification needs on this machine.
const ROUND: u64 = 1 << 30;

/// What [`SUMS`] has to be: it follows from the manifest.
fn sums(manifest: &Manifest) -> FileEntry {
    let text = manifest.sums();
    FileEntry {
        size: ByteCount(text.len() as u64),
        sha256: Sha256::from_bytes(sha2::Sha256::digest(&text).into()),
        sha1: None,
        md5: None,
        taken: Taken::Direct,
        stored: None,
        rows: Rows::new(),
    }
}

/// The files that it makes no sense to read back.
fn names(differences: &[Difference]) -> HashSet<String> {
    let bad = |difference: &Difference| match difference {
        Difference::Missing(name) | Difference::Size { name, .. } => Some(name.clone()),
        Difference::Extra(_) | Difference::Hash(_) | Difference::Unread(_) => None,
    };
    differences.iter().filter_map(bad).collect()
}

fn read_back(
    store: &Store<'_>,
    dir: &str,
    files: &[(String, &FileEntry)],
    watch: &mut dyn FnMut(Progress),
    interrupt: &Interrupt,
) -> Result<Vec<Difference>, VerifyError> {
    let mut differences = Vec::new();
    let mut rest = files;
    while !rest.is_empty() {
        interrupt.check()?;
        let mut bytes = 0;
        let fits = |size: u64| {
            bytes += size;
            bytes <= ROUND
        };
        let sizes = rest.iter().map(|(_, file)| file.size.0);
        let count = sizes.map(fits).take_while(|fits| *fits).count().max(1);
        let (round, later) = rest.split_at(count);
        rest = later;
        let temporary = tempfile::tempdir()?;
        let names: Vec<String> = round.iter().map(|(stored, _)| stored.clone()).collect();
        let batch = Batch {
            local: temporary.path(),
            remote: dir,
            names: &names,
            again: false,
        };
        store.remote().download(batch, watch)?;
        for (stored, file) in round {
            if !content_matches(&temporary.path().join(stored), file, interrupt)? {
                differences.push(Difference::Hash(stored.clone()));
            }
        }
    }
    Ok(differences)
}

fn content_matches(
    local: &Path,
    file: &FileEntry,
    interrupt: &Interrupt,
) -> Result<bool, VerifyError> {
    match hash_file(local, Wanted::default(), interrupt) {
        Ok(digests) => Ok(digests.sha256 == file.sha256),
        // Lost since it was listed.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => {
            interrupt.check()?;
            Err(error.into())
        }
    }
}
