//! Why a source can't be found, and what to do about it.

use std::path::PathBuf;

use crate::edge::docker::{EngineError, UnusableHost};

/// A source that Docker would know can't be found.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The engine's address is of no use.
    #[error(transparent)]
    Host(#[from] UnusableHost),
    /// The engine did not say.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There is no such volume.
    #[error("Docker has no volume `{name}`")]
    NoVolume {
        /// Its name.
        name: String,
    },
    /// There is no such container.
    #[error("Docker has no container `{name}`")]
    NoContainer {
        /// Its name.
        name: String,
    },
    /// A volume's driver does not say where it lies.
    #[error("volume `{name}` has no directory: its driver `{driver}` names none")]
    NoPlace {
        /// Its name.
        name: String,
        /// The driver.
        driver: String,
    },
    /// A container has nothing mounted.
    #[error(
        "container `{container}` has nothing mounted: its data lies within it, and goes with it"
    )]
    NoMounts {
        /// The container.
        container: String,
    },
    /// A container has several things mounted.
    #[error("container `{container}` has {} mounts, and any of them could be meant", mounts.len())]
    WhichMount {
        /// The container.
        container: String,
        /// Where they are, as it sees them.
        mounts: Vec<String>,
    },
    /// A container has nothing mounted at that place.
    #[error("container `{container}` has nothing mounted at `{}`", wanted.display())]
    NoSuchMount {
        /// The container.
        container: String,
        /// The place.
        wanted: PathBuf,
        /// Where there is something.
        mounts: Vec<String>,
    },
    /// A volume is mounted only while it is used.
    #[error("nothing is mounted at `{}`: volume `{volume}` is there only while a container uses it", path.display())]
    NotMounted {
        /// The volume.
        volume: String,
        /// Where it would be.
        path: PathBuf,
    },
    /// What the engine speaks of is not visible here.
    #[error("`{}`, where Docker says it lies, is not on this machine or not visible here", path.display())]
    NotHere {
        /// Where it would be.
        path: PathBuf,
    },
}

impl SourceError {
    /// What to do about it.
    pub fn advice(&self) -> String {
        match self {
            Self::Host(_) => {
                "write `host = \"unix:///…\"` under [docker], or set DOCKER_HOST so".to_owned()
            }
            Self::Engine(error) => error.advice(),
            Self::NoVolume { .. } => {
                "see which there are with `docker volume ls`; Compose puts its project's name before".to_owned()
            }
            Self::NoContainer { .. } => "see which there are with `docker ps --all`".to_owned(),
            Self::NoPlace { .. } => {
                "name the container that uses it and run Copal beside it, or name a directory with `source.path`".to_owned()
            }
            Self::NoMounts { .. } => {
                "give it a volume for its data, as its documentation says, or name a directory with `source.path`".to_owned()
            }
            Self::WhichMount { mounts, .. } | Self::NoSuchMount { mounts, .. } => {
                let lines: Vec<_> = mounts.iter().map(|at| format!("`mount = \"{at}\"`")).collect();
                format!("add one of these lines under [source]: {}", lines.join(", "))
            }
            Self::NotMounted { .. } => "start a container that uses it, and run this again".to_owned(),
            Self::NotHere { .. } => {
                "run Copal where the engine runs; in a container, mount the volume into it (`--volume NAME:/data`)".to_owned()
            }
        }
    }
}
