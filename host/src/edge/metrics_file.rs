//! The file that a collector reads metrics from: whole at any time, and of one job alone.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::scratch::write_and_forget;
use super::whole::{self, Mode};

/// Why the file can't be written.
#[derive(Debug, thiserror::Error)]
pub enum MetricsFileError {
    /// The system does not let it.
    #[error("can't write the metrics `{}`", .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is somebody else's.
    #[error("the file for metrics `{}` is not one of the job `{name}`, and is left as it is", .file.display())]
    Another {
        /// The file.
        file: PathBuf,
        /// The job.
        name: String,
    },
}

/// The most of a file's first line that is looked at.
const LONGEST: u64 = 4096;

/// Puts this text in the place of what the file holds. Whoever reads it sees the one or the other, and it may be
/// read by everybody: the collector is another user.
pub fn replace(file: &Path, name: &str, text: &str) -> Result<(), MetricsFileError> {
    let failed = |source| MetricsFileError::Io {
        file: file.to_owned(),
        source,
    };
    refuse_another(file, name)?;
    let whole = format!("{}{text}", first_of(name));
    whole::replace(file, whole.as_bytes(), Mode::Public).map_err(failed)
}

/// Whether it can be put there. Nothing is written that stays.
pub fn look(file: &Path, name: &str) -> Result<(), MetricsFileError> {
    refuse_another(file, name)?;
    write_and_forget(above(file)).map_err(|source| MetricsFileError::Io {
        file: file.to_owned(),
        source,
    })
}

/// What the file of a job begins with.
fn first_of(name: &str) -> String {
    format!("# Copal's metrics of the job {name}\n")
}

fn refuse_another(file: &Path, name: &str) -> Result<(), MetricsFileError> {
    let line = first_line(file).map_err(|source| MetricsFileError::Io {
        file: file.to_owned(),
        source,
    })?;
    if line.is_some_and(|line| line != first_of(name)) {
        return Err(MetricsFileError::Another {
            file: file.to_owned(),
            name: name.to_owned(),
        });
    }
    Ok(())
}

fn above(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// The first line of a file that is there and has anything in it. What is no regular file is an error, and not
/// opened: a pipe would keep the run waiting for whoever writes into it.
fn first_line(path: &Path) -> io::Result<Option<String>> {
    let no_file = || io::Error::other("it is no regular file");
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(no_file()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    // It may have become something else meanwhile.
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(no_file());
    }
    let mut line = Vec::new();
    BufReader::new(file.take(LONGEST)).read_until(b'\n', &mut line)?;
    Ok((!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_may_be_read_by_others() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("copal.prom");
        for text in ["copal_a 1\n", "copal_b 2\n"] {
            replace(&file, "letters", text).unwrap();
            let whole = format!("# Copal's metrics of the job letters\n{text}");
            assert_eq!(fs::read_to_string(&file).unwrap(), whole);
        }
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o644
        );
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "nothing beside it"
        );
    }

    #[test]
    fn what_is_of_another_job_or_of_somebody_else_is_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("copal.prom");
        replace(&file, "letters", "copal_a 1\n").unwrap();
        let another = replace(&file, "photos", "copal_a 2\n").unwrap_err();
        assert!(
            matches!(another, MetricsFileError::Another { .. }),
            "{another}"
        );
        let kept = fs::read_to_string(&file).unwrap();
        assert!(kept.ends_with("copal_a 1\n"), "{kept}");
        fs::write(&file, "my own\n").unwrap();
        replace(&file, "letters", "").unwrap_err();
        assert_eq!(fs::read_to_string(&file).unwrap(), "my own\n");
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_once_and_left() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        for file in [&pipe, &link, Path::new("/dev/null"), dir.path()] {
            let error = replace(file, "letters", "").unwrap_err();
            let MetricsFileError::Io { source, .. } = error else {
                panic!("{error}");
            };
            assert!(source.to_string().contains("regular"), "{source}");
        }
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let gone = dir.path().join("gone/copal.prom");
        let error = replace(&gone, "letters", "").unwrap_err();
        assert!(matches!(error, MetricsFileError::Io { .. }), "{error}");
    }
}
