//! Mirror: what is there already, and what of it goes when all the rest has arrived.

mod decide;
mod origin;
mod surplus;
mod way;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use copal_core::manifest::{Entry, EntryKind, FileEntry, Taken};
use copal_core::mirror::{Emptied, Ground, Map, Refused};
use copal_core::mounts::Lost;
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;

use super::preflight::{PreflightError, check_unlinked, not_mounted};
use super::reuse::Reused;
use super::stage::StageError;
use super::transfer::{Transfer, TransferError, Transferred};
use crate::edge::remote::{Directories, Listed, RemoteError};
use crate::error::CopalError;

pub use decide::{Decided, Deleting};
pub(super) use origin::Origin;
pub use surplus::{Foreseeing, foresee};
pub use way::Stays;

/// What is wrong with a mirror, or with what it was to become.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The map names what is not backed up.
    #[error("the source has nothing to mirror at {}", crate::error::some(.0))]
    NotThere(Vec<RelPath>),
    /// A folder would lose all it has.
    #[error("the source has no file left for {}, which would lose {files}", in_words(.folder))]
    Emptied {
        /// The folder; empty for the destination itself.
        folder: String,
        /// How many files it has.
        files: u64,
    },
    /// File systems that were mounted in the source for its last run, and are not now.
    #[error("{}, and the mirror ({last}) has files of it", not_mounted(.lost))]
    Unmounted {
        /// They.
        lost: Vec<Lost>,
        /// The mirror's last run.
        last: SnapshotId,
    },
    /// Another job's mirror lies there.
    #[error("`{place}` is the mirror of the job `{name}`")]
    Others {
        /// The destination; secrets masked.
        place: String,
        /// That job.
        name: String,
    },
    /// Something stays there that has the name of what is to be sent.
    #[error("`{there}` at the mirror `{place}` is in the way of `{wanted}`")]
    InTheWay {
        /// The destination; secrets masked.
        place: String,
        /// What is in the way, a file or a directory.
        there: String,
        /// What of the source belongs there.
        wanted: String,
        /// Why it stays.
        source: Stays,
    },
    /// It lies in another job's mirror.
    #[error(
        "`{place}` lies in the folders of a mirror at `{above}`, which is that of the job `{name}`"
    )]
    Within {
        /// The destination; secrets masked.
        place: String,
        /// Where that mirror is; secrets masked.
        above: String,
        /// That job.
        name: String,
    },
    /// Two destinations of one job are one place, or one lies in the other.
    #[error("the destinations `{one}` and `{other}` would have each other's files")]
    OnePlace {
        /// One; secrets masked.
        one: String,
        /// The other.
        other: String,
    },
    /// A directory of it leads elsewhere.
    #[error("in the mirror `{}` is a link to `{}`", .link.display(), .to.display())]
    Linked {
        /// The directory.
        link: PathBuf,
        /// Where it leads.
        to: PathBuf,
    },
    /// Everything arrived, and nothing was deleted.
    #[error("nothing was deleted from the mirror `{place}`")]
    Kept {
        /// The destination; secrets masked.
        place: String,
        /// Why.
        source: Refused,
    },
    /// Everything arrived, and not all was deleted that was to be.
    #[error("the mirror `{place}` still has {left} {} that the source does not have", if *.left == 1 { "file" } else { "files" })]
    NotDeleted {
        /// The destination; secrets masked.
        place: String,
        /// How many.
        left: u64,
        /// Why.
        source: Box<RemoteError>,
    },
}

fn in_words(folder: &str) -> String {
    match folder {
        "" => "the mirror".to_owned(),
        folder => format!("the folder `{folder}`"),
    }
}

impl MirrorError {
    /// Unless something is there of each part that the map names.
    pub(super) fn unless_all_there(
        map: &Map,
        is_there: impl Fn(&RelPath) -> bool,
    ) -> Result<(), Self> {
        let lacking = map.lacking(is_there);
        if lacking.is_empty() {
            return Ok(());
        }
        Err(Self::NotThere(lacking))
    }

    /// Why it is an error at all, for what has no cause below it.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::NotThere(_) => Some("it is not there, or a link, or left out by a filter"),
            Self::Emptied { .. } => {
                Some("most likely the app lost them, and the mirror would lose them as well")
            }
            Self::Unmounted { .. } => Some("the mirror would lose all that lay on it"),
            Self::OnePlace { .. } => Some(
                "they are one place, or one lies in the other, and a mirror deletes from its folders what the source does not have",
            ),
            Self::Linked { .. } => {
                Some("files would be written or deleted in a place that is none of the mirror's")
            }
            Self::Within { .. } | Self::Others { .. } => {
                Some("two jobs would delete each other's files")
            }
            Self::InTheWay { .. } | Self::Kept { .. } | Self::NotDeleted { .. } => None,
        }
    }
}

impl From<Emptied> for MirrorError {
    fn from(Emptied { folder, files }: Emptied) -> Self {
        Self::Emptied { folder, files }
    }
}

