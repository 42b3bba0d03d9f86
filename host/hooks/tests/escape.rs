//! A component that tries to leave its sandbox: by files, sockets, names and requests.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use copal_core::grants::Tree;
use copal_hooks::{Cancel, FailureKind};
use kit::{FakeHost, Trial, escape, run, tries};
use serde_json::{Value, json};

/// A source, a staging directory, and something outside of both that must stay untouched.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir_all(at("source/inside")).unwrap();
        fs::create_dir(at("staging")).unwrap();
        fs::write(at("source/inside/file"), "of the source").unwrap();
        fs::write(at("outside"), "a secret").unwrap();
        symlink(at("outside"), at("source/absolute")).unwrap();
        symlink("../outside", at("source/relative")).unwrap();
        symlink("inside", at("source/fine")).unwrap();
        symlink("/", at("source/root")).unwrap();
        Self(place)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn host(&self) -> FakeHost {
        FakeHost::default()
            .tree(Tree::Source, self.path().join("source"))
            .tree(Tree::Staging, self.path().join("staging"))
    }

    fn is_untouched(&self) -> bool {
        fs::read(self.path().join("outside")).unwrap() == b"a secret"
            && fs::read(self.path().join("source/inside/file")).unwrap() == b"of the source"
            && fs::read_dir(self.path()).unwrap().count() == 3
    }
}

fn tried(trial: Trial, host: FakeHost) -> Vec<String> {
    tries(&trial.load(), &host.shared())
}

#[expect(clippy::ptr_arg, reason = "for iterators of `String`")]
fn is_refused(answer: &String) -> bool {
    answer.starts_with("refused")
}

#[test]
fn without_a_grant_there_is_not_one_directory() {
    let place = Place::new();
    let paths = ["/", ".", "/source", "/staging", "..", "/etc", "/proc/self"];
    let mut all: Vec<Value> = paths.iter().map(|path| json!({ "list": path })).collect();
    all.push(json!({ "read": "/etc/passwd" }));
    all.push(json!({ "write": "/source/x" }));
    let answers = tried(escape(&all), place.host());
    assert!(answers.iter().all(is_refused), "{answers:?}");
}

#[test]
fn the_source_can_be_read_and_not_be_written() {
    let place = Place::new();
    let all = [
        json!({ "list": "/source" }),
        json!({ "read": "/source/fine/file" }),
        json!({ "write": "/source/inside/file" }),
        json!({ "write": "/source/new" }),
        json!({ "remove": "/source/inside/file" }),
        json!({ "rename": ["/source/inside/file", "/source/inside/other"] }),
        json!({ "link": ["inside", "/source/link"] }),
        json!({ "hard-link": ["/source/inside/file", "/source/hard"] }),
    ];
    let answers = tried(escape(&all).grant("files", "source"), place.host());
    assert_eq!(answers[0], "got absolute,fine,inside,relative,root");
    assert_eq!(answers[1], "got of the source");
    assert!(answers[2..].iter().all(is_refused), "{answers:?}");
    assert!(place.is_untouched());
}

#[test]
fn no_path_and_no_link_leads_out_of_a_directory() {
    let place = Place::new();
    let outside = place.path().join("outside");
    let long = format!("/source/{}", "x/".repeat(3000));
    let all = [
        json!({ "read": "/source/../outside" }),
        json!({ "read": "/source/inside/../../outside" }),
        json!({ "read": "/source/absolute" }),
        json!({ "read": "/source/relative" }),
        json!({ "read": format!("/source/root{}", outside.display()) }),
        json!({ "read": outside }),
        json!({ "read": "/source/inside/file\u{0}/../../outside" }),
        json!({ "read": "/source/..%2foutside" }),
        json!({ "read": "//source/../outside" }),
        json!({ "read": long }),
        json!({ "write": "/staging/../outside" }),
        json!({ "rename": ["/source/inside/file", "/staging/../outside"] }),
        json!({ "hard-link": ["/source/inside/file", "/staging/../hard"] }),
        json!({ "link": [outside, "/staging/absolute"] }),
    ];
    let trial = escape(&all)
        .grant("files", "source")
        .grant("files", "staging");
    let answers = tried(trial, place.host());
    assert!(answers.iter().all(is_refused), "{answers:?}");
    assert!(place.is_untouched());
}

