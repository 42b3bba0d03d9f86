//! Programs that stop and start services.
//!
//! What such a program starts may live on with its standard output and error. A pipe would end it with
//! SIGPIPE once nobody reads any more, and a file would grow for ever: so both are memory of a fixed
//! size, to which at some point nothing can be written.

use std::fs::File;
use std::io::{self, Seek};
use std::os::unix::fs::FileExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::fs::{Access, MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use serde::{Deserialize, Serialize};

use super::ServiceError;
use crate::edge::{environment, groups};

/// How much of its output is kept.
const KEPT: u64 = 64 * 1024;

/// How much of what it said on its standard error is told.
const TOLD: usize = 500;

/// Between two looks at it.
const AGAIN: Duration = Duration::from_millis(5);

/// What such a program gets of the environment besides: where the managers of a user's own services are.
const MANAGERS: [&str; 2] = ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"];

/// What a program that has a mark is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Hold,
    Release,
}

impl Purpose {
    /// The variable of its mark.
    const fn variable(self) -> &'static str {
        match self {
            Self::Hold => "COPAL_HOLD",
            Self::Release => "COPAL_RELEASE",
        }
    }
}

/// What tells the processes that hold or release a service from all others. They may outlive whoever
/// started them: then the service is about to be held, or to be back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(pub(super) String);

impl Mark {
    /// A mark that nobody else has.
    pub(super) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = now.map_or(0, |since| since.as_nanos());
        Self(format!("{}-{nanos}", std::process::id()))
    }

    /// Whether a process that is to hold it, or was started by one, is there, as far as this user may see.
    /// One that is a zombie is not.
    pub(super) fn is_holding(&self) -> bool {
        self.processes(Purpose::Hold).next().is_some()
    }

    /// Whether a program that is to release it is there. What it leaves running is the service itself.
    pub(super) fn is_releasing(&self) -> bool {
        self.processes(Purpose::Release).any(|place| leads(&place))
    }

    /// Their directories.
    fn processes(&self, purpose: Purpose) -> impl Iterator<Item = PathBuf> {
        let wanted = format!("{}={}", purpose.variable(), self.0);
        let has = move |environment: Vec<u8>| {
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == wanted.as_bytes())
        };
        let processes = std::fs::read_dir("/proc").into_iter().flatten();
        processes
            .filter_map(Result::ok)
            .filter(|entry| {
                entry
                    .file_name()
                    .as_encoded_bytes()
                    .first()
                    .is_some_and(u8::is_ascii_digit)
            })
            .map(|entry| entry.path())
            .filter(move |place| std::fs::read(place.join("environ")).is_ok_and(&has))
    }
}

/// Whether a process is one that we started: the leader of a group, in the session of who started it. What
/// stays as a service leads a session of its own, or no group.
fn leads(place: &Path) -> bool {
    let line = std::fs::read_to_string(place.join("stat")).unwrap_or_default();
    // Such as `12 (a name) S 1 12 5 …`: the process, its state, parent, group and session.
    let id = line.split(' ').next();
    let after = line.rsplit(") ").next().unwrap_or_default();
    let fields: Vec<_> = after.split(' ').collect();
    let (group, session) = (fields.get(2).copied(), fields.get(3).copied());
    group == id && session != id
}

/// What a program said before it ended.
#[derive(Debug)]
pub(super) struct Exited {
    /// Its exit code, or 128 and the number of the signal that ended it.
    pub(super) code: i32,
    /// The beginning of its standard output.
    pub(super) stdout: String,
    /// The program with its arguments.
    program: String,
    stderr: String,
}

/// Runs a program until it ends or `limit` is over. It has no input; a relative path is relative to
/// `base`, where it runs too.
pub(super) fn run(words: &[String], base: &Path, limit: Duration) -> Result<Exited, ServiceError> {
    run_command(command(words, base), words, limit)
}

/// The same with a mark upon the program and what it starts.
pub(super) fn run_marked(
    words: &[String],
    base: &Path,
    limit: Duration,
    mark: &Mark,
    purpose: Purpose,
) -> Result<Exited, ServiceError> {
    let mut command = command(words, base);
    command.env(purpose.variable(), &mark.0);
    run_command(command, words, limit)
}

