//! Noted: what verifications found is kept beside the manifest, for those who list snapshots, for retention, and
//! so that each sample reads another part.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use copal_core::manifest::{DAMAGED, Manifest, VERIFIED};
use copal_core::snapshot::SnapshotId;
use copal_core::units::ByteCount;
use copal_core::verification::{NAMED, Share, Verification, parts};
use jiff::Timestamp;

use super::compare::Difference;
use super::snapshots::{Store, StoreError};
use super::verify::{Depth, Verified};
use crate::edge::own::Own;

/// What is noted of one snapshot.
#[derive(Debug, Default)]
pub struct Noted {
    /// Whether there is a note that it is sound.
    sound: bool,
    /// Whether there is one that it is damaged.
    damaged: bool,
    /// What it says, where that can be read.
    pub known: Option<Verification>,
}

impl Noted {
    /// What the notes say that lie there. One of damage counts, whatever it says, and whatever lies beside it.
    pub fn of(sound: Option<&[u8]>, damaged: Option<&[u8]>, now: Timestamp) -> Self {
        let read = |text: &[u8]| Verification::noted(text, now);
        let known = match (damaged, sound) {
            (Some(text), _) => {
                let damaged = read(text).filter(|note| !note.is_sound());
                Some(damaged.unwrap_or_else(Verification::unreadable))
            }
            (None, Some(text)) => read(text),
            (None, None) => None,
        };
        Self {
            sound: sound.is_some(),
            damaged: damaged.is_some(),
            known,
        }
    }

    /// Whether it is known to be sound.
    pub fn is_verified(&self) -> bool {
        // A note that says nothing proves nothing.
        self.sound && !self.damaged && self.known.is_some()
    }

    /// Whether something in it is known to be damaged.
    pub fn is_damaged(&self) -> bool {
        self.damaged
    }
}

impl Store<'_> {
    /// What earlier verifications found.
    pub fn noted(&self, id: SnapshotId) -> Result<Noted, StoreError> {
        let names = [VERIFIED, DAMAGED].map(str::to_owned);
        let brought = self.bring(&self.dir(id), &names)?;
        let read = |name| {
            // What is no note and lies under its name may be one that can't be read.
            Ok::<_, StoreError>(match brought.read(name)? {
                Own::Nothing => None,
                Own::Is(text) => Some(text),
                Own::Odd(_) => Some(Vec::new()),
            })
        };
        let (sound, damaged) = (read(VERIFIED)?, read(DAMAGED)?);
        Ok(Noted::of(
            sound.as_deref(),
            damaged.as_deref(),
            Timestamp::now(),
        ))
    }

    /// Keeps what is known now, in place of what was noted before. At no time a damaged snapshot counts as verified.
    pub fn note(
        &self,
        id: SnapshotId,
        now: &Verification,
        before: &Noted,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_string(now).expect("a verification has only string keys");
        if now.is_sound() {
            if now.extra_files == 0 {
                self.put_beside(id, VERIFIED, &text)?;
            } else if before.sound {
                self.take_away(id, VERIFIED)?;
            }
            if before.damaged {
                self.take_away(id, DAMAGED)?;
            }
            return Ok(());
        }
        if before.sound {
            self.take_away(id, VERIFIED)?;
        }
        self.put_beside(id, DAMAGED, &text)
    }
}

impl Verified {
    /// What is known of the snapshot with this, at this time.
    pub fn with(&self, before: &Noted, at: Timestamp) -> Verification {
        let files = self.manifest.files().count();
        let known = before.known.as_ref();
        let mut times = known.map_or_else(|| vec![None; files], |known| known.times(files));
        match &self.depth {
            Depth::Quick => {}
            Depth::Sample(chosen) => {
                for number in chosen {
                    times[*number] = Some(at);
                }
            }
            Depth::Full => times.fill(Some(at)),
        }
        let damaged = self.differences.iter().filter_map(Difference::expected);
        let damaged_files = damaged.clone().count();
        let now = Verification {
            at,
            how: self.depth.closeness(),
            compared: self.compared.clone(),
            damaged: damaged.take(NAMED).map(str::to_owned).collect(),
            damaged_files,
            extra_files: self.differences.len() - damaged_files,
            read: parts(&times),
        };
        now.after(known)
    }
}

/// Which files a sample reads back: by what is noted, or by chance where nothing is and nothing will be.
pub fn sample(manifest: &Manifest, share: Share, noted: Option<&Noted>) -> Depth {
    let (names, sizes): (Vec<String>, Vec<ByteCount>) = manifest
        .files()
        .map(|(stored, _, file)| (stored, file.size))
        .unzip();
    let known = noted.and_then(|noted| noted.known.as_ref());
    let times = match (noted, known) {
        (None, _) => by_chance(names.len()),
        (Some(_), None) => vec![None; names.len()],
        (Some(_), Some(known)) => known.times(names.len()),
    };
    let damaged: HashSet<&str> = known
        .iter()
        .flat_map(|known| known.damaged.iter().map(String::as_str))
        .collect();
    let first = names.iter().enumerate();
    let first = first.filter(|(_, name)| damaged.contains(name.as_str()));
    let first = first.map(|(number, _)| number).collect();
    Depth::Sample(share.choose(&sizes, &times, &first))
}

/// Any order: the standard library seeds its hashes anew for each.
fn by_chance(files: usize) -> Vec<Option<Timestamp>> {
    let state = RandomState::new();
    let second = |number: usize| i64::from(state.hash_one(number).to_be_bytes()[0]);
    let times = (0..files).map(|number| Timestamp::from_second(second(number)).ok());
    times.collect()
}
