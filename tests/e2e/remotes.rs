//! rclone's world as it is: its configuration, its overlays, its options.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use copal_testkit::{Output, World, wait_until};
use rustix::process::Signal;

use crate::common::{PATIENCE, fails_cleanly, files_below, leaves_nothing, small_world};
use crate::specimen::{hook, world_with_specimen};

fn back_up_to(world: &World, to: &str) -> Output {
    world.copal(&["backup", "--source", "source", "--to", to])
}

/// Backs up to a place, verifies there, and restores from it.
#[track_caller]
fn there_and_back(world: &World, place: &str) {
    back_up_to(world, place).succeeds();
    world
        .copal(&["verify", "--full", "--from", place])
        .succeeds();
    world
        .copal(&["restore", "latest", "--from", place, "--to", "restored"])
        .succeeds();
    let restored = world.path("restored");
    let differences = copal_testkit::tree::same_tree(&world.source(), &restored).unwrap();
    assert_eq!(differences, []);
}

/// `[locked]`, an alias of `/`, encrypted with the password `correct horse`.
const ENCRYPTED: &str = "# Encrypted rclone configuration File

RCLONE_ENCRYPT_V0:
b0yZW3JGEEOfrmDEljCsRPvWfts3EV7qFOu0KaPT6qPqjAQO1ETDgdzyW5cUJlV+DWxpcY+Wn2rvFeWOioDiI7HdbaK0FN1RyA==
";

#[test]
fn an_encrypted_configuration_opens_with_its_password_and_no_other() {
    let mut world = small_world();
    let file = world.write("elsewhere/rclone.conf", ENCRYPTED);
    world.set("RCLONE_CONFIG", file);
    let place = format!("locked:{}", world.vault().display());

    for password in [None, Some("wrong horse")] {
        if let Some(password) = password {
            world.set("RCLONE_CONFIG_PASS", password);
        }
        let refused = back_up_to(&world, &place);
        fails_cleanly(&world, &refused, 2);
        refused.says("RCLONE_CONFIG_PASS").never_says("horse");
    }
    world.set("RCLONE_CONFIG_PASS", "correct horse");
    there_and_back(&world, &place);
}

#[test]
fn a_configuration_named_by_the_environment_is_used_in_place_of_the_usual_one() {
    let mut world = small_world();
    let other = format!(
        "[other]\ntype = alias\nremote = {}\n",
        world.vault().display()
    );
    let file = world.write("elsewhere/rclone.conf", other);
    world.set("RCLONE_CONFIG", file);
    there_and_back(&world, "other:deep/er");
    back_up_to(&world, "vault:").exits_with(2).says("`vault:`");
}

#[test]
fn a_remote_of_the_environment_is_a_remote() {
    let mut world = small_world();
    let vault = world.vault();
    world.set("RCLONE_CONFIG_ENVY_TYPE", "alias");
    world.set("RCLONE_CONFIG_ENVY_REMOTE", vault);
    there_and_back(&world, "envy:");
    assert!(!files_below(&world.vault()).is_empty());
}

#[test]
fn a_connection_string_is_a_remote_and_keeps_its_values_to_itself() {
    let world = small_world();
    let vault = world.vault().display().to_string();
    let place = format!(":alias,remote='{vault}':deep");
    there_and_back(&world, &place);
    back_up_to(&world, &place).succeeds().never_says(&vault);
    assert!(world.path("vault/deep/source").is_dir());
}

