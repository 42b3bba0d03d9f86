//! The built-in `notify` hook against real servers: who hears what of which run, and that no secret is seen.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use copal_testkit::{HttpReply, HttpServer, World, wait_until};
use rustix::process::Signal;

use crate::common::{PATIENCE, fails_cleanly, files_below, small_world};
use crate::specimen::{configure, hook, pinned, world_with_specimen};

const SECRET: &str = "7c1a-open-sesame";

/// A `[[hook]]` that tells this server, with whatever else its config holds, and the secret of its path.
fn notify(server: &HttpServer, config: &str) -> String {
    let (url, origin) = (server.url("/ping/{check}"), server.origin());
    format!(
        "[[hook]]\nuse = \"notify\"\nconfig = {{ url = \"{url}\", {config} }}\n\
         grants = {{ http = [\"POST {origin}\"], secrets = [\"check\"], state = true }}\n\
         limits = {{ http_wall = \"10s\" }}\n\n\
         [secret.check]\nenv = \"CHECK\"\n\n"
    )
}

const HEALTHCHECKS: &str = "format = \"healthchecks\"";
const NTFY: &str = "format = \"ntfy\"";

fn keep_the_secret(mut world: World) -> World {
    world.set("CHECK", SECRET);
    world
}

fn secretive_world() -> World {
    keep_the_secret(small_world())
}

/// Makes the source one that can't be backed up, or one that can again.
fn break_source(world: &World) {
    fs::rename(world.source(), world.path("away")).unwrap();
}

fn mend_source(world: &World) {
    fs::rename(world.path("away"), world.source()).unwrap();
}

fn titles(server: &HttpServer) -> Vec<String> {
    let requests = server.requests();
    let title = |request: &copal_testkit::HttpRequest| request.header("title").unwrap().to_owned();
    requests.iter().map(title).collect()
}

/// A server that answers with what the test says at the time.
fn moody() -> (HttpServer, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(200));
    let server = HttpServer::answering({
        let status = Arc::clone(&status);
        move |_| HttpReply::status(status.load(Ordering::SeqCst))
    });
    (server, status)
}

#[test]
fn healthchecks_hears_of_every_run_with_the_account_as_its_text() {
    let (world, server) = (secretive_world(), HttpServer::start());
    configure(&world, &notify(&server, HEALTHCHECKS));
    world.copal(&["backup"]).succeeds();
    world.copal(&["backup"]).succeeds();
    break_source(&world);
    world.copal(&["backup"]).exits_with(2);
    let (well, fail) = (
        "POST /ping/7c1a-open-sesame",
        "POST /ping/7c1a-open-sesame/fail",
    );
    assert_eq!(server.asked(), [well, well, fail]);
    let requests = server.requests();
    let text = requests[0].text();
    assert!(
        text.starts_with("letters: backup succeeded\nsnapshot 2"),
        "{text}"
    );
    let text = requests[2].text();
    assert!(text.starts_with("letters: backup failed\n"), "{text}");
    assert!(
        text.contains(&world.source().display().to_string()),
        "{text}"
    );
}

#[test]
fn ntfy_hears_of_a_failure_once_and_once_that_all_is_well_again() {
    let (world, server) = (secretive_world(), HttpServer::start());
    configure(&world, &notify(&server, NTFY));
    world.copal(&["backup"]).succeeds();
    assert_eq!(titles(&server), [""; 0], "nobody asked for successes");
    break_source(&world);
    world.copal(&["backup"]).exits_with(2);
    world.copal(&["backup"]).exits_with(2);
    mend_source(&world);
    world.copal(&["backup"]).succeeds();
    world.copal(&["backup"]).succeeds();
    let told = ["letters: backup failed", "letters: backups are well again"];
    assert_eq!(titles(&server), told);
    let requests = server.requests();
    let header = |at: usize, name| requests[at].header(name);
    assert_eq!(header(0, "priority"), Some("high"));
    assert_eq!(header(0, "tags"), Some("rotating_light"));
    assert_eq!(header(1, "tags"), Some("white_check_mark"));
    let text = requests[1].text();
    assert!(
        text.contains("after 2 runs in a row that were not well"),
        "{text}"
    );
}

