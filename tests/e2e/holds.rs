//! Services that are held, and what becomes of them when the run is killed, stopped or hindered.
//!
//! A service is a file, and runs as long as that is there. Its commands are scripts, whose parent is the
//! run: so they can do to it what is to be done in the middle of a hold.

use std::fs;
use std::time::Duration;

use copal_testkit::{Running, World, wait_until};
use rustix::process::Signal;

use crate::common::{PATIENCE, files_below, sealed_id, small_world};
use crate::process::is_alive;

/// A world whose job holds the service `app`, which runs. Its commands do this besides.
pub(crate) struct Held {
    pub(crate) world: World,
}

impl Held {
    pub(crate) fn new() -> Self {
        Self::with("", "", "")
    }

    /// `stopping` is done while it is being stopped, `starting` while it is being started; `staging`
    /// are lines of that table.
    pub(crate) fn with(stopping: &str, starting: &str, staging: &str) -> Self {
        let world = small_world();
        let held = Self { world };
        held.script("stop", &format!("echo stop >> did; rm -f app; {stopping}"));
        held.script(
            "start",
            &format!("{starting}\necho start >> did; touch app"),
        );
        held.script("state", "test -e app");
        held.run_app();
        held.configure(staging, &["app"]);
        held
    }

    pub(crate) fn script(&self, name: &str, text: &str) {
        self.world.write(
            name,
            format!("cd {}\n{text}\n", self.world.root().display()),
        );
    }

    fn configure(&self, staging: &str, services: &[&str]) {
        let tables: Vec<String> = services
            .iter()
            .map(|name| {
                format!(
                    "[service.{name}]\ndriver = \"command\"\nstop = [\"sh\", \"stop\"]\nstart = [\"sh\", \"start\"]\nstate = [\"sh\", \"state\"]\nready = \"5s\"\n"
                )
            })
            .collect();
        let tables = tables.concat();
        self.world.write(
            "copal.toml",
            format!(
                "name = \"letters\"\nsource.path = \"source\"\ndestination = [{{ remote = \"vault:\" }}]\n\n[staging]\n{staging}\n\n[[hook]]\nuse = \"quiesce\"\nconfig = {{ how = \"stop\", grace = \"100ms\" }}\ngrants = {{ service = {services:?} }}\n\n{tables}"
            ),
        );
    }

    pub(crate) fn run_app(&self) {
        self.world.write("app", "");
    }

    pub(crate) fn runs(&self) -> bool {
        self.world.path("app").exists()
    }

    pub(crate) fn did(&self) -> Vec<String> {
        let did = fs::read_to_string(self.world.path("did")).unwrap_or_default();
        did.lines().map(str::to_owned).collect()
    }

    pub(crate) fn journals(&self) -> Vec<String> {
        files_below(&self.world.path("home/.local/state/copal/holds"))
    }

    /// A backup that is killed at these lines of its journal.
    pub(crate) fn killed_at(&self, points: &str) {
        let mut command = self.world.command(&["backup"]);
        command.env("COPAL_TEST_KILL_AT", points);
        let output = command.output().unwrap();
        assert!(
            output.status.code().is_none(),
            "{points}: it was not killed: {output:?}"
        );
    }

    #[track_caller]
    pub(crate) fn comes_back(&self, within: Duration) {
        let runs = || self.runs().then_some(());
        wait_until("the service to be back", within, runs).unwrap();
    }

    pub(crate) fn journal_is_gone(&self) {
        let gone = || self.journals().is_empty().then_some(());
        wait_until("the journal's end", PATIENCE, gone).unwrap();
    }

    /// The record of the run that came last.
    pub(crate) fn latest(&self) -> serde_json::Value {
        let shown = self.world.copal(&["history", "show", "latest", "--json"]);
        shown.json()
    }

    /// The next run is as if nothing had been.
    fn goes_on(&self) {
        sealed_id(&self.world.copal(&["backup", "--json"]));
        assert!(self.runs());
        assert_eq!(self.journals(), [""; 0]);
    }
}

