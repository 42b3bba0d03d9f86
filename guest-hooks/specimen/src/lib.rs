//! A hook for tests: it takes part in every phase and behaves as its config says, mostly badly.
#![forbid(unsafe_code)]

use std::hint::black_box;

use copal_hook_sdk::archive::{self, Format};
use copal_hook_sdk::{
    Approach, CodedError, Columns, Denial, Entry, Error, Filter, Kind, PostBackup, PreBackup,
    Report, Verdict, info, run, sqlite,
};
use serde::Deserialize;

struct Specimen {
    config: Config,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// What to do in any phase.
    #[serde(default)]
    act: Act,
    /// As a filter, leave out what ends so, and whole directories of that name.
    #[serde(default)]
    skip: String,
    /// As a filter, apply these rules before being asked.
    #[serde(default)]
    rules: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Act {
    /// What a good hook would.
    #[default]
    Behave,
    /// Compute for ever.
    Loop,
    /// Take memory for ever.
    Memory,
    /// Nest calls for ever.
    Recurse,
    Panic,
    /// Answer with an error of its own.
    Fail,
    /// Claim a denial that nobody spoke.
    ForgeDenial,
    /// Log this many lines.
    Log(u32),
    /// Hand this many bytes to the host at once.
    Flood(usize),
    /// Have one database copied.
    Copy(String),
    /// Have one database copied, and carry on whatever comes of it.
    CopyAnyway(String),
    /// Have one directory archived.
    Archive(String),
    /// Ask for databases for ever.
    AskForEver,
    /// Answer with an error that tells what it knows about the run.
    Introduce,
}

impl Act {
    fn perform(&self) -> Result<(), Error> {
        match self {
            Self::Behave => {}
            Self::Loop => loop {
                black_box(());
            },
            Self::Memory => take_memory(),
            Self::Recurse => drop(nest(1)),
            Self::Panic => panic!("the specimen panics as it was told"),
            Self::Fail => {
                return Err(Error::Other(CodedError {
                    code: "told-so".into(),
                    message: "the specimen fails as it was told".into(),
                }));
            }
            Self::ForgeDenial => {
                return Err(Error::Denied(Denial {
                    capability: "sqlite".into(),
                    requested: "webui.db".into(),
                    remedy: "grants = { sqlite = [\"*\"], archive = [\"*\"] }".into(),
                }));
            }
            Self::Log(lines) => (0..*lines).for_each(|line| info!("line {line}")),
            Self::Flood(bytes) => info!("{}", "x".repeat(*bytes)),
            Self::Copy(name) => drop(sqlite::backup(name)?),
            Self::CopyAnyway(name) => drop(sqlite::backup(name)),
            Self::Archive(name) => drop(archive::create(name, Format::Tar)?),
            Self::AskForEver => loop {
                sqlite::databases()?;
            },
            Self::Introduce => {
                let (id, phase, dry) = (run::id(), run::phase(), run::is_dry());
                let in_time = !run::time_left().is_zero();
                return Err(Error::Other(CodedError {
                    code: "introduction".into(),
                    message: format!("run {id}, phase {phase}, dry {dry}, in time {in_time}"),
                }));
            }
        }
        Ok(())
    }
}

fn take_memory() {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(vec![1_u8; 1 << 20]));
    }
}

fn nest(depth: u64) -> u64 {
    if black_box(depth) == 0 {
        return 0;
    }
    nest(depth + 1) + black_box(1)
}

impl PreBackup for Specimen {
    type Config = Config;

    fn run(config: Config) -> Result<(), Error> {
        config.act.perform()
    }
}

impl PostBackup for Specimen {
    type Config = Config;

    fn run(config: Config, report: &Report) -> Result<(), Error> {
        info!(
            "{:?} {:?} {:?} {:?}",
            report.outcome(),
            report.snapshot(),
            report.counter("files"),
            report.counter("unheard-of")
        );
        config.act.perform()
    }
}

impl Filter for Specimen {
    type Config = Config;

    fn start(mut config: Config) -> Result<(Self, Approach), Error> {
        let rules = std::mem::take(&mut config.rules);
        Ok((Self { config }, Approach::both(rules, Columns::KINDS)))
    }

    fn decide(&mut self, entry: &Entry<'_>) -> Result<Verdict, Error> {
        self.config.act.perform()?;
        let skip = self.config.skip.as_bytes();
        Ok(match entry.kind() {
            _ if skip.is_empty() => Verdict::Keep,
            Kind::Directory if entry.name() == skip => Verdict::SkipSubtree,
            _ if entry.path.ends_with(skip) => Verdict::Skip,
            _ => Verdict::Keep,
        })
    }
}

copal_hook_sdk::hook!(Specimen: PreBackup, Filter, PostBackup);
