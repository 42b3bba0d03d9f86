//! A file that several processes append to, and that becomes another when it is large: `job.log`, before it
//! `job.log.1`, and so on.
//!
//! Each line is one write at the file's end, so that none is torn. Whoever finds the file full moves it
//! aside under its lock, and the others see that theirs is not the file of that name any more. Crates that
//! rotate know nothing of other processes. Nobody ever waits here: a log does not hold up a backup.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use copal_core::units::ByteCount;
use rustix::fs::{FlockOperation, OFlags, flock};

/// How often the file may be moved under a line before it is written wherever that is.
const ATTEMPTS: u32 = 3;

/// Such a file.
#[derive(Debug)]
pub(super) struct Rotating {
    path: PathBuf,
    max_size: ByteCount,
    keep: u32,
    open: Option<File>,
}

impl Rotating {
    /// The file is opened, and made, with the first line.
    pub(super) fn new(path: &Path, max_size: ByteCount, keep: u32) -> Self {
        Self {
            path: path.to_owned(),
            max_size,
            keep,
            open: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line.
    pub(super) fn write(&mut self, line: &str) -> io::Result<()> {
        let line = format!("{line}\n");
        let mut file = self.file()?;
        for _ in 0..ATTEMPTS {
            if is_at(&file, &self.path)? && !self.is_moved_aside(&file, line.len())? {
                break;
            }
            // Closed, and the lock with it.
            drop(file);
            file = open(&self.path)?;
        }
        let written = file.write_all(line.as_bytes());
        self.open = Some(file);
        written
    }

    fn file(&mut self) -> io::Result<File> {
        self.open.take().map_or_else(|| open(&self.path), Ok)
    }

    /// Whether there was no room for so much more, so that it is the file of that name no longer.
    fn is_moved_aside(&self, file: &File, more: usize) -> io::Result<bool> {
        let size = file.metadata()?.len();
        if size == 0 || size + more as u64 <= self.max_size.0 {
            return Ok(false);
        }
        // Where another has the lock, it is at it, or it can't: the line is written anyway.
        if flock(file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(false);
        }
        if is_at(file, &self.path)? {
            self.make_room()?;
        }
        Ok(true)
    }

    fn make_room(&self) -> io::Result<()> {
        for n in (1..self.keep).rev() {
            rename(&self.older(n), &self.older(n + 1))?;
        }
        rename(&self.path, &self.older(1))
    }

    fn older(&self, n: u32) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{n}"));
        name.into()
    }
}

/// Nobody else's business: it names files of the app, and what hooks say.
fn open(path: &Path) -> io::Result<File> {
    let make = || {
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            // A pipe that nobody reads is an error, and no wait.
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(path)
    };
    let file = match make() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let directory = path.parent().unwrap_or(Path::new("."));
            // Those that are there stay as they are.
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)?;
            make()?
        }
        other => other?,
    };
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::other("it is no regular file"))
}

/// Whether it is the file of that name still.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let here = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((here.dev(), here.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn a_full_log_is_moved_aside_and_only_so_many_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("below/job.log");
        let mut log = Rotating::new(&path, ByteCount(30), 2);
        for n in 0..10 {
            log.write(&format!("this is line {n}")).unwrap();
        }
        let below = path.parent().unwrap();
        assert_eq!(names(below), ["job.log", "job.log.1", "job.log.2"]);
        let text = |name: &str| fs::read_to_string(below.join(name)).unwrap();
        assert_eq!(text("job.log"), "this is line 8\nthis is line 9\n");
        assert_eq!(text("job.log.2"), "this is line 4\nthis is line 5\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn several_that_write_at_once_tear_and_lose_no_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("job.log");
        thread::scope(|scope| {
            for writer in 0..4 {
                let mut log = Rotating::new(&path, ByteCount(2000), 100);
                scope.spawn(move || {
                    for n in 0..200 {
                        log.write(&format!("writer {writer} line {n:03}.")).unwrap();
                    }
                });
            }
        });
        let texts = names(dir.path());
        // How often depends on who is kept waiting in the middle of it.
        assert!(texts.len() > 1, "{texts:?}");
        let texts = texts.iter().map(|name| dir.path().join(name));
        let text: String = texts.map(|it| fs::read_to_string(it).unwrap()).collect();
        let whole = |line: &str| line.starts_with("writer ") && line.ends_with('.');
        assert!(text.lines().all(whole), "{text}");
        assert_eq!(text.lines().count(), 4 * 200);
    }

    #[test]
    fn a_file_that_somebody_moved_or_removed_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("job.log");
        let mut log = Rotating::new(&path, ByteCount(2000), 1);
        log.write("one").unwrap();
        fs::remove_file(&path).unwrap();
        log.write("two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
    }

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        assert!(
            Rotating::new(dir.path(), ByteCount(9), 1)
                .write("x")
                .is_err()
        );
        let null = Path::new("/dev/null");
        let refused = Rotating::new(null, ByteCount(9), 1).write("x").unwrap_err();
        assert!(refused.to_string().contains("regular"), "{refused}");
    }
}
