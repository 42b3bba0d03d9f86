//! Where a page's commands are run: a machine as the pages have it, below the top of a world.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use copal_testkit::{OpenWebUi, Size, World, wait_until};
use regex::Regex;
use rustix::process::{Pid, Signal, kill_process_group};

use super::blocks::{Page, What};
use super::table::{is_left_out, stood_in};
use crate::common::{PATIENCE, redate_in, skip, world};

/// The snapshot that the pages speak of.
const SHOWN: &str = "2026-11-24T030000Z";

/// Programs that a page may use where they are.
const TOOLS: [&str; 4] = ["curl", "python3", "rclone", "sqlite3"];

/// A crontab of the world's own, as the program of that name keeps it.
const CRONTAB: &str = "#!/bin/sh
case $1 in
    -l) cat \"$HOME/crontab\" 2>/dev/null || { echo 'no crontab for you' >&2; exit 1; } ;;
    *) cp \"$1\" \"$HOME/crontab\" ;;
esac
";

pub(super) struct Site {
    pub(super) world: World,
    port: u16,
    /// The shells that were started: what they left running ends with the site.
    groups: Vec<Pid>,
    /// What the last commands said.
    told: String,
    amiss: Vec<String>,
}

impl Site {
    /// A machine with an Open WebUI, a remote `b2:` and a copal, and neither Docker nor systemd.
    pub(super) fn new() -> Self {
        let mut world = world();
        OpenWebUi::create(&world.path("opt/open-webui"), &Size::SMALL).unwrap();
        for directory in [
            "b2/my-bucket",
            "b2/OpenWebUI-backups",
            "home/me/.cargo/bin",
            "mnt/backup",
            "etc/copal",
            "tmp",
            "usr/local/bin",
            "var/www/copal",
        ] {
            fs::create_dir_all(world.path(directory)).unwrap();
        }
        let bucket = format!("type = alias\nremote = {}\n", world.path("b2").display());
        world.add_remote("b2", &bucket);
        for bin in ["usr/local/bin", "home/me/.cargo/bin"] {
            let copal = world.path(bin).join("copal");
            symlink(env!("CARGO_BIN_EXE_copal"), copal).unwrap();
        }
        let crontab = world.write("usr/local/bin/crontab", CRONTAB);
        fs::set_permissions(crontab, fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let bin = world.path("usr/local/bin").display().to_string();
        world.set("PATH", format!("{bin}:{path}"));
        let data = world.path("opt/open-webui");
        world.set("DATA_DIR", data);
        let no_engine = format!("unix://{}", world.path("no-engine").display());
        world.set("DOCKER_HOST", no_engine);
        // Days begin where they do on the pages.
        world.set("TZ", "UTC");
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            world,
            port: free.local_addr().unwrap().port(),
            groups: Vec::new(),
            told: String::new(),
            amiss: Vec::new(),
        }
    }

    /// Writes a file of text, in which absolute paths are those of the world.
    pub(super) fn write(&self, path: &str, text: &str) {
        self.world.write(path, self.rooted(text));
    }

