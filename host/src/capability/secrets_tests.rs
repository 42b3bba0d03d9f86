use super::super::kit::Floor;
use super::*;
use std::fs;

fn told(floor: &Floor, name: &str) -> Result<Vec<u8>, CapabilityError> {
    let secret = read(&floor.host.means.secrets, name, &floor.cancel);
    secret.map(|secret| secret.expose().to_vec())
}

#[test]
fn a_secret_comes_from_a_variable_a_file_or_a_program() {
    let lines = "[secret.a]\nenv = 'PATH'\n[secret.b]\nfile = 'token.txt'\n[secret.c]\ncommand = ['printf', 'x y\\n\\n']";
    let floor = Floor::with(lines);
    fs::write(floor.path("token.txt"), "tk \u{e9}\n").unwrap();
    assert_eq!(
        told(&floor, "a").unwrap(),
        std::env::var("PATH").unwrap().into_bytes()
    );
    assert_eq!(told(&floor, "b").unwrap(), "tk \u{e9}".as_bytes());
    assert_eq!(told(&floor, "c").unwrap(), b"x y\n", "one line feed alone");
}

#[test]
fn a_secret_is_read_once_in_a_run() {
    let floor = Floor::with("[secret.a]\nfile = 'token.txt'");
    fs::write(floor.path("token.txt"), "first").unwrap();
    told(&floor, "a").unwrap();
    fs::write(floor.path("token.txt"), "second").unwrap();
    assert_eq!(told(&floor, "a").unwrap(), b"first");
    assert!(!format!("{:?}", floor.host.means).contains("first"));
}

#[test]
fn a_secret_that_is_not_there_is_told_by_its_name() {
    let lines = "[secret.a]\nenv = 'COPAL_NO_SUCH_VARIABLE'\n[secret.b]\nfile = 'none.txt'\n\
                 [secret.c]\ncommand = ['sh', '-c', 'echo half; exit 1']\n[secret.d]\ncommand = ['true']\n\
                 [secret.e]\ncommand = ['head', '-c', '1M', '/dev/zero']";
    let floor = Floor::with(lines);
    for name in ["a", "b", "c", "d", "e"] {
        match told(&floor, name) {
            Err(CapabilityError::Failed(why)) => {
                assert!(
                    why.starts_with(&format!("secret `{name}`: ")) && !why.contains("half"),
                    "{why}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        told(&floor, "f"),
        Err(CapabilityError::Missing("f".to_owned()))
    );
}