impl From<MirrorError> for CopalError {
    fn from(error: MirrorError) -> Self {
        Self::Mirror(Box::new(error))
    }
}

impl From<MirrorError> for TransferError {
    fn from(error: MirrorError) -> Self {
        Self::Mirror(Box::new(error))
    }
}

impl From<MirrorError> for PreflightError {
    fn from(error: MirrorError) -> Self {
        Self::Mirror(Box::new(error))
    }
}

impl Transferred<'_> {
    /// Finds out which files the mirror has already, with the same content, and refuses to go on where a
    /// folder would be left without any.
    pub(super) fn find_there(&mut self, by: &mut Transfer<'_>) -> Result<(), TransferError> {
        let Some(map) = self.place.map() else {
            return Ok(());
        };
        self.check_mapped(map)?;
        // What the last run wrote down spares reading all of it; the proof reads it in any case.
        let reads = by.abilities.slow_hash && by.last.is_some();
        let hashes = by.abilities.tells_hashes() && !reads;
        let there = self.place.tree(by.remote, hashes)?;
        self.before = there.files;
        let wanted = self.wanted();
        let ground = self.ground(map);
        let before = self.before.iter().map(|file| file.path.as_str());
        let decided = before.filter(|name| ground.has(name));
        let names = wanted.iter().map(String::as_str).chain(decided);
        check_unlinked(&by.abilities.local_roots, names)?;
        let last_files = || by.last.iter().flat_map(|last| last.files());
        self.written = Origin::all_of(by.last);
        if let Some(deleting) = by.deleting.filter(|by| !by.accept_missing) {
            self.check_filled(map, deleting)?;
        }
        let is_disk = by.abilities.directories == Directories::Real;
        if let Some(deleting) = by.deleting.filter(|_| is_disk) {
            self.clear_the_way(&there.directories, deleting)?;
        }
        let last: HashMap<String, &FileEntry> =
            last_files().map(|(name, _, file)| (name, file)).collect();
        let there: HashMap<&str, &Listed> = self
            .before
            .iter()
            .map(|it| (it.path.as_str(), it))
            .collect();
        let mut names = HashSet::new();
        for file in &self.files {
            let entry = self.place.entry(file);
            let name = self.place.name(file).into_owned();
            let has = |file: &FileEntry| {
                let listed = there.get(name.as_str()).filter(|it| it.size == file.size);
                listed.is_some_and(|it| is_same(it, file, last.get(&name).copied()))
            };
            if entry.file().is_some_and(has) {
                names.insert(name);
            }
        }
        self.reused = Reused::of(names);
        Ok(())
    }

    fn check_mapped(&self, map: &Map) -> Result<(), MirrorError> {
        let has = |source: &RelPath| {
            let mut files = self.files.iter();
            let archive = |suffix: &str| source.with_suffix(suffix);
            self.is_directory(source)
                || files.any(|file| {
                    let suffix = file.taken.archive_suffix();
                    file.path.is_within(source) || suffix.map(archive).as_ref() == Some(&file.path)
                })
        };
        MirrorError::unless_all_there(map, has)
    }

    fn check_filled(&self, map: &Map, by: &Deleting<'_>) -> Result<(), TransferError> {
        let (ground, wanted) = (self.ground(map), self.wanted());
        if ground.emptied(&self.names_before(), &wanted).is_none() {
            return Ok(());
        }
        // What no run may delete does not count, and only filters can tell.
        let Some(left) = self.left(by, |_| true) else {
            return Ok(());
        };
        let surplus = left.without_filtered(by).map_err(StageError::from)?;
        let names: Vec<String> = surplus.names().map(str::to_owned).collect();
        let emptied = ground.emptied(&names, &wanted);
        emptied.map_or(Ok(()), |emptied| Err(MirrorError::from(emptied).into()))
    }

    fn is_directory(&self, path: &RelPath) -> bool {
        let is = |entry: &Entry| entry.path == *path && entry.kind == EntryKind::Directory;
        self.others.iter().any(is)
    }

    fn ground(&self, map: &Map) -> Ground {
        let copied = self.files.iter();
        let copied = copied.filter(|file| file.taken == Taken::SqliteBackup);
        Ground::of(map, |source| self.is_directory(source))
            .and_logs_of(copied.map(|file| self.place.name(file).into_owned()))
    }

    fn names_before(&self) -> Vec<String> {
        self.before.iter().map(|file| file.path.clone()).collect()
    }

    fn wanted(&self) -> HashSet<String> {
        let names = self.files.iter().map(|file| self.place.name(file));
        names.map(std::borrow::Cow::into_owned).collect()
    }
}

/// By the remote's hash, or else by what the last run proved and wrote down of it.
fn is_same(listed: &Listed, file: &FileEntry, last: Option<&FileEntry>) -> bool {
    let told = listed.hash.as_ref().and_then(|hash| hash.matches(file));
    told.unwrap_or_else(|| last.is_some_and(|last| last.sha256 == file.sha256))
}
