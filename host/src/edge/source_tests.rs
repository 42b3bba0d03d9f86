use std::path::Path;

use copal_core::config::Config;
use copal_testkit::{DockerEngine, IMAGE, docker_engine};

use super::*;

/// What runs until it is removed.
const FOR_EVER: &str = "while :; do sleep 1; done";

fn look(engine: &DockerEngine, source: &str) -> Result<Located, SourceError> {
    look_by(engine.socket(), source)
}

fn look_by(socket: &Path, source: &str) -> Result<Located, SourceError> {
    let text =
        format!("name = 'n'\nsource = {{ {source} }}\ndestination = [{{ remote = 'b2:' }}]\n");
    let config = Config::parse(&text, "copal.toml").unwrap();
    locate(config.source(), Some(socket), Path::new("/base"))
}

fn mountpoint(engine: &DockerEngine, volume: &str) -> PathBuf {
    let format = "{{.Mountpoint}}";
    let said = engine.docker(&["volume", "inspect", "--format", format, volume]);
    PathBuf::from(said.unwrap())
}

#[test]
fn a_volume_is_the_directory_where_docker_keeps_it() {
    let Some(engine) = docker_engine() else {
        return;
    };
    engine.docker(&["volume", "create", "src-plain"]).unwrap();
    let located = look(engine, "volume = 'src-plain'").unwrap();
    assert_eq!(located.path, mountpoint(engine, "src-plain"));
    assert_eq!(located.by.as_deref(), Some("volume `src-plain`"));
    let missing = look(engine, "volume = 'src-missing'").unwrap_err();
    assert!(matches!(missing, SourceError::NoVolume { .. }), "{missing}");
}

#[test]
fn a_volume_that_binds_a_directory_is_that_directory_and_another_is_only_there_in_use() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let bound = tempfile::tempdir().unwrap();
    let device = format!("device={}", bound.path().display());
    let create = ["volume", "create", "-o", "type=none", "-o", "o=bind", "-o"];
    engine
        .docker(&[&create[..], &[&device, "src-bound"]].concat())
        .unwrap();
    assert_eq!(
        look(engine, "volume = 'src-bound'").unwrap().path,
        bound.path()
    );

    let create = [
        "volume",
        "create",
        "-o",
        "type=tmpfs",
        "-o",
        "device=tmpfs",
        "src-tmpfs",
    ];
    engine.docker(&create).unwrap();
    let unused = look(engine, "volume = 'src-tmpfs'").unwrap_err();
    assert!(matches!(unused, SourceError::NotMounted { .. }), "{unused}");
}

#[test]
fn a_container_is_what_it_has_mounted_at_one_place() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let bound = tempfile::tempdir().unwrap();
    let bind = format!("{}:/config", bound.path().display());
    let app = engine
        .run("src-two", &["-v", "src-two:/data", "-v", &bind], FOR_EVER)
        .unwrap();
    let which = look(engine, "container = 'src-two'").unwrap_err();
    let SourceError::WhichMount { mounts, .. } = &which else {
        panic!("{which}");
    };
    assert_eq!(mounts.len(), 2);
    assert!(
        which.advice().contains("`mount = \"/data\"`"),
        "{}",
        which.advice()
    );
    let data = look(engine, "container = 'src-two', mount = '/data'").unwrap();
    assert_eq!(data.path, mountpoint(engine, "src-two"));
    let config = look(engine, "container = 'src-two', mount = '/config'").unwrap();
    assert_eq!(config.path, bound.path());
    let other = look(engine, "container = 'src-two', mount = '/other'").unwrap_err();
    assert!(matches!(other, SourceError::NoSuchMount { .. }), "{other}");
    drop(app);
    let gone = look(engine, "container = 'src-two'").unwrap_err();
    assert!(matches!(gone, SourceError::NoContainer { .. }), "{gone}");

    let _one = engine
        .run("src-one", &["-v", "src-one:/data"], FOR_EVER)
        .unwrap();
    let one = look(engine, "container = 'src-one'").unwrap();
    assert_eq!(one.path, mountpoint(engine, "src-one"));
    let _none = engine.run("src-none", &[], FOR_EVER).unwrap();
    let none = look(engine, "container = 'src-none'").unwrap_err();
    assert!(matches!(none, SourceError::NoMounts { .. }), "{none}");
}

#[test]
fn an_engine_that_is_not_there_is_told_with_its_socket() {
    let config = "name = 'n'\nsource.volume = 'v'\ndestination = [{ remote = 'b2:' }]\n";
    let config = Config::parse(config, "copal.toml").unwrap();
    let nowhere = Path::new("/nowhere/docker.sock");
    let error = locate(config.source(), Some(nowhere), Path::new("")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "can't reach the Docker engine at `unix:///nowhere/docker.sock`: there is no such file"
    );
}

/// Where this executable is shown within a container, with what it is linked against.
const SYSTEM: [&str; 3] = ["/lib:/lib:ro", "/lib64:/lib64:ro", "/usr:/usr:ro"];

#[test]
fn within_a_container_a_volume_is_where_that_has_it_mounted() {
    let Some(engine) = docker_engine() else {
        return;
    };
    let _app = engine
        .run("src-app", &["-v", "src-within:/app"], FOR_EVER)
        .unwrap();
    let elsewhere = [
        "volume",
        "create",
        "-o",
        "o=bind",
        "-o",
        "device=/elsewhere",
    ];
    engine
        .docker(&[&elsewhere[..], &["-o", "type=none", "src-elsewhere"]].concat())
        .unwrap();
    let own = std::env::current_exe().unwrap();
    let own = format!("{}:/copal-test:ro", own.display());
    let socket = format!("{}:/docker.sock", engine.socket().display());
    let mut words = vec!["run", "--rm", "--network", "none"];
    for volume in SYSTEM.iter().filter(|volume| {
        let place = volume.split(':').next().unwrap_or_default();
        Path::new(place).exists()
    }) {
        words.extend(["-v", volume]);
    }
    words.extend(["-v", &own, "-v", &socket, "-v", "src-within:/data:ro"]);
    words.extend([IMAGE, "/copal-test", "--ignored", "--nocapture", "--exact"]);
    let test = module_path!().split_once("::").unwrap().1;
    let test = format!("{test}::seen_from_within");
    words.push(&test);
    let said = engine.docker(&words).unwrap();
    let seen = "/data by volume `src-within`, mounted here at `/data`\n\
                /data by container `src-app`, mounted here at `/data`";
    assert!(said.contains(seen), "{said}");
    assert!(
        said.contains("`/elsewhere`, where Docker says it lies, is not on this machine"),
        "{said}"
    );
}

#[test]
#[ignore = "the test above runs it in a container"]
#[expect(
    clippy::print_stdout,
    reason = "that is how the test above hears of it"
)]
fn seen_from_within() {
    let socket = Path::new("/docker.sock");
    for source in [
        "volume = 'src-within'",
        "container = 'src-app'",
        "volume = 'src-elsewhere'",
    ] {
        match look_by(socket, source) {
            Ok(found) => println!("{} by {}", found.path.display(), found.by.unwrap()),
            Err(error) => println!("{error}"),
        }
    }
}
