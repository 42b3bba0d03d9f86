//! The one gate: everything a hook asks of the host passes here, whatever the version of the
//! interface it was built against.
//!
//! `imports.rs` and `outgoing/` translate what hooks import into calls of these methods and decide
//! nothing. The host's deeds are reached by a [`Pass`] alone, and [`Gate::pass`] alone gives one.

mod archive;
mod asked;
mod command;
mod files;
mod http;
mod pass;
mod record;
mod refusals;
mod secrets;
mod service;
mod sqlite;
mod state;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use copal_core::grants::{InForce, Need};
use tokio::sync::Semaphore;

use self::asked::{Asked, name, path};
pub(crate) use self::http::{Granted, is_host_only};
use self::pass::Pass;
use self::refusals::Refusals;
use self::secrets::Bound;
#[expect(unreachable_pub, reason = "the bindings hand it on")]
pub use self::service::Held;
use self::service::HoldOf;
use crate::answer::GuestError;
use crate::budget::Budget;
use crate::capability::{Call, Capabilities, CapabilityError};
use crate::clock::Clock;
use crate::deed::{Account, Ledger};
use crate::denial::Denial;
use crate::failure::Stop;
use crate::guest_log::{GuestLog, Level, harmless_text};
use crate::mask::Masks;
use crate::watch::Watch;
use crate::{Cancel, FailureKind, HookFailure, Limits, Phase, Report, RunInfo, Used};

/// How many bodies of the largest size an instance may have in memory at once: one that is sent and
/// one that came.
const BODIES: u64 = 2;

/// Where one phase of one hook meets the host.
pub(crate) struct Gate {
    pub(crate) hook: Arc<str>,
    pub(crate) phase: Phase,
    pub(crate) run: RunInfo,
    /// The hook's configuration as JSON.
    pub(crate) config: Arc<str>,
    pub(crate) limits: Limits,
    pub(crate) watch: Watch,
    pub(crate) log: GuestLog,
    /// How long the hook computed and waited in calls that have ended.
    pub(crate) computed: Duration,
    /// What `post-backup` may look at.
    pub(crate) report: Option<Report>,
    in_force: Arc<InForce>,
    /// None in phases that may not use any. For [`Self::pass`] alone.
    capabilities: Option<Arc<dyn Capabilities>>,
    cancel: Cancel,
    masks: Masks,
    ledger: Ledger,
    refusals: Refusals,
    /// The holds that the hook was given, by their numbers.
    holds: Vec<HoldOf>,
    /// The keys of the facts that it recorded.
    facts: BTreeSet<String>,
    /// Secrets that go into later requests.
    bound: Vec<Bound>,
    /// What the bodies of its requests may occupy.
    pub(crate) budget: Budget,
    /// Lets one request travel at a time: an answer is in memory before its share of the budget is
    /// known.
    pub(crate) line: Arc<Semaphore>,
}

/// What a gate is made of.
pub(crate) struct Meeting<'a> {
    pub(crate) hook: &'a Arc<str>,
    pub(crate) phase: Phase,
    pub(crate) run: &'a RunInfo,
    pub(crate) config: &'a Arc<str>,
    pub(crate) in_force: &'a Arc<InForce>,
    pub(crate) limits: Limits,
    pub(crate) cancel: &'a Cancel,
    pub(crate) capabilities: Option<Arc<dyn Capabilities>>,
    pub(crate) report: Option<Report>,
}

/// What an import answers: something for the guest, or the end of the guest.
pub(crate) type Answer<T> = Result<Result<T, GuestError>, Stop>;

impl Gate {
    pub(crate) fn new(meeting: Meeting<'_>) -> Self {
        let masks = Masks::default();
        Self {
            hook: Arc::clone(meeting.hook),
            phase: meeting.phase,
            run: meeting.run.clone(),
            config: Arc::clone(meeting.config),
            limits: meeting.limits,
            watch: Watch::new(meeting.cancel),
            log: GuestLog::new(meeting.hook, meeting.limits.log, &masks),
            computed: Duration::ZERO,
            report: meeting.report,
            in_force: Arc::clone(meeting.in_force),
            capabilities: meeting.capabilities,
            cancel: meeting.cancel.clone(),
            ledger: Ledger::new(&masks),
            masks,
            refusals: Refusals::default(),
            holds: Vec::new(),
            facts: BTreeSet::new(),
            bound: Vec::new(),
            budget: Budget::of(BODIES * meeting.limits.http_body.0),
            line: Arc::new(Semaphore::new(1)),
        }
    }

