//! Has archives made of directories, which stand in for the live directories.
//!
//! Config: `paths`, a list of directories from the top of the source; `format`, `tar` or `tar.gz`
//! (the default). Wants the grant `archive`.
#![forbid(unsafe_code)]

use copal_hook_sdk::archive::{self, Format};
use copal_hook_sdk::{Error, ErrorExt, PreBackup, info};
use serde::Deserialize;

struct Archive;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    paths: Vec<String>,
    #[serde(default)]
    format: Choice,
}

#[derive(Default, Clone, Copy, Deserialize)]
enum Choice {
    #[serde(rename = "tar")]
    Tar,
    #[default]
    #[serde(rename = "tar.gz")]
    TarGz,
}

impl From<Choice> for Format {
    fn from(choice: Choice) -> Self {
        match choice {
            Choice::Tar => Self::Tar,
            Choice::TarGz => Self::TarGz,
        }
    }
}

impl PreBackup for Archive {
    type Config = Config;

    fn run(config: Config) -> Result<(), Error> {
        if config.paths.is_empty() {
            let why = "config: `paths` is empty, so there is nothing to archive";
            return Err(Error::Invalid(why.into()));
        }
        for path in &config.paths {
            let directory = path.strip_suffix('/').unwrap_or(path);
            let archived = archive::create(directory, config.format.into())
                .map_err(|error| error.about(directory))?;
            match archived.archive_bytes {
                // In a dry run, which packs nothing.
                0 => info!("would archive {directory}"),
                bytes => info!(
                    "archived {directory}: {} entries, {} bytes in {bytes}",
                    archived.entries, archived.content_bytes
                ),
            }
        }
        Ok(())
    }
}

copal_hook_sdk::hook!(Archive: PreBackup);
