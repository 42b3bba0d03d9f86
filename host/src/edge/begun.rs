//! A mark that a run of a job has begun: what is left of one that was killed before it could tell anybody.
//! Whoever holds the job's lock and finds one knows that its run is no more.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::whole::{self, Mode};

/// The run that a mark speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Its id.
    pub run: String,
    /// When it began.
    pub started: Timestamp,
    /// What it had sealed by then, in a line of its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

/// The mark of the job, under its lock.
#[derive(Debug)]
pub struct Mark {
    file: PathBuf,
}

impl Mark {
    /// The one in this file.
    pub fn at(file: PathBuf) -> Self {
        Self { file }
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The run that left it. One that was cut short by a power failure tells of none.
    ///
    /// # Errors
    /// It is there, and can't be read: whether a run was killed is not known.
    pub fn left(&self) -> io::Result<Option<Begun>> {
        match fs::read_to_string(&self.file) {
            Ok(text) => Ok(Begun::parse(&text)),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::InvalidData => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// Leaves it for a run. It is on the disk when this returns.
    pub fn leave(&self, begun: &Begun) -> io::Result<()> {
        if let Some(directory) = self.file.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut text = format!("{} {}\n", begun.run, begun.started);
        if let Some(sealed) = &begun.sealed {
            text.push_str(sealed);
            text.push('\n');
        }
        whole::replace(&self.file, text.as_bytes(), Mode::Private)
    }

    /// Takes it away: the run has told how it ended.
    pub fn clear(&self) -> io::Result<()> {
        whole::remove(&self.file)
    }
}

impl Begun {
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.lines();
        let (run, started) = lines.next()?.split_once(' ')?;
        Some(Self {
            run: run.to_owned(),
            started: started.parse().ok()?,
            sealed: lines.next().map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_tells_of_its_run_until_it_is_taken_away_and_a_torn_one_of_none() {
        let dir = tempfile::tempdir().unwrap();
        let mark = Mark::at(dir.path().join("begun/app"));
        assert_eq!(mark.left().unwrap(), None);
        let begun = Begun {
            run: "5f-1".to_owned(),
            started: "2026-11-24T03:00:00.25Z".parse().unwrap(),
            sealed: None,
        };
        mark.leave(&begun).unwrap();
        assert_eq!(mark.left().unwrap().as_ref(), Some(&begun));
        let sealed = Begun {
            sealed: Some("{}".to_owned()),
            ..begun
        };
        mark.leave(&sealed).unwrap();
        assert_eq!(mark.left().unwrap(), Some(sealed));
        let text = fs::read_to_string(mark.file()).unwrap();
        fs::write(mark.file(), &text[..text.len() - 1]).unwrap();
        assert_eq!(mark.left().unwrap(), None);
        mark.clear().unwrap();
        mark.clear().unwrap();
        assert!(!mark.file().exists());
    }

    #[test]
    fn a_mark_that_can_not_be_read_is_not_taken_for_none() {
        let dir = tempfile::tempdir().unwrap();
        let mark = Mark::at(dir.path().join("app"));
        fs::create_dir(mark.file()).unwrap();
        mark.left().unwrap_err();
    }
}
