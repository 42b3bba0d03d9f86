//! From what was said on the command line to a job, a remote, or a store of snapshots.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use copal_core::config::{Config, LogFile, Name, RemoteSpec};

use super::Global;
use crate::edge::environment::config_home;
use crate::edge::interrupt::Interrupt;
use crate::edge::log;
use crate::edge::rclone::Rclone;
use crate::edge::remote::Remote;
use crate::edge::state::StateDir;
use crate::error::CopalError;
use crate::job::Job;
use crate::show::advice;
use crate::step::snapshots::Store;

/// A job without a file.
#[derive(Debug, Args)]
pub(super) struct JobArgs {
    /// Directory to back up, in place of a configuration file
    #[arg(long, value_name = "DIR", requires = "to", conflicts_with = "config")]
    source: Option<PathBuf>,
    /// Where snapshots go: any rclone remote and path
    #[arg(long, value_name = "REMOTE:PATH", requires = "source")]
    to: Option<String>,
    /// Name of the job [default: the source directory's name]
    #[arg(long, requires = "source")]
    name: Option<String>,
}

/// Where snapshots are read from.
#[derive(Debug, Args)]
pub(super) struct FromArgs {
    /// Where the snapshots are, in place of a configuration file
    #[arg(long, value_name = "REMOTE:PATH")]
    from: Option<String>,
    /// Name of the job [default: the configuration's, or the only one there]
    #[arg(long)]
    name: Option<String>,
}

impl JobArgs {
    /// The file that says what the job is; none where the command line does.
    pub(super) fn file(&self, global: &Global) -> Result<Option<PathBuf>, CopalError> {
        match &self.source {
            Some(_) => Ok(None),
            None => configuration_file(global).map(|(path, _)| Some(path)),
        }
    }

    /// The job that is meant.
    pub(super) fn job(&self, global: &Global) -> Result<Job, CopalError> {
        let (Some(source), Some(to)) = (&self.source, &self.to) else {
            return configured(global);
        };
        let base = working_directory()?;
        let named = match &self.name {
            Some(name) => name.clone(),
            None => name_of(&base.join(source)),
        };
        let name = name(&named)?;
        let config = Config::from_flags(source, RemoteSpec::parse(to)?, name);
        let job = Job::one_off(config, base);
        begin_log(&job);
        Ok(job)
    }
}

impl FromArgs {
    /// Whether the configuration says what is meant, all of it.
    pub(super) fn is_of_the_job(&self) -> bool {
        self.from.is_none() && self.name.is_none()
    }

    /// The job whose snapshots are meant, where a configuration says so.
    pub(super) fn job(&self, global: &Global) -> Result<Option<Job>, CopalError> {
        match &self.from {
            // A configuration may still say how to reach the remote, if one is named.
            Some(_) if global.config.is_none() => Ok(None),
            _ => configured(global).map(Some),
        }
    }

