//! A file's content into another, by the kernel where it can: as quick as `cp`, and at once where the
//! file system shares blocks between files.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::interrupt::{Interrupt, Interrupted};

/// Bytes between two looks at the signal.
const CHUNK: u64 = 64 << 20;

/// Bytes that are read at once where the kernel does not copy by itself.
const BUFFER: u64 = 1 << 20;

/// Why there is no copy.
#[derive(Debug)]
pub enum Failed {
    /// The file can't be read.
    Reading(io::Error),
    /// The copy can't be written.
    Writing(io::Error),
    /// A signal came.
    Interrupted(Interrupted),
}

impl From<Interrupted> for Failed {
    fn from(interrupted: Interrupted) -> Self {
        Self::Interrupted(interrupted)
    }
}

/// Copies as much of `from` as there is now into the empty file `to`, holes as holes. Neither is closed,
/// and where they are read and written next does not matter.
pub fn copy(from: &File, to: &File, interrupt: &Interrupt) -> Result<(), Failed> {
    let size = from.metadata().map_err(Failed::Reading)?.len();
    to.set_len(size).map_err(Failed::Writing)?;
    let mut at = 0;
    while at < size {
        let start = match rustix::fs::seek(from, SeekFrom::Data(at)) {
            Ok(start) => start,
            // Nothing but a hole up to the end.
            Err(Errno::NXIO) => break,
            Err(error) => return Err(Failed::Reading(error.into())),
        };
        let end = rustix::fs::seek(from, SeekFrom::Hole(start));
        let end = end.map_err(|error| Failed::Reading(error.into()))?;
        let end = end.min(size);
        let reached = stretch(from, to, start..end, interrupt)?;
        if reached < end {
            // It was truncated meanwhile.
            return to.set_len(reached).map_err(Failed::Writing);
        }
        at = end;
    }
    Ok(())
}

/// Where it ended.
fn stretch(
    from: &File,
    to: &File,
    range: std::ops::Range<u64>,
    interrupt: &Interrupt,
) -> Result<u64, Failed> {
    let mut at = range.start;
    while at < range.end {
        interrupt.check()?;
        let (mut read, mut written) = (at, at);
        let wanted = usize::try_from(CHUNK.min(range.end - at)).unwrap_or(usize::MAX);
        match rustix::fs::copy_file_range(from, Some(&mut read), to, Some(&mut written), wanted) {
            Ok(0) => break,
            Ok(copied) => at += copied as u64,
            Err(Errno::INTR) => {}
            // Whatever the kernel has against it, reading and writing will say what is really wrong.
            Err(_) => return by_hand(from, to, at..range.end, interrupt),
        }
    }
    Ok(at)
}

fn by_hand(
    from: &File,
    to: &File,
    range: std::ops::Range<u64>,
    interrupt: &Interrupt,
) -> Result<u64, Failed> {
    let mut buffer = vec![0; usize::try_from(BUFFER).unwrap_or(usize::MAX)];
    let mut at = range.start;
    while at < range.end {
        interrupt.check()?;
        let wanted = usize::try_from(BUFFER.min(range.end - at)).unwrap_or(usize::MAX);
        match from.read_at(&mut buffer[..wanted], at) {
            Ok(0) => break,
            Ok(read) => {
                to.write_all_at(&buffer[..read], at)
                    .map_err(Failed::Writing)?;
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failed::Reading(error)),
        }
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::edge::interrupt::Signal;

    #[test]
    fn both_ways_copy_everything_and_go_on_where_the_other_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let path = dir.path().join("from");
        fs::write(&path, &content).unwrap();
        let from = File::open(&path).unwrap();
        let interrupt = Interrupt::default();
        let size = content.len() as u64;
        for begun in [0, 5_000_000] {
            let to = File::create(dir.path().join("to")).unwrap();
            to.write_all_at(&content[..begun], 0).unwrap();
            let reached = by_hand(&from, &to, begun as u64..size + 1, &interrupt).unwrap();
            assert_eq!(reached, size, "it ends where the file does");
            assert!(fs::read(dir.path().join("to")).unwrap() == content);
        }
        let to = File::create(dir.path().join("to")).unwrap();
        copy(&from, &to, &interrupt).unwrap();
        assert!(fs::read(dir.path().join("to")).unwrap() == content);
    }

    #[test]
    fn holes_stay_holes() {
        let dir = tempfile::tempdir().unwrap();
        let from = File::create_new(dir.path().join("from")).unwrap();
        from.set_len(64 << 20).unwrap();
        from.write_all_at(b"in the middle", 32 << 20).unwrap();
        let from = File::open(dir.path().join("from")).unwrap();
        let to = File::create_new(dir.path().join("to")).unwrap();
        copy(&from, &to, &Interrupt::default()).unwrap();
        let copied = to.metadata().unwrap();
        assert_eq!(copied.len(), 64 << 20);
        assert!(copied.blocks() * 512 < 1 << 20);
        let mut middle = [0; 13];
        let to = File::open(dir.path().join("to")).unwrap();
        to.read_exact_at(&mut middle, 32 << 20).unwrap();
        assert_eq!(&middle, b"in the middle");
    }

    #[test]
    fn a_full_disk_is_the_copys_fault() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("from"), [7; 10_000]).unwrap();
        let from = File::open(dir.path().join("from")).unwrap();
        let full = fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let copied = by_hand(&from, &full, 0..10_000, &Interrupt::default());
        assert!(matches!(copied, Err(Failed::Writing(_))), "{copied:?}");
    }

    #[test]
    fn a_signal_ends_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("from"), [7; 10_000]).unwrap();
        let from = File::open(dir.path().join("from")).unwrap();
        let to = File::create(dir.path().join("to")).unwrap();
        let interrupt = Interrupt::default();
        interrupt.raise(Signal::Terminate);
        let copied = copy(&from, &to, &interrupt);
        assert!(matches!(copied, Err(Failed::Interrupted(_))), "{copied:?}");
    }
}
