//! What Copal decides: configuration, filters, names, manifests.
//!
//! Nothing here touches the world. No file, socket, process, clock or environment variable is read
//! in this crate (its `clippy.toml` says so to the compiler), so each decision is tested in
//! milliseconds: what the world is like arrives as an argument, what should be done leaves as a
//! value.
#![forbid(unsafe_code)]

pub mod calendar;
pub mod charges;
pub mod config;
pub mod contents;
pub mod diagnostic;
pub mod diff;
pub mod digest;
pub mod exposition;
pub mod filter;
pub mod forecast;
pub mod freshness;
pub mod grants;
pub mod lookup;
pub mod manifest;
pub mod memory;
pub mod mirror;
pub mod mounts;
pub mod name;
pub mod notices;
pub mod path;
pub mod retention;
pub mod reuse;
pub mod scale;
pub mod schedule;
pub mod shards;
pub mod shrunk;
pub mod snapshot;
pub mod sqlite;
pub mod staging;
pub mod stored;
pub mod survey;
pub mod text;
pub mod units;
pub mod verification;
