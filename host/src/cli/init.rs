//! `copal init`

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use copal_core::config::{Config, RemoteSpec};
use copal_core::name::Name;

use super::Global;
use super::ending::Exit;
use super::open::{name, name_of, working_directory};
use crate::edge::interrupt::Interrupt;
use crate::edge::rclone::Rclone;
use crate::edge::whole::{self, Mode};
use crate::error::CopalError;
use crate::init::{
    App, AppPaths, InitError, Origin, Place, Starter, places, remotes, with_container,
};
use crate::show::{self, message};

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The app whose data it is [default: what it looks like]
    #[arg(long, value_enum)]
    app: Option<Known>,
    /// Directory to back up
    #[arg(long, value_name = "DIR", group = "where")]
    source: Option<PathBuf>,
    /// Volume of Docker's to back up
    #[arg(long, value_name = "NAME", group = "where")]
    volume: Option<String>,
    /// Container whose data to back up
    #[arg(long, value_name = "NAME", group = "where")]
    container: Option<String>,
    /// Where snapshots go: any rclone remote and path, or a directory
    #[arg(long, value_name = "REMOTE:PATH")]
    remote: Option<String>,
    /// Name of the job [default: the app's, or the source's]
    #[arg(long)]
    name: Option<String>,
    /// File to write [default: that of --config, or copal.toml]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Ask nothing: what is not known is an error
    #[arg(short, long)]
    yes: bool,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

/// What can be said of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Known {
    /// Open WebUI: databases and vectors in the right order
    OpenWebui,
    /// Any other: every SQLite database is copied online
    Other,
}

impl From<Known> for App {
    fn from(known: Known) -> Self {
        match known {
            Known::OpenWebui => Self::OpenWebUi,
            Known::Other => Self::Other,
        }
    }
}

pub(super) fn run(args: &InitArgs, global: &Global) -> Result<Exit, CopalError> {
    let usual = || PathBuf::from("copal.toml");
    let file = args.output.clone().or_else(|| global.config.clone());
    let file = file.unwrap_or_else(usual);
    let may_ask = !args.yes && io::stdin().is_terminal() && io::stderr().is_terminal();
    let is_there = file.symlink_metadata().is_ok();
    let may_replace = args.force || (is_there && may_ask && may_write_over(&file)?);
    if is_there && !may_replace {
        return Err(InitError::Exists(file).into());
    }
    let place = args.place(may_ask)?;
    let remote = args.remote(may_ask)?;
    let spec = RemoteSpec::parse(&remote)?;
    if let Some(directory) = spec.local_path() {
        place.refuse_inside(directory)?;
    }
    let starter = Starter {
        name: args.name(&place)?,
        app: args.app.map_or(place.app, App::from),
        origin: place.origin.clone(),
        container: place.container.clone(),
        remote,
    };
    let text = starter.text();
    // What is written is what the next command reads.
    Config::parse(&text, &file.display().to_string())?;
    let write = if may_replace {
        whole::replace
    } else {
        whole::create
    };
    write(&file, text.as_bytes(), Mode::Usual).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => InitError::Exists(file.clone()).into(),
        _ => CopalError::Unwritable {
            path: file.clone(),
            source,
        },
    })?;
    let named = args.output.is_some() || global.config.is_some();
    show::init::print(&file, named, &starter, &place.told(), global.output())?;
    Ok(Exit::Done)
}

impl InitArgs {
    /// What is backed up.
    fn place(&self, may_ask: bool) -> Result<Place, CopalError> {
        if let Some(directory) = &self.source {
            return in_directory(directory);
        }
        if let Some(volume) = &self.volume {
            return Ok(told_by_docker(Origin::Volume(volume.clone())));
        }
        if let Some(container) = &self.container {
            return Ok(told_by_docker(Origin::Container {
                name: container.clone(),
                mount: None,
            }));
        }
        let mut found = places(&AppPaths::usual());
        if found.len() == 1 {
            return Ok(found.swap_remove(0));
        }
        if !may_ask {
            return Err(InitError::Missing {
                what: "what to back up",
                flag: "--source DIR, --volume NAME or --container NAME",
                found: found.iter().map(Place::flag).collect(),
            }
            .into());
        }
        let told: Vec<String> = found.iter().map(Place::told).collect();
        let question = if told.is_empty() {
            "Nothing was found by itself. What is to be backed up? A directory"
        } else {
            "What is to be backed up? A number, or a directory"
        };
        loop {
            match choose(question, &told)? {
                Answer::Number(number) => return Ok(found.swap_remove(number)),
                Answer::Text(text) => match in_directory(Path::new(&text)) {
                    Ok(place) => return Ok(place),
                    Err(error) => tell(&format!("{}\n", error.in_one_line()))?,
                },
            }
        }
    }

