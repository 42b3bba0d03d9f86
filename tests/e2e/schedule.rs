//! Jobs that are started by themselves: by real cron, and by units that real systemd has read.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Output};

use copal_testkit::World;
use copal_testkit::wait_until;

use crate::common::{PATIENCE, skip, small_world};

/// Has the crontabs, the units and what cron writes while it runs lie in the world, for one command.
const APART: &str = "\
set -e
mount --bind \"$SPOOL\" /var/spool/cron/crontabs
mount --bind \"$CRON_D\" /etc/cron.d
mount --bind \"$UNITS\" /etc/systemd/system
mount --bind /dev/null /etc/crontab
mount -t tmpfs tmpfs /run
exec \"$@\"";

/// A world with a job, and with all that starts jobs to itself.
struct Timed {
    world: World,
}

impl Timed {
    /// `None` where that can't be had, as a test says on stderr.
    fn new() -> Option<Self> {
        let world = small_world();
        world.write(
            "copal.toml",
            "name = \"app\"\nsource.path = \"source\"\n[[destination]]\nremote = \"vault:\"\n",
        );
        for directory in ["spool", "cron.d", "units", "bin"] {
            fs::create_dir(world.path(directory)).unwrap();
        }
        let timed = Self { world };
        let there = timed.apart("crontab", &["-l"]).output();
        let there = there.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
        let has_all = there.as_ref().is_ok_and(|said| said.contains("no crontab"));
        if !has_all {
            assert!(
                std::env::var_os("CI").is_none(),
                "cron is missing: {there:?}"
            );
            skip(&format!("it needs root and cron: {there:?}"));
            return None;
        }
        Some(timed)
    }

    fn apart<S: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, arguments: &[S]) -> Command {
        let like = self.world.command::<&str>(&[]);
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", APART, "sh"]);
        command.arg(program).args(arguments).env_clear();
        for (name, value) in like.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        let own = format!("{}:", self.world.path("bin").display());
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", own + &path);
        command.env("SPOOL", self.world.path("spool"));
        command.env("CRON_D", self.world.path("cron.d"));
        command.env("UNITS", self.world.path("units"));
        command.current_dir(self.world.root());
        command
    }

    fn copal(&self, arguments: &[&str]) -> Output {
        let command = self.world.command::<&str>(&[]);
        let program = command.get_program().to_owned();
        self.apart(program, arguments).output().unwrap()
    }

    fn crontab(&self) -> String {
        let output = self.apart("crontab", &["-l"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn set_crontab(&self, text: &str) {
        let file = self.world.write("crontab", text);
        let set = self.apart("crontab", &[file]).output().unwrap();
        assert!(set.status.success(), "{set:?}");
    }

    /// Notes down what systemd would have been asked, since it does not run here.
    fn with_systemctl(&self, exit: u8) {
        let text = format!("#!/bin/sh\necho \"$*\" >> \"$(dirname \"$0\")/asked\"\nexit {exit}\n");
        let path = self.world.write("bin/systemctl", text);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(path, mode).unwrap();
    }
}

#[track_caller]
fn well(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[track_caller]
fn fails(output: &Output, code: i32, why: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(why), "{told}");
}

#[test]
fn cron_starts_a_job_that_was_installed_and_nothing_is_said_when_all_is_well() {
    let Some(timed) = Timed::new() else { return };
    let mine = "MAILTO=\"\"\n# mine\n0 0 1 1 * true\n";
    timed.set_crontab(mine);
    let told = well(&timed.copal(&["schedule", "install", "--crontab", "*", "*", "*", "*", "*"]));
    assert!(
        told.contains("app is started by cron, this user's crontab"),
        "{told}"
    );
    assert!(timed.crontab().starts_with(mine), "{}", timed.crontab());

    let mut cron = timed.apart("cron", &["-f"]).spawn().unwrap();
    let snapshots = timed.world.vault().join("app");
    let sealed = || -> Option<()> {
        let entries = fs::read_dir(&snapshots).into_iter().flatten().flatten();
        let mut manifests = entries.map(|entry| entry.path().join(".copal/manifest.json"));
        manifests.find(|it| it.is_file()).map(drop)
    };
    wait_until("a snapshot that cron has made", PATIENCE * 3, sealed).unwrap();
    cron.kill().unwrap();
    cron.wait().unwrap();

    let told = well(&timed.copal(&["schedule", "remove"]));
    assert!(told.contains("no longer started by cron"), "{told}");
    assert_eq!(timed.crontab(), mine);
    fails(&timed.copal(&["schedule", "show"]), 1, "");
}

#[test]
fn a_crontab_is_changed_in_copals_part_alone_and_to_the_same_however_often() {
    let Some(timed) = Timed::new() else { return };
    let mine = "# odd: \u{e4} \t\nSHELL=/bin/bash\n\n*/5 * * * * echo 100\\%\n";
    timed.set_crontab(mine);
    well(&timed.copal(&["schedule", "install", "--crontab", "daily 03:00"]));
    let once = timed.crontab();
    well(&timed.copal(&["schedule", "install", "--crontab", "daily", "03:00"]));
    assert_eq!(timed.crontab(), once);
    let config = timed.world.path("copal.toml");
    let line = once
        .lines()
        .find(|line| line.starts_with("0 3 * * * "))
        .unwrap();
    assert!(
        line.contains(&format!(
            "--config {} backup --unattended",
            config.display()
        )),
        "{line}"
    );
    assert!(line.contains("XDG_STATE_HOME="), "{line}");
    let at_start = once
        .lines()
        .find(|line| line.starts_with("@reboot "))
        .unwrap();
    assert!(at_start.ends_with("recover --quiet"), "{at_start}");

    let told = well(&timed.copal(&["schedule", "show", "--json"]));
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["schedules"][0]["cron"], "0 3 * * *", "{told:#}");
    assert_eq!(
        told["schedules"][0]["next"].as_array().unwrap().len(),
        5,
        "{told:#}"
    );

    // Elsewhere it would be started twice.
    fails(
        &timed.copal(&["schedule", "install", "--cron-d", "daily 04:00"]),
        2,
        "the job is scheduled already, by this user's crontab",
    );
    let broken = once.replace("# end copal app", "# the end");
    timed.set_crontab(&broken);
    fails(
        &timed.copal(&["schedule", "remove"]),
        1,
        "can't tell Copal's part of the crontab",
    );
    fails(
        &timed.copal(&["schedule", "install", "--crontab", "hourly"]),
        1,
        "and nothing ends it",
    );
    assert_eq!(timed.crontab(), broken);
}

#[test]
fn a_file_of_cron_d_names_the_user_and_goes_with_its_last_job() {
    let Some(timed) = Timed::new() else { return };
    well(&timed.copal(&[
        "schedule",
        "install",
        "--cron-d",
        "--jitter",
        "10m",
        "weekly sun 03:00",
    ]));
    let path = timed.world.path("cron.d/copal-app");
    let text = fs::read_to_string(&path).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("0 3 * * sun root "))
        .unwrap();
    assert!(
        line.ends_with("backup --unattended --jitter 600s"),
        "{line}"
    );
    well(&timed.copal(&["schedule", "remove"]));
    assert!(!path.exists());
}

