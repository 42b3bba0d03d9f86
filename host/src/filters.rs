//! All filter hooks of a run, asked as one.

use std::collections::HashSet;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use copal_core::filter::{self, FilterRules};
use copal_core::path::RelPath;
use copal_hooks::{
    Account, Cancel, EntryKind, FailureKind, FilterBatch, FilterSession, HookFailure, Phase,
    Verdict,
};

use crate::edge::walk::{Filter, Found, FoundKind, Keep};
use crate::hooks::Hooks;

/// A filter hook that can't decide ends the run: it must never drop a file by failing.
#[derive(Debug, thiserror::Error)]
pub enum FilterFailed {
    /// The hook failed.
    #[error(transparent)]
    Hook(#[from] HookFailure),
    /// The hook answered with rules that are no filter rules of rclone.
    #[error("hook `{hook}` gave a filter rule that can't be used")]
    Rules {
        /// The hook.
        hook: String,
        /// Which, and why.
        source: filter::RuleError,
    },
}

/// The filters of one walk. A path belongs to the snapshot if every one of them keeps it.
pub struct Filters {
    /// Rules that are applied here, without asking the hook for each path.
    rules: Vec<FilterRules>,
    /// Hooks that want to be asked, each with the directories that it keeps whole.
    sessions: Vec<Asked>,
    /// What the others did: they answered once and for all.
    done: Vec<(String, Account)>,
}

struct Asked {
    hook: String,
    session: FilterSession,
    batch: FilterBatch,
    kept_whole: KeptWhole,
}

/// Directories with all that is in them.
#[derive(Default)]
struct KeptWhole(HashSet<RelPath>);

impl Filters {
    /// Starts a fresh session of each filter hook.
    pub fn start(hooks: &Hooks, cancel: &Cancel) -> Result<Self, FilterFailed> {
        let mut filters = Self {
            rules: Vec::new(),
            sessions: Vec::new(),
            done: Vec::new(),
        };
        for hook in hooks.in_phase(Phase::Filter) {
            let session = hook.filter(hooks.run(), cancel)?;
            let rules = &session.approach().rules;
            if !rules.is_empty() {
                let Some(parsed) = parse(rules, cancel) else {
                    return Err(interrupted(hook.name(), session).into());
                };
                let failed = |source| FilterFailed::Rules {
                    hook: hook.name().to_owned(),
                    source,
                };
                filters.rules.push(parsed.map_err(failed)?);
            }
            if session.approach().ask.is_some() {
                filters.sessions.push(Asked {
                    hook: hook.name().to_owned(),
                    batch: session.batch(),
                    session,
                    kept_whole: KeptWhole::default(),
                });
            } else {
                let account = session.finish();
                filters.done.push((hook.name().to_owned(), account));
            }
        }
        Ok(filters)
    }

    /// Ends the walk; what each filter did in it.
    pub fn finish(self) -> Vec<(String, Account)> {
        let asked = self.sessions.into_iter();
        let asked = asked.map(|asked| (asked.hook, asked.session.finish()));
        self.done.into_iter().chain(asked).collect()
    }
}

impl Filter for Filters {
    type Error = FilterFailed;

    fn decide(&mut self, found: &[Found]) -> Result<Vec<Keep>, FilterFailed> {
        let mut answers = vec![Keep::Yes; found.len()];
        for rules in &self.rules {
            for (found, answer) in found.iter().zip(&mut answers) {
                let is_directory = found.kind == FoundKind::Directory;
                *answer = both(*answer, by_rules(rules.verdict(&found.path, is_directory)));
            }
        }
        for asked in &mut self.sessions {
            // Only about what nothing has left out yet, nor this hook kept whole.
            let mut open: Vec<usize> = (0..found.len())
                .filter(|&at| answers[at] == Keep::Yes && !asked.kept_whole.holds(&found[at].path))
                .collect();
            while !open.is_empty() {
                asked.batch.clear();
                let mut count = 0;
                while count < open.len() && !asked.batch.is_full() {
                    push(&mut asked.batch, &found[open[count]]);
                    count += 1;
                }
                let verdicts = asked.session.decide(&asked.batch)?;
                for (at, verdict) in open.drain(..count).zip(verdicts) {
                    answers[at] = asked.judge(&found[at], verdict);
                }
            }
        }
        Ok(answers)
    }
}

impl KeptWhole {
    /// Of a file there is nothing to remember: a hook may say this of each of a million.
    fn add(&mut self, found: &Found) {
        if found.kind == FoundKind::Directory {
            self.0.insert(found.path.clone());
        }
    }

