//! Chunks: how backends send large files.

use super::Wish;
use crate::units::ByteCount;

/// How a backend sends large files: chunk by chunk, each kept in memory until it has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunks {
    /// The backend, by rclone's name.
    pub backend: String,
    /// The smallest chunk to use; others are this, doubled as often as one likes.
    pub unit: ByteCount,
    /// `chunk_size`.
    pub size: Wish<ByteCount>,
    /// `upload_concurrency`, where the backend sends several chunks of a file at a time.
    pub concurrency: Option<Wish<u32>>,
}

/// Backends that keep chunks in memory, with what their chunks are made up of: the least that B2 and S3
/// take, and what the others' services want multiples of.
pub(super) const BACKENDS: [(&str, ByteCount); 7] = [
    ("azureblob", ByteCount::mebibytes(1)),
    ("b2", ByteCount::mebibytes(5)),
    ("drive", ByteCount(256 << 10)),
    ("dropbox", ByteCount::mebibytes(4)),
    ("onedrive", ByteCount(320 << 10)),
    ("oracleobjectstorage", ByteCount::mebibytes(5)),
    ("s3", ByteCount::mebibytes(5)),
];

/// What the chunks of this backend are made up of; `None` where it keeps none in memory.
pub fn sends_chunks(backend: &str) -> Option<ByteCount> {
    let mut all = BACKENDS.iter();
    all.find(|(name, _)| *name == backend)
        .map(|(_, unit)| *unit)
}

impl Chunks {
    /// The memory that one file takes.
    pub(super) fn at_a_time(&self) -> ByteCount {
        let concurrency = self.concurrency.map_or(1, |wish| wish.value);
        ByteCount(self.size.value.0.saturating_mul(concurrency.into()))
    }

    /// The largest sensible size below the present one, or the present one if it is the least.
    pub(super) fn next_smaller(&self) -> ByteCount {
        let mut size = self.unit;
        while size.0 * 2 < self.size.value.0 {
            size = ByteCount(size.0 * 2);
        }
        size.min(self.size.value)
    }

    /// Whether it could be lowered.
    pub(super) fn lower_size(&mut self) -> bool {
        let smaller = self.next_smaller();
        let lower = smaller < self.size.value;
        self.size.value = smaller;
        lower
    }
}
