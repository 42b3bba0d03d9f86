//! Containers of a real engine that are held by a run that is killed.

use std::fs;

use copal_testkit::{DockerEngine, World, docker_engine, own_docker_engine, wait_until};

use crate::common::{PATIENCE, files_below, sealed_id, small_world};

/// Runs until it is stopped, and at once then.
pub(crate) const APP: &str = "trap 'exit 0' TERM; while :; do sleep 0.1; done";

pub(crate) fn world(engine: &DockerEngine, container: &str, how: &str) -> World {
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

/// At the end it is paused, as if nothing had been.
#[test]
fn a_container_that_somebody_had_go_on_in_the_middle_of_a_run_makes_it_fail() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let name = "goes-on-in-a-run";
    let container = engine.run(name, &[], APP).unwrap();
    container.wait_for("running");
    let world = world(engine, name, "pause");
    let lines = fs::read_to_string(world.path("copal.toml")).unwrap();
    // To hold the second one has the first go on, and holds it again.
    let docker = format!("docker --host {}", engine.host());
    let second = format!(
        "\n[service.second]\ndriver = \"command\"\nstop = [\"sh\", \"-c\", \"{docker} unpause {name} && {docker} pause {name}\"]\nstart = [\"true\"]\n"
    );
    let lines = lines.replace("[\"app\"]", "[\"app\", \"second\"]");
    // A pause is for containers alone.
    let lines = lines.replace(
        "[[hook]]\nuse = \"quiesce\"\nconfig = { how = \"pause\" }",
        "[[hook]]\nuse = \"quiesce\"\nconfig = { how = \"pause\", services = [\"app\"] }\ngrants = { service = [\"app\"] }\n\n[[hook]]\nname = \"second\"\nuse = \"quiesce\"\nconfig = { services = [\"second\"] }",
    );
    world.write("copal.toml", lines + &second);
    let output = world.copal(&["backup"]);
    output
        .exits_with(1)
        .says("went on in between")
        .says(" next: ");
    assert_eq!(files_below(&world.vault()), [""; 0]);
    assert_eq!(container.status(), "running");
}

/// People put a proxy before the engine's socket. Its clock is not needed; that it tells what happens is.
#[test]
fn an_engine_that_is_kept_from_telling_what_happens_is_a_shortcoming() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let name = "is-behind-a-proxy";
    let container = engine.run(name, &[], APP).unwrap();
    container.wait_for("running");
    for (refused, how, exit) in [
        (["/info"], "pause", 0),
        (["/events"], "pause", 3),
        // A start leaves its time behind.
        (["/events"], "stop", 0),
    ] {
        let proxy = engine.behind_a_proxy(&refused).unwrap();
        let world = world(engine, name, how);
        let lines = fs::read_to_string(world.path("copal.toml")).unwrap();
        world.write("copal.toml", lines.replace(&engine.host(), &proxy.host()));
        let output = world.copal(&["backup", "--json"]);
        output.exits_with(exit);
        if exit == 0 {
            output.never_says("EVENTS=1");
        } else {
            output
                .says("went on in between")
                .says("it answers with 403");
            output.says(" next: ").says("EVENTS=1");
        }
        sealed_id(&output);
        assert_eq!(container.status(), "running");
    }
}

/// The source is what Docker knows by a name, and is held while it is staged.
#[test]
fn a_volume_and_what_a_container_has_mounted_are_sources() {
    let Some(engine) = docker_engine() else {
        return;
    };
    engine.docker(&["volume", "create", "letters"]).unwrap();
    let script = format!("echo 'Dear reader,' >/data/letter.txt; {APP}");
    let options = ["--volume", "letters:/data"];
    let container = engine.run("with-a-volume", &options, &script).unwrap();
    container.wait_for("running");
    let world = world(engine, "with-a-volume", "stop");
    let path = fs::read_to_string(world.path("copal.toml")).unwrap();
    for source in [
        "source.volume = \"letters\"",
        "source.container = \"with-a-volume\"",
    ] {
        world.write(
            "copal.toml",
            path.replace("source.path = \"source\"", source),
        );
        let plan = world.copal(&["plan"]);
        plan.succeeds();
        assert!(plan.stdout().contains("letters/_data"), "{plan}");
        let output = world.copal(&["backup", "--json"]);
        output.succeeds();
        assert_eq!(output.json()["holds"][0]["service"], "app");
        assert_eq!(container.status(), "running");
        let id = sealed_id(&output);
        let letter = world.vault().join("letters").join(id).join("letter.txt");
        assert_eq!(fs::read_to_string(letter).unwrap(), "Dear reader,\n");
    }
}

/// An engine that hangs keeps its own container, and nobody else's service.
#[test]
fn a_service_is_back_at_once_though_the_engine_of_another_is_silent() {
    let Some(engine) = own_docker_engine() else {
        return;
    };
    let container = engine.run("of-a-silent-engine", &[], APP).unwrap();
    container.wait_for("running");
    let world = world(&engine, "of-a-silent-engine", "stop");
    let lines = fs::read_to_string(world.path("copal.toml")).unwrap();
    let root = world.root().display().to_string();
    let other = format!(
        "\n[service.files]\ndriver = \"command\"\nstop = [\"rm\", \"{root}/up\"]\nstart = [\"touch\", \"{root}/up\"]\nstate = [\"test\", \"-e\", \"{root}/up\"]\n\n[service.last]\ndriver = \"command\"\nstop = [\"sh\", \"-c\", \"touch {root}/here; while [ ! -e {root}/go ]; do sleep 0.05; done\"]\nstart = [\"true\"]\n"
    );
    // Released in the reverse: the container before the files.
    let lines = lines.replace(
        "service = [\"app\"]",
        "service = [\"files\", \"app\", \"last\"]",
    );
    world.write(
        "copal.toml",
        lines.replace(
            "config = { ",
            "config = { services = [\"files\", \"app\", \"last\"], ",
        ) + &other,
    );
    world.write("up", "");
    let mut running = world.start(&["backup"]);
    let here = || world.path("here").exists().then_some(());
    wait_until("all to be held", PATIENCE, here).unwrap();
    assert!(!world.path("up").exists());
    engine.freeze().unwrap();
    world.write("go", "");
    let up = || world.path("up").exists().then_some(());
    wait_until("the files to be back", PATIENCE, up).unwrap();
    assert!(running.is_running(), "the container is still waited for");
    engine.thaw().unwrap();
    running.finish(PATIENCE * 2).unwrap();
    container.wait_for("running");
}
