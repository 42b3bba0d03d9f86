//! Portions: where a destination tells no hash of what arrived, nothing shows what rclone read by a live
//! file's path. So such files go there from private copies that were hashed as they are, so many at a time
//! that they take little room.

use copal_core::units::ByteCount;

use super::batches::Batches;
use super::files::Content;
use super::stage::in_staging;
use super::transfer::{Transfer, TransferError, Transferred};
use crate::edge::remote::Progress;

/// The copies that lie in the staging directory at a time, the last of them left aside.
const PORTION: ByteCount = ByteCount(1 << 30);

/// The most room that the copies of files of these sizes take at a time.
pub(super) fn most(sizes: impl Iterator<Item = ByteCount>) -> ByteCount {
    let (mut all, mut largest) = (ByteCount::ZERO, ByteCount::ZERO);
    for size in sizes {
        all += size;
        largest = largest.max(size);
    }
    all.min(PORTION + largest)
}

impl Transferred<'_> {
    /// Sends these files, which are live, from copies. One that is gone, for a moment perhaps, is for the
    /// next round.
    pub(super) fn send_copies(
        &mut self,
        by: &mut Transfer<'_>,
        live: Vec<usize>,
        (again, mut sent): (bool, Progress),
    ) -> Result<(), TransferError> {
        let (mut portion, mut size) = (Vec::new(), ByteCount::ZERO);
        let mut live = live.into_iter().peekable();
        while let Some(index) = live.next() {
            let file = &self.files[index];
            let (path, stored) = (file.path.clone(), file.stored.clone());
            let staged = &self.read.staged;
            match staged.take_copy(&path, &stored, by.wanted, by.interrupt)? {
                Some(copy) => {
                    if copy.digests != file.digests {
                        self.moved.push(path);
                    }
                    size += copy.digests.size;
                    self.files[index] = copy;
                    portion.push(index);
                }
                None => self.missed.push(path),
            }
            if size >= PORTION || live.peek().is_none() {
                self.send_portion(by, &portion, (again, sent))?;
                sent.files += portion.len() as u64;
                sent.bytes += size;
                portion.clear();
                size = ByteCount::ZERO;
            }
        }
        Ok(())
    }

    /// What arrived is proven while there is something to prove it by.
    fn send_portion(
        &mut self,
        by: &mut Transfer<'_>,
        portion: &[usize],
        (again, before): (bool, Progress),
    ) -> Result<(), TransferError> {
        if portion.is_empty() {
            return Ok(());
        }
        self.upload(by, portion, again, before)?;
        let prover = by.prover();
        if prover.asks() {
            let files = portion.iter().map(|&index| (&self.files[index], false));
            let batches = Batches::of(&self.read.staged, self.place, files);
            let differences = prover.unlike(&self.place, &batches)?;
            if !differences.is_empty() {
                return Err(TransferError::Mismatch(differences));
            }
        }
        for &index in portion {
            let file = &mut self.files[index];
            let copy = self.read.staged.staging.artifacts().join(&file.stored);
            std::fs::remove_file(&copy).map_err(in_staging(&copy))?;
            file.content = Content::Sent;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_take_a_portion_and_one_file_more_at_most() {
        let most = |sizes: &[u64]| {
            most(
                sizes
                    .iter()
                    .map(|&mebibytes| ByteCount::mebibytes(mebibytes)),
            )
        };
        assert_eq!(most(&[]), ByteCount::ZERO);
        assert_eq!(most(&[3, 500]), ByteCount::mebibytes(503));
        assert_eq!(most(&[1000, 4, 3000, 2000]), ByteCount::mebibytes(4024));
    }
}
