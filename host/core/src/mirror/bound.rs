//! How much a run may delete of a mirror.

/// The most that a run may delete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MaxDelete {
    /// So many files in a hundred of those that are there.
    Share(u8),
    /// So many files.
    Files(u64),
}

impl MaxDelete {
    /// Half of what is there.
    pub const HALF: Self = Self::Share(50);

    /// As many of so many files.
    pub fn of(self, there: u64) -> u64 {
        match self {
            Self::Share(percent) => {
                let allowed = u128::from(there) * u128::from(percent.min(100)) / 100;
                u64::try_from(allowed).unwrap_or(there)
            }
            Self::Files(files) => files,
        }
    }
}

impl Default for MaxDelete {
    fn default() -> Self {
        Self::HALF
    }
}

/// What is known of the runs before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Past {
    /// What the last one put there.
    #[default]
    Known,
    /// There was none. What is there was there before, or is what a first run sent that did not come to its end:
    /// nothing tells one from the other, so that no share of it is known.
    None,
    /// There were some, and what they put there was lost, with all that they knew of missing disks and of
    /// refusals. Until there is nothing to delete, or the owner accepts it, nothing is.
    Lost,
}

/// The most that a run may delete, in view of the runs before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bound {
    /// What the owner says.
    pub most: MaxDelete,
    /// How many files there were when it was too much for the first time since it last was not. What the runs
    /// sent since then makes no share larger: otherwise a share would refuse once, and the next run do it.
    pub there_when_refused: Option<u64>,
    /// What of the files there is known.
    pub past: Past,
}

impl Bound {
    /// The same where the owner says that files may be gone: a number is a number all the same.
    #[must_use]
    pub fn accepting_missing(self) -> Self {
        let past = Past::Known;
        match self.most {
            MaxDelete::Share(_) => Self {
                most: MaxDelete::Share(100),
                there_when_refused: None,
                past,
            },
            MaxDelete::Files(_) => Self { past, ..self },
        }
    }

    /// Whether it can't tell how much may go.
    pub fn is_blind(self) -> bool {
        match self.past {
            Past::Known => false,
            Past::None => matches!(self.most, MaxDelete::Share(percent) if percent < 100),
            Past::Lost => true,
        }
    }

    /// Of how many files a share is one, where so many are there.
    pub(super) fn counted(self, there: u64) -> u64 {
        self.there_when_refused
            .map_or(there, |then| then.min(there))
    }
}

/// Why nothing is deleted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refused {
    /// More than a run may delete.
    #[error(
        "the source no longer has {would} of the {there} files that were there, and a run deletes at most {allowed}"
    )]
    TooMany {
        /// What would be deleted.
        would: u64,
        /// What was there.
        there: u64,
        /// What may be.
        allowed: u64,
        /// By which setting.
        most: MaxDelete,
    },
    /// Again more than a run may delete, and nobody said since that it is as it should be.
    #[error(
        "the source no longer has {would} files that are there, and a run deletes at most {allowed}: {there} files were there when this was refused for the first time"
    )]
    StillTooMany {
        /// What would be deleted.
        would: u64,
        /// What was there then, or is now where that is less.
        there: u64,
        /// What may be.
        allowed: u64,
        /// By which setting.
        most: MaxDelete,
    },
    /// Of files that nobody can answer for.
    #[error(
        "{} there that the source does not have, and no run knows whether {} to the mirror",
        if *.would == 1 { "1 file is".to_owned() } else { format!("{} files are", .would) },
        if *.would == 1 { "it belongs" } else { "they belong" }
    )]
    Unaccounted {
        /// What would be deleted.
        would: u64,
    },
    /// It is no mirror's file that would be deleted.
    #[error("`{0}` is a snapshot or a mirror of its own")]
    Copals(String),
}

#[cfg(test)]
#[path = "bound_tests.rs"]
mod tests;
