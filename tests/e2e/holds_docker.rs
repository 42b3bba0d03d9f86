//! Containers of a real engine that are held by a run that is killed.

use copal_testkit::{DockerEngine, World, docker_engine, wait_until};

use crate::common::{PATIENCE, files_below, small_world};

/// Runs until it is stopped, and at once then.
const APP: &str = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

fn world(engine: &DockerEngine, container: &str, how: &str) -> World {
    let world = small_world();
    world.write(
        "copal.toml",
        format!(
            "name = \"letters\"\nsource.path = \"source\"\ndestination = [{{ remote = \"vault:\" }}]\ndocker.host = \"{}\"\n\n[[hook]]\nuse = \"quiesce\"\nconfig = {{ how = \"{how}\" }}\ngrants = {{ service = [\"app\"] }}\n\n[service.app]\ndriver = \"docker\"\ncontainer = \"{container}\"\n",
            engine.host()
        ),
    );
    world
}

fn journals(world: &World) -> Vec<String> {
    files_below(&world.path("home/.local/state/copal/holds"))
}

#[test]
fn a_container_of_a_killed_run_goes_on() {
    let Some(engine) = docker_engine() else {
        return;
    };
    for (how, point) in [
        ("pause", "run:after:held"),
        ("pause", "run:after:holding"),
        ("stop", "run:after:held"),
        ("stop", "run:before:releasing"),
    ] {
        let name = format!("killed-{how}-{}", point.replace(':', "-"));
        let container = engine.run(&name, &[], APP).unwrap();
        container.wait_for("running");
        let world = world(engine, &name, how);
        let mut command = world.command(&["backup"]);
        command.env("COPAL_TEST_KILL_AT", point);
        assert!(command.status().unwrap().code().is_none(), "{name}");
        container.wait_for("running");
        let gone = || journals(&world).is_empty().then_some(());
        wait_until("the guard's end", PATIENCE, gone).unwrap();
        assert_eq!(container.status(), "running");
        world.copal(&["backup"]).succeeds();
        assert_eq!(container.status(), "running");
    }
}
