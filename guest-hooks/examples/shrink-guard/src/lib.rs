//! Refuses a snapshot that holds much less than the last good one: an emptied directory, a mount
//! that is not there, a filter rule that takes too much.
//!
//! It compares what is staged, before anything is transferred, and remembers the figures of a
//! snapshot once that is sealed.
#![forbid(unsafe_code)]

mod figures;

use copal_hook_sdk::report::Outcome;
use copal_hook_sdk::{CodedError, Error, PostBackup, Report, Staged, info, run, state};
use serde::Deserialize;

use figures::Figures;

copal_hook_sdk::requests! { state = true }

struct ShrinkGuard;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// How much of its files, or of its bytes, a snapshot may have lost, in percent.
    #[serde(default = "half")]
    max_loss_percent: u64,
    /// A snapshot that holds at least this is never refused.
    accept: Option<Figures>,
}

fn half() -> u64 {
    50
}

/// The figures of the last sealed snapshot.
const LAST: &str = "last";

/// The identifier and the figures of a run that has staged, and not ended yet.
const STAGED: &str = "staged";

impl Staged for ShrinkGuard {
    type Config = Config;

    fn run(config: Config) -> Result<(), Error> {
        if config.max_loss_percent > 100 {
            let why = "config: `max-loss-percent` is more than 100, so nothing would be refused";
            return Err(Error::Invalid(why.into()));
        }
        let staged = staged_figures()?;
        match last()? {
            Some(last) => compare(last, staged, &config)?,
            None => info!("the first snapshot to remember: {staged}"),
        }
        let note = format!("{} {}", run::id(), staged.to_note());
        state::set(STAGED, note.as_bytes())
    }
}

impl PostBackup for ShrinkGuard {
    type Config = Config;

    fn run(_: Config, report: &Report) -> Result<(), Error> {
        let Some(note) = text(STAGED)? else {
            return Ok(());
        };
        state::delete(STAGED)?;
        let sealed = matches!(report.outcome(), Outcome::Succeeded | Outcome::Warned);
        match note.split_once(' ') {
            Some((id, figures)) if sealed && id == run::id() => {
                state::set(LAST, figures.as_bytes())
            }
            _ => Ok(()),
        }
    }
}

fn staged_figures() -> Result<Figures, Error> {
    match (run::counter("files"), run::counter("bytes")) {
        (Some(files), Some(bytes)) => Ok(Figures { files, bytes }),
        _ => Err(Error::Failed("how much is staged is not known".into())),
    }
}

fn last() -> Result<Option<Figures>, Error> {
    let Some(note) = text(LAST)? else {
        return Ok(None);
    };
    let figures = Figures::from_note(&note);
    let figures = figures.ok_or_else(|| Error::Failed(format!("its note `{note}` is damaged")));
    figures.map(Some)
}

fn text(key: &str) -> Result<Option<String>, Error> {
    let value = state::get(key)?;
    Ok(value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn compare(last: Figures, staged: Figures, config: &Config) -> Result<(), Error> {
    let kept = 100 - config.max_loss_percent;
    if staged.keeps(kept, last) {
        return Ok(());
    }
    if config.accept.is_some_and(|floor| staged.reaches(floor)) {
        info!("accepted by config: {staged}, where the last snapshot had {last}");
        return Ok(());
    }
    let loss = config.max_loss_percent;
    Err(Error::Other(CodedError {
        code: "shrunk".into(),
        message: format!(
            "{staged} are staged, where the last snapshot had {last}: it would lose more than \
             {loss} %; if that is right, put this line into its [[hook]], in place of its `config` \
             where it has one, and back up again: {}",
            accepting(staged, config)
        ),
    }))
}

/// The line of copal.toml that accepts a snapshot with these figures, and keeps the rest.
fn accepting(Figures { files, bytes }: Figures, config: &Config) -> String {
    let loss = match config.max_loss_percent {
        default if default == half() => String::new(),
        loss => format!("max-loss-percent = {loss}, "),
    };
    format!("config = {{ {loss}accept = {{ files = {files}, bytes = {bytes} }} }}")
}

copal_hook_sdk::hook!(ShrinkGuard: Staged, PostBackup);
