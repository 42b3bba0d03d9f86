//! Leaves files and directories out of the snapshot.
//!
//! Config:
//! - `paths` (default `["cache/", "audit.log"]`): what to leave out, from the top of the source.
//!   `cache/` is that directory with all that is in it, `audit.log` is that file; a file of the
//!   same name elsewhere stays.
//! - `rules` (default none): filter rules of rclone, one a line, for everything else. They come
//!   before `paths`, so that `+ /cache/keep/**` can save something.
//!
//! It decides by rules alone, so that not one path crosses into this component.
#![forbid(unsafe_code)]

use copal_hook_sdk::{Approach, Error, Filter};
use serde::Deserialize;

struct Exclude;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    paths: Vec<String>,
    rules: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            paths: vec!["cache/".into(), "audit.log".into()],
            rules: Vec::new(),
        }
    }
}

impl Filter for Exclude {
    type Config = Config;

    fn start(config: Config) -> Result<(Self, Approach), Error> {
        Ok((Self, Approach::rules(rules(config)?)))
    }
}

fn rules(config: Config) -> Result<Vec<String>, Error> {
    let mut rules = config.rules;
    for path in &config.paths {
        rules.push(rule(path)?);
    }
    Ok(rules)
}

/// The rule that leaves out `path`, which is a directory if it ends with a slash.
fn rule(path: &str) -> Result<String, Error> {
    let relative = path.strip_prefix('/').unwrap_or(path);
    let (name, rest) = match relative.strip_suffix('/') {
        Some(directory) => (directory, "/**"),
        None => (relative, ""),
    };
    let sound = name
        .split('/')
        .all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\n', '\r']));
    if sound {
        Ok(format!("- /{}{rest}", literal(name)))
    } else {
        Err(Error::Invalid(format!(
            "config: `paths` holds `{path}`, which is no path inside the source"
        )))
    }
}

/// Text as a glob that matches it alone.
fn literal(name: &str) -> String {
    let mut glob = String::with_capacity(name.len());
    for character in name.chars() {
        if "*?[]{}\\".contains(character) {
            glob.push('\\');
        }
        glob.push(character);
    }
    glob
}

copal_hook_sdk::hook!(Exclude: Filter);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_anchored_at_the_top_of_the_source() {
        let rules = rules(Config::default()).expect("the defaults are sound");
        assert_eq!(rules, ["- /cache/**", "- /audit.log"]);
    }

    #[test]
    fn own_rules_come_first_so_that_they_can_save_something() {
        let config = Config {
            paths: vec!["/cache/".into()],
            rules: vec!["+ /cache/keep/**".into()],
        };
        let rules = rules(config).expect("both are sound");
        assert_eq!(rules, ["+ /cache/keep/**", "- /cache/**"]);
    }

    #[test]
    fn a_name_is_a_name_and_no_pattern() {
        assert_eq!(rule("a*b[1]/").expect("sound"), r"- /a\*b\[1\]/**");
    }

    #[test]
    fn a_path_that_leads_nowhere_or_out_is_refused_by_name() {
        for path in ["", "/", "a//b", "../x", "a/./b", "a\n- **"] {
            let error = rule(path).expect_err(path);
            assert!(matches!(error, Error::Invalid(why) if why.contains(path)));
        }
    }
}
