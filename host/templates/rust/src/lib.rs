//! What this hook takes part in: each phase in a file of its own. Take away what you don't need.
#![forbid(unsafe_code)]

mod config;
mod filter;
mod post_backup;

use config::Config;

/// The hook; in the filter it lives through one walk.
struct Hook {
    config: Config,
}

copal_hook_sdk::hook!(Hook: Filter, PostBackup);
