//! Copal's own environment, and what programs that it starts get of it: little, since secrets may be in it.

use std::ffi::OsString;
use std::path::PathBuf;

/// A variable of Copal's own environment. One that is empty says nothing.
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Where this user's configurations lie; `None` where there is not even a home.
pub fn config_home() -> Option<PathBuf> {
    let own = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    own.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".config")))
}

/// What every one of them gets.
pub const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// Those of these variables, and of the ones that every program gets, that are set.
pub fn inherited(besides: &[&str]) -> Vec<(OsString, OsString)> {
    let names = INHERITED.iter().chain(besides);
    names
        .filter_map(|name| Some((name.into(), std::env::var_os(name)?)))
        .collect()
}
