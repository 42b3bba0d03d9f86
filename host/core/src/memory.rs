//! Memory: how much of it a transfer takes is settled before it begins.
//!
//! For each file that it sends rclone keeps some of it read ahead, and of a large one as many chunks
//! as it sends at a time. By its own defaults that is more than a gigabyte for four large files on
//! B2. Here its options are lowered until all of it is within what the owner allows.

mod chunks;

use std::fmt::Display;

use crate::units::ByteCount;

pub use self::chunks::{Chunks, sends_chunks};

/// A transfer sends from so many directories at once: copies, what was frozen, and the live source.
pub const SOURCES: u32 = 3;

/// A small file, which other instances of a remote send, is read ahead whole.
const SMALL: ByteCount = ByteCount::mebibytes(1);

/// What a file is read ahead by at least, and what is well enough.
const BUFFER: (ByteCount, ByteCount) = (ByteCount::mebibytes(1), ByteCount::mebibytes(4));

/// Chunks of this size are well enough, and so many at a time, and so many files.
const WELL_CHUNK: ByteCount = ByteCount::mebibytes(8);
const WELL_AT_A_TIME: u32 = 2;
const WELL_TRANSFERS: u32 = 4;

/// More downloads at a time are no quicker.
const DOWNLOADS: u32 = 32;

/// The value of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish<T> {
    /// It.
    pub value: T,
    /// Whether the owner set it, rather than rclone.
    pub set: bool,
}

impl<T: Copy + Display> Wish<T> {
    /// What would be told of it against what holds now.
    fn lowered_to(&self, now: Self, option: impl Into<String>) -> Option<Lowered> {
        let (from, to) = (self.value.to_string(), now.value.to_string());
        let option = option.into();
        (self.set && from != to).then_some(Lowered { option, from, to })
    }
}

/// What rclone would take by the options that there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    /// `transfers`: files at a time.
    pub transfers: Wish<u32>,
    /// `buffer_size`: how far ahead each is read.
    pub buffer: Wish<ByteCount>,
    /// How each of the backends that a file passes sends large ones.
    pub chunks: Vec<Chunks>,
    /// How many instances of the remote may send small files beside.
    pub instances: u32,
}

/// What rclone may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// All of it.
    pub budget: ByteCount,
    /// Its options by now.
    pub options: Wishes,
    /// How many small files may be sent at a time by other instances.
    pub small: u32,
    /// What the owner had set otherwise: the option, the wish, and what became of it.
    pub lowered: Vec<Lowered>,
}

/// An option that was set to more than there is memory for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lowered {
    /// By rclone's name: `transfers`, `b2_chunk_size`.
    pub option: String,
    /// What the owner set.
    pub from: String,
    /// What holds for this transfer.
    pub to: String,
}

impl Wishes {
    /// The memory that files other than small ones take at most.
    fn large(&self) -> ByteCount {
        let chunks: ByteCount = self.chunks.iter().map(Chunks::at_a_time).sum();
        let each = self.buffer.value + chunks;
        let files = self.transfers.value.max(SOURCES);
        ByteCount(each.0.saturating_mul(files.into()))
    }

    /// What would be told of these against those.
    fn lowered_to(&self, now: &Self) -> Vec<Lowered> {
        let mut lowered = Vec::new();
        lowered.extend(self.transfers.lowered_to(now.transfers, "transfers"));
        lowered.extend(self.buffer.lowered_to(now.buffer, "buffer_size"));
        for (was, is) in self.chunks.iter().zip(&now.chunks) {
            let option = |name: &str| format!("{}_{name}", was.backend);
            lowered.extend(was.size.lowered_to(is.size, option("chunk_size")));
            if let (Some(was), Some(is)) = (was.concurrency, is.concurrency) {
                lowered.extend(was.lowered_to(is, option("upload_concurrency")));
            }
        }
        lowered
    }
}

/// What sends some of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    /// So many of them.
    pub files: usize,
    /// Whether all are small.
    pub small: bool,
}

impl Share {
    /// How many instances may send small files of one of so many sources.
    pub fn instances(&self, sources: usize) -> usize {
        let each = self.small as usize / sources.max(1);
        each.clamp(1, (self.options.instances as usize).max(1))
    }

    /// How many files each sender may send at a time, in their order.
    pub fn transfers(&self, senders: impl Iterator<Item = Sender>) -> Vec<u32> {
        let (small, large): (Vec<_>, Vec<_>) = senders.enumerate().partition(|(_, it)| it.small);
        let among = |transfers: u32, senders: &[(usize, Sender)]| {
            let files: Vec<_> = senders.iter().map(|(_, it)| it.files).collect();
            let nth = senders.iter().map(|(nth, _)| *nth);
            nth.zip(divide(transfers, &files)).collect::<Vec<_>>()
        };
        let all = among(self.options.transfers.value, &large);
        let mut all = [all, among(self.small, &small)].concat();
        all.sort_unstable();
        all.into_iter().map(|(_, transfers)| transfers).collect()
    }

