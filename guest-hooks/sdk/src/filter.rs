//! Filters, and the unpacking of what they are asked.

use std::borrow::Cow;
use std::cell::RefCell;

use serde::de::DeserializeOwned;

use crate::bindings::filter::exports::copal::hooks::filter as wit;
use crate::{Error, config, panic};

pub use wit::Approach;

/// Called while the source is walked.
pub trait Filter: Sized + 'static {
    /// The hook's `config` table. One that does not fit is an error before [`start`](Self::start).
    type Config: DeserializeOwned;

    /// Makes the filter for one walk, and says how it wants to decide.
    fn start(config: Self::Config) -> Result<(Self, Approach), Error>;

    /// Decides about one path. Not called for a filter that decides by rules alone.
    fn decide(&mut self, entry: &Entry<'_>) -> Result<Verdict, Error> {
        let path = entry.path_lossy();
        Err(Error::Failed(format!(
            "asked about {path}, though this filter decides by rules alone"
        )))
    }
}

/// A path to decide about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Relative to the top of the source, without a slash at its end. Not always UTF-8.
    pub path: &'a [u8],
    /// What it is.
    pub kind: Kind,
    /// A file's size in bytes; 0 for others.
    pub size: u64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified: i64,
}

impl Entry<'_> {
    /// The path for people: what is not UTF-8 is replaced.
    pub fn path_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.path)
    }

    /// The last component of the path.
    pub fn name(&self) -> &[u8] {
        let slash = self.path.iter().rposition(|&byte| byte == b'/');
        slash.map_or(self.path, |slash| &self.path[slash + 1..])
    }
}

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Anything else: a socket, a device.
    Other,
}

/// A filter's word on one path. The numbers are those of `wit/filter.wit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// Leave it out; what is in a directory is still asked about.
    Skip = 0,
    /// Take it.
    Keep = 1,
    /// Leave it out with everything in it, which is not even walked.
    SkipSubtree = 2,
    /// Take it with everything in it, without asking about that.
    KeepSubtree = 3,
}

/// Where a filter lives between its calls.
pub type Session<F> = RefCell<Option<F>>;

/// What an exported `start` does.
pub fn start<F: Filter>(session: &Session<F>) -> Result<Approach, Error> {
    panic::log_panics();
    let (filter, approach) = F::start(config::read()?)?;
    *session.borrow_mut() = Some(filter);
    Ok(approach)
}

/// What an exported `decide` does.
#[expect(clippy::needless_pass_by_value, reason = "the shape of the export")]
pub fn decide<F: Filter>(session: &Session<F>, batch: wit::Batch) -> Result<Vec<u8>, Error> {
    let mut session = session.borrow_mut();
    let Some(filter) = session.as_mut() else {
        return Err(Error::Failed(
            "asked to decide before it was started".into(),
        ));
    };
    let mut verdicts = Vec::with_capacity(batch.ends.len());
    for entry in entries(&batch) {
        verdicts.push(filter.decide(&entry)? as u8);
    }
    Ok(verdicts)
}

/// The rows of a batch.
///
/// Panics where the columns contradict each other: that is a fault of the host.
fn entries(batch: &wit::Batch) -> impl Iterator<Item = Entry<'_>> {
    let mut start = 0;
    let columns = batch.ends.iter().zip(&batch.kinds);
    let columns = columns.zip(batch.sizes.iter().zip(&batch.mtimes));
    columns.map(move |((&end, &kind), (&size, &modified))| {
        let end = end as usize;
        let path = &batch.paths[start..end];
        start = end;
        let kind = match kind {
            0 => Kind::File,
            1 => Kind::Directory,
            2 => Kind::Symlink,
            _ => Kind::Other,
        };
        Entry {
            path,
            kind,
            size,
            modified,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_reads_back_as_the_rows_it_was_packed_from() {
        let batch = wit::Batch {
            paths: b"aa/bc\xff".to_vec(),
            ends: vec![1, 4, 6],
            kinds: vec![1, 0, 2],
            sizes: vec![0, 7, 0],
            mtimes: vec![1, -2, 3],
        };
        let rows: Vec<_> = entries(&batch).collect();
        assert_eq!(
            rows.iter().map(|row| row.path).collect::<Vec<_>>(),
            [&b"a"[..], b"a/b", b"c\xff"]
        );
        assert_eq!(rows[0].kind, Kind::Directory);
        assert_eq!((rows[1].size, rows[1].modified), (7, -2));
        assert_eq!(rows[1].name(), b"b");
    }
}
