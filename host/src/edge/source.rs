//! Where a source lies: a directory as it is named, or what Docker knows by a volume or a container.

mod error;
mod own;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use copal_core::config::Source;

pub use error::SourceError;
use own::{is_mount_point, within_own_container};

use crate::edge::docker::{DockerHost, Engine, Mounted, Volume, converse};

/// How long Docker may take to say where a source lies.
const ANSWER: Duration = Duration::from_secs(30);

/// A source that was found. Whether it is there, and a directory, is for the plan to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The directory.
    pub path: PathBuf,
    /// What it was found by, such as "volume `open-webui`", where it is not named itself.
    pub by: Option<String>,
}

/// Finds out where a source lies. `engine` is what the configuration says of Docker's; paths are
/// relative to `base`.
pub fn locate(source: &Source, engine: Option<&Path>, base: &Path) -> Result<Located, SourceError> {
    let by = match source {
        Source::Path { path, .. } => {
            return Ok(Located {
                path: path.resolve(base),
                by: None,
            });
        }
        Source::Volume { volume, .. } => format!("volume `{volume}`"),
        Source::Container { container, .. } => format!("container `{container}`"),
    };
    let host = DockerHost::choose(engine)?;
    let found = converse(
        &host,
        Instant::now() + ANSWER,
        async |engine| match source {
            Source::Volume { volume, .. } => {
                lies(engine, of_volume(engine, volume.as_str()).await?).await
            }
            Source::Container {
                container, mount, ..
            } => {
                let place = of_container(engine, container.as_str(), mount.as_deref()).await?;
                lies(engine, place).await
            }
            Source::Path { .. } => unreachable!("it was answered above"),
        },
    )?;
    let by = match found.seen_at {
        Some(own) => format!("{by}, mounted here at `{}`", own.display()),
        None => by,
    };
    Ok(Located {
        path: found.path,
        by: Some(by),
    })
}

/// A directory of the engine's machine.
struct Place {
    path: PathBuf,
    /// What is mounted there by the engine, only while a container uses it.
    mounted_for: Option<String>,
}

/// The same as this process sees it.
struct Seen {
    path: PathBuf,
    /// The mount of our own container that shows it.
    seen_at: Option<PathBuf>,
}

async fn of_volume(engine: &Engine<'_>, name: &str) -> Result<Place, SourceError> {
    let volume = engine.volume(name).await?;
    let volume = volume.ok_or_else(|| SourceError::NoVolume {
        name: name.to_owned(),
    })?;
    place_of(name, &volume)
}

fn place_of(name: &str, volume: &Volume) -> Result<Place, SourceError> {
    let option = |name: &str| volume.options.get(name).map(String::as_str);
    // A directory of its owner's choice, which the engine would bind to the volume's place: it is
    // there also when no container runs.
    let is_bind =
        option("o").is_some_and(|list| list.split(',').any(|word| word.ends_with("bind")));
    if let Some(device) = option("device").filter(|_| volume.driver == "local" && is_bind) {
        return Ok(Place {
            path: PathBuf::from(device),
            mounted_for: None,
        });
    }
    if volume.mountpoint.is_empty() {
        return Err(SourceError::NoPlace {
            name: name.to_owned(),
            driver: volume.driver.clone(),
        });
    }
    let is_plain = volume.driver == "local" && option("device").is_none();
    Ok(Place {
        path: PathBuf::from(&volume.mountpoint),
        mounted_for: (!is_plain).then(|| name.to_owned()),
    })
}

async fn of_container(
    engine: &Engine<'_>,
    name: &str,
    mount: Option<&Path>,
) -> Result<Place, SourceError> {
    let container = engine.container(name).await?;
    let container = container.ok_or_else(|| SourceError::NoContainer {
        name: name.to_owned(),
    })?;
    let chosen = choose(name, &container.mounts, mount)?;
    match &chosen.volume {
        Some(volume) => of_volume(engine, volume).await,
        None => Ok(Place {
            path: PathBuf::from(&chosen.source),
            mounted_for: None,
        }),
    }
}

fn choose<'a>(
    container: &str,
    mounts: &'a [Mounted],
    wanted: Option<&Path>,
) -> Result<&'a Mounted, SourceError> {
    let container = || container.to_owned();
    let all = || {
        mounts
            .iter()
            .map(|mount| mount.destination.clone())
            .collect()
    };
    match (wanted, mounts) {
        (_, []) => Err(SourceError::NoMounts {
            container: container(),
        }),
        (None, [only]) => Ok(only),
        (None, _) => Err(SourceError::WhichMount {
            container: container(),
            mounts: all(),
        }),
        (Some(wanted), _) => {
            let mut found = mounts.iter();
            let found = found.find(|mount| Path::new(&mount.destination) == wanted);
            found.ok_or_else(|| SourceError::NoSuchMount {
                container: container(),
                wanted: wanted.to_owned(),
                mounts: all(),
            })
        }
    }
}

/// Where this process sees a directory of the engine's machine: in a container, where that container
/// has it mounted.
async fn lies(engine: &Engine<'_>, place: Place) -> Result<Seen, SourceError> {
    if let Some((path, mount)) = within_own_container(engine, &place.path).await? {
        return Ok(Seen {
            path,
            seen_at: Some(mount),
        });
    }
    // What may not be looked at is there, for all we know: reading it will say so.
    let is_missing = fs::symlink_metadata(&place.path)
        .is_err_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory));
    if is_missing {
        return Err(SourceError::NotHere { path: place.path });
    }
    if let Some(volume) = place.mounted_for
        && !is_mount_point(&place.path)
    {
        return Err(SourceError::NotMounted {
            volume,
            path: place.path,
        });
    }
    Ok(Seen {
        path: place.path,
        seen_at: None,
    })
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