#[test]
fn a_service_is_away_for_the_staging_alone_and_the_run_tells_how_long() {
    let held = Held::new();
    let output = held.world.copal(&["backup", "--json"]);
    output.succeeds();
    assert_eq!(held.did(), ["stop", "start"]);
    let holds = &output.json()["holds"];
    assert_eq!(holds[0]["service"], "app");
    assert_eq!(holds[0]["how"], "stopped");
    assert_eq!(holds[0]["released_by"], "run");
    assert!(
        holds[0]["away_ms"].is_u64() && holds[0]["ready_ms"].is_u64(),
        "{holds}"
    );
    assert_eq!(&held.latest()["holds"], holds);
    let shown = held.world.copal(&["history", "show", "latest"]);
    assert!(shown.stdout().contains("app: stopped for"), "{shown}");
    assert_eq!(held.journals(), [""; 0]);
    let recovered = held.world.copal(&["recover"]);
    assert_eq!(recovered.succeeds().stdout(), "nothing is held\n");
}

#[test]
fn a_service_that_is_down_stays_so() {
    let held = Held::new();
    fs::remove_file(held.world.path("app")).unwrap();
    held.world.copal(&["backup"]).succeeds();
    assert!(!held.runs());
    assert_eq!(held.did(), [""; 0]);
}

#[test]
fn wherever_a_run_is_killed_its_guard_releases_what_it_held_at_once() {
    for point in [
        "run:before:holding",
        "run:after:holding",
        "run:before:held",
        "run:after:held",
        "run:before:releasing",
        "run:after:releasing",
        "run:before:released",
        "run:after:released",
        "run:before:ended",
    ] {
        let held = Held::new();
        held.killed_at(point);
        held.comes_back(PATIENCE);
        held.journal_is_gone();
        let told = held.latest();
        // By then the snapshot is sealed, and good.
        let as_what = if point.ends_with("ended") {
            "warned"
        } else {
            "abandoned"
        };
        assert_eq!(told["outcome"], as_what, "{point}");
        assert!(
            files_below(&held.world.vault())
                .iter()
                .all(|file| !file.contains("manifest"))
                || point.ends_with("ended"),
            "{point}"
        );
        held.goes_on();
    }
}

#[test]
fn when_the_guard_is_killed_too_the_next_command_releases() {
    for (point, next) in [
        ("run:after:holding,guard:before:releasing", &["recover"][..]),
        ("run:after:held,guard:before:releasing", &["recover"]),
        ("run:after:held,guard:after:releasing", &["history"]),
        ("run:after:held,guard:before:released", &["plan"]),
        (
            "run:before:releasing,guard:before:releasing",
            &["snapshots"],
        ),
    ] {
        let held = Held::new();
        held.killed_at(point);
        assert_eq!(held.journals().len(), 1, "{point}");
        // The guard has the journal's lock until it is gone, and commands in passing do not wait for it.
        wait_until("the release", PATIENCE, || {
            held.world.copal(next).succeeds();
            held.journals().is_empty().then_some(())
        })
        .unwrap();
        assert!(held.runs());
        assert_eq!(held.latest()["outcome"], "abandoned", "{point}");
        held.goes_on();
    }
}

#[test]
fn what_was_down_before_a_kill_is_not_started_after_it() {
    let held = Held::new();
    held.script("b-state", "test -e b");
    held.script("b-start", "echo wrong >> did; touch b");
    let lines = fs::read_to_string(held.world.path("copal.toml")).unwrap();
    let other = "[service.b]\ndriver = \"command\"\nstop = [\"rm\", \"b\"]\nstart = [\"sh\", \"b-start\"]\nstate = [\"sh\", \"b-state\"]\n";
    held.world.write(
        "copal.toml",
        lines.replace("[\"app\"]", "[\"b\", \"app\"]") + other,
    );
    held.killed_at("run:after:held");
    held.comes_back(PATIENCE);
    held.journal_is_gone();
    assert_eq!(held.did(), ["stop", "start"]);
}

#[test]
fn a_kill_in_the_middle_of_a_stop_leaves_nothing_down() {
    // The stop goes on without its run.
    let held = Held::with("kill -KILL $PPID; sleep 1; rm -f app", "", "");
    let output = held.world.command(&["backup"]).output().unwrap();
    assert!(output.status.code().is_none());
    wait_until("the start", PATIENCE, || {
        (held.did() == ["stop", "start"]).then_some(())
    })
    .unwrap();
    held.journal_is_gone();
    assert!(held.runs());
}

#[test]
fn a_signal_while_a_service_is_held_releases_it_before_the_end() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let held = Held::with(&format!("kill -{signal} $PPID"), "", "");
        let output = held.world.copal(&["backup"]);
        output.exits_with(code);
        assert!(held.runs(), "{output}");
        assert_eq!(held.did(), ["stop", "start"]);
        assert_eq!(held.journals(), [""; 0]);
    }
}

