//! Claim: a snapshot's directory at a destination belongs to one run, wherever that runs.
//!
//! A lock holds on one machine. Two machines with the same job and destination, both woken by cron
//! at three, would choose the same id, and one would take the other's files for strangers. So a run
//! puts down a file that carries its id, looks, and withdraws if it is not alone.

use std::fs;

use copal_core::manifest::CLAIM;
use copal_core::snapshot::SnapshotId;

use super::seal::SealError;
use crate::edge::interrupt::Interrupt;
use crate::edge::remote::{Listed, Remote, RemoteError};
use crate::edge::staging::StagingDir;

/// A snapshot's directory that no other run writes to.
#[derive(Debug)]
pub struct Claim {
    /// The snapshot's id.
    pub id: SnapshotId,
    /// Its directory at the destination.
    pub dir: String,
    /// The file that says so, below that directory.
    pub file: String,
}

/// Claims the directory of `first`, or of the next id that is free.
pub fn claim(
    remote: &dyn Remote,
    name: &str,
    first: SnapshotId,
    run: &str,
    staging: &StagingDir,
    interrupt: &Interrupt,
) -> Result<Claim, SealError> {
    /// So many strangers in a row are no coincidence.
    const TRIES: usize = 20;
    let local = staging.seal().join(format!("run-{run}"));
    fs::write(&local, run).map_err(|source| SealError::Staging {
        path: local.clone(),
        source,
    })?;
    let ids = std::iter::successors(Some(first), |id| Some(id.next()));
    for id in ids.take(TRIES) {
        interrupt.check()?;
        let dir = format!("{name}/{id}");
        let claim = Claim {
            id,
            file: format!("{CLAIM}{run}"),
            dir,
        };
        remote.put(&local, &claim.path())?;
        let listed = remote.files(&claim.dir, false)?;
        let is_own = |file: &Listed| file.path == claim.file;
        // A listing without it shows nothing of others either.
        if listed.iter().any(is_own) && listed.iter().all(is_own) {
            return Ok(claim);
        }
        claim.withdraw(remote)?;
    }
    Err(SealError::NoFreeId(first))
}

impl Claim {
    fn path(&self) -> String {
        format!("{}/{}", self.dir, self.file)
    }

    /// Takes the file away: before the seal, or because another run was there first.
    pub fn withdraw(&self, remote: &dyn Remote) -> Result<(), RemoteError> {
        remote.delete(&self.path())
    }
}
