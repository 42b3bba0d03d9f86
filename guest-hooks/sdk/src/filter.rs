//! Filters, and the unpacking of what they are asked.

use std::borrow::Cow;
use std::cell::RefCell;

use serde::de::DeserializeOwned;

use crate::bindings::filter::exports::copal::hooks::filter as wit;
use crate::{Error, config, panic};

pub use wit::Columns;

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

/// How a filter wants to decide.
#[derive(Debug, Clone)]
pub struct Approach(wit::Approach);

impl Approach {
    /// By these filter rules of rclone alone, in order: not one path crosses into the hook.
    pub fn rules<R: Into<String>>(rules: impl IntoIterator<Item = R>) -> Self {
        Self(wit::Approach {
            rules: rules.into_iter().map(Into::into).collect(),
            ask: None,
        })
    }

    /// By being asked about every path, with these columns beside it ([`Columns::empty`] for the
    /// path alone).
    pub fn ask(columns: Columns) -> Self {
        Self::both(Vec::<String>::new(), columns)
    }

    /// By these rules first, and by being asked about what they keep.
    pub fn both<R: Into<String>>(rules: impl IntoIterator<Item = R>, columns: Columns) -> Self {
        let Self(approach) = Self::rules(rules);
        Self(wit::Approach {
            ask: Some(columns),
            ..approach
        })
    }
}

/// A path to decide about, with the columns that the filter asked for.
///
/// To look at one that it did not ask for is a mistake of the hook's, and panics with its name.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Relative to the top of the source, without a slash at its end. Not always UTF-8.
    pub path: &'a [u8],
    row: usize,
    batch: &'a wit::Batch,
}

impl Entry<'_> {
    /// The path for people: what is not UTF-8 is replaced.
    pub fn path_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.path)
    }

    /// What it is. Wants [`Columns::KINDS`].
    pub fn kind(&self) -> Kind {
        let kinds = &self.batch.kinds;
        match kinds.get(self.row).unwrap_or_else(|| unasked("KINDS")) {
            0 => Kind::File,
            1 => Kind::Directory,
            2 => Kind::Symlink,
            _ => Kind::Other,
        }
    }

    /// A file's size in bytes; 0 for others. Wants [`Columns::SIZES`].
    pub fn size(&self) -> u64 {
        let bytes = number(&self.batch.sizes, self.row).unwrap_or_else(|| unasked("SIZES"));
        u64::from_le_bytes(bytes)
    }

    /// When it was modified, in nanoseconds since 1970. Wants [`Columns::MTIMES`].
    pub fn modified(&self) -> i64 {
        let bytes = number(&self.batch.mtimes, self.row).unwrap_or_else(|| unasked("MTIMES"));
        i64::from_le_bytes(bytes)
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
pub fn start<F: Filter>(session: &Session<F>) -> Result<wit::Approach, Error> {
    panic::log_panics();
    let (filter, Approach(approach)) = F::start(config::read()?)?;
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
    let mut verdicts = Vec::with_capacity(batch.count as usize);
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
    let (ends, _) = batch.ends.as_chunks::<4>();
    ends.iter().enumerate().map(move |(row, &end)| {
        let end = u32::from_le_bytes(end) as usize;
        let path = &batch.paths[start..end];
        start = end + 1; // behind the zero byte
        Entry { path, row, batch }
    })
}

/// The number of one row in a column of eight bytes each.
fn number(column: &[u8], row: usize) -> Option<[u8; 8]> {
    column.as_chunks::<8>().0.get(row).copied()
}

#[cold]
fn unasked(column: &str) -> ! {
    panic!(
        "this filter looks at a column that it did not ask for: add Columns::{column} to its Approach"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_reads_back_as_the_rows_it_was_packed_from() {
        let batch = wit::Batch {
            count: 3,
            paths: b"a\0a/b\0c\xff\0".to_vec(),
            ends: [1_u32, 5, 8].map(u32::to_le_bytes).concat(),
            kinds: vec![1, 0, 2],
            sizes: [0_u64, 7, 0].map(u64::to_le_bytes).concat(),
            mtimes: [1_i64, -2, 3].map(i64::to_le_bytes).concat(),
        };
        let rows: Vec<_> = entries(&batch).collect();
        assert_eq!(
            rows.iter().map(|row| row.path).collect::<Vec<_>>(),
            [&b"a"[..], b"a/b", b"c\xff"]
        );
        assert_eq!(rows[0].kind(), Kind::Directory);
        assert_eq!((rows[1].size(), rows[1].modified()), (7, -2));
        assert_eq!(rows[1].name(), b"b");
    }
}
