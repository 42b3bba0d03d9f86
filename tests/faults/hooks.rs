//! Hooks between the holds and the end of staging: the component that behaves as its config says.

use std::fs;
use std::path::{Path, PathBuf};

use copal_testkit::{World, sha256};

/// A `[[hook]]` of it with these lines, for the phase in which services are held.
pub(crate) fn between(world: &World, act: &str, more: &str) -> String {
    let committed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-hooks/prebuilt");
    let directory = std::env::var_os("COPAL_PREBUILT_DIR").map_or_else(committed, PathBuf::from);
    let component = fs::read(directory.join("specimen.wasm")).unwrap();
    world.write("hooks/own.wasm", &component);
    let digest = sha256(&component);
    format!(
        "[[hook]]\nname = \"between\"\nfile = \"hooks/own.wasm\"\nsha256 = \"{digest}\"\nconfig = {{ act = {act}, within = \"pre-backup\" }}\n{more}\n\n"
    )
}

/// One that runs a shell's `script`.
pub(crate) fn command_between(world: &World, script: &str) -> String {
    let path = world.write("between.sh", script);
    let path = path.display();
    let hook = between(
        world,
        "{ command = \"between\" }",
        "grants.command = [\"between\"]",
    );
    format!("{hook}[command.between]\nrun = [\"sh\", \"{path}\"]\n\n")
}
