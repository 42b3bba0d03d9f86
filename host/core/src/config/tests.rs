use std::path::Path;

use proptest::prelude::*;

use super::*;

/// A file with a secret in each place where one could stand.
const SECRETIVE: &str = r#"name = "open-webui"
destination = [
  { remote = ":b2,account=HUSH,key='HUSH, \"HUSH\"':backups" },
  { remote = ":ftp\u002cpass=HUSH:backups" },
]
source = { path = "/opt/open-webui" }
[rclone]
header = [
  "Authorization: HUSH",
  "X-Other: HUSH",
]
http_proxy = 'http://me:HUSH@proxy'
[[hook]]
use = "exclude"
grants = { secrets = ["token"] }
config = { token = "HUSH", remote = ":b2,key=HUSH:x", auth = { a = "HUSH", b = ["HUSH"] } }
[secret.token]
file = "token.txt"
[command.dump]
run = ["dump"]
env = { DUMP_PASSWORD = "HUSH" }
secret_env = { PASSWORD = "token" }
"#;

fn config(text: &str) -> Config {
    Config::parse(text, "copal.toml").unwrap()
}

fn from_flags() -> Config {
    let remote = RemoteSpec::parse("b2:backups").unwrap();
    Config::from_flags("data", remote, "notes".parse().unwrap())
}

#[test]
fn flags_alone_make_the_same_job_as_the_shortest_file() {
    let file =
        config("name = 'notes'\nsource.path = 'data'\ndestination = [{ remote = 'b2:backups' }]");
    let mut flags = from_flags();
    let Source::Path { place, .. } = &mut flags.source else {
        panic!("flags name a directory");
    };
    *place = file.source.place().cloned();
    flags.destinations[0]
        .place
        .clone_from(&file.destinations[0].place);
    assert_eq!(flags, file);
}

#[test]
fn the_default_hooks_are_exclude_and_a_copy_of_every_database() {
    let config = from_flags();
    let names: Vec<_> = config
        .hooks()
        .iter()
        .map(|hook| hook.name.as_str())
        .collect();
    assert_eq!(names, ["exclude", "sqlite-backup"]);
    let lines: Vec<_> = config
        .hooks()
        .iter()
        .map(|hook| hook.grants.line())
        .collect();
    assert_eq!(lines, ["grants = {}", "grants = { sqlite = [\"*\"] }"]);
}

#[test]
fn paths_are_relative_to_the_file() {
    let path = |text: &str| ConfigPath::new(text).resolve(Path::new("/etc/copal"));
    assert_eq!(path("../data"), Path::new("/etc/copal/../data"));
    assert_eq!(path("/data"), Path::new("/data"));
}

#[test]
fn a_database_is_live_only_where_the_owner_says_so() {
    let file = "name = 'n'\nsource.path = 'd'\ndestination = [{ remote = 'b2:' }]\n\
                database.\"caf%E9.db\".live = 'allow'";
    let config = config(file);
    assert!(config.allows_live(&RelPath::new(*b"caf\xe9.db").unwrap()));
    assert!(!config.allows_live(&"webui.db".parse().unwrap()));
    assert_eq!(config.live_databases().count(), 1);
}

#[test]
fn an_option_that_rclone_does_not_take_is_refused_at_its_line() {
    let file = "name = 'n'\nsource.path = 'd'\ndestination = [{ remote = 'b2:' }]\n\
                [rclone]\ntransfer = 32\n";
    let config = config(file);
    let diagnostic =
        config.rclone_option_diagnostic("transfer", "unknown option", Some("transfers"));
    insta::assert_snapshot!(diagnostic.to_string(), @r"
    error: rclone does not take the option `transfer`
     --> copal.toml:5:12
      |
    5 | transfer = 32
      |            ^^ unknown option
      |
      = help: did you mean `transfers`?
    ");
    let elsewhere = config.rclone_option_diagnostic("x", "unknown option", None);
    assert_eq!(elsewhere.place, None);
}

#[test]
fn a_sound_file_never_shows_its_secrets() {
    let config = config(SECRETIVE);
    let diagnostic = config.rclone_option_diagnostic("header", "unknown option", None);
    assert!(!format!("{config:?} {diagnostic} {diagnostic:?}").contains("HUSH"));
    assert!(config.destinations()[1].remote.expose().contains("HUSH"));
}

#[test]
fn a_file_cut_off_anywhere_never_shows_its_secrets() {
    for end in 0..SECRETIVE.len() {
        assert_hushed(&SECRETIVE[..end]);
    }
}

#[test]
fn a_file_that_lost_or_gained_any_character_never_shows_its_secrets() {
    for at in 0..SECRETIVE.len() {
        let (before, after) = SECRETIVE.split_at(at);
        // Without its `=`, a value becomes part of a name, and names are shown.
        if !after.starts_with('=') {
            assert_hushed(&[before, &after[1..]].concat());
        }
        for stray in ["\"", "'", "=", "[", "#", "\\"] {
            assert_hushed(&[before, stray, after].concat());
        }
    }
}

/// Whatever becomes of a file, what is said about it holds no secret.
fn assert_hushed(text: &str) {
    let shown = match Config::parse(text, "copal.toml") {
        Ok(config) => format!("{config:?}"),
        Err(invalid) => format!("{invalid} {invalid:?}"),
    };
    // A secret that was broken in two is still one, but "HUS" is too little to look for.
    assert!(!shown.contains("HUSH"), "{text}\n{shown}");
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_stumble(
        tokens in proptest::collection::vec(proptest::sample::select(vec![
            "name", "source", "path", "destination", "remote", "hook", "use", "rclone", "grants", "limits",
            "database", "command", "run", "secret", "env", "allow", "file", "sha256", "on_error", "http", "=", "=", ".", "[", "]", "[[", "]]", "{", "}", ",", "\n", "\n", "\"", "'", "\"\"\"",
            "'b2:x'", "\"é\"", "1", "-1.5", "true", "2026-11-24", "é", "#", "\r\n", "\t", "\\u", "\u{feff}",
        ]), 0..30),
    ) {
        if let Err(invalid) = Config::parse(&tokens.join(" "), "copal.toml") {
            prop_assert!(!invalid.problems.is_empty());
            prop_assert!(invalid.problems.iter().all(|problem| problem.place.is_some()));
            prop_assert!(invalid.to_string().contains("copal.toml"));
        }
    }
}
