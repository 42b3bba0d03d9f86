//! Which snapshots there are, and their manifests.

use std::fs;
use std::io;

use copal_core::manifest::{COPAL_DIR, MANIFEST, Manifest, ManifestError};
use copal_core::snapshot::{ResolveError, SnapshotId, SnapshotRef};

use crate::edge::remote::{Batch, Remote, RemoteError};

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
    /// Its manifest can't be trusted.
    #[error("the manifest of `{id}` is damaged")]
    Manifest {
        /// The snapshot.
        id: SnapshotId,
        /// Why.
        source: ManifestError,
    },
    /// A mirror's manifest can't be trusted.
    #[error("the manifest of the mirror `{place}` is damaged")]
    MirrorManifest {
        /// The destination; secrets masked.
        place: String,
        /// Why.
        source: ManifestError,
    },
    /// No run has come to its end there yet.
    #[error("`{0}` is no mirror yet")]
    NoMirror(String),
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

fn names_found(names: &[String]) -> String {
    if names.is_empty() {
        return "no snapshots".to_owned();
    }
    format!("snapshots of several names ({})", names.join(", "))
}

/// A snapshot's directory on the remote, and what its manifest says.
pub struct Known {
    /// Its id.
    pub id: SnapshotId,
    /// Its manifest, or why that can't be trusted.
    pub manifest: Result<Manifest, ManifestError>,
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

    /// The one state that a mirror has, as its last run proved it.
    pub fn mirror(remote: &'a dyn Remote) -> Result<Self, StoreError> {
        let manifest = Self::mirrored(remote)?;
        let manifest = manifest.ok_or_else(|| StoreError::NoMirror(remote.shown()))?;
        Ok(Self {
            remote,
            name: manifest.name.clone(),
            mirror: Some(Box::new(manifest)),
        })
    }

    /// The manifest of a mirror, where there is one.
    pub fn mirrored(remote: &dyn Remote) -> Result<Option<Manifest>, StoreError> {
        let there = remote.files(COPAL_DIR, false)?;
        if !there.iter().any(|file| is_manifest(&file.path)) {
            return Ok(None);
        }
        let temporary = tempfile::tempdir()?;
        let local = temporary.path().join("manifest.json");
        if !remote.get(MANIFEST, &local)? {
            return Ok(None);
        }
        let parsed = Manifest::parse(&fs::read(local)?);
        parsed.map(Some).map_err(|source| {
            let place = remote.shown();
            StoreError::MirrorManifest { place, source }
        })
    }

    /// Whether it is a mirror, whose folders may have more than its manifest lists.
    pub fn is_mirror(&self) -> bool {
        self.mirror.is_some()
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

    /// Every sealed snapshot, oldest first.
    pub fn sealed(&self) -> Result<Vec<SnapshotId>, StoreError> {
        self.sealed_among(self.started()?)
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
        let copal = self
            .remote
            .files(&format!("{}/{COPAL_DIR}", self.dir(id)), false)?;
        Ok(copal.iter().any(|file| is_manifest(&file.path)))
    }

    /// Every sealed snapshot with its manifest, oldest first.
    pub fn all(&self) -> Result<Vec<Known>, StoreError> {
        if let Some(mirror) = &self.mirror {
            let (id, manifest) = (mirror.id, Ok((**mirror).clone()));
            return Ok(vec![Known { id, manifest }]);
        }
        let ids = self.sealed()?;
        let temporary = tempfile::tempdir()?;
        let names: Vec<String> = ids.iter().map(|id| format!("{id}/{MANIFEST}")).collect();
        if !names.is_empty() {
            let batch = Batch {
                local: temporary.path(),
                remote: &self.name,
                names: &names,
                again: false,
            };
            self.remote.download(batch, &mut |_| {})?;
        }
        ids.into_iter()
            .zip(names)
            .map(|(id, name)| {
                let bytes = fs::read(temporary.path().join(name))?;
                Ok(Known {
                    id,
                    manifest: parse(&bytes, id, &self.name),
                })
            })
            .collect()
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

    fn unresolved(&self, source: ResolveError) -> StoreError {
        let shown = self.remote.shown();
        let slash = if shown.ends_with(['/', ':']) { "" } else { "/" };
        let place = format!("{shown}{slash}{}", self.name);
        StoreError::Resolve { place, source }
    }

    /// One snapshot's manifest.
    pub fn manifest(&self, id: SnapshotId) -> Result<Manifest, StoreError> {
        if let Some(mirror) = &self.mirror {
            return Ok((**mirror).clone());
        }
        let temporary = tempfile::tempdir()?;
        let local = temporary.path().join("manifest.json");
        let from = format!("{}/{MANIFEST}", self.dir(id));
        if !self.remote.get(&from, &local)? {
            let source = ManifestError::Unreadable("it is gone".to_owned());
            return Err(StoreError::Manifest { id, source });
        }
        let bytes = fs::read(local)?;
        parse(&bytes, id, &self.name).map_err(|source| StoreError::Manifest { id, source })
    }
}

/// Whether this is the manifest, of what lies in Copal's own directory.
fn is_manifest(name: &str) -> bool {
    MANIFEST.ends_with(&format!("/{name}"))
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
