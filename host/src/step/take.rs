//! Take: one file's content, with its checksum, in one version.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use copal_core::manifest::{Rows, Taken};
use copal_core::path::RelPath;
use copal_core::units::ByteCount;

use super::files::{Content, Lies, MadeFile, StagedFile, Unread};
use super::read::Reading;
use super::stage::{StageError, Staged, gone_or, in_staging};
use crate::capability::sqlite;
use crate::edge::attributes::set_time;
use crate::edge::beneath::Beneath;
use crate::edge::duplicate::{self, Duplicate};
use crate::edge::hash::{Digests, Wanted, hash_file, hash_live};
use crate::edge::interrupt::Interrupt;
use crate::edge::stat::{Version, attributes};
use crate::edge::walk::absolute;

impl Staged {
    /// `None` for a file that the app deleted since the walk.
    pub(super) fn take(
        &self,
        file: &Unread,
        by: Reading<'_>,
    ) -> Result<Option<StagedFile>, StageError> {
        let taken = match &file.lies {
            // It stands in for a database, and may be one.
            Lies::Made(made) => return self.take_made(file, made, by).map(Some),
            Lies::Live(_) => self.take_from_source(file, by)?,
            Lies::Frozen(taken) => Some(self.take_frozen(file, *taken, by)?),
            Lies::Linked(version) => Some(self.take_linked(file, *version, by)?),
        };
        if let Some(taken) = &taken {
            self.refuse_torn(taken, &file.lies, by)?;
        }
        Ok(taken)
    }

    /// A database that no hook stands in for would be torn.
    fn refuse_torn(
        &self,
        taken: &StagedFile,
        lay: &Lies,
        by: Reading<'_>,
    ) -> Result<(), StageError> {
        if (by.live_allowed)(&taken.path) {
            return Ok(());
        }
        let file = match lay {
            Lies::Live(_) => Beneath::of(&self.source, &taken.path),
            Lies::Frozen(_) | Lies::Linked(_) | Lies::Made(_) => self.frozen_beneath(&taken.stored),
        };
        // All of an empty one may be in its log.
        let is_empty = taken.digests.size == ByteCount::ZERO;
        let is_one = sqlite::begins_one(&taken.digests.begins)
            || is_empty && gone_or(&file.place(), sqlite::is_database(file))? == Some(true);
        if is_one {
            return Err(StageError::Uncovered(taken.path.clone()));
        }
        Ok(())
    }

    fn take_from_source(
        &self,
        file: &Unread,
        by: Reading<'_>,
    ) -> Result<Option<StagedFile>, StageError> {
        let Unread { path, stored, .. } = file;
        if stored.as_bytes() == path.as_bytes() {
            self.take_live(path.clone(), stored.clone(), by)
        } else {
            self.take_copy(path, stored, by.wanted, by.interrupt)
        }
    }

    fn take_frozen(
        &self,
        file: &Unread,
        taken: Taken,
        by: Reading<'_>,
    ) -> Result<StagedFile, StageError> {
        let place = self.frozen_at(&file.stored);
        let digests = hash_staged(&place, by.wanted, by.interrupt)?;
        // As with the live file, comparisons by size and time are to find it unchanged.
        set_time(&place, &file.attributes).map_err(in_staging(&place))?;
        Ok(StagedFile {
            path: file.path.clone(),
            attributes: file.attributes,
            stored: file.stored.clone(),
            digests,
            rows: Rows::new(),
            taken,
            content: Content::Frozen,
            outran: false,
        })
    }

    /// A link shows what is written to the file in place; then its content is not of the moment.
    fn take_linked(
        &self,
        file: &Unread,
        version: Version,
        by: Reading<'_>,
    ) -> Result<StagedFile, StageError> {
        let place = self.frozen_at(&file.stored);
        let hashed = hash_live(self.frozen_beneath(&file.stored), by.wanted, by.interrupt);
        by.interrupt.check()?;
        let hashed = gone_or(&place, hashed)?;
        match hashed.ok_or_else(|| StageError::NotKept(file.path.clone()))? {
            Some((digests, now)) if version.has_content_of(&Version::of(&now)) => Ok(StagedFile {
                path: file.path.clone(),
                attributes: file.attributes,
                stored: file.stored.clone(),
                digests,
                rows: Rows::new(),
                taken: Taken::Link,
                content: Content::Linked(version),
                outran: false,
            }),
            _ => self.take_outrun(&file.path, &file.stored, by.wanted, by.interrupt),
        }
    }

    /// A private copy of a linked file that was written to. Nobody but this run may take its link away.
    pub(super) fn take_outrun(
        &self,
        path: &RelPath,
        stored: &str,
        wanted: Wanted,
        interrupt: &Interrupt,
    ) -> Result<StagedFile, StageError> {
        let linked = self.frozen_beneath(stored);
        let copy = self.take_copy_of(linked, path, stored, wanted, interrupt)?;
        let copy = copy.ok_or_else(|| StageError::NotKept(path.clone()))?;
        Ok(StagedFile {
            outran: true,
            ..copy
        })
    }

