//! What is in a snapshot.

use std::fmt::Write as _;

use copal_core::manifest::{Entry, EntryKind};
use copal_core::text::second;

use super::Output;
use crate::error::CopalError;

/// Prints entries in the manner of `ls -l`.
pub fn print(entries: &[Entry], output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(&entries);
    }
    let mut text = String::new();
    for entry in entries {
        let (kind, size, more) = match &entry.kind {
            EntryKind::Directory => ('d', String::new(), "/".to_owned()),
            EntryKind::Symlink { target } => ('l', String::new(), format!(" -> {target}")),
            EntryKind::File(file) => ('-', file.size.to_string(), String::new()),
        };
        let attributes = entry.attributes;
        writeln!(
            text,
            "{kind}{:04o} {:>6} {:>6} {size:>11} {} {}{more}",
            attributes.mode.bits(),
            attributes.uid,
            attributes.gid,
            second(attributes.mtime),
            entry.path,
        )
        .expect("a String takes every write");
    }
    super::result(&text)
}
