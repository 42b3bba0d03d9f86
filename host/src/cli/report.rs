//! `copal report`

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::Global;
use super::ending::Exit;
use super::open::{configured, state};
use super::status::status_of;
use crate::edge::history::History;
use crate::edge::whole::{self, Mode};
use crate::error::CopalError;
use crate::show;
use crate::show::report::Runs;

/// Where a page goes that no file is named for.
const STDOUT: &str = "-";

#[derive(Debug, Args)]
#[command(
    after_help = "Example, for a job that begins at three, in a crontab:\n  \
    30 3 * * *  copal -c /etc/copal/app.toml report --html /var/www/copal/app.html"
)]
pub(super) struct ReportArgs {
    /// Write it as a page for a browser into FILE, in the place of one that is there [default: to stdout]
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = STDOUT, required = true,
          hide_default_value = true, conflicts_with = "json")]
    html: PathBuf,
}

pub(super) fn run(args: &ReportArgs, global: &Global) -> Result<Exit, CopalError> {
    let job = configured(global)?;
    let state = state()?;
    let status = status_of(&job, &state, Timestamp::now())?;
    let mut runs = Runs::default();
    let unreadable = History::of(&state).each(job.name(), |record| runs.add(record))?;
    runs.left_out(unreadable);
    let page = show::report::page(&status, &runs);
    if args.html == Path::new(STDOUT) {
        show::result(&page)?;
    } else {
        put(&args.html, page.as_bytes()).map_err(|source| {
            let path = args.html.clone();
            CopalError::Unwritable { path, source }
        })?;
    }
    Ok(Exit::Done)
}

/// Whoever could read the page that was there can read this one; a first one is its owner's alone.
fn put(file: &Path, page: &[u8]) -> io::Result<()> {
    match whole::rewrite(file, page) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            whole::create(file, page, Mode::Private)
        }
        done => done,
    }
}
