//! The tree that a restore builds: each file proven, then put where it belongs.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use copal_core::manifest::{Entry, EntryKind, FileEntry};
use copal_core::path::{RelPath, decode_bytes};

use super::cores::{FEW, on_every_core};
use super::restore::{RestoreError, StoredFile, stored_name};
use crate::edge::attributes::{self, Owners};
use crate::edge::hash::{Wanted, hash_file};
use crate::edge::interrupt::Interrupt;
use crate::edge::walk::absolute;

/// The half-done restore: what came, under its stored name, and the tree that it becomes.
pub(super) struct Work {
    pub(super) stored: PathBuf,
    pub(super) tree: PathBuf,
}

impl Work {
    pub(super) fn at(&self, path: &RelPath) -> PathBuf {
        absolute(&self.tree, path)
    }

    pub(super) fn make_directories(&self, entries: &[&Entry]) -> Result<(), RestoreError> {
        for entry in entries
            .iter()
            .filter(|entry| entry.kind == EntryKind::Directory)
        {
            let path = self.at(&entry.path);
            fs::create_dir(&path).map_err(|source| RestoreError::Place { path, source })?;
        }
        Ok(())
    }

    /// Proves each file's content, then puts it where it belongs. Those that have another content than was sealed
    /// stay where they are; they are told in their order.
    pub(super) fn put_files<'a>(
        &self,
        files: Vec<StoredFile<'a>>,
        interrupt: &Interrupt,
    ) -> Result<Vec<StoredFile<'a>>, RestoreError> {
        let mut unlike = on_every_core(files, FEW, |(entry, file)| {
            interrupt.check()?;
            let is_as_sealed = self.put_file(entry, file, interrupt)?;
            Ok::<_, RestoreError>((!is_as_sealed).then_some((entry, file)))
        })?;
        unlike.sort_by_key(|(entry, _)| &entry.path);
        Ok(unlike)
    }

    /// Whether its content is what was sealed; then it is where it belongs.
    fn put_file(
        &self,
        entry: &Entry,
        file: &FileEntry,
        interrupt: &Interrupt,
    ) -> Result<bool, RestoreError> {
        let from = self.stored.join(stored_name(entry, file));
        let digests = match hash_file(&from, Wanted::default(), interrupt) {
            Ok(digests) => digests,
            Err(source) => {
                interrupt.check()?;
                return Err(RestoreError::Place { path: from, source });
            }
        };
        if digests.sha256 != file.sha256 {
            return Ok(false);
        }
        let to = self.at(&entry.path);
        let placed = match file.taken.archive_suffix() {
            None => fs::rename(&from, &to),
            Some(suffix) => unpack(&from, &to, suffix),
        };
        placed.map_err(|source| RestoreError::Place { path: to, source })?;
        Ok(true)
    }

    pub(super) fn make_links(&self, entries: &[&Entry]) -> Result<(), RestoreError> {
        for entry in entries {
            let EntryKind::Symlink { target } = &entry.kind else {
                continue;
            };
            let path = self.at(&entry.path);
            let target = decode_bytes(target);
            std::os::unix::fs::symlink(OsStr::from_bytes(&target), &path)
                .map_err(|source| RestoreError::Place { path, source })?;
        }
        Ok(())
    }

    /// Directories last and deepest first: filling one changes its time, and its mode may forbid it.
    pub(super) fn set_attributes(&self, entries: &[&Entry]) -> Result<Owners, RestoreError> {
        let mut owners = Owners::default();
        let (directories, others): (Vec<&Entry>, Vec<&Entry>) = entries
            .iter()
            .copied()
            .partition(|entry| entry.kind == EntryKind::Directory);
        for entry in others.into_iter().chain(directories.into_iter().rev()) {
            let unpacked = entry
                .file()
                .is_some_and(|file| file.taken.archive_suffix().is_some());
            if unpacked {
                continue;
            }
            let path = self.at(&entry.path);
            attributes::apply(&path, &entry.attributes, &mut owners)
                .map_err(|source| RestoreError::Place { path, source })?;
        }
        Ok(owners)
    }
}

/// Unpacks an archive beside where it lies: it holds the directory that it stood in for.
pub(super) fn unpack(archive: &Path, to: &Path, suffix: &str) -> io::Result<()> {
    let parent = to.parent().unwrap_or(to);
    let file = io::BufReader::new(fs::File::open(archive)?);
    let reader: Box<dyn io::Read> = match suffix {
        ".tar.gz" => Box::new(flate2::read::GzDecoder::new(file)),
        _ => Box::new(file),
    };
    let mut tar = tar::Archive::new(reader);
    tar.set_preserve_permissions(true);
    tar.set_preserve_ownerships(rustix::process::geteuid().is_root());
    tar.set_overwrite(false);
    tar.unpack(parent)?;
    fs::remove_file(archive)
}
