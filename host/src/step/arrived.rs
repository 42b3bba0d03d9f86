//! Arrived: what the destination has, against what was sent.

use std::collections::HashSet;

use copal_core::manifest::Entry;

use super::batches::Batches;
use super::compare::{Difference, compare};
use super::transfer::{Transfer, TransferError, Transferred};
use crate::edge::remote::Listed;

impl Transferred<'_> {
    /// What the remote's listing shows that should not be so: by size, and by hash where the remote
    /// knows it, or where it is a folder of this machine, which has no hash of its own to go by.
    pub(super) fn differences(
        &mut self,
        by: &Transfer<'_>,
    ) -> Result<Vec<Difference>, TransferError> {
        by.interrupt.check()?;
        let listed = self.place.list(by.remote, by.abilities.tells_hashes())?;
        let entries = self.files.iter().map(|file| self.place.entry(file));
        let entries: Vec<Entry> = entries.collect();
        let expected =
            self.files.iter().zip(&entries).filter_map(|(file, entry)| {
                Some((self.place.name(file).into_owned(), entry.file()?))
            });
        let besides = self.place.map().map(|_| self.besides(&listed));
        let (mut differences, _) = compare(expected, listed);
        if let Some(besides) = besides {
            // A mirror may have more than the run sent: what becomes of that is decided when it is sealed.
            differences.retain(|it| it.expected().is_some());
            self.besides = besides;
        }
        let prover = by.prover();
        if !differences.is_empty() || !prover.asks() {
            return Ok(differences);
        }
        let files = self.files.iter().map(|file| (file, false));
        let batches = Batches::of(&self.read.staged, self.place, files);
        Ok(prover.unlike(&self.place, &batches)?)
    }

    /// What is listed and not the run's.
    fn besides(&self, listed: &[Listed]) -> HashSet<String> {
        let files = self.files.iter();
        let sent: HashSet<_> = files.map(|file| self.place.name(file)).collect();
        let names = listed.iter().map(|file| &file.path);
        let besides = names.filter(|name| !sent.contains(name.as_str()));
        besides.cloned().collect()
    }
}
