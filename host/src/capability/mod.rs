//! What hooks may ask of the host: one file each, holding its deed.

pub mod archive;
pub mod artifacts;
pub mod host;
pub mod sqlite;
