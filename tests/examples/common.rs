//! What the modules share: a world with hooks in it, and what a denial must lead to.

use std::fs;
use std::path::{Path, PathBuf};

use copal_testkit::{Output, World, sha256};

/// A hook that makes a run fail before anything is staged.
pub(crate) const FAILING: &str = r#"
[[hook]]
name = "failing"
use = "sqlite-backup"
config = { databases = ["no.db"] }
grants = { sqlite = ["*"] }
"#;

/// The component of an example.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest-hooks/target/examples");
    let directory = std::env::var_os("COPAL_EXAMPLES_DIR").map_or_else(built, PathBuf::from);
    let file = directory.join(format!("{name}.wasm"));
    fs::read(&file).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; scripts/build-hooks --examples builds it",
            file.display()
        )
    })
}

/// A world with a small source, and the component of an example in `hooks/`.
pub(crate) fn world_with(name: &str) -> World {
    let world = World::new(env!("CARGO_BIN_EXE_copal"));
    world.write("source/letter.txt", "Dear reader,\n");
    world.write("source/notes/first.txt", "one");
    world.write(format!("hooks/{name}.wasm"), component(name));
    world
}

/// Writes the world's `copal.toml`: a job whose first hook is an example with these lines, and
/// whatever else follows.
pub(crate) fn configure(world: &World, name: &str, lines: &str, more: &str) {
    let digest = sha256(component(name));
    world.write(
        "copal.toml",
        format!(
            "name = \"letters\"\nsource.path = \"source\"\n\
             destination = [{{ remote = \"vault:\" }}]\n\n\
             [[hook]]\nname = \"{name}\"\nfile = \"hooks/{name}.wasm\"\nsha256 = \"{digest}\"\n\
             {lines}\n{more}\n"
        ),
    );
}

/// The line that a denial says to add to the hook.
#[track_caller]
pub(crate) fn line_to_add(output: &Output) -> String {
    let line = output.stderr().lines().find_map(|line| {
        let at = line.find("grants = {")?;
        Some(line[at..].trim_end_matches('`').to_owned())
    });
    line.unwrap_or_else(|| panic!("no line to add\n{output}"))
}

/// How many snapshots are sealed in the world's vault.
pub(crate) fn sealed(world: &World) -> usize {
    let snapshots = fs::read_dir(world.vault().join("letters")).into_iter();
    let snapshots = snapshots.flatten().map(|entry| entry.unwrap().path());
    snapshots
        .filter(|path| path.join(".copal/manifest.json").exists())
        .count()
}