    pub(super) fn frozen_at(&self, stored: &str) -> PathBuf {
        self.frozen_beneath(stored).place()
    }

    pub(super) fn frozen_beneath<'a>(&'a self, stored: &'a str) -> Beneath<'a> {
        let frozen = self.frozen.as_ref();
        let directory = frozen.expect("only what was frozen is read from there");
        Beneath::stored(directory.path(), stored)
    }

    fn take_made(
        &self,
        file: &Unread,
        made: &MadeFile,
        by: Reading<'_>,
    ) -> Result<StagedFile, StageError> {
        let place = self.place(&file.stored)?;
        fs::rename(&made.file, &place).map_err(in_staging(&place))?;
        let rows = match made.taken {
            Taken::SqliteBackup => sqlite::row_counts(&place, by.interrupt)?,
            _ => Rows::new(),
        };
        Ok(StagedFile {
            path: file.path.clone(),
            attributes: file.attributes,
            stored: file.stored.clone(),
            digests: hash_staged(&place, by.wanted, by.interrupt)?,
            rows,
            taken: made.taken,
            content: Content::Staged,
            outran: false,
        })
    }

    fn take_live(
        &self,
        path: RelPath,
        stored: String,
        by: Reading<'_>,
    ) -> Result<Option<StagedFile>, StageError> {
        let hashed = hash_live(Beneath::of(&self.source, &path), by.wanted, by.interrupt);
        by.interrupt.check()?;
        match gone_or(&absolute(&self.source, &path), hashed)? {
            None => Ok(None),
            Some(Some((digests, metadata))) => Ok(Some(StagedFile {
                path,
                // Those of the version that was read, which may be younger than the walk.
                attributes: attributes(&metadata),
                stored,
                digests,
                rows: Rows::new(),
                taken: Taken::Direct,
                content: Content::Live(Version::of(&metadata)),
                outran: false,
            })),
            // It changes too quickly to be read from the live tree, not too quickly to be copied.
            Some(None) => self.take_copy(&path, &stored, by.wanted, by.interrupt),
        }
    }

    /// Copies a live file into the staging directory, in one of its versions.
    ///
    /// For files with names that do not travel, and for those that would not stand still.
    pub fn take_copy(
        &self,
        path: &RelPath,
        stored: &str,
        wanted: Wanted,
        interrupt: &Interrupt,
    ) -> Result<Option<StagedFile>, StageError> {
        let live = Beneath::of(&self.source, path);
        self.take_copy_of(live, path, stored, wanted, interrupt)
    }

    fn take_copy_of(
        &self,
        live: Beneath<'_>,
        path: &RelPath,
        stored: &str,
        wanted: Wanted,
        interrupt: &Interrupt,
    ) -> Result<Option<StagedFile>, StageError> {
        const TRIES: u32 = 20;
        let place = self.place(stored)?;
        for _ in 0..TRIES {
            interrupt.check()?;
            // One of an earlier version.
            remove_if_there(&place).map_err(in_staging(&place))?;
            let copied = duplicate::copy(live, &place, interrupt);
            let copied = copied.map_err(|failed| StageError::of_copy(failed, live, &place))?;
            let metadata = match copied {
                Duplicate::Made(metadata) => metadata,
                Duplicate::Gone => return Ok(None),
                Duplicate::Changed | Duplicate::Unfit(_) => continue,
            };
            let digests = hash_staged(&place, wanted, interrupt)?;
            let attributes = attributes(&metadata);
            // What is restored by rclone alone is to have the file's time.
            set_time(&place, &attributes).map_err(in_staging(&place))?;
            return Ok(Some(StagedFile {
                path: path.clone(),
                attributes,
                stored: stored.to_owned(),
                digests,
                rows: Rows::new(),
                taken: Taken::Direct,
                content: Content::Staged,
                outran: false,
            }));
        }
        Err(StageError::NeverStill(path.clone()))
    }

    /// Where the artifact called `stored` lies, its directory made.
    fn place(&self, stored: &str) -> Result<PathBuf, StageError> {
        let place = self.staging.artifacts().join(stored);
        let parent = place.parent().unwrap_or(&place);
        fs::create_dir_all(parent).map_err(in_staging(parent))?;
        Ok(place)
    }
}

fn remove_if_there(place: &Path) -> io::Result<()> {
    match fs::remove_file(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn hash_staged(place: &Path, wanted: Wanted, interrupt: &Interrupt) -> Result<Digests, StageError> {
    let hashed = hash_file(place, wanted, interrupt);
    interrupt.check()?;
    hashed.map_err(in_staging(place))
}
