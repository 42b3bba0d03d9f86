//! This hook's `config` table in copal.toml: what may stand there, and what holds where nothing does.

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// What ends with one of these is left out.
    #[serde(default)]
    pub suffixes: Vec<String>,
    /// Files that are larger are left out.
    pub max_size: Option<u64>,
    /// Who is told how the run ended.
    pub url: Option<String>,
}
