//! How much there is.

use std::fmt;

use serde::Deserialize;

/// How much a snapshot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figures {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

impl Figures {
    /// Whether it has at least so many percent of what `last` had.
    pub(crate) fn keeps(self, percent: u64, last: Self) -> bool {
        let enough =
            |now: u64, last: u64| u128::from(now) * 100 >= u128::from(last) * u128::from(percent);
        enough(self.files, last.files) && enough(self.bytes, last.bytes)
    }

    /// Whether it has no less than `floor`.
    pub(crate) fn reaches(self, floor: Self) -> bool {
        self.files >= floor.files && self.bytes >= floor.bytes
    }

    /// As it is kept: two numbers.
    pub(crate) fn to_note(self) -> String {
        format!("{} {}", self.files, self.bytes)
    }

    pub(crate) fn from_note(note: &str) -> Option<Self> {
        let (files, bytes) = note.split_once(' ')?;
        Some(Self {
            files: files.parse().ok()?,
            bytes: bytes.parse().ok()?,
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} files with {} bytes", self.files, self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(files: u64, bytes: u64) -> Figures {
        Figures { files, bytes }
    }

    #[test]
    fn a_loss_of_just_the_half_is_kept_and_one_more_is_not() {
        let last = figures(10, 1000);
        assert!(figures(5, 500).keeps(50, last));
        assert!(!figures(4, 1000).keeps(50, last));
        assert!(!figures(10, 499).keeps(50, last));
    }

    #[test]
    fn huge_figures_are_compared_without_overflow() {
        let last = figures(u64::MAX, u64::MAX);
        assert!(last.keeps(100, last));
        assert!(!figures(1, 1).keeps(50, last));
    }

    #[test]
    fn a_note_reads_back_as_what_it_was_made_of() {
        let some = figures(3, 4096);
        assert_eq!(Figures::from_note(&some.to_note()), Some(some));
        for damaged in ["", "3", "3 x", "-1 2", "1 2 3"] {
            assert_eq!(Figures::from_note(damaged), None, "{damaged}");
        }
    }
}
