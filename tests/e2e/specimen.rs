//! The component that behaves as its config says, as hooks of a job.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use copal_testkit::{World, sha256};

use crate::common::small_world;

/// The component.
pub(crate) fn specimen() -> &'static [u8] {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let committed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-hooks/prebuilt");
        let directory =
            std::env::var_os("COPAL_PREBUILT_DIR").map_or_else(committed, PathBuf::from);
        fs::read(directory.join("specimen.wasm")).unwrap()
    });
    &BYTES
}

/// A world with a small source and the component in `hooks/own.wasm`.
pub(crate) fn world_with_specimen() -> World {
    let world = small_world();
    world.write("hooks/own.wasm", specimen());
    world
}

/// A `[[hook]]` of the component, with these lines of its own.
pub(crate) fn hook(name: &str, lines: &str) -> String {
    pinned(specimen(), name, lines)
}

/// A `[[hook]]` of `hooks/own.wasm`, pinned to these bytes.
pub(crate) fn pinned(component: &[u8], name: &str, lines: &str) -> String {
    let digest = sha256(component);
    format!(
        "[[hook]]\nname = \"{name}\"\nfile = \"hooks/own.wasm\"\nsha256 = \"{digest}\"\n{lines}\n\n"
    )
}

/// Writes a copal.toml of the job `letters`, with these hooks and other tables.
pub(crate) fn configure(world: &World, more: &str) {
    let job =
        "name = \"letters\"\nsource.path = \"source\"\ndestination = [{ remote = \"vault:\" }]\n\n";
    world.write("copal.toml", format!("{job}{more}"));
}

/// The command `tell`, which adds a line `WHO PHASE OUTCOME` to `told`, for each `WHO` of one's own.
pub(crate) fn tell_commands(world: &World, who: &[&str]) -> String {
    let mut tables = String::new();
    for who in who {
        let told = world.path("told");
        writeln!(
            tables,
            "[command.tell-{who}]\nrun = [\"sh\", \"-c\", 'printf \"%s %s %s\\n\" \"$0\" \"$1\" \"$2\" >> \"{}\"', \"{who}\", \"{{phase}}\", \"{{outcome}}\"]\n",
            told.display()
        )
        .unwrap();
    }
    tables
}

/// A hook `own` that tells of each phase, with the command for it.
pub(crate) fn own_that_tells(world: &World) -> String {
    let tells = tell_commands(world, &["own"]);
    let lines = "config.tell = \"tell-own\"\ngrants.command = [\"tell-own\"]";
    tells + &hook("own", lines)
}

/// What was told so far.
pub(crate) fn told(world: &World) -> Vec<String> {
    let text = fs::read_to_string(world.path("told")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// A world whose hook says aloud the secret that it was given, `hunter2-and-more`.
pub(crate) fn world_with_a_spilling_hook() -> World {
    let mut world = world_with_specimen();
    world.set("TOKEN", "hunter2-and-more");
    let spill = hook(
        "spill",
        "config.act = { spill = \"token\" }\ngrants = { secrets = [\"token\"], reveal = [\"token\"] }",
    );
    configure(
        &world,
        &format!("[secret.token]\nenv = \"TOKEN\"\n\n{spill}"),
    );
    world
}