    /// Where it goes, without a secret in it.
    fn remote(&self, may_ask: bool) -> Result<String, CopalError> {
        let given = self.remote.clone();
        let text = given.map_or_else(|| ask_for_remote(may_ask), Ok)?;
        let spec = RemoteSpec::parse(&text)?.resolve(&working_directory()?);
        if spec.to_string() != spec.expose() {
            return Err(InitError::Secret(spec.to_string()).into());
        }
        Ok(spec.expose().to_owned())
    }

    fn name(&self, place: &Place) -> Result<Name, CopalError> {
        if let Some(given) = &self.name {
            return name(given);
        }
        if self.app.map_or(place.app, App::from) == App::OpenWebUi {
            return name("open-webui");
        }
        match &place.origin {
            Origin::Path(path) => name(&name_of(Path::new(path))),
            Origin::Volume(volume) => name(volume),
            Origin::Container {
                name: container, ..
            } => name(container),
        }
    }
}

/// A directory that can be looked into.
fn in_directory(directory: &Path) -> Result<Place, CopalError> {
    let real = directory.canonicalize();
    let real = real.and_then(|real| real.read_dir().map(|_| real));
    let real = real.map_err(|source| InitError::Source {
        path: directory.to_owned(),
        source,
    })?;
    let Some(text) = real.to_str() else {
        return Err(InitError::NoText(real).into());
    };
    let (place, asked) = with_container(Origin::Path(text.to_owned()));
    if let Err(why) = asked {
        // Most machines with a directory to back up have no Docker.
        tracing::info!("Docker is not looked at: {why}");
    }
    Ok(place)
}

/// What is Docker's own. What it does not tell of it is for a person to look at.
fn told_by_docker(origin: Origin) -> Place {
    let (place, asked) = with_container(origin);
    if let Err(why) = asked {
        message::note(&format!(
            "{} was not looked at, as Docker does not answer ({why}): when it does, write the file anew with `--force`, or see with `copal check` whether it is right",
            place.told()
        ));
    }
    place
}

fn ask_for_remote(may_ask: bool) -> Result<String, CopalError> {
    let known = remotes(&Rclone::new(None, &Interrupt::default()));
    if !may_ask {
        return Err(InitError::Missing {
            what: "where snapshots go",
            flag: "--remote REMOTE:PATH",
            found: known,
        }
        .into());
    }
    let known = match &known[..] {
        [] => "none yet: `rclone config` makes one".to_owned(),
        known => known.join(" "),
    };
    ask(&format!(
        "Where do snapshots go? REMOTE:PATH, or a directory (remotes: {known})"
    ))
}

/// One of what was shown, or something else.
enum Answer {
    Number(usize),
    Text(String),
}

fn choose(question: &str, shown: &[String]) -> Result<Answer, CopalError> {
    for (at, one) in shown.iter().enumerate() {
        tell(&format!("  {} {one}\n", at + 1))?;
    }
    let text = ask(question)?;
    let number = text.parse::<usize>().ok();
    let number = number.and_then(|number| number.checked_sub(1));
    Ok(match number.filter(|number| *number < shown.len()) {
        Some(number) => Answer::Number(number),
        None => Answer::Text(text),
    })
}

fn may_write_over(file: &Path) -> Result<bool, CopalError> {
    let answer = ask(&format!(
        "`{}` is there already. Write over it? yes or no",
        file.display()
    ))?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// An answer that says something. The end of the input is an error.
fn ask(question: &str) -> Result<String, CopalError> {
    loop {
        tell(&format!("{question}: "))?;
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        if read.map_err(InitError::Answer)? == 0 {
            let ended = io::ErrorKind::UnexpectedEof.into();
            return Err(InitError::Answer(ended).into());
        }
        let text = line.trim();
        if !text.is_empty() {
            return Ok(text.to_owned());
        }
    }
}

fn tell(text: &str) -> Result<(), CopalError> {
    let mut err = io::stderr().lock();
    let told = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    told.map_err(CopalError::Output)
}
