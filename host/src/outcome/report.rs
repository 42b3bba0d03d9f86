//! An outcome as hooks are told of it.

use std::collections::BTreeMap;

use copal_hooks::Report;

use super::{Achieved, Outcome, Verdict};
use crate::edge::service::NotReady;
use crate::error::CopalError;
use crate::holds::HoldsError;

impl<T: Achieved> Outcome<T> {
    /// The figures of the run as a whole that hooks are told.
    fn counters(&self) -> BTreeMap<String, u64> {
        let troubles = self.errors().count() + self.shortcomings.len();
        let is_down = |error: &&CopalError| is_of_a_service_that_is_down(error);
        let down = self.errors().chain(&self.shortcomings).filter(is_down);
        let uploaded = self.snapshots().into_iter().map(|it| it.uploaded_bytes);
        let uploaded = uploaded.sum::<Option<u64>>();
        let figures = [
            ("duration-ms", u64::try_from(self.took.as_millis()).ok()),
            (
                "started-ms",
                u64::try_from(self.started.as_millisecond()).ok(),
            ),
            ("troubles", Some(troubles as u64)),
            ("services-down", Some(down.count() as u64)),
            ("uploaded-bytes", uploaded),
        ];
        let known = figures.into_iter();
        let known = known.filter_map(|(name, figure)| Some((name.to_owned(), figure?)));
        known.collect()
    }

    /// What hooks are told when all is over.
    pub fn report(&self) -> Report {
        let outcome = match self.verdict() {
            Verdict::Succeeded => copal_hooks::Outcome::Succeeded,
            Verdict::Warned => copal_hooks::Outcome::Warned,
            Verdict::Failed => copal_hooks::Outcome::Failed,
            Verdict::Interrupted(_) => copal_hooks::Outcome::Interrupted,
        };
        let snapshot = self.snapshots().into_iter().next();
        let mut counters = self.counters();
        if let Some(snapshot) = &snapshot {
            counters.insert("files".to_owned(), snapshot.files);
            counters.insert("bytes".to_owned(), snapshot.bytes);
        }
        let troubles = self.errors().chain(&self.shortcomings);
        Report {
            outcome,
            message: troubles.map(CopalError::in_one_line).next(),
            snapshot: snapshot.map(|snapshot| snapshot.id.to_string()),
            counters,
        }
    }
}

/// Whether a service that was held is not back: what exit code 5 is for.
fn is_of_a_service_that_is_down(error: &CopalError) -> bool {
    let CopalError::Holds(error) = error else {
        return false;
    };
    match &**error {
        HoldsError::Unreleased(_) | HoldsError::Between { .. } | HoldsError::NotBack { .. } => true,
        HoldsError::StaysAway { source, .. } => matches!(source, NotReady::Down { .. }),
        HoldsError::Lost { .. }
        | HoldsError::Unseen { .. }
        | HoldsError::Unwatched(_)
        | HoldsError::Overdue(_)
        | HoldsError::Journal(_)
        | HoldsError::Unreadable(_)
        | HoldsError::Guard(_) => false,
    }
}
