//! All snapshots with what is known of each. Which have a directory is told by one listing; what lies in it under
//! the names of Copal's own is asked for by these names, all of it at once.

use std::io;

use copal_core::contents::{Contents, contents};
use copal_core::manifest::{DAMAGED, MANIFEST, Manifest, ManifestError, PIN, VERIFIED};
use copal_core::retention::Pin;
use copal_core::snapshot::SnapshotId;
use copal_core::verification::Verification;
use jiff::Timestamp;
use tempfile::TempDir;

use super::folder::unreadable_manifest;
use super::{Store, StoreError, parse};
use crate::edge::own::{Most, NOTE, Own, OwnFolder, read_here};
use crate::edge::remote::Batch;
use crate::step::noted::Noted;

/// A snapshot's directory on the remote, and what its manifest says.
pub struct Known {
    /// Its id.
    pub id: SnapshotId,
    /// Its manifest, or why that can't be trusted.
    pub manifest: Result<Manifest, ManifestError>,
    /// Whether it is known to have been verified.
    pub verified: bool,
    /// Whether a verification found it damaged.
    pub damaged: bool,
    /// What the last ones found, where that can be read.
    pub verification: Option<Verification>,
    /// Whether somebody wants it to stay.
    pub pinned: bool,
    /// Since when and why, where that can be read.
    pub pin: Option<Pin>,
    /// What of the notes beside its manifest can't be read, and why.
    pub unclear: Vec<String>,
}

impl Known {
    /// One beside whose manifest nothing is known to lie.
    fn without_notes(id: SnapshotId, manifest: Result<Manifest, ManifestError>) -> Self {
        Self {
            id,
            manifest,
            verified: false,
            damaged: false,
            verification: None,
            pinned: false,
            pin: None,
            unclear: Vec::new(),
        }
    }
}

/// Which of them have which content. Of one whose manifest is damaged, that is not known.
pub fn contents_of(known: &[Known]) -> Contents {
    let files = |one: &'_ Known| one.manifest.iter().flat_map(contents).collect::<Vec<_>>();
    Contents::of(known.iter().map(files))
}

/// Small files that can be read here, as far as they were there.
pub(in crate::step) enum Brought {
    /// They were brought.
    Copied(TempDir),
    /// They lie below this directory of a folder of this machine.
    There(OwnFolder, String),
}

