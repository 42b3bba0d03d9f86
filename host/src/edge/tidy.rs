//! What a worker leaves half written at a remote when it dies.

use std::time::Duration;

use copal_rclone::{ListRequest, RcloneError, Remote, Worker};

use super::rclone::ANSWER;
use super::remote::Batch;

/// How the name of a file ends that rclone has not written whole yet.
const PARTIAL: &str = ".partial";

/// Removes it from the directories that were uploaded to, which are this run's alone.
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
        let is_sent = |path: &String| batches.iter().any(|one| one.names.contains(path));
        for entry in entries {
            if !entry.is_dir && entry.path.ends_with(PARTIAL) && !is_sent(&entry.path) {
                worker.delete_file(&directory, &entry.path, ANSWER)?;
            }
        }
    }
    Ok(())
}

/// Whether the directory is not there; a missing key file, say, is another matter.
pub(super) fn is_no_directory(error: &RcloneError) -> bool {
    matches!(error, RcloneError::Call { message, .. } if message.contains("directory not found"))
}
