//! Which snapshots there are, and their manifests.

mod error;
mod folder;
mod inventory;
mod known;
mod mirror;

use std::cell::OnceCell;
use std::fs;

use copal_core::manifest::{COPAL_DIR, MANIFEST, Manifest, ManifestError};
use copal_core::snapshot::{ResolveError, SnapshotId, SnapshotRef};
use copal_core::units::ByteCount;

use crate::edge::own::{Most, Own, OwnFolder};
use crate::edge::remote::{Listed, Remote, RemoteError};

pub use self::error::StoreError;
use self::folder::unreadable_manifest;
pub use self::inventory::Inventory;
pub use self::known::{Known, contents_of};

/// The snapshots of one name at one destination.
pub struct Store<'a> {
    remote: &'a dyn Remote,
    name: String,
    /// The manifest at the destination's top, where it is a mirror.
    mirror: Option<Box<Manifest>>,
    /// The folder of this machine that they lie in, where they do, once it was asked for.
    folder: OnceCell<Option<OwnFolder>>,
}

impl<'a> Store<'a> {
    /// The snapshots called `name` at a destination.
    pub fn new(remote: &'a dyn Remote, name: impl Into<String>) -> Self {
        Self {
            remote,
            name: name.into(),
            mirror: None,
            folder: OnceCell::new(),
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
        if let Some(folder) = self.folder()? {
            return self.started_in(folder);
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
    /// first is usually all that is wanted.
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

    /// Those of them that are sealed. All manifests are asked for at once.
    fn sealed_among(&self, ids: Vec<SnapshotId>) -> Result<Vec<SnapshotId>, StoreError> {
        if self.is_mirror() {
            return Ok(ids);
        }
        if let Some(folder) = self.folder()? {
            return Ok(self.sealed_in(folder, ids));
        }
        let manifests = self.own_files_named(&ids, &[MANIFEST])?;
        let mut sealed = Vec::new();
        for id in ids {
            let found = manifests.get(&id).and_then(|found| found.first());
            let is_sealed = match found {
                Some(found) if is_looked_at(found) => true,
                Some(_) => has(&self.own_files(id)?, MANIFEST),
                None => false,
            };
            sealed.extend(is_sealed.then_some(id));
        }
        Ok(sealed)
    }

    fn is_sealed(&self, id: SnapshotId) -> Result<bool, StoreError> {
        Ok(!self.sealed_among(vec![id])?.is_empty())
    }

    /// Copal's own files of a snapshot, by their paths in it.
    pub fn own_files(&self, id: SnapshotId) -> Result<Vec<Listed>, StoreError> {
        match self.folder()? {
            Some(folder) if !self.is_mirror() => self.own_files_there(folder, id),
            Some(_) | None => own_files_in(self.remote, &self.dir(id)),
        }
    }

    /// Puts down a small file of Copal's own beside a manifest.
    pub fn put_beside(&self, id: SnapshotId, name: &str, content: &str) -> Result<(), StoreError> {
        let to = format!("{}/{name}", self.dir(id));
        self.refuse_link(&to)?;
        let temporary = tempfile::tempdir()?;
        let file_name = name.rsplit('/').next().unwrap_or(name);
        let local = temporary.path().join(file_name);
        fs::write(&local, content)?;
        Ok(self.remote.put(&local, &to)?)
    }

    /// Takes one away again; it may not be there.
    pub fn take_away(&self, id: SnapshotId, name: &str) -> Result<(), StoreError> {
        let path = format!("{}/{name}", self.dir(id));
        self.refuse_link(path.rsplit_once('/').map_or("", |(above, _)| above))?;
        Ok(self.remote.delete(&path)?)
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
        self.manifest_if_sealed(id)?.ok_or_else(|| self.gone(id))
    }

    /// The manifest of what may have been sealed; `None` where it was not, or is gone.
    pub fn manifest_if_sealed(&self, id: SnapshotId) -> Result<Option<Manifest>, StoreError> {
        if let Some(mirror) = &self.mirror {
            return Ok(Some((**mirror).clone()));
        }
        self.read_manifest(id, MANIFEST)
    }

    /// The manifest that lies in a snapshot's directory under this name.
    pub fn manifest_at(&self, id: SnapshotId, name: &str) -> Result<Manifest, StoreError> {
        self.read_manifest(id, name)?.ok_or_else(|| self.gone(id))
    }

    fn read_manifest(&self, id: SnapshotId, name: &str) -> Result<Option<Manifest>, StoreError> {
        let from = format!("{}/{name}", self.dir(id));
        match text_at(self.remote, self.folder()?, &from)? {
            Own::Nothing => Ok(None),
            Own::Is(bytes) => self.parse(&bytes, id).map(Some),
            Own::Odd(why) => Err(unreadable_manifest(id, why)),
        }
    }

    /// Reads a manifest that was brought from a snapshot's directory. One that was copied from elsewhere proves
    /// nothing here.
    fn parse(&self, bytes: &[u8], id: SnapshotId) -> Result<Manifest, StoreError> {
        parse(bytes, id, &self.name).map_err(|source| StoreError::Manifest { id, source })
    }
}

/// A text of Copal's own by its path at the destination, read where it lies if that is a folder of this machine.
fn text_at(
    remote: &dyn Remote,
    folder: Option<&OwnFolder>,
    path: &str,
) -> Result<Own<Vec<u8>>, StoreError> {
    if let Some(folder) = folder {
        return Ok(folder.read(path, Most::Text));
    }
    let temporary = tempfile::tempdir()?;
    let local = temporary.path().join("text");
    if remote.get(path, &local)? {
        Ok(Own::Is(fs::read(local)?))
    } else {
        Ok(Own::Nothing)
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

/// Whether a file that was found by its name is known to be there. A remote that is told to look at none (S3 with
/// `no_head_object`) finds all that it is asked for, without a length.
fn is_looked_at(found: &Listed) -> bool {
    found.size > ByteCount::ZERO
}

fn has(own: &[Listed], name: &str) -> bool {
    own.iter().any(|file| file.path == name)
}

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
