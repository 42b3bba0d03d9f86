//! How the demonstration looks: commands as a person types them, what they print, what came of it.

use std::env;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

const BOLD: &str = "1";
const DIM: &str = "2";
const GREEN: &str = "32";
const RED: &str = "31";
const COMMAND: &str = "1;36";

/// Where everything is shown: stdout, in colour only where a terminal shows it.
pub(crate) struct Stage {
    colour: bool,
    terminal: bool,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            colour: io::stdout().is_terminal() && !plain,
            terminal: io::stdout().is_terminal() && io::stderr().is_terminal(),
        }
    }

    pub(crate) fn title(&self, text: &str) -> io::Result<()> {
        print(&format!("\n{}\n", self.paint(BOLD, text)))
    }

    /// A name, something of a size, and a remark.
    pub(crate) fn row(&self, name: &str, size: &str, remark: &str) -> io::Result<()> {
        let remark = self.paint(DIM, remark);
        print(&format!("    {name:<12} {size:>10}   {remark}"))
    }

    /// What came of it.
    pub(crate) fn verdict(&self, good: bool, text: &str) -> io::Result<()> {
        let mark = if good {
            self.paint(GREEN, "✓")
        } else {
            self.paint(RED, "✗")
        };
        print(&format!("  {mark} {text}"))
    }

    /// Shows a command, runs it, and shows up to `at_most` lines of its results. On a terminal its
    /// progress bar is shown as it is.
    pub(crate) fn run(
        &self,
        shown: &str,
        mut command: Command,
        at_most: usize,
    ) -> anyhow::Result<ExitStatus> {
        print(&format!(
            "\n{} {}",
            self.paint(DIM, "$"),
            self.paint(COMMAND, shown)
        ))?;
        let messages = if self.terminal {
            Stdio::inherit()
        } else {
            Stdio::piped()
        };
        let mut child = command.stdout(Stdio::piped()).stderr(messages).spawn()?;
        let (lines, arriving) = mpsc::channel();
        let readers = [
            child
                .stdout
                .take()
                .map(|out| read_lines(out, lines.clone())),
            child.stderr.take().map(|err| read_lines(err, lines)),
        ];
        let mut left_out = 0_usize;
        for (n, line) in arriving.iter().enumerate() {
            let line = line?;
            if n < at_most {
                print(&format!("  {line}"))?;
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            print(&self.paint(DIM, &format!("  … and {left_out} more lines")))?;
        }
        for reader in readers.into_iter().flatten() {
            reader
                .join()
                .map_err(|_| anyhow::anyhow!("a reader of output panicked"))?;
        }
        Ok(child.wait()?)
    }

    /// Says where everything is, for whoever wants to look around.
    pub(crate) fn kept(&self, place: &Path, binary: &Path) -> io::Result<()> {
        self.title("Kept, to look around in")?;
        line(&format!("cd {}", place.display()))?;
        line("export RCLONE_CONFIG=$PWD/home/.config/rclone/rclone.conf")?;
        line(&format!(
            "{} ls latest --from vault:backups",
            binary.display()
        ))?;
        print("")
    }

    pub(crate) fn removed(&self) -> io::Result<()> {
        let text = "Everything made for this is removed again; `make demo KEEP=1` keeps it.";
        print(&format!("\n  {}\n", self.paint(DIM, text)))
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// A line of text, indented like everything below a title.
pub(crate) fn line(text: &str) -> io::Result<()> {
    print(format!("  {text}").trim_end())
}

fn print(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

fn read_lines(
    from: impl Read + Send + 'static,
    to: mpsc::Sender<io::Result<String>>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            if to.send(line).is_err() {
                return;
            }
        }
    })
}