/// A second signal ends the run at once, without a clean-up.
#[test]
fn after_a_second_signal_the_guard_does_it() {
    let held = Held::with(
        "kill -TERM $PPID; sleep 0.2; kill -TERM $PPID; sleep 600",
        "",
        "",
    );
    held.world.copal(&["backup"]).exits_with(143);
    held.comes_back(PATIENCE);
    held.journal_is_gone();
}

/// A terminal sends its signal to the whole group.
#[test]
fn ctrl_c_on_a_terminal_does_not_reach_the_guard() {
    let held = Held::with("echo here; sleep 2", "", "");
    let running = held.world.start(&["backup"]);
    wait_until("the stop", PATIENCE, || (!held.runs()).then_some(())).unwrap();
    running.signal_group(Signal::INT);
    running.signal_group(Signal::KILL);
    held.comes_back(PATIENCE);
    held.journal_is_gone();
}

#[test]
fn at_max_pause_the_service_is_back_and_the_run_fails() {
    let held = Held::with("sleep 5", "", "max_pause = \"1s\"");
    let output = held.world.copal(&["backup"]);
    output.exits_with(1).says("max_pause").says(" next: ");
    assert!(held.runs());
    assert_eq!(files_below(&held.world.vault()), [""; 0]);
    assert_eq!(held.journals(), [""; 0]);
}

#[test]
fn a_run_that_is_stopped_does_not_keep_its_service_down() {
    let held = Held::with("kill -STOP $PPID", "", "max_pause = \"500ms\"");
    let running = held.world.start(&["backup"]);
    wait_until("the stop", PATIENCE, || (!held.runs()).then_some(())).unwrap();
    held.comes_back(PATIENCE);
    running.signal(Signal::CONT);
    let output = running.finish(PATIENCE).unwrap();
    output.exits_with(1).says("max_pause");
    assert!(held.runs());
    assert_eq!(held.did(), ["stop", "start"]);
}

#[test]
fn a_service_that_can_not_be_resumed_is_exit_code_5_until_recover_can() {
    let held = Held::with("", "test -e mended || exit 7", "");
    let output = held.world.copal(&["backup"]);
    output
        .exits_with(5)
        .says("could not be resumed")
        .says("copal recover");
    assert_eq!(files_below(&held.world.vault()), [""; 0]);
    assert_eq!(held.journals().len(), 1);
    assert_eq!(held.latest()["exit"], 5);

    // Any command says so, whatever else it does.
    held.world
        .copal(&["snapshots"])
        .exits_with(5)
        .says("could not be resumed");
    held.world.write("mended", "");
    let recovered = wait_until("the recovery", PATIENCE, || {
        let output = held.world.copal(&["recover", "--json"]);
        (output.code() == Some(0)).then_some(())
    });
    recovered.unwrap();
    assert!(held.runs());
    assert_eq!(held.journals(), [""; 0]);
    assert_eq!(held.latest()["exit"], 5, "the run told its own end");
    held.goes_on();
}

#[test]
fn a_service_that_is_not_back_in_time_is_told_with_the_sealed_snapshot() {
    let held = Held::new();
    held.script("start", "echo start >> did");
    let output = held.world.copal(&["backup"]);
    output.exits_with(5).says("is not back");
    assert!(output.stdout().starts_with("sealed "), "{output}");
}

#[test]
fn a_hold_that_something_else_ends_makes_the_run_fail() {
    let held = Held::new();
    let lines = fs::read_to_string(held.world.path("copal.toml")).unwrap();
    // To stop the second one starts the first.
    let second =
        "[service.second]\ndriver = \"command\"\nstop = [\"touch\", \"app\"]\nstart = [\"true\"]\n";
    let lines = lines.replace("[\"app\"]", "[\"app\", \"second\"]") + second;
    held.world.write("copal.toml", lines);
    let output = held.world.copal(&["backup"]);
    output.exits_with(1).says("did not stay stopped");
    assert_eq!(files_below(&held.world.vault()), [""; 0]);
    assert_eq!(held.journals(), [""; 0]);
}

