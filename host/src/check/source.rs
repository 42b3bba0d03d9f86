//! The source, its databases, and how it would be staged.

use copal_core::path::RelPath;
use copal_core::text::count;
use copal_core::units::ByteCount;
use copal_hooks::CheckDepth;

use super::finding::Findings;
use super::{CheckError, Checked, Part};
use crate::capability::sqlite::{self, SqliteError};
use crate::edge::beneath::Beneath;
use crate::edge::frozen::existing;
use crate::edge::interrupt::Interrupt;
use crate::edge::top::Top;
use crate::error::CopalError;
use crate::hooks::Hooks;
use crate::step::plan::{Plan, PlanError, PlannedDatabase, Seen};
use crate::step::preflight;

/// Larger ones are opened and not read: as long as one that keeps no log is read, the app can't write to it.
const READ_WHOLE: ByteCount = ByteCount::mebibytes(256);

/// Looks at the source. The plan is what destinations are asked by; there is none where the source can't be
/// seen, or can't be staged.
pub(super) fn look(
    checked: &Checked<'_>,
    hooks: &Hooks,
    are_all: bool,
    findings: &mut Findings,
) -> Option<Plan> {
    let Checked { job, edges, .. } = *checked;
    let seen = match Seen::of(job, hooks, edges.state, edges.interrupt) {
        Ok(seen) => seen,
        Err(error) => {
            findings.failure(Part::Source, None, error);
            let next = "mend the source first, then check again";
            let what = "not looked at, as the source was not";
            findings.note(Part::Database, None, (what, next));
            return None;
        }
    };
    findings.well(Part::Source, None, told_of(checked, &seen));
    let uncovered = seen.uncovered(hooks);
    for database in seen.databases() {
        let about = database.path.to_string();
        let about = Some(about.as_str());
        if !uncovered.contains(&database.path) {
            match look_at_database(seen.source(), database, hooks, edges.interrupt) {
                Ok(what) => findings.well(Part::Database, about, what),
                Err(error) => findings.failure(Part::Database, about, error),
            }
        } else if are_all {
            let path = vec![database.path.clone()];
            findings.failure(Part::Database, about, PlanError::Uncovered(path));
        } else {
            let what = "whether a hook stands in for it can't be told";
            let next = "mend the hooks first, then check again";
            findings.note(Part::Database, about, (what, next));
        }
    }
    let plan = match seen.plan(job, hooks, edges.state, (edges.now)()) {
        Ok(plan) => plan,
        Err(unfit) => {
            findings.failure(Part::Staging, None, PlanError::Staging(unfit));
            return None;
        }
    };
    look_at_staging(checked, &plan, findings);
    Some(plan)
}

fn told_of(checked: &Checked<'_>, seen: &Seen) -> String {
    let (files, bytes) = seen.files();
    let located = checked.job.source().ok();
    let by = located.and_then(|located| located.by.as_deref());
    let by = by.map_or_else(String::new, |by| format!(" ({by})"));
    let source = seen.source().display();
    let files = count(files, "file");
    format!("`{source}`{by}: {files}, {bytes}, all readable")
}

/// How it is, and who copies it.
fn look_at_database(
    source: &Top,
    database: &PlannedDatabase,
    hooks: &Hooks,
    interrupt: &Interrupt,
) -> Result<String, CopalError> {
    let PlannedDatabase { path, live, .. } = database;
    if *live {
        return Ok("copied live, as configured".to_owned());
    }
    let size = database.size + database.log;
    let is_read = size <= READ_WHOLE;
    let there = Beneath::of(source, path);
    let looked = if is_read {
        sqlite::findings(there, false, CheckDepth::Quick, interrupt)
    } else {
        sqlite::opens(there, interrupt).map(|()| Vec::new())
    };
    let problems = looked.map_err(|error| unreadable(path, error))?;
    if !problems.is_empty() {
        let path = path.clone();
        return Err(CheckError::Damaged { path, problems }.into());
    }
    let copying = hooks.copying(path).map(|hook| format!("`{}`", hook.name()));
    let copying: Vec<_> = copying.collect();
    let how = if is_read {
        "sound"
    } else {
        "opened, and too large to be read whole here"
    };
    Ok(format!("{size}, {how}, copied by {}", copying.join(", ")))
}

fn unreadable(path: &RelPath, error: SqliteError) -> CopalError {
    let path = path.clone();
    match error {
        SqliteError::Interrupted(interrupted) => interrupted.into(),
        SqliteError::Source(error) if is_corrupt(&error) => {
            let problems = vec![error.to_string()];
            CheckError::Damaged { path, problems }.into()
        }
        source => CheckError::Unopenable { path, source }.into(),
    }
}

fn is_corrupt(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let code = error.sqlite_error_code();
    matches!(code, Some(DatabaseCorrupt | NotADatabase))
}

fn look_at_staging(checked: &Checked<'_>, plan: &Plan, findings: &mut Findings) {
    let staging = checked.job.staging(checked.edges.state);
    let room = preflight::check_room(plan, &staging).and_then(|()| preflight::room_at(&staging));
    match room {
        Ok(free) => {
            let choice = &plan.staging.choice;
            let place = existing(&staging).display();
            let what = format!(
                "{}: {}; room for {free} in `{place}`",
                choice.way, choice.why
            );
            findings.well(Part::Staging, None, what);
        }
        Err(error) => findings.failure(Part::Staging, None, error),
    }
    if let Some(unguarded) = &plan.unguarded {
        let next = "start Copal in a way in which a process of it can outlive it (docs/holds.md)";
        findings.note(Part::Service, None, (unguarded.clone(), next));
    }
}
