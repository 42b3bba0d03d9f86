//! What can go wrong with a service, as facts, and what to do about each.

use std::time::Duration;

use crate::edge::docker::{EngineError, UnusableHost};

/// A service could not be looked at, held or released.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The engine's address is of no use.
    #[error(transparent)]
    Host(#[from] UnusableHost),
    /// The engine did not do what it was asked for.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// What happened to what is paused is not known any more.
    #[error(
        "the engine has forgotten how container `{name}` was paused, and the connection over which it told what happens broke: {why}"
    )]
    Forgotten {
        /// Its name.
        name: String,
        /// How the connection ended.
        why: String,
    },
    /// The engine, or somebody before it, does not tell what happens to what is paused.
    #[error("{why}")]
    Unwatched {
        /// What it said.
        why: String,
    },
    /// A container that is removed when it stops.
    #[error(
        "can't stop container `{name}`: it was started with `--rm`, and would be gone for good"
    )]
    Vanishes {
        /// Its name.
        name: String,
    },
    /// It ended, or was paused or started by somebody else, just before it was to be held.
    #[error("can't hold {what}: {found}, and it ran a moment before")]
    Moved {
        /// The service, such as "container `web`".
        what: String,
        /// What was found.
        found: &'static str,
    },
    /// The container that Copal itself runs in.
    #[error("can't hold container `{name}`: Copal itself runs in it, and could not release it")]
    Own {
        /// Its name.
        name: String,
    },
    /// A container that ends again and again, and is started each time by its engine.
    #[error(
        "can't hold container `{name}`: it ends again and again, last with exit code {exit_code}, and its engine may start it in the middle"
    )]
    Restarting {
        /// Its name.
        name: String,
        /// The exit code of its last end.
        exit_code: i64,
    },
    /// A unit that fails again and again, and is started each time by systemd.
    #[error(
        "can't hold unit `{unit}`: it fails again and again, and systemd may start it in the middle"
    )]
    Failing {
        /// Its name.
        unit: String,
    },
    /// It can't be held that way.
    #[error("can't pause {what}: {why}")]
    NoPause {
        /// The service.
        what: String,
        /// Why not.
        why: &'static str,
    },
    /// A program can't be started.
    #[error("can't run `{program}`: {why}")]
    Program {
        /// The program with its arguments.
        program: String,
        /// What the system said.
        why: String,
    },
    /// A program failed.
    #[error("`{program}` ended with exit code {code}{}", words(.said))]
    Failed {
        /// The program with its arguments.
        program: String,
        /// Its exit code.
        code: i32,
        /// The end of what it said.
        said: String,
    },
    /// A program that is to say whether a service runs said neither.
    #[error(
        "`{program}` does not say whether the service runs: it ended with exit code {code}, and only 0 (it runs) and 1 to 125 (it does not) do{}", words(.said)
    )]
    Untold {
        /// The program with its arguments.
        program: String,
        /// Its exit code, or 128 and the number of the signal that ended it.
        code: i32,
        /// The end of what it said.
        said: String,
    },
    /// A program was killed when its time was over.
    #[error("`{program}` was killed after {limit:?}")]
    Slow {
        /// The program with its arguments.
        program: String,
        /// How long it could run.
        limit: Duration,
    },
    /// A program that is to say whether a service runs did not, and was killed.
    #[error("`{program}` did not say within {limit:.0?} whether the service runs, and was killed")]
    Mute {
        /// The program with its arguments.
        program: String,
        /// How long it could run.
        limit: Duration,
    },
    /// There was no time left for it.
    #[error("there was no time left to {deed}")]
    OutOfTime {
        /// What was to be done.
        deed: String,
    },
    /// The run is to end.
    #[error("interrupted before it could {deed}")]
    Interrupted {
        /// What was to be done.
        deed: String,
    },
    /// It was given the undo of another kind of service.
    #[error("the hold is not of this service")]
    Foreign,
}

fn words(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}

impl ServiceError {
    /// Whether trying again may help by itself: whoever would have to answer is away.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Engine(error) if error.may_pass())
    }

    /// Whether what was to hold the service may still have an effect, though it failed.
    pub fn leaves_open(&self) -> bool {
        match self {
            Self::Engine(EngineError::OutOfTime { .. }) => false,
            Self::Engine(error) => error.may_pass() || matches!(error, EngineError::Unsound { .. }),
            // What it had started in other groups goes on; and a stop that failed may have been heard.
            Self::Slow { .. } | Self::Failed { .. } => true,
            _ => false,
        }
    }

    /// Whether what was to hold the service was given up in the middle.
    pub fn is_given_up(&self) -> bool {
        matches!(self, Self::Slow { .. })
    }

    /// What to do about it.
    pub fn advice(&self) -> String {
        match self {
            Self::Host(_) => {
                "write `host = \"unix:///…\"` under `[docker]`, or set DOCKER_HOST so".into()
            }
            Self::Engine(error) => error.advice(),
            Self::Forgotten { .. } => {
                "see what ended the connection: an engine that restarted, or a proxy before it that ends what is silent for long (give it more time)".into()
            }
            Self::Unwatched { .. } => {
                "let `GET /events` pass to the engine (`EVENTS=1` for docker-socket-proxy)".into()
            }
            Self::Vanishes { name } => {
                format!("hold it with `how = \"pause\"`, or make `{name}` anew without `--rm`")
            }
            Self::Restarting { name, .. } => format!(
                "see `docker logs {name}` for why it ends; once it is stopped it is left so"
            ),
            Self::Failing { unit } => format!(
                "see `journalctl -u {unit}` for why it fails; once it is stopped it is left so"
            ),
            Self::Own { .. } => {
                "leave it out of the service, or run Copal in another container".into()
            }
            Self::NoPause { .. } => "hold it with `how = \"stop\"`".into(),
            Self::Program { .. } => {
                "write the program's whole path into `copal.toml`, or put it into PATH".into()
            }
            Self::Failed { program, .. } | Self::Untold { program, .. } => {
                format!("run `{program}` by hand to see why")
            }
            Self::Slow { .. } => {
                "see why it takes so long, or give it more time with `timeout`".into()
            }
            Self::Mute { program, .. } => format!(
                "run `{program}` by hand to see why it takes so long: a `state` has 10 s, whatever `timeout` says"
            ),
            Self::OutOfTime { .. } => "give it more time with `max_pause` under `[staging]`".into(),
            Self::Moved { .. } | Self::Interrupted { .. } => "run it again".into(),
            Self::Foreign => "this is a mistake in Copal: please report it".into(),
        }
    }
}

impl From<EngineError> for NotReady {
    fn from(error: EngineError) -> Self {
        Self::Unknown(error.into())
    }
}

/// A service is not what it was before the hold.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// It does not run, or is not healthy, and the time is over.
    #[error("{what} {how}")]
    Late {
        /// The service, such as "container `web`".
        what: String,
        /// What it is instead, such as "does not run: it ended with exit code 1".
        how: String,
    },
    /// It can't come back, and what runs under its name would be another.
    #[error("container `{name}` was removed")]
    Gone {
        /// Its name.
        name: String,
    },
    /// It ended while it was paused, for example with its engine.
    #[error(
        "container `{name}` ended with exit code {exit_code} while it was paused, and a pause starts nothing"
    )]
    Down {
        /// Its name.
        name: String,
        /// Its exit code.
        exit_code: i64,
    },
    /// It can't be seen how it is.
    #[error(transparent)]
    Unknown(#[from] ServiceError),
    /// A signal came. Nothing is held any more.
    #[error("interrupted while waiting until {what} is ready")]
    Interrupted {
        /// The service.
        what: String,
    },
}
