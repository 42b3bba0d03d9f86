//! What lies at a remote, as rclone lists it.

use std::path::Path;

use copal_core::units::ByteCount;
use copal_rclone::{Entry, ListRequest};

use super::RcloneRemote;
use super::abilities::rclone_name;
use crate::edge::hash::hash_many;
use crate::edge::rclone::{ANSWER, READ_ALL};
use crate::edge::remote::{HashKind, Listed, RemoteError, RemoteHash, Tree};
use crate::edge::tidy::is_no_directory;

/// A remote that can't tell a size tells none that matches.
const UNKNOWN: ByteCount = ByteCount(u64::MAX);

impl RcloneRemote {
    pub(super) fn list_tree(&self, dir: &str, kind: Option<HashKind>) -> Result<Tree, RemoteError> {
        let wanted = kind
            .map(|kind| rclone_name(kind).to_owned())
            .into_iter()
            .collect();
        let entries = self.list(dir, true, wanted)?.into_iter();
        let (directories, files): (Vec<_>, Vec<_>) = entries.partition(|entry| entry.is_dir);
        let listed = |entry: Entry| Listed {
            hash: kind.and_then(|kind| {
                let digits = entry
                    .hashes
                    .get(rclone_name(kind))
                    .filter(|digits| !digits.is_empty());
                Some(RemoteHash {
                    kind,
                    digits: digits?.to_ascii_lowercase(),
                })
            }),
            path: entry.path,
            size: entry.size.unwrap_or(UNKNOWN),
        };
        let directories = directories.into_iter().map(|entry| entry.path);
        Ok(Tree {
            files: files.into_iter().map(listed).collect(),
            directories: directories.collect(),
        })
    }

    /// The same from a folder of this machine, hashed on every core instead of rclone's one. `None`
    /// where the files do not lie there as they are listed: under an overlay that stores them its own
    /// way.
    pub(super) fn hash_here(&self, folder: &Path, dir: &str) -> Result<Option<Tree>, RemoteError> {
        let mut there = self.list_tree(dir, None)?;
        let paths: Vec<_> = there
            .files
            .iter()
            .map(|file| folder.join(&file.path))
            .collect();
        let hashed = hash_many(&paths, &self.interrupt);
        self.interrupt.check()?;
        let Ok(digests) = hashed else { return Ok(None) };
        for (file, digests) in there.files.iter_mut().zip(digests) {
            if digests.size != file.size {
                return Ok(None);
            }
            let digits = digests.sha256.to_string();
            file.hash = Some(RemoteHash {
                kind: HashKind::Sha256,
                digits,
            });
        }
        Ok(Some(there))
    }

    /// Those of the files that are there, below a directory.
    pub(super) fn find(&self, dir: &str, names: &[String]) -> Result<Vec<Listed>, RemoteError> {
        let above = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let paths: Vec<String> = names.iter().map(|name| format!("{above}{name}")).collect();
        let found = self
            .workers
            .ask(|worker| worker.find(&self.remote, &paths, READ_ALL));
        // One that was told to stop answers with what it has found so far.
        self.interrupt.check()?;
        let found = found.map_err(|error| self.failed("look for files in", dir, error))?;
        let listed = |entry: Entry| Listed {
            path: match entry.path.strip_prefix(&above) {
                Some(below) => below.to_owned(),
                None => entry.path,
            },
            size: entry.size.unwrap_or(UNKNOWN),
            hash: None,
        };
        Ok(found.into_iter().map(listed).collect())
    }

    pub(super) fn list(
        &self,
        dir: &str,
        recursive: bool,
        hashes: Vec<String>,
    ) -> Result<Vec<Entry>, RemoteError> {
        let request = ListRequest {
            recursive,
            hashes,
            below: dir.to_owned(),
            ..ListRequest::of(self.remote.clone())
        };
        let deadline = if request.hashes.is_empty() {
            ANSWER
        } else {
            READ_ALL
        };
        match self.workers.ask(|worker| worker.list(&request, deadline)) {
            Ok(entries) => Ok(entries),
            Err(error) if is_no_directory(&error) && (!recursive || self.lacks(dir)?) => {
                Ok(Vec::new())
            }
            Err(error) => Err(self.failed("list", dir, error)),
        }
    }

    /// Whether there is no such directory. A listing of all below says the same of one that went meanwhile.
    fn lacks(&self, dir: &str) -> Result<bool, RemoteError> {
        let request = ListRequest {
            below: dir.to_owned(),
            ..ListRequest::of(self.remote.clone())
        };
        match self.workers.ask(|worker| worker.list(&request, ANSWER)) {
            Ok(_) => Ok(false),
            Err(error) if is_no_directory(&error) => Ok(true),
            Err(error) => Err(self.failed("list", dir, error)),
        }
    }
}
