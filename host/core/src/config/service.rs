//! `[service.NAME]`: something that runs on the source, and can be held still for a while.

use std::fmt;
use std::time::Duration;

use super::Name;
use crate::diagnostic::Place;

/// One `[service.NAME]`.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Service {
    /// What grants and hooks call it.
    pub name: Name,
    /// What it is, and who stops and starts it.
    pub driver: ServiceDriver,
    /// How long a release waits until it runs again and is healthy.
    pub ready: Duration,
    /// Where the configuration speaks of it.
    pub place: Option<Place>,
}

/// What a service is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServiceDriver {
    /// A container.
    Docker {
        /// Its name or id.
        container: Name,
    },
    /// The containers of a Compose project.
    Compose {
        /// The project.
        project: Name,
        /// Those of its services that are meant; none named: all.
        services: Vec<Name>,
    },
    /// A unit of systemd.
    Systemd {
        /// Its whole name, such as `open-webui.service`.
        unit: String,
        /// Whether it is one of the user's own manager.
        user: bool,
    },
    /// Whatever the owner's commands stop and start.
    Command(ServiceCommands),
}

impl ServiceDriver {
    /// What is to be said where there is no such thing: "no container `app`".
    pub fn absence(&self) -> String {
        match self {
            Self::Docker { container } => format!("no container `{container}`"),
            Self::Compose { project, services } if services.is_empty() => {
                format!("no container of project `{project}`")
            }
            Self::Compose { project, services } => {
                let names: Vec<_> = services.iter().map(|name| format!("`{name}`")).collect();
                format!(
                    "no container of {} in project `{project}`",
                    names.join(" or ")
                )
            }
            Self::Systemd { unit, .. } => format!("no unit `{unit}`"),
            Self::Command(_) => "it is not there".to_owned(),
        }
    }
}

impl fmt::Display for ServiceDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Docker { container } => write!(f, "docker {container}"),
            Self::Compose { project, services } if services.is_empty() => {
                write!(f, "compose {project}")
            }
            Self::Compose { project, services } => {
                let names: Vec<_> = services.iter().map(ToString::to_string).collect();
                write!(f, "compose {project} ({})", names.join(", "))
            }
            Self::Systemd { unit, user: false } => write!(f, "systemd {unit}"),
            Self::Systemd { unit, user: true } => write!(f, "systemd {unit} of this user"),
            Self::Command(_) => f.write_str("command"),
        }
    }
}

/// The commands that stop and start a service: each a program and its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ServiceCommands {
    /// Stops it.
    pub stop: Vec<String>,
    /// Starts it.
    pub start: Vec<String>,
    /// Ends with exit code 0 where it runs. Without it, it is taken for running.
    pub state: Option<Vec<String>>,
    /// How long each may take.
    pub timeout: Duration,
}
