//! The frames of a database's write-ahead log: how large the database is with them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use copal_core::path::RelPath;
use copal_core::sqlite::log::{FRAME, HEADER, Log};
use copal_core::units::ByteCount;

use super::beneath::Beneath;
use super::top::Top;

/// A log of more frames is not read through: it takes long, and is an estimate.
const MOST: usize = 200_000;

/// The size of a database after the last transaction in its log; none where it has none, or it can't be read
/// now. The log alone is opened: SQLite's locks are on other files.
pub fn size_by_log(source: &Top, database: &RelPath) -> Option<ByteCount> {
    let path = database.with_suffix("-wal");
    let file = Beneath::of(source, &path).open_regular().ok()?;
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, 0).ok()?;
    let log = Log::of(&header)?;
    let frames = (0..).map(|n| frame(&file, HEADER as u64 + n * log.step()));
    let frames = frames.take(MOST);
    let whole = frames.map_while(Result::transpose);
    log.database(whole).ok()?
}

/// None at the end.
fn frame(file: &File, at: u64) -> io::Result<Option<[u8; FRAME]>> {
    let mut frame = [0; FRAME];
    match file.read_exact_at(&mut frame, at) {
        Ok(()) => Ok(Some(frame)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
