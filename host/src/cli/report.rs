//! `copal report`

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use copal_core::freshness::Freshness;
use jiff::Timestamp;
use serde_json::json;

use super::Global;
use super::ending::Exit;
use super::kept::{place_of, rebuilt};
use super::open::{FromArgs, configured, state};
use super::status::status_of;
use crate::edge::history::History;
use crate::edge::interrupt::Interrupt;
use crate::edge::whole::{self, Mode};
use crate::error::CopalError;
use crate::show::report::{Basis, Runs};
use crate::show::status::{Destination, Drills, Proof, Status};
use crate::show::{self, message};
use crate::step::snapshots::{Known, Store};

/// Where a page goes that no file is named for.
const STDOUT: &str = "-";

#[derive(Debug, Args)]
#[command(
    after_help = "Example, for a job that begins at three, in a crontab:\n  \
    30 3 * * *  copal -c /etc/copal/app.toml report --html /var/www/copal/app.html"
)]
pub(super) struct ReportArgs {
    /// Write it as a page for a browser into FILE, in the place of one that is there [default: to stdout]
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = STDOUT,
          hide_default_value = true, conflicts_with = "json")]
    html: Option<PathBuf>,
    #[command(flatten)]
    from: FromArgs,
}

pub(super) fn run(args: &ReportArgs, global: &Global) -> Result<Exit, CopalError> {
    if args.html.is_none() && !global.json {
        return Err(CopalError::NoForm);
    }
    let (status, runs) = if args.from.is_of_the_job() {
        by_history(global)?
    } else {
        by_manifests(args, global)?
    };
    let page = show::report::page(&status, &runs);
    match args.html.as_deref().filter(|_| !global.json) {
        None => show::json(&json!({
            "name": status.name,
            "ok": status.is_well(),
            "html": page,
        }))?,
        Some(file) if file == Path::new(STDOUT) => show::result(&page)?,
        Some(file) => put(file, page.as_bytes()).map_err(|source| {
            let path = file.to_owned();
            CopalError::Unwritable { path, source }
        })?,
    }
    Ok(Exit::Done)
}

/// What this machine knows of the configuration's job. No destination is asked.
fn by_history(global: &Global) -> Result<(Status, Runs), CopalError> {
    let job = configured(global)?;
    let state = state()?;
    let status = status_of(&job, &state, Timestamp::now())?;
    let mut runs = Runs::of(Basis::History);
    let unreadable = History::of(&state).each(job.name(), |record: crate::record::Record| {
        // What the command line alone described is none of the job's.
        if !record.one_off {
            runs.add(record);
        }
    })?;
    runs.left_out(unreadable);
    Ok((status, runs))
}

/// What the manifests of a destination tell, and the notes of verifications beside them.
fn by_manifests(args: &ReportArgs, global: &Global) -> Result<(Status, Runs), CopalError> {
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let job = args.from.job(global)?;
    let max_age = job.as_ref().and_then(|job| job.config.max_age());
    args.from.with_store_of(job.as_ref(), &interrupt, |store| {
        let known = store.all()?;
        if known.is_empty() {
            message::note(&store.none().to_string());
        }
        let now = Timestamp::now();
        let mut runs = Runs::of(Basis::Manifests);
        for one in known.iter().rev() {
            let Ok(manifest) = &one.manifest else {
                runs.left_out(1);
                continue;
            };
            let place = store.remote().shown();
            if let Some(looked) = one.verification.as_ref().filter(|it| !it.is_unreadable()) {
                runs.verified(one.id, &place, looked.at, !one.damaged);
            } else if one.damaged {
                runs.verified(one.id, &place, now, false);
            }
            runs.add(rebuilt(store, manifest));
        }
        let status = Status {
            name: store.name().to_owned(),
            now,
            max_age,
            destinations: vec![destination(store, &known, max_age, now)],
            last_run: None,
            last_drill: None,
            next: None,
        };
        Ok((status, runs))
    })
}

fn destination(
    store: &Store<'_>,
    known: &[Known],
    max_age: Option<std::time::Duration>,
    now: Timestamp,
) -> Destination {
    let good = |one: &&Known| one.manifest.is_ok();
    let last = known.iter().rev().find(good);
    let began = last.and_then(|one| one.manifest.as_ref().ok());
    let began = began.map(|manifest| manifest.run.started);
    let proof = |one: &Known| {
        let looked = one.verification.as_ref();
        let at = looked.filter(|it| !it.is_unreadable()).map(|it| it.at);
        at.map(|at| Proof {
            snapshot: one.id,
            at,
            is_pruned: false,
        })
    };
    Destination {
        place: place_of(store),
        snapshot: last.map(|one| one.id),
        began,
        freshness: Freshness::of(began, max_age, now),
        verified: known
            .iter()
            .filter(|one| one.verified)
            .filter_map(proof)
            .max_by_key(|proof| proof.at),
        drills: Drills::Unknown,
        damaged: last.filter(|one| one.damaged).map(|one| {
            proof(one).unwrap_or(Proof {
                snapshot: one.id,
                at: now,
                is_pruned: false,
            })
        }),
    }
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
