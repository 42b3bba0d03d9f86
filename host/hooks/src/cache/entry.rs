//! An entry: what wasmtime made of a component, then a seal over it.
//!
//! ```text
//! compiled code, as wasmtime serialized it; it has to be at the top, where wasmtime maps it
//! 16 bytes   "copal compiled 3"
//! 16 bytes   what the engine had to be the same in
//! 32 bytes   the SHA-256 of the component
//! 32 bytes   its BLAKE3
//! 16 bytes   XXH3 of all the above, lowest byte first: of the code the XXH3 of each megabyte, then the rest
//! ```
//!
//! The checksum is against accidents. Against others there is the directory. It is by the megabyte so that
//! all cores can take part: it is most of what loading costs.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use copal_core::digest::Sha256;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use twox_hash::XxHash3_128;

use super::cores::Cores;

const MAGIC: [u8; 16] = *b"copal compiled 3";
const CHECKSUM: usize = 16;
const SEAL: usize = MAGIC.len() + 16 + 32 + 32 + CHECKSUM;

/// What has a checksum of its own.
const BLOCK: usize = 1 << 20;

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
    let blocks: Vec<u128> = bytes.chunks(BLOCK).map(XxHash3_128::oneshot).collect();
    let code = bytes.len();
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&settings.to_le_bytes());
    bytes.extend_from_slice(origin.digest.as_bytes());
    bytes.extend_from_slice(origin.print.as_bytes());
    let checksum = checksum(&blocks, &bytes[code..]);
    bytes.extend_from_slice(&checksum.to_le_bytes());
}

fn checksum(blocks: &[u128], rest: &[u8]) -> u128 {
    let mut hasher = XxHash3_128::new();
    for block in blocks {
        hasher.write(&block.to_le_bytes());
    }
    hasher.write(rest);
    hasher.finish_128()
}

/// Reads a whole entry; the component that it was made of, if it is what [`seal`] left.
pub(super) fn check(file: &File, settings: u128, cores: Cores) -> Option<Origin> {
    let found = file.metadata().ok()?;
    let code = usize::try_from(found.len()).ok()?.checked_sub(SEAL)?;
    if !found.is_file() {
        return None;
    }
    let mut seal = [0; SEAL];
    file.read_exact_at(&mut seal, code as u64).ok()?;
    let (magic, rest) = seal.split_first_chunk::<16>()?;
    let (made_for, rest) = rest.split_first_chunk::<16>()?;
    let (digest, rest) = rest.split_first_chunk::<32>()?;
    let (print, told) = rest.split_first_chunk::<32>()?;
    if *magic != MAGIC || u128::from_le_bytes(*made_for) != settings {
        return None;
    }
    let blocks = blocks(file, code, cores).ok()?;
    let is_whole = checksum(&blocks, &seal[..SEAL - CHECKSUM]).to_le_bytes() == *told;
    is_whole.then(|| Origin {
        digest: Sha256::from_bytes(*digest),
        print: blake3::Hash::from_bytes(*print),
    })
}

/// The checksums of the blocks of the first `length` bytes.
fn blocks(file: &File, length: usize, cores: Cores) -> io::Result<Vec<u128>> {
    let chunk = || vec![0; CHUNK];
    let block = |chunk: &mut Vec<u8>, block: usize| {
        let end = length.min((block + 1) * BLOCK);
        block_of(file, block * BLOCK, end, chunk)
    };
    let all = 0..length.div_ceil(BLOCK);
    match cores {
        Cores::One => {
            let mut chunk = chunk();
            all.map(|at| block(&mut chunk, at)).collect()
        }
        Cores::All => all.into_par_iter().map_init(chunk, block).collect(),
    }
}

fn block_of(file: &File, start: usize, end: usize, chunk: &mut [u8]) -> io::Result<u128> {
    let mut hasher = XxHash3_128::new();
    let mut at = start;
    while at < end {
        let wanted = (end - at).min(chunk.len());
        let part = &mut chunk[..wanted];
        file.read_exact_at(part, at as u64)?;
        hasher.write(part);
        at += wanted;
    }
    Ok(hasher.finish_128())
}
