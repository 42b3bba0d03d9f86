//! Holds services while the source is staged, and stops them while a restore puts another tree in its place.
//! Copal releases them itself at the end of that.
//!
//! Config: `how`, `"stop"` (the default) or `"pause"`, which is for backups alone; `grace`, how long a service may take to stop
//! before it is killed, such as `"10s"`, the default; `services`, a list of names, without which all
//! that are granted are held. They are held in order, and released in the reverse. What does not run
//! is left so. Wants the grant `service`.
#![forbid(unsafe_code)]

mod grace;

use std::time::Duration;

use copal_hook_sdk::service::{self, State};
use copal_hook_sdk::{Error, ErrorExt, PreBackup, PreRestore, info};
use serde::Deserialize;

struct Quiesce;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    how: How,
    #[serde(default = "grace::usual", deserialize_with = "grace::read")]
    grace: Duration,
    services: Option<Vec<String>>,
}

/// Stopping is the default: what an app keeps in memory is on the disk then, and every kind of
/// service can be stopped.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum How {
    #[default]
    Stop,
    Pause,
}

impl PreBackup for Quiesce {
    type Config = Config;

    fn run(config: Config) -> Result<(), Error> {
        hold_all(config)
    }
}

impl PreRestore for Quiesce {
    type Config = Config;

    /// What is paused goes on with the files that it has open, and those are of the old tree.
    fn run(config: Config) -> Result<(), Error> {
        let how = How::Stop;
        hold_all(Config { how, ..config })
    }
}

fn hold_all(config: Config) -> Result<(), Error> {
    let services = match config.services {
        Some(named) => named,
        None => service::names()?,
    };
    if services.is_empty() {
        return Err(Error::Invalid(
            "there is no service to hold: grant one, as in grants = { service = [\"app\"] }"
                .to_owned(),
        ));
    }
    for name in &services {
        hold(name, config.how, config.grace).map_err(|error| error.about(name))?;
    }
    Ok(())
}

/// Letting go of the hold ends nothing: Copal does.
fn hold(name: &str, how: How, grace: Duration) -> Result<(), Error> {
    let before = service::state(name)?;
    // Whatever that is: one that is down may be held by another run, and Copal knows.
    match how {
        How::Stop => service::stop(name, grace),
        How::Pause => service::pause(name),
    }?;
    match before {
        State::Running => info!("holding {name}"),
        State::Paused | State::Stopped => info!("{name} does not run, and is left so"),
        State::Missing => info!("{name} is not there, and nothing is held of it"),
    }
    Ok(())
}

copal_hook_sdk::hook!(Quiesce: PreBackup, PreRestore);
