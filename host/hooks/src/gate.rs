//! The one gate: everything a hook asks of the host passes here, whatever the version of the
//! interface it was built against.
//!
//! `imports.rs` translates the interfaces of `wit/` into calls of these methods and decides
//! nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use copal_core::path::RelPath;

use crate::answer::GuestError;
use crate::capability::{Call, Capabilities, Capability, CapabilityError};
use crate::clock::Clock;
use crate::failure::Stop;
use crate::guest_log::GuestLog;
use crate::{
    ArchiveFormat, Archived, Cancel, Copied, Denial, Grants, Limits, Pattern, Phase, Report,
    RunInfo,
};

/// The longest name worth looking at: the longest path there is, each byte percent-encoded.
const LONGEST_NAME: usize = 3 * 4096;

/// How many denials are remembered: a hook that goes on asking learns nothing more.
const DENIALS_KEPT: usize = 100;

/// What a hook did in one phase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Each use of a capability, in order.
    pub deeds: Vec<Deed>,
    /// How long the hook computed, without the time that its deeds took.
    pub computed: Duration,
}

/// One use of a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// The capability.
    pub capability: Capability,
    /// What was done with it: `backup`, `send`.
    pub action: &'static str,
    /// What it was done with, by name: `name=webui.db`. Never a secret's value.
    pub arguments: Vec<(&'static str, String)>,
    /// What came of it, in a few words; if it was not done, why.
    pub result: Result<String, String>,
    /// How long it took.
    pub took: Duration,
}

/// Where one phase of one hook meets the host.
pub(crate) struct Gate {
    pub(crate) hook: Arc<str>,
    pub(crate) phase: Phase,
    pub(crate) run: RunInfo,
    /// The hook's configuration as JSON.
    pub(crate) config: Arc<str>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) limits: Limits,
    /// None in phases that may not use any.
    pub(crate) capabilities: Option<Arc<dyn Capabilities>>,
    pub(crate) cancel: Cancel,
    pub(crate) clock: Clock,
    pub(crate) log: GuestLog,
    pub(crate) account: Account,
    pub(crate) denials: Vec<Denial>,
    /// What `post-backup` may look at.
    pub(crate) report: Option<Report>,
}

/// What an import answers: something for the guest, or the end of the guest.
pub(crate) type Answer<T> = Result<Result<T, GuestError>, Stop>;

impl Gate {
    /// The granted ones among the databases in the source, sorted.
    pub(crate) fn sqlite_databases(&mut self) -> Answer<Vec<String>> {
        self.pass(Capability::Sqlite, "databases", "*", |gate, host| {
            if gate.grants.sqlite.is_empty() {
                return Err(Refusal::Denied(Pattern::All));
            }
            let mut names = host.sqlite_databases(&gate.call())?;
            names.retain(|name| gate.grants.cover(Capability::Sqlite, name));
            names.sort();
            Ok(names.iter().map(ToString::to_string).collect())
        })
    }

    pub(crate) fn sqlite_backup(&mut self, name: &str) -> Answer<Copied> {
        self.pass(Capability::Sqlite, "backup", name, |gate, host| {
            gate.in_pre_backup()?;
            let database = gate.granted(Capability::Sqlite, name)?;
            Ok(host.sqlite_backup(&gate.call(), &database)?)
        })
    }

    pub(crate) fn archive_create(
        &mut self,
        directory: &str,
        format: ArchiveFormat,
    ) -> Answer<Archived> {
        self.pass(Capability::Archive, "create", directory, |gate, host| {
            gate.in_pre_backup()?;
            let granted = gate.granted(Capability::Archive, directory)?;
            Ok(host.archive_create(&gate.call(), &granted, format)?)
        })
    }

