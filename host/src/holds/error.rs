//! What can go wrong with holds, as facts.

use std::io;
use std::time::Duration;

use jiff::Timestamp;

use super::journal::JournalError;
use super::left::Left;
use crate::edge::service::{HoldHow, Loss, NotReady, ServiceError};

/// What ends a run about its holds, or falls short of them.
#[derive(Debug, thiserror::Error)]
pub enum HoldsError {
    /// A service is held, and nobody could release it: the one that must wake somebody.
    #[error("{}", .0.told())]
    Unreleased(#[source] Left),
    /// An exchange can't be brought to either end.
    #[error("the source `{}` is between two trees", .live.display())]
    Between {
        /// The source.
        live: std::path::PathBuf,
        /// What keeps it there.
        why: String,
    },
    /// A service is released, and does not come back.
    #[error("service `{service}` was released and is not back after {waited:?}")]
    NotBack {
        /// The service.
        service: String,
        /// How long it was waited for.
        waited: Duration,
        /// How it is.
        source: NotReady,
    },
    /// A service can't come back by itself, so that it is not waited for.
    #[error("service `{service}` does not come back")]
    StaysAway {
        /// The service.
        service: String,
        /// What became of it.
        source: NotReady,
    },
    /// A hold ended by itself while it was relied on.
    #[error("service `{service}` did not stay {how}: {loss}")]
    Lost {
        /// The service.
        service: String,
        /// How it was to be held.
        how: &'static str,
        /// What ended it.
        loss: Loss,
    },
    /// Whether a hold lasted can't be known.
    #[error("it can't be seen whether service `{service}` stayed {how}")]
    Unseen {
        /// The service.
        service: String,
        /// How it was to be held.
        how: &'static str,
        /// Why not.
        source: ServiceError,
    },
    /// Nobody tells whether what is paused goes on in between. At the end all of it was.
    #[error("it can't be seen whether what was paused went on in between")]
    Unwatched(#[source] ServiceError),
    /// The holds lasted too long, and were ended.
    #[error("staging was not done within `max_pause` ({0:?}): what was held is released")]
    Overdue(Duration),
    /// The journal can't be kept.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A journal has lines that this version can't read.
    #[error("the journal `{}` has lines that this version of Copal can't read", .0.display())]
    Unreadable(std::path::PathBuf),
    /// There is no guard, and without one nothing is held.
    #[error("can't start the guard, the process that releases services if this one is killed")]
    Guard(#[source] io::Error),
}

/// Why a hook can't hold something.
#[derive(Debug, thiserror::Error)]
pub enum HoldFailure {
    /// It is not the time for it.
    #[error("services can be held between `pre-backup` and the end of staging alone")]
    NotNow,
    /// What has to be there before it is not.
    #[error(transparent)]
    Holds(Box<HoldsError>),
    /// It is held already, and that is Copal's own doing.
    #[error(
        "service `{service}` is held since {since:.0} by the run {run} of `{job}`, which has not released it yet; back up again when it has"
    )]
    Elsewhere {
        /// The service.
        service: String,
        /// Since when.
        since: Timestamp,
        /// The run that holds it.
        run: String,
        /// That run's job.
        job: String,
    },
    /// The service can't be.
    #[error(transparent)]
    Service(Box<ServiceError>),
}

impl From<HoldsError> for HoldFailure {
    fn from(error: HoldsError) -> Self {
        Self::Holds(Box::new(error))
    }
}

impl From<ServiceError> for HoldFailure {
    fn from(error: ServiceError) -> Self {
        Self::Service(Box::new(error))
    }
}

impl From<JournalError> for HoldFailure {
    fn from(error: JournalError) -> Self {
        HoldsError::from(error).into()
    }
}

/// What a service is while it is held.
pub const fn held(how: HoldHow) -> &'static str {
    match how {
        HoldHow::Pause => "paused",
        HoldHow::Stop { .. } => "stopped",
    }
}

impl HoldsError {
    pub(super) fn not_back(service: String, waited: Duration, source: NotReady) -> Self {
        if matches!(source, NotReady::Gone { .. } | NotReady::Down { .. }) {
            return Self::StaysAway { service, source };
        }
        Self::NotBack {
            service,
            waited,
            source,
        }
    }

    /// The worst first.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Unreleased(_) | Self::Between { .. } => 0,
            Self::Unreadable(_) => 1,
            Self::Overdue(_) => 2,
            Self::Lost { .. } | Self::Unseen { .. } => 3,
            Self::Unwatched(_) => 7,
            Self::NotBack { .. } | Self::StaysAway { .. } => 4,
            Self::Guard(_) => 5,
            Self::Journal(_) => 6,
        }
    }

    /// Whether what was staged under the holds is of no use.
    pub fn spoils(&self) -> bool {
        match self {
            Self::Unreleased(_)
            | Self::Overdue(_)
            | Self::Lost { .. }
            | Self::Unseen { .. }
            | Self::Guard(_) => true,
            Self::Between { .. }
            | Self::NotBack { .. }
            | Self::StaysAway { .. }
            | Self::Unreadable(_)
            | Self::Unwatched(_)
            | Self::Journal(_) => false,
        }
    }

    /// Why it is an error at all, for what has no cause below it.
    pub fn reason(&self) -> Option<String> {
        let reason = match self {
            Self::Lost { .. } => "what was staged meanwhile is of no one moment, and is not used",
            Self::Overdue(_) => "the app is to be back by then, whatever happens",
            Self::Unreadable(_) => "a service may be held still that only they tell of",
            Self::Between { why, .. } => why.as_str(),
            _ => return None,
        };
        Some(reason.to_owned())
    }

    /// Whether a service that ran before may be down.
    pub fn is_down(&self) -> bool {
        match self {
            Self::Unreleased(_)
            | Self::Between { .. }
            | Self::NotBack { .. }
            | Self::Unreadable(_) => true,
            Self::StaysAway { source, .. } => matches!(source, NotReady::Down { .. }),
            Self::Lost { .. }
            | Self::Unseen { .. }
            | Self::Unwatched(_)
            | Self::Overdue(_)
            | Self::Journal(_)
            | Self::Guard(_) => false,
        }
    }
}
