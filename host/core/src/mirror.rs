//! A mirror: which folder of a destination has which part of the source.
//!
//! `uploads → user_uploads` puts `uploads/a/b.pdf` at `user_uploads/a/b.pdf`. What is no directory goes
//! into its folder under its own name: `webui.db → main_database` makes `main_database/webui.db` of it,
//! as rclone does. Without a map the source's own paths lie at the destination.

mod apart;
mod bound;
mod map;
mod surplus;
mod way;

use crate::manifest::COPAL_DIR;

pub use apart::{Site, Spot, shares_folders};
pub use bound::{Bound, MaxDelete, Past, Refused};
pub(crate) use map::below;
pub use map::{Map, MapError, Pair, Placed, folder};
pub use surplus::{Deletions, Emptied, Ground, Surplus};
pub use way::{Clash, InTheWay, in_the_way};

/// Whether a name below the destination is of one of Copal's own files at its top.
pub fn is_copals(name: &str) -> bool {
    name == COPAL_DIR || below(name, COPAL_DIR).is_some()
}

/// How a mirror lies at its destination, and what may be deleted there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Mirror {
    /// Which folder has what.
    pub map: Map,
    /// The most that a run may delete.
    pub max_delete: MaxDelete,
}
