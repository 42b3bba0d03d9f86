//! What an edit changes, and what it leaves.

use copal_core::grants::Capability;

use super::*;

const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn edited(text: &str, name: &str, added: &[(Capability, &str)]) -> String {
    let mut editor = Editor::new(text, name).unwrap();
    editor.pin(DIGEST.parse().unwrap()).unwrap();
    let added: Vec<_> = added.iter().map(|(c, e)| (*c, (*e).to_owned())).collect();
    editor.grant(&added).unwrap();
    editor.text()
}

const JOB: &str = r#"# Nightly.
name = "app"   # not the directory's
source.path = "/opt/app"
destination = [{ remote = "b2:x" }]

[[hook]]
use = "exclude"

# Ours.
[[hook]]
name = "notify"
file = "hooks/notify.wasm"  # built by CI
on_error = "warn"
# Who may hear of it.
grants = { http = ["POST https://a.example"] }

[hook.config]
url = "https://a.example/x" # the old one

[[hook]]
file = "hooks/other.wasm"
"#;

#[test]
fn a_pin_stands_behind_the_file_and_nothing_else_moves() {
    let pin = format!("sha256 = \"{DIGEST}\"\n");
    let expected = JOB.replace("# built by CI\n", &format!("# built by CI\n{pin}"));
    let once = edited(JOB, "notify", &[]);
    assert_eq!(once, expected);
    assert_eq!(edited(&once, "notify", &[]), expected, "again");
}

#[test]
fn every_line_keeps_its_end() {
    let added = [(Capability::Http, "https://b.example")];
    let expected = edited(JOB, "notify", &added).replace('\n', "\r\n");
    assert_eq!(
        edited(&JOB.replace('\n', "\r\n"), "notify", &added),
        expected
    );
    // A file that two editors wrote: a new line ends as the one above it.
    let (above, below) = JOB.split_once("on_error").unwrap();
    let mixed = format!("{}on_error{below}", above.replace('\n', "\r\n"));
    let (above, below) = expected.split_once("on_error").unwrap();
    let below = below.replace("\r\n", "\n");
    assert_eq!(
        edited(&mixed, "notify", &added),
        format!("{above}on_error{below}")
    );
}

#[test]
fn another_pin_takes_the_old_ones_place_with_its_comment() {
    let pinned = JOB.replace("on_error", "sha256 = \"old\"   # by hand\non_error");
    let expected = pinned.replace("old\"", &format!("{DIGEST}\""));
    // The word is in the configuration's own comment too.
    let expected = expected.replace(&format!("the {DIGEST}\""), "the old\"");
    assert_eq!(edited(&pinned, "notify", &[]), expected);
}

#[test]
fn grants_are_added_to_those_there_are() {
    let added = [
        (Capability::Http, "POST https://b.example"),
        (Capability::State, "true"),
    ];
    let text = edited(JOB, "notify", &added);
    let line = "grants = { http = [\"POST https://a.example\", \"POST https://b.example\"], state = true }";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("# Who may hear of it.\n"), "{text}");
}

#[test]
fn a_hook_without_grants_gets_some_and_goes_by_its_files_name() {
    let text = edited(JOB, "other", &[(Capability::Command, "pg_dump")]);
    let end = format!(
        "[[hook]]\nfile = \"hooks/other.wasm\"\nsha256 = \"{DIGEST}\"\ngrants = {{ command = [\"pg_dump\"] }}\n"
    );
    assert!(text.ends_with(&end), "{text}");
}

#[test]
fn a_list_with_a_line_for_each_entry_gets_a_line_more() {
    let text =
        "[[hook]]\nfile = \"a.wasm\"\n[hook.grants]\nhttp = [\n  \"https://a.example\",\n]\n";
    let text = edited(text, "a", &[(Capability::Http, "https://b.example")]);
    let list = "http = [\n  \"https://a.example\",\n  \"https://b.example\",\n]";
    assert!(text.contains(list), "{text}");
}

#[test]
fn hooks_in_a_list_are_edited_too() {
    let text = "hook = [{ file = \"a.wasm\" }, { use = \"exclude\" }]\n";
    let text = edited(text, "a", &[(Capability::Secrets, "token")]);
    let expected = format!(
        "hook = [{{ file = \"a.wasm\", sha256 = \"{DIGEST}\", grants = {{ secrets = [\"token\"] }} }}, {{ use = \"exclude\" }}]\n"
    );
    assert_eq!(text, expected);
}

fn revoked(text: &str, name: &str, taken: &[(Capability, &str)]) -> Result<String, EditError> {
    let mut editor = Editor::new(text, name).unwrap();
    let taken: Vec<_> = taken.iter().map(|(c, e)| (*c, (*e).to_owned())).collect();
    if taken.is_empty() {
        editor.revoke_all()?;
    } else {
        editor.revoke(&taken)?;
    }
    Ok(editor.text())
}

