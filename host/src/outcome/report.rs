//! An outcome as hooks are told of it.

use std::collections::BTreeMap;

use copal_hooks::Report;

use super::{Achieved, Outcome, Verdict};
use crate::error::CopalError;

impl<T: Achieved> Outcome<T> {
    /// The figures of the run as a whole that hooks are told.
    fn counters(&self) -> BTreeMap<String, u64> {
        let troubles = self.errors().count() + self.shortcomings.len();
        let all = self.errors().chain(&self.shortcomings);
        let down = all.filter(|error| error.service_is_down());
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

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;
    use crate::holds::HoldsError;
    use crate::outcome::{Delivered, Delivery, Notes};
    use crate::record::Kind;
    use crate::step::swap::SwapError;

    fn services_down(errors: Vec<CopalError>, shortcomings: Vec<CopalError>) -> Option<u64> {
        let delivery = |error| Delivery {
            destination: String::new(),
            result: Err(error),
            left_behind: None,
            fell_short: None,
        };
        let outcome = Outcome {
            run: String::new(),
            name: String::new(),
            kind: Kind::Restore,
            one_off: false,
            about: None,
            started: Timestamp::UNIX_EPOCH,
            took: Duration::ZERO,
            steps: Vec::new(),
            result: Ok(Delivered {
                deliveries: errors.into_iter().map(delivery).collect(),
                notes: Notes::default(),
            }),
            interrupted: None,
            shortcomings,
            holds: Vec::new(),
            hooks: Vec::new(),
        };
        outcome.report().counters.get("services-down").copied()
    }

    #[test]
    fn hooks_hear_of_each_service_that_is_not_back_whatever_kept_it_down() {
        let between = SwapError::Between {
            live: "/srv/app".into(),
            back: io::Error::other("full"),
            source: io::Error::other("full"),
        };
        let unreadable = || HoldsError::Unreadable("journal".into());
        let not_begun = SwapError::NotBegun(Box::new(unreadable()));
        let in_vain = HoldsError::Overdue(Duration::from_secs(30));
        assert_eq!(services_down(vec![between.into()], Vec::new()), Some(1));
        let errors = vec![not_begun.into(), in_vain.into()];
        assert_eq!(services_down(errors, vec![unreadable().into()]), Some(2));
    }
}
