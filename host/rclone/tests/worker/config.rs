use std::fs;

use copal_rclone::{ErrorKind, ListRequest, RcloneError, Remote, Worker};

use crate::world::{PATIENCE, World, list_all, paths};

/// `[locked]`, an alias of `/`, encrypted with the password `correct horse`.
const ENCRYPTED: &str = "# Encrypted rclone configuration File

RCLONE_ENCRYPT_V0:
b0yZW3JGEEOfrmDEljCsRPvWfts3EV7qFOu0KaPT6qPqjAQO1ETDgdzyW5cUJlV+DWxpcY+Wn2rvFeWOioDiI7HdbaK0FN1RyA==
";

fn remote(text: &str) -> Remote {
    text.parse().unwrap()
}

fn list_locked(worker: &Worker) -> Result<usize, RcloneError> {
    let request = ListRequest::of(remote("locked:"));
    worker.list(&request, PATIENCE).map(|entries| entries.len())
}

pub(crate) fn an_encrypted_configuration_opens_with_its_password(world: &World) {
    world.write("rclone.conf", ENCRYPTED);
    let worker = world
        .worker_with(&[("RCLONE_CONFIG_PASS", "correct horse")])
        .unwrap();
    assert!(list_locked(&worker).unwrap() > 0);
    assert_eq!(worker.remotes(PATIENCE).unwrap(), ["locked"]);
}

pub(crate) fn an_encrypted_configuration_without_the_right_password_is_locked(world: &World) {
    world.write("rclone.conf", ENCRYPTED);
    for env in [
        &[][..],
        &[("RCLONE_CONFIG_PASS", "wrong")],
        &[("RCLONE_PASSWORD_COMMAND", "false")],
    ] {
        let worker = world.worker_with(env).unwrap();
        for _ in 0..2 {
            let error = list_locked(&worker).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConfigLocked, "{env:?}: {error}");
            assert!(!error.to_string().contains("panic"), "{error}");
        }
        assert!(worker.version(PATIENCE).is_ok(), "the worker lives");
    }
}

pub(crate) fn a_password_command_opens_an_encrypted_configuration(world: &World) {
    world.write("rclone.conf", ENCRYPTED);
    let command = r#"echo "correct horse""#;
    let worker = world
        .worker_with(&[("RCLONE_PASSWORD_COMMAND", command)])
        .unwrap();
    assert!(list_locked(&worker).unwrap() > 0);
}

pub(crate) fn a_remote_of_the_environment_works_like_one_of_the_file(world: &World) {
    world.write("there/file", "x");
    let there = world.path("there");
    let worker = world
        .worker_with(&[
            ("RCLONE_CONFIG_ENVY_TYPE", "alias"),
            ("RCLONE_CONFIG_ENVY_REMOTE", there.to_str().unwrap()),
        ])
        .unwrap();
    assert_eq!(paths(&list_all(&worker, remote("envy:"))), ["file"]);
    assert_eq!(worker.remotes(PATIENCE).unwrap(), ["envy"]);
    assert_eq!(
        worker.local_roots(&remote("envy:sub"), PATIENCE).unwrap(),
        [there.join("sub")]
    );
}

pub(crate) fn rclone_config_may_say_that_there_is_no_file(world: &World) {
    for none in ["", "/dev/null"] {
        let worker = world.worker_with(&[("RCLONE_CONFIG", none)]).unwrap();
        assert!(worker.remotes(PATIENCE).unwrap().is_empty());
        assert!(list_all(&worker, world.remote("")).len() == 1);
    }
}

pub(crate) fn an_unreadable_configuration_is_an_error_and_not_the_end(world: &World) {
    fs::remove_file(world.path("rclone.conf")).unwrap();
    fs::create_dir(world.path("rclone.conf")).unwrap();
    let worker = world.worker();
    let request = ListRequest::of(remote("b2:bucket"));
    let error = worker.list(&request, PATIENCE).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigUnreadable, "{error}");
    assert!(worker.version(PATIENCE).is_ok());
}

pub(crate) fn an_unknown_remote_is_named(world: &World) {
    let worker = world.worker();
    for name in ["nope:x", ":nope:x"] {
        let request = ListRequest::of(remote(name));
        let error = worker.list(&request, PATIENCE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownRemote, "{error}");
        assert!(error.to_string().contains("nope"), "{error}");
    }
}

pub(crate) fn a_connection_string_makes_a_remote(world: &World) {
    world.write("a'b:c,d/file", "x");
    let quoted = world.path("a'b:c,d").to_str().unwrap().replace('\'', "''");
    let alias = remote(&format!(":alias,remote='{quoted}':"));
    assert_eq!(paths(&list_all(&world.worker(), alias)), ["file"]);
    let direct = world.remote("a'b:c,d");
    assert_eq!(paths(&list_all(&world.worker(), direct)), ["file"]);
}