    /// Paths like `/opt/…` are below the top of the world.
    fn rooted(&self, text: &str) -> String {
        static PATH: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"(?m)(^|[\s'"=(])/(etc|home|mnt|opt|srv|tmp|usr|var)/"#).unwrap()
        });
        let root = self.world.root().display();
        PATH.replace_all(text, format!("${{1}}{root}/${{2}}/"))
            .into_owned()
    }

    /// Has the snapshot be there that the pages show, as a copy of the last.
    pub(super) fn date_a_snapshot(&self) {
        for place in ["b2/my-bucket/copal/open-webui", "mnt/backup/open-webui"] {
            let place = self.world.path(place);
            if !place.is_dir() || place.join(SHOWN).exists() {
                continue;
            }
            let listed = fs::read_dir(&place).unwrap();
            let ids = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let last = ids.max().expect("a snapshot");
            redate_in(&place, &last, SHOWN);
        }
    }

    /// Does what the page says, from top to bottom.
    #[track_caller]
    pub(super) fn follow(&mut self, page: &Page) {
        for block in &page.blocks {
            let place = format!("{}:{}", page.file, block.line);
            match &block.what {
                What::Commands(commands) => self.run(page, &place, commands),
                What::Output(shown) => self.compare(&place, shown),
                What::Configuration(_) | What::Cases(_) | What::Other => {}
            }
        }
        assert!(self.amiss.is_empty(), "{}", self.amiss.join("\n"));
    }

    /// All that commands have said.
    pub(super) fn all_told(&self) -> String {
        let files = crate::common::files_below(&self.world.path("ran"));
        let read = |file| fs::read(self.world.path("ran").join(file)).unwrap();
        let texts = files.into_iter().map(read);
        String::from_utf8_lossy(&texts.collect::<Vec<_>>().concat()).into_owned()
    }

    /// Runs the commands of a block, one after the other, by one shell.
    fn run(&mut self, page: &Page, place: &str, commands: &[String]) {
        if commands.iter().any(|it| it.contains("2026-11-24")) {
            self.date_a_snapshot();
        }
        let said = format!("ran/{}", place.replace('/', "-"));
        fs::create_dir_all(self.world.path(&said)).unwrap();
        let mut run = Vec::new();
        let mut script = String::new();
        for command in commands {
            if is_left_out(&page.file, command) || lacks(place, command) {
                continue;
            }
            let words = self.rooted(&stood_in(&page.file, command, self.port));
            let said = self.world.path(format!("{said}/{}", run.len()));
            let said = said.display();
            writeln!(
                script,
                "exec >'{said}' 2>&1\n{words}\necho $? >'{said}.end'"
            )
            .unwrap();
            run.push((command, words));
        }
        self.shell(place, &script, &self.world.path(&said).join("shell"));
        self.told.clear();
        for (number, (command, words)) in run.into_iter().enumerate() {
            let read = |end: &str| {
                let file = self.world.path(format!("{said}/{number}{end}"));
                let bytes = fs::read(file).unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            };
            let (end, told) = (read(".end"), read(""));
            if end.trim() != "0" {
                let shell = fs::read_to_string(self.world.path(&said).join("shell"));
                self.amiss.push(format!(
                    "{place}: `{command}`\nrun as: {words}\nended with {end:?}\n{told}{}",
                    shell.unwrap_or_default()
                ));
            }
            self.told.push_str(&told);
        }
    }

    fn shell(&mut self, place: &str, script: &str, complaints: &Path) {
        let like = self.world.command::<&str>(&[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).env_clear();
        for (name, value) in like.get_envs() {
            shell.env(name, value.unwrap_or_default());
        }
        let mut child = shell
            .current_dir(self.world.root())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(complaints).unwrap())
            .process_group(0)
            .spawn()
            .unwrap();
        self.groups.push(Pid::from_child(&child));
        let ended = wait_until(place, PATIENCE * 2, || child.try_wait().unwrap());
        ended.unwrap_or_else(|error| panic!("{error}\n{script}\n{}", self.all_told()));
    }

    /// Each line that is shown is among what was told, figures aside.
    fn compare(&mut self, place: &str, shown: &str) {
        let told: Vec<_> = self.told.lines().map(|line| self.plain(line)).collect();
        for line in shown.lines() {
            if !told.contains(&self.plain(line)) {
                let line = line.trim();
                self.amiss
                    .push(format!("{place}: «{line}» is not in\n{}", self.told));
            }
        }
    }

    /// A line without what differs from run to run.
    fn plain(&self, line: &str) -> String {
        static FIGURES: LazyLock<[(Regex, &str); 2]> = LazyLock::new(|| {
            [
                (r"(up to )?\b\d[\d.,]* (bytes|B|[KMG]iB)\b", "[size]"),
                (r"\b\d[\d,]* files?\b", "[files]"),
            ]
            .map(|(pattern, name)| (Regex::new(pattern).unwrap(), name))
        });
        let line = self.world.redactions().apply(line);
        let line = FIGURES.iter().fold(line, |line, (pattern, name)| {
            pattern.replace_all(&line, *name).into_owned()
        });
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for group in &self.groups {
            // Most have ended long ago.
            let _gone = kill_process_group(*group, Signal::TERM);
        }
    }
}

/// Whether a command can't be run on this machine, as is said on stderr then.
fn lacks(place: &str, command: &str) -> bool {
    if command.starts_with("copal schedule") && Path::new("/run/systemd/system").is_dir() {
        skip(&format!("{place}: systemd would really start that job"));
        return true;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |tool: &str| std::env::split_paths(&path).any(|bin| bin.join(tool).is_file());
    let mut words = command.split_whitespace();
    let Some(tool) = words.find(|word| TOOLS.contains(word) && !is_there(word)) else {
        return false;
    };
    assert!(
        std::env::var_os("CI").is_none(),
        "{place}: {tool} is missing"
    );
    skip(&format!("{place}: {tool} is missing"));
    true
}
