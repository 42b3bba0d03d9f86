//! Leave to do one deed.

use std::any::Any;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use copal_core::grants::{InForce, Method, Need, Origin, is_private};

use super::{Answer, Gate, Refusals};
use crate::answer::GuestError;
use crate::capability::{Call, Capabilities, CapabilityError};
use crate::deed::{Ledger, Line};
use crate::denial::{Cause, Denial};
use crate::failure::Stop;
use crate::{Cancel, FailureKind, Limits, Phase};

/// Leave to do one deed, which is in the ledger already. It may travel to another thread.
pub(crate) struct Pass {
    host: Arc<dyn Capabilities>,
    hook: Arc<str>,
    phase: Phase,
    cancel: Cancel,
    limits: Limits,
    in_force: Arc<InForce>,
    ledger: Ledger,
    line: Line,
    began: Instant,
    refusals: Refusals,
}

/// Why a deed was not done.
pub(crate) enum Failed {
    /// The host says why.
    Deed(CapabilityError),
    /// The host itself failed.
    Panicked(String),
}

impl Pass {
    pub(super) fn new(gate: &Gate, host: Arc<dyn Capabilities>, line: Line) -> Self {
        Self {
            host,
            hook: Arc::clone(&gate.hook),
            phase: gate.phase,
            cancel: gate.cancel.clone(),
            limits: gate.limits,
            in_force: Arc::clone(&gate.in_force),
            ledger: gate.ledger.clone(),
            line,
            began: Instant::now(),
            refusals: gate.refusals.clone(),
        }
    }

    /// Does the deed. One that panics is a fault of the host, which the hook's run survives.
    pub(crate) fn run<T>(
        &self,
        deed: impl FnOnce(&dyn Capabilities, &Call<'_>) -> Result<T, CapabilityError>,
    ) -> Result<T, Failed> {
        let call = Call {
            hook: &self.hook,
            phase: self.phase,
            cancel: &self.cancel,
            limits: &self.limits,
        };
        // What the deed was in the midst of is the host's own, and nobody goes on with it here.
        match catch_unwind(AssertUnwindSafe(|| deed(&*self.host, &call))) {
            Ok(result) => result.map_err(Failed::Deed),
            Err(panic) => Err(Failed::Panicked(text(&*panic))),
        }
    }

    /// Adds to what the account says of the deed.
    pub(crate) fn note(&self, name: &str, value: String) {
        self.ledger.note(self.line, name, value);
    }

    /// Writes down what came of it; what the guest is told.
    pub(crate) fn end<T>(
        &self,
        result: Result<T, Failed>,
        told: impl FnOnce(&T) -> String,
    ) -> Answer<T> {
        let answer = match result {
            Ok(value) => Ok(Ok(value)),
            Err(Failed::Panicked(text)) => Err(Stop::HostFailed(text)),
            Err(Failed::Deed(error)) => explain(error).map(Err),
        };
        let result = match &answer {
            Ok(Ok(value)) => Ok(told(value)),
            Ok(Err(error)) => Err(error.to_string()),
            Err(stop) => Err(stop.to_string()),
        };
        self.ledger.end(self.line, result, self.began.elapsed());
        answer
    }

    /// The denial of a request whose host has a private address.
    pub(super) fn private(&self, method: Method, origin: Origin, address: IpAddr) -> GuestError {
        let kind = is_private(address).unwrap_or("a private address");
        let value = format!("{method} {origin} ({address}, {kind})");
        let need = Need::Request {
            method,
            origin,
            private: true,
        };
        let denial = GuestError::Denied(Denial {
            hook: self.hook.to_string(),
            capability: need.capability(),
            value,
            // That an address is private only its owner can know: no component has to request it.
            cause: Cause::NotGranted {
                line: self.in_force.line_with_all(&[need]),
            },
        });
        self.refusals.note(&denial);
        denial
    }

    /// Writes down that it was not done, or given up.
    pub(super) fn give_up(&self, why: &str) {
        let took = self.began.elapsed();
        self.ledger.end(self.line, Err(why.to_owned()), took);
    }

    /// Remembers why the request was refused after all.
    pub(super) fn note_refusal(&self, kind: FailureKind) {
        self.refusals.note_http(self.line, kind);
    }

    /// Lets the deed be given up without ending the run.
    pub(super) fn cancelled_by(mut self, cancel: Cancel) -> Self {
        self.cancel = cancel;
        self
    }
}

/// Puts the host's error into the words that the guest gets.
fn explain(error: CapabilityError) -> Result<GuestError, Stop> {
    Ok(match error {
        CapabilityError::Interrupted => return Err(Stop::Interrupted),
        CapabilityError::Missing(name) => GuestError::Missing(name),
        CapabilityError::Invalid(why) => GuestError::Invalid(why),
        CapabilityError::TimedOut(why) => GuestError::TimedOut(why),
        CapabilityError::Failed(why) => GuestError::Failed(why),
        // Of a request; what asked for it makes a denial of it.
        private @ CapabilityError::Private(_) => GuestError::Failed(private.to_string()),
    })
}

/// The text of a panic.
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "it panicked without a text".to_owned())
}
