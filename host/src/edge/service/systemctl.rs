//! What is asked of systemd, by the program that speaks with it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::ServiceError;
use super::program::{Mark, Purpose, run, run_marked};
use super::unit::Unit;

/// How long `systemctl` may take for an answer.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

/// A manager of units, by the program that speaks with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Systemctl {
    /// The program.
    pub program: String,
    /// Whether the units are this user's own.
    pub user: bool,
}

impl Systemctl {
    fn words(&self, words: &[&str]) -> Vec<String> {
        let user = self.user.then_some("--user");
        let words = user.into_iter().chain(words.iter().copied());
        let program = std::iter::once(self.program.clone());
        program.chain(words.map(str::to_owned)).collect()
    }

    pub(super) fn show(&self, unit: &str, deadline: Instant) -> Result<Unit, ServiceError> {
        let properties = format!("--property={}", Unit::PROPERTIES);
        let words = self.words(&["show", &properties, "--", unit]);
        let limit = limit(&words, deadline, ANSWER)?;
        let said = run(&words, Path::new(""), limit)?.well()?;
        Ok(Unit::read(&said.stdout))
    }

    /// A unit and what stops with it, each after what it requires; `through` says of which of them what
    /// stops with them is of interest, too.
    pub(super) fn family(
        &self,
        unit: &str,
        deadline: Instant,
        through: impl Fn(&Unit) -> bool,
    ) -> Result<Vec<(String, Unit)>, ServiceError> {
        let mut names = vec![unit.to_owned()];
        let mut family: Vec<(String, Unit)> = Vec::new();
        while let Some(name) = names.get(family.len()).cloned() {
            let found = self.show(&name, deadline)?;
            if family.is_empty() || through(&found) {
                for other in &found.stops_with_it {
                    if !names.contains(other) {
                        names.push(other.clone());
                    }
                }
            }
            family.push((name, found));
        }
        Ok(family)
    }

    pub(super) fn ask(
        &self,
        words: &[&str],
        deadline: Instant,
        mark: Option<&Mark>,
    ) -> Result<(), ServiceError> {
        let words = self.words(words);
        let limit = limit(&words, deadline, Duration::MAX)?;
        let done = match mark {
            Some(mark) => run_marked(&words, Path::new(""), limit, mark, Purpose::Hold),
            None => run(&words, Path::new(""), limit),
        };
        done?.well().map(drop)
    }
}

fn limit(words: &[String], deadline: Instant, most: Duration) -> Result<Duration, ServiceError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        let deed = format!("run `{}`", words.join(" "));
        return Err(ServiceError::OutOfTime { deed });
    }
    Ok(left.min(most))
}
