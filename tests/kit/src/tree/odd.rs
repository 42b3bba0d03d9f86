//! Names, links, modes and times that a backup has to carry as they are.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Names that something on the way may stumble over. Each is a single path component.
pub fn odd_names() -> Vec<OsString> {
    let mut names: Vec<Vec<u8>> = [
        " leading space",
        "trailing space ",
        "trailing dot.",
        " ",
        "two\nlines",
        "carriage\rreturn",
        "tab\there",
        "escape\x1b[31m",
        "delete\x7f",
        "\"double\" and 'single' quotes",
        "back\\slash",
        "colon: in it",
        "* ? [glob] {a,b}",
        "# hash",
        "; semicolon",
        "- minus",
        "-rf",
        "+ plus",
        "!",
        "~",
        "~tilde",
        "$HOME `id` $(id)",
        "per%cent",
        "per%41cent",
        "%2e%2e",
        "...",
        ".hidden",
        "<angle> & | pipe",
        "CON",
        "emoji 🦀🫠",
        "composed é",
        "decomposed e\u{301}",
        "fullwidth \u{ff0f}\u{ff1a}\u{ff05}",
        "symbol for null \u{2400}",
        "quoting \u{201b} mark",
        "right-to-left \u{202e}fdp.exe",
        "no-break\u{a0}space",
        "UPPER and lower",
        "upper and lower",
    ]
    .map(|name| name.as_bytes().to_vec())
    .into();
    names.push(b"latin-1 caf\xe9".to_vec());
    names.push(b"\xff\xfe".to_vec());
    names.push(b"cut short \xf0\x9f\xa6".to_vec());
    names.push(vec![b'l'; 255]);
    names.push("é".repeat(127).into_bytes());
    names
        .into_iter()
        .map(|name| OsStr::from_bytes(&name).to_owned())
        .collect()
}

/// Fills `directory` (made if missing) with a tree of oddities. Everything in it can be read by its
/// owner; nothing needs privileges to make.
pub fn make_odd(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    make_names(&directory.join("names"))?;
    make_links(&directory.join("links"))?;
    make_shapes(&directory.join("shapes"))?;
    make_modes(&directory.join("modes"))?;
    make_times(&directory.join("times"))
}

/// Each odd name once as a file, once as a directory with a file in it.
fn make_names(top: &Path) -> io::Result<()> {
    for folder in ["files", "directories"] {
        fs::create_dir_all(top.join(folder))?;
    }
    for name in odd_names() {
        fs::write(top.join("files").join(&name), name.as_bytes())?;
        let directory = top.join("directories").join(&name);
        fs::create_dir(&directory)?;
        fs::write(directory.join("inside"), name.as_bytes())?;
    }
    Ok(())
}

fn make_links(top: &Path) -> io::Result<()> {
    fs::create_dir_all(top.join("target"))?;
    fs::write(top.join("target/file"), "linked to")?;
    for (name, target) in [
        ("to a file", &b"target/file"[..]),
        ("to a directory", b"target"),
        ("to nothing", b"no such thing"),
        ("to itself", b"to itself"),
        ("upwards", b".."),
        ("out of the tree", b"/etc/hostname"),
        ("to an odd name", b"caf\xe9\nline"),
    ] {
        symlink(OsStr::from_bytes(target), top.join(name))?;
    }
    Ok(())
}

/// Sizes and depths at their limits.
fn make_shapes(top: &Path) -> io::Result<()> {
    fs::create_dir_all(top.join("empty directory/also empty"))?;
    fs::write(top.join("empty file"), "")?;
    // A hole is content like any other: zeros.
    let sparse = File::create(top.join("sparse file"))?;
    sparse.set_len(1 << 20)?;
    let deep = (0..30).fold(top.to_owned(), |path, level| {
        path.join(format!("level {level}"))
    });
    fs::create_dir_all(&deep)?;
    fs::write(deep.join("at the bottom"), "deep")?;
    fs::write(top.join("once"), "two names")?;
    fs::hard_link(top.join("once"), top.join("twice"))
}

fn make_modes(top: &Path) -> io::Result<()> {
    fs::create_dir_all(top)?;
    for mode in [
        0o400, 0o444, 0o600, 0o640, 0o644, 0o666, 0o700, 0o755, 0o4755, 0o2755,
    ] {
        let path = top.join(format!("file {mode:04o}"));
        fs::write(&path, format!("{mode:04o}"))?;
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
    }
    for mode in [0o500, 0o555, 0o700, 0o750, 0o777, 0o1777, 0o2770] {
        let path = top.join(format!("directory {mode:04o}"));
        fs::create_dir(&path)?;
        fs::write(path.join("inside"), "")?;
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
    }
    Ok(())
}

fn make_times(top: &Path) -> io::Result<()> {
    fs::create_dir_all(top.join("old directory"))?;
    let epoch = SystemTime::UNIX_EPOCH;
    for (name, time) in [
        (
            "to the nanosecond",
            epoch + Duration::new(1_600_000_000, 123_456_789),
        ),
        ("at the epoch", epoch),
        ("before the epoch", epoch - Duration::new(86_400, 1)),
        ("in the future", epoch + Duration::from_secs(4_000_000_000)),
        ("old directory", epoch + Duration::new(1_000_000_000, 1)),
    ] {
        let path = top.join(name);
        if !path.is_dir() {
            fs::write(&path, name)?;
        }
        File::open(&path)?.set_times(FileTimes::new().set_modified(time))?;
    }
    Ok(())
}