    /// Lets one use of a capability through: counts it, checks that it may be, stops the guest's
    /// clock for it, writes down what came of it.
    fn pass<T>(
        &mut self,
        capability: Capability,
        action: &'static str,
        value: &str,
        deed: impl FnOnce(&Self, &dyn Capabilities) -> Result<T, Refusal>,
    ) -> Answer<T> {
        let calls = u32::try_from(self.account.deeds.len()).unwrap_or(u32::MAX);
        if calls >= self.limits.calls {
            let limit = self.limits.calls;
            return Err(Stop::TooManyCalls { limit });
        }
        self.stop_if_cancelled()?;
        self.clock.pause();
        let began = Instant::now();
        let result = match self.capabilities.clone() {
            Some(host) => deed(self, &*host),
            None => Err(Refusal::WrongPhase),
        };
        let took = began.elapsed();
        self.clock.resume();
        let result = match result {
            Ok(value) => Ok(value),
            Err(refusal) => Err(self.explain(capability, refusal)?),
        };
        self.write_down((capability, action), value, &result, took);
        self.stop_if_cancelled()?;
        Ok(result)
    }

    fn in_pre_backup(&self) -> Result<(), Refusal> {
        match self.phase {
            Phase::PreBackup => Ok(()),
            _ => Err(Refusal::WrongPhase),
        }
    }

    /// The path that `name` means, if the grants cover it.
    fn granted(&self, capability: Capability, name: &str) -> Result<RelPath, Refusal> {
        if name.len() > LONGEST_NAME {
            let why = format!("a name of {} bytes is no path", name.len());
            return Err(CapabilityError::Invalid(why).into());
        }
        let path: RelPath = name
            .parse()
            .map_err(|error| CapabilityError::Invalid(format!("{error}")))?;
        if self.grants.cover(capability, &path) {
            Ok(path)
        } else {
            Err(Refusal::Denied(Pattern::Exactly(path)))
        }
    }

    fn call(&self) -> Call<'_> {
        Call {
            hook: &self.hook,
            phase: self.phase,
            cancel: &self.cancel,
            limits: &self.limits,
        }
    }

    fn stop_if_cancelled(&self) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            Err(Stop::Interrupted)
        } else {
            Ok(())
        }
    }

    /// Puts a refusal into the words that the guest gets.
    fn explain(&mut self, capability: Capability, refusal: Refusal) -> Result<GuestError, Stop> {
        Ok(match refusal {
            Refusal::Denied(pattern) => GuestError::Denied(self.deny(capability, &pattern)),
            Refusal::WrongPhase => GuestError::Invalid(format!(
                "`{capability}` can be used in {} alone, and this is {}",
                Phase::PreBackup,
                self.phase
            )),
            Refusal::Deed(CapabilityError::Interrupted) => return Err(Stop::Interrupted),
            Refusal::Deed(CapabilityError::Missing(name)) => GuestError::Missing(name),
            Refusal::Deed(CapabilityError::Invalid(why)) => GuestError::Invalid(why),
            Refusal::Deed(CapabilityError::TimedOut(why)) => GuestError::TimedOut(why),
            Refusal::Deed(CapabilityError::Failed(why)) => GuestError::Failed(why),
            Refusal::Deed(private @ CapabilityError::Private(_)) => {
                GuestError::Failed(private.to_string())
            }
        })
    }

    fn deny(&mut self, capability: Capability, pattern: &Pattern) -> Denial {
        let denial = Denial {
            hook: self.hook.to_string(),
            capability,
            value: pattern.to_string(),
            remedy: self.grants.line_with(capability, pattern),
        };
        if self.denials.len() < DENIALS_KEPT {
            self.denials.push(denial.clone());
        }
        denial
    }

    fn write_down<T>(
        &mut self,
        (capability, action): (Capability, &'static str),
        value: &str,
        result: &Result<T, GuestError>,
        took: Duration,
    ) {
        let result = match result {
            Ok(_) => Ok(String::new()),
            Err(error) => Err(error.to_string()),
        };
        let (hook, phase) = (&*self.hook, self.phase.name());
        match &result {
            Ok(_) => tracing::debug!(hook, phase, %capability, value, ?took, "granted"),
            Err(why) => tracing::warn!(hook, phase, %capability, value, why, "not done"),
        }
        self.account.deeds.push(Deed {
            capability,
            action,
            arguments: vec![("name", value.chars().take(LONGEST_NAME).collect())],
            result,
            took,
        });
    }
}

/// Why something was not let through, or not done.
enum Refusal {
    Denied(Pattern),
    WrongPhase,
    Deed(CapabilityError),
}

impl From<CapabilityError> for Refusal {
    fn from(error: CapabilityError) -> Self {
        Self::Deed(error)
    }
}
