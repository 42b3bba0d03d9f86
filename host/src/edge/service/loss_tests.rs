use copal_testkit::docker_engine;

use super::*;
use crate::edge::service::docker::tests::{OBEDIENT, from_journal, hold, host, soon};
use crate::edge::service::{Deed, OneContainer};

/// An engine keeps the last 256 events of all its containers.
#[test]
fn a_container_that_went_on_is_noticed_however_much_happened_since() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("is-heard", &[], OBEDIENT).unwrap();
    let driver = OneContainer::new(host(engine), &app.name);
    let undo = hold(&driver, HoldHow::Pause);
    engine.forget().unwrap();
    assert_eq!(undo.loss().unwrap(), None);
    engine.docker(&["unpause", &app.name]).unwrap();
    engine.docker(&["pause", &app.name]).unwrap();
    engine.forget().unwrap();
    let between = Loss::Between(app.name.clone());
    assert_eq!(undo.loss().unwrap(), Some(between));
    undo.release(soon(), Deed::Over).unwrap();
}

/// As it is where the connection broke over which it would have been heard.
#[test]
fn what_is_forgotten_and_was_not_heard_is_not_taken_for_held() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let app = engine.run("is-unheard", &[], OBEDIENT).unwrap();
    let driver = OneContainer::new(host(engine), &app.name);
    let undo = from_journal(&hold(&driver, HoldHow::Pause));
    assert_eq!(undo.loss().unwrap(), None, "the engine remembers it");
    engine.forget().unwrap();
    let unknown = undo.loss();
    assert!(
        matches!(unknown, Err(ServiceError::Forgotten { .. })),
        "{unknown:?}"
    );
    undo.release(soon(), Deed::Over).unwrap();

    // Each start leaves its time behind.
    let how = HoldHow::Stop {
        grace: Duration::from_secs(10),
    };
    let undo = from_journal(&hold(&driver, how));
    engine.forget().unwrap();
    assert_eq!(undo.loss().unwrap(), None);
    undo.release(soon(), Deed::Over).unwrap();
}
