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
