//! The manifest: what makes a snapshot exist, and what puts it back as it was.

mod entry;
mod own;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::entry::{Attributes, Entry, EntryKind, FileEntry, Mode, Rows, Taken};
pub use self::own::{
    AFTER_THE_SEAL, CLAIM, COPAL_DIR, DAMAGED, DRILLED, MANIFEST, PIN, PRUNING, SUMS, VERIFIED,
};
use crate::digest::Sha256;
use crate::mounts::Disk;
use crate::path::RelPath;
use crate::snapshot::SnapshotId;
use crate::staging::Way;
use crate::units::ByteCount;

/// The format that this version writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// What hooks found out about the source, by the hook's name and a key of its own.
pub type Facts = BTreeMap<String, BTreeMap<String, String>>;

/// All that is known of one snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The manifest's own format; see [`FORMAT`].
    pub copal_manifest: u32,
    /// The snapshot's id, equal to the name of its directory.
    pub id: SnapshotId,
    /// The job's name.
    pub name: String,
    /// The run that made it.
    pub run: RunRecord,
    /// The directory that was backed up, as the owner wrote it.
    pub source: String,
    /// Directories of it at which other file systems were mounted, sorted; see [`crate::mounts`]. One that is
    /// missing stays among them until the owner accepts that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<RelPath>,
    /// What is known of the file systems there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disks: BTreeMap<RelPath, Disk>,
    /// Of a mirror: the folders that follow the source, below the destination; the empty one is that itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<String>,
    /// The top directory's own attributes.
    pub root: Attributes,
    /// How many files there are and what they hold.
    pub totals: Totals,
    /// The hooks that took part.
    pub hooks: Vec<HookRecord>,
    /// What they found out, such as the version of the app's schema.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: Facts,
    /// Of a mirror that has files which the source does not have, and of which nothing could be deleted: how
    /// many files were there when that was so for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub there_when_refused: Option<u64>,
    /// Of a mirror that has files which the source does not have: that no run knows whether they belong to it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unaccounted: bool,
    /// Everything below the top, sorted by path.
    pub entries: Vec<Entry>,
}

/// When and by what a snapshot was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The run's id: random, the same in logs and records.
    pub id: String,
    /// When the run began.
    pub started: Timestamp,
    /// When everything was staged: what the app wrote later need not be in the snapshot.
    pub staged: Timestamp,
    /// The version of Copal that wrote this.
    pub copal: String,
    /// How files were kept as they were at that moment; what stands in for a file, and what differs, is
    /// said with each file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staging: Option<Way>,
}

/// Files and bytes of a whole snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Number of files.
    pub files: u64,
    /// Sum of the files' sizes.
    pub bytes: ByteCount,
}

/// A hook's part in a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HookRecord {
    /// The hook's name in the configuration.
    pub name: String,
    /// The digest of the component that ran.
    pub sha256: Sha256,
    /// The phases it took part in before the seal, each with its outcome (`ok`).
    pub phases: BTreeMap<String, String>,
}

/// Why a text is no manifest that can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is not a manifest at all, or a damaged one.
    #[error("it can't be read: {0}")]
    Unreadable(String),
    /// Nobody can say what it holds: it may not be read, or lies where none is looked for.
    #[error("it can't be read: {0}")]
    OutOfReach(String),
    /// A later version of Copal wrote it.
    #[error("it has format {found}, and this version of Copal reads up to {FORMAT}")]
    TooNew {
        /// The format that it claims.
        found: u32,
    },
    /// What it says contradicts itself.
    #[error("it contradicts itself: {0}")]
    Inconsistent(String),
}

impl Manifest {
    /// Each file with the name under which it lies on the remote.
    pub fn files(&self) -> impl Iterator<Item = (String, &Entry, &FileEntry)> {
        self.entries.iter().filter_map(|entry| {
            let file = entry.file()?;
            let stored = file
                .stored
                .clone()
                .unwrap_or_else(|| plain_name(&entry.path));
            Some((stored, entry, file))
        })
    }

    /// The text that goes up to the remote.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).expect("a manifest has only string keys");
        json.push('\n');
        json
    }

    /// Reads and checks a manifest from a remote, which nobody vouches for.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        let unreadable = |error: serde_json::Error| ManifestError::Unreadable(error.to_string());
        // The format first: a later one may differ in everything else.
        let probe: FormatProbe = serde_json::from_slice(json).map_err(unreadable)?;
        if probe.copal_manifest > FORMAT {
            return Err(ManifestError::TooNew {
                found: probe.copal_manifest,
            });
        }
        let manifest: Self = serde_json::from_slice(json).map_err(unreadable)?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The checksums, a line for each file under its name on the remote, sorted.
    pub fn sums(&self) -> String {
        let mut lines: Vec<_> = self
            .files()
            .map(|(stored, _, file)| format!("{}  {stored}\n", file.sha256))
            .collect();
        lines.sort_unstable_by(|a, b| a[64..].cmp(&b[64..]));
        lines.concat()
    }

    fn check(&self) -> Result<(), ManifestError> {
        let inconsistent = |text: String| Err(ManifestError::Inconsistent(text));
        if let Some(pair) = self
            .entries
            .windows(2)
            .find(|pair| pair[0].path >= pair[1].path)
        {
            return inconsistent(format!("`{}` is out of order or named twice", pair[1].path));
        }
        let mut stored_names = std::collections::HashSet::new();
        for (stored, entry, _) in self.files() {
            if RelPath::new(stored.as_bytes()).is_err() {
                return inconsistent(format!("`{}` has an impossible stored name", entry.path));
            }
            if !stored_names.insert(stored) {
                return inconsistent(format!("`{}` shares its stored name", entry.path));
            }
        }
        let totals = Totals::of(&self.entries);
        if totals != self.totals {
            return inconsistent(format!(
                "it promises {} files of {}, and lists {} of {}",
                self.totals.files, self.totals.bytes, totals.files, totals.bytes
            ));
        }
        self.check_parents()
    }

    /// Nothing may lie below a link or a file: restoring it would write somewhere else.
    fn check_parents(&self) -> Result<(), ManifestError> {
        let directories: std::collections::HashSet<_> = self
            .entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::Directory)
            .map(|entry| &entry.path)
            .collect();
        let orphan = self.entries.iter().find(|entry| {
            entry
                .path
                .parent()
                .is_some_and(|parent| !directories.contains(&parent))
        });
        match orphan {
            Some(entry) => Err(ManifestError::Inconsistent(format!(
                "`{}` does not lie in a directory that it lists",
                entry.path
            ))),
            None => Ok(()),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Deserialize)]
struct FormatProbe {
    copal_manifest: u32,
}

impl Totals {
    /// The totals of these entries.
    pub fn of(entries: &[Entry]) -> Self {
        entries
            .iter()
            .filter_map(Entry::file)
            .fold(Self::default(), |sum, file| Self {
                files: sum.files + 1,
                bytes: ByteCount(sum.bytes.0.saturating_add(file.size.0)),
            })
    }
}

/// Only a path that is plain text goes without a stored name.
fn plain_name(path: &RelPath) -> String {
    String::from_utf8_lossy(path.as_bytes()).into_owned()
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
pub(crate) mod tests;