#[test]
fn a_webhook_gets_the_documented_fields_and_a_reminder_after_its_time() {
    let (world, server) = (secretive_world(), HttpServer::start());
    let all = "format = \"json\", on = [\"failure\", \"recovery\", \"success\"], remind = \"0s\"";
    configure(&world, &notify(&server, all));
    world.copal(&["backup"]).succeeds();
    break_source(&world);
    world.copal(&["backup"]).exits_with(2);
    world.copal(&["backup"]).exits_with(2);
    let told: Vec<_> = server.requests().iter().map(|it| it.json()).collect();
    let events: Vec<_> = told.iter().map(|json| json["event"].clone()).collect();
    assert_eq!(events, ["success", "failure", "reminder"]);
    let well = &told[0];
    assert_eq!(well["version"], 1);
    assert_eq!(well["name"], "letters");
    assert_eq!(
        (&well["files"], &well["troubles"]),
        (&3.into(), &0.into()),
        "{well}"
    );
    for figure in ["bytes", "uploaded_bytes", "started_ms", "duration_ms"] {
        assert!(well[figure].is_u64(), "{figure} of {well}");
    }
    let failed = &told[2];
    assert_eq!(failed["outcome"], "failed");
    assert_eq!(failed["runs_not_well"], 2);
    assert!(
        failed["not_well_since"].is_u64() && failed["message"].is_string(),
        "{failed}"
    );
    assert!(failed["snapshot"].is_null(), "{failed}");
    let run = failed["run"].as_str().unwrap();
    world.copal(&["history", "show", run]).succeeds();
}

#[test]
fn an_endpoint_that_refuses_leaves_the_snapshot_and_shows_in_the_exit_code_by_host_and_status() {
    let world = secretive_world();
    // One that repeats what it was asked, and one that is kept waiting.
    let server = HttpServer::answering(|request| HttpReply::new(500, &[], &request.target));
    configure(&world, &notify(&server, HEALTHCHECKS));
    let output = world.copal(&["backup"]);
    output
        .exits_with(3)
        .says(&format!("{} answered 500", server.origin()));
    assert!(output.stdout().starts_with("sealed letters/"), "{output}");
    output.never_says(SECRET);
}

/// Which could be cut in the middle of a secret, or have it in a form that nobody knows it by.
#[test]
fn nothing_of_what_an_endpoint_answers_is_in_the_message() {
    let world = secretive_world();
    let server = HttpServer::answering(|request| {
        let body = format!("{}{}", "x".repeat(185), request.target);
        HttpReply::new(404, &[], &body)
    });
    configure(&world, &notify(&server, HEALTHCHECKS));
    let output = world.copal(&["backup"]);
    output.exits_with(3).says("answered 404");
    output.never_says("xxx").never_says("/ping/7c1a");
    let shown = world.copal(&["history", "show", "latest", "--json"]);
    shown.succeeds().never_says("xxx");
}

#[test]
fn an_endpoint_that_is_slow_or_down_leaves_the_snapshot_and_ends_in_its_time() {
    let world = secretive_world();
    let server = HttpServer::answering(|_| HttpReply::silence());
    let hasty = notify(&server, HEALTHCHECKS).replace("\"10s\"", "\"300ms\"");
    configure(&world, &hasty);
    let slow = world.copal(&["backup"]);
    slow.exits_with(3).says(&server.origin());
    drop(server);
    let down = world.copal(&["backup"]);
    down.exits_with(3)
        .says("onnection refused")
        .never_says(SECRET);
    assert!(down.stdout().starts_with("sealed letters/"), "{down}");
}

