//! Which snapshots there are, and their manifests.

mod known;
mod mirror;

use std::fs;
use std::io;

use copal_core::manifest::{
    CLAIM, COPAL_DIR, DAMAGED, MANIFEST, Manifest, ManifestError, PIN, PRUNING, VERIFIED,
};
use copal_core::retention::{Candidate, Mark};
use copal_core::snapshot::{ResolveError, SnapshotId, SnapshotRef};

use crate::edge::remote::{Listed, Remote, RemoteError};

pub use self::known::{Known, contents_of};

/// The snapshots of one name at one destination.
pub struct Store<'a> {
    remote: &'a dyn Remote,
    name: String,
    /// The manifest at the destination's top, where it is a mirror.
    mirror: Option<Box<Manifest>>,
}

/// Why snapshots or a manifest can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The remote, or the way to it.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The name stands for no snapshot, or for several.
    #[error("{source} in `{place}`")]
    Resolve {
        /// Where was looked.
        place: String,
        /// Why.
        source: ResolveError,
    },
    /// A mirror was asked for another state than its own.
    #[error("the mirror `{place}` has the state of its last run alone, `{id}`")]
    OneState {
        /// The destination; secrets masked.
        place: String,
        /// That state.
        id: SnapshotId,
        /// The job's name, under which snapshots may lie there as well.
        name: String,
    },
    /// Its manifest can't be trusted.
    #[error("the manifest of `{id}` is damaged")]
    Manifest {
        /// The snapshot.
        id: SnapshotId,
        /// Why.
        source: ManifestError,
    },
    /// A mirror's manifest can't be trusted, or not be understood.
    #[error("the manifest of the mirror `{place}` {}", what_of(.source))]
    MirrorManifest {
        /// The destination; secrets masked.
        place: String,
        /// Why.
        source: ManifestError,
    },
    /// A mirror's checksums are there, and its manifest is not.
    #[error("the mirror `{0}` has `.copal/SHA256SUMS` and no manifest")]
    ManifestGone(String),
    /// No run has come to its end there yet.
    #[error("`{0}` is no mirror yet")]
    NoMirror(String),
    /// It goes just now, or a prune that had begun with it was killed.
    #[error("`{0}` is being pruned")]
    BeingPruned(SnapshotId),
    /// No name was given, and there is none, or more than one.
    #[error("`{place}` holds {}", names_found(.names))]
    WhichName {
        /// Where was looked.
        place: String,
        /// The names there.
        names: Vec<String>,
    },
    /// A temporary file can't be made or read.
    #[error("can't use the temporary directory")]
    Temporary(#[from] io::Error),
}

fn what_of(error: &ManifestError) -> &'static str {
    match error {
        ManifestError::TooNew { .. } => "is of a later version of Copal",
        ManifestError::Unreadable(_) | ManifestError::Inconsistent(_) => "is damaged",
    }
}

fn names_found(names: &[String]) -> String {
    if names.is_empty() {
        return "no snapshots".to_owned();
    }
    format!("snapshots of several names ({})", names.join(", "))
}

/// What lies under the name of a job, as far as the names of Copal's own files tell.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The sealed snapshots, oldest first.
    pub sealed: Vec<Candidate>,
    /// The directories without a manifest, oldest first.
    pub left: Vec<(SnapshotId, Mark)>,
    /// Sealed snapshots that a prune had condemned, and had not begun to remove.
    pub spared: Vec<SnapshotId>,
}

impl StoreError {
    /// Whether there is merely no snapshot of that name.
    pub fn is_of_the_name(&self) -> bool {
        matches!(self, Self::Resolve { .. } | Self::OneState { .. })
    }
}

impl<'a> Store<'a> {
    /// The snapshots called `name` at a destination.
    pub fn new(remote: &'a dyn Remote, name: impl Into<String>) -> Self {
        Self {
            remote,
            name: name.into(),
            mirror: None,
        }
    }

