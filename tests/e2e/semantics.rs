//! What follows when a hook fails: phase × ending, every cell. The table is in `docs/hooks.md`.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use copal_testkit::{Output, World, wait_until};
use rustix::process::Signal;

use crate::common::{PATIENCE, files_below, leaves_no_staging, sealed_id};
use crate::specimen::{configure, hook, tell_commands, told, world_with_specimen};

/// How a hook ends its phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Well,
    Error,
    Trap,
    Timeout,
    /// A signal comes while it computes, waits, or waits for a command.
    Computing,
    Sleeping,
    Commanding,
}

impl End {
    const ALL: [Self; 7] = [
        Self::Well,
        Self::Error,
        Self::Trap,
        Self::Timeout,
        Self::Computing,
        Self::Sleeping,
        Self::Commanding,
    ];

    fn by_signal(self) -> bool {
        matches!(self, Self::Computing | Self::Sleeping | Self::Commanding)
    }

    /// The lines of its `[[hook]]` that make it so.
    fn lines(self) -> &'static str {
        match self {
            Self::Well => "config.act = \"behave\"",
            Self::Error => "config.act = \"fail\"",
            Self::Trap => "config.act = \"panic\"",
            Self::Timeout => {
                "config.act = \"loop\"\nlimits = { wall = \"200ms\", filter_wall = \"200ms\" }"
            }
            Self::Computing => {
                "config.act = \"loop\"\nlimits = { wall = \"10m\", filter_wall = \"10m\" }"
            }
            Self::Sleeping => "config.act = { sleep = 600000 }\nlimits = { wall = \"20m\" }",
            Self::Commanding => "config.act = { command = \"wait\" }",
        }
    }
}

/// A phase, and what is run to get to it.
#[derive(Debug, Clone, Copy)]
struct Phase {
    name: &'static str,
    command: &'static [&'static str],
    /// The phase that is always told, once.
    last: Option<&'static str>,
}

const BACKUP: &[&str] = &["backup"];
const RESTORE: &[&str] = &["restore", "latest", "--in-place"];
const DRILL: &[&str] = &["drill"];

const PHASES: [Phase; 7] = [
    Phase {
        name: "filter",
        command: BACKUP,
        last: Some("post-backup"),
    },
    Phase {
        name: "pre-backup",
        command: BACKUP,
        last: Some("post-backup"),
    },
    Phase {
        name: "staged",
        command: BACKUP,
        last: Some("post-backup"),
    },
    Phase {
        name: "post-backup",
        command: BACKUP,
        last: Some("post-backup"),
    },
    Phase {
        name: "pre-restore",
        command: RESTORE,
        last: Some("post-restore"),
    },
    Phase {
        name: "post-restore",
        command: RESTORE,
        last: Some("post-restore"),
    },
    Phase {
        name: "drill",
        command: DRILL,
        last: None,
    },
];

/// What is to follow.
#[derive(Debug)]
struct Follows {
    exit: i32,
    /// How the history calls it.
    outcome: &'static str,
    /// Whether the next hook is called in the same phase.
    next: bool,
    /// Whether the run's work is done: a snapshot more, or the source exchanged.
    done: bool,
}

/// The table.
fn follows(phase: &str, end: End, warn: bool) -> Follows {
    let all = |exit, outcome, next, done| Follows {
        exit,
        outcome,
        next,
        done,
    };
    let is_last = phase.starts_with("post-");
    match end {
        End::Well => all(0, "succeeded", true, true),
        _ if is_last => all(3, "warned", true, true),
        _ if end.by_signal() => all(143, "interrupted", false, false),
        _ if phase == "filter" => all(1, "failed", false, false),
        _ if warn => all(3, "warned", true, true),
        _ if phase == "drill" => all(1, "failed", true, false),
        _ => all(1, "failed", false, false),
    }
}

#[test]
fn every_phase_and_every_ending_has_what_follows_in_the_table() {
    // Compiled once for all.
    let cache = tempfile::tempdir().unwrap();
    thread::scope(|scope| {
        for phase in PHASES {
            let cache = cache.path();
            scope.spawn(move || cells(phase, cache));
        }
    });
}

