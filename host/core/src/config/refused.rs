//! What this version knows of and does not do. Each is refused with the way around it: accepted
//! and without effect, it would be a promise not kept.

use super::reader::{Problems, Span};
use super::words::quoted;

/// A key or a value that is refused.
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

const BUILTINS: &[Refused] = &[
    Refused {
        name: "open-webui",
        why: "there is no hook for this app alone",
        next: "use `exclude` and `sqlite-backup`, the latter with `grants = { sqlite = [\"*\"] }`",
    },
    Refused {
        name: "notify",
        why: "no hook that notifies is part of Copal",
        next: "make one with `copal hook new`, and name it by `file` with `grants = { http = […] }`",
    },
];

/// The refusal of a key by its dotted name.
pub(super) fn key(path: &str) -> Option<&'static Refused> {
    find(KEYS, path)
}

/// The refusal of a built-in hook.
pub(super) fn builtin(name: &str) -> Option<&'static Refused> {
    find(BUILTINS, name)
}

fn find(table: &'static [Refused], name: &str) -> Option<&'static Refused> {
    table.iter().find(|refused| refused.name == name)
}

impl Refused {
    /// Reports it as the problem of `path`, which is the key or the whole setting.
    pub(super) fn report(&self, problems: &Problems, span: &Span, path: &str) {
        let what = format!("{} is not supported by this version of Copal", quoted(path));
        problems.report(span, what, self.why, self.next);
    }
}
