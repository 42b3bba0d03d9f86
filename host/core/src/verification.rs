//! What verifications of a snapshot found, as it is kept beside the manifest: how close the last look was, what
//! is damaged, and when each part was last read back. And which part a sample reads next.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::units::ByteCount;

/// How closely a snapshot was looked at; the last is the closest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closeness {
    /// By one listing.
    Quick,
    /// By that, and by reading a part back.
    Sample,
    /// By reading everything back.
    Full,
}

impl fmt::Display for Closeness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quick => "quick",
            Self::Sample => "sample",
            Self::Full => "full",
        })
    }
}

/// What is kept of all verifications of one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// When the last one was.
    pub at: Timestamp,
    /// How closely that looked; where something is damaged, the closest that found it.
    pub how: Closeness,
    /// What it compared, for people.
    pub compared: String,
    /// The names, as they are stored, of what is not as it was sealed; no more than [`NAMED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damaged: Vec<String>,
    /// How many there are.
    #[serde(default)]
    pub damaged_files: usize,
    /// How many files lie there that were never sealed: they harm none, and are no proof either.
    #[serde(default)]
    pub extra_files: usize,
    /// When files were read back, by their number in the order of the manifest. Those in none never were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read: Vec<Part>,
}

/// How many damaged files are named.
pub const NAMED: usize = 1000;

/// Files that follow each other in the manifest and were read back at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The number of the first, from 0.
    pub first: usize,
    /// How many they are.
    pub files: usize,
    /// When.
    pub at: Timestamp,
}

impl Verification {
    /// What is known where there is a note of damage that can't be read: only the closest look outweighs it.
    pub fn unreadable() -> Self {
        Self {
            at: Timestamp::UNIX_EPOCH,
            how: Closeness::Full,
            compared: String::new(),
            damaged: Vec::new(),
            damaged_files: 1,
            extra_files: 0,
            read: Vec::new(),
        }
    }

    /// Whether it is [what is known](Self::unreadable) where the note can't be read.
    pub fn is_unreadable(&self) -> bool {
        *self == Self::unreadable()
    }

    /// What a note says, read at this time. Whoever may write at the destination may have written it: what is said
    /// to have been read in time to come never was, and a note that nothing is damaged is none if it is of then.
    pub fn noted(text: &[u8], now: Timestamp) -> Option<Self> {
        let mut note: Self = serde_json::from_slice(text).ok()?;
        note.read.retain(|part| part.at <= now);
        (!note.is_sound() || note.at <= now).then_some(note)
    }

    /// Whether nothing is known to be damaged.
    pub fn is_sound(&self) -> bool {
        self.damaged_files == 0
    }

    /// What is known when this one was made after `before`: a look that is less close takes no damage for mended.
    /// A sample reads again what was damaged, if all of that is named.
    #[must_use]
    pub fn after(self, before: Option<&Self>) -> Self {
        let Some(before) = before.filter(|before| !before.is_sound()) else {
            return self;
        };
        let is_all_named = before.damaged.len() == before.damaged_files;
        let outweighs = match self.how {
            Closeness::Full => true,
            Closeness::Sample => is_all_named,
            Closeness::Quick => before.how == Closeness::Quick,
        };
        if outweighs {
            return self;
        }
        let known: HashSet<&str> = before.damaged.iter().map(String::as_str).collect();
        let new = self
            .damaged
            .iter()
            .filter(|it| !known.contains(it.as_str()));
        let new: Vec<String> = new.cloned().collect();
        let damaged = before.damaged.iter().cloned().chain(new.iter().cloned());
        Self {
            how: before.how,
            damaged: damaged.take(NAMED).collect(),
            damaged_files: before.damaged_files.saturating_add(new.len()),
            ..self
        }
    }

    /// When each of so many files was last read back.
    pub fn times(&self, files: usize) -> Vec<Option<Timestamp>> {
        let mut times = vec![None; files];
        for part in &self.read {
            let end = part.first.saturating_add(part.files).min(files);
            times[part.first.min(end)..end].fill(Some(part.at));
        }
        times
    }
}

/// The parts that these times make.
pub fn parts(times: &[Option<Timestamp>]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (number, at) in times.iter().enumerate() {
        let Some(at) = *at else { continue };
        match parts.last_mut() {
            Some(last) if last.at == at && last.first + last.files == number => last.files += 1,
            _ => parts.push(Part {
                first: number,
                files: 1,
                at,
            }),
        }
    }
    parts
}

/// How much of a snapshot is read back, of its bytes: more than nothing, and 100% at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// In hundredths of a percent.
    hundredths: u16,
}

/// A text that is no share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no share such as 5% or 0.25%")]
pub struct InvalidShare(String);

impl FromStr for Share {
    type Err = InvalidShare;

    fn from_str(text: &str) -> Result<Self, InvalidShare> {
        let invalid = || InvalidShare(text.to_owned());
        let number = text.strip_suffix('%').unwrap_or(text).trim_end();
        let (whole, rest) = number.split_once('.').unwrap_or((number, "00"));
        let is_number = |digits: &str| digits.bytes().all(|it| it.is_ascii_digit());
        if !(is_number(whole) && is_number(rest) && (1..=2).contains(&rest.len())) {
            return Err(invalid());
        }
        let whole: u16 = whole.parse().map_err(|_| invalid())?;
        let rest: u16 = format!("{rest:0<2}").parse().map_err(|_| invalid())?;
        let hundredths = whole.checked_mul(100).and_then(|it| it.checked_add(rest));
        match hundredths {
            Some(hundredths @ 1..=10_000) => Ok(Self { hundredths }),
            _ => Err(invalid()),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.hundredths / 100, self.hundredths % 100);
        match (rest, rest % 10) {
            (0, _) => write!(f, "{whole}%"),
            (_, 0) => write!(f, "{whole}.{}%", rest / 10),
            _ => write!(f, "{whole}.{rest:02}%"),
        }
    }
}

impl Share {
    /// The numbers of the files to read, in their order: those that never were first, then those for which it is
    /// longest ago, until they come to this share of all bytes; one at least, as far as there are any. Files of
    /// `first` are read in any case.
    pub fn choose(
        self,
        sizes: &[ByteCount],
        read: &[Option<Timestamp>],
        first: &HashSet<usize>,
    ) -> Vec<usize> {
        let all: u128 = sizes.iter().map(|size| u128::from(size.0)).sum();
        let wanted = (all * u128::from(self.hundredths)).div_ceil(10_000);
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        let when = |number: &usize| read.get(*number).copied().flatten();
        // Stable: what is as old as another goes by its number.
        order.sort_by_key(|number| (!first.contains(number), when(number)));
        let mut bytes = 0;
        let mut chosen: Vec<usize> = Vec::new();
        for number in order {
            if bytes >= wanted && !chosen.is_empty() && !first.contains(&number) {
                break;
            }
            bytes += u128::from(sizes[number].0);
            chosen.push(number);
        }
        chosen.sort_unstable();
        chosen
    }
}

#[cfg(test)]
#[path = "verification_tests.rs"]
mod tests;
