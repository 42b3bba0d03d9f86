//! A filter at work: batches of paths in, verdicts out.

use crate::bindings::exports::copal::hooks::filter as wit;
use crate::call::Guest;
use crate::{Account, FailureKind, HookFailure, Limits};

/// What a path is. The numbers are those of `wit/filter.wit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum EntryKind {
    /// A regular file.
    File = 0,
    /// A directory.
    Directory = 1,
    /// A symbolic link.
    Symlink = 2,
    /// Anything else.
    Other = 3,
}

/// A filter's word on one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Leave it out; what is in a directory is still asked about.
    Skip,
    /// Take it.
    Keep,
    /// Leave it out with everything in it, without walking it.
    SkipSubtree,
    /// Take it with everything in it, without asking about that.
    KeepSubtree,
}

/// How a filter wants to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approach {
    /// Filter rules of rclone that come first, in order. Empty where it only asks.
    pub rules: Vec<String>,
    /// With which columns it wants to be asked about what the rules keep. None: the rules decide.
    pub ask: Option<Columns>,
}

/// The columns of a batch beside the paths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Columns {
    /// What each path is.
    pub kinds: bool,
    /// The files' sizes.
    pub sizes: bool,
    /// When each was modified.
    pub mtimes: bool,
}

/// Paths to decide about, packed in the columns that a filter asked for. Reuse one: clearing keeps
/// its buffers.
#[derive(Debug, Clone, Default)]
pub struct FilterBatch {
    columns: Columns,
    count: u32,
    paths: Vec<u8>,
    ends: Vec<u8>,
    kinds: Vec<u8>,
    sizes: Vec<u8>,
    mtimes: Vec<u8>,
}

impl FilterBatch {
    /// How many paths make a full batch: beyond, a larger batch is no faster.
    pub const PATHS: usize = 4096;

    /// How many bytes of paths make a full batch, however few they are.
    const BYTES: usize = 1024 * 1024;

    /// An empty batch with these columns. [`FilterSession::batch`] makes one that fits.
    pub fn new(columns: Columns) -> Self {
        Self {
            columns,
            ..Self::default()
        }
    }

    /// Appends a path relative to the top of the source, without a slash at its end. `size` is a
    /// file's, 0 for others; `mtime` is in nanoseconds since 1970.
    ///
    /// # Panics
    /// Where the paths come to 4 GiB. Empty the batch when it [is full](Self::is_full).
    pub fn push(&mut self, path: &[u8], kind: EntryKind, size: u64, mtime: i64) {
        self.paths.extend_from_slice(path);
        let end = u32::try_from(self.paths.len()).expect("a full batch is emptied long before");
        self.paths.push(0);
        self.ends.extend_from_slice(&end.to_le_bytes());
        if self.columns.kinds {
            self.kinds.push(kind as u8);
        }
        if self.columns.sizes {
            self.sizes.extend_from_slice(&size.to_le_bytes());
        }
        if self.columns.mtimes {
            self.mtimes.extend_from_slice(&mtime.to_le_bytes());
        }
        self.count += 1;
    }

    /// The number of paths in it.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is no path in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether it is time to have it decided.
    pub fn is_full(&self) -> bool {
        self.len() >= Self::PATHS || self.paths.len() >= Self::BYTES
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.count = 0;
        self.paths.clear();
        self.ends.clear();
        self.kinds.clear();
        self.sizes.clear();
        self.mtimes.clear();
    }

    fn columns(&self) -> wit::Batch<'_> {
        wit::Batch {
            count: self.count,
            paths: &self.paths,
            ends: &self.ends,
            kinds: &self.kinds,
            sizes: &self.sizes,
            mtimes: &self.mtimes,
        }
    }
}

/// A filter through one walk; one instance from its start to its last batch.
pub struct FilterSession {
    guest: Guest,
    functions: wit::Guest,
    limits: Limits,
    approach: Approach,
    /// Why it can't go on.
    failed: Option<HookFailure>,
}

