//! Transfers to every kind of remote: that what the tests take for B2 behaves to rclone as B2 does, that a
//! backup comes back whole from wherever it went, and that a remote which lies is found out before the seal.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "tests")]

mod b2_faults;
mod b2_files;
mod b2_large;
mod b2_rights;
mod b2_silent;
mod bandwidth;
mod charges;
mod check;
mod cloud;
mod ends;
mod few;
mod filled;
mod forecast;
mod incremental;
mod injured;
mod limits;
mod listed;
mod memory;
mod mirror;
mod mirror_apart;
mod mirror_bounds;
mod mirror_case;
mod mirror_foreseen;
mod place;
mod preflight;
mod proof;
mod prune;
mod retries;
mod s3_unfinished;
mod stock;
mod suite;
#[path = "../faults/table.rs"]
mod table;
