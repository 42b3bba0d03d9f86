//! A snapshot without Copal: the commands of `docs/rclone.md`, by the rclone of the system's packages.

use std::fs;
use std::process::Command;

use copal_testkit::{World, stock_rclone};

/// The commands that the page tells.
fn commands() -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rclone.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("## With rclone alone").unwrap();
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

#[test]
fn an_installed_rclone_lists_checks_and_restores_a_snapshot_as_the_page_says() {
    if !stock_rclone() {
        return;
    }
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    world.write("source/letter.txt", "Dear reader,\n");
    world.write("source/deep/er/caf\u{e9} [1].txt", "another");
    world.write("source/empty", "");
    let to = [
        "backup",
        "--source",
        "source",
        "--to",
        "vault:copal",
        "--json",
    ];
    let told = world.copal(&to).succeeds().json();
    let id = told["destinations"][0]["snapshot"]
        .as_str()
        .unwrap()
        .to_owned();
    let script = commands()
        .replace("b2:my-bucket/copal/open-webui", "vault:copal/source")
        .replace("2026-11-24T030000Z", &id);
    let run = || {
        let shell = Command::new("sh")
            .args(["-euxc", &script])
            .current_dir(world.root())
            .env("RCLONE_CONFIG", world.rclone_conf())
            .output();
        let output = shell.unwrap();
        let text = [&output.stdout[..], &output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let (done, text) = run();
    assert!(done, "{text}");
    let first = format!("{id}/.copal/manifest.json\n");
    assert!(text.contains(&first), "{text}");
    let restored = world.path("restored");
    for path in ["letter.txt", "deep/er/caf\u{e9} [1].txt", "empty"] {
        let (was, is) = (world.source().join(path), restored.join(path));
        assert_eq!(fs::read(was).unwrap(), fs::read(is).unwrap(), "{path}");
    }

    // And damage is found.
    let file = world.vault().join(format!("copal/source/{id}/letter.txt"));
    fs::write(file, "Dear writer,\n").unwrap();
    let (done, text) = run();
    assert!(!done, "{text}");
    assert!(text.contains("letter.txt"), "{text}");
}
