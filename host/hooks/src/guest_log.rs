//! What a hook says.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard};

use copal_core::text::is_harmful;
use copal_core::units::ByteCount;

use crate::mask::Masks;

/// The target of hooks' lines in tracing.
const TARGET: &str = "hook";

/// The longest line kept; what is beyond is cut.
const LINE: usize = 16 * 1024;

/// How many lines are shown with a failure.
const LAST_WORDS: usize = 20;

/// How many warnings of a phase are told with the result; all of them are in the log.
const WARNINGS: usize = 20;

/// How grave a hook finds a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// A hook's lines in one phase: passed on to tracing up to the limit, and the last of them kept.
/// Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct GuestLog(Arc<Mutex<Lines>>);

#[derive(Debug)]
struct Lines {
    hook: String,
    masks: Masks,
    limit: u64,
    passed_on: u64,
    kept: VecDeque<String>,
    kept_bytes: u64,
    warnings: Vec<String>,
}

impl GuestLog {
    pub(crate) fn new(hook: &str, limit: ByteCount, masks: &Masks) -> Self {
        Self(Arc::new(Mutex::new(Lines {
            hook: hook.to_owned(),
            masks: masks.clone(),
            limit: limit.0,
            passed_on: 0,
            kept: VecDeque::new(),
            kept_bytes: 0,
            warnings: Vec::new(),
        })))
    }

    /// Takes one line. `fields` are shown behind it as `name=value`.
    pub(crate) fn write(&self, level: Level, message: &str, fields: &[(String, String)]) {
        self.lines().write(level, message, fields);
    }

    /// The last lines, oldest first.
    pub(crate) fn last_words(&self) -> Vec<String> {
        self.lines().last_words()
    }

    /// All lines that are kept, oldest first.
    pub(crate) fn kept(&self) -> Vec<String> {
        self.lines().kept.iter().cloned().collect()
    }

