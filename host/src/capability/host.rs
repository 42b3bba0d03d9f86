//! The deeds behind the capabilities, as hooks reach them through the gate.

use std::path::PathBuf;
use std::sync::Arc;

use copal_core::manifest::Taken;
use copal_core::path::RelPath;
use copal_hooks::{
    ArchiveFormat, Archived, Call, Capabilities, CapabilityError, Captured, CheckDepth,
    CommandRequest, Copied, Finished, HttpRequest, HttpResponse, SecretBytes, Tree,
};

use super::archive::{self, ArchiveError, Content, Format};
use super::artifacts::{Artifact, Artifacts};
use super::sqlite::{self, SqliteError};
use crate::edge::interrupt::Interrupt;
use crate::edge::walk::{Filter, Found, FoundKind, Keep, WalkError, absolute, walk};

/// The source as hooks may know it, and the place where their artifacts go.
pub struct Host {
    /// The live tree.
    pub source: PathBuf,
    /// What the filters kept.
    pub found: Vec<Found>,
    /// What they left out; `true` for whole directories.
    pub left_out: Vec<(RelPath, bool)>,
    /// The databases that hooks are to copy.
    pub databases: Vec<RelPath>,
    /// Those that the owner lets be copied live.
    pub live_databases: Vec<RelPath>,
    /// What hooks have had made so far.
    pub artifacts: Arc<Artifacts>,
    /// Asks for an end.
    pub interrupt: Interrupt,
}

impl Capabilities for Host {
    fn sqlite_databases(&self, _: &Call<'_>) -> Result<Vec<RelPath>, CapabilityError> {
        Ok(self.databases.clone())
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

    fn sqlite_check(
        &self,
        _: &Call<'_>,
        _: &RelPath,
        _: CheckDepth,
    ) -> Result<Vec<String>, CapabilityError> {
        not_here()
    }

    fn command_run(&self, _: &Call<'_>, _: &CommandRequest) -> Result<Finished, CapabilityError> {
        not_here()
    }

    fn command_capture(
        &self,
        _: &Call<'_>,
        _: &CommandRequest,
        _: &RelPath,
    ) -> Result<Captured, CapabilityError> {
        not_here()
    }

    fn state_get(&self, _: &Call<'_>, _: &str) -> Result<Option<Vec<u8>>, CapabilityError> {
        not_here()
    }

    fn state_set(&self, _: &Call<'_>, _: &str, _: &[u8]) -> Result<(), CapabilityError> {
        not_here()
    }

    fn state_delete(&self, _: &Call<'_>, _: &str) -> Result<(), CapabilityError> {
        not_here()
    }

    fn state_keys(&self, _: &Call<'_>) -> Result<Vec<String>, CapabilityError> {
        not_here()
    }

    fn secret_check(&self, _: &Call<'_>, _: &str) -> Result<(), CapabilityError> {
        not_here()
    }

    fn secret(&self, _: &Call<'_>, _: &str) -> Result<SecretBytes, CapabilityError> {
        not_here()
    }

    fn http(&self, _: &Call<'_>, _: &HttpRequest) -> Result<HttpResponse, CapabilityError> {
        not_here()
    }

    fn tree(&self, _: &Call<'_>, _: Tree) -> Result<Option<PathBuf>, CapabilityError> {
        Ok(None)
    }
}

/// The answer of what has no deed behind it.
fn not_here<T>() -> Result<T, CapabilityError> {
    Err(CapabilityError::Failed("not here yet".to_owned()))
}

impl Host {
    /// What an archive of `directory` has to hold: walked anew, since the databases were copied
    /// after the plan, and every file that their rows name has to be there.
    fn inside(&self, directory: &RelPath) -> Result<Vec<Found>, CapabilityError> {
        let is_directory =
            |found: &Found| found.path == *directory && found.kind == FoundKind::Directory;
        if !self.found.iter().any(is_directory) {
            return Err(CapabilityError::Missing(directory.to_string()));
        }
        let mut filter = AsPlanned {
            directory,
            left_out: &self.left_out,
        };
        let walked = walk(&self.source, &[], &mut filter, &self.interrupt);
        let mut inside = walked.map_err(|error| walk_failed(directory, &error))?.kept;
        inside.retain(|found| {
            found.path.is_within(directory)
                && !sqlite::is_sidecar(&found.path, |path| self.databases.contains(path))
        });
        let torn = inside.iter().find(|found| {
            found.kind == FoundKind::File
                && self.artifacts.stand_in(&found.path).is_none()
                && !self.live_databases.contains(&found.path)
                && sqlite::is_database(&absolute(&self.source, &found.path)).unwrap_or(false)
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

/// Enters one directory, and leaves out what the plan left out.
struct AsPlanned<'a> {
    directory: &'a RelPath,
    left_out: &'a [(RelPath, bool)],
}

impl Filter for AsPlanned<'_> {
    type Error = std::convert::Infallible;

    fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, Self::Error> {
        let keep = |found: &Found| {
            let on_the_way = self.directory.is_within(&found.path);
            if !on_the_way && !found.path.is_within(self.directory) {
                return Keep::NothingBelow;
            }
            match self.left_out.iter().find(|(path, _)| *path == found.path) {
                Some((_, true)) => Keep::NothingBelow,
                Some((_, false)) => Keep::No,
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

fn sqlite_failed(database: &RelPath, error: &SqliteError) -> CapabilityError {
    let text = format!("database `{database}`: {error}");
    match error {
        SqliteError::Interrupted(_) => CapabilityError::Interrupted,
        SqliteError::Busy(_) => CapabilityError::TimedOut(text),
        SqliteError::Source(_)
        | SqliteError::Unreadable(_)
        | SqliteError::EmptyBesideLog
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
