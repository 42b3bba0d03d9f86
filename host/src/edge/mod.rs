//! What touches the world: files, the remote, the lock, signals.

pub mod attributes;
pub mod content;
mod copies;
pub mod docker;
pub mod duplicate;
#[cfg(test)]
pub(crate) mod fake;
pub mod frozen;
pub mod groups;
pub mod hash;
pub mod history;
pub mod holders;
pub mod interrupt;
pub mod leftovers;
pub mod lock;
pub mod open;
pub mod processes;
pub mod rclone;
mod rclone_remote;
pub mod remote;
pub mod scratch;
pub mod service;
pub mod source;
pub mod staging;
pub mod stat;
pub mod state;
pub mod tops;
pub mod walk;
pub mod writers;
