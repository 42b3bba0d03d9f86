//! A process that can't outlast its time, fill the memory, or be waited for in vain.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use copal_core::units::ByteCount;
use copal_hooks::Cancel;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, OFlags, access, fcntl_getfl, fcntl_setfl};

use crate::edge::groups;

/// Between two looks at the clock and at the process.
const LOOK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 20_000_000,
};

/// How much is read between two such looks. More than a pipe holds: what a process had written when
/// it ended is read, and not for ever what a child of its goes on writing.
const AT_ONCE: usize = 1024 * 1024;

/// Where programs are looked for without PATH, as `execvp` does it.
const WITHOUT_PATH: &str = "/bin:/usr/bin";

/// A program to be started, without input and in a process group of its own.
pub(in crate::capability) struct Program {
    pub(in crate::capability) command: Command,
}

/// Where an output of its goes.
pub(in crate::capability) enum Sink<'a> {
    /// Into memory, so much of it.
    Keep(ByteCount),
    /// Into a file, all of it.
    Write(&'a mut File),
}

/// How it ended.
#[derive(Debug)]
pub(in crate::capability) enum Ended {
    /// By itself, or by a signal from elsewhere.
    Exited(Exited),
    /// It was killed when its time was over.
    TimedOut,
    /// It was killed since the run is to end.
    Interrupted,
    /// It was killed since its output could not be written.
    Unwritable(io::Error),
}

/// What became of a process that ended.
#[derive(Debug)]
pub(in crate::capability) struct Exited {
    /// Its exit code, or 128 and the number of the signal that ended it.
    pub(in crate::capability) code: u32,
    /// What was kept of its standard output.
    pub(in crate::capability) stdout: Told,
    /// What was kept of its standard error.
    pub(in crate::capability) stderr: Told,
}

/// What was kept of an output.
#[derive(Debug, Default)]
pub(in crate::capability) struct Told {
    /// Its beginning.
    pub(in crate::capability) kept: Vec<u8>,
    /// Whether that is not all.
    pub(in crate::capability) is_cut: bool,
}

impl Program {
    /// A program by its name in PATH or by its path; a relative one is relative to `base`, which is
    /// also where it runs.
    pub(in crate::capability) fn new(name: &str, base: &Path) -> Self {
        let mut command = if name.contains('/') {
            Command::new(base.join(name))
        } else {
            Command::new(name)
        };
        if !base.as_os_str().is_empty() {
            command.current_dir(base);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        Self { command }
    }

    /// Runs it until it ends, its time is over or the run is to end. Its children are not waited for.
    pub(in crate::capability) fn run(
        mut self,
        stdout: Sink<'_>,
        stderr: Sink<'_>,
        timeout: Duration,
        cancel: &Cancel,
    ) -> io::Result<Ended> {
        let deadline = Instant::now() + timeout;
        let mut leader = groups::start(&mut self.command)?;
        let ended = watch(&mut leader.child, stdout, stderr, deadline, cancel);
        // What was waited for is not killed: its number may be another's.
        if leader.child.try_wait()?.is_none() {
            leader.kill()?;
        }
        ended
    }
}

/// Why there is no program that [`Program::new`] would start in `cwd` with this PATH.
pub(in crate::capability) fn absence(
    name: &str,
    base: &Path,
    cwd: &Path,
    path: Option<&OsStr>,
) -> Option<String> {
    let unfit = |file: &Path, error| format!("can't run `{}`: {error}", file.display());
    if name.contains('/') {
        let file = base.join(name);
        return can_run(&file).err().map(|error| unfit(&file, error));
    }
    let path = path.unwrap_or(OsStr::new(WITHOUT_PATH));
    let mut why = format!(
        "there is no program `{name}` in PATH, which is `{}`",
        path.display()
    );
    for directory in env::split_paths(path) {
        let file = cwd.join(directory).join(name);
        match can_run(&file) {
            Ok(()) => return None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // One that is there and can't be run says more; the next directory may still have one.
            Err(error) => why = unfit(&file, error),
        }
    }
    Some(why)
}

fn can_run(file: &Path) -> io::Result<()> {
    if fs::metadata(file)?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(access(file, Access::EXEC_OK)?)
}

fn watch(
    child: &mut Child,
    stdout: Sink<'_>,
    stderr: Sink<'_>,
    deadline: Instant,
    cancel: &Cancel,
) -> io::Result<Ended> {
    let mut stdout = Outlet::new(child.stdout.take().map(OwnedFd::from), stdout)?;
    let mut stderr = Outlet::new(child.stderr.take().map(OwnedFd::from), stderr)?;
    loop {
        // Looked at before reading, so that what it wrote last is read.
        let status = child.try_wait()?;
        for outlet in [&mut stdout, &mut stderr] {
            if let Some(error) = outlet.read()? {
                return Ok(Ended::Unwritable(error));
            }
        }
        if let Some(status) = status {
            let signal = status.signal().map(|signal| 128 + signal);
            let code = status.code().or(signal).unwrap_or(-1);
            return Ok(Ended::Exited(Exited {
                code: u32::try_from(code).unwrap_or(u32::MAX),
                stdout: stdout.told(),
                stderr: stderr.told(),
            }));
        }
        if cancel.is_cancelled() {
            return Ok(Ended::Interrupted);
        }
        if Instant::now() >= deadline {
            return Ok(Ended::TimedOut);
        }
        wait(&stdout, &stderr)?;
    }
}

/// Until something was written, or it is time to look again.
fn wait(stdout: &Outlet<'_>, stderr: &Outlet<'_>) -> io::Result<()> {
    let pipes = [&stdout.pipe, &stderr.pipe].into_iter().flatten();
    let mut polled: Vec<_> = pipes.map(|pipe| PollFd::new(pipe, PollFlags::IN)).collect();
    match poll(&mut polled, Some(&LOOK)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// One of its two outputs, at our end.
struct Outlet<'a> {
    /// None when everything was read.
    pipe: Option<File>,
    sink: Sink<'a>,
    told: Told,
}

impl<'a> Outlet<'a> {
    fn new(pipe: Option<OwnedFd>, sink: Sink<'a>) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
        }
        Ok(Self {
            pipe: pipe.map(File::from),
            sink,
            told: Told::default(),
        })
    }

    /// Reads what is there. The inner error is that of the file it is written to.
    fn read(&mut self) -> io::Result<Option<io::Error>> {
        let mut buffer = [0; 16 * 1024];
        let mut left = AT_ONCE;
        while let Some(pipe) = self.pipe.as_mut().filter(|_| left > 0) {
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(read) => {
                    left = left.saturating_sub(read);
                    if let Err(error) = self.take(&buffer[..read]) {
                        return Ok(Some(error));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.sink {
            Sink::Write(file) => file.write_all(bytes),
            Sink::Keep(most) => {
                let most = usize::try_from(most.0).unwrap_or(usize::MAX);
                let room = most - self.told.kept.len();
                let kept = &bytes[..room.min(bytes.len())];
                self.told.kept.extend_from_slice(kept);
                self.told.is_cut |= kept.len() < bytes.len();
                Ok(())
            }
        }
    }

    fn told(self) -> Told {
        self.told
    }
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
