//! The commands of a case: what they come to, and the files that their outputs became.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use copal_core::config::{Command, Config};
use copal_core::path::RelPath;
use copal_core::units::ByteCount;
use copal_hooks::{Call, CapabilityError, Captured, CommandRequest, Finished};

use super::fake::BadGiven;
use super::spec::CommandAnswer;

/// The owner's commands, as far as a case speaks of them.
pub(super) struct Commands {
    answers: BTreeMap<String, CommandAnswer>,
    /// Those whose arguments the case spells out.
    spelled_out: BTreeMap<String, Command>,
    /// In a dry run none is started.
    is_dry_run: bool,
    captured: Mutex<BTreeMap<RelPath, String>>,
}

impl Commands {
    /// Those with these answers.
    pub(super) fn new(
        answers: BTreeMap<String, CommandAnswer>,
        is_dry_run: bool,
    ) -> Result<Self, BadGiven> {
        let mut spelled_out = BTreeMap::new();
        for (name, answer) in &answers {
            if !answer.run.is_empty() {
                spelled_out.insert(name.clone(), spell_out(name, answer)?);
            }
        }
        Ok(Self {
            answers,
            spelled_out,
            is_dry_run,
            captured: Mutex::default(),
        })
    }

    /// The outputs that were captured, by path.
    pub(super) fn captured(&self) -> BTreeMap<RelPath, String> {
        self.files().clone()
    }

    pub(super) fn run(
        &self,
        call: &Call<'_>,
        request: &CommandRequest,
    ) -> Result<Finished, CapabilityError> {
        let answer = self.answer(request)?;
        let limit = usize::try_from(call.limits.command_output.0).unwrap_or(usize::MAX);
        let cut = |text: &str| text.as_bytes()[..text.len().min(limit)].to_vec();
        Ok(Finished {
            exit_code: answer.exit_code,
            stdout: cut(&answer.stdout),
            stderr: cut(&answer.stderr),
            truncated: answer.stdout.len() > limit || answer.stderr.len() > limit,
            secrets: Vec::new(),
        })
    }

    /// `room` is what the source has against a new file at `path`, if anything.
    pub(super) fn capture(
        &self,
        request: &CommandRequest,
        path: &RelPath,
        room: Result<(), String>,
    ) -> Result<Captured, CapabilityError> {
        let answer = self.answer(request)?;
        room.map_err(CapabilityError::Invalid)?;
        let mut files = self.files();
        let clash = |other: &&RelPath| other.is_within(path) || path.is_within(other);
        if let Some(other) = files.keys().find(clash) {
            let why = format!("`{path}`: the artifact `{other}` is in its way");
            return Err(CapabilityError::Invalid(why));
        }
        if answer.exit_code != 0 {
            let (code, stderr) = (answer.exit_code, answer.stderr);
            let name = &request.name;
            let why = format!("command `{name}` ended with exit code {code}: {stderr}");
            return Err(CapabilityError::Failed(why));
        }
        let bytes = ByteCount(answer.stdout.len() as u64);
        if !self.is_dry_run {
            files.insert(path.clone(), answer.stdout);
        }
        Ok(Captured {
            bytes,
            stderr: answer.stderr.into_bytes(),
            secrets: Vec::new(),
        })
    }

    fn answer(&self, request: &CommandRequest) -> Result<CommandAnswer, CapabilityError> {
        let answer = self.answers.get(&request.name);
        if answer.is_none() && !self.answers.is_empty() {
            return Err(CapabilityError::Missing(request.name.clone()));
        }
        if let Some(command) = self.spelled_out.get(&request.name) {
            let filled = command.fill(&request.arguments);
            filled.map_err(|why| CapabilityError::Invalid(why.to_string()))?;
        }
        let answer = answer.filter(|_| !self.is_dry_run).cloned();
        let answer = answer.unwrap_or_default();
        match answer.error {
            Some(why) => Err(CapabilityError::Failed(why)),
            None => Ok(answer),
        }
    }

    fn files(&self) -> MutexGuard<'_, BTreeMap<RelPath, String>> {
        self.captured.lock().expect("no holder of this lock panics")
    }
}

/// The command, read as that of a copal.toml is.
fn spell_out(name: &str, answer: &CommandAnswer) -> Result<Command, BadGiven> {
    let unfit = |why: String| BadGiven::Command {
        name: name.to_owned(),
        why,
    };
    let own = toml::toml! {
        name = "test"
        source.path = "."
        destination = [{ remote = "test:" }]
    };
    let run = toml::Value::from(answer.run.clone());
    let allow = answer.allow.iter();
    let allow: toml::Table = allow
        .map(|(placeholder, values)| (placeholder.clone(), values.clone().into()))
        .collect();
    let mut command = toml::Table::from_iter([("run".to_owned(), run)]);
    if !allow.is_empty() {
        command.insert("allow".to_owned(), allow.into());
    }
    let commands = toml::Table::from_iter([(name.to_owned(), command.into())]);
    let mut file = own;
    file.insert("command".to_owned(), commands.into());
    let config = Config::parse(&file.to_string(), "the case");
    let config = config.map_err(|error| unfit(error.to_string()))?;
    let command = config.commands().first().cloned();
    command.ok_or_else(|| unfit("it is none".to_owned()))
}

#[cfg(test)]
#[path = "commands_tests.rs"]
mod tests;
