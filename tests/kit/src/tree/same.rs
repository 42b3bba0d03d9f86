//! What differs between two trees.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// One thing that is not the same in two trees.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Relative to both trees' tops.
    pub path: PathBuf,
    /// What of it differs.
    pub aspect: Aspect,
}

/// In what two entries differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// Only the first tree has it.
    Missing,
    /// Only the second tree has it.
    Added,
    /// File, directory, symbolic link, …
    Type,
    /// A file's bytes.
    Content,
    /// What a symbolic link says.
    Target,
    /// Permission bits, with set-user-id, set-group-id and sticky. Links have none of their own.
    Mode,
    /// The time of last modification, to the nanosecond.
    Mtime,
    /// User or group.
    Owner,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // With escapes: the names that differ are often the odd ones.
        write!(
            f,
            "{}: {:?}",
            self.path.as_os_str().as_bytes().escape_ascii(),
            self.aspect
        )
    }
}

/// Compares everything below `a` and `b` (not the two directories themselves), in the order of
/// paths. No differences: the trees are the same.
pub fn same_tree(a: &Path, b: &Path) -> io::Result<Vec<Difference>> {
    let mut differences = Vec::new();
    compare_directories(a, b, Path::new(""), &mut differences)?;
    differences.sort();
    Ok(differences)
}

fn compare_directories(
    a: &Path,
    b: &Path,
    at: &Path,
    differences: &mut Vec<Difference>,
) -> io::Result<()> {
    let (in_a, mut in_b) = (entries(&a.join(at))?, entries(&b.join(at))?);
    for (name, of_a) in in_a {
        let path = at.join(&name);
        let Some(of_b) = in_b.remove(&name) else {
            differences.push(Difference {
                path,
                aspect: Aspect::Missing,
            });
            continue;
        };
        for aspect in compare_entries((&a.join(&path), &of_a), (&b.join(&path), &of_b))? {
            differences.push(Difference {
                path: path.clone(),
                aspect,
            });
        }
        if of_a.is_dir() && of_b.is_dir() {
            compare_directories(a, b, &path, differences)?;
        }
    }
    differences.extend(in_b.into_keys().map(|name| Difference {
        path: at.join(name),
        aspect: Aspect::Added,
    }));
    Ok(())
}

fn entries(directory: &Path) -> io::Result<BTreeMap<OsString, Metadata>> {
    fs::read_dir(directory)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.file_name(), fs::symlink_metadata(entry.path())?))
        })
        .collect()
}

fn compare_entries(a: (&Path, &Metadata), b: (&Path, &Metadata)) -> io::Result<Vec<Aspect>> {
    let ((path_a, a), (path_b, b)) = (a, b);
    if a.file_type() != b.file_type() {
        return Ok(vec![Aspect::Type]);
    }
    let mut found = Vec::new();
    let mut unless = |same: bool, aspect| {
        if !same {
            found.push(aspect);
        }
    };
    if a.is_file() {
        let same = a.len() == b.len() && same_content(path_a, path_b)?;
        unless(same, Aspect::Content);
    }
    if a.is_symlink() {
        let same = fs::read_link(path_a)? == fs::read_link(path_b)?;
        unless(same, Aspect::Target);
    } else {
        unless(a.mode() == b.mode(), Aspect::Mode);
    }
    let mtime = |m: &Metadata| (m.mtime(), m.mtime_nsec());
    unless(mtime(a) == mtime(b), Aspect::Mtime);
    unless((a.uid(), a.gid()) == (b.uid(), b.gid()), Aspect::Owner);
    Ok(found)
}

fn same_content(a: &Path, b: &Path) -> io::Result<bool> {
    let (mut a, mut b) = (
        BufReader::new(File::open(a)?),
        BufReader::new(File::open(b)?),
    );
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    loop {
        const PIECE: u64 = 1 << 18;
        of_a.clear();
        of_b.clear();
        a.by_ref().take(PIECE).read_to_end(&mut of_a)?;
        b.by_ref().take(PIECE).read_to_end(&mut of_b)?;
        if of_a != of_b {
            return Ok(false);
        }
        if of_a.is_empty() {
            return Ok(true);
        }
    }
}
