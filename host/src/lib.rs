//! Copal: consistent snapshots of self-hosted apps, shipped by rclone, with sandboxed hooks.
//!
//! The backup run is `backup.rs`, readable from top to bottom; each of its steps is one file in
//! `step/`. See ARCHITECTURE.md for the map.
#![forbid(unsafe_code)]

pub mod abandoned;
pub mod backup;
pub mod calls;
pub mod capability;
pub mod check;
pub mod cli;
pub mod drill;
pub mod edge;
pub mod edges;
pub mod error;
pub mod fetched;
pub mod filters;
pub mod floors;
pub mod holds;
pub mod hook_edit;
pub mod hook_engine;
pub mod hook_error;
pub mod hook_measure;
pub mod hook_requests;
pub mod hook_test;
pub mod hooks;
mod in_place;
pub mod init;
pub mod job;
pub mod metrics;
pub mod outcome;
pub mod outlook;
pub mod pin;
pub mod prune;
pub mod record;
pub mod rehearse;
pub mod replace;
pub mod run;
pub mod show;
pub mod step;
pub mod undo;
