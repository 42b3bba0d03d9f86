//! From a destination's `layout`, `map` and `max_delete` to its [`Layout`], and whether mirrors keep apart.

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::reader::{Field, Problems, Span};
use super::words::{quoted, suggestion};
use super::{Destination, Layout};
use crate::mirror::{Map, MaxDelete, Mirror, folder};
use crate::path::RelPath;

const LAYOUTS: [&str; 2] = ["snapshots", "mirror"];
const PAIR: &str = "map = { \"uploads\" = \"user_uploads\" }";

/// How a destination is laid out. Each of the three fields has problems of its own.
pub(super) fn layout(
    layout: Option<Field<'_>>,
    map: Option<Field<'_>>,
    max_delete: Option<Field<'_>>,
) -> Option<Layout> {
    let is_mirror = layout.map_or(Some(false), |field| is_mirror(&field));
    if is_mirror == Some(false) {
        let map = map.map(|field| refuse(&field, "a snapshot keeps the source's own paths"));
        let why = "what a snapshot has is never deleted by a run";
        let max_delete = max_delete.map(|field| refuse(&field, why));
        return (map.is_none() && max_delete.is_none()).then_some(Layout::Snapshots);
    }
    let map = map.map_or(Some(Map::default()), |field| self::map(&field));
    let max_delete = max_delete.map_or(Some(MaxDelete::default()), |field| share_or_count(&field));
    is_mirror?;
    Some(Layout::Mirror(Mirror {
        map: map?,
        max_delete: max_delete?,
    }))
}

fn is_mirror(field: &Field<'_>) -> Option<bool> {
    let text = field.text("layout = \"snapshots\"")?;
    let known = LAYOUTS.iter().position(|layout| *layout == text);
    if known.is_none() {
        let next = suggestion(text, &LAYOUTS).unwrap_or_else(|| {
            "write `layout = \"snapshots\"` or `layout = \"mirror\"`".to_owned()
        });
        field.problems.report(
            &field.span,
            format!("unknown layout {}", quoted(text)),
            "a destination has snapshots, or is a mirror",
            next,
        );
    }
    known.map(|at| at == 1)
}

fn refuse(field: &Field<'_>, why: &str) {
    let what = format!("{} is for a mirror", quoted(&field.path));
    let next = "add `layout = \"mirror\"`, or remove it";
    field.problems.report(&field.span, what, why, next);
}

fn map(field: &Field<'_>) -> Option<Map> {
    let table = field.table(PAIR)?;
    let problems = field.problems;
    let mut map = Map::default();
    let mut sound = true;
    for (name, span, field) in table.into_fields() {
        let source = name.strip_suffix('/').unwrap_or(name).parse::<RelPath>();
        if source.is_err() {
            let what = format!("`destination.map` can't have {}", quoted(name));
            let why =
                "what is mirrored is named by its path inside the source, as seen from its top";
            problems.report(&span, what, why, format!("write for example `{PAIR}`"));
        }
        let Some((source, folder)) = source.ok().zip(folder_of(&field)) else {
            sound = false;
            continue;
        };
        if let Err(error) = map.add(source, folder) {
            let what = format!(
                "`destination.map` can't have {} beside the others",
                quoted(name)
            );
            let next = "name each part of the source once, and give it a folder of its own";
            problems.report(&span, what, error.to_string(), next);
            sound = false;
        }
    }
    if sound && map.is_whole() {
        let why = "it names no part of the source, so that nothing would be mirrored";
        let next =
            format!("write for example `{PAIR}`, or remove `map` to mirror the whole source");
        problems.report(&field.span, "`destination.map` is empty", why, next);
        return None;
    }
    sound.then_some(map)
}

fn folder_of(field: &Field<'_>) -> Option<String> {
    let text = field.text(PAIR)?;
    let found = folder(text);
    if found.is_none() {
        field.problems.report(
            &field.span,
            format!("{} can't be the folder {}", quoted(&field.path), quoted(text)),
            "a folder is a path below the destination, of names that any remote takes, and not `.copal`",
            format!("write for example `{PAIR}`"),
        );
    }
    found
}

fn share_or_count(field: &Field<'_>) -> Option<MaxDelete> {
    let read = match field.value() {
        DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(MaxDelete::Files),
        DeValue::String(text) => text
            .strip_suffix('%')
            .and_then(|percent| percent.trim_end().parse().ok())
            .filter(|percent| *percent <= 100)
            .map(MaxDelete::Share),
        _ => None,
    };
    read.or_else(|| {
        let expected = "a number of files, or a share of those that are there";
        field.mistyped(expected, "max_delete = 100`, or `max_delete = \"25%\"")
    })
}

/// Reports destinations that would take each other's files for their own, the later of two.
pub(super) fn check_apart(destinations: &[(&Destination, &Span)], problems: &Problems) -> bool {
    let mut clashing = BTreeSet::new();
    for (at, (one, _)) in destinations.iter().enumerate() {
        for (other_at, (other, _)) in destinations.iter().enumerate() {
            if at != other_at && takes_from(one, other) {
                clashing.insert(at.max(other_at));
            }
        }
    }
    for at in &clashing {
        let what = "two destinations would have each other's files";
        let why = "a mirror deletes from its folders what the source does not have";
        let next = "give each a path or folders of its own";
        problems.report(destinations[*at].1, what, why, next);
    }
    clashing.is_empty()
}

/// Whether a mirror would delete what another destination has, or both have their manifest in one place.
fn takes_from(mirror: &Destination, other: &Destination) -> bool {
    let Layout::Mirror(_) = mirror.layout else {
        return false;
    };
    let is_mirror = matches!(other.layout, Layout::Mirror(_));
    let grounds = places(mirror);
    let inside = |place: &String| grounds.iter().any(|ground| place.starts_with(ground));
    is_mirror && within(mirror, "") == within(other, "") || places(other).iter().any(inside)
}

/// The directories that a destination writes to.
fn places(destination: &Destination) -> Vec<String> {
    match &destination.layout {
        Layout::Snapshots => vec![within(destination, "")],
        Layout::Mirror(mirror) => {
            let folders = mirror.map.folders().into_iter();
            folders.map(|folder| within(destination, folder)).collect()
        }
    }
}

/// With a slash at its end, where it is more than a remote's top.
fn within(destination: &Destination, folder: &str) -> String {
    let mut text = destination.remote.expose().trim_end_matches('/').to_owned();
    for part in [folder, ""] {
        if !text.ends_with([':', '/']) {
            text.push('/');
        }
        text.push_str(part);
    }
    text
}
