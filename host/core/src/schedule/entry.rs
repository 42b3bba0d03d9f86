//! What cron is told of one job.

use std::path::{Path, PathBuf};

use super::{When, units};
use crate::name::Name;

/// cron takes no longer command.
const LONGEST: usize = 998;

/// A job that runs by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub when: When,
    /// The program, absolute.
    pub program: PathBuf,
    /// Its configuration, absolute.
    pub config: PathBuf,
    /// What it finds in its environment, `PATH` for one: cron and systemd give it next to nothing.
    pub environment: Vec<(String, String)>,
    /// The most by which a run is put off, in the words of the command line; not at all without. Many
    /// machines that begin in the same second are as much trouble to a remote as to each other.
    pub jitter: Option<String>,
}

/// Why cron can't be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// These are lines of text, and have nothing for what is neither.
    #[error("{0:?} has a character that neither a crontab nor a unit can have")]
    Character(PathBuf),
    /// It would be cut off.
    #[error("the command would have {0} characters, of which cron takes {LONGEST}")]
    TooLong(usize),
}

impl Entry {
    /// The lines: the runs, and the release of what one held that was cut short with the machine. In a file of
    /// `/etc/cron.d` a user stands before each command. There are no settings among them, since these would be
    /// in force for the lines of others that follow.
    pub fn lines(&self, user: Option<&Name>) -> Result<Vec<String>, Unwritable> {
        let user = user.map_or_else(String::new, |user| format!("{user} "));
        let jitter = self
            .jitter
            .as_deref()
            .map_or_else(String::new, |jitter| format!(" --jitter {jitter}"));
        let backup = self.command(&format!("backup --unattended{jitter}"))?;
        let recover = self.command("recover --quiet")?;
        Ok(vec![
            format!("{} {user}{backup}", self.when),
            format!("@reboot {user}{recover}"),
        ])
    }

    /// Whether the text of a schedule is about this configuration.
    pub fn is_of(&self, text: &str) -> bool {
        let of_cron = word(&self.config).map(|config| format!("--config {config} "));
        let of_systemd = units::config(&self.config).map(|config| format!("--config {config} "));
        let said = [of_cron, of_systemd].into_iter().flatten();
        said.into_iter().any(|said| text.contains(&said))
    }

    fn command(&self, arguments: &str) -> Result<String, Unwritable> {
        let program = word(&self.program)?;
        let config = word(&self.config)?;
        let mut words = Vec::new();
        for (name, value) in &self.environment {
            words.push(format!("{name}={}", word(Path::new(value))?));
        }
        words.push(format!("{program} --config {config} {arguments}"));
        let command = words.join(" ");
        if command.len() > LONGEST {
            return Err(Unwritable::TooLong(command.len()));
        }
        Ok(command)
    }
}

/// One word for the shell, and for cron, to which `%` is the end of a line.
fn word(path: &Path) -> Result<String, Unwritable> {
    let text = line(path)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:@,+=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return Ok(text.to_owned());
    }
    let quoted = text.replace('\'', r"'\''");
    // A backslash of its own before it would be taken for the one that cron wants there.
    let apart = quoted.replace(r"\%", r"\''%");
    Ok(format!("'{}'", apart.replace('%', r"\%")))
}

/// What can stand in a line of a file.
pub(super) fn line(path: &Path) -> Result<&str, Unwritable> {
    let text = path
        .to_str()
        .filter(|text| !text.chars().any(char::is_control));
    text.ok_or_else(|| Unwritable::Character(path.to_owned()))
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
