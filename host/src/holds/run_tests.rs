use std::fs;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Instant;

use copal_hooks::Cancel;
use jiff::Timestamp;

use super::*;
use crate::edge::service::{Commands, Deed, HoldHow, ServiceError, Undo};
use crate::edge::state::StateDir;
use crate::holds::journal::{Journal, JournalError};
use crate::holds::ledger::{Entry, Hold, Ledger};
use crate::holds::recovery::{self, Found};
use crate::holds::release::{Book, Claim, Releases, Releasing};
use crate::holds::{Finished, HoldFailure};

const STOP: HoldHow = HoldHow::Stop {
    grace: Duration::ZERO,
};

/// Services that are files: one runs as long as its file is there. `log` tells what was done.
struct Place {
    dir: tempfile::TempDir,
    holds: Holds,
}

impl Place {
    fn new() -> Self {
        Self::with(Some(Duration::from_mins(1)))
    }

    fn with(max_pause: Option<Duration>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::at(dir.path().join("state"));
        let started = Timestamp::UNIX_EPOCH;
        let holds = Holds::under(Terms::of(&state, "5f3-1", "app", started, max_pause));
        Self { dir, holds }
    }

    fn service(&self, name: &str) -> Commands {
        self.start(name);
        let path = self.path(name).display().to_string();
        let sh = |script: String| ["sh", "-c", &script].map(str::to_owned).to_vec();
        Commands {
            name: name.to_owned(),
            stop: sh(format!("echo stop {name} >> log; rm {path}")),
            start: sh(format!("echo start {name} >> log; touch {path}")),
            state: Some(sh(format!("test -e {path}"))),
            timeout: Duration::from_secs(30),
            base: self.dir.path().to_owned(),
        }
    }

