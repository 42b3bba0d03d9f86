use std::time::Duration;

use copal_hooks::Cancel;
use copal_testkit::{DockerEngine, TestContainer, docker_engine};

use super::*;
use crate::edge::service::docker::tests::{OBEDIENT, hold, host, soon};
use crate::edge::service::{Deed, Loss, Released};

const STOP: HoldHow = HoldHow::Stop {
    grace: Duration::from_secs(10),
};

/// A container as Compose would make it.
fn part<'a>(
    engine: &'a DockerEngine,
    project: &str,
    service: &str,
    more: &[&str],
    script: &str,
) -> TestContainer<'a> {
    let name = format!("{project}-{service}-1");
    let project = format!("{PROJECT}={project}");
    let service = format!("{SERVICE}={service}");
    let mut options = vec!["--label", &project, "--label", &service];
    options.extend(more);
    engine.run(&name, &options, script).unwrap()
}

/// When a container was last started, or ended, in the engine's words, which sort.
fn at(container: &TestContainer<'_>, what: &str) -> String {
    container
        .inspect(&format!("{{{{.State.{what}}}}}"))
        .unwrap()
}

#[test]
fn a_project_is_stopped_and_started_in_the_order_of_its_dependencies() {
    let Some(engine) = docker_engine() else {
        return;
    };
    // Made in the wrong order, so that only the label tells.
    let label = format!("{DEPENDS_ON}=db:service_healthy:true");
    let app = part(engine, "ordered", "app", &["--label", &label], OBEDIENT);
    let check = ["--health-cmd", "true", "--health-interval", "300ms"];
    let db = part(engine, "ordered", "db", &check, OBEDIENT);
    let down = part(engine, "ordered", "down", &[], "true");
    let oneoff = format!("{ONEOFF}=True");
    let oneoff = part(engine, "ordered", "oneoff", &["--label", &oneoff], OBEDIENT);
    let other = part(engine, "unordered", "app", &[], OBEDIENT);
    down.wait_for("exited");
    db.wait_for_health("healthy");

    let project = ComposeProject::new(host(engine), "ordered", []);
    let undo = hold(&project, STOP);
    assert!(at(&app, "FinishedAt") < at(&db, "FinishedAt"));
    assert_eq!([oneoff.status(), other.status()], ["running", "running"]);
    assert!(undo.is_intact().unwrap());
    assert_eq!(undo.release(soon(), Deed::Over).unwrap(), Released::Done);
    assert!(at(&db, "StartedAt") < at(&app, "StartedAt"));
    undo.wait_ready(soon(), &Cancel::new()).unwrap();
    assert_eq!(down.status(), "exited");
}

#[test]
fn a_project_of_which_a_part_could_not_be_held_is_released_whole() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let db = part(engine, "partly", "db", &[], OBEDIENT);
    let app = part(engine, "partly", "app", &[], OBEDIENT);
    let project = ComposeProject::new(host(engine), "partly", []);
    let undo = project.before(STOP).unwrap().unwrap();
    // Gone in between: it can't be stopped, and the one before it was.
    engine.docker(&["rm", "--force", &db.name]).unwrap();
    let moved = project
        .hold(&undo, soon(), &Cancel::new(), &mut |_| ())
        .unwrap_err();
    assert!(matches!(moved, ServiceError::Moved { .. }), "{moved}");
    assert_eq!(app.status(), "exited");
    assert_eq!(undo.release(soon(), Deed::Over).unwrap(), Released::Done);
    assert_eq!(app.status(), "running");
}

#[test]
fn only_the_services_that_are_named_are_held() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let db = part(engine, "named", "db", &[], OBEDIENT);
    let app = part(engine, "named", "app", &[], OBEDIENT);
    let project = ComposeProject::new(host(engine), "named", ["app".to_owned()]);
    let undo = hold(&project, HoldHow::Pause);
    assert_eq!([app.status(), db.status()], ["paused", "running"]);
    undo.release(soon(), Deed::Over).unwrap();
    assert_eq!(app.status(), "running");
    let nothing = ComposeProject::new(host(engine), "named", ["web".to_owned()]);
    assert_eq!(nothing.state().unwrap(), State::Missing);
    assert_eq!(nothing.before(STOP).unwrap(), None);
}

#[test]
fn a_part_that_starts_to_run_in_a_hold_ends_the_hold() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = part(engine, "joined", "app", &[], OBEDIENT);
    let project = ComposeProject::new(host(engine), "joined", []);
    let undo = hold(&project, HoldHow::Pause);
    assert!(undo.is_intact().unwrap());
    let other = part(engine, "joined", "worker", &[], OBEDIENT);
    assert!(!undo.is_intact().unwrap());
    assert_eq!(undo.release(soon(), Deed::Over).unwrap(), Released::Done);
    assert_eq!([app.status(), other.status()], ["running", "running"]);
}

/// It was down before, and is down again.
#[test]
fn a_part_that_ran_for_a_while_in_a_hold_ends_the_hold() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = part(engine, "visited", "app", &[], OBEDIENT);
    let oneoff = format!("{ONEOFF}=True");
    let project = ComposeProject::new(host(engine), "visited", []);
    for how in [HoldHow::Pause, STOP] {
        let undo = hold(&project, how);
        let not_of_it = part(engine, "visited", "run", &["--label", &oneoff], "true");
        not_of_it.wait_for("exited");
        assert_eq!(undo.loss().unwrap(), None);
        let visitor = part(engine, "visited", "worker", &[], "true");
        visitor.wait_for("exited");
        let between = Some(Loss::Between(visitor.name.clone()));
        assert_eq!(undo.loss().unwrap(), between);
        engine.forget().unwrap();
        assert_eq!(undo.loss().unwrap(), between);
        assert_eq!(undo.release(soon(), Deed::Over).unwrap(), Released::Done);
        app.wait_for("running");
    }
}

#[test]
fn the_container_that_copal_runs_in_is_none_of_its_project() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = part(engine, "ownership", "app", &[], OBEDIENT);
    let copal = part(engine, "ownership", "copal", &[], OBEDIENT);
    let id = copal.inspect("{{.Id}}").unwrap();
    let of = |services: &[&str]| {
        let services = services.iter().map(|name| (*name).to_owned());
        let mut project = ComposeProject::new(host(engine), "ownership", services);
        project.members.own = vec![id.clone()];
        project
    };
    let undo = hold(&of(&[]), HoldHow::Pause);
    assert_eq!([app.status(), copal.status()], ["paused", "running"]);
    assert!(undo.is_intact().unwrap());
    undo.release(soon(), Deed::Over).unwrap();
    let refused = of(&["copal", "app"]).before(STOP).unwrap_err();
    assert!(matches!(refused, ServiceError::Own { .. }), "{refused}");
}