#[test]
fn systemd_takes_the_units_and_starts_them_at_the_same_times() {
    let Some(timed) = Timed::new() else { return };
    timed.with_systemctl(0);
    let install = [
        "schedule",
        "install",
        "--systemd",
        "--zone",
        "Europe/Berlin",
        "--jitter",
        "10m",
        "--on-failure",
        "tell@%n.service",
        "0 3 1 * sun",
    ];
    let told = well(&timed.copal(&install));
    assert!(told.contains("app is started by systemd"), "{told}");
    well(&timed.copal(&install));
    let asked = fs::read_to_string(timed.world.path("bin/asked")).unwrap();
    assert!(
        asked.contains("daemon-reload") && asked.contains("enable copal-app.timer"),
        "{asked}"
    );

    let unit = |name: &str| timed.world.path("units").join(name);
    let units = [
        "copal-app.service",
        "copal-app.timer",
        "copal-app:recover.service",
    ]
    .map(unit);
    let mut verify = Command::new("systemd-analyze");
    let verified = verify.arg("verify").args(&units).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    // What is started on failure is the owner's to have; of other units nothing is asked.
    let ours = said
        .lines()
        .filter(|line| line.contains("copal-app") && !line.contains("tell@"));
    assert_eq!(ours.collect::<Vec<_>>(), Vec::<&str>::new(), "{said}");

    let text = fs::read_to_string(unit("copal-app.timer")).unwrap();
    for calendar in text
        .lines()
        .filter_map(|line| line.strip_prefix("OnCalendar="))
    {
        let read = Command::new("systemd-analyze")
            .args(["calendar", calendar])
            .output()
            .unwrap();
        assert!(read.status.success(), "{calendar}: {read:?}");
    }
    well(&timed.copal(&["schedule", "remove"]));
    assert_eq!(fs::read_dir(timed.world.path("units")).unwrap().count(), 0);
}

