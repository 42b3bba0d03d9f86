use std::time::{Duration, Instant};

use super::super::kit::Floor;
use super::*;

fn request(name: &str, arguments: &[(&str, &str)]) -> CommandRequest {
    let arguments = arguments.iter();
    CommandRequest {
        name: name.to_owned(),
        arguments: arguments
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn path(text: &str) -> RelPath {
    text.parse().unwrap()
}

fn says(floor: &Floor, name: &str, arguments: &[(&str, &str)]) -> String {
    let finished = run(&floor.host.means, &floor.call(), &request(name, arguments)).unwrap();
    assert_eq!(finished.exit_code, 0);
    String::from_utf8(finished.stdout).unwrap()
}

#[test]
fn a_value_reaches_the_program_as_one_argument_whatever_is_in_it() {
    let floor = Floor::with("[command.show]\nrun = ['printf', '<%s>', 'db={name}', '{name}']");
    for value in [
        "a b",
        "'; rm -rf /",
        "$(id)",
        "`id`",
        "a\\nb",
        "*",
        "%s",
        "{name}",
        "",
    ] {
        assert_eq!(
            says(&floor, "show", &[("name", value)]),
            format!("<db={value}><{value}>")
        );
    }
}

#[test]
fn a_value_that_would_be_an_option_never_reaches_the_program() {
    let floor = Floor::with("[command.touch]\nrun = ['touch', '{name}']");
    for value in ["--reference=/etc/passwd", "-r", "-", "a\nb", "a\0b"] {
        let refused = run(
            &floor.host.means,
            &floor.call(),
            &request("touch", &[("name", value)]),
        );
        assert!(
            matches!(refused, Err(CapabilityError::Invalid(_))),
            "{value}: {refused:?}"
        );
    }
}

#[test]
fn the_environment_holds_what_is_written_and_a_few_words_of_the_host() {
    let lines = "[command.env]\nrun = ['env']\nenv = { OWN = 'x' }\nsecret_env = { TOKEN = 't' }\n\
                 [secret.t]\ncommand = ['echo', 'hush hush']";
    let said = says(&Floor::with(lines), "env", &[]);
    for line in said.lines() {
        let (name, _) = line.split_once('=').unwrap();
        assert!(
            environment::INHERITED.contains(&name) || ["OWN", "TOKEN"].contains(&name),
            "{line}"
        );
    }
    assert!(said.contains("OWN=x\n") && said.contains("TOKEN=hush hush\n"));
}

#[test]
fn a_command_that_copal_toml_does_not_have_is_missing() {
    let floor = Floor::with("");
    let missing = run(&floor.host.means, &floor.call(), &request("x", &[]));
    assert_eq!(missing, Err(CapabilityError::Missing("x".to_owned())));
}

#[test]
fn an_exit_code_is_no_error_and_a_program_that_is_not_there_is() {
    let floor =
        Floor::with("[command.false]\nrun = ['false']\n[command.none]\nrun = ['no-such-program']");
    let finished = run(&floor.host.means, &floor.call(), &request("false", &[])).unwrap();
    assert_eq!(finished.exit_code, 1);
    let failed = run(&floor.host.means, &floor.call(), &request("none", &[]));
    assert!(
        matches!(failed, Err(CapabilityError::Failed(_))),
        "{failed:?}"
    );
}

#[test]
fn a_relative_program_and_directory_are_those_of_the_file() {
    let floor = Floor::with("[command.own]\nrun = ['bin/own']\ncwd = 'source'");
    let program = floor.path("bin/own");
    fs::create_dir(program.parent().unwrap()).unwrap();
    fs::copy("/bin/pwd", &program).unwrap();
    let source = floor.path("source").canonicalize().unwrap();
    assert_eq!(
        says(&floor, "own", &[]).trim_end(),
        source.to_str().unwrap()
    );
}

#[test]
fn what_a_command_writes_is_cut_at_the_limit_of_the_hook() {
    let mut floor = Floor::with("[command.much]\nrun = ['head', '-c', '10M', '/dev/zero']");
    floor.limits.command_output = ByteCount(100);
    let finished = run(&floor.host.means, &floor.call(), &request("much", &[])).unwrap();
    assert_eq!(
        (
            finished.exit_code,
            finished.stdout.len(),
            finished.truncated
        ),
        (0, 100, true)
    );
}

#[test]
fn a_hung_command_is_killed_at_its_timeout() {
    let floor = Floor::with("[command.hung]\nrun = ['sleep', '600']\ntimeout = '200ms'");
    let began = Instant::now();
    let ended = run(&floor.host.means, &floor.call(), &request("hung", &[]));
    assert!(
        matches!(ended, Err(CapabilityError::TimedOut(_))),
        "{ended:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn captured_output_is_a_new_file_of_the_snapshot() {
    let floor = Floor::with("[command.dump]\nrun = ['echo', 'rows']");
    let captured = capture(
        &floor.host,
        &floor.call(),
        &request("dump", &[]),
        &path("db/app.sql"),
    )
    .unwrap();
    assert_eq!(captured.bytes, ByteCount(5));
    let [added] = floor.host.artifacts.added().try_into().unwrap();
    assert_eq!(added.path, path("db/app.sql"));
    assert_eq!(fs::read(added.file.unwrap()).unwrap(), b"rows\n");
}

#[test]
fn nothing_is_staged_of_a_command_that_fails() {
    let lines = "[command.fails]\nrun = ['sh', '-c', 'echo half; echo no $T >&2; exit 3']\nsecret_env = { T = 't' }\n\
                 [command.hung]\nrun = ['sh', '-c', 'echo half; sleep 600']\ntimeout = '100ms'\n\
                 [secret.t]\ncommand = ['echo', 'hush']";
    let floor = Floor::with(lines);
    let failed = capture(
        &floor.host,
        &floor.call(),
        &request("fails", &[]),
        &path("x"),
    );
    let expected = "command `fails` ended with exit code 3: no ***".to_owned();
    assert_eq!(failed, Err(CapabilityError::Failed(expected)));
    let hung = capture(
        &floor.host,
        &floor.call(),
        &request("hung", &[]),
        &path("x"),
    );
    assert!(matches!(hung, Err(CapabilityError::TimedOut(_))));
    assert!(floor.host.artifacts.added().is_empty());
    assert_eq!(floor.made(), 0);
}

#[test]
fn a_path_that_is_in_use_or_not_the_hooks_to_take_is_refused() {
    let mut floor = Floor::with("[command.dump]\nrun = ['echo', 'rows']");
    floor.host.databases = vec![path("app.db")];
    fs::create_dir(floor.path("source/dir")).unwrap();
    fs::write(floor.path("source/file"), "live").unwrap();
    std::os::unix::fs::symlink("dir", floor.path("source/link")).unwrap();
    let call = floor.call();
    let dump = |to: &str| capture(&floor.host, &call, &request("dump", &[]), &path(to));
    dump("new").unwrap();
    for taken in [
        "file",
        "dir",
        "link",
        "file/x",
        "link/x",
        "new",
        "new/x",
        ".copal",
        ".copal/manifest.json",
        "app.db-wal",
    ] {
        assert!(
            matches!(dump(taken), Err(CapabilityError::Invalid(_))),
            "{taken}"
        );
    }
    dump("dir/x").unwrap();
    dump("a/b").unwrap();
    assert!(matches!(dump("a"), Err(CapabilityError::Invalid(_))));
    assert_eq!(floor.made(), 3);
}

#[test]
fn what_a_failing_command_says_of_its_secrets_is_covered() {
    let secret = "first line\nsecond line";
    let says = |script: &str| {
        let lines = format!(
            "[command.tell]\nrun = ['sh', '-c', '{script}']\nsecret_env = {{ T = 't' }}\n\
             [secret.t]\nfile = 'secret'"
        );
        let mut floor = Floor::with(&lines);
        floor.limits.command_output = ByteCount(4000);
        fs::write(floor.path("secret"), secret).unwrap();
        match capture(
            &floor.host,
            &floor.call(),
            &request("tell", &[]),
            &path("x"),
        ) {
            Err(CapabilityError::Failed(why)) => why,
            other => panic!("{other:?}"),
        }
    };
    let whole = says("echo it is \"$T\" >&2; exit 1");
    assert!(whole.ends_with("exit code 1: it is ***"), "{whole}");
    // Its end is within the last words, its beginning is not.
    let tail = says("echo \"$T\" >&2; head -c 990 /dev/zero | tr \"\\000\" x >&2; exit 1");
    assert!(tail.contains("xxx") && !tail.contains("line"), "{tail}");
    // Its beginning is within what is kept, its end is not.
    let cut = says("head -c 3990 /dev/zero | tr \"\\000\" x >&2; echo \"$T\" >&2; exit 1");
    assert!(!cut.contains("first"), "{cut}");
}

#[test]
fn the_secrets_that_a_command_was_given_are_named_to_the_gate() {
    let lines = "[command.env]\nrun = ['env']\nsecret_env = { TOKEN = 't' }\n\
                 [secret.t]\ncommand = ['echo', 'hush hush']";
    let floor = Floor::with(lines);
    let secrets = [SecretBytes::new("hush hush")];
    let finished = run(&floor.host.means, &floor.call(), &request("env", &[])).unwrap();
    assert_eq!(finished.secrets, secrets);
    let captured = capture(&floor.host, &floor.call(), &request("env", &[]), &path("x")).unwrap();
    assert_eq!(captured.secrets, secrets);
}

#[test]
fn a_dry_run_starts_nothing_and_refuses_what_a_run_would() {
    let floor = Floor::with("[command.make]\nrun = ['touch', 'made/{name}']");
    let means = &floor.host.means;
    assert_eq!(
        recorded_run(means, &request("make", &[("name", "x")])),
        Ok(Finished::default())
    );
    let captured = recorded_capture(&floor.host, &request("make", &[("name", "x")]), &path("x"));
    assert_eq!(captured, Ok(Captured::default()));
    assert_eq!(floor.made(), 0);
    assert!(recorded_run(means, &request("make", &[])).is_err());
    assert!(recorded_run(means, &request("other", &[])).is_err());
}

#[test]
fn no_output_becomes_the_log_of_a_database_that_is_not_copied_by_hooks() {
    let floor = Floor::with("[command.log]\nrun = ['echo', 'forged']");
    fs::write(floor.path("source/app.db"), "SQLite format 3\0").unwrap();
    for to in ["app.db-wal", "app.db-journal", "app.db-wal/x"] {
        let refused = capture(&floor.host, &floor.call(), &request("log", &[]), &path(to));
        assert!(
            matches!(&refused, Err(CapabilityError::Invalid(why)) if why.contains("beside it")),
            "{refused:?}"
        );
    }
    let beside = capture(
        &floor.host,
        &floor.call(),
        &request("log", &[]),
        &path("other.db-wal"),
    );
    assert!(beside.is_ok(), "{beside:?}");
}