    /// Lets one use of a capability through, or not: counts it, writes it down, and looks up whether
    /// it may be.
    fn pass(&mut self, asked: Asked) -> Answer<Pass> {
        let calls = u32::try_from(self.ledger.count()).unwrap_or(u32::MAX);
        if calls >= self.limits.calls {
            let limit = self.limits.calls;
            return Err(Stop::TooManyCalls { limit });
        }
        self.watch.check_cancelled()?;
        let Asked {
            capability,
            action,
            arguments,
            needs,
            only_in,
        } = asked;
        let line = self.ledger.begin(capability, action, arguments);
        let is_elsewhere = !only_in.is_empty() && !only_in.contains(&self.phase);
        let elsewhere = is_elsewhere.then(|| {
            let phases: Vec<_> = only_in.iter().map(ToString::to_string).collect();
            phases.join(" and ")
        });
        let refused = match (&self.capabilities, elsewhere, needs) {
            (None, _, _) => Err(GuestError::Invalid(format!(
                "`{capability}` can't be used in {}",
                self.phase
            ))),
            (_, Some(only), _) => Err(GuestError::Invalid(format!(
                "`{action}` of `{capability}` can be used in {only} alone, and this is {}",
                self.phase
            ))),
            (_, _, Err(why)) => Err(GuestError::Invalid(why)),
            (Some(host), None, Ok(needs)) => match self.denial(&needs) {
                Some(denial) => Err(GuestError::Denied(denial)),
                None => Ok(Arc::clone(host)),
            },
        };
        let host = match refused {
            Ok(host) => host,
            Err(error) => {
                self.refusals.note(&error);
                self.tell(capability, action, Some(&error));
                let why = error.to_string();
                self.ledger.end(line, Err(why), Duration::ZERO);
                return Ok(Err(error));
            }
        };
        self.tell(capability, action, None);
        Ok(Ok(Pass::new(self, host, line)))
    }

    /// Does a deed on the guest's behalf, while its clock stands still; `told` is what the account
    /// says of its result.
    fn deed<T>(
        &mut self,
        asked: Asked,
        deed: impl FnOnce(&dyn Capabilities, &Call<'_>) -> Result<T, CapabilityError>,
        told: impl FnOnce(&T) -> String,
    ) -> Answer<T> {
        let pass = match self.pass(asked)? {
            Ok(pass) => pass,
            Err(refused) => return Ok(Err(refused)),
        };
        self.watch.clock(Clock::pause);
        let result = pass.run(deed);
        self.watch.clock(Clock::resume);
        let result = pass.end(result, told)?;
        self.watch.check_cancelled()?;
        Ok(result)
    }

    /// Why one of `needs` may not be done.
    fn denial(&self, needs: &[Need]) -> Option<Denial> {
        Denial::of(&self.hook, &self.in_force, needs)
    }

    fn tell(&self, capability: Used, action: &str, refused: Option<&GuestError>) {
        let (hook, phase) = (&*self.hook, self.phase.name());
        match refused {
            None => tracing::debug!(hook, phase, %capability, action, "let through"),
            Some(why) => {
                let why = harmless_text(&self.masks.cover(why.to_string()));
                if matches!(refused, Some(GuestError::Denied(_))) {
                    // When the phase ends, it is its failure, or told by `tell_denials`.
                    tracing::debug!(hook, phase, %capability, action, %why, "not done");
                } else {
                    tracing::warn!(hook, phase, %capability, action, %why, "not done");
                }
            }
        }
    }

    /// What it did in a phase that ended well.
    pub(crate) fn account(&self) -> Account {
        let account = self.account_so_far();
        self.tell_denials(&account.denials, None);
        account
    }

    fn account_so_far(&self) -> Account {
        Account {
            deeds: self.ledger.all(),
            computed: self.computed,
            denials: self.denials(),
            log: self.log.kept(),
            warnings: self.log.warnings(),
        }
    }

    /// Tells of what was denied and is not the phase's failure, which its owner hears of anyway.
    fn tell_denials(&self, denials: &[Denial], failure: Option<&Denial>) {
        let (hook, phase) = (&*self.hook, self.phase.name());
        for (at, denial) in denials.iter().enumerate() {
            if Some(denial) != failure && !denials[..at].contains(denial) {
                let remedy = denial.remedy();
                tracing::warn!(hook, phase, %remedy, "{denial}");
            }
        }
    }

    /// The failure of this phase: in place of a vague one, what was refused. A hook that asked for
    /// something else since had come to terms with a refusal, and failed of another cause.
    pub(crate) fn failure(&self, kind: FailureKind) -> HookFailure {
        let last = self.ledger.last();
        let refused = last.and_then(|line| self.refusals.http_at(line));
        let kind = match (kind, refused) {
            (FailureKind::Error { message, .. }, Some(refused)) => {
                self.log.write(Level::Error, &message, &[]);
                refused
            }
            (FailureKind::Trap { .. }, Some(refused)) => refused,
            (kind, _) => kind,
        };
        let kind = kind.map_text(|text| harmless_text(&self.masks.cover(text)));
        let account = self.account_so_far();
        let failure = match &kind {
            FailureKind::Denied(denial) => Some(&**denial),
            _ => None,
        };
        self.tell_denials(&account.denials, failure);
        HookFailure {
            hook: self.hook.to_string(),
            phase: self.phase,
            kind,
            last_words: self.log.last_words(),
            account: Box::new(account),
        }
    }

    /// The denials of this phase, as they may be told.
    fn denials(&self) -> Vec<Denial> {
        let denials = self.spoken().into_iter();
        let cover = |text| harmless_text(&self.masks.cover(text));
        denials.map(|denial| denial.map_text(cover)).collect()
    }

    /// The denials of this phase in the words that the hook got.
    pub(crate) fn spoken(&self) -> Vec<Denial> {
        self.refusals.denials()
    }
}
