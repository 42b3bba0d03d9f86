//! A look around: containers and volumes, usual directories, rclone's remotes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::starter::{App, Origin};
use serde_json::json;

use super::Place;
use crate::edge::docker::{DockerHost, EngineError, Listed, Mounted, converse};
use crate::edge::environment::variable;
use crate::edge::rclone::Rclone;

/// How long Docker may take.
const ANSWER: Duration = Duration::from_secs(15);

/// Where Open WebUI keeps its data in its container.
const DATA: &str = "/app/backend/data";

/// Where it is kept by the words of its documentation, and of its tutorials.
const USUAL: [&str; 3] = ["/opt/open-webui", DATA, "/var/lib/open-webui"];

/// What is in each data directory of it.
const DATABASE: &str = "webui.db";

/// Directories in which an app's data may lie.
#[derive(Debug, Clone)]
pub struct AppPaths(Vec<PathBuf>);

impl AppPaths {
    /// Those of Open WebUI on this machine: what `DATA_DIR` says, and the usual ones.
    pub fn usual() -> Self {
        let own = variable("DATA_DIR").map(PathBuf::from);
        Self(own.into_iter().chain(USUAL.map(PathBuf::from)).collect())
    }
}

/// What looks like the data of an app that is known. Docker is passed over where there is none.
pub fn places(paths: &AppPaths) -> Vec<Place> {
    let (containers, volumes) = ask_docker().unwrap_or_else(|why| {
        tracing::info!("Docker is not looked at: {why}");
        Default::default()
    });
    let mut found: Vec<Place> = containers.iter().filter_map(of_container).collect();
    let of_volumes = volumes.iter().filter(|volume| is_named_so(volume));
    found.extend(of_volumes.map(|volume| Place {
        origin: Origin::Volume(volume.clone()),
        container: None,
        app: App::OpenWebUi,
    }));
    let there = paths.0.iter().filter(|path| path.join(DATABASE).is_file());
    found.extend(there.filter_map(|path| of_directory(path)));
    // The first has most to say of it.
    let mut places: Vec<Place> = Vec::new();
    for place in found {
        if !places.iter().any(|known| known.origin == place.origin) {
            places.push(place);
        }
    }
    places
}

/// A place that was named, with the container that has it mounted, and whether its app is known; or why Docker
/// did not tell, and what is known without it.
pub fn with_container(origin: Origin) -> (Place, Result<(), String>) {
    match ask_docker() {
        Ok((containers, _)) => (among(&containers, origin), Ok(())),
        Err(why) => (among(&[], origin), Err(why)),
    }
}

fn among(containers: &[Listed], origin: Origin) -> Place {
    let named =
        |one: &&Listed| matches!(&origin, Origin::Container { name, .. } if *name == one.name);
    if let Some(one) = containers.iter().find(named) {
        return Place {
            origin: data_of(one).unwrap_or(origin),
            container: Some(one.name.clone()),
            app: if is_open_webui(one) {
                App::OpenWebUi
            } else {
                App::Other
            },
        };
    }
    let mounts_it = |one: &&Listed| one.mounts.iter().any(|mount| of_mount(mount) == origin);
    let container = containers.iter().find(mounts_it);
    let is_known = match &origin {
        Origin::Path(path) => Path::new(path).join(DATABASE).is_file(),
        Origin::Volume(volume) => is_named_so(volume),
        Origin::Container { name, .. } => is_named_so(name),
    };
    let is_known = is_known || container.is_some_and(is_open_webui);
    Place {
        container: container.map(|one| one.name.clone()),
        app: if is_known { App::OpenWebUi } else { App::Other },
        origin,
    }
}

/// The remotes of rclone's configuration, by their names.
pub fn remotes(rclone: &Rclone) -> Vec<String> {
    let told = match rclone.call("config/listremotes", &json!({})) {
        Ok(told) => told,
        Err(error) => {
            tracing::info!("rclone's remotes are not known: {error}");
            return Vec::new();
        }
    };
    let names = told["remotes"].as_array().cloned().unwrap_or_default();
    let names = names.iter().filter_map(|name| name.as_str());
    names.map(|name| format!("{name}:")).collect()
}

fn ask_docker() -> Result<(Vec<Listed>, Vec<String>), String> {
    let host = DockerHost::choose(None).map_err(|error| error.to_string())?;
    let asked = converse(&host, Instant::now() + ANSWER, async |engine| {
        Ok::<_, EngineError>((engine.containers().await?, engine.volumes().await?))
    });
    asked.map_err(|error| error.to_string())
}

fn of_container(one: &Listed) -> Option<Place> {
    let origin = data_of(one).filter(|_| is_open_webui(one))?;
    Some(Place {
        origin,
        container: Some(one.name.clone()),
        app: App::OpenWebUi,
    })
}

fn of_directory(path: &Path) -> Option<Place> {
    let real = path.canonicalize().ok()?;
    Some(Place {
        origin: Origin::Path(real.to_str()?.to_owned()),
        container: None,
        app: App::OpenWebUi,
    })
}

/// What a container keeps its data in: it may be made anew, and the volume or directory stays.
fn data_of(one: &Listed) -> Option<Origin> {
    let mounts = &one.mounts[..];
    let data = mounts.iter().find(|mount| mount.destination == DATA);
    match (data, mounts) {
        (Some(data), _) | (None, [data]) => Some(of_mount(data)),
        (None, _) => None,
    }
}

fn of_mount(mount: &Mounted) -> Origin {
    match &mount.volume {
        Some(volume) => Origin::Volume(volume.clone()),
        None => Origin::Path(mount.source.clone()),
    }
}

fn is_open_webui(one: &Listed) -> bool {
    let labels = one.labels.values().any(|value| is_named_so(value));
    labels || is_named_so(&one.name) || is_named_so(&one.image)
}

fn is_named_so(text: &str) -> bool {
    let plain: String = text.to_lowercase().replace(['-', '_', ' '], "");
    plain.contains("openwebui")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(name: &str, image: &str, mounts: &[(Option<&str>, &str, &str)]) -> Listed {
        let mounts = mounts.iter().map(|(volume, source, destination)| Mounted {
            volume: volume.map(str::to_owned),
            source: (*source).to_owned(),
            destination: (*destination).to_owned(),
        });
        Listed {
            name: name.to_owned(),
            image: image.to_owned(),
            labels: std::collections::HashMap::new(),
            mounts: mounts.collect(),
        }
    }

    #[test]
    fn a_container_is_known_by_its_image_and_its_data_by_where_it_is_mounted() {
        let image = "ghcr.io/open-webui/open-webui:main";
        let one = listed(
            "chat",
            image,
            &[
                (None, "/etc/certs", "/certs"),
                (
                    Some("chat_data"),
                    "/var/lib/docker/volumes/chat_data/_data",
                    DATA,
                ),
            ],
        );
        let place = of_container(&one).unwrap();
        assert_eq!(place.origin, Origin::Volume("chat_data".to_owned()));
        assert_eq!(place.container.as_deref(), Some("chat"));
        let bound = listed("Open_WebUI", "other", &[(None, "/srv/data", DATA)]);
        let place = of_container(&bound).unwrap();
        assert_eq!(place.origin, Origin::Path("/srv/data".to_owned()));
        for other in [
            listed("db", "postgres", &[(Some("db"), "/x", "/data")]),
            listed("open-webui", image, &[]),
            listed(
                "open-webui",
                image,
                &[(None, "/a", "/a"), (None, "/b", "/b")],
            ),
        ] {
            assert_eq!(of_container(&other), None, "{other:?}");
        }
    }
}
