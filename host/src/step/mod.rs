//! The steps of a run, each consuming what the last one made.

mod add;
pub mod claim;
pub mod compare;
mod cores;
pub mod deliver;
pub mod files;
pub mod freeze;
pub mod pause;
pub mod plan;
pub mod preflight;
pub mod read;
pub mod restore;
pub mod resume;
mod reuse;
pub mod seal;
pub mod services;
mod settle;
pub mod snapshots;
pub mod stage;
pub mod swap;
pub mod take;
mod target;
pub mod transfer;
mod tree;
pub mod try_databases;
pub mod verify;
pub mod way;
