//! A file's bytes into another, by the kernel where it can: as quick as `cp`, and at once where the
//! file system shares blocks between files.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use rustix::io::Errno;

use super::error::SqliteError;
use crate::edge::interrupt::Interrupt;

/// Bytes between two looks at the signal.
const CHUNK: u64 = 64 << 20;

/// Bytes that are read at once where the kernel does not copy by itself.
const BUFFER: usize = 1 << 20;

/// Copies as much of `from` as there is into the empty file `to`.
pub(super) fn copy(from: &File, to: &File, interrupt: &Interrupt) -> Result<(), SqliteError> {
    let size = from.metadata().map_err(SqliteError::Unreadable)?.len();
    let mut at = 0;
    while at < size {
        interrupt.check()?;
        let (mut read, mut written) = (at, at);
        let wanted = usize::try_from(CHUNK.min(size - at)).unwrap_or(BUFFER);
        match rustix::fs::copy_file_range(from, Some(&mut read), to, Some(&mut written), wanted) {
            // It was truncated meanwhile.
            Ok(0) => break,
            Ok(copied) => at += copied as u64,
            Err(Errno::INTR) => {}
            // Whatever the kernel has against it, reading and writing will say what is really wrong.
            Err(_) => return by_hand(from, to, at, interrupt),
        }
    }
    Ok(())
}

fn by_hand(
    from: &File,
    mut to: &File,
    mut at: u64,
    interrupt: &Interrupt,
) -> Result<(), SqliteError> {
    use std::io::{Seek, SeekFrom};
    let mut buffer = vec![0; BUFFER];
    to.seek(SeekFrom::Start(at))
        .map_err(SqliteError::Unwritable)?;
    loop {
        interrupt.check()?;
        let read = match from.read_at(&mut buffer, at) {
            Ok(0) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other.map_err(SqliteError::Unreadable)?,
        };
        to.write_all(&buffer[..read])
            .map_err(SqliteError::Unwritable)?;
        at += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn both_ways_copy_everything_and_go_on_where_the_other_stopped() {
        let dir = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
        let path = dir.path().join("from");
        fs::write(&path, &content).unwrap();
        let from = File::open(&path).unwrap();
        let interrupt = Interrupt::default();
        for begun in [0, 5_000_000] {
            let to = File::create(dir.path().join("to")).unwrap();
            to.write_all_at(&content[..begun], 0).unwrap();
            by_hand(&from, &to, begun as u64, &interrupt).unwrap();
            assert!(fs::read(dir.path().join("to")).unwrap() == content);
        }
        copy(
            &from,
            &File::create(dir.path().join("to")).unwrap(),
            &interrupt,
        )
        .unwrap();
        assert!(fs::read(dir.path().join("to")).unwrap() == content);
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
        let copied = copy(&from, &full, &Interrupt::default());
        assert!(
            matches!(copied, Err(SqliteError::Unwritable(_))),
            "{copied:?}"
        );
    }
}
