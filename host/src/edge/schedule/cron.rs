//! cron: the crontab of this user, by the program `crontab` alone, and files in `/etc/cron.d`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use copal_core::name::Name;
use copal_core::schedule::{BrokenBlock, Crontab};

use super::{ScheduleError, Scheduled, Scheduler, Wanted, delete, put, read, run, run_well, said};

const CRON_D: &str = "/etc/cron.d";

pub(super) fn in_crontab(job: &Name) -> Result<Option<Scheduled>, ScheduleError> {
    let crontab = match users_own() {
        // Where there is no cron it starts nothing.
        Err(ScheduleError::NoProgram { source, .. })
            if source.kind() == io::ErrorKind::NotFound =>
        {
            return Ok(None);
        }
        crontab => crontab?,
    };
    let lines = crontab.lines_of(job).map_err(broken_crontab)?;
    Ok(lines.map(|lines| scheduled(Scheduler::Crontab, "this user's crontab".to_owned(), &lines)))
}

pub(super) fn to_crontab(wanted: &Wanted<'_>) -> Result<(), ScheduleError> {
    let lines = wanted.entry.lines(None)?;
    let crontab = users_own()?.with(wanted.job, &lines);
    replace(crontab.map_err(broken_crontab)?)
}

pub(super) fn from_crontab(job: &Name) -> Result<(), ScheduleError> {
    replace(users_own()?.without(job).map_err(broken_crontab)?)
}

fn broken_crontab(source: BrokenBlock) -> ScheduleError {
    ScheduleError::Broken {
        place: "the crontab".to_owned(),
        source,
    }
}

fn users_own() -> Result<Crontab, ScheduleError> {
    let output = run("crontab", &["-l"])?;
    if output.status.success() {
        return Ok(Crontab::new(output.stdout));
    }
    // All crons say this of a user who has none, and fail.
    let said = said(&output);
    if said.contains("no crontab for") {
        return Ok(Crontab::new(Vec::new()));
    }
    Err(ScheduleError::Refused {
        command: "crontab -l".to_owned(),
        said,
    })
}

fn replace(crontab: Crontab) -> Result<(), ScheduleError> {
    let content = crontab.into_bytes();
    let failed = |source| ScheduleError::Io {
        deed: "write",
        path: std::env::temp_dir(),
        source,
    };
    let mut file = tempfile::NamedTempFile::new().map_err(failed)?;
    file.write_all(&content).map_err(failed)?;
    run_well("crontab", &[file.path()])?;
    if users_own()?.into_bytes() == content {
        Ok(())
    } else {
        Err(ScheduleError::Changed)
    }
}

pub(super) fn in_cron_d(job: &Name) -> Result<Option<Scheduled>, ScheduleError> {
    let path = file_of(job);
    let Some(crontab) = read(&path)?.map(Crontab::new) else {
        return Ok(None);
    };
    let lines = crontab
        .lines_of(job)
        .map_err(|error| broken(&path, error))?;
    let place = path.display().to_string();
    Ok(lines.map(|lines| scheduled(Scheduler::CronD, place, &lines)))
}

pub(super) fn to_cron_d(wanted: &Wanted<'_>) -> Result<(), ScheduleError> {
    let path = file_of(wanted.job);
    let lines = wanted.entry.lines(Some(wanted.user))?;
    let crontab = Crontab::new(read(&path)?.unwrap_or_default());
    let crontab = crontab.with(wanted.job, &lines);
    let crontab = crontab.map_err(|error| broken(&path, error))?;
    put(&path, &crontab.into_bytes())
}

pub(super) fn from_cron_d(job: &Name) -> Result<(), ScheduleError> {
    let path = file_of(job);
    let crontab = Crontab::new(read(&path)?.unwrap_or_default());
    let rest = crontab.without(job).map_err(|error| broken(&path, error))?;
    if rest.says_nothing() {
        delete(&path)
    } else {
        put(&path, &rest.into_bytes())
    }
}

/// cron reads no file with a dot in its name. Two jobs may share one.
fn file_of(job: &Name) -> PathBuf {
    Path::new(CRON_D).join(format!("copal-{}", job.as_str().replace('.', "_")))
}

fn broken(path: &Path, source: BrokenBlock) -> ScheduleError {
    ScheduleError::Broken {
        place: format!("`{}`", path.display()),
        source,
    }
}

fn scheduled(by: Scheduler, place: String, lines: &[String]) -> Scheduled {
    let fields = |line: &String| {
        let fields: Vec<&str> = line.split_ascii_whitespace().take(5).collect();
        fields.join(" ").parse().ok()
    };
    Scheduled {
        by,
        place,
        text: lines.join("\n"),
        when: lines.iter().find_map(fields).map(|when| (when, None)),
    }
}
