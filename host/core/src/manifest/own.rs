//! Where Copal's own files lie in a snapshot.

/// The directory inside a snapshot that holds what is Copal's and not the app's.
pub const COPAL_DIR: &str = ".copal";
/// Where the manifest lies inside a snapshot. It is uploaded last: no manifest, no snapshot.
pub const MANIFEST: &str = ".copal/manifest.json";
/// Where the checksums lie inside a snapshot, readable by `sha256sum -c` and `rclone checksum`.
pub const SUMS: &str = ".copal/SHA256SUMS";
/// Where a snapshot says that it is pinned. It comes and goes after the seal.
pub const PIN: &str = ".copal/pin.json";
/// Where a snapshot says that it was verified. It comes and goes after the seal.
pub const VERIFIED: &str = ".copal/verified.json";
/// Where a snapshot says that a drill proved it. It comes and goes after the seal.
pub const DRILLED: &str = ".copal/drilled.json";
/// Where a snapshot says what is damaged in it. It comes and goes after the seal.
pub const DAMAGED: &str = ".copal/damaged.json";
/// Where a prune puts the manifest before it removes anything: with it, one that was interrupted is ended.
pub const PRUNING: &str = ".copal/pruning.json";
/// How the file begins by which a run claims a snapshot's directory.
pub const CLAIM: &str = ".copal/run-";
/// What may lie in a sealed snapshot beside what its manifest knows of, in the order in which a prune removes it.
pub const AFTER_THE_SEAL: [&str; 5] = [PIN, VERIFIED, DRILLED, DAMAGED, PRUNING];
