//! From a hook's `grants` to [`Grants`].

use std::collections::BTreeSet;

use super::command_sections::COMMAND_EXAMPLE;
use super::named_tables::knows;
use super::reader::{Field, Table, Unfit};
use super::secret_sections::SECRET_EXAMPLE;
use super::service_sections::SERVICE_EXAMPLE;
use super::words::quoted;
use crate::grants::{Capability, Grants};

/// The names that grants can refer to.
pub(super) struct Known<'a> {
    pub(super) commands: &'a BTreeSet<String>,
    pub(super) secrets: &'a BTreeSet<String>,
    pub(super) services: &'a BTreeSet<String>,
}

pub(super) fn grants(field: &Field<'_>, known: &Known<'_>) -> Option<Grants> {
    let mut table = field.table("grants = { sqlite = [\"*\"] }")?;
    let mut grants = Grants::default();
    let mut sound = true;
    for capability in Capability::ALL {
        if let Some(field) = take(&mut table, capability) {
            sound &= add(&mut grants, capability, &field, known).is_some();
        }
    }
    table.finish();
    sound.then_some(grants)
}

fn take<'a>(table: &mut Table<'a>, capability: Capability) -> Option<Field<'a>> {
    table.take(capability.name())
}

/// Adds what is granted of one capability; `None` if there is a problem, which was reported.
fn add(
    grants: &mut Grants,
    capability: Capability,
    field: &Field<'_>,
    known: &Known<'_>,
) -> Option<()> {
    let example = capability.example();
    if capability == Capability::State {
        let granted = field.value().as_bool();
        grants.set_state(granted.or_else(|| field.mistyped("true or false", example))?);
        return Some(());
    }
    let has_star = matches!(
        capability,
        Capability::Sqlite | Capability::Query | Capability::Update | Capability::Archive
    );
    if has_star && field.value().as_str() == Some("*") {
        return add_entry(grants, capability, field);
    }
    let expected = match capability {
        Capability::Http => "a list of origins",
        _ if has_star => "a list of names, or `\"*\"` for all",
        _ => "a list of names",
    };
    let members = field.list(expected, example)?;
    let mut sound = true;
    for member in &members {
        sound &=
            add_entry(grants, capability, member).is_some() && is_known(capability, member, known);
    }
    sound.then_some(())
}

fn add_entry(grants: &mut Grants, capability: Capability, field: &Field<'_>) -> Option<()> {
    field.read(capability.example(), |text| {
        grants.add(capability, text).map_err(|invalid| Unfit {
            what: format!("`{}` can't name {}", field.path, quoted(text)),
            why: invalid.why,
            next: invalid.next,
        })
    })
}

/// Whether the file has what the entry names; if not, that was reported.
fn is_known(capability: Capability, field: &Field<'_>, known: &Known<'_>) -> bool {
    let name = field.value().as_str().unwrap_or_default();
    match capability {
        Capability::Command => knows(known.commands, "command", name, field, COMMAND_EXAMPLE),
        Capability::Service => knows(known.services, "service", name, field, SERVICE_EXAMPLE),
        Capability::Secrets | Capability::Reveal => {
            knows(known.secrets, "secret", name, field, SECRET_EXAMPLE)
        }
        _ => true,
    }
}
