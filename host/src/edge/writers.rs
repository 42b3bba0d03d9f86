//! Which files of a file system somebody has open for writing: as far as `/proc` shows it.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;

use super::processes;

/// Files by device and inode.
#[derive(Debug, Default)]
pub struct OpenForWriting(HashSet<(u64, u64)>);

impl OpenForWriting {
    /// Looks at every process that this user may look at. What can't be seen is not there: this is a
    /// hint, and what it misses is found out when the file has changed.
    pub fn now() -> Self {
        let processes = processes::all().unwrap_or_default();
        let descriptors = processes.iter().flat_map(processes::Process::descriptors);
        let written = descriptors.filter(processes::Descriptor::is_written_to);
        let files = written.filter_map(|descriptor| descriptor.file().ok());
        let files = files.filter(std::fs::Metadata::is_file);
        Self(files.map(|file| (file.dev(), file.ino())).collect())
    }

    /// Whether this one is among them.
    pub fn contains(&self, file: (u64, u64)) -> bool {
        self.0.contains(&file)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_seen_while_somebody_has_it_open_for_writing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let writer = fs::File::create(&path).unwrap();
        let _reader = fs::File::open(&path).unwrap();
        let metadata = writer.metadata().unwrap();
        let file = (metadata.dev(), metadata.ino());
        assert!(OpenForWriting::now().contains(file));
        drop(writer);
        assert!(!OpenForWriting::now().contains(file));
    }
}
