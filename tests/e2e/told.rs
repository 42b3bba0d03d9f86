//! What commands about hooks say, compared without what differs between builds of a component.

use copal_testkit::Output;

/// Compares a text with the snapshot of this name, without digests, sizes and places.
macro_rules! assert_told {
    ($name:expr, $text:expr) => {
        insta::with_settings!({ filters => [
            (r"[0-9a-f]{64}", "[sha256]"),
            (r"\b\d+(\.\d+)? (KiB|MiB)", "[size]"),
            (r#""bytes": \d+"#, "\"bytes\": [n]"),
        ] }, { insta::assert_snapshot!($name, $text) })
    };
}

/// A command that was misused says so in three parts, and has no result.
#[track_caller]
pub(crate) fn refused(output: &Output) {
    output
        .exits_with(2)
        .says("error: ")
        .says("  why: ")
        .says(" next: ");
    assert_eq!(output.stdout(), "");
}
