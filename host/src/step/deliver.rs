//! Deliver: one destination claims, receives and seals the snapshot, or keeps nothing of it; or a mirror
//! follows the source.

use std::collections::BTreeMap;
use std::time::Duration;

use copal_core::config::{Layout, Proof};
use copal_core::manifest::{COPAL_DIR, MANIFEST, Totals};
use copal_core::mirror::Mirror;
use copal_core::mounts::Disk;
use copal_core::path::RelPath;
use copal_core::snapshot::SnapshotId;
use copal_hooks::Cancel;
use jiff::Timestamp;

use super::claim::claim;
use super::files::StagedFile;
use super::mirror::{Decided, Deleting};
use super::place::Place;
use super::preflight::{self, Ready};
use super::prove::Prover;
use super::read::Read;
use super::seal::{Circumstances, Seal, SealError, Sealed, sum_up};
use super::transfer::{Transfer, transfer};
use crate::edge::durable::write_down;
use crate::edge::remote::{Remote, RemoteError};
use crate::edge::walk::walk;
use crate::edges::{Edges, Step, Total};
use crate::error::CopalError;
use crate::filters::Filters;
use crate::hooks::Hooks;
use crate::job::Job;
use crate::outcome::{Delivery, LeftBehind, Mirrored, Snapshot};

/// A destination that was asked.
pub struct Reached {
    /// Its name, secrets masked.
    pub shown: String,
    /// How it is laid out.
    pub layout: Layout,
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
    /// Whether the owner said that files may be gone.
    pub accept_missing: bool,
}

/// What there is to tell of a delivery beside what it came to.
#[derive(Default)]
struct Beside {
    left_behind: Option<LeftBehind>,
    fell_short: Option<CopalError>,
    /// That it is sealed, where it is a snapshot.
    seal: Option<Seal>,
}

/// A destination at which a snapshot was sealed.
pub struct SealedAt {
    /// The destination.
    pub remote: Box<dyn Remote>,
    /// That it is sealed there.
    pub seal: Seal,
}

