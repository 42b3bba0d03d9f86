//! Against a `systemctl` of our own: a shell script that keeps each unit as a few files.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use copal_hooks::Cancel;
use tempfile::TempDir;

use super::*;
use crate::edge::service::docker::tests::{from_journal, hold, soon};

const STOP: HoldHow = HoldHow::Stop {
    grace: Duration::from_secs(5),
};

/// Each unit is a file with its `ActiveState`, beside it `.run`, how often it was started, `.frozen`
/// and `.requires`, the units that stop with it. All that was asked for is in `log`.
const SYSTEMCTL: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
verb=$1
for unit; do :; done
[ "$verb" = show ] || echo "$verb $unit" >>log
[ "$verb" = show ] || [ ! -e "fail-$verb" ] || { echo "no $verb today" >&2; exit 1; }
case $verb in
show)
    if [ ! -e "$unit" ]; then echo LoadState=not-found; echo ActiveState=inactive; exit; fi
    echo "LoadState=loaded"
    echo "ActiveState=$(cat "$unit")"
    echo "InvocationID=run$(cat "$unit.run")"
    if [ -e "$unit.frozen" ]; then echo FreezerState=frozen; else echo FreezerState=running; fi
    echo CanFreeze=yes
    echo "RequiredBy=multi-user.target $(cat "$unit.requires" 2>/dev/null)"
    ;;
stop) if [ -e "$unit.stubborn" ]; then echo deactivating >"$unit"; else
    for one in $unit $(cat "$unit.requires" 2>/dev/null); do echo inactive >"$one"; done; fi ;;
kill) echo failed >"$unit" ;;
start) [ "$(cat "$unit")" = active ] || { echo active >"$unit"; echo $(($(cat "$unit.run") + 1)) >"$unit.run"; } ;;
freeze) touch "$unit.frozen" ;;
thaw) rm -f "$unit.frozen" ;;
esac
"#;

struct Fake {
    directory: TempDir,
}