    /// How many files may be downloaded at a time: each is read ahead, and none is cut in chunks.
    pub fn downloads(&self) -> u32 {
        let transfers = self.options.transfers;
        if transfers.set {
            return transfers.value;
        }
        let affordable = self.budget.0 / self.options.buffer.value.0.max(1);
        let affordable = u32::try_from(affordable).unwrap_or(u32::MAX);
        affordable.min(DOWNLOADS).max(transfers.value)
    }

    /// The memory that all of it takes at most.
    pub fn most(&self) -> ByteCount {
        self.options.large() + small(self.small)
    }
}

fn small(files: u32) -> ByteCount {
    ByteCount(SMALL.0 * u64::from(files))
}

/// The least memory with which every option finds a value.
pub const LEAST: ByteCount = ByteCount::mebibytes(64);

/// Lowers options until what they take is within the budget. What the owner set is lowered only when
/// everything else is at its least; and each option becomes worse than is well only when none is left
/// that is better.
pub fn share(budget: ByteCount, wishes: &Wishes) -> Share {
    let small_files = wishes.small_files(budget);
    let left = ByteCount(budget.0.saturating_sub(small(small_files).0));
    let mut options = wishes.clone();
    for owners_too in [false, true] {
        for until in [Until::Well, Until::Least] {
            while options.large() > left && options.lower_one(until, owners_too) {}
        }
    }
    Share {
        budget,
        small: small_files,
        lowered: wishes.lowered_to(&options),
        options,
    }
}

/// How far an option is lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    Well,
    Least,
}

impl Until {
    fn of<T>(self, well: T, least: T) -> T {
        match self {
            Self::Well => well,
            Self::Least => least,
        }
    }
}

impl Wishes {
    /// A quarter of the budget at most.
    fn small_files(&self, budget: ByteCount) -> u32 {
        if self.instances == 0 {
            return 0;
        }
        let wanted = self.transfers.value.saturating_mul(self.instances);
        let affordable = u32::try_from(budget.0 / 4 / SMALL.0).unwrap_or(u32::MAX);
        wanted.min(affordable).max(SOURCES)
    }

    /// Lowers the first option that is above that by one notch; false where none is.
    fn lower_one(&mut self, until: Until, owners_too: bool) -> bool {
        let may = |set: bool| owners_too || !set;
        for chunks in &mut self.chunks {
            let least = until.of(WELL_CHUNK.max(chunks.unit), chunks.unit);
            if may(chunks.size.set) && chunks.next_smaller() >= least && chunks.lower_size() {
                return true;
            }
        }
        let least = until.of(BUFFER.1, BUFFER.0);
        let half = ByteCount(self.buffer.value.0 / 2);
        if may(self.buffer.set) && half >= least {
            self.buffer.value = half;
            return true;
        }
        for chunks in &mut self.chunks {
            let Some(concurrency) = &mut chunks.concurrency else {
                continue;
            };
            if may(concurrency.set) && concurrency.value > until.of(WELL_AT_A_TIME, 1) {
                concurrency.value -= 1;
                return true;
            }
        }
        let lower =
            may(self.transfers.set) && self.transfers.value > until.of(WELL_TRANSFERS, SOURCES);
        self.transfers.value -= u32::from(lower);
        lower
    }
}

/// Divides so many transfers among sources that have so many files, each at least one: in proportion, so
/// that all come to their ends at about the same time.
pub fn divide(transfers: u32, files: &[usize]) -> Vec<u32> {
    let mut given: Vec<u32> = vec![1; files.len()];
    let spare = transfers.saturating_sub(u32::try_from(files.len()).unwrap_or(u32::MAX));
    // Highest averages: whose files would have to wait longest, even with one more.
    let with_one_more = |given: u32| u64::from(given) + 1;
    for _ in 0..spare {
        let wants = (0..files.len()).filter(|&nth| (given[nth] as usize) < files[nth]);
        let most = wants.max_by(|&one, &other| {
            let of = |nth: usize, against: usize| {
                files[nth] as u128 * u128::from(with_one_more(given[against]))
            };
            of(one, other).cmp(&of(other, one))
        });
        match most {
            Some(nth) => given[nth] += 1,
            None => break,
        }
    }
    given
}

#[cfg(test)]
mod tests;