fn run_command(
    mut command: Command,
    words: &[String],
    limit: Duration,
) -> Result<Exited, ServiceError> {
    let program = words.join(" ");
    let failed = |error: io::Error| ServiceError::Program {
        program: program.clone(),
        why: error.to_string(),
    };
    let (stdout, stderr) = (memory().map_err(failed)?, memory().map_err(failed)?);
    command.stdin(Stdio::null());
    command.stdout(stdout.try_clone().map_err(failed)?);
    command.stderr(stderr.try_clone().map_err(failed)?);
    let started = Instant::now();
    let mut leader = groups::start(&mut command).map_err(failed)?;
    let status = loop {
        if let Some(status) = leader.child.try_wait().map_err(failed)? {
            break status;
        }
        if started.elapsed() >= limit {
            leader.kill().map_err(failed)?;
            return Err(ServiceError::Slow { program, limit });
        }
        thread::sleep(AGAIN);
    };
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    Ok(Exited {
        code: code.unwrap_or(-1),
        stdout: said(stdout).map_err(failed)?,
        stderr: said(stderr).map_err(failed)?,
        program,
    })
}

impl Exited {
    /// That it ended well.
    pub(super) fn well(self) -> Result<Self, ServiceError> {
        if self.code == 0 {
            return Ok(self);
        }
        Err(ServiceError::Failed {
            said: self.complaint(),
            program: self.program,
            code: self.code,
        })
    }

    /// Its answer to whether something is so. What was killed, or could not be run by a shell, has not
    /// answered.
    pub(super) fn answer(self) -> Result<bool, ServiceError> {
        match self.code {
            0 => Ok(true),
            1..=125 => Ok(false),
            code => Err(ServiceError::Untold {
                said: self.complaint(),
                program: self.program,
                code,
            }),
        }
    }

    /// The end of what it said on its standard error.
    fn complaint(&self) -> String {
        let said = self.stderr.trim();
        let said = &said[said.ceil_char_boundary(said.len().saturating_sub(TOLD))..];
        said.lines().collect::<Vec<_>>().join("; ")
    }
}

/// An error if there is no such program, as far as that shows without running it.
pub(super) fn refuse_missing(words: &[String], base: &Path) -> Result<(), ServiceError> {
    let program = program(words, base);
    let is_there = |place: &Path| rustix::fs::access(place, Access::EXEC_OK).is_ok();
    let is_found = if program.components().count() > 1 {
        is_there(&program)
    } else {
        // Without one the system looks where it likes.
        std::env::var_os("PATH").is_none_or(|path| {
            std::env::split_paths(&path).any(|directory| is_there(&directory.join(&program)))
        })
    };
    if is_found {
        return Ok(());
    }
    Err(ServiceError::Program {
        program: words.join(" "),
        why: "there is no such program".to_owned(),
    })
}

/// A path if it is written as one, else a name to be looked for in PATH.
fn program(words: &[String], base: &Path) -> PathBuf {
    let program = words.first().map_or("", String::as_str);
    if program.contains('/') {
        base.join(program)
    } else {
        PathBuf::from(program)
    }
}

fn command(words: &[String], base: &Path) -> Command {
    let mut command = Command::new(program(words, base));
    command.args(words.iter().skip(1)).process_group(0);
    command.env_clear().envs(environment::inherited(&MANAGERS));
    if !base.as_os_str().is_empty() {
        command.current_dir(base);
    }
    command
}

/// Memory that does not grow.
fn memory() -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let memory = File::from(memfd_create("copal-said", flags)?);
    memory.set_len(KEPT)?;
    fcntl_add_seals(&memory, SealFlags::GROW | SealFlags::SHRINK)?;
    Ok(memory)
}

/// What was written so far. Its end is where the writer, who shares our place in it, has come to.
fn said(mut memory: File) -> io::Result<String> {
    let length = memory.stream_position()?.min(KEPT);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    memory.read_exact_at(&mut bytes, 0)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
