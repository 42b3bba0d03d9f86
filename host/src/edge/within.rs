//! Copies that a remote makes of its own files: nothing of them passes through this machine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

use copal_core::memory::{Sender, Share};
use copal_rclone::{CopyFileRequest, CopyRequest, ProofBy, RcloneError, Remote, Worker};

use super::copies::copy;
use super::interrupt::Interrupt;
use super::rclone::ANSWER;
use super::remote::{Watch, Within};
use super::shards::{divide_by_number, instances};

/// Renamed files that are asked for at a time by one instance of the remote: each is a call of its own.
const AT_ONCE: usize = 8;

/// Copies files from one directory of a remote to another.
pub(super) struct Copier<'a> {
    /// The directory that has them.
    pub(super) from: Remote,
    /// The one that is to have them. Both have to be the same remote to the letter of its parameters:
    /// rclone refuses others.
    pub(super) to: Remote,
    /// What kind of remote it is.
    pub(super) backend: &'a str,
    /// How many instances of it there may be, and how much each does at a time.
    pub(super) share: &'a Share,
    /// Asks for an end.
    pub(super) interrupt: &'a Interrupt,
}

impl Copier<'_> {
    pub(super) fn copy(
        &self,
        worker: &Worker,
        files: Within<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<(), RcloneError> {
        if !files.same.is_empty() {
            let requests = self.requests(files.same);
            copy(worker, requests, watch, self.interrupt)?;
        }
        self.copy_renamed(worker, files.renamed)
    }

    fn requests(&self, names: &[String]) -> Vec<CopyRequest> {
        let shards = divide_by_number(self.backend, names, self.share.instances(1));
        let senders = shards.iter().map(|shard| Sender {
            files: shard.names.len(),
            small: true,
        });
        let transfers = self.share.transfers(senders);
        let requests = shards.into_iter().zip(transfers);
        let requests = requests.map(|(shard, transfers)| CopyRequest {
            source: self.from.instance(shard.instance),
            destination: self.to.instance(shard.instance),
            transfers: (shard.instance > 0).then_some(transfers),
            files: shard.names,
            again: false,
            proof: ProofBy::Rclone,
            anew: false,
            by_name: false,
            if_there: false,
            attempts: None,
        });
        requests.collect()
    }

    fn copy_renamed(&self, worker: &Worker, names: &[(String, String)]) -> Result<(), RcloneError> {
        let instances = instances(self.backend, names.len(), self.share.instances(1));
        let next = AtomicUsize::new(0);
        let take_turns = |instance: usize| {
            let (from, to) = (self.from.instance(instance), self.to.instance(instance));
            while let Some((there, here)) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                // The caller looks at the interrupt.
                if self.interrupt.signal().is_some() {
                    return Ok(());
                }
                let request = CopyFileRequest {
                    source: from.clone(),
                    source_path: there.clone(),
                    destination: to.clone(),
                    destination_path: here.clone(),
                    again: false,
                };
                worker.copy_file(&request, ANSWER)?;
            }
            Ok(())
        };
        let take_turns = &take_turns;
        thread::scope(|scope| {
            let workers = (AT_ONCE * instances).min(names.len());
            let running: Vec<_> = (0..workers)
                .map(|nth| scope.spawn(move || take_turns(nth % instances)))
                .collect();
            let mut ended = running.into_iter().map(ScopedJoinHandle::join);
            ended.try_for_each(|one| one.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }
}