impl Brought {
    /// What one holds.
    pub(in crate::step) fn read(&self, name: &str) -> Result<Own<Vec<u8>>, StoreError> {
        let is_manifest = name.ends_with(MANIFEST);
        let most = if is_manifest {
            Most::Text
        } else {
            Most::Bytes(NOTE)
        };
        let here = match self {
            Self::Copied(here) => here.path().join(name),
            Self::There(folder, dir) => return Ok(folder.read(&format!("{dir}/{name}"), most)),
        };
        match read_here(&here, most) {
            Ok(bytes) => Ok(Own::Is(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Own::Nothing),
            // It is told by what it holds alone: it was brought here a moment ago.
            Err(error) if error.raw_os_error().is_none() => Ok(Own::Odd(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}

impl Store<'_> {
    /// Every sealed snapshot with its manifest, oldest first.
    pub fn all(&self) -> Result<Vec<Known>, StoreError> {
        if let Some(mirror) = &self.mirror {
            return Ok(vec![Known::without_notes(
                mirror.id,
                Ok((**mirror).clone()),
            )]);
        }
        let started = self.started()?;
        let own =
            |id: &SnapshotId| [MANIFEST, PIN, VERIFIED, DAMAGED].map(|name| format!("{id}/{name}"));
        let names: Vec<String> = started.iter().flat_map(own).collect();
        let brought = match self.bring(&self.name, &names) {
            // Which of them does not come, they tell one by one.
            Err(error) if error.may_be_of_one_file() => {
                let each = started
                    .into_iter()
                    .map(|id| self.known_alone(id, &own(&id)));
                return each.filter_map(Result::transpose).collect();
            }
            brought => brought?,
        };
        let known = started.into_iter().map(|id| self.known(id, &brought));
        known.filter_map(Result::transpose).collect()
    }

    /// Why each of these manifests can't be read, where it can't; all of them are brought at once. One that is gone
    /// can't be.
    pub fn unreadable(
        &self,
        ids: &[SnapshotId],
    ) -> Result<Vec<(SnapshotId, StoreError)>, StoreError> {
        let manifest = |id: &SnapshotId| format!("{id}/{MANIFEST}");
        let names: Vec<String> = ids.iter().map(manifest).collect();
        let brought = match self.bring(&self.name, &names) {
            Err(error) if error.may_be_of_one_file() => None,
            brought => Some(brought?),
        };
        let mut unreadable = Vec::new();
        for id in ids {
            let Some(brought) = &brought else {
                match self.manifest(*id).map_err(|error| error.of_manifest(*id)) {
                    Ok(_) => {}
                    Err(error @ StoreError::Manifest { .. }) => unreadable.push((*id, error)),
                    Err(error) => return Err(error),
                }
                continue;
            };
            let read = match brought.read(&manifest(id))? {
                Own::Is(bytes) => self.parse(&bytes, *id).map(drop),
                Own::Nothing => Err(self.gone(*id)),
                Own::Odd(why) => Err(unreadable_manifest(*id, why)),
            };
            unreadable.extend(read.err().map(|error| (*id, error)));
        }
        Ok(unreadable)
    }

    /// What is known of one whose files are brought by themselves.
    fn known_alone(&self, id: SnapshotId, names: &[String]) -> Result<Option<Known>, StoreError> {
        match self.bring(&self.name, names) {
            Ok(brought) => self.known(id, &brought),
            Err(error) => match error.of_manifest(id) {
                StoreError::Manifest { source, .. } => {
                    Ok(Some(Known::without_notes(id, Err(source))))
                }
                error => Err(error),
            },
        }
    }

    /// What is known of one; `None` where it was never sealed, or is gone.
    fn known(&self, id: SnapshotId, brought: &Brought) -> Result<Option<Known>, StoreError> {
        let read = |name: &str| brought.read(&format!("{id}/{name}"));
        let manifest = match read(MANIFEST)? {
            Own::Nothing => return Ok(None),
            Own::Is(bytes) => parse(&bytes, id, &self.name),
            Own::Odd(why) => Err(ManifestError::OutOfReach(why)),
        };
        let mut unclear = Vec::new();
        // What lies under a note's name and is none may be one that stands for the same.
        let mut note = |name: &str| {
            Ok::<_, StoreError>(match read(name)? {
                Own::Nothing => None,
                Own::Is(text) => Some(text),
                Own::Odd(why) if manifest.is_ok() => {
                    unclear.push(format!("{name}: {why}"));
                    Some(Vec::new())
                }
                Own::Odd(_) => Some(Vec::new()),
            })
        };
        let (pin, verified, damaged) = (note(PIN)?, note(VERIFIED)?, note(DAMAGED)?);
        let noted = Noted::of(verified.as_deref(), damaged.as_deref(), Timestamp::now());
        Ok(Some(Known {
            id,
            manifest,
            verified: noted.is_verified(),
            damaged: noted.is_damaged(),
            verification: noted.known,
            pinned: pin.is_some(),
            pin: pin.and_then(|text| serde_json::from_slice(&text).ok()),
            unclear,
        }))
    }

    /// Has files of a directory be read here, those that are there.
    pub(in crate::step) fn bring(
        &self,
        dir: &str,
        names: &[String],
    ) -> Result<Brought, StoreError> {
        // A thousand copies would take longer than all else.
        if let Some(folder) = self.folder()? {
            return Ok(Brought::There(folder.clone(), dir.to_owned()));
        }
        let temporary = tempfile::tempdir()?;
        if !names.is_empty() {
            self.remote.download_if_there(Batch {
                local: temporary.path(),
                remote: dir,
                names,
                again: false,
            })?;
        }
        Ok(Brought::Copied(temporary))
    }
}
