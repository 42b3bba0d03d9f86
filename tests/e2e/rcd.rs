//! The remote control over HTTP: who may call it, and what Copal's methods do.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use copal_testkit::{Running, World, stock_rclone, wait_until};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::common::{PATIENCE, files_below, small_world};

const PASSWORD: &str = "correct-horse-battery";

/// A server over a small world whose configuration backs `source` up to `vault:`.
struct Served {
    world: World,
    server: Running,
    url: String,
}

impl Served {
    fn new() -> Self {
        Self::with("")
    }

    fn with(more: &str) -> Self {
        let mut world = small_world();
        let config = "name = \"served\"\n[source]\npath = \"source\"\n[[destination]]\nremote = \"vault:\"\n";
        world.write("copal.toml", format!("{config}{more}"));
        world.set("RCLONE_RC_USER", "operator");
        world.set("RCLONE_RC_PASS", PASSWORD);
        let address = free_address();
        let mut server = world.start(&["rcd", "-vv", "--rc-addr", &address]);
        let listens = || {
            assert!(server.is_running(), "{}", server.stderr());
            server.stdout().contains("listening on ").then_some(())
        };
        wait_until("the server listens", PATIENCE, listens).unwrap();
        let url = format!("http://{address}");
        assert_eq!(server.stdout(), format!("listening on {url}/\n"));
        Self { world, server, url }
    }

    /// The status of the answer, and its body.
    fn post(&self, method: &str, parameters: &Value) -> (u16, Value) {
        let user = format!("operator:{PASSWORD}");
        self.post_as(&user, method, parameters.to_string().as_bytes())
    }

    fn post_as(&self, user: &str, method: &str, body: &[u8]) -> (u16, Value) {
        let mut curl = Command::new("curl")
            .args(["--silent", "--show-error", "--user", user])
            .args(["--header", "Content-Type: application/json"])
            .args(["--data-binary", "@-", "--write-out", "\n%{http_code}"])
            .arg(format!("{}/{method}", self.url))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // A server that has refused does not read on.
        let sent = curl.stdin.take().unwrap().write_all(body);
        let output = curl.wait_with_output().unwrap();
        assert!(output.status.success(), "{:?} {sent:?}", output.status);
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (
            status.parse().unwrap(),
            serde_json::from_str(body).unwrap_or(Value::String(body.to_owned())),
        )
    }

    #[track_caller]
    fn done(&self, method: &str, parameters: &Value) -> Value {
        let (status, answer) = self.post(method, parameters);
        assert_eq!(status, 200, "{method}: {answer:#}");
        answer
    }

    /// Ends the server, as a service manager does; all that it said.
    fn end(self) -> String {
        self.server.signal(Signal::TERM);
        let output = self.server.finish(PATIENCE).unwrap();
        output.succeeds();
        format!("{}{}", output.stdout(), output.stderr())
    }
}

fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn a_server_at_which_nobody_is_authenticated_is_refused_beyond_this_machine() {
    let world = small_world();
    let elsewhere = free_address().replace("127.0.0.1", "0.0.0.0");
    for flags in [
        &[][..],
        &["--rc-user", "operator"],
        &["--rc-no-auth", "--rc-addr", &elsewhere],
    ] {
        let refused = world.copal(&[&["rcd"], flags].concat());
        refused
            .exits_with(2)
            .says("can't serve")
            .says("RCLONE_RC_PASS");
    }
}

#[test]
fn copals_commands_are_methods_beside_rclones_own() {
    let served = Served::new();
    let made = served.done("copal/backup", &json!({}));
    assert_eq!(made["exit_code"], 0);
    let id = made["destinations"][0]["snapshot"].as_str().unwrap();

    let listed = served.done("copal/snapshots", &json!({})).to_string();
    assert!(listed.contains(id), "{listed}");
    let listed = served.done(
        "copal/ls",
        &json!({ "snapshot": "latest", "path": "notes" }),
    );
    assert!(listed.to_string().contains("notes/first.txt"), "{listed:#}");
    assert!(!listed.to_string().contains("letter.txt"), "{listed:#}");
    served.done("copal/verify", &json!({ "full": true }));
    served.done("copal/plan", &json!({}));
    let checked = served.done("copal/check", &json!({}));
    assert_eq!(
        (&checked["ok"], &checked["exit_code"]),
        (&true.into(), &0.into())
    );
    let used = served.done("copal/du", &json!({ "snapshots": ["latest"] }));
    assert_eq!(used["exit_code"], 0, "{used:#}");
    for parameters in [json!({}), json!({ "from": "vault:" })] {
        let report = served.done("copal/report", &parameters);
        let page = report["html"].as_str().unwrap();
        assert!(
            page.contains(id) && report["name"] == "served",
            "{report:#}"
        );
    }
    let to = served.world.path("restored");
    served.done("copal/restore", &json!({ "snapshot": id, "to": to }));
    let differences = copal_testkit::tree::same_tree(&served.world.source(), &to).unwrap();
    assert_eq!(differences, []);
    let runs = served
        .done("copal/status", &json!({ "limit": 2 }))
        .to_string();
    assert!(runs.contains("backup") && runs.contains("verify"), "{runs}");

    assert_eq!(
        served.done("rc/noop", &json!({ "a": 1 })),
        json!({ "a": 1 })
    );
    let methods = served.done("rc/list", &json!({})).to_string();
    for method in ["copal/backup", "operations/list", "job/stop", "core/stats"] {
        assert!(methods.contains(method), "{method}");
    }
    std::fs::remove_dir_all(served.world.source()).unwrap();
    let checked = served.done("copal/check", &json!({}));
    assert_eq!(
        (&checked["ok"], &checked["exit_code"]),
        (&false.into(), &3.into())
    );
    served.end();
}

