//! Deliver: one destination claims, receives and seals the snapshot, or keeps nothing of it.

use std::time::Duration;

use copal_core::config::Proof;
use copal_core::manifest::{COPAL_DIR, MANIFEST};
use copal_core::snapshot::SnapshotId;
use copal_hooks::Cancel;
use jiff::Timestamp;

use super::claim::{Claim, claim};
use super::preflight::{self, Ready};
use super::prove::Prover;
use super::read::Read;
use super::seal::{Circumstances, SealError, sum_up};
use super::transfer::{Transfer, transfer};
use crate::edge::durable::write_down;
use crate::edge::remote::{Remote, RemoteError};
use crate::edge::walk::walk;
use crate::edges::{Edges, Step, Total};
use crate::error::CopalError;
use crate::filters::Filters;
use crate::hooks::Hooks;
use crate::job::Job;
use crate::outcome::{Delivery, LeftBehind, Snapshot};

/// A destination that was asked.
pub struct Reached {
    /// Its name, secrets masked.
    pub shown: String,
    /// How it is proven there that a snapshot arrived.
    pub proof: Proof,
    /// What it answered.
    pub ready: Result<Ready, CopalError>,
}

/// What is delivered, and by which run.
pub struct Parcel<'a> {
    /// The job.
    pub job: &'a Job,
    /// The run's id.
    pub run: &'a str,
    /// When the run began.
    pub started: Timestamp,
    /// What is staged and read.
    pub read: &'a Read,
    /// The job's hooks: filters look at what moves under the transfer.
    pub hooks: &'a Hooks,
    /// The world around it.
    pub edges: &'a Edges<'a>,
}

impl Parcel<'_> {
    /// Claims a directory, transfers and seals. What an attempt that fails left there is removed.
    pub fn deliver(&self, reached: Reached) -> Delivery {
        let (destination, proof) = (reached.shown, reached.proof);
        let mut left_behind = None;
        let result = reached.ready.and_then(|ready| {
            self.edges.interrupt.check()?;
            let (remote, interrupt) = (&*ready.remote, self.edges.interrupt);
            remote.take_charges(); // of a destination that failed
            let first = preflight::choose_id(self.started, &ready.started);
            let (name, staging) = (self.job.name(), &self.read.staged.staging);
            let claim = claim(remote, name, first, self.run, staging, interrupt)?;
            let sealed = self.transfer_and_seal(&ready, &claim, proof);
            let day = |id: SnapshotId| id.to_string().chars().take(10).collect::<String>();
            let last = ready.last.as_ref().map(|last| day(last.id));
            match &sealed {
                // It is charged, and once a day is often enough.
                Ok(snapshot) if last == Some(day(snapshot.id)) => {}
                // Of runs that were killed: whatever takes so long belongs to none that lives.
                Ok(_) => {
                    if let Err(error) = remote.end_unfinished(name, LONG_AGO) {
                        tracing::warn!("what killed runs left unfinished is still there: {error}");
                    }
                }
                // Claimed, so all in it is this run's.
                Err(_) => {
                    let removed = remove_attempt(remote, &claim.dir);
                    left_behind = removed.err().map(|error| LeftBehind {
                        dir: claim.dir.clone(),
                        error,
                    });
                }
            }
            let charges = ready.charges.zip(remote.take_charges());
            let charges = charges.map(|(before, since)| before + since);
            let mended = remote.mended();
            sealed.map(|snapshot| Snapshot {
                terms: Some(ready.terms.clone()),
                charges,
                mended,
                ..snapshot
            })
        });
        Delivery {
            destination,
            result,
            left_behind,
        }
    }

    fn transfer_and_seal(
        &self,
        ready: &Ready,
        claim: &Claim,
        proof: Proof,
    ) -> Result<Snapshot, CopalError> {
        let Edges {
            show,
            interrupt,
            state,
            ..
        } = *self.edges;
        let total = Total {
            files: self.read.files.len() as u64,
            bytes: self.read.bytes(),
        };
        show.step(Step::Transfer);
        let never = self.job.never(state);
        let mut walk_again = || {
            let mut filter = Filters::start(self.hooks, &Cancel::from(interrupt.flag()))?;
            Ok(walk(&self.read.staged.source, &never, &mut filter, interrupt)?.kept)
        };
        let by = Transfer {
            remote: &*ready.remote,
            abilities: &ready.abilities,
            wanted: ready.abilities.wanted(),
            proof,
            max_transfer: self.job.config.limits().max_transfer,
            last: ready.last.as_ref(),
            walk_again: &mut walk_again,
            watch: &mut |done| show.transfer(done, total),
            interrupt,
        };
        let transferred = transfer(self.read, claim, by)?;

        show.step(Step::Seal);
        let circumstances = Circumstances {
            name: self.job.name().to_owned(),
            run: self.run.to_owned(),
            started: self.started,
            source: self.read.staged.source.display().to_string(),
            hooks: self.hooks.records(),
        };
        let by = Prover {
            remote: &*ready.remote,
            abilities: &ready.abilities,
            proof,
            interrupt,
        };
        let unsealed = sum_up(transferred, circumstances, by)?;
        // A manifest that outlives what it lists, in a power failure, would be a snapshot that is none.
        write_down(&ready.abilities.local_roots).map_err(SealError::from)?;
        let lasted = self.read.lasted()?;
        let sealed = unsealed.seal(lasted, by)?;
        write_down(&ready.abilities.local_roots).map_err(SealError::from)?;
        Ok(sealed.into())
    }
}

/// When an upload was begun that no run can still be at.
const LONG_AGO: Duration = Duration::from_hours(7 * 24);

/// The manifest first: from then on, whatever else remains, there is no snapshot. Before that, while a
/// signal's patience lasts, what nobody would see and everybody pays for.
fn remove_attempt(remote: &dyn Remote, dir: &str) -> Result<(), RemoteError> {
    let ended = remote.end_unfinished(dir, Duration::ZERO);
    if !remote
        .files(&format!("{dir}/{COPAL_DIR}"), false)?
        .is_empty()
    {
        remote.delete(&format!("{dir}/{MANIFEST}"))?;
    }
    remote.purge(dir).and(ended)
}