#[test]
fn a_link_that_the_hook_makes_itself_leads_nowhere_either() {
    let place = Place::new();
    let all = [
        json!({ "write": "/staging/file" }),
        json!({ "link": ["../outside", "/staging/link"] }),
        json!({ "read": "/staging/link" }),
        json!({ "write": "/staging/link" }),
        json!({ "rename": ["/staging/file", "/staging/link/x"] }),
    ];
    let answers = tried(escape(&all).grant("files", "staging"), place.host());
    assert_eq!(answers[0], "got done");
    assert!(answers[2..].iter().all(is_refused), "{answers:?}");
    assert!(place.is_untouched());
}

#[test]
fn the_staging_directory_is_there_in_pre_backup_alone() {
    let place = Place::new();
    let hook = Trial::specimen(json!("behave"))
        .grant("files", "source")
        .grant("files", "staging")
        .load();
    let host = place.host().shared();
    let deeds = |account: copal_hooks::Account| -> Vec<String> {
        let trees = account.deeds.into_iter();
        trees.map(|deed| deed.arguments[0].1.clone()).collect()
    };
    let before = kit::pre_backup(&hook, &host).unwrap();
    assert_eq!(deeds(before), ["source", "staging"]);
    let drill = hook.drill(&run(), host, &Cancel::new()).unwrap();
    assert_eq!(deeds(drill), ["source"]);
}

#[test]
fn a_directory_that_is_not_there_is_a_fault_of_the_host_with_its_name() {
    let host = FakeHost::default().tree(Tree::Source, "/not/there");
    let trial = escape(&[]).grant("files", "source");
    let failure = kit::fails(&trial.load(), &host.shared());
    assert!(
        matches!(&failure.kind, FailureKind::Host(why) if why.contains("/not/there")),
        "{failure}"
    );
}

#[test]
fn there_is_no_environment_no_argument_no_socket_and_no_name() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let all = [
        json!("environment"),
        json!({ "connect": format!("127.0.0.1:{port}") }),
        json!({ "udp": format!("127.0.0.1:{port}") }),
        json!({ "resolve": "localhost" }),
    ];
    // Whatever is granted besides.
    let trial = escape(&all)
        .grant("http", &format!("http://127.0.0.1:{port}"))
        .grant("files", "source")
        .grant("sqlite", "*");
    let answers = tried(trial, Place::new().host());
    assert_eq!(answers[0], "got 0 0");
    assert!(answers[1..].iter().all(is_refused), "{answers:?}");
    server.set_nonblocking(true).unwrap();
    assert!(server.accept().is_err(), "nobody came");
}

#[test]
fn a_file_that_never_answers_costs_no_more_than_the_limit() {
    let place = Place::new();
    let pipe = place.path().join("source/pipe");
    let made = std::process::Command::new("mkfifo").arg(pipe).status();
    assert!(made.unwrap().success());
    let limit = Duration::from_millis(200);
    let hook = escape(&[json!({ "read": "/source/pipe" })])
        .grant("files", "source")
        .limits(|limits| limits.wall = limit)
        .load();
    let failure = kit::within(limit, || kit::fails(&hook, &place.host().shared()));
    let refused = failure.to_string().contains("refused");
    assert!(
        refused || failure.kind == FailureKind::TimedOut { limit },
        "{failure}"
    );
}

#[test]
fn a_hook_that_exits_has_failed() {
    let failure = kit::fails(
        &escape(&[json!("exit")]).load(),
        &Place::new().host().shared(),
    );
    assert!(
        matches!(&failure.kind, FailureKind::Trap { what, .. } if what.contains("exit")),
        "{failure}"
    );
}