#[test]
fn what_an_endpoint_did_not_hear_is_told_by_the_next_run() {
    let (world, (server, status)) = (secretive_world(), moody());
    configure(&world, &notify(&server, NTFY));
    break_source(&world);
    status.store(503, Ordering::SeqCst);
    world.copal(&["backup"]).exits_with(2).says("answered 503");
    status.store(200, Ordering::SeqCst);
    world.copal(&["backup"]).exits_with(2);
    world.copal(&["backup"]).exits_with(2);
    assert_eq!(titles(&server), ["letters: backup failed"; 2]);
    mend_source(&world);
    status.store(503, Ordering::SeqCst);
    world.copal(&["backup"]).exits_with(3).says("answered 503");
    status.store(200, Ordering::SeqCst);
    world.copal(&["backup"]).succeeds();
    world.copal(&["backup"]).succeeds();
    assert_eq!(titles(&server)[2..], ["letters: backups are well again"; 2]);
}

#[test]
fn the_secret_of_a_path_is_in_no_output_and_no_file() {
    let mut world = secretive_world();
    world.set("COPAL_LOG", "warn,ureq=trace");
    let server = HttpServer::answering(|request| HttpReply::new(500, &[], &request.target));
    configure(&world, &notify(&server, HEALTHCHECKS));
    world.copal(&["backup"]).exits_with(3).never_says(SECRET);
    world.set("COPAL_LOG", "warn");
    assert!(server.asked()[0].contains(SECRET), "it was sent");
    for arguments in [
        &["plan"][..],
        &["backup", "--dry-run"],
        &["history", "show", "latest"],
        &["history", "show", "latest", "--json"],
        &["hook", "list"],
    ] {
        world.copal(arguments).never_says(SECRET);
    }
    let shown = world.copal(&["history", "show", "latest"]);
    assert!(shown.stdout().contains("/ping/{check}"), "{shown}");
    for file in files_below(world.root()) {
        let content = fs::read(world.path(Path::new(&file))).unwrap();
        let text = String::from_utf8_lossy(&content);
        assert!(!text.contains(SECRET), "{file} has it");
    }
}

#[test]
fn a_hook_that_is_refused_is_told_by_those_that_are_not() {
    let (world, server) = (keep_the_secret(world_with_specimen()), HttpServer::start());
    let own = pinned(b"another component", "own", "");
    configure(&world, &format!("{own}{}", notify(&server, NTFY)));
    let output = world.copal(&["backup"]);
    fails_cleanly(&world, &output, 2);
    assert_eq!(titles(&server), ["letters: backup failed"]);
    let text = server.requests()[0].text();
    assert!(text.contains("hook `own`"), "{text}");
}

#[test]
fn a_run_that_was_killed_is_told_by_the_next_once() {
    let (world, server) = (keep_the_secret(world_with_specimen()), HttpServer::start());
    let notify = notify(&server, NTFY);
    let sleeps = "config = { act = { sleep = 60000 }, within = \"pre-backup\" }";
    configure(&world, &format!("{}{notify}", hook("own", sleeps)));
    let running = world.start(&["backup"]);
    let mark = world.path("home/.local/state/copal/begun/letters");
    wait_until("the run to have begun", PATIENCE, || {
        fs::read_to_string(&mark)
            .is_ok_and(|text| text.ends_with('\n'))
            .then_some(())
    })
    .unwrap();
    let killed = fs::read_to_string(&mark).unwrap();
    running.signal(Signal::KILL);
    running.finish(PATIENCE).unwrap();
    assert_eq!(titles(&server), [""; 0]);
    configure(&world, &notify);
    world.copal(&["backup"]).succeeds();
    let told = [
        "letters: backup was killed",
        "letters: backups are well again",
    ];
    assert_eq!(titles(&server), told);
    let text = server.requests()[0].text();
    let run = killed.split_whitespace().next().unwrap();
    assert!(text.contains(&format!("history show {run}")), "{text}");
    assert!(!mark.exists(), "it has told");
    world.copal(&["backup"]).succeeds();
    assert_eq!(titles(&server), told);
}