#[test]
fn what_is_no_sound_call_is_refused_and_the_server_goes_on() {
    let served = Served::new();
    let right = format!("operator:{PASSWORD}");
    let huge = format!("{{\"snapshot\": \"{}\"}}", "x".repeat(20 << 20));
    for (user, method, body, status) in [
        ("operator:wrong", "copal/plan", "{}", 401),
        (&right, "copal/nonsense", "{}", 404),
        (&right, "copal/plan", "no JSON", 400),
        (&right, "copal/plan", "[1]", 400),
        (&right, "copal/ls", &huge, 400),
        (&right, "copal/plan", "{\"config\": \"/etc/passwd\"}", 400),
        (&right, "copal/restore", "{\"snapshot\": \"latest\"}", 400),
        (&right, "copal/ls", "{\"snapshot\": \"2001-01-01\"}", 500),
    ] {
        let (found, answer) = served.post_as(user, method, body.as_bytes());
        let told: String = answer.to_string().chars().take(500).collect();
        assert_eq!(found, status, "{method}: {told}");
    }
    let (_, refused) = served.post("copal/plan", &json!({ "config": "/etc/passwd" }));
    let why = refused["error"].as_str().unwrap();
    assert!(why.contains("takes no parameter `config`"), "{why}");
    served.done("copal/plan", &json!({}));
    let said = served.end();
    assert!(!said.contains(PASSWORD), "{said}");
}

#[test]
fn a_second_backup_gets_the_locks_error_and_one_that_is_stopped_makes_no_snapshot() {
    let served = Served::with("[rclone]\nbwlimit = \"1k\"\n");
    served.world.write("source/large", vec![7; 200_000]);
    let begun = served.done("copal/backup", &json!({ "_async": true }));
    let job = json!({ "jobid": begun["jobid"] });

    let locked = || {
        let (status, answer) = served.post("copal/backup", &json!({ "dry_run": false }));
        assert_eq!(status, 500, "{answer:#}");
        let why = answer["error"].as_str().unwrap().to_owned();
        why.contains("another run").then_some(())
    };
    let sends = || (!files_below(&served.world.vault()).is_empty()).then_some(());
    wait_until("the first one sends", PATIENCE, sends).unwrap();
    wait_until("the second one finds the lock", PATIENCE, locked).unwrap();
    let running = served.done("job/status", &job);
    assert_eq!(running["finished"], false, "{running:#}");

    served.done("job/stop", &job);
    let ended = || {
        let status = served.done("job/status", &job);
        (status["finished"] == true).then_some(status)
    };
    let ended = wait_until("the first one ends", PATIENCE, ended).unwrap();
    assert_eq!(ended["success"], false);
    assert!(
        ended["error"].as_str().unwrap().contains("SIGTERM"),
        "{ended:#}"
    );
    let snapshots = served.done("copal/snapshots", &json!({}));
    assert_eq!(snapshots["list"], json!([]), "{snapshots:#}");
    served.end();
}

#[test]
fn a_server_that_is_killed_takes_its_runs_with_it_as_a_signal_would() {
    let served = Served::with("[rclone]\nbwlimit = \"20k\"\n");
    served.world.write("source/large", vec![7; 60_000]);
    served.done("copal/backup", &json!({ "_async": true }));
    let sends = || (!files_below(&served.world.vault()).is_empty()).then_some(());
    wait_until("it sends", PATIENCE, sends).unwrap();
    served.server.signal(Signal::KILL);
    // The lock is free when the run has ended.
    let output = served.world.copal(&["backup", "--wait=2m", "--json"]);
    output.succeeds();
    let listed = served.world.copal(&["history", "--json"]).json();
    let ended: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["exit"])
        .collect();
    assert_eq!(ended, [143, 0]);
}

#[test]
fn an_installed_rclone_calls_it_as_its_own() {
    if !stock_rclone() {
        return;
    }
    let served = Served::new();
    let rc = |user: &str, password: &str, words: &[&str]| {
        Command::new("rclone")
            .args(["rc", "--url", &served.url, "--user", user])
            .args(["--pass", password])
            .args(words)
            .output()
            .unwrap()
    };
    let made = rc("operator", PASSWORD, &["copal/backup"]);
    assert!(made.status.success(), "{made:?}");
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(made["exit_code"], 0);
    let words = ["copal/ls", "snapshot=latest", "path=notes"];
    let listed = rc("operator", PASSWORD, &words);
    assert!(listed.status.success(), "{listed:?}");
    assert!(String::from_utf8_lossy(&listed.stdout).contains("notes/first.txt"));
    let verified = rc("operator", PASSWORD, &["copal/verify", "full=true"]);
    assert!(verified.status.success(), "{verified:?}");
    assert!(!rc("operator", "wrong", &["copal/plan"]).status.success());
    served.end();
}
