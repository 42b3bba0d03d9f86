//! The deeds behind the capabilities, as hooks reach them through the gate.

use std::path::PathBuf;
use std::sync::Arc;

use copal_core::manifest::Taken;
use copal_core::path::RelPath;
use copal_hooks::{ArchiveFormat, Archived, Call, Capabilities, CapabilityError, Copied};

use super::archive::{self, ArchiveError, Content, Format};
use super::artifacts::{Artifact, Artifacts};
use super::sqlite::{self, SqliteError};
use crate::edge::interrupt::Interrupt;
use crate::edge::walk::{Found, FoundKind, absolute};

/// The source as hooks may know it, and the place where their artifacts go.
pub struct Host {
    /// The live tree.
    pub source: PathBuf,
    /// What the filters kept.
    pub found: Vec<Found>,
    /// The databases among it.
    pub databases: Vec<RelPath>,
    /// What hooks have had made so far.
    pub artifacts: Arc<Artifacts>,
    /// Asks for an end.
    pub interrupt: Interrupt,
}

impl Capabilities for Host {
    fn sqlite_databases(&self) -> Vec<RelPath> {
        self.databases.clone()
    }

    fn sqlite_backup(&self, _: &Call<'_>, database: &RelPath) -> Result<Copied, CapabilityError> {
        if !self.databases.contains(database) {
            return Err(CapabilityError::Missing(database.to_string()));
        }
        let file = self.artifacts.next_file();
        let live = absolute(&self.source, database);
        let copied = sqlite::back_up(&live, &file, &self.interrupt)
            .map_err(|error| sqlite_failed(database, &error))?;
        tracing::debug!(%database, pages = copied.pages, "database copied and checked");
        self.artifacts.add(Artifact {
            stands_in_for: database.clone(),
            file,
            taken: Taken::SqliteBackup,
            database: Some(copied),
        });
        Ok(Copied {
            pages: copied.pages,
            page_size: copied.page_size,
            restarts: 0,
            checked: true,
        })
    }

    fn archive_create(
        &self,
        _: &Call<'_>,
        directory: &RelPath,
        format: ArchiveFormat,
    ) -> Result<Archived, CapabilityError> {
        let inside = self.inside(directory)?;
        let (format, taken) = match format {
            ArchiveFormat::Tar => (Format::Tar, Taken::Tar),
            ArchiveFormat::TarGz => (Format::TarGz, Taken::TarGz),
        };
        let suffix = taken.archive_suffix().unwrap_or_default();
        let name = directory.with_suffix(suffix);
        if self.found.iter().any(|found| found.path == name) {
            return Err(CapabilityError::Invalid(format!(
                "`{name}` is in the source already, where the archive of `{directory}` would go: choose another format"
            )));
        }
        let file = self.artifacts.next_file();
        let content = |path: &RelPath| {
            self.artifacts
                .stand_in(path)
                .map_or(Content::Live, Content::StandIn)
        };
        let target = (file.as_path(), format);
        let archived = archive::create(
            &self.source,
            directory,
            &inside,
            content,
            target,
            &self.interrupt,
        )
        .map_err(|error| archive_failed(directory, &error))?;
        let stands_in_for = directory.clone();
        self.artifacts.add(Artifact {
            stands_in_for,
            file,
            taken,
            database: None,
        });
        let archive::Archived {
            entries,
            content,
            archive,
        } = archived;
        Ok(Archived {
            entries,
            content,
            archive,
        })
    }
}

impl Host {
    /// What an archive of `directory` has to hold.
    fn inside(&self, directory: &RelPath) -> Result<Vec<&Found>, CapabilityError> {
        let is_directory =
            |found: &Found| found.path == *directory && found.kind == FoundKind::Directory;
        if !self.found.iter().any(is_directory) {
            return Err(CapabilityError::Missing(directory.to_string()));
        }
        let is_database = |path: &RelPath| self.databases.contains(path);
        let inside: Vec<_> = self
            .found
            .iter()
            .filter(|found| found.path.is_within(directory))
            .filter(|found| !sqlite::is_sidecar(&found.path, is_database))
            .collect();
        let torn = inside.iter().find(|found| {
            is_database(&found.path) && self.artifacts.stand_in(&found.path).is_none()
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
}

fn sqlite_failed(database: &RelPath, error: &SqliteError) -> CapabilityError {
    let text = format!("database `{database}`: {error}");
    match error {
        SqliteError::Interrupted(_) => CapabilityError::Interrupted,
        SqliteError::Busy(_) => CapabilityError::TimedOut(text),
        SqliteError::Source(_)
        | SqliteError::Copy(_)
        | SqliteError::HotJournal
        | SqliteError::Changed
        | SqliteError::Damaged(_) => CapabilityError::Failed(text),
    }
}

fn archive_failed(directory: &RelPath, error: &ArchiveError) -> CapabilityError {
    match error {
        ArchiveError::Interrupted(_) => CapabilityError::Interrupted,
        ArchiveError::Unreadable { .. } | ArchiveError::Changed(_) | ArchiveError::Write(_) => {
            CapabilityError::Failed(format!("directory `{directory}`: {error}"))
        }
    }
}