#[test]
fn what_was_granted_and_is_revoked_leaves_the_text_as_it_was() {
    let added = [
        (Capability::Http, "https://b.example"),
        (Capability::State, "true"),
        (Capability::Sqlite, "*"),
    ];
    let pinned = edited(JOB, "notify", &[]);
    let granted = edited(JOB, "notify", &added);
    assert_ne!(granted, pinned);
    assert_eq!(revoked(&granted, "notify", &added).unwrap(), pinned);
    let crlf = |text: &str| text.replace('\n', "\r\n");
    assert_eq!(
        revoked(&crlf(&granted), "notify", &added).unwrap(),
        crlf(&pinned)
    );
}

#[test]
fn an_entry_is_revoked_wherever_it_stands_and_comments_stay() {
    let header = "[[hook]]\nfile = \"a.wasm\"\n";
    for (grants, taken, left) in [
        (
            "grants = { sqlite = [\"a\", \"b\"], state = true } # why",
            (Capability::Sqlite, "a"),
            "grants = { sqlite = [\"b\"], state = true } # why",
        ),
        (
            "grants = { sqlite = [\"a\", \"b\"] }",
            (Capability::Sqlite, "b"),
            "grants = { sqlite = [\"a\"] }",
        ),
        (
            "grants = { sqlite = \"*\", state = true }",
            (Capability::State, "true"),
            "grants = { sqlite = \"*\" }",
        ),
        (
            "grants = { sqlite = \"*\", state = true }",
            (Capability::Sqlite, "*"),
            "grants = { state = true }",
        ),
        (
            "grants.http = [\"https://NTFY.sh:443\"] # why",
            (Capability::Http, "https://ntfy.sh"),
            "grants.http = [] # why",
        ),
        (
            "[hook.grants]\n# Where from.\nhttp = [\n  \"https://a\", # a\n  \"https://b\",\n]\nstate = true # much",
            (Capability::State, "true"),
            "[hook.grants]\n# Where from.\nhttp = [\n  \"https://a\", # a\n  \"https://b\",\n]\nstate = false # much",
        ),
    ] {
        let text = revoked(&format!("{header}{grants}\n"), "a", &[taken]).unwrap();
        assert_eq!(text, format!("{header}{left}\n"));
    }
}

#[test]
fn all_that_is_granted_can_be_revoked_at_once() {
    let text = revoked(JOB, "notify", &[]).unwrap();
    let line = "grants = { http = [\"POST https://a.example\"] }";
    assert_eq!(text, JOB.replace(line, "grants = {}"));
    assert_eq!(revoked(&text, "notify", &[]).unwrap(), text, "again");
    let table = "[[hook]]\nuse = \"sqlite-backup\"\n[hook.grants] # mine\nsqlite = \"*\"  # all\n";
    let text = revoked(table, "sqlite-backup", &[]).unwrap();
    assert_eq!(text, table.replace("\"*\"", "[]"));
}

#[test]
fn what_is_not_granted_can_not_be_revoked() {
    for entry in [(Capability::State, "true"), (Capability::Http, "https://b")] {
        let error = revoked(JOB, "notify", &[entry]).unwrap_err();
        assert!(matches!(error, EditError::NotGranted { .. }), "{error}");
    }
}

#[test]
fn what_can_not_be_edited_is_refused_by_what_it_is() {
    let refused = |text: &str, name: &str| {
        let mut editor = Editor::new(text, name)?;
        editor.written().map(|_| ())
    };
    assert!(matches!(refused("hook = ", "a"), Err(EditError::Syntax(_))));
    let Err(EditError::NoSuchHook { known, .. }) = refused(JOB, "nobody") else {
        panic!("there is no such hook")
    };
    assert_eq!(known, ["exclude", "notify", "other"]);
    assert!(matches!(
        refused(JOB, "exclude"),
        Err(EditError::BuiltIn { .. })
    ));
    let twice = "[[hook]]\nfile = \"a.wasm\"\n[[hook]]\nfile = \"b/a.wasm\"\n";
    assert!(matches!(refused(twice, "a"), Err(EditError::Ambiguous(_))));
    let bad = "[[hook]]\nfile = \"a.wasm\"\ngrants = { htp = [] }\n";
    assert!(matches!(refused(bad, "a"), Err(EditError::Grants { .. })));
    let none = "[[hook]]\nname = \"a\"\n";
    assert!(matches!(refused(none, "a"), Err(EditError::NoFile(_))));
}
