//! The programs and files by which cron and systemd are told.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::ScheduleError;
use crate::edge::whole::{self, Mode};

/// Runs a program in the language of this code.
pub(super) fn run<S: AsRef<OsStr>>(
    program: &str,
    arguments: &[S],
) -> Result<Output, ScheduleError> {
    let there = on_the_path(program);
    let mut command = Command::new(there);
    // Debian's `crontab` leaves out what it takes for its own header, which may be somebody's comments.
    command
        .args(arguments)
        .env("LC_ALL", "C")
        .env("CRONTAB_NOHEADER", "N");
    command.output().map_err(|source| ScheduleError::NoProgram {
        program: program.to_owned(),
        source,
    })
}

/// What it is called by: where a shell has a short PATH, cron is there all the same.
fn on_the_path(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from);
    let mut all = std::env::split_paths(&path).chain(usual);
    let found = all.find_map(|dir| Some(dir.join(program)).filter(|it| it.is_file()));
    found.unwrap_or_else(|| program.into())
}

/// The same where there is but one good end.
pub(super) fn run_well<S: AsRef<OsStr>>(
    program: &str,
    arguments: &[S],
) -> Result<(), ScheduleError> {
    let output = run(program, arguments)?;
    if output.status.success() {
        return Ok(());
    }
    let words = arguments.iter().map(|word| word.as_ref().to_string_lossy());
    let words: Vec<_> = std::iter::once(program.into()).chain(words).collect();
    Err(ScheduleError::Refused {
        command: words.join(" "),
        said: said(&output),
    })
}

pub(super) fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    match text.trim() {
        "" => output.status.to_string(),
        text => text.to_owned(),
    }
}

/// Puts a file in the place of the one that is there.
pub(super) fn put(path: &Path, content: &[u8]) -> Result<(), ScheduleError> {
    whole::replace(path, content, Mode::Usual).map_err(|source| ScheduleError::Io {
        deed: "write",
        path: path.to_owned(),
        source,
    })
}

/// What is in a file, if there is one.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, ScheduleError> {
    match std::fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ScheduleError::Io {
            deed: "read",
            path: path.to_owned(),
            source,
        }),
    }
}

/// The files of a directory whose names are so, in order. One that is not there has none.
pub(super) fn named(
    directory: &Path,
    which: impl Fn(&str) -> bool,
) -> Result<Vec<PathBuf>, ScheduleError> {
    let failed = |source| ScheduleError::Io {
        deed: "read",
        path: directory.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<io::Result<_>>().map_err(failed)?;
    paths.retain(|path| {
        let name = path.file_name().and_then(OsStr::to_str);
        name.is_some_and(&which)
    });
    paths.sort();
    Ok(paths)
}

pub(super) fn delete(path: &Path) -> Result<(), ScheduleError> {
    std::fs::remove_file(path).map_err(|source| ScheduleError::Io {
        deed: "remove",
        path: path.to_owned(),
        source,
    })
}
