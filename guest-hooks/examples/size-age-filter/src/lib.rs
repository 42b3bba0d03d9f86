//! Leaves out files by size, age and suffix.
#![forbid(unsafe_code)]

mod keep;
mod quantity;
mod rule;

use copal_hook_sdk::{Approach, Columns, Entry, Error, Filter, Kind, Verdict, clock};
use serde::Deserialize;

use keep::Keep;
use rule::Rule;

copal_hook_sdk::requests! {}

struct SizeAgeFilter {
    rules: Vec<Rule>,
    keep: Keep,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    /// A file is left out if it fits all that one of these says.
    leave_out: Vec<rule::Config>,
    /// Files, and directories with a slash at their end, that are kept whatever the rules say.
    #[serde(default)]
    keep: Vec<String>,
}

impl Filter for SizeAgeFilter {
    type Config = Config;

    fn start(config: Config) -> Result<(Self, Approach), Error> {
        if config.leave_out.is_empty() {
            let why = "config: `leave-out` is empty, so nothing would be left out";
            return Err(Error::Invalid(why.into()));
        }
        let now = clock::now();
        let rules: Result<Vec<_>, _> = config
            .leave_out
            .into_iter()
            .map(|rule| Rule::new(rule, now))
            .collect();
        let filter = Self {
            rules: rules?,
            keep: Keep::new(config.keep)?,
        };
        let columns = filter.columns();
        Ok((filter, Approach::ask(columns)))
    }

    fn decide(&mut self, entry: &Entry<'_>) -> Result<Verdict, Error> {
        Ok(match entry.kind() {
            Kind::File if !self.fits(entry) || self.keep.file(entry.path) => Verdict::Keep,
            Kind::File => Verdict::Skip,
            Kind::Directory if self.keep.directory(entry.path) => Verdict::KeepSubtree,
            _ => Verdict::Keep,
        })
    }
}

impl SizeAgeFilter {
    fn columns(&self) -> Columns {
        let wanted = self.rules.iter().map(Rule::columns);
        wanted.fold(Columns::KINDS, |all, one| all | one)
    }

    fn fits(&self, entry: &Entry<'_>) -> bool {
        self.rules.iter().any(|rule| rule.fits(entry))
    }
}

copal_hook_sdk::hook!(SizeAgeFilter: Filter);