fn cells(phase: Phase, cache: &Path) {
    for end in End::ALL {
        // A filter computes, and can do nothing else.
        if phase.name == "filter" && matches!(end, End::Sleeping | End::Commanding) {
            continue;
        }
        for warn in [false, true] {
            // What `on_error` says is no matter to those.
            if warn && (end == End::Well || end.by_signal() && end != End::Sleeping) {
                continue;
            }
            cell(phase, end, warn, cache);
        }
    }
}

/// One cell, in a world of its own.
fn cell(phase: Phase, end: End, warn: bool, cache: &Path) {
    let mut world = world_with_specimen();
    world.set("XDG_CACHE_HOME", cache);
    let tells = tell_commands(&world, &["sick", "next"]);
    let on_error = if warn { "on_error = \"warn\"\n" } else { "" };
    let sick = format!(
        "{}\nconfig.within = \"{}\"\nconfig.tell = \"tell-sick\"\ngrants.command = [\"tell-sick\", \"wait\"]\n{on_error}",
        end.lines(),
        phase.name
    );
    let next = "config.tell = \"tell-next\"\ngrants.command = [\"tell-next\"]";
    let wait = "[command.wait]\nrun = [\"sleep\", \"600\"]\ntimeout = \"20m\"\n\n";
    if phase.command != BACKUP {
        configure(&world, "");
        world.copal(BACKUP).succeeds();
    }
    let config = format!(
        "{wait}{tells}\n{}{}",
        hook("sick", &sick),
        hook("next", next)
    );
    configure(&world, &config);
    world.write("source/new.txt", "written since the last snapshot");

    let output = run(&world, phase, end);

    let expected = follows(phase.name, end, warn);
    let context = format!("{} {end:?} warn={warn}: {expected:?}\n{output}", phase.name);
    assert_eq!(output.code(), Some(expected.exit), "{context}");
    assert_eq!(
        work_is_done(&world, phase, &output),
        expected.done,
        "{context}"
    );
    leaves_no_staging(&world);

    let told = told(&world);
    let count = |who: &str, phase: &str| {
        let begins = format!("{who} {phase} ");
        told.iter().filter(|line| line.starts_with(&begins)).count()
    };
    if let Some(last) = phase.last {
        assert_eq!(count("sick", last), 1, "{told:?}\n{context}");
        assert_eq!(count("next", last), 1, "{told:?}\n{context}");
    }
    if phase.name != "filter" {
        let next = usize::from(expected.next);
        assert_eq!(count("sick", phase.name), 1, "{told:?}\n{context}");
        assert_eq!(count("next", phase.name), next, "{told:?}\n{context}");
    }
    if phase.command == BACKUP && !expected.done {
        let later = usize::from(phase.name == "staged");
        assert_eq!(count("sick", "staged"), later, "{told:?}\n{context}");
    }
    recorded(&world, phase, end, &expected, &context);
}

/// Runs the command; where a signal is to come, it comes when the hook is seen at it.
fn run(world: &World, phase: Phase, end: End) -> Output {
    if !end.by_signal() {
        return world.copal(phase.command);
    }
    let mut arguments = phase.command.to_vec();
    arguments.push("-v");
    let mut running = world.start(&arguments);
    let at_it = || {
        let says = format!("acting in {}", phase.name);
        let began = running.stderr().contains(&says);
        (began || !running.is_running()).then_some(())
    };
    wait_until("the hook to begin", PATIENCE, at_it).unwrap();
    running.signal(Signal::TERM);
    running.finish(PATIENCE).unwrap()
}

fn work_is_done(world: &World, phase: Phase, output: &Output) -> bool {
    match phase.command {
        BACKUP => {
            let sealed = files_below(&world.vault());
            sealed.iter().any(|file| file.ends_with("manifest.json"))
        }
        RESTORE => {
            let siblings: Vec<_> = fs::read_dir(world.root())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name.starts_with("source."))
                .collect();
            let exchanged = !world.path("source/new.txt").exists();
            match &siblings[..] {
                [] => assert!(!exchanged, "the old tree is gone"),
                [old] => {
                    assert!(exchanged && old.starts_with("source.before-"), "{old}");
                    let kept = world.path(old).join("new.txt");
                    assert!(kept.exists(), "the old tree is whole");
                }
                more => panic!("{more:?}"),
            }
            exchanged
        }
        _ => {
            let left = files_below(&world.path("home/.local/state/copal/drill"));
            assert_eq!(left, [""; 0], "the copy is removed");
            output.stdout().contains("it works")
        }
    }
}

