//! Copies that a remote makes of its own files: nothing of them passes through this machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

use copal_rclone::{CopyFileRequest, CopyRequest, Find, RcloneError, Remote, Worker};

use super::copies::copy;
use super::interrupt::Interrupt;
use super::rclone::ANSWER;
use super::remote::{Watch, Within};

/// rclone compares every name that it lists with every one that it is to leave alone. With more of
/// these than so many it is told the names to copy, and asks the remote for each.
const BESIDE: usize = 500;

/// Renamed files that are asked for at a time: each is a call of its own.
const AT_ONCE: usize = 8;

/// Copies files from one directory of a remote to another. Both have to be the same remote to the
/// letter of its parameters: rclone refuses others.
pub(super) fn copy_within(
    worker: &Worker,
    (from, to): (&Remote, &Remote),
    files: Within<'_>,
    watch: &mut Watch<'_>,
    interrupt: &Interrupt,
) -> Result<(), RcloneError> {
    if !files.same.is_empty() {
        let request = CopyRequest {
            source: from.clone(),
            destination: to.clone(),
            files: files.same.to_vec(),
            find: find(files),
            transfers: None,
            attempts: None,
        };
        copy(worker, vec![request], watch, interrupt)?;
    }
    copy_renamed(worker, (from, to), files.renamed, interrupt)
}

fn find(files: Within<'_>) -> Find {
    if files.beside.len() > BESIDE {
        return Find::ByName;
    }
    let beside = files.beside.to_vec();
    Find::ByListing { beside }
}

fn copy_renamed(
    worker: &Worker,
    (from, to): (&Remote, &Remote),
    names: &[(String, String)],
    interrupt: &Interrupt,
) -> Result<(), RcloneError> {
    let next = AtomicUsize::new(0);
    let take_turns = || {
        while let Some((there, here)) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            // The caller looks at the interrupt.
            if interrupt.signal().is_some() {
                return Ok(());
            }
            let request = CopyFileRequest {
                source: from.clone(),
                source_path: there.clone(),
                destination: to.clone(),
                destination_path: here.clone(),
            };
            worker.copy_file(&request, ANSWER)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers = AT_ONCE.min(names.len());
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(take_turns)).collect();
        let mut ended = running.into_iter().map(ScopedJoinHandle::join);
        ended.try_for_each(|one| one.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}