    /// The snapshots of the only name at a destination, or the mirror that is there.
    pub fn only_name(remote: &'a dyn Remote) -> Result<Self, StoreError> {
        let mut names = Vec::new();
        let directories = remote.directories("")?;
        if directories.iter().any(|name| name == COPAL_DIR) {
            return Self::mirror(remote);
        }
        for name in directories {
            let holds_one = || {
                let inside = remote.directories(&name)?;
                Ok::<_, RemoteError>(inside.iter().any(|id| id.parse::<SnapshotId>().is_ok()))
            };
            if holds_one()? {
                names.push(name);
            }
        }
        match &names[..] {
            [name] => Ok(Self::new(remote, name.clone())),
            _ => Err(StoreError::WhichName {
                place: remote.shown(),
                names,
            }),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where they lie.
    pub fn remote(&self) -> &'a dyn Remote {
        self.remote
    }

    /// A snapshot's directory at the destination.
    pub fn dir(&self, id: SnapshotId) -> String {
        if self.is_mirror() {
            return String::new();
        }
        format!("{}/{id}", self.name)
    }

    /// Every id that has a directory, sealed or not, oldest first.
    pub fn started(&self) -> Result<Vec<SnapshotId>, StoreError> {
        if let Some(mirror) = &self.mirror {
            return Ok(vec![mirror.id]);
        }
        let mut ids: Vec<SnapshotId> = self
            .remote
            .directories(&self.name)?
            .iter()
            .filter_map(|id| id.parse().ok())
            .collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The sealed snapshots from the newest backwards, each looked for when it is asked for: the
    /// first is usually all that is wanted, and costs one listing.
    pub fn sealed_from_newest(
        &self,
    ) -> Result<impl Iterator<Item = Result<SnapshotId, StoreError>>, StoreError> {
        Ok(self.sealed_from_newest_of(self.started()?))
    }

    /// The same of those that were listed before.
    pub fn sealed_from_newest_of(
        &self,
        started: Vec<SnapshotId>,
    ) -> impl Iterator<Item = Result<SnapshotId, StoreError>> {
        let newest_first = started.into_iter().rev();
        newest_first.filter_map(|id| match self.is_sealed(id) {
            Ok(sealed) => sealed.then_some(Ok(id)),
            Err(error) => Some(Err(error)),
        })
    }

    fn latest(&self) -> Result<Option<SnapshotId>, StoreError> {
        self.sealed_from_newest()?.next().transpose()
    }

    fn sealed_among(&self, ids: Vec<SnapshotId>) -> Result<Vec<SnapshotId>, StoreError> {
        let mut sealed = Vec::new();
        for id in ids {
            if self.is_sealed(id)? {
                sealed.push(id);
            }
        }
        Ok(sealed)
    }

    fn is_sealed(&self, id: SnapshotId) -> Result<bool, StoreError> {
        if self.is_mirror() {
            return Ok(true);
        }
        Ok(has(&self.own_files(id)?, MANIFEST))
    }

    /// Copal's own files of a snapshot, by their paths in it.
    pub fn own_files(&self, id: SnapshotId) -> Result<Vec<Listed>, StoreError> {
        own_files_in(self.remote, &self.dir(id))
    }

    /// What there is, sealed or not, by a listing of each directory's own files.
    pub fn inventory(&self) -> Result<Inventory, StoreError> {
        let mut inventory = Inventory::default();
        for id in self.started()? {
            let own = self.own_files(id)?;
            if has(&own, MANIFEST) {
                let is_manifest = |file: &&Listed| file.path == MANIFEST;
                inventory.sealed.push(Candidate {
                    id,
                    pinned: has(&own, PIN),
                    verified: has(&own, VERIFIED),
                    // Whether another can be read, nobody knows who has not read it.
                    damaged: own
                        .iter()
                        .find(is_manifest)
                        .is_some_and(|it| it.size.0 == 0),
                    found_damaged: has(&own, DAMAGED),
                });
                if has(&own, PRUNING) {
                    inventory.spared.push(id);
                }
                continue;
            }
            let claimed = own.iter().any(|file| file.path.starts_with(CLAIM));
            let mark = match (has(&own, PRUNING), claimed) {
                (true, _) => Mark::BeingPruned,
                (false, true) => Mark::Claimed,
                (false, false) => Mark::None,
            };
            inventory.left.push((id, mark));
        }
        Ok(inventory)
    }

    /// Puts down a small file of Copal's own beside a manifest.
    pub fn put_beside(&self, id: SnapshotId, name: &str, content: &str) -> Result<(), StoreError> {
        let temporary = tempfile::tempdir()?;
        let file_name = name.rsplit('/').next().unwrap_or(name);
        let local = temporary.path().join(file_name);
        fs::write(&local, content)?;
        Ok(self
            .remote
            .put(&local, &format!("{}/{name}", self.dir(id)))?)
    }

    /// Takes one away again; it may not be there.
    pub fn take_away(&self, id: SnapshotId, name: &str) -> Result<(), StoreError> {
        Ok(self.remote.delete(&format!("{}/{name}", self.dir(id)))?)
    }

    /// The one that a person means.
    pub fn find(&self, wanted: &SnapshotRef) -> Result<SnapshotId, StoreError> {
        // Only what the name may stand for has to be looked at, and the newest for the message.
        let mut candidates: Vec<SnapshotId> = match wanted {
            SnapshotRef::Latest => Vec::new(),
            SnapshotRef::Prefix(prefix) => {
                let mut started = self.started()?;
                started.retain(|id| id.to_string().starts_with(prefix));
                self.sealed_among(started)?
            }
        };
        if candidates.is_empty() {
            candidates.extend(self.latest()?);
        }
        wanted
            .resolve(&candidates)
            .map_err(|source| self.unresolved(source))
    }

    /// What to say where there is none.
    pub fn none(&self) -> StoreError {
        self.unresolved(ResolveError::Empty)
    }

    /// What to say of one that is not there any more.
    pub fn gone(&self, id: SnapshotId) -> StoreError {
        let source = ManifestError::Unreadable("it is gone".to_owned());
        StoreError::Manifest { id, source }
    }

    /// What to say where a name stands for no snapshot, or for several.
    pub fn unresolved(&self, source: ResolveError) -> StoreError {
        let shown = self.remote.shown();
        if let Some(mirror) = &self.mirror {
            return StoreError::OneState {
                place: shown,
                id: mirror.id,
                name: self.name.clone(),
            };
        }
        let slash = if shown.ends_with(['/', ':']) { "" } else { "/" };
        let place = format!("{shown}{slash}{}", self.name);
        StoreError::Resolve { place, source }
    }

    /// One snapshot's manifest.
    pub fn manifest(&self, id: SnapshotId) -> Result<Manifest, StoreError> {
        if let Some(mirror) = &self.mirror {
            return Ok((**mirror).clone());
        }
        self.manifest_at(id, MANIFEST)
    }

    /// The manifest that lies in a snapshot's directory under this name.
    pub fn manifest_at(&self, id: SnapshotId, name: &str) -> Result<Manifest, StoreError> {
        let temporary = tempfile::tempdir()?;
        let local = temporary.path().join("manifest.json");
        let from = format!("{}/{name}", self.dir(id));
        if !self.remote.get(&from, &local)? {
            return Err(self.gone(id));
        }
        let bytes = fs::read(local)?;
        parse(&bytes, id, &self.name).map_err(|source| StoreError::Manifest { id, source })
    }
}

/// What lies in Copal's own directory below this one, by its path from there.
fn own_files_in(remote: &dyn Remote, dir: &str) -> Result<Vec<Listed>, StoreError> {
    let dir = if dir.is_empty() {
        COPAL_DIR.to_owned()
    } else {
        format!("{dir}/{COPAL_DIR}")
    };
    let mut listed = remote.files(&dir, false)?;
    for file in &mut listed {
        file.path = format!("{COPAL_DIR}/{}", file.path);
    }
    Ok(listed)
}

fn has(own: &[Listed], name: &str) -> bool {
    own.iter().any(|file| file.path == name)
}

/// A manifest that was copied from elsewhere proves nothing here.
fn parse(bytes: &[u8], id: SnapshotId, name: &str) -> Result<Manifest, ManifestError> {
    let manifest = Manifest::parse(bytes)?;
    if manifest.id == id && manifest.name == name {
        return Ok(manifest);
    }
    Err(ManifestError::Inconsistent(format!(
        "it is the manifest of `{}/{}`",
        manifest.name, manifest.id
    )))
}
