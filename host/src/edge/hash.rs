//! Checksums of files, as many kinds as are wanted in one read.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;

use copal_core::digest::Sha256;
use copal_core::units::ByteCount;
use md5::Md5;
use sha1::Sha1;
use sha2::Digest;

use super::beneath::Beneath;
use super::interrupt::Interrupt;
use super::stat::Version;

/// The checksums of one content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// How many bytes were read.
    pub size: ByteCount,
    /// Always.
    pub sha256: Sha256,
    /// If wanted.
    pub sha1: Option<String>,
    /// If wanted.
    pub md5: Option<String>,
    /// What it begins with, and zeros behind its end: tells what it is, without a second look at the file.
    pub begins: [u8; 16],
}

/// Which checksums are computed beside SHA-256: those that the destinations' remotes keep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// SHA-1, the hash that B2 keeps.
    pub sha1: bool,
    /// MD5, the hash that S3 and many others keep.
    pub md5: bool,
}

/// Large enough that the calls vanish, small enough to stay in a core's cache.
const BUFFER: usize = 256 * 1024;

/// What a file that grows meanwhile is read by.
const LEAST: usize = 8 * 1024;

/// Reads `path` once.
///
/// A signal ends the read with [`io::ErrorKind::Interrupted`]; callers look at the interrupt first.
pub fn hash_file(path: &Path, wanted: Wanted, interrupt: &Interrupt) -> io::Result<Digests> {
    let mut file = File::open(path)?;
    let size = ByteCount(file.metadata()?.len());
    hash_reader(&mut file, size, wanted, interrupt)
}

/// The SHA-256 of many files, on every core, in their order.
pub fn hash_many(paths: &[PathBuf], interrupt: &Interrupt) -> io::Result<Vec<Digests>> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = paths.len().div_ceil(cores).max(1);
    let hash = |part: &[PathBuf]| -> io::Result<Vec<Digests>> {
        part.iter()
            .map(|path| hash_file(path, Wanted::default(), interrupt))
            .collect()
    };
    thread::scope(|scope| {
        let parts: Vec<_> = paths
            .chunks(share)
            .map(|part| scope.spawn(move || hash(part)))
            .collect();
        let parts = parts
            .into_iter()
            .map(|part| part.join().expect("hashing does not panic"));
        Ok(parts.collect::<io::Result<Vec<_>>>()?.concat())
    })
}

/// Reads a live file, and again if it changed meanwhile; `None` if it never stood still.
pub fn hash_live(
    live: Beneath<'_>,
    wanted: Wanted,
    interrupt: &Interrupt,
) -> io::Result<Option<(Digests, Metadata)>> {
    const TRIES: u32 = 3;
    for _ in 0..TRIES {
        let mut file = live.open_regular()?;
        let metadata = file.metadata()?;
        let before = Version::of(&metadata);
        let digests = hash_reader(&mut file, before.size(), wanted, interrupt)?;
        let after = Version::of(&file.metadata()?);
        if before == after && digests.size == before.size() {
            return Ok(Some((digests, metadata)));
        }
    }
    Ok(None)
}

/// Reads to the end, wherever that is by now.
fn hash_reader(
    reader: &mut File,
    expected: ByteCount,
    wanted: Wanted,
    interrupt: &Interrupt,
) -> io::Result<Digests> {
    let mut sha256 = sha2::Sha256::new();
    let mut sha1 = wanted.sha1.then(Sha1::new);
    let mut md5 = wanted.md5.then(Md5::new);
    // Of many small files each would have all of it set to zero; one byte more shows the end.
    let enough = usize::try_from(expected.0.saturating_add(1)).unwrap_or(BUFFER);
    let mut buffer = vec![0; enough.clamp(LEAST, BUFFER)];
    let mut size = 0;
    let mut begins = [0; 16];
    loop {
        let n = reader.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        let begun = begins
            .len()
            .min(usize::try_from(size).unwrap_or(usize::MAX));
        for (byte, read) in begins[begun..].iter_mut().zip(&buffer[..n]) {
            *byte = *read;
        }
        interrupt
            .check()
            .map_err(|error| io::Error::new(io::ErrorKind::Interrupted, error))?;
        size += n as u64;
        sha256.update(&buffer[..n]);
        if let Some(sha1) = &mut sha1 {
            sha1.update(&buffer[..n]);
        }
        if let Some(md5) = &mut md5 {
            md5.update(&buffer[..n]);
        }
    }
    Ok(Digests {
        size: ByteCount(size),
        sha256: Sha256::from_bytes(sha256.finalize().into()),
        sha1: sha1.map(|hasher| hex(&hasher.finalize())),
        md5: md5.map(|hasher| hex(&hasher.finalize())),
        begins,
    })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes every write");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests_come_out_of_one_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        let wanted = Wanted {
            sha1: true,
            md5: true,
        };
        let digests = hash_file(file.path(), wanted, &Interrupt::default()).unwrap();
        assert_eq!(digests.size, ByteCount(3));
        assert_eq!(&digests.begins, b"abc\0\0\0\0\0\0\0\0\0\0\0\0\0");
        // FIPS 180-4 and RFC 1321 give these for "abc".
        assert!(digests.sha256.to_string().starts_with("ba7816bf8f01cfea"));
        assert_eq!(
            digests.sha1.as_deref(),
            Some("a9993e364706816aba3e25717850c26c9cd0d89d")
        );
        assert_eq!(
            digests.md5.as_deref(),
            Some("900150983cd24fb0d6963f7d28e17f72")
        );
    }

    #[test]
    fn many_files_are_hashed_in_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = (0..7).map(|n| dir.path().join(n.to_string())).collect();
        for path in &paths {
            std::fs::write(path, path.to_str().unwrap()).unwrap();
        }
        let many = hash_many(&paths, &Interrupt::default()).unwrap();
        let each = paths
            .iter()
            .map(|p| hash_file(p, Wanted::default(), &Interrupt::default()));
        assert_eq!(many, each.collect::<io::Result<Vec<_>>>().unwrap());
        assert!(hash_many(&[], &Interrupt::default()).unwrap().is_empty());
    }

    #[test]
    fn an_unreadable_file_is_an_error() {
        let missing = hash_file(
            Path::new("/nonexistent"),
            Wanted::default(),
            &Interrupt::default(),
        );
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
