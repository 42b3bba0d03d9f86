//! What hooks may ask of the host: one file for each capability.
//!
//! Each says where its configuration and its grant are read, and holds its deed and what it answers
//! in a dry run. `host.rs` is the floor on which deeds are done, `recorded.rs` the one on which they
//! are not. What a deed leans on lies in the folder of its name. `lacking.rs` looks before all of
//! them whether what they would use is there.

pub mod archive;
pub mod artifacts;
pub mod command;
pub mod files;
pub mod host;
pub mod http;
pub mod lacking;
pub mod means;
pub mod recorded;
pub mod secrets;
pub mod service;
pub mod sqlite;
pub mod state;
pub mod unheld;

#[cfg(test)]
mod kit;