    /// What it warned of, each once.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.lines().warnings.clone()
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl Lines {
    fn write(&mut self, level: Level, message: &str, fields: &[(String, String)]) {
        let mut line = String::new();
        let cover = |text: &str| self.masks.cover(text.to_owned());
        // Covered first: no secret is recognised that is cut, or whose line feeds are written out.
        push_harmless(&mut line, &cover(message));
        for (name, value) in fields {
            line.push(' ');
            push_harmless(&mut line, &cover(name));
            line.push('=');
            push_harmless(&mut line, &cover(value));
        }
        self.pass_on(level, &line);
        let is_new = level == Level::Warn && !self.warnings.contains(&line);
        if is_new && self.warnings.len() < WARNINGS {
            self.warnings.push(line.clone());
        }
        self.keep(line);
    }

    fn last_words(&self) -> Vec<String> {
        let skip = self.kept.len().saturating_sub(LAST_WORDS);
        self.kept.iter().skip(skip).cloned().collect()
    }

    fn pass_on(&mut self, level: Level, line: &str) {
        if self.passed_on >= self.limit {
            return;
        }
        self.passed_on += cost(line);
        let hook = self.hook.as_str();
        match level {
            Level::Trace => tracing::trace!(target: TARGET, hook, "{line}"),
            Level::Debug => tracing::debug!(target: TARGET, hook, "{line}"),
            Level::Info => tracing::info!(target: TARGET, hook, "{line}"),
            Level::Warn => tracing::warn!(target: TARGET, hook, "{line}"),
            Level::Error => tracing::error!(target: TARGET, hook, "{line}"),
        }
        if self.passed_on >= self.limit {
            tracing::warn!(target: TARGET, hook, "this hook logs too much: its further lines are not shown");
        }
    }

    fn keep(&mut self, line: String) {
        self.kept_bytes += cost(&line);
        self.kept.push_back(line);
        while self.kept_bytes > self.limit {
            let Some(oldest) = self.kept.pop_front() else {
                return;
            };
            self.kept_bytes -= cost(&oldest);
        }
    }
}

/// What a line costs of the limit: an empty one is not free.
fn cost(line: &str) -> u64 {
    line.len() as u64 + 32
}

/// Appends text up to the longest line, with control characters written out: a hook must not be
/// able to move an operator's cursor or forge a line of its own.
fn push_harmless(line: &mut String, text: &str) {
    for character in text.chars() {
        if line.len() >= LINE {
            if !line.ends_with('…') {
                line.push('…');
            }
            return;
        }
        if is_harmful(character) && character != '\t' {
            write!(line, "{}", character.escape_default()).expect("a String takes everything");
        } else {
            line.push(character);
        }
    }
}

/// The longest message of a hook that is told: it is for a person.
const MESSAGE: usize = 4 * 1024;

/// A hook's own words with their line feeds, each line harmless, and cut where they are too long.
pub(crate) fn harmless_text(text: &str) -> String {
    let mut told = String::new();
    for line in text.lines() {
        if !told.is_empty() {
            told.push('\n');
        }
        push_harmless(&mut told, line);
        if let Some((cut, _)) = told.char_indices().find(|(at, _)| *at >= MESSAGE) {
            told.truncate(cut);
            told.push('…');
            break;
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_keeps_its_lines_and_nothing_that_moves_a_cursor() {
        let told = harmless_text("one\ntwo\x1b[2J\u{9b}x\u{202e}y");
        assert_eq!(told, "one\ntwo\\u{1b}[2J\\u{9b}x\\u{202e}y");
    }

    #[test]
    fn a_message_is_cut_where_nobody_reads_on() {
        let told = harmless_text(&"ä\n".repeat(1_000_000));
        assert!(told.len() < MESSAGE + 10 && told.ends_with('…'));
    }

    fn log(limit: u64) -> GuestLog {
        GuestLog::new("test", ByteCount(limit), &Masks::default())
    }

    #[test]
    fn the_last_lines_are_kept_and_older_ones_make_room() {
        let log = log(200);
        for n in 0..1000 {
            log.write(Level::Info, &format!("line {n}"), &[]);
        }
        let words = log.last_words();
        assert_eq!(words.last().unwrap(), "line 999");
        let kept = log.lines().kept_bytes;
        assert!(kept <= 200, "{kept}");
    }

    #[test]
    fn a_warning_is_kept_once() {
        let log = log(1 << 20);
        for (level, what) in [(Level::Warn, "a"), (Level::Info, "b"), (Level::Warn, "a")] {
            log.write(level, what, &[]);
        }
        assert_eq!(log.warnings(), ["a"]);
    }

    #[test]
    fn a_secret_is_covered_though_it_has_line_feeds_or_is_cut() {
        let masks = Masks::default();
        masks.add(&crate::SecretBytes::new("a b\nc d"));
        masks.add(&crate::SecretBytes::new("hunter22"));
        let log = GuestLog::new("test", ByteCount(1 << 20), &masks);
        log.write(Level::Info, "it is a b\nc d", &[]);
        log.write(
            Level::Info,
            &format!("{}hunter22", "x".repeat(LINE - 4)),
            &[],
        );
        let [with_feeds, cut] = log.last_words().try_into().unwrap();
        assert_eq!(with_feeds, "it is ***");
        assert!(!cut.contains("hunt"));
    }

    #[test]
    fn a_long_line_is_cut() {
        let log = log(1 << 20);
        log.write(Level::Info, &"x".repeat(1 << 20), &[]);
        let words = log.last_words();
        assert!(words[0].len() < LINE + 8);
        assert!(words[0].ends_with('…'));
    }

    #[test]
    fn control_characters_are_written_out() {
        let log = log(1 << 20);
        log.write(Level::Info, "a\u{1b}[2Jb\nc", &[("k".into(), "v".into())]);
        assert_eq!(log.last_words(), [r"a\u{1b}[2Jb\nc k=v"]);
    }
}
