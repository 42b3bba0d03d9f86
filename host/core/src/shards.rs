//! Shards: calls that several instances of a remote share.

use std::slice::Chunks;

/// How many instances of a remote there may be, and what one more takes to be worth it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instances {
    /// As many at most; none where the remote itself does everything.
    pub most: usize,
    /// One more is worth its own sign-in from so many calls on.
    pub worth: usize,
}

impl Instances {
    /// How many share so many calls; none where these are for the remote itself.
    pub fn among(self, calls: usize) -> Option<usize> {
        let several = self.most > 0 && calls >= 2 * self.worth;
        several.then(|| self.share(calls))
    }

    fn share(self, calls: usize) -> usize {
        (calls / self.worth.max(1)).clamp(1, self.most.max(1))
    }

    /// Equal parts of what is sorted by path. Neighbours stay together: each instance lists the directories
    /// that it writes to.
    pub fn parts<T>(self, sorted: &[T]) -> Chunks<'_, T> {
        let share = self.share(sorted.len());
        sorted.chunks(sorted.len().div_ceil(share).max(1))
    }
}