/// rclone's own obscured form of a password, which only the same rclone reads.
fn obscured(world: &World, password: &str) -> String {
    let clear = serde_json::json!({ "clear": password }).to_string();
    let output = world.copal(&["rclone", "core/obscure", &clear]);
    output.succeeds().json()["obscured"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(crate) fn add_crypt(world: &World) {
    let password = obscured(world, "correct horse");
    let lines = format!("type = crypt\nremote = vault:hidden\npassword = {password}");
    world.add_remote("safe", &lines);
}

#[test]
fn a_crypt_remote_hides_names_and_contents_and_gives_them_back() {
    let world = small_world();
    add_crypt(&world);
    there_and_back(&world, "safe:");
    let files = files_below(&world.path("vault/hidden"));
    assert_eq!(
        files.len(),
        6,
        "three of the app's, two of Copal's, and that it was verified"
    );
    for file in files {
        assert!(!file.contains("letter") && !file.contains("manifest"));
        let bytes = fs::read(world.path("vault/hidden").join(file)).unwrap();
        assert!(bytes.starts_with(b"RCLONE\0\0"));
    }
    let verified = world.copal(&["verify", "--from", "safe:"]);
    let honest = verified.succeeds().stdout().contains("sizes only");
    assert!(honest, "{verified}");
}

#[test]
fn an_unknown_remote_is_named() {
    let world = small_world();
    let output = back_up_to(&world, "nowhere:copal");
    fails_cleanly(&world, &output, 2);
    output.says("nowhere:copal").says("rclone listremotes");
    for command in ["snapshots", "verify"] {
        let output = world.copal(&[command, "--from", "nowhere:copal"]);
        output.exits_with(2).says("nowhere:copal");
    }
}

#[test]
fn a_remote_that_refuses_the_key_is_told_and_the_key_is_not() {
    let world = small_world();
    let address = refuse_everybody();
    let place = format!(":b2,account=ID,key=SECRET,endpoint='http://{address}':bucket");
    let output = back_up_to(&world, &place);
    fails_cleanly(&world, &output, 1);
    output.says("unauthorized").says("check the key");
    output.never_says("SECRET");
}

/// A cloud whose only answer is that it does not know the key; its address.
fn refuse_everybody() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 1 << 12];
            // What is asked makes no difference, and who hangs up wants no answer.
            if connection.read(&mut request).is_ok_and(|read| read > 0) {
                let body = r#"{"status":401,"code":"unauthorized","message":"No."}"#;
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n\
                     Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
                );
                drop(connection.write_all(answer.as_bytes()));
            }
        }
    });
    address
}

fn configure(world: &World, rclone: &str) {
    let text = format!(
        "name = \"letters\"\nsource.path = \"source\"\n\n[[destination]]\nremote = \"vault:\"\n\n[rclone]\n{rclone}\n"
    );
    world.write("copal.toml", text);
}

#[test]
fn an_option_that_rclone_does_not_know_is_refused_by_name_and_place() {
    let world = small_world();
    configure(&world, "tranfers = 32");
    let output = world.copal(&["backup"]);
    output.exits_with(2);
    assert_eq!(output.stdout(), "");
    leaves_nothing(&world);
    insta::assert_snapshot!(output.redacted_stderr());
}

#[test]
fn an_option_of_the_wrong_type_is_refused_by_name_and_place() {
    let world = small_world();
    configure(&world, "transfers = \"many\"");
    let output = world.copal(&["backup"]);
    output.exits_with(2);
    assert_eq!(output.stdout(), "");
    leaves_nothing(&world);
    insta::assert_snapshot!(output.redacted_stderr());
}

#[test]
fn so_many_transfers_run_at_once_as_are_configured() {
    const WANTED: usize = 32;
    let world = small_world();
    for n in 0..40 {
        world.write(format!("source/large/{n}"), vec![1; 1 << 20]);
    }
    configure(&world, "transfers = 32\nbwlimit = \"1M\"");
    let running = world.start(&["backup"]);
    let under_way = || {
        let files = files_below(&world.vault());
        let half = files.iter().filter(|file| file.ends_with(".partial"));
        (half.count() == WANTED).then_some(())
    };
    wait_until("32 files under way", PATIENCE, under_way).unwrap();
    running.signal(Signal::INT);
    running.finish(PATIENCE).unwrap().exits_with(130);
    leaves_nothing(&world);
}

#[test]
fn a_destination_that_did_not_answer_is_told_although_a_hook_ended_the_run() {
    let world = world_with_specimen();
    let fails = hook("fails", "config = { act = \"fail\", within = \"staged\" }");
    world.write(
        "copal.toml",
        format!(
            "name = \"letters\"\nsource.path = \"source\"\ndestination = [{{ remote = \"vault:\" }}, {{ remote = \"nowhere:\" }}]\n\n{fails}"
        ),
    );
    let output = world.copal(&["backup"]);
    output
        .exits_with(1)
        .says("hook `fails` failed in staged")
        .says("nowhere:");
}
