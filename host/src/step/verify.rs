//! Verify: whether a snapshot still is what was sealed.

use std::collections::HashSet;
use std::fmt::Display;
use std::path::Path;

use copal_core::digest::Sha256;
use copal_core::manifest::{
    AFTER_THE_SEAL, FileEntry, MANIFEST, Manifest, Rows, SUMS, Taken, Totals,
};
use copal_core::units::ByteCount;
use copal_core::verification::Closeness;
use sha2::Digest;

use super::compare::{Difference, compare};
use super::cores::{FEW, on_every_core};
use super::snapshots::{Store, StoreError};
use crate::edge::hash::{Wanted, hash_file};
use crate::edge::interrupt::{Interrupt, Interrupted};
use crate::edge::remote::{Batch, Listed, Progress, RemoteError};

/// How closely a snapshot is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Depth {
    /// By one listing: all files present, sizes, the remote's own hashes.
    Quick,
    /// By one listing, and by reading these files back, told by their number in the order of the manifest.
    Sample(Vec<usize>),
    /// By reading everything back.
    Full,
}

impl Depth {
    /// How close that is.
    pub fn closeness(&self) -> Closeness {
        match self {
            Self::Quick => Closeness::Quick,
            Self::Sample(_) => Closeness::Sample,
            Self::Full => Closeness::Full,
        }
    }

    /// What of a snapshot is read back.
    pub fn total(&self, manifest: &Manifest) -> Totals {
        let sizes: Vec<ByteCount> = manifest.files().map(|(.., file)| file.size).collect();
        let picked = self.picks(&sizes);
        Totals {
            files: picked.len() as u64,
            bytes: picked.into_iter().sum(),
        }
    }

    /// What of these files is read back.
    fn picks<T: Clone>(&self, files: &[T]) -> Vec<T> {
        match self {
            Self::Quick => Vec::new(),
            Self::Sample(chosen) => {
                let chosen = chosen.iter().filter_map(|number| files.get(*number));
                chosen.cloned().collect()
            }
            Self::Full => files.to_vec(),
        }
    }
}

/// What a verification found.
#[derive(Debug)]
pub struct Verified {
    /// The snapshot's manifest.
    pub manifest: Manifest,
    /// How closely it was looked at.
    pub depth: Depth,
    /// What was read back.
    pub read: Totals,
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
    let with_hashes = match depth {
        Depth::Quick => true,
        // Where a listing has to read everything for that, it would be no sample.
        Depth::Sample(_) => !abilities.slow_hash,
        Depth::Full => false,
    };
    let listed = listed(store, &manifest, with_hashes)?;
    let sums = sums(&manifest);
    let sums = (SUMS.to_owned(), &sums);
    let files: Vec<(String, &FileEntry)> = manifest
        .files()
        .map(|(stored, _, file)| (stored, file))
        .collect();
    // In a folder of this machine each file was read for its hash, and one without could not be.
    let unread = if with_hashes && abilities.links {
        without_hash(&listed)
    } else {
        HashSet::new()
    };
    let (listed_sums, listed): (Vec<_>, Vec<_>) =
        listed.into_iter().partition(|file| file.path == SUMS);
    let (mut differences, hashed) = compare(files.iter().cloned(), listed);
    let (differs, sums_hashed) = compare([sums.clone()].into_iter(), listed_sums);
    differences.extend(differs);
    let judged = known(&differences);
    let names = files.iter().map(|(stored, _)| stored).chain([&sums.0]);
    let unread = names.filter(|name| unread.contains(*name) && !judged.contains(*name));
    differences.extend(unread.cloned().map(Difference::Unread));
    let listing = match abilities.hash {
        Some(kind) if hashed + sums_hashed > 0 => {
            by_hash(kind, hashed, files.len(), sums_hashed > 0)
        }
        Some(_) | None => "sizes".to_owned(),
    };
    let mut picked = depth.picks(&files);
    let read = depth.total(&manifest);
    if depth != Depth::Quick {
        let known = known(&differences);
        picked.push(sums);
        picked.retain(|(stored, _)| !known.contains(stored));
        differences.extend(read_back(store, &dir, &picked, watch, interrupt)?);
    }
    let compared = match depth {
        Depth::Quick if hashed + sums_hashed == 0 => {
            "sizes only: there is no hash to compare".to_owned()
        }
        Depth::Quick => listing,
        Depth::Sample(_) => format!("{listing}; {}", read_of(read, manifest.totals)),
        Depth::Full => String::from("every byte, by SHA-256"),
    };
    Ok(Verified {
        manifest,
        depth,
        read,
        compared,
        differences,
    })
}

/// What lies there of all that the manifest knows of, and what should not.
fn listed(
    store: &Store<'_>,
    manifest: &Manifest,
    hashes: bool,
) -> Result<Vec<Listed>, RemoteError> {
    let mut listed = store.remote().files(&store.dir(manifest.id), hashes)?;
    let beside = |name: &str| name == MANIFEST || AFTER_THE_SEAL.contains(&name);
    listed.retain(|file| !beside(&file.path));
    if store.is_mirror() {
        // Beside its own it may have what filters leave out, and what is somebody else's.
        let own: HashSet<String> = manifest.files().map(|(stored, ..)| stored).collect();
        listed.retain(|file| file.path == SUMS || own.contains(&file.path));
    }
    Ok(listed)
}

fn without_hash(listed: &[Listed]) -> HashSet<String> {
    let without = listed.iter().filter(|file| file.hash.is_none());
    without.map(|file| file.path.clone()).collect()
}

fn read_of(read: Totals, all: Totals) -> String {
    format!(
        "{} of {} files read back ({} of {}), by SHA-256",
        read.files, all.files, read.bytes, all.bytes
    )
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

/// The files of which it is known already that they are not as they should be.
fn known(differences: &[Difference]) -> HashSet<String> {
    let known = differences.iter().filter_map(Difference::expected);
    known.map(str::to_owned).collect()
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
        let unlike = on_every_core(round.to_vec(), FEW, |(stored, file)| {
            let is_alike = content_matches(&temporary.path().join(&stored), file, interrupt)?;
            Ok::<_, VerifyError>((!is_alike).then_some(stored))
        });
        let mut unlike = unlike?;
        unlike.sort();
        differences.extend(unlike.into_iter().map(Difference::Hash));
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
