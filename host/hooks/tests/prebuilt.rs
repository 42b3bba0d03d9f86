//! The components in the tree are those of the sources in the tree.

use std::path::Path;
use std::process::Command;

#[test]
fn the_stamp_of_the_built_components_matches_their_sources() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let script = root.join("scripts/build-hooks");
    let check = Command::new(script)
        .arg("--check")
        .output()
        .expect("the script can be run");
    assert!(
        check.status.success(),
        "{}",
        String::from_utf8_lossy(&check.stderr)
    );
}