impl Fake {
    fn new() -> Self {
        let fake = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        fs::write(fake.path("systemctl"), SYSTEMCTL).unwrap();
        fs::set_permissions(fake.path("systemctl"), fs::Permissions::from_mode(0o755)).unwrap();
        fake
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn unit(&self, name: &str, state: &str) -> SystemdUnit {
        fs::write(self.path(name), state).unwrap();
        fs::write(self.path(&format!("{name}.run")), "1").unwrap();
        let program = self.path("systemctl").display().to_string();
        SystemdUnit::of(
            Systemctl {
                program,
                user: false,
            },
            name,
        )
    }

    fn state(&self, name: &str) -> String {
        fs::read_to_string(self.path(name))
            .unwrap()
            .trim()
            .to_owned()
    }

    fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

#[test]
fn a_stopped_unit_is_started_once_with_those_that_stopped_with_it() {
    let fake = Fake::new();
    let app = fake.unit("app.service", "active");
    fake.unit("web.service", "active");
    fake.unit("down.service", "inactive");
    fs::write(
        fake.path("app.service.requires"),
        "web.service down.service",
    )
    .unwrap();
    let undo = hold(&app, STOP);
    assert_eq!(fake.state("web.service"), "inactive");
    assert!(undo.is_intact().unwrap());
    for _ in 0..2 {
        assert_eq!(
            from_journal(&undo).release(soon(), Deed::Over).unwrap(),
            Released::Done
        );
    }
    undo.wait_ready(soon(), &Cancel::new()).unwrap();
    assert_eq!(fake.state("app.service"), "active");
    assert_eq!(fake.state("web.service"), "active");
    assert_eq!(fake.state("down.service"), "inactive");
    assert!(!fake.log().iter().any(|line| line.contains("target")));
}

#[test]
fn a_frozen_unit_is_thawed() {
    let fake = Fake::new();
    let app = fake.unit("app.service", "active");
    let undo = hold(&app, HoldHow::Pause);
    assert_eq!(app.state().unwrap(), State::Paused);
    assert!(undo.is_intact().unwrap());
    undo.release(soon(), Deed::Over).unwrap();
    assert_eq!(app.state().unwrap(), State::Running);
    assert_eq!(fake.log(), ["freeze app.service", "thaw app.service"]);
}

#[test]
fn a_unit_that_does_not_run_is_not_held() {
    let fake = Fake::new();
    for state in ["inactive", "failed", "deactivating"] {
        let unit = fake.unit("app.service", state);
        assert_eq!(unit.before(STOP).unwrap(), None, "{state}");
    }
    fs::remove_file(fake.path("app.service")).unwrap();
    let gone = fake.unit("other.service", "active").manager;
    let gone = SystemdUnit::of(gone, "app.service");
    assert_eq!(gone.state().unwrap(), State::Missing);
    assert_eq!(gone.before(STOP).unwrap(), None);
    assert_eq!(fake.log(), Vec::<String>::new());
}

#[test]
fn a_unit_that_was_started_meanwhile_is_no_hold_and_stays_as_it_is() {
    let fake = Fake::new();
    let undo = hold(&fake.unit("app.service", "active"), STOP);
    // Somebody started it, and stopped it on purpose.
    fs::write(fake.path("app.service.run"), "2").unwrap();
    assert!(!undo.is_intact().unwrap());
    undo.release(soon(), Deed::Over).unwrap();
    assert_eq!(fake.state("app.service"), "inactive");
}

#[test]
fn a_unit_that_does_not_end_in_its_time_is_killed() {
    let fake = Fake::new();
    let app = fake.unit("app.service", "active");
    fs::write(fake.path("app.service.stubborn"), "").unwrap();
    let grace = Duration::from_millis(50);
    let undo = hold(&app, HoldHow::Stop { grace });
    assert_eq!(fake.log(), ["stop app.service", "kill app.service"]);
    undo.release(soon(), Deed::Over).unwrap();
    assert_eq!(fake.state("app.service"), "active");
}

#[test]
fn a_start_that_fails_is_told_in_the_words_of_systemctl() {
    let fake = Fake::new();
    let undo = hold(&fake.unit("app.service", "active"), STOP);
    fs::write(fake.path("fail-start"), "").unwrap();
    let failed = undo.release(soon(), Deed::Over).unwrap_err().to_string();
    assert!(
        failed.ends_with("ended with exit code 1: no start today"),
        "{failed}"
    );
    let late = undo.wait_ready(Instant::now() + Duration::from_millis(300), &Cancel::new());
    let late = late.unwrap_err().to_string();
    assert_eq!(late, "unit `app.service` is not active but inactive ()");
}

#[test]
fn what_ended_by_itself_before_a_unit_was_stopped_stays_down() {
    let fake = Fake::new();
    let app = fake.unit("app.service", "active");
    fake.unit("web.service", "active");
    fs::write(fake.path("app.service.requires"), "web.service").unwrap();
    for (ended, left, log) in [
        (
            "web.service",
            "app.service",
            vec!["stop app.service", "start app.service"],
        ),
        ("app.service", "web.service", vec![]),
    ] {
        fs::write(fake.path("app.service"), "active").unwrap();
        fs::write(fake.path("web.service"), "active").unwrap();
        fs::write(fake.path("log"), "").unwrap();
        let mut undo = app.before(STOP).unwrap().unwrap();
        fs::write(fake.path(ended), "inactive").unwrap();
        let mut spared = Vec::new();
        let hold = app.hold(&undo, soon(), &Cancel::new(), &mut |part| {
            spared.push(part.to_owned());
        });
        hold.unwrap();
        for part in &spared {
            undo.spare(part);
        }
        from_journal(&undo).release(soon(), Deed::Over).unwrap();
        assert_eq!(fake.state(ended), "inactive");
        assert_eq!(fake.state(left), "active");
        assert_eq!(fake.log(), log);
    }
}

#[test]
fn a_unit_that_fails_again_and_again_is_none_that_is_down() {
    let fake = Fake::new();
    let app = fake.unit("app.service", "activating\nSubState=auto-restart");
    assert_eq!(app.state().unwrap(), State::Running);
    let refused = app.before(STOP).unwrap_err();
    assert!(matches!(refused, ServiceError::Failing { .. }), "{refused}");
    assert_eq!(fake.log(), Vec::<String>::new());
}

#[test]
fn a_unit_that_was_started_anew_before_it_was_stopped_is_not_held() {
    let fake = Fake::new();
    let app = fake.unit("app.service", "active");
    let undo = app.before(STOP).unwrap().unwrap();
    fs::write(fake.path("app.service.run"), "2").unwrap();
    let moved = app.hold(&undo, soon(), &Cancel::new(), &mut |_| ());
    let moved = moved.unwrap_err();
    assert!(matches!(moved, ServiceError::Moved { .. }), "{moved}");
    undo.release(soon(), Deed::Over).unwrap();
    assert_eq!(fake.state("app.service"), "active");
    assert_eq!(fake.log(), [""; 0]);
}

#[test]
fn what_its_owner_froze_in_the_moment_before_stays_frozen() {
    let fake = Fake::new();
    let app = fake.unit("app.service", "active");
    let mut undo = app.before(HoldHow::Pause).unwrap().unwrap();
    fs::write(fake.path("app.service.frozen"), "").unwrap();
    let mut spared = Vec::new();
    let moved = app.hold(&undo, soon(), &Cancel::new(), &mut |part| {
        spared.push(part.to_owned());
    });
    assert!(moved.is_err());
    for part in &spared {
        undo.spare(part);
    }
    assert_eq!(undo, Undo::Nothing);
    assert_eq!(fake.log(), [""; 0]);
}

#[test]
fn a_unit_that_starts_to_run_in_a_hold_and_stops_with_it_ends_the_hold() {
    let fake = Fake::new();
    let app = fake.unit("app.service", "active");
    fake.unit("helper.service", "inactive");
    fs::write(fake.path("app.service.requires"), "helper.service").unwrap();
    let undo = hold(&app, STOP);
    assert!(undo.is_intact().unwrap());
    fs::write(fake.path("helper.service"), "active").unwrap();
    assert!(!undo.is_intact().unwrap());
}

#[test]
fn what_stops_with_a_unit_is_waited_for_too() {
    let fake = Fake::new();
    let app = fake.unit("app.service", "active");
    fake.unit("helper.service", "deactivating");
    fs::write(fake.path("app.service.requires"), "helper.service").unwrap();
    let undo = app.before(STOP).unwrap().unwrap();
    let Undo::Unit(held) = &undo else {
        unreachable!("it is of a unit")
    };
    assert_eq!(held.ending(soon()).unwrap(), ["helper.service"]);
}
