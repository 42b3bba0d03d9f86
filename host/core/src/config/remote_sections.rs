//! What rclone has to know: `[[destination]]` and `[rclone]`.

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::reader::{Field, Table, Unfit, all};
use super::words::quoted;
use super::{Destination, OptionValue, Proof, RcloneOption, RemoteSpec, mirror_sections};

/// The destinations, in the file's order.
pub(super) fn destinations(top: &mut Table<'_>) -> Option<Vec<Destination>> {
    let example = "remote = \"b2:my-bucket/copal\"";
    let next = format!("add the lines `[[destination]]` and `{example}`");
    let field = top.require("destination", "nothing says where snapshots go", &next)?;
    let members = field.list("a list of tables", "[[destination]]")?;
    if members.is_empty() {
        let what = "`destination` is empty";
        field
            .problems
            .report(&field.span, what, "nothing says where snapshots go", next);
    }
    let destinations: Vec<_> = all(members.iter().map(destination))?;
    let spans = members.iter().map(|member| &member.span);
    let placed: Vec<_> = destinations.iter().zip(spans).collect();
    mirror_sections::check_apart(&placed, field.problems).then_some(destinations)
}

fn destination(member: &Field<'_>) -> Option<Destination> {
    let example = "remote = \"b2:my-bucket/copal\"";
    let mut table = member.table("[[destination]]")?;
    let why = "nothing says where these snapshots go";
    let remote = table.require("remote", why, &format!("add a line such as `{example}`"));
    let layout = table.take("layout");
    let map = table.take("map");
    let max_delete = table.take("max_delete");
    let proof = table.take("proof");
    table.finish();
    let layout = mirror_sections::layout(layout, map, max_delete);
    let proof = proof.map_or(Some(Proof::default()), |field| self::proof(&field));
    let field = remote?;
    let remote = field.read(example, |text| {
        RemoteSpec::parse(text).map_err(|reason| Unfit {
            what: format!("`{}` is nothing that rclone can read", field.path),
            why: reason.to_string(),
            next: format!("write a remote's name, `:` and a path, for example `{example}`"),
        })
    });
    Some(Destination {
        remote: remote?,
        layout: layout?,
        proof: proof?,
        place: Some(field.place()),
    })
}

fn proof(field: &Field<'_>) -> Option<Proof> {
    field.read("proof = \"hash\"", |text| match text {
        "hash" => Ok(Proof::Hash),
        "read" => Ok(Proof::Read),
        _ => Err(Unfit {
            what: format!("unknown proof {}", quoted(text)),
            why: "what arrived is proven by its hash, or by reading it back".to_owned(),
            next: "write `proof = \"hash\"` or `proof = \"read\"`".to_owned(),
        }),
    })
}

/// rclone's options, in the file's order.
pub(super) fn rclone(top: &mut Table<'_>) -> Option<Vec<RcloneOption>> {
    let Some(field) = top.take("rclone") else {
        return Some(Vec::new());
    };
    let mut options = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, span, field) in field.table("[rclone]")?.into_fields() {
        if !seen.insert(name.replace('-', "_")) {
            let why = "rclone takes `-` and `_` for the same";
            let what = format!("{} is set twice", quoted(&field.path));
            field
                .problems
                .report(&span, what, why, "keep one of the two spellings");
        }
        options.push(option_value(&field).map(|value| RcloneOption {
            name: name.to_owned(),
            value,
            place: Some(field.place()),
        }));
    }
    options.into_iter().collect()
}

fn option_value(field: &Field<'_>) -> Option<OptionValue> {
    let mistyped = || {
        field.mistyped(
            "text, a whole number, true or false, or a list of text",
            "bwlimit = \"10M\"",
        )
    };
    match field.value() {
        DeValue::Boolean(value) => Some(OptionValue::Bool(*value)),
        DeValue::String(text) => Some(OptionValue::Text(text.to_string())),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Some(OptionValue::Integer(number)),
            Err(_) => mistyped(),
        },
        DeValue::Array(members) => {
            let text = |value: &DeValue<'_>| value.as_str().map(str::to_owned);
            let texts: Option<Vec<_>> = members.iter().map(|m| text(m.get_ref())).collect();
            texts.map(OptionValue::List).or_else(mistyped)
        }
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => mistyped(),
    }
}
