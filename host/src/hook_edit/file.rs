//! The file that is edited: its line ends, its mode, its owner.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::Path;

/// `after` with the line ends of `before`, which a TOML document does not keep. A new line ends as the
/// one above it.
pub(super) fn with_line_ends_of(before: &str, after: &str) -> String {
    const CRLF: &str = "\r\n";
    let mut known: Vec<&str> = before.split_inclusive('\n').collect();
    let ends_so = |line: &str| line.ends_with(CRLF);
    let mut is_crlf = known.first().is_some_and(|line| ends_so(line));
    known.reverse();
    let mut text = String::with_capacity(before.len() + after.len());
    for line in after.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let is_it = |known: &&str| known.trim_end_matches(['\r', '\n']) == content;
        if let Some(at) = known.iter().rposition(is_it) {
            is_crlf = ends_so(known[at]);
            known.truncate(at);
        }
        text.push_str(content);
        if line.ends_with('\n') {
            text.push_str(if is_crlf { CRLF } else { "\n" });
        }
    }
    text
}

/// Writes a file anew: beside its place, then into it, with the mode and the owner it had. A link is
/// followed. Where that can't be done, the file stays as it was.
pub fn rewrite(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let was = fs::metadata(&path)?;
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::Builder::new()
        .prefix(".copal-")
        .tempfile_in(directory)?;
    beside.write_all(text.as_bytes())?;
    let is = beside.as_file().metadata()?;
    if (is.uid(), is.gid()) != (was.uid(), was.gid()) {
        fchown(beside.as_file(), Some(was.uid()), Some(was.gid())).map_err(|error| {
            io::Error::new(error.kind(), format!("its owner can't be kept: {error}"))
        })?;
    }
    beside.as_file().set_permissions(was.permissions())?;
    beside.as_file().sync_all()?;
    beside.persist(&path)?;
    Ok(())
}
