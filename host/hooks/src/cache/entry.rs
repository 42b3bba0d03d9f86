//! An entry: what wasmtime made of a component, then a seal over it.
//!
//! ```text
//! compiled code, as wasmtime serialized it; it has to be at the top, where wasmtime maps it
//! 16 bytes   "copal compiled 2"
//! 16 bytes   what the engine had to be the same in
//! 32 bytes   the SHA-256 of the component
//! 32 bytes   its BLAKE3
//! 16 bytes   XXH3 of all the above, lowest byte first
//! ```
//!
//! The checksum is against accidents. Against others there is the directory.

use std::fs::File;
use std::io::Read;

use copal_core::digest::Sha256;
use twox_hash::XxHash3_128;

const MAGIC: [u8; 16] = *b"copal compiled 2";
const CHECKSUM: usize = 16;
const SEAL: usize = MAGIC.len() + 16 + 32 + 32 + CHECKSUM;

/// How much is read at once: enough to be quick, little enough to stay in a core's own cache.
const CHUNK: usize = 128 * 1024;

/// The component that an entry was made of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// What it is pinned by.
    pub(super) digest: Sha256,
    /// What it is known by at once.
    pub(super) print: blake3::Hash,
}

/// Appends the seal.
pub(super) fn seal(bytes: &mut Vec<u8>, origin: &Origin, settings: u128) {
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&settings.to_le_bytes());
    bytes.extend_from_slice(origin.digest.as_bytes());
    bytes.extend_from_slice(origin.print.as_bytes());
    let checksum = XxHash3_128::oneshot(bytes);
    bytes.extend_from_slice(&checksum.to_le_bytes());
}

/// Reads a whole entry; the component that it was made of, if it is what [`seal`] left.
pub(super) fn check(file: &File, settings: u128) -> Option<Origin> {
    let found = file.metadata().ok()?;
    let sealed = usize::try_from(found.len()).ok()?.checked_sub(CHECKSUM)?;
    if !found.is_file() || sealed < SEAL - CHECKSUM {
        return None;
    }
    let mut hasher = XxHash3_128::new();
    let mut chunk = vec![0; CHUNK.max(SEAL)];
    // What was read last: the seal may lie across two chunks.
    let mut tail = Vec::with_capacity(2 * SEAL);
    let mut read = 0;
    while read < sealed {
        let wanted = (sealed - read).min(chunk.len());
        let part = &mut chunk[..wanted];
        let mut source = file;
        source.read_exact(part).ok()?;
        hasher.write(part);
        tail.extend_from_slice(&part[part.len().saturating_sub(SEAL)..]);
        tail.drain(..tail.len().saturating_sub(SEAL - CHECKSUM));
        read += wanted;
    }
    let mut checksum = [0; CHECKSUM];
    let mut source = file;
    source.read_exact(&mut checksum).ok()?;
    let is_whole = hasher.finish_128() == u128::from_le_bytes(checksum);
    let (magic, rest) = tail.split_first_chunk::<16>()?;
    let (made_for, rest) = rest.split_first_chunk::<16>()?;
    let (digest, rest) = rest.split_first_chunk::<32>()?;
    let origin = Origin {
        digest: Sha256::from_bytes(*digest),
        print: blake3::Hash::from_bytes(*rest.first_chunk::<32>()?),
    };
    let is_ours = *magic == MAGIC && u128::from_le_bytes(*made_for) == settings;
    (is_whole && is_ours).then_some(origin)
}