#[test]
fn nobody_waits_for_the_guard_of_a_killed_run() {
    // Were one of its outputs the run's, this would take as long as the start.
    let held = Held::with("", "sleep 20", "");
    let began = std::time::Instant::now();
    held.killed_at("run:after:held");
    assert!(began.elapsed() < Duration::from_secs(15));
    assert_eq!(held.journals().len(), 1, "the guard is still at it");
}

#[test]
fn a_guard_ends_with_its_run_and_holds_nobodys_lock() {
    let held = Held::with("sleep 0.5", "", "");
    let running = held.world.start(&["backup"]);
    let guard = guard_of(&running);
    running.finish(PATIENCE).unwrap().succeeds();
    wait_until("its end", PATIENCE, || (!is_alive(guard)).then_some(())).unwrap();

    // A guard that is still at it does not keep the next run waiting.
    let slow = Held::with("", "sleep 3", "");
    slow.killed_at("run:after:held");
    slow.world.write(
        "copal.toml",
        "name = \"letters\"\nsource.path = \"source\"\ndestination = [{ remote = \"vault:\" }]\n",
    );
    slow.world.copal(&["backup"]).succeeds();
}

fn guard_of(running: &Running) -> u32 {
    let is_guard = |id: &u32| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).nth(1) == Some(b"guard")
    };
    let found = || {
        crate::process::children(running.id())
            .into_iter()
            .find(is_guard)
    };
    wait_until("the guard", PATIENCE, found).unwrap()
}

/// The run is at it, and slow, when its guard finds it late.
#[test]
fn a_start_that_is_slow_is_not_begun_again_by_the_guard() {
    let held = Held::with("sleep 5", "sleep 9", "max_pause = \"500ms\"");
    held.world
        .copal(&["backup"])
        .exits_with(1)
        .says("max_pause");
    assert!(held.runs());
    assert_eq!(held.did(), ["stop", "start"]);
    assert_eq!(held.journals(), [""; 0]);
}

/// A command in passing tries for 5 s.
#[test]
fn a_start_that_takes_longer_than_others_wait_is_not_ended_half_way() {
    let held = Held::with("", "sleep 7", "");
    held.killed_at("run:after:held,guard:before:releasing");
    wait_until("the release", PATIENCE, || {
        held.world.copal(&["history"]).succeeds();
        held.journals().is_empty().then_some(())
    })
    .unwrap();
    assert!(held.runs());
    assert_eq!(held.did(), ["stop", "start"]);
}

#[test]
fn a_run_that_is_killed_while_it_starts_a_service_leaves_that_to_its_end() {
    let held = Held::with("", "kill -KILL $PPID; sleep 3", "");
    // Only the first is to do so: a guard that starts it once more would be seen.
    let script = fs::read_to_string(held.world.path("start")).unwrap();
    let once = script.replace("kill -KILL", "[ -e killed ] || touch killed && kill -KILL");
    held.world.write("start", once);
    let output = held.world.command(&["backup"]).output().unwrap();
    assert!(output.status.code().is_none());
    held.comes_back(PATIENCE);
    held.journal_is_gone();
    assert_eq!(held.did(), ["stop", "start"]);
}

/// What a service leaves running of its own has nothing to do with its release.
#[test]
fn what_a_stop_leaves_running_delays_no_release() {
    let held = Held::with("setsid sleep 30 &", "", "");
    let began = std::time::Instant::now();
    held.world.copal(&["backup"]).succeeds();
    assert!(began.elapsed() < Duration::from_secs(25));
    assert!(held.runs());
}

#[test]
fn a_command_of_a_service_sees_no_secret_of_copals() {
    let held = Held::with("env > seen", "env >> seen", "");
    let mut command = held.world.command(&["backup"]);
    command
        .env("RCLONE_CONFIG_PASS", "hush")
        .env("B2_KEY", "hush");
    assert!(command.status().unwrap().success());
    let seen = fs::read_to_string(held.world.path("seen")).unwrap();
    assert!(seen.contains("PATH=") && !seen.contains("hush"), "{seen}");
}

