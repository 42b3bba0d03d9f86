//! What was asked, what it is charged as, and what went through the wire.

use std::collections::BTreeMap;

use crate::call::{Call, Class};

/// What the server has counted since it began, or since it was told to begin anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    calls: BTreeMap<Call, u64>,
    charged: BTreeMap<Class, u64>,
    errors: BTreeMap<&'static str, u64>,
    /// Bytes of bodies that came, in uploads and parts.
    pub bytes_up: u64,
    /// Bytes of bodies that were sent, in downloads.
    pub bytes_down: u64,
}

impl Counters {
    /// How often a call was made.
    pub fn of(&self, call: Call) -> u64 {
        self.calls.get(&call).copied().unwrap_or_default()
    }

    /// How many calls are charged as of that class. A listing counts once for each thousand files that
    /// it asks for.
    pub fn charged(&self, class: Class) -> u64 {
        self.charged.get(&class).copied().unwrap_or_default()
    }

    /// How often the answer was an error with that code.
    pub fn errors(&self, code: &str) -> u64 {
        self.errors.get(code).copied().unwrap_or_default()
    }

    pub(crate) fn called(&mut self, call: Call) {
        *self.calls.entry(call).or_default() += 1;
    }

    pub(crate) fn charge(&mut self, class: Class, count: u64) {
        *self.charged.entry(class).or_default() += count;
    }

    pub(crate) fn refused(&mut self, code: &'static str) {
        *self.errors.entry(code).or_default() += 1;
    }
}

impl std::fmt::Display for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (call, count) in &self.calls {
            writeln!(f, "{:32} {count:>8}", call.name())?;
        }
        for (code, count) in &self.errors {
            writeln!(f, "{code:32} {count:>8}  errors")?;
        }
        let [a, b, c] = [Class::A, Class::B, Class::C].map(|class| self.charged(class));
        writeln!(f, "charged: class A {a}, class B {b}, class C {c}")?;
        writeln!(f, "bytes: {} up, {} down", self.bytes_up, self.bytes_down)
    }
}
