//! Verify: whether a snapshot still is what was sealed.

use std::path::Path;

use copal_core::manifest::{COPAL_DIR, Manifest};

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
    /// What was compared: `sizes`, `sizes and sha1`, `content`.
    pub compared: &'static str,
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
    use crate::edge::remote::HashKind;
    let dir = store.dir(manifest.id);
    let abilities = store.remote().abilities()?;
    let own = format!("{COPAL_DIR}/");
    let mut listed = store.remote().files(&dir, depth == Depth::Quick)?;
    listed.retain(|file| !file.path.starts_with(&own));
    let files = manifest.files().map(|(stored, _, file)| (stored, file));
    let mut differences = compare(files, listed);
    let mut compared = match abilities.hash {
        Some(HashKind::Sha256) => "sizes and SHA-256",
        Some(HashKind::Sha1) => "sizes and SHA-1",
        Some(HashKind::Md5) => "sizes and MD5",
        None => "sizes only, since this remote keeps no hash",
    };
    if depth == Depth::Full {
        compared = "every byte, by SHA-256";
        differences.extend(read_back(store, &manifest, &differences, watch, interrupt)?);
    }
    Ok(Verified {
        manifest,
        compared,
        differences,
    })
}

/// Bytes fetched at once: bounds the room that a full verification needs on this machine.
const ROUND: u64 = 1 << 30;

fn read_back(
    store: &Store<'_>,
    manifest: &Manifest,
    known_bad: &[Difference],
    watch: &mut dyn FnMut(Progress),
    interrupt: &Interrupt,
) -> Result<Vec<Difference>, VerifyError> {
    let dir = store.dir(manifest.id);
    let is_bad = |name: &str| {
        known_bad.iter().any(|difference| match difference {
            Difference::Missing(bad) | Difference::Size { name: bad, .. } => bad == name,
            Difference::Extra(_) | Difference::Hash(_) => false,
        })
    };
    let files: Vec<_> = manifest
        .files()
        .filter(|(stored, ..)| !is_bad(stored))
        .collect();
    let mut differences = Vec::new();
    let mut rest = &files[..];
    while !rest.is_empty() {
        interrupt.check()?;
        let mut bytes = 0;
        let fits = |size: u64| {
            bytes += size;
            bytes <= ROUND
        };
        let sizes = rest.iter().map(|(_, _, file)| file.size.0);
        let count = sizes.map(fits).take_while(|fits| *fits).count().max(1);
        let (round, later) = rest.split_at(count);
        rest = later;
        let temporary = tempfile::tempdir()?;
        let names: Vec<String> = round.iter().map(|(stored, ..)| stored.clone()).collect();
        let batch = Batch {
            local: temporary.path(),
            remote: &dir,
            names: &names,
            again: false,
        };
        store.remote().download(batch, watch)?;
        for (stored, _, file) in round {
            if !content_matches(&temporary.path().join(stored), file, interrupt)? {
                differences.push(Difference::Hash(stored.clone()));
            }
        }
    }
    Ok(differences)
}

fn content_matches(
    local: &Path,
    file: &copal_core::manifest::FileEntry,
    interrupt: &Interrupt,
) -> Result<bool, VerifyError> {
    match hash_file(local, Wanted::default(), interrupt) {
        Ok(digests) => Ok(digests.sha256 == file.sha256),
        Err(error) => {
            interrupt.check()?;
            Err(error.into())
        }
    }
}
