//! Services that are held.

use copal_core::grants::{Capability, Need};

use super::{Answer, Asked, Gate, name};
use crate::plural::count;
use crate::{HoldId, HoldWish, Phase, ServiceState, Taken};

/// A hold that a hook has. The resource lives in the hook; what it stands for is looked up by its
/// number, which is the place in [`Gate::holds`].
#[expect(unreachable_pub, reason = "the bindings hand it on")]
pub struct Held;

/// What a hold is of.
pub(super) struct HoldOf {
    service: String,
    /// None where there was nothing to hold.
    id: Option<HoldId>,
}

impl Gate {
    /// The services that are in force, in the order of their grants.
    pub(crate) fn service_names(&mut self) -> Answer<Vec<String>> {
        let granted = self.in_force.grants.services().iter();
        let names = granted.filter(|name| self.in_force.cover(&Need::Service((*name).clone())));
        let names: Vec<_> = names.map(ToString::to_string).collect();
        self.deed(
            Asked::of(Capability::Service, "names"),
            |_, _| Ok(names),
            |names: &Vec<String>| count(names.len(), "service", "services"),
        )
    }

    pub(crate) fn service_state(&mut self, service: &str) -> Answer<ServiceState> {
        self.deed(
            asked("state", service),
            |host, call| host.service_state(call, service),
            |state| state.name().to_owned(),
        )
    }

    /// Holds a service; the number of the hold.
    pub(crate) fn service_hold(&mut self, service: &str, how: HoldWish) -> Answer<u32> {
        let asked = match how {
            // What is paused goes on with the files that it has open, which a restore takes away.
            HoldWish::Pause => asked("pause", service),
            HoldWish::Stop { grace } => asked("stop", service)
                .with("grace", format!("{}ms", grace.as_millis()))
                .only_in(Phase::PreRestore),
        };
        let held = self.deed(
            asked.only_in(Phase::PreBackup),
            |host, call| host.service_hold(call, service, how),
            |taken| match taken {
                Taken::Held(_) => "held".to_owned(),
                Taken::Not { why } => format!("not held: {why}"),
            },
        )?;
        Ok(held.map(|taken| {
            let id = match taken {
                Taken::Held(id) => Some(id),
                Taken::Not { .. } => None,
            };
            self.holds.push(HoldOf {
                service: service.to_owned(),
                id,
            });
            u32::try_from(self.holds.len() - 1).expect("there are fewer holds than calls")
        }))
    }

    /// Ends the hold of this number.
    pub(crate) fn service_release(&mut self, number: u32) -> Answer<()> {
        let hold = usize::try_from(number)
            .ok()
            .and_then(|at| self.holds.get(at));
        let (service, id) = match hold {
            Some(hold) => (hold.service.clone(), Ok(hold.id)),
            None => (String::new(), Err("there is no such hold".to_owned())),
        };
        let asked = asked("release", &service).unless(id.clone().err());
        self.deed(
            asked,
            |host, call| match super::sqlite::known(id)? {
                Some(id) => host.service_release(call, id),
                None => Ok(()),
            },
            |()| "released".to_owned(),
        )
    }
}

fn asked(action: &'static str, service: &str) -> Asked {
    Asked::of(Capability::Service, action)
        .with("name", service)
        .needing(name(service).map(Need::Service))
}