#[test]
fn a_unit_of_somebody_else_is_neither_written_over_nor_removed() {
    let Some(timed) = Timed::new() else { return };
    timed.with_systemctl(0);
    let theirs = timed.world.write(
        "units/copal-app.service",
        "[Service]\nExecStart=/bin/true\n",
    );
    let install = timed.copal(&["schedule", "install", "--systemd", "daily 03:00"]);
    fails(&install, 1, "is not by `copal schedule`");
    assert!(!timed.world.path("units/copal-app.timer").exists());
    well(&timed.copal(&["schedule", "remove"]));
    assert!(theirs.exists());
}

#[test]
fn what_can_not_be_scheduled_is_said_before_anything_is_written() {
    let Some(timed) = Timed::new() else { return };
    timed.with_systemctl(1);
    let install = |more: &[&str]| timed.copal(&[&["schedule", "install"], more].concat());
    fails(
        &install(&["--crontab", "daily"]),
        2,
        "`daily` is followed by a time",
    );
    fails(
        &install(&["--crontab", "0 3 30 2 *"]),
        2,
        "no day is ever like this",
    );
    fails(
        &install(&["--crontab", "--zone", "Asia/Tokyo", "hourly"]),
        2,
        "cron goes by this machine's time zone",
    );
    fails(
        &install(&["--systemd", "--zone", "Mars/Base", "hourly"]),
        2,
        "there is no time zone `Mars/Base`",
    );
    assert_eq!(timed.crontab(), "");
    fails(
        &install(&["--systemd", "hourly"]),
        1,
        "`systemctl daemon-reload` failed",
    );
}

#[test]
fn comments_at_the_top_are_kept_and_lines_that_can_not_be_are_not_touched() {
    let Some(timed) = Timed::new() else { return };
    // As a tool for configurations writes it: without the three lines of Debian's own.
    let spool = timed.world.path("spool/root");
    let mine = "# first\n# second\n# third\n0 0 1 1 * true\n";
    timed.set_crontab(mine);
    fs::write(&spool, mine).unwrap();
    well(&timed.copal(&["schedule", "install", "--crontab", "daily 03:00"]));
    well(&timed.copal(&["schedule", "remove"]));
    let kept = fs::read_to_string(&spool).unwrap();
    assert!(kept.ends_with(mine), "{kept}");

    fs::write(&spool, "0 0 1 1 * true\r\n").unwrap();
    let refused = timed.copal(&["schedule", "install", "--crontab", "daily 03:00"]);
    fails(&refused, 1, "end with a carriage return");
    assert_eq!(fs::read_to_string(&spool).unwrap(), "0 0 1 1 * true\r\n");
}

#[test]
fn a_job_of_another_configuration_is_not_replaced_by_one_of_the_same_name() {
    let Some(timed) = Timed::new() else { return };
    well(&timed.copal(&["schedule", "install", "--crontab", "daily 03:00"]));
    let before = timed.crontab();
    let same = fs::read(timed.world.path("copal.toml")).unwrap();
    timed.world.write("other.toml", same);
    let other = [
        "-c",
        "other.toml",
        "schedule",
        "install",
        "--crontab",
        "hourly",
    ];
    fails(&timed.copal(&other), 2, "the job of another configuration");
    assert_eq!(timed.crontab(), before);
}

#[test]
fn a_job_whose_configuration_is_wrong_by_now_is_still_removed() {
    let Some(timed) = Timed::new() else { return };
    well(&timed.copal(&["schedule", "install", "--crontab", "daily 03:00"]));
    let right = fs::read_to_string(timed.world.path("copal.toml")).unwrap();
    timed
        .world
        .write("copal.toml", format!("nonsense = 1\n{right}"));
    fails(&timed.copal(&["schedule", "show"]), 2, "nonsense");
    well(&timed.copal(&["schedule", "remove"]));
    assert_eq!(timed.crontab(), "");
}

