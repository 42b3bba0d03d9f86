//! What rclone is asked to copy, from and to this machine.

use std::path::Path;

use copal_core::lookup::by_name;
use copal_core::memory::Sender;
use copal_rclone::{CopyFileRequest, CopyRequest, ErrorKind, ProofBy, RcloneError};

use super::RcloneRemote;
use crate::edge::copies::copy;
use crate::edge::rclone::ANSWER;
use crate::edge::remote::{Batch, RemoteError, Watch};
use crate::edge::shards::{Shard, divide, divide_by_number};

impl RcloneRemote {
    /// What rclone is asked to upload, some of it by other instances of the remote.
    pub(super) fn requests(&self, batches: &[Batch<'_>]) -> Result<Vec<CopyRequest>, RcloneError> {
        let mut shards = Vec::new();
        for batch in batches {
            let (source, destination) = (local(batch.local)?, self.dir(batch.remote));
            let parts = divide(self.backend(), batch, self.share.instances(batches.len()));
            let placed = |shard: Shard| (source.clone(), destination.clone(), batch.again, shard);
            shards.extend(parts.into_iter().map(placed));
        }
        let transfers = self
            .share
            .transfers(shards.iter().map(|(.., shard)| Sender {
                files: shard.names.len(),
                small: shard.instance > 0,
            }));
        let requests = shards.into_iter().zip(transfers);
        let requests =
            requests.map(
                |((source, destination, again, shard), transfers)| CopyRequest {
                    transfers: Some(transfers),
                    again,
                    anew: self.has_links.get(),
                    ..request(source, destination.instance(shard.instance), shard.names)
                },
            );
        Ok(requests.collect())
    }

    /// Downloads a batch, or what there is of it.
    pub(super) fn fetch(
        &self,
        batch: Batch<'_>,
        if_there: bool,
        watch: &mut Watch<'_>,
    ) -> Result<(), RemoteError> {
        let copied = local(batch.local).and_then(|destination| {
            let source = self.dir(batch.remote);
            let by_name = by_name(batch.names);
            let most = self.share.options.instances as usize;
            let shards = divide_by_number(self.backend(), batch.names, most);
            let transfers = self.share.downloads() / u32::try_from(shards.len()).unwrap_or(1);
            let requests = shards.into_iter().map(|shard| CopyRequest {
                again: batch.again,
                // Whoever downloads compares it with the manifest's SHA-256, which says more.
                proof: if if_there {
                    ProofBy::Rclone
                } else {
                    ProofBy::Caller
                },
                transfers: Some(transfers.max(1)),
                by_name,
                if_there,
                ..request(
                    source.instance(shard.instance),
                    destination.clone(),
                    shard.names,
                )
            });
            let requests: Vec<_> = requests.collect();
            self.workers
                .ask(|worker| copy(worker, requests.clone(), watch, &self.interrupt))
        });
        self.ended("download from", batch.remote, copied)
    }

    pub(super) fn copy_file(
        &self,
        (source, source_path): (copal_rclone::Remote, String),
        (destination, destination_path): (copal_rclone::Remote, String),
    ) -> Result<(), RcloneError> {
        let request = CopyFileRequest {
            source,
            source_path,
            destination,
            destination_path,
            again: true,
        };
        self.workers
            .ask(|worker| worker.copy_file(&request, ANSWER))
    }
}

pub(super) fn request(
    source: copal_rclone::Remote,
    destination: copal_rclone::Remote,
    files: Vec<String>,
) -> CopyRequest {
    CopyRequest {
        source,
        destination,
        files,
        again: false,
        proof: ProofBy::Rclone,
        anew: false,
        by_name: false,
        if_there: false,
        transfers: None,
        attempts: None,
    }
}

/// A local path as rclone takes it: absolute, since the worker's own directory is nobody's business.
pub(super) fn local(path: &Path) -> Result<copal_rclone::Remote, RcloneError> {
    let absolute = std::path::absolute(path).map_err(|error| unnamed(&error.to_string()))?;
    let Some(text) = absolute.to_str() else {
        return Err(unnamed(&format!("`{}` is not UTF-8", absolute.display())));
    };
    copal_rclone::Remote::local(text).map_err(RcloneError::Remote)
}

/// rclone can't be told of a local path.
fn unnamed(why: &str) -> RcloneError {
    RcloneError::Call {
        method: "local".to_owned(),
        kind: ErrorKind::BadRequest,
        message: format!("rclone can't name a local directory: {why}"),
    }
}

pub(super) fn split(file: &Path) -> (&Path, String) {
    let directory = file.parent().unwrap_or_else(|| Path::new("/"));
    (
        directory,
        file.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    )
}
