//! What touches the world: files, the remote, the lock, signals.

pub mod attributes;
pub mod beneath;
pub mod content;
mod copies;
pub mod docker;
pub mod duplicate;
pub mod durable;
pub mod environment;
#[cfg(test)]
pub(crate) mod fake;
pub mod fate;
pub mod frozen;
pub mod groups;
pub mod hash;
pub mod history;
pub mod holders;
pub mod interrupt;
pub mod leftovers;
pub mod lock;
mod memory;
pub mod moves;
pub mod open;
pub mod processes;
pub mod rclone;
mod rclone_remote;
pub mod remote;
pub mod scratch;
pub mod service;
mod shards;
pub mod source;
pub mod staging;
pub mod stat;
pub mod state;
pub mod tops;
pub mod walk;
mod within;
pub mod writers;
