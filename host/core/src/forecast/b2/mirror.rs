//! The calls that a run makes to bring a mirror up to date.

use std::collections::BTreeSet;

use super::{B2, Before, Directories, Expected, NEW, Tally, number, pages};
use crate::charges::Charges;
use crate::forecast::mirror::There;

/// What is sent to a folder.
pub(in crate::forecast) struct Sent<'a> {
    pub(in crate::forecast) files: &'a [Expected<'a>],
    /// Of each of these, whether it is there already.
    pub(in crate::forecast) kept: Vec<bool>,
    pub(in crate::forecast) there: There,
    /// Whether the folder is the destination itself.
    pub(in crate::forecast) is_whole: bool,
}

/// What else decides on the calls.
#[derive(Clone, Copy)]
pub(in crate::forecast) struct About {
    pub(in crate::forecast) before: Option<Before>,
    pub(in crate::forecast) above: u64,
    pub(in crate::forecast) deletions: u64,
}

impl B2 {
    pub(in crate::forecast) fn mirror_calls(&self, sent: &[Sent<'_>], about: About) -> Charges {
        // Folders that are sent to share the transfers, and so the places to upload to.
        let is_sent_to = |part: &&Sent<'_>| part.kept.iter().any(|kept| !kept);
        let folders = number(sent.iter().filter(is_sent_to).count()).max(1);
        let each = Self {
            transfers: self.transfers.div_ceil(folders),
            ..self.clone()
        };
        let parts = sent.iter().map(|part| each.part(part, about));
        parts.fold(self.around_mirror(about), |sum, part| sum + part)
    }

    /// Preflight, the checksums and the manifest, and what is deleted.
    fn around_mirror(&self, about: About) -> Charges {
        let encrypts = u64::from(self.encrypts);
        let last = u64::from(about.before.is_some());
        Charges {
            // The checksums and the manifest, and two places to upload to. Each file is looked for, and hidden.
            class_a: 4 + about.deletions,
            // The last manifest is looked for and read, both are looked for before they are replaced.
            class_b: 4 * last + about.deletions + 2 * encrypts,
            // Signing in and looking for the bucket, twice; what Copal has there; listings after the
            // checksums and the manifest. What is above has to be signed in to, too.
            class_c: 4 + 1 + 2 + 3 * about.above + 4 * encrypts,
        }
    }

    fn part(&self, part: &Sent<'_>, about: About) -> Charges {
        let mut tally = Tally {
            b2: self,
            files: part.files,
            charges: Charges::default(),
            signed_in: BTreeSet::new(),
        };
        let first_today = about.before.is_none_or(|before| !before.same_day);
        // It is listed before and after; and once a day what killed runs left in a folder is looked for.
        tally.charges.class_c += pages(part.there.files)
            + pages(number(part.files.len()))
            + u64::from(first_today && !part.is_whole);
        let before = Directories::of_paths(part.there.paths.iter());
        let having = |wanted: bool| {
            let files = part.files.iter().zip(&part.kept);
            let files = files.filter(move |(_, kept)| **kept == wanted);
            files.map(|(file, _)| *file).collect::<Vec<_>>()
        };
        let (kept, uploaded) = (having(true), having(false));
        let (made, live): (Vec<_>, Vec<_>) = uploaded.iter().partition(|file| file.made);
        for batch in [made, live] {
            tally.upload(&batch, &before);
        }
        for batch in [kept, uploaded] {
            tally.prove(&batch);
        }
        if part.is_whole {
            // The destination itself is signed in to already.
            tally.signed_in.remove(&(NEW, 0));
        }
        tally.charges.class_c += 2 * number(tally.signed_in.len());
        tally.charges
    }
}
