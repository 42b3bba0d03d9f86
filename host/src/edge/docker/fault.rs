//! What can go wrong between us and an engine.

use std::error::Error;
use std::time::Duration;

use bollard::errors::Error as Bollard;

use super::DockerHost;

/// An engine did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nobody listens at its socket, or we may not speak there.
    #[error("can't reach the Docker engine at `{host}`: {why}")]
    Away {
        /// The engine.
        host: DockerHost,
        /// What the system said.
        why: String,
    },
    /// It took a request and did not answer it.
    #[error("the Docker engine at `{host}` did not {deed} within {limit:.0?}")]
    Silent {
        /// The engine.
        host: DockerHost,
        /// What it was asked for.
        deed: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// It said no.
    #[error("the Docker engine at `{host}` can't {deed}: {why}")]
    Refused {
        /// The engine.
        host: DockerHost,
        /// What it was asked for.
        deed: String,
        /// The status of its answer.
        status: u16,
        /// What it said.
        why: String,
    },
    /// Its answer makes no sense.
    #[error("the Docker engine at `{host}` gave no sound answer when asked to {deed}: {why}")]
    Unsound {
        /// The engine.
        host: DockerHost,
        /// What it was asked for.
        deed: String,
        /// What is wrong with it.
        why: String,
    },
    /// There was no time left to ask it.
    #[error("there was no time left to {deed}")]
    OutOfTime {
        /// What it was to be asked for.
        deed: String,
    },
}

impl EngineError {
    pub(super) fn of(host: &DockerHost, deed: &str, limit: Duration, error: &Bollard) -> Self {
        let (host, deed) = (host.clone(), deed.to_owned());
        match error {
            Bollard::DockerResponseServerError {
                status_code,
                message,
            } => Self::Refused {
                host,
                deed,
                status: *status_code,
                why: said(*status_code, message),
            },
            Bollard::RequestTimeoutError => Self::Silent { host, deed, limit },
            Bollard::SocketNotFoundError(_) => Self::Away {
                host,
                why: "there is no such file".to_owned(),
            },
            Bollard::JsonDataError { .. }
            | Bollard::JsonSerdeError { .. }
            | Bollard::APIVersionParseError {}
            | Bollard::StrParseError { .. } => Self::Unsound {
                host,
                deed,
                why: deepest(error),
            },
            // All others are of the connection; it may also have broken before the answer.
            _ => Self::Away {
                host,
                why: deepest(error),
            },
        }
    }

    /// Whether trying again may help by itself: it is away or busy, for example since it restarts.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Away { .. } | Self::Silent { .. } | Self::OutOfTime { .. } => true,
            Self::Refused { status, .. } => *status == 503,
            Self::Unsound { .. } => false,
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> String {
        match self {
            Self::Away { host, .. } => format!(
                "see that it runs, and that this user may write to `{}` (as root, or in the group `docker`)",
                host.socket().display()
            ),
            Self::Silent { .. } | Self::Unsound { .. } => {
                "see what the engine is doing: `docker ps`, `journalctl -u docker`".to_owned()
            }
            Self::Refused { .. } => "see `docker ps --all` and `journalctl -u docker`".to_owned(),
            Self::OutOfTime { .. } => "see why the engine took so long: `docker ps`".to_owned(),
        }
    }
}

/// What it said, but for the page that a proxy before it makes of a refusal.
fn said(status: u16, message: &str) -> String {
    match message.trim() {
        page if page.is_empty() || page.starts_with('<') => format!("it answers with {status}"),
        message => message.to_owned(),
    }
}

/// What an error says at its bottom, where the system's own words are.
fn deepest(error: &Bollard) -> String {
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