/// What `copal history show latest` has of it.
fn recorded(world: &World, phase: Phase, end: End, expected: &Follows, context: &str) {
    let shown = world.copal(&["history", "show", "latest", "--json"]);
    let record = shown.succeeds().json();
    assert_eq!(record["exit"], expected.exit, "{context}");
    assert_eq!(record["outcome"], expected.outcome, "{context}");
    let hooks = record["hooks"].as_array().unwrap();
    let of = |hook: &str| {
        hooks
            .iter()
            .filter(|one| one["hook"] == hook && one["phase"] == phase.name)
            .collect::<Vec<_>>()
    };
    let [sick] = of("sick")[..] else {
        panic!("{record:#}\n{context}")
    };
    assert_eq!(
        sick["failure"].is_null(),
        end == End::Well,
        "{sick:#}\n{context}"
    );
    let needle = match end {
        End::Well => return,
        End::Error => "the specimen fails as it was told",
        End::Trap => "trapped",
        End::Timeout => "longer than",
        End::Computing | End::Sleeping | End::Commanding => "interrupted",
    };
    let failure = sick["failure"].as_str().unwrap();
    assert!(failure.contains(needle), "{failure}\n{context}");
    if end == End::Trap {
        assert!(
            sick["last_words"]
                .to_string()
                .contains("the specimen panics")
        );
    }
}

/// What goes wrong outside of hooks is heard by them, once.
#[test]
fn a_run_that_fails_early_is_still_told_to_every_hook_once() {
    type Spoil = fn(&World);
    let spoil: [(&str, Spoil, i32); 4] = [
        (
            "the source is gone",
            |world| fs::remove_dir_all(world.source()).unwrap(),
            2,
        ),
        (
            "the destination is no directory",
            |world| {
                fs::remove_dir_all(world.vault()).unwrap();
                world.write("vault", "a file");
            },
            1,
        ),
        (
            "no hook copies a database",
            |world| {
                let database = rusqlite::Connection::open(world.path("source/app.db")).unwrap();
                database.execute_batch("CREATE TABLE t (x)").unwrap();
            },
            2,
        ),
        (
            "there is no place to stage",
            |world| {
                world.write("home/.local/state/copal/staging", "a file");
            },
            1,
        ),
    ];
    for (what, spoil, code) in spoil {
        let world = world_with_specimen();
        let tells = tell_commands(&world, &["one", "two"]);
        let hooks: Vec<_> = ["one", "two"]
            .map(|who| {
                let lines =
                    format!("config.tell = \"tell-{who}\"\ngrants.command = [\"tell-{who}\"]");
                hook(who, &lines)
            })
            .into();
        configure(&world, &format!("{tells}{}", hooks.concat()));
        spoil(&world);
        let output = world.copal(BACKUP);
        output.exits_with(code);
        let heard: Vec<_> = told(&world)
            .into_iter()
            .filter(|line| line.contains("post-"))
            .collect();
        let expected = ["one post-backup Failed", "two post-backup Failed"];
        assert_eq!(heard, expected, "{what}\n{output}");
        let shown = world.copal(&["history", "show", "latest", "--json"]);
        assert_eq!(shown.succeeds().json()["exit"], code, "{what}");
    }
}

#[test]
fn a_run_whose_hooks_can_not_be_loaded_is_in_the_history() {
    let world = world_with_specimen();
    configure(
        &world,
        &crate::specimen::pinned(b"another component", "own", ""),
    );
    world.copal(BACKUP).exits_with(2);
    let shown = world.copal(&["history", "show", "latest", "--json"]);
    let record = shown.succeeds().json();
    assert_eq!(
        (&record["outcome"], &record["exit"]),
        (&"failed".into(), &2.into())
    );
    assert_eq!(record["hooks"].as_array().unwrap().len(), 0);
}

#[test]
fn a_second_backup_after_any_of_it_works() {
    let world = world_with_specimen();
    let sick = hook("sick", "config.act = \"panic\"\nconfig.within = \"staged\"");
    configure(&world, &sick);
    world.copal(BACKUP).exits_with(1);
    configure(&world, &hook("well", ""));
    let output = world.copal(&["backup", "--json"]);
    sealed_id(output.succeeds());
    let long = Duration::from_mins(10);
    assert!(PATIENCE < long, "no test waits for its hooks' limits");
}
