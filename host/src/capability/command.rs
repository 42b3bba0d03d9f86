//! Commands of the owner's.
//!
//! Configuration: `[command.NAME]` ([`Command`], which also judges the
//! values that hooks fill in). Grant: `command`, a list of their names
//! ([`Need::Command`](copal_core::grants::Need::Command)). Both are read in `copal-core`.
//!
//! No shell, no environment but what is written here and in copal.toml.

pub(super) mod process;

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use copal_core::config::Command;
use copal_core::path::{RelPath, encode_bytes};
use copal_core::units::ByteCount;
use copal_hooks::{
    Call, Cancel, CapabilityError, Captured, CommandRequest, Finished, Masks, SecretBytes,
};

use self::process::{Ended, Exited, Program, Sink, Told};
use super::artifacts::Added;
use super::host::Host;
use super::means::Means;
use super::secrets;
use crate::edge::environment;
use crate::edge::stat::attributes;

/// How much of a standard error is told where a command failed.
const LAST_WORDS: usize = 1000;

/// Why a command can't be run, its secrets left aside.
pub(super) fn absence(means: &Means, name: &str) -> Option<String> {
    let command = means.commands.get(name)?;
    let cwd = command.cwd.as_ref();
    let cwd = cwd.map_or_else(|| means.base.clone(), |cwd| cwd.resolve(&means.base));
    let why = if cwd.is_dir() {
        let own = command.env.get("PATH").map(OsString::from);
        let path = own.or_else(|| std::env::var_os("PATH"));
        process::absence(&command.program, &means.base, &cwd, path.as_deref())?
    } else {
        format!("`{}`, its `cwd`, is no directory", cwd.display())
    };
    Some(format!("command `{name}`: {why}"))
}

/// Runs a command to its end.
pub(super) fn run(
    means: &Means,
    call: &Call<'_>,
    request: &CommandRequest,
) -> Result<Finished, CapabilityError> {
    let keep = call.limits.command_output;
    let ready = Ready::of(means, request, call.cancel)?;
    let exited = ready.run(Sink::Keep(keep), keep, call.cancel)?;
    Ok(Finished {
        exit_code: exited.code,
        truncated: exited.stdout.is_cut || exited.stderr.is_cut,
        secrets: ready.secrets,
        stdout: exited.stdout.kept,
        stderr: exited.stderr.kept,
    })
}

/// In a dry run nothing is started; what could not be is refused all the same.
pub(super) fn recorded_run(
    means: &Means,
    request: &CommandRequest,
) -> Result<Finished, CapabilityError> {
    arguments(means, request)?;
    Ok(Finished::default())
}

/// Runs a command, and has its standard output join the snapshot as the file `path`.
pub(super) fn capture(
    host: &Host,
    call: &Call<'_>,
    request: &CommandRequest,
    path: &RelPath,
) -> Result<Captured, CapabilityError> {
    let ready = Ready::of(&host.means, request, call.cancel)?;
    host.can_take(path).map_err(CapabilityError::Invalid)?;
    let place = host.artifacts.next_file();
    let captured = write(&ready, call, path, &place);
    let captured = captured.and_then(|(new, captured)| match host.artifacts.add_new(new) {
        Ok(()) => Ok(captured),
        Err(other) => Err(CapabilityError::Invalid(format!(
            "`{path}`: the artifact `{other}` is in its way"
        ))),
    });
    if captured.is_err() && place.exists() {
        // Half an output is none, and takes room.
        fs::remove_file(&place).map_err(|error| unwritable(path, &error))?;
    }
    captured
}

/// Runs it with its standard output in the new file `place`.
fn write(
    ready: &Ready<'_>,
    call: &Call<'_>,
    path: &RelPath,
    place: &Path,
) -> Result<(Added, Captured), CapabilityError> {
    let written = |error: io::Error| unwritable(path, &error);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(place).map_err(written)?;
    let exited = ready.run(
        Sink::Write(&mut file),
        call.limits.command_output,
        call.cancel,
    )?;
    if exited.code != 0 {
        return Err(ready.failed(&exited));
    }
    file.sync_all().map_err(written)?;
    let metadata = file.metadata().map_err(written)?;
    let new = Added {
        path: path.clone(),
        attributes: attributes(&metadata),
        file: Some(place.to_owned()),
    };
    let captured = Captured {
        bytes: ByteCount(metadata.len()),
        stderr: exited.stderr.kept,
        secrets: ready.secrets.clone(),
    };
    Ok((new, captured))
}

