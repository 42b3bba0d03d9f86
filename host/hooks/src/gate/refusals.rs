//! What was refused in a phase, for its failure.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::FailureKind;
use crate::answer::GuestError;
use crate::deed::Line;
use crate::denial::Denial;

/// How many denials are remembered: a hook that goes on asking learns nothing more.
const DENIALS_KEPT: usize = 100;

/// What was refused in one phase. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusals(Arc<Mutex<Refused>>);

#[derive(Debug, Default)]
struct Refused {
    denials: Vec<Denial>,
    /// Why the last refused request over HTTP was, which `wasi:http` can't tell the guest, and
    /// where it stands in the ledger.
    http: Option<(Line, FailureKind)>,
}

impl Refusals {
    pub(super) fn note(&self, error: &GuestError) {
        if let GuestError::Denied(denial) = error {
            let denials = &mut self.lock().denials;
            if denials.len() < DENIALS_KEPT {
                denials.push(denial.clone());
            }
        }
    }

    /// Remembers why a request was refused.
    pub(super) fn note_http(&self, line: Line, kind: FailureKind) {
        self.lock().http = Some((line, kind));
    }

    /// Why the request at `last` was refused, if it was one and was.
    pub(super) fn http_at(&self, last: Line) -> Option<FailureKind> {
        let http = self.lock().http.clone();
        http.filter(|(line, _)| *line == last).map(|(_, kind)| kind)
    }

    /// What was denied, in order.
    pub(super) fn denials(&self) -> Vec<Denial> {
        self.lock().denials.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Refused> {
        self.0.lock().expect("no holder of this lock panics")
    }
}
