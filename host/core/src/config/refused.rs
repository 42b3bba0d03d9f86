//! Keys that this version knows of and does not take. Each is refused with the way around it: accepted
//! and without effect, it would be a promise not kept.

use super::reader::{Problems, Span};
use super::words::quoted;

/// A key that is refused.
pub(super) struct Refused {
    name: &'static str,
    why: &'static str,
    next: &'static str,
}

const KEYS: &[Refused] = &[Refused {
    name: "on_error",
    why: "what a failing hook means is said for each hook",
    next: "write it below a `[[hook]]`, or remove it",
}];

/// The refusal of a key by its dotted name.
pub(super) fn key(path: &str) -> Option<&'static Refused> {
    KEYS.iter().find(|refused| refused.name == path)
}

impl Refused {
    /// Reports it as the problem of `path`, which is the key or the whole setting.
    pub(super) fn report(&self, problems: &Problems, span: &Span, path: &str) {
        let what = format!("{} is not supported by this version of Copal", quoted(path));
        problems.report(span, what, self.why, self.next);
    }
}
