use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use copal_rclone::travels_unchanged;

use crate::world::{World, list_all};

/// What rclone's encoders take an interest in, and what they leave alone.
const PIECES: &[&str] = &[
    "a",
    "b",
    "Z",
    "0",
    ".",
    "..",
    " ",
    "  ",
    "~",
    "-",
    "#",
    ";",
    "%",
    "%41",
    "\\",
    ":",
    "*",
    "?",
    "\"",
    "'",
    "<",
    ">",
    "|",
    "`",
    "$",
    "!",
    "[",
    "]",
    "{",
    "}",
    "é",
    "e\u{301}",
    "日",
    "😀",
    "\u{a0}",
    "\u{85}",
    "\u{200b}",
    "\u{feff}",
    "\u{fffd}",
    "／",
    "．",
    "．．",
    "～",
    "＊",
    "：",
    "␀",
    "␊",
    "␍",
    "␠",
    "␡",
    "␤",
    "‛",
    "‛／",
    "\u{1}",
    "\t",
    "\n",
    "\r",
    "\u{1b}",
    "\u{7f}",
    "\u{9f}",
    ".rclonelink",
    ".partial",
    ",",
    "+",
    "=",
    "@",
    "&",
    "(",
    "^",
];

/// Names made of up to four of the pieces, always the same ones.
fn names() -> BTreeSet<String> {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    let made = (0..3000).map(|_| {
        let length = 1 + next(4);
        (0..length).map(|_| PIECES[next(PIECES.len())]).collect()
    });
    let single = PIECES.iter().map(|&piece| piece.to_owned());
    let is_a_name = |name: &String| name != "." && name != "..";
    made.chain(single).filter(is_a_name).collect()
}

/// Both as a directory's name and as a file's.
fn as_path(name: &str) -> String {
    format!("{name}/{name}")
}

pub(crate) fn names_that_travel_unchanged_do(world: &World) {
    let travelling: Vec<_> = names()
        .into_iter()
        .filter(|name| travels_unchanged(name.as_bytes()))
        .map(|name| as_path(&name))
        .collect();
    assert!(travelling.len() > 1000, "too few: {}", travelling.len());
    for path in &travelling {
        world.write(&format!("src/{path}"), path);
    }
    let worker = world.worker();
    let mut request = world.copy_of(&[]);
    request.files.clone_from(&travelling);
    let job = worker.start_copy(request).unwrap();
    job.wait(Duration::from_millis(20), |_| {}).unwrap();
    for path in &travelling {
        let copy = fs::read_to_string(world.path("dst").join(path));
        assert_eq!(copy.ok().as_deref(), Some(path.as_str()));
    }
    let listed: BTreeSet<_> = list_all(&worker, world.remote("dst"))
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    assert_eq!(listed, travelling.into_iter().collect());
}

/// The rule is no stricter than it has to be, except with the quote, which rclone leaves alone before
/// some characters.
pub(crate) fn names_that_do_not_are_listed_otherwise(world: &World) {
    let worker = world.worker();
    let others: Vec<_> = names()
        .into_iter()
        .filter(|name| !travels_unchanged(name.as_bytes()) && !name.contains('‛'))
        .collect();
    assert!(others.len() > 100, "too few: {}", others.len());
    for (n, name) in others.iter().enumerate() {
        world.write(&format!("src/{n}/{name}"), "x");
    }
    let listed: BTreeSet<_> = list_all(&worker, world.remote("src"))
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    assert_eq!(listed.len(), others.len());
    for (n, name) in others.iter().enumerate() {
        assert!(
            !listed.contains(&format!("{n}/{name}")),
            "{name:?} would travel"
        );
    }
}
