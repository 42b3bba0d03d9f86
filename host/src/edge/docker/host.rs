//! Where an engine listens.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where Docker's engine listens by default.
const DEFAULT: &str = "/var/run/docker.sock";

/// The variable that Docker's own tools obey.
const VARIABLE: &str = "DOCKER_HOST";

/// The socket of an engine on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DockerHost(PathBuf);

/// An engine that can't be spoken to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("can't use the Docker engine at `{host}`")]
pub struct UnusableHost {
    /// What was written.
    pub host: String,
    /// Why.
    #[source]
    pub why: HostFault,
}

/// Why an engine can't be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostFault {
    /// It is elsewhere.
    #[error(
        "only an engine's Unix socket on this machine is used: a source on another is not here to be read"
    )]
    Elsewhere,
    /// It has no absolute path.
    #[error("the path of the socket is not absolute")]
    Relative,
}

impl DockerHost {
    /// The engine of the configuration, else that of `DOCKER_HOST`, else Docker's default.
    pub fn choose(configured: Option<&Path>) -> Result<Self, UnusableHost> {
        Self::of(configured, std::env::var_os(VARIABLE).as_deref())
    }

    fn of(configured: Option<&Path>, variable: Option<&OsStr>) -> Result<Self, UnusableHost> {
        let variable = variable.filter(|value| !value.is_empty());
        match (configured, variable) {
            (Some(socket), _) => Ok(Self(socket.to_owned())),
            (None, Some(value)) => Self::parse(&value.to_string_lossy()),
            (None, None) => Ok(Self(PathBuf::from(DEFAULT))),
        }
    }

    /// `unix:///a/path`, or the path alone.
    pub fn parse(text: &str) -> Result<Self, UnusableHost> {
        let unusable = |why| UnusableHost {
            host: text.to_owned(),
            why,
        };
        let path = text.strip_prefix("unix://").unwrap_or(text);
        if path.contains("://") {
            Err(unusable(HostFault::Elsewhere))
        } else if Path::new(path).is_absolute() {
            Ok(Self(PathBuf::from(path)))
        } else {
            Err(unusable(HostFault::Relative))
        }
    }

    /// The socket.
    pub fn socket(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for DockerHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unix://{}", self.0.display())
    }
}

impl TryFrom<String> for DockerHost {
    type Error = UnusableHost;

    fn try_from(text: String) -> Result<Self, UnusableHost> {
        Self::parse(&text)
    }
}

impl From<DockerHost> for String {
    fn from(host: DockerHost) -> Self {
        host.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_comes_before_the_variable_and_that_before_the_default() {
        let of = |configured: Option<&str>, variable: Option<&str>| {
            let host = DockerHost::of(configured.map(Path::new), variable.map(OsStr::new));
            host.unwrap().to_string()
        };
        assert_eq!(of(Some("/a"), Some("unix:///b")), "unix:///a");
        assert_eq!(of(None, Some("unix:///b")), "unix:///b");
        assert_eq!(of(None, Some("")), "unix:///var/run/docker.sock");
        assert_eq!(of(None, None), "unix:///var/run/docker.sock");
        assert_eq!(of(None, Some("/run/b.sock")), "unix:///run/b.sock");
    }

    #[test]
    fn an_engine_elsewhere_is_refused() {
        for (host, why) in [
            ("tcp://10.0.0.1:2375", HostFault::Elsewhere),
            ("ssh://me@there", HostFault::Elsewhere),
            ("docker.sock", HostFault::Relative),
            ("unix://docker.sock", HostFault::Relative),
        ] {
            assert_eq!(DockerHost::parse(host).unwrap_err().why, why, "{host}");
        }
    }

    #[test]
    fn a_host_survives_the_journal() {
        let host = DockerHost::parse("unix:///run/x.sock").unwrap();
        let text = serde_json::to_string(&host).unwrap();
        assert_eq!(serde_json::from_str::<DockerHost>(&text).unwrap(), host);
    }
}
