//! What a file holds: pieces in memory or on the disk, shared by all versions that are copies.

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use sha1::{Digest, Sha1};

#[derive(Clone, Debug)]
enum Piece {
    Memory(Bytes),
    Disk {
        file: Arc<File>,
        start: u64,
        length: u64,
    },
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Disk { length, .. } => *length,
        }
    }

    fn slice(&self, range: Range<u64>) -> Self {
        match self {
            Self::Memory(bytes) => Self::Memory(bytes.slice(index(range.start)..index(range.end))),
            Self::Disk { file, start, .. } => Self::Disk {
                file: Arc::clone(file),
                start: start + range.start,
                length: range.end - range.start,
            },
        }
    }

    fn read(&self, from: u64, length: usize) -> io::Result<Bytes> {
        match self {
            Self::Memory(bytes) => Ok(bytes.slice(index(from)..index(from) + length)),
            Self::Disk { file, start, .. } => {
                let mut buffer = vec![0; length];
                file.read_exact_at(&mut buffer, start + from)?;
                Ok(buffer.into())
            }
        }
    }
}

/// Some bytes, wherever they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pieces: Vec<Piece>,
    length: u64,
}

impl Content {
    pub(crate) fn in_memory(bytes: Bytes) -> Self {
        let length = bytes.len() as u64;
        let pieces = vec![Piece::Memory(bytes)];
        Self { pieces, length }
    }

    pub(crate) fn on_disk(file: File, length: u64) -> Self {
        let piece = Piece::Disk {
            file: Arc::new(file),
            start: 0,
            length,
        };
        Self {
            pieces: vec![piece],
            length,
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    pub(crate) fn append(&mut self, other: &Self) {
        self.pieces.extend(other.pieces.iter().cloned());
        self.length += other.length;
    }

    /// A part of it, which shares its bytes.
    pub(crate) fn slice(&self, range: &Range<u64>) -> Self {
        let mut sliced = Self::default();
        let mut start = 0;
        for piece in &self.pieces {
            let end = start + piece.len();
            let (from, to) = (range.start.max(start), range.end.min(end));
            if from < to {
                sliced.pieces.push(piece.slice(from - start..to - start));
                sliced.length += to - from;
            }
            start = end;
        }
        sliced
    }

    /// The next bytes from a place on, at most `most`; none at the end.
    pub(crate) fn read(&self, from: u64, most: usize) -> io::Result<Bytes> {
        let mut start = 0;
        for piece in &self.pieces {
            let end = start + piece.len();
            if from < end {
                let length = most.min(usize::try_from(end - from).unwrap_or(most));
                return piece.read(from - start, length);
            }
            start = end;
        }
        Ok(Bytes::new())
    }

    pub(crate) fn chunks(&self) -> impl Iterator<Item = io::Result<Bytes>> {
        const CHUNK: usize = 1 << 16;
        let mut at = 0;
        std::iter::from_fn(move || {
            if at >= self.length {
                return None;
            }
            let chunk = self.read(at, CHUNK);
            at = chunk.as_ref().map_or(self.length, |c| at + c.len() as u64);
            Some(chunk)
        })
    }

    pub(crate) fn to_vec(&self) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        for chunk in self.chunks() {
            all.extend_from_slice(&chunk?);
        }
        Ok(all)
    }

    pub(crate) fn sha1(&self) -> io::Result<String> {
        let mut hasher = Sha1::new();
        for chunk in self.chunks() {
            hasher.update(chunk?);
        }
        Ok(hex(&hasher.finalize()))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes any text");
    }
    text
}

fn index(at: u64) -> usize {
    usize::try_from(at).expect("it lies within what memory holds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_over_pieces_reads_as_the_whole_would() {
        let mut content = Content::in_memory(Bytes::from_static(b"one "));
        content.append(&Content::in_memory(Bytes::from_static(b"two ")));
        content.append(&Content::in_memory(Bytes::from_static(b"three")));
        let slice = content.slice(&(2..10));
        assert_eq!(slice.to_vec().expect("memory"), b"e two th");
        assert_eq!(slice.len(), 8);
        assert_eq!(content.slice(&(4..4)).len(), 0);
    }
}
