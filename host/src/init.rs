//! What is there to back up, and where to: found by looking around, for the configuration that a job begins
//! with. Nothing is changed.

mod around;
mod error;
mod starter;

use std::path::Path;

use crate::edge::frozen::existing;

pub use around::{AppPaths, places, remotes, with_container};
pub use error::InitError;
pub use starter::{App, Origin, Starter};

/// Something that may be what is to be backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub origin: Origin,
    /// The container that writes to it, if there is one.
    pub container: Option<String>,
    /// Whose data it is.
    pub app: App,
}

impl Place {
    /// It, for people.
    pub fn told(&self) -> String {
        let place = match &self.origin {
            Origin::Path(path) => format!("the directory `{path}`"),
            Origin::Volume(volume) => format!("the volume `{volume}`"),
            Origin::Container {
                name,
                mount: Some(mount),
            } => format!("`{mount}` of the container `{name}`"),
            Origin::Container { name, mount: None } => format!("the container `{name}`"),
        };
        match (&self.container, &self.origin) {
            (Some(container), Origin::Path(_) | Origin::Volume(_)) => {
                format!("{place} of the container `{container}`")
            }
            _ => place,
        }
    }

    /// Refuses a directory in it as a destination, as each backup would.
    pub fn refuse_inside(&self, destination: &Path) -> Result<(), InitError> {
        let Origin::Path(source) = &self.origin else {
            return Ok(());
        };
        // What is not there yet is made in the directory that is.
        let there = existing(destination).canonicalize();
        if there.is_ok_and(|there| there.starts_with(source)) {
            return Err(InitError::InSource {
                destination: destination.to_owned(),
                source_dir: source.clone(),
            });
        }
        Ok(())
    }

    /// The flag that says so.
    pub fn flag(&self) -> String {
        match &self.origin {
            Origin::Path(path) => format!("--source {path}"),
            Origin::Volume(volume) => format!("--volume {volume}"),
            Origin::Container { name, .. } => format!("--container {name}"),
        }
    }
}