#[test]
fn a_timer_of_the_package_is_told_and_the_job_not_started_twice() {
    let Some(timed) = Timed::new() else { return };
    timed.with_systemctl(0);
    let shipped = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../packaging/systemd/copal@.timer"
    );
    let wants = timed.world.path("units/timers.target.wants");
    fs::create_dir(&wants).unwrap();
    std::os::unix::fs::symlink(shipped, wants.join("copal@app.timer")).unwrap();
    let told = well(&timed.copal(&["schedule", "show"]));
    assert!(
        told.contains("is started by systemd, as Copal's package has it, copal@app.timer"),
        "{told}"
    );
    assert!(
        told.contains("--config /etc/copal/app.toml backup"),
        "{told}"
    );
    let told = well(&timed.copal(&["schedule", "show", "--json"]));
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["schedules"][0]["by"], "package", "{told:#}");
    assert_eq!(told["schedules"][0]["cron"], "0 3 * * *", "{told:#}");
    for by in ["--systemd", "--crontab"] {
        let install = timed.copal(&["schedule", "install", by, "daily 04:00"]);
        fails(&install, 2, "systemctl disable --now copal@app.timer");
    }
    fails(
        &timed.copal(&["schedule", "remove"]),
        2,
        "`copal@app.timer`, of Copal's package",
    );
    assert_eq!(timed.crontab(), "");
    assert!(!timed.world.path("units/copal-app.timer").exists());
    assert!(
        !timed.world.path("bin/asked").exists(),
        "systemd was asked for nothing"
    );

    timed.world.write(
        "units/copal@app.timer.d/override.conf",
        "[Timer]\nOnCalendar=hourly\n",
    );
    let told = well(&timed.copal(&["schedule", "show"]));
    assert!(
        told.contains("`systemctl list-timers` tells them"),
        "{told}"
    );
}

#[test]
fn a_configuration_with_another_name_than_it_was_installed_by_is_not_started_under_both() {
    let Some(timed) = Timed::new() else { return };
    well(&timed.copal(&["schedule", "install", "--crontab", "daily 03:00"]));
    let before = timed.crontab();
    let text = fs::read_to_string(timed.world.path("copal.toml")).unwrap();
    timed
        .world
        .write("copal.toml", text.replace("\"app\"", "\"other\""));
    for by in ["--crontab", "--cron-d"] {
        let install = timed.copal(&["schedule", "install", by, "daily 03:00"]);
        fails(
            &install,
            2,
            "scheduled already under the name `app`, by this user's crontab",
        );
    }
    assert_eq!(timed.crontab(), before);
}

#[test]
fn a_line_that_was_commented_out_starts_nothing_and_is_told_so() {
    let Some(timed) = Timed::new() else { return };
    well(&timed.copal(&["schedule", "install", "--crontab", "daily 03:00"]));
    timed.set_crontab(&timed.crontab().replace("\n0 3 * * * ", "\n#0 3 * * * "));
    let show = timed.copal(&["schedule", "show"]);
    assert_eq!(show.status.code(), Some(1), "{show:?}");
    let told = String::from_utf8_lossy(&show.stdout);
    assert!(told.contains("app is not started by cron"), "{told}");
    well(&timed.copal(&["schedule", "install", "--crontab", "daily 03:00"]));
    well(&timed.copal(&["schedule", "show"]));
}

#[test]
fn a_jitter_that_leads_to_the_next_run_is_refused_and_a_short_path_hides_no_crontab() {
    let Some(timed) = Timed::new() else { return };
    let install = |jitter: &str| {
        timed.copal(&[
            "schedule",
            "install",
            "--crontab",
            "--jitter",
            jitter,
            "hourly",
        ])
    };
    fails(&install("60m"), 2, "the jitter is as long as");
    well(&install("59m"));
    let command = timed.world.command::<&str>(&[]);
    let program = command.get_program().to_owned();
    let show = |path: &str| {
        let words = [
            "env".into(),
            format!("PATH={path}").into(),
            program.clone(),
            "schedule".into(),
            "show".into(),
        ];
        timed.apart("/usr/bin/env", &words[1..]).output().unwrap()
    };
    let told = well(&show("/nowhere"));
    assert!(told.contains("this user's crontab"), "{told}");
}

#[test]
fn units_that_systemd_does_not_take_leave_no_trace() {
    let Some(timed) = Timed::new() else { return };
    timed.with_systemctl(1);
    let install = timed.copal(&["schedule", "install", "--systemd", "daily 03:00"]);
    fails(&install, 1, "`systemctl daemon-reload` failed");
    assert_eq!(fs::read_dir(timed.world.path("units")).unwrap().count(), 0);
    well(&timed.copal(&["schedule", "install", "--crontab", "daily 03:00"]));
}

#[test]
fn an_unattended_backup_says_everything_when_all_is_not_well() {
    let world = small_world();
    let backup =
        |to: &str| world.copal(&["backup", "--unattended", "--source", "source", "--to", to]);
    let good = backup("vault:");
    good.succeeds();
    assert_eq!((good.stdout(), good.stderr()), ("", ""), "{good}");
    let bad = backup("nowhere:x");
    assert!(!bad.stderr().is_empty(), "{bad}");
}