    fn holds(&self, path: &RelPath) -> bool {
        !self.0.is_empty() && path.ancestors().any(|above| self.0.contains(&above))
    }
}

impl Asked {
    fn judge(&mut self, found: &Found, verdict: Verdict) -> Keep {
        match verdict {
            Verdict::Keep => Keep::Yes,
            Verdict::Skip => Keep::No,
            Verdict::SkipSubtree => Keep::NothingBelow,
            Verdict::KeepSubtree => {
                self.kept_whole.add(found);
                Keep::Yes
            }
        }
    }
}

/// How long a signal may go unheard while rules are compiled.
const GLANCE: Duration = Duration::from_millis(10);

/// Compiles rules, which can take seconds, and nothing stops it: a thread does, which is left behind
/// when the run is asked to end. None: it is.
fn parse(rules: &[String], cancel: &Cancel) -> Option<Result<FilterRules, filter::RuleError>> {
    let (done, result) = mpsc::channel();
    let own = rules.to_vec();
    let started = thread::Builder::new()
        .name("filter-rules".into())
        .spawn(move || done.send(FilterRules::parse(own)));
    while started.is_ok() {
        match result.recv_timeout(GLANCE) {
            Ok(parsed) => return Some(parsed),
            Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => return None,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    // There is no thread to be had.
    Some(FilterRules::parse(rules))
}

fn interrupted(hook: &str, session: FilterSession) -> HookFailure {
    HookFailure {
        hook: hook.to_owned(),
        phase: Phase::Filter,
        kind: FailureKind::Interrupted,
        last_words: Vec::new(),
        account: Box::new(session.finish()),
    }
}

fn by_rules(verdict: filter::Verdict) -> Keep {
    match verdict {
        filter::Verdict::Keep => Keep::Yes,
        filter::Verdict::Skip => Keep::No,
        filter::Verdict::SkipSubtree => Keep::NothingBelow,
    }
}

/// What two filters come to: the stricter word.
fn both(one: Keep, other: Keep) -> Keep {
    match (one, other) {
        (Keep::NothingBelow, _) | (_, Keep::NothingBelow) => Keep::NothingBelow,
        (Keep::No, _) | (_, Keep::No) => Keep::No,
        (Keep::Yes, Keep::Yes) => Keep::Yes,
    }
}

fn push(batch: &mut FilterBatch, found: &Found) {
    let kind = match found.kind {
        FoundKind::File => EntryKind::File,
        FoundKind::Directory => EntryKind::Directory,
        FoundKind::Symlink(_) => EntryKind::Symlink,
        FoundKind::Special(_) => EntryKind::Other,
    };
    let size = if found.kind == FoundKind::File {
        found.version.size().0
    } else {
        0
    };
    let mtime = found.attributes.mtime.as_nanosecond();
    let mtime = i64::try_from(mtime).unwrap_or(if mtime < 0 { i64::MIN } else { i64::MAX });
    batch.push(found.path.as_bytes(), kind, size, mtime);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::stat::{Version, attributes};

    #[test]
    fn a_signal_is_heard_while_rules_are_compiled() {
        // Just below what one may come to: all of them take seconds.
        let rules: Vec<_> = (0..2000)
            .map(|n| format!("- {{{{.{{900}}{n}}}}}"))
            .collect();
        let cancel = Cancel::new();
        cancel.cancel();
        assert!(parse(&rules, &cancel).is_none());
        let few = parse(&rules[..1], &Cancel::new());
        assert!(few.is_some_and(|parsed| parsed.is_ok()));
    }

    #[test]
    fn only_directories_are_remembered_as_kept_whole() {
        let metadata = std::fs::metadata("/").unwrap();
        let found = |path: &str, kind| Found {
            path: path.parse().unwrap(),
            attributes: attributes(&metadata),
            version: Version::of(&metadata),
            kind,
        };
        let mut kept = KeptWhole::default();
        kept.add(&found("notes", FoundKind::Directory));
        kept.add(&found("letter", FoundKind::File));
        kept.add(&found("link", FoundKind::Symlink(Vec::new())));
        assert_eq!(kept.0.len(), 1);
        let holds = |path: &str| kept.holds(&path.parse().unwrap());
        assert!(holds("notes/deep/first") && holds("notes/first"));
        assert!(!holds("notes") && !holds("notes2/first") && !holds("letter"));
    }
}