/// The first process of a container takes all others with it, its guard as well.
#[test]
fn a_run_that_is_alone_in_a_container_says_that_it_has_no_guard() {
    let held = Held::new();
    let alone = |arguments: &[&str]| {
        let inner = held.world.command(arguments);
        let mut command = std::process::Command::new("unshare");
        let options = [
            "--user",
            "--map-root-user",
            "--pid",
            "--fork",
            "--mount-proc",
        ];
        command
            .args(options)
            .arg(inner.get_program())
            .args(inner.get_args());
        command.env_clear();
        for (name, value) in inner.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.current_dir(inner.get_current_dir().unwrap());
        command.output().unwrap()
    };
    let backup = alone(&["backup"]);
    let told = String::from_utf8_lossy(&backup.stderr).into_owned();
    if !backup.status.success() && told.contains("unshare") {
        // No namespaces here.
        return;
    }
    assert!(backup.status.success(), "{told}");
    assert!(told.contains("its guard is killed with it"), "{told}");
    let outcome = String::from_utf8_lossy(&backup.stdout).into_owned();
    assert!(outcome.contains("no guard: "), "{outcome}");
    let plan = alone(&["plan"]);
    let plan = String::from_utf8_lossy(&plan.stdout).into_owned();
    assert!(
        plan.contains("no guard") && plan.contains("copal recover"),
        "{plan}"
    );

    // Elsewhere there is nothing to say.
    let backup = held.world.copal(&["backup"]);
    backup.succeeds().never_says("guard");
    assert!(!backup.stdout().contains("guard"));
}

#[test]
fn a_backup_that_waits_comes_after_the_one_that_runs() {
    let held = Held::with("touch here; while [ ! -e go ]; do sleep 0.05; done", "", "");
    let first = held.world.start(&["backup", "--json"]);
    let here = || held.world.path("here").exists().then_some(());
    wait_until("the first", PATIENCE, here).unwrap();
    held.world.copal(&["backup"]).exits_with(4);
    let mut second = held.world.start(&["backup", "--wait", "--json"]);
    // It has come to the lock when it says so.
    assert!(second.is_running());
    held.world.write("go", "");
    let first = first.finish(PATIENCE).unwrap();
    let second = second.finish(PATIENCE).unwrap();
    assert_ne!(sealed_id(&first), sealed_id(&second));
    assert_eq!(held.did(), ["stop", "start", "stop", "start"]);
}

/// The other job's service is down just then, and that is no moment of its own.
#[test]
fn a_service_that_another_job_holds_makes_this_one_fail() {
    let held = Held::with("touch here; while [ ! -e go ]; do sleep 0.05; done", "", "");
    let job = fs::read_to_string(held.world.path("copal.toml")).unwrap();
    let other = job.replace("letters", "mail").replace("app", "post");
    held.world.write("mail.toml", other);
    let first = held.world.start(&["backup", "--json"]);
    let here = || held.world.path("here").exists().then_some(());
    wait_until("the first", PATIENCE, here).unwrap();
    assert!(!held.runs());
    for command in [&["backup"][..], &["backup", "--dry-run"], &["plan"]] {
        let refused = held
            .world
            .copal(&[command, &["--config", "mail.toml"]].concat());
        refused
            .exits_with(1)
            .says("`post` is held since")
            .says("of `letters`");
    }
    held.world.write("go", "");
    sealed_id(&first.finish(PATIENCE).unwrap());
    assert_eq!(held.did(), ["stop", "start"]);
    held.world
        .copal(&["backup", "--config", "mail.toml"])
        .succeeds();
}

#[test]
fn in_mode_hold_a_service_is_away_until_all_is_delivered() {
    let held = Held::with(
        "",
        "ls vault/letters/*/.copal > sealed",
        "mode = \"hold\"\nmax_pause = \"1s\"",
    );
    let output = held.world.copal(&["backup", "--json"]);
    output.succeeds();
    assert_eq!(output.json()["staging"]["mode"], "hold");
    assert_eq!(held.did(), ["stop", "start"]);
    let sealed = fs::read_to_string(held.world.path("sealed")).unwrap();
    assert!(sealed.contains("manifest.json"), "{sealed}");
}

#[test]
fn a_guard_that_can_not_hear_of_its_runs_end_looks_for_it() {
    let held = Held::new();
    held.killed_at("run:after:held,guard:before:releasing");
    let journals = held.world.path("home/.local/state/copal/holds");
    let journal = held.journals().pop().unwrap();
    let mut guard = held.world.command(&["guard"]);
    guard.arg(journals.join(journal));
    // A directory can't be read like a pipe.
    guard.stdin(fs::File::open(held.world.root()).unwrap());
    assert!(guard.status().unwrap().success());
    assert!(held.runs());
    assert_eq!(held.journals(), [""; 0]);
}
