use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use copal_core::grants::Grants;
use serde_json::json;

use super::super::kit::Floor;
use super::*;

fn in_force(grants: &serde_json::Value) -> InForce {
    InForce {
        grants: Grants::from_json(grants).unwrap(),
        requests: None,
    }
}

fn told(floor: &Floor, hooks: &[(&str, &InForce)]) -> Vec<String> {
    let lacks = lacking(&floor.host.means, hooks.iter().copied());
    let here = floor.dir.path().display().to_string();
    lacks
        .iter()
        .map(|lack| lack.to_string().replace(&here, "[here]"))
        .collect()
}

#[test]
fn what_is_granted_and_not_there_is_told_all_at_once_and_for_whom() {
    let floor = Floor::with(
        "[secret.unset]\nenv = 'COPAL_NO_SUCH_VARIABLE'\n\
         [secret.gone]\nfile = 'token.txt'\n\
         [secret.empty]\nfile = 'empty.txt'\n\
         [secret.vault]\ncommand = ['copal-no-such-program', 'show']\n\
         [command.dump]\nrun = ['copal-no-such-dump']\nenv = { PATH = '/none:/nowhere' }\n\
         secret_env = { A = 'gone', B = 'vault' }\n\
         [command.tell]\nrun = ['./tell.sh']\n\
         [command.plain]\nrun = ['./plain.txt']\n\
         [command.away]\nrun = ['true']\ncwd = 'away'\n\
         [command.folder]\nrun = ['./source']\n",
    );
    fs::write(floor.path("plain.txt"), "no program").unwrap();
    fs::set_permissions(floor.path("plain.txt"), Permissions::from_mode(0o600)).unwrap();
    fs::write(floor.path("empty.txt"), "\n").unwrap();
    let posts = in_force(
        &json!({ "secrets": ["gone", "unset", "empty"], "reveal": ["gone"], "command": ["tell"] }),
    );
    let dumps = in_force(&json!({ "command": ["dump", "tell", "plain", "away", "folder"] }));
    let told = told(&floor, &[("posts", &posts), ("dumps", &dumps)]);
    let expected = [
        "command `away`: `[here]/away`, its `cwd`, is no directory (for hook `dumps`)",
        "command `dump`: there is no program `copal-no-such-dump` in PATH, which is `/none:/nowhere` (for hook `dumps`)",
        "command `folder`: can't run `[here]/./source`: ",
        "command `plain`: can't run `[here]/./plain.txt`: Permission denied",
        "command `tell`: can't run `[here]/./tell.sh`: No such file",
        "secret `empty`: it is empty (for hook `posts`)",
        "secret `gone`: can't read `[here]/token.txt`: No such file",
        "secret `unset`: the variable `COPAL_NO_SUCH_VARIABLE` is not set (for hook `posts`)",
        "secret `vault`: there is no program `copal-no-such-program` in PATH, which is `",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}");
    }
    assert!(
        told[4].ends_with("(for hook `posts` and hook `dumps`)"),
        "{}",
        told[4]
    );
    assert!(
        told[6].ends_with("(for hook `posts` and command `dump`)"),
        "{}",
        told[6]
    );
}

#[test]
fn what_is_there_or_granted_to_nobody_is_no_lack() {
    let floor = Floor::with(
        "[secret.a]\nenv = 'PATH'\n[secret.b]\nfile = 'token.txt'\n\
         [secret.c]\ncommand = ['sh', '-c', 'touch started; exit 1']\n\
         [secret.gone]\nfile = 'gone.txt'\n\
         [command.a]\nrun = ['sh']\nsecret_env = { A = 'a' }\n[command.b]\nrun = ['./own.sh']\n\
         [command.c]\nrun = ['own.sh']\nenv = { PATH = '.' }\ncwd = 'bin'\n\
         [command.gone]\nrun = ['copal-no-such-program']\nsecret_env = { A = 'gone' }\n",
    );
    fs::write(floor.path("token.txt"), "hush").unwrap();
    fs::create_dir(floor.path("bin")).unwrap();
    for script in ["own.sh", "bin/own.sh"] {
        fs::write(floor.path(script), "#!/bin/sh\n").unwrap();
        fs::set_permissions(floor.path(script), Permissions::from_mode(0o700)).unwrap();
    }
    let sound = json!({ "secrets": ["a", "b"], "reveal": ["c"], "command": ["a", "b", "c"] });
    assert_eq!(told(&floor, &[("own", &in_force(&sound))]), [""; 0]);
    assert!(!floor.path("started").exists(), "no program is started");
}

#[test]
fn what_a_component_does_not_request_it_can_not_lack() {
    let floor = Floor::with("[secret.gone]\nfile = 'gone.txt'\n");
    let mut hook = in_force(&json!({ "secrets": ["gone"] }));
    assert_eq!(told(&floor, &[("own", &hook)]).len(), 1);
    hook.requests = Some(Grants::default());
    assert_eq!(told(&floor, &[("own", &hook)]), [""; 0]);
}

#[test]
fn a_secret_of_a_file_that_can_be_read_once_is_kept() {
    let floor = Floor::with("[secret.once]\nfile = 'once.txt'\n");
    fs::write(floor.path("once.txt"), "hush").unwrap();
    let hook = in_force(&json!({ "secrets": ["once"] }));
    assert_eq!(told(&floor, &[("own", &hook)]), [""; 0]);
    fs::remove_file(floor.path("once.txt")).unwrap();
    let read = secrets::read(&floor.host.means.secrets, "once", &floor.cancel);
    assert_eq!(read.unwrap().expose(), b"hush");
}
