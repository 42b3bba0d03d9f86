//! What snapshots take.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use copal_core::contents::{Contents, Held};
use copal_core::units::ByteCount;
use serde_json::{Value, json};

use super::{Output, count};
use crate::error::CopalError;
use crate::step::snapshots::{Known, contents_of};

/// What there is to tell of.
pub struct Usage<'a> {
    /// The name whose snapshots they are.
    pub name: &'a str,
    /// All of them, oldest first.
    pub known: &'a [Known],
    /// The numbers of those that are told of.
    pub chosen: BTreeSet<usize>,
    /// Whether content that several have lies there once.
    pub hard_links: bool,
}

/// What those that are told of come to.
struct Sum {
    bytes: ByteCount,
    alone: ByteCount,
    frees: ByteCount,
}

/// Prints what each takes, and what they come to.
pub fn print(usage: &Usage<'_>, output: Output) -> Result<(), CopalError> {
    let contents = contents_of(usage.known);
    if output.json {
        return super::json(&to_json(usage, &contents));
    }
    super::result(&text(usage, &contents))
}

impl Usage<'_> {
    fn frees(&self, bytes: ByteCount, alone: ByteCount) -> ByteCount {
        if self.hard_links { alone } else { bytes }
    }

    /// Those that are told of, each with what it holds.
    fn each<'a>(&'a self, held: &'a [Held]) -> impl Iterator<Item = (&'a Known, &'a Held)> {
        self.chosen
            .iter()
            .map(move |n| (&self.known[*n], &held[*n]))
    }

    fn sum(&self, contents: &Contents) -> Sum {
        let held = contents.each();
        let bytes: ByteCount = self.each(&held).map(|(_, held)| held.bytes).sum();
        let alone = contents.held_by_none_but(&self.chosen);
        Sum {
            bytes,
            alone,
            frees: self.frees(bytes, alone),
        }
    }
}

fn text(usage: &Usage<'_>, contents: &Contents) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("a String takes every write");
    for (Known { id, manifest, .. }, held) in usage.each(&contents.each()) {
        let name = usage.name;
        let Held { bytes, adds, alone } = held;
        line(match manifest {
            Ok(_) => format!("{name}/{id}  {bytes:>11}  adds {adds:>11}  alone {alone:>11}"),
            Err(error) => format!("{name}/{id}  damaged: {error}"),
        });
    }
    if !usage.chosen.is_empty() {
        totals(usage, contents).into_iter().for_each(line);
    }
    text
}

/// What those that are told of come to, and what is freed when they go.
fn totals(usage: &Usage<'_>, contents: &Contents) -> [String; 2] {
    let Sum {
        bytes,
        alone,
        frees,
    } = usage.sum(contents);
    let snapshots = count(usage.chosen.len() as u64, "snapshot");
    let held = if usage.chosen.len() == usage.known.len() {
        format!("{snapshots}: {bytes}, {alone} where each content counts once")
    } else {
        let all = usage.known.len();
        format!("{snapshots} of {all}: {bytes}, {alone} that no other has")
    };
    let how = if usage.hard_links {
        "they share content by hard links"
    } else {
        "each has copies of its own"
    };
    let freed = format!("{how}: removing what is listed frees {frees}");
    [held, freed]
}

fn to_json(usage: &Usage<'_>, contents: &Contents) -> Value {
    let one = |(known, held): (&Known, &Held)| match &known.manifest {
        Ok(_) => json!({
            "snapshot": known.id,
            "bytes": held.bytes,
            "adds_bytes": held.adds,
            "alone_bytes": held.alone,
            "frees_bytes": usage.frees(held.bytes, held.alone),
        }),
        Err(error) => json!({ "snapshot": known.id, "error": error.to_string() }),
    };
    let held = contents.each();
    let sum = usage.sum(contents);
    json!({
        "name": usage.name,
        "snapshots": usage.each(&held).map(one).collect::<Vec<_>>(),
        "bytes": sum.bytes,
        "alone_bytes": sum.alone,
        "frees_bytes": sum.frees,
        "distinct_bytes": contents.distinct(),
        "hard_links": usage.hard_links,
    })
}