    fn hold(&self, service: &Commands) -> Result<Option<u32>, HoldFailure> {
        let (ready, far) = (
            Duration::from_secs(5),
            Instant::now() + Duration::from_mins(1),
        );
        let (holds, cancel) = (&self.holds, Cancel::new());
        holds.hold(&service.name, ready, service, STOP, far, &cancel)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn start(&self, name: &str) {
        fs::write(self.path(name), "").unwrap();
    }

    fn runs(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn finish(&self) -> Finished {
        self.holds.finish(&Cancel::new())
    }

    fn journal(&self) -> Option<PathBuf> {
        let state = StateDir::at(self.path("state"));
        recovery::journals(&state).unwrap().pop()
    }

    fn ledger(&self) -> Ledger {
        Ledger::read(&fs::read(self.journal().unwrap()).unwrap())
    }
}

fn names(finished: &Finished) -> Vec<&str> {
    finished
        .away
        .iter()
        .map(|away| away.service.as_str())
        .collect()
}

#[test]
fn what_was_held_is_released_in_reverse_and_told() {
    let place = Place::new();
    let (web, database) = (place.service("web"), place.service("database"));
    let bracket = place.holds.open();
    assert_eq!(place.hold(&web).unwrap(), Some(1));
    assert_eq!(place.hold(&database).unwrap(), Some(2));
    assert!(!place.runs("web") && !place.runs("database"));
    assert!(place.holds.is_any());

    let finished = place.finish();
    drop(bracket);
    assert_eq!(names(&finished), ["web", "database"]);
    assert!(finished.problems.is_empty(), "{:?}", finished.problems);
    assert!(
        finished
            .away
            .iter()
            .all(|away| away.ready.is_some() && away.by == Some(By::Run))
    );
    assert_eq!(
        place.log(),
        "stop web\nstop database\nstart database\nstart web\n"
    );
    assert!(place.ledger().is_settled());
    place.holds.end().unwrap();
    assert_eq!(place.journal(), None);
}

#[test]
fn a_service_that_did_not_run_is_not_held_and_not_started() {
    let place = Place::new();
    let web = place.service("web");
    fs::remove_file(place.path("web")).unwrap();
    let _bracket = place.holds.open();
    assert_eq!(place.hold(&web).unwrap(), None);
    assert!(place.finish().away.is_empty());
    assert!(!place.runs("web"));
    assert_eq!(place.log(), "");
    assert_eq!(place.journal(), None, "there is nothing to tell");
}

#[test]
fn nothing_is_held_before_the_bracket_or_after_it() {
    let place = Place::new();
    let web = place.service("web");
    assert!(matches!(place.hold(&web), Err(HoldFailure::NotNow)));
    let _bracket = place.holds.open();
    place.finish();
    assert!(matches!(place.hold(&web), Err(HoldFailure::NotNow)));
    assert!(matches!(Holds::default().open().holds.check(), Ok(())));
    assert!(place.runs("web"));
}

#[test]
fn a_hold_that_fails_half_way_is_undone() {
    let place = Place::new();
    let mut web = place.service("web");
    web.stop = vec!["sh".into(), "-c".into(), "rm web; exit 7".into()];
    let _bracket = place.holds.open();
    let failed = place.hold(&web).unwrap_err();
    assert!(failed.to_string().contains("exit code 7"), "{failed}");
    let finished = place.finish();
    assert!(place.runs("web"));
    assert!(finished.problems.is_empty(), "{:?}", finished.problems);
}

#[test]
fn at_max_pause_everything_is_released_and_what_was_staged_is_not_used() {
    let place = Place::with(Some(Duration::from_secs(2)));
    let web = place.service("web");
    let stop = Cancel::from(place.holds.overdue());
    let _bracket = place.holds.open();
    place.hold(&web).unwrap();
    copal_testkit::wait_until("the release", Duration::from_secs(30), || {
        place.runs("web").then_some(())
    })
    .unwrap();
    assert!(stop.is_cancelled(), "hooks are ended");
    assert!(place.holds.check().is_err());
    assert!(place.hold(&web).is_err(), "nothing is held any more");
    let finished = place.finish();
    assert!(matches!(finished.problems[..], [HoldsError::Overdue(_)]));
    assert_eq!(finished.away[0].by, Some(By::MaxPause));
    assert!(place.runs("web"));
}

#[test]
fn a_hold_that_is_taken_until_max_pause_is_over_comes_to_nothing() {
    let place = Place::with(Some(Duration::from_millis(300)));
    let mut web = place.service("web");
    web.stop = vec!["sh".into(), "-c".into(), "rm web; sleep 60".into()];
    let _bracket = place.holds.open();
    let began = Instant::now();
    assert!(place.hold(&web).is_err());
    assert!(began.elapsed() < Duration::from_secs(30));
    let finished = place.finish();
    assert!(place.runs("web"));
    assert!(finished.problems.iter().any(HoldsError::spoils));
}

#[test]
fn a_hold_that_something_else_ended_is_noticed() {
    let place = Place::new();
    let (web, database) = (place.service("web"), place.service("database"));
    let _bracket = place.holds.open();
    place.hold(&web).unwrap();
    place.hold(&database).unwrap();
    place.start("database");
    let finished = place.finish();
    match &finished.problems[..] {
        [HoldsError::Lost { service, .. }] => assert_eq!(service, "database"),
        other => panic!("{other:?}"),
    }
    assert!(finished.problems[0].spoils());
    assert!(place.runs("web"));
}

#[test]
fn a_hook_can_release_its_hold_before_and_twice() {
    let place = Place::new();
    let web = place.service("web");
    let _bracket = place.holds.open();
    let number = place.hold(&web).unwrap().unwrap();
    place.holds.release(number).unwrap();
    assert!(place.runs("web"));
    place.holds.release(number).unwrap();
    let finished = place.finish();
    assert_eq!(finished.away[0].by, Some(By::Hook));
    assert_eq!(place.log(), "stop web\nstart web\n");
}

#[test]
fn what_a_hook_can_not_release_is_released_at_the_end() {
    let place = Place::new();
    let mut web = place.service("web");
    web.start = ["sh", "-c", "test -e mended && touch web"]
        .map(str::to_owned)
        .to_vec();
    let _bracket = place.holds.open();
    let number = place.hold(&web).unwrap().unwrap();
    let refused = place.holds.release(number).unwrap_err();
    assert!(matches!(refused, HoldsError::Unreleased(_)), "{refused}");
    fs::write(place.path("mended"), "").unwrap();
    let finished = place.finish();
    assert!(finished.problems.is_empty(), "{:?}", finished.problems);
    assert_eq!(finished.away[0].by, Some(By::Run));
    assert!(place.runs("web"));
    place.holds.end().unwrap();
    assert_eq!(place.journal(), None);
}

#[test]
fn what_can_not_be_released_stays_in_the_journal_until_recovery_can() {
    let place = Place::new();
    let (mut web, database) = (place.service("web"), place.service("database"));
    web.start = vec![
        "sh".into(),
        "-c".into(),
        "test -e mended && touch web".into(),
    ];
    let _bracket = place.holds.open();
    place.hold(&web).unwrap();
    place.hold(&database).unwrap();
    let finished = place.finish();
    assert!(finished.problems[0].is_down(), "{:?}", finished.problems);
    assert!(
        place.runs("database"),
        "one keeps no other from being released"
    );
    place.holds.end().unwrap();
    let journal = place.journal().expect("it is kept");
    assert!(place.ledger().ended);

    let soon = || Instant::now() + Duration::from_secs(30);
    let recover = |path: &Path| {
        let found = recovery::settle(path, "recovery", By::Recovery, Instant::now(), soon());
        match found.unwrap() {
            Found::Settled(settled) => settled,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(recover(&journal).left[0].service, "web");
    place.start("mended");
    let settled = recover(&journal);
    assert_eq!(settled.released, [1]);
    assert!(settled.ledger.is_settled());
    assert!(place.runs("web"));
    settled.forget().unwrap();
    assert_eq!(place.journal(), None);
}

/// A book that keeps nothing.
struct NoBook;

impl Book for NoBook {
    fn claim(&self, _: u32, _: By) -> Claim {
        Claim::Ours
    }

    fn write(&self, _: Entry) -> Result<(), JournalError> {
        Ok(())
    }
}

fn release(holds: &[Hold], until: Instant, is_relied_on: bool) -> Releases {
    let by = By::Run;
    let book = &NoBook;
    let releasing = Releasing {
        by,
        until,
        book,
        is_relied_on,
        is_kept_out: &|| false,
    };
    releasing.release(holds)
}

fn held(number: u32, service: &str, undo: Undo) -> Hold {
    Hold {
        number,
        service: service.to_owned(),
        how: HoldHow::Pause,
        undo,
        since: Timestamp::now(),
        is_sure: true,
        deed: Deed::Over,
        claim: None,
        released: None,
        failed: None,
    }
}

/// A container of an engine that takes every request and answers none.
fn silent(place: &Place) -> (UnixListener, Undo) {
    let socket = place.path("docker.sock");
    let silent = UnixListener::bind(&socket).unwrap();
    let undo = serde_json::from_value(serde_json::json!({
        "of": "containers",
        "host": format!("unix://{}", socket.display()),
        "how": "pause",
        "containers": [{
            "id": "5f3", "name": "web", "started": "2026-11-27T08:00:00Z",
            "was_healthy": false, "awaited": false,
        }],
    }));
    (silent, undo.unwrap())
}

#[test]
fn an_engine_that_is_silent_is_given_up_in_time() {
    let place = Place::new();
    let (_silent, undo) = silent(&place);
    let began = Instant::now();
    let until = began + Duration::from_millis(300);
    let releases = release(&[held(1, "web", undo)], until, false);
    assert_eq!(releases.left[0].service, "web");
    assert!(!releases.left[0].why.is_empty());
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn an_engine_that_is_silent_keeps_nothing_else_held() {
    let place = Place::new();
    let (_silent, undo) = silent(&place);
    let app = place.service("app");
    let _bracket = place.holds.open();
    place.hold(&app).unwrap();
    let app = place.ledger().hold(1).unwrap().clone();
    // The engine's are the first to be released, and looked at for whether they stayed paused.
    let holds = [held(3, "web", undo.clone()), held(2, "db", undo), app];
    let releasing = std::thread::spawn(move || {
        let until = Instant::now() + Duration::from_secs(20);
        release(&holds, until, true)
    });
    let began = Instant::now();
    copal_testkit::wait_until("the app to be back", Duration::from_secs(15), || {
        place.runs("app").then_some(())
    })
    .unwrap();
    assert!(!releasing.is_finished(), "{:?}", began.elapsed());
    let releases = releasing.join().unwrap();
    assert_eq!(releases.left.len(), 2);
    assert_eq!(releases.doubts.len(), 2);
}

#[test]
fn those_that_answer_are_released_in_reverse_however_long_each_takes() {
    let place = Place::new();
    let (web, mut database) = (place.service("web"), place.service("database"));
    database
        .start
        .splice(2.., [format!("sleep 1; {}", database.start[2])]);
    let _bracket = place.holds.open();
    place.hold(&web).unwrap();
    place.hold(&database).unwrap();
    place.finish();
    assert!(
        place.log().ends_with("start database\nstart web\n"),
        "{}",
        place.log()
    );
}

/// The run is slow to start it, and the guard comes; or both come at once.
#[test]
fn what_two_processes_release_at_once_is_started_once() {
    let place = Place::new();
    let mut web = place.service("web");
    web.state = None;
    web.start
        .splice(2.., [format!("sleep 1; {}", web.start[2])]);
    let _bracket = place.holds.open();
    place.hold(&web).unwrap();
    let journal = place.journal().unwrap();
    let guard = std::thread::spawn(move || {
        let journal = Journal::open(&journal, "guard").unwrap().unwrap();
        let holds: Vec<Hold> = journal.read().unwrap().to_release().cloned().collect();
        let releasing = Releasing {
            by: By::Guard,
            until: Instant::now() + Duration::from_secs(30),
            book: &crate::holds::guard::Beside(&journal),
            is_relied_on: false,
            is_kept_out: &|| false,
        };
        releasing.release(&holds)
    });
    let finished = place.finish();
    let guard = guard.join().unwrap();
    assert!(guard.left.is_empty(), "{:?}", guard.left);
    assert_eq!(place.log(), "stop web\nstart web\n");
    assert_eq!(
        finished.away[0].by,
        Some(guard.done[0].1),
        "both tell the same"
    );
}

#[test]
fn a_service_that_ended_by_itself_before_it_was_held_stays_down() {
    let place = Place::new();
    let web = place.service("web");
    let ended = Commands {
        // It says so once, when it is looked at first.
        state: Some(
            ["sh", "-c", "test ! -e asked && touch asked"]
                .map(str::to_owned)
                .to_vec(),
        ),
        ..web.clone()
    };
    fs::remove_file(place.path("web")).unwrap();
    let _bracket = place.holds.open();
    assert_eq!(place.hold(&ended).unwrap(), None);
    assert!(place.ledger().is_settled());
    assert!(place.finish().away.is_empty());
    assert!(!place.runs("web"));
    assert_eq!(place.log(), "");
}

/// The line about a hold may be on the disk though the disk said it is not.
#[test]
fn no_two_holds_have_one_number_whatever_becomes_of_their_lines() {
    let mut register = Register::default();
    let add = |register: &mut Register| register.add("web", Duration::ZERO, STOP, &Undo::Nothing);
    let first = add(&mut register);
    register.forget(first);
    assert_ne!(add(&mut register), first);
}

#[test]
fn a_panic_releases_what_is_held() {
    let place = Place::new();
    let web = place.service("web");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _bracket = place.holds.open();
        place.hold(&web).unwrap();
        panic!("in the middle");
    }));
    assert!(panicked.is_err());
    assert!(place.runs("web"));
}

#[test]
fn the_guards_work_is_noticed_by_a_run_that_was_stopped_for_long() {
    let place = Place::new();
    let web = place.service("web");
    let _bracket = place.holds.open();
    place.hold(&web).unwrap();
    place.start("web");
    let guard = Journal::open(&place.journal().unwrap(), "guard")
        .unwrap()
        .unwrap();
    let (hold, by, away_ms) = (1, By::Guard, 35_000);
    guard.write(Entry::Released { hold, by, away_ms }).unwrap();
    let finished = place.finish();
    assert!(matches!(finished.problems[0], HoldsError::Overdue(_)));
    assert_eq!(finished.away[0].by, Some(By::Guard));
    assert_eq!(place.log(), "stop web\n", "nothing is started twice");
}

#[test]
fn without_a_journal_nothing_is_held() {
    let place = Place::new();
    fs::write(place.path("state"), "no directory").unwrap();
    let web = place.service("web");
    let _bracket = place.holds.open();
    let refused = place.hold(&web).unwrap_err();
    assert!(
        matches!(&refused, HoldFailure::Holds(error) if matches!(**error, HoldsError::Journal(_))),
        "{refused}"
    );
    assert!(place.runs("web"));
    assert!(matches!(
        HoldFailure::from(ServiceError::Foreign),
        HoldFailure::Service(_)
    ));
}

#[test]
fn a_service_that_another_run_holds_is_not_taken_for_one_that_is_down() {
    let place = Place::new();
    let web = place.service("web");
    let _bracket = place.holds.open();
    place.hold(&web).unwrap();
    let state = StateDir::at(place.path("state"));
    let another = |job: &str, service: &Commands| {
        let started = Timestamp::UNIX_EPOCH;
        let holds = Holds::under(Terms::of(&state, "5f3-2", job, started, None));
        let _bracket = holds.open();
        let (soon, cancel) = (Duration::from_secs(5), Cancel::new());
        let far = Instant::now() + Duration::from_mins(1);
        holds.hold(&service.name, soon, service, STOP, far, &cancel)
    };
    let by_another_name = Commands {
        name: "front".to_owned(),
        ..web.clone()
    };
    for (job, service) in [("app", &web), ("other", &web), ("other", &by_another_name)] {
        let refused = another(job, service).unwrap_err();
        assert!(
            matches!(refused, HoldFailure::Elsewhere { .. }),
            "{refused}"
        );
    }
    // What runs as far as its commands tell is held all the same.
    let stateless = Commands {
        state: None,
        ..by_another_name.clone()
    };
    let refused = another("other", &stateless).unwrap_err();
    let told = refused.to_string();
    assert!(
        told.contains("`front` is held since 20") && told.contains("by the run 5f3-1 of `app`"),
        "{told}"
    );
    assert_eq!(place.log(), "stop web\n");
    // A service that is down by itself has nothing to do with it, be it of the same name.
    let down = Commands {
        name: "web".to_owned(),
        ..place.service("down")
    };
    fs::remove_file(place.path("down")).unwrap();
    assert_eq!(another("app", &down).unwrap(), None);

    place.finish();
    fs::remove_file(place.path("web")).unwrap();
    assert_eq!(another("app", &web).unwrap(), None);
}
