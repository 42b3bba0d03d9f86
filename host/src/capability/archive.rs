//! Archives of directories.
//!
//! Configuration: none. Grant: `archive`, paths in the source or `"*"`
//! ([`Need::Directory`](copal_core::grants::Need::Directory)), read in `copal-core`.

mod pack;

use std::collections::HashMap;

use copal_core::manifest::Taken;
use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::{ArchiveFormat, Archived, CapabilityError};

use self::pack::{ArchiveError, Content, Format};
use super::artifacts::{Artifact, Still};
use super::host::Host;
use super::sqlite;
use crate::edge::beneath::Beneath;
use crate::edge::interrupt::Interrupt;
use crate::edge::walk::{Filter, Found, FoundKind, Keep, WalkError, walk};

/// Archives a directory into the staging directory, where it stands in for the live one.
pub(super) fn create(
    host: &Host,
    directory: &RelPath,
    format: ArchiveFormat,
    interrupt: &Interrupt,
) -> Result<Archived, CapabilityError> {
    let (format, taken) = match format {
        ArchiveFormat::Tar => (Format::Tar, Taken::Tar),
        ArchiveFormat::TarGz => (Format::TarGz, Taken::TarGz),
    };
    check(host, directory, taken)?;
    let inside = inside(host, directory, interrupt)?;
    for found in &inside {
        let finished = host.artifacts.finish_one(&found.path, interrupt);
        finished.map_err(|error| sqlite::failed(&found.path, &error))?;
    }
    let file = host.artifacts.next_file();
    let content = |path: &RelPath| {
        let stand_in = host.artifacts.stand_in(path);
        stand_in.map_or(Content::Live, Content::StandIn)
    };
    let target = (file.as_path(), format);
    let archived = pack::create(&host.source, directory, &inside, content, target, interrupt)
        .map_err(|error| failed(directory, &error))?;
    host.artifacts.add(Artifact {
        stands_in_for: directory.clone(),
        file,
        taken,
        database: None,
    });
    Ok(Archived {
        entries: archived.entries,
        content: archived.content,
        archive: archived.archive,
    })
}

/// In a dry run nothing is archived.
pub(super) fn recorded_create(
    host: &Host,
    directory: &RelPath,
    format: ArchiveFormat,
) -> Result<Archived, CapabilityError> {
    let taken = match format {
        ArchiveFormat::Tar => Taken::Tar,
        ArchiveFormat::TarGz => Taken::TarGz,
    };
    check(host, directory, taken)?;
    Ok(Archived {
        entries: 0,
        content: ByteCount::ZERO,
        archive: ByteCount::ZERO,
    })
}

/// Whether there is such a directory, and room for its archive's name.
fn check(host: &Host, directory: &RelPath, taken: Taken) -> Result<(), CapabilityError> {
    let is_directory =
        |found: &Found| found.path == *directory && found.kind == FoundKind::Directory;
    if !host.found.iter().any(is_directory) {
        return Err(CapabilityError::Missing(directory.to_string()));
    }
    let name = directory.with_suffix(taken.archive_suffix().unwrap_or_default());
    if host.found.iter().any(|found| found.path == name) {
        return Err(CapabilityError::Invalid(format!(
            "`{name}` is in the source already, where the archive of `{directory}` would go: choose another format"
        )));
    }
    match host.artifacts.in_the_way_of_archive(directory, &name) {
        Some(other) => Err(CapabilityError::Invalid(format!(
            "`{directory}`: the artifact `{other}` is in the way of its archive `{name}`"
        ))),
        None => Ok(()),
    }
}

/// What an archive of `directory` has to hold: walked anew, since the databases were copied after
/// the plan, and every file that their rows name has to be there.
fn inside(
    host: &Host,
    directory: &RelPath,
    interrupt: &Interrupt,
) -> Result<Vec<Found>, CapabilityError> {
    let walked = walk_inside(host, directory, interrupt);
    let walked = walked.map_err(|error| walk_failed(directory, &error))?;
    let is_directory =
        |found: &Found| found.path == *directory && found.kind == FoundKind::Directory;
    // It may be gone since the plan, or a link by now.
    if !walked.iter().any(is_directory) {
        return Err(CapabilityError::Missing(directory.to_string()));
    }
    let inside = Still::put_in_place(&host.artifacts.moments(), walked);
    let mut files = inside.iter().filter(|found| found.kind == FoundKind::File);
    let torn = files.find(|found| {
        host.artifacts.stand_in(&found.path).is_none()
            && !host.live_databases.contains(&found.path)
            && sqlite::is_database(Beneath::of(&host.source, &found.path)).unwrap_or(false)
    });
    match torn {
        // Live databases don't survive tar: the order of the hooks has to see to it.
        Some(found) => Err(CapabilityError::Invalid(format!(
            "`{}` is a database that no hook has copied yet: let `sqlite-backup` come first",
            found.path
        ))),
        None => Ok(inside),
    }
}

/// What is in a directory now, the directory included, without what the plan left out and without what
/// databases have beside them.
pub(super) fn walk_inside(
    host: &Host,
    directory: &RelPath,
    interrupt: &Interrupt,
) -> Result<Vec<Found>, WalkError<std::convert::Infallible>> {
    let left_out = host.left_out.iter();
    let mut filter = AsPlanned {
        directory,
        left_out: left_out.map(|(path, whole)| (path, *whole)).collect(),
    };
    let mut inside = walk(&host.source, &host.means.never(), &mut filter, interrupt)?.kept;
    inside.retain(|found| {
        found.path.is_within(directory)
            && !sqlite::is_sidecar(&found.path, |path| host.databases.contains(path))
    });
    Ok(inside)
}

/// Enters one directory, and leaves out what the plan left out.
struct AsPlanned<'a> {
    directory: &'a RelPath,
    /// With `true` for whole directories.
    left_out: HashMap<&'a RelPath, bool>,
}

impl Filter for AsPlanned<'_> {
    type Error = std::convert::Infallible;

    fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, Self::Error> {
        let keep = |found: &Found| {
            let on_the_way = self.directory.is_within(&found.path);
            if !on_the_way && !found.path.is_within(self.directory) {
                return Keep::NothingBelow;
            }
            match self.left_out.get(&found.path) {
                Some(true) => Keep::NothingBelow,
                Some(false) => Keep::No,
                None => Keep::Yes,
            }
        };
        Ok(found.iter().map(keep).collect())
    }
}

fn walk_failed(
    directory: &RelPath,
    error: &WalkError<std::convert::Infallible>,
) -> CapabilityError {
    match error {
        WalkError::Interrupted(_) => CapabilityError::Interrupted,
        WalkError::Unreadable { path, source } => CapabilityError::Failed(format!(
            "directory `{directory}`: can't read `{}`: {source}",
            path.display()
        )),
        WalkError::Filter(never) => match *never {},
    }
}

fn failed(directory: &RelPath, error: &ArchiveError) -> CapabilityError {
    match error {
        ArchiveError::Interrupted(_) => CapabilityError::Interrupted,
        ArchiveError::Unreadable { .. } | ArchiveError::Changed(_) | ArchiveError::Write(_) => {
            CapabilityError::Failed(format!("directory `{directory}`: {error}"))
        }
    }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
