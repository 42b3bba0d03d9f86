//! The shell that is an engine's parent: it waits for what it ends, and ends all when we do.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, ensure};

/// Reads a word a line and answers each with a line; at the end of its input it tidies up.
/// containerd is started apart: one that dockerd starts itself does not always survive its SIGKILL.
const SCRIPT: &str = r#"
cd "$1" || exit 1
umask 077
cat >containerd.toml <<END
version = 2
root = "$1/containerd"
state = "$1/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$1/containerd.sock"
END
containerd --config containerd.toml >containerd.log 2>&1 &
containerd=$!
start() {
    rm -f docker.pid
    dockerd --data-root "$1/data" --exec-root "$1/exec" --pidfile "$1/docker.pid" \
        --host "unix://$1/docker.sock" --containerd "$1/containerd.sock" \
        --bridge=none --iptables=false >>dockerd.log 2>&1 &
    dockerd=$!
}
until [ -S containerd.sock ]; do
    kill -0 $containerd 2>/dev/null || exit 1
    sleep 0.02
done
start "$1"
while read -r word; do
    case $word in
        start) start "$1" ;;
        stop) kill -TERM $dockerd; wait $dockerd ;;
        kill) kill -KILL $dockerd; wait $dockerd ;;
        freeze) kill -STOP $dockerd ;;
        thaw) kill -CONT $dockerd ;;
    esac
    echo "$word"
done
kill -CONT $dockerd 2>/dev/null
kill -TERM $dockerd 2>/dev/null
wait $dockerd
kill -TERM $containerd
wait $containerd
# What a killed engine left mounted would keep its directory from going.
sed -n "s|^[^ ]* \($1/[^ ]*\) .*|\1|p" /proc/mounts | sort -r | while read -r mount; do umount -l "$mount"; done
cd / && rm -rf "$1"
"#;

#[derive(Debug)]
pub(super) struct Supervisor {
    directory: PathBuf,
    shell: Mutex<Shell>,
}

#[derive(Debug)]
struct Shell {
    child: Child,
    /// None when it is to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Supervisor {
    pub(super) fn start() -> Result<Self> {
        // A short path: that of a socket has at most 107 bytes. The shell removes it.
        let directory = tempfile::Builder::new()
            .prefix("copal-docker-")
            .tempdir_in("/tmp")?
            .keep();
        let mut child = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("can't start the engine's shell")?;
        let input = child.stdin.take();
        let output = child.stdout.take().context("the shell has no output")?;
        Ok(Self {
            directory,
            shell: Mutex::new(Shell {
                child,
                input,
                output: BufReader::new(output),
            }),
        })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Has the shell do something, and waits until it has.
    pub(super) fn ask(&self, word: &str) -> Result<()> {
        let mut shell = self.shell.lock().unwrap_or_else(PoisonError::into_inner);
        let input = shell.input.as_mut().context("the shell is ending")?;
        writeln!(input, "{word}")?;
        let mut answer = String::new();
        shell.output.read_line(&mut answer)?;
        ensure!(answer.trim() == word, "the engine's shell is gone");
        Ok(())
    }

    /// The end of what the engine said.
    pub(super) fn last_words(&self) -> String {
        let logs = ["containerd.log", "dockerd.log"].map(|name| {
            let log = fs::read_to_string(self.directory.join(name)).unwrap_or_default();
            let lines: Vec<_> = log.lines().rev().take(10).collect();
            lines.into_iter().rev().collect::<Vec<_>>().join("\n")
        });
        logs.join("\n")
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let shell = self.shell.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(shell.input.take());
        // The next test of this process may count on the machine being as before.
        drop(shell.child.wait());
    }
}
