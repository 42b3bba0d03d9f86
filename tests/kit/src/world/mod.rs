//! A little world of its own for `copal`: nothing of the outside reaches it but `PATH`.

mod output;
mod redactions;
mod running;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

pub use output::Output;
pub use redactions::Redactions;
pub use running::Running;

/// The name of the remote that every world has: an alias of the folder [`World::vault`].
pub const REMOTE: &str = "vault";

/// A directory with a home, a source, a remote and a temporary directory, in which the binary runs
/// with an environment that names those places and nothing else.
///
/// ```text
/// <root>/home/.config/rclone/rclone.conf     [vault] type = alias, remote = <root>/vault
/// <root>/home/.local/state, .cache           XDG's places
/// <root>/source                              made empty
/// <root>/vault                               where `vault:` is
/// <root>/tmp                                 TMPDIR
/// ```
///
/// Commands run in `<root>`, so that `--source source --to vault:backups` is all it takes. What
/// goes wrong while a world is set up or a command is started is a panic: in a test, nothing else
/// would do.
#[derive(Debug)]
pub struct World {
    binary: PathBuf,
    root: PathBuf,
    environment: Vec<(OsString, OsString)>,
    #[expect(
        dead_code,
        reason = "dropping it deletes the directory; `None` where the caller does"
    )]
    temporary: Option<TempDir>,
}

impl World {
    /// A world in a temporary directory, for the binary of
    /// `World::new(env!("CARGO_BIN_EXE_copal"))`.
    pub fn new(binary: impl AsRef<Path>) -> Self {
        let temporary = tempfile::Builder::new()
            .prefix("copal-world-")
            .tempdir()
            .expect("a temporary directory");
        let world = Self::within(temporary.path(), binary);
        Self {
            temporary: Some(temporary),
            ..world
        }
    }

    /// A world in a directory of the caller's, who also cleans up.
    pub fn within(root: &Path, binary: impl AsRef<Path>) -> Self {
        fs::create_dir_all(root).expect("the world's directory");
        let root = fs::canonicalize(root).expect("the world's directory");
        let mut world = Self {
            binary: binary.as_ref().to_owned(),
            root,
            environment: Vec::new(),
            temporary: None,
        };
        world.furnish();
        world
    }

    fn furnish(&mut self) {
        for place in ["home", "source", "vault", "tmp", "home/.config/rclone"] {
            fs::create_dir_all(self.path(place)).expect("a place in the world");
        }
        let remote = format!("type = alias\nremote = {}\n", self.vault().display());
        self.add_remote(REMOTE, &remote);
        for (name, place) in [
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "home/.config"),
            ("XDG_STATE_HOME", "home/.local/state"),
            ("XDG_CACHE_HOME", "home/.cache"),
            ("XDG_DATA_HOME", "home/.local/share"),
            ("TMPDIR", "tmp"),
        ] {
            let path = self.path(place);
            self.set(name, path);
        }
        if let Some(path) = std::env::var_os("PATH") {
            self.set("PATH", path);
        }
    }

    /// Sets a variable for all commands from here on.
    pub fn set(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.as_ref().into()));
        self
    }

    /// Adds a section to `rclone.conf`: its name without brackets, and its lines.
    pub fn add_remote(&self, name: &str, lines: &str) {
        let before = fs::read_to_string(self.rclone_conf()).unwrap_or_default();
        let after = format!("{before}[{name}]\n{}\n", lines.trim_end());
        fs::write(self.rclone_conf(), after).expect("rclone.conf");
    }

    /// Writes a file below the root, with its directories.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(path);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).expect("a directory in the world");
        }
        fs::write(&path, content).expect("a file in the world");
        path
    }

    /// A path below the root.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// The top of the world, in which commands run.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory to back up.
    pub fn source(&self) -> PathBuf {
        self.path("source")
    }

    /// The folder that the remote `vault:` is.
    pub fn vault(&self) -> PathBuf {
        self.path("vault")
    }

    /// rclone's configuration.
    pub fn rclone_conf(&self) -> PathBuf {
        self.path("home/.config/rclone/rclone.conf")
    }

    /// The command, not yet started: for what the helpers below do not cover.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .current_dir(&self.root)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs `copal` with these arguments to its end.
    pub fn copal<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Output {
        let output = self.command(arguments).output().expect("the binary runs");
        Output::new(&shown(arguments), output, self.redactions())
    }

    /// Starts `copal` with these arguments, in a process group of its own, and comes back at once.
    pub fn start<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Running {
        Running::start(self.command(arguments), shown(arguments), self.redactions())
    }

    /// What makes this world's outputs comparable between runs.
    pub fn redactions(&self) -> Redactions {
        Redactions::new().with(&self.root.to_string_lossy(), "[world]")
    }
}

/// The command as a person would have typed it, near enough.
fn shown<A: AsRef<OsStr>>(arguments: &[A]) -> String {
    let words = arguments.iter().map(|a| a.as_ref().to_string_lossy());
    std::iter::once("copal".into())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests;