/// Starts a backup that a hook holds up in this phase, and kills it there. Its run's id.
fn killed_in(world: &World, phase: &str, hooks: &str) -> String {
    let sleeps = format!("config = {{ act = {{ sleep = 60000 }}, within = \"{phase}\" }}");
    configure(world, &format!("{}{hooks}", hook("own", &sleeps)));
    let running = world.start(&["backup"]);
    let mark = world.path("home/.local/state/copal/begun/letters");
    let lines = if phase == "post-backup" { 2 } else { 1 };
    let begun = wait_until("the run to have come so far", PATIENCE, || {
        let text = fs::read_to_string(&mark).ok()?;
        (text.matches('\n').count() >= lines).then_some(text)
    })
    .unwrap();
    running.signal(Signal::KILL);
    running.finish(PATIENCE).unwrap();
    begun.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_killed_run_that_nobody_could_be_told_of_is_told_by_the_next_that_can_with_its_id() {
    let world = keep_the_secret(world_with_specimen());
    let (server, status) = moody();
    let notify = notify(&server, NTFY);
    let run = killed_in(&world, "pre-backup", &notify);
    configure(&world, &notify);
    status.store(503, Ordering::SeqCst);
    world.copal(&["backup"]).exits_with(3).says("answered 503");
    let unheard = server.requests().len();
    status.store(200, Ordering::SeqCst);
    world.copal(&["backup"]).succeeds();
    let told = [
        "letters: backup was killed",
        "letters: backups are well again",
    ];
    assert_eq!(titles(&server)[unheard..], told);
    let text = server.requests()[unheard].text();
    assert!(text.contains(&format!("history show {run}")), "{text}");
    assert!(text.starts_with("the run that began at 2"), "{text}");
    world.copal(&["backup"]).succeeds();
    assert_eq!(titles(&server)[unheard..], told);
    let untold = world.path("home/.local/state/copal/untold/letters");
    assert!(!untold.exists(), "it was told");
}

#[test]
fn a_run_that_was_killed_after_the_seal_is_told_with_its_snapshot_which_is_good() {
    let (world, server) = (keep_the_secret(world_with_specimen()), HttpServer::start());
    let notify = notify(&server, NTFY);
    let run = killed_in(&world, "post-backup", &notify);
    configure(&world, &notify);
    // What a list of snapshots learns of the run does not stand in for how it ended.
    world.copal(&["snapshots"]).succeeds();
    let status = world.copal(&["status", "--json"]);
    let last = status.succeeds().json()["last_run"].clone();
    assert_eq!(
        (&last["run"], &last["outcome"]),
        (&run.clone().into(), &"warned".into())
    );
    world.copal(&["backup"]).succeeds();
    let told = [
        "letters: backup sealed, but it fell short",
        "letters: backups are well again",
    ];
    assert_eq!(titles(&server), told);
    let text = server.requests()[0].text();
    for said in ["after its snapshot was sealed", "snapshot 2", &run] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let shown = world.copal(&["history", "show", &run, "--json"]);
    let shown = shown.succeeds().json();
    assert_eq!(
        (&shown["outcome"], &shown["exit"]),
        (&"warned".into(), &3.into())
    );
    assert_eq!(shown["snapshots"][0]["destination"], "vault:");
}

#[test]
fn a_config_that_makes_no_sense_is_told_by_its_key_and_nothing_is_sent() {
    let (world, server) = (secretive_world(), HttpServer::start());
    for (config, word) in [
        ("format = \"smtp\"", "unknown variant `smtp`"),
        (
            "format = \"ntfy\", on = [\"recovery\"]",
            "`on` names nothing",
        ),
        (
            "format = \"ntfy\", remind = \"1 week\"",
            "`remind` is `1 week`",
        ),
        (
            "format = \"healthchecks\", on = [\"failure\"]",
            "has to hear of every run",
        ),
        ("format = \"ntfy\", to = \"me\"", "unknown field `to`"),
    ] {
        configure(&world, &notify(&server, config));
        world.copal(&["backup"]).exits_with(3).says(word);
    }
    assert_eq!(server.connections(), 0);
}
