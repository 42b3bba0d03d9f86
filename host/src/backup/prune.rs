//! What a backup prunes: after the seal, and after everything that was held goes on.

use copal_core::shrunk::{Counted, shrunk};

use super::Backup;
use crate::edge::remote::Remote;
use crate::edges::Step;
use crate::error::CopalError;
use crate::outcome::Delivery;
use crate::prune::after_seal;
use crate::step::deliver::{Reached, SealedAt};
use crate::step::read::Read;
use crate::step::snapshots::Store;

impl Backup<'_> {
    /// That databases have lost most of their rows since the last snapshot, unless that is accepted.
    pub(super) fn shrunk(&self, read: &Read, reached: &[Reached]) -> Option<CopalError> {
        if self.allow.missing_databases {
            return None;
        }
        let ready = reached.iter().filter_map(|one| one.ready.as_ref().ok());
        let last = ready.filter_map(|ready| ready.last.as_ref());
        let last = last.max_by_key(|last| last.id)?;
        let files = read.files.iter();
        let counted = files.map(|file| Counted {
            path: &file.path,
            rows: &file.rows,
            size: file.digests.size,
        });
        let shrunk = shrunk(last, counted);
        (!shrunk.is_empty()).then_some(CopalError::Shrunk(shrunk))
    }

    /// Prunes each destination at which this run has sealed a snapshot. What fails is a shortcoming.
    pub(super) fn prune(&mut self, deliveries: &mut [Delivery], sealed: Vec<Option<SealedAt>>) {
        if self.job.config.retention().is_none() {
            return;
        }
        // With `mode = "hold"` the app has waited for the seal, and waits for nothing more.
        self.holds.let_go();
        self.run.edges.show.step(Step::Prune);
        for (delivery, sealed) in deliveries.iter_mut().zip(sealed) {
            let (Some(sealed), Ok(snapshot)) = (sealed, &mut delivery.result) else {
                continue;
            };
            let remote: &dyn Remote = &*sealed.remote;
            remote.take_charges(); // of the destination before
            let store = Store::new(remote, self.job.name());
            match after_seal(self.job, &store, &sealed.seal, self.run.edges) {
                Ok((pruned, errors)) => {
                    snapshot.pruned = Some(pruned);
                    self.run.shortcomings.extend(errors);
                }
                Err(error) => self.run.shortcomings.push(error),
            }
            let since = snapshot.charges.zip(remote.take_charges());
            snapshot.charges = since.map(|(before, since)| before + since);
        }
    }
}
