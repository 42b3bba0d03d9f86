//! Which files of a file system somebody has open for writing: as far as `/proc` shows it.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Files by device and inode.
#[derive(Debug, Default)]
pub struct OpenForWriting(HashSet<(u64, u64)>);

impl OpenForWriting {
    /// Looks at every process that this user may look at. What can't be seen is not there: this is a
    /// hint, and what it misses is found out when the file has changed.
    pub fn now() -> Self {
        let mut open = HashSet::new();
        for process in numbered(Path::new("/proc")) {
            for descriptor in numbered(&process.join("fd")) {
                let Ok(file) = fs::metadata(&descriptor) else {
                    continue;
                };
                if file.is_file() && !open.contains(&(file.dev(), file.ino())) {
                    let number = descriptor.file_name().unwrap_or_default();
                    let about = fs::read_to_string(process.join("fdinfo").join(number));
                    if about.is_ok_and(|about| is_written_to(&about)) {
                        open.insert((file.dev(), file.ino()));
                    }
                }
            }
        }
        Self(open)
    }

    /// Whether this one is among them.
    pub fn contains(&self, file: (u64, u64)) -> bool {
        self.0.contains(&file)
    }
}

fn numbered(directory: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| {
        let name = path.file_name().unwrap_or_default();
        name.as_encoded_bytes().iter().all(u8::is_ascii_digit)
    })
}

/// By the flags of proc(5), in octal: the lowest two bits are `O_WRONLY` and `O_RDWR`.
fn is_written_to(about: &str) -> bool {
    let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
    flags
        .and_then(|flags| u64::from_str_radix(flags.trim(), 8).ok())
        .is_some_and(|flags| flags & 3 != 0)
}

#[cfg(test)]
mod tests {
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
