//! The steps of a run, each consuming what the last one made.

pub mod pause;
pub mod plan;
pub mod preflight;
pub mod restore;
pub mod resume;
pub mod seal;
pub mod snapshots;
pub mod stage;
pub mod transfer;
pub mod verify;
