//! How large a database is by its write-ahead log (<https://www.sqlite.org/fileformat2.html#the_write_ahead_log>).

use crate::units::ByteCount;

/// The length of a log's header.
pub const HEADER: usize = 32;
/// The length of what precedes each page in it.
pub const FRAME: usize = 24;

/// A log that was begun, and which of its frames are of this time and not of an earlier one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Log {
    page_size: u32,
    salts: [u8; 8],
}

impl Log {
    /// By its header; none for what is no log.
    pub fn of(header: &[u8; HEADER]) -> Option<Self> {
        let page_size = number(header, 8);
        let is_log = matches!(number(header, 0), 0x377f_0682 | 0x377f_0683);
        let is_size = page_size.is_power_of_two() && (512..=65536).contains(&page_size);
        let salts = header[16..24].try_into().expect("these are eight bytes");
        (is_log && is_size).then_some(Self { page_size, salts })
    }

    /// How far one frame is from the next.
    pub fn step(self) -> u64 {
        FRAME as u64 + u64::from(self.page_size)
    }

    /// The size of the database after the last transaction in it, by the headers of its frames. None where
    /// there is none. Checksums are not looked at: it is an estimate.
    pub fn database<E>(
        self,
        frames: impl Iterator<Item = Result<[u8; FRAME], E>>,
    ) -> Result<Option<ByteCount>, E> {
        let mut pages = None;
        for frame in frames {
            let frame = frame?;
            if frame[8..16] != self.salts {
                break;
            }
            pages = Some(number(&frame, 4)).filter(|pages| *pages > 0).or(pages);
        }
        Ok(pages.map(|pages| ByteCount(u64::from(pages) * u64::from(self.page_size))))
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes[at..at + 4].try_into().expect("these are four bytes");
    u32::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn header(page_size: u32) -> [u8; HEADER] {
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&0x377f_0682_u32.to_be_bytes());
        header[8..12].copy_from_slice(&page_size.to_be_bytes());
        header[16..24].copy_from_slice(b"saltsalt");
        header
    }

    fn size(frames: &[(u32, &[u8; 8])]) -> Option<u64> {
        let frames = frames.iter().map(|(pages, salts)| {
            let mut frame = [0; FRAME];
            frame[4..8].copy_from_slice(&pages.to_be_bytes());
            frame[8..16].copy_from_slice(*salts);
            Ok::<_, Infallible>(frame)
        });
        let log = Log::of(&header(4096)).unwrap();
        log.database(frames).unwrap().map(|size| size.0)
    }

    #[test]
    fn a_database_is_as_large_as_its_last_transaction_left_it() {
        assert_eq!(size(&[]), None);
        assert_eq!(size(&[(0, b"saltsalt")]), None);
        let (own, old) = (b"saltsalt", b"earlier!");
        assert_eq!(
            size(&[(0, own), (3, own), (0, own), (2, own), (0, own)]),
            Some(8192)
        );
        assert_eq!(size(&[(3, own), (9, old), (9, own)]), Some(12288));
    }

    #[test]
    fn what_is_no_log_tells_nothing() {
        assert_eq!(Log::of(&[0; HEADER]), None);
        assert_eq!(Log::of(&header(1000)), None);
        assert_eq!(Log::of(&header(65536)).unwrap().step(), 65560);
    }
}
