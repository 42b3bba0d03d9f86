//! Archives of directories.

use copal_core::grants::{Capability, Need};

use super::sqlite::known;
use super::{Answer, Asked, Gate, path};
use crate::plural::count;
use crate::{ArchiveFormat, Archived, Phase};

impl Gate {
    pub(crate) fn archive_create(
        &mut self,
        directory: &str,
        format: ArchiveFormat,
    ) -> Answer<Archived> {
        let name = path(directory);
        let format_name = match format {
            ArchiveFormat::Tar => "tar",
            ArchiveFormat::TarGz => "tar.gz",
        };
        let asked = Asked::of(Capability::Archive, "create")
            .with("directory", directory)
            .with("format", format_name)
            .needing(name.clone().map(Need::Directory))
            .only_in(Phase::PreBackup);
        self.deed(
            asked,
            |host, call| host.archive_create(call, &known(name)?, format),
            |archived| {
                let entries = count(archived.entries, "entry", "entries");
                format!("{entries}, {}", archived.archive)
            },
        )
    }
}
