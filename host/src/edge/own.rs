//! Copal's own files in a destination that is a folder of this machine.
//!
//! The folder may be somebody's: below its top no link is followed, no pipe is waited for, and what lies under a name
//! of Copal's own and is no file of its kind is told as what it is, since it may stand for anything.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use copal_core::units::ByteCount;
use rustix::fs::Dir;
use rustix::io::Errno;

use super::beneath::Beneath;

/// Notes are lines; what is larger is none.
pub const NOTE: ByteCount = ByteCount::mebibytes(1);

/// What is larger is looked at before it is read.
const LARGE: ByteCount = ByteCount::mebibytes(16);

/// A destination's folder.
#[derive(Debug, Clone)]
pub struct OwnFolder(PathBuf);

/// What lies under a name of Copal's own.
#[derive(Debug)]
pub enum Own<T> {
    /// Nothing.
    Nothing,
    /// What should be there.
    Is(T),
    /// Something else, or nobody can say what: why that is no use.
    Odd(String),
}

/// What may be read of a file into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Most {
    /// So much.
    Bytes(ByteCount),
    /// All of a text: a manifest is as long as its snapshot has files. A file of holes is none.
    Text,
}

impl OwnFolder {
    /// The folder at this path.
    pub fn at(top: &Path) -> Self {
        Self(top.to_owned())
    }

    /// What a file holds, by its path below the top.
    pub fn read(&self, path: &str, most: Most) -> Own<Vec<u8>> {
        let opened = match Beneath::stored(&self.0, path).open_regular() {
            Ok(opened) => opened,
            Err(error) => return self.oddity(path, &error),
        };
        match read(&opened, most) {
            Ok(bytes) => Own::Is(bytes),
            Err(error) => Own::Odd(error.to_string()),
        }
    }

    /// What lies in a directory, each with its length, or with why it is no file.
    pub fn list(&self, dir: &str) -> Own<Vec<(String, Own<ByteCount>)>> {
        let opened = match Beneath::stored(&self.0, dir).open_directory() {
            Ok(opened) => opened,
            Err(error) => return self.oddity(dir, &error),
        };
        match names(&opened) {
            Ok(names) => {
                let look = |name: String| {
                    let found = self.look(&format!("{dir}/{name}"));
                    (name, found)
                };
                Own::Is(names.into_iter().map(look).collect())
            }
            Err(error) => Own::Odd(error.to_string()),
        }
    }

    /// How long a file is, by its path below the top.
    pub fn look(&self, path: &str) -> Own<ByteCount> {
        match Beneath::stored(&self.0, path).metadata() {
            Ok(found) if found.is_file() => Own::Is(ByteCount(found.len())),
            Ok(found) if found.is_symlink() => Own::Odd(link(path)),
            Ok(found) if found.is_dir() => Own::Odd("it is a directory".to_owned()),
            Ok(_) => Own::Odd("it is no file".to_owned()),
            Err(error) => self.oddity(path, &error),
        }
    }

    /// The first link on the way to this path, itself included.
    pub fn link_on_the_way(&self, path: &str) -> Option<String> {
        let ends = path.match_indices('/').map(|(at, _)| at);
        let mut parts = ends.chain([path.len()]).map(|end| &path[..end]);
        let is_link = |part: &&str| {
            let found = Beneath::stored(&self.0, part).metadata();
            found.is_ok_and(|found| found.is_symlink())
        };
        parts.find(is_link).map(str::to_owned)
    }

    /// What an error says of a path: that nothing is there, or what is, or that nobody can say.
    fn oddity<T>(&self, path: &str, error: &io::Error) -> Own<T> {
        if let Some(part) = self.link_on_the_way(path) {
            return Own::Odd(link(&part));
        }
        match Errno::from_io_error(error) {
            Some(Errno::NOENT) => Own::Nothing,
            Some(_) => Own::Odd(error.to_string()),
            // Told by its kind: a file lies on the way, or something else under the very name.
            None => match Beneath::stored(&self.0, path).metadata() {
                Ok(found) if found.is_dir() => Own::Odd("it is a directory".to_owned()),
                Ok(_) => Own::Odd("it is no file".to_owned()),
                Err(_) => Own::Nothing,
            },
        }
    }
}