impl Parcel<'_> {
    /// Sends what belongs to a destination, proves that it arrived, and seals it.
    pub fn deliver(&self, reached: Reached) -> (Delivery, Option<SealedAt>) {
        let (destination, proof) = (reached.shown, reached.proof);
        let (mut beside, mut sealed_at) = (Beside::default(), None);
        let result = reached.ready.and_then(|ready| {
            self.edges.interrupt.check()?;
            ready.remote.take_charges(); // of a destination that failed
            let id = preflight::choose_id(self.started, &ready.started);
            let sealed = match &reached.layout {
                Layout::Snapshots => self.snapshot(&ready, id, proof, &mut beside),
                Layout::Mirror(mirror) => self.mirror(&ready, (mirror, id), proof, &mut beside),
            };
            let charges = ready.charges.zip(ready.remote.take_charges());
            let charges = charges.map(|(before, since)| before + since);
            let mended = ready.remote.mended();
            let (snapshot, remote) = (sealed?, ready.remote);
            let seal = beside.seal.take();
            sealed_at = seal.map(|seal| SealedAt { remote, seal });
            Ok(Snapshot {
                terms: Some(ready.terms),
                charges,
                mended,
                ..snapshot
            })
        });
        let delivery = Delivery {
            destination,
            result,
            left_behind: beside.left_behind,
            fell_short: beside.fell_short,
        };
        (delivery, sealed_at)
    }

    /// Claims a directory, transfers and seals. What an attempt that fails left there is removed.
    fn snapshot(
        &self,
        ready: &Ready,
        first: SnapshotId,
        proof: Proof,
        beside: &mut Beside,
    ) -> Result<Snapshot, CopalError> {
        let (remote, interrupt) = (&*ready.remote, self.edges.interrupt);
        let (name, staging) = (self.job.name(), &self.read.staged.staging);
        let claim = claim(remote, name, first, self.run, staging, interrupt)?;
        let sealed = self.transfer_and_seal(ready, Place::Snapshot(&claim), (proof, None));
        let sealed = sealed.map(|(sealed, _)| sealed);
        if let Ok(sealed) = &sealed {
            let last = ready.last.as_ref().map(|last| last.id);
            let damaged = Some(&sealed.last_damaged).filter(|files| !files.is_empty());
            let damaged = last.zip(damaged);
            beside.fell_short = damaged.map(|(id, files)| CopalError::LastDamaged {
                id,
                files: files.clone(),
            });
            end_long_unfinished(ready, sealed.seal().id(), &[name]);
            beside.seal = Some(sealed.seal());
        } else {
            // Claimed, so all in it is this run's.
            let removed = remove_attempt(remote, &claim.dir);
            beside.left_behind = removed.err().map(|error| LeftBehind {
                dir: claim.dir.clone(),
                error,
            });
        }
        Ok(sealed?.into())
    }

    /// Brings a mirror to the source's state; deletes last, when all the rest is proven and written down. A
    /// run that fails leaves each file there as it was or as it is now.
    fn mirror(
        &self,
        ready: &Ready,
        (mirror, id): (&Mirror, SnapshotId),
        proof: Proof,
        beside: &mut Beside,
    ) -> Result<Snapshot, CopalError> {
        let place = Place::Mirror(&mirror.map, id);
        let by = Deleting {
            remote: &*ready.remote,
            mirror,
            last: ready.last.as_ref(),
            hooks: self.hooks,
            accept_missing: self.accept_missing,
            is_unlisted: ready.is_unlisted,
            interrupt: self.edges.interrupt,
        };
        let sealed = self.transfer_and_seal(ready, place, (proof, Some(&by)));
        if sealed.is_err() {
            end_own_unfinished(ready, mirror);
        }
        let (sealed, decided) = sealed?;
        let (mirrored, fell_short) = decided.delete(&by, &self.read.staged);
        beside.fell_short = fell_short;
        if !mirror.map.is_whole() {
            end_long_unfinished(ready, id, &mirror.map.folders());
        }
        let unmapped = self.total(|file| !place.takes(&file.path, file.taken));
        Ok(Snapshot {
            mirror: Some(Mirrored {
                unmapped,
                ..mirrored
            }),
            ..sealed.into()
        })
    }

    fn total(&self, which: impl Fn(&StagedFile) -> bool) -> Totals {
        let files = self.read.files.iter().filter(|file| which(file));
        files.fold(Totals::default(), |sum, file| Totals {
            files: sum.files + 1,
            bytes: sum.bytes + file.digests.size,
        })
    }

    /// Where file systems are mounted in what goes there, with those that are missing: these are told until
    /// they are back, or the owner accepts it.
    fn disks(&self, ready: &Ready, place: Place<'_>) -> BTreeMap<RelPath, Disk> {
        let mounted = self.read.staged.tops.disks();
        let missing = ready.unmounted.iter().map(|lost| {
            let disk = Disk {
                is: lost.is,
                shows: lost.shows.clone(),
                missing_since: Some(lost.had),
            };
            (&lost.path, disk)
        });
        let all = mounted.chain(missing);
        all.filter(|(path, _)| place.map().is_none_or(|map| map.leads_through(path)))
            .map(|(path, disk)| (path.clone(), disk))
            .collect()
    }

    fn transfer_and_seal(
        &self,
        ready: &Ready,
        place: Place<'_>,
        (proof, deleting): (Proof, Option<&Deleting<'_>>),
    ) -> Result<(Sealed, Decided), CopalError> {
        let Edges {
            show,
            interrupt,
            state,
            ..
        } = *self.edges;
        let Totals { files, bytes } = self.total(|file| place.takes(&file.path, file.taken));
        let total = Total { files, bytes };
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
            deleting,
            walk_again: &mut walk_again,
            watch: &mut |done| show.transfer(done, total),
            interrupt,
        };
        let transferred = transfer(self.read, place, by)?;
        // Before the manifest is written, as it says if nothing may be deleted: the next run has to know.
        let decided = deleting.map(|by| transferred.decide(by));
        let decided = decided.unwrap_or_default();

        show.step(Step::Seal);
        let circumstances = Circumstances {
            name: self.job.name().to_owned(),
            run: self.run.to_owned(),
            started: self.started,
            source: self.read.staged.source.display().to_string(),
            disks: self.disks(ready, place),
            hooks: self.hooks.records(),
            there_when_refused: decided.there_when_refused,
            unaccounted: decided.unaccounted,
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
        Ok((sealed, decided))
    }
}

/// Of runs that were killed: whatever takes so long belongs to none that lives. It is charged, and once a
/// day is often enough.
fn end_long_unfinished(ready: &Ready, id: SnapshotId, dirs: &[&str]) {
    if ready
        .last
        .as_ref()
        .is_some_and(|last| last.id.is_same_day(id))
    {
        return;
    }
    for dir in dirs {
        if let Err(error) = ready.remote.end_unfinished(dir, LONG_AGO) {
            tracing::warn!("what killed runs left unfinished is still there: {error}");
        }
    }
}

/// What a run that failed began in a mirror's folders: nobody sees it, and everybody pays for it. Below a
/// whole destination it may be somebody else's that is at it just now.
fn end_own_unfinished(ready: &Ready, mirror: &Mirror) {
    if mirror.map.is_whole() {
        return;
    }
    for folder in mirror.map.folders() {
        if let Err(error) = ready.remote.end_unfinished(folder, Duration::ZERO) {
            tracing::warn!("uploads that were not finished may still be there: {error}");
        }
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
