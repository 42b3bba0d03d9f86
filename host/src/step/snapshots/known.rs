//! All snapshots with what is known of each. Which have a directory is told by one listing; what lies in it under
//! the names of Copal's own is asked for by these names, all of it at once.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use copal_core::contents::{Contents, contents};
use copal_core::manifest::{DAMAGED, MANIFEST, Manifest, ManifestError, PIN, VERIFIED};
use copal_core::retention::Pin;
use copal_core::snapshot::SnapshotId;
use copal_core::verification::Verification;
use jiff::Timestamp;
use tempfile::TempDir;

use super::{Store, StoreError, parse};
use crate::edge::beneath::Beneath;
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
    /// They lie in a folder of this machine. It may be somebody's: no link in it is followed.
    There(PathBuf),
}

impl Brought {
    /// What one holds; `None` where there was none.
    pub(in crate::step) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let read = match self {
            Self::Copied(here) => fs::read(here.path().join(name)),
            Self::There(folder) => read_there(folder, name),
        };
        match (read, self) {
            (Ok(bytes), _) => Ok(Some(bytes)),
            (Err(error), _) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            (Err(error), Self::Copied(_)) => Err(error.into()),
            (Err(source), Self::There(folder)) => {
                let path = folder.join(name);
                Err(StoreError::Unreadable { path, source })
            }
        }
    }
}

fn read_there(folder: &Path, name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    Beneath::stored(folder, name)
        .open_regular()?
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Store<'_> {
    /// Every sealed snapshot with its manifest, oldest first.
    pub fn all(&self) -> Result<Vec<Known>, StoreError> {
        if let Some(mirror) = &self.mirror {
            return Ok(vec![Known {
                id: mirror.id,
                manifest: Ok((**mirror).clone()),
                verified: false,
                damaged: false,
                verification: None,
                pinned: false,
                pin: None,
            }]);
        }
        let started = self.started()?;
        let own =
            |id: &SnapshotId| [MANIFEST, PIN, VERIFIED, DAMAGED].map(|name| format!("{id}/{name}"));
        let names: Vec<String> = started.iter().flat_map(own).collect();
        let brought = self.bring(&self.name, &names)?;
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
        let brought = self.bring(&self.name, &names)?;
        let mut unreadable = Vec::new();
        for id in ids {
            let read = match brought.read(&manifest(id))? {
                Some(bytes) => self.parse(&bytes, *id).map(drop),
                None => Err(self.gone(*id)),
            };
            unreadable.extend(read.err().map(|error| (*id, error)));
        }
        Ok(unreadable)
    }

    /// What is known of one; `None` where it was never sealed, or is gone.
    fn known(&self, id: SnapshotId, brought: &Brought) -> Result<Option<Known>, StoreError> {
        let read = |name: &str| brought.read(&format!("{id}/{name}"));
        let Some(manifest) = read(MANIFEST)? else {
            return Ok(None);
        };
        let pin = read(PIN)?;
        let noted = Noted::of(
            read(VERIFIED)?.as_deref(),
            read(DAMAGED)?.as_deref(),
            Timestamp::now(),
        );
        Ok(Some(Known {
            id,
            manifest: parse(&manifest, id, &self.name),
            verified: noted.is_verified(),
            damaged: noted.is_damaged(),
            verification: noted.known,
            pinned: pin.is_some(),
            pin: pin.and_then(|text| serde_json::from_slice(&text).ok()),
        }))
    }

    /// Has files of a directory be read here, those that are there.
    pub(in crate::step) fn bring(
        &self,
        dir: &str,
        names: &[String],
    ) -> Result<Brought, StoreError> {
        // A thousand copies would take longer than all else.
        if let Some(folder) = self.remote.abilities()?.folder() {
            return Ok(Brought::There(folder.join(dir)));
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_no_file_in_a_folder_or_lies_behind_a_link_is_not_there() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("vault");
        fs::create_dir_all(folder.join("own/directory")).unwrap();
        fs::write(folder.join("own/file"), "its own").unwrap();
        fs::write(dir.path().join("secret"), "another's").unwrap();
        symlink("../../secret", folder.join("own/link")).unwrap();
        symlink("own", folder.join("way")).unwrap();
        let there = Brought::There(folder);
        assert_eq!(there.read("own/file").unwrap().unwrap(), b"its own");
        for name in [
            "own/none",
            "none/file",
            "own/link",
            "way/file",
            "own/directory",
        ] {
            assert!(there.read(name).unwrap().is_none(), "{name}");
        }
    }
}