impl FilterSession {
    pub(crate) fn start(
        mut guest: Guest,
        functions: wit::Guest,
        limits: &Limits,
    ) -> Result<Self, HookFailure> {
        let answer = guest.call(limits.wall, async |store| functions.call_start(store).await)?;
        if let Some(why) = too_many(&answer.rules) {
            return Err(guest.failure(FailureKind::BadAnswer(why)));
        }
        let approach = Approach {
            rules: answer.rules,
            ask: answer.ask.map(|columns| Columns {
                kinds: columns.contains(wit::Columns::KINDS),
                sizes: columns.contains(wit::Columns::SIZES),
                mtimes: columns.contains(wit::Columns::MTIMES),
            }),
        };
        Ok(Self {
            guest,
            functions,
            limits: *limits,
            approach,
            failed: None,
        })
    }

    /// How it wants to decide.
    pub fn approach(&self) -> &Approach {
        &self.approach
    }

    /// An empty batch with the columns that it asked for.
    pub fn batch(&self) -> FilterBatch {
        FilterBatch::new(self.approach.ask.unwrap_or_default())
    }

    /// One verdict for each path of the batch, in its order.
    ///
    /// # Errors
    /// [`HookFailure`]; the session then fails for good. An answer of the wrong length and an
    /// unknown verdict are failures: nothing is left out or taken by mistake.
    pub fn decide(&mut self, batch: &FilterBatch) -> Result<Vec<Verdict>, HookFailure> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        let answer = self.ask(batch);
        if let Err(failure) = &answer {
            self.failed = Some(failure.clone());
        }
        answer
    }

    fn ask(&mut self, batch: &FilterBatch) -> Result<Vec<Verdict>, HookFailure> {
        if self.approach.ask != Some(batch.columns) {
            let why = "a batch with other columns than it asked for".to_owned();
            return Err(self.guest.failure(FailureKind::Host(why)));
        }
        let functions = &self.functions;
        let answer = self.guest.call(self.limits.filter_wall, async |store| {
            functions.call_decide(store, batch.columns()).await
        })?;
        verdicts(&answer, batch.len())
            .map_err(|why| self.guest.failure(FailureKind::BadAnswer(why)))
    }

    /// Ends the session; what the hook did in it.
    pub fn finish(self) -> Account {
        self.guest.into_account()
    }
}

/// The most rules that a filter may answer with, and the most that they may come to in bytes: the
/// host compiles them, which no limit of the hook's own bounds.
const RULES: usize = 2000;
const RULES_BYTES: usize = 128 * 1024;

/// The longest rule: a directory of a path that it keeps is a rule of its own.
const RULE: usize = 1024;

fn too_many(rules: &[String]) -> Option<String> {
    let bytes: usize = rules.iter().map(String::len).sum();
    if let Some(long) = rules.iter().find(|rule| rule.len() > RULE) {
        let bytes = long.len();
        return Some(format!(
            "a filter rule of {bytes} bytes, and {RULE} are the most"
        ));
    }
    (rules.len() > RULES || bytes > RULES_BYTES).then(|| {
        format!(
            "{} filter rules of {bytes} bytes, and {RULES} rules of {RULES_BYTES} bytes are the most",
            rules.len()
        )
    })
}

/// Reads a filter's answer about `asked` paths; what is wrong with it.
fn verdicts(answer: &[u8], asked: usize) -> Result<Vec<Verdict>, String> {
    if answer.len() != asked {
        let answered = answer.len();
        return Err(format!("{answered} verdicts for {asked} paths"));
    }
    // Looked at as a whole first, which is several times as quick as to stop at each.
    if let Some(unknown) = answer.iter().find(|verdict| **verdict > 3) {
        return Err(format!("{unknown} is no verdict"));
    }
    let verdict = |byte: &u8| match byte {
        0 => Verdict::Skip,
        1 => Verdict::Keep,
        2 => Verdict::SkipSubtree,
        _ => Verdict::KeepSubtree,
    };
    Ok(answer.iter().map(verdict).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_rules_than_the_host_can_compile_in_a_moment_are_refused() {
        assert_eq!(too_many(&vec!["- /x".to_owned(); RULES]), None);
        assert!(too_many(&vec!["- /x".to_owned(); RULES + 1]).is_some());
        assert!(too_many(&vec!["x".repeat(RULE); RULES_BYTES / RULE + 1]).is_some());
        assert_eq!(too_many(&["x".repeat(RULE)]), None);
        assert!(too_many(&["x".repeat(RULE + 1)]).is_some());
    }
}
