//! A directory as one tar file, which stands in for it in the snapshot.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::edge::beneath::Beneath;
use crate::edge::interrupt::{Interrupt, Interrupted};
use crate::edge::open::open_regular;
use crate::edge::stat::Version;
use crate::edge::top::Top;
use crate::edge::walk::{Found, FoundKind, absolute};

/// How an archive is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Plain tar.
    Tar,
    /// tar, compressed with gzip.
    TarGz,
}

/// What an archive holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Archived {
    /// Files, directories and links.
    pub entries: u64,
    /// Sum of the files' sizes.
    pub content: ByteCount,
    /// The archive's own size.
    pub archive: ByteCount,
}

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    /// A file can't be read.
    #[error("can't read `{path}`: {source}")]
    Unreadable {
        /// The file, below the source.
        path: RelPath,
        /// What the system said.
        source: io::Error,
    },
    /// A file was written to while it was read.
    #[error("`{0}` kept changing while it was read")]
    Changed(RelPath),
    /// The archive can't be written.
    #[error("can't write the archive: {0}")]
    Write(#[source] io::Error),
    /// A signal came.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Where an entry's content is read from.
pub(super) enum Content {
    /// From the live tree.
    Live,
    /// From a staged copy that stands in for the live file.
    StandIn(PathBuf),
}

/// Writes what lies below `directory` into the new file `to`.
///
/// Names inside begin with the directory's own name, so that unpacking beside the archive puts it
/// back. `content` says where each file is read from.
pub(super) fn create(
    source: &Top,
    directory: &RelPath,
    found: &[Found],
    content: impl Fn(&RelPath) -> Content,
    (to, format): (&Path, Format),
    interrupt: &Interrupt,
) -> Result<Archived, ArchiveError> {
    let file = BufWriter::new(File::create_new(to).map_err(ArchiveError::Write)?);
    let prefix = directory.as_bytes().len() - directory.name().len();
    let pack = |writer: &mut dyn Write| pack(source, prefix, found, &content, writer, interrupt);
    let (mut archived, written) = match format {
        Format::Tar => {
            let mut file = file;
            (pack(&mut file)?, file.into_inner())
        }
        Format::TarGz => {
            let mut encoder = GzEncoder::new(file, Compression::default());
            let archived = pack(&mut encoder)?;
            (
                archived,
                encoder.finish().map_err(ArchiveError::Write)?.into_inner(),
            )
        }
    };
    let written = written.map_err(|error| ArchiveError::Write(error.into_error()))?;
    archived.archive = ByteCount(written.metadata().map_err(ArchiveError::Write)?.len());
    Ok(archived)
}

fn pack(
    source: &Top,
    prefix: usize,
    found: &[Found],
    content: &dyn Fn(&RelPath) -> Content,
    writer: &mut dyn Write,
    interrupt: &Interrupt,
) -> Result<Archived, ArchiveError> {
    let mut builder = tar::Builder::new(writer);
    let mut archived = Archived::default();
    for entry in found {
        interrupt.check()?;
        let name = absolute(Path::new(""), &entry.path);
        let name = Path::new(std::ffi::OsStr::from_bytes(
            &name.as_os_str().as_bytes()[prefix..],
        ));
        let mut header = header(entry);
        match &entry.kind {
            FoundKind::Directory => {
                header.set_entry_type(tar::EntryType::Directory);
                header.set_size(0);
                builder
                    .append_data(&mut header, name, io::empty())
                    .map_err(ArchiveError::Write)?;
            }
            FoundKind::Symlink(target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_size(0);
                let target = Path::new(std::ffi::OsStr::from_bytes(target));
                builder
                    .append_link(&mut header, name, target)
                    .map_err(ArchiveError::Write)?;
            }
            FoundKind::File => {
                let size = append_file(
                    &mut builder,
                    header,
                    name,
                    source,
                    entry,
                    content,
                    interrupt,
                )?;
                archived.content += size;
            }
            FoundKind::Special(_) => continue,
        }
        archived.entries += 1;
    }
    builder
        .into_inner()
        .and_then(Write::flush)
        .map_err(ArchiveError::Write)?;
    Ok(archived)
}

use std::os::unix::ffi::OsStrExt;

fn header(found: &Found) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(found.attributes.mode.bits());
    header.set_uid(found.attributes.uid.into());
    header.set_gid(found.attributes.gid.into());
    header.set_mtime(u64::try_from(found.attributes.mtime.as_second()).unwrap_or(0));
    header
}

fn append_file(
    builder: &mut tar::Builder<&mut dyn Write>,
    mut header: tar::Header,
    name: &Path,
    source: &Top,
    found: &Found,
    content: &dyn Fn(&RelPath) -> Content,
    interrupt: &Interrupt,
) -> Result<ByteCount, ArchiveError> {
    let unreadable = |source| ArchiveError::Unreadable {
        path: found.path.clone(),
        source,
    };
    let (opened, live) = match content(&found.path) {
        Content::Live => (Beneath::of(source, &found.path).open_regular(), true),
        Content::StandIn(place) => (open_regular(&place), false),
    };
    let mut file = opened.map_err(unreadable)?;
    let before = Version::of(&file.metadata().map_err(unreadable)?);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(before.size().0);
    // Takes exactly as much as the header says: a file that grows must not spoil the archive.
    let mut reader = Watched {
        file: (&mut file).take(before.size().0),
        failed: None,
        interrupt,
    };
    let appended = builder.append_data(&mut header, name, &mut reader);
    interrupt.check()?;
    if let Some(error) = reader.failed {
        return Err(unreadable(error));
    }
    let is_short = reader.file.limit() > 0;
    appended.map_err(ArchiveError::Write)?;
    let after = Version::of(&file.metadata().map_err(unreadable)?);
    // A short one would shift all that follows, whoever made it.
    if is_short || (live && after != before) {
        return Err(ArchiveError::Changed(found.path.clone()));
    }
    Ok(before.size())
}

/// Tells a read that failed from a write that did, and looks at the signal.
struct Watched<'a> {
    file: io::Take<&'a mut File>,
    failed: Option<io::Error>,
    interrupt: &'a Interrupt,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt.check().map_err(io::Error::other)?;
        self.file.read(buffer).map_err(|error| {
            let told = io::Error::new(error.kind(), error.to_string());
            self.failed = Some(error);
            told
        })
    }
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
