//! What a worker leaves half written at a remote when it dies.

use std::collections::HashSet;
use std::time::Duration;

use copal_rclone::{ListRequest, RcloneError, Remote, Worker};

use super::rclone::ANSWER;
use super::remote::Batch;

/// How the name of a file ends that rclone has not written whole yet.
const PARTIAL: &str = ".partial";

/// What rclone puts between a name and that: a dot, and a checksum of eight digits.
const CHECKSUM: usize = 9;

/// The longest last part of a name that stays whole when a file is not written whole yet, in bytes.
const WHOLE: usize = 100;

/// Removes it from the directories that were uploaded to: what bears the name of a file that was sent, and
/// no other, since a mirror's directories have others' files as well.
pub(super) fn tidy_after_death(
    worker: &Worker,
    remote: &Remote,
    batches: &[Batch<'_>],
) -> Result<(), RcloneError> {
    let mut tidied: Vec<&str> = Vec::new();
    for batch in batches {
        if batch.remote.is_empty() || tidied.contains(&batch.remote) {
            continue;
        }
        tidied.push(batch.remote);
        let directory = remote.join(batch.remote).as_directory();
        worker.end_unfinished(&directory, Duration::ZERO, ANSWER)?;
        let request = ListRequest {
            recursive: true,
            rules: vec![format!("+ *{PARTIAL}"), "- *".to_owned()],
            ..ListRequest::of(directory.clone())
        };
        let entries = match worker.list(&request, ANSWER) {
            Err(error) if is_no_directory(&error) => Vec::new(),
            listed => listed?,
        };
        let here = batches.iter().filter(|one| one.remote == batch.remote);
        let sent = Sent::of(here.flat_map(|one| one.names));
        for entry in entries {
            if !entry.is_dir && sent.has_begun(&entry.path) {
                worker.delete_file(&directory, &entry.path, ANSWER)?;
            }
        }
    }
    Ok(())
}

/// The names of files that were sent.
struct Sent<'a> {
    whole: HashSet<&'a str>,
    /// What is left of them in the name of one that is not written whole yet.
    begun: HashSet<&'a str>,
}

impl<'a> Sent<'a> {
    fn of(names: impl Iterator<Item = &'a String>) -> Self {
        let whole: HashSet<&str> = names.map(String::as_str).collect();
        let begun = whole.iter().copied().map(begun).collect();
        Self { whole, begun }
    }

    /// Whether this is what is there of one of them, and none of them itself.
    fn has_begun(&self, path: &str) -> bool {
        let stem = path.strip_suffix(PARTIAL).and_then(without_checksum);
        stem.is_some_and(|stem| self.begun.contains(stem)) && !self.whole.contains(path)
    }
}

/// What rclone leaves of a name to add a checksum and [`PARTIAL`] to: all of a short one, and of a long one
/// as much as keeps its length.
fn begun(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.len() <= WHOLE {
        return name;
    }
    &name[..name.floor_char_boundary(name.len() - CHECKSUM - PARTIAL.len())]
}

fn without_checksum(name: &str) -> Option<&str> {
    let (stem, digits) = name.rsplit_once('.')?;
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (digits.len() + 1 == CHECKSUM && digits.bytes().all(is_digit)).then_some(stem)
}

/// Whether the directory is not there; a missing key file, say, is another matter.
pub(super) fn is_no_directory(error: &RcloneError) -> bool {
    matches!(error, RcloneError::Call { message, .. } if message.contains("directory not found"))
}

#[cfg(test)]
#[path = "tidy_tests.rs"]
mod tests;