/// In a dry run nothing is started, and nothing staged.
pub(super) fn recorded_capture(
    host: &Host,
    request: &CommandRequest,
    path: &RelPath,
) -> Result<Captured, CapabilityError> {
    arguments(&host.means, request)?;
    host.can_take(path).map_err(CapabilityError::Invalid)?;
    Ok(Captured::default())
}

fn unwritable(path: &RelPath, error: &io::Error) -> CapabilityError {
    CapabilityError::Failed(format!(
        "can't write `{path}` in the staging directory: {error}"
    ))
}

/// A command and its arguments, with the hook's values in them.
fn arguments<'a>(
    means: &'a Means,
    request: &CommandRequest,
) -> Result<(&'a Command, Vec<String>), CapabilityError> {
    let missing = || CapabilityError::Missing(request.name.clone());
    let command = means.commands.get(&request.name).ok_or_else(missing)?;
    let arguments = command.fill(&request.arguments);
    let arguments = arguments.map_err(|why| CapabilityError::Invalid(why.to_string()))?;
    Ok((command, arguments))
}

/// A command that could be started.
struct Ready<'a> {
    command: &'a Command,
    arguments: Vec<String>,
    /// Its environment, and nothing beside it.
    variables: Vec<(OsString, OsString)>,
    /// What must not be told of it.
    secrets: Vec<SecretBytes>,
    base: &'a Path,
}

impl<'a> Ready<'a> {
    fn of(
        means: &'a Means,
        request: &CommandRequest,
        cancel: &Cancel,
    ) -> Result<Self, CapabilityError> {
        let (command, arguments) = arguments(means, request)?;
        let mut ready = Self {
            command,
            arguments,
            variables: environment::inherited(&[]),
            secrets: Vec::new(),
            base: &means.base,
        };
        let own = command
            .env
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        ready.variables.extend(own);
        for (name, secret) in &command.secret_env {
            let value = secrets::read(&means.secrets, secret.as_str(), cancel)?;
            if value.expose().contains(&0) {
                let why = format!("secret `{secret}` holds a NUL character, which no variable can");
                return Err(CapabilityError::Failed(why));
            }
            let bytes = OsString::from_vec(value.expose().to_vec());
            ready.variables.push((name.into(), bytes));
            ready.secrets.push(value);
        }
        Ok(ready)
    }

    fn run(
        &self,
        stdout: Sink<'_>,
        keep: ByteCount,
        cancel: &Cancel,
    ) -> Result<Exited, CapabilityError> {
        let Command {
            name,
            program,
            timeout,
            ..
        } = self.command;
        let mut process = Program::new(program, self.base);
        process.command.args(&self.arguments).env_clear();
        process
            .command
            .envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(cwd) = &self.command.cwd {
            process.command.current_dir(cwd.resolve(self.base));
        }
        let ended = process.run(stdout, Sink::Keep(keep), *timeout, cancel);
        let ended = ended.map_err(|error| {
            CapabilityError::Failed(format!(
                "can't run `{program}`, the command `{name}`: {error}"
            ))
        })?;
        match ended {
            Ended::Exited(exited) => Ok(exited),
            Ended::Interrupted => Err(CapabilityError::Interrupted),
            Ended::TimedOut => Err(CapabilityError::TimedOut(format!(
                "command `{name}` was killed after {timeout:?} (its `timeout`)"
            ))),
            Ended::Unwritable(error) => Err(CapabilityError::Failed(format!(
                "can't write what command `{name}` says: {error}"
            ))),
        }
    }

    /// That it ended badly, with its last words.
    fn failed(&self, exited: &Exited) -> CapabilityError {
        let masks = Masks::default();
        self.secrets.iter().for_each(|secret| masks.add(secret));
        let words = last_words(&exited.stderr, &masks);
        let name = &self.command.name;
        let code = exited.code;
        CapabilityError::Failed(match words.as_str() {
            "" => format!("command `{name}` ended with exit code {code}"),
            words => format!("command `{name}` ended with exit code {code}: {words}"),
        })
    }
}

/// The end of what was kept, without secrets. They are covered first: one that is cut, or whose line
/// feeds are rewritten, is not recognised.
fn last_words(said: &Told, masks: &Masks) -> String {
    let mut text = String::from_utf8_lossy(&said.kept).into_owned();
    if said.is_cut {
        // The last line may end in the midst of a secret.
        text.truncate(text.rfind('\n').unwrap_or(0));
    }
    let text = masks.cover(text);
    let end = text.ceil_char_boundary(text.len().saturating_sub(LAST_WORDS));
    encode_bytes(text[end..].trim().as_bytes()).replace("%0A", "; ")
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
