//! Secrets of the owner's.
//!
//! Configuration: `[secret.NAME]`. Grants: `secrets` to have them put into requests
//! ([`Need::Secret`](copal_core::grants::Need::Secret)), `reveal` to read them
//! ([`Need::Reveal`](copal_core::grants::Need::Reveal)). Both are read in `copal-core`. In a dry run
//! secrets are real: reading them changes nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use copal_core::config::{Secret, SecretOrigin};
use copal_core::units::ByteCount;
use copal_hooks::{Cancel, CapabilityError, SecretBytes};

use super::command::process::{self, Ended, Program, Sink};

/// How long a program may take to tell a secret.
const TIMEOUT: Duration = Duration::from_secs(10);

/// No secret is longer.
const LONGEST: ByteCount = ByteCount(64 * 1024);

/// A job's secrets, each read once for a run.
#[derive(Debug, Default)]
pub struct Secrets {
    origins: BTreeMap<String, SecretOrigin>,
    base: PathBuf,
    read: Mutex<BTreeMap<String, SecretBytes>>,
}

impl Secrets {
    /// Those of a configuration; relative paths are relative to `base`.
    pub fn new(secrets: &[Secret], base: &Path) -> Self {
        let origin = |secret: &Secret| (secret.name.to_string(), secret.origin.clone());
        Self {
            origins: secrets.iter().map(origin).collect(),
            base: base.to_owned(),
            read: Mutex::default(),
        }
    }
}

/// A secret's bytes, without a line feed at their end.
pub(super) fn read(
    secrets: &Secrets,
    name: &str,
    cancel: &Cancel,
) -> Result<SecretBytes, CapabilityError> {
    // Held while a program runs: two hooks that want the same secret ask its owner once.
    let mut read = secrets.read.lock().expect("no holder of this lock panics");
    if let Some(known) = read.get(name) {
        return Ok(known.clone());
    }
    let missing = || CapabilityError::Missing(name.to_owned());
    let origin = secrets.origins.get(name).ok_or_else(missing)?;
    let failed = |why: String| CapabilityError::Failed(format!("secret `{name}`: {why}"));
    let bytes = take(name, origin, &secrets.base, cancel)
        .map_err(|why| why.map_or(CapabilityError::Interrupted, failed))?;
    let secret = SecretBytes::new(bytes);
    read.insert(name.to_owned(), secret.clone());
    Ok(secret)
}

/// Why a secret can't be had, as far as that is known without starting its owner's program, which may
/// cost something or ask somebody. What is read is kept: a file may be one that can be read once.
pub(super) fn absence(secrets: &Secrets, name: &str) -> Option<String> {
    let Some(SecretOrigin::Command(words)) = secrets.origins.get(name) else {
        let read = read(secrets, name, &Cancel::new());
        return read.err().map(|error| error.to_string());
    };
    let (program, base) = (words.first()?, &secrets.base);
    let path = std::env::var_os("PATH");
    let why = process::absence(program, base, base, path.as_deref())?;
    Some(format!("secret `{name}`: {why}"))
}

/// A secret from where it is, without a line feed at its end; the error of `None` is an end that was
/// asked for.
fn take(
    name: &str,
    origin: &SecretOrigin,
    base: &Path,
    cancel: &Cancel,
) -> Result<Vec<u8>, Option<String>> {
    let mut bytes = match origin {
        SecretOrigin::Env(variable) => std::env::var_os(variable)
            .ok_or_else(|| format!("the variable `{variable}` is not set"))?
            .into_vec(),
        SecretOrigin::File(path) => file(name, &path.resolve(base))?,
        SecretOrigin::Command(words) => output(words, base, cancel)?,
    };
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    if bytes.is_empty() {
        return Err(Some("it is empty".to_owned()));
    }
    Ok(bytes)
}

fn file(name: &str, path: &Path) -> Result<Vec<u8>, String> {
    let read = || -> io::Result<Vec<u8>> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.permissions().mode() & 0o077 != 0 {
            let path = path.display();
            tracing::warn!(secret = name, %path, "others may read the file of this secret: chmod 600");
        }
        let mut bytes = Vec::new();
        file.take(LONGEST.0 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| format!("can't read `{}`: {error}", path.display()))?;
    if bytes.len() as u64 > LONGEST.0 {
        return Err(format!("`{}` is longer than {LONGEST}", path.display()));
    }
    Ok(bytes)
}

/// What a program of the owner's says; the error of `None` is an end that was asked for. It has the
/// whole environment: it is started as its owner would start it, and no hook has a say in it.
fn output(words: &[String], base: &Path, cancel: &Cancel) -> Result<Vec<u8>, Option<String>> {
    let (name, arguments) = words
        .split_first()
        .ok_or_else(|| Some("it names no program".to_owned()))?;
    let mut program = Program::new(name, base);
    program.command.args(arguments);
    let ended = program
        .run(
            Sink::Keep(LONGEST),
            Sink::Keep(ByteCount::ZERO),
            TIMEOUT,
            cancel,
        )
        .map_err(|error| Some(format!("can't start `{name}`: {error}")))?;
    match ended {
        Ended::Interrupted => Err(None),
        Ended::TimedOut => Err(Some(format!(
            "`{name}` took longer than {} s",
            TIMEOUT.as_secs()
        ))),
        Ended::Unwritable(error) => Err(Some(error.to_string())),
        Ended::Exited(exited) if exited.code != 0 => {
            // What it wrote is not repeated: it may be half a secret.
            Err(Some(format!(
                "`{name}` ended with exit code {}",
                exited.code
            )))
        }
        Ended::Exited(exited) if exited.stdout.is_cut => {
            Err(Some(format!("`{name}` wrote more than {LONGEST}")))
        }
        Ended::Exited(exited) => Ok(exited.stdout.kept),
    }
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
