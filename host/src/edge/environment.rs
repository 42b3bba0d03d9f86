//! What programs that Copal starts get of its own environment: little, since secrets may be in it.

use std::ffi::OsString;

/// What every one of them gets.
pub const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// Those of these variables, and of the ones that every program gets, that are set.
pub fn inherited(besides: &[&str]) -> Vec<(OsString, OsString)> {
    let names = INHERITED.iter().chain(besides);
    names
        .filter_map(|name| Some((name.into(), std::env::var_os(name)?)))
        .collect()
}
