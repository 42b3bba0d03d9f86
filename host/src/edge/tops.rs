//! The tops of file trees: that of the source, and those of what is mounted in it, be it a single file.
//!
//! What is not found may be a file that the app deleted, or one of a disk that is not there any more: a
//! path alone doesn't tell one from the other.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use copal_core::mounts::{Disk, FileSystem, Now};
use copal_core::path::RelPath;

use super::beneath::Beneath;
use super::mounts;
use super::stat::Version;
use super::top::{self, Root};
use super::walk::{Found, FoundKind, absolute};

/// Directories that stay what they are as long as a run lasts, each with its device and inode.
#[derive(Debug, Clone)]
pub struct Tops {
    source: PathBuf,
    top: (u64, u64),
    /// Those of what is mounted in it, sorted.
    mounted: Vec<(RelPath, (u64, u64))>,
    /// What file systems these are of.
    known: HashMap<RelPath, FileSystem>,
    /// What of these is seen there.
    shown: BTreeMap<RelPath, String>,
}

/// A top that is not what it was: it was unmounted, or renamed away, or something was mounted on it.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is not the directory any more that it was when the run began", .0.display())]
pub struct Swapped(pub PathBuf);

impl Tops {
    /// Those of a source that was walked when its top was this one.
    pub fn of(source: &Path, top: (u64, u64), kept: &[Found]) -> Self {
        let directories = kept
            .iter()
            .filter(|found| found.kind == FoundKind::Directory);
        let directories: HashMap<&RelPath, (u64, u64)> = directories
            .map(|found| (&found.path, found.version.file()))
            .collect();
        let above = |path: &RelPath| {
            let nearest = path.ancestors().max_by_key(|above| above.as_bytes().len());
            nearest.map_or(Some(top), |above| directories.get(&above).copied())
        };
        let shown = shown_in(source);
        let other_devices = directories
            .iter()
            .filter(|(path, file)| above(path).is_some_and(|above| above.0 != file.0));
        let other_devices = other_devices.map(|(path, file)| ((*path).clone(), *file));
        let is_data = |found: &&Found| matches!(found.kind, FoundKind::Directory | FoundKind::File);
        let bound = kept.iter().filter(is_data);
        let bound = bound.filter(|found| shown.contains_key(&found.path));
        let bound = bound.map(|found| (found.path.clone(), found.version.file()));
        let mut mounted: Vec<_> = other_devices.chain(bound).collect();
        mounted.sort_unstable();
        mounted.dedup();
        let known = mounted.iter().filter_map(|(path, _)| {
            let known = file_system(source, path).ok()?;
            Some((path.clone(), known))
        });
        let known = known.collect();
        Self {
            source: source.to_owned(),
            top,
            mounted,
            known,
            shown,
        }
    }

    /// Where something is mounted in the source, sorted.
    pub fn mounts(&self) -> impl Iterator<Item = &RelPath> {
        self.mounted.iter().map(|(path, _)| path)
    }

    /// The same, each with what it is known by.
    pub fn disks(&self) -> impl Iterator<Item = (&RelPath, Disk)> {
        let known = |path| Disk {
            is: self.known.get(path).copied(),
            shows: self.shown.get(path).cloned(),
            missing_since: None,
        };
        self.mounts().map(move |path| (path, known(path)))
    }

    /// Whether all of them are what they were.
    pub fn check(&self) -> Result<(), Swapped> {
        let mounted = self.mounted.iter();
        let mounted = mounted.map(|(path, file)| (absolute(&self.source, path), *file));
        let mut all = mounted.chain([(self.source.clone(), self.top)]);
        let swapped = all.find(|(path, then)| identity(path).ok() != Some(*then));
        swapped.map_or(Ok(()), |(path, _)| Err(Swapped(path)))
    }
}

/// Whether a file system is mounted at a directory of the source: it is on another device than the one
/// above it. What can't be looked at is none.
fn is_mounted<R: Root + ?Sized>(source: &R, path: &RelPath) -> bool {
    let device = |metadata: io::Result<fs::Metadata>| Some(Version::of(&metadata.ok()?).file().0);
    let above = match path.parent() {
        Some(parent) => device(Beneath::of(source, &parent).metadata()),
        None => device(top::metadata(source)),
    };
    let own = device(Beneath::of(source, path).metadata());
    own.is_some() && above.is_some() && own != above
}

/// What is seen below a source that is mounted there. Where that can't be told, there are only other devices.
pub fn shown_in(source: &Path) -> BTreeMap<RelPath, String> {
    mounts::shown_below(source).unwrap_or_else(|error| {
        let source = source.display();
        tracing::warn!("what is mounted in `{source}` can't be told: {error}");
        BTreeMap::new()
    })
}

/// What is mounted at a place of the source, at which something was, where this is what is seen below it.
pub fn mounted_at<R: Root + ?Sized>(
    source: &R,
    path: &RelPath,
    shown: &BTreeMap<RelPath, String>,
) -> Now {
    if !shown.contains_key(path) && !is_mounted(source, path) {
        return Now::Nothing;
    }
    Now::Mounted(file_system(source, path).ok())
}

fn file_system<R: Root + ?Sized>(source: &R, path: &RelPath) -> io::Result<FileSystem> {
    mounts::file_system(&Beneath::of(source, path).open_directory()?)
}

/// Device and inode of what lies there, behind a link as well.
pub fn identity(path: &Path) -> io::Result<(u64, u64)> {
    Ok(Version::of(&fs::metadata(path)?).file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::interrupt::Interrupt;
    use crate::edge::walk::{Filter, Keep, walk};

    struct All;

    impl Filter for All {
        type Error = std::convert::Infallible;

        fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, Self::Error> {
            Ok(vec![Keep::Yes; found.len()])
        }
    }

    #[test]
    fn what_lies_on_another_device_than_the_directory_above_it_is_a_top_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("disk/deep")).unwrap();
        let kept = walk(dir.path(), &[], &mut All, &Interrupt::default());
        let elsewhere = (0, 0);
        let tops = Tops::of(dir.path(), elsewhere, &kept.unwrap().kept);
        let paths: Vec<_> = tops.mounts().map(ToString::to_string).collect();
        assert_eq!(paths, ["disk"]);
        let path = "disk".parse().unwrap();
        assert!(!is_mounted(dir.path(), &path));
    }

    #[test]
    fn another_directory_in_its_place_is_told_and_a_deleted_file_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let source = dir.path().join("app");
        fs::create_dir(&source).unwrap();
        fs::write(source.join("a.txt"), "").unwrap();
        let tops = Tops::of(&source, identity(&source).unwrap(), &[]);
        fs::remove_file(source.join("a.txt")).unwrap();
        tops.check().unwrap();
        fs::rename(&source, dir.path().join("away")).unwrap();
        assert!(tops.check().is_err());
        fs::create_dir(&source).unwrap();
        let Swapped(path) = tops.check().unwrap_err();
        assert_eq!(path, source);
    }
}