    /// Opens the store that is meant, and hands it to `use_it`.
    pub(super) fn with_store<T>(
        &self,
        global: &Global,
        interrupt: &Interrupt,
        use_it: impl FnOnce(&Store<'_>) -> Result<T, CopalError>,
    ) -> Result<T, CopalError> {
        let job = self.job(global)?;
        self.with_store_of(job.as_ref(), interrupt, use_it)
    }

    /// The same for a job that is known.
    pub(super) fn with_store_of<T>(
        &self,
        job: Option<&Job>,
        interrupt: &Interrupt,
        use_it: impl FnOnce(&Store<'_>) -> Result<T, CopalError>,
    ) -> Result<T, CopalError> {
        let spec = self.places(job, Job::destinations)?.swap_remove(0);
        let rclone = Rclone::new(job.map(|job| &job.config), interrupt);
        if self.from.is_none() && job.is_some_and(Job::reads_a_mirror) {
            return use_it(&Store::mirror(&*open(&rclone, &spec)?)?);
        }
        self.with_store_at(&spec, &rclone, job, use_it)
    }

    /// Opens what has snapshots at every place that is meant, one after the other, and hands each to `use_it`.
    pub(super) fn with_stores(
        &self,
        global: &Global,
        interrupt: &Interrupt,
        use_it: &mut dyn FnMut(&Store<'_>) -> Result<(), CopalError>,
    ) -> Result<(), CopalError> {
        let job = self.job(global)?;
        let rclone = Rclone::new(job.as_ref().map(|job| &job.config), interrupt);
        let places = self.places(job.as_ref(), Job::places_of_snapshots)?;
        if places.is_empty() {
            return Err(CopalError::MirrorsAlone);
        }
        for spec in places {
            self.with_store_at(&spec, &rclone, job.as_ref(), &mut *use_it)?;
        }
        Ok(())
    }

    /// The place that was given on the command line, or these of the job.
    fn places(
        &self,
        job: Option<&Job>,
        of_job: impl FnOnce(&Job) -> Vec<RemoteSpec>,
    ) -> Result<Vec<RemoteSpec>, CopalError> {
        Ok(match (&self.from, job) {
            (Some(from), _) => vec![RemoteSpec::parse(from)?.resolve(&working_directory()?)],
            (None, Some(job)) => of_job(job),
            (None, None) => unreachable!("without --from there is a configuration"),
        })
    }

    fn with_store_at<T>(
        &self,
        spec: &RemoteSpec,
        rclone: &Rclone,
        job: Option<&Job>,
        use_it: impl FnOnce(&Store<'_>) -> Result<T, CopalError>,
    ) -> Result<T, CopalError> {
        let remote = open(rclone, spec)?;
        let named = self.name.as_deref().map(name).transpose()?;
        let of_job = || {
            job.filter(|_| self.from.is_none())
                .map(|job| job.config.name().clone())
        };
        match named.or_else(of_job) {
            Some(name) => use_it(&Store::new(&*remote, name.as_str())),
            None => use_it(&Store::only_name(&*remote)?),
        }
    }
}

/// Opens a remote that answers.
fn open(rclone: &Rclone, spec: &RemoteSpec) -> Result<Box<dyn Remote>, CopalError> {
    let remote = rclone.open(spec)?;
    // Quickly, where a place does not answer: what comes next tries for minutes.
    remote.survey(false)?;
    Ok(remote)
}

pub(super) fn name(text: &str) -> Result<Name, CopalError> {
    text.parse().map_err(|source| CopalError::Name {
        name: text.to_owned(),
        source,
    })
}

/// The directory's own name, also for `.` and for a path that ends in `..`.
pub(super) fn name_of(source: &Path) -> String {
    let real = source.canonicalize().unwrap_or_else(|_| source.to_owned());
    real.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Where Copal keeps its own state.
pub(super) fn state() -> Result<StateDir, CopalError> {
    StateDir::from_environment().ok_or(CopalError::NoState)
}

/// Begins the job's log, where the command keeps one.
fn begin_log(job: &Job) {
    let log = job.config.log();
    let file = match &log.file {
        LogFile::Usual => StateDir::from_environment().map(|state| state.log(job.name())),
        LogFile::At(path) => Some(path.resolve(&job.base)),
        LogFile::Nowhere => None,
    };
    match file {
        Some(file) => log::begin(&file, log),
        None => log::end(),
    }
}

pub(super) fn working_directory() -> Result<PathBuf, CopalError> {
    std::env::current_dir().map_err(|source| CopalError::ConfigUnreadable {
        path: ".".into(),
        source,
    })
}

/// The job of the configuration file.
pub(super) fn configured(global: &Global) -> Result<Job, CopalError> {
    let (path, text) = configuration_file(global)?;
    let config = Config::parse(&text, &path.display().to_string())?;
    let directory = path.parent().unwrap_or_else(|| Path::new(""));
    let job = Job::new(config, working_directory()?.join(directory));
    begin_log(&job);
    // Only this machine knows which time zones there are.
    job.zone()?;
    Ok(job)
}

/// The configuration file, and what is in it.
pub(super) fn configuration_file(global: &Global) -> Result<(PathBuf, String), CopalError> {
    let candidates = match &global.config {
        Some(file) => vec![file.clone()],
        None => usual_places(),
    };
    for path in &candidates {
        match fs::read_to_string(path) {
            Ok(text) => {
                advice::found(path);
                return Ok((path.clone(), text));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && global.config.is_none() => {}
            Err(source) => {
                return Err(CopalError::ConfigUnreadable {
                    path: path.clone(),
                    source,
                });
            }
        }
    }
    Err(CopalError::NoConfig { looked: candidates })
}

fn usual_places() -> Vec<PathBuf> {
    let mut places = vec![PathBuf::from("copal.toml")];
    places.extend(config_home().map(|home| home.join("copal/copal.toml")));
    places.push("/etc/copal/copal.toml".into());
    places
}
