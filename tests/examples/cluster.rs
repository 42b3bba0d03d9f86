//! A PostgreSQL of the test's own.

use std::fs;
use std::io::Write;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A running server with a data directory and a socket of its own, gone when it is dropped.
pub(crate) struct Cluster {
    programs: PathBuf,
    directory: TempDir,
    /// PostgreSQL refuses to run as root: the user `postgres` then.
    user: Option<(u32, u32)>,
}

impl Cluster {
    /// Starts one; none where there is no PostgreSQL, which is a failure where `CI` is set.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let why = "PostgreSQL is not installed; scripts/setup test installs it";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            let mut stderr = std::io::stderr();
            writeln!(stderr, "left out: {why}").unwrap();
            return None;
        };
        let directory = tempfile::Builder::new()
            .prefix("copal-pg-")
            .tempdir()
            .unwrap();
        let user = rustix::process::geteuid().is_root().then(postgres_user);
        if let Some((uid, gid)) = user {
            chown(directory.path(), Some(uid), Some(gid)).unwrap();
        }
        let cluster = Self {
            programs,
            directory,
            user,
        };
        cluster.initialise();
        Some(cluster)
    }

    fn initialise(&self) {
        let data = self.data();
        let initdb = [
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--no-sync",
            "-D",
            &data,
        ];
        self.run("initdb", &initdb);
        let socket = self.socket();
        let options = format!("-k {socket} -c listen_addresses= -c fsync=off");
        let log = format!("{socket}/log");
        self.run(
            "pg_ctl",
            &["-w", "-D", &data, "-l", &log, "-o", &options, "start"],
        );
    }

    fn data(&self) -> String {
        self.directory.path().join("data").display().to_string()
    }

    /// The directory with its socket.
    pub(crate) fn socket(&self) -> String {
        self.directory.path().display().to_string()
    }

    /// One of its programs: `pg_dump`.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Runs one of its programs as a client of the server, which is to succeed.
    #[track_caller]
    pub(crate) fn run(&self, name: &str, arguments: &[&str]) -> String {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(name, arguments).output().unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        assert!(status.success(), "{name} {arguments:?}\n{}", text(&stderr));
        text(&stdout)
    }

    /// What a query answers, without adornment.
    #[track_caller]
    pub(crate) fn query(&self, database: &str, sql: &str) -> String {
        let answer = self.run(
            "psql",
            &["-qtA", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql],
        );
        answer.trim().to_owned()
    }

    fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program(name));
        command
            .args(arguments)
            .current_dir("/")
            .env("PGHOST", self.socket())
            .env("PGUSER", "postgres");
        if let Some((uid, gid)) = self.user {
            command.gid(gid).uid(uid);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        let stop = ["-w", "-m", "immediate", "-D", &data, "stop"];
        // Where it never started there is nothing to stop.
        let _stopped = self.command("pg_ctl", &stop).output();
    }
}

/// Where PostgreSQL's programs are: beside `initdb` on the PATH, or where Debian has them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<_> = std::env::split_paths(&path).collect();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    directories.extend(versions.map(|version| version.unwrap().path().join("bin")));
    let has_all = |directory: &PathBuf| {
        let has = |name: &&str| directory.join(name).exists();
        ["initdb", "pg_ctl", "psql", "pg_dump", "pg_restore"]
            .iter()
            .all(has)
    };
    directories.into_iter().find(has_all)
}

/// The user and the group of `postgres`.
fn postgres_user() -> (u32, u32) {
    let passwd = fs::read_to_string(Path::new("/etc/passwd")).unwrap();
    let line = passwd.lines().find(|line| line.starts_with("postgres:"));
    let line = line.expect("as root, PostgreSQL's programs run as the user `postgres`");
    let fields: Vec<_> = line.split(':').collect();
    (fields[2].parse().unwrap(), fields[3].parse().unwrap())
}
