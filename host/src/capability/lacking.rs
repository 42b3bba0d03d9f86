//! What hooks are granted of their owner's, and is not there. It is looked for before anything is done:
//! a notifier whose token is gone would else be noticed when it is needed, which is when all is over.

use std::collections::BTreeMap;
use std::fmt;

use copal_core::grants::{InForce, Need};

use super::means::Means;
use super::{command, secrets};

/// A command that can't be run, or a secret that can't be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// What it is, and what is wrong with it.
    pub why: String,
    /// The table of copal.toml that speaks of it.
    pub table: String,
    /// The hooks and commands that it is meant for.
    pub meant_for: Vec<String>,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (for {})", self.why, self.meant_for.join(" and "))
    }
}

/// The tables of copal.toml that speak of them: `[command.dump], [secret.token]`.
pub fn tables(lacks: &[Lack]) -> String {
    let tables: Vec<_> = lacks.iter().map(|lack| lack.table.as_str()).collect();
    tables.join(", ")
}

/// All that is granted to these hooks, and is not there.
pub fn lacking<'a>(
    means: &Means,
    hooks: impl Iterator<Item = (&'a str, &'a InForce)>,
) -> Vec<Lack> {
    let mut commands: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut secrets: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (hook, in_force) in hooks {
        let hook = format!("hook `{hook}`");
        let grants = &in_force.grants;
        for name in grants.commands() {
            if in_force.cover(&Need::Command(name.clone())) {
                note(&mut commands, name.as_str(), &hook);
            }
        }
        for name in grants.secrets() {
            let needs = [Need::Secret(name.clone()), Need::Reveal(name.clone())];
            if needs.iter().any(|need| in_force.cover(need)) {
                note(&mut secrets, name.as_str(), &hook);
            }
        }
    }
    for name in commands.keys() {
        let command = means.commands.get(*name);
        for secret in command.iter().flat_map(|one| one.secret_env.values()) {
            note(&mut secrets, secret.as_str(), &format!("command `{name}`"));
        }
    }
    let commands = commands.into_iter().filter_map(|(name, meant_for)| {
        Some(Lack {
            why: command::absence(means, name)?,
            table: format!("[command.{name}]"),
            meant_for,
        })
    });
    let secrets = secrets.into_iter().filter_map(|(name, meant_for)| {
        Some(Lack {
            why: secrets::absence(&means.secrets, name)?,
            table: format!("[secret.{name}]"),
            meant_for,
        })
    });
    commands.chain(secrets).collect()
}

/// One may be granted twice: to be put into requests, and to be read.
fn note<'a>(all: &mut BTreeMap<&'a str, Vec<String>>, name: &'a str, meant_for: &str) {
    let known = all.entry(name).or_default();
    if !known.iter().any(|one| one == meant_for) {
        known.push(meant_for.to_owned());
    }
}

#[cfg(test)]
#[path = "lacking_tests.rs"]
mod tests;
