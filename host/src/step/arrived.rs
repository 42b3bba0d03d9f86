//! Arrived: what the destination has, against what was sent.

use std::collections::{HashMap, HashSet};

use copal_core::manifest::Entry;

use super::batches::Batches;
use super::compare::{Difference, compare};
use super::reuse::is_read_back;
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
        let (unread, is_read) = (self.reused.unread(&listed), is_read_back(&listed, by));
        let (mut differences, _) = compare(expected, listed);
        differences.extend(unread);
        if let Some(besides) = besides {
            // A mirror may have more than the run sent: what becomes of that is decided when it is sealed.
            differences.retain(|it| it.expected().is_some());
            self.besides = besides;
        }
        let prover = by.prover();
        // What has just been read and hashed here is not read a second time.
        if !differences.is_empty() || is_read || !prover.asks() {
            return Ok(differences);
        }
        let files = self.files.iter().map(|file| (file, false));
        let batches = Batches::of(&self.read.staged, self.place, files);
        Ok(prover.unlike(&self.place, &batches)?)
    }

    /// What is listed and not the run's, and is as it was before the run.
    fn besides(&self, listed: &[Listed]) -> HashSet<String> {
        let files = self.files.iter();
        let sent: HashSet<_> = files.map(|file| self.place.name(file)).collect();
        let before: HashMap<&str, &Listed> = self
            .before
            .iter()
            .map(|file| (file.path.as_str(), file))
            .collect();
        let is_as_before = |file: &&Listed| {
            let before = before.get(file.path.as_str());
            before.is_some_and(|before| is_unchanged(before, file))
        };
        let besides = listed
            .iter()
            .filter(|file| !sent.contains(file.path.as_str()));
        let unchanged = besides.filter(is_as_before);
        unchanged.map(|file| file.path.clone()).collect()
    }
}

/// As far as two listings tell, of which one may be without hashes.
fn is_unchanged(before: &Listed, now: &Listed) -> bool {
    let hashes = before.hash.as_ref().zip(now.hash.as_ref());
    before.size == now.size && hashes.is_none_or(|(before, now)| before == now)
}