fn link(path: &str) -> String {
    format!("`{path}` is a symbolic link, and Copal follows none here")
}

fn names(directory: &File) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        // Copal's own names are plain text.
        match entry?.file_name().to_str() {
            Ok("." | "..") | Err(_) => {}
            Ok(name) => names.push(name.to_owned()),
        }
    }
    names.sort_unstable();
    Ok(names)
}

fn read(mut file: &File, most: Most) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    let mut bytes = Vec::new();
    match most {
        Most::Text if has_a_hole(file, length)? => Err(io::Error::other("it is no text")),
        Most::Text => {
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        }
        Most::Bytes(most) => {
            let mut bounded = file.take(most.0.saturating_add(1));
            bounded.read_to_end(&mut bytes)?;
            if bytes.len() as u64 > most.0 {
                return Err(io::Error::other(format!("it is larger than {most}")));
            }
            Ok(bytes)
        }
    }
}

/// Whether there is a zero where a text has none, at its beginning, its middle or its end.
fn has_a_hole(file: &File, length: u64) -> io::Result<bool> {
    // What is small is read, and says itself what is wrong with it.
    if length <= LARGE.0 {
        return Ok(false);
    }
    for at in [0, length / 2, length - 1] {
        let mut byte = [1];
        if file.read_at(&mut byte, at)? == 1 && byte == [0] {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a small file of this machine's own holds, as far as it is a file of its kind.
pub fn read_here(path: &Path, most: Most) -> io::Result<Vec<u8>> {
    read(&File::open(path)?, most)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn told<T: std::fmt::Debug>(own: &Own<T>) -> &str {
        match own {
            Own::Nothing => "nothing",
            Own::Is(_) => "is",
            Own::Odd(why) => why,
        }
    }

    #[test]
    fn what_is_no_file_or_lies_behind_a_link_is_told_as_what_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().join("vault");
        fs::create_dir_all(top.join("own/directory")).unwrap();
        fs::write(top.join("own/file"), "its own").unwrap();
        fs::write(dir.path().join("secret"), "another's").unwrap();
        symlink("../../secret", top.join("own/link")).unwrap();
        symlink("own", top.join("way")).unwrap();
        mknodat(CWD, top.join("own/pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        let folder = OwnFolder::at(&top);
        let link = |path| format!("`{path}` is a symbolic link, and Copal follows none here");
        for (path, expected) in [
            ("own/file", "is".to_owned()),
            ("own/none", "nothing".to_owned()),
            ("none/file", "nothing".to_owned()),
            ("own/file/below", "nothing".to_owned()),
            ("own/link", link("own/link")),
            ("way/file", link("way")),
            ("way/none", link("way")),
            ("own/directory", "it is a directory".to_owned()),
            ("own/pipe", "it is no file".to_owned()),
        ] {
            assert_eq!(told(&folder.read(path, Most::Text)), expected, "{path}");
            assert_eq!(told(&folder.look(path)), expected, "{path}");
        }
        assert_eq!(told(&folder.list("way")), link("way"));
        assert_eq!(told(&folder.list("none")), "nothing");
        let Own::Is(listed) = folder.list("own") else {
            panic!("it is a directory");
        };
        let names = listed.iter().map(|(name, _)| name.as_str());
        assert!(
            names.eq(["directory", "file", "link", "pipe"]),
            "{listed:?}"
        );
    }

    #[test]
    fn what_is_huge_is_not_read_into_memory() {
        let dir = tempfile::tempdir().unwrap();
        let huge = File::create(dir.path().join("huge")).unwrap();
        huge.set_len(2 << 30).unwrap();
        let folder = OwnFolder::at(dir.path());
        let note = folder.read("huge", Most::Bytes(NOTE));
        assert_eq!(told(&note), "it is larger than 1.0 MiB");
        assert_eq!(told(&folder.read("huge", Most::Text)), "it is no text");
        fs::write(dir.path().join("text"), "{}").unwrap();
        assert_eq!(told(&folder.read("text", Most::Text)), "is");
    }
}
