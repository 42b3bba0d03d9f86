//! What is made of the command line: completions, and pages of the manual.

use std::fs;
use std::process::Command;

use crate::common::{skip, world};

#[test]
fn a_shell_reads_its_completions_and_knows_the_commands() {
    let world = world();
    for shell in ["bash", "zsh", "fish"] {
        let script = world.copal(&["completions", shell]);
        script.succeeds();
        assert!(script.stdout().contains("backup"), "{script}");
    }
    // bash is everywhere: it completes the command and its option.
    let file = world.write(
        "completions",
        world.copal(&["completions", "bash"]).stdout(),
    );
    let ask = "source \"$0\"; COMP_WORDS=(copal ba); COMP_CWORD=1; _copal copal ba copal; echo \"${COMPREPLY[@]}\"";
    let bash = Command::new("bash")
        .args(["-c", ask])
        .arg(file)
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&bash.stdout).trim(),
        "backup",
        "{bash:?}"
    );
}

#[test]
fn the_manual_has_a_page_for_each_command_that_man_formats_without_a_complaint() {
    let world = world();
    let written = world.copal(&["man", "pages"]);
    written.succeeds();
    let pages: Vec<_> = fs::read_dir(world.path("pages"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for name in [
        "copal.1",
        "copal-backup.1",
        "copal-schedule-install.1",
        "copal-hook-grant.1",
    ] {
        assert!(
            pages.contains(&world.path("pages").join(name)),
            "{name}: {pages:?}"
        );
    }
    let hidden = |page: &&std::path::PathBuf| page.to_string_lossy().contains("rcd-call");
    assert_eq!(
        pages.iter().find(hidden),
        None,
        "hidden commands have no page"
    );
    for page in pages {
        let mut groff = Command::new("groff");
        groff.args(["-man", "-ww", "-z", "-Tutf8"]).arg(&page);
        let Ok(output) = groff.output() else {
            skip("groff is missing, which formats the pages");
            return;
        };
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{}: {output:?}",
            page.display()
        );
    }
}

#[test]
fn the_licences_of_what_is_linked_are_told_in_text_json_and_full() {
    let world = world();
    let listed = world.copal(&["licenses"]);
    listed.succeeds();
    assert!(listed.stdout().contains("  wasmtime 48."), "{listed}");
    assert!(listed.stdout().contains("Go modules\n"), "{listed}");

    let json: serde_json::Value =
        serde_json::from_str(world.copal(&["licenses", "--json"]).stdout()).unwrap();
    let parts = json["parts"].as_array().unwrap();
    let rclone = parts
        .iter()
        .find(|part| part["name"] == "github.com/rclone/rclone")
        .unwrap();
    assert_eq!(rclone["license"], "MIT");

    let full = world.copal(&["licenses", "--full"]);
    full.succeeds();
    for text in [
        "GNU LESSER GENERAL PUBLIC LICENSE",
        "Apache License",
        "Copyright (c)",
    ] {
        assert!(full.stdout().contains(text), "{text}");
    }
}
