//! What an engine says of a container.

use std::collections::HashMap;
use std::time::Duration;

use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum as Status, ContainerSummary, HealthConfig,
    HealthStatusEnum, MountPoint, RestartPolicyNameEnum as Policy,
};

/// One container as it was at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its id: one that is made anew under the same name has another.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was made, in the engine's words, which sort.
    pub created: String,
    /// When it was last started, in the engine's words.
    pub started: String,
    /// What it is doing.
    pub doing: Doing,
    /// Whether its health check is content. None where it has no check, or nothing is known yet.
    pub healthy: Option<bool>,
    /// How long after its start, or a pause, its health check has spoken at the latest.
    pub probe: Duration,
    /// Whether it has a health check.
    pub is_checked: bool,
    /// Whether it is removed when it stops.
    pub vanishes: bool,
    /// Whether its engine may start it again when it has ended.
    pub restarts: bool,
    /// The exit code of its last end.
    pub exit_code: i64,
    /// Its labels.
    pub labels: HashMap<String, String>,
    /// What is mounted in it.
    pub mounts: Vec<Mounted>,
}

/// What a container is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// It runs.
    Running,
    /// It is frozen.
    Paused,
    /// It ended, and the engine is about to start it again.
    Restarting,
    /// It was never started, has ended, or is being removed.
    Nothing,
}

/// A directory of the engine's machine within a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mounted {
    /// The volume's name, where it is one.
    pub volume: Option<String>,
    /// Where it lies on the engine's machine.
    pub source: String,
    /// Where it is seen in the container.
    pub destination: String,
}

/// One of all containers, as a list of them tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The name of its image.
    pub image: String,
    /// Its labels.
    pub labels: HashMap<String, String>,
    /// What is mounted in it.
    pub mounts: Vec<Mounted>,
}

impl Listed {
    pub(super) fn of(summary: ContainerSummary) -> Self {
        let names = summary.names.unwrap_or_default();
        let name = names
            .first()
            .map_or("", |name| name.trim_start_matches('/'));
        let mounts = summary.mounts.unwrap_or_default();
        Self {
            name: name.to_owned(),
            image: summary.image.unwrap_or_default(),
            labels: summary.labels.unwrap_or_default(),
            mounts: mounts.into_iter().filter_map(mounted).collect(),
        }
    }
}

impl Container {
    pub(super) fn of(inspected: ContainerInspectResponse) -> Self {
        let state = inspected.state.unwrap_or_default();
        let config = inspected.config.unwrap_or_default();
        let health = state.health.and_then(|health| health.status);
        let mounts = inspected.mounts.unwrap_or_default();
        let host = inspected.host_config.unwrap_or_default();
        let policy = host.restart_policy.and_then(|policy| policy.name);
        Self {
            id: inspected.id.unwrap_or_default(),
            name: inspected
                .name
                .map(|name| name.trim_start_matches('/').to_owned())
                .unwrap_or_default(),
            created: inspected.created.unwrap_or_default(),
            started: state.started_at.unwrap_or_default(),
            doing: match state.status {
                Some(Status::RUNNING) => Doing::Running,
                Some(Status::PAUSED) => Doing::Paused,
                Some(Status::RESTARTING) => Doing::Restarting,
                _ => Doing::Nothing,
            },
            healthy: match health {
                Some(HealthStatusEnum::HEALTHY) => Some(true),
                Some(HealthStatusEnum::UNHEALTHY) => Some(false),
                _ => None,
            },
            probe: probe(config.healthcheck.as_ref()),
            is_checked: !matches!(
                health,
                None | Some(HealthStatusEnum::NONE | HealthStatusEnum::EMPTY)
            ),
            vanishes: host.auto_remove.unwrap_or(false),
            restarts: !matches!(policy, None | Some(Policy::EMPTY | Policy::NO)),
            exit_code: state.exit_code.unwrap_or(0),
            labels: config.labels.unwrap_or_default(),
            mounts: mounts.into_iter().filter_map(mounted).collect(),
        }
    }
}

/// The time between two checks and the time for one, each 30 s where nothing is said.
fn probe(check: Option<&HealthConfig>) -> Duration {
    let time = |nanos: Option<i64>| {
        let said = nanos.and_then(|nanos| u64::try_from(nanos).ok());
        said.filter(|nanos| *nanos > 0)
            .map_or(Duration::from_secs(30), Duration::from_nanos)
    };
    check.map_or(Duration::ZERO, |check| {
        time(check.interval).saturating_add(time(check.timeout))
    })
}

fn mounted(mount: MountPoint) -> Option<Mounted> {
    let is_volume = mount.typ.as_deref() == Some("volume");
    Some(Mounted {
        volume: mount.name.filter(|_| is_volume),
        source: mount.source.filter(|source| !source.is_empty())?,
        destination: mount.destination?,
    })
}
