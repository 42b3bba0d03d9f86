//! A hook for tests: it takes part in every phase and behaves as its config says, mostly badly.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::time::Duration;

use copal_hook_sdk::archive::{self, Format};
use copal_hook_sdk::{
    Approach, CodedError, Columns, Denial, Drill, Entry, Error, Filter, Kind, PostBackup,
    PostRestore, PreBackup, PreRestore, Report, Staged, Verdict, clock, command, http, info, run,
    secrets, service, sqlite, state,
};
use serde::Deserialize;

struct Specimen {
    config: Config,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// What to do in any phase, or in that which `within` names.
    #[serde(default)]
    act: Act,
    /// The phase in which to do it; the others then behave.
    #[serde(default)]
    within: Option<String>,
    /// Before that, run the command of this name, with the phase as its `{phase}` and how the run
    /// ended as its `{outcome}`. Not as a filter.
    #[serde(default)]
    tell: Option<String>,
    /// As a filter, leave out what ends so, and whole directories of that name.
    #[serde(default)]
    skip: String,
    /// As a filter, apply these rules before being asked.
    #[serde(default)]
    rules: Vec<String>,
}

#[derive(Default, PartialEq, Deserialize)]
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
    /// Wait for so many milliseconds.
    Sleep(u64),
    /// Run the command of this name, and wait for its end.
    Command(String),
    /// Stage the output of the command of this name as a file of the same name.
    Capture(String),
    /// Post to this address.
    Post(String),
    /// Count up under this key, and log the count.
    Count(String),
    /// Keep the second under the first.
    Store(String, String),
    /// Forget what is kept under this key.
    Forget(String),
    /// Ask which keys there are.
    Keys,
    /// Bind the secret of the first name to the origin of the second.
    Bind(String, String),
    /// Bind the secret of the first name to paths of the origin of the second, and post to the third.
    BindPath(String, String, String),
    /// Stage the output of the command of the first name as the second.
    CaptureAs(String, String),
    /// Check this database; what is wrong with it is an error.
    Check(String),
    /// Have the database of the first name copied with the directory of the second.
    CopyWith(String, String),
    /// Ask who has this database open the wrong way.
    Holders(String),
    /// Ask this database for a row.
    Query(String),
    /// Have this database change rows.
    Update(String),
    /// Record the second as the fact of the first name.
    Record(String, String),
    /// Ask what this service is doing.
    StateOf(String),
    /// Pause this service.
    Pause(String),
    /// Stop this service.
    Stop(String),
    /// Pause this service, and release it twice.
    Release(String),
    /// Pause this service, and panic.
    PauseAndPanic(String),
    /// Say this secret aloud, in the log and in an error.
    Spill(String),
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
                let about = run::snapshot();
                let about = about.map_or(String::new(), |id| format!(", snapshot {id}"));
                return Err(Error::Other(CodedError {
                    code: "introduction".into(),
                    message: format!(
                        "run {id}, phase {phase}, dry {dry}, in time {in_time}{about}"
                    ),
                }));
            }
            Self::Sleep(milliseconds) => clock::sleep(Duration::from_millis(*milliseconds)),
            Self::Command(name) => drop(command::run(name, &[])?),
            Self::Capture(name) => drop(command::capture(name, &[], name)?),
            Self::Post(url) => drop(http::post(url).body("posted").send()?),
            Self::Count(key) => {
                let before = state::get(key)?.map_or(0, |bytes| bytes.len());
                state::set(key, &vec![b'x'; before + 1])?;
                info!("counted {}", before + 1);
            }
            Self::Store(key, value) => state::set(key, value.as_bytes())?,
            Self::Forget(key) => state::delete(key)?,
            Self::Keys => drop(state::keys()?),
            Self::Bind(name, origin) => {
                secrets::bind_header(name, origin, "authorization", "Bearer ")?;
            }
            Self::BindPath(name, origin, url) => {
                secrets::bind_path(name, origin)?;
                http::post(url).body("posted").send()?;
            }
            Self::CaptureAs(name, path) => drop(command::capture(name, &[], path)?),
            Self::Check(name) => {
                let wrong = sqlite::check(name, sqlite::Depth::Full)?;
                if !wrong.is_empty() {
                    return Err(Error::Failed(wrong.join("; ")));
                }
            }
            Self::CopyWith(name, beside) => {
                sqlite::backup_with(name, std::slice::from_ref(beside))?;
            }
            Self::Holders(name) => drop(sqlite::holders(name)?),
            Self::Query(name) => info!("rows {}", sqlite::query(name, "select 1", 1)?),
            Self::Update(name) => drop(sqlite::update(name, "update t set a = 1")?),
            Self::Record(key, value) => run::record(key, value)?,
            Self::StateOf(name) => info!("{name} is {:?}", service::state(name)?),
            Self::Pause(name) => drop(service::pause(name)?),
            Self::Stop(name) => drop(service::stop(name, Duration::from_secs(2))?),
            Self::Release(name) => {
                let hold = service::pause(name)?;
                hold.release()?;
                hold.release()?;
            }
            Self::PauseAndPanic(name) => {
                let _hold = service::pause(name)?;
                panic!("the specimen panics as it was told");
            }
            Self::Spill(name) => {
                let secret = String::from_utf8_lossy(&secrets::reveal(name)?).into_owned();
                info!("the secret is {secret}");
                return Err(Error::Failed(format!("it is {secret}")));
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

impl Config {
    /// What it was told to do in this phase.
    fn follow(&self, outcome: &str) -> Result<(), Error> {
        let phase = run::phase();
        if let Some(tell) = &self.tell {
            command::run(tell, &[("phase", &phase), ("outcome", outcome)])?;
        }
        self.perform(&phase)
    }

    fn perform(&self, phase: &str) -> Result<(), Error> {
        match &self.within {
            Some(within) if within != phase => Ok(()),
            _ if self.act == Act::Behave => Ok(()),
            _ => {
                info!("acting in {phase}");
                self.act.perform()
            }
        }
    }
}

macro_rules! follows {
    ($($phase:ident),+) => {
        $(impl $phase for Specimen {
            type Config = Config;

            fn run(config: Config) -> Result<(), Error> {
                config.follow("none")
            }
        })+
    };
}

follows!(PreBackup, Staged, PreRestore, Drill);

impl PostBackup for Specimen {
    type Config = Config;

    fn run(config: Config, report: &Report) -> Result<(), Error> {
        hear(&config, report)
    }
}

impl PostRestore for Specimen {
    type Config = Config;

    fn run(config: Config, report: &Report) -> Result<(), Error> {
        hear(&config, report)
    }
}

fn hear(config: &Config, report: &Report) -> Result<(), Error> {
    let outcome = format!("{:?}", report.outcome());
    info!(
        "{outcome} {:?} {:?} {:?}",
        report.snapshot(),
        report.counter("files"),
        report.counter("unheard-of")
    );
    // `Outcome::Succeeded`
    config.follow(outcome.rsplit(':').next().unwrap_or_default())
}

impl Filter for Specimen {
    type Config = Config;

    fn start(mut config: Config) -> Result<(Self, Approach), Error> {
        let rules = std::mem::take(&mut config.rules);
        Ok((Self { config }, Approach::both(rules, Columns::KINDS)))
    }

    fn decide(&mut self, entry: &Entry<'_>) -> Result<Verdict, Error> {
        self.config.perform("filter")?;
        let skip = self.config.skip.as_bytes();
        Ok(match entry.kind() {
            _ if skip.is_empty() => Verdict::Keep,
            Kind::Directory if entry.name() == skip => Verdict::SkipSubtree,
            _ if entry.path.ends_with(skip) => Verdict::Skip,
            _ => Verdict::Keep,
        })
    }
}

copal_hook_sdk::hook!(
    Specimen: PreBackup,
    Filter,
    Staged,
    PostBackup,
    PreRestore,
    PostRestore,
    Drill
);
